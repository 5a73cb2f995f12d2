"""Which role: a box to choose it, and rows of such boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QVBoxLayout, QWidget

from chatdesk.core.domain.team import TeamRole
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.team_words import ROLE_HINTS, ROLE_NAMES

_NONE = "No access"
#: What each role may do, for below the rows.
LEGEND = " ".join(f"{ROLE_NAMES[role]}: {ROLE_HINTS[role]}." for role in TeamRole)


def grantable(mine: TeamRole | None) -> tuple[TeamRole, ...]:
    """The roles that somebody with this one may give and take: an owner all, an admin those below their own."""
    if mine is TeamRole.OWNER:
        return tuple(TeamRole)
    return (TeamRole.VIEWER, TeamRole.EDITOR) if mine is TeamRole.ADMIN else ()


class RoleRows(QWidget):
    """A line for each key, such as a project or a member: its words, a hint, and its role. ``chosen`` has the key and
    the role (None: no access); a row whose role may not be changed shows it as text."""

    chosen = Signal(str, object)

    def __init__(self, *, object_name: str) -> None:
        super().__init__()
        self.setObjectName(object_name)
        self._boxes: dict[str, QComboBox] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(0, 1)

    def add_row(
        self,
        key: str,
        words: str,
        *,
        role: TeamRole | None,
        offered: Sequence[TeamRole],
        hint: str = "",
        whose: str = "",
    ) -> None:
        """``offered``: what can be chosen besides no access; empty: nothing. ``whose`` completes *Role of …* or *Role
        in …* for screen readers."""
        place = self._grid.rowCount()
        about = QVBoxLayout()
        about.setSpacing(0)
        about.addWidget(plain_label(words, "text", wraps=True))
        if hint:
            about.addWidget(plain_label(hint, "muted", wraps=True))
        self._grid.addLayout(about, place, 0)
        if not offered or (role is not None and role not in offered):
            text = plain_label(_NONE if role is None else ROLE_NAMES[role], "text")
            text.setAccessibleName(f"{whose or words}: {text.text()}")
            self._grid.addWidget(text, place, 1)
            return
        box = QComboBox()
        box.setObjectName(f"teamRole_{key}")
        box.setAccessibleName(whose or f"Role of {words}")
        box.addItem(_NONE, None)
        for each in offered:
            box.addItem(ROLE_NAMES[each], each.value)
            box.setItemData(box.count() - 1, ROLE_HINTS[each], Qt.ItemDataRole.ToolTipRole)
            box.setItemData(box.count() - 1, ROLE_HINTS[each], Qt.ItemDataRole.AccessibleDescriptionRole)
        box.setCurrentIndex(0 if role is None else box.findData(role.value))
        box.activated.connect(lambda _place: self.chosen.emit(key, self.role(key)))
        self._boxes[key] = box
        self._grid.addWidget(box, place, 1)

    def role(self, key: str) -> TeamRole | None:
        value = self._boxes[key].currentData()
        return None if value is None else TeamRole(value)

    def roles(self) -> dict[str, TeamRole]:
        """What is chosen; keys without access are left out."""
        found: Mapping[str, TeamRole | None] = {key: self.role(key) for key in self._boxes}
        return {key: role for key, role in found.items() if role is not None}

    def box(self, key: str) -> QComboBox:
        return self._boxes[key]

    def show_role(self, key: str, role: TeamRole | None) -> None:
        box = self._boxes.get(key)
        if box is not None:
            box.setCurrentIndex(0 if role is None else box.findData(role.value))
