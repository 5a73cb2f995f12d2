"""Every command, at a terminal, over a profile in which everything that others could have written commands terminals.

The commands come from the parser: one that is added is tried with hostile arguments, until it has a better line in
``COMMANDS``.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from chatdesk.cli.main import build_parser, run
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.sharing.team import ServerAddress, SyncRound, TeamRole, Workspace
from chatdesk.core.ids import new_id
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.sync import rounds, sharing, team
from chatdesk.services.asking import ask
from chatdesk.services.owner import open_services
from tests.helpers.command_parsers import arguments_of, commands_of
from tests.helpers.examples import sample

if sys.platform != "win32":
    import pty
    import termios
    import tty

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

# Titles and clipboard of the terminal, colours, cursor; C1; bidi; zero width; tags; separators.
HOSTILE = (
    "\x1b]0;owned\x07 \x1b]52;c;eA==\x07 \x1b[2J\x1b[31m \x9b31m\x9d0;x\x9c \x7f\x08 \u202emoc\u2066\u2069 "
    "\u200b\ufeff\u2060\U000e0041\U000e0042 \u2028\u2029 \u00ad\u061c"
)
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
NOT_IN_TOML = dict.fromkeys((0xE0041, 0xE0042))  # whose escapes are not those of JSON
SEARCHED = "zebra"

# Arguments of each command; those of what is in the profile are filled in.
COMMANDS: dict[str, list[list[str]]] = {
    "ask": [
        [f"{HOSTILE} {SEARCHED}", "--model", "offline-echo", "--provider", "offline"],
        [HOSTILE, "--model", "offline-echo", "--provider", "offline", "--json"],
        ["x", "--provider", HOSTILE],
        ["x", "--provider", HOSTILE, "--json"],
    ],
    "projects": [[], ["--json"]],
    "projects add": [[HOSTILE]],
    "threads": [[], ["--json"], ["--archived"], ["--trash"], ["--project", HOSTILE], ["--tag", HOSTILE]],
    "show": [["{thread}"], ["{thread}", "--json"], [HOSTILE]],
    "search": [[SEARCHED], [SEARCHED, "--json"], [HOSTILE]],
    "providers": [[], ["--json"], ["--test"]],
    "team status": [[], ["--json"]],
    "team create": [["--name", HOSTILE, "--my-name", HOSTILE, "--host", HOSTILE, "--database", "x", "--user", "y"]],
    "team check": [[], ["--host", "127.0.0.1", "--port", "1", "--database", HOSTILE, "--user", HOSTILE]],
    "team invite": [[HOSTILE], [HOSTILE, "--role", f"{HOSTILE}=viewer"]],
    "team join": [["{hostile_file}"], [HOSTILE]],
    "team leave": [[]],
    "team members": [[], ["--workspace", HOSTILE]],
    "team computer": [[]],
    "team verifier": [[]],
    "team sync": [["--wait", "1"], ["--wait", "1", "--json", "--workspace", HOSTILE]],
    "export": [
        ["{thread}", "--format", "md"],
        ["{thread}", "--format", "json"],
        ["{thread}", "--format", "html"],
        ["{thread}", "--format", "pdf"],
        ["--all", "--format", "html", "--output", "{folder}"],
        ["--project", HOSTILE, "--format", "json"],
        ["{thread}", "--format", "md", "--output", f"{{folder}}/none/{HOSTILE}.md"],
    ],
    "backup": [["{folder}/b.zip"], [], [f"{{folder}}/none/{HOSTILE}.zip"]],
    "restore": [["--list"], ["{folder}/b.zip"], ["{hostile_file}"]],
    "import": [["{hostile_import}", "--dry-run"], ["{hostile_import}"], ["{hostile_import}", "--json"], [HOSTILE]],
    "doctor": [[], ["--json"], ["--repair"]],
    "serve": [["--port", "0"], ["--port", HOSTILE]],
    "open": [[f"chatdesk://thread/{HOSTILE}"], [f"chatdesk://{HOSTILE}"]],  # else it opens the window
}
# It opens a window, which has the terminal until it is closed, and takes nothing of others.
WITH_WINDOW = ("quick",)
# A command that says this runs until it is told to end.
RUNS = b"Listening on"
# These write over one line of their own to show how far they are.
WITH_PROGRESS = ("import", "search")


def _leaves(parser: argparse.ArgumentParser, before: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    commands = commands_of(parser)
    for name, inner in commands.items():
        yield from _leaves(inner, f"{before} {name}".strip())
    if not commands or before == "projects":  # which lists without a verb
        yield before, parser


def _tried(parser: argparse.ArgumentParser) -> list[list[str]]:
    """Arguments for a command without a line of its own: what it needs, and everything that it takes."""
    needed: list[str] = []
    more: list[str] = []
    for action in arguments_of(parser):
        if action.nargs == 0:
            more += ["--json"] * ("--json" in action.option_strings)
            continue
        word = str(next(iter(action.choices))) if action.choices else "1" if action.type is int else HOSTILE
        given = [action.option_strings[-1], word] if action.option_strings else [word]
        if action.required and action.nargs not in ("?", "*"):
            needed += given
        elif "--data-dir" not in action.option_strings:
            more += given
    return [needed, [*needed, *more]]


CASES = {
    name: COMMANDS.get(name) or _tried(parser) for name, parser in _leaves(build_parser()) if name not in WITH_WINDOW
}


def test_no_line_is_for_a_command_that_is_gone() -> None:
    assert set(COMMANDS) <= set(CASES)


class _Input(io.StringIO):
    """What a person would type, who seems to sit at a terminal."""

    def isatty(self) -> bool:
        return True


class Terminal:
    """Runs commands with a pseudo-terminal as their output, and collects what arrives at it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def run(self, arguments: list[str], *, typed: str) -> str:
        master, slave = pty.openpty()
        tty.setraw(slave, termios.TCSANOW)
        pieces: list[bytes] = []
        reader = threading.Thread(target=self._read, args=(master, pieces))
        reader.start()
        with os.fdopen(slave, "w", encoding="utf-8", newline="") as screen, self._patch.context() as patch:
            patch.setattr(sys, "stdout", screen)
            patch.setattr(sys, "stderr", screen)
            patch.setattr(sys, "stdin", _Input(typed))
            # It would open the terminal of whoever runs the tests.
            patch.setattr(getpass, "getpass", lambda question, stream: stream.write(question) and typed.strip())
            with suppress(SystemExit):
                run(arguments)
        reader.join()
        os.close(master)
        return b"".join(pieces).decode("utf-8")

    @staticmethod
    def _read(master: int, pieces: list[bytes]) -> None:
        is_told = False
        with suppress(OSError):  # the other side is closed
            while piece := os.read(master, 65536):
                pieces.append(piece)
                if not is_told and RUNS in b"".join(pieces):
                    is_told = True
                    os.kill(os.getpid(), signal.SIGTERM)


