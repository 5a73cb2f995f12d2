"""Reads what a server answers to *list models*; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from chatdesk.core.providers.base import ListedModel
from chatdesk.core.providers.text_repair import repair

_MAX_MODELS = 5000
_MAX_ID = 300
_WINDOW_FIELDS = ("max_input_tokens", "context_length", "context_window", "max_model_len", "max_context_length")
_ANSWER_FIELDS = ("max_tokens", "max_output_tokens", "max_completion_tokens")
# OpenAI lists everything it has; these do not chat.
_NOT_FOR_CHAT = re.compile(
    r"embedding|whisper|tts|dall-e|image|moderation|realtime|audio|transcribe|davinci|babbage|sora|computer-use|search",
    re.IGNORECASE,
)


def read_models(body: bytes, *, is_openai: bool) -> tuple[ListedModel, ...]:
    """The models named in ``body`` in its order, each once. Raises ``ValueError`` when it is no list of models."""
    document = json.loads(body.decode("utf-8"))
    rows = document.get("data", document.get("models")) if isinstance(document, Mapping) else document
    if not isinstance(rows, list):
        raise TypeError("no list of models")
    models: dict[str, ListedModel] = {}
    for row in rows[:_MAX_MODELS]:
        model_id = row.get("id") if isinstance(row, Mapping) else None
        if not isinstance(model_id, str) or not model_id or len(model_id) > _MAX_ID:
            continue
        if is_openai and _NOT_FOR_CHAT.search(model_id):
            continue
        model_id = repair(model_id)
        name = row.get("name", row.get("display_name"))
        label = repair(name[:_MAX_ID]) if isinstance(name, str) and name.strip() else model_id
        models.setdefault(
            model_id, ListedModel(model_id, label, _figure(row, _WINDOW_FIELDS), _figure(row, _ANSWER_FIELDS))
        )
    return tuple(models.values())


def _figure(row: Mapping[str, object], fields: Sequence[str]) -> int | None:
    for field in fields:
        value = row.get(field)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31:
            return value
    return None
