"""Runs the loop of question, calls, results and answer, as a provider around the thread's own.

Calls of one step run in parallel. A call runs only if it was approved and the model made it in this very answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from chatdesk.core.chat.tool_calls import results
from chatdesk.core.chat.tool_calls.approvals import Approvals
from chatdesk.core.chat.tool_calls.collected_calls import CollectedCall, CollectedCalls, StepText
from chatdesk.core.chat.tool_calls.offered_tools import OfferedTools
from chatdesk.core.chat.tool_calls.person_requests import approval_request, reason_to_ask, where_of
from chatdesk.core.chat.tool_calls.port import Equipment, Place, ToolLimits
from chatdesk.core.chat.tool_calls.results import SourceNumbers
from chatdesk.core.clock import Clock
from chatdesk.core.context.groups import fenced
from chatdesk.core.context.held_back import without_files
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.tools import (
    FIND_TOOLS,
    PROGRESS,
    Answer,
    CallStatus,
    Tool,
    ToolResult,
    ToolServer,
)
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import ChatDeskError, ProviderError, ProviderErrorKind
from chatdesk.core.providers.base import (
    CallChanged,
    ChatRequest,
    FinishReason,
    LibraryLoaded,
    Provider,
    ReasoningKept,
    RequestMessage,
    ResultArrived,
    StepBegan,
    StepEnded,
    StoreNow,
    StreamEvent,
    StreamFinished,
    TextDelta,
    ToolCallDelta,
    UsageReported,
)
from chatdesk.core.rendering.sources import numbered
from chatdesk.core.texts import Text
from chatdesk.core.tools.call_reports import CallHooks

_log = logging.getLogger(__name__)

_DENIED = Text("The person did not allow this call. Do not try it again in another way; go on without it, or ask them.")
_UNKNOWN_TOOL = Text("There is no tool with this name.")
_NOT_JSON = Text("The arguments are not valid JSON, so the tool was not run. Write them again.")
_NO_ARGUMENTS = Text("No arguments came with this call, so the tool was not run. Write them again.")
_CUT_OFF = Text("The answer was cut off while this call was written, so the tool was not run.")
_CUT_OFF_BY = (FinishReason.LENGTH, FinishReason.CONTENT_FILTER)
_NO_MORE = Text("The limit of this answer was reached, so the tool was not run.")
_TOO_MANY = Text("Too many tools were called at once, so this one was not run. Call fewer.")
_REFUSED = Text("“{tool}” is left out of this answer: {provider} refuses its description.")
_MISTAKE = Text("Something unexpected happened in ChatDesk while this tool ran. Nobody knows what it did.")
_NOT_AGAIN = Text(
    "ChatDesk ended while this ran, so nobody knows what it did. The person does not want it to be run again."
)
_MOST_REFUSED = 8  # tools that are left out one after the other
_MOST_AT_ONCE = 32  # calls of one step; a person would have to look at each


class ToolLoop:
    """Answers as ``inner`` does, with tools. Made for one answer."""

    def __init__(
        self,
        inner: Provider,
        equipment: Equipment,
        approvals: Approvals,
        place: Place,
        *,
        clock: Clock,
        limits: ToolLimits,
        cost_of: Callable[[Usage], float | None] = lambda _usage: None,
    ) -> None:
        self._inner = inner
        self._servers = {each.id: each for each in equipment.servers}
        self._tools = equipment.tools
        self._keep = equipment.keep
        self._admit = equipment.admit
        self._requests = equipment.requests
        self._approvals = approvals
        self._place = place
        self._caller = place.caller(keeps_files=equipment.keep is not None)
        self._clock = clock
        self._limits = limits
        self._cost_of = cost_of
        self._call_count = place.earlier.call_count
        self._sources = SourceNumbers(place.earlier.sources)
        self._has_outside_text = False
        self._spent: Usage | None = None
        self._sent = ChatRequest("", ())  # the request of the current step

    def __getattr__(self, name: str) -> Any:
        """Delegate everything else to the provider."""
        return getattr(self._inner, name)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        """Yield the events of all steps as those of one answer."""
        began_s = self._clock.monotonic_s()
        listed = await self._tools.tools(tuple(self._servers.values()), self._caller)
        offered = OfferedTools(listed, self._inner.dialect)
        # starting servers does not count as time of the request
        yield LibraryLoaded(self._clock.monotonic_s() - began_s)
        for told in offered.news(self._tools.statuses(), self._servers):
            yield told
        earlier = self._place.earlier
        before = without_files(earlier.messages) if request.is_without_files else earlier.messages
        self._sent = replace(request, messages=(*request.messages, *before), continue_text=earlier.text)
        self._sources = SourceNumbers((*earlier.sources, *numbered((each.title, each.url) for each in request.sources)))
        self._has_outside_text = (
            self._place.has_outside_text
            or bool(request.sources)
            or request.has_outside_text
            or any(each.role is Role.TOOL or each.enclosed for each in self._sent.messages)
        )
        began_s = self._clock.monotonic_s()
        number = earlier.step
        if earlier.open:
            async with aclosing(self._answer_calls(earlier.open, offered)) as news:
                async for each in news:
                    yield each
        for step in range(self._limits.steps):
            if step or earlier.open:
                await self._admit(self._sent)
                number += 1
                yield StepBegan(number, self._sent)
            is_last = step + 1 == self._limits.steps or self._is_used_up(began_s)
            calls, said = CollectedCalls(self._call_count), StepText(self._sent.continue_text)
            failure: ProviderError | None = None
            try:
                async with aclosing(self._ask(offered, calls, said, is_last=is_last)) as events:
                    async for event in events:
                        yield event
            except ProviderError as error:
                failure = error
            made = calls.finished()
            for call in made if is_last else ():
                yield CallChanged(call.number, {"status": CallStatus.FAILED.value, "error": _NO_MORE})
            if failure is not None:
                raise failure
            if not made or is_last:
                yield said.finish or StreamFinished(FinishReason.STOP)
                return
            yield StepEnded()
            is_cut_off = said.finish is not None and said.finish.reason in _CUT_OFF_BY
            self._call_count += len(made)
            self._sent = replace(self._sent, messages=(*self._sent.messages, said.written(made)))
            async with aclosing(self._answer_calls(made, offered, is_cut_off=is_cut_off)) as news:
                async for each in news:
                    yield each

    async def _ask(
        self, offered: OfferedTools, calls: CollectedCalls, said: StepText, *, is_last: bool
    ) -> AsyncGenerator[StreamEvent, None]:
        """Ask the model for one step. Yield the events that a person sees; ``calls`` and ``said`` collect the rest. A
        tool that the vendor refuses is left out of the next attempt."""
        for rest in reversed(range(_MOST_REFUSED + 1)):
            try:
                async with aclosing(self._ask_once(offered, calls, said, is_last=is_last)) as events:
                    async for event in events:
                        yield event
                return
            except ProviderError as error:
                is_refusal = rest > 0 and error.kind is ProviderErrorKind.BAD_REQUEST
                if not is_refusal or (refused := offered.drop_refused(error.what)) is None:
                    raise
            note = _REFUSED.filled(tool=refused.name, provider=self._inner.label)
            yield offered.news_of(self._servers[refused.server_id], (note,))
            await self._admit(self._sent)

    async def _ask_once(
        self, offered: OfferedTools, calls: CollectedCalls, said: StepText, *, is_last: bool
    ) -> AsyncGenerator[StreamEvent, None]:
        async with aclosing(self._inner.stream(offered.add_to(self._sent, is_last=is_last))) as events:
            async for event in events:
                match event:
                    case StreamFinished():
                        said.add(event)
                    case ReasoningKept():
                        for change in calls.keep(event):
                            yield change
                    case ToolCallDelta():
                        yield calls.add(event)
                    case UsageReported():
                        self._spent = event.usage if self._spent is None else self._spent.plus(event.usage)
                        yield event
                    case TextDelta():
                        said.add(event)
                        yield event
                    case _:
                        yield event

    def _is_used_up(self, began_s: float) -> bool:
        if self._clock.monotonic_s() - began_s > 60 * self._limits.minutes:
            return True
        cost = None if self._spent is None else self._cost_of(self._spent)
        return bool(self._limits.dollars) and cost is not None and cost > self._limits.dollars

    # Calls

    async def _answer_calls(
        self, calls: Sequence[CollectedCall], offered: OfferedTools, *, is_cut_off: bool = False
    ) -> AsyncGenerator[StreamEvent, None]:
        """Run the calls of the last answer in the request and add their results to it. Yields their events."""
        returned: list[RequestMessage] = []
        async with aclosing(self._run(calls, offered, is_cut_off=is_cut_off)) as news:
            async for each in news:
                if isinstance(each, RequestMessage):
                    returned.append(each)
                else:
                    yield each
        messages = list(self._sent.messages)
        written = {call.id: call.written() for call in calls}  # only now: a person may have changed their arguments
        last = next(n for n in reversed(range(len(messages))) if messages[n].role is Role.ASSISTANT)
        made = tuple(written.get(each.id, each) for each in messages[last].tool_calls)
        messages[last] = replace(messages[last], tool_calls=made)
        self._sent = replace(self._sent, messages=(*messages, *returned), continue_text="")

    async def _run(
        self, calls: Sequence[CollectedCall], offered: OfferedTools, *, is_cut_off: bool
    ) -> AsyncGenerator[StreamEvent | RequestMessage, None]:
        """Run the calls of a step at the same time. Yields their events as they come, then a message for each call, in
        order."""
        news: asyncio.Queue[StreamEvent | None] = asyncio.Queue()
        finished: dict[int, ResultArrived] = {}

        async def run(call: CollectedCall, refusal: str) -> None:
            try:
                if refusal:
                    finished[call.number] = self._ended(call, news, CallStatus.FAILED, refusal, error=refusal)
                else:
                    finished[call.number] = await self._run_one(call, offered, news)
            finally:
                news.put_nowait(None)

        for call in calls:  # known before anything begins: an answer can be stopped before news of a task arrives
            if call.left is not CallStatus.UNKNOWN:  # which it stays until a person answers
                yield CallChanged(call.number, {"status": CallStatus.WAITING.value, **self._place.answers})
        refusals = (_refusal(each, is_cut_off=is_cut_off) for each in range(len(calls)))
        tasks = [asyncio.ensure_future(run(call, refusal)) for call, refusal in zip(calls, refusals, strict=True)]
        waiting = len(tasks)
        try:
            while waiting:
                event = await news.get()
                if event is None:
                    waiting -= 1
                else:
                    yield event
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for call in calls:
            result = finished[call.number]
            yield result
            self._has_outside_text = self._has_outside_text or "bytes" in result.content
            yield RequestMessage(Role.TOOL, fenced(result.text), tool_call_id=call.id)

    async def _run_one(
        self, call: CollectedCall, offered: OfferedTools, news: asyncio.Queue[StreamEvent | None]
    ) -> ResultArrived:
        news.put_nowait(ToolCallDelta(call.number, call.id, None, ""))  # the id may have been made here
        tool = offered.find(call.name)
        if tool is not None and not call.arguments.strip() and not tool.schema.get("properties"):
            call.arguments = "{}"  # there is nothing that the model could have written
        arguments = call.read()
        if call.name == FIND_TOOLS and offered.is_searched:
            text = offered.search(str((arguments or {}).get("query", "")))
            return self._ended(call, news, CallStatus.DONE, text, duration_ms=0)
        if tool is None or arguments is None:
            words = _UNKNOWN_TOOL if tool is None else _NOT_JSON if call.arguments.strip() else _NO_ARGUMENTS
            return self._ended(call, news, CallStatus.FAILED, words, error=words)
        server = self._servers[tool.server_id]
        described = {"server": server.name, "server_id": server.id, "tool": tool.name}
        if call.left is not None or not await self._may_run(server, tool):
            state = {"status": (call.left or CallStatus.WAITING).value}
            news.put_nowait(CallChanged(call.number, {**described, **state}))
            reason = reason_to_ask(self._has_outside_text, may_have_run=call.left is CallStatus.UNKNOWN)
            place, where = (self._place.thread_id, self._place.message_id), self._goes_to(server, tool.name, call)
            request = approval_request(place, server, tool, call.arguments, where=where, reason=reason)
            approval = await self._approvals.ask(request)
            if approval.answer is Answer.DENY:
                if call.left is CallStatus.UNKNOWN:
                    return self._ended(call, news, CallStatus.UNKNOWN, _NOT_AGAIN)
                return self._ended(call, news, CallStatus.DENIED, _DENIED)
            if approval.arguments != call.arguments:
                call.arguments = approval.arguments
                described["changed"] = approval.arguments
                arguments = json.loads(approval.arguments)
            await self._keep_answer(server, tool, approval.answer, only_reads=approval.only_reads)
        news.put_nowait(CallChanged(call.number, {**described, "status": CallStatus.RUNNING.value}))
        stored = asyncio.Event()  # The call is stored before it runs; otherwise a crash would hide it
        news.put_nowait(StoreNow(stored.set))
        await stored.wait()
        began_s = self._clock.monotonic_s()
        try:
            result = await self._call(call, server, tool, arguments, news)
            duration_ms = self._since_ms(began_s)
            result, cited = self._sources.number(result)
            text, files = await results.shortened(result, tool, self._keep)
        except ChatDeskError as error:
            size = {"bytes": len(error.what.encode("utf-8", "replace"))}  # perhaps in the server's words: from outside
            duration_ms = self._since_ms(began_s)
            return self._ended(
                call, news, CallStatus.FAILED, error.what, error=error.sentence, duration_ms=duration_ms, more=size
            )
        except Exception:  # noqa: BLE001 - a mistake of ours costs this call, not the answer
            _log.exception("a call of a tool failed")
            duration_ms = self._since_ms(began_s)
            return self._ended(call, news, CallStatus.FAILED, _MISTAKE, error=_MISTAKE, duration_ms=duration_ms)
        status = CallStatus.FAILED if result.is_error or result.problem else CallStatus.DONE
        more = {"bytes": result.size_bytes, **cited}
        ended = self._ended(call, news, status, text, error=result.problem, duration_ms=duration_ms, more=more)
        return replace(ended, files=files, about=results.about_files(result))

    async def _call(
        self,
        call: CollectedCall,
        server: ToolServer,
        tool: Tool,
        arguments: Mapping[str, Any],
        news: asyncio.Queue[StreamEvent | None],
    ) -> ToolResult:
        hooks = CallHooks(
            lambda words: news.put_nowait(CallChanged(call.number, {PROGRESS: words})),
            None if self._requests is None else self._requests.of(server, tool, self._inner, self._sent.model),
        )
        return await self._tools.call(
            server,
            tool.name,
            arguments,
            caller=self._caller,
            timeout_s=self._limits.call_s,
            digest=tool.digest,
            hooks=hooks,
        )

    def _ended(
        self,
        call: CollectedCall,
        news: asyncio.Queue[StreamEvent | None],
        status: CallStatus,
        text: str,
        *,
        error: str = "",
        duration_ms: int | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> ResultArrived:
        said = {"error": error} if error else {}
        news.put_nowait(CallChanged(call.number, {"status": status.value, **said}))
        content = {"status": status.value, **said, **self._place.answers, **(more or {})}
        return ResultArrived(call.number, call.id, call.name, text, content, duration_ms)

    async def _may_run(self, server: ToolServer, tool: Tool) -> bool:
        own = self._tools.built_in.get(server.id)
        return (own is not None and own.only_proposes(tool.name)) or await self._tools.allows(
            server,
            tool,
            thread_id=self._place.thread_id,
            project_id=self._place.project_id,
            after_outside_text=self._has_outside_text,
        )

    def _goes_to(self, server: ToolServer, name: str, call: CollectedCall) -> str:
        own = self._tools.built_in.get(server.id)
        return where_of(server) if own is None else own.goes_to(name, call.read() or {})

    async def _keep_answer(self, server: ToolServer, tool: Tool, answer: Answer, *, only_reads: bool) -> None:
        scopes = {Answer.THREAD: self._place.thread_id, Answer.PROJECT: self._place.project_id, Answer.ALWAYS: ""}
        if answer in scopes:
            await self._tools.allow(server, tool, answer, scopes[answer], only_reads=only_reads)

    def _since_ms(self, began_s: float) -> int:
        return round((self._clock.monotonic_s() - began_s) * 1000)


def _refusal(place: int, *, is_cut_off: bool) -> str:
    """Return why the call at this place of a step is not run, whatever it is; empty: it may be asked about."""
    if is_cut_off:
        return _CUT_OFF
    return _TOO_MANY if place >= _MOST_AT_ONCE else ""
