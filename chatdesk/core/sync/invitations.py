"""Codes that bring people and computers into a workspace: writes them, and reads them from a stranger's text.

``chatdesk-join:<payload>.<check>`` or ``chatdesk://join/<payload>.<check>``: the payload is JSON in URL-safe base64,
the check the first eight characters of its SHA-256, which tells a code that was cut off or changed on its way from one
that is invalid. The code may be inside a letter or a file. ``chatdesk-computer:`` has the same form and holds a
sealed login.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatdesk.core.domain.sharing.team import ServerAddress, TeamRole
from chatdesk.core.domain.sharing.team_setup import CodeKind, InvitationView
from chatdesk.core.errors import InvalidId, InvalidInput
from chatdesk.core.hidden_characters import strangers_name
from chatdesk.core.ids import checked_id
from chatdesk.core.moments import utc_moment
from chatdesk.core.settings.sealing import WORK, CannotUnseal, seal, unseal
from chatdesk.core.sync.address import AddressUnusable, checked_address
from chatdesk.core.texts import Text

VERSION = 1
LONGEST_NAME = 80
_WORDS = {CodeKind.MEMBER: "join", CodeKind.COMPUTER: "computer"}
_CODE = re.compile(r"chatdesk(?:-|://)(join|computer)[:/]([A-Za-z0-9_-]{1,65536})(?:\.([A-Za-z0-9_-]{8})?)?")
_BEGINNING = re.compile(r"chatdesk(?:-|://)(?:join|computer)")
_LONGEST_TEXT = 256 * 1024
_LONGEST_CA = 16 * 1024
_CA_BEGINS, _CA_ENDS = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_MOST_CAS = 10
_MOST_PROJECTS = 100
_SECRET = re.compile(r"[A-Za-z0-9_-]{22,128}")
_LOGIN = re.compile(r"[A-Za-z0-9_.-]{1,63}")
_LATEST_MS = 4_102_444_800_000  # the year 2100
# Without the signs that are taken for each other; 12 of them are 60 bits, of which scrypt makes every guess costly.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PASSPHRASE_SIGNS, _GROUP = 12, 4
_SYSTEM_CA = "system"


class InvitationUnusable(InvalidInput):
    code = "invitation_unusable"
    what = Text("That is not an invitation to a workspace.")
    safe = Text("Nothing was sent.")
    next_step = Text("Paste the whole code or link, or open the file that you were given.")


class InvitationCutOff(InvitationUnusable):
    code = "invitation_cut_off"
    what = Text("The invitation is cut off: its end is missing.")
    next_step = Text("Copy all of it, or ask for it as a file.")


class InvitationChanged(InvitationUnusable):
    code = "invitation_changed"
    what = Text("The invitation was changed on its way: it is not what was sent.")
    next_step = Text("Copy it again from where you got it, or ask for it as a file.")


class InvitationTooNew(InvitationUnusable):
    code = "invitation_too_new"
    what = Text("The invitation was made by a newer ChatDesk.")
    next_step = Text("Install the newest ChatDesk, then open it again.")


class WrongCodePassphrase(InvitationUnusable):
    code = "wrong_code_passphrase"
    what = Text("The passphrase does not open this code.")
    next_step = Text("Type it as it is shown on the other computer, three groups of four characters.")


@dataclass(frozen=True, slots=True)
class MemberCode:
    """The content of an invitation. ``secret`` is the password until the person has joined; ``expires_at`` is in
    milliseconds UTC."""

    address: ServerAddress
    secret: str = field(repr=False)
    workspace_id: str
    workspace_name: str
    expires_at: int
    member_name: str = ""
    invited_by: str = ""
    projects: tuple[tuple[str, TeamRole], ...] = ()


@dataclass(frozen=True, slots=True)
class SealedCode:
    """The content of a code for a further computer; ``open_computer_code`` decrypts its login."""

    workspace_id: str
    workspace_name: str
    expires_at: int
    document: Mapping[str, Any] = field(repr=False)


def new_secret() -> str:
    """Return a one-time password: 192 random bits."""
    return secrets.token_urlsafe(24)


def new_passphrase() -> str:
    signs = [secrets.choice(_ALPHABET) for _ in range(_PASSPHRASE_SIGNS)]
    return "-".join("".join(signs[at : at + _GROUP]) for at in range(0, _PASSPHRASE_SIGNS, _GROUP))


def write_member_code(code: MemberCode) -> str:
    address = code.address
    return _written(
        CodeKind.MEMBER,
        {
            "v": VERSION,
            "id": code.workspace_id,
            "name": code.workspace_name,
            "expires": code.expires_at,
            **_address_as_data(address),
            "otp": code.secret,
            "for": code.member_name,
            "by": code.invited_by,
            "projects": [[_short(name), role.value] for name, role in code.projects[:_MOST_PROJECTS]],
        },
    )


def write_computer_code(
    login: tuple[ServerAddress, str], passphrase: str, *, workspace: tuple[str, str], expires_at: int, work: int = WORK
) -> str:
    """Return the code for a further computer. ``login`` is an address and its password, ``workspace`` its id and name.
    Takes most of a second (scrypt)."""
    address, password = login
    plain = json.dumps({**_address_as_data(address), "password": password}).encode()
    beside = {"id": workspace[0], "name": _short(workspace[1]), "expires": expires_at}
    document = seal(plain, _folded(passphrase), beside=beside, work=work)
    return _written(CodeKind.COMPUTER, {"v": VERSION, **document})


def link_of(code: str) -> str:
    """Return the code as a link for a browser or a mail program to open."""
    word, _, rest = code.partition(":")
    return f"chatdesk://{word.removeprefix('chatdesk-')}/{rest}"


def file_text_of(code: str, *, workspace_name: str, expires_at: int) -> str:
    """Return the text of a file that contains the code and describes it."""
    until = utc_moment(expires_at).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"An invitation to the workspace {_short(workspace_name)} in ChatDesk, good once, until {until}.\n"
        "Open this file in ChatDesk: Settings, Team sync, Join. Whoever has it can join, so give it to nobody else.\n\n"
        f"{code}\n"
    )


def read_code(text: str) -> MemberCode | SealedCode:
    """Return the content of a code, link or file. Raises ``InvitationUnusable`` and its subclasses."""
    kind, payload = _payload_in(text)
    try:
        data = json.loads(payload)
        version = data["v"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvitationUnusable from None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InvitationUnusable
    if version > VERSION:
        raise InvitationTooNew
    try:
        return _member_code(data) if kind is CodeKind.MEMBER else _sealed_code(data)
    except (KeyError, TypeError, ValueError, InvalidId, AddressUnusable):
        raise InvitationUnusable from None


def open_computer_code(code: SealedCode, passphrase: str) -> tuple[ServerAddress, str]:
    """Return the address and the password in a sealed code. Takes most of a second (scrypt). Raises
    ``WrongCodePassphrase``, ``InvitationUnusable``."""
    try:
        data = json.loads(unseal(code.document, _folded(passphrase)))
        return _address_in(data), _text_in(data, "password", 256)
    except CannotUnseal:
        raise WrongCodePassphrase from None
    except (KeyError, TypeError, ValueError, AddressUnusable):
        raise InvitationUnusable from None


def view_of(code: MemberCode | SealedCode, *, now_ms: int) -> InvitationView:
    """Return the parts of a code that a person is shown before anything is sent."""
    is_expired = code.expires_at <= now_ms
    if isinstance(code, SealedCode):
        return InvitationView(
            CodeKind.COMPUTER, code.workspace_id, code.workspace_name, None, code.expires_at, is_expired
        )
    return InvitationView(
        CodeKind.MEMBER,
        code.workspace_id,
        code.workspace_name,
        code.address,
        code.expires_at,
        is_expired,
        code.member_name,
        code.invited_by,
        code.projects,
    )


def shown_name(text: object) -> str:
    """Return a stranger's name as it may be shown: one line, bounded; invisible characters, and letters that look like
    Latin ones beside them, are spelt out. Raises ``TypeError`` for anything but a string."""
    if not isinstance(text, str):
        raise TypeError("a name")
    return strangers_name(text, LONGEST_NAME)


def _written(kind: CodeKind, data: Mapping[str, Any]) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(data, separators=(",", ":")).encode()).decode().rstrip("=")
    return f"chatdesk-{_WORDS[kind]}:{payload}.{_check(payload)}"


def _check(payload: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(payload.encode()).digest()).decode()[:8]


def _payload_in(text: str) -> tuple[CodeKind, bytes]:
    if len(text) > _LONGEST_TEXT:
        raise InvitationUnusable
    # Mail programs break long lines, quote them and put invisible signs where a line may end.
    joined = "".join(text.replace("\n>", "\n").split())
    joined = re.sub("[\u00ad\u200b-\u200d\u2060\ufeff]", "", joined)
    found = _CODE.search(joined)
    if found is None:
        raise InvitationCutOff if _BEGINNING.search(joined) else InvitationUnusable
    kind = next(kind for kind, word in _WORDS.items() if word == found[1])
    if found[3] is None:
        raise InvitationCutOff
    if _check(found[2]) != found[3]:
        raise InvitationChanged
    try:
        return kind, base64.urlsafe_b64decode(found[2] + "=" * (-len(found[2]) % 4))
    except (binascii.Error, ValueError):
        raise InvitationUnusable from None


def _member_code(data: Mapping[str, Any]) -> MemberCode:
    secret = data["otp"]
    if not isinstance(secret, str) or not _SECRET.fullmatch(secret):
        raise ValueError("secret")
    return MemberCode(
        _address_in(data),
        secret,
        *_workspace_in(data),
        shown_name(data.get("for", "")),
        shown_name(data.get("by", "")),
        _projects_in(data.get("projects", [])),
    )


def _sealed_code(data: Mapping[str, Any]) -> SealedCode:
    head = dict(data["parameters"])
    if not (isinstance(head["n"], int) and head["n"] <= WORK and head["r"] == 8 and head["p"] == 1):
        raise ValueError("more work than is asked of anybody")
    return SealedCode(*_workspace_in(head), {"parameters": head, "sealed": str(data["sealed"])})


def _workspace_in(data: Mapping[str, Any]) -> tuple[str, str, int]:
    expires = data["expires"]
    if not isinstance(expires, int) or isinstance(expires, bool) or not 0 < expires < _LATEST_MS:
        raise ValueError("expires")
    return checked_id(data["id"]), shown_name(data["name"]), expires


def _address_as_data(address: ServerAddress) -> dict[str, Any]:
    return {
        "host": address.host,
        "port": address.port,
        "db": address.database,
        "user": address.user,
        "tls": address.tls,
        "ca": address.ca or _SYSTEM_CA,
    }


def _address_in(data: Mapping[str, Any]) -> ServerAddress:
    port, ca = data["port"], _text_in(data, "ca", _LONGEST_CA)
    user = _text_in(data, "user", 63)
    if not isinstance(port, int) or isinstance(port, bool) or not _LOGIN.fullmatch(user):
        raise ValueError("port or user")
    if ca != _SYSTEM_CA and not _is_certificates(ca):
        raise ValueError("ca")
    return checked_address(
        ServerAddress(
            host=_text_in(data, "host", 253),
            port=port,
            database=_text_in(data, "db", 63),
            user=user,
            tls=_text_in(data, "tls", 20),
            ca="" if ca == _SYSTEM_CA else ca,
        )
    )


def _is_certificates(text: str) -> bool:
    blocks = text.split(_CA_ENDS)
    return blocks[-1].strip() == "" and 1 < len(blocks) <= _MOST_CAS and all(map(_is_begun_certificate, blocks[:-1]))


def _is_begun_certificate(text: str) -> bool:
    before, begins, body = text.partition(_CA_BEGINS)
    return bool(begins) and not before.strip() and re.fullmatch(r"[A-Za-z0-9+/=\s]+", body) is not None


def _projects_in(value: object) -> tuple[tuple[str, TeamRole], ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > _MOST_PROJECTS:
        raise ValueError("projects")
    return tuple((shown_name(name), TeamRole(role)) for name, role in value)


def _text_in(data: Mapping[str, Any], name: str, longest: int) -> str:
    value = data[name]
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise ValueError(name)
    return value


def _short(name: str) -> str:
    return " ".join(name.split())[:LONGEST_NAME]


def _folded(passphrase: str) -> bytes:
    """Return the passphrase without regard to case, spaces and letters that look like digits."""
    plain = passphrase.casefold().translate(str.maketrans("oil", "011"))
    return "".join(sign for sign in plain if sign in _ALPHABET).encode()
