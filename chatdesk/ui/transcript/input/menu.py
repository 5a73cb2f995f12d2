"""Builds the menu of a message each time it is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.commands.message_action import QUICK, MessageAction, MessageState, is_line_between
from chatdesk.ui.commands.message_catalogue import MESSAGE_ACTIONS, QUICK_ACTIONS
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.widgets.danger_menu import DangerMenu


def build_menu(
    parent: QWidget,
    entry: MessageEntry,
    style: TranscriptStyle,
    *,
    has_selection: bool,
    starts_later: bool,
    do: Callable[[str], None],
    quick: Sequence[MessageAction] = QUICK_ACTIONS,
) -> QMenu:
    """Return the menu of a message; ``do`` gets the name of the chosen action.

    ``starts_later`` says that the context of the thread does not start at its beginning.
    """
    menu = DangerMenu(style.colour, parent)
    menu.setObjectName("messageMenu")
    round_corners(menu, style.tokens.radius.row)
    above: MessageAction | None = None
    state = entry.state(has_selection=has_selection, starts_later=starts_later)
    for action in _actions_on(state, quick):
        if above is not None and is_line_between(above, action):
            menu.addSeparator()
        above = action
        refusal = entry.facts.refusal_of(action.name)
        text = action.text_for(state).replace("&", "&&")
        row = QAction(tr("{action}: {reason}", action=text, reason=refusal) if refusal else text, menu)
        row.setObjectName(f"message-{action.name}")
        row.setEnabled(action.can(state) and not refusal)
        if action.is_danger:
            menu.mark_danger(row)
        if action.icon:
            menu.set_icon(row, action.icon)
        row.triggered.connect(lambda _checked=False, chosen=action.name: do(chosen))
        menu.addAction(row)
    menu.make_room()
    return menu


def offered_by(
    entry: MessageEntry, *, starts_later: bool, quick: Sequence[MessageAction] = QUICK_ACTIONS
) -> frozenset[str]:
    """Return the names of the actions that a message offers now."""
    state = entry.state(starts_later=starts_later)
    return frozenset(
        each.name for each in _actions_on(state, quick) if each.can(state) and not entry.facts.refusal_of(each.name)
    )


def _actions_on(state: MessageState, quick: Sequence[MessageAction]) -> Iterator[MessageAction]:
    """Yield the actions that a message has in its menu, in order."""
    for action in MESSAGE_ACTIONS:
        if action.group is None or not action.applies(state) or (state.is_bare and not action.name.startswith("copy")):
            continue
        if action.name == QUICK:
            yield from quick
        else:
            yield action
