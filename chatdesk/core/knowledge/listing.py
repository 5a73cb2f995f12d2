"""Lists the files of a folder that belong to a project: nothing that a link, a mount or a device leads to, nothing that
the person or a ``.gitignore`` leaves out. What looks like a secret is named, and read only where the person says so."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

from chatdesk.core.domain.knowledge import SourceKind
from chatdesk.core.errors import InvalidInput
from chatdesk.core.knowledge.places import is_closed
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text
from chatdesk.core.tools.folder.beneath import MADE_BY_PROGRAMS, is_plain, looks_secret

MOST_FILES: Final = 100_000
_DEEPEST: Final = 40
_MOST_SECRETS: Final = 1_000
RULES: Final = ".gitignore"
_LONGESTRULES_BYTES: Final = 200_000
# Kinds that nothing reads; a folder of photographs is not a list of complaints.
_NEVER_TEXT: Final = re.compile(
    r"""
    7z | aac | avi | bin | bmp | bz2 | class | db | dll | dylib | exe | flac | gif | gz | hei[cf] | ico | iso | jar
    | jpe?g | lock | m4a | mkv | mov | mp[34] | o | obj | og[gv] | otf | parquet | png | py[co] | rar | so | sqlite
    | svgz | tar | tiff? | ttf | wasm | wav | web[mp] | woff2? | xz | zip | zst
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a source: path and stamp (size and time). ``secrets`` are those that look like secrets and are not
    read; a folder ends with a slash. ``is_cut``: there are more than ChatDesk reads."""

    stamps: dict[str, str]
    secrets: set[str] = field(default_factory=set)
    is_cut: bool = False


class SourceGone(InvalidInput):
    """The folder or file cannot be listed."""

    code = "knowledge_source_gone"
    what = Text("This folder or file cannot be read.")
    safe = Text("What was read from it before is kept.")
    next_step = Text("Make it available again, or remove it from the files of the project.")


def listing_of(kind: SourceKind, place: Path, exclusions: str, *, is_ended: Callable[[], bool]) -> Listing:
    """Return the files of a folder, or the one file. ``is_ended`` ends a long walk early. Raises ``SourceGone``."""
    try:
        facts = place.lstat()
        if kind is SourceKind.FILE:
            if not stat.S_ISREG(facts.st_mode):
                raise SourceGone(Text("“{name}” is not a file.", name=place.name))
            if is_closed(place.name, exclusions):
                return Listing({}, {place.name})
            return Listing({place.name: _stamp(facts)})
        if not stat.S_ISDIR(facts.st_mode):
            raise SourceGone(Text("“{name}” is not a folder.", name=place.name))
        walk = _Walk(facts.st_dev, exclusions, is_ended)
        stamps: dict[str, str] = {}
        for path, found in walk.files(place, "", [("", _spec(exclusions.splitlines()))]):
            if len(stamps) == MOST_FILES:
                return Listing(stamps, walk.secrets, is_cut=True)
            stamps[path] = _stamp(found)
        return Listing(stamps, walk.secrets)
    except OSError as error:
        raise SourceGone(Text("“{place}” cannot be read: {reason}.", place=place, reason=reason_text(error))) from error


class _Walk:
    def __init__(self, device: int, exclusions: str, is_ended: Callable[[], bool]) -> None:
        self.secrets: set[str] = set()
        self._device = device
        self._exclusions = exclusions
        self._is_ended = is_ended

    def files(
        self, folder: Path, prefix: str, rules: list[tuple[str, GitIgnoreSpec]]
    ) -> Iterator[tuple[str, os.stat_result]]:
        """Yield the files below a folder, whose path from the top is ``prefix``."""
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda each: each.name)
        if any(each.name == RULES and each.is_file(follow_symlinks=False) for each in entries):
            rules = [*rules, (prefix, _rules_in(folder))]
        for each in entries:
            if self._is_ended():
                return
            is_secret = looks_secret(each.name)
            if (each.name.startswith(".") and not is_secret) or not is_plain(each.name):
                continue
            path = prefix + each.name
            try:
                facts = each.stat(follow_symlinks=False)
                is_folder = stat.S_ISDIR(facts.st_mode)
                whole = f"{path}/" if is_folder else path
                if is_secret and is_closed(whole, self._exclusions):
                    is_file = stat.S_ISREG(facts.st_mode) and _may_have_text(each.name)
                    is_listed = (is_folder or is_file) and len(self.secrets) < _MOST_SECRETS
                    if is_listed and not _is_left_out(whole, rules):
                        self.secrets.add(whole)
                elif is_folder:
                    is_wanted = facts.st_dev == self._device and each.name not in MADE_BY_PROGRAMS
                    if is_wanted and prefix.count("/") < _DEEPEST and not _is_left_out(whole, rules):
                        yield from self.files(folder / each.name, whole, rules)
                elif stat.S_ISREG(facts.st_mode) and _may_have_text(each.name) and not _is_left_out(path, rules):
                    yield path, facts
            except OSError:  # it went meanwhile, or may not be entered
                continue


def _rules_in(folder: Path) -> GitIgnoreSpec:
    with (folder / RULES).open("rb") as file:
        text = file.read(_LONGESTRULES_BYTES).decode("utf-8", "replace")
    return _spec(text.splitlines())


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    """Return the rules of these lines. One that is no rule counts for nothing, as git has it."""
    rules: list[str] = []
    for line in lines:
        with suppress(ValueError):
            GitIgnoreSpec.from_lines([line])
            rules.append(line)
    return GitIgnoreSpec.from_lines(rules)


def _is_left_out(path: str, rules: list[tuple[str, GitIgnoreSpec]]) -> bool:
    """Return whether the rules leave a path out; those of a deeper folder come later and decide."""
    is_out = False
    for prefix, spec in rules:
        found = spec.check_file(path[len(prefix) :]).include
        is_out = is_out if found is None else found
    return is_out


def _may_have_text(name: str) -> bool:
    return _NEVER_TEXT.fullmatch(name.rpartition(".")[2]) is None


def _stamp(facts: os.stat_result) -> str:
    return f"{facts.st_size}:{facts.st_mtime_ns}"
