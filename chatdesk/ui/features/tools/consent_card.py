"""Shows the card that describes a call of a tool, for a person to allow or deny."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMenu, QWidget

from chatdesk.core.domain.tools import Answer, ApprovalRequest
from chatdesk.core.hidden_characters import distinct_name, escaped_in_json, visible_controls
from chatdesk.core.texts import Text, plural, shortened, shown, tr
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.features.tools.card_frame import CardFrame, CodeField, card_label
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.theme import Theme

# More than this is shown in part, and cannot be changed here.
MOST_CHARACTERS: Final = 60_000
_LONGEST_DESCRIPTION: Final = 280
_STANDING: Final = {
    Answer.THREAD: Text("Allow in this thread"),
    Answer.PROJECT: Text("Allow in this project"),
    Answer.ALWAYS: Text("Always allow"),
}
_READING: Final = {
    Answer.THREAD: Text("Allow in this thread, it only reads"),
    Answer.PROJECT: Text("Allow in this project, it only reads"),
    Answer.ALWAYS: Text("Always allow, it only reads"),
}


class ConsentCard(CardFrame[ApprovalRequest]):
    """A card that asks whether a tool may run. ``answered`` has the id of the request, the answer, the arguments as the
    person changed them (None: as the model wrote them), and whether the person says that the tool only reads."""

    answered = Signal(str, object, object, bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "consent", "hammer")
        self._shown_arguments = ""
        self._where = card_label("muted", "consentWhere")
        self._about = card_label("muted", "consentAbout")
        self._reason = card_label("text", "consentReason")
        self.arguments = CodeField(theme, "consentArguments")
        self.arguments.textChanged.connect(lambda: self.show_problem(""))
        self._cut = card_label("muted", "consentCut")
        self.deny_button = push_button(tr("Deny"), "consentDeny", partial(self._answer, Answer.DENY), is_primary=True)
        self.once_button = push_button(tr("Allow once"), "consentOnce", partial(self._answer, Answer.ONCE))
        self.more_button = push_button(tr("Allow for longer…"), "consentMore", self._open_menu)
        self._lay_out()

    def focus_answer(self) -> None:
        """Put the focus on the safest answer."""
        self.deny_button.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _focus_next(self) -> None:
        self.focus_answer()

    def menu(self) -> QMenu:
        """Return the menu of the answers that stand for later calls, too."""
        menu = QMenu(self)
        menu.setObjectName("consentMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        round_corners(menu, self._theme.tokens.radius.row)
        for answer in self._standing():
            menu.addAction(shown(_STANDING[answer]), partial(self._answer, answer)).setObjectName(
                f"consent_{answer.value}"
            )
        menu.addSeparator()
        for answer in self._standing():
            action = menu.addAction(
                shown(_READING[answer]),
                partial(self._answer, answer, only_reads=True),
            )
            action.setObjectName(f"consent_{answer.value}_reads")
            action.setToolTip(tr("You say that it changes and sends nothing, so it also runs after text from outside."))
        menu.setToolTipsVisible(True)
        return menu

    def _lay_out(self) -> None:
        for widget in (self._about, self._where, self._reason, self.arguments, self._cut, self.problem):
            self.column.addWidget(widget)
        buttons = (self.deny_button, self.once_button, self.more_button)
        self.add_buttons(*buttons, agreeing=(self.once_button, self.more_button))
        QWidget.setTabOrder(self.arguments, self.deny_button)
        QWidget.setTabOrder(self.deny_button, self.once_button)
        QWidget.setTabOrder(self.once_button, self.more_button)

    def _fill(self, request: ApprovalRequest) -> None:
        tool = request.tool
        is_own = isinstance(tool.title, Text)  # ChatDesk's own tools describe themselves for models only
        name = shown(tool.title) if is_own else distinct_name(tool.title or tool.name)
        server = distinct_name(shown(tool.server_name))
        title = tr("{what}?", what=name) if is_own else tr("Run “{name}” of {server}?", name=name, server=server)
        self.title.setText(title)
        described = "" if is_own else visible_controls(" ".join(tool.description.split()))
        about = shortened(described, _LONGEST_DESCRIPTION)
        self._about.setText(about)
        self._about.setVisible(bool(about))
        self._where.setText(where_words(request))
        reason = shown(request.reason)
        self._reason.setText(reason)
        self._reason.setVisible(bool(request.reason))
        text = readable(request.arguments)
        is_cut = len(text) > MOST_CHARACTERS
        self._shown_arguments = text[:MOST_CHARACTERS]
        self.arguments.setPlainText(self._shown_arguments)
        self.arguments.setReadOnly(is_cut)
        self.arguments.setAccessibleName(tr("Arguments of {name}", name=name))
        left_out = len(text) - MOST_CHARACTERS
        self._cut.setText(
            shown(
                plural(
                    "{count} more characters are not shown, but would be sent.",
                    "{count} more character is not shown, but would be sent.",
                    left_out,
                )
            )
            if is_cut
            else ""
        )
        self._cut.setVisible(is_cut)
        self.show_problem("")
        self.more_button.setVisible(bool(self._standing()))
        self.setAccessibleName(title)
        self.setAccessibleDescription(" ".join(filter(None, (self._where.text(), reason))))
        self.deny_button.setAccessibleName(tr("Deny: {name} of {server}", name=name, server=server))
        self.once_button.setAccessibleName(tr("Allow once: {name} of {server}", name=name, server=server))

    def _standing(self) -> list[Answer]:
        offered = () if self._request is None else self._request.answers
        return [each for each in _STANDING if each in offered]

    def _answer(self, answer: Answer, _is_checked: bool = False, *, only_reads: bool = False) -> None:
        if self._request is None:
            return
        arguments = None
        if answer is not Answer.DENY and self.arguments.toPlainText() != self._shown_arguments:
            try:
                arguments = read_arguments(self.arguments.toPlainText())
            except NotArgumentsError as error:
                self.show_problem(shown(error.args[0]))
                self.arguments.setFocus(Qt.FocusReason.OtherFocusReason)
                return
        self.answered.emit(self._request.id, answer, arguments, only_reads)

    def _open_menu(self) -> None:
        menu = self.menu()
        menu.popup(self.more_button.mapToGlobal(self.more_button.rect().bottomLeft()))


def where_words(request: ApprovalRequest) -> str:
    """Return a sentence that says where the arguments of a call go."""
    where = visible_controls(request.where)
    if not where:
        return tr("ChatDesk runs this itself. What it finds goes to the model that answers.")
    if where.startswith(("https://", "http://")):
        return tr("These arguments are sent to {where}", where=where)
    return tr("These arguments are given to a program on this computer: {where}", where=where)


class NotArgumentsError(ValueError):
    """A text is not a JSON object; the message is a sentence for its author."""


def readable(arguments: str) -> str:
    """Return arguments, JSON as the model wrote it, indented, with characters that hide or turn a line round escaped. A
    text that is no JSON is returned with such characters spelt out."""
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return visible_controls(arguments)
    return escaped_in_json(json.dumps(value, ensure_ascii=False, indent=2))


def read_arguments(text: str) -> dict[str, Any]:
    """Return the arguments that a person wrote. Raises ``NotArgumentsError``."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise NotArgumentsError(Text("This is nested too deeply.")) from None
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            words = Text("This is not valid JSON in line {number}.", number=error.lineno)
            raise NotArgumentsError(words) from None
        raise NotArgumentsError(Text("This is not valid JSON.")) from None
    if not isinstance(value, dict):
        raise NotArgumentsError(Text("Arguments are a JSON object: { … }."))
    return value
