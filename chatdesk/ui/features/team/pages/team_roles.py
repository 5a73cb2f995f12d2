"""A choice of roles: a line with a box for each of a few, a table with one box below it for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import open_selected
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.team.pages.team_table import TextTable
from chatdesk.ui.features.team.pages.team_text import ROLE_HINTS, ROLE_NAMES
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox

_NONE: Final = Text("No access")
_MOST_ROWS_HIGH: Final = 5
_MOST_BOXES: Final = 4  # each costs a millisecond or two before the dialog is there
# What each role may do, for below the rows.


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
    """A project or a member with a role (None: no access). ``offered``: what can be chosen besides no access; empty:
    nothing. ``whose`` completes *Role of …* or *Role in …* for screen readers."""

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
    """A widget that shows each row's words, hint and role. ``chosen`` carries the key and the role that somebody chose.
    ``heading`` belongs to the table that many rows are in."""

    chosen = Signal(str, object)

    def __init__(self, theme: Theme, rows: Sequence[RoleRow], *, heading: str, object_name: str) -> None:
        super().__init__()
        self.setObjectName(object_name)
        self._roles = {each.key: each.role for each in rows if each.can_change}
        self._boxes: dict[str, QComboBox] = {}
        self.table: _RoleTable | None = None
        if len(rows) > _MOST_BOXES:
            self.table = _RoleTable(theme, rows, heading=heading, object_name=f"{object_name}Table")
            self.table.chosen.connect(self._on_chosen)
            column = QVBoxLayout(self)
            column.setContentsMargins(0, 0, 0, 0)
            column.addWidget(self.table)
            return
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 1)
        for row in rows:
            self._add_row(grid, row)

    def _add_row(self, grid: QGridLayout, row: RoleRow) -> None:
        place = grid.rowCount()
        about = QVBoxLayout()
        about.setSpacing(0)
        about.addWidget(plain_label(row.words, "text", wraps=True))
        if row.hint:
            about.addWidget(plain_label(shown(row.hint), "muted", wraps=True))
        grid.addLayout(about, place, 0)
        if not row.can_change:
            text = plain_label(_role_words(row.role), "text")
            text.setAccessibleName(f"{row.whose or row.words}: {text.text()}")
            grid.addWidget(text, place, 1)
            return
        box = ChoiceBox()
        box.setObjectName(f"teamRole_{row.key}")
        _fill(box, row, row.role)
        box.activated.connect(lambda _place: self._on_chosen(row.key, _chosen(box)))
        box.currentIndexChanged.connect(lambda _place: self._roles.__setitem__(row.key, _chosen(box)))
        self._boxes[row.key] = box
        grid.addWidget(box, place, 1)

    def role(self, key: str) -> TeamRole | None:
        """Return the role of a row that can be changed; raises ``KeyError`` for any other."""
        return self._roles[key]

    def roles(self) -> dict[str, TeamRole]:
        """Return the chosen roles by key; keys without access are left out."""
        return {key: role for key, role in self._roles.items() if role is not None}

    def show_role(self, key: str, role: TeamRole | None) -> None:
        if key not in self._roles:
            return
        self._roles[key] = role
        if self.table is not None:
            self.table.show_role(key, role)
        else:
            box = self._boxes[key]
            box.setCurrentIndex(0 if role is None else box.findData(role.value))

    def _on_chosen(self, key: str, role: TeamRole | None) -> None:
        self._roles[key] = role
        self.chosen.emit(key, role)


class _RoleTable(QWidget):
    """A table of roles for many rows, of which only those in view cost time. Enter goes to the box of the current
    row."""

    chosen = Signal(str, object)

    def __init__(self, theme: Theme, rows: Sequence[RoleRow], *, heading: str, object_name: str) -> None:
        super().__init__()
        self._rows = list(rows)
        self._roles = {each.key: each.role for each in rows}
        self._places = {each.key: place for place, each in enumerate(rows)}
        self.table = TextTable(
            theme,
            (heading, tr("Role")),
            name=tr("{what} and role", what=heading),
            object_name=object_name,
            wide=0,
            parent=self,
        )
        self.table.show_rows([(_words(each), _role_words(each.role)) for each in rows])
        self.table.fit(len(rows), most=_MOST_ROWS_HIGH)
        self._label = plain_label("", "text", wraps=True)
        self.box = ChoiceBox()
        self.box.setObjectName(f"{object_name}Box")
        row = QHBoxLayout()
        row.addWidget(self._label, 1)
        row.addWidget(self.box)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.tokens.space.s)
        column.addWidget(self.table)
        column.addLayout(row)
        open_selected(self.table)
        self.table.selectionModel().currentRowChanged.connect(lambda _new, _old: self._show_current())
        self.table.entered_row.connect(self.box.setFocus)
        self.box.activated.connect(lambda _place: self._on_activated())
        theme.changed.connect(self._fit)  # a method, so that it ends with the widget
        self.select(next((each.key for each in rows if each.can_change), rows[0].key))

    def _fit(self) -> None:
        self.table.fit(len(self._rows), most=_MOST_ROWS_HIGH)

    def select(self, key: str) -> None:
        self.table.setCurrentIndex(self.table.model().index(self._places[key], 0))

    def show_role(self, key: str, role: TeamRole | None) -> None:
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
        key, role = self._current.key, _chosen(self.box)
        self._roles[key] = role
        self.table.show_text(self._places[key], 1, _role_words(role))
        self.chosen.emit(key, role)


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


def _chosen(box: QComboBox) -> TeamRole | None:
    value = box.currentData()
    return None if value is None else TeamRole(value)


def _words(row: RoleRow) -> str:
    return f"{row.words} ({row.hint})" if row.hint else row.words


def _role_words(role: TeamRole | None) -> str:
    return shown(_NONE if role is None else ROLE_NAMES[role])
