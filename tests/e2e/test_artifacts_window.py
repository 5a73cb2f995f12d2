"""Artifacts in the real window, by keyboard: opened, read, compared, edited, asked about, removed, and kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QListView, QPlainTextEdit, QTableView, QWidget

from chatdesk.core.chat.attachment_rules import attachments_of
from chatdesk.core.domain.artifacts.artifact import Artifact
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.services.parts import artifacts_of
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.widgets.toast import Toast
from tests.helpers.fault_server import Exchange, Script, answer
from tests.helpers.served import Served, served
from tests.helpers.window import FAST, answered, ask, play, press, until

pytestmark = pytest.mark.usefixtures("qapp")

CODE = "def fib(n):\n" + "".join(f"    step_{number}(n)\n" for number in range(20))
CHANGED = CODE.replace("step_3", "other")
CONTROL = Qt.KeyboardModifier.ControlModifier


def settings(server: Served) -> Settings:
    return Settings(provider="openai", openai_base_url=server.base_url, openai_model="m", model_titles=False)


def one_after_the_other(*texts: str, requests: list[str]) -> Script:
    """Answer each question with the next text; ``requests`` collects the bodies."""
    left = list(texts)

    async def script(exchange: Exchange) -> None:
        if not exchange.request.path.endswith("/chat/completions"):
            await answer()(exchange)
            return
        requests.append(exchange.request.body.decode())
        await exchange.start()
        await exchange.delta(content=left.pop(0))
        await exchange.finish()

    return script


def find(application: WindowApplication, kind: type[QWidget], name: str) -> QWidget:
    found = application.panes.window.findChild(kind, name)
    assert found is not None, name
    return found


def press_button(application: WindowApplication, name: str) -> None:
    """Press a button with the keyboard; one that nobody sees has no focus to press it with."""
    button = find(application, QAbstractButton, name)
    assert button.isVisible() and button.isEnabled(), name
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Qt.Key.Key_Space)


def words(application: WindowApplication, name: str) -> str:
    label = find(application, QLabel, name)
    return label.text() if label.isVisible() else ""


def shown_code(application: WindowApplication) -> str:
    reader = find(application, TranscriptView, "artifactReader")
    return "\n".join(item.text for entry in reader.entries for item in entry.items if item.kind == "code")


async def artifacts(application: WindowApplication) -> tuple[Artifact, ...]:
    thread_id = application.threads.thread_id
    assert thread_id is not None
    services = await application.services()
    return await artifacts_of(services.database, services.attachments).of_thread(thread_id)


def code_cards(application: WindowApplication) -> list[Item]:
    return [item for entry in application.panes.transcript.entries for item in entry.items if item.kind == "code"]


async def open_by_key(application: WindowApplication) -> None:
    """Open the code of the answer in view with its key, and wait until it is read."""
    await until(lambda: code_cards(application))
    QTest.keyClick(application.panes.composer.editor, Qt.Key.Key_A, CONTROL | Qt.KeyboardModifier.AltModifier)
    await until(lambda: bool(application.panes.window.findChild(TranscriptView, "artifactReader")))
    await until(lambda: "step_0" in shown_code(application))


def test_code_is_opened_changed_compared_and_edited_by_keyboard(tmp_path: Path) -> None:
    requests: list[str] = []

    async def script(application: WindowApplication) -> None:
        await ask(application, "Write it")
        await open_by_key(application)
        reader = find(application, TranscriptView, "artifactReader")
        await until(reader.hasFocus)
        heard = QAccessible.queryAccessibleInterface(reader)
        assert heard.text(QAccessible.Text.Name) == "fib.py, version 1 of 1"
        assert words(application, "artifactAbout").startswith("From an answer")
        assert not find(application, QWidget, "artifactDiffButton").isVisible()
        # The request names the version by its file, and the answer to it is the next one.
        press_button(application, "artifact-ask")
        composer = application.panes.composer
        await until(lambda: len(composer.files.attached) == 1)
        assert composer.text().startswith("Change the attached file fib.py")
        QTest.keyClicks(composer.editor, "Rename step 3.")
        await answered(application, lambda: press(application, Qt.Key.Key_Return))
        assert "step_19" in requests[1] and "Rename step 3." in requests[1]
        await until(lambda: words(application, "artifactPlace") == "2 / 2")
        await until(lambda: "other(n)" in shown_code(application))
        # The file of the question is no artifact of its own: it opens the document that it is a version of.
        (sent,) = [each for entry in application.panes.transcript.entries for each in attachments_of(entry.message)]
        QTest.keyClick(reader, Qt.Key.Key_Escape)
        await until(lambda: find(application, QListView, "artifactList").model().rowCount() == 1)
        transcript = application.panes.transcript
        transcript.parts.actions.artifactRequested.emit(transcript.entries[-2].message.id, sent)
        await until(lambda: words(application, "artifactPlace") == "2 / 2" and reader.isVisible())
        press_button(application, "artifactDiffButton")
        await until(lambda: "-    step_3(n)\n+    other(n)" in shown_code(application))
        assert words(application, "artifactNote") == "1 line added, 1 line removed."
        press_button(application, "artifactOlderButton")
        await until(lambda: "step_3(n)" in shown_code(application) and "other" not in shown_code(application))
        assert words(application, "artifactPlace") == "1 / 2"
        # An edit of the first version is the third one.
        press_button(application, "artifact-edit")
        editor = find(application, QPlainTextEdit, "artifactEditor")
        await until(lambda: editor.hasFocus() and not editor.isReadOnly())
        QTest.keyClicks(editor, "# mine: ")
        QTest.keyClick(editor, Qt.Key.Key_Return, CONTROL)
        await until(lambda: words(application, "artifactPlace") == "3 / 3")
        await until(lambda: "# mine: def fib" in shown_code(application))
        assert words(application, "artifactAbout").startswith("Edited by you")
        assert [each.is_by_hand for each in (await artifacts(application))[0].versions] == [False, False, True]
        press_button(application, "artifact-copy")
        await until(lambda: QGuiApplication.clipboard().text() == f"# mine: {CODE}")
        press_button(application, "artifact-jump")
        await until(lambda: application.panes.transcript.current_message_id() is not None)
        reader.setFocus()
        QTest.keyClick(reader, Qt.Key.Key_Escape)
        rows = find(application, QListView, "artifactList")
        await until(rows.hasFocus)
        assert rows.currentIndex().data(Qt.ItemDataRole.AccessibleTextRole) == "fib.py, 3 versions, edited by you"
        QTest.keyClick(rows, Qt.Key.Key_Return)
        await until(reader.hasFocus)
        press_button(application, "artifact-remove")

        def row() -> str:
            return str(rows.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole))

        await until(lambda: row() == "fib.py, attached to a question")
        assert application.panes.window.findChild(Toast).text == "Removed from the list"
        press_button(application, "toastAction")
        await until(lambda: row() == "fib.py, 3 versions, edited by you")

    first = f"Save it as `fib.py`:\n\n```python\n{CODE}```\n"
    with served(one_after_the_other(first, f"Done:\n\n```python\n{CHANGED}```\n", requests=requests)) as server:
        play(AppPaths.find(tmp_path), script, settings(server))


def test_the_button_of_a_code_card_opens_it_and_only_long_code_has_one(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "Write it")
        transcript = application.panes.transcript
        await until(lambda: len(code_cards(application)) == 2)
        short, long = code_cards(application)
        transcript.parts.viewport_layout.ensure_laid_out()
        assert "open-artifact" not in [each.action for each in short.buttons()]
        (button,) = [each for each in long.buttons() if each.action == "open-artifact"]
        assert button.label == "Open python code as artifact"
        transcript.parts.actions.press_button(transcript.entries[-1], long, button.action)
        await until(lambda: bool(application.panes.window.findChild(TranscriptView, "artifactReader")))
        await until(lambda: "step_0" in shown_code(application))

    text = f"```sh\nls\n```\n\n```python\n{CODE}```\n"
    with served(one_after_the_other(text, requests=[])) as server:
        play(AppPaths.find(tmp_path), script, settings(server))


def test_an_edit_that_is_left_for_another_thread_becomes_a_version(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        message = await ask(application, "Write it")
        await open_by_key(application)
        press_button(application, "artifact-edit")
        editor = find(application, QPlainTextEdit, "artifactEditor")
        await until(lambda: editor.hasFocus() and not editor.isReadOnly())
        QTest.keyClicks(editor, "kept ")
        application.threads.open_soon(None)
        await until(lambda: application.threads.thread_id is None)
        services = await application.services()
        service = artifacts_of(services.database, services.attachments)

        async def is_kept() -> bool:
            (artifact,) = await service.of_thread(message.thread_id)
            return len(artifact.versions) == 2

        await until(is_kept)

    with served(one_after_the_other(f"```python\n{CODE}```\n", requests=[])) as server:
        play(AppPaths.find(tmp_path), script, settings(server))


def test_an_edit_is_a_version_when_the_window_closes_and_is_there_after_a_restart(tmp_path: Path) -> None:
    async def first(application: WindowApplication) -> None:
        await ask(application, "Write it")
        await open_by_key(application)
        press_button(application, "artifact-edit")
        editor = find(application, QPlainTextEdit, "artifactEditor")
        await until(lambda: editor.hasFocus() and not editor.isReadOnly())
        QTest.keyClicks(editor, "kept ")

    async def second(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: application.threads.thread_id is not None)
        application.panes.commands.trigger("view.artifacts")
        rows = find(application, QListView, "artifactList")
        await until(lambda: rows.model().rowCount() == 1)
        QTest.keyClick(rows, Qt.Key.Key_Return)
        await until(lambda: words(application, "artifactPlace") == "2 / 2")
        await until(lambda: shown_code(application).startswith("kept def fib"))

    with served(one_after_the_other(f"```python\n{CODE}```\n", requests=[])) as server:
        play(AppPaths.find(tmp_path), first, settings(server))
        play(AppPaths.find(tmp_path), second, settings(server))


def test_a_left_edit_can_be_taken_up_again(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "Write it")
        await open_by_key(application)
        press_button(application, "artifact-edit")
        editor = find(application, QPlainTextEdit, "artifactEditor")
        await until(lambda: editor.hasFocus() and not editor.isReadOnly())
        QTest.keyClicks(editor, "kept ")
        QTest.keyClick(editor, Qt.Key.Key_Escape)
        assert not editor.isVisible()
        toast = application.panes.window.findChild(Toast)
        assert toast.text == "Your changes were left out"
        press_button(application, "toastAction")
        await until(lambda: editor.isVisible() and editor.toPlainText().startswith("kept "))
        assert len((await artifacts(application))[0].versions) == 1

    with served(one_after_the_other(f"```python\n{CODE}```\n", requests=[])) as server:
        play(AppPaths.find(tmp_path), script, settings(server))


def test_a_table_is_shown_as_one(tmp_path: Path) -> None:
    table = "name;price\n" + "".join(f"item {number};{number}\n" for number in range(300))

    async def script(application: WindowApplication) -> None:
        await ask(application, "Write it")
        await until(lambda: code_cards(application))
        application.panes.commands.trigger("message.open_artifact")
        await until(lambda: bool(application.panes.window.findChild(QTableView, "artifactTable")))
        view = find(application, QTableView, "artifactTable")
        await until(lambda: view.isVisible() and view.model().rowCount() == 300)
        assert view.model().index(299, 0).data() == "item 299"
        assert view.accessibleDescription() == "300 rows, 2 columns"
        await until(view.hasFocus)
        view.selectRow(1)
        QTest.keyClick(view, Qt.Key.Key_C, CONTROL)
        assert QGuiApplication.clipboard().text() == "item 1\t1"
        press_button(application, "artifactSourceButton")
        await until(lambda: "item 5;5" in shown_code(application))

    with served(one_after_the_other(f"```csv\n{table}```\n", requests=[])) as server:
        play(AppPaths.find(tmp_path), script, settings(server))


def test_a_thread_without_artifacts_says_how_they_come(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        application.panes.commands.trigger("view.artifacts")
        await until(lambda: "has no artifacts yet" in words(application, "artifactsWords"))
        application.panes.commands.trigger("message.open_artifact")
        toast = application.panes.window.findChild(Toast)
        assert toast.text == "No message in view has a file, or code of 15 lines or more."

    play(AppPaths.find(tmp_path), script, FAST)


def test_a_temporary_chat_is_kept_before_anything_of_it_is_opened(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        commands = application.panes.commands
        commands.trigger("thread.temporary")
        await until(lambda: application.threads.is_temporary)
        await until(lambda: application.bindings.drafts.thread_id == application.threads.thread_id)
        QTest.keyClicks(application.panes.composer.editor, "Write it")
        press(application, Qt.Key.Key_Return)
        await until(lambda: code_cards(application))
        commands.trigger("view.artifacts")
        await until(lambda: "temporary chat keeps no artifacts" in words(application, "artifactsWords"))
        commands.trigger("message.open_artifact")
        toast = application.panes.window.findChild(Toast)
        await until(lambda: toast.text == "Artifacts are stored on disk; a temporary chat is not.")
        assert not any(services.attachments.blobs.list())
        press_button(application, "toastAction")
        await until(lambda: not application.threads.is_temporary)
        await until(lambda: "step_0" in shown_code(application))
        assert len(await artifacts(application)) == 1

    with served(one_after_the_other(f"```python\n{CODE}```\n", requests=[])) as server:
        play(AppPaths.find(tmp_path), script, settings(server))


def test_an_edit_is_stored_while_it_is_written_and_comes_back_after_a_kill(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "Write it")
        await open_by_key(application)
        services = await application.services()
        service = artifacts_of(services.database, services.attachments)
        (artifact,) = await artifacts(application)
        press_button(application, "artifact-edit")
        editor = find(application, QPlainTextEdit, "artifactEditor")
        await until(lambda: editor.hasFocus() and not editor.isReadOnly())
        QTest.keyClicks(editor, "kept ")

        async def is_stored() -> bool:
            return await service.unfinished_edit(artifact.newest) == f"kept {CODE}"

        await until(is_stored)
        QTest.keyClick(editor, Qt.Key.Key_Escape)
        await until(lambda: not editor.isVisible())

        async def is_forgotten() -> bool:
            return await service.unfinished_edit(artifact.newest) is None

        await until(is_forgotten)
        await service.keep_edit(artifact.newest, f"cut off {CODE}")  # as a kill would leave it
        press_button(application, "artifact-edit")
        await until(lambda: editor.isVisible() and editor.toPlainText() == f"cut off {CODE}")
        assert application.panes.window.findChild(Toast).text == "Your unfinished edit is back"
        QTest.keyClick(editor, Qt.Key.Key_Return, CONTROL)
        await until(lambda: words(application, "artifactPlace") == "2 / 2")
        assert await service.unfinished_edit(artifact.newest) is None

    with served(one_after_the_other(f"```python\n{CODE}```\n", requests=[])) as server:
        play(AppPaths.find(tmp_path), script, settings(server))
