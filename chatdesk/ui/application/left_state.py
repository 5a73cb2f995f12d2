"""Gathers the state of all windows for the next start: sizes, places, threads, and where each was being read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.errors import ChatDeskError
from chatdesk.ui.application.bindings import Bindings
from chatdesk.ui.application.pane_bindings import PaneBindings
from chatdesk.ui.window.chat_window import ThreadWindow
from chatdesk.ui.window.window_state import SavedAnchor, SavedBeside, SavedWindow, WindowState


def state_of(
    main: Bindings,
    windows: Sequence[PaneBindings],
    beside: PaneBindings | None,
    before: WindowState,
    *,
    is_restored: bool,
) -> WindowState:
    """Return the state of the main window with the chat ``beside`` and those in ``windows`` of their own; until all are
    restored, those of ``before`` that are not shown yet belong to it too. So does what the main window has not shown.
    """
    threads = main.threads
    read = {key: place for chat in (main, *windows, *_found(beside)) for key, place in chat.threads.anchors().items()}
    anchors = {
        thread_id: SavedAnchor(anchor.message_id, anchor.offset_px, anchor.is_at_end)
        for thread_id, anchor in read.items()
    }
    shown = (main, *windows, *_found(beside))
    questions = {**({} if is_restored else before.next_questions), **main.shared.next_questions.all()}
    is_temporary = main.context_of_pane.open_thread.is_temporary
    edited = (chat.messages.edit.left_id for chat in shown)
    compared = (message_id for chat in shown for message_id in chat.comparison.left_ids)
    state = replace(
        main.panes.main_window.state(),
        open_thread_id=threads.stored_id if threads.has_shown else before.open_thread_id,
        anchors={**before.anchors, **anchors},
        chosen_model=main.messages.models.chosen,
        is_way_in_ended=main.first_screen.is_ended,
        windows=_saved_windows(windows, () if is_restored else before.windows),
        edited_ids=tuple(filter(None, edited)) if is_restored else before.edited_ids,
        compared_ids=tuple(dict.fromkeys(compared)) if is_restored else before.compared_ids,
        next_questions={key: each for key, each in questions.items() if not is_temporary(key)},
        beside=before.beside if beside is None and not is_restored else _saved_beside(main, beside),
    )
    return main.lists.remembered(state, before)


async def is_there(chat: ChatService, thread_id: str | None) -> bool:
    """Return whether a thread that was shown can be shown again; None stands for a new one."""
    if thread_id is None:
        return True
    try:
        return (await chat.get_thread(thread_id)).deleted_at is None
    except ChatDeskError:
        return False


def _found(beside: PaneBindings | None) -> Sequence[PaneBindings]:
    return () if beside is None else (beside,)


def _saved_windows(windows: Sequence[PaneBindings], missing: Sequence[SavedWindow]) -> tuple[SavedWindow, ...]:
    saved = tuple(map(_saved, windows))
    shown = {each.thread_id for each in saved}
    return saved + tuple(each for each in missing if each.thread_id not in shown)


def _saved(chat: PaneBindings) -> SavedWindow:
    return replace(cast("ThreadWindow", chat.panes.window).state(), thread_id=chat.threads.stored_id)


def _saved_beside(main: Bindings, beside: PaneBindings | None) -> SavedBeside | None:
    if beside is None:
        return None
    share = round(main.panes.main_window.chats.share, 3)
    return SavedBeside(beside.threads.stored_id, share, is_active=main.active() is beside)
