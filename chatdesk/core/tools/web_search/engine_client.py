"""Asks a search engine over the network, behind the guard, and translates its refusals."""

from __future__ import annotations

from typing import Final

from chatdesk.core.domain.key_origin import KeyOrigin
from chatdesk.core.domain.tools import ToolSource
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.fetching.addresses import any_scope
from chatdesk.core.fetching.guarded_fetch import FetchFailed, FetchRules, GuardedFetcher, RefusedByServer
from chatdesk.core.texts import Text
from chatdesk.core.tools.web_search.choice import SearchEngine, SearchStep
from chatdesk.core.tools.web_search.engines import NotAnAnswerError, found_in, request_of

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
