"""A person adds a folder of 300 mixed files, asks about them, and finds out a wrong answer by its source: once with the
mouse, once with the keyboard alone."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit

from chatdesk.core.domain.message import Message
from chatdesk.core.paths import AppPaths
from chatdesk.core.rendering.sources import Source, sources_of
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.knowledge.files_dialog import ProjectFilesDialog
from chatdesk.ui.features.knowledge.passage_dialog import PassageDialog
from chatdesk.ui.features.library.project_menu import ProjectMenu
from chatdesk.ui.transcript.input.keyboard import stops_of
from chatdesk.ui.transcript.view import TranscriptView
from tests.helpers.fault_server import Exchange, FaultServer
from tests.helpers.mixed_folder import FACTS, FILES, LISTED_NOT, UNREADABLE, Fact, make_mixed_folder
from tests.helpers.walks import Keys, click, click_at, click_row, dialog, gone, has_keyboard, popup
from tests.helpers.window import FAST, answered, play, until

_CONTROL, _SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
_WRONG, _CLAIM = FACTS[0], "2,500 euros"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("mixed") / "papers"
    make_mixed_folder(made)
    return made


def _said(fact: Fact) -> str:
    return _CLAIM if fact is _WRONG else fact.answer


async def _serve(exchange: Exchange) -> None:
    """The model: it has an answer to each question, and a wrong one to the first."""
    if exchange.request.path.endswith("/models"):
        data = json.dumps({"data": [{"id": "m", "context_length": 64_000}]}).encode()
        await exchange.start(content_type="application/json", length=len(data))
        await exchange.send_raw(data)
        return
    asked = exchange.request.json["messages"][-1]["content"]
    fact = next(each for each in FACTS if each.question in str(asked))
    await exchange.start()
    await exchange.delta(role="assistant", content=f"It is {_said(fact)} [1].")
    await exchange.finish()


def _played(data: Path, script: Callable[[WindowApplication, FaultServer], Awaitable[None]]) -> None:
    async def served(application: WindowApplication) -> None:
        async with FaultServer(_serve) as server:
            services = await application.services()
            chosen = replace(
                FAST, provider="openai", openai_base_url=server.base_url, openai_model="m", model_titles=False
            )
            await services.apply_settings(chosen)
            application.bindings.models.fill()
            await script(application, server)

    play(AppPaths.find(data), served)


async def _is_read(files: ProjectFilesDialog) -> None:
    """All of the folder is read, and what could not be is named."""
    count = FILES - len(UNREADABLE) - len(LISTED_NOT)
    await until(lambda: files.list.count() == 1 and f"{count} files read" in files.list.item(0).text())
    assert f"{len(UNREADABLE)} cannot be read" in files.list.item(0).text()
    await until(lambda: all(f"{path}: " in files.detail.text() for path in UNREADABLE))


def _source(answer: Message, fact: Fact) -> Source:
    """The first source of an answer, which has to be the right file."""
    first = sources_of(answer.parts)[0]
    assert first.number == 1 and first.title.startswith(fact.path), (fact, first)
    return first


async def _lit(passage: PassageDialog) -> str:
    """What is lit in the dialog; of a page and of a plain text all that is around it."""
    found: list[str] = []

    def look() -> bool:
        reader = passage.reader
        if isinstance(reader, TranscriptView):
            found[:] = [each.text for each in reader.entries if reader.parts.flash.strength_of(each) == 1]
        else:
            found[:] = [passage.text.toPlainText()]
        return bool("".join(found))

    await until(look)
    return "".join(found)


async def _checked(passage: PassageDialog, fact: Fact, answer: Message) -> None:
    """The source has what was asked for; and the answer says the same, but where it is wrong."""
    text = await _lit(passage)
    assert fact.answer in text, (fact, text)
    assert _said(fact) in answer.text
    assert (_said(fact) in text) is (fact is not _WRONG)


def _sent_questions(server: FaultServer) -> Sequence[str]:
    chats = [each.json for each in server.requests if each.path.endswith("/chat/completions")]
    return [json.dumps(each["messages"], ensure_ascii=False) for each in chats]


def _answers_were_sent(server: FaultServer) -> None:
    """Each request had the passage that answers it, and none had a file that nothing was asked about."""
    for fact, sent in zip(FACTS, _sent_questions(server), strict=True):
        assert fact.answer in sent and "Hidden words" not in sent, fact


def test_by_mouse(tmp_path: Path, folder: Path, qapp: QApplication) -> None:
    chooser = QFileDialog()
    chooser.setDirectory(str(folder.parent))  # the next one begins where the last one of this process was
    chooser.deleteLater()

    async def script(application: WindowApplication, server: FaultServer) -> None:
        panes = application.panes
        click_at(panes.sidebar.badge, panes.sidebar.badge.rect().center())
        menu = await popup()
        assert isinstance(menu, ProjectMenu)
        await click_row(menu.chooser.list, "Files of the project…")
        files = await dialog(ProjectFilesDialog)
        assert isinstance(files, ProjectFilesDialog)
        await click(files, "Add a folder")
        chosen = await dialog(QFileDialog)
        assert isinstance(chosen, QFileDialog)
        view = next(each for each in chosen.findChildren(QLineEdit) if each.isVisible())
        view.setText(folder.name)
        await click(chosen, "&Choose")
        await gone(QFileDialog)
        await _is_read(files)
        await click(files, "Close")
        await gone(ProjectFilesDialog)
        for fact in FACTS:
            panes.composer.set_text(fact.question)
            answer = await answered(application, lambda: QTest.keyClick(panes.composer.editor, Qt.Key.Key_Return))
            await _click_source(panes.transcript, _source(answer, fact))
            passage = await dialog(PassageDialog)
            assert isinstance(passage, PassageDialog)
            await _checked(passage, fact, answer)
            await click(passage, "Close")
            await gone(PassageDialog)
        _answers_were_sent(server)

    _played(tmp_path / "data", script)


async def _click_source(view: TranscriptView, source: Source) -> None:
    def place() -> QPointF | None:
        for placed in view.parts.layout.placed:
            for link in placed.item.links():
                if link.label == source.url:
                    left = view.parts.viewport_layout.column_left + placed.entry.places.x_of(placed.item)
                    return QPointF(left, placed.y) + link.area.center()
        return None

    await until(lambda: (at := place()) is not None and view.viewport().rect().contains(at.toPoint()))
    at = place()
    assert at is not None
    click_at(view.viewport(), at.toPoint())


def test_by_keyboard_alone(tmp_path: Path, folder: Path) -> None:
    async def script(application: WindowApplication, server: FaultServer) -> None:
        panes = application.panes
        keys = await Keys.of(panes.window)
        await until(lambda: keys.focused is panes.composer.editor)
        keys.press(Qt.Key.Key_P, _CONTROL | _SHIFT)
        await until(lambda: application.bindings.search.palette is not None)
        palette = application.bindings.search.palette
        assert palette is not None
        QTest.keyClicks(palette.field, "Files of the project")
        await until(lambda: palette.results.is_over and palette.current is not None)
        QTest.keyClick(palette.field, Qt.Key.Key_Return)
        files = await dialog(ProjectFilesDialog)
        assert isinstance(files, ProjectFilesDialog)
        await until(lambda: has_keyboard(files) and keys.focused is files.place)
        keys.type(str(folder))
        keys.press(Qt.Key.Key_Return)
        await _is_read(files)
        keys.press(Qt.Key.Key_Escape)
        await gone(ProjectFilesDialog)
        for fact in FACTS:
            await _asked_by_keys(application, fact)
        _answers_were_sent(server)

    _played(tmp_path / "data", script)


async def _asked_by_keys(application: WindowApplication, fact: Fact) -> None:
    panes = application.panes
    keys = await Keys.of(panes.window)
    await until(lambda: QApplication.focusWidget() is panes.composer.editor)
    _type(keys, fact.question)
    answer = await answered(application, lambda: keys.press(Qt.Key.Key_Return))
    source = _source(answer, fact)
    await until(lambda: _is_stop(panes.transcript, answer, source))
    keys.press(Qt.Key.Key_F6, _SHIFT)
    await until(panes.transcript.hasFocus)
    _walk_to(keys, panes.transcript, source)
    keys.press(Qt.Key.Key_Return)
    passage = await dialog(PassageDialog)
    assert isinstance(passage, PassageDialog)
    await _checked(passage, fact, answer)
    keys.press(Qt.Key.Key_Escape)
    await gone(PassageDialog)
    keys.press(Qt.Key.Key_F6)


def _is_stop(view: TranscriptView, answer: Message, source: Source) -> bool:
    """Whether the answer is drawn with its sources."""
    if not view.entries or view.entries[-1].message.id != answer.id:
        return False
    return any(button.label == source.url for _, button in stops_of(view.entries[-1]))


def _type(keys: Keys, text: str) -> None:
    """Type a text; QTest has no keys for letters beyond ASCII, which come as an input method gives them."""
    for letter in text:
        if letter.isascii():
            keys.type(letter)
        else:
            event = QInputMethodEvent()
            event.setCommitString(letter)
            QApplication.sendEvent(keys.focused, event)


def _walk_to(keys: Keys, view: TranscriptView, source: Source) -> None:
    """To the last message, and on with Tab to the link of the source."""
    focus = view.parts.message_focus
    for _ in view.entries:
        if focus.current is view.entries[-1]:
            break
        keys.press(Qt.Key.Key_Down, _CONTROL)
    for _ in stops_of(view.entries[-1]):
        keys.press(Qt.Key.Key_Tab)
        if focus.target == source.url:
            return
    raise AssertionError(f"Tab does not reach {source}")
