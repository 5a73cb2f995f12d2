"""What is shown over or beside the thread of a chat, and whether what it belongs to is still there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from PySide6.QtWidgets import QWidget

from chatdesk.ui.application.pane_bindings import PaneBindings

# What is always there; what lies inside of the first ones may come and go.
_GROUNDS: Final = frozenset(("composerCard", "qt_scrollarea_viewport", "qt_scrollarea_vcontainer", "transcript"))
_FURNITURE: Final = frozenset((
    "threadHeader", "emptyState", "composer", "sendButton", "stopButton", "addButton", "assistantButton", "tokenCount",
    "parametersChip", "toolsButton", "qt_scrollarea_hcontainer",
))  # fmt: skip


def _has_thread(chat: PaneBindings) -> bool:
    return chat.threads.thread_id is not None


def _is_unusual(chat: PaneBindings) -> bool:
    messages = chat.messages
    return bool(messages.edit.words or messages.models.compared or messages.assistants.once_id)


def _always(_chat: PaneBindings) -> bool:
    return True


OWNED: Final[dict[str, Callable[[PaneBindings], bool]]] = {
    "toast": _always,
    "banner": _always,
    "composerNotice": _always,
    "updateNotice": _always,
    "attachmentNote": _always,
    "promptMenu": _always,
    "modelChooser": _always,
    "signInCard": _always,
    "threadNote": _has_thread,
    "summaryBar": _has_thread,
    "consentCard": _has_thread,
    "requestCard": _has_thread,
    "messageMenu": _has_thread,
    "threadMenu": _has_thread,
    "waitingQuestions": _has_thread,
    "findBar": _has_thread,
    "linkStatus": _has_thread,
    "jumpToNewest": _has_thread,
    "compareView": lambda chat: _has_thread(chat) and chat.comparison.view is not None,
    "composerQuestion": _has_thread,
    "composerState": _is_unusual,
    "composerRemark": lambda chat: "@" in chat.panes.composer.text(),
    "attachments": lambda chat: bool(chat.panes.composer.files.attached),
}


def _things(widget: QWidget) -> Iterator[str]:
    for each in widget.children():
        if not isinstance(each, QWidget) or not each.isVisible():
            continue
        name = each.objectName()
        if name and name not in _GROUNDS:
            if name not in _FURNITURE:
                yield name
        else:
            yield from _things(each)


def things_over(chat: PaneBindings) -> set[str]:
    """Return the names of what is shown in a chat beside its furniture."""
    area = chat.panes.pane.findChild(QWidget, "threadArea")
    return set(_things(area)) if area is not None else set()


def things_without_row(chat: PaneBindings) -> set[str]:
    """Return the names of things for which nobody wrote down what they belong to."""
    return things_over(chat) - OWNED.keys()


def things_without_owner(chat: PaneBindings) -> set[str]:
    """Return the names of things whose owner is gone."""
    return {name for name in things_over(chat) & OWNED.keys() if not OWNED[name](chat)}
