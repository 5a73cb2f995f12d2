"""Reads messages of a server in the forms that servers write: alone or several at once, with an id of another kind or
none, without the version of JSON-RPC, with an error that is only words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import mcp_types as types
from pydantic_core import from_json

from chatdesk.core.tools.host.message_bounds import within_bounds

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# Where an error has its words, in JSON-RPC and in what frameworks of web servers answer.
_WORDS: Final = ("message", "error", "detail", "error_description", "title")


def messages_in(data: bytes, request_id: types.RequestId | None = None) -> list[types.JSONRPCMessage]:
    """Return the messages that a server wrote at once; ``request_id`` if an answer in them can only be to that request.
    Raises ``ValueError`` if there is none, and ``TooManyValues``."""
    data = within_bounds(data.removeprefix(_BYTE_ORDER_MARK))
    try:
        return [types.jsonrpc_message_adapter.validate_json(data, by_name=False)]
    except ValueError:
        found = list(_mended(from_json(data), request_id))
        if not found:
            raise
        return found


def answer_in(data: bytes, request_id: types.RequestId) -> types.JSONRPCResponse | types.JSONRPCError | None:
    """Return the answer to the request that ``data`` was written for; None if there is none. Raises
    ``TooManyValues``."""
    try:
        messages = messages_in(data, request_id)
    except ValueError:
        return None
    for each in messages:
        if isinstance(each, types.JSONRPCResponse | types.JSONRPCError):
            each.id = request_id
            return each
    return None


def written(message: types.JSONRPCMessage) -> bytes:
    """Return a message as a server should have written it."""
    return message.model_dump_json(by_alias=True, exclude_unset=True).encode()


def words_of(error: Any) -> str:
    """Return the words of an error, whatever its form; empty if it has none."""
    while isinstance(error, dict):
        error = next((error[name] for name in _WORDS if error.get(name)), "")
    return error if isinstance(error, str) else ""


def _mended(read: Any, request_id: types.RequestId | None) -> Iterator[types.JSONRPCMessage]:
    for each in read if isinstance(read, list) else [read]:
        if not isinstance(each, dict):
            continue
        message = {name: value for name, value in each.items() if value is not None} | {"jsonrpc": "2.0"}
        if "error" in message:
            code = message["error"].get("code") if isinstance(message["error"], dict) else None
            message.pop("result", None)
            message["error"] = {
                "code": code if isinstance(code, int) else types.INTERNAL_ERROR,
                "message": words_of(message["error"]),
            }
        if request_id is not None and ("error" in message or "result" in message):
            message["id"] = request_id
        try:
            yield types.jsonrpc_message_adapter.validate_python(message, by_name=False)
        except ValueError:
            continue
