"""Shows the card with a request of a tool server, which a person answers in the fields of its form, or refuses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Final

from PySide6.QtCore import QEvent, Qt, QUrl, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from chatdesk.core.hidden_characters import distinct_name, visible_controls
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.core.tools.server_requests import (
    LONGEST_VALUE,
    Action,
    FieldKind,
    FieldProblem,
    FormField,
    FormRequest,
    ModelRequest,
    PageRequest,
    ServerRequest,
    form_values,
)
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.tools.card_frame import CardFrame, CodeField, card_label
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.words import with_commas

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


_LONGEST_MESSAGE: Final = 1_200
_ROLES: Final = {"user": Text("User", "role"), "assistant": Text("Assistant")}


class RequestCard(CardFrame[ServerRequest]):
    """A card with the request of a tool server. ``answered`` has the id of the request, an ``Action``, and the values
    of a form. ``pageRequested`` has the address of a page that the person wants to open."""

    answered = Signal(str, str, object)
    pageRequested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "request", "message-square")
        self._fields: RequestFields | None = None
        self._message = card_label("text", "requestMessage")
        self._where = card_label("muted", "requestWhere")
        self._warning = card_label("text", "requestWarning")
        self._warning.setProperty("isDanger", True)
        self.whole = CodeField(theme, "requestWhole")
        self.whole.setReadOnly(True)
        self.decline_button = push_button(
            tr("Decline"), "requestDecline", partial(self._answer, Action.DECLINE), is_primary=True
        )
        self.later_button = push_button(tr("Not now"), "requestCancel", partial(self._answer, Action.CANCEL))
        self.accept_button = push_button(tr("Send"), "requestAccept", self._accept)
        for widget in (self._message, self.whole, self._warning, self._where, self.problem):
            self.column.addWidget(widget)
        buttons = (self.decline_button, self.later_button, self.accept_button)
        self.add_buttons(*buttons, agreeing=(self.accept_button,))

    def focus_answer(self) -> None:
        """Put the focus on the first field, else on the refusal."""
        if self._fields is not None and self._fields.entered():
            self._fields.focus()
        else:
            self.decline_button.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _focus_next(self) -> None:
        # Keys being typed were meant for the previous request.
        self.decline_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _is_escape(event):
            self._answer(Action.CANCEL)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ShortcutOverride and _is_escape(event):
            event.accept()  # keeps Esc from the window's commands
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_fields()

    def _fill(self, request: ServerRequest) -> None:
        server = distinct_name(shown(request.asker.server_name))
        if self._fields is not None:
            self.column.removeWidget(self._fields)
            self._fields.hide()
            self._fields.deleteLater()
            self._fields = None
        self.show_problem("")
        self._warning.setText("")
        message, whole = "", ""
        match request:
            case FormRequest():
                title, accept, message = (
                    tr("{server} asks you for something", server=server),
                    tr("Send"),
                    request.message,
                )
                self._show_fields(request, server)
            case PageRequest():
                title, accept, message = (
                    tr("{server} wants you to open a page", server=server),
                    tr("Open in browser"),
                    request.message,
                )
                whole = shown_address(request.address)
            case ModelRequest():
                title, accept, whole = (
                    tr("{server} wants to ask {model}", server=server, model=request.model),
                    tr("Allow once"),
                    whole_question(request),
                )
        self.title.setText(title)
        self._message.setText(message[:_LONGEST_MESSAGE] + ("…" if len(message) > _LONGEST_MESSAGE else ""))
        self._message.setVisible(bool(message))
        self.whole.setPlainText(whole)
        self.whole.setVisible(bool(whole))
        self.whole.setAccessibleName(tr("Address") if isinstance(request, PageRequest) else tr("The whole question"))
        self._warning.setVisible(bool(self._warning.text()))
        self._where.setText(where_words(request))
        self.accept_button.setText(accept)
        self.later_button.setVisible(not isinstance(request, ModelRequest))
        for button in (self.decline_button, self.later_button, self.accept_button):
            button.setAccessibleName(f"{button.text()}: {title}")
        self.setAccessibleName(title)
        self.setAccessibleDescription(f"{self._message.text()} {self._warning.text()} {self._where.text()}".strip())
        self._order()

    def _show_fields(self, request: FormRequest, server: str) -> None:
        fields = self._fields = RequestFields(request.fields)
        self.column.insertWidget(self.column.indexOf(self.whole), fields)
        secrets = [field.label for field in request.fields if field.looks_secret]
        if secrets:
            self._warning.setText(
                shown(
                    plural(
                        "{names} look like secrets. {server} gets what you enter, as you enter it.",
                        "{names} looks like a secret. {server} gets what you enter, as you enter it.",
                        len(secrets),
                        names=with_commas(f"“{each}”" for each in secrets),
                        server=server,
                    )
                )
            )
        self._fit_fields()

    def _order(self) -> None:
        """Set the order of Tab: the fields, then the buttons."""
        stops: list[QWidget] = [self.whole, self.decline_button, self.later_button, self.accept_button]
        if self._fields is not None:
            stops = [*self._fields.stops(), *stops]
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)

    def _accept(self) -> None:
        request = self._request
        if isinstance(request, FormRequest) and self._fields is not None:
            try:
                values = form_values(request.fields, self._fields.entered())
            except FieldProblem as problem:
                self.show_problem(shown(problem.args[0]))
                self._fields.focus(problem.name)
                return
            self._answer(Action.ACCEPT, values)
            return
        if isinstance(request, PageRequest):
            self.pageRequested.emit(request.address)
        self._answer(Action.ACCEPT)

    def _answer(self, action: Action, values: dict[str, Any] | None = None) -> None:
        if self._request is not None:
            self.answered.emit(self._request.id, action.value, values)

    def _fit_fields(self) -> None:
        if self._fields is not None:
            margins = self.column.contentsMargins()
            self._fields.fit(max(self.width() - margins.left() - margins.right(), 1))


def _is_escape(event: QEvent) -> bool:
    return isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape and not event.modifiers()


def shown_address(address: str) -> str:
    """Return an address in ASCII, so that nothing in it looks like something else: its host in Punycode, the rest
    encoded."""
    return bytes(QUrl(address, QUrl.ParsingMode.StrictMode).toEncoded().data()).decode("ascii", "replace")


def whole_question(request: ModelRequest) -> str:
    """Return all that a model would be asked, with hidden characters spelt out."""
    said = [(tr("System prompt"), request.system)] if request.system else []
    said += [(shown(_ROLES.get(role, _ROLES["user"])), text) for role, text in request.messages]
    return "\n\n".join(f"{who}:\n{visible_controls(text)}" for who, text in said)


def where_words(request: ServerRequest) -> str:
    """Return a sentence that says where an answer goes, and during which call it is asked for."""
    asker = request.asker
    call = tr("The server asks while “{tool}” runs.", tool=distinct_name(asker.tool_name))
    where = visible_controls(asker.where)
    is_sent = where.startswith(("https://", "http://"))
    if isinstance(request, PageRequest):
        rest = tr("The server chose this page: check the address before you enter anything there.")
    elif isinstance(request, ModelRequest):
        cost = plural(
            "This costs you at most {count} tokens and counts towards your limits.",
            "This costs you at most {count} token and counts towards your limits.",
            request.max_tokens,
        )
        if is_sent:
            goes = tr("The answer is sent to {where}", where=where)
        else:
            goes = tr("The answer is given to a program on this computer: {where}", where=where)
        rest = f"{shown(cost)} {goes}"
    elif is_sent:
        rest = tr("What you enter is sent to {where}", where=where)
    else:
        rest = tr("What you enter is given to a program on this computer: {where}", where=where)
    return f"{call} {rest}"
