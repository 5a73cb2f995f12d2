"""Reads the bodies of registers into columns. A body comes from another member: invalid values become defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from chatdesk.core.domain.parameters import parameters_from
from chatdesk.core.domain.thread import TitleSource
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.storage.chat.projects import LONGEST_NAME, checked_colour
from chatdesk.core.storage.engine import change_log, steering
from chatdesk.core.storage.engine.plain_text import clean, from_json, title_columns, to_json
from chatdesk.core.storage.sync.wire.rows import word
from chatdesk.core.texts import Text, shown

LONGEST_TITLE: Final = 2_000
UNTITLED: Final = "Untitled"

Values = Mapping[str, Any]
Columns = dict[str, Any]
_SOURCES: Final = frozenset(source.value for source in TitleSource)


def _title(body: Values) -> Columns:
    title, source = body.get("title"), body.get("title_source")
    kept = clean_line(clean(title[:LONGEST_TITLE])) if isinstance(title, str) else ""
    return {
        **title_columns(kept or UNTITLED),
        "title_source": source if source in _SOURCES else TitleSource.PERSON.value,
    }


def _name(body: Values) -> Columns:
    name = body.get("name")
    kept = clean_line(clean(name))[:LONGEST_NAME].strip() if isinstance(name, str) else ""
    return {"name": kept or shown(Text("Shared project"))}


def _colour(body: Values) -> Columns:
    colour = body.get("colour")
    return {"colour": checked_colour(colour if isinstance(colour, str) else "")}


def _system_prompt(body: Values) -> Columns:
    text = body.get("system_prompt")
    return {"system_prompt": clean(text) if isinstance(text, str) else ""}


def _model(body: Values) -> Columns:
    return {"provider": word(body.get("provider")), "model": word(body.get("model"))}


def _parameters(body: Values) -> Columns:
    stored = body.get("parameters")
    values = from_json(stored) if isinstance(stored, str) else stored if isinstance(stored, dict) else {}
    return {"parameters": to_json(parameters_from(values).as_json())}


def _summaries(body: Values) -> Columns:
    return {"is_without_summaries": int(body.get("is_without_summaries") in (1, True))}


def _switch(body: Values) -> Columns:
    return {"is_off": int(body.get("is_off") in (1, True))}


Reader = Callable[[Values], Columns]
_OF_BOTH: Final[Mapping[str, Reader]] = {
    steering.SYSTEM_PROMPT: _system_prompt,
    steering.MODEL: _model,
    steering.PARAMETERS: _parameters,
    steering.SUMMARIES: _summaries,
}
THREAD: Final[Mapping[str, Reader]] = {change_log.TITLE: _title, **_OF_BOTH}
PROJECT: Final[Mapping[str, Reader]] = {change_log.NAME: _name, change_log.COLOUR: _colour, **_OF_BOTH}
SUMMARY: Final[Mapping[str, Reader]] = {change_log.SWITCH: _switch}
# Registers whose values are sent to a model, or select what is sent.
CONTEXT: Final = frozenset((steering.SYSTEM_PROMPT, steering.PARAMETERS, steering.SUMMARIES, change_log.SWITCH))


def thread_columns(body: Values) -> Columns:
    """Return the columns of all registers of a thread, from the body of its creation."""
    return {name: value for read in THREAD.values() for name, value in read(body).items()}
