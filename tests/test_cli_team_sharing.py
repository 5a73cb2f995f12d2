"""``chatdesk team``'s verbs of sharing with a real server: Ana makes a workspace, Ben joins it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from keyring.errors import NoKeyringError

from chatdesk.cli.main import run
from chatdesk.cli.team_asking import KEYS_PASSPHRASE
from chatdesk.core.settings import secrets
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.postgres import TeamDatabase

Run = Callable[..., tuple[int, str, str]]
PASSPHRASE = "granite otter velvet comet"


@pytest.fixture
def chatdesk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``chatdesk("ana", "team", "status")``: exit code, stdout and stderr. ``ring``: whether there is a keyring."""
    rings: dict[str, MemoryKeyring] = {}
    monkeypatch.setenv("CHATDESK_PROVIDER", "offline")

    def missing() -> MemoryKeyring:
        raise NoKeyringError

    def command(who: str, *words: str, given: str = "", ring: bool = True) -> tuple[int, str, str]:
        monkeypatch.setattr(
            secrets, "system_keyring", lambda: rings.setdefault(who, MemoryKeyring()) if ring else missing()
        )
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        code = run([*words, "--data-dir", str(tmp_path / who)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


def create(chatdesk: Run, database: TeamDatabase, **options: Any) -> None:
    address = database.account_address
    where = ["--host", address.host, "--port", str(address.port), "--database", address.database, "--without-tls"]
    code, out, err = chatdesk(
        *("ana", "team", "create", "--name", "Research", "--my-name", "Ana", "--user", address.user, *where),
        given=database.account_password,
        **options,
    )
    assert code == 0, out + err


def ask(chatdesk: Run, who: str, *words: str) -> dict[str, Any]:
    code, out, err = chatdesk(who, "ask", "--json", *words)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def join(chatdesk: Run, who: str, *roles: str) -> None:
    words = [word for role in roles for word in ("--role", role)]
    code, out, err = chatdesk("ana", "team", "invite", who.title(), *words)
    assert code == 0, err
    code, out, err = chatdesk(who, "team", "join", "-", "--without-tls", given=out)
    assert code == 0, err
    code, out, err = chatdesk(who, "team", "sync")
    assert code == 0, out + err


def changes_on(database: TeamDatabase) -> int:
    with database.as_superuser() as conn:
        row = conn.execute("SELECT count(*) FROM cd.change").fetchone()
    assert row is not None
    return int(row[0])


def _let_in(database: TeamDatabase, *, is_open: bool) -> None:
    with database.cluster.connect() as conn:
        conn.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS {str(is_open).lower()}".encode())


def test_a_project_is_shared_written_in_and_left_from_the_command_line(
    chatdesk: Run, empty_database: TeamDatabase
) -> None:
    create(chatdesk, empty_database)
    asked = ask(chatdesk, "ana", "Where are we?")
    code, out, err = chatdesk("ana", "team", "share", "Personal", "--yes")
    assert (code, out) == (0, "“Personal” is shared with Research.\n"), err
    assert "into which new threads go" in err
    join(chatdesk, "ben", "Personal=editor")
    code, out, _ = chatdesk("ben", "projects")
    assert sorted(line.split("  ")[-1] for line in out.splitlines()) == ["Personal", "Personal (Research)"]

    before = changes_on(empty_database)
    ask(chatdesk, "ben", "And now?", "--thread", asked["thread_id"])
    assert changes_on(empty_database) == before + 2  # sent before the command ended
    code, out, _ = chatdesk("ben", "team", "check")
    assert (code, out) == (0, "The server has lost nothing.\n")
    assert chatdesk("ana", "team", "sync")[:2] == (0, "Research: is up to date.\n")
    assert "And now?" in chatdesk("ana", "show", asked["thread_id"])[1]

    code, out, err = chatdesk("ben", "threads", "--project", "personal (research)")
    assert asked["thread_id"] in out, err
    code, out, err = chatdesk("ben", "threads", "--project", "Personal")
    assert code == 0  # the private one is called exactly that


def test_waiting_and_refused_changes_are_listed(
    chatdesk: Run, empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(chatdesk, empty_database)
    asked = ask(chatdesk, "ana", "First")
    assert chatdesk("ana", "team", "share", "Personal", "--yes")[0] == 0
    join(chatdesk, "ben", "Personal=editor")
    monkeypatch.setattr("chatdesk.cli.team_sharing.ASK_WAIT_S", 1)
    _let_in(empty_database, is_open=False)
    code, _, err = chatdesk("ben", "ask", "Offline", "--thread", asked["thread_id"])
    assert code == 0
    assert "The team has not got it yet" in err
    assert "'chatdesk team sync' sends it" in err
    code, _, err = chatdesk("ben", "team", "sync", "--wait", "1")
    assert code == 1
    assert "2 changes wait here" in err
    _let_in(empty_database, is_open=True)
    assert json.loads(chatdesk("ben", "team", "status", "--json")[1])[0]["waiting"] == 2
    with empty_database.as_superuser() as conn:
        conn.execute("UPDATE cd.project_member SET role = 'viewer' WHERE role = 'editor'")
    code, out, _ = chatdesk("ben", "team", "sync")
    assert "2 refused ('chatdesk team status' lists them)" in out
    [row] = json.loads(chatdesk("ben", "team", "status", "--json")[1])
    assert [each["status"] for each in row["refused"]] == ["denied", "denied"]
    assert "Offline" in [each["text"] for each in row["refused"]]
    assert "Offline" in chatdesk("ben", "team", "status")[1]


def _allow_bytes(database: TeamDatabase, each: int) -> None:
    """A workspace of which each member may send this much text a day; less than an owner can set."""
    with database.as_superuser() as conn:
        conn.execute("ALTER TABLE cd.policy DROP CONSTRAINT IF EXISTS policy_bytes_each_check")
        conn.execute("UPDATE cd.policy SET bytes_each = %s", (each,))


def test_the_limit_that_holds_changes_up_is_named(chatdesk: Run, empty_database: TeamDatabase) -> None:
    create(chatdesk, empty_database)
    asked = ask(chatdesk, "ana", "First")
    assert chatdesk("ana", "team", "share", "Personal", "--yes")[0] == 0
    _allow_bytes(empty_database, 1)
    code, _, err = chatdesk("ana", "ask", "Too much", "--thread", asked["thread_id"])
    assert code == 0
    assert "daily limit of text for each member" in err
    code, out, _ = chatdesk("ana", "team", "status")
    assert code == 0
    assert "2 waiting" in out
    assert "daily limit of text for each member" in out
    _allow_bytes(empty_database, 1_000_000_000)
    assert chatdesk("ana", "team", "sync")[0] == 0
    assert "0 waiting, 0 refused" in chatdesk("ana", "team", "status")[1]


def test_without_a_keyring_the_encrypted_file_is_made_and_used(
    chatdesk: Run, empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(KEYS_PASSPHRASE, PASSPHRASE)
    create(chatdesk, empty_database, ring=False)
    code, out, err = chatdesk("ana", "team", "members", ring=False)
    assert code == 0, err
    assert "Ana" in out
    monkeypatch.setenv(KEYS_PASSPHRASE, "another one that is wrong")
    code, out, err = chatdesk("ana", "team", "members", ring=False)
    assert code == 1
    assert "passphrase does not open" in err
    assert PASSPHRASE not in "".join(
        path.read_text("latin-1") for path in (tmp_path / "ana").rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("verb", ["create", "members", "join"])
def test_no_passphrase_is_said_to_be_missing(
    chatdesk: Run, empty_database: TeamDatabase, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """``create`` would make the file of keys, ``members`` opens it, ``join`` opens the code of another computer."""
    words = ["team", verb]
    given = ""
    if verb != "create":
        monkeypatch.setenv(KEYS_PASSPHRASE, PASSPHRASE)
        create(chatdesk, empty_database, ring=False)
        code = chatdesk("ana", "team", "computer", ring=False)[1] if verb == "join" else ""
        monkeypatch.delenv(KEYS_PASSPHRASE)
        given = code
        words += ["-"] if verb == "join" else []
    else:
        words += ["--name", "Research", "--my-name", "Ana", "--url", "postgresql://boss@127.0.0.1/team"]
    who = "new" if verb == "join" else "ana"
    code, out, err = chatdesk(who, *words, given=given, ring=verb == "join")
    assert (code, out) == (1, "")
    assert "No passphrase was given." in err
    assert KEYS_PASSPHRASE in err or "CHATDESK_TEAM_PASSPHRASE" in err


def test_changes_that_the_server_lost_are_listed(chatdesk: Run, empty_database: TeamDatabase) -> None:
    create(chatdesk, empty_database)
    ask(chatdesk, "ana", "First")
    ask(chatdesk, "ana", "Second")
    assert chatdesk("ana", "team", "share", "Personal", "--yes")[0] == 0
    join(chatdesk, "ben", "Personal=editor")
    assert chatdesk("ana", "team", "check")[:2] == (0, "The server has lost nothing.\n")
    assert json.loads(chatdesk("ana", "team", "check", "--json")[1]) == {"lost": []}
    with empty_database.as_superuser() as conn:
        conn.execute("DELETE FROM cd.change WHERE seq = 2")
    code, out, _ = chatdesk("ben", "team", "check")
    assert code == 1
    assert out.startswith("“Personal”: the server has lost 1 change.\n    1 change (number 2), made between 2")
    assert out.endswith("An owner of the project can let it go on without them.\n")
    code, out, _ = chatdesk("ana", "team", "check")
    assert "The window lets it go on without them" in out
    [found] = json.loads(chatdesk("ana", "team", "check", "--json")[1])["lost"]
    assert (found["name"], found["changes"], found["may_accept"]) == ("Personal", 1, True)
    assert [(each["first"], each["last"]) for each in found["ranges"]] == [(2, 2)]
