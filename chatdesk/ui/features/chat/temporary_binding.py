"""Controls the temporary chat of this window: begins, shows, keeps and ends it, and asks before it is lost."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.chat.temporary import TemporaryThreads
from chatdesk.core.domain.thread import Thread
from chatdesk.core.events import EventBus
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.features.chat.drafts import DraftKeeper
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.window.window_context import Controller, WindowContext


class TemporaryBinding(Controller):
    """Binds the commands, the mark in the header and the line above the list."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        messages: MessageBinding,
        undo: UndoBinding,
        *,
        drafts: DraftKeeper,
        make_temporary: Callable[[], TemporaryThreads],
        join: Callable[[EventBus], None],
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._messages = messages
        self._undo = undo
        self._drafts = drafts
        self._make_temporary = make_temporary
        self._join = join
        self._temporary: TemporaryThreads | None = None
        self.dialog: TemporaryDialog | None = None
        commands = panes.commands
        commands.bind("thread.temporary", self.start)
        commands.describe("thread.temporary", title=self._start_title)
        for command_id, run in (("thread.keep", self.keep), ("thread.forget", self.close)):
            commands.bind(command_id, run, self._is_there)
            commands.describe(command_id, is_offered=self._is_there, is_rare=True)
        panes.header.keepRequested.connect(self.keep)
        panes.sidebar.temporaryPressed.connect(self.start)
        panes.window.may_close = self._may_close
        threads.opened.connect(self._on_threads_opened)
        threads.keepOffered.connect(
            lambda why, then: panes.window.show_toast(why, tr("Keep and go on"), lambda: self.keep(then))
        )

    # What a person does

    @in_task("start temporary chat", is_once=True)
    async def start(self) -> None:
        """Show the temporary chat; create it if there is none. From within it, start a new one, after asking whether to
        keep this one."""
        temporary = self._service()
        if temporary.thread_id is not None and temporary.thread_id != self._threads.thread_id:
            self._threads.open_soon(temporary.thread_id)
            return
        if temporary.thread_id is not None:
            self._end(temporary, then=self.start)
            return
        provider, model = self._messages.models.chosen or (None, None)
        thread = await temporary.create(self._threads.new_project_id, provider=provider, model=model)
        self._show(thread)
        self._threads.open_soon(thread.id)

    @in_task("keep temporary chat", is_once=True)
    async def keep(self, then: Callable[[], object] | None = None) -> None:
        """Store the temporary chat as a thread, which stays shown, once the answer is written; then call ``then``."""
        temporary = self._service()
        await self._messages.wait_until_sent()
        if temporary.is_writing:
            self._panes.window.show_toast(tr("The chat is kept as soon as the answer is written."))
            await temporary.wait_until_written()
        if temporary.thread_id is not None:
            await self._keep(temporary)
        if then is not None:
            then()

    async def _keep(self, temporary: TemporaryThreads) -> None:
        await self._drafts.save()
        thread = await temporary.keep()
        self._undo.forget(thread.id)
        self._show(None)
        self._panes.window.show_toast(tr("Kept. It is a thread like any other now."))

    @in_task("close temporary chat", is_once=True)
    async def close(self) -> None:
        """Close the temporary chat; ask first if it has messages."""
        self._end(self._service(), then=None)

    # Its end

    def _may_close(self) -> bool:
        if not self._is_there():
            return True

        async def work() -> None:
            self._end(self._service(), then=self._panes.window.close)

        self._tasks.start_once(work(), "end temporary chat")
        return False

    def _end(self, temporary: TemporaryThreads, *, then: Callable[[], object] | None) -> None:
        self._tasks.start_once(self._ask_or_end(temporary, then), "ask about temporary chat")

    async def _ask_or_end(self, temporary: TemporaryThreads, then: Callable[[], object] | None) -> None:
        if self.dialog is not None:
            self.dialog.raise_()
            return
        await self._drafts.save()
        if not await temporary.holds_something():
            await self._finish(temporary, then, is_kept=False)
            return

        dialog = self.dialog = TemporaryDialog(self._panes.theme, parent=self._panes.window)
        dialog.answered.connect(
            lambda is_kept: self._tasks.start_once(
                self._finish(temporary, then, is_kept=is_kept), "finish temporary chat"
            )
        )
        dialog.finished.connect(self._on_dialog_finished)
        dialog.open()

    async def _finish(self, temporary: TemporaryThreads, then: Callable[[], object] | None, *, is_kept: bool) -> None:
        thread_id = temporary.thread_id
        if thread_id is not None and is_kept:
            await temporary.stop()
            await self._keep(temporary)
        elif thread_id is not None:
            await self._drafts.discard(thread_id)
            await temporary.forget()
            self._undo.forget(thread_id)
            self._show(None)
        if then is not None:
            then()

    def _on_dialog_finished(self) -> None:
        self.dialog = None

    # What is shown

    def _show(self, thread: Thread | None) -> None:
        self._panes.sidebar.thread_list.show_open(self._threads.stored_id)
        self._panes.sidebar.lines.show_temporary("" if thread is None else tr("Temporary chat"))
        self._panes.header.set_temporary(self._threads.is_temporary)
        self._panes.commands.refresh()
        if self._threads.open_thread is not None:
            self._threads.opened.emit(self._threads.open_thread)

    def _on_threads_opened(self, _thread: Thread | None) -> None:
        self._panes.header.set_temporary(self._threads.is_temporary)

    def _start_title(self) -> str:
        is_elsewhere = self._is_there() and not self._threads.is_temporary
        return tr("Go to the temporary chat") if is_elsewhere else tr("New temporary chat")

    def _is_there(self) -> bool:
        return self._temporary is not None and self._temporary.thread_id is not None

    def _service(self) -> TemporaryThreads:
        if self._temporary is None:
            self._temporary = self._make_temporary()
            self._join(self._temporary.bus)
        return self._temporary


_WIDTH_PX = 460
_QUESTION = Text("Keep the temporary chat?")
_TEXT = Text("Nothing of it is stored. Keep it as a thread like any other, or let it go for good.")


class TemporaryDialog(FormPanel):
    """A dialog that asks whether to keep a temporary chat. ``answered(is_kept)`` comes once, when one of the two was
    chosen; Esc and *Cancel* leave everything as it is. The button that loses nothing has the focus."""

    answered = Signal(bool)

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, shown(_QUESTION), object_name="temporaryDialog", width_px=_WIDTH_PX, parent=parent)
        self.setAccessibleDescription(shown(_TEXT))
        self.add_text(shown(_TEXT), "text")
        self.body.addSpacing(6)
        forget, keep = partial(self._answer, is_kept=False), partial(self._answer, is_kept=True)
        self.add_button(push_button(tr("Cancel"), "temporaryCancel", self.reject))
        self.add_button(push_button(tr("Do not keep"), "temporaryForget", forget, is_danger=True))
        self.add_button(push_button(tr("Keep"), "temporaryKeep", keep, is_primary=True)).setFocus()

    def _answer(self, *, is_kept: bool) -> None:
        self.accept()
        self.answered.emit(is_kept)
