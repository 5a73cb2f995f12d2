"""A command that makes a secret for a file makes that file first, so that nothing is made that would be lost."""

from __future__ import annotations

import argparse
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chatdesk.cli import serving, team_membership
from chatdesk.cli.main import build_parser, run
from chatdesk.cli.secret_files import secret_file
from chatdesk.core.errors import InvalidInput
from chatdesk.core.settings.providers_store import KeyPlace
from tests.helpers.command_parsers import arguments_of, commands_of

_MAKERS = {
    ("team", "invite"): ["Eve"],
    ("team", "computer"): [],
    ("tokens", "new"): ["editor"],
}


class _Server:
    """Counts what it is asked for. Its answers have all secrets."""

    asked = 0

    async def _answer(self, *_what: Any, **_named: Any) -> SimpleNamespace:
        self.asked += 1
        return SimpleNamespace(file_text="secret", code="secret", link="", passphrase="words", expires_at=0)

    invite = add_computer = _answer

    def make(self, *_what: Any, **_named: Any) -> tuple[SimpleNamespace, str]:
        self.asked += 1
        return SimpleNamespace(name="editor"), "secret"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> _Server:
    made = _Server()

    async def found(*_which: Any) -> SimpleNamespace:
        return SimpleNamespace(id="1", address=SimpleNamespace(host="db.example.org"))

    monkeypatch.setattr(team_membership, "find_workspace", found)
    monkeypatch.setattr(serving, "_book", lambda _paths: made)
    return made


def _services(server: _Server) -> Any:
    async def load_team() -> SimpleNamespace:
        membership = SimpleNamespace(administration=server, add_computer=server.add_computer)
        records = SimpleNamespace(projects=_nothing)
        return SimpleNamespace(membership=membership, records=records)

    async def _nothing() -> tuple[()]:
        return ()

    projects = SimpleNamespace(list=_nothing)
    keys = SimpleNamespace(state=_open_keyring)
    return SimpleNamespace(
        load_team=load_team,
        paths=None,
        library=SimpleNamespace(projects=projects),
        provider_service=SimpleNamespace(keys=keys),
    )


async def _open_keyring() -> SimpleNamespace:
    return SimpleNamespace(place=KeyPlace.KEYRING, has_file=False, has_keyring=True, is_file_locked=False)


def _leaves(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in commands_of(parser).items():
        yield (*path, name)
        yield from _leaves(command, (*path, name))


def _takes_output(path: tuple[str, ...]) -> bool:
    parser = build_parser()
    for name in path:
        parser = commands_of(parser)[name]
    return any("--output" in action.option_strings for action in arguments_of(parser))


def test_every_command_that_makes_a_secret_takes_a_file() -> None:
    assert {path for path in _leaves(build_parser()) if _takes_output(path)} == {("export",), *_MAKERS}


@pytest.mark.parametrize("command", _MAKERS)
@pytest.mark.parametrize("place", ["a file", "a folder", "a link", "nowhere"])
async def test_nothing_is_made_where_the_file_cannot_be(
    tmp_path: Path, server: _Server, command: tuple[str, ...], place: str
) -> None:
    target = tmp_path / "secret"
    if place == "a file":
        target.write_text("before")
    elif place == "a folder":
        target.mkdir()
    elif place == "a link":
        target.symlink_to(tmp_path / "elsewhere")
    else:
        target = tmp_path / "none" / "secret"
    options = build_parser().parse_args([*command, *_MAKERS[command], "--output", str(target)])
    with pytest.raises(InvalidInput):
        await _run(options, _services(server))
    assert server.asked == 0
    assert not (tmp_path / "elsewhere").exists()
    assert place != "a file" or target.read_text() == "before"


@pytest.mark.parametrize("command", _MAKERS)
async def test_the_file_contains_the_secret_and_is_private(
    tmp_path: Path, server: _Server, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "secret"
    options = build_parser().parse_args([*command, *_MAKERS[command], "--output", str(target)])
    assert await _run(options, _services(server)) == 0
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("secret", 0o600)
    assert "secret" not in capsys.readouterr().out


def test_no_file_is_left_where_nothing_was_made(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), secret_file(str(tmp_path / "secret")):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_secret_that_the_disk_does_not_take_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("chatdesk.core.system.file_writing.os.fsync", full)
    with pytest.raises(InvalidInput), secret_file(str(tmp_path / "secret")) as write:
        write("the only copy")
    assert capsys.readouterr().out == "the only copy\n"


def test_a_token_is_made_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target, where = tmp_path / "token", ["--data-dir", str(tmp_path / "data")]
    assert run(["tokens", "new", "editor", "--output", str(target), *where]) == 0
    assert run(["tokens", "new", "again", "--output", str(target), *where]) == 1
    assert capsys.readouterr().out == ""
    assert target.read_text().startswith("cd_")
    assert run(["tokens", "list", "--json", *where]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == ["editor"]


async def _run(options: argparse.Namespace, services: Any) -> int:
    chosen = options.team_verb.run if "team_verb" in options else options.run
    return int(await chosen(options, services))
