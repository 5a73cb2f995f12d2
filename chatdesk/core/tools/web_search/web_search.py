"""Searches the web with the engine that the person chose, and tests it.

The choice is with the tool servers in the configuration directory, under their seal, because words of chats go there.
A key is where keys are, and goes only to the origin that it was given for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

from chatdesk.core.domain.key_origin import KeyOrigin, bare_key
from chatdesk.core.domain.tools import ToolSource
from chatdesk.core.errors import ChatDeskError, InvalidInput
from chatdesk.core.rendering.safety import is_safe_link
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.texts import Sentences, Text
from chatdesk.core.tools.web_search.choice import SearchCheck, SearchChoice, SearchEngine, SearchStep
from chatdesk.core.tools.web_search.engines import EngineClient, SearchFailed

# The services, in the form in which SearXNG's address is given.
ADDRESSES: Final[Mapping[SearchEngine, str]] = {
    SearchEngine.BRAVE: "https://api.search.brave.com",
    SearchEngine.TAVILY: "https://api.tavily.com",
}
# Brave's own limits; the others take as much.
_LONGEST_QUERY, _MOST_WORDS = 400, 50
_TRIED_WITH: Final = "tide tables"
_OPEN: Final = Text("Not encrypted: others on the network could read what is searched for.")


class SearchNotUsable(InvalidInput):
    code = "web_search_not_usable"
    what = Text("The web cannot be searched like this.")
    safe = Text("Nothing was changed.")
    next_step = Text("Correct this and save again.")


def _client() -> EngineClient:
    """Return a client; it brings the network's modules, which few runs need."""
    return EngineClient()


class WebSearch:
    """Searches the web with the chosen engine; ``ToolService.search`` exposes it. ``keep`` stores the choice.
    ``addresses`` are those of the services; tests put servers of their own there."""

    def __init__(
        self,
        choice: SearchChoice,
        keep: Callable[[SearchChoice], Awaitable[None]],
        secrets: SecretStore,
        key_place: Callable[[], KeyPlace],
        *,
        addresses: Mapping[SearchEngine, str] = ADDRESSES,
        make_client: Callable[[], EngineClient] = _client,
    ) -> None:
        self._choice = choice
        self._keep = keep
        self._secrets = secrets
        self._place = key_place
        self._addresses = addresses
        self._make_client = make_client
        self._running: set[EngineClient] = set()

    @property
    def choice(self) -> SearchChoice:
        return self._choice

    @property
    def goes_to(self) -> str:
        """The server that is asked, as it is shown; empty without one."""
        return self._origin(self._choice).server if self._choice.engine is not None else ""

    async def has_key(self, engine: SearchEngine) -> bool:
        """Return whether there is a key for an engine that wants one."""
        return bool(await asyncio.to_thread(self._key, SearchChoice(engine)))

    async def choose(self, choice: SearchChoice, key: str = "") -> None:
        """Search with this engine from now on; ``key`` replaces the kept one. Raises ``SearchNotUsable``,
        ``ServersNotSaved``, and ``SecretNotKept`` for a key that is used in this run only."""
        choice = checked(choice)
        engine = choice.engine if choice.engine is not None and choice.engine.needs_key else None
        if engine is not None and not key and not await self.has_key(engine):
            raise SearchNotUsable(Text("{label} wants a key.", label=engine.label))
        self._choice = choice
        await self._keep(choice)
        if engine is not None and key:
            name, origin = _name(engine), self._origin(choice)
            await asyncio.to_thread(self._secrets.keep, name, key, origin, place=self._place())

    async def forget_key(self, engine: SearchEngine) -> None:
        """Remove the key of an engine from where keys are."""
        await asyncio.to_thread(self._secrets.forget, _name(engine))

    async def find(self, query: str) -> tuple[ToolSource, ...]:
        """Return the pages that the engine finds. Raises ``SearchFailed`` and ``InvalidInput``."""
        choice = self._choice
        if choice.engine is None:
            raise SearchFailed(Text("No search engine is chosen."), Text("Choose one in Settings, Tools."))
        words = " ".join(query.split()[:_MOST_WORDS])[:_LONGEST_QUERY]
        if not words:
            raise InvalidInput(Text("There is nothing to search for."), safe=Text("Nothing was sent."), next_step="")
        return await self._ask(choice, words, await asyncio.to_thread(self._key, choice))

    async def check(self, choice: SearchChoice, key: str = "") -> AsyncIterator[SearchCheck]:
        """Test an engine step by step, without keeping anything; ``key``: instead of the kept one."""
        failure: ChatDeskError | None = None
        found: tuple[ToolSource, ...] = ()
        try:
            choice = checked(choice)
            if key:
                self._secrets.register_secret(key)
            found = await self._ask(choice, _TRIED_WITH, key or await asyncio.to_thread(self._key, choice))
        except ChatDeskError as error:
            failure = error
        failed_at = failure.step if isinstance(failure, SearchFailed) else SearchStep.REACHED
        for step in SearchStep:
            if failure is not None and step is failed_at:
                yield SearchCheck(step, False, Sentences.of(failure.what, failure.next_step))
                return
            if step is SearchStep.FOUND and not found:
                yield SearchCheck(step, False, Text("It found no page about {tried_with}.", tried_with=_TRIED_WITH))
                return
            is_open = step is SearchStep.REACHED and self._origin(choice).is_open
            yield SearchCheck(step, True, _OPEN if is_open else "")

    def close(self) -> None:
        """Abort the running searches."""
        for each in tuple(self._running):
            each.close()

    # Inside

    def _origin(self, choice: SearchChoice) -> KeyOrigin:
        return KeyOrigin.of(self._address(choice))

    def _address(self, choice: SearchChoice) -> str:
        assert choice.engine is not None
        return self._addresses[choice.engine] if choice.engine.needs_key else choice.address

    def _key(self, choice: SearchChoice) -> str:
        """Return the key that may be sent to the engine's own server: a variable's, or a kept one for that origin."""
        assert choice.engine is not None
        if not choice.engine.needs_key:
            return ""
        given = self._secrets.from_environment(choice.engine.variable)
        return given.value or self._secrets.find(_name(choice.engine), self._origin(choice)).value

    async def _ask(self, choice: SearchChoice, query: str, key: str) -> tuple[ToolSource, ...]:
        """Ask the engine; cancelling aborts the request. Raises ``SearchFailed``."""
        assert choice.engine is not None
        client = await asyncio.to_thread(self._make_client)
        self._running.add(client)
        try:
            return await asyncio.to_thread(client.ask, choice.engine, self._address(choice), query, bare_key(key))
        finally:
            self._running.discard(client)
            client.close()


def checked(choice: SearchChoice) -> SearchChoice:
    """Return the choice with its address as it is used. Raises ``SearchNotUsable``."""
    if choice.engine is not SearchEngine.SEARXNG:
        return SearchChoice(choice.engine)
    address = choice.address.strip()
    if address and "://" not in address:
        host = KeyOrigin.of(f"https://{address}")
        address = f"{'http' if host.is_on_this_computer else 'https'}://{address}"
    origin = KeyOrigin.of(address)
    if origin.scheme not in ("http", "https") or not origin.host or not is_safe_link(address) or "?" in address:
        raise SearchNotUsable(Text("The address of SearXNG is one like https://searx.example.org."))
    return SearchChoice(choice.engine, address.partition("#")[0].rstrip("/"))


def _name(engine: SearchEngine) -> str:
    return f"web-search/{engine.value}"
