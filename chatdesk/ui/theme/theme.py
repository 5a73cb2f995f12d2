"""Holds the current theme: its tokens, their scale, whether to animate; and passes them to Qt, as the only place.

``setColorScheme`` does nothing on some platforms (offscreen, bare X11), so the palette is always our own.
"""

from __future__ import annotations

import sys
from typing import Literal, cast

from PySide6 import QtWidgets  # QStyle is built when it is first used: it takes 4 ms
from PySide6.QtCore import QDir, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from chatdesk.core.paths import resources_dir
from chatdesk.ui.theme.fonts import MONOSPACE_FAMILIES, TEXT_FAMILIES, load_first_fonts, load_other_fonts
from chatdesk.ui.theme.session_bus import has_session_bus
from chatdesk.ui.theme.stylesheet import build_stylesheet
from chatdesk.ui.theme.tokens import (
    DARK,
    DARK_CONTRAST,
    HIT_TARGET_PX,
    LIGHT,
    LIGHT_CONTRAST,
    MAX_SCALE,
    MIN_SCALE,
    TOUCH_TARGET_PX,
    TYPE,
    FontRole,
    Tokens,
)


class Motion(QObject):
    """The setting for motion; ``Theme.motion`` exposes it. The caret blinks no faster than in GTK, because each blink
    wakes the window, and not at all where the system says so."""

    def __init__(self, application: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        self._application = application
        self._is_reduced: bool | None = None
        self._does_system_keep_still = False
        if 0 < application.cursorFlashTime() < _CARET_MS:
            application.setCursorFlashTime(_CARET_MS)

    @property
    def is_reduced(self) -> bool:
        """True when nothing may move, because a setting or the system asks for it."""
        if self._is_reduced is not None:
            return self._is_reduced
        if self._does_system_keep_still:
            return True
        duration = self._application.style().styleHint(QtWidgets.QStyle.StyleHint.SH_Widget_Animation_Duration)
        return duration == 0

    def set_reduced(self, is_reduced: bool | None) -> None:
        """Follow a setting; None follows the system."""
        self._is_reduced = is_reduced

    def follow_system(self) -> None:
        """Ask the desktop whether motion is wanted, once the window is there and at rest."""
        if has_session_bus():
            from chatdesk.ui.theme.system_motion import (  # loads QtDBus
                SystemMotion,
            )

            motion = SystemMotion(self)
            motion.changed.connect(self._on_system_changed)
            motion.ask()

    def _on_system_changed(self, is_unwanted: bool) -> None:
        self._does_system_keep_still = is_unwanted


Preference = Literal["system", "light", "dark", "light-contrast", "dark-contrast"]
Scheme = Literal["light", "dark"]

# A px of the design is 1/96 inch; on macOS Qt counts 72 to the inch. Sizes in points follow the system's text scale.
_DESIGN_DPI = 72.0 if sys.platform == "darwin" else 96.0
_PAINTING_MS = 30  # the timer fires this much late while the window is being painted
_CARET_MS = 1200
_SCALE_STEPS = (0.75, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)


class Theme(QObject):
    """The look of the application, set by ``apply()`` once the window's widgets are wanted. ``changed`` is emitted
    after the palette and the stylesheet of the application have been replaced."""

    changed = Signal()

    def __init__(
        self,
        application: QApplication,
        *,
        preference: Preference = "system",
        scale: float = 1.0,
        has_style: bool = False,
    ) -> None:
        """Theme the application. ``has_style``: the application was made with the style Fusion."""
        super().__init__(application)
        self._application = application
        self._preference: Preference = preference
        self._scale = _clamp(scale)
        self.motion = Motion(application, self)
        self._is_applied = False
        self._wanted_scale = self._scale
        self._painting = QTimer(self, singleShot=True, interval=_PAINTING_MS)
        self._painting.timeout.connect(self._on_painting_timeout)
        self._is_touched = False
        self._has_style = has_style
        self._does_system_want_contrast = _does_system_want_contrast()
        hints = application.styleHints()
        hints.colorSchemeChanged.connect(self._on_hints_color_scheme_changed)
        if hasattr(hints, "accessibility"):
            hints.accessibility().contrastPreferenceChanged.connect(self._on_accessibility_contrast_preference_changed)

    # What is in force

    @property
    def preference(self) -> Preference:
        return self._preference

    @property
    def scheme(self) -> Scheme:
        if self._preference != "system":
            return "dark" if self._preference.startswith("dark") else "light"
        return "dark" if self._application.styleHints().colorScheme() is Qt.ColorScheme.Dark else "light"

    @property
    def tokens(self) -> Tokens:
        if self.is_contrast_high:
            return DARK_CONTRAST if self.scheme == "dark" else LIGHT_CONTRAST
        return DARK if self.scheme == "dark" else LIGHT

    @property
    def is_contrast_high(self) -> bool:
        """True if the preference asks for high contrast, or the system does, whatever the preference is."""
        return self._preference.endswith("-contrast") or self._does_system_want_contrast

    @property
    def scale(self) -> float:
        """Factor on all text sizes, 0.75 to 2."""
        return self._scale

    def target_px(self, usual_px: int = HIT_TARGET_PX) -> int:
        """Return the least width and height of a control that has ``usual_px`` at scale 1: more for fingers than for
        mice."""
        return max(TOUCH_TARGET_PX if self._is_touched else 0, round(usual_px * max(1.0, self._scale)))

    def colour(self, name: str) -> QColor:
        """Return the token ``name`` as a QColor."""
        return QColor(cast(str, getattr(self.tokens, name)))

    def font(self, role: FontRole = "text") -> QFont:
        """Return a new font for text of ``role`` at the present scale."""
        step = TYPE[role]
        font = QFont()
        font.setFamilies(list(MONOSPACE_FAMILIES if step.is_monospace else TEXT_FAMILIES))
        font.setPointSizeF(self.point_size(role))
        font.setWeight(QFont.Weight(step.weight))
        if step.is_monospace:
            font.setStyleHint(QFont.StyleHint.Monospace)
            font.setFixedPitch(True)
        return font

    def point_size(self, role: FontRole) -> float:
        return TYPE[role].size_px * self._scale * 72.0 / _DESIGN_DPI

    def line_px(self, role: FontRole = "text") -> float:
        """Height of a line of ``role`` in px at the present scale, without the system's text scale."""
        return TYPE[role].line_px * self._scale

    # Changing it

    def set_preference(self, preference: Preference) -> None:
        if preference != self._preference:
            self._preference = preference
            self._apply_again()

    def toggle(self) -> None:
        """Change from light to dark or back, with the same contrast."""
        scheme = "light" if self.scheme == "dark" else "dark"
        contrast = "-contrast" if self._preference.endswith("-contrast") else ""
        self.set_preference(cast(Preference, scheme + contrast))

    def set_scale(self, scale: float) -> None:
        scale = self._wanted_scale = _clamp(scale)
        if scale != self._scale:
            self._scale = scale
            self._apply_again()

    def set_touched(self, is_touched: bool) -> None:
        """Make room for fingers, or for a mouse again."""
        if is_touched != self._is_touched:
            self._is_touched = is_touched
            self._apply_again()

    def zoom_in(self) -> float:
        """Choose the next larger size, and return it."""
        return self._zoom(next((step for step in _SCALE_STEPS if step > self._wanted_scale + 0.001), MAX_SCALE))

    def zoom_out(self) -> float:
        """Choose the next smaller size, and return it."""
        return self._zoom(
            next((step for step in reversed(_SCALE_STEPS) if step < self._wanted_scale - 0.001), MIN_SCALE)
        )

    def reset_zoom(self) -> float:
        """Choose the usual size, and return it."""
        return self._zoom(1.0)

    def _zoom(self, scale: float) -> float:
        """Set a size that a key chose. Of those that are chosen before the last one is painted, the last one counts."""
        self._wanted_scale = scale
        if not self._painting.isActive() and scale != self._scale:
            self.set_scale(scale)
            self._painting.start()
        return scale

    def _on_painting_timeout(self) -> None:
        self._zoom(self._wanted_scale)

    def load_other_fonts(self) -> None:
        """Call it once the window has been painted: bold, italic and monospaced faces."""
        load_other_fonts(resources_dir() / "fonts")

    def apply(self) -> None:
        """Set the style, palette, font and stylesheet of the application. The first call loads the fonts that the first
        paint needs; a font that cannot be loaded is replaced by the system's."""
        application = self._application
        if not self._is_applied:
            load_first_fonts(resources_dir() / "fonts")
            if not self._has_style:
                application.setStyle("Fusion")
            QDir.setSearchPaths("theme", [str(resources_dir() / "theme")])  # the stylesheet's pictures
            self._is_applied = True
        application.setPalette(self.palette())
        application.setFont(self.font("text"))
        stylesheet = build_stylesheet(self.tokens, self.point_size, is_touched=self._is_touched)
        if stylesheet != application.styleSheet():  # Qt would style every widget again
            application.setStyleSheet(stylesheet)

    def palette(self) -> QPalette:
        """Return a palette with all colours of Fusion, from the tokens."""
        tokens = self.tokens
        role = QPalette.ColorRole
        palette = QPalette()
        for names, colour in (
            ((role.Window, role.Base), tokens.background),
            ((role.AlternateBase, role.Midlight), tokens.surface),
            ((role.Button, role.ToolTipBase, role.Light), tokens.card),
            ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText, role.BrightText), tokens.text),
            ((role.PlaceholderText,), tokens.muted),
            ((role.Mid, role.Dark, role.Shadow), tokens.line),
            ((role.Highlight, role.Accent, role.Link, role.LinkVisited), tokens.accent),
            ((role.HighlightedText,), tokens.on_accent),
        ):
            for name in names:
                palette.setColor(name, QColor(colour))
        for name in (role.WindowText, role.Text, role.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(tokens.muted))
        return palette

    def _apply_again(self) -> None:
        if self._is_applied:
            self.apply()
        self.changed.emit()

    def _on_hints_color_scheme_changed(self, _scheme: Qt.ColorScheme) -> None:
        if self._preference == "system":
            self._apply_again()

    def _on_accessibility_contrast_preference_changed(self, _preference: object) -> None:
        self._does_system_want_contrast = _does_system_want_contrast()
        self._apply_again()


def _does_system_want_contrast() -> bool:
    # Qt 6.10 and later; the lower bound of the dependency is 6.8.
    hints = getattr(QGuiApplication.styleHints(), "accessibility", None)
    return hints is not None and bool(hints().contrastPreference().name == "HighContrast")


def _clamp(scale: float) -> float:
    return min(MAX_SCALE, max(MIN_SCALE, scale))
