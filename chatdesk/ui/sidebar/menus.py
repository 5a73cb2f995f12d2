"""Builds the sidebar's menus: about threads, and about the content of the list. Imported when the first one opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu

from chatdesk.core.domain.thread import Thread
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.local_forms import number_text
from chatdesk.ui.sidebar.grouping import ThreadView
from chatdesk.ui.sidebar.sidebar_base import SidebarBase
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.widgets.danger_menu import DangerMenu

VIEW_TITLES = {ThreadView.ACTIVE: Text("Threads"), ThreadView.ARCHIVE: Text("Archive"), ThreadView.TRASH: Text("Trash")}
_MOST_TAGS = 30  # more than that are better found by name


def thread_menu(sidebar: SidebarBase, threads: Sequence[Thread], ids: Sequence[str]) -> QMenu:
    """Return the menu for the threads with these ``ids``; ``threads`` are those already loaded."""
    menu = _menu(sidebar)
    chosen = tuple(ids)
    first = threads[0]
    count = len(chosen)
    is_one = count == 1
    if first.deleted_at is not None:
        return _fill_dead(menu, sidebar, chosen)
    is_pinned = all(thread.pinned_at is not None for thread in threads)
    is_archived = first.archived_at is not None
    is_fixed = any(thread.project_id in sidebar.read_only for thread in threads)
    if is_fixed:
        _add(menu, tr("You can only read this project"), lambda: None).setEnabled(False)
        menu.addSeparator()
    if is_one:
        _fill_one(menu, sidebar, first.id, is_fixed=is_fixed)
    if any(sidebar.unread_of(thread_id) for thread_id in chosen):
        read = (
            tr("Mark as read")
            if is_one
            else shown(plural("Mark {count} threads as read", "Mark {count} thread as read", count))
        )
        _add(menu, read, lambda: sidebar.markReadRequested.emit(chosen), "check")
    _add(
        menu,
        _pin_text(count, is_pinned=is_pinned),
        lambda: sidebar.pinRequested.emit(chosen, not is_pinned),
        "pin-off" if is_pinned else "pin",
    )
    _add(
        menu,
        _archive_text(count, is_archived=is_archived),
        lambda: sidebar.archiveRequested.emit(chosen, not is_archived),
        "archive-restore" if is_archived else "archive",
    )
    move_text = (
        tr("Move to a project…")
        if is_one
        else shown(plural("Move {count} threads to a project…", "Move {count} thread to a project…", count))
    )
    move = _add(menu, move_text, lambda: sidebar.moveRequested.emit(chosen), "folder")
    tags = _add(menu, tr("Tags…"), lambda: sidebar.tagsRequested.emit(chosen), "tag")
    if not is_one:
        export = shown(plural("Export {count} threads…", "Export {count} thread…", count))
        _add(menu, export, lambda: sidebar.exportSelectedRequested.emit(chosen), "download")
    else:
        _add(menu, tr("Export…"), lambda: sidebar.exportRequested.emit(first.id), "download")
        _add(menu, tr("Import…"), sidebar.importRequested.emit, "upload")
    menu.addSeparator()
    delete_text = tr("Delete") if is_one else shown(plural("Delete {count} threads", "Delete {count} thread", count))
    delete = _add(
        menu, f"{delete_text}\t{_delete_key()}", lambda: sidebar.deleteRequested.emit(chosen), "trash-2", is_danger=True
    )
    for action in (move, tags, delete):
        action.setEnabled(not is_fixed)
    menu.make_room()
    return menu


def _fill_one(menu: DangerMenu, sidebar: SidebarBase, thread_id: str, *, is_fixed: bool) -> None:
    """Begin the menu of a single thread: where it opens, and its name."""
    _add(menu, tr("Open in a new window"), lambda: sidebar.windowRequested.emit(thread_id), "external-link")
    _add(menu, tr("Open beside"), lambda: sidebar.besideRequested.emit(thread_id), "panel-right")
    menu.addSeparator()
    words = "\t".join((tr("Rename"), sidebar.rename_keys))
    rename = _add(menu, words, lambda: sidebar.thread_list.start_rename(thread_id), "pencil")
    rename.setEnabled(not is_fixed)


def view_menu(sidebar: SidebarBase, show: Callable[[ThreadView], None]) -> QMenu:
    """Return the menu of the list: Threads, Archive, Trash, of which one is checked; then the order, the grouping, and
    the tags."""
    menu = QMenu(sidebar)
    round_corners(menu, sidebar.theme.tokens.radius.row)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    views = QActionGroup(menu)
    for view, name in VIEW_TITLES.items():
        _check(menu, views, shown(name), view is sidebar.view, lambda view=view: show(view))  # type: ignore[misc]
    menu.addSeparator()
    orders = QActionGroup(menu)
    for by_name, title in ((False, tr("Sort by last activity")), (True, tr("Sort by name"))):
        _check(
            menu,
            orders,
            title,
            sidebar.by_name is by_name,
            lambda by_name=by_name: sidebar.sortRequested.emit(by_name),  # type: ignore[misc]
        ).setEnabled(sidebar.view is not ThreadView.TRASH)
    menu.addSeparator()
    groups = QActionGroup(menu)
    for by_project, title in ((False, tr("Group by date")), (True, tr("Group by project"))):
        _check(
            menu,
            groups,
            title,
            sidebar.by_project is by_project,
            lambda by_project=by_project: sidebar.groupRequested.emit(by_project),  # type: ignore[misc]
        ).setEnabled(sidebar.view is ThreadView.ACTIVE)
    menu.addSeparator()
    if sidebar.tags:
        tags = menu.addMenu(tr("Show one tag"))
        tags.setObjectName("tagFilterMenu")
        round_corners(tags, sidebar.theme.tokens.radius.row)
        group = QActionGroup(tags)
        _check(tags, group, tr("All threads"), sidebar.tag_id is None, lambda: sidebar.tagFilterRequested.emit(""))
        tags.addSeparator()
        for tag in sidebar.tags[:_MOST_TAGS]:
            label = f"{tag.name.replace('&', '&&')}\t{number_text(tag.thread_count)}"
            is_on = tag.id == sidebar.tag_id
            _check(tags, group, label, is_on, lambda tag=tag: sidebar.tagFilterRequested.emit(tag.id))  # type: ignore[misc]
    _add(menu, tr("Tags…"), sidebar.tagListRequested.emit)
    menu.addSeparator()
    _add(menu, tr("Import…"), sidebar.importRequested.emit)
    _add(menu, tr("Export…"), lambda: sidebar.exportSelectedRequested.emit(()))
    if sidebar.view is ThreadView.TRASH:
        menu.addSeparator()
        _add(menu, tr("Deleted messages…"), sidebar.deletedMessagesRequested.emit)
        _add(menu, tr("Empty the trash…"), sidebar.emptyTrashRequested.emit)
    return menu


def _fill_dead(menu: DangerMenu, sidebar: SidebarBase, chosen: tuple[str, ...]) -> QMenu:
    """Fill the menu of threads that are in the trash."""
    count = len(chosen)
    restore, purge = tr("Restore"), tr("Delete for good…")
    if count > 1:
        restore = shown(plural("Restore {count} threads", "Restore {count} thread", count))
        purge = shown(plural("Delete {count} threads for good…", "Delete {count} thread for good…", count))
    _add(menu, restore, lambda: sidebar.restoreRequested.emit(chosen), "undo-2")
    menu.addSeparator()
    _add(menu, f"{purge}\t{_delete_key()}", lambda: sidebar.purgeRequested.emit(chosen), "trash-2", is_danger=True)
    menu.make_room()
    return menu


def _pin_text(count: int, *, is_pinned: bool) -> str:
    if count == 1:
        return tr("Unpin", "thread") if is_pinned else tr("Pin", "thread")
    return shown(
        plural("Unpin {count} threads", "Unpin {count} thread", count)
        if is_pinned
        else plural("Pin {count} threads", "Pin {count} thread", count)
    )


def _archive_text(count: int, *, is_archived: bool) -> str:
    if count == 1:
        return tr("Move out of the archive") if is_archived else tr("Archive", "verb")
    return shown(
        plural("Move {count} threads out of the archive", "Move {count} thread out of the archive", count)
        if is_archived
        else plural("Archive {count} threads", "Archive {count} thread", count)
    )


def _delete_key() -> str:
    return QKeySequence(Qt.Key.Key_Delete).toString(QKeySequence.SequenceFormat.NativeText)


def _menu(sidebar: SidebarBase) -> DangerMenu:
    menu = DangerMenu(sidebar.theme.colour, sidebar)
    round_corners(menu, sidebar.theme.tokens.radius.row)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return menu


def _add(menu: QMenu, text: str, run: Callable[[], object], icon_name: str = "", *, is_danger: bool = False) -> QAction:
    action = menu.addAction(text)
    if isinstance(menu, DangerMenu):
        if is_danger:
            menu.mark_danger(action)
        if icon_name:
            menu.set_icon(action, icon_name)
    action.triggered.connect(lambda _checked=False: run())
    return action


def _check(menu: QMenu, group: QActionGroup, text: str, is_checked: bool, run: Callable[[], object]) -> QAction:
    action = _add(menu, text, run)
    action.setCheckable(True)
    action.setChecked(is_checked)
    group.addAction(action)
    return action
