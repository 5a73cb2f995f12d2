"""What the owner of a data directory does for other processes: come to the front, ask, say how it is."""

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
    """Listens while this process holds ``lock``, and says under it where."""

    def __init__(
        self, lock: InstanceLock, socket_path: Path, verbs: Mapping[str, Verb], *, limits: Limits | None = None
    ) -> None:
        self._lock = lock
        self._wanted = socket_path
        self._secret = secrets.token_bytes(SECRET_BYTES)
        self._listener = Listener(verbs, self._secret, limits=limits)
        self._address = ""

    async def start(self) -> None:
        """Listen. Where that cannot be (a full disk) nobody can call, and all else goes on; ``start`` again then."""
        if not self._address:
            try:
                self._address = await self._listener.start(self._wanted)
            except OSError as error:
                _log.warning("other processes cannot call this one: errno %s", error.errno)
                return
        self._lock.announce(self._address, self._secret)

    async def settle(self) -> None:
        """Wait until nobody is being answered."""
        await self._listener.settle()

    async def close(self) -> None:
        if self._address:
            self._lock.announce()
            self._address = ""
        await self._listener.close()
