"""Notifies systemd, where it started this process, that the service is ready, and from then on that it still answers.

The protocol is sd_notify(3): datagrams to the socket that ``NOTIFY_SOCKET`` names. With ``WatchdogSec=`` in its unit,
systemd starts the process again when it hears nothing for so long.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from chatdesk.client import AsyncClient, ClientError, Problem, Retries

SOCKET_VARIABLE: Final = "NOTIFY_SOCKET"
WATCHDOG_VARIABLE: Final = "WATCHDOG_USEC"
_US_PER_S: Final = 1_000_000
_TRIES: Final = 3  # in the time that systemd waits: one that fails is not the end


@asynccontextmanager
async def supervised(data_dir: Path) -> AsyncIterator[None]:
    """Notify systemd that the service of ``data_dir`` is ready, and that it answers during the block; nothing without
    systemd."""
    _notify("READY=1")
    watching = asyncio.ensure_future(_watch(data_dir))
    try:
        yield
    finally:
        _notify("STOPPING=1")
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(data_dir: Path) -> None:
    """Ask the service as other programs do, through its own thread and the loop of the services, and report answers."""
    wait_us = os.environ.get(WATCHDOG_VARIABLE, "")
    if not wait_us.isdecimal() or not os.environ.get(SOCKET_VARIABLE):
        return
    wait_s = int(wait_us) / _US_PER_S / _TRIES
    async with AsyncClient(data_dir=data_dir, retries=Retries(attempts=1), timeout_s=wait_s) as client:
        while True:
            try:
                await client.version()
            except Problem:
                _notify("WATCHDOG=1")  # a refusal is an answer
            except ClientError:
                pass
            else:
                _notify("WATCHDOG=1")
            await asyncio.sleep(wait_s)


def _notify(state: str) -> None:
    address = os.environ.get(SOCKET_VARIABLE, "")
    if not address or os.name != "posix":
        return
    if address.startswith("@"):  # a name that is in no directory
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.sendto(state.encode(), address)
