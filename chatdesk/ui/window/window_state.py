"""Stores the state of the closed window: a small JSON file beside the database, written by one thread of its own.

It contains no text of a person, so a broken file is replaced by defaults; the broken copy is kept beside it.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from chatdesk.core.system.file_writing import move_aside, write_text
from chatdesk.core.system.small_files import read_small_file

_log = logging.getLogger(__name__)

MAX_ANCHORS: Final = 200
MAX_OPEN_FOLDERS: Final = 1_000
MAX_WINDOWS: Final = 12
SAVE_AFTER_S: Final = 0.4
_MAX_FILE_BYTES: Final = 1_000_000
_MAX_PX: Final = 100_000
_LARGEST: Final = 1e12
_MOST_MODELS: Final = 4  # compared models of one question


@dataclass(frozen=True, slots=True)
class SavedAnchor:
    """The place where a thread was being read, with the same fields as the transcript's anchor."""

    message_id: str | None = None
    offset_px: float = 0.0
    is_at_end: bool = True


@dataclass(frozen=True, slots=True)
class SavedBeside:
    """The chat beside the first one; ``thread_id`` None is a new one. ``share`` is its part of the width for both;
    ``is_active``: commands acted on it."""

    thread_id: str | None = None
    share: float = 0.5
    is_active: bool = False


@dataclass(frozen=True, slots=True)
class SavedWindow:
    """A window with one chat; ``thread_id`` None is a new one. Sizes are logical pixels."""

    thread_id: str | None = None
    x: int | None = None
    y: int | None = None
    width: int = 0
    height: int = 0
    is_maximised: bool = False


Models = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NextQuestion:
    """The addressees of the next question of a thread: ``models``, (provider, model) each, at once, or the assistant
    ``once_id`` for this question alone. ``assistant_id`` answers in the thread that does not exist yet."""

    models: Models = ()
    once_id: str | None = None
    assistant_id: str | None = None


@dataclass(frozen=True, slots=True)
class WindowState:
    """The remembered state of a window. ``anchors`` has the threads read last at its end. Sizes are logical pixels; x
    and y None: never placed yet. ``open_project_id`` empty: all projects; None: never chosen. The list began with
    thread ``list_top_id``, at ``list_top_px``; None: at its beginning. ``chosen_model`` is what answers in new threads,
    as (provider, model); None: what the settings say. ``open_folders`` are the projects whose folders are open in the
    list. ``is_way_in_ended``: the first screen was answered with a look around. ``windows`` are the other windows,
    ``beside`` is the second chat of this one. ``edited_ids`` are the messages whose new versions are being written,
    ``compared_ids`` the answers that are seen beside their other versions, ``next_questions`` the unusual ones by
    thread (None: the new one)."""

    x: int | None = None
    y: int | None = None
    width: int = 1280
    height: int = 820
    is_maximised: bool = False
    sidebar_width: int = 264
    is_sidebar_collapsed: bool = False
    open_thread_id: str | None = None
    anchors: Mapping[str, SavedAnchor] = field(default_factory=dict)
    open_project_id: str | None = None
    is_sorted_by_name: bool = False
    is_grouped_by_project: bool = False
    open_folders: tuple[str, ...] = ()
    list_top_id: str | None = None
    list_top_px: int = 0
    chosen_model: tuple[str, str] | None = None
    is_way_in_ended: bool = False
    windows: tuple[SavedWindow, ...] = ()
    beside: SavedBeside | None = None
    edited_ids: tuple[str, ...] = ()
    compared_ids: tuple[str, ...] = ()
    next_questions: Mapping[str | None, NextQuestion] = field(default_factory=dict)

    def to_json(self) -> str:
        data = asdict(self)
        data["open_folders"] = data["open_folders"][:MAX_OPEN_FOLDERS]
        data["anchors"] = dict(list(data["anchors"].items())[-MAX_ANCHORS:])
        questions = list(data["next_questions"].items())[-MAX_ANCHORS:]
        data["next_questions"] = {thread_id or "": question for thread_id, question in questions}
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> WindowState:
        """Return a state in which fields that make no sense have their defaults. Raises ``ValueError`` when the whole
        is not an object."""
        data = json.loads(text)
        if not isinstance(data, dict):
            raise ValueError("the window state is not an object")
        plain = cls()
        return cls(
            x=_whole(data.get("x"), None, -_MAX_PX),
            y=_whole(data.get("y"), None, -_MAX_PX),
            width=_whole(data.get("width"), plain.width, 1) or plain.width,
            height=_whole(data.get("height"), plain.height, 1) or plain.height,
            is_maximised=data.get("is_maximised") is True,
            sidebar_width=_whole(data.get("sidebar_width"), plain.sidebar_width, 1) or plain.sidebar_width,
            is_sidebar_collapsed=data.get("is_sidebar_collapsed") is True,
            open_thread_id=_text(data.get("open_thread_id")),
            anchors=_anchors(data.get("anchors")),
            open_project_id=_text(data.get("open_project_id")),
            is_sorted_by_name=data.get("is_sorted_by_name") is True,
            is_grouped_by_project=data.get("is_grouped_by_project") is True,
            open_folders=_texts(data.get("open_folders")),
            list_top_id=_text(data.get("list_top_id")),
            list_top_px=_whole(data.get("list_top_px"), 0, -_MAX_PX) or 0,
            chosen_model=_pair(data.get("chosen_model")),
            is_way_in_ended=data.get("is_way_in_ended") is True,
            windows=_windows(data.get("windows")),
            beside=_beside(data.get("beside")),
            edited_ids=_texts(data.get("edited_ids")),
            compared_ids=_texts(data.get("compared_ids")),
            next_questions=_questions(data.get("next_questions")),
        )


