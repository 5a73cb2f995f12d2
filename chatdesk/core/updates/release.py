"""Describes releases of ChatDesk as a feed offers them, and reads what a feed says of one. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

from chatdesk.core.hidden_characters import clean_line

MOST_DOWNLOAD_BYTES: Final = 400_000_000
MOST_PROGRAM_BYTES: Final = 1_500_000_000
_LONGEST_NOTES: Final = 16_000
_MOST_LINES: Final = 200
_DEEPEST_INDENT: Final = 12
_BULLET: Final = re.compile(r"(?:[-*+•]|\d{1,3}[.)]) ")
_VERSION: Final = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})", re.ASCII)


class Version(NamedTuple):
    """The three numbers of a release, which compare as releases do. Its text is made of the numbers alone, so it may
    name a folder."""

    major: int
    minor: int
    patch: int

    @classmethod
    def read(cls, text: object) -> Self | None:
        """Return the version in ``text``, None where it is none."""
        found = _VERSION.fullmatch(text) if isinstance(text, str) else None
        return None if found is None else cls(*(int(each) for each in found.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class Release:
    """A release that a feed offers. ``notes`` are plain lines of bounded length, without hidden characters."""

    version: Version
    notes: str
    download_bytes: int
    program_bytes: int

    @classmethod
    def of(cls, custom: object, download_bytes: int) -> Self | None:
        """Return the release that a feed describes with ``custom``, None where the description is unusable."""
        described: Mapping[str, Any] = custom if isinstance(custom, Mapping) else {}
        version, size = Version.read(described.get("version")), described.get("program_bytes")
        is_usable = isinstance(size, int) and not isinstance(size, bool) and 0 < size <= MOST_PROGRAM_BYTES
        if version is None or not is_usable or not 0 < download_bytes <= MOST_DOWNLOAD_BYTES:
            return None
        return cls(version, shown_notes(described.get("notes")), download_bytes, int(described["program_bytes"]))


def shown_notes(text: object) -> str:
    """Return release notes fit to be shown: text only, in lines, cut where they are too long. The lines of a bullet are
    joined, since whatever shows them breaks lines itself; bullets below bullets stay indented."""
    if not isinstance(text, str):
        return ""
    lines: list[str] = []
    is_in_bullet = False
    for line in text[:_LONGEST_NOTES].expandtabs(4).splitlines()[:_MOST_LINES]:
        words, indent = clean_line(line).strip(), len(line) - len(line.lstrip(" "))
        is_bullet = _BULLET.match(words) is not None
        if is_in_bullet and indent and words and not is_bullet:
            lines[-1] += f" {words}"
            continue
        lines.append(" " * min(indent, _DEEPEST_INDENT) + words if words else "")
        is_in_bullet = is_bullet
    return "\n".join(lines).strip()
