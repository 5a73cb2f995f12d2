"""Carries out actions on projects: switching, making, changing, archiving, deleting and restoring them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from shiboken6 import isValid

from chatdesk.core.chat.library import LibraryService
from chatdesk.core.chat.system_prompt_service import SystemPromptService
from chatdesk.core.domain.library import ProjectCounts
from chatdesk.core.domain.thread import Project
from chatdesk.core.texts import plural, shown, tr
from chatdesk.core.tools.project_folders import FolderNotUsable
from chatdesk.services.tool_loader import ToolLoader
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.library.folder_field import FolderField
from chatdesk.ui.features.library.project import ProjectDialog, names_told_apart
from chatdesk.ui.features.library.project_chooser import ChooserEntry
from chatdesk.ui.features.library.project_menu import ProjectMenu
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

ALL, NEW, EDIT, FILES = "all", "new", "edit", "files"
_SHARE, _RESTORE = "share:", "restore:"


class ProjectBinding(Controller):
    """Controller of projects. ``move_to`` takes threads that are dropped on a project in the switcher."""

    def __init__(
        self,
        context: WindowContext,
        lists: ThreadListBinding,
        undo: UndoBinding,
        move_to: Callable[[Sequence[str], str], None],
        *,
        library: LibraryService,
        system_prompts: SystemPromptService,
        tools: ToolLoader,
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._lists = lists
        self._undo = undo
        self._move_to = move_to
        self._library = library
        self._system_prompts = system_prompts
        self._tools = tools
        self.menu: ProjectMenu | None = None
        panes.sidebar.badge.listAsked.connect(self.open_menu)
        panes.sidebar.badge.dragHeld.connect(lambda: self.open_menu(is_under_drag=True))
        for command_id, run in {
            "project.switch": self.open_menu,
            "project.new": self.open_new,
            "project.edit": self.open_edit,
            "project.archive": self._toggle_archive,
            "project.delete": self._ask_to_delete_open,
        }.items():
            panes.commands.bind(command_id, run)
        panes.commands.describe("project.archive", title=self._title_of_archive)

    # The switcher

    def open_menu(self, *, is_under_drag: bool = False) -> None:
        self._tasks.replace(self._open_menu(is_under_drag=is_under_drag), "open projects")

    async def _open_menu(self, *, is_under_drag: bool) -> None:
        projects = await self._library.projects.list(deleted_too=True)
        self._panes.main_window.place.reveal()
        sidebar = self._panes.sidebar
        if self.menu is not None:
            self.menu.close()
        menu = ProjectMenu(
            self._panes.theme,
            self._entries(projects, drops_only=is_under_drag),
            sidebar,
            is_under_drag=is_under_drag,
        )
        self.menu = menu
        menu.chosen.connect(self._on_chosen)
        menu.dropped.connect(lambda project_id: self._move_to(sidebar.selected_ids(), project_id))
        menu.closed.connect(self._on_closed)
        menu.open_below(sidebar.badge)

    def _on_closed(self) -> None:
        self.menu = None

    def _entries(self, projects: Sequence[Project], *, drops_only: bool) -> list[ChooserEntry]:
        live = [project for project in projects if project.deleted_at is None]
        used = [project for project in live if project.archived_at is None]
        archived = [project for project in live if project.archived_at is not None]
        trashed = [project for project in projects if project.deleted_at is not None]
        here = self._lists.project
        shared = self._panes.sidebar.shared
        names = names_told_apart(used, self._panes.sidebar.workspaces)
        used = [replace(project, name=names[project.id]) for project in used]
        rows = [_row(project, here, shared) for project in used]
        if drops_only:
            return rows
        found = [
            ChooserEntry("command", tr("All projects"), ALL, icon_name="folder", is_current=here is None),
            *rows,
            ChooserEntry("command", tr("New project…"), NEW, icon_name="plus"),
        ]
        if here is not None:
            found.append(ChooserEntry("command", tr("Edit {name}…", name=here.name), EDIT, icon_name="pencil"))
        found.append(ChooserEntry("command", tr("Files of the project…"), FILES, icon_name="file-text"))
        for project in live:
            is_here = here is not None and project.id == here.id
            name = names.get(project.id, project.name)
            if project.id in shared and (is_here or project.archived_at is None):
                words = tr("Sharing of {name}…", name=name)
            elif is_here:
                words = tr("Share {name}…", name=name)
            else:
                continue
            found.append(ChooserEntry("command", words, _SHARE + project.id, icon_name="users"))
        if archived:
            found += [ChooserEntry("heading", tr("Archived")), *(_row(project, here, shared) for project in archived)]
        if trashed:
            found.append(ChooserEntry("heading", tr("In the trash")))
            found += [
                ChooserEntry("command", project.name, _RESTORE + project.id, icon_name="trash-2", hint=tr("Restore"))
                for project in trashed
            ]
        return found

    def _on_chosen(self, entry: ChooserEntry) -> None:
        if entry.kind == "project":
            self._lists.show_project(entry.key)
        elif entry.key == ALL:
            self._lists.show_project(None)
        elif entry.key == NEW:
            self.open_new()
        elif entry.key == EDIT:
            self.open_edit()
        elif entry.key == FILES:
            self._panes.commands.trigger("project.files")
        elif entry.key.startswith(_SHARE):
            self._open_sharing(entry.key.removeprefix(_SHARE))
        elif entry.key.startswith(_RESTORE):
            self.restore(entry.key.removeprefix(_RESTORE))

    @in_task("share project")
    async def _open_sharing(self, project_id: str) -> None:
        """List the project, and open its sharing."""
        here = self._lists.project
        if here is None or here.id != project_id:
            await self._lists.show_project(project_id)
        self._panes.commands.trigger("project.share")

    # Dialogs

    def open_new(self) -> None:
        def save(
            dialog: ProjectDialog, name: str, colour: str, provider: str | None, model: str | None, instructions: str
        ) -> None:
            async def work() -> None:
                library = self._library
                with self._undo.change() as stack:
                    if not await self._is_folder_usable(dialog):
                        return
                    dialog.accept()
                    project = await library.projects.create(name, colour, provider=provider, model=model)
                    back, forth = (
                        partial(each, project.id) for each in (library.delete_project, library.restore_project)
                    )
                    stack.record(tr("add project"), back, forth)
                await self._keep_folder(project.id, dialog.folder)
                if instructions.strip():
                    await self._system_prompts.set_project(project.id, instructions)
                self._lists.show_project(project.id)

            self._tasks.start(work(), "create project")

        self._tasks.start(self._open_dialog(None, save), "open project")

    @in_task("open project")
    async def open_edit(self) -> None:
        """Open the dialog of the listed project; where all are listed, of the one that new threads go to."""
        project = await self._here()

        def save(
            dialog: ProjectDialog, name: str, colour: str, provider: str | None, model: str | None, _text: str
        ) -> None:
            async def work() -> None:
                if not await self._is_folder_usable(dialog):
                    return
                dialog.accept()
                self.change(project.id, name=name, colour=colour, provider=provider, model=model)
                await self._keep_folder(project.id, dialog.folder)

            self._tasks.start(work(), "save a project")

        dialog = await self._open_dialog(project, save)
        dialog.archiveRequested.connect(lambda: self.archive(project))
        dialog.deleteRequested.connect(lambda: self.ask_to_delete(project))
        dialog.systemPromptRequested.connect(lambda: self._panes.commands.trigger("project.system_prompt"))

    async def _open_dialog(
        self, project: Project | None, save: Callable[[ProjectDialog, str, str, str | None, str | None, str], None]
    ) -> ProjectDialog:
        projects = await self._library.projects.list()
        others = [each for each in projects if project is None or each.id != project.id]
        tools = None if project is None else await self._tools.in_use()
        dialog = ProjectDialog(
            self._panes.theme,
            project,
            models=self._panes.header.models,
            colours_in_use=[each.colour.upper() for each in others],
            is_last=all(each.archived_at is not None for each in others),
            has_system_prompt=self._panes.registry.action("project.system_prompt") is not None,
            folder=None if tools is None or project is None else tools.folders.of(project.id),
            parent=self._panes.window,
        )
        dialog.saved.connect(partial(save, dialog))
        check = self._is_folder_usable
        dialog.folder.entered.connect(lambda _folder: self._tasks.start(check(dialog), "check the folder of a project"))
        dialog.open()
        return dialog

    async def _is_folder_usable(self, dialog: ProjectDialog) -> bool:
        """Return whether the project may have the folder that was chosen; if not, the dialog says why."""
        chosen = dialog.folder
        problem = ""
        if chosen.is_changed and chosen.folder is not None:
            try:
                await (await self._tools.load()).folders.check(chosen.folder)
            except FolderNotUsable as error:
                problem = error.sentence
        if isValid(dialog) and dialog.isVisible():
            dialog.show_folder_problem(problem)
        return not problem

    async def _keep_folder(self, project_id: str, chosen: FolderField) -> None:
        """Keep the folder that a person chose for a project. Raises errors of ChatDesk, which the window shows."""
        if chosen.is_changed:
            await (await self._tools.load()).folders.set(project_id, chosen.folder)

    # Changes

    @in_task("change project")
    async def change(self, project_id: str, /, **values: Any) -> None:
        library = self._library
        with self._undo.change() as stack:
            before = await library.projects.change(project_id, **values)
            if not before:
                return
            after = {key: values[key] for key in before}
            stack.record(
                tr("change project"),
                partial(library.projects.change, project_id, **before),
                partial(library.projects.change, project_id, **after),
            )
        self._undo.offer(tr("The project was changed"))

    def archive(self, project: Project) -> None:
        """Move a project into the archive, or out of it."""
        self._tasks.start(self._archive(project), "archive project")

    async def _archive(self, project: Project) -> None:
        is_archived = project.archived_at is None
        put = partial(self._library.projects.archive, project.id)
        with self._undo.change() as stack:
            if not await put(is_archived=is_archived):
                return
            stack.record(
                tr("archive project") if is_archived else tr("unarchive project"),
                partial(put, is_archived=not is_archived),
                partial(put, is_archived=is_archived),
            )
        if is_archived:
            self._undo.offer(tr("Archived: {name}", name=project.name))
        else:
            self._undo.offer(tr("Out of the archive: {name}", name=project.name))

    @in_task("ask to delete project")
    async def ask_to_delete(self, project: Project) -> None:
        counts = await self._library.projects.count(project.id)
        text = _trash_words(counts, self._current_settings().trash_days)
        window = self._panes.window
        dialog = ConfirmDialog(
            self._panes.theme,
            tr("Delete the project “{name}”?", name=project.name),
            text,
            yes_text=tr("Move to trash"),
            is_dangerous=True,
            parent=window,
        )
        if await dialog.ask():
            await self.delete(project)

    async def delete(self, project: Project) -> None:
        library = self._library
        with self._undo.change() as stack:
            change = await library.delete_project(project.id)
            stack.record(change.label, partial(library.undo, change), partial(library.redo, change))
        self._undo.offer(tr("Moved to the trash: {name}", name=project.name))

    @in_task("restore project")
    async def restore(self, project_id: str) -> None:
        library = self._library
        with self._undo.change() as stack:
            change = await library.restore_project(project_id)
            stack.record(change.label, partial(library.undo, change), partial(library.redo, change))
        self._undo.offer(tr("The project was restored"))
        self._lists.show_project(project_id)

    def _title_of_archive(self) -> str:
        here = self._lists.project
        is_archived = here is not None and here.archived_at is not None
        return tr("Take project out of the archive") if is_archived else tr("Archive project")

    @in_task("archive project")
    async def _toggle_archive(self) -> None:
        with self._undo.change():
            await self._archive(await self._here())

    @in_task("ask to delete project")
    async def _ask_to_delete_open(self) -> None:
        self.ask_to_delete(await self._here())

    # Inside

    async def _here(self) -> Project:
        return self._lists.project or await self._open_thread.chat.projects.default()


def _row(project: Project, here: Project | None, shared: Mapping[str, str]) -> ChooserEntry:
    return ChooserEntry(
        "project",
        project.name,
        project.id,
        project.colour,
        is_current=here is not None and here.id == project.id,
        shared=shared.get(project.id, ""),
    )


def _trash_words(counts: ProjectCounts, days: int) -> str:
    if counts.archived:
        goes = plural(
            "{count} threads go to the trash with it ({archived} archived).",
            "{count} thread goes to the trash with it ({archived} archived).",
            counts.threads,
            archived=counts.archived,
        )
    else:
        goes = plural(
            "{count} threads go to the trash with it.", "{count} thread goes to the trash with it.", counts.threads
        )
    rest = plural("All of it can be restored for {count} days.", "All of it can be restored for {count} day.", days)
    return f"{shown(goes)} {shown(rest)}"
