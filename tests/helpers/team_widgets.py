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


def role_box(rows: RoleRows, key: str) -> QComboBox | None:
    """Return the box that chooses the role of a row; None: it cannot be changed. In a table the row becomes the
    current one."""
    if rows.table is None:
        return rows.findChild(QComboBox, f"teamRole_{key}")
    rows.table.select(key)
    return rows.table.box
