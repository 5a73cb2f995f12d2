"""Keeps the tokens that let other programs in: a private file each, with the hash of the token and never the token.

Making one creates a file and revoking one removes it, so that the command line and a running service need no lock
between them, and a revoked token is dead at the next request. The time of a file is when its token was last used.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chatdesk.core.errors import InvalidInput, NotFound, NotPossible
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.paths import make_private_folder
from chatdesk.core.system.file_writing import remove_file, write_new_text
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text
from chatdesk.service.caller import Caller, Scope

_FORM: Final = re.compile(r"cd_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_ID: Final = re.compile(r"[0-9a-f]{16}")
_LONGEST_FILE_BYTES: Final = 16 * 1024
_LONGEST_NAME: Final = 60
_USED_EVERY_MS: Final = 60_000
_NO_HASH: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its text. Times are milliseconds UTC; ``last_used_at`` is right to a minute."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    projects: tuple[str, ...]
    created_at: int
    expires_at: int | None
    requests_per_minute: int
    last_used_at: int | None
    digest: str
    tokens_per_minute: int = 0
    money_per_day: float = 0.0

    @property
    def caller(self) -> Caller:
        return Caller(
            self.id,
            self.name,
            frozenset(self.scopes),
            frozenset(self.projects),
            self.requests_per_minute,
            self.tokens_per_minute,
            self.money_per_day,
        )


class UnknownToken(NotFound):
    code = "token_not_found"
    what = Text("There is no such token.")
    next_step = Text("'chatdesk tokens list' shows them all.")


class TokenBook:
    """The tokens in one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: dict[str, tuple[tuple[int, int], Token]] = {}

    def make(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        projects: Sequence[str] = (),
        expires_at: int | None = None,
        requests_per_minute: int = 0,
        tokens_per_minute: int = 0,
        money_per_day: float = 0.0,
        now_ms: int,
    ) -> tuple[Token, str]:
        """Make a token and return it with its text, which is kept nowhere. Raises ``InvalidInput`` for a name that is
        empty or taken, and ``NotPossible`` where it cannot be kept."""
        shown = self.checked_name(name)
        secret = secrets.token_urlsafe(32)
        text = f"cd_{secrets.token_hex(8)}_{secret}"
        made = Token(
            text.split("_", 2)[1],
            shown,
            tuple(dict.fromkeys(map(Scope, scopes))),
            tuple(projects),
            now_ms,
            expires_at,
            requests_per_minute,
            None,
            digest_of(text),
            tokens_per_minute,
            money_per_day,
        )
        try:
            make_private_folder(self._directory)
            path = self._path(made.id)
            write_new_text(path, json.dumps(_as_data(made)))
            os.utime(path, ns=(0, 0))
        except OSError as error:
            raise _unwritable(self._directory, error) from error
        return made, text

    def checked_name(self, name: str) -> str:
        """Return the name that a new token would have. Raises ``InvalidInput`` where it is empty or taken."""
        shown = clean_line(name)[:_LONGEST_NAME].strip()
        if not shown:
            raise InvalidInput(
                Text("A token needs a name."),
                safe=Text("Nothing was changed."),
                next_step=Text("Give it the name of the program that will use it."),
            )
        if any(shown in (each.name, each.id) for each in self.all()):
            raise InvalidInput(
                Text("There is already a token called “{name}”.", name=shown),
                safe=Text("Nothing was changed."),
                next_step=Text("Choose another name."),
            )
        return shown

    def all(self) -> list[Token]:
        """Return all tokens, the oldest first."""
        try:
            names = [path.stem for path in self._directory.glob("*.json") if _ID.fullmatch(path.stem)]
        except OSError:
            return []
        found = [token for name in names if (token := self._read(name)) is not None]
        return sorted(found, key=lambda token: (token.created_at, token.id))

    def revoke(self, wanted: str) -> Token:
        """Remove the token of this name or id. Raises ``UnknownToken``, and ``NotPossible`` where it stays."""
        token = next((each for each in self.all() if wanted in (each.name, each.id)), None)
        if token is None:
            raise UnknownToken
        try:
            remove_file(self._path(token.id))
            remove_file(self._path(token.id).with_suffix(".spent"))
        except OSError as error:
            raise _unwritable(self._directory, error) from error
        return token

    def find(self, text: str, *, now_ms: int) -> Token | None:
        """Return the token with this text, if it is valid now. Takes as long for a wrong one as for a right one."""
        matched = _FORM.fullmatch(text)
        token = self._read(matched[1]) if matched else None
        is_right = hmac.compare_digest(digest_of(text), token.digest if token else _NO_HASH)
        if token is None or not is_right or (token.expires_at is not None and token.expires_at <= now_ms):
            return None
        if now_ms - (token.last_used_at or 0) >= _USED_EVERY_MS:
            with suppress(OSError):
                os.utime(self._path(token.id), ns=(now_ms * 1_000_000,) * 2)
        return token

    def is_valid(self, token_id: str, *, now_ms: int) -> bool:
        """Return whether a token is still there and has not expired."""
        token = self._read(token_id)
        return token is not None and (token.expires_at is None or token.expires_at > now_ms)

    def _path(self, token_id: str) -> Path:
        return self._directory / f"{token_id}.json"

    def _read(self, token_id: str) -> Token | None:
        """Return a token, read again only when its file is another one or was used."""
        path = self._path(token_id)
        try:
            found = path.stat()
            state = (found.st_ino, found.st_mtime_ns)
            known = self._known.get(token_id)
            if known is None or known[0] != state:
                with path.open("rb") as file:
                    data = json.loads(file.read(_LONGEST_FILE_BYTES))
                known = state, _token_of(token_id, data, state[1] // 1_000_000 or None)
                self._known[token_id] = known
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            self._known.pop(token_id, None)
            return None
        return known[1]


def _unwritable(directory: Path, error: OSError) -> NotPossible:
    return NotPossible(
        Text(
            "The folder of the tokens, {folder}, cannot be written to: {reason}.",
            folder=str(directory),
            reason=reason_text(error),
        ),
        safe=Text("Nothing was changed."),
        next_step=Text("Make it writable; on Linux XDG_STATE_HOME may name another place, here and for the service."),
    )


def digest_of(text: str) -> str:
    """Return the hash that is kept of a token. Its text is long and random, so that a fast hash is enough."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _as_data(token: Token) -> dict[str, Any]:
    return {
        "name": token.name,
        "scopes": [str(scope) for scope in token.scopes],
        "projects": list(token.projects),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "requests_per_minute": token.requests_per_minute,
        "tokens_per_minute": token.tokens_per_minute,
        "money_per_day": token.money_per_day,
        "sha256": token.digest,
    }


def _token_of(token_id: str, data: dict[str, Any], used_at: int | None) -> Token:
    expires_at = data["expires_at"]
    return Token(
        token_id,
        str(data["name"]),
        tuple(Scope(each) for each in data["scopes"]),
        tuple(str(each) for each in data["projects"]),
        int(data["created_at"]),
        None if expires_at is None else int(expires_at),
        int(data["requests_per_minute"]),
        used_at,
        str(data["sha256"]),
        int(data.get("tokens_per_minute", 0)),
        float(data.get("money_per_day", 0.0)),
    )


_EVERY_S: Final = 0.5


class TokenWatch:
    """Checks the tokens of all connected callers, twice a second while there are any."""

    def __init__(self, still_valid: Callable[[Caller], bool]) -> None:
        self._still_valid = still_valid
        self._watched: dict[object, tuple[Caller, Callable[[], object]]] = {}
        self._looking: asyncio.TimerHandle | None = None

    @contextmanager
    def over(self, caller: Caller, end: Callable[[], object]) -> Iterator[None]:
        """Call ``end`` once when the caller's token is gone, as long as the block runs."""
        key = object()
        self._watched[key] = (caller, end)
        if self._looking is None:
            self._look_later()
        try:
            yield
        finally:
            self._watched.pop(key, None)
            if not self._watched and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    def _look_later(self) -> None:
        self._looking = asyncio.get_running_loop().call_later(_EVERY_S, self._look)

    def _look(self) -> None:
        callers = {caller.id: caller for caller, _ in self._watched.values()}
        gone = {id_ for id_, caller in callers.items() if not self._still_valid(caller)}
        for key, (caller, end) in list(self._watched.items()):
            if caller.id in gone:
                del self._watched[key]
                end()
        self._looking = None
        if self._watched:
            self._look_later()
