"""The form of a tool server, filled in from the description of another program."""

from __future__ import annotations

import json

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.tools import ToolServer
from chatdesk.ui.features.tools.server_form import ServerForm
from chatdesk.ui.theme.theme import Theme

_TWO = {"time": {"command": "time-server"}, "crm": {"url": "https://crm.example.com/mcp"}}


def _form(qapp: QApplication, qtbot: QtBot) -> tuple[ServerForm, list[ToolServer]]:
    form = ServerForm(Theme(qapp, preference="light"))
    form.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(form)
    form.open()
    saved: list[ToolServer] = []
    form.saved.connect(lambda made, _secrets: saved.append(made))
    return form, saved


def test_all_servers_of_a_description_are_saved_one_after_the_other(qapp: QApplication, qtbot: QtBot) -> None:
    form, saved = _form(qapp, qtbot)
    form.command.setFocus()
    qtbot.keyClicks(form.command, json.dumps({"mcpServers": _TWO}))
    assert form.name.text() == "time" and form.said.text().endswith("Once it is saved, 1 more server follows.")
    assert not form.problem.isVisible(), "it is no problem"
    form.save_button.click()
    form.accept()  # as whoever keeps servers answers
    assert form.isVisible() and form.name.text() == "crm" and form.said.text().endswith("of “crm”.")
    form.save_button.click()
    form.accept()
    assert not form.isVisible()
    assert [(each.id, each.name, each.address) for each in saved] == [
        ("", "time", ""),
        ("", "crm", "https://crm.example.com/mcp"),
    ]


def test_one_server_closes_the_form(qapp: QApplication, qtbot: QtBot) -> None:
    form, saved = _form(qapp, qtbot)
    qtbot.keyClicks(form.command, json.dumps({"mcpServers": {"time": _TWO["time"]}}))
    form.save_button.click()
    form.accept()
    assert not form.isVisible() and [each.name for each in saved] == ["time"]
