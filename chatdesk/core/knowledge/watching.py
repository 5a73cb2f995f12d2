"""Watches the folders of projects and tells which of them changed; the gateway to ``watchdog``, which sleeps until the
system says something."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from watchdog.events import (
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from chatdesk.core.knowledge.listing import RULES
from chatdesk.core.tools.folder.beneath import MADE_BY_PROGRAMS, looks_secret

# Reading a file is no change of it.
_CHANGES: Final[list[type[FileSystemEvent]]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    DirDeletedEvent,
    DirMovedEvent,
]
# Where the system cannot watch (a network folder, too many folders), all are listed again after so long.
_LISTED_AGAIN_S: Final = 60.0
_log = logging.getLogger(__name__)


class FolderWatch:
    """Calls ``changed`` with the ids of the sources in whose folders something changed, on a thread of its own."""

    def __init__(self, changed: Callable[[set[str]], None]) -> None:
        self._changed = changed
        self._places: dict[str, Path] = {}
        self._observer = Observer()
        self._is_closed = threading.Event()
        self._unwatched: set[str] = set()

    def use(self, places: Mapping[str, Path]) -> None:
        """Watch these folders and files, by the ids of their sources, and no others. May take a second for a large
        folder; call it on a thread."""
        if dict(places) == self._places:
            return
        self._places = dict(places)
        self._observer.unschedule_all()
        self._unwatched = set()
        for name, place in self._places.items():
            # A file is watched by its folder: a program that saves it puts a new one in its place.
            is_folder = place.is_dir()
            handler = _Handler(partial(self._changed, {name}), str(place), None if is_folder else str(place))
            try:
                self._observer.schedule(
                    handler, str(place if is_folder else place.parent), recursive=is_folder, event_filter=_CHANGES
                )
                if not self._observer.is_alive():
                    self._observer.start()
            except OSError as error:
                _log.info("a folder of a project is not watched, but listed now and then: %s", type(error).__name__)
                self._unwatched.add(name)
        if self._unwatched:
            threading.Thread(target=self._list_now_and_then, name="knowledge-list", daemon=True).start()

    def close(self) -> None:
        """Watch nothing any more."""
        self._is_closed.set()
        if self._observer.is_alive():
            self._observer.stop()

    def _list_now_and_then(self) -> None:
        mine = self._unwatched
        while not self._is_closed.wait(_LISTED_AGAIN_S) and mine is self._unwatched:
            self._changed(set(mine))


class _Handler(FileSystemEventHandler):
    """Reports the changes of a ``folder``, or those of the file ``only``."""

    def __init__(self, report: Callable[[], None], folder: str, only: str | None) -> None:
        self._report = report
        self._folder = folder
        self._only = only

    def on_any_event(self, event: FileSystemEvent) -> None:
        if self._only is not None:
            is_ours = self._only in (event.src_path, event.dest_path)
        else:
            is_ours = any(self._may_be_listed(str(path)) for path in (event.src_path, event.dest_path) if path)
        if is_ours:
            self._report()

    def _may_be_listed(self, path: str) -> bool:
        """Return whether a path is not below what is never listed, such as the folders of git and of programs."""
        names = Path(path[len(self._folder) :].lstrip(os.sep)).parts
        return not any(map(_is_never_listed, names))


def _is_never_listed(name: str) -> bool:
    return name in MADE_BY_PROGRAMS or (name.startswith(".") and name != RULES and not looks_secret(name))
