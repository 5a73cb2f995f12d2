"""Shows the dialog for one project: its name, its colour and the defaults of its new threads. It also creates projects.
Where several projects are offered, equal names get a distinguishing addition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QRadioButton,
    QWidget,
)

from chatdesk.core.domain.prompt import LONGEST_TEXT
from chatdesk.core.domain.thread import Project
from chatdesk.core.hidden_characters import distinct_name, look_of
from chatdesk.core.moments import moment_text
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.features.library.folder_field import FolderField
from chatdesk.ui.local_forms import day_text
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX, PROJECT_COLOURS, ink_on
from chatdesk.ui.widgets.elided_label import set_plain_tooltip
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.painting import paint_focus_ring

_COLOUR_NAMES: Final[Mapping[str, str]] = {
    "Teal": Text("Teal"),
    "Blue": Text("Blue"),
    "Indigo": Text("Indigo"),
    "Purple": Text("Purple"),
    "Magenta": Text("Magenta"),
    "Red": Text("Red"),
    "Orange": Text("Orange"),
    "Olive": Text("Olive"),
    "Green": Text("Green"),
    "Slate": Text("Slate"),
    "The current colour": Text("The current colour"),
}
_WIDTH_PX = 460
_LONGEST_NAME = 100
_LINES, _AROUND_PX = 4, 16
_SWATCH_PX = 22

# Provider, its label, and its models as (id, label).
ProviderChoices = tuple[str, str, Sequence[tuple[str, str]]]


class ProjectDialog(FormPanel):
    """A dialog for one project. ``saved(name, colour, provider, model, instructions)`` comes when Save is pressed; who
    takes it closes the dialog, or shows what is wrong with the folder. Provider and model are None where the settings
    decide, instructions are those of a new project. The other signals come after it has closed. ``colours_in_use`` are
    those of all projects: a new one takes the rarest. ``is_last``: neither archive nor trash can have it. ``folder`` is
    that of the project on this computer; the field ``folder`` has the one that was chosen."""

    saved = Signal(str, str, object, object, str)
    archiveRequested = Signal()
    deleteRequested = Signal()
    systemPromptRequested = Signal()

    def __init__(
        self,
        theme: Theme,
        project: Project | None,
        *,
        models: Sequence[ProviderChoices] = (),
        colours_in_use: Sequence[str] = (),
        is_last: bool = False,
        has_system_prompt: bool = False,
        folder: Path | None = None,
        parent: QWidget | None = None,
    ) -> None:
        title = tr("New project") if project is None else tr("Edit project")
        super().__init__(theme, title, object_name="projectDialog", width_px=_WIDTH_PX, parent=parent)
        self.name_field = named(
            QLineEdit("" if project is None else project.name, self), "projectName", tr("Name of the project")
        )
        self.name_field.setPlaceholderText(tr("Name"))
        self.name_field.setMaxLength(_LONGEST_NAME)
        self.instructions: TextField | None = None
        self.swatches = QButtonGroup(self)
        rarest = min(PROJECT_COLOURS.values(), key=colours_in_use.count)
        colours = self._colours(rarest if project is None else project.colour.upper())
        self.model_box = self._model_box(project, models)
        self.body.addWidget(self.name_field)
        self.body.addWidget(plain_label(tr("Colour"), "muted"))
        self.body.addLayout(colours)
        self.body.addWidget(plain_label(tr("New threads begin with"), "muted"))
        self.body.addWidget(self.model_box)
        self.folder = FolderField(folder, name=tr("Folder of the project"), object_name="projectFolder")
        self.body.addWidget(plain_label(tr("Folder on this computer, for tools (optional)"), "muted"))
        self.body.addWidget(self.folder)
        if project is None:
            self._add_instructions()
        else:
            self.body.addLayout(self._more(project, is_last=is_last, has_system_prompt=has_system_prompt))
        self.body.addSpacing(6)
        self.add_button(push_button(tr("Cancel"), "projectCancel", self.reject))
        words = tr("Create") if project is None else tr("Save")
        self.save_button = self.add_button(
            push_button(words, "projectSave", self._save, is_primary=True, is_default=True)
        )
        self.name_field.returnPressed.connect(self._save)
        self.name_field.textChanged.connect(self._refresh)
        self._refresh()
        self.name_field.setFocus()
        self.name_field.selectAll()

    def _add_instructions(self) -> None:
        field = self.instructions = TextField(
            self.theme, name=tr("Instructions"), object_name="projectInstructions", most=LONGEST_TEXT
        )
        field.setPlaceholderText(tr("For example: answer as an editor would, in British English."))
        field.setFixedHeight(field.fontMetrics().lineSpacing() * _LINES + _AROUND_PX)
        self.body.addWidget(plain_label(tr("Instructions for its threads (optional)"), "muted"))
        self.body.addWidget(field)

    def colour(self) -> str:
        checked = self.swatches.checkedButton()
        return checked.colour if isinstance(checked, _Swatch) else next(iter(PROJECT_COLOURS.values()))

    def _colours(self, wanted: str) -> QHBoxLayout:
        """Return a row with the colours of the palette. A current colour from elsewhere is before them while it is
        kept."""
        offered = dict(PROJECT_COLOURS)
        if wanted not in offered.values():
            offered = {"The current colour": wanted, **offered}
        row = QHBoxLayout()
        row.setSpacing(4)
        for name, colour in offered.items():
            swatch = _Swatch(self.theme, name, colour, self)
            swatch.setChecked(colour == wanted)
            self.swatches.addButton(swatch)
            row.addWidget(swatch)
        row.addStretch(1)
        return row

    @staticmethod
    def _model_box(project: Project | None, models: Sequence[ProviderChoices]) -> QComboBox:
        box = named(ChoiceBox(), "projectModel", tr("Model that new threads begin with"))
        box.addItem(tr("The model chosen in the settings"), (None, None))
        for provider, label, choices in models:
            for model, model_label in choices:
                box.addItem(f"{model_label} · {label}", (provider, model))
        if project is not None and (project.provider is not None or project.model is not None):
            wanted = (project.provider, project.model)
            places = [place for place in range(box.count()) if tuple(box.itemData(place)) == wanted]
            if not places:
                box.addItem(" · ".join(filter(None, (project.model, project.provider))), wanted)
            box.setCurrentIndex(places[0] if places else box.count() - 1)
        return box

    def _more(self, project: Project, *, is_last: bool, has_system_prompt: bool) -> QHBoxLayout:
        to_archive = tr("Archive", "verb") if project.archived_at is None else tr("Move out of the archive")
        close_then = self._close_then
        prompt = push_button(
            tr("System prompt…"), "projectPrompt", partial(close_then, self.systemPromptRequested.emit)
        )
        archive = push_button(to_archive, "projectArchive", partial(close_then, self.archiveRequested.emit), acts=True)
        delete = push_button(
            tr("Delete…"), "projectDelete", partial(close_then, self.deleteRequested.emit), is_danger=not is_last
        )
        row = QHBoxLayout()
        for button in (prompt, archive, delete):
            row.addWidget(button)
        row.addStretch(1)
        prompt.setVisible(has_system_prompt)
        if is_last:
            for button in (archive, delete):
                button.setEnabled(button is archive and project.archived_at is not None)
                set_plain_tooltip(button, tr("This is the last project, and new threads need one."))
        return row

    def show_folder_problem(self, sentence: str) -> None:
        """Say why the folder cannot be taken, and let it be saved otherwise; an empty sentence says nothing."""
        self.show_problem(sentence)
        self._refresh()

    def _refresh(self) -> None:
        self.save_button.setEnabled(bool(self.name_field.text().strip()))

    def _save(self) -> None:
        if not self.save_button.isEnabled():
            return
        self.save_button.setEnabled(False)
        provider, model = self.model_box.currentData()
        name, colour = self.name_field.text(), self.colour()
        written = self.instructions.written() if self.instructions is not None else ""
        self.saved.emit(name, colour, provider, model, written)

    def _close_then(self, run: Callable[[], None]) -> None:
        self.reject()
        run()


class _Swatch(QRadioButton):
    """A radio button that shows its colour and a check mark, because colour alone is not enough."""

    def __init__(self, theme: Theme, name: str, colour: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.colour = colour
        self.setObjectName(f"colour-{name}")
        said = shown(_COLOUR_NAMES.get(name, name))
        self.setAccessibleName(said)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        set_plain_tooltip(self, said)

    def sizeHint(self) -> QSize:
        side = self._theme.target_px()
        return QSize(side, side)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, _place: object) -> bool:
        return True

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale = max(1.0, self._theme.scale)
        whole = QRectF(self.rect())
        side, mark = _SWATCH_PX * scale, ICON_PX * scale
        middle = whole.center()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.colour))
        radius = self._theme.tokens.radius.inline_code
        painter.drawRoundedRect(QRectF(middle.x() - side / 2, middle.y() - side / 2, side, side), radius, radius)
        if self.isChecked():
            box = QRectF(middle.x() - mark / 2, middle.y() - mark / 2, mark, mark)
            paint_icon(painter, box, "check", ink_on(self.colour))
        if self.hasFocus():
            paint_focus_ring(painter, whole, self._theme.tokens.radius.row, self._theme.colour("accent"))
        painter.end()


def names_told_apart(projects: Sequence[Project], workspaces: Mapping[str, str]) -> dict[str, str]:
    """Return a name for each project, by its id. ``workspaces`` has the workspace of those that are shared: it is
    beside a name that looks like another project's. Where that tells nothing, the older project comes first and the
    others have a number."""
    looks = Counter(look_of(project.name) for project in projects)
    names = {}
    for project in projects:
        is_alike = looks[look_of(project.name)] > 1
        name = distinct_name(project.name) if is_alike else project.name
        names[project.id] = f"{name} ({workspaces[project.id]})" if is_alike and workspaces.get(project.id) else name
    seen: Counter[str] = Counter()
    for project in sorted(projects, key=lambda each: (each.created_at, each.id)):
        look = look_of(names[project.id])
        seen[look] += 1
        if seen[look] > 1:
            names[project.id] = tr(
                "{name} ({number}, made {day})",
                name=names[project.id],
                number=seen[look],
                day=_day(project.created_at),
            )
    return names


def _day(ms: int) -> str:
    return shown(moment_text(ms, partial(day_text, is_short=True)))
