"""Reads the requests of a server during a call: a form, a page to open, an answer of a model. They go to ChatDesk as
plain values within bounds, and its answers go back to the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import mcp_types as types
from mcp.client.session import ClientRequestContext

FORM: Final = "form"
ADDRESS: Final = "address"
MODEL: Final = "model"
# Limits for the requests of one call, in sequence or at once.
MOST_REQUESTS: Final = 20
MOST_FIELDS: Final = 20
MOST_OPTIONS: Final = 100
LONGEST_NAME: Final = 128
LONGEST_TEXT: Final = 400
LONGEST_MESSAGE: Final = 4_000
LONGEST_ADDRESS: Final = 2_000
LARGEST_QUESTION: Final = 60_000
LONGEST_DEFAULT: Final = 10_000
LARGEST_NUMBER: Final = 10**300
_KINDS: Final = {"string": "text", "number": "number", "integer": "integer", "boolean": "switch"}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")

# name, title, description, kind, whether it is required, default, options as (value, title), format, least, most.
FieldRow = tuple[str, str, str, str, bool, Any, tuple[tuple[str, str], ...], str, float | None, float | None]
# Sends ChatDesk a request's kind and values. Returns ``accept``, ``decline`` or ``cancel``, and the content of the
# answer.
Ask = Callable[[str, tuple[Any, ...]], Awaitable[tuple[str, Any]]]


class RequestRefused(Exception):
    """A server's request is not passed to a person; the message is a sentence for the server."""


@dataclass(slots=True, eq=False)
class _Call:
    """A running call. Its time stops while a person is asked: ``rest_s`` is the time left then."""

    ask: Ask
    limit: asyncio.Timeout
    count: int = 0
    open: int = 0
    rest_s: float = 0.0


class ServerRequests:
    """The requests of one server. They belong to the call that began last: over stdio they do not say to which."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    @contextmanager
    def during(self, ask: Ask, limit: asyncio.Timeout) -> Iterator[None]:
        """Let the server ask while a call runs."""
        call = _Call(ask, limit)
        self._calls.append(call)
        try:
            yield
        finally:
            self._calls.remove(call)

    async def elicit(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        """Have a person fill in a form, or open a page."""
        try:
            if isinstance(params, types.ElicitRequestURLParams):
                action, content = await self._ask(ADDRESS, (_cut(params.message), checked_address(params.url)))
            else:
                row = (_cut(params.message), fields_of(params.requested_schema))
                action, content = await self._ask(FORM, row)
        except RequestRefused as error:
            return types.ErrorData(code=types.INVALID_PARAMS, message=str(error))
        is_filled = action == "accept" and isinstance(params, types.ElicitRequestFormParams)
        return types.ElicitResult(action=action, content=content if is_filled else None)  # type: ignore[arg-type]

    async def sample(
        self, context: ClientRequestContext, params: types.CreateMessageRequestParams
    ) -> types.CreateMessageResult | types.ErrorData:
        """Have a model answer, if a person agrees."""
        try:
            action, content = await self._ask(MODEL, question_of(params))
        except RequestRefused as error:
            return types.ErrorData(code=types.INVALID_PARAMS, message=str(error))
        if action != "accept":
            return types.ErrorData(code=types.INVALID_REQUEST, message=str(content or "The person did not agree."))
        text, model, is_cut = content
        return types.CreateMessageResult(
            role="assistant",
            content=types.TextContent(type="text", text=text),
            model=model,
            stop_reason="maxTokens" if is_cut else "endTurn",
        )

    async def _ask(self, kind: str, row: tuple[Any, ...]) -> tuple[str, Any]:
        if not self._calls or self._calls[-1].limit.expired():
            raise RequestRefused("ChatDesk answers requests while one of the tools runs.")
        call = self._calls[-1]
        call.count += 1
        if call.count > MOST_REQUESTS:
            raise RequestRefused(f"One call may ask for {MOST_REQUESTS} things.")
        now_s = asyncio.get_running_loop().time
        if not call.open:
            call.rest_s = (call.limit.when() or now_s()) - now_s()
            call.limit.reschedule(None)
        call.open += 1
        try:
            return await call.ask(kind, row)
        finally:
            call.open -= 1
            if not call.open and call in self._calls and not call.limit.expired():
                call.limit.reschedule(now_s() + call.rest_s)


def fields_of(schema: Mapping[str, Any]) -> tuple[FieldRow, ...]:
    """Return the fields of a form. Raises ``RequestRefused`` for anything but a flat form within bounds."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or len(properties) > MOST_FIELDS:
        raise RequestRefused(f"A form has at most {MOST_FIELDS} properties.")
    required = schema.get("required")
    names = required if isinstance(required, list) else []
    return tuple(_field(name, each, is_required=name in names) for name, each in properties.items())


