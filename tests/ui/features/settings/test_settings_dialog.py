"""The settings as a person uses them: found, changed at once, and nothing lost however the dialog is left."""

from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QListWidget, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.settings.schema import PAGES, all_settings
from chatdesk.core.texts import use_translation
from chatdesk.ui.features.settings.data_page import DataPage
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.settings.settings_fields import NumberField
from chatdesk.ui.features.settings.settings_page import SettingsPage
from chatdesk.ui.features.settings.settings_row import SettingsRow
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.switch import Switch
from tests.helpers.examples import sample
from tests.helpers.settings_pages import data_page, row_of, shown_page

VALUES = {each.name: each.default for each in all_settings()} | {"backup_dir": "/home/me/backups"}


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    found = Theme(qapp, preference="light")
    found.apply()  # another test may have left its own, or none
    return found


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    made.resize(1000, 760)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def dialog(window: QWidget, theme: Theme) -> SettingsDialog:
    made = SettingsDialog(theme, VALUES, parent=window)
    made.open()
    return made


def _found(dialog: SettingsDialog) -> list[str]:
    shown = dialog.findChild(QListWidget, "settingsFound")
    assert shown is not None
    return [shown.item(place).text() for place in range(shown.count())]


def test_every_setting_with_a_row_has_one_on_its_page(dialog: SettingsDialog) -> None:
    for setting in all_settings():
        if not setting.shown.hidden:
            assert row_of(dialog, setting.name).field.accessibleName() == setting.shown.title


def test_no_page_shows_the_text_of_the_documents(dialog: SettingsDialog) -> None:
    for title in PAGES:
        dialog.show_page(title)
    for setting in all_settings():
        if not setting.shown.hidden:
            row = row_of(dialog, setting.name)
            description = row.field.accessibleDescription()
            if setting.trial is None:
                assert description in (setting.shown.hint, "")
            else:
                assert description.startswith(f"{setting.shown.hint} It is tried out until ")


def test_pages_are_built_when_they_are_shown(dialog: SettingsDialog, qtbot: QtBot) -> None:
    made: list[QWidget] = []

    def make() -> QWidget:
        made.append(QWidget())
        return made[-1]

    dialog.fill_page("Team sync", make)
    assert not made
    dialog.show_page("Team sync")
    qtbot.waitUntil(lambda: bool(made) and made[0].isVisible())


def test_a_row_opens_no_window_of_its_own(qtbot: QtBot, qapp: QApplication) -> None:
    before = set(qapp.topLevelWidgets())
    row = SettingsRow("Theme", "Light or dark.", QLineEdit())
    qtbot.addWidget(row)
    assert not [each for each in qapp.topLevelWidgets() if each not in before and each.isVisible()]
    row.show_words("Theme", "")
    row.show_words("Theme", "Light or dark.")
    assert [each for each in qapp.topLevelWidgets() if each not in before] == [row]


@pytest.fixture
def applied(dialog: SettingsDialog) -> list[dict[str, object]]:
    changes: list[dict[str, object]] = []
    dialog.applied.connect(changes.append)
    return changes


def _activate(dialog: QWidget, qtbot: QtBot) -> None:
    """Give the dialog the keyboard, after the window behind it has had it."""

    def is_active() -> bool:
        if not dialog.isActiveWindow():
            dialog.activateWindow()
        QApplication.processEvents()
        return dialog.isActiveWindow()

    qtbot.waitUntil(is_active)


def _change(field: QWidget) -> None:
    """Change a field as a person does who does not leave it yet."""
    if isinstance(field, QComboBox):
        field.setCurrentIndex((field.currentIndex() + 1) % field.count())
    elif isinstance(field, Switch):
        QTest.keyClick(field, Qt.Key.Key_Space)
    elif isinstance(field, NumberField):
        field.stepBy(1)
    else:
        QTest.keyClicks(field, "9/min")


KINDS = {each.name: each for each in all_settings() if not each.shown.hidden and not each.is_model}


