"""Builds the menu of a message each time it is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from chatdesk.core.domain.message import Role
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.icons import icon
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.messages.quick import QUICK, QUICK_ACTIONS
from chatdesk.ui.widgets.danger_menu import DangerMenu

_ICONS = {
    "copy": "copy",
    "quote": "corner-down-right",
    "edit": "pencil",
    "edit-answer": "pencil",
    "answer": "sparkles",
    "regenerate": "refresh-cw",
    "regenerate-with": "sparkles",
    "continue": "play",
    "version-previous": "chevron-left",
    "version-next": "chevron-right",
    "compare": "panel-right",
    "branch": "git-branch",
    "pin": "pin",
    "unpin": "pin-off",
    "exclude": "eye-off",
    "include": "eye",
    "start-here": "corner-down-right",
    "start-at-beginning": "rotate-ccw",
    "delete": "trash-2",
    "erase": "trash-2",
}
_DANGERS = ("delete", "erase")
_Row = tuple[str, str, bool]  # action, words, whether it can be done


def build_menu(
    parent: QWidget,
    entry: MessageEntry,
    style: TranscriptStyle,
    *,
    has_selection: bool,
    starts_later: bool,
    do: Callable[[str], None],
    quick: Sequence[tuple[str, str]] = QUICK_ACTIONS,
) -> QMenu:
    """Return the menu of a message; ``do`` gets the name of the chosen action.

    Names are ``copy``, ``copy-markdown``, ``edit`` and so on. ``starts_later`` says that the context of the thread does
    not start at its beginning. ``quick`` are keys and names of the quick actions.
    """
    menu = DangerMenu(style.colour("danger"), style.colour("selected"), style.colour("card"), parent)
    menu.setObjectName("messageMenu")
    round_corners(menu, style.tokens.radius.row)
    for row in _rows(entry, has_selection=has_selection, starts_later=starts_later, quick=quick):
        if row is None:
            menu.addSeparator()
            continue
        name, label, is_enabled = row
        refusal = entry.is_refused(name)
        action = QAction(f"{label}: {refusal}" if refusal else label, menu)
        action.setObjectName(f"message-{name}")
        action.setEnabled(is_enabled and not refusal)
        if name in _ICONS:
            action.setIcon(icon(_ICONS[name], style.colour("danger" if name in _DANGERS else "muted")))
        if name in _DANGERS:
            menu.mark_danger(action)
        action.triggered.connect(lambda _checked=False, chosen=name: do(chosen))
        menu.addAction(action)
    return menu


def offered_by(
    entry: MessageEntry, *, starts_later: bool, quick: Sequence[tuple[str, str]] = QUICK_ACTIONS
) -> frozenset[str]:
    """Return the names of the actions that a message offers now."""
    rows = _rows(entry, has_selection=False, starts_later=starts_later, quick=quick)
    return frozenset(row[0] for row in rows if row is not None and row[2] and not entry.is_refused(row[0]))


def _rows(
    entry: MessageEntry, *, has_selection: bool, starts_later: bool, quick: Sequence[tuple[str, str]]
) -> list[_Row | None]:
    message = entry.message
    is_final = message.status.is_final
    is_answer = not entry.is_question
    rows: list[_Row | None] = [
        ("copy", "Copy selection" if has_selection else "Copy", True),
        ("copy-markdown", "Copy as Markdown", True),
        ("copy-plain", "Copy as plain text", True),
        ("copy-rich", "Copy as rich text", True),
        ("quote", "Quote selection" if has_selection else "Quote", True),
        None,
    ]
    if entry.is_question:
        if entry.is_unanswered:
            rows.append(("answer", "Answer", is_final))
            rows.append(("regenerate-with", "Answer with another model…", is_final))
        rows.append(("edit", "Edit", is_final))
    if is_answer:
        rows.append(("regenerate", "Regenerate", is_final))
        rows.append(("regenerate-with", "Regenerate with another model…", is_final))
        if entry.can_continue:
            rows.append(("continue", "Continue", True))
        if message.role is Role.ASSISTANT:
            rows.append(("edit-answer", "Edit answer", is_final))
        if entry.has_quick_actions:
            rows += [None, *((f"{QUICK}{key}", name.replace("&", "&&"), is_final) for key, name in quick)]
    if message.version_count > 1:
        rows += [
            None,
            ("version-previous", "Previous version", message.version_index > 1),
            ("version-next", "Next version", message.version_index < message.version_count),
        ]
        if is_answer:
            rows.append(("compare", "Compare versions", True))
    elif is_answer and rows[-1] is not None and rows[-1][0].startswith(QUICK):
        rows.append(None)
    rows.append(("branch", "Branch into a new thread", is_final))
    rows += [None, *_context_rows(entry, starts_later=starts_later)]
    rows += [None, ("delete", "Delete", is_final)]
    if entry.is_shared:
        rows.append(("erase", "Erase for everyone…", is_final))
    return rows


def _context_rows(entry: MessageEntry, *, starts_later: bool) -> list[_Row]:
    """Return the menu rows by which this message decides what is sent of the thread."""
    is_final = entry.message.status.is_final
    rows: list[_Row] = [
        ("unpin", "Unpin from the context", is_final) if entry.is_pinned else ("pin", "Pin into the context", is_final),
        ("include", "Let the model see it" if entry.message.is_note else "Include in the context again", is_final)
        if entry.is_excluded
        else ("exclude", "Exclude from the context", is_final),
    ]
    if not entry.is_context_start:
        rows.append(("start-here", "Start the context here", is_final))
    if starts_later:
        rows.append(("start-at-beginning", "Start the context at the beginning", True))
    return rows
