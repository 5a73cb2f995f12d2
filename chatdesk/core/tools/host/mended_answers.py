"""Repairs answers of servers before the SDK checks them, because it refuses a whole answer for one malformed entry.

The valid parts of an entry stay, with the rest of the answer. An entry beyond repair is left out alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import mcp_types as types
from mcp_types import methods
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic_core import ValidationError

from chatdesk.core.tools.host.session_streams import Observer

# The member of each answer that has the entries.
_ENTRIES: Final = {
    "tools/list": "tools",
    "prompts/list": "prompts",
    "resources/list": "resources",
    "tools/call": "content",
    "prompts/get": "messages",
    "resources/read": "contents",
}
_INITIALIZE: Final = "initialize"
_UNREADABLE: Final = {"type": "text", "text": "[A part of the answer could not be read.]"}
_ASIDE: Final = ("annotations", "_meta")
_MOST_NAMES: Final = 50
_LONGEST_NAME: Final = 128


class MendedAnswers(Observer):
    """Mends the answers of a session. ``left_out`` has the names of tools that no pages of the last list could have,
    ``as_sent`` the digests of those that were mended, as the server sent them."""

    def __init__(self) -> None:
        self.left_out: list[str] = []
        self.as_sent: dict[str, str] = {}
        self._methods: dict[types.RequestId, str] = {}
        self._cursors: dict[str, Any] = {}
        self._version = HANDSHAKE_PROTOCOL_VERSIONS[-1]

    def forget_list(self) -> None:
        """Forget the tools of an earlier list that were left out or mended."""
        self.left_out.clear()
        self.as_sent.clear()

    def sending(self, message: types.JSONRPCMessage) -> None:
        """Note the method of a request, and write its cursor as the server did."""
        if isinstance(message, types.JSONRPCRequest) and message.method in (*_ENTRIES, _INITIALIZE):
            self._methods[message.id] = message.method
            cursor = (message.params or {}).get("cursor")
            if cursor in self._cursors:
                message.params = {**(message.params or {}), "cursor": self._cursors[cursor]}

    def received(self, message: types.JSONRPCMessage) -> bool:
        """Repair an answer if necessary."""
        if isinstance(message, types.JSONRPCError) and message.id is not None:
            self._methods.pop(message.id, None)
        if isinstance(message, types.JSONRPCResponse):
            method = self._methods.pop(message.id, "")
            if method == _INITIALIZE and message.result.get("protocolVersion") in HANDSHAKE_PROTOCOL_VERSIONS:
                self._version = message.result["protocolVersion"]
            elif method in _ENTRIES:
                message.result = self._mended(method, message.result)
        return True

    def _mended(self, method: str, result: dict[str, Any]) -> dict[str, Any]:
        if not self._faults(method, result):
            return result
        name = _ENTRIES[method]
        entries, result = result.get(name), {**result, name: []}
        cursor = result.get("nextCursor")
        if cursor is not None and not isinstance(cursor, str):
            result["nextCursor"] = json.dumps(cursor)
            self._cursors[result["nextCursor"]] = cursor
        if method == "tools/call":
            entries = _blocks(entries, result)
        if not isinstance(entries, list):
            return {**result, name: entries}  # the SDK reports a value that is not a list
        for place in self._faults(method, result):
            result.pop(str(place[0]), None)
        result[name] = [found for each in entries for found in self._entry(method, each)]
        return result

    def _entry(self, method: str, entry: Any) -> tuple[Any, ...]:
        """Return an entry, repaired if necessary, as a tuple of one; an empty tuple if it is beyond repair."""
        name = _ENTRIES[method]
        if not self._faults(method, {name: [entry]}):
            return (entry,)
        if method == "tools/call":
            plain = {key: entry[key] for key in entry if key not in _ASIDE} if isinstance(entry, Mapping) else entry
            return (_UNREADABLE,) if self._faults(method, {name: [plain]}) else (plain,)
        mended = dict(entry) if isinstance(entry, Mapping) else {}
        if method == "tools/list":
            mended["inputSchema"] = _schema_of_object(mended.get("inputSchema"))
        if method == "prompts/list" and isinstance(mended.get("arguments"), list):
            mended["arguments"] = [found for each in mended["arguments"] for found in self._argument(each)]
        if method == "resources/list" and not isinstance(mended.get("name"), str):
            mended["name"] = mended["title"] if isinstance(mended.get("title"), str) else mended.get("uri")
        for place in self._faults(method, {name: [mended]}):
            if len(place) > 2 and place[2] not in ("name", "uri", "inputSchema"):
                mended.pop(str(place[2]), None)
        is_readable = not self._faults(method, {name: [mended]})
        if method == "tools/list":
            called = str(mended.get("name"))[:_LONGEST_NAME]
            if is_readable:
                said = json.dumps(entry, ensure_ascii=False, sort_keys=True)
                self.as_sent[called] = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
            elif len(self.left_out) < _MOST_NAMES:
                self.left_out.append(called)
        return (mended,) if is_readable else ()

    def _argument(self, argument: Any) -> tuple[Any, ...]:
        """Return an argument of a prompt, repaired if necessary, as a tuple of one; an empty tuple if it is
        beyond repair."""
        mended = dict(argument) if isinstance(argument, Mapping) else {}

        def faults() -> list[tuple[int | str, ...]]:
            return self._faults("prompts/list", {"prompts": [{"name": "", "arguments": [mended]}]})

        for place in faults():
            if len(place) > 4 and place[4] != "name":
                mended.pop(str(place[4]), None)
        return () if faults() else (mended,)

    def _faults(self, method: str, result: dict[str, Any]) -> list[tuple[int | str, ...]]:
        """Return the places of everything in an answer that the protocol does not allow."""
        try:
            methods.validate_server_result(method, self._version, result)
        except ValidationError as error:
            return [each["loc"] for each in error.errors(include_url=False, include_context=False, include_input=False)]
        return []


def _schema_of_object(schema: Any) -> Any:
    """Return a schema with the type object, which arguments always have; None if it states another type."""
    if schema is None or schema is True:
        return {"type": "object"}
    if not isinstance(schema, Mapping):
        return None
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    are_objects = kind is None or any(isinstance(each, str) and each.lower() == "object" for each in kinds)
    if not are_objects:
        return None
    mended = {**schema, "type": "object"}
    properties, required = mended.get("properties", {}), mended.get("required")
    if isinstance(properties, Mapping):
        mended["properties"] = {name: each for name, each in properties.items() if isinstance(each, Mapping | bool)}
        required = properties.get("required") if required is None else required  # some write it one level too deep
    else:
        del mended["properties"]
    mended.pop("required", None)
    if isinstance(required, list) and all(isinstance(each, str) for each in required):
        mended["required"] = required
    return mended


def _blocks(content: Any, result: dict[str, Any]) -> Any:
    """Return the content of a tool's result as a list; structured content that is not an object is written into it."""
    blocks = content if isinstance(content, list) else []
    if isinstance(content, str):
        blocks = [{"type": "text", "text": content}]
    structured = result.get("structuredContent")
    if structured is not None and not isinstance(structured, Mapping):
        del result["structuredContent"]
        if not blocks:
            blocks = [{"type": "text", "text": json.dumps(structured, ensure_ascii=False, indent=1)}]
    return blocks
