"""Reads a list of a server page by page to its end, whatever a server writes for cursors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import mcp_types as types
from mcp.shared.exceptions import MCPError

from chatdesk.core.domain.tools import LeftOut

# Pages may be as small as one entry; so many more may have none.
_MOST_EMPTY: Final = 50


async def read_pages(ask: Callable[..., Awaitable[Any]], name: str, most: int) -> tuple[list[Any], LeftOut | None]:
    """Return the entries of all pages, read until there are more than ``most``, and the reason why there may be more.
    ``name`` is the member of a page that has them."""
    found: list[Any] = []
    cursors: set[str | None] = set()
    cursor: str | None = None
    while cursor not in cursors:
        if len(found) > most or len(cursors) - len(found) >= _MOST_EMPTY:
            return found, LeftOut.TOO_MANY
        cursors.add(cursor)
        try:
            page = await ask(params=types.PaginatedRequestParams(cursor=cursor))
        except MCPError:
            if cursor == "":  # some servers send an empty cursor instead of none
                return found, None
            raise
        found += getattr(page, name)
        cursor = page.next_cursor
        if cursor is None:
            return found, None
    return found, None if cursor == "" else LeftOut.SAME_PAGE
