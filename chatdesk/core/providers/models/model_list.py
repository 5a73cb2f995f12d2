"""Reads a server's answer to *list models*; pure. Servers describe their models in many ways; plain statements are
believed, and a model that is not made for chats is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from chatdesk.core.domain.model_info import Price
from chatdesk.core.providers.base import ListedModel
from chatdesk.core.providers.text_repair import repair

_MAX_MODELS = 5000
_MAX_ID = 300
_LARGEST_PRICE = 1_000_000.0
# The first is the size that the server has loaded, the others are the model's maximum.
_WINDOW_FIELDS = (
    "loaded_context_length",
    "n_ctx",
    "num_ctx",
    "max_input_tokens",
    "context_length",
    "context_window",
    "max_model_len",
    "max_context_length",
)
_ANSWER_FIELDS = ("max_tokens", "max_output_tokens", "max_completion_tokens")
_SIGHT_FIELDS = ("vision", "supports_vision", "supports_image_in", "image_input", "supports_images")
# OpenAI lists everything it has; these do not chat.
_NOT_FOR_CHAT_AT_OPENAI = re.compile(
    r"embedding|whisper|tts|dall-e|image|moderation|realtime|audio|transcribe|davinci|babbage|sora|computer-use|search",
    re.IGNORECASE,
)
# Whole words of names, for servers that say nothing else of their models.
_NOT_FOR_CHAT = re.compile(
    r"(?:^|[/_.:\s-])(?:embed(?:ding|dings|der)?|bge|e5|gte|minilm|rerank|reranker|colbert|whisper|tts|transcribe|"
    r"dall-e|gpt-image|stable-diffusion|sdxl|flux|imagen|veo|sora|moderation)(?:$|[/_.:\s\d-])",
    re.IGNORECASE,
)
_CHATTING_KINDS = {"chat", "language", "llm", "vlm", "code", "text-generation", "image-text-to-text"}
_OTHER_KINDS = re.compile(r"embed|image|rerank|moderation|audio|speech|transcri|tts|video|feature", re.IGNORECASE)
_CHATTING = {"completion", "completion_chat", "chat", "chat_completion", "tools"}
_SEEING = {"vision", "multimodal", "image", "image_input"}


class LocalServer(StrEnum):
    """A local server that gives details of its models at addresses of its own."""

    OLLAMA = "ollama"
    LM_STUDIO = "lm-studio"


# The owner of models in the lists of such a server.
_OWNERS = {"library": LocalServer.OLLAMA, "organization_owner": LocalServer.LM_STUDIO}


def read_models(body: bytes, *, is_openai: bool) -> tuple[ListedModel, ...]:
    """Return the chat models named in ``body``, in its order, each once. Raises ``ValueError`` or ``TypeError`` if
    it is no list of models."""
    models: dict[str, ListedModel] = {}
    for row in _rows(json.loads(body.decode("utf-8"))):
        model_id = row.get("id")
        if not isinstance(model_id, str) or not model_id or len(model_id) > _MAX_ID:
            continue
        if (is_openai and _NOT_FOR_CHAT_AT_OPENAI.search(model_id)) or not _is_for_chat(model_id, row):
            continue
        model = model_of(repair(model_id), row)
        models.setdefault(model.id, model)
    return tuple(models.values())


def local_server(body: bytes) -> LocalServer | None:
    """Return the local server that gave this list, if it can be asked for details; None for an unreadable list."""
    try:
        rows = _rows(json.loads(body.decode("utf-8")))
    except (ValueError, TypeError, RecursionError):
        return None
    owners = (row.get("owned_by") for row in rows)
    return next((_OWNERS[each] for each in owners if isinstance(each, str) and each in _OWNERS), None)


def model_of(model_id: str, row: Mapping[str, Any]) -> ListedModel:
    """Return the model that a row of a list describes."""
    name = row.get("name", row.get("display_name"))
    top = row.get("top_provider")
    places = [row, *(each for each in (row.get("meta"), top) if isinstance(each, Mapping))]
    return ListedModel(
        model_id,
        repair(name[:_MAX_ID]) if isinstance(name, str) and name.strip() else model_id,
        _figure(places, _WINDOW_FIELDS),
        _figure(places, _ANSWER_FIELDS),
        _sees_images(row),
        _price(row.get("pricing")),
        draws="image" in _modalities(row, "output"),
    )


def _rows(document: object) -> list[Mapping[str, Any]]:
    """Return the rows of a list. llama.cpp sends two lists; the second has the abilities of a model."""
    if not isinstance(document, Mapping):
        rows, more = document, None
    else:
        rows, more = document.get("data", document.get("models")), document.get("models")
    if not isinstance(rows, list):
        raise TypeError("no list of models")
    found = [row for row in rows[:_MAX_MODELS] if isinstance(row, Mapping)]
    if more is rows or not isinstance(more, list):
        return found
    named = {row.get("name"): row for row in more[:_MAX_MODELS] if isinstance(row, Mapping) and _is_text(row, "name")}
    return [{**named.get(row.get("id") if _is_text(row, "id") else "", {}), **row} for row in found]


def _is_text(row: Mapping[str, Any], name: str) -> bool:
    return isinstance(row.get(name), str)


def _is_for_chat(model_id: str, row: Mapping[str, Any]) -> bool:
    """Return whether a model chats: by the server's description, or by the model's name if there is none."""
    for kind in (row.get("type"), row.get("task"), row.get("pipeline_tag")):
        if isinstance(kind, str) and kind.lower() in _CHATTING_KINDS:
            return True
        if isinstance(kind, str) and _OTHER_KINDS.search(kind):
            return False
    written = _modalities(row, "output")
    if written:
        return "text" in written
    abilities = _abilities(row)
    if abilities is not None and abilities & _CHATTING:
        return True
    if abilities is not None and any("embed" in each for each in abilities):
        return False
    return not _NOT_FOR_CHAT.search(model_id)


def _sees_images(row: Mapping[str, Any]) -> bool | None:
    """Return whether a model reads images; None if the server does not say."""
    read = _modalities(row, "input")
    if read:
        return "image" in read
    if row.get("type") in ("vlm", "image-text-to-text"):
        return True
    capabilities = row.get("capabilities")
    for place in (row, capabilities):
        if isinstance(place, Mapping):
            sees = next((_truth(place[name]) for name in _SIGHT_FIELDS if _truth(place.get(name)) is not None), None)
            if sees is not None:
                return sees
    abilities = _abilities(row)
    return bool(abilities & _SEEING) if abilities is not None and isinstance(capabilities, list) else None


def _abilities(row: Mapping[str, Any]) -> set[str] | None:
    """Return the names of a model's abilities; None if the server does not say."""
    abilities = row.get("capabilities")
    if isinstance(abilities, list):
        return {each.lower() for each in abilities[:100] if isinstance(each, str)}
    if isinstance(abilities, Mapping):
        return {str(name).lower() for name, value in abilities.items() if _truth(value)}
    return None


