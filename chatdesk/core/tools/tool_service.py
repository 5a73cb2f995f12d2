"""ToolService implements the use cases of tool servers for all front ends: setting them up, testing them, switching
them on and off, and permissions.

All methods are called on the services' loop. Definitions come from the person alone: data from the database, a backup,
an import, a team or another program never reaches ``save``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from chatdesk.core.clock import Clock
from chatdesk.core.domain.tools import (
    Answer,
    Caller,
    CheckStep,
    ServerKind,
    ServerState,
    ServerStatus,
    Tool,
    ToolCheck,
    ToolFailed,
    ToolResult,
    ToolServer,
)
from chatdesk.core.errors import NotPossible
from chatdesk.core.events import EventBus, ToolServersChanged
from chatdesk.core.ids import readable_id
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.texts import Text
from chatdesk.core.tools.built_in import BuiltInServer
from chatdesk.core.tools.call_reports import NO_HOOKS, CallHooks
from chatdesk.core.tools.folder.change_records import ChangeRecords
from chatdesk.core.tools.folder.file_changes import FileChanges
from chatdesk.core.tools.host_client import ToolHost
from chatdesk.core.tools.offers import Offers
from chatdesk.core.tools.permissions import Permission, Permissions
from chatdesk.core.tools.programs import ProgramFinder, missing_text
from chatdesk.core.tools.project_folders import ProjectFolders
from chatdesk.core.tools.seals import Seals
from chatdesk.core.tools.server_rules import ServerNotUsable, check_usable, secret_name, secret_origin, sign_in_of
from chatdesk.core.tools.servers_store import ServersNotSaved, ServersStore, StoredServers
from chatdesk.core.tools.sign_ins import SignIns, can_sign_in
from chatdesk.core.tools.web_search.choice import SearchChoice
from chatdesk.core.tools.web_search.web_search import WebSearch
from chatdesk.core.tools.written_secrets import fill_in, names_within

_MOST_SERVERS: Final = 100


class ToolService:
    """The tool servers of this person. Files are read when the service is made, which is done in a thread."""

    def __init__(
        self,
        paths: AppPaths,
        secrets: SecretStore,
        key_place: Callable[[], KeyPlace],
        *,
        bus: EventBus,
        clock: Clock,
        finder: ProgramFinder | None = None,
        built_in: Sequence[BuiltInServer] = (),
        start_s: Callable[[], float] | None = None,
    ) -> None:
        seals = Seals(secrets, key_place, paths.seal_key_file)
        self._store = ServersStore(paths.config_dir, seals, needs_seals=paths.is_chosen)
        self._stored = self._store.load()
        self.folders = ProjectFolders(self._stored.folders, self._keep_folders, paths)
        records = ChangeRecords(paths.data_dir / "file-changes", paths.blob_dir, seals, needs_seals=paths.is_chosen)
        self.changes = FileChanges(records, self.folders.of, clock)
        self.search = WebSearch(self._stored.search, self._keep_search, secrets, key_place)
        self._secrets = secrets
        self._place = key_place
        self._bus = bus
        self.built_in: Mapping[str, BuiltInServer] = {each.server.id: each for each in built_in}
        self._start_s = start_s
        self._finder = finder or ProgramFinder()
        self._empty_folder = paths.data_dir / "tools"
        self._permissions = Permissions(paths.config_dir, seals, clock)
        self.sign_ins = SignIns(
            secrets, key_place, host=lambda: self._host, find=self.server, mark=self._mark_signed_in
        )
        self.offers = Offers(lambda: self._host)
        self._host = ToolHost(
            self._launch,
            clock,
            on_changed=self._on_host_changed,
            on_kept=self.sign_ins.store,
            on_listing=self.offers.forget,
        )

    # Servers

    @property
    def problem(self) -> str:
        """A sentence about the file of servers; empty when all is well."""
        return self._stored.problem

    @property
    def servers(self) -> tuple[ToolServer, ...]:
        """All servers: those that come with ChatDesk, then the others in the order in which they were added."""
        own = (replace(each.server, is_on=id_ in self._stored.built_in) for id_, each in self.built_in.items())
        return (*own, *(each for each in self._stored.servers if each.id not in self.built_in))

    def server(self, server_id: str) -> ToolServer | None:
        return next((each for each in self.servers if each.id == server_id), None)

    def new_id(self, name: str) -> str:
        """Return an id for a new server."""
        return readable_id(name, [each.id for each in self.servers], longest=24, usual="server")

    def statuses(self) -> tuple[ServerStatus, ...]:
        """Return all servers as they are now."""
        return tuple(map(self._status, self.servers))

    def known_tools(self, server_id: str) -> tuple[Tool, ...]:
        """Return the tools of a running server, which is not started for it."""
        server = self.server(server_id)
        if server is not None and server.kind is ServerKind.BUILT_IN:
            return self.built_in[server_id].tools()
        return () if server is None else self._host.known_tools(server)

    async def save(self, server: ToolServer, secrets: Mapping[str, str] | None = None) -> None:
        """Add a server, or replace the one with its id; ``secrets`` has new values by the names of ``env_names`` and
        ``header_names``. Raises ``ServerNotUsable`` and ``ServersNotSaved``, and ``SecretNotKept`` for a server that is
        saved, with secrets that are used in this run only."""
        check_usable(server)
        before = self.server(server.id)
        # A sign-in exists only on this computer, and holds for one address.
        is_signed_in = before is not None and before.is_signed_in and sign_in_of(before) == sign_in_of(server)
        server = replace(server, is_signed_in=is_signed_in)
        others = [each for each in self._stored.servers if each.id != server.id]
        if len(others) >= _MOST_SERVERS:
            raise ServerNotUsable(
                Text("There are {most_servers} tool servers already.", most_servers=str(_MOST_SERVERS))
            )
        place = next((n for n, each in enumerate(self._stored.servers) if each.id == server.id), len(others))
        if before is not None and sign_in_of(before) != sign_in_of(server):
            await self.sign_ins.forget(before)
        if before is not None and secret_origin(before) != secret_origin(server):
            await self._forget_secrets(before)
        await self._keep(replace(self._stored, servers=(*others[:place], server, *others[place:])))
        if before is not None and before != server:
            await self._host.end(server.id)
        try:
            for name, value in (secrets or {}).items():
                await asyncio.to_thread(
                    self._secrets.keep, secret_name(server, name), value, secret_origin(server), place=self._place()
                )
        finally:
            self._bus.publish(ToolServersChanged())

    async def remove(self, server_id: str) -> None:
        """Remove a server with its secrets and permissions. Raises ``ServersNotSaved``, and ``NotPossible`` for a
        server that comes with ChatDesk."""
        server = self.server(server_id)
        if server is None:
            return
        if server.kind is ServerKind.BUILT_IN:
            raise NotPossible(
                Text("{name} comes with ChatDesk.", name=server.name), next_step=Text("Switch it off instead.")
            )
        await self._host.end(server_id)
        rest = tuple(each for each in self._stored.servers if each.id != server_id)
        chosen = {scope: tuple(each for each in ids if each != server_id) for scope, ids in self._stored.chosen.items()}
        await self._keep(replace(self._stored, servers=rest, chosen=chosen))
        await asyncio.to_thread(self._permissions.forget_server, server_id)
        await self._forget_secrets(server)
        self._bus.publish(ToolServersChanged())

    async def switch(self, server_id: str, *, is_on: bool) -> None:
        """Switch a server on or off everywhere. Raises ``ServersNotSaved``."""
        server = self.server(server_id)
        # A server that appears off may be on in the file, under a seal that cannot be verified now.
        if server is None or (server.is_on == is_on and not self._stored.problem):
            return
        if server.kind is not ServerKind.BUILT_IN:
            await self.save(replace(server, is_on=is_on))
            return
        rest = [each for each in self._stored.built_in if each != server_id]
        await self._keep(replace(self._stored, built_in=(*rest, server_id) if is_on else tuple(rest)))
        self._bus.publish(ToolServersChanged())

    async def check(self, server: ToolServer) -> AsyncIterator[ToolCheck]:
        """Test a server in steps; it is restarted."""
        if server.kind is ServerKind.BUILT_IN:
            yield ToolCheck(CheckStep.LISTED, True, tool_count=len(self.known_tools(server.id)))
            return
        async with aclosing(self._host.check(server)) as steps:  # type: ignore[type-var]
            async for step in steps:
                yield step

    # Where they are on

    def on_for(
        self, *, thread_id: str | None, project_id: str | None, chosen: Sequence[str] | None = None
    ) -> tuple[ToolServer, ...]:
        """Return the servers that are on in a thread: those ``chosen`` (by its assistant), or else for the thread, or
        else for its project, or else all; of these the ones that are switched on."""
        ids = chosen if chosen is not None else self.chosen(thread_id=thread_id, project_id=project_id)
        folder = self.folders.of(project_id) if project_id else None
        found = (each for each in self.servers if each.is_on and (ids is None or each.id in ids))
        # A permission is bound to the folder as to that of a program.
        return tuple(
            replace(each, folder=str(folder)) if each.is_of_project else each
            for each in found
            if folder is not None or not each.is_of_project
        )

    def chosen(self, *, thread_id: str | None, project_id: str | None) -> tuple[str, ...] | None:
        """Return the ids that were chosen for a thread, or else for its project; None without a choice."""
        found = self._stored.chosen.get(f"thread:{thread_id}") if thread_id else None
        return found if found is not None else self._stored.chosen.get(f"project:{project_id}")

    async def choose(self, scope: Answer, scope_id: str, server_ids: Sequence[str] | None) -> None:
        """Choose the servers of a thread or project; None: as everywhere else. Raises ``ServersNotSaved``."""
        chosen = dict(self._stored.chosen)
        key = f"{scope.value}:{scope_id}"
        chosen.pop(key, None)
        if server_ids is not None:
            chosen[key] = tuple(server_ids)
        await self._keep(replace(self._stored, chosen=chosen))
        self._bus.publish(ToolServersChanged())

    # Calls

    async def tools(self, servers: Sequence[ToolServer], caller: Caller) -> tuple[Tool, ...]:
        """Return the tools of these servers for an answer, and start those that do not run."""
        own = [tool for each in servers for tool in self.known_tools(each.id) if each.kind is ServerKind.BUILT_IN]
        others = [each for each in servers if each.kind is not ServerKind.BUILT_IN]
        return (*own, *(await self._host.tools(others, root=self._root_of(caller)) if others else ()))

    async def call(
        self,
        server: ToolServer,
        name: str,
        arguments: Mapping[str, Any],
        *,
        caller: Caller,
        timeout_s: float,
        digest: str = "",
        hooks: CallHooks = NO_HOOKS,
    ) -> ToolResult:
        """Call a tool without asking for approval. A tool whose digest differs from ``digest`` is not called. Raises
        ``ToolFailed``; built-in servers also raise other errors of ChatDesk."""
        if server.kind is ServerKind.BUILT_IN:
            try:
                async with asyncio.timeout(timeout_s):
                    caller = replace(caller, folder=self.folders.of(caller.project_id))
                    return await self.built_in[server.id].call(name, arguments, caller)
            except TimeoutError:
                raise ToolFailed(Text("The tool took too long.")) from None
        root = self._root_of(caller)
        return await self._host.call(
            server, name, arguments, root=root, timeout_s=timeout_s, digest=digest, hooks=hooks
        )

    # Permissions

    async def allows(
        self, server: ToolServer, tool: Tool, *, thread_id: str, project_id: str, after_outside_text: bool
    ) -> bool:
        """Return whether the person allowed a tool before, and that still holds. ChatDesk's own tools are asked about
        each time: they reach all chats, and another program's token for one project may have caused the call. Those
        for a project's folder reach that alone."""
        if server.kind is ServerKind.BUILT_IN and not server.is_of_project:
            return False
        return await asyncio.to_thread(
            self._permissions.allows,
            server,
            tool,
            thread_id=thread_id,
            project_id=project_id,
            after_outside_text=after_outside_text,
        )

    async def allow(
        self, server: ToolServer, tool: Tool, scope: Answer, scope_id: str, *, only_reads: bool = False
    ) -> None:
        """Allow a tool for a thread, a project or always."""
        await asyncio.to_thread(self._permissions.allow, server, tool, scope, scope_id, only_reads=only_reads)
        self._bus.publish(ToolServersChanged())

    async def permissions(self) -> tuple[Permission, ...]:
        """Return every permission that holds, the oldest first."""
        return await asyncio.to_thread(self._permissions.all)

    async def revoke(self, permission: Permission) -> None:
        await asyncio.to_thread(self._permissions.revoke, permission)
        self._bus.publish(ToolServersChanged())

    async def close(self) -> None:
        """End all servers."""
        self.search.close()
        for each in self.built_in.values():
            each.close()
        await self._host.close()
        await self.sign_ins.finish()

    # Inside

    def _status(self, server: ToolServer) -> ServerStatus:
        if server.kind is not ServerKind.BUILT_IN:
            return self._host.status(server)
        state = ServerState.READY if server.is_on else ServerState.OFF
        return ServerStatus(server, state, tool_count=len(self.known_tools(server.id)))

    def _root_of(self, caller: Caller) -> str:
        """Return the folder that a server may learn of: that of the caller's project; empty where it has none."""
        folder = self.folders.of(caller.project_id)
        return "" if folder is None else str(folder)

    async def _keep(self, stored: StoredServers) -> None:
        self._stored = replace(stored, problem="")
        try:
            await asyncio.to_thread(self._store.save, self._stored)
        except ServersNotSaved as error:
            self._stored = replace(self._stored, problem=error.sentence)
            raise

    async def _keep_folders(self, folders: Mapping[str, str]) -> None:
        await self._keep(replace(self._stored, folders=folders))
        self._bus.publish(ToolServersChanged())

    async def _keep_search(self, choice: SearchChoice) -> None:
        await self._keep(replace(self._stored, search=choice))
        self._bus.publish(ToolServersChanged())

    async def _forget_secrets(self, server: ToolServer) -> None:
        await self.sign_ins.forget(server)
        for name in (*server.env_names, *server.header_names):
            await asyncio.to_thread(self._secrets.forget, secret_name(server, name))

    async def _launch(self, server: ToolServer) -> Mapping[str, Any]:
        spec = await asyncio.to_thread(self._launch_now, server)
        patience = {} if self._start_s is None else {"start_s": self._start_s()}
        return {**spec, **patience, "may_ask_model": server.may_ask_model}

    def _launch_now(self, server: ToolServer) -> Mapping[str, Any]:
        """Return the parameters with which the process that hosts servers starts this one. Raises ``ToolFailed``."""
        secrets = self._values(server, (*server.env_names, *server.header_names, *names_within(server)))
        apart = {name: value for name, value in secrets.items() if name not in names_within(server)}
        if server.kind is ServerKind.ADDRESS:
            spec = {
                "address": fill_in(server.address, secrets, is_address=True),
                "headers": {**server.headers, **apart},
            }
            return spec if not can_sign_in(server) else {**spec, "sign_in": self.sign_ins.values(server)}
        program = self._finder.find(server.argv[0])
        if program is None:
            raise ToolFailed(missing_text(server.argv[0]))
        folder = Path(server.folder).expanduser() if server.folder else self._empty_folder
        if not server.folder:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not folder.is_dir():
            raise ToolFailed(Text("The folder {folder} does not exist.", folder=folder))
        env = self._finder.environment({**server.env, **apart})
        arguments = (
            str(Path(each).expanduser()) if each.startswith("~/") else fill_in(each, secrets)
            for each in server.argv[1:]
        )
        return {"argv": (program, *arguments), "env": env, "cwd": str(folder)}

    def _values(self, server: ToolServer, names: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in names:
            secret = self._secrets.find(secret_name(server, name), secret_origin(server))
            if not secret.value:
                raise ToolFailed(
                    Text("The value of {name} is missing.", name=name), next_step=Text("Enter it in Settings, Tools.")
                )
            found[name] = secret.value
        return found

    async def _mark_signed_in(self, server_id: str, is_signed_in: bool) -> None:
        servers = tuple(
            replace(each, is_signed_in=is_signed_in) if each.id == server_id else each for each in self._stored.servers
        )
        if servers != self._stored.servers:
            await self._keep(replace(self._stored, servers=servers))
            self._bus.publish(ToolServersChanged())

    def _on_host_changed(self, server_id: str) -> None:
        server = self.server(server_id)
        if server is None or self._host.status(server).state not in (ServerState.STARTING, ServerState.READY):
            self.offers.forget(server_id)
        with suppress(RuntimeError):
            self._bus.publish(ToolServersChanged())
