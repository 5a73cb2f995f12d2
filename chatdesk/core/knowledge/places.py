"""Tells which places a project's files may be at, and how a place is shown."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from chatdesk.core.domain.knowledge import KnowledgeSource, SourceKind
from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.paths import AppPaths
from chatdesk.core.storage.knowledge.team_files import TEAM_PLACE
from chatdesk.core.texts import Text
from chatdesk.core.tools.folder.beneath import looks_secret
from chatdesk.core.tools.project_folders import checked_file, checked_folder

_LONGEST_SHOWN: Final = 300


class LooksSecret(InvalidInput):
    """A file or folder that usually holds secrets was to be added without a word about that."""

    code = "knowledge_looks_secret"
    what = Text("This looks like a secret.")
    safe = Text("Nothing was read.")
    next_step = Text("Say that it is to be read all the same, or choose another place.")


def checked_place(kind: SourceKind, place: str, paths: AppPaths) -> str:
    """Return the absolute path of a folder or file that a project may have. Raises ``InvalidInput``."""
    path = Path(place).expanduser()
    if kind is SourceKind.FOLDER:
        return checked_folder(path, paths)
    if not path.is_absolute() or not path.is_file():
        raise InvalidInput(
            Text("There is no file {path}.", path=path),
            safe=Text("Nothing was changed."),
            next_step=Text("Choose a file that exists on this computer."),
        )
    return checked_file(path, paths)


def refuse_secret(place: str) -> None:
    """Raise ``LooksSecret`` for a path that has a name which usually holds secrets."""
    if any(map(looks_secret, Path(place).parts)):
        raise LooksSecret(Text("“{name}” looks like a secret.", name=visible_controls(Path(place).name)))


def with_secret(exclusions: str, path: str, *, is_read: bool) -> str:
    """Return the exclusions of a source that have a file or folder (with a slash behind it) read though it looks like a
    secret, or not. No pattern does that: a wide one must not open what nobody thought of."""
    rule = f"!/{path}"
    rules = [line for line in exclusions.splitlines() if line != rule]
    return "\n".join([*rules, rule] if is_read else rules)


def opened_secrets(exclusions: str) -> list[str]:
    """Return the files and folders of a source that are read though they look like secrets."""
    found = (line.removeprefix("!/") for line in exclusions.splitlines() if line.startswith("!/"))
    return [path for path in found if looks_secret(path.rstrip("/").rpartition("/")[2])]


def is_closed(path: str, exclusions: str) -> bool:
    """Return whether a file or folder looks like a secret, and nobody chose to have it read."""
    name = path.rstrip("/").rpartition("/")[2]
    return looks_secret(name) and f"!/{path}" not in exclusions.splitlines()


def folder_of(source: KnowledgeSource) -> Path:
    """Return the folder below which the files of a source are opened. Raises ``NotPossible`` for one elsewhere."""
    if not source.kind.is_on_disk:
        raise NotPossible(Text("This file is not on this computer."), safe=Text("Nothing was changed."), next_step="")
    return Path(source.place) if source.kind is SourceKind.FOLDER else Path(source.place).parent


def place_text(source: KnowledgeSource) -> str:
    """Return the place of a source for people: a path, an address, or the name that another member's has."""
    return visible_controls(source.place.removeprefix(TEAM_PLACE) if source.kind is SourceKind.TEAM else source.place)


def kind_of_place(place: str) -> tuple[SourceKind, str]:
    """Return the kind of a place, and its address or whole path. Raises ``InvalidInput``."""
    if "://" in place:
        return SourceKind.PAGE, place
    with suppress(OSError, RuntimeError, ValueError):  # a name too long, the home of nobody, a zero byte
        path = Path(place).expanduser().absolute()
        if place.strip() and path.is_dir():
            return SourceKind.FOLDER, str(path)
        if place.strip() and path.is_file():
            return SourceKind.FILE, str(path)
    raise InvalidInput(
        Text("There is no folder or file {place}.", place=visible_controls(place)[:_LONGEST_SHOWN] or "“”"),
        safe=Text("Nothing was changed."),
        next_step=Text("Give the path of a folder or file, or an address that begins with https://."),
    )
