"""Speaks the Model Context Protocol for the tools, with threads as resources: the gateway to the mcp package.

Imported when the first assistant comes. Who asks, and the way to the services, are given: over HTTP the gate knows the
caller, over stdin and stdout it is the owner's own process.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import parse_qsl, urlsplit

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from chatdesk import __version__
from chatdesk.core.diagnostics.event_log import log_event
from chatdesk.core.errors import ChatDeskError, NotFound
from chatdesk.service import forms
from chatdesk.service.caller import Caller, Scope
from chatdesk.service.errors import InvalidRequest, NotAllowed, NoToken, UnknownTool
from chatdesk.service.mcp_protocol import tools
from chatdesk.service.mcp_protocol.asking import Asker
from chatdesk.service.mcp_protocol.tools import BY_NAME, NOTICE, TOOLS, Tool, ToolCall
from chatdesk.service.problems import problem_of

_log = logging.getLogger(__name__)

T = TypeVar("T")

_SCHEME: Final = "chatdesk"
_THREAD: Final = "chatdesk://threads/"
_MARKDOWN: Final = "text/markdown"
_INSTRUCTIONS: Final = (
    "ChatDesk keeps a person's chats with language models as threads of messages. Search them to find what was said, "
    f"then read the thread. {NOTICE}"
)

Context = ServerRequestContext[Any, Any]


class Access(Protocol):
    """The access of the protocol to the services."""

    def asker_of(self, context: Context) -> Asker: ...

    def watching(self, caller: Caller, end: Callable[[], object]) -> AbstractContextManager[None]:
        """Call ``end`` once when the caller's token is gone, as long as the block runs."""
        ...

    async def run(self, asker: Asker, arguments: Any, handler: Callable[[ToolCall], Awaitable[T]]) -> T:
        """Run a handler on the loop of the services, which is cancelled with this."""
        ...


def make_server(access: Access) -> Server[Any]:
    """Return the server over ``access``."""
    # At lower levels the package logs invalid messages with their values, which are people's words.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    answers = _Answers(access)
    return Server(
        "chatdesk",
        version=__version__,
        title="ChatDesk",
        instructions=_INSTRUCTIONS,
        get_tool_input_schema=lambda name: forms.schema_of(BY_NAME[name].takes) if name in BY_NAME else None,
        on_list_tools=answers.list_tools,
        on_call_tool=answers.call_tool,
        on_list_resources=answers.list_resources,
        on_list_resource_templates=answers.list_templates,
        on_read_resource=answers.read_resource,
    )


