"""Windows that tests leave are deleted without ending the process."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QCompleter, QDialog, QLineEdit, QWidget
from shiboken6 import Shiboken

from tests.helpers.left_windows import delete_windows


@pytest.mark.usefixtures("qapp")
def test_the_list_of_a_completer_goes_with_its_window() -> None:
    before = QApplication.topLevelWidgets()
    for _ in range(20):  # which one comes first is a matter of addresses
        window = QWidget()
        dialog = QDialog(window)
        field = QLineEdit(dialog)
        field.setCompleter(QCompleter(["Lisbon", "London"], dialog))
        field.completer().setCompletionPrefix("L")
        window.show()
        dialog.show()
        field.completer().complete()
        assert field.completer().popup() in QApplication.topLevelWidgets()
        popup = field.completer().popup()
        delete_windows(before)
        assert not Shiboken.isValid(window)
        assert not Shiboken.isValid(popup)
    assert {*QApplication.topLevelWidgets()} <= {*before}
