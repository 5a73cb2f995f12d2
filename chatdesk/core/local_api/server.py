"""Serves other processes for the owner of a data directory: it shows the window, answers questions and reports
health."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from pathlib import Path

from chatdesk.core.local_api.instance import InstanceLock
from chatdesk.core.local_api.listener import Limits, Listener, Verb
from chatdesk.core.local_api.proof import SECRET_BYTES

_log = logging.getLogger(__name__)


class InstanceServer:
    """Listens while this process holds ``lock``, and announces its address under the lock."""

    def __init__(
        self, lock: InstanceLock, socket_path: Path, verbs: Mapping[str, Verb], *, limits: Limits | None = None
    ) -> None:
        self._lock = lock
        self._wanted = socket_path
        self._secret = secrets.token_bytes(SECRET_BYTES)
        self._listener = Listener(verbs, self._secret, limits=limits)
        self._address = ""

    async def start(self) -> None:
        """Listen. If that fails (a full disk), other processes cannot connect, and all else goes on; call ``start``
        again then."""
        if not self._address:
            try:
                self._address = await self._listener.start(self._wanted)
            except OSError as error:
                _log.warning("other processes cannot call this one: errno %s", error.errno)
                return
        self._lock.announce(self._address, self._secret)

    async def wait_until_idle(self) -> None:
        """Wait until no request is being answered."""
        await self._listener.wait_until_idle()

    async def close(self) -> None:
        if self._address:
            self._lock.announce()
            self._address = ""
        await self._listener.close()
