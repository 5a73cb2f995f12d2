"""Asks the process that hosts tool servers, from the services' loop.

The process is started when the first server is needed. Of a server that ends by itself, three more starts are tried,
each later than the one before; then a person has to ask for it (``check``, or switching it off and on).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from chatdesk.core.clock import Clock
from chatdesk.core.domain.tools import (
    CheckStep,
    ServerState,
    ServerStatus,
    Tool,
    ToolCheck,
    ToolFailed,
    ToolFile,
    ToolResult,
    ToolServer,
)
from chatdesk.core.hidden_characters import distinct_name
from chatdesk.core.system import child_process
from chatdesk.core.system.child_process import Wire
from chatdesk.core.texts import Sentences, Text, language_tag, translations_of
from chatdesk.core.tools.call_reports import NO_HOOKS, CallHooks, CallReports
from chatdesk.core.tools.host_process import HostProcess, RequestFailed, read_sentence
from chatdesk.core.tools.listed_tools import KnownServer, checks_of, is_changed, left_out_texts, tool_of
from chatdesk.core.tools.sign_in_pages import PAGES

_log = logging.getLogger(__name__)

MOST_RESTARTS: Final = 3
_FIRST_PAUSE_S: Final = 0.5
SWITCH: Final = "--host-tools"


# Returns a server's start parameters, secrets included. Raises ``ToolFailed`` if it cannot be started.
Launch = Callable[[ToolServer], Awaitable[Mapping[str, Any]]]


class ToolHost:
    """The servers of one ChatDesk. All methods run on one loop; ``on_changed`` is called there with the id of a server
    whose status is another one, ``on_kept`` with what a server is signed in with from now on, ``on_listing`` with the
    name of a list (``tools``, ``prompts``, ``resources``) that changed."""

    def __init__(
        self,
        launch: Launch,
        clock: Clock,
        *,
        on_changed: Callable[[str], None] = lambda _server_id: None,
        on_kept: Callable[[str, str], None] = lambda _server_id, _kept: None,
        on_listing: Callable[[str, str], None] = lambda _server_id, _list: None,
        command: Sequence[str] | None = None,
    ) -> None:
        self._launch = launch
        self._clock = clock
        self._on_changed = on_changed
        self._on_kept = on_kept
        self._on_listing = on_listing
        self._pages: dict[str, Callable[[str], None]] = {}
        self._command = list(command) if command is not None else child_process.command_of(SWITCH)
        self._servers: dict[str, KnownServer] = {}
        self._process: HostProcess | None = None
        self._requests: dict[int, asyncio.Future[Any]] = {}
        self._reports = CallReports(self._answer)
        self._numbers = itertools.count(1)
        self._is_closed = False

    # What a turn needs

    async def tools(self, servers: Sequence[ToolServer], *, root: str = "") -> tuple[Tool, ...]:
        """Return the tools of these servers in their order, and start those that do not run. One that fails is left
        out; its status says why. ``root``: as for ``call``."""
        found = await asyncio.gather(*(self._tools_of(each, root) for each in servers), return_exceptions=True)
        tools: list[Tool] = []
        for each in found:
            if isinstance(each, tuple):
                tools += each
            elif not isinstance(each, ToolFailed):
                raise each
        return tuple(tools)

    async def call(
        self,
        server: ToolServer,
        name: str,
        arguments: Mapping[str, Any],
        *,
        root: str = "",
        timeout_s: float,
        digest: str = "",
        hooks: CallHooks = NO_HOOKS,
    ) -> ToolResult:
        """Call a tool; one whose digest is not ``digest`` any more is not called. ``root`` is the folder that the
        server may be told of; empty: none. Cancelling ends the call, and with it a program that has no other call to
        answer. Raises ``ToolFailed``."""
        values = (name, json.dumps(arguments), timeout_s, root)
        about, offered = f"“{distinct_name(name)}”", (name, digest)
        row = await self.ask(server, "call", *values, about=about, root=root, offered=offered, hooks=hooks)
        text, files, is_error, size_bytes = row
        return ToolResult(text, tuple(ToolFile(*each) for each in files), is_error, size_bytes)

    async def ask(
        self,
        server: ToolServer,
        verb: str,
        *values: Any,
        about: str,
        root: str = "",
        offered: tuple[str, str] = ("", ""),
        hooks: CallHooks = NO_HOOKS,
    ) -> Any:
        """Return the answer of a server to a request (``host/process.py``), and start one that does not run; ``about``
        names what is asked for, ``offered`` is the tool by name and digest. Raises ``ToolFailed``."""
        listed = await self._tools_for(server, root, offered)
        try:
            try:
                return await self._ask(verb, server.id, *values, hooks=hooks)
            except RequestFailed as error:
                if error.code != "not_running":
                    raise
                # The server was just stopped together with another call; this request never reached it.
                self._was_ended(server, listed)
                await self._tools_for(server, root, offered)
                return await self._ask(verb, server.id, *values, hooks=hooks)
        except RequestFailed as error:
            name, reason = server.name, error.sentence
            what = Text("{about} of {server} failed: {reason}", about=about, server=name, reason=reason)
            wrote = self._known(server).last_words if error.code == "broke" else ""
            raise ToolFailed(Sentences.of(what, wrote and Text("It wrote: {tail}", tail=wrote))) from None

    async def _tools_for(self, server: ToolServer, root: str, offered: tuple[str, str]) -> tuple[Tool, ...]:
        listed = await self._tools_of(server, root)
        if is_changed(listed, *offered):
            words = Text(
                "“{tool}” of {server} was changed by its server after it was offered, so it was not run.",
                tool=distinct_name(offered[0]),
                server=server.name,
            )
            raise ToolFailed(words, next_step=Text("Ask again: you are shown it as it is now."))
        return listed

    # Status for the settings

    def status(self, server: ToolServer) -> ServerStatus:
        """Return a server as it is now."""
        known = self._servers.get(server.id)
        if not server.is_on:
            return ServerStatus(server, ServerState.OFF)
        if known is None or known.server != server:
            return ServerStatus(server, ServerState.IDLE)
        return known.status

    def known_tools(self, server: ToolServer) -> tuple[Tool, ...]:
        """Return the tools that a running server listed; none of one that does not run."""
        known = self._servers.get(server.id)
        return () if known is None or known.server != server else known.tools or ()

    async def check(self, server: ToolServer) -> AsyncIterator[ToolCheck]:
        """Start a server again and yield what happens, a step at a time; the last step that is yielded failed, or all
        went well."""
        await self.end(server.id)
        try:
            await self._launch(server)
        except ToolFailed as error:
            yield ToolCheck(CheckStep.FOUND, False, error.what)
            return
        yield ToolCheck(CheckStep.FOUND, True)
        known = self._known(server)
        with suppress(ToolFailed):
            await self._tools_of(server, "")
        for each in checks_of(known.status, known.steps):
            yield each

    async def sign_in(self, server: ToolServer, open_page: Callable[[str], None]) -> None:
        """Have the person sign in to a server; ``open_page`` is called with the page, at most once. Cancelling gives
        up. Raises ``ToolFailed``."""
        await self.end(server.id)
        spec = {**await self._launch(server), "pages": (translations_of(PAGES), language_tag())}
        self._pages[server.id] = open_page
        try:
            await self._ask("sign_in", server.id, spec)
        except RequestFailed as error:
            what = Text("Signing in to {server} failed: {reason}", server=server.name, reason=error.sentence)
            raise ToolFailed(what) from None
        finally:
            self._pages.pop(server.id, None)

    async def revoke(self, server: ToolServer) -> bool:
        """Have a server revoke the person's sign-in; return whether it did."""
        try:
            return bool(await self._ask("revoke", server.id, dict(await self._launch(server))))
        except (RequestFailed, ToolFailed):
            return False

    async def end(self, server_id: str) -> None:
        """End a server with everything that it started, and forget its failures."""
        known = self._servers.pop(server_id, None)
        if known is not None and known.opening is not None:
            known.opening.cancel()
        if known is not None and self._process is not None and known.state is not ServerState.IDLE:
            try:
                await self._ask("close", server_id)
            except RequestFailed as error:
                _log.debug("server %s was gone already: %s", server_id, error)
        if known is not None:
            self._on_changed(server_id)

    async def close(self) -> None:
        """End all servers and the process that hosts them."""
        self._is_closed = True
        for known in self._servers.values():
            if known.opening is not None:
                known.opening.cancel()
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(process.end)
        self._fail_all(Text("ChatDesk is closing."))

    # Inside

    def _known(self, server: ToolServer) -> KnownServer:
        known = self._servers.get(server.id)
        if known is None or known.server != server:
            known = self._servers[server.id] = KnownServer(server)
        return known

    async def _tools_of(self, server: ToolServer, root: str) -> tuple[Tool, ...]:
        before = self._servers.get(server.id)
        if before is not None and before.server != server:
            await self.end(server.id)  # the server was set up again
        known = self._known(server)
        if known.tools is None:
            if known.opening is None:
                known.opening = asyncio.ensure_future(self._open(known, root))
            await asyncio.shield(asyncio.wait([known.opening]))
            if known.tools is None:
                reason = known.problem or Text("It was ended.")
                raise ToolFailed(Text("{server} cannot be used: {reason}", server=server.name, reason=reason))
        return known.tools

    async def _open(self, known: KnownServer, root: str) -> None:
        server = known.server
        try:
            if known.state is not ServerState.READY:  # READY if only its list of tools changed
                if known.restarts > MOST_RESTARTS:
                    return
                await asyncio.sleep(max(0.0, known.again_at_s - self._clock.monotonic_s()))
                await self._start(known, root)
            try:
                rows, left_out = await self._ask("tools", server.id)
            except RequestFailed as error:
                if error.code != "not_running":
                    raise
                await self._start(known, root)  # the session was lost
                rows, left_out = await self._ask("tools", server.id)
            known.left_out = left_out_texts(left_out)
            known.tools = tuple(tool_of(server, row) for row in rows)
            self._change(known, ServerState.READY)
        except ToolFailed as error:
            self._change(known, ServerState.FAILED, error.what)
        except RequestFailed as error:
            self._failed(known, error.sentence)
        finally:
            known.opening = None

    async def _start(self, known: KnownServer, root: str) -> None:
        self._change(known, ServerState.STARTING)
        known.steps.clear()
        await self._ask("open", known.server.id, {**await self._launch(known.server), "root": root})

    def _failed(self, known: KnownServer, problem: str) -> None:
        known.tools = None
        known.again_at_s = self._clock.monotonic_s() + _FIRST_PAUSE_S * 2**known.restarts
        known.restarts += 1
        self._change(known, ServerState.FAILED, problem)

    def _was_ended(self, server: ToolServer, listed: tuple[Tool, ...]) -> None:
        known = self._known(server)
        if known.tools is listed:  # else the end was already recorded
            known.tools = None
            self._change(known, ServerState.IDLE)

    def _change(self, known: KnownServer, state: ServerState, problem: str = "") -> None:
        known.state, known.problem = state, problem
        self._on_changed(known.server.id)

    async def _ask(self, verb: str, *values: Any, hooks: CallHooks = NO_HOOKS) -> Any:
        if self._is_closed:
            raise RequestFailed("closed", Text("ChatDesk is closing."))
        number = next(self._numbers)
        answered = self._requests[number] = asyncio.get_running_loop().create_future()
        self._reports.start(number, hooks)
        try:
            self._running().send((verb, number, *values))
            return await answered
        except asyncio.CancelledError:
            if self._process is not None:
                self._process.send(("cancel", number))
            raise
        except OSError as error:
            raise RequestFailed("broke", Text("The process for tools could not be started.")) from error
        finally:
            self._requests.pop(number, None)
            self._reports.end(number)

    def _running(self) -> HostProcess:
        if self._process is None:
            loop = asyncio.get_running_loop()
            self._process = HostProcess(
                self._command, lambda process, frame: loop.call_soon_threadsafe(self._receive, process, frame)
            )
        return self._process

    def _receive(self, process: HostProcess, frame: Wire | None) -> None:
        if process is not self._process:
            return
        if frame is None:
            self._process = None
            self._fail_all(Text("The process for tools ended."))
            return
        kind, number, *values = frame
        if kind == "done":
            self._resolve(number, lambda answered: answered.set_result(values[0]))
        elif kind == "failed":
            self._resolve(
                number, lambda answered: answered.set_exception(RequestFailed(values[0], read_sentence(values[1])))
            )
        elif kind in ("progress", "asked", "withdrawn"):
            self._reports.receive(kind, number, values)
        elif kind == "kept":
            self._on_kept(number, values[0])
        elif kind == "browse":
            if (open_page := self._pages.pop(number, None)) is not None:  # else no sign-in is pending
                open_page(values[0])
        elif number in self._servers:
            self._receive_of_server(self._servers[number], kind, values)

    def _answer(self, asked: int, action: str, content: Any) -> None:
        if self._process is not None:
            self._process.send(("answer", asked, action, content))

    def _resolve(self, number: int, resolve: Callable[[asyncio.Future[Any]], None]) -> None:
        answered = self._requests.get(number)
        if answered is not None and not answered.done():
            resolve(answered)

    def _receive_of_server(self, known: KnownServer, kind: str, values: list[Any]) -> None:
        if kind == "step":
            known.steps.append(values[0])
        elif kind == "stderr":
            known.stderr = values[0]
        elif kind == "changed":
            if values[0] == "tools":
                known.tools = None  # listed again when they are needed
            self._on_listing(known.server.id, values[0])
        elif kind == "gone" and known.state is ServerState.READY:
            if values[0]:
                self._failed(known, read_sentence(values[0]))
            else:  # ended after a call was stopped
                known.tools = None
                self._change(known, ServerState.IDLE)

    def _fail_all(self, problem: str) -> None:
        for answered in list(self._requests.values()):
            if not answered.done():
                answered.set_exception(RequestFailed("broke", problem))
        for known in self._servers.values():
            if known.state is ServerState.READY:
                self._failed(known, problem)
