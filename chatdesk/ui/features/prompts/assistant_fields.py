"""Shows the fields of the prompt form that only an assistant has: icon, model, parameters, tools and files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QMenu, QPushButton, QSizePolicy, QWidget

from chatdesk.core.domain.attachment import MOST_IN_MESSAGE, Attachment
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.prompt import ASSISTANT_ICONS, AssistantSetup
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.icons import icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.elided_label import set_plain_tooltip
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.words import with_commas

_ICON_NAMES: Final = {
    "sparkles": Text("Sparkles"),
    "brain": Text("Brain"),
    "lightbulb": Text("Light bulb"),
    "wand": Text("Wand"),
    "pencil": Text("Pencil"),
    "code": Text("Code"),
    "terminal": Text("Terminal"),
    "search": Text("Magnifier"),
    "languages": Text("Languages"),
    "mail": Text("Letter"),
    "list-checks": Text("Checklist"),
    "table": Text("Table"),
    "database": Text("Database"),
    "palette": Text("Palette"),
    "image": Text("Picture"),
    "gauge": Text("Gauge"),
    "calendar": Text("Calendar"),
    "star": Text("Star"),
    "user": Text("Person"),
    "users": Text("People"),
}
_AS_IN_THE_CHAT: Final = Text("As in the thread")


@dataclass(frozen=True, slots=True)
class AssistantChoices:
    """The choices for an assistant. ``models`` are (provider, its label, its models as id and label), ``servers``
    (id, name) of tool servers."""

    models: Sequence[tuple[str, str, Sequence[tuple[str, str]]]] = ()
    servers: Sequence[tuple[str, str]] = ()


class AssistantFields(QWidget):
    """The form fields of an assistant. ``changed``: the set-up is another. The two requests are answered by
    ``set_parameters`` and ``add_file``."""

    changed = Signal()
    parametersRequested = Signal(object)  # Parameters
    filesRequested = Signal()

    def __init__(self, theme: Theme, choices: AssistantChoices) -> None:
        super().__init__()
        self._theme = theme
        self._choices = choices
        self._setup = AssistantSetup()
        self._words: dict[QPushButton, str] = {}
        self.icon_box = _box("assistantIcon", tr("Icon"))
        icon_px = round(ICON_PX * max(1.0, theme.scale))
        self.icon_box.setIconSize(QSize(icon_px, icon_px))
        for name in ASSISTANT_ICONS:
            self.icon_box.addItem(icon(name, theme.tokens.text), shown(_ICON_NAMES[name]), name)
        self.model_box = _box("assistantModel", tr("Model that answers"))
        self.parameters_button = self._button("assistantParameters", self._ask_for_parameters)
        self.tools_button = self._button("assistantTools")
        self.files_button = self._button("assistantFiles")
        self.icon_box.activated.connect(lambda _place: self._change(icon=self.icon_box.currentData()))
        self.model_box.activated.connect(lambda _place: self._choose_model())
        rows = QGridLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(8)
        fields: tuple[tuple[str, QWidget], ...] = (
            (tr("Icon"), self.icon_box),
            (tr("Model"), self.model_box),
            (tr("Parameters"), self.parameters_button),
            (tr("Tools"), self.tools_button),
            (tr("Files"), self.files_button),
        )
        for place, (title, field) in enumerate(fields):
            label = plain_label(title, "muted")
            label.setBuddy(field)
            rows.addWidget(label, place // 2, place % 2 * 2)
            rows.addWidget(field, place // 2, place % 2 * 2 + 1)
        rows.setColumnStretch(1, 1)
        rows.setColumnStretch(3, 1)
        self._show()

    @property
    def setup(self) -> AssistantSetup:
        return self._setup

    def show_setup(self, setup: AssistantSetup) -> None:
        """Replace all values without emitting that something changed."""
        self._setup = setup
        self._show()

    def offer(self, choices: AssistantChoices) -> None:
        self._choices = choices
        self._show()

    def set_parameters(self, parameters: Parameters) -> None:
        self._change(parameters=parameters)

    def add_file(self, file: Attachment) -> None:
        """Add a file, unless the same content is listed already."""
        others = tuple(each for each in self._setup.files if each.sha256 != file.sha256)
        self._change(files=(*others, file)[:MOST_IN_MESSAGE])

    # Inside

    def _change(self, **values: object) -> None:
        self._setup = replace(self._setup, **values)  # type: ignore[arg-type]
        self._show()
        self.changed.emit()

    def _choose_model(self) -> None:
        provider, model = self.model_box.currentData()
        self._change(provider=provider, model=model)

    def _ask_for_parameters(self) -> None:
        self.parametersRequested.emit(self._setup.parameters)

    def _show(self) -> None:
        setup = self._setup
        self.icon_box.setCurrentIndex(self.icon_box.findData(setup.icon))
        self._show_models()
        count = len(setup.parameters.as_json())
        self._name(
            self.parameters_button,
            tr("Parameters"),
            shown(plural("{count} values set", "{count} value set", count) if count else _AS_IN_THE_CHAT),
        )
        names = dict(self._choices.servers)
        chosen = setup.tools
        words = (
            shown(_AS_IN_THE_CHAT)
            if chosen is None
            else with_commas(names.get(each, each) for each in chosen) or tr("None")
        )
        self._name(self.tools_button, tr("Tools"), words)
        self.tools_button.setMenu(self._tools_menu())
        files = with_commas(each.name for each in setup.files) or tr("None")
        self._name(self.files_button, tr("Files"), files)
        self.files_button.setMenu(self._files_menu())

    def _show_models(self) -> None:
        box, wanted = self.model_box, (self._setup.provider, self._setup.model)
        box.blockSignals(True)
        box.clear()
        box.addItem(shown(_AS_IN_THE_CHAT), (None, None))
        for provider, label, models in self._choices.models:
            for model, model_label in models:
                box.addItem(f"{model_label} · {label}", (provider, model))
        places = [place for place in range(box.count()) if tuple(box.itemData(place)) == wanted]
        if not places:
            box.addItem(
                " · ".join(filter(None, (wanted[1], tr("{provider}, not set up here", provider=wanted[0])))), wanted
            )
        box.setCurrentIndex(places[0] if places else box.count() - 1)
        box.blockSignals(False)
        set_plain_tooltip(box, box.currentText())

    def _tools_menu(self) -> QMenu:
        menu = self._menu("assistantToolsMenu", self.tools_button)
        chosen = self._setup.tools
        plain = menu.addAction(shown(_AS_IN_THE_CHAT), partial(self._change, tools=None))
        plain.setCheckable(True)
        plain.setChecked(chosen is None)
        menu.addSeparator()
        ids = [] if chosen is None else list(chosen)
        for server_id, name in self._choices.servers:
            action = menu.addAction(name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(server_id in ids)
            rest = tuple(each for each in ids if each != server_id)
            wanted = rest if server_id in ids else (*rest, server_id)
            action.triggered.connect(lambda _checked=False, wanted=wanted: self._change(tools=wanted))
        none = menu.addAction(tr("No tools"), partial(self._change, tools=()))
        none.setCheckable(True)
        none.setChecked(chosen == ())
        return menu

    def _files_menu(self) -> QMenu:
        menu = self._menu("assistantFilesMenu", self.files_button)
        menu.addAction(tr("Add files…"), self.filesRequested.emit)
        if self._setup.files:
            menu.addSeparator()
        for file in self._setup.files:
            rest = tuple(each for each in self._setup.files if each != file)
            menu.addAction(tr("Remove {name}", name=file.name).replace("&", "&&"), partial(self._change, files=rest))
        return menu

    def _menu(self, name: str, button: QPushButton) -> QMenu:
        before = button.menu()
        if before is not None:
            before.deleteLater()
        menu = QMenu(button)
        menu.setObjectName(name)
        round_corners(menu, self._theme.tokens.radius.row)
        return menu

    def _button(self, object_name: str, run: Callable[[], object] | None = None) -> QPushButton:
        button = push_button("", object_name, run or (lambda: None))
        button.setProperty("hasMenu", run is None)
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        button.installEventFilter(self)
        return button

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and isinstance(watched, QPushButton):
            self._cut(watched)
        return super().eventFilter(watched, event)

    def _name(self, button: QPushButton, title: str, words: str) -> None:
        self._words[button] = words
        button.setAccessibleName(tr("{title}: {detail}", title=title, detail=words))
        set_plain_tooltip(button, words)
        self._cut(button)

    def _cut(self, button: QPushButton) -> None:
        """Elide the words of a button to its width; the tooltip has all of them."""
        words = self._words.get(button, "").replace("&", "&&")
        button.setText(words)
        around = button.sizeHint().width() - button.fontMetrics().horizontalAdvance(words)
        room = max(0, button.width() - around)
        button.setText(button.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room))


def _box(object_name: str, name: str) -> QComboBox:
    box = named(ChoiceBox(), object_name, name)
    box.currentTextChanged.connect(partial(set_plain_tooltip, box))  # half of a form cuts long names
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return box
