"""``chatdesk tools``: real servers, set up and tested from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from chatdesk.cli.main import run
from chatdesk.core.local_api.instance import InstanceLock
from chatdesk.core.settings import secrets
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.search_engines import PAGES, answered, searxng
from tests.helpers.sign_in_server import FIXED_CLIENT, FIXED_SECRET, Browser, sign_in_server
from tests.helpers.site import Site, sent
from tests.helpers.tools_world import command, processes_with

TOKEN = "hidden-value-0123456789"


@pytest.fixture(autouse=True)
def keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    ring = MemoryKeyring()
    monkeypatch.setattr(secrets, "system_keyring", lambda: ring)
    return ring


def _tools(folder: Path, *arguments: str) -> int:
    return run(["tools", arguments[0], "--data-dir", str(folder / "profile"), *arguments[1:]])


def _rows(shown: str) -> list[Any]:
    """The servers that a person has set up."""
    return [row for row in json.loads(shown) if not row["id"].startswith("chatdesk-")]


def test_built_in_tools_are_switched_and_never_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _tools(tmp_path, "list") == 0
    assert "chatdesk-chats  Your threads  comes with ChatDesk  (off)\n" in capsys.readouterr().out
    assert _tools(tmp_path, "on", "chatdesk-chats") == 0
    assert _tools(tmp_path, "list") == 0
    assert "chatdesk-chats  Your threads  comes with ChatDesk  (on)\n" in capsys.readouterr().out
    assert _tools(tmp_path, "test", "chatdesk-chats", "--json") == 0
    assert "search_chats" in capsys.readouterr().out
    assert _tools(tmp_path, "remove", "chatdesk-chats") != 0
    assert "switch it off" in capsys.readouterr().err.lower()


def test_the_search_engine_is_chosen_tested_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, keyring: MemoryKeyring
) -> None:
    site = Site()
    site.answers["/search"] = answered(searxng(*PAGES))
    try:
        assert _tools(tmp_path, "search-engine") == 1
        assert capsys.readouterr().out == "none\n"
        assert _tools(tmp_path, "search-engine", "searxng", "--address", site.url(""), "--test") == 0
        assert capsys.readouterr().out.splitlines() == ["It answers: ok", "Lets ChatDesk search: ok", "Finds pages: ok"]
        assert _tools(tmp_path, "search-engine", "--json") == 1, "a test changes nothing"
        capsys.readouterr()
        assert _tools(tmp_path, "search-engine", "searxng", "--address", site.url("/")) == 0
        assert _tools(tmp_path, "search-engine", "--json") == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown == {"engine": "searxng", "address": site.url(""), "has_key": False}
        site.answers["/search"] = sent(b"no", "text/plain", status=403)
        assert _tools(tmp_path, "search-engine", "--test", "--json") == 1
        assert "search.formats" in capsys.readouterr().out
    finally:
        site.close()
    assert _tools(tmp_path, "search-engine", "--test") == 1
    assert capsys.readouterr().out.startswith("It answers: failed  ")
    assert _tools(tmp_path, "search-engine", "brave") != 0
    assert "wants a key" in capsys.readouterr().err
    assert _tools(tmp_path, "search-engine", "brave", "--key", "NOT_SET") != 0
    monkeypatch.setenv("MY_KEY", TOKEN)
    assert _tools(tmp_path, "search-engine", "brave", "--key", "MY_KEY") == 0
    monkeypatch.delenv("MY_KEY")
    assert _tools(tmp_path, "search-engine") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "brave  with a key"
    written = "".join(each.read_text("utf-8") for each in (tmp_path / "profile" / "config").glob("*.json"))
    assert TOKEN not in written and "brave" in written
    assert any(TOKEN in each and "api.search.brave.com" in each for each in keyring.kept.values())
    assert _tools(tmp_path, "search-engine", "brave", "--forget-key") == 0
    assert _tools(tmp_path, "search-engine", "none") == 0
    assert _tools(tmp_path, "search-engine") == 1


def test_a_key_is_taken_from_a_variable_that_leaves_the_environment(tmp_path: Path) -> None:
    """A program of its own: it takes keys out of its environment before anything else."""
    arguments = ("tools", "search-engine", "brave", "--key", "BRAVE_API_KEY", "--data-dir", str(tmp_path / "profile"))
    environment = {**os.environ, "BRAVE_API_KEY": TOKEN, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    done = subprocess.run(
        [sys.executable, "-m", "chatdesk", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert "is not set here" not in done.stderr, done.stderr
    assert '"engine": "brave"' in (tmp_path / "profile" / "config" / "tools.json").read_text("utf-8")


def test_a_project_gets_a_folder_and_loses_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["projects", "--data-dir", str(tmp_path / "profile"), "--json"]) == 0
    project = json.loads(capsys.readouterr().out)[0]["id"]
    assert _tools(tmp_path, "folder", project) == 1
    work = tmp_path / "work"
    assert _tools(tmp_path, "folder", project, str(work)) != 0
    assert "There is no folder" in capsys.readouterr().err
    work.mkdir()
    assert _tools(tmp_path, "folder", project, str(work)) == 0
    assert _tools(tmp_path, "folder", project) == 0
    assert capsys.readouterr().out == f"{work}\n" * 2
    assert _tools(tmp_path, "folder", project, "--remove") == 0
    assert _tools(tmp_path, "folder", project) == 1


def test_a_server_is_added_tested_and_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, keyring: MemoryKeyring
) -> None:
    monkeypatch.setenv("NOTES_TOKEN", TOKEN)
    log = str(tmp_path / "log")
    assert _tools(tmp_path, "add", "--secret", "NOTES_TOKEN", "My notes", *command("--log", log)) == 0
    assert capsys.readouterr().out == "my-notes\n"
    assert _tools(tmp_path, "list", "--json") == 0
    (row,) = _rows(capsys.readouterr().out)
    assert (row["id"], row["is_on"], row["secrets"]) == ("my-notes", True, ["NOTES_TOKEN"])
    assert _tools(tmp_path, "test", "--json") == 0
    (tested,) = json.loads(capsys.readouterr().out)
    assert [step["step"] for step in tested["steps"]] == ["found", "started", "spoke", "listed"]
    assert "echo" in tested["tools"]
    assert not processes_with(log)
    assert not (tmp_path / "log").exists()  # listed, never called
    kept = [
        each for each in (tmp_path / "profile").rglob("*") if each.is_file() and TOKEN.encode() in each.read_bytes()
    ]
    assert not kept and TOKEN in keyring.values.values()
    assert _tools(tmp_path, "off", "my-notes") == 0
    assert _tools(tmp_path, "list") == 0
    assert capsys.readouterr().out.endswith("(off)\n")
    assert _tools(tmp_path, "remove", "my-notes") == 0
    assert _tools(tmp_path, "list", "--json") == 0
    assert _rows(capsys.readouterr().out) == []
    assert TOKEN not in keyring.values.values()


def test_a_server_that_fails_is_named_with_its_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = command("--how", "exit-at-start", "--log", str(tmp_path / "log"))
    assert _tools(tmp_path, "add", "bad", "--", *program) == 0
    assert _tools(tmp_path, "test", "bad") == 1
    shown = capsys.readouterr().out
    assert "Found: ok" in shown and "Started: ok" in shown and ": failed  It ended with exit code 3" in shown
    assert "no such database" in shown, "what it wrote is the reason"
    assert not processes_with(str(tmp_path)), "other tests run the same program"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "x"), "either an address or a command"),
        (("add", "--address", "https://example.org", "x", "npx"), "either an address or a command"),
        (("add", "--secret", "NOT_SET_HERE", "x", "npx"), "NOT_SET_HERE is not set"),
        (("add", "x", "--address", "https://example.org"), "either an address or a command"),
        (("add", "--address", "ftp://example.org", "x"), "begins with https"),
        (("on", "nobody"), "no tool server"),
        (("test", "nobody"), "no tool server"),
        (("paste", "/nowhere/at/all.json"), "could not be read"),
        (("revoke", "nobody"), "There was no such permission"),
    ],
)
def test_an_impossible_request_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert _tools(tmp_path, *arguments) == 1
    assert words in capsys.readouterr().err
    assert _tools(tmp_path, "list", "--json") == 0
    assert _rows(capsys.readouterr().out) == []


def test_servers_of_another_program_come_switched_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = {
        "mcpServers": {
            "files": {"command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/tmp"]},
            "hub": {"url": "https://example.org/mcp", "headers": {"Authorization": f"Bearer {TOKEN}"}},
            "mail": {"command": "uvx", "args": ["mail"], "env": {"MAIL_KEY": "<your key>"}},
        }
    }
    (tmp_path / "pasted.json").write_text(json.dumps(text), "utf-8")
    assert _tools(tmp_path, "paste", str(tmp_path / "pasted.json")) == 0
    shown = capsys.readouterr()
    assert shown.out == "files\nhub\nmail\n"
    assert "mail: MAIL_KEY is still to be filled in." in shown.err and TOKEN not in shown.err
    assert _tools(tmp_path, "list") == 0
    shown = capsys.readouterr()
    lines = [line for line in shown.out.splitlines() if not line.startswith("chatdesk-")]
    assert [line.endswith("(off)") for line in lines] == [True] * 3 and TOKEN not in shown.out
    assert _tools(tmp_path, "allowed", "--json") == 0
    assert _rows(capsys.readouterr().out) == []


def test_an_open_window_keeps_the_servers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _tools(tmp_path, "add", "notes", *command()) == 0
    lock = InstanceLock(tmp_path / "profile", purpose="window")
    assert lock.acquire()
    try:
        for arguments in (("add", "more", "npx"), ("off", "notes"), ("remove", "notes"), ("revoke", "notes")):
            assert _tools(tmp_path, *arguments) == 1
            assert "ChatDesk is open and keeps the tool servers" in capsys.readouterr().err
        assert _tools(tmp_path, "list", "--json") == 0
        assert [(row["id"], row["is_on"]) for row in _rows(capsys.readouterr().out)] == [("notes", True)]
    finally:
        lock.release()


def test_a_person_signs_in_and_out_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, keyring: MemoryKeyring
) -> None:
    browser = Browser()
    monkeypatch.setattr(webbrowser, "open", browser.open)
    monkeypatch.setenv("CLIENT_SECRET", FIXED_SECRET)
    with sign_in_server("no-registration") as web:
        client = ("--client", FIXED_CLIENT, "--client-secret", "CLIENT_SECRET")
        assert _tools(tmp_path, "add", "--address", web.address, *client, "Web") == 0
        assert _tools(tmp_path, "test", "web") == 1 and not browser.opened
        assert _tools(tmp_path, "sign-in", "web") == 0
        browser.join()
        said = capsys.readouterr()
        assert "Signed in." in said.err and browser.opened[0] in said.err
        assert not any(each in said.out + said.err for each in web.access)
        assert _tools(tmp_path, "test", "web") == 0
        assert _tools(tmp_path, "sign-out", "web") == 0
        assert _tools(tmp_path, "test", "web") == 1 and len(browser.opened) == 1
        assert not any("signed-in" in name for name in keyring.kept)
