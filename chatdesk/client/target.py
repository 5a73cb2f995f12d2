"""Finds the service for one client: its address, its token, and the time of the next attempt."""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2

from chatdesk.client.errors import BadToken, ClientError, NotRunning, Problem, Unreachable
from chatdesk.client.request import Place, Request

URL_VARIABLE: Final = "CHATDESK_URL"
TOKEN_VARIABLE: Final = "CHATDESK_TOKEN"  # noqa: S105 - the name of a variable
DATA_DIR_VARIABLE: Final = "CHATDESK_DATA_DIR"
_NEXT: Final = "Turn it on in ChatDesk under Settings › Local service, or run 'chatdesk serve'."
_AGAIN: Final = frozenset({429, 503})
_RUNNING: Final = "request_running"


@dataclass(frozen=True, slots=True)
class Retries:
    """The number of attempts in all, and the waits between them, which double from ``first_s`` to ``longest_s``. A
    service that asks for more than ``longest_s`` is not asked again. Following events ends only after ``connections``
    failed connections in a row."""

    attempts: int = 5
    first_s: float = 0.1
    longest_s: float = 5.0
    connections: int = 30

    def wait_s(self, number: int, error: ClientError, *, is_following: bool = False) -> float | None:
        """Return how long to wait after attempt ``number``, from 1, failed with ``error``; None: give up."""
        if number >= (self.connections if is_following else self.attempts) or not _may_pass(error):
            return None
        named = error.retry_after_s if isinstance(error, Problem) else None
        if named is not None:
            return named if named <= self.longest_s else None
        return float(min(self.longest_s, self.first_s * 2 ** min(number - 1, 30)) * random.uniform(0.5, 1.0))  # noqa: S311


def _may_pass(error: ClientError) -> bool:
    if isinstance(error, Problem):
        return error.status in _AGAIN or error.code == _RUNNING
    return isinstance(error, Unreachable)


class Target:
    """A service. After each start it has another address and another token of the owner, which are looked for again."""

    def __init__(
        self,
        url: str | None,
        token: str | None,
        data_dir: str | os.PathLike[str] | None,
        retries: Retries | None,
    ) -> None:
        self._given = (url, token, data_dir)
        self._retries = retries or Retries()
        self.place = find_place(url, token, data_dir=data_dir)

    def wait_s(self, number: int, error: Problem | Unreachable, *, is_following: bool = False) -> float:
        """Return how long to wait after attempt ``number``, from 1, failed. Raises the error instead of a last wait."""
        wait_s = self._retries.wait_s(number, error, is_following=is_following)
        if wait_s is None and not (number == 1 and isinstance(error, BadToken)):
            raise error
        is_new = self._find_again(error)
        if wait_s is None and not is_new:
            raise error
        return wait_s or 0.0

    def _find_again(self, error: ClientError) -> bool:
        if not self.place.is_of_owner or (isinstance(error, Problem) and not isinstance(error, BadToken)):
            return False
        before = self.place
        try:
            url, token, data_dir = self._given
            self.place = find_place(url, token, data_dir=data_dir)
        except NotRunning:
            return False
        return self.place != before


def check_refusal(request: Request[object], response: httpx2.Response) -> None:
    """Raise the ``Problem`` that a response is; its content has to be read before."""
    if not response.is_success:
        request.result_of(response)


def error_of(error: httpx2.HTTPError) -> ClientError:
    """Return the client's own error for one of httpx2."""
    if isinstance(error, httpx2.TransportError):
        return lost(error)
    return ClientError(str(error))


def lost(error: Exception) -> Unreachable:
    """Return the error for a connection that could not be made or was lost."""
    return Unreachable(f"The local service does not answer: {str(error) or type(error).__name__}.")


def find_place(
    url: str | None = None,
    token: str | None = None,
    *,
    data_dir: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Place:
    """Return the place: arguments take precedence over variables, and these over files; with a ``data_dir`` the
    variables are ignored. The owner's token is sent only to the address beside it, and any other only to this computer
    if a file names the address. Raises ``NotRunning``."""
    environ = os.environ if environ is None else environ
    named: Mapping[str, str] = environ if data_dir is None else {}
    wanted_url = url or named.get(URL_VARIABLE) or ""
    wanted_token = token or named.get(TOKEN_VARIABLE) or ""
    if wanted_url:
        if not wanted_token:
            raise NotRunning(f"An address needs a token: give one, or set {TOKEN_VARIABLE}.")
        return Place(wanted_url.rstrip("/"), wanted_token)
    folder = (Path(data_dir) if data_dir is not None else data_directory(environ)) / "service"
    try:
        found = str(json.loads((folder / "address.json").read_text("utf-8"))["urls"][0])
        owner = wanted_token or (folder / "owner.token").read_text("utf-8").strip()
        is_here = urlsplit(found).hostname in ("127.0.0.1", "::1", "localhost")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise NotRunning(f"The local service is off. {_NEXT}") from error
    if wanted_token and not is_here:
        raise NotRunning(
            f"A token goes to {found[:200]} only if you name that address: give it, or set {URL_VARIABLE}."
        )
    return Place(found, owner, is_of_owner=True)


def data_directory(environ: Mapping[str, str]) -> Path:
    """Return the default data directory of ChatDesk."""
    chosen = environ.get(DATA_DIR_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "chatdesk"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "chatdesk"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "chatdesk"