@pytest.mark.parametrize(("name", "ends"), sample(list(itertools.product(KINDS, ("leaving", "escape", "cross"))), 24))
def test_each_setting_is_kept_however_the_dialog_is_left(
    dialog: SettingsDialog, applied: list[dict[str, object]], qtbot: QtBot, name: str, ends: str
) -> None:
    row = row_of(dialog, name)
    qtbot.waitUntil(row.field.isVisible)
    _activate(dialog, qtbot)
    row.field.setFocus()
    _change(row.field)
    holds_at_once = isinstance(row.field, QComboBox | Switch)
    assert [list(each) for each in applied] == ([[name]] if holds_at_once else [])
    if ends == "leaving":
        dialog.findChild(QListWidget, "settingsPages").setFocus()
    elif ends == "escape":
        QTest.keyClick(row.field, Qt.Key.Key_Escape)
    else:
        QTest.mouseClick(dialog.findChild(QWidget, "settingsClose"), Qt.MouseButton.LeftButton)
    if row.has_problem:
        assert applied == [] and dialog.isVisible()
        assert dialog.close() and not dialog.isVisible()
        return
    assert [list(each) for each in applied] == [[name]]
    assert dialog.isVisible() is (ends == "leaving")


def test_enter_settles_a_line_of_text(dialog: SettingsDialog, applied: list[dict[str, object]]) -> None:
    field = row_of(dialog, "rate_limit").field
    QTest.keyClicks(field, "20/min")
    assert applied == []
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert applied == [{"rate_limit": "20/min"}] and dialog.isVisible()


def test_a_wrong_value_keeps_the_old_one_and_says_why(
    dialog: SettingsDialog, applied: list[dict[str, object]], qtbot: QtBot
) -> None:
    row = row_of(dialog, "rate_limit")
    qtbot.waitUntil(row.field.isVisible)
    QTest.keyClicks(row.field, "often")
    QTest.keyClick(row.field, Qt.Key.Key_Return)
    assert applied == [] and row.has_problem and row.field.text() == "often"
    row.field.setText("5/min")
    QTest.keyClick(row.field, Qt.Key.Key_Return)
    assert applied == [{"rate_limit": "5/min"}] and not row.has_problem


def test_a_value_that_is_refused_while_closing_is_shown_once(
    dialog: SettingsDialog, applied: list[dict[str, object]]
) -> None:
    row_of(dialog, "rate_limit").field.setText("often")
    dialog.show_page("General")
    dialog.reject()
    assert dialog.isVisible()
    assert dialog.findChild(QListWidget, "settingsPages").currentItem().text() == "Usage and limits"
    dialog.reject()
    assert not dialog.isVisible() and applied == []


@pytest.mark.parametrize("place", ["settingsPages", "settingsClose", "setting_start_at_login"])
def test_letters_go_to_the_search(dialog: SettingsDialog, qtbot: QtBot, place: str) -> None:
    row = row_of(dialog, "start_at_login")
    qtbot.waitUntil(row.field.isVisible)
    _activate(dialog, qtbot)
    dialog.findChild(QWidget, place).setFocus()
    for letter in "tray":
        QTest.keyClick(QApplication.focusWidget(), letter)
    assert dialog.findChild(QLineEdit, "settingsSearch").text() == "tray"
    assert _found(dialog)[0] == "Icon in the tray\nGeneral"