def _field(name: str, schema: object, *, is_required: bool) -> FieldRow:
    if not isinstance(schema, Mapping) or not 0 < len(name) <= LONGEST_NAME:
        raise RequestRefused("A property of this form has no schema, or a name that is too long.")
    kind = {"string": "text", "number": "number", "integer": "integer", "boolean": "switch"}.get(
        str(schema.get("type"))
    )
    options = _options(schema)
    if kind == "text" and options:
        kind = "choice"
    if schema.get("type") == "array" and isinstance(schema.get("items"), Mapping):
        options = _options(schema["items"])
        kind = "choices" if options else None
    if kind is None:
        raise RequestRefused(f"“{name}” is not of a type that a form can have.")
    least, most = _limits(schema, kind)
    title, about = (str(schema.get(each) or "")[:LONGEST_TEXT] for each in ("title", "description"))
    form = str(schema.get("format") or "")[:LONGEST_NAME]
    return (name, title, about, kind, is_required, _default(schema), options, form, least, most)


def _default(schema: Mapping[str, Any]) -> Any:
    """Return the initial value of a field, within bounds; None where no usable one is given."""
    value = schema.get("default")
    if isinstance(value, list):
        texts = value[:MOST_OPTIONS]
        return texts if all(isinstance(each, str) and len(each) <= LONGEST_TEXT for each in texts) else None
    if isinstance(value, str):
        return value if len(value) <= LONGEST_DEFAULT else None
    return value if isinstance(value, bool) else _number_of(value)


def _options(schema: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the values to choose from, each with its label."""
    titled = schema.get("oneOf") or schema.get("anyOf")
    if isinstance(titled, list):
        pairs = [(each.get("const"), each.get("title")) for each in titled if isinstance(each, Mapping)]
    else:
        values, names = schema.get("enum"), schema.get("enumNames")
        values = values if isinstance(values, list) else []
        names = names if isinstance(names, list) and len(names) == len(values) else values
        pairs = list(zip(values, names, strict=True))
    found = {value: str(title or value)[:LONGEST_TEXT] for value, title in pairs if isinstance(value, str)}
    if len(found) > MOST_OPTIONS or any(len(value) > LONGEST_TEXT for value in found):
        raise RequestRefused(f"A property has at most {MOST_OPTIONS} values, of {LONGEST_TEXT} characters each.")
    return tuple(found.items())


def _limits(schema: Mapping[str, Any], kind: str) -> tuple[float | None, float | None]:
    names = {"text": ("minLength", "maxLength"), "choices": ("minItems", "maxItems")}.get(kind, ("minimum", "maximum"))
    least, most = (_number_of(schema.get(name)) for name in names)
    return least, most


def _number_of(value: object) -> float | int | None:
    """Return a number that can be shown and compared; None for anything else, and for numbers beyond any use."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -LARGEST_NUMBER <= value <= LARGEST_NUMBER else None


def checked_address(address: str) -> str:
    """Return an address that may be shown to be opened: https, or http on this computer. Raises ``RequestRefused``."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        raise RequestRefused("This is no address.") from None
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    is_plain = address.isprintable() and " " not in address and "\\" not in address
    if not (host and is_safe and is_plain) or parts.username is not None or len(address) > LONGEST_ADDRESS:
        raise RequestRefused("ChatDesk opens addresses that begin with https:// and name no user.")
    return address


def question_of(params: types.CreateMessageRequestParams) -> tuple[Any, ...]:
    """Return a question to a model: its system prompt, its messages as (role, text), the most tokens of the answer, the
    temperature. Raises ``RequestRefused`` for what is more than text, or too long to be read."""
    if params.tools or params.tool_choice is not None:
        raise RequestRefused("ChatDesk offers no tools in answers to servers.")
    messages: list[tuple[str, str]] = []
    for message in params.messages:
        if not all(isinstance(each, types.TextContent) for each in message.content_as_list):
            raise RequestRefused("ChatDesk takes text only.")
        texts = (each.text for each in message.content_as_list if isinstance(each, types.TextContent))
        messages.append((message.role, "\n\n".join(texts)))
    size = len(params.system_prompt or "") + sum(len(text) for _role, text in messages)
    if not messages or size > LARGEST_QUESTION:
        raise RequestRefused(f"A question has at least one message and at most {LARGEST_QUESTION:,} characters.")
    return params.system_prompt or "", tuple(messages), params.max_tokens, params.temperature


def _cut(message: str) -> str:
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"
