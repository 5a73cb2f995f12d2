"""Mockups beside the real window: ``python -m tests.gallery --mockups FOLDER`` writes a picture of each pair.

A mockup is a PNG called ``what-look.png``, such as ``settings-light.png``; ``what`` is one of ``SCENES``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, cast

from PySide6.QtCore import QPoint, QSize
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.theme.theme import Preference, Theme
from chatdesk.ui.window.main_window import MainWindow
from tests.gallery.inspector_samples import build_comparison, build_inspector
from tests.gallery.palette_samples import build_palette, sample_groups
from tests.gallery.provider_samples import build_settings
from tests.gallery.transcript_samples import sample_stream
from tests.gallery.window_samples import build_window

_SIZE: Final = QSize(1280, 820)
_GAP_PX: Final = 24
_SHADE: Final = 90  # of 255


def write_pairs(theme: Theme, mockups: Path, out: Path) -> int:
    """Draw the scene of every mockup in the folder beside it; returns how many there were."""
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    for path in sorted(mockups.glob("*.png")):
        what, _, look = path.stem.partition("-")
        if what not in SCENES or look not in ("light", "dark"):
            continue
        theme.set_preference(cast(Preference, look))
        theme.set_scale(1.0)
        _beside(QPixmap(str(path)), SCENES[what](theme)).save(str(out / path.name))
        count += 1
    return count


def _chat(theme: Theme) -> QPixmap:
    return _drawn(build_window(theme))


def _empty(theme: Theme) -> QPixmap:
    return _drawn(build_window(theme, has_thread=False))


def _streaming(theme: Theme) -> QPixmap:
    return _drawn(build_window(theme, sample=sample_stream()))


def _inspector(theme: Theme) -> QPixmap:
    window = build_window(theme)
    window.resize(_SIZE)
    window.show_inspector(build_inspector(theme, "Context"))
    return _drawn(window)


def _compare(theme: Theme) -> QPixmap:
    window = build_window(theme)
    window.show_pane(build_comparison(theme, 1016))
    return _drawn(window)


def _settings(theme: Theme) -> QPixmap:
    return _with_dialog(_chat(theme), build_settings(theme))


def _palette(theme: Theme) -> QPixmap:
    commands = CommandRegistry(QWidget(), CATALOGUE)
    return _with_dialog(_chat(theme), build_palette(theme, commands, "checkpoint", sample_groups()), top_px=90)


SCENES: Final[Mapping[str, Callable[[Theme], QPixmap]]] = {
    "chat": _chat,
    "empty": _empty,
    "streaming": _streaming,
    "inspector": _inspector,
    "compare": _compare,
    "settings": _settings,
    "palette": _palette,
}


def _drawn(window: MainWindow) -> QPixmap:
    window.resize(_SIZE)
    return _grabbed(window)


def _grabbed(widget: QWidget) -> QPixmap:
    widget.show()
    for _round in range(10):
        QApplication.processEvents()
    picture = widget.grab()
    widget.close()
    widget.deleteLater()
    return picture


def _with_dialog(window: QPixmap, dialog: QWidget, *, top_px: int | None = None) -> QPixmap:
    panel = _grabbed(dialog)
    left = (window.width() - panel.width()) // 2
    top = (window.height() - panel.height()) // 2 if top_px is None else top_px
    painter = QPainter(window)
    painter.fillRect(window.rect(), QColor(0, 0, 0, _SHADE))
    painter.drawPixmap(QPoint(left, top), panel)
    painter.end()
    return window


def _beside(mockup: QPixmap, real: QPixmap) -> QPixmap:
    height = max(mockup.height(), real.height())
    both = QPixmap(mockup.width() + _GAP_PX + real.width(), height)
    both.fill(QColor("#808080"))
    painter = QPainter(both)
    painter.drawPixmap(QPoint(0, 0), mockup)
    painter.drawPixmap(QPoint(mockup.width() + _GAP_PX, 0), real)
    painter.end()
    return both
