"""Exports of programs as public sources describe them: AnythingLLM, Chatbox, Cherry Studio, Gemini, Jan, LM Studio."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.helpers.export_samples import PNG

START_MS = 1_710_000_000_000
PNG_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()


def iso(second: int) -> str:
    return f"2024-03-09T16:{second // 60:02d}:{second % 60:02d}.000Z"


# AnythingLLM


def anythingllm_row(key: int, prompt: str, response: str, **more: Any) -> dict[str, Any]:
    return {
        "id": key,
        "prompt": prompt,
        "response": response,
        "sent_at": iso(key),
        "attachments": [],
        "workspace": "Garden",
        "username": "unknown user",
        "rating": "--",
        **more,
    }


def anythingllm_csv(rows: Sequence[dict[str, Any]]) -> str:
    columns = ["id", "workspace", "prompt", "response", "sent_at", "username", "rating"]
    quoted = [[str(row[name]).replace('"', '""').replace("\n", " ") for name in columns] for row in rows]
    return "\n".join([",".join(columns), *(",".join(f'"{value}"' for value in row) for row in quoted)])


def anythingllm_line(system: str, *said: str) -> dict[str, Any]:
    """One workspace of the JSON Lines export."""
    messages = [{"role": "system", "content": [{"type": "text", "text": system}]}]
    for number, text in enumerate(said):
        content = [{"type": "text", "text": text}]
        messages.append({"role": "assistant" if number % 2 else "user", "content": content})
    return {"messages": messages}


# Gemini


def gemini_activity(minute: int, title: str, html: str = "", **more: Any) -> dict[str, Any]:
    """One activity of Google Takeout's *My Activity*."""
    answer = {"safeHtmlItem": [{"html": html}]} if html else {}
    return {
        "header": "Gemini Apps",
        "title": title,
        "time": f"2026-03-{2 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00.123Z",
        "products": ["Gemini Apps"],
        "activityControls": ["Gemini Apps Activity"],
        **answer,
        **more,
    }


# LM Studio


def lm_user(*texts: str, chosen: int = 0) -> dict[str, Any]:
    versions = [{"type": "singleStep", "role": "user", "content": [{"type": "text", "text": each}]} for each in texts]
    return {"versions": versions, "currentlySelected": chosen}


def lm_text(text: str, at: int = 5, *, is_thought: bool = False, **info: Any) -> dict[str, Any]:
    step: dict[str, Any] = {
        "type": "contentBlock",
        "stepIdentifier": f"{START_MS + at * 1000}-0.123",
        "content": [{"type": "text", "text": text}],
        "defaultShouldIncludeInContext": not is_thought,
        "shouldIncludeInContext": not is_thought,
    }
    if is_thought:
        step |= {"style": {"type": "thinking", "ended": True, "title": "Thought"}, "prefix": "<think>"}
    if info:
        step["genInfo"] = {"identifier": "qwen3-8b", "stats": {"stopReason": "eosFound", **info}}
    return step


def lm_answer(*versions: Sequence[dict[str, Any]], chosen: int = 0) -> dict[str, Any]:
    made = [
        {"type": "multiStep", "role": "assistant", "senderInfo": {"senderName": "qwen"}, "steps": list(each)}
        for each in versions
    ]
    return {"versions": made, "currentlySelected": chosen}


def lm_studio(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": "A local chat",
        "pinned": False,
        "createdAt": START_MS,
        "tokenCount": 12,
        "systemPrompt": "",
        "messages": list(messages),
        "perChatPredictionConfig": {"fields": [{"key": "llm.prediction.systemPrompt", "value": "Be brief."}]},
        **more,
    }


# Chatbox


def chatbox_message(key: str, role: str, *parts: Any, **more: Any) -> dict[str, Any]:
    made = [{"type": "text", "text": part} if isinstance(part, str) else part for part in parts]
    return {"id": key, "role": role, "contentParts": made, "timestamp": START_MS, **more}


