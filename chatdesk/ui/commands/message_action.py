"""Describes an action on a message: its label and icon, and the messages that offer it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Final, Literal

from chatdesk.core.domain import message
from chatdesk.core.domain.artifacts.file_change import FILE_DIFF
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.tools import open_calls
from chatdesk.core.texts import Text, shown

# How the name of a quick action begins; "shorter", "longer" or the id of a prompt follows.
QUICK: Final = "quick:"
# The line that begins a block of HTML, also in a list or a quote.
_PAGE: Final = r"^[\s>*+\-\d.)]*(?:`{3,}|~{3,})[ \t]*x?html?\b"

MenuGroup = Literal["copy", "ask", "quick", "versions", "branch", "context", "remove"]


@dataclass(frozen=True, slots=True)
class MessageState:
    """The facts that decide what a message offers; ``starts_later`` is one about its thread: the context does not start
    at the beginning. ``is_bare``: it is no message of a thread, but the text of an artifact. ``has_artifact`` tells
    whether it has long code or a file; it is asked only for a menu, because it looks at all of the message."""

    message: Message
    is_unanswered: bool
    can_continue: bool
    has_quick_actions: bool
    is_context_start: bool
    is_shared: bool
    has_selection: bool = False
    starts_later: bool = False
    is_bare: bool = False
    has_artifact: Callable[[], bool] = bool


Condition = Callable[[MessageState], bool]


def _domain() -> ModuleType:
    """Import the domain of messages on first use: the table of actions is read before the first paint."""
    return message


def always(_state: MessageState) -> bool:
    """Return True for every message."""
    return True


def is_final(state: MessageState) -> bool:
    """Return whether nothing of the message is still to come: it is complete, stopped or failed."""
    return state.message.status.is_final


def is_question(state: MessageState) -> bool:
    """Return whether a person wrote the message in the thread: the reader or another member."""
    return state.message.role is _domain().Role.USER


def is_answer(state: MessageState) -> bool:
    """Return whether the message is anything but a question."""
    return not is_question(state)


def is_by_model(state: MessageState) -> bool:
    """Return whether a model wrote the message, or a person as its answer."""
    return state.message.role is _domain().Role.ASSISTANT


def has_open_calls(state: MessageState) -> bool:
    """Return whether calls of the answer waited or ran when ChatDesk ended."""
    if not state.can_continue or not is_by_model(state):
        return False

    return bool(open_calls(state.message))


def has_changes(state: MessageState) -> bool:
    """Return whether the answer proposes changes to files."""
    if not is_by_model(state):
        return False

    return any(FILE_DIFF in part.content for part in state.message.parts)


def has_page(state: MessageState) -> bool:
    """Return whether the message has HTML in a block of code, which a browser can show."""
    return is_final(state) and re.search(_PAGE, state.message.text, re.IGNORECASE | re.MULTILINE) is not None


def is_pinned(state: MessageState) -> bool:
    """Return whether the message is always part of the context."""
    return state.message.context_mark is _domain().ContextMark.PINNED


def is_excluded(state: MessageState) -> bool:
    """Return whether the message is left out of the context."""
    return state.message.context_mark is _domain().ContextMark.EXCLUDED


def has_versions(state: MessageState) -> bool:
    """Return whether there are other versions of the message."""
    return state.message.version_count > 1


def has_quick_actions(state: MessageState) -> bool:
    """Return whether quick questions can be asked about the message."""
    return state.has_quick_actions


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MessageAction:
    """An action on a message.

    ``text`` is its words; ``text_of`` gives those of the menu where they depend on the message. A message has the row
    when it ``applies``, and the row is enabled when it ``can`` be done. ``is_tool``: it has a button below the message,
    too. ``writes``: it needs the right to write in a shared project. ``is_danger``: it removes the message, which in a
    shared project its author and those who manage may do. ``command``: the command of the catalogue that runs it, or
    says ``otherwise`` when no message in view offers it. Without a ``group`` it is in no menu.
    """

    name: str
    text: str
    group: MenuGroup | None
    icon: str = ""
    applies: Condition = always
    can: Condition = is_final
    text_of: Callable[[MessageState], str] | None = None
    is_tool: bool = False
    writes: bool = False
    is_danger: bool = False
    command: str = ""
    otherwise: str = Text("There is no finished message here.")

    def text_for(self, state: MessageState) -> str:
        return shown(self.text) if self.text_of is None else self.text_of(state)


def quick_action(key: str, text: str, *, command: str = "", otherwise: str = "") -> MessageAction:
    """Return the action that asks a question about an answer: a built-in one, or a person's prompt."""
    return MessageAction(
        f"{QUICK}{key}",
        text,
        "quick",
        applies=has_quick_actions,
        writes=True,
        command=command,
        otherwise=otherwise,
    )


def is_line_between(above: MessageAction, below: MessageAction) -> bool:
    """Return whether a line is in the menu between these two rows: groups are apart, but for a branch, which is
    with what asks for other answers and versions."""
    return above.group != below.group and (below.group != "branch" or above.group == "quick")