def _fill(folder: Path) -> str:
    """A profile made as any other, in which everything that is text is then exchanged for hostile text."""

    async def fill() -> str:
        paths = AppPaths.find(folder)
        paths.make_directories()
        async with open_services(paths, Settings(), mode="cli") as services:
            project = await services.library.projects.create("Plans", "#0B7A75")
            thread = (await services.chat.create_thread(project.id, "A thread")).thread
            archived = (await services.chat.create_thread(project.id, "Archived")).thread
            trashed = (await services.chat.create_thread(project.id, "Trashed")).thread
            await services.library.archive([archived.id])
            await services.library.delete([trashed.id])
            async for _event in ask(
                services,
                f"question {SEARCHED}",
                thread_id=thread.id,
                edits=None,
                provider="offline",
                model="offline-echo",
            ):
                pass
            workspace = Workspace(
                new_id(), "Blue", ServerAddress("127.0.0.1", 1, "desk", "x"), new_id(), is_owner=False, joined_at=1
            )

            def write(conn: Connection) -> None:
                team.add_workspace(conn, workspace)
                sharing.start(conn, services.database.origin, project.id, workspace.id, TeamRole.OWNER, "ch")
                rounds.add(conn, SyncRound(1, workspace.id, 0, 0, 1, HOSTILE))

            await services.database.write(write)
            return thread.id

    thread_id = asyncio.run(fill())
    with closing(sqlite3.connect(AppPaths.find(folder).database)) as conn:
        changes = {
            "threads": ("title", "provider", "model", "system_prompt"),
            "projects": ("name",),
            "workspaces": ("name",),
            "messages": ("model", "provider", "error"),
        }
        for table, columns in changes.items():
            for column in columns:
                conn.execute(f"UPDATE {table} SET {column} = ? || ' ' || rowid", (HOSTILE,))
        conn.execute("UPDATE message_parts SET content = json_object('text', ?)", (f"{HOSTILE} {SEARCHED}",))
        (message,) = conn.execute("SELECT id FROM messages WHERE role = ?", (Role.USER.value,)).fetchone()
        content = json.dumps({"name": HOSTILE, "mime": HOSTILE, "sha256": "a" * 64, "size_bytes": 1})
        conn.execute(
            "INSERT INTO message_parts (id, message_id, part_index, type, content) VALUES (?, ?, 9, 'file', ?)",
            (new_id(), message, content),
        )
        conn.execute(
            "INSERT INTO tags (id, name, name_folded, created_at) VALUES (?, ?, ?, 1)",
            (tag := new_id(), HOSTILE, HOSTILE),
        )
        conn.execute("INSERT INTO thread_tags VALUES (?, ?)", (thread_id, tag))
        conn.commit()
    return thread_id


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("hostile") / "data"
    return folder, _fill(folder)


