"""Writes the requests of search engines and reads their answers. Pure.

Answers are hostile text: only addresses that may be opened come out of them, and words of bounded length.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

from chatdesk.core.domain.tools import ToolSource
from chatdesk.core.fetching.guarded_fetch import Ask
from chatdesk.core.rendering.safety import is_safe_link
from chatdesk.core.texts import shortened
from chatdesk.core.tools.web_search.choice import SearchEngine

MOST_FOUND: Final = 10
_LONGEST_TEXT, _LONGEST_TITLE = 700, 300
_MARKUP: Final = re.compile(r"</?(?:strong|b|em|i)>")


class NotAnAnswerError(Exception):
    """The answer has not the form of this engine's."""


def request_of(engine: SearchEngine, address: str, query: str, key: str) -> Ask:
    """Return the request that searches for ``query``."""
    base = address.rstrip("/")
    if engine is SearchEngine.SEARXNG:
        base = base.removesuffix("/search")
        return Ask(f"{base}/search?{urlencode({'q': query, 'format': 'json'})}", {"Accept": "application/json"})
    if engine is SearchEngine.BRAVE:
        words = urlencode({"q": query, "count": MOST_FOUND, "text_decorations": "false"})
        headers = {"Accept": "application/json", "X-Subscription-Token": key, "Cache-Control": "no-cache"}
        return Ask(f"{base}/res/v1/web/search?{words}", headers)
    body = json.dumps({"query": query, "max_results": MOST_FOUND}).encode()
    return Ask(f"{base}/search", {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}, body)


def found_in(engine: SearchEngine, body: bytes) -> tuple[ToolSource, ...]:
    """Return the pages that an answer names, the best first. Raises ``NotAnAnswerError``."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise NotAnAnswerError from None
    if not isinstance(answer, dict):
        raise NotAnAnswerError
    if engine is SearchEngine.BRAVE:
        if answer.get("type") != "search" and "web" not in answer:
            raise NotAnAnswerError
        web = answer.get("web")  # missing where nothing was found
        rows = web.get("results") if isinstance(web, dict) else []
    else:
        rows = answer.get("results")
    if not isinstance(rows, list):
        raise NotAnAnswerError
    return tuple(_distinct(rows, "description" if engine is SearchEngine.BRAVE else "content"))


def _distinct(rows: list[Any], text_name: str) -> Iterator[ToolSource]:
    seen: set[str] = set()
    for row in rows:
        if not isinstance(row, dict) or len(seen) == MOST_FOUND:
            continue
        url = row.get("url")
        if not isinstance(url, str) or url in seen or not url.startswith("http") or not is_safe_link(url):
            continue
        seen.add(url)
        yield ToolSource(
            _clean_text(row.get("title"), _LONGEST_TITLE), url, _clean_text(row.get(text_name), _LONGEST_TEXT)
        )


def _clean_text(value: object, most: int) -> str:
    if not isinstance(value, str):
        return ""
    text = " ".join(html.unescape(_MARKUP.sub("", value[: 4 * most])).split())
    return shortened(text, most)
