"""Exports of other programs as they are shaped, made here: small ones by hand, large ones by number."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

START_S = 1_700_000_000
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)


def node(
    key: str,
    parent: str | None,
    role: str = "user",
    text: str | None = None,
    *,
    at: float | None = None,
    content: Mapping[str, Any] | None = None,
    **message: Any,
) -> dict[str, Any]:
    """One entry of ChatGPT's ``mapping``; without text and content it is empty."""
    body = content if content is not None else {"content_type": "text", "parts": [text or ""]}
    metadata = message.pop("metadata", {})
    name = message.pop("name", None)
    return {
        "id": key,
        "parent": parent,
        "children": [],
        "message": None
        if text is None and content is None
        else {
            "id": key,
            "author": {"role": role, "name": name, "metadata": {}},
            "create_time": at,
            "update_time": None,
            "content": body,
            "status": "finished_successfully",
            "end_turn": None,
            "weight": 1.0,
            "recipient": "all",
            "metadata": metadata,
            **message,
        },
    }


def chatgpt(
    key: str,
    nodes: Sequence[Mapping[str, Any]],
    *,
    title: str | None = "A chat",
    current: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    return {
        "title": title,
        "create_time": START_S,
        "update_time": START_S + 1000,
        "mapping": {each["id"]: each for each in nodes},
        "moderation_results": [],
        "current_node": current or (nodes[-1]["id"] if nodes else None),
        "conversation_id": key,
        "id": key,
        "is_archived": False,
        "default_model_slug": "gpt-4o",
        **more,
    }


def plain_chatgpt(
    key: str, turns: int, *, title: str | None = None, text: str = "words", start_s: int = START_S
) -> dict[str, Any]:
    """A conversation of questions and answers in a row."""
    nodes = [node(f"{key}-root", None)]
    for number in range(turns):
        at = start_s + number * 60
        question, answer = f"{key}-q{number}", f"{key}-a{number}"
        nodes.append(node(question, nodes[-1]["id"], "user", f"question {number} {text}", at=at))
        nodes.append(
            node(
                answer,
                question,
                "assistant",
                f"answer {number} {text}",
                at=at + 5,
                metadata={"model_slug": "gpt-4o", "finish_details": {"type": "stop"}},
            )
        )
    return chatgpt(key, nodes, title=title or f"Chat {key}")


def claude(key: str, messages: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "uuid": key,
        "name": "A Claude chat",
        "created_at": "2024-05-01T10:00:00.000000Z",
        "updated_at": "2024-05-01T11:00:00.000000Z",
        "account": {"uuid": "account"},
        "chat_messages": list(messages),
        **more,
    }


def claude_message(key: str, sender: str, text: str, minute: int = 0, **more: Any) -> dict[str, Any]:
    at = f"2024-05-01T10:{minute:02d}:00.000000+00:00"
    return {
        "uuid": key,
        "text": text,
        "content": [{"type": "text", "text": text, "start_timestamp": at, "stop_timestamp": at, "citations": []}],
        "sender": sender,
        "created_at": at,
        "updated_at": at,
        "attachments": [],
        "files": [],
        **more,
    }


def write_json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def write_zip(path: Path, entries: Mapping[str, Any]) -> Path:
    """Entries are bytes, or data that becomes JSON."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in entries.items():
            archive.writestr(name, value if isinstance(value, bytes) else json.dumps(value))
    return path


def large_chatgpt(path: Path, *, threads: int, messages: int, seed: int = 1, characters: int = 600) -> Path:
    """A ``conversations.json`` of that size, written without holding it."""
    chance = random.Random(seed)
    words = [f"word{number}" for number in range(2_000)]
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for number in range(threads):
            text = " ".join(chance.choices(words, k=characters // 8))
            start = START_S + (threads - number) * 6 * 3600  # the newest comes first
            value = plain_chatgpt(f"thread-{seed}-{number}", messages // 2, text=text, start_s=start)
            file.write(("," if number else "") + json.dumps(value))
        file.write("]")
    return path


def mutated(data: bytes, chance: random.Random) -> bytes:
    """``data`` with some damage: bytes changed, cut, doubled, values swapped for others."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        if not out:
            break
        at = chance.randrange(len(out))
        kind = chance.randrange(5)
        if kind == 0:
            out[at] = chance.randrange(256)
        elif kind == 1:
            del out[at : at + chance.randint(1, 40)]
        elif kind == 2:
            out[at:at] = out[at : at + chance.randint(1, 60)]
        elif kind == 3:
            out[at:at] = chance.choice(_ODD)
        else:
            del out[at:]
    return bytes(out)


_ODD = (b"null", b"[]", b"{}", b'"', b"1e999", b"-1", b"NaN", b"[[[[", b"}}", b'"\\ud83d"', b"\xff\xfe", b"true,")


def odd_values(chance: random.Random) -> Any:
    """A value of a type that nobody expects in its place."""
    return chance.choice(
        (None, True, -1, 0, 10**30, 1e308, "", "x", "../../etc/passwd", "\ud83d", "\0", [], {}, [None], {"a": {}}, [[]])
    )


def with_odd_values(value: Any, chance: random.Random, share: float = 0.03) -> Any:
    """``value`` with some of what is in it swapped for something else, at any depth."""
    if chance.random() < share:
        return odd_values(chance)
    if isinstance(value, dict):
        return {key: with_odd_values(each, chance, share) for key, each in value.items()}
    if isinstance(value, list):
        return [with_odd_values(each, chance, share) for each in value]
    return value


def bomb(path: Path, *, size: int) -> Path:
    """A zip whose document unpacks to ``size`` bytes of nothing."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("conversations.json", "w") as entry:
        for piece in _spaces(size):
            entry.write(piece)
    return path


def _spaces(size: int) -> Iterator[bytes]:
    while size > 0:
        piece = b" " * min(size, 1 << 20)
        size -= len(piece)
        yield piece
