"""Asking about an answer in one press, and quoting into the text, in the real window by mouse and by keys."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QMenuBar

from chatdesk.core.domain.message import Message, Role
from chatdesk.core.domain.prompt import PromptKind
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.transcript.drawing.item import Button
from tests.helpers.window import answered, ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")
_SHIFTED = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


async def shown(application: WindowApplication) -> tuple[Message, ...]:
    chat = (await application.services()).chat
    assert application.threads.thread_id is not None
    return (await chat.reader.get_thread_messages(application.threads.thread_id)).messages


def _open_menus(application: WindowApplication) -> list[QMenu]:
    found = application.panes.transcript.findChildren(QMenu, "messageMenu")
    return [each for each in found if each.isVisible()]


async def menu_of_last(application: WindowApplication) -> QMenu:
    transcript = application.panes.transcript
    await until(lambda: transcript.entries and transcript.entries[-1].message.status.is_final)
    transcript.parts.actions.show_menu(transcript.entries[-1], transcript.mapToGlobal(transcript.rect().center()))
    await until(lambda: _open_menus(application))
    return _open_menus(application)[0]


def row(menu: QMenu, text: str) -> QAction:
    return next(each for each in menu.actions() if each.text() == text)


def click(menu: QMenu, text: str) -> None:
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(row(menu, text)).center())


@pytest.mark.parametrize(("text", "words"), [("Shorter", "shorter"), ("Longer", "longer")])
def test_a_shorter_or_longer_answer_is_asked_for_from_the_menu(paths: AppPaths, text: str, words: str) -> None:
    async def script(application: WindowApplication) -> None:
        first = await ask(application, "one")
        menu = await menu_of_last(application)
        await answered(application, lambda: click(menu, text))
        _one, _first, question, answer = await shown(application)
        assert question.role is Role.USER and words in question.text  # in sight, like any other question
        assert (question.parent_id, answer.parent_id) == (first.id, question.id)

    play(paths, script)


def test_the_commands_ask_below_the_answer_that_was_walked_to(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first = await ask(application, "one")
        await ask(application, "two")
        transcript, commands = application.panes.transcript, application.panes.commands
        await until(lambda: len(transcript.entries) == 4 and transcript.entries[-1].message.status.is_final)
        await answered(application, lambda: commands.trigger("message.shorter"))
        assert [each.role for each in await shown(application)] == [Role.USER, Role.ASSISTANT] * 3
        # The first answer: what came later stays as another version.
        await until(lambda: len(transcript.entries) == 6)
        transcript.parts.message_focus.walk_to(transcript.entries[1].message.id)
        assert transcript.parts.message_focus.current is transcript.entries[1]
        await answered(application, lambda: commands.trigger("message.longer"))
        messages = await shown(application)
        assert (messages[2].parent_id, messages[2].version_count) == (first.id, 2)
        assert len(messages) == 4
        chat = (await application.services()).chat
        assert {each.text for each in await chat.reader.list_versions(messages[2].id)} >= {"two"}

    play(paths, script)


def test_a_prompt_of_the_person_is_a_quick_action(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        prompts = (await application.services()).prompts
        await prompts.create(PromptKind.QUICK, "As a & table", "Write it as a table in {{thread}}.")
        asking = await prompts.create(PromptKind.QUICK, "For whom", "Explain it to {{reader}}.")
        await prompts.create(PromptKind.TEMPLATE, "No action", "x")
        await ask(application, "one")
        await until(lambda: _own_quick(application) == ["Quick action: As a & table", "Quick action: For whom"])
        assert not any(each.text().startswith("Quick action") for each in _menu_bar_of(application))
        menu = await menu_of_last(application)
        texts = [each.text() for each in menu.actions()]
        assert texts.index("Shorter") < texts.index("As a && table") and "No action" not in texts
        await answered(application, lambda: click(menu, "As a && table"))
        assert (await shown(application))[2].text == "Write it as a table in one."
        # What has to be filled in is not sent half.
        count = len(await shown(application))
        application.panes.transcript.actionRequested.emit(f"quick:{asking.id}", (await shown(application))[-1].id)
        await until(lambda: any("reader" in each.objectName() or each.isVisible() for each in _dialogs(application)))
        assert len(await shown(application)) == count
        for dialog in _dialogs(application):
            dialog.close()
        await prompts.delete([asking.id])
        await until(lambda: _own_quick(application) == ["Quick action: As a & table"])

    play(paths, script)


def _own_quick(application: WindowApplication) -> list[str]:
    """What the palette offers of them."""
    return [each.title for each in application.panes.commands.offered() if each.is_own]


def _menu_bar_of(application: WindowApplication) -> list[QAction]:
    bar = QMenuBar()
    application.panes.commands.fill_menu_bar(bar)
    found = [each for menu in bar.findChildren(QMenu) for each in menu.actions()]
    bar.deleteLater()
    return found


def button_of(application: WindowApplication, text: str) -> Button | None:
    """In the row below the last answer."""
    buttons = application.panes.transcript.entries[-1].items[-1].buttons()
    return next((each for each in buttons if each.text == text), None)


def _readable_place_of(application: WindowApplication, text: str) -> QPoint | None:
    """Where the button is now, once it is painted and was there long enough to be read. What stands above it may still
    grow, so the place is good for a click at once."""
    transcript = application.panes.transcript
    layout, button, item = (
        transcript.parts.viewport_layout,
        button_of(application, text),
        transcript.entries[-1].items[-1],
    )
    placed = next((each for each in layout.placed_of(transcript.entries[-1]) if each.item is item), None)
    if button is None or placed is None or item.unread is None or item.unread.is_unread:
        return None
    return button.area.center().toPoint() + QPoint(round(layout.column_left), round(placed.y))


@pytest.mark.parametrize("way", ["mouse", "keys", "palette"])
def test_quick_actions_stand_below_the_last_answer_and_in_the_palette(paths: AppPaths, way: str) -> None:
    async def script(application: WindowApplication) -> None:
        prompts = (await application.services()).prompts
        await prompts.create(PromptKind.QUICK, "Table", "Write it as a table.")
        await ask(application, "one")
        transcript = application.panes.transcript
        await until(lambda: len(transcript.entries) == 2 and button_of(application, "Table") is not None)
        assert [each.text for each in transcript.entries[1].items[-1].buttons() if each.text] == [
            "Shorter",
            "Longer",
            "Table",
        ]
        if way == "mouse":
            await until(lambda: _readable_place_of(application, "Table") is not None)
            at = _readable_place_of(application, "Table")
            assert at is not None
            await answered(
                application, lambda: QTest.mouseClick(transcript.viewport(), Qt.MouseButton.LeftButton, pos=at)
            )
        elif way == "keys":
            transcript.setFocus()
            transcript.parts.message_focus.walk_to(transcript.entries[-1].message.id)
            focus = transcript.parts.message_focus
            while focus.stop is None or not focus.stop[1].startswith("quick:"):
                QTest.keyClick(transcript, Qt.Key.Key_Tab)
            QTest.keyClick(transcript, Qt.Key.Key_Tab)
            QTest.keyClick(transcript, Qt.Key.Key_Tab)
            await answered(application, lambda: QTest.keyClick(transcript, Qt.Key.Key_Return))
        else:
            QTest.keyClick(application.panes.composer.editor, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
            palette = application.bindings.search.palette
            assert palette is not None
            QTest.keyClicks(palette.field, "> quick table")
            assert palette.current is not None and palette.current.text == "Quick action: Table"
            await answered(application, lambda: QTest.keyClick(palette.field, Qt.Key.Key_Return))
        assert (await shown(application))[2].text == "Write it as a table."
        await until(lambda: len(transcript.entries) == 4 and button_of(application, "Table") is not None)
        assert not any(each.text for each in transcript.entries[1].items[-1].buttons()), "only below the last one"

    play(paths, script)


def _dialogs(application: WindowApplication) -> list[object]:
    from chatdesk.ui.features.prompts.prompt_fields import PromptFieldsDialog

    return [each for each in application.panes.window.findChildren(PromptFieldsDialog) if each.isVisible()]


@pytest.mark.parametrize("way", ["menu", "key"])
def test_a_selection_is_quoted_where_the_caret_stands(paths: AppPaths, way: str) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        composer, transcript = application.panes.composer, application.panes.transcript
        composer.set_text("Say **this**:\n\n- a\n- b")
        await answered(application, lambda: press(application, Qt.Key.Key_Return))
        await until(lambda: len(transcript.entries) == 2 and transcript.entries[-1].message.status.is_final)
        answer = transcript.entries[-1].message.text
        type_text(application, "before after")
        composer.set_cursor_position(len("before "))
        if way == "menu":
            menu = await menu_of_last(application)  # nothing is selected: all of the answer
            click(menu, "Quote")
            wanted = answer
        else:
            transcript.parts.selection.select_all()
            QTest.keyClick(composer.editor, Qt.Key.Key_Q, _SHIFTED)
            wanted = f"Say **this**:\n\n- a\n- b\n\n{answer}"
        await until(lambda: ">" in composer.text())
        text = composer.text()
        lines = text.removeprefix("before \n\n").removesuffix("\n\nafter").split("\n")
        assert all(line == ">" or line.startswith("> ") for line in lines)
        assert "\n".join(line[2:] for line in lines) == wanted.strip()
        assert text.startswith("before \n\n> ") and text.endswith("\n\nafter")
        assert composer.editor.hasFocus() and text[: composer.cursor_position()].endswith("\n\n")

    play(paths, script)


def test_nothing_to_quote_is_said(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        application.panes.transcript.quoteRequested.emit(" ")
        assert application.panes.composer.text() == ""
        press(application, Qt.Key.Key_Escape)
        await asyncio.sleep(0)

    play(paths, script)
