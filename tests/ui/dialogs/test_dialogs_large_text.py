"""With text of twice the size every dialog stays within a small window, and all of it can be reached."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QRect
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLineEdit,
    QListWidget,
    QMenu,
    QPushButton,
    QScrollArea,
    QStyle,
    QStyleOptionViewItem,
    QWidget,
)
from pytestqt.qtbot import QtBot

import tests.gallery
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.features.usage.page import UsagePage
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from tests.gallery import provider_samples, usage_page_samples
from tests.helpers.examples import sample

_MODULES = sorted(path.stem for path in Path(tests.gallery.__path__[0]).glob("*_samples.py"))
_SIZE = (1000, 700)
# They take their size from the window that they are made for, and here get another one later.
_FIT_WHERE_THEY_WERE_MADE = ("outline", "palette", "provider-models")


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, preference="light")
    made.set_scale(2.0)
    made.apply()
    yield made
    made.set_scale(1.0)
    made.apply()
    made.deleteLater()


def _squeezed(panel: Panel) -> list[str]:
    """Buttons and boxes that are lower than their words."""
    return [
        f"{type(each).__name__} {each.objectName()}"
        for kind in (QPushButton, QComboBox)
        for each in panel.findChildren(kind)
        if each.isVisible() and each.height() < each.fontMetrics().height()
    ]


def _out_of_reach(panel: Panel) -> list[str]:
    """Buttons that are outside of the dialog, with nothing to scroll them into view."""
    found = []
    for each in panel.findChildren(QPushButton):
        place = QRect(each.mapTo(panel, QPoint(0, 0)), each.size())
        if each.isVisible() and not panel.rect().contains(place) and not _scrolls(each, panel):
            found.append(f"{each.objectName()} {each.text()!r} at {place}")
    return found


def _scrolls(widget: QWidget, panel: Panel) -> bool:
    above = widget.parentWidget()
    while above is not None and above is not panel:
        if isinstance(above, QScrollArea):
            return True
        above = above.parentWidget()
    return False


def _opened(panel: Panel) -> QWidget:
    """In a small window, with all that is assembled after it is shown."""
    window = QWidget()
    window.resize(*_SIZE)
    window.show()
    panel.setParent(window, panel.windowFlags())
    panel.open()
    for _round in range(30):
        QApplication.processEvents()
    return window


@pytest.mark.parametrize("module", sample(_MODULES, 10))
def test_nothing_of_a_dialog_is_cut_off_and_once_gone_it_hears_no_more_of_the_look(
    theme: Theme, qtbot: QtBot, module: str
) -> None:
    wrong: dict[str, list[str]] = {}
    for name, panel in importlib.import_module(f"tests.gallery.{module}").build_samples(theme):
        if isinstance(panel, Panel) and not name.startswith(_FIT_WHERE_THEY_WERE_MADE):
            window = _opened(panel)
            panel.layout().activate()  # which may give it another size, to which its parts follow
            QApplication.processEvents()
            found = [*_squeezed(panel), *_out_of_reach(panel)]
            if panel.width() > window.width() or panel.height() > window.height():
                found.append(f"it is {panel.width()} x {panel.height()}")
            if found:
                wrong[name] = found
            panel.close()
            window.close()
            window.deleteLater()
        else:
            panel.close()
            panel.deleteLater()
    assert wrong == {}
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    with qtbot.captureExceptions() as raised:  # one would come with every later change of the theme
        theme.set_preference("dark")
        theme.set_preference("light")
        QApplication.processEvents()
    assert raised == []


@pytest.mark.parametrize("has_own_days", [False, True])
def test_no_page_of_the_settings_has_to_be_moved_sideways(theme: Theme, qtbot: QtBot, has_own_days: bool) -> None:
    dialog = usage_page_samples.usage(theme, usage_page_samples.cells())
    qtbot.addWidget(dialog)
    page = dialog.findChild(UsagePage)
    days = page.findChild(QComboBox, "usageRange")
    days.setCurrentIndex(days.count() - 1 if has_own_days else 0)
    dialog.show()
    QApplication.processEvents()
    assert page.minimumSizeHint().width() <= 560, "what the settings leave to a page in a window 1000 px wide"


@pytest.mark.parametrize(("width", "is_short"), [(420, True), (900, False)])
def test_the_header_of_a_temporary_chat_names_its_model_whole(
    theme: Theme, qtbot: QtBot, width: int, is_short: bool
) -> None:
    theme.set_scale(1.0)
    header = ThreadHeader(theme)
    qtbot.addWidget(header)
    header.set_title("About the treasure", is_editable=False)
    header.set_models([("openai", "OpenAI", [("gpt", "Big model")])])
    header.set_current("openai", "gpt")
    header.set_menu(QMenu(header))
    header.set_sidebar_collapsed(True)
    header.set_temporary(True)
    header.context_meter.set_fraction(0.1, "a little of it")
    header.resize(width, header.height())
    header.show()
    for _round in range(5):
        QApplication.processEvents()
    mark = header.temporary_mark
    assert header.model_picker.width() >= header.model_picker.sizeHint().width()
    assert mark.keep_button.width() >= mark.keep_button.sizeHint().width()
    words = mark.findChild(ElidedLabel)
    assert words.isVisible() is not is_short
    assert is_short or not words.is_elided()
    assert mark.keep_button.toolTip().startswith("Temporary") is is_short


def test_a_limit_goes_on_in_the_next_line(theme: Theme, qtbot: QtBot) -> None:
    limits = usage_page_samples.limits(theme)
    window = _opened(limits)
    qtbot.addWidget(window)
    area = limits.findChild(QScrollArea)
    assert area.horizontalScrollBar().maximum() == 0
    for field in area.findChildren(QLineEdit):
        field.setText("1,000,000")
        assert field.width() - 24 >= field.fontMetrics().horizontalAdvance(field.text()), field.objectName()
    theme.set_scale(1.0)
    wide = usage_page_samples.limits(theme)
    other = _opened(wide)
    qtbot.addWidget(other)
    what, hard = wide.findChild(QComboBox, "limit1_what"), wide.findChild(QLineEdit, "limit1_hard")
    assert what.mapTo(wide, QPoint()).y() == hard.mapTo(wide, QPoint()).y(), "all in one line where there is room"


def test_the_names_of_the_settings_pages_are_whole(theme: Theme, qtbot: QtBot) -> None:
    settings = provider_samples.build_settings(theme)
    settings.fill_page("Usage and limits", QWidget)
    settings.fill_page("Team sync", QWidget)
    settings.fill_page("My computers", QWidget)
    window = _opened(settings)
    qtbot.addWidget(window)
    pages = settings.findChild(QListWidget, "settingsPages")
    assert pages.verticalScrollBar().maximum() > 0, "there are too many for the small window"
    option = QStyleOptionViewItem()
    cut = []
    for place in range(pages.count()):
        item = pages.item(place)
        pages.itemDelegate().initStyleOption(option, pages.indexFromItem(item))
        option.widget, option.font, option.rect = pages, pages.font(), pages.visualItemRect(item)
        option.decorationSize = pages.iconSize()
        room = pages.style().subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, pages)
        if room.width() < pages.fontMetrics().horizontalAdvance(item.text()):
            cut.append((item.text(), room.width()))
    assert cut == []


@pytest.mark.parametrize(
    ("scale", "is_temporary", "is_short", "has_pencil"),
    [(1.0, True, True, False), (1.25, False, False, True), (2.0, False, True, False)],
)
def test_a_narrow_header_shows_all_that_is_in_it(
    theme: Theme, qtbot: QtBot, scale: float, is_temporary: bool, is_short: bool, has_pencil: bool
) -> None:
    theme.set_scale(scale)
    around = QWidget()
    qtbot.addWidget(around)
    header = ThreadHeader(theme, around)
    header.set_title("About the treasure")
    header.set_models([("openai", "OpenAI", [("gpt", "A model with a long name")])])
    header.set_current("openai", "gpt")
    header.set_menu(QMenu(header))
    header.set_sidebar_collapsed(True)
    header.set_temporary(is_temporary)
    header.context_meter.set_fraction(1.0, "all of it")
    around.show()
    seen = set()
    for width in (1000, 420, 1000):
        header.resize(width, header.height())
        for _round in range(5):
            QApplication.processEvents()
        assert header.width() == width
        for each in header.findChildren(QAbstractButton):
            if each.isVisible():
                place = QRect(each.mapTo(header, QPoint(0, 0)), each.size())
                assert header.rect().contains(place), each.objectName()
                assert each.width() >= each.minimumSizeHint().width(), each.objectName()
        meter = header.context_meter
        seen.add((width, meter.width() < meter.full_width(), header.title.pencil.isVisible()))
        assert not meter.grab().isNull()
    assert seen == {(1000, False, True), (420, is_short, has_pencil)}, (
        "it has its figure and its pencil back where there is room"
    )
