"""Shows the artifacts of the open thread: the list, and the one opened from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from chatdesk.core.domain.artifacts.artifact import DOCUMENT, Artifact, ArtifactVersion, ArtifactView
from chatdesk.core.domain.artifacts.file_change import FILE_DIFF
from chatdesk.core.domain.message import Role
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.features.inspector.rows import ItemListModel, RowList, RowRole, plain_label
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.layouts import bare_column
from chatdesk.ui.widgets.words import with_commas

_AnyIndex = QModelIndex | QPersistentModelIndex
_ICONS: Final = {
    ArtifactView.PICTURE: "image",
    ArtifactView.TABLE: "table",
    ArtifactView.MERMAID: "git-branch",
    ArtifactView.SVG: "image",
    ArtifactView.SOURCE: "code",
}
TEMPORARY: Final = Text(
    "A temporary chat keeps no artifacts, because they are stored on disk. Keep the chat to open some."
)
_EMPTY: Final = Text(
    "This thread has no artifacts yet. Files of its messages are listed here, and so is code that you open: code of 15"
    " lines or more has “Open as artifact”, in its header and in the menu of its message."
)


class ArtifactsTab(QWidget):
    """The inspector tab that lists artifacts. ``chosen`` carries the id of an artifact."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, view: QWidget) -> None:
        super().__init__()
        self._model = _Model(self)
        self.list = RowList(theme, name=tr("Artifacts of this thread"), object_name="artifactList")
        self.list.setModel(self._model)
        self.list.activated.connect(self._choose)
        self.list.clicked.connect(self._choose)
        self.words = plain_label(_EMPTY, "muted")
        self.words.setObjectName("artifactsWords")
        self.words.setContentsMargins(4, 4, 4, 0)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(self.words)
        column.addWidget(self.list, 1)
        self._view = view
        self._stack = QStackedWidget()
        self._stack.addWidget(page)
        self._stack.addWidget(view)
        whole = bare_column(self)
        whole.addWidget(self._stack)
        self.setFocusProxy(self.list)

    @property
    def is_open(self) -> bool:
        """Return whether one artifact is shown, and not the list."""
        return self._stack.currentWidget() is self._view

    def show_artifacts(self, artifacts: Sequence[Artifact], *, words: str = _EMPTY) -> None:
        """Show a newer state of the list; the current row stays on its artifact. ``words`` are where there is
        none."""
        current = self._model.item(self.list.currentIndex().row())
        self._model.show_items(artifacts)
        self.words.setText(shown(words))
        self.words.setVisible(not artifacts)
        self.list.setVisible(bool(artifacts))
        place = self._model.place_of(current.id) if current is not None else None
        if artifacts:
            self.list.setCurrentIndex(self._model.index(place or 0))

    def open_view(self) -> None:
        self._stack.setCurrentWidget(self._view)

    def open_list(self) -> None:
        had_focus = self._view.isAncestorOf(self.focusWidget() or self)
        self._stack.setCurrentIndex(0)
        if had_focus:
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _choose(self, index: _AnyIndex) -> None:
        artifact = self._model.item(index.row())
        if artifact is not None:
            self.chosen.emit(artifact.id)


class _Model(ItemListModel[Artifact]):
    def place_of(self, artifact_id: str) -> int | None:
        return next((place for place, each in enumerate(self._items) if each.id == artifact_id), None)

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        artifact = self.item(index.row())
        if artifact is None:
            return None
        newest, count = artifact.newest, len(artifact.versions)
        if role == Qt.ItemDataRole.DisplayRole:
            return artifact.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            versions = [shown(plural("{count} versions", "{count} version", count))] if count > 1 else []
            return with_commas((artifact.name, *versions, source_words(newest)))
        return {
            RowRole.ICON: icon_of(newest),
            RowRole.NOTE: shown(plural("{count} versions", "{count} version", count)) if count > 1 else "",
            RowRole.IS_QUIET: not any(each.is_on_path for each in artifact.versions),
        }.get(role)  # type: ignore[call-overload]


def icon_of(version: ArtifactVersion) -> str:
    return "list-checks" if version.kind == FILE_DIFF else _ICONS.get(version.view, "file-text")


def source_words(version: ArtifactVersion) -> str:
    """Return where a version comes from, such as "edited by you"."""
    if version.is_by_hand:
        return tr("edited by you")
    if version.kind == FILE_DIFF:
        return tr("proposed change to a file")
    if version.tool_name:
        return tr("from the tool {tool}", tool=version.tool_name)
    if version.role is Role.USER and version.kind != DOCUMENT:
        return tr("attached to a question")
    return tr("from a question") if version.role is Role.USER else tr("from an answer")
