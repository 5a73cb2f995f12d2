"""Shows a choice of roles: a table of rows with one box below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import open_selected
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.team.pages.team_table import TextTable
from chatdesk.ui.features.team.pages.team_text import ROLE_HINTS, ROLE_NAMES
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.layouts import bare_column

_NONE: Final = Text("No access")
_MOST_ROWS_HIGH: Final = 5


def legend() -> str:
    """Return a sentence on the rights of each role."""
    return " ".join(tr("{role}: {rights}.", role=ROLE_NAMES[role], rights=ROLE_HINTS[role]) for role in TeamRole)


def grantable(mine: TeamRole | None) -> tuple[TeamRole, ...]:
    """Return the roles that a member with this role may give and take: an owner all, an admin those below their own."""
    if mine is TeamRole.OWNER:
        return tuple(TeamRole)
    return (TeamRole.VIEWER, TeamRole.EDITOR) if mine is TeamRole.ADMIN else ()


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A project or a member with a role (None: no access). ``offered``: the choices besides no access; empty: the role
    is fixed. ``whose`` completes *Role of …* or *Role in …* for screen readers."""

    key: str
    words: str
    role: TeamRole | None
    offered: Sequence[TeamRole] = ()
    hint: str = ""
    whose: str = ""

    @property
    def can_change(self) -> bool:
        return bool(self.offered) and (self.role is None or self.role in self.offered)


class RoleRows(QWidget):
    """A table of roles, of which only the rows in view cost time, and a box for the role of the current row. Enter goes
    to the box. ``chosen`` carries the key and the chosen role. ``heading`` is that of the first column."""

    chosen = Signal(str, object)

    def __init__(self, theme: Theme, rows: Sequence[RoleRow], *, heading: str, object_name: str) -> None:
        super().__init__()
        self.setObjectName(object_name)
        self._rows = list(rows)
        self._roles = {each.key: each.role for each in rows}
        self._places = {each.key: place for place, each in enumerate(rows)}
        self.table = TextTable(
            theme,
            (heading, tr("Role")),
            name=tr("{what} and role", what=heading),
            object_name=f"{object_name}Table",
            wide=0,
            parent=self,
        )
        self.table.show_rows([(_words(each), _role_words(each.role)) for each in rows])
        self._label = plain_label("", "text", wraps=True)
        self.box = ChoiceBox()
        self.box.setObjectName(f"{object_name}Box")
        row = QHBoxLayout()
        row.addWidget(self._label, 1)
        row.addWidget(self.box)
        column = bare_column(self, spacing_px=theme.tokens.space.s)
        column.addWidget(self.table)
        column.addLayout(row)
        open_selected(self.table)
        self.table.selectionModel().currentRowChanged.connect(lambda _new, _old: self._show_current())
        self.table.entered_row.connect(self.box.setFocus)
        self.box.activated.connect(lambda _place: self._on_activated())
        theme.changed.connect(self._fit)  # a method, so that it ends with the widget
        self._fit()
        self.setVisible(bool(rows))
        if rows:
            self.select(next((each.key for each in rows if each.can_change), rows[0].key))

    def _fit(self) -> None:
        self.table.fit(len(self._rows), most=_MOST_ROWS_HIGH)

    def select(self, key: str) -> None:
        """Make a row the current one."""
        self.table.setCurrentIndex(self.table.model().index(self._places[key], 0))

    def role(self, key: str) -> TeamRole | None:
        """Return the role of a row."""
        return self._roles[key]

    def roles(self) -> dict[str, TeamRole]:
        """Return the roles of rows that can be changed, by key; keys without access are left out."""
        found = {each.key: self._roles[each.key] for each in self._rows if each.can_change}
        return {key: role for key, role in found.items() if role is not None}

    def show_role(self, key: str, role: TeamRole | None) -> None:
        """Show the role of a row, if there is one of this key."""
        if key not in self._places:
            return
        self._roles[key] = role
        self.table.show_text(self._places[key], 1, _role_words(role))
        if key == self._current.key:
            self._show_current()

    @property
    def _current(self) -> RoleRow:
        return self._rows[max(0, self.table.currentIndex().row())]

    def _show_current(self) -> None:
        row = self._current
        self._label.setText(row.whose or row.words)
        _fill(self.box, row, self._roles[row.key])
        self.box.setEnabled(row.can_change)

    def _on_activated(self) -> None:
        key, value = self._current.key, self.box.currentData()
        self.show_role(key, None if value is None else TeamRole(value))
        self.chosen.emit(key, self._roles[key])


def _fill(box: QComboBox, row: RoleRow, role: TeamRole | None) -> None:
    """Fill the box with all roles that can be chosen for this row, with ``role`` as the current one."""
    box.clear()
    box.setAccessibleName(row.whose or tr("Role of {name}", name=row.words))
    box.addItem(shown(_NONE), None)
    for each in row.offered if row.can_change or role is None else (role,):
        box.addItem(shown(ROLE_NAMES[each]), each.value)
        place = box.count() - 1
        box.setItemData(place, shown(ROLE_HINTS[each]), Qt.ItemDataRole.ToolTipRole)
        box.setItemData(place, shown(ROLE_HINTS[each]), Qt.ItemDataRole.AccessibleDescriptionRole)
    box.setCurrentIndex(0 if role is None else box.findData(role.value))


def _words(row: RoleRow) -> str:
    return f"{row.words} ({row.hint})" if row.hint else row.words


def _role_words(role: TeamRole | None) -> str:
    return shown(_NONE if role is None else ROLE_NAMES[role])
