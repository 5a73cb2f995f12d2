"""Edits an artifact by hand: the edit is stored while it is written, and becomes a version when it is saved or left."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, Signal

from chatdesk.core.chat.artifacts.artifact_service import ArtifactService
from chatdesk.core.domain.artifacts.artifact import ArtifactVersion
from chatdesk.core.errors import StorageError
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.features.artifacts.artifact_view import MOST_CHARACTERS, ArtifactView
from chatdesk.ui.features.chat.unsaved import Unsaved
from chatdesk.ui.qt.async_tasks import AsyncTasks, in_task
from chatdesk.ui.qt.save_timer import SaveTimer
from chatdesk.ui.window.window_context import Panes

_TOO_LARGE: Final = Text("This text is too large to be edited here. Save it, edit it elsewhere, and attach the result.")

Edit = tuple["ArtifactVersion", str]


class ArtifactEditing(QObject):
    """Controller of the artifact editor. ``saved``: there is a new version. ``left``: the editor is left without
    one."""

    saved = Signal()
    left = Signal()

    def __init__(
        self, view: ArtifactView, service: ArtifactService, tasks: AsyncTasks, panes: Panes, unsaved: Unsaved
    ) -> None:
        super().__init__()
        self._view = view
        self._service = service
        self._tasks = tasks
        self._panes = panes
        self._unsaved = unsaved
        self._version: ArtifactVersion | None = None
        self._autosave = SaveTimer(self)
        self._autosave.timeout.connect(self._on_autosave_timeout)
        view.editor.textChanged.connect(self._autosave.record_change)
        view.editSaved.connect(self._save)
        view.editLeft.connect(self._cancel)

    @in_task("edit artifact", replaces=True)
    async def start(self, version: ArtifactVersion) -> None:
        """Start editing a version; an unfinished edit of it is continued."""
        found = await self._service.text_of(version)
        if found.problem or len(found.text) > MOST_CHARACTERS:
            self._panes.pane.show_toast(shown(found.problem or _TOO_LARGE))
            return
        unfinished = await self._service.unfinished_edit(version)
        self._show(version, found.text if unfinished is None else unfinished, original=found.text)
        if unfinished is not None:
            self._panes.pane.show_toast(tr("Your unfinished edit is back"))

    def _show(self, version: ArtifactVersion, text: str, *, original: str) -> None:
        self._tasks.cancel("show artifact")  # else its result would replace the editor
        self._version = version
        self._view.start_editing(text, original=original)

    def _on_autosave_timeout(self) -> None:
        if self._version is not None and self._view.editor.is_changed:
            work = self._service.keep_edit(self._version, self._view.editor.text())
            self._tasks.replace(work, "keep edit of artifact")

    @in_task("save artifact", is_once=True)
    async def _save(self, text: str) -> None:
        version = self._version
        if version is not None:
            await self._service.edit(version, text)
            self._end()
            self.saved.emit()

    def _cancel(self) -> None:
        """Close the editor after *Cancel* or Esc, and offer to edit again for a moment."""
        version, text = self._version, self._view.editor.text()
        if version is None:
            return
        if self._view.editor.is_changed:
            self._panes.pane.show_toast(
                tr("Your changes were left out"), tr("Edit again"), self._way_back(version, text)
            )
        self._end()
        self._tasks.start(self._service.forget_edit(version), "forget edit of artifact")
        self.left.emit()

    def _way_back(self, version: ArtifactVersion, text: str) -> Callable[[], object]:
        async def work() -> None:
            self._show(version, text, original=(await self._service.text_of(version)).text)

        return lambda: self._tasks.replace(work(), "edit artifact")

    def keep(self) -> None:
        """Store the edit as a version, because another artifact is shown."""
        self._tasks.cancel("edit artifact")
        edit = self._pop_edit()
        if edit is not None:
            self._tasks.start(self._store(*edit), "keep artifact")

    async def end(self) -> None:
        """Store the edit as a version, because the window closes."""
        edit = self._pop_edit()
        if edit is not None:
            await self._service.edit(*edit)

    def _pop_edit(self) -> Edit | None:
        """End the edit and return it; None if no edit is open or the text is unchanged."""
        edit = None
        if self._version is not None and self._view.editor.is_changed:
            edit = (self._version, self._view.editor.text())
        self._end()
        return edit

    async def _store(self, version: ArtifactVersion, text: str) -> None:
        try:
            await self._service.edit(version, text)
        except StorageError as error:
            self._unsaved.retry_later("artifact", error, partial(self._service.edit, version, text))
        else:
            self._panes.pane.show_toast(tr("Your edit of {name} is a version of it", name=version.name))

    def _end(self) -> None:
        self._autosave.stop()
        self._tasks.cancel("keep edit of artifact")
        self._version = None
        self._view.end_editing()
