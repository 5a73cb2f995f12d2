"""Finds the service and the token: given, in variables, or in the files of the owner beside the data."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from chatdesk.client.errors import NotRunning

URL_VARIABLE: Final = "CHATDESK_URL"
TOKEN_VARIABLE: Final = "CHATDESK_TOKEN"  # noqa: S105 - the name of a variable
DATA_DIR_VARIABLE: Final = "CHATDESK_DATA_DIR"
_NEXT: Final = "Turn it on in ChatDesk under Settings › Local service, or run 'chatdesk serve'."


@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """The address of the service and the token for it. ``is_of_owner``: both come from the owner's files, which are
    others after each start of the service."""

    url: str
    token: str
    is_of_owner: bool = False


def find_place(
    url: str | None = None,
    token: str | None = None,
    *,
    data_dir: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Place:
    """Return the place: what is given wins over the variables, and they over the files; with a ``data_dir`` the
    variables do not count. The owner's token goes to the address beside it and nowhere else, and any other only to this
    computer where a file names the address. Raises ``NotRunning``."""
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
