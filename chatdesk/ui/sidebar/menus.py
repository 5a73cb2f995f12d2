"""The sidebar's menus: about threads, and about what the list shows. Imported when the first one opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from chatdesk.core.domain.thread import Thread
from chatdesk.ui.sidebar.grouping import ThreadView
from chatdesk.ui.sidebar.sidebar_base import SidebarBase
from chatdesk.ui.theme.compositing import round_corners

VIEW_TITLES = {ThreadView.ACTIVE: "Threads", ThreadView.ARCHIVE: "Archive", ThreadView.TRASH: "Trash"}
_MOST_TAGS = 30  # more than that are better found by name


def thread_menu(sidebar: SidebarBase, threads: Sequence[Thread], ids: Sequence[str]) -> QMenu:
    """Return the menu for these threads: ``ids`` are all of them, ``threads`` those of them that are known."""
    menu = _menu(sidebar)
    chosen = tuple(ids)
    first = threads[0]
    many = f" {len(chosen):,} threads" if len(chosen) > 1 else ""
    if first.deleted_at is not None:
        _add(menu, f"Restore{many}", lambda: sidebar.restoreRequested.emit(chosen))
        menu.addSeparator()
        _add(menu, f"Delete{many} for good…\tDel", lambda: sidebar.purgeRequested.emit(chosen))
        return menu
    is_pinned = all(thread.pinned_at is not None for thread in threads)
    is_archived = first.archived_at is not None
    is_fixed = any(thread.project_id in sidebar.read_only for thread in threads)
    if is_fixed:
        _add(menu, "You can only read this project", lambda: None).setEnabled(False)
        menu.addSeparator()
    if not many:
        rename = _add(menu, f"Rename\t{sidebar.rename_keys}", lambda: sidebar.thread_list.begin_rename(first.id))
        rename.setEnabled(not is_fixed)
    if any(sidebar.unread_of(thread_id) for thread_id in chosen):
        _add(menu, f"Mark{many} as read", lambda: sidebar.markReadRequested.emit(chosen))
    _add(menu, f"{'Unpin' if is_pinned else 'Pin'}{many}", lambda: sidebar.pinRequested.emit(chosen, not is_pinned))
    _add(
        menu,
        f"Move{many} out of the archive" if is_archived else f"Archive{many}",
        lambda: sidebar.archiveRequested.emit(chosen, not is_archived),
    )
    move = _add(menu, f"Move{many} to a project…", lambda: sidebar.moveRequested.emit(chosen))
    tags = _add(menu, "Tags…", lambda: sidebar.tagsRequested.emit(chosen))
    if many:
        _add(menu, f"Export{many}…", lambda: sidebar.exportSelectedRequested.emit(chosen))
    else:
        _add(menu, "Export…", lambda: sidebar.exportRequested.emit(first.id))
        _add(menu, "Import…", sidebar.importRequested.emit)
    menu.addSeparator()
    delete = _add(menu, f"Delete{many}\tDel", lambda: sidebar.deleteRequested.emit(chosen))
    for action in (move, tags, delete):
        action.setEnabled(not is_fixed)
    return menu


def view_menu(sidebar: SidebarBase, show: Callable[[ThreadView], None]) -> QMenu:
    """Return the menu of the list: Threads, Archive, Trash, of which one is checked; then the order, the grouping, and
    the tags."""
    menu = _menu(sidebar)
    views = QActionGroup(menu)
    for view, title in VIEW_TITLES.items():
        _check(menu, views, title, view is sidebar.view, lambda view=view: show(view))  # type: ignore[misc]
    menu.addSeparator()
    orders = QActionGroup(menu)
    for by_name, title in ((False, "Sort by last activity"), (True, "Sort by name")):
        _check(
            menu,
            orders,
            title,
            sidebar.by_name is by_name,
            lambda by_name=by_name: sidebar.sortRequested.emit(by_name),  # type: ignore[misc]
        ).setEnabled(sidebar.view is not ThreadView.TRASH)
    menu.addSeparator()
    groups = QActionGroup(menu)
    for by_project, title in ((False, "Group by date"), (True, "Group by project")):
        _check(
            menu,
            groups,
            title,
            sidebar.by_project is by_project,
            lambda by_project=by_project: sidebar.groupRequested.emit(by_project),  # type: ignore[misc]
        ).setEnabled(sidebar.view is ThreadView.ACTIVE)
    menu.addSeparator()
    if sidebar.tags:
        tags = menu.addMenu("Show one tag")
        tags.setObjectName("tagFilterMenu")
        round_corners(tags, sidebar.theme.tokens.radius.row)
        group = QActionGroup(tags)
        _check(tags, group, "All threads", sidebar.tag_id is None, lambda: sidebar.tagFilterRequested.emit(""))
        tags.addSeparator()
        for tag in sidebar.tags[:_MOST_TAGS]:
            name = f"{tag.name.replace('&', '&&')}\t{tag.thread_count:,}"
            is_on = tag.id == sidebar.tag_id
            _check(tags, group, name, is_on, lambda tag=tag: sidebar.tagFilterRequested.emit(tag.id))  # type: ignore[misc]
    _add(menu, "Tags…", sidebar.tagListRequested.emit)
    menu.addSeparator()
    _add(menu, "Import…", sidebar.importRequested.emit)
    _add(menu, "Export…", lambda: sidebar.exportSelectedRequested.emit(()))
    if sidebar.view is ThreadView.TRASH:
        menu.addSeparator()
        _add(menu, "Deleted messages…", sidebar.deletedMessagesRequested.emit)
        _add(menu, "Empty the trash…", sidebar.emptyTrashRequested.emit)
    return menu


def _menu(sidebar: SidebarBase) -> QMenu:
    menu = QMenu(sidebar)
    round_corners(menu, sidebar.theme.tokens.radius.row)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return menu


def _add(menu: QMenu, text: str, run: Callable[[], object]) -> QAction:
    action = menu.addAction(text)
    action.triggered.connect(lambda _checked=False: run())
    return action


def _check(menu: QMenu, group: QActionGroup, text: str, is_checked: bool, run: Callable[[], object]) -> QAction:
    action = _add(menu, text, run)
    action.setCheckable(True)
    action.setChecked(is_checked)
    group.addAction(action)
    return action
