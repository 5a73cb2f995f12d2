"""Shows the files of a project: where they come from, how far each source is read, and what a question would find."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidgetItem, QWidget

from chatdesk.core.domain.knowledge import FoundPassage, KnownFile, Sharing, SourceKind, SourceStatus
from chatdesk.core.domain.reading_pace import secrets_text, time_left_text
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.knowledge.places import place_text
from chatdesk.core.moments import local_moment
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.file_dialogs import ask_for_file, ask_for_folder
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.knowledge.fields import EnteredField, outlined_list
from chatdesk.ui.local_forms import date_time_text
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox

_SIZE_PX = (660, 640)
_GAP_PX = 8
_FOUND_PX = 150
_MOST_NAMED = 20
_ISOLATED, _ISOLATED_END = "\u2066", "\u2069"
_ID_ROLE = int(Qt.ItemDataRole.UserRole)
_SHARED = {
    Sharing.NOTHING: Text("The team does not see it"),
    Sharing.NAME: Text("The team sees its name"),
    Sharing.TEXT: Text("The team gets its text"),
}


class ProjectFilesDialog(FormPanel):
    """A dialog for the sources of one project. ``addRequested(place)`` has what was typed or chosen;
    ``removeRequested``, ``readAgainRequested``, ``secretsRequested``, ``pauseRequested(id, whether)`` and
    ``sharingChosen(id, sharing)`` the id of a source. ``tried(question)`` asks what would be found,
    ``embeddingRequested`` what makes the vectors, ``providersRequested`` who gets the files;
    ``passageRequested`` has a ``FoundPassage``;
    ``questionsRequested(question, file)`` what was tried, and the file of the chosen passage."""

    addRequested = Signal(str)
    removeRequested = Signal(str)
    readAgainRequested = Signal(str)
    pauseRequested = Signal(str, bool)
    exclusionsRequested = Signal(str)
    secretsRequested = Signal(str)
    sourceChosen = Signal(str)
    tried = Signal(str)
    passageRequested = Signal(object)
    questionsRequested = Signal(str, str)
    sharingChosen = Signal(str, object)
    embeddingRequested = Signal()
    providersRequested = Signal()

    def __init__(self, theme: Theme, project_name: str, parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            tr("Files of {project}", project=project_name),
            object_name="projectFilesDialog",
            size_px=_SIZE_PX,
            parent=parent,
        )
        self._statuses: dict[str, SourceStatus] = {}
        self._may_share = False
        self.add_text(
            tr(
                "ChatDesk reads these on this computer, keeps them current, and sends the passages that fit a question"
                " with it. The answer names them."
            )
        )
        self._add_place_row()
        self.list = outlined_list(self.theme, "projectSources", tr("Folders, files and pages"))
        self.list.currentItemChanged.connect(self._on_list_current_item_changed)
        self.body.addWidget(self.list, 2)
        self._add_source_row()
        self.detail = plain_label("", "muted", wraps=True, name="sourceDetail")
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.detail.hide()
        self.body.addWidget(self.detail)
        self._add_embedding_row()
        self._add_question()
        self.add_button(push_button(tr("Close"), "filesClose", self.reject, is_primary=True))
        self.show_sources(())
        self.guard.watch([self.remove_button])
        self.place.setFocus()

    def _add_place_row(self) -> None:
        self.place = named(EnteredField(), "filesPlace", tr("Folder, file or address to add"))
        self.place.setPlaceholderText(tr("Path of a folder or file, or https://…"))
        self.place.entered.connect(self._add_typed)
        row = QHBoxLayout()
        row.setSpacing(_GAP_PX)
        row.addWidget(self.place, 1)
        row.addWidget(push_button(tr("Folder…"), "filesAddFolder", self._choose_folder, name=tr("Add a folder")))
        row.addWidget(push_button(tr("File…"), "filesAddFile", self._choose_file, name=tr("Add a file")))
        row.addWidget(push_button(tr("Add"), "filesAdd", self._add_typed))
        self.body.addLayout(row)

    def _add_source_row(self) -> None:
        self.pause_button = push_button(tr("Pause"), "sourcePause", self._pause)
        self.again_button = push_button(tr("Read again"), "sourceAgain", self._read_again)
        self.exclude_button = push_button(
            tr("Left out…"), "sourceExclude", self._exclude, name=tr("Choose what of the folder is left out")
        )
        self.secrets_button = push_button(
            tr("Secrets…"),
            "sourceSecrets",
            lambda: self.secretsRequested.emit(self._chosen_id()),
            name=tr("Choose which files that look like secrets are read"),
        )
        self.remove_button = push_button(tr("Remove"), "sourceRemove", self._remove, is_danger=True)
        row = QHBoxLayout()
        row.setSpacing(_GAP_PX)
        for button in (
            self.pause_button,
            self.again_button,
            self.exclude_button,
            self.secrets_button,
            self.remove_button,
        ):
            row.addWidget(button)
        row.addStretch(1)
        self.sharing = named(ChoiceBox(), "sourceSharing", tr("What the team gets"))
        for sharing, label in _SHARED.items():
            self.sharing.addItem(shown(label), sharing)
        self.sharing.activated.connect(self._share)
        row.addWidget(self.sharing)
        self.body.addLayout(row)
        words = tr(
            "With the text, members' computers get all passages. Where a member chose a provider's model for the"
            " vectors, it gets them, too."
        )
        self.sharing_note = plain_label(words, "muted", wraps=True, name="sourceSharingNote")
        self.body.addWidget(self.sharing_note)

    def _add_embedding_row(self) -> None:
        self.embedding = plain_label("", "muted", wraps=True, name="filesEmbedding")
        self.change_button = push_button(
            tr("Change…"),
            "filesChangeEmbedding",
            self.embeddingRequested.emit,
            name=tr("Change what makes the vectors"),
        )
        row = QHBoxLayout()
        row.setSpacing(_GAP_PX)
        row.addWidget(self.embedding, 1)
        row.addWidget(self.change_button)
        self.providers_button = push_button(
            tr("Who gets them…"),
            "filesProviders",
            self.providersRequested.emit,
            name=tr("Choose which providers get the files"),
        )
        row.addWidget(self.providers_button)
        self.body.addLayout(row)

    def _add_question(self) -> None:
        self.question = named(EnteredField(), "filesQuestion", tr("Try a question"))
        self.question.setPlaceholderText(tr("Try a question: what would be found?"))
        self.question.entered.connect(lambda: self.tried.emit(self.question.text()))
        self.found = outlined_list(self.theme, "foundPassages", tr("What would be found"))
        self.found.setFixedHeight(round(_FOUND_PX * max(1.0, self.theme.scale)))
        self.found.itemActivated.connect(lambda item: self.passageRequested.emit(item.data(_ID_ROLE)))
        self.found.hide()
        self.questions_button = push_button(
            tr("Kept questions…"), "filesQuestions", self._open_questions, name=tr("Keep questions and run them again")
        )
        row = QHBoxLayout()
        row.setSpacing(_GAP_PX)
        row.addWidget(self.question, 1)
        row.addWidget(self.questions_button)
        self.body.addLayout(row)
        self.body.addWidget(self.found, 1)

    # What is shown

    def allow_sharing(self, *, may_share: bool) -> None:
        """Offer to choose what the team of the project gets of each source, or not."""
        self._may_share = may_share
        self._show_buttons()

    def show_sources(self, statuses: Sequence[SourceStatus]) -> None:
        """Show the sources as they are now; the chosen one stays chosen."""
        chosen = self._chosen_id()
        before = self._statuses.get(chosen)
        is_same = [each.source.id for each in statuses] == list(self._statuses)
        self._statuses = {each.source.id: each for each in statuses}
        if not is_same:
            self.list.clear()
            for each in statuses:
                QListWidgetItem(self.list).setData(_ID_ROLE, each.source.id)
        for row, each in enumerate(statuses):
            item = self.list.item(row)
            place = shown(place_text(each.source))
            # Among words from right to left, the first slash of a path would stand at its end.
            line = f"{_ISOLATED}{place}{_ISOLATED_END}" if self.isRightToLeft() else place
            words = f"{line}\n{state_text(each)}"
            if item.text() != words:
                item.setText(words)
                item.setToolTip(place)
            if each.source.id == chosen or (row == 0 and self.list.currentRow() < 0):
                self.list.setCurrentRow(row)
        self._show_buttons()
        now = self._statuses.get(chosen)
        if before is not None and now is not None and now.unreadable != before.unreadable:
            self.sourceChosen.emit(chosen)  # the reasons below the list are of the files before

    def show_embedding(self, sentences: Sequence[str]) -> None:
        """Show the sentences about the vectors of the files."""
        self.embedding.setText(" ".join(map(shown, sentences)))

    def show_unreadable(self, source_id: str, files: Sequence[KnownFile]) -> None:
        """Name the files of the chosen source that cannot be read, and why."""
        if source_id == self._chosen_id():
            lines = [f"{visible_controls(each.path)}: {shown(each.problem)}" for each in files[:_MOST_NAMED]]
            if len(files) > _MOST_NAMED:
                lines.append(shown(plural("and {count} more", "and {count} more", len(files) - _MOST_NAMED)))
            self.detail.setText("\n".join(lines))
            self.detail.setVisible(bool(lines))

    def show_found(self, found: Sequence[FoundPassage], titles: Sequence[str]) -> None:
        """Show the passages that a question would find, by title, the best first."""
        self.found.clear()
        for each, title in zip(found, titles, strict=True):
            item = QListWidgetItem(shown(title), self.found)
            item.setData(_ID_ROLE, each)
            item.setToolTip(shown(visible_controls(each.passage.text[:600])))
        self.found.setCurrentRow(0)
        self.found.setVisible(bool(found))
        words = shown(plural("{count} passages found", "{count} passage found", len(found)))
        announce(self.found, words if found else tr("Nothing was found."))
        self.show_problem("" if found else tr("Nothing was found."))

    def clear_place(self) -> None:
        """Empty the field whose place was added."""
        self.place.clear()
        self.show_problem("")

    # Inside

    def _chosen_id(self) -> str:
        item = self.list.currentItem()
        return str(item.data(_ID_ROLE)) if item is not None else ""

    def _show_buttons(self) -> None:
        status = self._statuses.get(self._chosen_id())
        is_teams = status is not None and status.source.kind is SourceKind.TEAM
        self.pause_button.setEnabled(status is not None)
        for button in (self.again_button, self.remove_button):
            button.setEnabled(status is not None and not is_teams)
        is_folder = status is not None and status.source.kind is SourceKind.FOLDER
        self.exclude_button.setEnabled(is_folder)
        self.secrets_button.setVisible(status is not None and bool(status.secrets or "!/" in status.source.exclusions))
        self.sharing.setVisible(self._may_share and status is not None and not is_teams)
        self.sharing_note.setVisible(self._may_share and status is not None and not is_teams)
        if status is not None:
            self.sharing.setCurrentIndex(list(_SHARED).index(status.source.sharing))
        is_paused = status is not None and status.source.is_paused
        self.pause_button.setText(tr("Go on reading") if is_paused else tr("Pause"))

    def _on_list_current_item_changed(self) -> None:
        self.detail.hide()
        self._show_buttons()
        if self._chosen_id():
            self.sourceChosen.emit(self._chosen_id())

    def _add_typed(self) -> None:
        if self.place.text().strip():
            self.addRequested.emit(self.place.text().strip().strip('"'))

    def _choose_folder(self) -> None:
        ask_for_folder(self, tr("Add a folder"), self._add_path, object_name="filesFolderDialog")

    def _choose_file(self) -> None:
        ask_for_file(self, tr("Add a file"), self._add_path, object_name="filesFileDialog")

    def _add_path(self, path: Path) -> None:
        self.addRequested.emit(str(path))

    def _pause(self) -> None:
        status = self._statuses.get(self._chosen_id())
        if status is not None:
            self.pauseRequested.emit(status.source.id, not status.source.is_paused)

    def _read_again(self) -> None:
        self.readAgainRequested.emit(self._chosen_id())

    def _exclude(self) -> None:
        self.exclusionsRequested.emit(self._chosen_id())

    def _share(self) -> None:
        self.sharingChosen.emit(self._chosen_id(), Sharing(self.sharing.currentData()))

    def _open_questions(self) -> None:
        item = self.found.currentItem()
        file = item.data(_ID_ROLE).file.path if item is not None and self.found.isVisible() else ""
        self.questionsRequested.emit(self.question.text().strip(), file)

    def _remove(self) -> None:
        self.removeRequested.emit(self._chosen_id())


def state_text(status: SourceStatus) -> str:
    """Return the line that says how far a source is read."""
    if status.source.problem:
        return shown(status.source.problem)
    parts = [tr("shared by the team")] if status.source.kind is SourceKind.TEAM else []
    if status.source.kind in (SourceKind.FOLDER, SourceKind.TEAM) or status.unreadable:
        parts.append(shown(plural("{count} files read", "{count} file read", status.read)))
    if status.waiting:
        parts.append(shown(plural("{count} to be read", "{count} to be read", status.waiting)))
    if status.unreadable:
        parts.append(shown(plural("{count} cannot be read", "{count} cannot be read", status.unreadable)))
    if status.secrets:
        parts.append(shown(secrets_text(status.secrets)))
    if status.source.is_paused:
        parts.append(tr("paused"))
    elif status.seconds_left is not None:
        parts.append(shown(time_left_text(status.seconds_left)))
    elif not status.total and status.source.kind is not SourceKind.TEAM:
        parts.append(tr("being listed"))
    if status.read_at is not None and not status.waiting:
        parts.append(tr("last read {when}", when=date_time_text(local_moment(status.read_at))))
    return " · ".join(parts)