@pytest.fixture
def places(profile: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A hostile profile, and what is in the braces of ``COMMANDS``."""
    data = tmp_path / "data"
    monkeypatch.setenv("CHATDESK_DATA_DIR", str(data))
    monkeypatch.setenv("CHATDESK_OFFLINE_SPEED_TOKENS_PER_S", "0")
    for name in ("CHATDESK_SETUP_PASSWORD", "CHATDESK_TEAM_PASSWORD", "CHATDESK_TEAM_PASSPHRASE"):
        monkeypatch.setenv(name, "a long enough password")
    shutil.copytree(profile[0], data)
    provider = {"id": "own", "preset": "custom", "label": HOSTILE, "base_url": "http://127.0.0.1:1/" + HOSTILE}
    (data / "config").mkdir(exist_ok=True)
    (data / "config" / "providers.json").write_text(json.dumps({"version": 1, "providers": [provider]}), "utf-8")
    (data / "config" / "settings.toml").write_text(
        f"[appearance]\ntheme = {json.dumps(HOSTILE.translate(NOT_IN_TOML))}\n", "utf-8"
    )
    (tmp_path / "hostile.txt").write_text(HOSTILE, "utf-8")
    chats = [{"uuid": "u", "name": HOSTILE, "chat_messages": [{"uuid": "m", "sender": "human", "text": HOSTILE}]}]
    (tmp_path / "conversations.json").write_text(json.dumps(chats), "utf-8")
    return {
        "thread": profile[1],
        "folder": str(tmp_path),
        "hostile_file": str(tmp_path / "hostile.txt"),
        "hostile_import": str(tmp_path / "conversations.json"),
    }


@pytest.mark.parametrize("command", sample([*CASES], 14))
def test_no_command_prints_what_commands_a_terminal(
    places: dict[str, str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    if command == "restore":
        for place in ([], [f"{places['folder']}/b.zip"]):
            assert run(["backup", *place]) == 0
    for arguments in CASES[command]:
        filled = [each.format(**places) if "{" in each else each for each in arguments]
        screen = Terminal(monkeypatch).run([*command.split(), *filled], typed="n\n")
        if command in WITH_PROGRESS:
            screen = re.sub("\r[ -~]*", "", screen)
        assert not FORBIDDEN.search(screen), (arguments, screen)
        assert "\r" not in screen, (arguments, screen)
        assert "unexpected" not in screen, screen
        assert screen or command in ("export", "backup"), arguments


def test_the_question_of_restore_shows_titles_and_takes_the_end_of_the_input_for_no(
    places: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["backup", f"{places['folder']}/b.zip"]) == 0
    screen = Terminal(monkeypatch).run(["restore", f"{places['folder']}/b.zip"], typed="")
    assert "owned" in screen
    assert "nothing was changed" in screen
    assert "unexpected" not in screen
