"""Links and files that other programs open are shown in the window that is there, and do nothing by themselves."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication

from chatdesk.app import run_window
from chatdesk.cli.opening import UnusableTarget, target_of
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.ids import new_id
from chatdesk.core.links import NEW_CHAT, link_to
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.team.pages.team_join import JoinWorkspaceDialog
from tests.helpers.window import FAST, ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")
ROOT = Path(__file__).parents[2]


async def _open(paths: AppPaths, *arguments: str, cwd: Path = ROOT) -> tuple[int | None, str, str]:
    return await _run(paths, "open", "--", *arguments, cwd=cwd)


async def _run(
    paths: AppPaths, command: str, *arguments: str, cwd: Path = ROOT, environment: Mapping[str, str] | None = None
) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chatdesk", command, "--data-dir", str(paths.data_dir), *arguments,
        cwd=cwd, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def _toast(application: WindowApplication) -> str:
    toast = application.panes.window.pane.toast
    return toast.text if toast.isVisible() else ""


def test_a_link_that_was_copied_shows_its_message_in_the_open_window(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def script(application: WindowApplication) -> None:
        first = await ask(application, "the first question")
        commands = application.panes.commands
        commands.trigger("thread.copy_link")
        assert QGuiApplication.clipboard().text() == link_to(first.thread_id)
        application.panes.transcript.setFocus()
        commands.trigger("message.copy_link")
        link = QGuiApplication.clipboard().text()
        assert link in {link_to(first.thread_id, each) for each in (first.id, first.parent_id)}
        commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        await ask(application, "another chat")
        assert await _open(paths, link) == (0, "", "")
        await until(lambda: application.threads.thread_id == first.thread_id)
        commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        assert await _open(paths, first.thread_id) == (0, "", "")
        await until(lambda: application.threads.thread_id == first.thread_id)

    play(paths, script)


def test_a_link_opens_the_window_at_its_thread(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")
    made: list[str] = []

    async def make(application: WindowApplication) -> None:
        made.append((await ask(application, "kept")).thread_id)
        application.panes.commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)

    play(paths, make)

    async def script(application: WindowApplication) -> int:
        await application.services()
        await until(lambda: application.threads.thread_id == made[0])
        return 0

    assert run_window(paths, FAST, script=script, target=link_to(made[0])) == 0


def test_a_link_to_nothing_here_leaves_the_reader_where_they_are(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def script(application: WindowApplication) -> None:
        here = await ask(application, "reading this")
        assert await _open(paths, link_to(new_id(), here.id)) == (0, "", "")
        await until(lambda: "not on this computer" in _toast(application))
        assert application.threads.thread_id == here.thread_id
        assert await _open(paths, link_to(here.thread_id, new_id())) == (0, "", "")
        await until(lambda: "not shown in this thread" in _toast(application))
        assert application.threads.thread_id == here.thread_id

    play(paths, script)


def test_an_invalid_link_is_refused_where_it_was_opened(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def script(application: WindowApplication) -> None:
        await application.services()
        code, out, err = await _open(paths, "chatdesk://ask/?text=delete%20everything")
        assert (code, out) == (1, "")
        assert "neither a thread nor an invitation" in err
        assert not application.panes.pane.toast.isVisible()

    play(paths, script)


@pytest.mark.parametrize(
    "target",
    [
        "nonsense",
        "https://example.org",
        "no/such/file.zip",
        "file:///no/such/file.zip",
        "\0",
        "x" * 5000,
        "quick:",
        " ",
    ],
)
async def test_what_is_neither_a_thread_nor_a_link_nor_a_file_is_refused(tmp_path: Path, target: str) -> None:
    paths = AppPaths.find(tmp_path / "profile")
    options = argparse.Namespace(command="open", target=target, new=False, search=False)
    with pytest.raises(UnusableTarget) as caught:
        target_of(options)
    assert caught.value.sentence.startswith("“")
    if target == "nonsense":
        code, out, err = await _open(paths, target)
        assert (code, out) == (1, "")
        assert "“nonsense” is neither a thread, a link nor a file" in err
        assert not paths.database.exists()


@pytest.mark.parametrize("is_address", [False, True])
def test_a_file_is_known_by_its_path_and_by_its_address(
    tmp_path: Path, is_address: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "my export ä.zip"
    file.touch()
    monkeypatch.chdir(tmp_path)
    words = file.as_uri() if is_address else file.name
    assert target_of(argparse.Namespace(command="open", target=words)) == str(file)


@pytest.mark.parametrize(
    "words", [["open"], ["open", "--new"], ["open", "--search"], ["open", link_to(new_id())], ["open", "."], ["quick"]]
)
async def test_without_a_display_nothing_is_opened_and_nothing_is_asked(tmp_path: Path, words: list[str]) -> None:
    paths = AppPaths.find(tmp_path / "profile")
    seen = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    blind = {name: value for name, value in os.environ.items() if name not in seen}
    code, out, err = await _run(paths, *words, environment=blind)
    assert (code, out) == (1, "")
    assert "found no display" in err
    assert not paths.database.exists()


def test_an_open_window_shows_a_link_from_where_there_is_no_display(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def script(application: WindowApplication) -> None:
        first = await ask(application, "the first question")
        application.panes.commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        blind = {
            name: value for name, value in os.environ.items() if name != "QT_QPA_PLATFORM" and "DISPLAY" not in name
        }
        assert await _run(paths, "open", link_to(first.thread_id), environment=blind) == (0, "", "")
        await until(lambda: application.threads.thread_id == first.thread_id)

    play(paths, script)


def test_another_program_that_skips_that_check_is_refused_too(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def script(application: WindowApplication) -> None:
        here = await ask(application, "reading this")
        application.bindings.links.show("chatdesk://settings/providers?base_url=https://evil.example")
        await until(lambda: "neither a thread nor an invitation" in _toast(application))
        assert application.threads.thread_id == here.thread_id

    play(paths, script)


def test_an_invitation_is_shown_and_nothing_is_joined(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        window = application.panes.window
        assert await _open(paths, "chatdesk://join/eyJ2IjoxfQ.abcDEF12") == (0, "", "")
        await until(lambda: window.findChild(JoinWorkspaceDialog) is not None)
        dialog = window.findChild(JoinWorkspaceDialog)
        await until(dialog.isVisible)
        # A second one is not placed over the first, and leaves it unchanged.
        assert await _open(paths, "chatdesk://join/another.abcDEF12") == (0, "", "")
        await until(lambda: "Close the open dialog" in _toast(application))
        assert len(window.findChildren(JoinWorkspaceDialog)) == 1
        assert not await services.team_is_joined()
        dialog.close()

    play(paths, script)


def test_a_file_opens_the_dialog_of_an_import_and_imports_nothing(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")
    (tmp_path / "export.zip").write_bytes(b"PK\x05\x06" + bytes(18))

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        imports = application.bindings.imports
        assert await _open(paths, str(tmp_path / "export.zip")) == (0, "", "")
        await until(lambda: imports.dialog is not None and imports.dialog.isVisible())
        assert await services.library.count_threads(ThreadQuery()) == 0
        imports.dialog.close()

    play(paths, script)


def test_the_menu_of_the_launcher_begins_a_chat_a_quick_question_and_a_search(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")
    entry = ConfigParser(interpolation=None)
    entry.read(ROOT / "packaging" / "desktop" / "chatdesk.desktop", encoding="utf-8")
    actions = entry["Desktop Entry"]["Actions"].rstrip(";").split(";")
    asked = {name: entry[f"Desktop Action {name}"]["Exec"].split()[1:] for name in actions}

    async def script(application: WindowApplication) -> None:
        await ask(application, "the first question")
        bindings = application.bindings
        assert await _run(paths, *asked["new-chat"]) == (0, "", "")
        await until(lambda: application.threads.thread_id is None)
        assert await _run(paths, *asked["quick-question"]) == (0, "", "")
        await until(lambda: bindings.quick.window is not None and bindings.quick.window.isVisible())
        assert await _run(paths, *asked["search"]) == (0, "", "")
        await until(lambda: bindings.search.palette is not None)
        assert bindings.search.palette is not None
        bindings.search.palette.reject()

    play(paths, script)


def test_a_link_goes_to_the_chat_that_shows_its_thread_else_to_the_one_that_was_active_last(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def script(application: WindowApplication) -> None:
        first = await ask(application, "in its window")
        chats, main, links = application.chats, application.bindings, application.bindings.links
        application.panes.commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        second = await ask(application, "in the main window")
        chats.open_window(first.thread_id)
        await until(lambda: len(chats.windows) == 1 and application.bindings.active() is chats.windows[0])
        [own] = chats.windows
        chats.open_beside(None)
        await until(lambda: chats.beside is not None and application.bindings.active() is chats.beside)
        assert chats.beside is not None
        # It is shown in the window, at the message that the link names.
        links.show(link_to(first.thread_id, first.id))
        await until(lambda: application.bindings.active() is own and own.panes.window.isActiveWindow())
        # It is shown at the left, though the window was active.
        links.show(link_to(second.thread_id))
        await until(lambda: main.active() is main and application.panes.window.isActiveWindow())
        # It is shown nowhere: the active chat has it.
        services = await application.services()
        third = (await services.chat.create_thread(None, "", "nowhere yet")).thread
        chats.beside.panes.pane.focus_composer()
        await until(lambda: application.bindings.active() is chats.beside)
        links.show(link_to(third.id))
        await until(lambda: chats.beside is not None and chats.beside.threads.thread_id == third.id)
        assert [application.threads.thread_id, own.threads.thread_id] == [second.thread_id, first.thread_id]
        # What is wrong is said there, too.
        links.show("chatdesk://ask/?text=anything")
        await until(chats.beside.panes.pane.toast.isVisible)
        assert not application.panes.pane.toast.isVisible()
        own.panes.window.activateWindow()
        await until(lambda: application.bindings.active() is own)
        links.show("")
        assert own.panes.window.isActiveWindow()
        links.show(NEW_CHAT)
        await until(lambda: own.threads.thread_id is None)
        application.bindings.desktop.notices.notifier.pressed.emit(second.thread_id, second.id)
        await until(lambda: main.active() is main and application.panes.window.isActiveWindow())

    play(paths, script)
