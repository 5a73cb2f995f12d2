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

from chatdesk.core.domain.key_origin import KeyOrigin
from chatdesk.core.domain.tools import ToolSource
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.fetching.addresses import any_scope
from chatdesk.core.fetching.guarded_fetch import Ask, FetchFailed, FetchRules, GuardedFetcher, RefusedByServer
from chatdesk.core.rendering.safety import is_safe_link
from chatdesk.core.texts import Text, shortened
from chatdesk.core.tools.web_search.choice import SearchEngine, SearchStep

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
        web = answer.get("web")  # missing when there are no results
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


# A redirect would take the key along.
_RULES: Final = FetchRules(1024 * 1024, max_redirects=0, may_be_packed=True)
_REFUSING: Final = (401, 403)
_OVER_LIMIT: Final = (402, 429, 432, 433)
_KEY_ANEW: Final = Text("Enter it in Settings, Tools.")
_LATER: Final = Text("Try again later.")
_ADDRESS_OR_LATER: Final = Text("Check the address in Settings, Tools, or try again later.")


class EngineClient:
    """Sends searches to an engine. ``fetcher`` reaches the services; a SearXNG may be anywhere, because the person
    named it themselves."""

    def __init__(self, fetcher: GuardedFetcher | None = None) -> None:
        self._guarded = fetcher or GuardedFetcher()
        self._to_own_server = GuardedFetcher(scope_of=any_scope)

    def ask(self, engine: SearchEngine, address: str, query: str, key: str) -> tuple[ToolSource, ...]:
        """Return the pages that an engine finds. Blocks. Raises ``SearchFailed``."""
        if engine.needs_key and not key:
            raise SearchFailed(
                Text("The key of {label} is missing.", label=engine.label), _KEY_ANEW, step=SearchStep.ALLOWED
            )
        fetcher = self._guarded if engine.needs_key else self._to_own_server
        try:
            answer = fetcher.fetch(request_of(engine, address, query, key), _RULES)
            return found_in(engine, answer.body)
        except RefusedByServer as error:
            raise _refusal(engine, error.status) from error
        except FetchFailed as error:
            raise SearchFailed(error.what, _next_step(engine)) from error
        except NotAnAnswerError:
            what = Text(
                "{server} answered, but not as {label} does.", server=KeyOrigin.of(address).server, label=engine.label
            )
            raise SearchFailed(what, _next_step(engine), step=SearchStep.ALLOWED) from None

    def close(self) -> None:
        """Abort the running requests."""
        self._guarded.close()
        self._to_own_server.close()


def _refusal(engine: SearchEngine, status: int) -> SearchFailed:
    allowed = SearchStep.ALLOWED
    if engine is SearchEngine.SEARXNG and status == 403:
        what = Text("SearXNG does not answer programs.")
        return SearchFailed(
            what, Text("Add json to search.formats in its settings.yml, or choose another."), step=allowed
        )
    # Brave says 422 for a key that it cannot read.
    if engine.needs_key and (status in _REFUSING or (engine is SearchEngine.BRAVE and status == 422)):
        return SearchFailed(Text("{label} does not take this key.", label=engine.label), _KEY_ANEW, step=allowed)
    if status in _OVER_LIMIT:
        what = Text("{label} takes no more searches for now.", label=engine.label)
        return SearchFailed(what, Text("Wait, or look at your plan there."), step=allowed)
    return SearchFailed(
        Text("{label} answered with {status}.", label=engine.label, status=str(status)), _next_step(engine)
    )


def _next_step(engine: SearchEngine) -> str:
    """Return the next step where an engine could not be asked: only the address of SearXNG was entered by a person."""
    return _ADDRESS_OR_LATER if engine is SearchEngine.SEARXNG else _LATER


class SearchFailed(ChatDeskError):
    """The web could not be searched. ``step`` is the step that a test of the engine comes to."""

    code = "web_search_failed"
    what = Text("The web could not be searched.")
    safe = ""
    next_step = ""

    def __init__(self, what: str, next_step: str, *, step: SearchStep = SearchStep.REACHED) -> None:
        self.step = step
        super().__init__(what, next_step=next_step)
