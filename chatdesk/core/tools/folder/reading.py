"""Lists, finds and reads the files of a project's folder. Blocks, and is called in a thread.

Everything is bounded: entries, depth, bytes, time. ``stop`` is set when the caller no longer waits for the result.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.tools.folder.beneath import (
    MADE_BY_PROGRAMS,
    FileRefused,
    hides_secrets,
    is_plain,
    names_of,
    opened,
    opened_below,
    read_file,
)
from chatdesk.core.tools.folder.texts import read_text

MOST_READ_BYTES: Final = 4 * 1024 * 1024
MOST_LISTED: Final = 20_000
MOST_VISITED: Final = 200_000
_DEEPEST: Final = 40
_MOST_FOUND: Final = 100
_SEARCHED_FILE_BYTES: Final = 1024 * 1024
_SEARCHED_BYTES: Final = 64 * 1024 * 1024
_SHOWN_LINE: Final = 200
_SEARCH_S: Final = 20.0
_VERSION_DIGITS: Final = 16
# A result above 24,000 bytes would be cut for the model.
PAGE_BYTES: Final = 16_000
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")


def version_of(data: bytes) -> str:
    """Return the short name of a file's contents, by which a change names its base."""
    return hashlib.sha256(data).hexdigest()[:_VERSION_DIGITS]


def list_folder(folder: Path, path: str, number: object) -> str:
    """Return a page of a folder's entries, folders first. Raises ``FileRefused``."""
    names = names_of(path)
    lines: list[tuple[bool, str]] = []
    secret = 0
    is_cut = False
    with opened(folder, names) as at, os.scandir(at) as entries:
        for entry in entries:
            if len(lines) >= MOST_LISTED:
                is_cut = True
                break
            if hides_secrets(entry.name):
                secret += 1
            else:
                lines.append(_described(entry))
    shown = "\n".join(text for _is_file, text in sorted(lines)) or "(empty)"
    found, count, _first, text = _page(shown, number)
    notes = [f"[{'/'.join(names) or 'The project folder'}, page {found} of {count}]", text.rstrip("\n")]
    if is_cut:
        notes.append(f"[There are more than {MOST_LISTED:,} entries; the others are left out.]")
    if secret:
        words = "1 entry is" if secret == 1 else f"{secret:,} entries are"
        notes.append(f"[{words} left out: their names are those of secrets, or of what programs manage.]")
    return "\n".join(notes)


def _described(entry: os.DirEntry[str]) -> tuple[bool, str]:
    """Return whether an entry is anything but a folder, and its line in the list."""
    name = entry.name if is_plain(entry.name) else f"{_spelt(entry.name)}  (a name that no tool can use)"
    try:
        facts = entry.stat(follow_symlinks=False)
    except OSError:
        return True, f"{name}  (cannot be looked at)"
    if stat.S_ISDIR(facts.st_mode):
        return False, f"{name}/"
    if stat.S_ISREG(facts.st_mode):
        linked = "  (has a second name, a hard link; no tool can use it)" if facts.st_nlink > 1 else ""
        return True, f"{name}  {facts.st_size:,} bytes{linked}"
    words = "a link; links are not followed" if stat.S_ISLNK(facts.st_mode) else "no regular file"
    return True, f"{name}  ({words})"


def _spelt(name: str) -> str:
    return visible_controls(name).replace("\n", "⟦U+000A⟧").replace("\t", "⟦U+0009⟧")


def read_page(folder: Path, path: str, number: object) -> str:
    """Return a page of a file with the version of its contents. Raises ``FileRefused``."""
    names = names_of(path)
    if not names:
        raise FileRefused("Name a file.")
    with opened(folder, names[:-1]) as at:
        try:
            data, _facts = read_file(at, names[-1], most_bytes=MOST_READ_BYTES)
        except FileNotFoundError:
            raise FileRefused(f"There is no file “{path}” in the project's folder.") from None
    read = read_text(data)
    if read is None:
        raise FileRefused(f"“{path}” is no text ({len(data):,} bytes).")
    found, count, first, text = _page(read[0], number)
    version = version_of(data)
    return f"[{'/'.join(names)}, version {version}, page {found} of {count}, from line {first}]\n{text}"


@dataclass(slots=True)
class _Budget:
    """The remaining budget of a search. ``why`` is the limit that ended it; empty: it saw everything. ``linked`` counts
    the files with a second name, which are left out."""

    stop: Event
    until_s: float
    entries: int
    bytes: int = _SEARCHED_BYTES
    why: str = ""
    linked: int = 0

    def goes_on(self) -> bool:
        if self.entries <= 0:
            self.why = f"after {MOST_VISITED:,} entries"
        elif self.bytes <= 0:
            self.why = f"after {_SEARCHED_BYTES // 1024 // 1024} MB"
        elif self.stop.is_set() or time.monotonic() > self.until_s:
            self.why = "because it took too long"
        return not self.why


