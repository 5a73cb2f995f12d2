"""``chatdesk team`` with a real server: each command line as a process of its own would run it."""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import re
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from chatdesk.cli.main import build_parser, run
from chatdesk.cli.team_arguments import SETUP_PASSWORD
from chatdesk.cli.team_membership import PASSPHRASE
from chatdesk.core.domain.sharing.team import ServerAddress, Workspace
from chatdesk.core.ids import new_id
from chatdesk.core.local_api.instance import InstanceLock
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings import secrets
from chatdesk.core.settings.key_file import KeyFile
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.sync import parked_workspaces
from chatdesk.core.storage.sync import team as sync_team
from chatdesk.core.sync.invitations import MemberCode, new_secret, write_member_code
from chatdesk.core.system import terminal
from chatdesk.services.owner import open_services
from tests.helpers.accounts import QUICK, MemoryKeyring
from tests.helpers.command_parsers import arguments_of, commands_of, leaves_of, tried_arguments
from tests.helpers.postgres import TeamDatabase

ROOT = Path(__file__).parents[1]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def team(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``team("ana", "status")``: exit code, stdout and stderr of Ana's command; ``given`` goes to its stdin."""
    rings: dict[str, MemoryKeyring] = {}

    def command(who: str, *words: str, given: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(secrets, "system_keyring", lambda: rings.setdefault(who, MemoryKeyring()))
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        code = run(["team", *words, "--data-dir", str(tmp_path / who)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


def _address(database: TeamDatabase) -> list[str]:
    address = database.account_address
    words = ["--host", address.host, "--port", str(address.port), "--database", address.database]
    words += ["--user", address.user]
    if address.tls == "disable":
        return [*words, "--without-tls"]
    return [*words, "--ca", str(database.cluster.authority.ca_file)]


def _create(team: Run, database: TeamDatabase) -> dict[str, Any]:
    code, out, err = team(
        *("ana", "create", "--name", "Research", "--my-name", "Ana", "--json", *_address(database)),
        given=database.account_password + "\n",
    )
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_a_team_is_made_joined_and_left_from_the_command_line(
    team: Run, empty_database: TeamDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = team("ana", "check", *_address(empty_database), given=empty_database.account_password)
    assert code == 0, out + err
    assert re.search("^ok +Empty database +The database is empty.$", out, re.MULTILINE)
    made = _create(team, empty_database)
    assert made["name"] == "Research"
    assert made["is_owner"]
    assert "password" not in made

    code, out, err = team("ana", "check", *_address(empty_database), "--json", given=empty_database.account_password)
    assert code == 1
    assert {row["name"] for row in json.loads(out) if row["state"] == "failed"} == {"Empty database"}

    file = tmp_path / "ben.chatdesk-invite"
    code, out, err = team("ana", "invite", "Ben", "--output", str(file))
    assert (code, out) == (0, "")
    assert "Anyone who has it can join" in err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert team("ana", "invite", "Eve", "--output", str(file))[0] == 1  # nothing is overwritten

    code, out, err = team("ben", "join", str(file), "--without-tls")
    assert (code, out) == (0, "You are in the workspace Research now.\n"), err
    code, out, err = team("eve", "join", "-", "--without-tls", given=file.read_text())
    assert code == 1
    assert "used already" in err

    code, out, _err = team("ben", "status", "--json")
    (row,) = json.loads(out)
    assert (row["id"], row["is_owner"], row["projects"], row["waiting"]) == (made["id"], False, 0, 0)
    code, out, _err = team("ana", "status")
    assert f"{made['id']}  Research  {made['host']}  owner  0 shared  0 waiting, 0 refused" in out
    code, out, _err = team("ana", "members", "--json")
    assert [(each["name"], each["status"], each["is_me"]) for each in json.loads(out)][:2] == [
        ("Ana", "active", True),
        ("Ben", "active", False),
    ]
    assert "* " in team("ana", "members", "--workspace", "research")[1]
    assert "who_invites=owners\n" in team("ana", "limits")[1]
    code, out, err = team("ana", "limits", "bytes_each=2000000000", "who_invites=admins", "--json")
    assert code == 0, err
    said = json.loads(out)
    assert (said["bytes_each"], said["who_invites"]) == (2_000_000_000, "admins")
    assert team("ben", "limits", "members=5")[0] == 1  # no owner
    assert team("ana", "limits", "members=none")[0] == 1
    login = empty_database.account_address.user
    assert team("ana", "upgrade", "--user", login, given="wrong\n")[0] == 1
    code, out, err = team("ana", "upgrade", "--user", login, given=empty_database.account_password + "\n")
    assert (code, out) == (0, "The database of Research is up to date.\n"), err
    code, out, err = team("ana", "check")
    assert (code, out) == (0, "The server has lost nothing.\n"), err

    code, out, _err = team("ben", "computer", "--json")
    sealed = json.loads(out)
    monkeypatch.setenv(PASSPHRASE, sealed["passphrase"])
    code, out, err = team("laptop", "join", "-", "--without-tls", "--json", given=sealed["code"])
    assert code == 0, err
    assert json.loads(out)["member_id"] == row["member_id"]
    code, out, err = team("ben", "computer")
    assert out.startswith("chatdesk-computer:")
    assert "passphrase is" in err

    assert team("ben", "leave") == (1, "", "chatdesk: Nobody can be asked here. Nothing was changed. Add --yes.\n")
    assert team("ben", "leave", "Research", "--for-good", "--yes")[:2] == (0, "You left Research.\n")
    assert team("ben", "status")[2] == "chatdesk: this profile is in no workspace\n"
    code, _out, err = team("laptop", "members")
    assert code == 1
    assert "no longer a member" in err


def test_roles_are_given_by_the_names_of_shared_projects(team: Run, empty_database: TeamDatabase) -> None:
    _create(team, empty_database)
    for wrong, words in (("Notes=editor", "No shared project is called"), ("=owner", "No shared project")):
        code, _out, err = team("ana", "invite", "Ben", "--role", wrong)
        assert code == 1
        assert words in err
    code, out, _err = team("ana", "invite", "Ben", "--json", "--days", "3")
    assert code == 0
    assert json.loads(out)["link"].startswith("chatdesk://join/")
    code, out, err = team("ana", "invite", "Ben")
    assert out.startswith("chatdesk-join:")
    assert "it works once" in err
    assert team("ana", "invite", "Ben", "--days", "0")[0] == 1


def test_a_wrong_argument_is_explained(
    team: Run, empty_database: TeamDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _out, err = team("ana", "check", "--url", "postgresql://ana:secret@127.0.0.1/team")
    assert code == 1
    assert "Do not put a password into the arguments" in err
    assert "secret" not in err
    code, _out, err = team("ana", "create", "--name", "R", "--my-name", "A", "--url", "ftp://x")
    assert "not the address of a Postgres database" in err
    code, _out, err = team("ana", "create", "--name", "R", "--my-name", "A")
    assert "neither the name nor the IP address of a server" in err
    monkeypatch.setenv(SETUP_PASSWORD, "wrong")
    code, _out, err = team("ana", "create", "--name", "R", "--my-name", "A", *_address(empty_database))
    assert code == 1
    assert "did not take the password" in err
    code, out, _err = team("ana", "check", *_address(empty_database))
    assert code == 1
    assert out.startswith("failed  Connection")
    code, _out, err = team("ana", "check", *_address(empty_database), "--ca", str(tmp_path / "nothing.pem"))
    assert "No such file" in err
    for words in (("join", "-"), ("join", str(tmp_path / "nothing"))):
        assert team("ana", *words, given="hello")[0] == 1
    for words in (("members",), ("invite", "Ben"), ("leave", "--yes"), ("computer",), ("check",)):
        code, _out, err = team("ana", *words)
        assert code == 1
        assert "no such workspace" in err


def test_a_password_becomes_what_postgres_stores_of_it(team: Run) -> None:
    code, verifier, _err = team("ana", "verifier", given="a-password-of-hers\n")
    assert code == 0
    assert verifier.startswith("SCRAM-SHA-256$4096:")
    assert team("ana", "verifier", given="short\n")[0] == 1


def test_a_parked_team_is_joined_again_or_given_up(team: Run, empty_database: TeamDatabase, tmp_path: Path) -> None:
    async def park() -> None:
        async with open_services(AppPaths.find(tmp_path / "ana"), Settings()) as services:
            await services.database.write(lambda conn: parked_workspaces.park_all(driver(conn), 1))

    made = _create(team, empty_database)
    asyncio.run(park())
    assert "parked: this profile was restored" in team("ana", "status")[1]
    code, out, err = team("ana", "join")
    assert (code, out) == (1, "")
    assert "Add --yes." in err
    assert team("ana", "join", "--yes")[:2] == (0, "You are in Research again.\n")
    assert json.loads(team("ana", "status", "--json")[1])[0]["id"] == made["id"]
    asyncio.run(park())
    assert team("ana", "leave", "--yes")[:2] == (0, "You left Research.\n")
    assert team("ana", "status")[2] == "chatdesk: this profile is in no workspace\n"
    assert team("ana", "join", "--yes")[0] == 1


def test_while_a_window_is_open_only_it_joins_and_leaves(team: Run, tmp_path: Path) -> None:
    assert team("ana", "status")[0] == 0
    paths = AppPaths.find(tmp_path / "ana")
    lock = InstanceLock(paths.data_dir, purpose="window")
    assert lock.acquire()
    try:
        assert team("ana", "status")[0] == 0
        for words in (("join", "-"), ("leave", "--yes"), ("invite", "Ben"), ("computer",)):
            code, _out, err = team("ana", *words)
            assert code == 1
            assert "open on this data directory" in err
    finally:
        lock.release()


def test_every_verb_and_option_is_in_the_document() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    for name, parser in commands_of(commands_of(build_parser())["team"]).items():
        assert f"| `{name}" in text
        for action in arguments_of(parser):
            for option in action.option_strings:
                assert option in text or option in ("-h", "--help")


_VERBS = {names[1]: parser for names, parser in leaves_of(build_parser()) if names[0] == "team"}
_SECRET = {"verifier"}  # it is for a password


@pytest.mark.parametrize("verb", _VERBS)
def test_no_secret_is_asked_for_before_the_arguments_are_looked_at(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is no keyring, a passphrase is needed for all that asks a server or keeps a password."""
    asked: list[str] = []
    monkeypatch.setattr(terminal, "ask_secret", lambda question: asked.append(question) or "")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no code").write_text("abc", "utf-8")
    told = tried_arguments(_VERBS[verb])
    told += [[str(tmp_path / "no code")]] if verb == "join" else []
    told += [[*words, "--url", "postgresql://a:b@localhost/c"] for words in told[1:2] if verb == "create"]
    asyncio.run(_lock_keys(tmp_path / "data"))
    for words in told:
        with suppress(SystemExit):  # as argparse ends
            run(["--data-dir", str(tmp_path / "data"), "team", verb, *words])
        said = capsys.readouterr()
        assert verb in _SECRET or not asked, words
        assert said.out or said.err


_NAMES: Final = ("", " ", "x" * 200)
_UNUSABLE: Final = {
    "create": [
        *(["--name", each, "--my-name", "Ana", "--url", "postgresql://a@localhost/b"] for each in _NAMES),
        *(["--name", "Blue", "--my-name", each, "--url", "postgresql://a@localhost/b"] for each in _NAMES),
    ],
    "invite": [
        *([each] for each in _NAMES),
        *(["Ben", "--days", each] for each in ("0", "-1", "61")),
        *(["Ben", "--role", each] for each in ("", "=", "Notes=viewer")),
    ],
    "join": [["code"], ["code", "--without-tls", "--my-name", "x" * 200]],
    "share": [["Notes"]],
}


@pytest.mark.parametrize("verb", _UNUSABLE)
def test_a_member_is_asked_for_no_secret_before_the_arguments_are_looked_at(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(terminal, "ask_secret", lambda question: asked.append(question) or "")
    monkeypatch.chdir(tmp_path)
    address = ServerAddress("127.0.0.1", 9, "team", "ana", tls="disable")
    code = MemberCode(address, new_secret(), new_id(), "Green", 4_000_000_000_000)
    (tmp_path / "code").write_text(write_member_code(code), "utf-8")
    asyncio.run(_lock_keys(tmp_path / "data", Workspace(new_id(), "Blue", address, new_id(), False, joined_at=1)))
    for words in _UNUSABLE[verb]:
        assert run(["--data-dir", str(tmp_path / "data"), "team", verb, *words]) == 1, words
        assert not asked, words
        assert capsys.readouterr().err


async def _lock_keys(folder: Path, workspace: Workspace | None = None) -> None:
    """Let the profile of a folder keep its keys in an encrypted file, which the next process finds locked."""
    paths, passphrase = AppPaths.find(folder), "a harbour with many ships"
    paths.make_directories()
    KeyFile(paths.config_dir, work=QUICK).create(passphrase)
    async with open_services(paths, Settings()) as services:
        await services.provider_service.keys.choose_place(KeyPlace.FILE, passphrase=passphrase)
        if workspace is not None:
            await services.database.write(lambda conn: sync_team.add_workspace(conn, workspace))


def test_each_verb_opens_the_keys_or_asks_no_server() -> None:
    runs = {verb: parser.get_default("team_verb").run for verb, parser in _VERBS.items()}
    without = {verb for verb, run_verb in runs.items() if "await open_keys(" not in inspect.getsource(run_verb)}
    assert without == {"status", "upgrade", "verifier"}  # an upgrade takes another login
