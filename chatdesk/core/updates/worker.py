"""Runs one job in the process for updates, and ends it where it takes too long or nobody waits any more."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from chatdesk.core import child_process
from chatdesk.core.updates.errors import failure

_log = logging.getLogger(__name__)

_LONGEST_LINE_BYTES: Final = 256 * 1024
_ENDED: Final = {"error": "ended"}
OnProgress = Callable[[str, int], None]


def default_command() -> list[str]:
    """Return the command that starts the process."""
    return child_process.command_of("--update-worker")


async def run_job(
    job: Mapping[str, Any], *, limit_s: float, on_progress: OnProgress, command: Sequence[str]
) -> dict[str, Any]:
    """Return the answer of the process. ``on_progress`` gets what is being done, and the percent of a download or -1,
    on the loop. Raises ``UpdateFailed``."""
    worker, loop = _Worker(command), asyncio.get_running_loop()

    def report(step: str, percent: int) -> None:
        loop.call_soon_threadsafe(on_progress, step, percent)

    talk = asyncio.ensure_future(asyncio.to_thread(worker.talk, job, report))
    try:
        async with asyncio.timeout(limit_s):
            reply = await asyncio.shield(talk)
    except TimeoutError:
        raise failure("slow") from None
    finally:
        worker.end()
        await asyncio.wait([talk])
    if "error" in reply:
        _log.info("updates: %s (errno %s)", reply["error"], reply.get("errno"))
        raise failure(reply["error"])
    return reply


class _Worker:
    """One process for updates. ``talk`` is called on a thread, ``end`` at any moment from another."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ended = False

    def talk(self, job: Mapping[str, Any], report: OnProgress) -> dict[str, Any]:
        """Start the process and return what it answers; an error where it was ended before."""
        with self._lock:
            if self._is_ended:
                return dict(_ENDED)
            try:
                process = self._process = child_process.start(self._command)
            except OSError as error:
                return {"error": "ended", "errno": error.errno}
        assert process.stdin is not None
        assert process.stdout is not None
        reply = dict(_ENDED)
        with process.stdin, process.stdout:
            with suppress(OSError):  # it was killed before it had read its job
                process.stdin.write(json.dumps(job).encode() + b"\n")
                process.stdin.flush()
            while line := process.stdout.readline(_LONGEST_LINE_BYTES):
                try:
                    said = json.loads(line)
                except ValueError:  # it was killed in the middle of a line
                    break
                if "progress" not in said:
                    reply = dict(said)
                    break
                report(str(said["progress"]), int(said.get("percent", -1)))
        process.wait()
        return reply

    def end(self) -> None:
        """Kill the process, if it was started, with the program that it tries; ``talk`` returns soon after."""
        with self._lock:
            self._is_ended = True
            if self._process is not None:
                _kill_with_all(self._process)


def _kill_with_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, unless it has ended, with what it started since it made a group of its own."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (AttributeError, ProcessLookupError):  # not on this system, or not yet
            process.kill()


def system_network(host: str) -> dict[str, str]:
    """Return the proxy and the file of certificates that this computer has for ``host``; the process is started without
    variables."""
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    proxy = "" if proxy_bypass(host) else proxies.get("https") or proxies.get("all") or ""
    return {"proxy": proxy, "ca_file": os.environ.get("SSL_CERT_FILE", "") if sys.platform != "win32" else ""}
