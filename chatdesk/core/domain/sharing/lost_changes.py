"""Defines the losses of a project's log on the server, and the sentences that name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chatdesk.core.moments import is_known, moment_text
from chatdesk.core.texts import Sentences, Text, plural

# Shown to an owner before they accept the loss.
ACCEPTING: Final = Text(
    "Every computer fetches the project again and sends what its person wrote and still has. What nobody sends stays"
    " only where it is now. If there is a backup of the server that has these changes, restore that instead."
)
# Shown to all members.
CONSEQUENCE: Final = Text("Whoever joins the project gets only what comes before the first of them.")
_ASK_AN_OWNER: Final = Text("An owner of the project can let it go on without them.")


@dataclass(frozen=True, slots=True)
class LostRange:
    """Numbers that are missing in a log, both ends included. ``after_at`` and ``before_at``: when the server took the
    changes around them, in milliseconds UTC; None where the log begins or ends."""

    first: int
    last: int
    after_at: int | None = None
    before_at: int | None = None

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    @property
    def sentence(self) -> Text:
        """The sentence that names the numbers, their count and the time."""
        count, first, last = self.count, str(self.first), str(self.last)
        after, before = _day(self.after_at), _day(self.before_at)
        if after and before:
            return plural(
                "{count} changes (numbers {first} to {last}), made between {after} and {before}.",
                "{count} change (number {first}), made between {after} and {before}.",
                count, first=first, last=last, after=after, before=before,
            )  # fmt: skip
        if after:
            return plural(
                "{count} changes (numbers {first} to {last}), made since {after}.",
                "{count} change (number {first}), made since {after}.",
                count, first=first, last=last, after=after,
            )  # fmt: skip
        return plural(
            "{count} changes (numbers {first} to {last}), the first of the project.",
            "{count} change (number {first}), the first of the project.",
            count, first=first, last=last,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class LostChanges:
    """The changes that the server has lost of one project. ``may_accept``: this person owns the project, and may let it
    go on without them."""

    project_id: str
    name: str
    ranges: tuple[LostRange, ...]
    may_accept: bool = False

    @property
    def count(self) -> int:
        return sum(each.count for each in self.ranges)

    @property
    def headline(self) -> Text:
        return plural(
            "“{project}”: the server has lost {count} changes.",
            "“{project}”: the server has lost {count} change.",
            self.count,
            project=self.name,
        )

    @property
    def advice(self) -> Sentences:
        """The consequence of the loss, and the members who can accept it."""
        return Sentences.of(CONSEQUENCE, "" if self.may_accept else _ASK_AN_OWNER)

    @property
    def question(self) -> Text:
        return plural(
            "Let “{project}” go on without {count} changes?",
            "Let “{project}” go on without {count} change?",
            self.count,
            project=self.name,
        )


def accepted_text(count: int, project: str, who: str, at_ms: int) -> Text:
    """Return the sentence on a loss that an owner accepted."""
    return plural(
        "“{project}”: on {day}, {who} let it go on without {count} changes that the server had lost.",
        "“{project}”: on {day}, {who} let it go on without {count} change that the server had lost.",
        count,
        project=project,
        who=who,
        day=_day(at_ms),
    )


def _day(at_ms: int | None) -> str:
    return moment_text(at_ms, lambda moment: f"{moment:%Y-%m-%d %H:%M}") if is_known(at_ms) else ""
