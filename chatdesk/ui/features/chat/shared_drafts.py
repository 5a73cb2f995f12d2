"""Connects the composers that are shown. Two of them on the same thread share one draft: text typed in one appears in
the other at once, so that neither is stored over the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chatdesk.core.domain.attachment import Attachment


@dataclass(frozen=True, slots=True)
class DraftContent:
    """The text and files that are, or was, in the composer."""

    text: str = ""
    cursor: int = 0
    attached: tuple[Attachment, ...] = ()
    is_behind: bool = False  # the stored draft, which was not shown yet, comes before it

    def __bool__(self) -> bool:
        return bool(self.text or self.attached)

    def is_like(self, other: DraftContent) -> bool:
        return self.text.strip() == other.text.strip() and self.attached == other.attached

    def without(self, first: DraftContent) -> DraftContent:
        """Return the content without its beginning ``first``; the whole content if it does not begin so."""
        if self.is_like(first):
            return DraftContent()
        if not self.text.startswith(first.text):
            return self
        text, cursor = self.text[len(first.text) :].lstrip("\n"), max(0, self.cursor - len(first.text))
        attached = tuple(each for each in self.attached if each not in first.attached)
        return DraftContent(text, min(cursor, len(text)), attached, self.is_behind)

    def behind(self, before: DraftContent) -> DraftContent:
        if not self or not before:
            return DraftContent(self.text, self.cursor, self.attached) if self else before
        is_other = bool(self.text) and before.text.strip() not in ("", self.text.strip())
        joined = f"{before.text}\n{self.text}" if is_other else self.text or before.text
        return DraftContent(joined, len(joined), (*before.attached, *self.attached))


@dataclass(frozen=True, slots=True)
class SetAsideDraft:
    """A draft that was set aside in its composer, and the text in its place. Both are stored until that ends."""

    draft: DraftContent
    replacement: DraftContent


@dataclass(slots=True)
class ReplacedDraft:
    """The draft of a thread that was set aside because something else is in its place in the composer, such as an edit.

    Until ``draft`` has returned, both are stored together."""

    thread_id: str | None
    draft: DraftContent  # empty once it has returned
    is_open: bool = True  # the composer still shows another text
    left: DraftContent = DraftContent()  # the text in its place, if the thread was left
    stored: DraftContent | None = None  # the text in its place, as last stored before ``draft``


class Keeper(Protocol):
    """The keeper of one composer's draft, as the others see it. A protocol, because ``DraftKeeper`` imports this."""

    def has_draft_of(self, thread_id: str | None) -> bool: ...

    def content(self) -> DraftContent: ...

    def set_aside_in(self, thread_id: str | None) -> SetAsideDraft | None: ...

    def follow(self, thread_id: str | None, content: DraftContent) -> None: ...

    def show_content(self, content: DraftContent) -> None: ...

    def store_soon(self) -> None: ...

    def sent(self, thread_id: str | None, text: str, attached: Sequence[Attachment]) -> None: ...

    async def prepend(self, thread_id: str | None, text: str, attached: Sequence[Attachment] = ()) -> None: ...


class SharedDrafts:
    """Joins the keepers of all chats that are shown."""

    def __init__(self) -> None:
        self._keepers: list[Keeper] = []

    def add(self, keeper: Keeper) -> None:
        self._keepers.append(keeper)

    def remove(self, keeper: Keeper) -> None:
        self._keepers.remove(keeper)

    def other(self, keeper: Keeper, thread_id: str | None) -> Keeper | None:
        """Return another keeper whose composer has the draft of a thread."""
        return next((each for each in self._keepers if each is not keeper and each.has_draft_of(thread_id)), None)

    def set_aside_in(self, keeper: Keeper, thread_id: str | None) -> SetAsideDraft | None:
        """Return the draft of a thread that another composer has set aside; None if there is none."""
        return next(iter(self.all_set_aside_in(keeper, thread_id)), None)

    def all_set_aside_in(self, keeper: Keeper, thread_id: str | None) -> list[SetAsideDraft]:
        """Return the drafts of a thread that other composers have set aside, with their replacements, such as edits."""
        return [
            set_aside for each in self._keepers if each is not keeper and (set_aside := each.set_aside_in(thread_id))
        ]

    def share(self, keeper: Keeper, thread_id: str | None, content: DraftContent) -> None:
        """Show the text of one composer in the other composers of the same thread."""
        for each in self._keepers:
            if each is not keeper:
                each.follow(thread_id, content)
