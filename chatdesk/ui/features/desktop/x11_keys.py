"""Takes keys of a whole X11 desktop: a passive grab on a connection of its own, read on the loop.

PySide has no way to X11, so this calls the two C libraries that Qt's own plugin needs anyway. Unlike Xlib's, their
errors are values: another program that has the keys ends nothing.
"""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable, Iterator
from typing import Any, Final

from chatdesk.core.chat.uninterruptible import uninterruptible
from chatdesk.ui.features.desktop.keys_backend import KeysTaken, Lost, NoKeys
from chatdesk.ui.features.desktop.keysyms import DesktopKey

_KEY_PRESS, _KEY_RELEASE, _MAPPING_NOTIFY = 2, 3, 34
_BAD_ACCESS: Final = 10
_ASYNC: Final = 1
# Caps Lock and Num Lock count as modifiers, and change nothing here.
_LOCKS: Final = (0, 1 << 1, 1 << 4, 1 << 1 | 1 << 4)
# A key that is held is released and pressed again at the same moment.
_REPEAT_MS: Final = 5
_MOST_CODES: Final = 8


class _Screens(ctypes.Structure):
    _fields_ = (("data", ctypes.POINTER(ctypes.c_uint32)), ("rem", ctypes.c_int), ("index", ctypes.c_int))


