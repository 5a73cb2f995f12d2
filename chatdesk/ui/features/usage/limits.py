"""Shows the dialog of spending limits: a line for each, with a warning and a stop. The dialog receives and returns
them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.domain.limits import (
    InvalidRate,
    LimitPeriod,
    LimitScope,
    LimitUnit,
    ScopedRate,
    UsageLimit,
    parse_rate,
)
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.local_forms import within_sentence
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.layouts import BesideOrBelow
from chatdesk.ui.widgets.scrolled_page import FittedArea

_WIDTH_PX: Final = 780
_KINDS: Final = (
    (Text("Tokens a day"), LimitUnit.TOKENS, LimitPeriod.DAY),
    (Text("Tokens a month"), LimitUnit.TOKENS, LimitPeriod.MONTH),
    (Text("Dollars a day"), LimitUnit.MONEY, LimitPeriod.DAY),
    (Text("Dollars a month"), LimitUnit.MONEY, LimitPeriod.MONTH),
)
_MESSAGES: Final = Text("Messages")
_GAP_PX: Final = 8
_WIDE_AMOUNT: Final = "1,000,000"
_ABOUT = Text(
    "At the warning you get one note a day, and titles and summaries wait. At the stop nothing more is sent: your "
    "question is kept, and you can send it anyway. A model without a price counts as free here. Messages have a rate, "
    "such as 20/min or 200/day: further ones wait their turn."
)


@dataclass(frozen=True, slots=True)
class LimitTarget:
    """A subject that a limit can be for."""

    scope: LimitScope
    target: str
    label: str


EVERYTHING: Final = LimitTarget(LimitScope.ALL, "", Text("Everything"))


class LimitsDialog(FormPanel):
    """A dialog for spending and rate limits. ``saved`` carries all limits as a tuple; the dialog stays until ``accept``
    or ``show_problem`` answers it."""

    saved = Signal(object)

    def __init__(
        self,
        theme: Theme,
        limits: Sequence[tuple[UsageLimit, str]],
        targets: Sequence[LimitTarget],
        *,
        rates: Sequence[ScopedRate] = (),
        parent: QWidget | None = None,
    ) -> None:
        """Make the dialog. ``limits``: each limit with a sentence about its use; ``rates``: how often messages
        may be sent."""
        super().__init__(theme, tr("Limits"), object_name="limitsDialog", width_px=_WIDTH_PX, parent=parent)
        self._targets = (EVERYTHING, *targets)
        self._lines: list[_Line] = []
        self._number = 0
        inner = QWidget()
        inner.setObjectName("limitsLines")
        self._rows = QVBoxLayout(inner)
        set_margins(self._rows, 0, 0, 0, 0)
        self._rows.setSpacing(6)
        area = FittedArea(inner)
        area.setStyleSheet("QScrollArea, #limitsLines { background: transparent; }")
        self._add = push_button(tr("Add a limit"), "limitsAdd", self._add_empty_line)
        self.add_button(self._add, is_first=True)
        self.add_button(push_button(tr("Cancel"), "limitsCancel", self.reject))
        self.add_button(push_button(tr("Save"), "limitsSave", self._on_save_clicked, is_default=True))
        self.add_text(shown(_ABOUT))
        self.body.addWidget(area, 1)
        for limit, used in limits:
            self._add_line(limit, used)
        for rate in rates:
            self._add_line(rate, "")
        if not self._lines:
            self._add_line(None, "")
        self._lines[0].hard.setFocus()

    def limits(self) -> tuple[UsageLimit, ...]:
        """Return the limits in the fields. Raises ``ValueError``, with a sentence, for text that is not a number."""
        return tuple(limit for line in self._lines if (limit := line.limit()) is not None)

    def rates(self) -> tuple[ScopedRate, ...]:
        """Return the rates in the fields. Raises ``ValueError``, with a sentence, for an invalid or repeated one."""
        found = tuple(rate for line in self._lines if (rate := line.rate()) is not None)
        if len({rate.key for rate in found}) < len(found):
            raise ValueError(Text("Two rates apply to the same provider or project. Remove one of them."))
        return found

    def _add_line(self, limit: UsageLimit | ScopedRate | None, used: str) -> _Line:
        self._number += 1
        line = _Line(self._targets, limit, used, number=self._number)
        line.removed.connect(self._on_line_removed)
        self._lines.append(line)
        self._rows.addWidget(line)
        self.refit()
        return line

    def _add_empty_line(self) -> None:
        self._add_line(None, "").what.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_line_removed(self, line: object) -> None:
        assert isinstance(line, _Line)
        place = self._lines.index(line)
        self._lines.remove(line)
        self._rows.removeWidget(line)
        line.hide()
        line.deleteLater()
        self.refit()
        following = self._lines[min(place, len(self._lines) - 1)].remove if self._lines else self._add
        following.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_save_clicked(self) -> None:
        self.problem.hide()
        try:
            limits = self.limits()
            self.rates()
        except ValueError as error:
            self.show_problem(shown(error.args[0]))
            return
        self.saved.emit(limits)


class _Line(QWidget):
    removed = Signal(object)

    def __init__(
        self, targets: Sequence[LimitTarget], limit: UsageLimit | ScopedRate | None, used: str, *, number: int
    ) -> None:
        super().__init__()
        self.setObjectName(f"limit{number}")
        self.what, self.kind = ChoiceBox(), ChoiceBox()
        self.soft, self.hard = _AmountField(), _AmountField()
        self.remove = push_button(tr("Remove"), f"limit{number}_remove", lambda: self.removed.emit(self), acts=True)
        self.remove.setAccessibleName(tr("Remove limit {number}", number=str(number)))
        self._targets = list(targets)
        if limit is not None and not any((each.scope, each.target) == (limit.scope, limit.target) for each in targets):
            label = limit.label if isinstance(limit, UsageLimit) else ""
            self._targets.append(LimitTarget(limit.scope, limit.target, label or limit.target))
        for each in self._targets:
            self.what.addItem(shown(each.label))
        for words, _unit, _period in _KINDS:
            self.kind.addItem(shown(words))
        self.kind.addItem(shown(_MESSAGES))
        self.kind.currentIndexChanged.connect(self._on_kind_changed)
        self.what.setMinimumContentsLength(12)
        self.what.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._soft_words, self._hard_words = plain_label(tr("Warning at"), "muted"), plain_label(tr("Stop at"), "muted")
        self._lay_out(used, number)
        if limit is not None:
            at = next(i for i, e in enumerate(self._targets) if (e.scope, e.target) == (limit.scope, limit.target))
            self.what.setCurrentIndex(at)
        if isinstance(limit, ScopedRate):
            self.kind.setCurrentIndex(len(_KINDS))
            self.hard.setText(limit.text)
        elif limit is not None:
            self.kind.setCurrentIndex(
                next(i for i, (_w, unit, period) in enumerate(_KINDS) if (unit, period) == (limit.unit, limit.period))
            )
            self.soft.setText(_text_of(limit.soft))
            self.hard.setText(_text_of(limit.hard))

    def _lay_out(self, used: str, number: int) -> None:
        """Lay out the subject of the limit with the amounts beside it, or below it with large text."""
        state = plain_label(used, "muted", name=f"limit{number}_used")
        for field, name, words in (
            (self.what, "what", tr("Limit {number}, for", number=str(number))),
            (self.kind, "kind", tr("Limit {number}, of", number=str(number))),
            (self.soft, "soft", tr("Limit {number}, warning at", number=str(number))),
            (self.hard, "hard", tr("Limit {number}, stop at", number=str(number))),
        ):
            field.setObjectName(f"limit{number}_{name}")
            field.setAccessibleName(words)
        for amount, placeholder in ((self.soft, tr("No warning")), (self.hard, tr("No stop"))):
            policy = amount.sizePolicy()
            policy.setRetainSizeWhenHidden(True)  # keeps the columns aligned
            amount.setSizePolicy(policy)
            amount.setPlaceholderText(placeholder)
        about, amounts = _grid(), _grid()
        about.addWidget(self.what, 0, 0)
        about.addWidget(self.kind, 0, 1)
        about.addWidget(state, 1, 0, 1, 2)
        amounts.addWidget(self.soft, 0, 0)
        amounts.addWidget(self.hard, 0, 1)
        amounts.addWidget(self.remove, 0, 2)
        amounts.addWidget(self._soft_words, 1, 0)
        amounts.addWidget(self._hard_words, 1, 1)
        line = BesideOrBelow(self, gap_px=_GAP_PX, below_px=2, wanted_px=0)
        line.setContentsMargins(0, 0, 0, 0)
        line.add_layout(about)
        line.add_layout(amounts)

    @property
    def _is_rate(self) -> bool:
        return self.kind.currentIndex() == len(_KINDS)

    def _on_kind_changed(self) -> None:
        self.soft.setVisible(not self._is_rate)
        self._soft_words.setVisible(not self._is_rate)
        self._hard_words.setText(tr("At most") if self._is_rate else tr("Stop at"))
        self.hard.setPlaceholderText("20/min" if self._is_rate else tr("No stop"))

    def rate(self) -> ScopedRate | None:
        """Return the rate of this line; None where it is not about messages, or empty."""
        text = self.hard.text().strip()
        if not self._is_rate or not text:
            return None
        target = self._targets[self.what.currentIndex()]
        try:
            is_one = parse_rate(text) is not None
        except InvalidRate as error:
            self.hard.setFocus(Qt.FocusReason.OtherFocusReason)
            raise ValueError(
                Text(
                    "“{typed}” is not a rate ({where}): {why}.", typed=text[:40], where=target.label, why=error.args[0]
                )
            ) from None
        return ScopedRate(target.scope, target.target, text) if is_one else None

    def limit(self) -> UsageLimit | None:
        """Return the limit of this line; None where it is about messages."""
        if self._is_rate:
            return None
        target = self._targets[self.what.currentIndex()]
        words, unit, period = _KINDS[self.kind.currentIndex()]
        soft, hard = (
            _number_of(field, f"{shown(target.label)}, {within_sentence(shown(words))}")
            for field in (self.soft, self.hard)
        )
        label = "" if target.scope is LimitScope.ALL else target.label
        return UsageLimit(target.scope, period, unit, soft=soft, hard=hard, target=target.target, label=label)


class _AmountField(QLineEdit):
    """Has room for large numbers at any size of the text."""

    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()
        return QSize(hint.width() + self.fontMetrics().horizontalAdvance(_WIDE_AMOUNT), hint.height())


def _grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(_GAP_PX)
    grid.setVerticalSpacing(2)
    grid.setColumnStretch(0, 1)
    grid.setColumnStretch(1, 1)
    return grid


def _text_of(amount: float) -> str:
    return f"{amount:,.2f}".removesuffix(".00") if amount else ""


def _number_of(field: QLineEdit, where: str) -> float:
    """Return the number in a field, 0 for an empty one. Raises ``ValueError`` for other text."""
    text = field.text().strip().lstrip("$").replace(",", "").replace(" ", "").replace("_", "")
    try:
        return float(text) if text else 0.0
    except ValueError:
        field.setFocus(Qt.FocusReason.OtherFocusReason)
        raise ValueError(
            Text(
                "“{typed}” is not a number ({where}). Write it as 100000 or 2.50.", typed=field.text()[:40], where=where
            )
        ) from None
