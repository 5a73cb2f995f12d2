"""Keeps unsent text: saved shortly after each key, for each thread, and restored when the thread is opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.errors import NotFound, StorageError
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.features.chat.shared_drafts import DraftContent, ReplacedDraft, SetAsideDraft, SharedDrafts
from chatdesk.ui.features.chat.unsaved import Unsaved
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.qt.save_timer import SaveTimer

_NONE = DraftContent()


class DraftKeeper(QObject):
    """Keeps the draft of one composer. ``thread_id`` None stands for the thread that does not exist yet.

    After ``show``, typed text belongs to that thread. ``load`` puts the stored draft before it. Nothing is stored
    until then, so that typed text never replaces a draft that the person has not seen. Composers of ``shared`` that
    show the same thread have one draft.
    """

    def __init__(
        self,
        composer: Composer,
        tasks: AsyncTasks,
        chat_of: Callable[[str | None], ChatService],
        *,
        unsaved: Unsaved,
        shared: SharedDrafts | None = None,
    ) -> None:
        super().__init__(composer)
        self.unsaved = unsaved
        self._shared = shared or SharedDrafts()
        self._shared.add(self)
        self._replaced: ReplacedDraft | None = None
        self._composer = composer
        self._tasks = tasks
        self._chat_of = chat_of
        self._thread_id: str | None = None
        self._is_loaded = False
        self._is_loading = False
        self._has_unsaved = False
        self._left: dict[str | None, DraftContent] = {}  # unstored drafts of threads that were left
        # a stored draft that arrived after the person had begun to type; the typed text follows it
        self._joined = _NONE
        self._lock = asyncio.Lock()  # reads and writes take turns, so that a read never misses a write before it
        self._timer = SaveTimer(self)
        self._timer.timeout.connect(self._on_timer_timeout)
        composer.textChanged.connect(self._on_composer_text_changed)

    @property
    def thread_id(self) -> str | None:
        """The id of the thread that the composer's text belongs to; None for a new thread."""
        return self._thread_id

    def show(self, thread_id: str | None) -> None:
        """Make the text typed from now on belong to ``thread_id``. ``load`` brings its draft and stores that of the
        thread that was left."""
        if thread_id == self._thread_id:
            return
        if (replaced := self._replaced_in(self._thread_id)) is not None:
            replaced.left = self.content().behind(_NONE if self._is_loaded else replaced.left)
        other = self._shared.other(self, self._thread_id)
        if other is not None and self._has_unsaved and self._is_loaded:
            other.store_soon()
        elif self._has_unsaved or (not self._is_loaded and self.content()):
            self._left[self._thread_id] = self.content(is_behind=not self._is_loaded)
        self._timer.stop()
        self._thread_id, self._is_loaded, self._has_unsaved, self._joined = thread_id, False, False, _NONE
        self._set_content(DraftContent())

    def start(self, thread_id: str | None) -> None:
        """Set the first thread after start-up. Text that was typed before belongs to it."""
        self._thread_id = thread_id

    async def load(self) -> None:
        """Insert the draft of the shown thread before the text that was typed in the meantime."""
        async with self._lock:
            try:
                await self._save_left()
            except StorageError as error:
                self.unsaved.retry_later("draft", error, self.save)
            finally:
                await self._load()

    async def save(self) -> None:
        """Store the composer's text now, if it is not stored yet, with text typed in the meantime."""
        async with self._lock:
            await self._load()
            await self._save_left()
            await self._save()
            while self._has_unsaved and self._is_loaded:
                await self._save()

    async def add_attachment(self, thread_id: str | None, key: str, attachment: Attachment) -> None:
        """Add a file that was attached in ``thread_id``: to the composer if that thread is open there, else to its
        draft."""
        if thread_id != self._thread_id and self._shared.other(self, thread_id):
            await self.prepend(thread_id, "", (attachment,))
            return
        async with self._lock:
            if thread_id == self._thread_id:
                self._composer.files.chips.finish(key, attachment)
                return
            await self._save_left()
            before = await self._stored(thread_id)
            await self._store(thread_id, replace(before, attached=(*before.attached, attachment)))

    async def prepend(self, thread_id: str | None, text: str, attached: Sequence[Attachment] = ()) -> None:
        """Insert text and files before the draft of a thread; they are stored when this returns."""
        other = None if thread_id == self._thread_id else self._shared.other(self, thread_id)
        if other is not None:
            await other.prepend(thread_id, text, attached)
            return
        content = DraftContent(text, len(text), tuple(attached))
        async with self._lock:
            await self._save_left()
            if thread_id == self._thread_id:
                await self._load()
            if thread_id == self._thread_id:
                self.show_content(self.content().behind(content))
                await self._save()
            else:
                await self._store(thread_id, (await self._stored(thread_id)).behind(content))

    def set_aside(self) -> None:
        """Remember the composer's text while something else takes its place, until ``sent`` or ``restore_aside``. Until
        then it is stored before the text that replaced it."""
        self._replaced = ReplacedDraft(self._thread_id, self.content())

    def sent(
        self, thread_id: str | None, text: str, attached: Sequence[Attachment], *, restores_aside: bool = False
    ) -> None:
        """Forget the draft of ``thread_id`` that has become a message, but keep later changes. With ``restores_aside``
        the text that was set aside for it returns."""
        content = DraftContent(text, attached=tuple(attached))
        other = None if thread_id == self._thread_id or restores_aside else self._shared.other(self, thread_id)
        if other is not None:
            other.sent(thread_id, text, attached)
            return
        if restores_aside and (replaced := self._replaced_in(thread_id)) is not None:
            replaced.is_open = False
        if thread_id != self._thread_id:
            self._tasks.start(self._forget(thread_id, content, restores_aside=restores_aside), "forget draft")
            return
        self._remove_sent(content)
        if restores_aside and (back := self._pop_aside(thread_id)):
            self.show_content(self.content().behind(back))
        if thread_id is None and self._is_loaded:  # else the stored draft never reached the composer, and stays
            self._tasks.start(self._forget(None), "forget draft")

    def restore_aside(self, thread_id: str | None) -> None:
        """Return the text that was set aside for ``thread_id`` to the composer, beside the text that replaced it."""
        is_stored = self._replaced is not None and self._replaced.stored is not None
        set_aside = self.set_aside_in(thread_id) if thread_id != self._thread_id else None
        if (replaced := self._replaced_in(thread_id)) is not None:
            replaced.is_open = False
        if set_aside is not None and set_aside.replacement and (other := self._shared.other(self, thread_id)):
            self._left.pop(thread_id, None)
            # this already includes the text that was set aside
            other.show_content(other.content().behind(set_aside.replacement))
            self._pop_aside(thread_id)
            return
        if set_aside is not None and set_aside.replacement:
            # Composers that have set aside the draft, too, store it again: with this text in it from now on.
            self._shared.share(self, thread_id, set_aside.replacement.behind(set_aside.draft))
        content = self._pop_aside(thread_id)
        left = self._left.get(thread_id)
        if thread_id == self._thread_id:
            if content:
                self.show_content(self.content().behind(content))
            else:  # no draft was set aside: the text becomes the draft, for the other composers, too
                self._on_composer_text_changed()
        elif content and (left is not None or not is_stored):
            joined = content if left is None else left.behind(content)
            self._left[thread_id] = replace(joined, is_behind=left is None or left.is_behind)
            self._tasks.start(self._save_or_keep(), "save draft")

    def adopt(self, thread_id: str | None) -> None:
        """Make the composer's text the draft of ``thread_id``, which has none yet."""
        self._thread_id, self._is_loaded, self._joined = thread_id, True, _NONE
        self._on_composer_text_changed()

    async def discard(self, thread_id: str) -> None:
        """Forget the draft of ``thread_id``, stored or not, because the thread goes."""
        async with self._lock:
            self._left.pop(thread_id, None)
            self._pop_aside(thread_id)
            if thread_id == self._thread_id:
                self._timer.stop()
                self._is_loaded, self._has_unsaved, self._joined = True, False, _NONE
                self._set_content(DraftContent())

    # The same thread in two composers

    def end(self) -> None:
        """Stop sharing drafts with the other composers, because this one is closed."""
        self._shared.remove(self)

    def has_draft_of(self, thread_id: str | None) -> bool:
        """Return whether the composer has all of the draft of a thread in it, and nothing else."""
        return thread_id == self._thread_id and self._is_loaded and self._replaced_in(thread_id) is None

    def set_aside_in(self, thread_id: str | None) -> SetAsideDraft | None:
        """Return the draft of a thread that is set aside, with the text that is in its place in the composer or that
        waits until the thread is open again; None if no draft of the thread is set aside."""
        if (replaced := self._replaced_in(thread_id)) is None:
            return None
        is_here = thread_id == self._thread_id and self._is_loaded
        return SetAsideDraft(replaced.draft, self.content() if is_here else replaced.left)

    def follow(self, thread_id: str | None, content: DraftContent) -> None:
        """Show the text of another composer on the same thread. If this composer has a replacement in place of its
        draft, only the draft that is set aside changes."""
        if self.has_draft_of(thread_id):
            if content != self.content():
                self._set_content(content)
        elif (replaced := self._replaced_in(thread_id)) is not None:
            replaced.draft = content
            if thread_id == self._thread_id:
                self.store_soon()

    def store_soon(self) -> None:
        """Store the composer's text a moment later."""
        self._has_unsaved = True
        self._timer.record_change()

    async def forget_new(self) -> None:
        """Delete the stored draft of the new thread, whose text belongs to a thread by now."""
        await self._forget(None)

    # Inside

    def _on_composer_text_changed(self) -> None:
        if not self._is_loading:
            self.store_soon()
            if self.has_draft_of(self._thread_id):
                self._shared.share(self, self._thread_id, self.content())

    def _on_timer_timeout(self) -> None:
        if self._is_loaded:
            self._tasks.start(self._save_or_keep(), "save draft")

    async def _save_or_keep(self) -> None:
        try:
            await self.save()
        except StorageError as error:
            self.unsaved.retry_later("draft", error, self.save)

    async def _load(self) -> None:
        while not self._is_loaded:
            thread_id = self._thread_id
            left = self._left.get(thread_id)
            last = left or DraftContent()
            if (set_aside := self.set_aside_in(thread_id)) is not None and set_aside.replacement:
                last, stored = set_aside.replacement, _NONE  # it includes the text left there
            elif other := self._shared.other(self, thread_id):
                stored = other.content()
            elif (elsewhere := self._shared.set_aside_in(self, thread_id)) is not None:
                stored = elsewhere.draft
            else:
                stored = await self._stored(thread_id) if left is None or left.is_behind else DraftContent()
                if self._shared.other(self, thread_id) or self._shared.set_aside_in(self, thread_id):
                    continue  # another composer has the draft by now, and perhaps more of it
            if thread_id != self._thread_id or self._is_loaded or self._left.get(thread_id) is not left:
                continue  # another one was shown in the meantime, or this one got its first message
            before, typed = last.behind(stored), self.content()
            self._left.pop(thread_id, None)
            self._is_loaded = True
            self._has_unsaved = left is not None
            if before:
                self._set_content(typed.behind(before))
            self._joined = before if typed else _NONE
            if typed or left is not None:
                self._on_composer_text_changed()

    async def _save_left(self) -> None:
        for thread_id, content in tuple(self._left.items()):
            if other := self._shared.other(self, thread_id):
                del self._left[thread_id]
                other.show_content(other.content().behind(content))
                continue
            whole = content.behind(await self._stored(thread_id)) if content.is_behind else content
            if self._left.get(thread_id) is content:
                self._left[thread_id] = whole
                await self._store(thread_id, whole)
            if self._left.get(thread_id) is whole:
                del self._left[thread_id]

    async def _forget(
        self, thread_id: str | None, content: DraftContent | None = None, *, restores_aside: bool = False
    ) -> None:
        """Delete a stored draft; with ``content`` only if it is equal."""
        async with self._lock:
            back = _NONE
            if content is not None:
                await self._save_left()
                stored = await self._stored(thread_id)
                is_joined = self._replaced is not None and self._replaced.stored is not None
                back = self._pop_aside(thread_id) if restores_aside else _NONE
                if rest := stored.without(content):
                    if rest is not stored:
                        await self._store(thread_id, rest.behind(back))
                    elif back and not is_joined:
                        self._left[thread_id] = replace(back, is_behind=True)
                        await self._save_left()
                    return
            await self._store(thread_id, back)

    def _pop_aside(self, thread_id: str | None) -> DraftContent:
        """Return the draft of a thread that was set aside, and forget it."""
        if (replaced := self._replaced) is None or replaced.thread_id != thread_id:
            return _NONE
        draft, replaced.draft, replaced.stored = replaced.draft, _NONE, None
        return draft

    def _replaced_in(self, thread_id: str | None) -> ReplacedDraft | None:
        """Return the draft that was set aside in a thread, if something else is in its place still."""
        replaced = self._replaced
        return replaced if replaced is not None and replaced.is_open and replaced.thread_id == thread_id else None

    def show_content(self, content: DraftContent) -> None:
        """Replace the text and files in the composer, as if they had been typed there."""
        self._set_content(content)
        self._on_composer_text_changed()

    async def _save(self) -> None:
        self._timer.stop()
        if not self._has_unsaved or not self._is_loaded:
            return
        self._has_unsaved = False
        thread_id, content = self._thread_id, self.content()
        try:
            await self._store(thread_id, content)
        except BaseException:
            if thread_id == self._thread_id and self._is_loaded:
                self._has_unsaved = True
            else:
                self._left.setdefault(thread_id, content)
            raise

    async def _stored(self, thread_id: str | None) -> DraftContent:
        draft = await self._chat_of(thread_id).drafts.get(thread_id)
        replaced = self._replaced
        if replaced is not None and replaced.thread_id == thread_id and replaced.draft and replaced.stored is not None:
            return replaced.stored
        return DraftContent() if draft is None else DraftContent(draft.text, draft.cursor, tuple(draft.attachments))

    async def _store(self, thread_id: str | None, content: DraftContent) -> None:
        chat = self._chat_of(thread_id)
        replaced, replacement = self._replaced, content
        aside = replaced.draft if replaced is not None and replaced.thread_id == thread_id else _NONE
        content = content.behind(aside) if aside else content
        for more in self._shared.all_set_aside_in(self, thread_id):
            content = more.replacement.behind(content)
        try:
            await chat.drafts.save(thread_id, content.text, content.cursor, attachments=content.attached)
            if replaced is not None and aside and replaced.draft is aside:
                replaced.stored = replacement
        except NotFound:
            # The thread is gone for good: its content waits in the one that does not exist yet.
            chat = self._chat_of(None)
            whole = content.behind(await self._stored(None))
            await chat.drafts.save(None, whole.text, whole.cursor, attachments=whole.attached)

    def content(self, *, is_behind: bool = False) -> DraftContent:
        """Return the composer's text and files."""
        composer = self._composer
        return DraftContent(composer.text(), composer.cursor_position(), tuple(composer.files.attached), is_behind)

    def _remove_sent(self, sent: DraftContent) -> None:
        """Remove the sent text, and keep words that were typed behind it meanwhile, or a draft that came before it."""
        now, before = self.content(), self._joined
        rest = now.without(sent)
        if rest is now and before:
            rest = now.without(before).without(sent).behind(before)
        if not rest:
            self._composer.clear()
        elif rest is not now:
            self.show_content(rest)

    def _set_content(self, content: DraftContent) -> None:
        self._is_loading = True
        try:
            self._composer.files.set_attached(content.attached)
            self._composer.set_text(content.text)
            self._composer.set_cursor_position(min(content.cursor, len(content.text)))
        finally:
            self._is_loading = False
