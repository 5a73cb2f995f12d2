"""Finds parts of the team's page and dialogs as they are named for assistive technology and style sheets."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QWidget

from chatdesk.ui.features.team.pages.team_roles import RoleRows
from chatdesk.ui.features.team.pages.team_table import ActionTable


def team_table(parent: QWidget, name: str) -> ActionTable:
    """Return the table of projects, members or devices: ``teamProjects``, ``teamMembers`` or ``teamDevices``."""
    table = parent.findChild(ActionTable, f"{name}Box")
    assert table is not None
    return table


def role_box(rows: RoleRows, key: str) -> QComboBox:
    """Return the box for the role of a row, which becomes the current one."""
    rows.select(key)
    return rows.box


def choose_role(rows: RoleRows, key: str, place: int) -> None:
    """Choose the role at this place of the box for a row."""
    box = role_box(rows, key)
    box.setCurrentIndex(place)
    box.activated.emit(place)
