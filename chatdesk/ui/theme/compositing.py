"""Checks whether the system blends windows with the screen below them. On X11 only a compositing manager does; without
one the corners of a rounded window would be black."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainterPath, QRegion
from PySide6.QtWidgets import QWidget


def is_composited() -> bool:
    """Return whether the system blends windows. On X11 the server is asked who owns the selection of compositing
    managers: a round trip of well below a millisecond."""
    if QGuiApplication.platformName() != "xcb":
        return True
    import ctypes
    import ctypes.util

    try:
        library = ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
    except OSError:
        return True  # unknown without the library
    library.XOpenDisplay.restype = ctypes.c_void_p
    library.XInternAtom.restype = library.XGetSelectionOwner.restype = ctypes.c_ulong
    display = library.XOpenDisplay(None)
    if not display:
        return True
    try:
        name = f"_NET_WM_CM_S{library.XDefaultScreen(ctypes.c_void_p(display))}".encode()
        atom = library.XInternAtom(ctypes.c_void_p(display), name, 0)
        return bool(library.XGetSelectionOwner(ctypes.c_void_p(display), ctypes.c_ulong(atom)))
    finally:
        library.XCloseDisplay(ctypes.c_void_p(display))


def round_corners(window: QWidget, radius: float) -> None:
    """Clip ``window`` at its round corners: blended where the system can, else cut out. For dialogs, popups and menus
    that are not shown yet."""
    window.setWindowFlag(Qt.WindowType.FramelessWindowHint)  # without it Windows blends nothing
    if is_composited():
        window.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    else:
        window.installEventFilter(_Cutter(window, radius))


class _Cutter(QObject):
    """Gives a window the shape of a rounded rectangle, whatever its size."""

    def __init__(self, window: QWidget, radius: float) -> None:
        super().__init__(window)
        self._window, self._radius = window, radius

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            path = QPainterPath()
            path.addRoundedRect(QRectF(self._window.rect()), self._radius, self._radius)
            self._window.setMask(QRegion(path.toFillPolygon().toPolygon()))
        return super().eventFilter(watched, event)