class _Cookie(ctypes.Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


class _Event(ctypes.Structure):
    """The beginning of every event, and of every error."""

    _fields_ = (
        ("kind", ctypes.c_uint8),
        ("detail", ctypes.c_uint8),
        ("sequence", ctypes.c_uint16),
        ("time_ms", ctypes.c_uint32),
    )


class X11Keys:
    """An implementation of ``KeysBackend``. ``pressed`` is called on the loop."""

    def __init__(self, pressed: Callable[[], None], lost: Lost) -> None:
        self._pressed, self._lost = pressed, lost
        self._xcb: Any = None
        self._keysyms: Any = None
        self._free: Any = None
        self._connection: int | None = None
        self._root = 0
        self._released_ms = -_REPEAT_MS
        self._is_read = False

    @uninterruptible  # a thread is at work with the connection, for milliseconds
    async def bind(self, key: DesktopKey) -> str:
        await asyncio.to_thread(self._open)
        await asyncio.to_thread(self._grab, key)
        descriptor = self._xcb.xcb_get_file_descriptor(self._connection)
        asyncio.get_running_loop().add_reader(descriptor, self._on_readable)
        self._is_read = True
        self._on_readable()  # what came with the replies waits in the library
        return ""

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._is_read:
            asyncio.get_running_loop().remove_reader(self._xcb.xcb_get_file_descriptor(connection))
        self._xcb.xcb_disconnect(connection)  # the server forgets what it had grabbed

    def _open(self) -> None:
        try:
            xcb = self._xcb = ctypes.CDLL("libxcb.so.1")
            keysyms = self._keysyms = ctypes.CDLL("libxcb-keysyms.so.1")
            self._free = ctypes.CDLL(None).free
        except (OSError, AttributeError) as error:
            raise NoKeys(f"no libraries of X11: {error}") from error
        self._free.argtypes = [ctypes.c_void_p]
        pointer, number, byte = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint8
        functions: tuple[tuple[Any, Any, list[Any]], ...] = (
            (xcb.xcb_connect, pointer, [ctypes.c_char_p, ctypes.POINTER(ctypes.c_int)]),
            (xcb.xcb_connection_has_error, ctypes.c_int, [pointer]),
            (xcb.xcb_get_setup, pointer, [pointer]),
            (xcb.xcb_setup_roots_iterator, _Screens, [pointer]),
            (xcb.xcb_screen_next, None, [ctypes.POINTER(_Screens)]),
            (xcb.xcb_get_file_descriptor, ctypes.c_int, [pointer]),
            (xcb.xcb_disconnect, None, [pointer]),
            (xcb.xcb_poll_for_event, ctypes.POINTER(_Event), [pointer]),
            (xcb.xcb_request_check, ctypes.POINTER(_Event), [pointer, _Cookie]),
            (xcb.xcb_grab_key_checked, _Cookie, [pointer, byte, number, ctypes.c_uint16, byte, byte, byte]),
            (xcb.xcb_ungrab_key_checked, _Cookie, [pointer, byte, number, ctypes.c_uint16]),
            (keysyms.xcb_key_symbols_alloc, pointer, [pointer]),
            (keysyms.xcb_key_symbols_free, None, [pointer]),
            (keysyms.xcb_key_symbols_get_keycode, ctypes.POINTER(byte), [pointer, number]),
        )
        for function, result, arguments in functions:
            function.restype, function.argtypes = result, arguments
        place = ctypes.c_int()
        self._connection = xcb.xcb_connect(None, ctypes.byref(place))
        if xcb.xcb_connection_has_error(self._connection):
            raise NoKeys("the X server does not answer")
        screens = xcb.xcb_setup_roots_iterator(xcb.xcb_get_setup(self._connection))
        for _ in range(place.value):
            xcb.xcb_screen_next(ctypes.byref(screens))
        self._root = screens.data[0]

    def _grab(self, key: DesktopKey) -> None:
        """Ask the server to send the key here, with and without the locks. Raises ``KeysTaken`` and ``NoKeys``, and has
        grabbed nothing then."""
        codes = self._codes(key.keysym)
        if not codes:
            raise NoKeys("the keyboard has no such key")
        for code in codes:
            for locks in _LOCKS:
                cookie = self._xcb.xcb_grab_key_checked(
                    self._connection, 0, self._root, key.mask | locks, code, _ASYNC, _ASYNC
                )
                fault = self._checked(cookie)
                if fault:
                    self._ungrab(codes, key)
                    raise KeysTaken if fault == _BAD_ACCESS else NoKeys(f"error {fault} of X11")

    def _ungrab(self, codes: list[int], key: DesktopKey) -> None:
        for code in codes:
            for locks in _LOCKS:
                self._checked(self._xcb.xcb_ungrab_key_checked(self._connection, code, self._root, key.mask | locks))

    def _codes(self, keysym: int) -> list[int]:
        """Return the codes of the keys that have this symbol in the present layout."""
        symbols = self._keysyms.xcb_key_symbols_alloc(self._connection)
        found = self._keysyms.xcb_key_symbols_get_keycode(symbols, keysym)
        codes = []
        if found:
            for place in range(_MOST_CODES):
                if not found[place]:
                    break
                codes.append(int(found[place]))
            self._free(found)
        self._keysyms.xcb_key_symbols_free(symbols)
        return codes

    def _checked(self, cookie: _Cookie) -> int:
        """Return the code of the error of a request; 0: none."""
        error = self._xcb.xcb_request_check(self._connection, cookie)
        if not error:
            return 0
        code = int(error.contents.detail)
        self._free(error)
        return code

    # What comes

    def _on_readable(self) -> None:
        is_new_layout = False
        for kind, time_ms in self._events():
            if kind == _KEY_RELEASE:
                self._released_ms = time_ms
            elif kind == _KEY_PRESS and not 0 <= time_ms - self._released_ms <= _REPEAT_MS:
                self._pressed()
            is_new_layout = is_new_layout or kind == _MAPPING_NOTIFY
        if self._connection is not None and self._xcb.xcb_connection_has_error(self._connection):
            asyncio.get_running_loop().remove_reader(self._xcb.xcb_get_file_descriptor(self._connection))
            self._is_read = False
            self._lost(True)
        elif is_new_layout:
            self._lost(False)  # the key is in another place now

    def _events(self) -> Iterator[tuple[int, int]]:
        while self._connection is not None:
            event = self._xcb.xcb_poll_for_event(self._connection)
            if not event:
                return
            found = event.contents.kind & 0x7F, int(event.contents.time_ms)
            self._free(event)
            yield found


def open_backend(pressed: Callable[[], None], lost: Lost) -> X11Keys:
    """Return a backend that has not asked for anything yet."""
    return X11Keys(pressed, lost)
