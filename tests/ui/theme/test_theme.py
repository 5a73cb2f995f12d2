"""Tokens, palette, scale, icons and fonts."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontDatabase, QFontInfo, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QSlider, QStyle, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.paths import resources_dir
from chatdesk.ui.theme.icons import icon, icon_pixmap
from chatdesk.ui.theme.system_motion import SystemMotion
from chatdesk.ui.theme.theme import Preference, Theme
from chatdesk.ui.theme.tokens import DARK, DARK_CONTRAST, LIGHT, LIGHT_CONTRAST, TYPE, Tokens
from tests.helpers.painted_words import ink_of


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    made = Theme(qapp)
    made.apply()
    made.load_other_fonts()
    return made


def _luminance(colour: str) -> float:
    parts = [value / 255 for value in QColor(colour).getRgb()[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["background", "surface", "card", "floating", "question", "code"])
def test_text_can_be_read(tokens: Tokens, ground: str) -> None:
    assert _contrast(tokens.text, getattr(tokens, ground)) >= 7
    assert _contrast(tokens.muted, getattr(tokens, ground)) >= 4.5


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["muted", "accent", "warning", "danger"])
def test_coloured_text_can_be_read_on_every_ground(tokens: Tokens, name: str) -> None:
    grounds = ("background", "surface", "card", "floating", "question", "code", "hover", "selected")
    grounds += ("warning_tint", "danger_tint")
    assert min(_contrast(getattr(tokens, name), getattr(tokens, ground)) for ground in grounds) >= 4.5


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_a_menu_has_an_edge_and_a_visible_current_row(tokens: Tokens) -> None:
    assert _contrast(tokens.field_line, tokens.background) >= 1.5
    assert _contrast(tokens.selected, tokens.floating) >= 1.1


@pytest.mark.parametrize("look", ["light", "dark", "light-contrast", "dark-contrast"])
def test_the_balloon_of_qt_is_read_on_its_pale_ground(theme: Theme, qtbot: QtBot, look: Preference) -> None:
    balloon = type("QBalloonTip", (QWidget,), {})()
    qtbot.addWidget(balloon)
    label = QLabel("ChatDesk keeps running in the tray.", balloon)
    theme.set_preference(look)
    balloon.show()
    assert _contrast(label.palette().color(QPalette.ColorRole.WindowText).name(), "#ffffe1") >= 7
    theme.set_preference("light")


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_code_can_be_read(tokens: Tokens) -> None:
    for colour in tokens.syntax:
        assert _contrast(colour, tokens.code) >= 4.5, colour
    assert tokens.syntax.of("no such kind") == tokens.syntax.plain


@pytest.mark.parametrize("tokens", [LIGHT_CONTRAST, DARK_CONTRAST], ids=["light", "dark"])
@pytest.mark.parametrize(
    "ground",
    [
        "background",
        "surface",
        "card",
        "floating",
        "question",
        "code",
        "hover",
        "selected",
        "warning_tint",
        "danger_tint",
    ],
)
def test_with_high_contrast_all_text_is_seven_to_one(tokens: Tokens, ground: str) -> None:
    behind = getattr(tokens, ground)
    for name in ("text", "muted"):
        assert _contrast(getattr(tokens, name), behind) >= 7, name
    if ground in ("background", "surface", "card", "floating", "question", "code"):
        assert _contrast(tokens.line, behind) >= 4.5
        for name in ("accent", "warning", "danger"):
            assert _contrast(getattr(tokens, name), behind) >= 7, name
    if ground == "code":
        for colour in tokens.syntax:
            assert _contrast(colour, behind) >= 7, colour
    assert _contrast(tokens.on_accent, tokens.accent) >= 7
    assert _contrast(tokens.on_accent, tokens.accent_hover) >= 7


def test_high_contrast_can_be_chosen_and_survives_switching_the_theme(theme: Theme) -> None:
    theme.set_preference("dark-contrast")
    assert (theme.scheme, theme.tokens, theme.is_contrast_high) == ("dark", DARK_CONTRAST, True)
    theme.toggle()
    assert (theme.preference, theme.tokens) == ("light-contrast", LIGHT_CONTRAST)
    theme.set_preference("light")
    theme.toggle()
    assert theme.preference == "dark"
    theme.set_preference("light")


def test_stillness_is_taken_from_the_system_unless_a_setting_decides(
    theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SystemMotion, "ask", lambda _self: None)
    monkeypatch.setattr("chatdesk.ui.theme.theme.has_session_bus", lambda: True)
    theme.motion.set_reduced(None)
    usual = theme.motion.is_reduced
    theme.motion.follow_system()
    motion = theme.findChild(SystemMotion)
    motion.changed.emit(True)
    assert theme.motion.is_reduced
    theme.motion.set_reduced(False)
    assert not theme.motion.is_reduced
    motion.changed.emit(False)
    theme.motion.set_reduced(None)
    assert theme.motion.is_reduced == usual
    monkeypatch.setattr("chatdesk.ui.theme.theme.has_session_bus", lambda: False)
    theme.motion.follow_system()


def test_the_contrast_of_the_system_is_followed(theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    theme.set_preference("light")
    hints = QGuiApplication.styleHints().accessibility()
    with monkeypatch.context() as patched:
        patched.setattr("chatdesk.ui.theme.theme._does_system_want_contrast", lambda: True)
        hints.contrastPreferenceChanged.emit(Qt.ContrastPreference.HighContrast)
        assert theme.tokens == LIGHT_CONTRAST
    hints.contrastPreferenceChanged.emit(Qt.ContrastPreference.NoPreference)
    assert theme.tokens == LIGHT


def test_choosing_dark_repaints_everything(theme: Theme, qtbot: QtBot) -> None:
    theme.set_preference("light")
    with qtbot.waitSignal(theme.changed):
        theme.set_preference("dark")
    assert (theme.scheme, theme.tokens) == ("dark", DARK)
    assert QApplication.palette().color(QPalette.ColorRole.Window) == QColor(DARK.background)
    assert DARK.line in QApplication.instance().styleSheet()
    theme.set_preference("light")


def test_the_system_preference_follows_the_hint(theme: Theme) -> None:
    assert theme.preference == "system"
    assert theme.scheme in ("light", "dark")


def test_zoom_goes_in_steps_and_stays_in_bounds(theme: Theme, qtbot: QtBot) -> None:
    base = theme.font("text").pointSizeF()
    theme.zoom_in()
    assert theme.scale == 1.1
    assert theme.font("text").pointSizeF() == pytest.approx(base * 1.1)
    for _each in range(20):
        theme.zoom_in()
    qtbot.waitUntil(lambda: theme.scale == 2.0)
    for _each in range(20):
        theme.zoom_out()
    qtbot.waitUntil(lambda: theme.scale == 0.75)
    theme.reset_zoom()
    qtbot.waitUntil(lambda: theme.scale == 1.0)


def test_of_sizes_chosen_between_two_pictures_the_last_is_drawn(theme: Theme, qtbot: QtBot) -> None:
    drawn: list[float] = []
    theme.changed.connect(lambda: drawn.append(theme.scale))
    for _each in range(5):
        theme.zoom_in()
    qtbot.waitUntil(lambda: theme.scale == 2.0)
    assert drawn == [1.1, 2.0]
    theme.zoom_out()
    theme.set_scale(1.0)  # a choice in the settings is the last word
    theme.zoom_in()
    qtbot.waitUntil(lambda: theme.scale == 1.1)
    theme.set_scale(1.0)


def test_motion_follows_the_setting(theme: Theme) -> None:
    theme.motion.set_reduced(True)
    assert theme.motion.is_reduced
    theme.motion.set_reduced(False)
    assert not theme.motion.is_reduced


def test_the_bundled_fonts_are_drawn_with(theme: Theme) -> None:
    assert {"Inter", "JetBrains Mono"} <= set(QFontDatabase.families())
    for role in TYPE:
        family = "JetBrains Mono" if role == "code" else "Inter"
        assert QFontInfo(theme.font(role)).family() == family
    assert QFontInfo(theme.font("strong")).weight() == 600


def test_the_same_look_again_loads_no_font_and_styles_nothing_anew(theme: Theme, qtbot: QtBot) -> None:
    class Styled(QLabel):
        count = 0

        def changeEvent(self, event: QEvent) -> None:
            self.count += event.type() == QEvent.Type.StyleChange

    label = Styled("text")
    qtbot.addWidget(label)
    label.ensurePolished()
    label.count = 0
    with qtbot.assertNotEmitted(QGuiApplication.instance().fontDatabaseChanged):
        again = Theme(QApplication.instance(), has_style=True)
        again.apply()
        again.load_other_fonts()
    assert label.count == 0
    again.set_scale(1.5)
    assert label.count > 0
    again.set_scale(1.0)


def test_every_bundled_thing_has_its_licence() -> None:
    fonts, icons = resources_dir() / "fonts", resources_dir() / "icons"
    assert "SIL Open Font License" in (fonts / "LICENSE-Inter.txt").read_text(encoding="utf-8")
    assert "SIL Open Font License" in (fonts / "LICENSE-JetBrainsMono.txt").read_text(encoding="utf-8")
    assert "ISC" in (icons / "LICENSE").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in fonts.iterdir()) < 2_000_000


def test_an_icon_is_drawn_in_its_colour_at_the_screens_resolution(theme: Theme) -> None:
    pixmap = icon_pixmap("square", "#ff0000", 16, device_pixel_ratio=2.0)
    assert pixmap.size() == QSize(32, 32)
    image = pixmap.toImage()
    inked = [image.pixelColor(x, y) for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha() > 200]
    assert inked
    assert all(colour.red() > 200 and colour.green() < 40 for colour in inked)


def test_every_icon_can_be_drawn(theme: Theme) -> None:
    empty = []
    for path in (resources_dir() / "icons").glob("*.svg"):
        image = icon(path.stem, "#000000").pixmap(QSize(16, 16)).toImage()
        if not any(image.pixelColor(x, y).alpha() for x in range(16) for y in range(16)):
            empty.append(path.stem)
    assert empty == []


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_slider_has_room_for_its_handle(theme: Theme, qtbot: QtBot, scale: float) -> None:
    theme.set_scale(scale)
    slider = QSlider(Qt.Orientation.Horizontal)
    qtbot.addWidget(slider)
    slider.resize(200, slider.sizeHint().height())
    slider.show()
    painted = slider.grab().toImage()
    handle = ink_of(
        painted,
        QRect(0, 0, 2 + slider.style().pixelMetric(QStyle.PixelMetric.PM_SliderLength), 200).intersected(
            painted.rect()
        ),
    )
    assert handle.top() > 0 and handle.bottom() < painted.height() - 1
    theme.set_scale(1.0)


def test_an_icon_that_qt_places_is_in_the_middle(qapp: QApplication) -> None:
    image = icon("x", "#000000").pixmap(QSize(16, 16)).toImage()
    marked = [(x, y) for x in range(16) for y in range(16) if image.pixelColor(x, y).alpha() > 64]
    for place in (0, 1):
        values = [point[place] for point in marked]
        assert min(values) == 15 - max(values)