def _modalities(row: Mapping[str, Any], side: str) -> set[str]:
    """Return the kinds of input or output, such as ``text`` and ``image``; empty if the server does not say."""
    architecture = row.get("architecture")
    for place in (architecture, row):
        modalities = place.get(f"{side}_modalities") if isinstance(place, Mapping) else None
        if isinstance(modalities, list):
            return {each.lower() for each in modalities[:20] if isinstance(each, str)}
    arrow = architecture.get("modality") if isinstance(architecture, Mapping) else None
    if isinstance(arrow, str) and "->" in arrow:
        before, _, after = arrow.lower().partition("->")
        return set((before if side == "input" else after).split("+"))
    return set()


def _truth(value: object) -> bool | None:
    """Return a yes or a no; some servers write it as ``{"supported": true}``."""
    if isinstance(value, Mapping):
        value = value.get("supported")
    return value if isinstance(value, bool) else None


def _price(pricing: object) -> Price | None:
    """Return dollars for a million tokens: some write the price of one token as ``prompt``, others of a million as
    ``input``. A price of zero, in the second form, means that it was not filled in."""
    if not isinstance(pricing, Mapping):
        return None
    for names, factor in (
        (("prompt", "completion", "input_cache_read"), 1_000_000),
        (("input", "output", "cached"), 1),
    ):
        read, written, cached = (_amount(pricing.get(name), factor) for name in names)
        if read is not None and written is not None and (factor > 1 or read or written):
            return Price(input=read, cached_input=read if cached is None else min(cached, read), output=written)
    return None


def _amount(value: object, factor: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = round(float(value) * factor, 6)
    except (ValueError, OverflowError):
        return None
    return amount if 0 <= amount <= _LARGEST_PRICE else None


def _figure(places: Iterable[Mapping[str, object]], fields: Sequence[str]) -> int | None:
    for field in fields:
        for place in places:
            value = place.get(field)
            if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31:
                return value
    return None
