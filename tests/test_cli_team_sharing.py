"""``chatdesk team``'s verbs of sharing with a real server: Ana makes a workspace, Ben joins it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from keyring.errors import NoKeyringError

from chatdesk.cli.main import run
from chatdesk.cli.team_asking import KEYS_PASSPHRASE
from chatdesk.core.settings import secrets
from tests.helpers.postgres import NoPostgres, TeamDatabase, cluster

Run = Callable[..., tuple[int, str, str]]
PASSPHRASE = "granite otter velvet comet"


class Ring:
    """A keyring for each data directory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get_password(self, _service: str, name: str) -> str | None:
        return self.kept.get(name)

    def set_password(self, _service: str, name: str, value: str) -> None:
        self.kept[name] = value

    def delete_password(self, _service: str, name: str) -> None:
        del self.kept[name]


@pytest.fixture
def chatdesk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``chatdesk("ana", "team", "status")``: exit code, stdout and stderr. ``ring``: whether there is a keyring."""
    rings: dict[str, Ring] = {}
    monkeypatch.setenv("CHATDESK_PROVIDER", "offline")

    def missing() -> Ring:
        raise NoKeyringError

    def command(who: str, *words: str, given: str = "", ring: bool = True) -> tuple[int, str, str]:
        monkeypatch.setattr(secrets, "system_keyring", lambda: rings.setdefault(who, Ring()) if ring else missing())
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        code = run([*words, "--data-dir", str(tmp_path / who)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


@pytest.fixture
def empty() -> Iterator[TeamDatabase]:
    try:
        server = cluster()
    except NoPostgres as none:
        pytest.skip(str(none))
    made = server.empty_database()
    yield made
    server.drop(made)


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


def test_a_project_is_shared_written_in_and_left_from_the_command_line(chatdesk: Run, empty: TeamDatabase) -> None:
    create(chatdesk, empty)
    asked = ask(chatdesk, "ana", "Where are we?")
    code, out, err = chatdesk("ana", "team", "share", "Personal", "--yes")
    assert (code, out) == (0, "“Personal” is shared with Research.\n"), err
    assert "into which new threads go" in err
    join(chatdesk, "ben", "Personal=editor")
    code, out, _ = chatdesk("ben", "projects")
    assert sorted(line.split("  ")[-1] for line in out.splitlines()) == ["Personal", "Personal (Research)"]

    before = changes_on(empty)
    ask(chatdesk, "ben", "And now?", "--thread", asked["thread_id"])
    assert changes_on(empty) == before + 2  # sent before the command ended
    code, out, _ = chatdesk("ben", "team", "check")
    assert (code, out) == (0, "The server has lost nothing.\n")
    assert chatdesk("ana", "team", "sync")[:2] == (0, "Research: is up to date.\n")
    assert "And now?" in chatdesk("ana", "show", asked["thread_id"])[1]

    code, out, err = chatdesk("ben", "threads", "--project", "personal (research)")
    assert asked["thread_id"] in out, err
    code, out, err = chatdesk("ben", "threads", "--project", "Personal")
    assert code == 0  # the private one is called exactly that

    assert chatdesk("ben", "team", "stop", "Personal", "--yes")[0] == 0
    assert "0 shared" in chatdesk("ben", "team", "status")[1]
    assert chatdesk("ana", "team", "stop", "Personal")[0] == 1  # nobody could be asked
    code, out, _ = chatdesk("ana", "team", "stop", "Personal", "--yes")
    assert (code, out) == (0, "“Personal” is no longer shared. This is a private copy.\n")


def test_roles_owners_and_removal(chatdesk: Run, empty: TeamDatabase) -> None:
    create(chatdesk, empty)
    assert chatdesk("ana", "team", "share", "Personal", "--yes")[0] == 0
    join(chatdesk, "ben", "Personal=viewer")

    def roles() -> dict[str, tuple[list[str], bool, str]]:
        rows = json.loads(chatdesk("ana", "team", "members", "--json")[1])
        return {row["name"]: (list(row["roles"].values()), row["is_owner"], row["status"]) for row in rows}

    assert roles()["Ben"] == (["viewer"], False, "active")
    assert chatdesk("ana", "team", "role", "Personal", "ben", "admin")[:2] == (
        0,
        "Ben is admin of “Personal” now.\n",
    )
    assert chatdesk("ana", "team", "owner", "Ben")[0] == 0
    assert roles()["Ben"] == (["admin"], True, "active")
    assert chatdesk("ana", "team", "owner", "Ben", "--off")[0] == 0
    assert chatdesk("ana", "team", "role", "Personal", "Ben", "none")[0] == 0
    assert roles()["Ben"] == ([], False, "active")
    code, words = chatdesk("ana", "team", "policy")[:2]
    assert (code, words.splitlines()[0]) == (0, "who invites: owners")
    assert "projects each: 200" in words.splitlines()
    assert chatdesk("ana", "team", "policy", "--who-invites", "admins")[1].startswith("who invites: admins\n")
    assert chatdesk("ben", "team", "policy", "--who-invites", "owners")[0] == 1
    assert chatdesk("ana", "team", "disconnect", "Ben")[:2] == (0, "0 connections of Ben were ended.\n")
    assert chatdesk("ana", "team", "role", "Personal", "Zoe", "viewer")[0] == 1
    assert chatdesk("ana", "team", "remove", "Ben", "--yes")[0] == 0
    assert roles()["Ben"][2] == "removed"
    code, _, err = chatdesk("ben", "team", "sync", "--wait", "10")
    assert code == 1
    assert "closed" in err


def test_what_waits_and_what_was_refused_is_told(
    chatdesk: Run, empty: TeamDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(chatdesk, empty)
    asked = ask(chatdesk, "ana", "First")
    assert chatdesk("ana", "team", "share", "Personal", "--yes")[0] == 0
    join(chatdesk, "ben", "Personal=editor")
    monkeypatch.setattr("chatdesk.cli.team_sharing.ASK_WAIT_S", 1)
    _let_in(empty, is_open=False)
    code, _, err = chatdesk("ben", "ask", "Offline", "--thread", asked["thread_id"])
    assert code == 0
    assert "The team has not got it yet" in err
    assert "'chatdesk team sync' sends it" in err
    code, _, err = chatdesk("ben", "team", "sync", "--wait", "1")
    assert code == 1
    assert "2 changes wait here" in err
    _let_in(empty, is_open=True)
    assert json.loads(chatdesk("ben", "team", "status", "--json")[1])[0]["waiting"] == 2
    assert chatdesk("ana", "team", "role", "Personal", "Ben", "viewer")[0] == 0
    code, out, _ = chatdesk("ben", "team", "sync")
    refused = json.loads(chatdesk("ben", "team", "refused", "--json")[1])
    assert len(refused) == 2
    assert "2 refused" in out
    assert "Offline" in chatdesk("ben", "team", "refused")[1]
    code, thread, _ = chatdesk("ben", "team", "refused", "--copy", refused[-1]["id"])
    assert code == 0
    assert chatdesk("ben", "show", thread.strip())[0] == 0
    assert chatdesk("ben", "team", "refused", "--forget", "all")[0] == 0
    assert chatdesk("ben", "team", "refused")[2] == "chatdesk: nothing was refused\n"
    assert chatdesk("ben", "team", "refused", "--retry", "x")[0] == 1


def _allow_bytes(database: TeamDatabase, each: int) -> None:
    """A workspace of which each member may send this much text a day; less than an owner can set."""
    with database.as_superuser() as conn:
        conn.execute("ALTER TABLE cd.policy DROP CONSTRAINT IF EXISTS policy_bytes_each_check")
        conn.execute("UPDATE cd.policy SET bytes_each = %s", (each,))


def test_the_limit_that_holds_changes_up_is_named(chatdesk: Run, empty: TeamDatabase) -> None:
    create(chatdesk, empty)
    asked = ask(chatdesk, "ana", "First")
    assert chatdesk("ana", "team", "share", "Personal", "--yes")[0] == 0
    assert chatdesk("ana", "team", "refused")[2] == "chatdesk: nothing was refused\n"
    _allow_bytes(empty, 1)
    code, _, err = chatdesk("ana", "ask", "Too much", "--thread", asked["thread_id"])
    assert code == 0
    assert "daily limit of text for each member" in err
    code, out, _ = chatdesk("ana", "team", "refused")
    assert code == 0
    assert "2 changes wait (limit bytes_each): You have reached the workspace's daily limit of text" in out
    assert "An owner of the workspace can raise the limit." in out
    [row] = json.loads(chatdesk("ana", "team", "refused", "--json")[1])
    assert (row["kind"], row["status"], row["limit"], row["waiting"]) == ("project", "team_limited", "bytes_each", 2)
    assert "daily limit of text" in row["sentence"]
    assert chatdesk("ana", "team", "refused", "--retry", "all")[0] == 1  # nothing of it was refused
    _allow_bytes(empty, 1_000_000_000)
    assert chatdesk("ana", "team", "sync")[0] == 0
    assert chatdesk("ana", "team", "refused")[2] == "chatdesk: nothing was refused\n"


def test_without_a_keyring_the_encrypted_file_is_made_and_used(
    chatdesk: Run, empty: TeamDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(KEYS_PASSPHRASE, PASSPHRASE)
    create(chatdesk, empty, ring=False)
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
    chatdesk: Run, empty: TeamDatabase, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """``create`` would make the file of keys, ``members`` opens it, ``join`` opens the code of another computer."""
    words = ["team", verb]
    given = ""
    if verb != "create":
        monkeypatch.setenv(KEYS_PASSPHRASE, PASSPHRASE)
        create(chatdesk, empty, ring=False)
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


def test_an_owner_goes_on_without_what_the_server_lost(chatdesk: Run, empty: TeamDatabase) -> None:
    create(chatdesk, empty)
    ask(chatdesk, "ana", "First")
    ask(chatdesk, "ana", "Second")
    assert chatdesk("ana", "team", "share", "Personal", "--yes")[0] == 0
    join(chatdesk, "ben", "Personal=editor")
    assert chatdesk("ana", "team", "lost")[:2] == (0, "The server has lost nothing.\n")
    assert chatdesk("ana", "team", "lost", "--json")[1] == "[]\n"
    code, _, err = chatdesk("ana", "team", "lost", "--accept", "Personal", "--yes")
    assert code == 1
    assert "The server has lost nothing of “Personal”." in err
    with empty.as_superuser() as conn:
        conn.execute("DELETE FROM cd.change WHERE seq = 2")
    code, out, _ = chatdesk("ben", "team", "lost")
    assert code == 0
    assert out.startswith("“Personal”: the server has lost 1 change.\n    1 change (number 2), made between 2")
    assert out.endswith("An owner of the project can let it go on without them.\n")
    [found] = json.loads(chatdesk("ana", "team", "lost", "--json")[1])
    assert (found["name"], found["changes"], found["may_accept"]) == ("Personal", 1, True)
    assert [(each["first"], each["last"]) for each in found["ranges"]] == [(2, 2)]
    code, out, _ = chatdesk("ana", "team", "check")
    assert code == 1
    assert f"'chatdesk team lost --accept {found['project_id']}' lets it go on without them." in out
    assert json.loads(chatdesk("ana", "team", "check", "--json")[1])["lost"] == [found]
    assert chatdesk("ben", "team", "lost", "--accept", "Personal (Research)", "--yes")[0] == 1
    code, out, err = chatdesk("ana", "team", "lost", "--accept", "Personal")  # nobody could be asked
    assert code == 1
    assert "the server has lost 1 change." in out
    assert "Add --yes." in err
    code, out, err = chatdesk("ana", "team", "lost", "--accept", "Personal", "--yes")
    assert code == 0, err
    assert out.endswith("“Personal” goes on without them. Every computer fetches it again.\n")
    for who in ("ana", "ben"):
        assert chatdesk(who, "team", "sync")[0] == 0
        code, out, err = chatdesk(who, "team", "check")
        assert code == 0, out + err
        assert "Ana let it go on without 1 change that the server had lost." in out


def test_words_are_erased_from_the_command_line(chatdesk: Run, empty: TeamDatabase) -> None:
    def words_on_server() -> str:
        with empty.as_superuser() as conn:
            row = conn.execute("SELECT coalesce(string_agg(body::text, ''), '') FROM cd.change").fetchone()
        assert row is not None
        return str(row[0])

    create(chatdesk, empty)
    asked = ask(chatdesk, "ana", "Where is the treasure?")
    assert chatdesk("ana", "team", "share", "Personal", "--yes")[0] == 0
    join(chatdesk, "ben", "Personal=editor")
    assert "treasure" in words_on_server()
    assert "treasure" in chatdesk("ben", "show", asked["thread_id"])[1]
    code, _, err = chatdesk("ben", "team", "erase", "--thread", asked["thread_id"], "--yes")
    assert code != 0
    assert "You wrote none of this" in err
    assert chatdesk("ana", "team", "erase", "--thread", asked["thread_id"])[0] == 1  # nobody could be asked
    code, out, err = chatdesk("ana", "team", "erase", "--thread", asked["thread_id"], "--yes")
    assert (code, out) == (0, "The server has erased 2 messages.\n"), err
    assert "treasure" not in words_on_server()
    assert chatdesk("ben", "team", "sync")[0] == 0
    assert "treasure" not in "".join(chatdesk("ben", "show", asked["thread_id"])[1:])
    assert chatdesk("ben", "team", "check")[1] == "The server has lost nothing.\n"

    assert chatdesk("ana", "team", "keep", "Personal")[1] == "forever\n"
    code, out, err = chatdesk("ana", "team", "keep", "Personal", "30", "--yes")
    assert (code, out) == (0, "“Personal” keeps messages for 30 days.\n"), err
    assert chatdesk("ana", "team", "keep", "Personal")[1] == "30 days\n"
    assert chatdesk("ana", "team", "keep", "Personal", "soon", "--yes")[0] != 0

    assert chatdesk("ben", "team", "erase", "--project", "Personal (Research)", "--yes")[0] != 0
    code, out, err = chatdesk("ana", "team", "erase", "--project", "Personal", "--yes")
    assert (code, out) == (0, "“Personal” is erased.\n"), err
    chatdesk("ben", "team", "sync")
    assert "(Research)" not in chatdesk("ben", "projects")[1]
