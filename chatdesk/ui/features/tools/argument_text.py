"""Writes the arguments of a tool's call so that a person can read and change them, and reads them back."""

from __future__ import annotations

import json
from typing import Any

from chatdesk.core.hidden_characters import escaped_in_json, visible_controls
from chatdesk.core.texts import Text


class NotArgumentsError(ValueError):
    """A text is no JSON object; the message is a sentence for the person who wrote it."""


def readable(arguments: str) -> str:
    """Return arguments, JSON as the model wrote it, indented, with characters that hide or turn a line round escaped. A
    text that is no JSON is returned with such characters spelt out."""
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return visible_controls(arguments)
    return escaped_in_json(json.dumps(value, ensure_ascii=False, indent=2))


def read_arguments(text: str) -> dict[str, Any]:
    """Return the arguments that a person wrote. Raises ``NotArgumentsError``."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise NotArgumentsError(Text("This is nested too deeply.")) from None
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            words = Text("This is not valid JSON in line {number}.", number=error.lineno)
            raise NotArgumentsError(words) from None
        raise NotArgumentsError(Text("This is not valid JSON.")) from None
    if not isinstance(value, dict):
        raise NotArgumentsError(Text("Arguments are a JSON object: { … }."))
    return value
