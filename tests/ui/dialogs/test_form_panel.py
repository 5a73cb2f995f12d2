"""What all dialogs of one shape have: Tab goes to the buttons last, and the height follows the words."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.focus_chain import next_in_chain


def _panel(qapp: QApplication, qtbot: QtBot) -> FormPanel:
    theme = Theme(qapp)
    theme.apply()
    panel = FormPanel(theme, "Name it", object_name="nameIt", width_px=300)
    qtbot.addWidget(panel)
    return panel


def test_tab_reaches_the_buttons_last_in_the_order_in_which_they_stand(qapp: QApplication, qtbot: QtBot) -> None:
    panel = _panel(qapp, qtbot)
    panel.add_button(push_button("Save", "save", panel.accept))
    panel.add_button(push_button("More", "more", panel.accept), is_first=True)
    field = QLineEdit()
    field.setObjectName("field")
    panel.body.addWidget(field)
    panel.show()
    names, each = [], next_in_chain(panel)
    while each is not None and each is not panel:
        if isinstance(each, QWidget) and each.objectName() in ("save", "more", "field"):
            names.append(each.objectName())
        each = next_in_chain(each)
    assert names == ["field", "more", "save"]


def test_a_problem_makes_the_dialog_higher_and_its_end_lower_again(qapp: QApplication, qtbot: QtBot) -> None:
    panel = _panel(qapp, qtbot)
    panel.add_text("A sentence that is there all the time.")
    panel.add_button(push_button("Save", "save", panel.accept))
    panel.show()
    before = panel.height()
    panel.show_problem("This name is taken by another one, and two of the same name could not be told apart.")
    assert panel.problem.text() and panel.height() > before
    panel.show_problem("")
    assert panel.problem.isHidden() and panel.height() == before


def test_a_form_follows_its_content_and_scrolls_above_its_buttons_in_a_low_window(
    qapp: QApplication, qtbot: QtBot
) -> None:
    theme = Theme(qapp)
    theme.apply()
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(800, 500)
    window.show()
    panel = TaskPanel(theme, "Name them", object_name="nameThem", width_px=300, parent=window)
    save = panel.add_button(push_button("Save", "save", panel.accept))
    panel.body.addWidget(first := QLineEdit())
    panel.open()
    qtbot.waitUntil(lambda: panel.area.height() == first.sizeHint().height())
    before = panel.height()
    panel.add_text("A paragraph that comes later, and that is longer than one line of a dialog of this width.")
    qtbot.waitUntil(lambda: panel.height() > before and panel.area.verticalScrollBar().maximum() == 0)
    for _each in range(20):
        panel.body.addWidget(QLineEdit())
    qtbot.waitUntil(lambda: panel.area.verticalScrollBar().maximum() > 0)
    assert panel.height() <= window.height() and panel.rect().contains(save.geometry())
    assert panel.frameGeometry().center().y() - window.geometry().center().y() in (-1, 0, 1)
    panel.reject()


def test_a_dialog_is_never_narrower_than_its_buttons(qapp: QApplication, qtbot: QtBot) -> None:
    panel = _panel(qapp, qtbot)
    buttons = [panel.add_button(push_button(text * 4, text, panel.accept)) for text in ("Remove ", "Revoke ", "Close ")]
    panel.show()
    assert all(each.width() >= each.sizeHint().width() for each in buttons)


class _Places(QObject):
    """Notes where a window is when the system makes it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.seen: list[QPoint] = []
        self._window = window
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WinIdChange:
            self.seen.append(self._window.pos())
        return super().eventFilter(watched, event)


def test_a_dialog_is_made_where_it_stands(qapp: QApplication, qtbot: QtBot) -> None:
    """A manager of windows may put one that is moved later into the corner of the screen."""
    window = QWidget()
    qtbot.addWidget(window)
    window.setGeometry(100, 80, 800, 500)
    window.show()
    panel = FormPanel(Theme(qapp), "Name it", object_name="nameIt", width_px=300, parent=window)
    places = _Places(panel)
    panel.open()
    assert places.seen == [panel.pos()] and abs(panel.geometry().center().x() - window.geometry().center().x()) <= 1
    panel.reject()
