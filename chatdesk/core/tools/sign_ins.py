"""Keeps the tokens of sign-ins to servers over HTTP where keys are kept, and has a person sign in and out."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from chatdesk.core.domain.key_origin import KeyOrigin
from chatdesk.core.domain.tools import ServerKind, ToolFailed, ToolServer
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.texts import Text
from chatdesk.core.tools.host_client import ToolHost

_log = logging.getLogger(__name__)

# No variable and no header has a colon in its name.
# The name of the secret of an OAuth client that a person registered, among the secrets of a server.
CLIENT: Final = "oauth:client"
_SIGNED_IN: Final = "oauth:signed-in"
# The names under which the keyring has something of a server that is signed in to.
NAMES: Final = (CLIENT, _SIGNED_IN)


class SignIns:
    """The sign-ins of all servers. All methods but ``values`` run on the services' loop; ``mark`` records whether a
    server is signed in to."""

    def __init__(
        self,
        secrets: SecretStore,
        place: Callable[[], KeyPlace],
        *,
        host: Callable[[], ToolHost],
        find: Callable[[str], ToolServer | None],
        mark: Callable[[str, bool], Awaitable[None]],
    ) -> None:
        self._secrets = secrets
        self._place = place
        self._host = host
        self._find = find
        self._mark = mark
        self._latest: dict[str, asyncio.Task[None]] = {}
        self._keeping: set[asyncio.Task[None]] = set()
        self._one = asyncio.Lock()

    async def sign_in(self, server_id: str, open_page: Callable[[str], None]) -> bool:
        """Have the person sign in to a server over HTTP, because they asked for it now; ``open_page`` is called with
        the page for their browser. Return False where the server did not ask for it. Raises ``ToolFailed``, and
        ``SecretNotKept`` for a sign-in that holds until ChatDesk closes."""
        server = self._find(server_id)
        if server is None or not can_sign_in(server):
            raise ToolFailed(
                Text("This server cannot be signed in to."), next_step=Text("Sign in to servers over https.")
            )
        self._latest.pop(server_id, None)
        await self._host().sign_in(server, open_page)
        kept = self._latest.pop(server_id, None)
        if kept is not None:
            await kept
        return kept is not None

    async def sign_out(self, server_id: str) -> bool:
        """Forget the tokens of a sign-in. Return whether the server revoked them, too, so that a copy of them is of no
        use. Raises ``ServersNotSaved``."""
        server = self._find(server_id)
        was_revoked = False
        if server is not None and server.is_signed_in:
            await self._host().end(server_id)
            was_revoked = await self._host().revoke(server)
            await asyncio.to_thread(self._secrets.forget, _name(server_id, _SIGNED_IN))
            await self._mark(server_id, False)
        return was_revoked

    async def keep_client_secret(self, server: ToolServer, value: str) -> None:
        """Keep the secret of the OAuth client that a person registered. Raises ``SecretNotKept``."""
        name, origin = _name(server.id, CLIENT), KeyOrigin.of(server.address)
        await asyncio.to_thread(self._secrets.keep, name, value, origin, place=self._place())

    async def forget(self, server: ToolServer) -> None:
        """Remove everything of a server's sign-in from the keyring."""
        for name in NAMES if server.kind is ServerKind.ADDRESS else ():
            await asyncio.to_thread(self._secrets.forget, _name(server.id, name))

    def values(self, server: ToolServer) -> dict[str, str]:
        """Return the tokens and the client of a server's sign-in. Blocks as the keyring does; is called in a thread."""
        origin = KeyOrigin.of(server.address)
        kept = self._secrets.find(_name(server.id, _SIGNED_IN), origin).value if server.is_signed_in else ""
        secret = self._secrets.find(_name(server.id, CLIENT), origin).value if server.client_id else ""
        self._register_secrets(kept)
        return {"kept": kept, "client_id": server.client_id, "client_secret": secret}

    def store(self, server_id: str, kept: str) -> None:
        """Store the tokens of a server in the keyring, in the background."""
        server = self._find(server_id)
        if server is not None:
            task = self._latest[server_id] = asyncio.ensure_future(self._keep(server, kept))
            self._keeping.add(task)
            task.add_done_callback(self._was_kept)

    async def finish(self) -> None:
        """Wait until everything is stored: a renewed token may be the only valid one."""
        if self._keeping:
            await asyncio.wait(self._keeping)

    async def _keep(self, server: ToolServer, kept: str) -> None:
        async with self._one:  # in turn, so that the newest token is the one kept
            self._register_secrets(kept)
            name, origin = _name(server.id, _SIGNED_IN), KeyOrigin.of(server.address)
            try:
                await asyncio.to_thread(self._secrets.keep, name, kept, origin, place=self._place())
            finally:
                await self._mark(server.id, True)

    def _was_kept(self, task: asyncio.Task[None]) -> None:
        self._keeping.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), ChatDeskError):
            _log.info("what a server is signed in with was not kept: %s", error.code)

    def _register_secrets(self, kept: str) -> None:
        """Register each secret by itself: a log would show one, never the whole text."""
        data = json.loads(kept) if kept else {}
        held = (data.get("tokens") or {}, data.get("client") or {})
        for name in ("access_token", "refresh_token", "client_secret"):
            for value in filter(None, (each.get(name) for each in held)):
                self._secrets.register_secret(str(value))


def can_sign_in(server: ToolServer) -> bool:
    """Return whether a person may sign in to a server: others must not be able to read it on the way."""
    return server.kind is ServerKind.ADDRESS and not KeyOrigin.of(server.address).is_open


def _name(server_id: str, name: str) -> str:
    return f"tools/{server_id}/{name}"
