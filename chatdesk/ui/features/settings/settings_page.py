"""Builds a page of the settings piece by piece, so that no step blocks the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from PySide6.QtCore import QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from chatdesk.core.settings.schema import Setting
from chatdesk.core.texts import shown, tr
from chatdesk.ui.dialogs.panel import plain_label, thin_line
from chatdesk.ui.features.settings.model_fields import DEFAULT_MODEL, ModelFields
from chatdesk.ui.features.settings.settings_fields import Field, field_for
from chatdesk.ui.features.settings.settings_row import SettingsRow
from chatdesk.ui.local_forms import date_text
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.scrolled_page import ScrolledPage

_SLICE_MS: Final = 1
_SECTION_GAP_PX: Final = 18


class SettingsPage(QScrollArea):
    """Rows for ``settings`` with their ``values``, under their headings. ``choices`` are offered by name instead of
    the setting's own; ``fixed`` names settings that a variable decides. What others show on the page comes below the
    rows, or above them with ``is_content_first``. ``model_fields`` choose models; without them their ids are typed.
    ``settled`` carries the names of the settings whose field the person is through with."""

    settled = Signal(tuple)
    built = Signal()

    def __init__(
        self,
        theme: Theme,
        settings: Sequence[Setting],
        values: Mapping[str, Any],
        *,
        choices: Mapping[str, Mapping[Any, str]],
        fixed: frozenset[str],
        is_content_first: bool = False,
        model_fields: ModelFields | None = None,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._settings = sorted(settings, key=_order_of_sections(settings))
        self._values, self._choices, self._fixed = values, choices, fixed
        self._is_content_first = is_content_first
        self._model_fields = model_fields
        self._makers: list[Callable[[], QWidget]] = []
        self._steps: Iterator[None] | None = None
        self._is_built = False
        self._is_unpainted = True
        self.rows: dict[str, SettingsRow] = {}
        self.fields: dict[str, Field] = {}
        inner = ScrolledPage()
        inner.setObjectName("settingsPage")
        self._column = QVBoxLayout(inner)
        set_margins(self._column, 0, 0, 4, 8)
        self._column.setSpacing(0)
        self._column.addStretch()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(self.focusPolicy().NoFocus)
        self.setWidget(inner)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # reserves the same width on each page
        bar = self.verticalScrollBar()
        bar.setEnabled(False)
        bar.rangeChanged.connect(lambda _least, most: bar.setEnabled(most > 0))
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._go_on)

    @property
    def is_built(self) -> bool:
        return self._is_built

    def add_content(self, make: Callable[[], QWidget]) -> None:
        """Add content that ``make`` returns; it is called when the page is first shown."""
        if self._is_built:
            self._add(make())
        else:
            self._makers.append(make)

    def start_building(self) -> None:
        """Start building the page in short steps, so that the window stays responsive."""
        if self._steps is None and not self._is_built:
            self._steps = self._build()
            self._timer.start()  # the frame of the page is shown first

    def finish(self) -> None:
        """Build the rest of the page at once."""
        if not self._is_built:
            self._steps = self._steps or self._build()
            for _step in self._steps:
                pass

    def measure(self) -> None:
        """Make all fields as wide as the one that needs most, for text of another size, too."""
        widths = [row.measure() for row in self.rows.values()]
        for row in self.rows.values():
            row.set_field_width(max(widths))

    def _go_on(self) -> None:
        if self._steps is None:
            return
        if self._is_unpainted:  # this turn of the loop lays out and paints the previous step
            self._is_unpainted = False
            self._timer.start()
            return
        clock = QElapsedTimer()
        clock.start()
        for _step in self._steps:
            if clock.elapsed() >= _SLICE_MS:
                self._is_unpainted = True
                self._timer.start()
                return

    def _build(self) -> Iterator[None]:
        if self._is_content_first:
            yield from self._build_content()
        for section, settings in groupby(self._settings, key=lambda each: each.shown.section):
            if section:
                if self._column.count() > 1:
                    self._column.insertSpacing(self._column.count() - 1, _SECTION_GAP_PX)
                self._add(plain_label(shown(section), "group"))
            for setting in settings:
                if setting.name in self.rows:
                    continue  # shares the field of another setting
                self._add(self._row(setting))
                self._add(thin_line())
                yield
        if not self._is_content_first:
            yield from self._build_content()
        self.measure()
        self._is_built = True
        self._steps = None
        self.built.emit()

    def _build_content(self) -> Iterator[None]:
        while self._makers:
            self._add(self._makers.pop(0)())
            yield

    def _row(self, setting: Setting) -> SettingsRow:
        place = setting.shown
        field = self._field(setting)
        field.widget.setObjectName(f"setting_{setting.name}")
        names = [each for each, other in self.fields.items() if other.widget is field.widget]
        field.on_settled(lambda: self.settled.emit(tuple(names)))
        fixed = next((each for each in self._settings if each.name in names and each.name in self._fixed), None)
        if fixed is not None:
            field.widget.setEnabled(False)
            place = replace(place, hint=tr("The environment variable {env} decides this.", env=fixed.env))
        elif setting.trial is not None:
            until = date_text(setting.trial.until)
            hint = tr("{hint} It is tried out until {day}, and may change.", hint=shown(place.hint), day=until)
            place = replace(place, hint=hint)
        row = SettingsRow(place.title, place.hint, field.widget, is_wide=field.is_wide)
        self.rows |= dict.fromkeys(names, row)
        return row

    def _field(self, setting: Setting) -> Field:
        name, value = setting.name, self._values[setting.name]
        if self._model_fields is not None and setting.is_model:
            self.fields[name] = self._model_fields.make(setting, value)
        elif self._model_fields is not None and name == DEFAULT_MODEL[0] and DEFAULT_MODEL[1] in self._values:
            both = self._model_fields.make_default(setting, *(self._values[each] for each in DEFAULT_MODEL))
            self.fields |= zip(DEFAULT_MODEL, both, strict=True)
        else:
            self.fields[name] = field_for(self._theme, setting, value, self._choices.get(name, setting.choices))
        return self.fields[name]

    def _add(self, widget: QWidget) -> None:
        fills = widget.sizePolicy().verticalPolicy() is QSizePolicy.Policy.Expanding
        self._column.insertWidget(self._column.count() - 1, widget, int(fills))


def _order_of_sections(settings: Sequence[Setting]) -> Callable[[Setting], int]:
    """Sections in the order in which they are met first."""
    sections = list(dict.fromkeys(each.shown.section for each in settings))
    return lambda each: sections.index(each.shown.section)