def test_a_press_anywhere_in_its_row_changes_a_switch(
    dialog: SettingsDialog, applied: list[dict[str, object]], qtbot: QtBot
) -> None:
    row = row_of(dialog, "start_at_login")
    qtbot.waitUntil(row.field.isVisible)
    place = dialog.pos()
    QTest.mouseClick(row, Qt.MouseButton.LeftButton, pos=QPoint(5, row.height() // 2))
    QTest.mouseClick(row.field, Qt.MouseButton.LeftButton)
    QTest.mouseClick(row, Qt.MouseButton.RightButton, pos=QPoint(5, row.height() // 2))
    assert applied == [{"start_at_login": True}, {"start_at_login": False}] and dialog.pos() == place


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
@pytest.mark.parametrize("page", PAGES)
def test_the_fields_of_a_page_end_in_one_line_beside_a_free_scroll_bar(
    dialog: SettingsDialog, qtbot: QtBot, page: str, direction: Qt.LayoutDirection
) -> None:
    dialog.setLayoutDirection(direction)
    shown = shown_page(dialog, page)
    qtbot.waitUntil(lambda: shown.widget().width() == shown.viewport().width())
    QApplication.processEvents()
    is_mirrored = direction is Qt.LayoutDirection.RightToLeft
    fields = [row.field for row in shown.rows.values() if not isinstance(row.field, QPlainTextEdit)]
    corners = [each.rect().topLeft() if is_mirrored else each.rect().topRight() for each in fields]
    ends = {each.mapTo(shown, corner).x() for each, corner in zip(fields, corners, strict=True)}
    assert len(ends) <= 1
    widths = {each.width() for each in fields if not isinstance(each, Switch)}
    assert len(widths) <= 1 and widths <= set(range(250, 301))
    assert all(row.height() >= 44 for row in shown.rows.values())
    assert shown.verticalScrollBar().isVisible()
    assert shown.verticalScrollBar().isEnabled() is (shown.verticalScrollBar().maximum() > 0)


def test_numbers_have_units_and_words_for_zero(dialog: SettingsDialog) -> None:
    def text(name: str) -> str:
        field = row_of(dialog, name).field
        assert isinstance(field, NumberField)
        return field.text()

    assert text("trash_days") == "30 days"
    assert text("archive_days") == "Never"
    assert text("summary_share") == "75% full"
    assert text("max_message_bytes").replace(",", "") == "1024 KB"
    assert text("background_tokens_per_day") == "No limit"
    field = row_of(dialog, "backups_daily").field
    assert isinstance(field, NumberField)
    field.setValue(1)
    assert field.text() == "1 day"


def test_the_sign_of_percent_stands_as_the_language_writes_it(window: QWidget, theme: Theme) -> None:
    written = {"{percent}%": "{percent}\N{NO-BREAK SPACE}%", "% full": "% plein"}
    use_translation(lambda source, _about, _count: written.get(source, ""), language_tag="fr")
    try:
        field = row_of(SettingsDialog(theme, VALUES, parent=window), "summary_share").field
        assert isinstance(field, NumberField)
        assert field.text() == "75\N{NO-BREAK SPACE}% plein"
    finally:
        use_translation(None)


def test_a_value_between_two_steps_stays_until_it_is_changed(window: QWidget, theme: Theme) -> None:
    odd = VALUES | {
        "max_message_bytes": 1_000_000,
        "connect_timeout_s": 2.5,
        "text_scale": 0.8,
        "summary_cron": "5 4 * * *",
    }
    dialog = SettingsDialog(theme, odd, parent=window)
    applied: list[dict[str, object]] = []
    dialog.applied.connect(applied.append)
    for name in odd:
        if name != "backup_dir" and name in {each.name for each in all_settings() if not each.shown.hidden}:
            row_of(dialog, name)
    assert dialog.apply() and applied == []
    field = row_of(dialog, "max_message_bytes").field
    assert isinstance(field, NumberField)
    field.setValue(2048)
    assert dialog.apply() and applied == [{"max_message_bytes": 2048 * 1024}]


def test_own_instructions_have_several_lines(dialog: SettingsDialog) -> None:
    field = row_of(dialog, "system_prompt").field
    assert isinstance(field, QPlainTextEdit)
    applied: list[dict[str, object]] = []
    dialog.applied.connect(applied.append)
    field.setPlainText("Be brief.\nWrite British English.\n")
    assert dialog.apply()
    assert applied == [{"system_prompt": "Be brief.\nWrite British English."}]


def test_the_wheel_scrolls_the_page_and_changes_no_field(dialog: SettingsDialog) -> None:
    dialog.show_page("Data and backup")
    field = row_of(dialog, "trash_days").field
    assert isinstance(field, NumberField)
    middle = QPointF(field.rect().center())
    down = QWheelEvent(
        middle,
        field.mapToGlobal(middle),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(field, down)
    assert field.value() == 30 and not down.isAccepted()


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("dark mode", "Theme\nGeneral"),
        ("trash", "Empty the trash after\nData and backup"),
        ("restore", "Restore\nData and backup"),
        ("custom instructions", "Instructions for all threads\nGeneral"),
        ("shortc", "Keyboard shortcuts\nShortcuts"),
    ],
)
def test_a_search_finds_settings_by_words_that_people_use(dialog: SettingsDialog, typed: str, first: str) -> None:
    field = dialog.findChild(QLineEdit, "settingsSearch")
    assert field is not None
    QTest.keyClicks(field, typed)
    assert _found(dialog)[0] == first


def test_enter_in_the_search_leads_to_the_field(dialog: SettingsDialog, qtbot: QtBot) -> None:
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    field = dialog.findChild(QLineEdit, "settingsSearch")
    assert field is not None
    QTest.keyClicks(field, "animations")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert dialog.isVisible()
    assert QApplication.focusWidget() is row_of(dialog, "motion").field
    qtbot.waitUntil(row_of(dialog, "motion").field.isVisible)
    QTest.keyClicks(field, " nothing has this")
    assert _found(dialog) == ["Nothing found"]
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert dialog.isVisible() and field.text() == ""


def test_it_grows_with_the_window_and_stays_within_it(window: QWidget, theme: Theme) -> None:
    small = SettingsDialog(theme, VALUES, parent=window)
    window.resize(1920, 1080)
    large = SettingsDialog(theme, VALUES, parent=window)
    assert large.width() > small.width() and large.height() > small.height()
    large.open()
    window.resize(900, 600)
    assert large.width() <= 900 and large.height() <= 600


def test_it_is_moved_by_the_mouse_and_closed_by_its_cross(dialog: SettingsDialog, qtbot: QtBot) -> None:
    start = dialog.pos()
    place = QPoint(dialog.width() // 2, 6)
    QTest.mousePress(dialog, Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseMove(dialog, place + QPoint(30, 20))
    QTest.mouseRelease(dialog, Qt.MouseButton.LeftButton, pos=place)
    assert dialog.pos() == start + QPoint(30, 20)
    QTest.mousePress(dialog, Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseMove(dialog, place + QPoint(2, 1))  # as a hand moves in a click
    QTest.mouseRelease(dialog, Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseMove(dialog, place + QPoint(60, 60))
    assert dialog.pos() == start + QPoint(30, 20)
    cross = dialog.findChild(QWidget, "settingsClose")
    assert cross is not None
    qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)
    assert not dialog.isVisible()


def test_larger_text_gets_larger_fields_while_the_dialog_is_open(window: QWidget, theme: Theme, qtbot: QtBot) -> None:
    theme.apply()
    dialog = SettingsDialog(theme, VALUES, parent=window)
    dialog.open()
    field = row_of(dialog, "theme").field
    qtbot.waitUntil(field.isVisible)
    qtbot.waitUntil(lambda: field.height() >= 28)
    before = field.height(), field.maximumWidth()
    theme.set_scale(2.0)
    qtbot.waitUntil(lambda: field.height() > before[0] * 1.3)
    assert field.maximumWidth() > before[1]
    theme.set_scale(1.0)
    dialog.reject()


def test_the_focus_comes_back_to_what_was_pressed(window: QWidget, theme: Theme, qtbot: QtBot) -> None:
    dialog = SettingsDialog(theme, VALUES, parent=window)
    dialog.open()
    page = data_page(dialog)
    assert isinstance(page, DataPage)
    qtbot.waitUntil(page.isVisible)
    _activate(dialog, qtbot)
    check = page.findChild(QPushButton, "data_check")
    check.setFocus()
    page.show_busy("Checking…")
    assert page.isAncestorOf(QApplication.focusWidget())
    page.show_result(["Nothing is wrong."])
    assert QApplication.focusWidget() is check
    dialog.reject()


def test_a_page_shows_its_frame_before_its_rows(qtbot: QtBot, qapp: QApplication) -> None:
    """No row is made in the same turn of the loop as the page itself."""
    settings = [each for each in all_settings() if not each.shown.hidden and each.shown.page == "General"]
    theme = Theme(qapp, preference="light")
    page = SettingsPage(theme, settings, {each.name: each.default for each in settings}, choices={}, fixed=frozenset())
    qtbot.addWidget(page)
    page.start_building()
    assert page.rows == {}
    qtbot.waitUntil(lambda: page.is_built)
    assert set(page.rows) == {each.name for each in settings}


def test_sizes_of_text_are_written_as_the_language_writes_a_part_of_a_hundred(theme: Theme, window: QWidget) -> None:
    eastern = str.maketrans("0123456789", "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669")
    use_translation(lambda source, _about, _count: source, lambda number: number.translate(eastern), "ar")
    try:
        box = row_of(SettingsDialog(theme, VALUES, parent=window), "text_scale").field
    finally:
        use_translation(None)
    assert isinstance(box, QComboBox)
    assert box.currentText() == "\u0661\u0660\u0660%"
