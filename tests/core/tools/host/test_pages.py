"""Every list of a server is read to its end, whatever its cursors are: of tools, of prompts and of resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, count, islice, repeat
from types import SimpleNamespace
from typing import Any

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from chatdesk.core.domain.tools import LeftOut
from chatdesk.core.tools.host.listing import MOST_TOOLS
from chatdesk.core.tools.host.mended_answers import MendedAnswers
from chatdesk.core.tools.host.offers import MOST_PROMPTS, MOST_RESOURCES, list_prompts, list_resources
from chatdesk.core.tools.host.pages import read_pages

_MORE = 10_000
_LISTS: dict[str, tuple[str, type[Any], int]] = {
    "tools": ("tools/list", types.ListToolsResult, MOST_TOOLS),
    "prompts": ("prompts/list", types.ListPromptsResult, MOST_PROMPTS),
    "resources": ("resources/list", types.ListResourcesResult, MOST_RESOURCES),
}
# The cursors that a server writes, one after another; the entries that are read of these pages, and the reason why they
# may not be all. A page has one entry, which is named after its number.
_CURSORS: dict[str, tuple[Any, int, LeftOut | None]] = {
    "no cursor": ([], 1, None),
    "null": ([None], 1, None),
    "texts": (["a", "b"], 3, None),
    "numbers and objects": ([5, 7.5, {"at": 1}], 4, None),
    "empty text first": (["", "b"], 3, None),
    "empty text at the end": (["a", ""], 3, None),
    "empty text only": ([""], 2, None),
    "empty text for none": (["", ""], 2, None),
    "empty text is refused": (["a", "", MCPError(-32602, "no such cursor")], 2, None),
    "the same again": ([5, 5], 2, LeftOut.SAME_PAGE),
    "in a circle": (["a", "b", "a"], 3, LeftOut.SAME_PAGE),
    "a hundred": ([f"c{number}" for number in range(99)], 100, None),
    "without end": ((f"c{number}" for number in count()), _MORE, LeftOut.TOO_MANY),
}


class _Server:
    """A server with one entry on each page, or none, behind the mending of its answers."""

    def __init__(self, kind: str, cursors: Iterable[Any], *, is_empty: bool = False) -> None:
        self.asked = 0
        self.server_capabilities = SimpleNamespace(prompts=True, resources=True)
        self.list_prompts = self.list_resources = self.list_tools = self._page
        self._kind, self._is_empty = kind, is_empty
        self._answers = MendedAnswers()
        self._cursors: Iterator[Any] = chain(cursors, repeat(None))

    async def _page(self, *, params: types.PaginatedRequestParams) -> Any:
        method, result_type, _most = _LISTS[self._kind]
        sent = types.JSONRPCRequest(
            jsonrpc="2.0", id=self.asked, method=method, params=params.model_dump(exclude_none=True)
        )
        self._answers.sending(sent)
        name = f"page {self.asked}"
        entry = {"name": name, "uri": f"note://{name}", "inputSchema": {"type": "object"}}
        cursor = next(self._cursors)
        result = {self._kind: [] if self._is_empty else [entry], "nextCursor": cursor}
        if isinstance(cursor, MCPError):
            raise cursor
        answer = types.JSONRPCResponse(jsonrpc="2.0", id=self.asked, result=result)
        self._answers.received(answer)
        self.asked += 1
        return result_type.model_validate(answer.result)


async def _names(kind: str, server: Any) -> list[str]:
    if kind == "tools":
        return [each.name for each in (await read_pages(server.list_tools, kind, MOST_TOOLS))[0]]
    if kind == "prompts":
        return [row[0] for row in await list_prompts(server)]
    return [row[1] for row in await list_resources(server)]


@pytest.mark.parametrize("cursors", _CURSORS)
@pytest.mark.parametrize("kind", _LISTS)
async def test_all_pages_of_a_list_are_read_whatever_their_cursors(kind: str, cursors: str) -> None:
    written, pages, reason = _CURSORS[cursors]
    written, most = list(islice(written, _MORE)), _LISTS[kind][2]
    found = await _names(kind, _Server(kind, written))
    assert found[:most] == [f"page {number}" for number in range(min(pages, most))]
    server = _Server(kind, written)
    assert (await read_pages(server.list_tools, kind, most))[1] == reason
    assert server.asked <= most + 1


@pytest.mark.parametrize("kind", _LISTS)
async def test_empty_pages_without_end_are_left(kind: str) -> None:
    server = _Server(kind, map(str, count()), is_empty=True)
    assert not await _names(kind, server)
    assert server.asked < 100
