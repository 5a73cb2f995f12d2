"""``chatdesk tools``: a command that says yes has kept what it was told, whatever the keyring and the disk do."""

from __future__ import annotations

import errno
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatdesk.cli import tools
from chatdesk.cli.main import run
from chatdesk.core.clock import Clock
from chatdesk.core.domain.tools import Answer, ServerKind, Tool, ToolHints, ToolServer
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import secrets
from chatdesk.core.settings.profile_id import ProfileId
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.system import file_writing
from chatdesk.core.tools.permissions import Permissions
from chatdesk.core.tools.seals import Seals
from chatdesk.core.tools.servers_store import FILE_NAME
from tests.helpers.accounts import MemoryKeyring, NoKeyringError
from tests.helpers.examples import sample

SEARCH = "https://search.example"


class KeyringLocked(Exception):
    """Named as the keyring's own."""


class World:
    """A data directory with a server, a permission and a folder, and a keyring of its own."""

    def __init__(self, folder: Path, ring: MemoryKeyring, capsys: pytest.CaptureFixture[str]) -> None:
        self.paths, self.ring, self.capsys = AppPaths.find(folder / "profile"), ring, capsys
        self.work, self.other = folder / "work", folder / "other"
        self.work.mkdir()
        self.other.mkdir()
        (folder / "pasted.json").write_text(json.dumps({"mcpServers": {"pasted": {"command": "/bin/cat"}}}))
        self.pasted = str(folder / "pasted.json")

    def tools(self, *arguments: str) -> int:
        return run(["tools", arguments[0], "--data-dir", str(self.paths.data_dir), *arguments[1:]])

    def prepare(self) -> None:
        assert self.tools("add", "good", "/bin/cat") == 0
        assert self.tools("add", "quiet", "/bin/cat") == 0
        assert self.tools("off", "quiet") == 0
        assert self.tools("folder", "Personal", str(self.work)) == 0
        assert self.tools("search-engine", "searxng", "--address", SEARCH) == 0
        store = SecretStore(
            register=lambda _value: None,
            environ={},
            load_backend=lambda: self.ring,
            profile=ProfileId(self.paths.config_dir),
        )
        seals = Seals(store, lambda: KeyPlace.KEYRING, self.paths.seal_key_file)
        tool = Tool("good", "good", "cat", "", "Says it", {}, ToolHints(), "digest")
        server = ToolServer("good", "good", ServerKind.COMMAND, ("/bin/cat",))
        Permissions(self.paths.config_dir, seals, Clock()).allow(server, tool, Answer.ALWAYS, "")
        self.capsys.readouterr()

    def seen(self) -> dict[str, Any]:
        """Return all that a later run finds."""
        self.capsys.readouterr()
        self.tools("list", "--json")
        servers = {row["id"]: row["is_on"] for row in json.loads(self.capsys.readouterr().out)}
        self.tools("folder", "Personal")
        folder = self.capsys.readouterr().out.strip()
        self.tools("search-engine", "--json")
        search = json.loads(self.capsys.readouterr().out)["engine"]
        self.tools("allowed", "--json")
        allowed = len(json.loads(self.capsys.readouterr().out))
        return {**servers, "folder": folder, "search": search, "allowed": allowed}


