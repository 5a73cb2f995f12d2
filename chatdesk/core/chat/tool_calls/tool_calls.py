"""Gives answers the tools that are on in their thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from chatdesk.core.chat.tool_calls.approvals import Approvals, ServerQuestions
from chatdesk.core.chat.tool_calls.person_requests import AskModel
from chatdesk.core.chat.tool_calls.port import Admit, KeepFile, ToolLimits
from chatdesk.core.clock import Clock
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.usage import CostOf
from chatdesk.core.events import EventBus
from chatdesk.core.providers.base import Provider
from chatdesk.core.storage.chat.threads import ThreadRepository
from chatdesk.core.system.background_import import import_beside
from chatdesk.core.texts import plural
from chatdesk.core.tools.tool_service import ToolService

LoadTools = Callable[[], "Awaitable[ToolService | None]"]


async def _no_tools() -> None:
    """Load no tools: the default until ``use`` is called."""


class ToolCalls:
    """Gives answers their tools; ``ChatService.tools`` exposes it. Until ``use`` says where tools come from, there are
    none."""

    def __init__(self, threads: ThreadRepository, bus: EventBus, clock: Clock, cost_of: CostOf) -> None:
        self.approvals = Approvals(bus)
        self.questions = ServerQuestions(bus)
        self._threads = threads
        self._origins = [threads]  # the stores that know which texts others wrote
        self._clock = clock
        self._cost_of = cost_of
        self._load: LoadTools = _no_tools
        self._only: tuple[str, ...] | None = None
        self._asked_again: set[str] = set()
        self._limits: Callable[[], ToolLimits] | None = None
        self.keep: KeepFile | None = None
        self._ask_model: AskModel | None = None

    def use(
        self,
        load: LoadTools,
        limits: Callable[[], ToolLimits],
        keep: KeepFile | None = None,
        ask_model: AskModel | None = None,
    ) -> None:
        """Use tools from the next answer on. ``load`` returns None as long as no server is set up; ``keep`` stores
        files: those of results, and pictures that models answer with; ``ask_model`` answers what servers ask models."""
        self._load, self._limits, self.keep, self._ask_model = load, limits, keep, ask_model

    def use_same(self, other: ToolCalls) -> None:
        """Use the tools of ``other``, for threads of which nothing is stored."""
        self._load, self._limits, self._ask_model = other._load, other._limits, other._ask_model
        self._origins += other._origins  # an assistant is kept there, and may have come out of a file
        if other.approvals.is_unattended:
            self.approvals.deny_all()
        if other.questions.is_attended:
            self.questions.attend()

    def limit_to(self, server_ids: Sequence[str]) -> None:
        """Use only these servers in answers from now on, for a command that names them."""
        self._only = tuple(server_ids)

    def ask_again(self, answer_id: str) -> None:
        """Ask about the calls that were left open when ChatDesk ended, once this answer continues. Only a person's
        request leads here; no stored state does."""
        self._asked_again.add(answer_id)

    async def cost_sentence(self, thread_id: str) -> str:
        """Return a sentence that says how many tokens tools add to each request in a thread; empty where none are on.
        No server is started for it."""
        tools = await self._load()
        if tools is None:
            return ""
        thread = await self._threads.get(thread_id)
        servers = tools.on_for(thread_id=thread.id, project_id=thread.project_id, chosen=self._only)
        if not servers:
            return ""
        offering = await import_beside("chatdesk.core.chat.tool_calls.offered_tools")
        known = {each.id: tools.known_tools(each.id) for each in servers}
        found = [tool for listed in known.values() for tool in listed]
        idle = sum(not listed for listed in known.values())
        tokens = offering.tokens_of(offering.OfferedTools(found).functions()) if found else 0
        words = plural(
            "{count} tools can be called: about {tokens} tokens with each request.",
            "{count} tool can be called: about {tokens} tokens with each request.",
            len(found),
            tokens=tokens,
        )
        return (
            plural(
                "{words} {count} tool servers not started yet.",
                "{words} {count} tool server not started yet.",
                idle,
                words=words,
            )
            if idle
            else words
        )

    async def equip(
        self, answer: Message, provider: Provider, chosen: Sequence[str] | None = None, *, admit: Admit
    ) -> Provider:
        """Return a provider that answers with the tools of the answer's thread, or with those servers that were
        ``chosen`` for it; the same one where none are on. ``admit`` is asked before each request but the first."""
        asks_again = answer.id in self._asked_again
        self._asked_again.discard(answer.id)
        tools = await self._load()
        if tools is None or self._limits is None:
            return provider
        thread = await self._threads.get(answer.thread_id)
        wanted = chosen if self._only is None else self._only
        servers = tools.on_for(thread_id=thread.id, project_id=thread.project_id, chosen=wanted)
        if not servers:
            return provider
        loop = await import_beside("chatdesk.core.chat.tool_calls.loop")
        earlier = await import_beside("chatdesk.core.chat.tool_calls.earlier_steps")
        port = await import_beside("chatdesk.core.chat.tool_calls.port")
        requests = await import_beside("chatdesk.core.chat.tool_calls.person_requests")
        answers = {"provider": answer.provider, "model": answer.model, "agent": answer.assistant_name}
        equipped: Provider = loop.ToolLoop(
            provider,
            port.Equipment(
                servers, tools, self.keep, requests.PersonRequests(self.questions, thread.id, self._ask_model), admit
            ),
            self.approvals,
            port.Place(
                thread.id,
                thread.project_id,
                answer.id,
                await self._has_outside_text(answer),
                earlier.earlier_steps(answer, asks_again=asks_again),
                {name: value for name, value in answers.items() if value},
            ),
            clock=self._clock,
            limits=self._limits(),
            cost_of=partial(self._cost_of, answer.provider, answer.model),
        )
        return equipped

    async def _has_outside_text(self, answer: Message) -> bool:
        found = [await each.has_outside_text(answer.thread_id, answer.assistant_id) for each in self._origins]
        return any(found)
