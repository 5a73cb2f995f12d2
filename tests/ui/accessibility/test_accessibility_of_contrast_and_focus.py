"""What is written can be read on every ground, and the focus of a button is seen in every look."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QMargins, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.theme.theme import Preference, Theme
from chatdesk.ui.theme.tokens import DARK, DARK_CONTRAST, LIGHT, LIGHT_CONTRAST, Tokens
from chatdesk.ui.widgets.buttons import IconButton, LinkButton
from tests.helpers.seen_focus import clear_changes, drawn
from tests.ui.transcript.test_transcript_context_marks import contrast

_GROUNDS = ("background", "surface", "card", "question", "code", "hover", "selected", "warning_tint", "danger_tint")
_PAIRS = (
    *((ink, ground) for ink in ("text", "muted", "accent", "warning", "danger") for ground in _GROUNDS),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
)


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, preference="light")
    made.set_scale(1.0)
    made.apply()
    yield made
    made.deleteLater()


@pytest.mark.parametrize("tokens", [LIGHT, DARK, LIGHT_CONTRAST, DARK_CONTRAST])
def test_every_ink_can_be_read_on_every_ground(tokens: Tokens) -> None:
    found = {pair: contrast(getattr(tokens, pair[0]), getattr(tokens, pair[1])) for pair in _PAIRS}
    assert {pair: round(value, 2) for pair, value in found.items() if value < 4.5} == {}


@pytest.mark.parametrize("preference", ["light", "dark", "light-contrast", "dark-contrast"])
def test_the_label_of_a_disabled_filled_button_is_readable(theme: Theme, preference: Preference) -> None:
    theme.set_preference(preference)
    button = IconButton(theme, "arrow-up", name="Send", object_name="send", is_filled=True, side_px=32)
    button.setEnabled(False)
    button.resize(32, 32)
    picture = button.grab().toImage()
    ground, middle = picture.pixelColor(16, 4).name(), [picture.pixelColor(16, y).name() for y in range(8, 24)]
    assert max(contrast(ground, ink) for ink in middle) >= 4.5
    assert contrast(ground, theme.tokens.accent) > 1.5, "it does not look as if it were on"


def _link(text: str) -> QAbstractButton:
    return LinkButton(text, "https://example.org", object_name="link")


def _primary(text: str) -> QAbstractButton:
    return push_button(text, "primary", lambda: None, is_primary=True)


@pytest.mark.parametrize("preference", ["light", "dark", "light-contrast", "dark-contrast"])
@pytest.mark.parametrize("is_checked", [False, True])
@pytest.mark.parametrize("kind", [QCheckBox, QRadioButton, QPushButton, _link, _primary])
def test_the_focus_of_a_button_is_seen(
    theme: Theme, preference: Preference, kind: Callable[[str], QAbstractButton], is_checked: bool
) -> None:
    theme.set_preference(preference)
    page, other, button = QWidget(), QLineEdit(), kind("On")
    column = QVBoxLayout(page)
    for each in (other, button):
        column.addWidget(each)
    button.setCheckable(True)
    button.setChecked(is_checked)
    page.show()
    page.activateWindow()
    other.setFocus()
    unfocused, size = drawn(page, button.geometry()), button.size()
    inside = button.geometry().marginsRemoved(QMargins(8, 5, 8, 5))
    unfocused_inside = drawn(page, inside)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    page.setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)  # which a press of Tab sets, too
    focused = drawn(page, button.geometry())
    assert button.hasFocus()
    assert button.size() == size
    assert clear_changes(unfocused, focused) >= 20
    assert drawn(page, inside) == unfocused_inside, "one ring is enough"
    page.close()
    page.deleteLater()
