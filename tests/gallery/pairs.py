"""Mockups beside the real window: ``python -m tests.gallery --mockups FOLDER`` writes a picture of each pair.

A mockup is a PNG called ``what-look.png``, such as ``settings-light.png``; ``what`` is one of ``SCENES``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, cast

from PySide6.QtCore import QPoint, QSize
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.thread import Thread
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.theme.theme import Preference, Theme
from chatdesk.ui.window.main_window import MainWindow
from tests.gallery.inspector_samples import build_answers, build_inspector
from tests.gallery.palette_samples import build_palette, sample_groups
from tests.gallery.provider_samples import build_settings
from tests.gallery.transcript_samples import Sample, sample_stream
from tests.gallery.window_samples import build_window

_SIZE: Final = QSize(1280, 820)
_GAP_PX: Final = 24
# Until the frames of an answer that comes in are drawn.
_SETTLED_MS: Final = 300
_SHADE: Final = 90  # of 255
_PEOPLE: Final = ("Mia Keller", "Ada Lindh")


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
        beside(QPixmap(str(path)), SCENES[what](theme)).save(str(out / path.name))
        count += 1
    return count


def _chat(theme: Theme) -> QPixmap:
    return drawn(window_of(theme, "Postgres RLS policies for shared projects", fraction=0.34, people=_PEOPLE))


def _empty(theme: Theme) -> QPixmap:
    window = window_of(theme, "New thread", has_thread=False)
    window.pane.empty_state.set_sub_text("Add a provider in Settings, or start one on this computer: none found yet.")
    return drawn(window)


def _streaming(theme: Theme) -> QPixmap:
    window = window_of(theme, "Explain the WAL checkpoint stall", fraction=0.82, sample=sample_stream(is_ended=False))
    transcript = window.pane.transcript
    assert transcript is not None
    window.resize(_SIZE)
    window.show()
    QTest.qWait(_SETTLED_MS)
    transcript.conversation.append_text("m1", 3, "text", "stream")
    composer = window.pane.composer
    schema = Attachment("schema.sql", "text/plain", "a" * 64, 4_200)
    composer.files.set_attached([schema, Attachment("plan.png", "image/png", "b" * 64, 217_000)])
    composer.set_text("and what about synchronous=FULL?")
    composer.set_token_count("1,412 tokens")
    composer.set_streaming(True)
    return drawn(window)


def _inspector(theme: Theme) -> QPixmap:
    window = window_of(theme, "Summarise the Jepsen report", fraction=0.61)
    window.resize(_SIZE)
    window.pane.show_inspector(build_inspector(theme, "Context"))
    return drawn(window)


def _compare(theme: Theme) -> QPixmap:
    window = window_of(theme, "Compare vector index options", fraction=0.12)
    window.pane.show_pane(build_answers(theme, 1016))
    return drawn(window)


def _settings(theme: Theme) -> QPixmap:
    return with_dialog(_chat(theme), build_settings(theme))


def _palette(theme: Theme) -> QPixmap:
    commands = CommandRegistry(QWidget(), CATALOGUE)
    return with_dialog(_chat(theme), build_palette(theme, commands, "checkpoint", sample_groups()), top_px=90)


def window_of(
    theme: Theme,
    title: str,
    *,
    fraction: float | None = None,
    people: Sequence[str] = (),
    has_thread: bool = True,
    sample: Sample | None = None,
    threads: Sequence[Thread] | None = None,
) -> MainWindow:
    """The window of a mockup: its title, meter and people, and the focus where one writes."""
    window = build_window(theme, has_thread=has_thread, sample=sample, threads=threads)
    window.set_commands(CommandRegistry(window, CATALOGUE))
    window.pane.header.set_title(title)
    window.pane.header.set_current("openai", "gpt-4o")
    window.pane.header.context_meter.set_fraction(fraction)
    window.pane.header.set_people(people, people[:1])
    window.pane.composer.setFocus()
    return window


SCENES: Final[Mapping[str, Callable[[Theme], QPixmap]]] = {
    "chat": _chat,
    "empty": _empty,
    "streaming": _streaming,
    "inspector": _inspector,
    "compare": _compare,
    "settings": _settings,
    "palette": _palette,
}


def drawn(window: MainWindow) -> QPixmap:
    """The window as people see it, in the size of the mockups."""
    window.resize(_SIZE)
    return _grabbed(window)


def _grabbed(widget: QWidget) -> QPixmap:
    widget.show()
    QTest.qWait(_SETTLED_MS)
    picture = widget.grab()
    widget.close()
    widget.deleteLater()
    return picture


def with_dialog(window: QPixmap, dialog: QWidget, *, top_px: int | None = None) -> QPixmap:
    """A dialog over the picture of its window."""
    panel = _grabbed(dialog)
    left = (window.width() - panel.width()) // 2
    top = (window.height() - panel.height()) // 2 if top_px is None else top_px
    painter = QPainter(window)
    painter.fillRect(window.rect(), QColor(0, 0, 0, _SHADE))
    painter.drawPixmap(QPoint(left, top), panel)
    painter.end()
    return window


def beside(mockup: QPixmap, real: QPixmap) -> QPixmap:
    """Return both pictures in one."""
    height = max(mockup.height(), real.height())
    both = QPixmap(mockup.width() + _GAP_PX + real.width(), height)
    both.fill(QColor("#808080"))
    painter = QPainter(both)
    painter.drawPixmap(QPoint(0, 0), mockup)
    painter.drawPixmap(QPoint(mockup.width() + _GAP_PX, 0), real)
    painter.end()
    return both
