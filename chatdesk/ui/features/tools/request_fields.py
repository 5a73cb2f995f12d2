"""The fields of a form that a tool server asks a person to fill in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from chatdesk.core.texts import tr
from chatdesk.core.tools.server_requests import LONGEST_VALUE, FieldKind, FormField
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox

_HINTS: Final = {
    "email": "name@example.org",
    "uri": "https://example.org",
    "date": "2026-11-24",
    "date-time": "2026-11-24T09:30:00Z",
}
_MOST_HEIGHT_PX: Final = 280


class RequestFields(QScrollArea):
    """A column of labelled fields, as high as they need, within limits; then it scrolls. One that may be left empty
    says so in its label."""

    def __init__(self, fields: Sequence[FormField]) -> None:
        super().__init__()
        self.setObjectName("requestFields")
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setStyleSheet("#requestFields, #requestRows { background: transparent; }")
        self._inputs: dict[str, QWidget] = {}
        self._choices: dict[str, list[tuple[str, QCheckBox]]] = {}
        rows = QWidget()
        rows.setObjectName("requestRows")
        column = QVBoxLayout(rows)
        set_margins(column, 0, 0, 8, 0)
        column.setSpacing(4)
        for number, each in enumerate(fields):
            self._add(column, each, number)
        self.setWidget(rows)

    def entered(self) -> dict[str, str | bool | list[str]]:
        """Return the entered values by the names of their fields."""
        return {name: self._entered(name, field) for name, field in self._inputs.items()}

    def stops(self) -> list[QWidget]:
        """Return the widgets that Tab reaches, in its order."""
        boxes = {name: [box for _value, box in choices] for name, choices in self._choices.items()}
        return [stop for name, field in self._inputs.items() for stop in boxes.get(name, [field])]

    def focus(self, name: str = "") -> None:
        """Put the focus on a field, or on the first one."""
        field = self._inputs.get(name) or next(iter(self._inputs.values()), None)
        if field is not None:
            field.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.ensureWidgetVisible(field)

    def fit(self, width_px: int) -> None:
        """Become as high as the fields need at this width."""
        rows = self.widget()
        layout = None if rows is None else rows.layout()
        if layout is None:
            return
        wanted = layout.heightForWidth(width_px) if layout.hasHeightForWidth() else layout.sizeHint().height()
        self.setFixedHeight(min(wanted, _MOST_HEIGHT_PX))

    def _add(self, column: QVBoxLayout, field: FormField, number: int) -> None:
        need = "" if field.is_required or field.kind is FieldKind.SWITCH else " (optional)"
        if field.kind is not FieldKind.SWITCH:
            label = plain_label(f"{field.label}{need}", "text", wraps=True)
            column.addWidget(label)
        made = self._made(field, number)
        for each in made:
            each.setAccessibleName(each.text() if isinstance(each, QCheckBox) else f"{field.label}{need}")
            each.setAccessibleDescription(field.description)
            column.addWidget(each)
        self._inputs[field.name] = made[0]
        if field.kind is not FieldKind.SWITCH:
            label.setBuddy(made[0])
        if field.description:
            column.addWidget(plain_label(field.description, "muted", wraps=True))
        column.addSpacing(6)

    def _made(self, field: FormField, number: int) -> list[QWidget]:
        """Return the widgets of a field, at least one."""
        name = f"requestField_{number}"
        if field.kind is FieldKind.SWITCH:
            box = QCheckBox(field.label.replace("&", "&&"))
            box.setObjectName(name)
            box.setChecked(field.default is True)
            return [box]
        if field.kind is FieldKind.CHOICES:
            chosen = field.default if isinstance(field.default, list) else []
            boxes = [(value, QCheckBox(title.replace("&", "&&"))) for value, title in field.options]
            for place, (value, box) in enumerate(boxes):
                box.setObjectName(f"{name}_{place}")
                box.setChecked(value in chosen)
            self._choices[field.name] = boxes
            return [box for _value, box in boxes]
        if field.kind is FieldKind.CHOICE:
            choice = ChoiceBox()
            choice.setObjectName(name)
            choice.addItem(tr("Choose…"), "")
            for value, title in field.options:
                choice.addItem(title, value)
            choice.setCurrentIndex(max(0, choice.findData(field.default)))
            return [choice]
        line = QLineEdit("" if field.default is None or isinstance(field.default, bool | list) else str(field.default))
        line.setObjectName(name)
        line.setMaxLength(LONGEST_VALUE)
        line.setPlaceholderText(_HINTS.get(field.format, ""))
        line.setCursorPosition(0)
        return [line]

    def _entered(self, name: str, field: QWidget) -> str | bool | list[str]:
        if name in self._choices:
            return [value for value, box in self._choices[name] if box.isChecked()]
        if isinstance(field, QCheckBox):
            return field.isChecked()
        if isinstance(field, QComboBox):
            return str(field.currentData())
        assert isinstance(field, QLineEdit)
        return field.text()
