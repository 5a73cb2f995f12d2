"""Shows the states of proposed changes of files in the transcript, and applies the changes a person accepts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, QObject
from shiboken6 import isValid

from chatdesk.core.domain.artifacts.file_change import ChangeState, change_from
from chatdesk.core.domain.attachment import attachment_from
from chatdesk.core.domain.message import Part
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import ToolServersChanged
from chatdesk.core.texts import Text, shown, tr
from chatdesk.core.tools.folder.file_changes import FileChanges
from chatdesk.core.tools.tool_service import ToolService
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.tools.change_review import ChangeReview
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.transcript.contract import ShownChange
from chatdesk.ui.window.window_context import Controller, WindowContext

_MOST_KNOWN: Final = 2_000


class ChangesBinding(Controller):
    """Controller of proposed changes of files. ``in_use`` returns the service of tool servers; None if no server was
    ever set up."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        undo: UndoBinding,
        *,
        in_use: Callable[[], Awaitable[ToolService | None]],
    ) -> None:
        super().__init__(context)
        self._threads = threads
        self._undo = undo
        self._in_use = in_use
        self._states: dict[tuple[str, str], ChangeState | None] = {}
        self._review: ChangeReview | None = None
        transcript = context.panes.transcript
        transcript.parts.viewport_layout.set_change_states(self._state_of)
        transcript.parts.actions.changeRequested.connect(self._on_requested)
        context.panes.message_handlers.bind("changes", self._open_message)
        threads.opened.connect(lambda _thread: self._clear_states())
        context.events.subscribe(self, ToolServersChanged, lambda _event: self.refresh())
        context.panes.window.installEventFilter(self)

    def _clear_states(self) -> None:
        """Forget the states of another thread's changes, and request those of the changes in view."""
        self._states.clear()
        self._panes.transcript.parts.viewport_layout.set_change_states(self._state_of)

    def refresh(self) -> None:
        """Request the states of all shown changes again."""
        if self._states:
            self._tasks.replace(self._ask(), "refresh proposed changes")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowActivate:
            self.refresh()  # files are changed in other programs, and the person comes back from there
        return super().eventFilter(watched, event)

    def _state_of(self, change_id: str, diff_sum: str) -> ChangeState | None:
        key = (change_id, diff_sum)
        if key not in self._states:
            if len(self._states) >= _MOST_KNOWN:
                del self._states[next(iter(self._states))]  # read again when it is seen
            self._states[key] = None
            self.refresh()
        return self._states.get(key)

    async def _ask(self) -> None:
        changes = await self._changes()
        wanted = list(self._states)
        if changes is None:
            found = dict.fromkeys(wanted, ChangeState.ELSEWHERE)
        else:
            found = await changes.states(wanted)
        news = {key: state for key, state in found.items() if key in self._states and self._states[key] is not state}
        if news and isValid(self._panes.transcript):  # the window may be closing
            self._states |= news
            self._panes.transcript.parts.viewport_layout.set_change_states(self._state_of)

    async def _changes(self) -> FileChanges | None:
        service = await self._in_use()
        return None if service is None else service.changes

    # What a person does

    def _on_requested(self, action: str, shown: ShownChange) -> None:
        if action in ("change-review", "change-edit"):
            self._tasks.start(self._open_review((shown,), edits=action == "change-edit"), "review a change")
        else:
            self._tasks.start(self._do(action, shown), "change a file")

    @in_task("review changes")
    async def _open_message(self, message_id: str) -> None:
        entry = next((each for each in self._panes.transcript.entries if each.message.id == message_id), None)
        shown = [] if entry is None else _changes_in(entry.message.parts)
        if not shown:
            return
        changes = await self._changes()
        keys = [(each.change.id, each.diff_sum) for each in shown]
        states = {} if changes is None else await changes.states(keys)
        open_ = [each for each, key in zip(shown, keys, strict=True) if states.get(key) is ChangeState.PROPOSED]
        await self._open_review((*open_, *(each for each in shown if each not in open_)))

    async def _open_review(self, shown: Sequence[ShownChange], *, edits: bool = False) -> None:
        if self._review is not None and isValid(self._review):
            self._review.reject()
        review = self._review = ChangeReview(self._panes.theme, shown, edits=edits, parent=self._panes.window)
        review.wanted.connect(lambda each: self._tasks.replace(self._show(review, each), "show a change"))
        review.chosen.connect(
            lambda action, each, text: self._tasks.start(self._do_in(review, action, each, text), "change a file")
        )
        review.open()
        review.ask()

    async def _show(self, review: ChangeReview, change: ShownChange) -> None:
        try:
            changes = await self._need_changes()
            found = await changes.review(change.change.id, change.diff_sum)
        except ChatDeskError as error:
            if isValid(review):
                review.show_problem(shown(error.sentence))
            return
        if isValid(review):
            review.show_review(change, found)

    async def _do_in(self, review: ChangeReview, action: str, change: ShownChange, text: str | None) -> None:
        try:
            await self._do(action, change, text)
        except ChatDeskError as error:
            if isValid(review):
                await self._show(review, change)
                review.show_problem(shown(error.sentence))
            return
        if isValid(review) and not review.go_on():
            review.accept()

    async def _do(self, action: str, shown: ShownChange, text: str | None = None) -> None:
        """Apply a change, as ``text`` where a person edited it, reject or undo it. Raises errors of ChatDesk, which the
        window shows."""
        changes = await self._need_changes()
        acts: dict[str, tuple[Callable[[str, str], Awaitable[None]], str]] = {
            "change-apply": (partial(changes.apply, text=text), tr("Applied: {path}", path=shown.change.path)),
            "change-reject": (changes.reject, tr("Rejected: {path}", path=shown.change.path)),
            "change-undo": (changes.undo, tr("Undone: {path}", path=shown.change.path)),
        }
        act, words = acts[action]
        with self._undo.change() as stack:
            try:
                await act(shown.change.id, shown.diff_sum)
            finally:
                self.refresh()
            stack.record_lasting(Text("change a file"), thread_id=self._threads.thread_id)
        self._panes.pane.show_toast(words)

    async def _need_changes(self) -> FileChanges:
        changes = await self._changes()
        if changes is None:
            raise ChatDeskError(
                Text("This change was not proposed on this computer."),
                safe=Text("No file was changed."),
                next_step=Text("Ask the model to propose it here."),
            )
        return changes


def _changes_in(parts: Sequence[Part]) -> list[ShownChange]:
    """Return the changes that a message proposes, in their order."""
    named = ((change_from(part.content), attachment_from(part.content)) for part in parts)
    return [ShownChange(change, file.sha256) for change, file in named if change is not None and file is not None]