class _Answers:
    """The answers to each kind of request."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def list_tools(self, context: Context, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        scopes = self._access.asker_of(context).caller.scopes
        return types.ListToolsResult(tools=[_described(tool) for tool in TOOLS if tool.scope in scopes])

    async def call_tool(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        asker = self._access.asker_of(context)
        tool = BY_NAME.get(params.name)
        try:
            if tool is None:
                raise UnknownTool
            result = await self._run(asker, tool, params.arguments or {})
        except ChatDeskError as error:
            problem = problem_of(error, asker.request_id)
            text = error.sentence_without_window
            return types.CallToolResult(
                content=[types.TextContent(text=text)], structured_content={"problem": problem}, is_error=True
            )
        data = forms.as_json(result).decode()
        return types.CallToolResult(content=[types.TextContent(text=marked(data))], structured_content=json.loads(data))

    async def list_resources(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        arguments = {"cursor": params.cursor} if params is not None and params.cursor else {}
        page = await self._read(context, "list_threads", arguments)
        shown = [
            types.Resource(
                name=each.id,
                title=each.title,
                uri=_THREAD + each.id,
                mime_type=_MARKDOWN,
                annotations=types.Annotations(last_modified=each.last_activity_at),
            )
            for each in page.threads
        ]
        return types.ListResourcesResult(resources=shown, next_cursor=page.next_cursor)

    async def list_templates(
        self, _context: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        template = types.ResourceTemplate(
            name="thread",
            title="Thread",
            description="The newest messages of a thread, or those before a message.",
            uri_template=_THREAD + "{thread_id}{?before}",
            mime_type=_MARKDOWN,
        )
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def read_resource(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        page = await self._read(context, "read_thread", _arguments_of(params.uri))
        text = marked(_as_markdown(page))
        content = types.TextResourceContents(uri=params.uri, mime_type=_MARKDOWN, text=text)
        return types.ReadResourceResult(contents=[content])

    async def _read(self, context: Context, name: str, arguments: dict[str, Any]) -> Any:
        """Return the result of a tool. Raises ``MCPError``."""
        try:
            return await self._run(self._access.asker_of(context), BY_NAME[name], arguments)
        except (NotFound, InvalidRequest) as error:
            raise MCPError(types.INVALID_PARAMS, error.sentence_without_window) from None
        except ChatDeskError as error:
            raise MCPError(types.INTERNAL_ERROR, error.sentence_without_window) from None

    async def _run(self, asker: Asker, tool: Tool, arguments: dict[str, Any]) -> Any:
        """Check a call and carry it out, with a line in the log. Raises a ``ChatDeskError``."""
        began_s, outcome = time.monotonic(), "failed"
        try:
            if tool.scope not in asker.caller.scopes:
                raise NotAllowed(
                    f"“{asker.caller.name}” may not use “{tool.name}”: it does not have the scope “{tool.scope}”."
                )
            checked = forms.checked_body(tool.takes, json.dumps(arguments).encode())
            result = await self._while_valid(asker, lambda: self._access.run(asker, checked, tool.handler))
            outcome = "done"
        except ChatDeskError as error:
            outcome = error.code
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except Exception:
            _log.exception("a tool failed: %s", asker.request_id)
            raise
        finally:
            log_event(
                "mcp_call",
                id=asker.request_id,
                who=asker.caller.id,
                tool=tool.name,
                outcome=outcome,
                took_ms=round((time.monotonic() - began_s) * 1000),
            )
        return result

    async def _while_valid(self, asker: Asker, work: Callable[[], Awaitable[T]]) -> T:
        running = asyncio.ensure_future(work())
        is_allowed = True

        def end() -> None:
            nonlocal is_allowed
            is_allowed = False
            running.cancel()

        try:
            with self._access.watching(asker.caller, end):
                await asyncio.wait([running])
            if not is_allowed:
                raise NoToken
            return running.result()
        finally:
            running.cancel()
            await asyncio.wait([running])


def marked(data: str) -> str:
    """Return text between random marks, which it cannot imitate, after a sentence that calls it data."""
    mark = f"chatdesk-data-{secrets.token_hex(8)}"
    return f"{NOTICE}\n<{mark}>\n{data}\n</{mark}>"


def _described(tool: Tool) -> types.Tool:
    is_reading = tool.scope is Scope.READ
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=f"{tool.description} {NOTICE}" if is_reading else tool.description,
        input_schema=forms.schema_of(tool.takes),
        output_schema=forms.schema_of(tool.returns),
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=is_reading,
            destructive_hint=False,
            idempotent_hint=is_reading,
            open_world_hint=tool.scope is Scope.ASK,
        ),
    )


def _arguments_of(uri: str) -> dict[str, Any]:
    """Return the arguments in the address of a thread. Raises ``MCPError`` for other addresses."""
    try:
        parts = urlsplit(uri)
        query = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        parts, query = urlsplit(""), {}
    thread_id = parts.path.removeprefix("/")
    if parts.scheme != _SCHEME or parts.netloc != "threads" or not thread_id or query.keys() - {"before"}:
        raise MCPError(types.INVALID_PARAMS, "There is no such resource.")
    return {"thread_id": thread_id, **query}


def _as_markdown(page: tools.ThreadPage) -> str:
    pieces = [f"# {page.thread.title}"]
    if page.has_older and page.messages:
        pieces.append(f"(Older messages: {_THREAD}{page.thread.id}?before={page.messages[0].id})")
    for each in page.messages:
        cut = f"\n\n(The rest of this message: read_message with the id {each.id}.)" if each.is_cut else ""
        pieces.append(f"## {each.role}, {each.at}\n\n{each.text}{cut}")
    return "\n\n".join(pieces)
