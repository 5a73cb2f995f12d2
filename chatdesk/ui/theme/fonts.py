"""Loads the bundled fonts, each when it is needed.

The first paint needs one file; the others are loaded after it, because each costs start-up time. Scripts that the
bundled fonts lack (Arabic, CJK and more) come from the system's fonts by Qt's own fallback.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from PySide6.QtGui import QFontDatabase

TEXT_FAMILIES: Final = ("Inter", "system-ui", "sans-serif")
MONOSPACE_FAMILIES: Final = ("JetBrains Mono", "DejaVu Sans Mono", "Menlo", "Consolas", "monospace")

FIRST_PAINT_FILES: Final = ("Inter-Regular.ttf", "Inter-SemiBold.ttf")
LATER_FILES: Final = (
    "Inter-Medium.ttf",
    "Inter-Bold.ttf",
    "Inter-Italic.ttf",
    "Inter-BoldItalic.ttf",
    "JetBrainsMono-Regular.ttf",
    "JetBrainsMono-Bold.ttf",
    "JetBrainsMono-Italic.ttf",
)


def load_first_fonts(directory: Path) -> tuple[str, ...]:
    """Load the fonts of the first paint. Returns the names of files that Qt could not load."""
    return _load(directory, FIRST_PAINT_FILES)


def load_other_fonts(directory: Path) -> tuple[str, ...]:
    """Load the rest; call it once the window has been painted."""
    return _load(directory, LATER_FILES)


def _load(directory: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if not _load_once(directory / name))


@cache
def _load_once(file: Path) -> bool:
    """Load a font and return whether Qt could. Qt adds a file as often as it is asked to, and each time forgets which
    fonts it has found for what."""
    return QFontDatabase.addApplicationFont(str(file)) != -1