def chatbox_session(key: str, *messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": key, "type": "chat", "name": f"Session {key}", "messages": list(messages), **more}


def chatbox(*sessions: dict[str, Any]) -> dict[str, Any]:
    return {
        "__exported_items": ["conversations"],
        "__exported_at": iso(0),
        "configVersion": 12,
        **{f"session:{session['id']}": session for session in sessions},
        "chat-sessions-list": [{"id": session["id"], "name": session["name"]} for session in sessions],
    }


# Cherry Studio


def cherry_message(key: str, role: str, *blocks: str, **more: Any) -> dict[str, Any]:
    return {
        "id": key,
        "role": role,
        "assistantId": "default",
        "topicId": "t1",
        "createdAt": iso(int(more.pop("at", 0))),
        "status": "success",
        "blocks": list(blocks),
        **more,
    }


def cherry_block(key: str, kind: str = "main_text", **more: Any) -> dict[str, Any]:
    return {"id": key, "messageId": "m", "type": kind, "createdAt": iso(0), "status": "success", **more}


def cherry_studio(
    topics: Sequence[dict[str, Any]], blocks: Sequence[dict[str, Any]], *, names: dict[str, str], version: int = 5
) -> dict[str, Any]:
    listed = [{"id": key, "name": name, "createdAt": iso(0), "updatedAt": iso(50)} for key, name in names.items()]
    assistants = {"assistants": [{"id": "default", "name": "Helper", "prompt": "You help.", "topics": listed}]}
    return {
        "time": START_MS,
        "version": version,
        "localStorage": {"persist:cherry-studio": json.dumps({"assistants": json.dumps(assistants)})},
        "indexedDB": {"files": [], "message_blocks": list(blocks), "settings": [], "topics": list(topics)},
    }


# Jan


def jan_message(key: str, role: str, *content: Any, at: int = 0, **more: Any) -> dict[str, Any]:
    made = [
        {"type": "text", "text": {"value": each, "annotations": []}} if isinstance(each, str) else each
        for each in content
    ]
    return {
        "id": key,
        "object": "thread.message",
        "thread_id": "jan1",
        "role": role,
        "content": made,
        "status": "ready",
        "created_at": START_MS // 1000 + at,
        "completed_at": START_MS // 1000 + at,
        "metadata": {},
        **more,
    }


def jan_thread(key: str = "jan1", title: str = "A Jan thread", **more: Any) -> dict[str, Any]:
    assistant = {"assistant_id": "jan", "assistant_name": "Jan", "instructions": "Be Jan.", "model": {"id": "gemma-3"}}
    return {
        "id": key,
        "object": "thread",
        "title": title,
        "assistants": [assistant],
        "created": START_MS // 1000,
        "updated": START_MS // 1000 + 60,
        "metadata": {},
        **more,
    }


def lines(values: Sequence[Any]) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def write_jan(folder: Path, messages: Sequence[dict[str, Any]], **about: Any) -> Path:
    """A thread as Jan keeps it below ``folder``."""
    thread = jan_thread(**about)
    place = folder / thread["id"]
    place.mkdir(parents=True, exist_ok=True)
    (place / "thread.json").write_text(json.dumps(thread, indent=2), encoding="utf-8")
    (place / "messages.jsonl").write_text(lines(messages), encoding="utf-8")
    return folder


# One of each, with something of everything


def sample_of(program: str) -> Any:
    """The value of a small document of that program; of Jan the messages, of AnythingLLM the rows."""
    return _SAMPLES[program]()


def _lm_sample() -> dict[str, Any]:
    return lm_studio(
        lm_user("Hi", "Hello", chosen=1),
        lm_answer(
            [lm_text("Hm", 5, is_thought=True), lm_text("One", 6, promptTokensCount=7, predictedTokensCount=3)],
            [lm_text("Two", 9)],
        ),
        lm_user("And now?"),
        lm_answer([lm_text("Now this.", 20)]),
    )


def _chatbox_sample() -> dict[str, Any]:
    call = {
        "type": "tool-call",
        "state": "result",
        "toolCallId": "c1",
        "toolName": "look",
        "args": {"q": 1},
        "result": "found",
    }
    others = [{"id": "l1", "messages": [chatbox_message("a2", "assistant", "Other")]}, {"id": "l2", "messages": []}]
    fork = {"position": 1, "createdAt": 1, "lists": others}
    return chatbox(
        chatbox_session(
            "s1",
            chatbox_message("p", "system", "You are kind."),
            chatbox_message("q", "user", "Hi", {"type": "image", "storageKey": "picture:1"}),
            chatbox_message("a", "assistant", {"type": "reasoning", "text": "Hm"}, call, "Hello", model="gpt-x"),
            messageForksHash={"q": fork},
            threads=[
                {"id": "o", "name": "Before", "createdAt": START_MS, "messages": [chatbox_message("x", "user", "Old")]}
            ],
        )
    )


def _cherry_sample() -> dict[str, Any]:
    messages = [
        cherry_message("q", "user", "b1", at=1),
        cherry_message("a1", "assistant", "b2", "b3", at=2, askId="q", model={"id": "m-1"}),
        cherry_message("a2", "assistant", "b4", at=3, askId="q", useful=True),
        cherry_message("q2", "user", "b5", at=4),
    ]
    blocks = [
        cherry_block("b1", content="Hi"),
        cherry_block("b2", "thinking", content="Hm", thinking_millsec=5),
        cherry_block("b3", content="One"),
        cherry_block("b4", content="Two"),
        cherry_block("b5", content="Next"),
    ]
    return cherry_studio([{"id": "t1", "messages": messages}], blocks, names={"t1": "A topic"})


def _jan_sample() -> list[dict[str, Any]]:
    call = {"type": "tool_call", "tool_call_id": "c", "tool_name": "look", "input": {"q": 1}, "output": "found"}
    thought = {"type": "reasoning", "text": {"value": "Hm", "annotations": []}}
    return [
        jan_message("m1", "user", "Hi", {"type": "image_url", "image_url": {"url": PNG_URL}}),
        jan_message("m2", "assistant", thought, call, "Hello", at=5),
        jan_message("m3", "user", "Bye", at=9),
    ]


def _anythingllm_sample() -> list[dict[str, Any]]:
    picture = [{"type": "image", "image": PNG_URL}]
    return [
        anythingllm_row(1, "Hi", "<think>Hm</think>Hello", attachments=picture),
        anythingllm_row(2, "How are you?", "Other room", workspace="Attic"),
        anythingllm_row(3, "Bye", "See you"),
    ]


def _gemini_sample() -> list[dict[str, Any]]:
    return [
        gemini_activity(95, "Prompted Another day", "<p>Yes.</p>"),
        gemini_activity(11, "Prompted And then?", "<ul><li><p>One <b>bold</b></p></li></ul>", attachedFiles=["a.png"]),
        gemini_activity(10, "Prompted Hi", '<p>Hello <a href="https://a.example/">there</a></p>'),
    ]


_SAMPLES = {
    "anythingllm": _anythingllm_sample,
    "chatbox": _chatbox_sample,
    "cherry_studio": _cherry_sample,
    "gemini": _gemini_sample,
    "jan": _jan_sample,
    "lm_studio": _lm_sample,
}
PROGRAMS = tuple(_SAMPLES)