class WindowStateFile:
    """The file with the window's state. Call ``load`` once at the start; ``save_soon`` from the GUI thread as often as
    one likes; ``close`` at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._condition = threading.Condition()
        self._waiting: WindowState | None = None
        self._is_urgent = False
        self._is_writing = False
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def load(self) -> WindowState:
        try:
            return WindowState.from_json(read_small_file(self._path, _MAX_FILE_BYTES).decode("utf-8"))
        except FileNotFoundError:
            return WindowState()
        except (ValueError, RecursionError) as error:
            _log.warning("the window state could not be read (%s); starting with defaults", type(error).__name__)
            move_aside(self._path)
        except OSError as error:
            _log.warning("the window state could not be opened: %s", error.strerror)
        return WindowState()

    def save_soon(self, state: WindowState) -> None:
        """Save the newest state a moment later, on the writer's thread."""
        with self._condition:
            if self._is_closed:
                return
            self._waiting = state
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_on, name="window-state", daemon=True)
                self._thread.start()
            self._condition.notify_all()

    def flush(self, timeout_s: float = 2.0) -> bool:
        """Wait until the given state is on disk; return False if that takes too long."""
        with self._condition:
            self._is_urgent = True
            self._condition.notify_all()
            is_done = self._condition.wait_for(lambda: self._waiting is None and not self._is_writing, timeout_s)
            self._is_urgent = False
            return is_done

    def close(self, timeout_s: float = 2.0) -> None:
        """Write the waiting state, then end the thread."""
        self.flush(timeout_s)
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _write_on(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._waiting is not None or self._is_closed)
                if self._waiting is None:
                    return
                self._condition.wait_for(lambda: self._is_urgent or self._is_closed, SAVE_AFTER_S)
                state, self._waiting = self._waiting, None
                self._is_writing = True
            try:
                self._write(state)
            except OSError as error:
                _log.warning("the window state could not be saved: %s", error.strerror)
            finally:
                with self._condition:
                    self._is_writing = False
                    self._condition.notify_all()

    def _write(self, state: WindowState) -> None:
        """Replace the old file with a new one in one step, so that a crash leaves one or the other."""
        write_text(self._path, state.to_json(), errors="replace")


def _whole(value: object, default: int | None, least: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MAX_PX:
        return default
    return value


def _number(value: object, default: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _LARGEST:
        return default  # NaN too: it is not less than anything
    return float(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(text for text in value[:MAX_OPEN_FOLDERS] if isinstance(text, str))


def _pair(value: object) -> tuple[str, str] | None:
    found = [_text(each) for each in value] if isinstance(value, list) and len(value) == 2 else []
    return (found[0], found[1]) if len(found) == 2 and found[0] and found[1] else None


def _anchors(value: object) -> dict[str, SavedAnchor]:
    if not isinstance(value, dict):
        return {}
    found: dict[str, Any] = {key: each for key, each in value.items() if isinstance(each, dict)}
    return {
        key: SavedAnchor(
            message_id=_text(each.get("message_id")),
            offset_px=max(-1e9, min(1e9, _number(each.get("offset_px"), 0.0))),
            is_at_end=each.get("is_at_end") is not False,
        )
        for key, each in list(found.items())[-MAX_ANCHORS:]
    }


def _questions(value: object) -> dict[str | None, NextQuestion]:
    if not isinstance(value, dict):
        return {}
    found: dict[str, Any] = {key: each for key, each in value.items() if isinstance(each, dict)}
    return {
        key or None: NextQuestion(
            models=tuple(filter(None, map(_pair, _list(each.get("models"))[:_MOST_MODELS]))),
            once_id=_text(each.get("once_id")),
            assistant_id=_text(each.get("assistant_id")),
        )
        for key, each in list(found.items())[-MAX_ANCHORS:]
    }


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _windows(value: object) -> tuple[SavedWindow, ...]:
    found = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    return tuple(
        SavedWindow(
            thread_id=_text(each.get("thread_id")),
            x=_whole(each.get("x"), None, -_MAX_PX),
            y=_whole(each.get("y"), None, -_MAX_PX),
            width=_whole(each.get("width"), 0, 0) or 0,
            height=_whole(each.get("height"), 0, 0) or 0,
            is_maximised=each.get("is_maximised") is True,
        )
        for each in found[:MAX_WINDOWS]
    )


def _beside(value: object) -> SavedBeside | None:
    if not isinstance(value, dict):
        return None
    share = max(0.1, min(0.9, _number(value.get("share"), 0.5)))
    return SavedBeside(thread_id=_text(value.get("thread_id")), share=share, is_active=value.get("is_active") is True)
