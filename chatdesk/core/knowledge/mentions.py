"""Finds the files and folders that a question names after an @, as in ``@notes/plan.md`` or ``@"my plan.md"``. Pure.

A name in a question is the name as it is shown: hidden characters are spelt out on both sides, so that a name can be
typed, and can hide nothing. What stands in code is no name: a decorator, a package, an address.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from chatdesk.core.domain.knowledge import NamedFile
from chatdesk.core.hidden_characters import clean_line, visible_controls

_MOST: Final = 20
_LONGEST: Final = 400
_UNLIKE: Final = 4
_FENCE: Final = re.compile(r" {0,3}(```|~~~)")
_INLINE_CODE: Final = re.compile(r"`[^`]*`")
_DECORATOR: Final = re.compile(r"@[\w.]+(?:\(.*\))?")
_DEFINES: Final = re.compile(
    r"(?:abstract|async|class|const|data|def|export|final|fn|fun|func|function|interface|internal|let|override|private"
    r"|protected|public|static|struct|suspend|val|var|void)\b"
)
_CALL: Final = re.compile(r"[\w.]+\(.*")
_NAME: Final = re.compile(rf'(?<!\S)@(?:"([^"\n]{{1,{_LONGEST}}})"|([^\s"@]{{1,{_LONGEST}}})(?![^\s"@]))')
_ENDS: Final = ".,;:!?)]}…»”"
_MARKS: Final = re.compile("[\u200e\u200f\u061c]")


def names_in(text: str) -> tuple[str, ...]:
    """Return the names after an @ in a question, as they stand there."""
    found = (match[1] or match[2] for match in _NAME.finditer(_without_code(text)))
    return tuple(dict.fromkeys(each for _, each in zip(range(_MOST), found, strict=False)))


def _without_code(text: str) -> str:
    """Return a question without fenced and inline code, and without decorators above a definition."""
    if "@" not in text:
        return ""
    prose: list[str] = []
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if mark is not None and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        elif not fence:
            prose.append(_INLINE_CODE.sub(" ` ", line))
    kept: list[str] = []
    defines = False
    for line in reversed(prose):
        said = line.strip()
        defines = _DEFINES.match(said) is not None or (defines and _DECORATOR.fullmatch(said) is not None)
        if not defines:
            kept.append(line)
    return "\n".join(reversed(kept))


def is_code(name: str) -> bool:
    """Return whether a name that no file has is rather a call of a decorator."""
    return _CALL.fullmatch(name) is not None


def without_names(text: str, names: Iterable[str]) -> str:
    """Return a question without these names, for a search."""
    gone = frozenset(names)
    return _NAME.sub(lambda match: "" if (match[1] or match[2]) in gone else match[0], text).strip()


def mention_of(name: str) -> str:
    """Return how a question names a file or folder."""
    shown = shown_name(name)
    is_plain = _NAME.fullmatch(f"@{shown}") is not None and shown[-1:] not in _ENDS
    return f"@{shown} " if is_plain else f'@"{shown}" '


def shown_name(name: str) -> str:
    """Return a name as people read and type it: one line, without quotation marks and hidden characters."""
    return _MARKS.sub("", visible_controls(clean_line(name)).replace('"', "'"))[:_LONGEST]


Keyed = Sequence[tuple[str, NamedFile]]


def keyed(files: Sequence[NamedFile]) -> Keyed:
    """Return files with what their names are compared by."""
    return [(_key(each.path), each) for each in files]


def matching(name: str, files: Keyed) -> list[NamedFile]:
    """Return the files that a name means: the one of that path, those below a folder of that path, or else those whose
    path ends so."""
    for wanted in dict.fromkeys((name, name.rstrip(_ENDS))):
        key = _key(wanted).rstrip("/")
        if not key:
            continue
        ranked = [(_nearness(path, key), each) for path, each in files]
        nearest = min((rank for rank, _ in ranked), default=_UNLIKE)
        if nearest < _UNLIKE:
            return [each for rank, each in ranked if rank == nearest]
    return []


def may_become(name: str, files: Keyed) -> bool:
    """Return whether a name that is still being written may become that of a file."""
    key = _key(name.removeprefix('"'))
    return any(key in path for path, _ in files)


def _nearness(path: str, key: str) -> int:
    """Return how near a name is to a path: 0 for the same, ``_UNLIKE`` for another."""
    if path == key:
        return 0
    if path.startswith(f"{key}/"):
        return 1
    if path.endswith(f"/{key}"):
        return 2
    return 3 if f"/{key}/" in path else _UNLIKE


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", shown_name(name)).casefold()
