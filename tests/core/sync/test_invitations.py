"""Invitations as they are written, and as a stranger's text is read."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from dataclasses import replace
from typing import Any

import pytest

from chatdesk.core.domain.sharing.team import ServerAddress, TeamRole
from chatdesk.core.domain.sharing.team_setup import CodeKind
from chatdesk.core.ids import new_id
from chatdesk.core.sync.invitations import (
    InvitationChanged,
    InvitationCutOff,
    InvitationTooNew,
    InvitationUnusable,
    MemberCode,
    SealedCode,
    WrongCodePassphrase,
    file_text_of,
    link_of,
    new_passphrase,
    new_secret,
    open_computer_code,
    read_code,
    view_of,
    write_computer_code,
    write_member_code,
)

WORKSPACE = new_id()
CA = "-----BEGIN CERTIFICATE-----\nMIIB+/A=\n-----END CERTIFICATE-----\n"
ADDRESS = ServerAddress(host="db.example.org", port=5433, database="team", user="cd_0190b3_ab12", ca=CA)
CODE = MemberCode(
    ADDRESS,
    new_secret(),
    WORKSPACE,
    "Research",
    1_800_000_000_000,
    member_name="Ben",
    invited_by="Ana",
    projects=(("Notes", TeamRole.EDITOR), ("Plans", TeamRole.VIEWER)),
)
QUICK = 2**10


def _as_code(data: Any, word: str = "join") -> str:
    payload = base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")
    check = base64.urlsafe_b64encode(hashlib.sha256(payload.encode()).digest()).decode()[:8]
    return f"chatdesk-{word}:{payload}.{check}"


def _data_of(code: str) -> dict[str, Any]:
    payload = code.partition(":")[2].partition(".")[0]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def test_an_invitation_says_what_it_is() -> None:
    read = read_code(write_member_code(CODE))
    assert read == CODE
    view = view_of(read, now_ms=CODE.expires_at - 1)
    assert view.kind is CodeKind.MEMBER
    assert (view.workspace_name, view.member_name, view.invited_by) == ("Research", "Ben", "Ana")
    assert view.address == ADDRESS
    assert view.projects == CODE.projects
    assert not view.is_expired
    assert not view.needs_passphrase
    assert not view.is_unencrypted
    assert view_of(read, now_ms=CODE.expires_at).is_expired
    assert view_of(replace(CODE, address=replace(ADDRESS, tls="disable")), now_ms=0).is_unencrypted
    assert CODE.secret not in repr(read)


def test_code_link_file_and_letter_are_the_same() -> None:
    code = write_member_code(CODE)
    file_text = file_text_of(code, workspace_name="Research", expires_at=CODE.expires_at)
    assert "2027-01-15 08:00 UTC" in file_text
    wrapped = "\n".join(f"> {code[at : at + 60]}" for at in range(0, len(code), 60))
    letter = f"Dear Ben,\n\nhere it is:\n{wrapped}\n\nYours, Ana"
    hyphenated = code[:100] + "\u00ad\r\n\u200b" + code[100:]
    for text in (code, f"  {code}\n", link_of(code), file_text, letter, hyphenated, f"<{link_of(code)}>"):
        assert read_code(text) == CODE


def test_secrets_are_long_and_never_the_same() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(len(base64.urlsafe_b64decode(each + "==")) >= 16 for each in made)


@pytest.mark.parametrize("text", ["", "hello", "https://example.org", "chatdesk://settings", "x" * 300_000])
def test_other_text_is_not_an_invitation(text: str) -> None:
    with pytest.raises(InvitationUnusable, match="not an invitation"):
        read_code(text)


def test_every_beginning_of_an_invitation_is_cut_off() -> None:
    code = write_member_code(CODE)
    for end in range(len("chatdesk-join:"), len(code)):
        with pytest.raises(InvitationCutOff, match="cut off"):
            read_code(code[:end])


def test_every_changed_sign_is_noticed() -> None:
    code = write_member_code(CODE)
    for at in range(len("chatdesk-join:"), len(code)):
        changed = code[:at] + ("A" if code[at] != "A" else "B") + code[at + 1 :]
        with pytest.raises(InvitationUnusable):
            read_code(changed)
    with pytest.raises(InvitationChanged, match="changed on its way"):
        read_code(code[:40] + ("A" if code[40] != "A" else "B") + code[41:])


def test_one_of_a_newer_version_says_so() -> None:
    with pytest.raises(InvitationTooNew, match="newer ChatDesk"):
        read_code(_as_code({"v": 2, "anything": "else"}))


@pytest.mark.parametrize(
    "change",
    [
        {"host": "/tmp"},
        {"host": "@abstract"},
        {"host": "a.example.org,b.example.org"},
        {"host": "a b"},
        {"host": ""},
        {"host": "fe80::1%eth0"},
        {"port": 0},
        {"port": 70_000},
        {"port": "5432"},
        {"port": True},
        {"db": "postgresql://evil.example.org/x"},
        {"db": "a=b"},
        {"db": "x" * 64},
        {"user": "postgres'"},
        {"user": "a b"},
        {"otp": "short"},
        {"otp": 5},
        {"tls": "require"},
        {"tls": "prefer"},
        {"ca": "/etc/passwd"},
        {"ca": CA.replace("MIIB", "<b>")},
        {"ca": CA * 11},
        {"ca": CA + "x"},
        {"ca": "x" * 20_000},
        {"id": "not-an-id"},
        {"name": 7},
        {"expires": "soon"},
        {"expires": 0},
        {"expires": 1e12},
        {"expires": 10**15},
        {"projects": "all"},
        {"projects": [["Notes"]]},
        {"projects": [["Notes", "king"]]},
        {"projects": [["Notes", "owner"]] * 101},
        {"projects": {"a": "b"}},
        {"v": 0},
        {"v": True},
        {"v": None},
        {"v": "1"},
    ],
)
def test_hostile_values_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvitationUnusable, match="not an invitation"):
        read_code(_as_code(_data_of(write_member_code(CODE)) | change))


@pytest.mark.parametrize("data", [[], "x", 5, None, {}, {"v": 1}, [[[]]]])
def test_hostile_shapes_are_refused(data: Any) -> None:
    for word in ("join", "computer"):
        with pytest.raises(InvitationUnusable):
            read_code(_as_code(data, word))


def test_any_bytes_are_refused_and_never_break_the_reader() -> None:
    rng = random.Random(7)
    for _ in range(500):
        payload = base64.urlsafe_b64encode(rng.randbytes(rng.randrange(1, 90))).decode().rstrip("=")
        check = base64.urlsafe_b64encode(hashlib.sha256(payload.encode()).digest()).decode()[:8]
        with pytest.raises(InvitationUnusable):
            read_code(f"chatdesk-join:{payload}.{check}")
    deep = base64.urlsafe_b64encode(b"[" * 40_000).decode().rstrip("=")
    check = base64.urlsafe_b64encode(hashlib.sha256(deep.encode()).digest()).decode()[:8]
    with pytest.raises(InvitationUnusable):
        read_code(f"chatdesk-join:{deep}.{check}")


def test_a_strangers_names_are_one_short_line_that_commands_nothing() -> None:
    data = _data_of(write_member_code(CODE)) | {
        "name": "Re\u202esearch\n\x1b[31m" + "x" * 500,
        "projects": [["a\nb", "viewer"]],
    }
    read = read_code(_as_code(data))
    assert isinstance(read, MemberCode)
    assert read.workspace_name.startswith("Re⟦U+202E⟧search ⟦U+001B⟧[31mx")
    assert len(read.workspace_name) == 80
    assert read.projects == (("a b", TeamRole.VIEWER),)


def _computer_code(passphrase: str) -> str:
    return write_computer_code(
        (ADDRESS, "the-password"),
        passphrase,
        workspace=(WORKSPACE, "Research"),
        expires_at=1_800_000_000_000,
        work=QUICK,
    )


def test_a_code_for_a_further_computer_opens_with_its_passphrase_only() -> None:
    passphrase = new_passphrase()
    code = _computer_code(passphrase)
    assert "the-password" not in json.dumps(_data_of(code))
    assert ADDRESS.user not in json.dumps(_data_of(code))
    read = read_code(link_of(code))
    assert isinstance(read, SealedCode)
    view = view_of(read, now_ms=0)
    assert view.needs_passphrase
    assert view.address is None
    assert not view.is_unencrypted
    assert (view.workspace_id, view.workspace_name) == (WORKSPACE, "Research")
    for typed in (passphrase, passphrase.upper(), f" {passphrase.replace('-', ' ')} "):
        assert open_computer_code(read, typed) == (ADDRESS, "the-password")
    assert open_computer_code(read, passphrase.replace("0", "O").replace("1", "l")) == (ADDRESS, "the-password")
    with pytest.raises(WrongCodePassphrase, match="does not open"):
        open_computer_code(read, new_passphrase())


def test_what_stands_beside_a_sealed_login_cannot_be_changed() -> None:
    passphrase = new_passphrase()
    data = _data_of(_computer_code(passphrase))
    data["parameters"]["name"] = "Another"
    read = read_code(_as_code(data, "computer"))
    assert isinstance(read, SealedCode)
    with pytest.raises(WrongCodePassphrase):
        open_computer_code(read, passphrase)


@pytest.mark.parametrize("change", [{"n": 2**20}, {"n": "x"}, {"r": 16}, {"p": 4}, {"id": "x"}, {"expires": None}])
def test_a_sealed_login_cannot_ask_for_much_work(change: dict[str, Any]) -> None:
    data = _data_of(_computer_code("abcd"))
    data["parameters"] |= change
    with pytest.raises(InvitationUnusable, match="not an invitation"):
        read_code(_as_code(data, "computer"))


def test_a_sealed_login_that_is_none_is_refused() -> None:
    data = _data_of(_computer_code("abcd"))
    data["parameters"]["nonce"] = "%%"
    read = read_code(_as_code(data, "computer"))
    assert isinstance(read, SealedCode)
    with pytest.raises(InvitationUnusable, match="not an invitation"):
        open_computer_code(read, "abcd")
