"""Files in the real window: attached, kept, sent, shown and sent again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QPushButton, QWidget

from chatdesk.core.chat.attachment_rules import attachments_of
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.providers_store import KeyPlace, ProvidersStore, StoredProviders
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.transcript.items.attached_picture_item import AttachedPictureItem
from tests.helpers.fault_server import Exchange, FaultServer, answer, models, status
from tests.helpers.window import FIRST_START, answered, ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_text("The meeting is on Tuesday.", encoding="utf-8")
    return path


def attach(application: WindowApplication, *files: Path) -> None:
    application.panes.composer.filesOffered.emit([str(file) for file in files])


def names(application: WindowApplication) -> list[str]:
    return [attachment.name for attachment in application.panes.composer.files.attached]


async def question_of(application: WindowApplication, answer: Message) -> Message:
    assert answer.parent_id is not None
    return await (await application.services()).chat.reader.get_message(answer.parent_id)


def test_files_are_sent_with_a_message_and_again_with_its_edit(paths: AppPaths, notes: Path, tmp_path: Path) -> None:
    picture = tmp_path / "cat.png"
    Image.new("RGB", (64, 32), "red").save(picture)

    async def script(application: WindowApplication) -> None:
        await application.services()
        composer = application.panes.composer
        attach(application, notes, picture)
        await until(lambda: names(application) == ["notes.txt", "cat.png"])
        answer = await answered(application, lambda: press(application, Qt.Key.Key_Return))
        assert composer.files.attached == ()
        question = await question_of(application, answer)
        assert [each.name for each in attachments_of(question)] == ["notes.txt", "cat.png"]
        assert "these 2 files" in answer.text
        press(application, Qt.Key.Key_Up)
        await until(lambda: names(application) == ["notes.txt", "cat.png"])
        type_text(application, "What is it?")
        again = await answered(application, lambda: press(application, Qt.Key.Key_Return))
        edited = await question_of(application, again)
        assert edited.text == "What is it?"
        assert [each.name for each in attachments_of(edited)] == ["notes.txt", "cat.png"]

    play(paths, script)


def test_attachments_of_a_draft_survive_threads_and_restarts(paths: AppPaths, notes: Path) -> None:
    first: list[str] = []

    async def write(application: WindowApplication) -> None:
        answer = await ask(application, "first thread")
        first.append(answer.thread_id)
        attach(application, notes)
        await until(lambda: names(application) == ["notes.txt"])
        await application.bindings.threads.open(None)
        await until(lambda: names(application) == [])
        await application.bindings.threads.open(first[0])
        await until(lambda: names(application) == ["notes.txt"])

    async def read(application: WindowApplication) -> None:
        await application.services()
        await application.bindings.threads.open(first[0])
        await until(lambda: names(application) == ["notes.txt"])
        assert application.panes.composer.text() == ""

    play(paths, write)
    play(paths, read)


def test_a_file_that_is_copied_while_one_goes_elsewhere_is_in_its_own_draft(paths: AppPaths, notes: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        answer = await ask(application, "first thread")
        attach(application, notes)
        await application.bindings.threads.open(None)

        async def is_there() -> bool:
            draft = await services.chat.drafts.get(answer.thread_id)
            return draft is not None and [each.name for each in draft.attachments] == ["notes.txt"]

        await until(is_there)
        assert names(application) == []

    play(paths, script)


def test_what_cannot_be_attached_is_said_and_leaves_the_rest(paths: AppPaths, notes: Path, tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        attach(application, tmp_path / "gone.txt", notes)
        composer = application.panes.composer
        await until(lambda: names(application) == ["notes.txt"] and composer.files.count == 1)
        shown = application.panes.window.findChildren(type(application.panes.window.centralWidget()))
        assert shown
        type_text(application, "x")
        answer = await answered(application, lambda: press(application, Qt.Key.Key_Return))
        assert answer.error is None

    play(paths, script)


def test_no_more_than_twenty_files_are_taken(paths: AppPaths, tmp_path: Path) -> None:
    many = [tmp_path / f"{number}.txt" for number in range(22)]
    for number, path in enumerate(many):
        path.write_text(f"file {number}")

    async def script(application: WindowApplication) -> None:
        await application.services()
        attach(application, *many)
        await until(lambda: len(names(application)) == 20)

    play(paths, script)


def test_files_are_chosen_dropped_and_pasted(paths: AppPaths, notes: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.md"
    other.write_text("# Other")

    async def script(application: WindowApplication) -> None:
        await application.services()
        panes = application.panes
        panes.commands.trigger("message.attach")
        dialog = panes.window.findChild(QFileDialog)
        assert dialog is not None
        dialog.filesSelected.emit([str(notes)])
        dialog.close()
        await until(lambda: names(application) == ["notes.txt"])
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(other))])
        buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        target = panes.transcript.viewport()
        enter = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, buttons, modifiers)
        QApplication.sendEvent(target, enter)
        assert enter.isAccepted()
        QApplication.sendEvent(target, QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, modifiers))
        await until(lambda: names(application) == ["notes.txt", "other.md"])
        image = QImage(8, 8, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.blue)
        panes.composer.imageOffered.emit(image)
        await until(lambda: names(application) == ["notes.txt", "other.md", "Pasted image.png"])

    play(paths, script)


def test_what_the_model_will_not_get_is_said_before(paths: AppPaths, tmp_path: Path) -> None:
    picture, data = tmp_path / "cat.png", tmp_path / "data.bin"
    Image.new("RGB", (64, 32), "red").save(picture)
    data.write_bytes(os.urandom(64) + b"\0\1\2")

    async def script(application: WindowApplication) -> None:
        await application.services()
        composer = application.panes.composer
        attach(application, data)
        await until(lambda: "only the name is sent" in composer.files.chips.note_text())
        composer.clear()
        application.bindings.messages.models.choose("offline", "offline-echo")
        attach(application, picture)
        await until(
            lambda: composer.files.chips.note_text() == "Offline echo cannot see images: only their names are sent."
        )

    play(paths, script)


def test_a_model_that_nobody_knows_gets_the_picture_until_its_server_refuses_it(paths: AppPaths) -> None:
    async def chat(exchange: Exchange) -> None:
        has_image = "image_url" in exchange.request.body.decode()
        refusal = status(400, {"error": {"message": "swift does not support image input"}})
        is_list = exchange.request.path.endswith("/models")
        await (models("swift", "other") if is_list else refusal if has_image else answer("No idea"))(exchange)

    async def script(application: WindowApplication) -> None:
        async with FaultServer(chat) as server:
            services, composer = await application.services(), application.panes.composer
            await services.provider_service.save(
                ProviderProfile("", "other", "Box", server.base_url, model="swift"), key="sk-not-a-key-0000"
            )
            image = QImage(8, 8, QImage.Format.Format_RGB32)
            image.fill(Qt.GlobalColor.blue)
            composer.imageOffered.emit(image)
            unclear = "It is not known whether swift sees images; they are sent."
            await until(lambda: composer.files.chips.note_text() == unclear)
            type_text(application, "What is it?")
            refused = await answered(application, lambda: press(application, Qt.Key.Key_Return))
            assert refused.error_type == "images_refused"
            content = server.requests[-1].json["messages"][-1]["content"]
            assert [each["type"] for each in content] == ["text", "image_url"]
            handlers = application.panes.message_handlers
            again = await answered(application, lambda: handlers.run("send-without-images", refused.id))
            assert again.text == "No idea"
            assert services.accounts.get("box").profile.overrides["swift"].sees_images is False
            items = [each.item for each in application.panes.transcript.parts.layout.placed]
            (picture,) = (each for each in items if isinstance(each, AttachedPictureItem))
            await until(lambda: picture.spoken == "Pasted image.png, not sent")

    ProvidersStore(paths.config_dir).save(StoredProviders(key_place=KeyPlace.MEMORY, finds_local_servers=False))
    play(paths, script, FIRST_START)


def test_another_model_is_asked_where_this_one_cannot_see(paths: AppPaths, tmp_path: Path) -> None:
    picture = tmp_path / "cat.png"
    Image.new("RGB", (64, 32), "red").save(picture)

    async def script(application: WindowApplication) -> None:
        await application.services()
        panes = application.panes
        await until(lambda: panes.header.models)
        application.bindings.messages.models.choose("offline", "offline-echo")
        attach(application, picture)
        await until(lambda: "cannot see" in panes.composer.files.chips.note_text())
        other = panes.composer.files.chips.findChild(QPushButton, "attachmentNote_askOther")
        assert other is not None
        assert other.text() == "Ask Offline demo instead"
        QTest.mouseClick(other, Qt.MouseButton.LeftButton)
        await until(lambda: panes.composer.files.chips.note_text() == "")
        assert application.bindings.messages.models.answering == ("offline", "offline-demo")

    play(paths, script)


def test_a_text_is_read_in_the_encoding_that_the_person_chooses(paths: AppPaths, tmp_path: Path) -> None:
    list_ = tmp_path / "list.csv"
    list_.write_bytes("город;цена\nМосква;5\nКазань;7\n".encode("cp866"))
    seen: list[str] = []

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        chips = application.panes.composer.files.chips
        attach(application, list_)
        await until(lambda: "Read as" in chips.note_text())
        button = _read_otherwise(chips)
        button.click()
        await until(lambda: chips.findChild(QMenu, "readings") is not None and _menu(chips).isVisible())
        seen.extend(action.text() for action in _menu(chips).actions())
        (chosen,) = [each for each in _menu(chips).actions() if each.text().startswith("CP866")]
        chosen.trigger()
        _menu(chips).close()
        await until(lambda: application.panes.composer.files.attached[0].size_bytes != list_.stat().st_size)
        (attachment,) = application.panes.composer.files.attached
        assert attachment.name == "list.csv"
        found = await services.attachments.text_of(attachment)
        assert (found.text, found.problem) == ("город;цена\nМосква;5\nКазань;7\n", None)
        await until(lambda: chips.note_text() == "“list.csv” is read as CP866: “город;цена”.")
        button = _read_otherwise(chips)
        button.click()
        await until(lambda: chips.findChild(QMenu, "readings") is not None and _menu(chips).isVisible())
        next(each for each in _menu(chips).actions() if each.text().startswith("Windows-1251")).trigger()
        _menu(chips).close()
        await until(lambda: "is read as Windows-1251" in chips.note_text())
        (attachment,) = application.panes.composer.files.attached
        assert (await services.attachments.text_of(attachment)).text == list_.read_bytes().decode("cp1251")

    play(paths, script)
    assert len(seen) == len(set(seen)) > 2
    assert "CP866: город;цена" in seen


@pytest.mark.parametrize("button", ["It is right", "Read otherwise…"])
@pytest.mark.parametrize("way", ["send", "add_as_note"])
def test_a_text_that_may_be_read_wrong_is_not_sent_before_the_person_says(
    paths: AppPaths, tmp_path: Path, button: str, way: str
) -> None:
    names = tmp_path / "names.txt"
    names.write_bytes("Ko\u0144".encode("cp1250"))

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        composer = application.panes.composer
        chips = composer.files.chips
        attach(application, names)
        await until(lambda: chips.note_text() == "Is “Koñ” in “names.txt” read right?")
        composer.editor.replace_all("Who is this?")
        send = composer.send_button.click if way == "send" else composer.add_as_note
        send()
        await until(lambda: "say above your text whether “names.txt” is read right" in composer.notice.text())
        assert composer.text() == "Who is this?"
        assert not (await services.library.list_threads(ThreadQuery())).threads
        (pressed,) = [each for each in chips.findChildren(QPushButton) if each.text() == button]
        pressed.click()
        if button == "Read otherwise…":
            await until(lambda: chips.findChild(QMenu, "readings") is not None and _menu(chips).isVisible())
            next(each for each in _menu(chips).actions() if "Koń" in each.text()).trigger()
            _menu(chips).close()
        await until(lambda: " is read as " in chips.note_text())
        send()
        await until(lambda: not composer.text())
        (thread,) = (await services.library.list_threads(ThreadQuery())).threads
        question = (await services.chat.reader.get_thread_messages(thread.id, 9)).messages[0]
        (sent,) = attachments_of(question)
        assert (await services.attachments.text_of(sent)).text == ("Koñ" if button == "It is right" else "Koń")

    play(paths, script)


def _read_otherwise(chips: QWidget) -> QPushButton:
    """Return the button of the note that is seen; that of the one before may not be deleted yet."""
    found = [each for each in chips.findChildren(QPushButton) if each.text() == "Read otherwise…" and each.isVisible()]
    return found[-1]


def _menu(chips: QWidget) -> QMenu:
    menu = chips.findChild(QMenu, "readings")
    assert isinstance(menu, QMenu)
    return menu
