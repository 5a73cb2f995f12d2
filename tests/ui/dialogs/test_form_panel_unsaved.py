"""The first Esc in a form says what the second loses: in every form of the gallery, and for every field in it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot
from shiboken6 import Shiboken

import tests.gallery
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.key_field import KeyField
from chatdesk.ui.widgets.search_field import SearchField

_MODULES = sorted(path.stem for path in Path(tests.gallery.__path__[0]).glob("*_samples.py"))
_WORDS = "12"  # for a number, too


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp, preference="light")
    made.apply()
    yield made
    made.deleteLater()


def _fields(form: QWidget) -> list[QLineEdit | QPlainTextEdit]:
    found = [*form.findChildren(QLineEdit), *form.findChildren(QPlainTextEdit)]
    return [
        each
        for each in found
        if each.isVisible()
        and each.isEnabled()
        and not each.isReadOnly()
        and not each.property("isSearch")
        and not isinstance(each, KeyField)  # which Esc empties first
        and not isinstance(each.parent(), QAbstractSpinBox)
    ]


def _is_open(form: QWidget) -> bool:
    return Shiboken.isValid(form) and form.isVisible()


def _is_told(form: QWidget) -> bool:
    return any(each.isVisible() and "is not saved" in each.text() for each in form.findChildren(QLabel))


@pytest.mark.parametrize("module", _MODULES)
def test_one_esc_does_not_lose_typed_text(theme: Theme, module: str) -> None:
    lost = []
    for name, widget in importlib.import_module(f"tests.gallery.{module}").build_samples(theme):
        if isinstance(widget, FormPanel):
            widget.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
            widget.show()
            for field in _fields(widget)[:1]:
                QTest.keyClicks(field, _WORDS)
                QTest.keyClick(field, Qt.Key.Key_Escape)
                if not _is_open(widget) or not _is_told(widget):
                    lost.append((name, field.objectName()))
        if Shiboken.isValid(widget):
            widget.close()
            widget.deleteLater()
    assert lost == []


@pytest.fixture
def form(theme: Theme, qtbot: QtBot) -> FormPanel:
    made = FormPanel(theme, "Name it", object_name="nameIt", width_px=300)
    made.add_button(push_button("Cancel", "cancel", made.reject))
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize("kind", [QLineEdit, QPlainTextEdit])
def test_each_new_word_is_asked_about_once(form: FormPanel, kind: type[QLineEdit | QPlainTextEdit]) -> None:
    field = kind()
    form.body.addWidget(field)
    form.show()
    for word in ("one", "two"):
        QTest.keyClicks(field, word)
        QTest.keyClick(field, Qt.Key.Key_Escape)
        assert form.isVisible() and "is not saved" in form.problem.text(), word
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert not form.isVisible()


def test_text_that_the_program_filled_in_is_left_at_once(form: FormPanel) -> None:
    line, page = QLineEdit(), QPlainTextEdit()
    form.body.addWidget(line)
    form.body.addWidget(page)
    line.setText("a name")
    page.setPlainText("instructions")
    form.show()
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert not form.isVisible()


def test_a_search_and_a_number_are_left_at_once(form: FormPanel, theme: Theme) -> None:
    search, number = SearchField(theme, object_name="search", placeholder="Search"), QSpinBox()
    form.body.addWidget(search)
    form.body.addWidget(number)
    form.show()
    QTest.keyClicks(search, "word")
    QTest.keyClick(number, Qt.Key.Key_5)
    QTest.keyClick(number, Qt.Key.Key_Escape)
    assert not form.isVisible()


def test_cancel_leaves_at_once(form: FormPanel) -> None:
    field = QLineEdit()
    form.body.addWidget(field)
    form.show()
    QTest.keyClicks(field, "word")
    cancel = form.findChild(QPushButton, "cancel")
    assert cancel is not None
    cancel.click()
    assert not form.isVisible()