def find(folder: Path, *, name: str, text: str, path: str, stop: Event) -> str:
    """Return the files whose names fit ``name`` (a part of it, or a pattern with * and ?) and that have ``text`` in
    them, below ``path``; either may be empty. Raises ``FileRefused``."""
    names = names_of(path)
    if not name and not text:
        raise FileRefused("Say what is to be found: a name, a text, or both.")
    fits = _name_filter(name)
    wanted = re.compile(re.escape(text), re.IGNORECASE) if text else None
    budget = _Budget(stop, time.monotonic() + _SEARCH_S, MOST_VISITED)
    found: list[str] = []
    with opened(folder, names) as top:
        for where, at, each in _files(top, (), budget):
            if not fits(each):
                continue
            shown = "/".join((*names, *where, each))
            found += [shown] if wanted is None else _hits(at, each, shown, wanted, budget)
            if len(found) >= _MOST_FOUND:
                budget.why = f"after {_MOST_FOUND} places"
                break
    lines = found[:_MOST_FOUND] or ["Nothing was found."]
    if budget.linked:
        words = "1 file has a second name (a hard link) and is" if budget.linked == 1 else ""
        lines.append(f"[{words or f'{budget.linked:,} files have a second name (hard links) and are'} left out.]")
    if budget.why:
        lines.append(f"[The search ended {budget.why}. Search in a folder, or for something rarer.]")
    return "\n".join(lines)


def _name_filter(name: str) -> Callable[[str], bool]:
    if not name:
        return lambda _name: True
    wanted = name.casefold()
    if any(each in wanted for each in "*?["):
        return lambda each: fnmatch.fnmatchcase(each.casefold(), wanted)
    return lambda each: wanted in each.casefold()


def _files(at: int, where: Sequence[str], budget: _Budget) -> Iterator[tuple[Sequence[str], int, str]]:
    """Yield the regular files below an open folder: the names of the folders on the way, the descriptor of the last
    one, and the name of the file."""
    with os.scandir(at) as entries:
        folders = []
        for entry in entries:
            budget.entries -= 1
            if not budget.goes_on():
                return
            if hides_secrets(entry.name) or not is_plain(entry.name):
                continue
            try:
                facts = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            mode = facts.st_mode
            if stat.S_ISREG(mode) and facts.st_nlink > 1:
                budget.linked += 1
            elif stat.S_ISREG(mode):
                yield where, at, entry.name
            elif stat.S_ISDIR(mode) and entry.name not in MADE_BY_PROGRAMS:
                folders.append(entry.name)
    if len(where) >= _DEEPEST:
        return
    for name in sorted(folders):
        if not budget.goes_on():
            return
        try:
            with opened_below(at, (name,)) as below:
                yield from _files(below, (*where, name), budget)
        except (FileRefused, OSError):
            continue


def _hits(at: int, name: str, shown: str, wanted: re.Pattern[str], budget: _Budget) -> list[str]:
    """Return the lines of a file that have the text, each with its place."""
    try:
        data, _facts = read_file(at, name, most_bytes=_SEARCHED_FILE_BYTES)
    except (FileRefused, OSError):
        return []
    budget.bytes -= len(data)
    read = read_text(data)
    if read is None or wanted.search(read[0]) is None:
        return []
    lines = []
    for number, line in enumerate(read[0].split("\n"), 1):
        match = wanted.search(line)
        if match is not None:
            begin = max(0, match.start() - _SHOWN_LINE // 2)
            lines.append(f"{shown}:{number}: {line[begin : begin + _SHOWN_LINE].strip()}")
            if len(lines) >= _MOST_FOUND:
                break
    return lines


def _pages_of(text: str) -> list[tuple[int, str]]:
    """Return the pages of a text, each with the number of its first line (from 1). A line that is longer than a page
    is cut into several."""
    pages: list[tuple[int, str]] = []
    lines: list[str] = []
    first, size = 1, 0
    for number, line in enumerate(_LINE.findall(text), 1):
        for piece in _pieces_of(line):
            length = len(piece.encode("utf-8", "replace"))
            if lines and size + length > PAGE_BYTES:
                pages.append((first, "".join(lines)))
                lines, first, size = [], number, 0
            lines.append(piece)
            size += length
    return [*pages, (first, "".join(lines))]


def _pieces_of(line: str) -> list[str]:
    if len(line) <= PAGE_BYTES // 4:
        return [line]
    return [line[at : at + PAGE_BYTES // 4] for at in range(0, len(line), PAGE_BYTES // 4)]


def _page(text: str, number: object) -> tuple[int, int, int, str]:
    """Return the number of a page that there is, how many there are, its first line, and its text."""
    pages = _pages_of(text)
    wanted = number if isinstance(number, int) and not isinstance(number, bool) else 1
    found = max(1, min(wanted, len(pages)))
    return found, len(pages), *pages[found - 1]
