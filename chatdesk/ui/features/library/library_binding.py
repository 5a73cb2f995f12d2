"""Carries out actions on the marked threads and on tags; each can be undone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from chatdesk.core.chat.library import LibraryService
from chatdesk.core.chat.system_prompt_service import SystemPromptService
from chatdesk.core.chat.undo import UndoStack
from chatdesk.core.domain.library import LibraryChange
from chatdesk.core.domain.thread import Thread
from chatdesk.core.texts import plural, shown, tr
from chatdesk.services.tool_loader import ToolLoader
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.library.active_chat import ActiveChat
from chatdesk.ui.features.library.project import names_told_apart
from chatdesk.ui.features.library.project_binding import ProjectBinding
from chatdesk.ui.features.library.project_chooser import ChooserEntry, ProjectChooser
from chatdesk.ui.features.library.tags import TagListDialog, ThreadTagsDialog
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.features.library.trash_binding import TrashBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.window.window_context import Controller, Panes, WindowContext

Ids = Sequence[str]


class LibraryBinding(Controller):
    """Binds the commands and the sidebar's wishes about threads; ``projects`` does the same for projects. ``active``
    returns the chat whose thread commands act on."""

    def __init__(
        self,
        context: WindowContext,
        active: Callable[[], ActiveChat],
        lists: ThreadListBinding,
        undo: UndoBinding,
        *,
        library: LibraryService,
        system_prompts: SystemPromptService,
        trash: TrashBinding,
        tools: ToolLoader,
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._active = active
        self._lists = lists
        self._library = library
        self._trash = trash
        self.projects = ProjectBinding(
            context, lists, undo, self.move_to, library=library, system_prompts=system_prompts, tools=tools
        )
        sidebar = panes.sidebar
        sidebar.rows.renameEntered.connect(undo.rename)
        sidebar.pinRequested.connect(lambda ids, on: self.pin(ids, is_pinned=on))
        sidebar.archiveRequested.connect(lambda ids, on: self.archive(ids, is_archived=on))
        sidebar.deleteRequested.connect(self.delete)
        sidebar.restoreRequested.connect(self.restore)
        sidebar.purgeRequested.connect(self.ask_to_purge)
        sidebar.moveRequested.connect(self.ask_where_to)
        sidebar.moveToRequested.connect(self.move_to)
        sidebar.tagsRequested.connect(self.ask_for_tags)
        sidebar.tagListRequested.connect(self.open_tags)
        self._bind_commands(panes, lists)

    def _bind_commands(self, panes: Panes, lists: ThreadListBinding) -> None:
        for command_id, run in {
            "thread.rename": self._rename,
            "thread.pin": self._toggle_pin,
            "thread.archive": self._toggle_archive,
            "thread.move": lambda: self.ask_where_to(self._ids()),
            "thread.tags": lambda: self.ask_for_tags(self._ids()),
            "thread.restore": lambda: self.restore(self._ids()),
            "thread.delete": self._delete,
        }.items():
            panes.commands.bind(command_id, run, self._has_threads)
        panes.commands.describe("thread.pin", title=self._title_of_pin, is_offered=self._are_kept)
        panes.commands.describe("thread.archive", title=self._title_of_archive, is_offered=self._are_kept)
        panes.commands.describe("thread.restore", is_offered=self._is_in_trash)
        panes.commands.describe("thread.delete", title=self._title_of_delete)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._on_focus_changed)
        for command_id, run in {
            "thread.select_all": self._select_all,
            "view.threads": lambda: self._show("active"),
            "view.archive": lambda: self._show("archive"),
            "view.trash": lambda: self._show("trash"),
            "view.sort": self._sort,
            "view.group": self._group,
            "tag.manage": self.open_tags,
        }.items():
            panes.commands.bind(command_id, run)
        panes.commands.describe("view.sort", title=self._title_of_sort)
        panes.commands.describe("view.group", title=self._title_of_group)
        for view in ("active", "archive", "trash"):
            name = "threads" if view == "active" else view
            panes.commands.describe(f"view.{name}", is_offered=partial(self._is_elsewhere, view))

    # Many threads

    def pin(self, ids: Ids, *, is_pinned: bool) -> None:
        words = tr("Pinned") if is_pinned else tr("No longer pinned")
        self._change(ids, lambda library: library.pin(ids, is_pinned=is_pinned), words)

    def archive(self, ids: Ids, *, is_archived: bool) -> None:
        words = tr("Archived") if is_archived else tr("Out of the archive")
        self._change(ids, lambda library: library.archive(ids, is_archived=is_archived), words)

    def delete(self, ids: Ids) -> None:
        self._change(ids, lambda library: library.delete(ids), tr("Moved to the trash"))

    def restore(self, ids: Ids) -> None:
        self._change(ids, lambda library: library.restore(ids), tr("Restored"))

    def move_to(self, ids: Ids, project_id: str) -> None:
        async def move(library: LibraryService) -> tuple[LibraryChange, str]:
            project = await library.projects.get(project_id)
            return await library.move(ids, project_id), tr("Moved to {name}", name=project.name)

        self._change(ids, move, "")

    def tag(self, ids: Ids, add: Sequence[str], remove: Sequence[str]) -> None:
        self._change(ids, lambda library: library.tag(ids, add=add, remove=remove), tr("Tags changed"))

    def _change(
        self,
        ids: Ids,
        act: Callable[[LibraryService], Awaitable[LibraryChange | tuple[LibraryChange, str]]],
        words: str,
    ) -> None:
        """Change the threads in one step, record the undo, and show it with *Undo*. If it is not possible for all, none
        is changed, and the error says why."""
        if not ids:
            return

        async def work() -> None:
            title = self._title(ids)
            library = self._library
            with self._active().undo.change() as stack:
                done = await act(library)
                change, said = done if isinstance(done, tuple) else (done, words)
                self._panes.sidebar.thread_list.marks.set(())
                if change.is_empty:
                    return
                self._did(stack, change)
            self._active().undo.offer(f"{said}: {title}")

        self._tasks.start(work(), "change threads")

    def _did(self, stack: UndoStack, change: LibraryChange) -> None:
        library = self._library
        is_moved = change.column == "deleted_at"
        stack.record(
            change.label,
            partial(library.undo, change),
            partial(library.redo, change),
            size=max(1, len(change.threads)),
            returning_id=next(iter(change.threads)) if is_moved and len(change.threads) == 1 else None,
        )

    def _title(self, ids: Ids) -> str:
        if len(ids) > 1:
            return shown(plural("{count} threads", "{count} thread", len(ids)))
        known = self._panes.sidebar.known(ids)
        thread = known[0] if known else self._active().threads.open_thread
        return shown(thread.name) if thread is not None and thread.id == ids[0] else tr("1 thread")

    # Asking first

    def ask_where_to(self, ids: Ids) -> None:
        if not ids:
            return

        async def work() -> None:
            projects = await self._library.projects.list()
            known = {thread.project_id for thread in self._panes.sidebar.known(ids)}
            open_ = [project for project in projects if project.archived_at is None]
            names = names_told_apart(open_, self._panes.sidebar.workspaces)
            entries = [
                ChooserEntry("project", names[each.id], each.id, each.colour, is_current=known == {each.id})
                for each in open_
            ]
            dialog = MoveThreadsDialog(self._panes.theme, self._title(ids), entries, parent=self._active().panes.window)
            dialog.chosen.connect(lambda project_id: self.move_to(ids, project_id))
            dialog.open()

        self._tasks.start(work(), "ask where to")

    def ask_for_tags(self, ids: Ids) -> None:
        if not ids:
            return

        async def work() -> None:
            library = self._library
            tags, counts = await library.list_tags(), await library.tags_of(ids)
            dialog = ThreadTagsDialog(
                self._panes.theme,
                self._title(ids),
                tags,
                counts=counts,
                total=len(ids),
                parent=self._active().panes.window,
            )
            dialog.decided.connect(lambda add, remove: self.tag(ids, add, remove))
            dialog.open()

        self._tasks.start(work(), "ask for tags")

    def ask_to_purge(self, ids: Ids) -> None:
        if ids:
            self._trash.ask_to_purge(ids, self._title(ids))

    # Tags

    @in_task("open tags")
    async def open_tags(self) -> None:
        dialog = TagListDialog(self._panes.theme, await self._library.list_tags(), self._active().panes.window)
        dialog.renamed.connect(self.rename_tag)
        dialog.deleted.connect(self.delete_tag)
        dialog.chosen.connect(self._lists.show_tag)
        dialog.open()

    @in_task("rename tag")
    async def rename_tag(self, tag_id: str, name: str) -> None:
        library = self._library
        rename = partial(library.rename_tag, tag_id)
        with self._active().undo.change() as stack:
            before = await rename(name)
            stack.record(tr("rename tag"), partial(rename, before), partial(rename, name))
        self._active().undo.offer(tr("The tag is called {name} now", name=name))

    @in_task("delete tag")
    async def delete_tag(self, tag_id: str) -> None:
        with self._active().undo.change() as stack:
            self._did(stack, await self._library.delete_tag(tag_id))
        self._active().undo.offer(tr("The tag was deleted; its threads stay"))

    # Commands

    def _ids(self) -> tuple[str, ...]:
        """Return the threads a command acts on: the marked ones, else the one with the keyboard focus in the list, else
        the open one."""
        in_list, open_id = self._panes.sidebar.selected_ids(), self._active().threads.stored_id
        if self._active().panes.window is not self._panes.window:  # the list is in another one
            in_list = ()
        return in_list or (() if open_id is None else (open_id,))

    def _has_threads(self) -> bool:
        """Return whether a command has a thread to act on; a new chat is none yet."""
        return bool(self._ids())

    def _on_focus_changed(self, before: QWidget | None, now: QWidget | None) -> None:
        if self._panes.sidebar.thread_list in (before, now):
            self._panes.commands.refresh()

    def _rename(self) -> None:
        """Start renaming where the keyboard focus is: in the row of the list, or in the header."""
        thread_list = self._panes.sidebar.thread_list
        if (
            self._active().panes.window is self._panes.window
            and thread_list.has_keys
            and thread_list.start_rename(thread_list.keyboard_id() or "")
        ):
            return
        if self._active().threads.thread_id is not None:
            self._active().panes.header.start_title_edit()

    def _toggle_pin(self) -> None:
        self.pin(self._ids(), is_pinned=self._would_pin())

    def _toggle_archive(self) -> None:
        self.archive(self._ids(), is_archived=self._would_archive())

    def _would_pin(self) -> bool:
        threads = self._about()
        return not threads or any(thread.pinned_at is None for thread in threads)

    def _would_archive(self) -> bool:
        threads = self._about()
        return not threads or any(thread.archived_at is None for thread in threads)

    def _are_kept(self) -> bool:
        return bool(self._about()) and not self._is_in_trash()

    def _is_in_trash(self) -> bool:
        known = self._about()
        return bool(known) and all(thread.deleted_at is not None for thread in known)

    def _count(self) -> int:
        return max(1, len(self._ids()))

    def _title_of_pin(self) -> str:
        if self._would_pin():
            return shown(plural("Pin {count} threads", "Pin thread", self._count()))
        return shown(plural("Unpin {count} threads", "Unpin thread", self._count()))

    def _title_of_archive(self) -> str:
        if self._would_archive():
            return shown(plural("Archive {count} threads", "Archive thread", self._count()))
        return tr("Take out of the archive")

    def _title_of_delete(self) -> str:
        if self._is_in_trash():
            return shown(plural("Delete {count} threads for good…", "Delete thread for good…", self._count()))
        return shown(plural("Delete {count} threads", "Delete thread", self._count()))

    def _title_of_sort(self) -> str:
        return tr("Sort threads by last activity") if self._lists.query.order == "name" else tr("Sort threads by name")

    def _title_of_group(self) -> str:
        return tr("Group threads by date") if self._lists.by_project else tr("Group threads by project")

    def _is_elsewhere(self, view: str) -> bool:
        sidebar = self._panes.sidebar
        return sidebar.view != view or (view == "active" and sidebar.tag_id is not None)

    def _about(self) -> list[Thread]:
        ids, open_thread = self._ids(), self._active().threads.open_thread
        if open_thread is not None and set(ids) <= {open_thread.id}:
            return [open_thread]  # the list may show it as it was a moment ago
        return self._panes.sidebar.known(ids)

    def _delete(self) -> None:
        """Delete the threads; those in the trash go for good, after a question."""
        (self.ask_to_purge if self._is_in_trash() else self.delete)(self._ids())

    def _select_all(self) -> None:
        sidebar = self._panes.sidebar
        sidebar.thread_list.setFocus()
        sidebar.thread_list.marks.set_all()

    def _sort(self) -> None:
        by_name = self._lists.query.order != "name"
        self._lists.sort(by_name=by_name)
        announce(self._panes.sidebar, tr("Sorted by name") if by_name else tr("Sorted by last activity"))

    def _group(self) -> None:
        by_project = not self._lists.by_project
        self._lists.group(by_project=by_project)
        announce(self._panes.sidebar, tr("Grouped by project") if by_project else tr("Grouped by date"))

    def _show(self, view: str) -> None:
        self._panes.main_window.place.reveal()
        if view == "active" and self._panes.sidebar.tag_id is not None:
            self._lists.show_tag("")
        self._panes.sidebar.set_view(view)
        self._panes.sidebar.thread_list.setFocus()


_TOP_PX = 96
_SIZE_PX = (420, 420)


class MoveThreadsDialog(Panel):
    """A dialog that chooses a project for threads. ``chosen(project id)`` comes once, after it has closed; Esc moves
    nothing."""

    chosen = Signal(str)

    def __init__(
        self, theme: Theme, what: str, entries: Sequence[ChooserEntry], *, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, tr("Move to a project"), parent=parent, top_px=_TOP_PX)
        self.setObjectName("moveThreadsDialog")
        self.setAccessibleDescription(what)
        self.chooser = ProjectChooser(theme, entries, parent=self)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 16, 1, 8)
        column.setSpacing(6)
        label = plain_label(tr("Move to a project: {what}", what=what[:120]), "strong", wraps=True)
        label.setContentsMargins(16, 0, 16, 0)
        column.addWidget(label)
        column.addWidget(self.chooser, 1)
        self.fit(*_SIZE_PX)
        self.chooser.chosen.connect(self._on_chosen)
        self.chooser.field.setFocus()

    def _on_chosen(self, entry: ChooserEntry) -> None:
        self.accept()
        self.chosen.emit(entry.key)
