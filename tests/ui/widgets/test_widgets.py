"""Header, empty state, banner, toast and fields, pressed as a person would."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QLineEdit, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.banner import Banner
from chatdesk.ui.widgets.buttons import IconButton, PillButton
from chatdesk.ui.widgets.context_meter import ContextMeter
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.empty_state import OFFLINE_STARTS, STARTS, EmptyState, Start, StartKind
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.widgets.models.model_chooser import ModelChooser
from chatdesk.ui.widgets.search_field import SearchField
from chatdesk.ui.widgets.toast import Toast
from tests.helpers.waiting import stays_in_window

MODELS = [("offline", "Offline", [("demo", "Demo")]), ("o", "R&D", [("gpt", "GPT"), ("mini", "Mini")])]


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp)


@pytest.fixture
def header(theme: Theme, qtbot: QtBot) -> ThreadHeader:
    made = ThreadHeader(theme)
    qtbot.addWidget(made)
    made.resize(900, 52)
    made.set_title("Old title")
    made.set_models(MODELS)
    made.set_current("o", "gpt")
    made.show()
    made.activateWindow()
    return made


def test_an_and_sign_in_a_name_makes_no_letter_a_key(theme: Theme, qtbot: QtBot) -> None:
    button = PillButton(theme, "R&D", object_name="pill")
    qtbot.addWidget(button)
    assert (button.text(), button.shortcut().toString()) == ("R&D", "")


def _edit(header: ThreadHeader, qtbot: QtBot, text: str) -> QLineEdit:
    header.start_title_edit()
    field = header.findChild(QLineEdit, "threadTitleField")
    assert field.selectedText() == "Old title"
    qtbot.keyClicks(field, text)
    return field


@pytest.mark.parametrize(
    ("typed", "key", "expected"),
    [
        ("New title", Qt.Key.Key_Return, ["New title"]),
        ("New title", Qt.Key.Key_Escape, []),
        ("   ", Qt.Key.Key_Return, []),
        ("Old title", Qt.Key.Key_Return, []),
    ],
    ids=["enter keeps", "escape drops", "blank is not kept", "same is no change"],
)
def test_editing_the_title(header: ThreadHeader, qtbot: QtBot, typed: str, key: Qt.Key, expected: list[str]) -> None:
    titles: list[str] = []
    header.titleEdited.connect(titles.append)
    qtbot.keyClick(_edit(header, qtbot, typed), key)
    assert titles == expected
    assert not header.title.is_editing
    assert header.title.label.text() == (expected or ["Old title"])[0]


def test_leaving_the_title_keeps_it(header: ThreadHeader, qtbot: QtBot) -> None:
    titles: list[str] = []
    header.titleEdited.connect(titles.append)
    _edit(header, qtbot, "Left").clearFocus()
    assert titles == ["Left"]


def test_the_pencil_the_title_and_f2_begin_an_edit(header: ThreadHeader, qtbot: QtBot) -> None:
    for begin in (
        lambda: qtbot.mouseClick(header.findChild(QWidget, "renameThreadButton"), Qt.MouseButton.LeftButton),
        lambda: qtbot.mouseClick(header.findChild(QWidget, "threadTitle"), Qt.MouseButton.LeftButton),
        lambda: qtbot.keyClick(header, Qt.Key.Key_F2),
    ):
        begin()
        assert header.title.is_editing
        qtbot.keyClick(header.title.field, Qt.Key.Key_Escape)


def test_a_title_that_is_fixed_cannot_be_edited(header: ThreadHeader) -> None:
    header.set_title("Fixed", is_editable=False)
    header.start_title_edit()
    assert not header.title.is_editing


def test_choosing_a_model_by_keyboard(header: ThreadHeader, qtbot: QtBot) -> None:
    chosen: list[tuple[str, str]] = []
    header.modelChosen.connect(lambda provider, model: chosen.append((provider, model)))
    qtbot.keyClick(header.model_picker, Qt.Key.Key_Down)
    chooser = header.findChild(ModelChooser)
    assert chooser.isVisible()
    assert "R&D" in [row.data() for row in map(chooser.rows.index, range(chooser.rows.rowCount()))]
    qtbot.keyClick(chooser.search, Qt.Key.Key_Down)
    qtbot.keyClick(chooser.search, Qt.Key.Key_Return)
    assert chosen == [("o", "mini")]
    assert header.model_picker.accessibleName() == "Model: Mini"


@pytest.mark.parametrize("action", ["Compare models…", "Add provider…", "Manage models…"])
def test_the_list_of_models_offers_what_else_can_be_done(header: ThreadHeader, qtbot: QtBot, action: str) -> None:
    picker = header.model_picker
    wishes = {
        "Compare models…": header.compareRequested,
        "Add provider…": picker.addRequested,
        "Manage models…": picker.manageRequested,
    }
    qtbot.mouseClick(picker, Qt.MouseButton.LeftButton)
    chooser = header.findChild(ModelChooser)
    button = next(each for each in chooser.findChildren(QPushButton) if each.accessibleName() == action)
    with qtbot.waitSignal(wishes[action]):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not chooser.isVisible()


def test_the_list_of_models_stays_inside_the_window_and_is_as_high_as_its_rows(
    header: ThreadHeader, qtbot: QtBot
) -> None:
    qtbot.mouseClick(header.model_picker, Qt.MouseButton.LeftButton)
    chooser = header.findChild(ModelChooser)
    right = header.mapToGlobal(header.rect().topRight()).x()
    assert chooser.geometry().right() < right
    assert chooser.list.viewport().height() >= chooser.rows.rowCount() * 32
    assert chooser.list.height() < (chooser.rows.rowCount() + 1) * 32


def test_a_provider_that_does_not_say_yet_which_model_it_asks_is_named(header: ThreadHeader) -> None:
    header.set_current("o", "")
    assert header.model_picker.text() == "R&D"


def test_a_model_that_is_gone_keeps_its_name_and_no_model_is_said(header: ThreadHeader) -> None:
    header.set_current("o", "retired-1")
    assert header.model_picker.text() == "retired-1"
    header.set_models([])
    header.model_picker.click()
    chooser = header.findChild(ModelChooser)
    assert [label.text() for label in chooser.findChildren(QLabel) if label.isVisible()] == [
        "There is no model yet. Add a provider."
    ]
    chooser.close()


def test_the_headers_buttons_are_there_when_they_work(header: ThreadHeader, qtbot: QtBot) -> None:
    assert not header.more_button.isVisible()
    assert not header.sidebar_button.isVisible()
    menu = QMenu(header)
    menu.addAction("Pin")
    header.set_menu(menu)
    header.set_sidebar_collapsed(True)
    qtbot.keyClick(header.more_button, Qt.Key.Key_Return)
    assert menu.isVisible()
    menu.close()
    with qtbot.waitSignal(header.sidebarRequested):
        qtbot.mouseClick(header.sidebar_button, Qt.MouseButton.LeftButton)


def test_the_meter_warns_by_colour_and_words(theme: Theme, qtbot: QtBot) -> None:
    meter = ContextMeter(theme)
    qtbot.addWidget(meter)
    colours = []
    for fraction in (0.34, 0.8, 0.95):
        meter.set_fraction(fraction, "words")
        colours.append(meter.colour_name)
    assert colours == ["accent", "warning", "danger"]
    assert (meter.accessibleName(), meter.accessibleDescription()) == ("Context used: 95%, nearly full", "words")
    meter.set_fraction(0.5, "words", note="summary out of date")
    assert meter.accessibleName() == "Context used: 50%, summary out of date"
    with_dot = meter.grab().toImage()
    meter.set_fraction(0.5, "words")
    assert meter.accessibleName() == "Context used: 50%" and meter.grab().toImage() != with_dot
    meter.set_fraction(None)
    assert meter.isHidden()


@pytest.mark.parametrize("starts", [STARTS, OFFLINE_STARTS], ids=["connected", "offline"])
def test_each_card_does_what_it_is_for(theme: Theme, qtbot: QtBot, starts: tuple[Start, ...]) -> None:
    state = EmptyState(theme)
    qtbot.addWidget(state)
    state.resize(900, 600)
    state.set_starts(starts)
    state.show()
    done: list[tuple[StartKind, str]] = []
    for kind, signal in (
        (StartKind.WRITE, state.promptChosen),
        (StartKind.ATTACH, state.attachChosen),
        (StartKind.ASK, state.questionAsked),
        (StartKind.COMMAND, state.commandChosen),
    ):
        signal.connect(lambda text, kind=kind: done.append((kind, text)))
    for card in state.cards:
        qtbot.keyClick(card, Qt.Key.Key_Return)
    assert done == [(start.kind, start.text) for start in starts]
    state.set_sub_text("Hello")
    assert state.findChild(QLabel, "emptyStateText").text() == "Hello"


def test_the_empty_state_says_nothing_before_anything_is_loaded(theme: Theme, qtbot: QtBot) -> None:
    state = EmptyState(theme)
    qtbot.addWidget(state)
    state.show_loading()
    state.show()
    assert not [label.text() for label in state.findChildren(QLabel) if label.isVisible()]
    assert not any(card.isVisible() for card in state.cards)
    qtbot.waitUntil(lambda: state.findChild(QLabel, "emptyStateOpening").isVisible())
    state.end_loading()
    assert [label.objectName() for label in state.findChildren(QLabel) if label.isVisible() and label.text()] == [
        "emptyStateTitle"
    ]
    assert all(card.isVisible() for card in state.cards)


def test_a_header_has_no_pencil_and_no_model_before_anything_is_loaded(header: ThreadHeader) -> None:
    pencil = header.findChild(QWidget, "renameThreadButton")
    header.show_loading()
    assert not pencil.isVisible()
    assert not header.model_picker.isVisible()
    header.set_title("A thread")
    header.set_models(MODELS)
    assert pencil.isVisible()
    assert header.model_picker.isVisible()


def test_a_narrow_empty_state_has_one_column(theme: Theme, qtbot: QtBot) -> None:
    state = EmptyState(theme)
    qtbot.addWidget(state)
    state.resize(360, 600)
    state.show()
    assert len({card.x() for card in state.cards}) == 1


def test_a_banner_acts_and_closes(theme: Theme, qtbot: QtBot) -> None:
    banner = Banner(theme)
    qtbot.addWidget(banner)
    banner.show_message("<b>The disk is full.</b>", kind="danger", action_text="Show")
    assert banner.text == "<b>The disk is full.</b>"
    assert banner.isVisible()
    with qtbot.waitSignal(banner.actionTriggered):
        qtbot.waitUntil(lambda: not banner.is_unread)
        qtbot.mouseClick(banner.findChild(QPushButton, "bannerAction"), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(banner.closed):
        qtbot.mouseClick(banner.findChild(QWidget, "bannerClose"), Qt.MouseButton.LeftButton)
    assert banner.isHidden()


def test_a_toast_offers_one_way_back(theme: Theme, qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    page.resize(600, 400)
    page.show()
    toast = Toast(theme, page)
    toast.show_message("Moved to the trash.", action_text="Undo")
    assert page.rect().contains(toast.geometry())
    qtbot.waitUntil(lambda: not toast.is_unread)
    with qtbot.waitSignals([toast.closed, toast.actionTriggered]):
        qtbot.mouseClick(toast.findChild(QPushButton, "toastAction"), Qt.MouseButton.LeftButton)
    assert toast.isHidden()


@pytest.mark.parametrize("action", [None, "Undo"])
def test_a_toast_has_the_same_room_around_its_words_or_its_button(
    theme: Theme, qtbot: QtBot, action: str | None
) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    page.resize(600, 400)
    page.show()
    toast = Toast(theme, page)
    toast.show_message("Saved.", action_text=action)
    words, button = (toast.findChild(QWidget, name).geometry() for name in ("toastText", "toastAction"))
    start_px = words.left()
    end_px = toast.width() - 1 - (words.right() if action is None else button.right())
    assert end_px == start_px if action is None else end_px == button.top()


def test_a_toast_goes_away_by_itself(theme: Theme, qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    page.resize(600, 400)
    page.show()
    toast = Toast(theme, page)
    with qtbot.waitSignal(toast.closed):
        toast.show_message("Saved. " * 40, timeout_ms=10)


def test_the_time_of_a_toast_stands_still_while_its_window_is_hidden(
    theme: Theme, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    page.resize(600, 400)
    page.show()
    toast = Toast(theme, page)
    toast.show_message("Saved.", timeout_ms=30)
    page.hide()
    stays_in_window(qtbot, lambda: not toast.isHidden(), for_s=0.1)
    monkeypatch.setattr("chatdesk.ui.widgets.toast.TOAST_MS", 1)
    with qtbot.waitSignal(toast.closed):
        page.show()


def test_escape_empties_the_search(theme: Theme, qtbot: QtBot) -> None:
    field = SearchField(theme, object_name="searchBox", placeholder="Search", hint="Ctrl+K")
    qtbot.addWidget(field)
    field.show()
    qtbot.keyClicks(field, "pragma")
    clear = field.findChild(QWidget, "searchBoxClear")
    assert clear.isVisible()
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == ""
    assert not clear.isVisible()


def test_a_label_that_does_not_fit_tells_all_in_its_tooltip(theme: Theme, qtbot: QtBot) -> None:
    label = ElidedLabel(theme, "<i>A long title</i> " * 9)
    qtbot.addWidget(label)
    label.resize(80, 20)
    label.show()
    assert "&lt;i&gt;" in label.toolTip()
    label.setText("Hi")
    assert label.toolTip() == ""


def test_an_icon_button_is_large_enough_and_named(theme: Theme, qtbot: QtBot) -> None:
    button = IconButton(theme, "copy", name="Copy", object_name="copy", side_px=12)
    qtbot.addWidget(button)
    assert min(button.sizeHint().toTuple()) >= 28
    assert button.accessibleName() == "Copy"
    assert "Copy" in button.toolTip()


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
@pytest.mark.parametrize("scale", [0.75, 2.0])
def test_everything_can_be_drawn(theme: Theme, qtbot: QtBot, direction: Qt.LayoutDirection, scale: float) -> None:
    from tests.gallery.widget_samples import build_samples

    theme.set_scale(scale)
    for _name, widget in build_samples(theme):
        qtbot.addWidget(widget)
        widget.setLayoutDirection(direction)
        assert not widget.grab().isNull()


def test_a_screen_reader_gets_the_words_of_a_tooltip_without_marks(qtbot, qapp):
    button = IconButton(Theme(qapp, preference="light"), "pin", name="Find", object_name="findButton")
    qtbot.addWidget(button)
    button.set_name("Find", tooltip='Find "<b>"')
    interface = QAccessible.queryAccessibleInterface(button)
    assert interface.text(QAccessible.Text.Description) == 'Find "<b>"'
    button.set_name("Look", tooltip="Look here")
    assert interface.text(QAccessible.Text.Description) == "Look here"


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_banner_is_as_high_as_its_words_wherever_it_stands(theme: Theme, qtbot: QtBot, scale: float) -> None:
    theme.set_scale(scale)
    page = QWidget()
    qtbot.addWidget(page)
    row = QHBoxLayout(page)
    banner = Banner(theme)
    row.addWidget(banner)
    page.setFixedWidth(560)
    page.show()
    banner.show_message("Summarising takes about 108 requests. " * 4, action_text="Summarise", other_text="Not now")
    label = banner.findChild(QLabel, "bannerText")
    button = banner.findChild(QPushButton, "bannerAction")
    for width in (560, 420, 900):
        page.setFixedWidth(width)
        qtbot.waitUntil(lambda: label.height() >= label.heightForWidth(label.width()))
        qtbot.waitUntil(lambda: button.height() >= button.sizeHint().height())
        assert banner.rect().contains(banner.mapFromGlobal(button.mapToGlobal(button.rect().bottomRight())))
    theme.set_scale(1.0)


def test_the_list_of_questions_leaves_a_narrow_header_to_the_title(header: ThreadHeader) -> None:
    header.resize(900, header.height())
    assert not header.outline_button.isVisible()
    header.set_outline_offered(True)
    assert header.outline_button.isVisible()
    header.resize(480, header.height())
    assert not header.outline_button.isVisible()
    header.resize(900, header.height())
    assert header.outline_button.isVisible()
    assert header.outline_button.accessibleName() == "Questions of this thread"


@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_the_words_of_a_banner_leave_room_for_its_sign(
    theme: Theme, qtbot: QtBot, direction: Qt.LayoutDirection
) -> None:
    banner = Banner(theme)
    qtbot.addWidget(banner)
    banner.setLayoutDirection(direction)
    banner.resize(600, 60)
    banner.show_message("The disk is full.")
    words = banner.findChild(QLabel, "bannerText").geometry()
    is_mirrored = direction is Qt.LayoutDirection.RightToLeft
    assert (banner.width() - words.right() if is_mirrored else words.left()) > 30
