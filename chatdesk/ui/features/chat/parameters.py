"""Shows the dialog for the parameters of answers: temperature, top-p, length, reasoning effort and stop words, for a
thread, a project or an assistant.

Only the model's own parameters are offered. An empty field takes the value of the project, or of the model itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.domain.model_info import Ability, ModelInfo
from chatdesk.core.domain.parameters import REASONING_EFFORTS, Parameters, checked_parameters
from chatdesk.core.errors import InvalidInput
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.features.chat.parameter_words import EFFORTS, NAMES
from chatdesk.ui.features.settings.settings_row import SettingsRow
from chatdesk.ui.local_forms import within_sentence
from chatdesk.ui.qt.composing_field import ComposingField
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.layouts import bare_column, bare_row
from chatdesk.ui.widgets.scrolled_page import FittedArea, ScrolledPage
from chatdesk.ui.widgets.words import with_commas

_WIDTH_PX = 620
_STOP_LINES = 4

Scope = Literal["new", "thread", "project", "assistant"]
_STEPS_IN_ONE: Final = 100
_QT_LETTERS: Final = 17  # the width of Qt's default field, in characters


@dataclass(frozen=True, slots=True)
class _Kind:
    """A parameter of answers. ``ability`` names the ability that a model needs for it; None: every model has it."""

    name: str
    title: str
    hint: str
    ability: Ability | None


_KINDS: Final = (
    _Kind(
        "temperature",
        NAMES["temperature"],
        Text("Low is steady, high is varied."),
        Ability.TEMPERATURE,
    ),
    _Kind("top_p", NAMES["top_p"], Text("How many of the likely words are considered."), Ability.TOP_P),
    _Kind("answer_length", NAMES["answer_length"], Text("In tokens. This much of the context is kept free."), None),
    _Kind(
        "reasoning_effort",
        NAMES["reasoning_effort"],
        Text("How long the model thinks before it answers."),
        Ability.REASONING,
    ),
    _Kind("stop", NAMES["stop"], Text("The answer ends before any of these. One a line, at most four."), Ability.STOP),
)
# Parameters with a slider, and where it ends.
_RANGES: Final = {"temperature": 2.0, "top_p": 1.0}
_RESTING: Final = 1.0


class ParametersDialog(Panel):
    """A dialog for the parameters of a model. ``own`` are those of the thread or project, ``wider`` those of the
    project (of a project: none). ``saved`` carries the new ones; hidden ones stay unchanged."""

    saved = Signal(object)  # Parameters

    def __init__(
        self,
        theme: Theme,
        own: Parameters,
        wider: Parameters,
        *,
        info: ModelInfo,
        scope: Scope,
        name: str,
        parent: QWidget | None = None,
    ) -> None:
        """Make the dialog. ``name`` is that of the thread, the project or the assistant."""
        super().__init__(theme, title := _title(scope, name), parent=parent)
        self.setObjectName("parametersDialog")
        self._own = own
        self._wider = wider
        self._scope = scope
        self._info = info
        self._rows: dict[str, SettingsRow] = {}
        self._reads: dict[str, Callable[[], Any]] = {}
        self._hints: dict[str, str] = {}
        rows = ScrolledPage()
        rows.setObjectName("parameterRows")
        column = bare_column(rows, spacing_px=0)
        for kind in _KINDS:
            if kind.ability is None or info.may_have(kind.ability):
                self._add(column, kind)
        layout = self.form_column()
        layout.addWidget(plain_label(title, "strong", wraps=True))
        layout.addWidget(plain_label(_about(info, scope), "muted", wraps=True))
        layout.addWidget(FittedArea(rows), 1)
        layout.addLayout(self._buttons())
        self._dress()
        self.fit_height(_WIDTH_PX)
        self._rows[next(iter(self._rows))].field.setFocus()

    @property
    def shown(self) -> tuple[str, ...]:
        """The names of the parameters that the model has, or may have."""
        return tuple(self._rows)

    def apply(self) -> bool:
        """Emit the new parameters; false, with the reasons at their fields, when one cannot be taken."""
        values: dict[str, Any] = {}
        is_valid = True
        for name, row in self._rows.items():
            self._show_problem(name, "")
            try:
                value = self._reads[name]()
                values[name] = getattr(checked_parameters(Parameters(**{name: value})), name)
            except InvalidInput as error:
                if is_valid:
                    row.field.setFocus(Qt.FocusReason.OtherFocusReason)
                is_valid = False
                self._show_problem(name, shown(error.what))
        if is_valid:
            self.saved.emit(replace(self._own, **values))
        return is_valid

    def _show_problem(self, name: str, words: str) -> None:
        """Show a problem below its field; an empty text hides it. A screen reader reads it with the field."""
        row = self._rows[name]
        row.show_problem(words)
        row.field.setAccessibleDescription(f"{words} {self._hints[name]}".strip())

    def _add(self, column: QVBoxLayout, kind: _Kind) -> None:
        follows = self._follows(kind.name)
        own = getattr(self._own, kind.name)
        if kind.name == "reasoning_effort":
            field, read = _effort_field(own, follows)
        elif kind.name == "stop":
            field, read = _stop_field(own, follows)
        elif kind.name in _RANGES:
            wider = getattr(self._wider, kind.name)
            field, read = _range_field(kind, own, follows, resting=_RESTING if wider is None else wider)
        else:
            field, read = _number_field(kind, own, follows)
        field.setObjectName(f"parameter_{kind.name}")
        self._reads[kind.name] = read
        said = "" if isinstance(field, QComboBox) else tr("Empty means: {value}.", value=within_sentence(follows))
        self._hints[kind.name] = " ".join(filter(None, (shown(kind.hint), said)))
        row = self._rows[kind.name] = SettingsRow(kind.title, kind.hint, field)
        if isinstance(field, RangeField):
            row.field = field.line
            for each in (field.line, field.slider):
                each.setAccessibleName(shown(kind.title))
            row.field.setObjectName(field.objectName())
        row.field.setAccessibleDescription(self._hints[kind.name])
        line = QFrame()
        line.setObjectName("parameterLine")
        line.setFixedHeight(1)
        column.addWidget(row)
        column.addWidget(line)

    def _follows(self, name: str) -> str:
        """Return the text for the inherited value, which applies while nothing is set here."""
        value = getattr(self._wider, name)
        if value not in (None, ()):
            return tr("Same as the project: {value}", value=_written(value))
        if name == "answer_length" and self._info.largest_answer:
            return tr("Up to {number}", number=self._info.largest_answer)
        return tr("None") if name == "stop" else tr("Model's default")

    def _dress(self) -> None:
        tokens = self.theme.tokens
        self.setStyleSheet(
            "QScrollArea, #parameterRows { background: transparent; }"
            f"#parameterLine {{ background: {tokens.line}; }}"
            f"QPlainTextEdit {{ background: {tokens.card}; color: {tokens.text}; border: 1px solid {tokens.field_line};"
            f" placeholder-text-color: {tokens.muted};"
            f" border-radius: {tokens.radius.row}px; padding: 2px 6px; }}"
            f"QPlainTextEdit:focus {{ border: 2px solid {tokens.accent}; padding: 1px 5px; }}"
        )

    def _buttons(self) -> QHBoxLayout:
        reset = push_button(tr("Reset all"), "parametersReset", self._reset, acts=True)
        reset.setAccessibleDescription(
            tr("Empties every field, so that the project's values apply.")
            if self._scope in ("new", "thread")
            else tr("Empties every field, so that the model's own values apply.")
        )
        row = QHBoxLayout()
        row.addWidget(reset)
        row.addStretch(1)
        row.addWidget(push_button(tr("Cancel"), "parametersCancel", self.reject))
        row.addWidget(push_button(tr("Save"), "parametersSave", self._on_save_clicked, is_default=True))
        return row

    def _reset(self) -> None:
        for name, row in self._rows.items():
            field = row.field
            if isinstance(field, QComboBox):
                field.setCurrentIndex(0)
            elif isinstance(field, QLineEdit | QPlainTextEdit):
                field.clear()
            self._show_problem(name, "")

    def _on_save_clicked(self) -> None:
        if self.apply():
            self.accept()


def _range_field(kind: _Kind, own: float | None, follows: str, *, resting: float) -> tuple[QWidget, Callable[[], Any]]:
    field = RangeField("" if own is None else _written(own), follows, most=_RANGES[kind.name], resting=resting)
    return field, _reader(kind, field.line)


def _number_field(kind: _Kind, own: float | None, follows: str) -> tuple[QWidget, Callable[[], Any]]:
    line = QLineEdit("" if own is None else _written(own))
    line.setPlaceholderText(follows)
    return line, _reader(kind, line)


def _reader(kind: _Kind, line: QLineEdit) -> Callable[[], Any]:
    def read() -> int | float | None:
        text = line.text().strip().replace(",", ".").replace("\u202f", "").replace(" ", "")
        if not text:
            return None
        try:
            return int(text) if kind.name == "answer_length" else float(text)
        except ValueError:
            fields = {"title": kind.title, "example": _EXAMPLES[kind.name]}
            if kind.name == "answer_length":
                raise InvalidInput(Text("{title} must be a whole number, such as {example}.", **fields)) from None
            raise InvalidInput(Text("{title} must be a number, such as {example}.", **fields)) from None

    return read


_EXAMPLES: Final[Mapping[str, str]] = {"temperature": "0.7", "top_p": "0.9", "answer_length": "2000"}


def _effort_field(own: str | None, follows: str) -> tuple[QWidget, Callable[[], Any]]:
    box = ChoiceBox()
    box.addItem(follows, None)
    for effort in REASONING_EFFORTS:
        box.addItem(shown(EFFORTS[effort]), effort)
    box.setCurrentIndex(max(0, box.findData(own)))
    return box, box.currentData


def _stop_field(own: tuple[str, ...], follows: str) -> tuple[QWidget, Callable[[], Any]]:
    edit = StopLines("\n".join(own))
    edit.setPlaceholderText(follows)
    edit.setTabChangesFocus(True)
    return edit, lambda: tuple(line for line in edit.toPlainText().split("\n") if line)


class StopLines(ComposingField):
    """A text field, a few lines high."""

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.fontMetrics().lineSpacing() * _STOP_LINES + 14)


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return with_commas(value)
    if isinstance(value, str):
        return shown(EFFORTS.get(value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _title(scope: Scope, name: str) -> str:
    if scope in ("thread", "new"):
        return tr("Parameters of this thread")
    if scope == "project":
        return tr("Parameters of the project {name}", name=name)
    return tr("Parameters of {name}", name=name) if name else tr("Parameters of the assistant")


def _about(info: ModelInfo, scope: Scope) -> str:
    """Return sentences on when the values hold and which parameters this model does not have."""
    name = shown(info.label) or info.id or tr("The model")
    missing = [
        within_sentence(shown(kind.title))
        for kind in _KINDS
        if kind.ability is not None and not info.may_have(kind.ability)
    ]
    said = tr("Used from the next answer on.")
    if scope == "project":
        said = tr("Used in threads that have none of their own.")
    elif scope == "assistant":
        said = tr("Used whenever this assistant answers; what is empty follows the thread.")
    if not missing:
        return said
    if len(missing) > 1:
        absent = tr("{others} or {last}", others=with_commas(missing[:-1]), last=missing[-1])
    else:
        absent = missing[0]
    return " ".join((said, tr("{model} has no {parameters}.", model=name, parameters=absent)))


class RangeField(QWidget):
    """A slider with a number field, from 0 to ``most``. The slider is at ``resting`` while the field is empty."""

    def __init__(self, text: str, placeholder: str, *, most: float, resting: float) -> None:
        super().__init__()
        self._resting = resting
        self.line = QLineEdit(text)
        self.line.setPlaceholderText(placeholder)
        self.line.setMinimumWidth(self._room_px(placeholder))
        self.slider = _Slider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, round(most * _STEPS_IN_ONE))
        self.slider.setSingleStep(_STEPS_IN_ONE // 20)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the text has its keys
        self.slider.setPageStep(_STEPS_IN_ONE // 4)
        row = bare_row(self, spacing_px=10)
        row.addWidget(self.slider, 1)
        row.addWidget(self.line)
        self.line.installEventFilter(self)
        self.line.textChanged.connect(self._follow_text)
        self.slider.valueChanged.connect(lambda value: self.line.setText(f"{value / _STEPS_IN_ONE:g}"))
        self._follow_text(text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move the slider with Up and Down while the text field has the focus."""
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
            if step:
                self.slider.setValue(self.slider.value() + step * self.slider.singleStep())
                return True
        return super().eventFilter(watched, event)

    def _room_px(self, words: str) -> int:
        """Return how wide the number field is when these words are whole in it."""
        self.line.ensurePolished()
        metrics = self.line.fontMetrics()
        around_px = self.line.sizeHint().width() - _QT_LETTERS * metrics.horizontalAdvance("x")
        return metrics.horizontalAdvance(words) + around_px

    def _follow_text(self, text: str) -> None:
        value = self._resting
        with suppress(ValueError):
            value = float(text.strip().replace(",", "."))
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(min(max(value, -1.0), 1000.0) * _STEPS_IN_ONE) if value == value else 0)
        self.slider.show_unset(not text.strip())


class _Slider(QSlider):
    """Pale while nothing is set. The wheel scrolls the page below it."""

    def show_unset(self, is_unset: bool) -> None:
        if self.property("isUnset") != is_unset:
            self.setProperty("isUnset", is_unset)
            self.style().unpolish(self)
            self.style().polish(self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