# Each command that sets something, and what a later run sees of it.
COMMANDS: dict[str, tuple[Callable[[World], tuple[str, ...]], dict[str, Any]]] = {
    "add": (lambda _world: ("add", "new", "/bin/cat"), {"new": True}),
    "paste": (lambda world: ("paste", world.pasted), {"pasted": False}),
    "on": (lambda _world: ("on", "quiet"), {"quiet": True}),
    "on, one of ChatDesk's own": (lambda _world: ("on", "chatdesk-chats"), {"chatdesk-chats": True}),
    "off": (lambda _world: ("off", "good"), {"good": False}),
    "remove": (lambda _world: ("remove", "good"), {"good": None, "allowed": 0}),
    "revoke": (lambda _world: ("revoke", "good"), {"allowed": 0}),
    "folder": (lambda world: ("folder", "Personal", str(world.other)), {"folder": "other"}),
    "folder --remove": (lambda _world: ("folder", "Personal", "--remove"), {"folder": ""}),
    "search-engine": (lambda _world: ("search-engine", "none"), {"search": "none"}),
}
# A sign-in is kept with the keys, not with what is set up.
ELSEWHERE = {"sign-in", "sign-out"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> World:
    ring = MemoryKeyring()

    def backend() -> MemoryKeyring:
        if isinstance(ring.error, NoKeyringError):
            raise ring.error
        return ring

    monkeypatch.setattr(secrets, "system_keyring", backend)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own-config"))
    return World(tmp_path, ring, capsys)


TROUBLES = ("no keyring", "locked keyring", "read-only directory")


def test_every_command_that_sets_something_is_tried() -> None:
    assert {name.split(",")[0].split()[0] for name in COMMANDS} == (
        tools.CHANGING - ELSEWHERE | {"folder", "search-engine"}
    )


@pytest.mark.parametrize(("trouble", "name"), sample(list(itertools.product(TROUBLES, COMMANDS)), 10))
def test_a_command_that_says_yes_has_kept_it(
    world: World, name: str, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trouble == "no keyring":
        world.ring.error = NoKeyringError()
    world.prepare()
    before = world.seen()
    assert before["good"] is True and before["allowed"] == 1 and before["folder"] and before["search"] == "searxng"
    arguments, wanted = COMMANDS[name]
    with monkeypatch.context() as now:
        if trouble == "locked keyring":
            world.ring.error = KeyringLocked()
        if trouble == "read-only directory":
            _make_read_only(now, world.paths.config_dir)
        code = world.tools(*arguments(world))
        said = world.capsys.readouterr().err
    if trouble != "no keyring":
        world.ring.error = None
    after = world.seen()
    if trouble == "no keyring":
        wanted = {key: str(world.other) if value == "other" else value for key, value in wanted.items()}
        assert code == 0 and {key: after.get(key) for key in wanted} == wanted
        assert world.paths.seal_key_file.stat().st_mode & 0o777 == 0o600
    else:
        assert code == 1 and after == before
        assert said and "unexpected" not in said


def test_a_foreign_directory_has_its_tools_off(world: World, tmp_path: Path) -> None:
    """Sealed with another key, or with none: also where this person has a key in a file."""
    world.ring.error = NoKeyringError()
    world.prepare()
    assert world.tools("on", "chatdesk-chats") == 0
    world.paths.seal_key_file.unlink()
    other = World.__new__(World)
    other.paths, other.capsys = AppPaths.find(tmp_path / "own"), world.capsys
    assert other.tools("add", "mine", "/bin/cat") == 0  # it makes this person's key
    for seal in ("as it was", "", None):
        stored = json.loads((world.paths.config_dir / FILE_NAME).read_text())
        for row in [*stored["servers"], *stored["folders"], *stored["built_in"], stored["search"]]:
            if seal != "as it was":
                row["seal"] = seal
        (world.paths.config_dir / FILE_NAME).write_text(json.dumps(stored))
        seen = world.seen()
        assert not any(seen[each] is True for each in ("good", "quiet", "chatdesk-chats"))
        assert (seen["folder"], seen["search"], seen["allowed"]) == ("", "none", 0)
        assert world.tools("list") == 0
        assert "may be from somebody else and stay" in world.capsys.readouterr().err.replace("stays", "stay")


def _make_read_only(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Let no file be made there; the tests may run as root, whom no mode holds up."""
    open_new = file_writing.open_new

    def refuse(path: Path) -> Any:
        if path.is_relative_to(directory):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return open_new(path)

    monkeypatch.setattr(file_writing, "open_new", refuse)


def test_all_servers_of_a_description_are_added_where_their_keys_cannot_be_kept(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.ring.error = NoKeyringError()
    described = {
        "first": {"command": "/bin/cat", "env": {"A_TOKEN": "made-up-1"}},
        "second": {
            "type": "http",
            "url": "https://mcp.example.org/mcp",
            "headers": {"Authorization": "Bearer made-up-2"},
        },
        "third": {"command": "/bin/cat"},
    }
    (tmp_path / "described.json").write_text(json.dumps({"mcpServers": described}), encoding="utf-8")
    assert world.tools("paste", str(tmp_path / "described.json")) == 1
    said = capsys.readouterr()
    assert said.out.split() == ["first", "second", "third"]
    assert "first: A_TOKEN is still to be filled in." in said.err
    assert "second: Authorization is still to be filled in." in said.err
    assert "keyring" in said.err and "made-up" not in said.err
    assert {"first", "second", "third"} <= world.seen().keys()
