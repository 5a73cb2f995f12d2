"""Controls the artifacts of the open thread in the inspector: opened from messages, read, compared, edited and asked
about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from chatdesk.core.attachments.file_kinds import can_open
from chatdesk.core.chat.artifacts.artifact_service import ArtifactService
from chatdesk.core.domain.artifacts.artifact import DOCUMENT, Artifact, ArtifactVersion, ArtifactView
from chatdesk.core.domain.artifacts.file_change import FILE_DIFF
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.rendering.blocks import CodeBlock
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.features.artifacts.artifact_display import ArtifactDisplay
from chatdesk.ui.features.artifacts.artifact_editing import ArtifactEditing
from chatdesk.ui.features.artifacts.artifact_view import ArtifactView as ArtifactWidget
from chatdesk.ui.features.artifacts.artifact_view import Face
from chatdesk.ui.features.artifacts.artifacts_tab import TEMPORARY, ArtifactsTab
from chatdesk.ui.features.chat.drafts import DraftKeeper
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.transcript_files import TranscriptFiles
from chatdesk.ui.features.inspector.inspector_binding import ARTIFACTS, InspectorBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.transcript.contract import MessageFetcher
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.window.window_context import Controller, WindowContext

ViewMaker = Callable[[MessageFetcher], TranscriptView]


_STORED: Final = Text("Artifacts are stored on disk; a temporary chat is not.")


class ArtifactsBinding(Controller):
    """Fills the tab of artifacts when it is shown. An edit that is not ended by *Cancel* becomes a version."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        drafts: DraftKeeper,
        inspection: InspectorBinding,
        files: TranscriptFiles,
        *,
        make_service: Callable[[], ArtifactService],
        make_view: ViewMaker,
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._drafts = drafts
        self._inspection = inspection
        self._files = files
        self._make_service = make_service
        self._made_service: ArtifactService | None = None
        self._make_view = make_view
        self._tab: ArtifactsTab | None = None
        self._artifacts: Sequence[Artifact] = ()
        self._thread_id: str | None = None
        self._wanted: str | None = None
        self._artifact: Artifact | None = None
        self._place = 0
        self._removed: Sequence[dict[str, Any]] = ()
        inspection.add_tab(ARTIFACTS, self._built, self.fill)
        inspection.tabLeft.connect(self._fit)
        panes.commands.bind("view.artifacts", lambda: inspection.open(ARTIFACTS))
        panes.transcript.parts.actions.artifactRequested.connect(self.open)
        threads.opened.connect(lambda _thread: self._on_threads_opened())

    async def end(self) -> None:
        """Store an edit that was not saved, because the window closes."""
        if self._tab is not None:
            await self._editing.end()

    @property
    def _service(self) -> ArtifactService:
        if self._made_service is None:
            self._made_service = self._make_service()
        return self._made_service

    # Opening

    def open(self, message_id: str, what: CodeBlock | Attachment) -> None:
        """Open code or a file of a message as an artifact, and show it."""
        if not self._threads.offers_to_keep(shown(_STORED), partial(self.open, message_id, what)):
            self._tasks.start(self._open(message_id, what), "open artifact")

    async def _open(self, message_id: str, what: CodeBlock | Attachment) -> None:
        service, thread_id = self._service, self._threads.thread_id
        if thread_id is None:
            return
        if isinstance(what, Attachment):
            wanted = _having(await service.of_thread(thread_id), message_id, what)
        else:
            wanted = await service.open_code(message_id, what.source, what.language)
        if thread_id == self._threads.thread_id:
            self._wanted = wanted
            self._inspection.open(ARTIFACTS)

    def _built(self) -> ArtifactsTab:
        if self._tab is None:
            self._face: Face = Face.DRAWN
            self._display: ArtifactDisplay = ArtifactDisplay(self._service, self._make_view)
            self._view: ArtifactWidget = ArtifactWidget(self._panes.theme, self._display.reader)
            self._display.use(self._view)
            self._tab = ArtifactsTab(self._panes.theme, self._view)
            self._tab.chosen.connect(self._choose)
            self._view.backRequested.connect(self._back)
            self._view.versionRequested.connect(self._step)
            self._view.faceRequested.connect(self._turn)
            self._view.actionRequested.connect(self._act)
            self._editing = ArtifactEditing(self._view, self._service, self._tasks, self._panes, self._drafts.unsaved)
            self._editing.saved.connect(self._on_editing_saved)
            self._editing.left.connect(self._show)
        return self._tab

    # Filling

    async def fill(self) -> None:
        """Read the artifacts of the open thread, and show those that are new."""
        tab, thread_id = self._built(), self._threads.thread_id
        is_stored = thread_id is not None and not self._threads.is_temporary
        found = await self._service.of_thread(thread_id) if is_stored and thread_id else ()
        if thread_id != self._threads.thread_id:
            return
        self._artifacts, self._thread_id = found, thread_id
        if self._threads.is_temporary:
            tab.show_artifacts((), words=shown(TEMPORARY))
        else:
            tab.show_artifacts(found)
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._choose(wanted)
        elif self._artifact is not None:
            self._renew()

    def _renew(self) -> None:
        """Show a newer state of the open artifact; a reader of its newest version is shown the next one."""
        before = self._artifact
        assert before is not None
        artifact = self._found(before.id) or self._successor(before)
        if artifact is None:
            self._back()
        elif artifact != before and not self._view.is_editing:
            was_newest = self._place == len(before.versions) - 1
            self._artifact = artifact
            self._place = len(artifact.versions) - 1 if was_newest else min(self._place, len(artifact.versions) - 1)
            self._show()

    def _found(self, artifact_id: str) -> Artifact | None:
        return next((each for each in self._artifacts if each.id == artifact_id), None)

    def _successor(self, before: Artifact) -> Artifact | None:
        """Return the document that a file has become by an edit."""
        first = before.versions[0]
        places = ((each, each.versions[0]) for each in self._artifacts)
        return next((each for each, one in places if (one.part_id, one.sha256) == (first.part_id, first.sha256)), None)

    # Reading

    def _choose(self, artifact_id: str) -> None:
        artifact = self._found(artifact_id)
        if artifact is None:
            return
        self._editing.keep()
        self._artifact, self._place = artifact, len(artifact.versions) - 1
        self._turn_to_drawn()
        self._built().open_view()
        self._fit()
        self._show()
        self._display.reader.setFocus(Qt.FocusReason.OtherFocusReason)

    def _turn_to_drawn(self) -> None:
        self._face = Face.DRAWN

    def _back(self) -> None:
        self._editing.keep()
        self._artifact = None
        self._built().open_list()
        self._fit()

    def _step(self, step: int) -> None:
        if self._artifact is not None and 0 <= self._place + step < len(self._artifact.versions):
            self._place += step
            if self._place == 0:
                self._turn_to_drawn()
            self._show()

    def _turn(self, face: Face) -> None:
        self._face = face
        self._show()

    @property
    def _version(self) -> ArtifactVersion:
        assert self._artifact is not None
        return self._artifact.versions[self._place]

    def _show(self) -> None:
        assert self._artifact is not None
        before = self._artifact.versions[self._place - 1] if self._place else None
        work = self._display.show(
            self._artifact, self._place, face=self._face, before=before, actions=self._actions_on(self._version)
        )
        self._tasks.replace(work, "show artifact")

    def _actions_on(self, version: ArtifactVersion) -> frozenset[str]:
        actions = {"copy", "save", "jump"}
        if can_open(version.mime):
            actions.add("open")
        if version.view not in (ArtifactView.NONE, ArtifactView.PICTURE) and version.kind != FILE_DIFF:
            actions |= {"ask", "edit"}
        if version.kind == DOCUMENT:
            actions.add("remove")
        return frozenset(actions)

    def _fit(self) -> None:
        """Make the inspector wide while an artifact is read."""
        inspector = self._inspection.inspector
        if inspector is not None and self._tab is not None:
            inspector.set_wide(inspector.tab == ARTIFACTS and self._tab.is_open)
            if self._inspection.is_open:
                self._panes.pane.show_inspector(inspector)

    # What a person does

    def _act(self, action: str) -> None:
        version = self._version
        if action in ("save", "open"):
            self._files.request(f"file-{action}", version.file)
        elif action == "jump":
            self._inspection.jump(version.message_id)
        elif action == "edit":
            self._editing.start(version)
        else:
            work = {"ask": self._ask, "copy": self._copy, "remove": self._remove}[action]
            self._tasks.replace(work(version), f"{action} artifact")

    async def _ask(self, version: ArtifactVersion) -> None:
        """Put a request into the composer, with this version as its file: the answer becomes the next version."""
        composer, thread_id = self._panes.composer, self._threads.thread_id
        if composer.refusal:
            self._panes.pane.show_toast(composer.refusal)
        elif thread_id is not None:
            await self._drafts.prepend(
                thread_id,
                tr("Change the attached file {name} and answer with all of it in one code block.", name=version.name)
                + "\n\n",
                [version.file],
            )
            self._panes.pane.focus_composer()

    async def _copy(self, version: ArtifactVersion) -> None:
        if version.view in (ArtifactView.NONE, ArtifactView.PICTURE):
            await self._files.use("file-copy", version.file)
            return
        found = await self._service.text_of(version)
        if not found.problem:
            QGuiApplication.clipboard().setText(found.text)
        self._panes.pane.show_toast(shown(found.problem) or tr("Copied"))

    async def _remove(self, version: ArtifactVersion) -> None:
        artifact = self._artifact
        if artifact is not None and artifact.id == version.artifact_id:
            self._removed = await self._service.remove(artifact)
            self._back()
            await self.fill()
            self._panes.pane.show_toast(tr("Removed from the list"), tr("Undo"), self._restore)

    @in_task("restore artifact")
    async def _restore(self) -> None:
        removed, self._removed = self._removed, ()
        await self._service.restore(removed)
        await self.fill()

    def _on_editing_saved(self) -> None:
        if self._artifact is not None:
            self._place = len(self._artifact.versions) - 1  # shows the new version
            self._tasks.replace(self.fill(), "fill inspector")

    def _on_threads_opened(self) -> None:
        if self._tab is not None and self._threads.thread_id != self._thread_id:
            self._back()


def _having(artifacts: Sequence[Artifact], message_id: str, file: Attachment) -> str | None:
    """Return the artifact with a file of a message; one that was sent as a version of a document is that document."""
    places = [(each, version) for each in artifacts for version in each.versions if version.sha256 == file.sha256]
    exact = (each.id for each, version in places if version.message_id == message_id)
    return next(exact, places[0][0].id if places else None)
