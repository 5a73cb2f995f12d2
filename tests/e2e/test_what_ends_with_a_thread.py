"""All that is said over or beside a thread has one owner, and is gone when that is, or when it is no longer true.

``TABLE`` names what can be shown there, how it comes and what it belongs to; the test does with each of them whatever a
person may do next; one day plays two fifths of the pairs of a row and a step. What is added to a chat gets a row here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from chatdesk.core.domain.knowledge import SourceKind
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.prompt import PromptKind
from chatdesk.core.domain.summary import SummaryStage, SummaryWork
from chatdesk.core.domain.tools import ApprovalRequest, Tool, ToolHints
from chatdesk.core.errors import StorageFull
from chatdesk.core.events import LimitNear, StorageFailed, SummaryWorkChanged
from chatdesk.core.paths import AppPaths
from chatdesk.core.tools.server_requests import Asker, PageRequest
from chatdesk.core.updates import Version
from chatdesk.ui.application.pane_bindings import PaneBindings
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.sidebar.project_badge import THREADS_MIME
from chatdesk.ui.transcript.input.message_focus import Attention
from tests.helpers.examples import sample
from tests.helpers.things_over import OWNED, things_without_row
from tests.helpers.waiting import stays as holds
from tests.helpers.window import answered, ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")

_MODELS: Final = (("offline", "offline-demo"), ("offline", "offline-echo"))
_SUMMARY: Final = {"provider": "offline", "model": "offline-demo", "planned_requests": 9}


class Owner(Enum):
    """Whose end is also that of what is shown."""

    ANSWER = "the answer that is being written"
    THREAD = "the open thread"
    KEYS = "what is being typed: it goes with the focus, too"
    POPUP = "what is chosen from: it goes whatever comes next"
    PROGRAM = "ChatDesk: it goes by itself, or when it is closed"


Appear = Callable[[WindowApplication], Awaitable[object]]


@dataclass(frozen=True)
class Row:
    """What is shown in the widget ``name``; ``painted`` returns the words of what is in no widget of its own.
    ``returns``: it is there again when its thread is opened again, and ``survives`` when ChatDesk was started again."""

    name: str
    owner: Owner
    appear: Appear
    returns: bool = False
    survives: bool = False
    painted: Callable[[PaneBindings], str] | None = None


async def _streaming(application: WindowApplication) -> None:
    composer = application.panes.composer
    type_text(application, "/demo slow")
    press(application, Qt.Key.Key_Return)
    await until(lambda: composer.is_streaming and not composer.text())


async def _failed_action(application: WindowApplication) -> None:
    await _streaming(application)
    application.panes.commands.trigger("message.regenerate")


async def _passing_notice(application: WindowApplication) -> None:
    await _streaming(application)
    type_text(application, "a note")
    application.panes.commands.trigger("message.note")


async def _note_of_team(application: WindowApplication) -> None:
    application.panes.pane.show_note("This thread was moved by somebody else.", lambda: None)


async def _summary(application: WindowApplication) -> None:
    work = SummaryWork(application.threads.thread_id or "", SummaryStage.WORKING, **_SUMMARY)  # type: ignore[arg-type]
    (await application.services()).events.publish(SummaryWorkChanged(work))


async def _consent(application: WindowApplication) -> None:
    tool = Tool("server", "Server", "tool", "", "", {}, ToolHints(), "")
    thread_id = application.threads.thread_id or ""
    request = ApprovalRequest(f"of {thread_id}", thread_id, "message", tool, "{}", "https://tools.example")
    approvals = (await application.services()).chat.tools.approvals
    application.bindings.tasks.start(approvals.ask(request), "ask")


async def _edit(application: WindowApplication) -> None:
    application.panes.commands.trigger("message.edit_last")
    await until(lambda: application.messages.edit.edited)
    type_text(application, " or not")


async def _comparison(application: WindowApplication) -> None:
    application.messages.models.compare(_MODELS)
    type_text(application, "which one?")


async def _assistant(application: WindowApplication) -> None:
    prompts = (await application.services()).prompts
    heads = [head for head in await prompts.list() if head.kind is PromptKind.ASSISTANT]
    helper = heads[0].id if heads else (await prompts.create(PromptKind.ASSISTANT, "Helper", "Help.")).id
    application.messages.assistants.ask_once(helper)


async def _question(application: WindowApplication) -> None:
    await ask(application, "remember that I drink tea")


async def _unknown_file(application: WindowApplication) -> None:
    services = await application.services()
    thread = application.threads.open_thread
    assert thread is not None
    if not await services.knowledge.statuses(thread.project_id):
        folder = services.paths.data_dir.parent / "empty folder"
        folder.mkdir(exist_ok=True)
        await services.knowledge.add(thread.project_id, SourceKind.FOLDER, str(folder))
    type_text(application, "what does @nobody.md say?")


async def _queue(application: WindowApplication) -> None:
    await _streaming(application)
    type_text(application, "and then?")
    press(application, Qt.Key.Key_Return)


async def _attachment(application: WindowApplication) -> None:
    file = (await application.services()).paths.data_dir / "notes.txt"
    file.write_text("notes", encoding="utf-8")
    application.panes.composer.filesOffered.emit([str(file)])
    await until(lambda: application.panes.composer.files.attached)


async def _find(application: WindowApplication) -> None:
    application.panes.commands.trigger("go.find")


async def _link(application: WindowApplication) -> None:
    application.panes.transcript.parts.link_status.show_target("https://example.com/far")


async def _prompts(application: WindowApplication) -> None:
    type_text(application, "/")


async def _prompts_to_search(application: WindowApplication) -> None:
    application.panes.commands.trigger("prompt.insert")


async def _newest(application: WindowApplication) -> None:
    await ask(application, "/demo markdown")
    transcript = application.panes.transcript
    bar = transcript.verticalScrollBar()
    await until(lambda: bar.maximum() > 0)
    QTest.keyClick(transcript, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)


async def _menu_of_message(application: WindowApplication) -> None:
    await until(lambda: application.panes.transcript.isVisible())
    application.panes.transcript.setFocus()
    QTest.keyClick(application.panes.transcript, Qt.Key.Key_Menu)


async def _menu_of_thread(application: WindowApplication) -> None:
    application.panes.header.more_button.click()


async def _models(application: WindowApplication) -> None:
    application.panes.commands.trigger("thread.model")


async def _side_by_side(application: WindowApplication) -> None:
    application.messages.models.compare(_MODELS)
    type_text(application, "which one?")
    press(application, Qt.Key.Key_Return)
    thread_id = application.threads.thread_id or ""
    chat = (await application.services()).chat
    await until(lambda: application.bindings.comparison.view is not None)
    await until(lambda: not chat.is_answering(thread_id))


async def _done_with_undo(application: WindowApplication) -> None:
    application.panes.pane.show_toast("Moved to the trash", "Undo", lambda: None)


async def _tooltip(application: WindowApplication) -> None:
    button = application.panes.composer.add_button
    QToolTip.showText(button.mapToGlobal(QPoint(4, 4)), "Files, prompts, parameters and tools", button)


async def _update(application: WindowApplication) -> None:
    application.bindings.updates.show_newer(Version(99, 0, 0), "https://releases.example/")


async def _request(application: WindowApplication) -> None:
    thread_id = application.threads.thread_id or ""
    asker = Asker(thread_id, "Trains", "Book seats", "uvx trains")
    request = PageRequest(f"of {thread_id}", asker, "Pay there.", "https://pay.example/7")
    questions = (await application.services()).chat.tools.questions
    application.bindings.tasks.start(questions.ask(request), "ask for a page")


async def _odd_file(application: WindowApplication) -> None:
    file = (await application.services()).paths.data_dir / "greetings.txt"
    file.write_bytes("Viele Grüße aus Köln, schöne Grüße und süße Träume".encode("cp1252"))
    application.panes.composer.filesOffered.emit([str(file)])


async def _parameters(application: WindowApplication) -> None:
    steering = (await application.services()).chat.context.steering
    await steering.set_thread_parameters(application.threads.thread_id or "", Parameters(temperature=0.2))


async def _title(application: WindowApplication) -> None:
    application.panes.header.title.start_edit()


async def _menu_of_plus(application: WindowApplication) -> None:
    application.panes.composer.add_button.click()


async def _menu_of_send(application: WindowApplication) -> None:
    application.panes.composer.send_button.customContextMenuRequested.emit(QPoint())


async def _fullness(application: WindowApplication) -> None:
    meter = application.panes.header.context_meter
    await until(meter.isVisible)
    meter.click()


def _middle_of_answer(application: WindowApplication) -> QPointF:
    transcript = application.panes.transcript
    of_answer = [each for each in transcript.parts.layout.placed if each.entry is transcript.entries[-1]]
    placed = next(each for each in of_answer if each.item.is_selectable)
    return QPointF(transcript.parts.viewport_layout.column_left + 30, placed.y + placed.item.height / 2)


async def _hover(application: WindowApplication) -> None:
    transcript = application.panes.transcript
    await until(lambda: transcript.isVisible() and transcript.parts.layout.placed)
    transcript.parts.mouse.move(_middle_of_answer(application))


async def _ring(application: WindowApplication) -> None:
    await until(lambda: application.panes.transcript.isVisible())
    application.panes.transcript.setFocus(Qt.FocusReason.TabFocusReason)


async def _hit(application: WindowApplication) -> None:
    transcript = application.panes.transcript
    await until(lambda: transcript.isVisible() and transcript.entries)
    transcript.show_found(transcript.entries[0].message.id, "far")


async def _selection(application: WindowApplication) -> None:
    await until(lambda: application.panes.transcript.isVisible())
    application.panes.transcript.parts.selection.select_all()


async def _held_selection(application: WindowApplication) -> None:
    transcript = application.panes.transcript
    await until(lambda: transcript.isVisible() and transcript.parts.layout.placed)
    transcript.parts.mouse.press(_middle_of_answer(application), extends=False)


async def _dragged_threads(application: WindowApplication) -> None:
    data = QMimeData()
    data.setData(THREADS_MIME, b"")
    badge = application.panes.sidebar.badge
    left, nothing = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(badge, QDragEnterEvent(QPoint(5, 5), Qt.DropAction.MoveAction, data, left, nothing))


def _attention(chat: PaneBindings) -> Attention:
    return chat.panes.transcript.parts.message_focus.shown


def _hovered(chat: PaneBindings) -> str:
    entry = _attention(chat).hovered_entry
    return "" if entry is None else entry.message.id


def _ringed(chat: PaneBindings) -> str:
    entry = _attention(chat).ringed_entry
    return "" if entry is None else entry.message.id


def _found(chat: PaneBindings) -> str:
    return chat.panes.transcript.finding.places.needle


def _selected(chat: PaneBindings) -> str:
    return "all" if chat.panes.transcript.parts.selection.is_some else ""


def _is_selecting(chat: PaneBindings) -> str:
    return "held" if chat.panes.transcript.parts.pointer.is_dragging else ""


def _is_under_drag(chat: PaneBindings) -> str:
    main = chat.panes.main_window
    return "threads" if chat.panes.pane is main.pane and main.sidebar.badge.is_under_drag else ""


async def _limit(application: WindowApplication) -> None:
    (await application.services()).events.publish(LimitNear("The warning at 5 $ is passed."))


async def _not_saved(application: WindowApplication) -> None:
    (await application.services()).events.publish(StorageFailed(StorageFull()))


TABLE: Final = {
    "an action that failed": Row("toast", Owner.ANSWER, _failed_action),
    "why it is not sent now": Row("composerNotice", Owner.ANSWER, _passing_notice),
    "a question that waits": Row("waitingQuestions", Owner.ANSWER, _queue, returns=True, survives=True),
    "a note of the team": Row("threadNote", Owner.THREAD, _note_of_team),
    "summaries that are made": Row("summaryBar", Owner.THREAD, _summary),
    "a call that waits": Row("consentCard", Owner.THREAD, _consent, returns=True),
    "an edit": Row("composerState", Owner.THREAD, _edit, returns=True, survives=True),
    "models to compare": Row("composerState", Owner.THREAD, _comparison, returns=True, survives=True),
    "an assistant for a question": Row("composerState", Owner.THREAD, _assistant, returns=True, survives=True),
    "a memory to keep": Row("composerQuestion", Owner.THREAD, _question),
    "a name that no file has": Row("composerRemark", Owner.THREAD, _unknown_file, returns=True, survives=True),
    "a file for a question": Row("attachments", Owner.THREAD, _attachment, returns=True, survives=True),
    "the field that finds": Row("findBar", Owner.THREAD, _find),
    "where a link leads": Row("linkStatus", Owner.THREAD, _link),
    "a list of prompts": Row("promptMenu", Owner.KEYS, _prompts),
    "a list of prompts to search": Row("promptMenu", Owner.KEYS, _prompts_to_search),
    "the way to the newest message": Row("jumpToNewest", Owner.THREAD, _newest, returns=True, survives=True),
    "the page that a server wants opened": Row("requestCard", Owner.THREAD, _request, returns=True),
    "how a file is read": Row("attachmentNote", Owner.THREAD, _odd_file, returns=True, survives=True),
    "the parameters of the thread": Row("parametersChip", Owner.THREAD, _parameters, returns=True, survives=True),
    "the words of a tool": Row("qtooltip_label", Owner.POPUP, _tooltip),
    "a title that is typed": Row("threadTitleField", Owner.KEYS, _title),
    "the menu of the plus": Row("addMenu", Owner.POPUP, _menu_of_plus),
    "the menu of Send": Row("sendMenu", Owner.POPUP, _menu_of_send),
    "how full the context is": Row("contextPopover", Owner.POPUP, _fullness),
    "the message under the mouse": Row("transcript", Owner.THREAD, _hover, painted=_hovered),
    "the ring around a message": Row("transcript", Owner.KEYS, _ring, painted=_ringed),
    "the marks of what was found": Row("transcript", Owner.THREAD, _hit, painted=_found),
    "a selection": Row("transcript", Owner.THREAD, _selection, painted=_selected),
    "a selection under the mouse": Row("transcript", Owner.THREAD, _held_selection, painted=_is_selecting),
    "the mark of a drag": Row("projectBadge", Owner.PROGRAM, _dragged_threads, painted=_is_under_drag),
    "a newer version": Row("updateNotice", Owner.PROGRAM, _update),
    "the menu of a message": Row("messageMenu", Owner.POPUP, _menu_of_message),
    "the menu of the thread": Row("threadMenu", Owner.POPUP, _menu_of_thread),
    "the models to choose from": Row("modelChooser", Owner.POPUP, _models),
    "answers side by side": Row("compareView", Owner.THREAD, _side_by_side, returns=True, survives=True),
    "a deed to undo": Row("toast", Owner.PROGRAM, _done_with_undo),
    "a limit": Row("banner", Owner.PROGRAM, _limit),
    "what is not saved": Row("banner", Owner.PROGRAM, _not_saved),
}


# What a part that is always there shows in itself, or opens.
OF_FURNITURE: Final = frozenset((
    "parametersChip", "threadTitleField", "addMenu", "sendMenu", "contextPopover", "qtooltip_label",
))  # fmt: skip


def in_sight(chat: PaneBindings, row: Row) -> set[str]:
    """Return what the widgets of a row say in a chat, or what is painted for it there."""
    if row.painted is not None:
        return {row.painted(chat)} - {""}
    place = chat.panes.window if row.owner in (Owner.KEYS, Owner.POPUP) else chat.panes.pane
    found = place.findChildren(QWidget, row.name)
    words = {each.accessibleName() or getattr(each, "text", lambda: row.name)() for each in found if each.isVisible()}
    return words - {""}


class Walk:
    """Somebody who does what comes next while a row is shown in the first chat, on a thread of its own."""

    def __init__(self, application: WindowApplication, row: Row, there: str) -> None:
        self.application = application
        self.row = row
        self.there = there
        self.here = ""
        self.said: set[str] = set()

    async def begin(self) -> None:
        application = self.application
        await application.threads.open(None)
        application.panes.pane.toast.dismiss()
        await ask(application, "so far")
        self.here = application.threads.thread_id or ""
        await self.row.appear(application)
        await until(lambda: in_sight(application.bindings, self.row))
        self.said = in_sight(application.bindings, self.row)
        assert things_without_row(application.bindings) == set()

    def _is_said(self, chat: PaneBindings) -> bool:
        return bool(self.said & in_sight(chat, self.row))

    async def _stays_or_goes(self, chat: PaneBindings, *, stays: bool) -> None:
        await until(lambda: self._is_said(chat) is stays)
        await holds(lambda: self._is_said(chat) is stays, for_s=0.02)

    async def leave(self, thread_id: str | None) -> None:
        """Open another thread or a new chat in its place, and come back."""
        application, row = self.application, self.row
        application.threads.open_soon(thread_id)
        await until(lambda: application.threads.thread_id == thread_id)
        await self._stays_or_goes(application.bindings, stays=row.owner is Owner.PROGRAM)
        application.threads.open_soon(self.here)
        await until(lambda: application.threads.thread_id == self.here)
        await self._stays_or_goes(application.bindings, stays=row.owner is Owner.PROGRAM or row.returns)

    async def another_thread(self) -> None:
        await self.leave(self.there)

    async def new_chat(self) -> None:
        await self.leave(None)

    async def second_chat(self) -> None:
        """Open another thread beside it, and go over there."""
        chats = self.application.chats
        chats.open_beside(self.there)
        await until(lambda: chats.beside is not None and self.application.bindings.active() is chats.beside)
        await until(lambda: chats.beside is not None and chats.beside.threads.thread_id == self.there)
        assert chats.beside is not None
        await self._stays_or_goes(chats.beside, stays=False)
        chats.close_beside()
        await until(lambda: chats.beside is None)
        await self._stays_or_goes(self.application.bindings, stays=self.row.owner not in (Owner.KEYS, Owner.POPUP))

    async def second_window(self) -> None:
        chats = self.application.chats
        chats.open_window(self.there)
        await until(lambda: len(chats.windows) == 1 and self.application.bindings.active() is chats.windows[0])
        window = chats.windows[0]
        is_everywhere = self.said == {StorageFull().sentence}
        await self._stays_or_goes(window, stays=is_everywhere)
        window.panes.window.close()
        await until(lambda: not chats.windows)
        self.application.panes.window.activateWindow()  # as what manages windows does
        await self._stays_or_goes(self.application.bindings, stays=self.row.owner is not Owner.POPUP)

    async def end_of_the_answer(self) -> None:
        application = self.application
        if not application.panes.composer.is_streaming:
            await application.threads.open(self.here)
            return
        chat = (await application.services()).chat
        await answered(application, lambda: application.bindings.tasks.start(chat.stop(self.here), "stop"))
        await self._stays_or_goes(application.bindings, stays=self.row.owner is not Owner.ANSWER)


STEPS: Final = ("second_chat", "second_window", "another_thread", "new_chat", "end_of_the_answer")
TAKEN: Final = frozenset(sample(list(product(TABLE, STEPS)), 20))


def test_each_row_is_looked_for_and_a_thing_without_one_is_found(tmp_path: Path) -> None:
    assert {row.name for row in TABLE.values() if row.painted is None} - OF_FURNITURE <= OWNED.keys()

    async def script(application: WindowApplication) -> None:
        await ask(application, "so far")
        added = QWidget()
        added.setObjectName("addedLately")
        assert things_without_row(application.bindings) == set()
        application.panes.pane.add_bar(added)
        await until(added.isVisible)
        assert things_without_row(application.bindings) == {"addedLately"}

    play(AppPaths.find(tmp_path / "profile"), script)


@pytest.mark.parametrize("what", [each for each in TABLE if each in {what for what, _step in TAKEN}])
def test_it_is_gone_when_its_owner_is(tmp_path: Path, what: str) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        await ask(application, "there")
        there = application.threads.thread_id
        assert there is not None
        for step in [each for each in STEPS if (what, each) in TAKEN]:
            walk = Walk(application, TABLE[what], there)
            await walk.begin()
            await getattr(walk, step)()

    play(AppPaths.find(tmp_path / "profile"), script)


@pytest.mark.parametrize("what", sample([*TABLE], 12))
def test_it_is_there_after_a_start_if_it_still_holds(tmp_path: Path, what: str) -> None:
    paths, row = AppPaths.find(tmp_path / "profile"), TABLE[what]
    said: set[str] = set()

    async def leave(application: WindowApplication) -> None:
        await application.services()
        walk = Walk(application, row, "")
        await walk.begin()
        said.update(walk.said)

    async def come_back(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: application.threads.thread_id is not None)
        if row.survives:
            await until(lambda: in_sight(application.bindings, row))
        else:
            await until(lambda: not said & in_sight(application.bindings, row))

    play(paths, leave)
    play(paths, come_back)
