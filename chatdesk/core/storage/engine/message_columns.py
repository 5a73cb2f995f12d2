"""Declares the columns of a stored message, and where each of them goes.

All code that reads or writes whole messages (rows, the wire, exports, imports, the digest of a shared project) uses
these names. A test compares them with the table, and sends a value of every column along all of its ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Form(Enum):
    """The form of a column's values. The first three forms are read and written by code of their own; all others are
    plain values that need nothing but an entry in ``MESSAGE_COLUMNS``."""

    # Identity and place in the tree.
    FRAME = auto()
    # The actions of this profile's reader: versions, marks, trash.
    STATE = auto()
    # Computed from the other columns, or local to this computer.
    DERIVED = auto()
    # A time in milliseconds UTC.
    MOMENT = auto()
    # A whole number that is not negative.
    COUNT = auto()
    # A short text, a name or a code.
    WORD = auto()
    # A text that people read.
    TEXT = auto()
    # A JSON object, stored as text.
    DETAILS = auto()


@dataclass(frozen=True, slots=True)
class MessageColumn:
    """A column of ``messages``. ``travels``: others in a shared project get its value. ``is_exported``: ChatDesk's own
    file has it, and an import brings it back. ``is_rare``: null in nearly every message."""

    name: str
    form: Form
    travels: bool = False
    is_exported: bool = False
    is_rare: bool = False


def _shared(name: str, form: Form, *, is_rare: bool = False) -> MessageColumn:
    return MessageColumn(name, form, True, True, is_rare)


def _exported(name: str, form: Form) -> MessageColumn:
    return MessageColumn(name, form, is_exported=True)


# In the order of an export, which the formats keep: a new column comes last of its form.
MESSAGE_COLUMNS: Final = (
    _shared("id", Form.FRAME),
    MessageColumn("thread_id", Form.FRAME, travels=True),
    _shared("parent_id", Form.FRAME),
    _shared("role", Form.FRAME),
    _shared("status", Form.FRAME),
    _shared("created_at", Form.FRAME),
    _shared("completed_at", Form.MOMENT),
    _shared("provider", Form.WORD),
    _shared("model", Form.WORD),
    _exported("chosen_child_id", Form.STATE),
    _exported("context_mark", Form.STATE),
    _shared("latency_ms", Form.COUNT),
    _shared("time_to_first_token_ms", Form.COUNT),
    _shared("prompt_tokens", Form.COUNT),
    _shared("completion_tokens", Form.COUNT),
    _shared("total_tokens", Form.COUNT),
    _shared("cached_tokens", Form.COUNT),
    _shared("reasoning_tokens", Form.COUNT),
    _shared("finish_reason", Form.WORD),
    _shared("error", Form.TEXT, is_rare=True),
    _shared("error_type", Form.WORD, is_rare=True),
    _shared("error_details", Form.DETAILS, is_rare=True),
    _exported("deleted_at", Form.STATE),
    _exported("deleted_with", Form.STATE),
    _exported("purged_at", Form.STATE),
    MessageColumn("position", Form.DERIVED),
    MessageColumn("on_path", Form.DERIVED),
    MessageColumn("owner_pid_token", Form.DERIVED),
    MessageColumn("content_digest", Form.DERIVED),
    MessageColumn("hlc", Form.DERIVED),
    MessageColumn("origin_device", Form.DERIVED),
    MessageColumn("char_count", Form.DERIVED),
    MessageColumn("line_count", Form.DERIVED),
    MessageColumn("search_n", Form.DERIVED),
    MessageColumn("author_id", Form.DERIVED),
    MessageColumn("assistant_id", Form.DERIVED),
    _shared("assistant_name", Form.WORD, is_rare=True),
)

# The columns by name.
BY_NAME: Final = {column.name: column for column in MESSAGE_COLUMNS}
TRAVELLING: Final = tuple(column.name for column in MESSAGE_COLUMNS if column.travels)
EXPORTED: Final = tuple(column.name for column in MESSAGE_COLUMNS if column.is_exported)


def exported(*forms: Form) -> tuple[str, ...]:
    """Return the names of the exported columns of these forms."""
    return tuple(column.name for column in MESSAGE_COLUMNS if column.is_exported and column.form in forms)


def travelling(*forms: Form) -> tuple[str, ...]:
    """Return the names of the travelling columns of these forms."""
    return tuple(column.name for column in MESSAGE_COLUMNS if column.travels and column.form in forms)
