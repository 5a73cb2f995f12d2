"""Servers as strict as the strictest of their kind: they refuse a request for anything that one of them was seen to
refuse, and answer a right one with a turn of three steps: two calls at once, a third one, and a text.

Each is a file in ``tests/data/strict_servers``; adding one needs no code. Its fields:

    about         what it is strict about, in a sentence
    preset, api   how a person sets it up
    model         a model of it
    ids           the form of the ids that it gives, with ``n``, a number that counts; empty: it gives none
    call_ids      the pattern of the ids that it takes; any if it has none
    thought       the field in which its thoughts are; they come back with their calls, and to nobody else
    needs_thought a message with calls that another model made has a thought too, and not an empty one
    signature     the first call of a message is signed
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from chatdesk.core.providers.wire import CONTINUE_INSTRUCTION
from tests.helpers.fault_server import Exchange

SERVERS: Final = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[1] / "data" / "strict_servers").glob("*.json"))
}
TOOL: Final = "sums__add"
ANSWER: Final = "The sum is ten."
_ARGUMENTS: Final = ('{"a":1,"b":2}', '{"a":3,"b":4}', '{"a":3,"b":7}')
CHANGED: Final = "Invalid `signature` in `thinking` block. The block is bound to a different conversation."
_FOREIGN: Final = "skip_thought_signature_validator"


class Wrong(Exception):
    """A request that the server refuses."""


def want(is_right: object, why: str) -> None:
    if not is_right:
        raise Wrong(why)


class StrictServer:
    """One server: ``script`` plays it, ``refused`` says why it refused requests."""

    def __init__(self, name: str) -> None:
        self.rules: Mapping[str, Any] = SERVERS[name]
        self.refused: list[str] = []
        self.breaks_at_step = -1
        self._count = 0
        self._bound: dict[str, str] = {}  # what was before each signed thought when it was made
        self._own: dict[str, str] = {}  # the thought or signature that came with each call that this server made

    async def script(self, exchange: Exchange) -> None:
        body = exchange.request.json
        api = self.rules.get("api", "chat")
        try:
            step = {"chat": self._chat, "anthropic": self._anthropic, "responses": self._responses}[api](body)
        except Wrong as wrong:
            self.refused.append(str(wrong))
            data = json.dumps({"error": {"type": "invalid_request_error", "message": str(wrong)}}).encode()
            await exchange.start(400, content_type="application/json", length=len(data))
            await exchange.send_raw(data)
            return
        if self.rules["preset"] == "anthropic":
            self._bound[f"c2ln{self._count}"] = _before(body, len(body["messages"]))
        sends = {"chat": self._send_chat, "anthropic": self._send_anthropic, "responses": self._send_responses}[api]
        await exchange.start()
        events = list(sends(step))
        is_cut = step == self.breaks_at_step
        for event in events[: len(events) // 2] if is_cut else events:
            name = event.get("type") if api != "chat" else None
            await exchange.event(event, name=name)
        if is_cut:
            self.breaks_at_step = -1
            exchange.reset()
            return
        if api == "chat":
            await exchange.send("data: [DONE]\n\n")
        await exchange.end()

    # What it refuses

    def _chat(self, body: Mapping[str, Any]) -> int:
        messages = body["messages"]
        said = messages[1:] if messages[0]["role"] == "system" else messages
        want(all(each["role"] != "system" for each in said), "System message must be at the beginning.")
        want(said and said[0]["role"] == "user", "the first message must be of the user")
        seen: set[str] = set()
        open_calls: list[str] = []
        before = ""
        for message in said:
            role = message["role"]
            if role == "tool":
                want(open_calls and message["tool_call_id"] == open_calls.pop(0), "a result does not follow its call")
                want(message["content"], "a result is empty")
            else:
                want(not open_calls, "an assistant message with tool_calls must be followed by tool messages")
                turn = before if before != "tool" else "user"
                want(role != turn or (role, before) == ("assistant", "tool"), "roles must alternate user/assistant")
                want(message["content"] or message.get("tool_calls"), "a message is empty")
            for call in message.get("tool_calls", ()):
                self._check_id(call["id"], seen)
                json.loads(call["function"]["arguments"])
                open_calls.append(call["id"])
            self._check_fields(message)
            before = role
        want(not open_calls, "calls without results")
        want(said[-1]["role"] in ("user", "tool"), "the last message must be of the user or a tool")
        return _step(said, [each["role"] for each in said])

    def _check_fields(self, message: Mapping[str, Any]) -> None:
        """Raise for a thought or a signature that is absent, changed or another server's."""
        calls = message.get("tool_calls", ())
        own = next((self._own[each["id"]] for each in calls if each["id"] in self._own), None)
        thought = self.rules.get("thought")
        allowed = {"role", "content", "tool_calls", "tool_call_id", *([thought] if thought and calls else [])}
        want(message.keys() <= allowed, f"unknown fields {sorted(message.keys() - allowed)}")
        if calls and thought:
            needs = self.rules.get("needs_thought") or own is not None
            want(not needs or thought in message, f"{thought} in the thinking mode must be passed back")
            want(own is not None or not message.get(thought, "").strip(), f"{thought} of another model")
            want(message.get(thought) != "", f"{thought} in the thinking mode must be passed back")
            want(own is None or message.get(thought) == own, f"{thought} was changed")
        for place, call in enumerate(calls):
            signature = call.get("extra_content", {}).get("google", {}).get("thought_signature")
            fields = {"id", "type", "function", *(["extra_content"] if self.rules.get("signature") else [])}
            want(call.keys() <= fields, f"unknown fields of a call {sorted(call.keys() - fields)}")
            if self.rules.get("signature") and place == 0:
                want(signature == (own or _FOREIGN), "Function call is missing a thought_signature")
            elif self.rules.get("signature") and own is not None:
                want(signature is None, "a signature that was not given")

    def _anthropic(self, body: Mapping[str, Any]) -> int:
        want(not body.keys() & {"temperature", "top_p", "top_k"}, "`temperature` is not supported")
        messages = body["messages"]
        want(
            [each["role"] for each in messages] == [("user", "assistant")[n % 2] for n in range(len(messages))], "roles"
        )
        seen: set[str] = set()
        calls: list[str] = []
        for place, message in enumerate(messages):
            blocks = message["content"]
            blocks = [{"type": "text", "text": blocks}] if isinstance(blocks, str) else blocks
            want(blocks, "a message is empty")
            results = [each["tool_use_id"] for each in blocks if each["type"] == "tool_result"]
            want(results == calls, "each `tool_use` block must have a corresponding `tool_result` block")
            want([each["type"] for each in blocks][: len(results)] == ["tool_result"] * len(results), "results first")
            calls = [each["id"] for each in blocks if each["type"] == "tool_use"]
            signed = [each for each in blocks if each["type"] == "thinking"]
            own = next((self._own[each] for each in calls if each in self._own), None)
            own = None if CHANGED in self.refused and not signed else own  # such blocks may be left out
            needed = [own] if own else [""] if calls and self.rules.get("needs_thought") else []
            want([each["signature"] for each in signed] == needed, "thinking is not as it was signed")
            want(not needed or blocks[0]["type"] == "thinking", "a message with calls must start with its thinking")
            want(all(each["thinking"] for each in signed), "content[].thinking must be passed back")
            before = self._bound.get(own or "")
            want(before is None or before == _before(body, place), CHANGED)
            want(all(each["text"].strip() for each in blocks if each["type"] == "text"), "text must be non-empty")
            for each in calls:
                self._check_id(each, seen)
        want(not calls, "calls without results")
        return _step(messages, ["tool" if _has_results(each) else each["role"] for each in messages])

    def _responses(self, body: Mapping[str, Any]) -> int:
        want(body.get("store") is False, "nothing is stored")
        seen: set[str] = set()
        open_calls: list[str] = []
        thought, said = "", []
        for item in body["input"]:
            kind = item.get("type", "message")
            said.append({"content": item.get("content", "")})
            if kind == "reasoning":
                want(item["encrypted_content"] in self._own.values(), "encrypted content could not be verified")
                thought = item["encrypted_content"]
            elif kind == "function_call":
                want(item.keys() == {"type", "call_id", "name", "arguments"}, f"unknown fields {sorted(item)}")
                self._check_id(item["call_id"], seen)
                own = self._own.get(item["call_id"])
                want(own is None or own == thought, "function_call was provided without its required reasoning item")
                want(own is not None or not thought, "reasoning was provided without its required following item")
                open_calls.append(item["call_id"])
            elif kind == "function_call_output":
                want(item["call_id"] in open_calls, "No tool call found for function call output")
                open_calls.remove(item["call_id"])
                thought = thought if open_calls else ""
            else:
                want(not open_calls, "No tool output found for function call")
                want(item["content"], "a message is empty")
        want(not open_calls, "No tool output found for function call")
        roles = [
            "tool" if each.get("type") == "function_call_output" else each.get("role", "") for each in body["input"]
        ]
        want("system" not in roles[1:], "system first")
        return _step(said, roles)

    def _check_id(self, call_id: str, seen: set[str]) -> None:
        pattern = self.rules.get("call_ids", ".+")
        want(re.fullmatch(pattern, call_id), f"Tool call id was {call_id} but must match {pattern}")
        want(call_id not in seen, "`tool_use` ids must be unique")
        seen.add(call_id)

    # What it answers

    def _calls(self, step: int, thought: str) -> list[tuple[str, str]]:
        """Return the ids and arguments of the calls of a step."""
        made = []
        for arguments in (_ARGUMENTS[:2], _ARGUMENTS[2:], ())[step]:
            self._count += 1
            call_id = self.rules["ids"].format(n=self._count)
            if call_id and thought:
                self._own[call_id] = thought
            made.append((call_id, arguments))
        return made

    def _send_chat(self, step: int) -> Iterator[dict[str, Any]]:
        field, thought = self.rules.get("thought"), f"Thought {self._count}."
        if field:
            yield _delta({field: thought})
        signature = f"c2ln{self._count}" if self.rules.get("signature") else ""
        for place, (call_id, arguments) in enumerate(self._calls(step, signature or (thought if field else ""))):
            call: dict[str, Any] = {"index": place, "type": "function"}
            call |= {"id": call_id} if call_id else {}
            call["function"] = {"name": TOOL, "arguments": arguments}
            if signature and place == 0:
                call["extra_content"] = {"google": {"thought_signature": signature}}
            yield _delta({"tool_calls": [call]})
        if step == len(_ARGUMENTS) - 1:
            yield _delta({"content": ANSWER[:8]})
            yield _delta({"content": ANSWER[8:]})
        yield _delta({}, "stop" if step == len(_ARGUMENTS) - 1 else "tool_calls")

    def _send_anthropic(self, step: int) -> Iterator[dict[str, Any]]:
        signature = f"c2ln{self._count}"
        yield {"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 1}}}
        block = {"type": "thinking", "thinking": "", "signature": ""}
        yield from _block(0, block, {"type": "thinking_delta", "thinking": "Sums."}, _signed(signature))
        for place, (call_id, arguments) in enumerate(self._calls(step, signature), start=1):
            block = {"type": "tool_use", "id": call_id, "name": TOOL, "input": {}}
            yield from _block(place, block, {"type": "input_json_delta", "partial_json": arguments})
        if step == len(_ARGUMENTS) - 1:
            deltas = ({"type": "text_delta", "text": each} for each in (ANSWER[:8], ANSWER[8:]))
            yield from _block(1, {"type": "text", "text": ""}, *deltas)
        yield {"type": "message_delta", "delta": {"stop_reason": "end_turn" if step > 1 else "tool_use"}}
        yield {"type": "message_stop"}

    def _send_responses(self, step: int) -> Iterator[dict[str, Any]]:
        secret = f"gAAA{self._count}"
        item = {"id": f"rs_{self._count}", "type": "reasoning", "summary": [], "encrypted_content": secret}
        yield {"type": "response.output_item.done", "output_index": 0, "item": item}
        for place, (call_id, arguments) in enumerate(self._calls(step, secret), start=1):
            call = {"id": f"fc_{call_id}", "type": "function_call", "call_id": call_id, "name": TOOL}
            yield {"type": "response.output_item.added", "output_index": place, "item": {**call, "arguments": ""}}
            delta = {"type": "response.function_call_arguments.delta", "item_id": call["id"], "output_index": place}
            yield {**delta, "delta": arguments}
            yield {"type": "response.output_item.done", "output_index": place, "item": {**call, "arguments": arguments}}
        if step == len(_ARGUMENTS) - 1:
            for each in (ANSWER[:8], ANSWER[8:]):
                yield {"type": "response.output_text.delta", "item_id": "msg", "output_index": 1, "delta": each}
        yield {"type": "response.completed", "response": {"object": "response", "status": "completed", "output": []}}


def _step(messages: list[Mapping[str, Any]], roles: list[str]) -> int:
    """Return the step of the turn that is asked for: as many results as there are since the last question say it."""
    asked = max(place for place, role in enumerate(roles) if role == "user")
    if CONTINUE_INSTRUCTION in str(messages[asked]["content"]):
        return 2
    count = sum(
        len(each["content"]) if _has_results(each) else roles[asked + 1 + place] == "tool"
        for place, each in enumerate(messages[asked + 1 :])
    )
    return min(2, (count + 1) // 2)


def _before(body: Mapping[str, Any], place: int) -> str:
    """Return what is before a message, without the marks of the cache."""
    before = {"system": body.get("system"), "tools": body.get("tools"), "messages": body["messages"][:place]}
    return re.sub(r', "cache_control": \{[^}]*\}', "", json.dumps(before))


def _has_results(message: Mapping[str, Any]) -> bool:
    content = message.get("content")
    return isinstance(content, list) and any(each.get("type") == "tool_result" for each in content)


def _delta(delta: Mapping[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def _signed(signature: str) -> dict[str, Any]:
    return {"type": "signature_delta", "signature": signature}


def _block(index: int, block: Mapping[str, Any], *deltas: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"type": "content_block_start", "index": index, "content_block": block}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}
