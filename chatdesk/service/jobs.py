"""Runs exports and imports that other programs asked for, on the loop of the services, and keeps their results until
the service ends."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from chatdesk.core.clock import Clock
from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.ids import new_id
from chatdesk.service.errors import KeyUsedOtherwise, UnknownJob

_log = logging.getLogger(__name__)

_MOST_RUNNING: Final = 4
_MOST_KEPT: Final = 50


@dataclass(slots=True, eq=False)
class Job:
    """An export or import. ``done`` of ``total`` are messages of an export and bytes of an import. ``path`` is the
    file that it made. ``key`` is the Idempotency-Key of the request for ``wanted``, empty without one."""

    id: str
    kind: Literal["export", "import"]
    caller_id: str
    folder: Path
    created_at: int
    state: Literal["running", "done", "failed", "cancelled"] = "running"
    done: int = 0
    total: int = 0
    message: str = ""
    code: str | None = None
    path: Path | None = None
    key: str = ""
    wanted: object = None


class Jobs:
    """The jobs of one service, each for its caller alone."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(
        self,
        caller_id: str,
        kind: Literal["export", "import"],
        work: Callable[[Job], Awaitable[str]],
        *,
        file: Path | None = None,
        key: str = "",
        wanted: object = None,
    ) -> Job:
        """Start ``work``, which returns a sentence about its result. ``file`` is moved into the folder of the job.
        Raises ``NotPossible`` where enough is running."""
        if len(self._tasks) >= _MOST_RUNNING:
            raise NotPossible("Enough exports and imports are running.", next_step="Wait for one, or cancel it.")
        now_ms = self._clock.now_ms()
        job_id = new_id()
        job = Job(job_id, kind, caller_id, self._folder / job_id, now_ms, key=key, wanted=wanted)
        self._jobs[job.id] = job
        try:
            await asyncio.to_thread(_prepare, job.folder, file)
        except BaseException:
            del self._jobs[job.id]
            raise
        task = self._tasks[job.id] = asyncio.ensure_future(self._run(job, work))
        task.add_done_callback(lambda _done: self._tasks.pop(job.id, None))
        await self._forget_oldest()
        return job

    def get(self, caller_id: str, job_id: str) -> Job:
        """Return a job of the caller. Raises ``UnknownJob``."""
        job = self._jobs.get(job_id)
        if job is None or job.caller_id != caller_id:
            raise UnknownJob
        return job

    def asked_with(self, caller_id: str, key: str, wanted: object) -> Job | None:
        """Return the job that a request with this key began; None without one, or without a key. Raises
        ``KeyUsedOtherwise`` if it was another request."""
        job = next((each for each in self.all(caller_id) if key and each.key == key), None)
        if job is not None and job.wanted != wanted:
            raise KeyUsedOtherwise
        return job

    def all(self, caller_id: str) -> tuple[Job, ...]:
        """Return the jobs of a caller, the newest first."""
        return tuple(each for each in reversed(self._jobs.values()) if each.caller_id == caller_id)

    async def remove(self, job: Job) -> None:
        """Cancel a job and delete its result."""
        task = self._tasks.get(job.id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            if job.state == "running":  # else the job ended before the cancellation reached it
                job.state, job.message = "cancelled", "It was cancelled."
        self._jobs.pop(job.id, None)
        await asyncio.to_thread(shutil.rmtree, job.folder, ignore_errors=True)

    async def close(self) -> None:
        """Cancel all jobs and remove their files."""
        for job in list(self._jobs.values()):
            await self.remove(job)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _run(self, job: Job, work: Callable[[Job], Awaitable[str]]) -> None:
        try:
            job.message = await work(job)
            job.state = "done"
        except Exception as error:  # noqa: BLE001 - the edge of a job: whoever asks for it is told
            job.state = "failed"
            if isinstance(error, ChatDeskError):
                job.code, job.message = error.code, error.sentence_without_window
            else:
                job.code, job.message = "unexpected", "Something unexpected happened. The log says more."
                _log.exception("a job failed: %s", job.id)

    async def _forget_oldest(self) -> None:
        ended = [each for each in self._jobs.values() if each.id not in self._tasks]
        for job in ended[: max(0, len(self._jobs) - _MOST_KEPT)]:
            await self.remove(job)


def _prepare(folder: Path, file: Path | None) -> None:
    folder.mkdir(mode=0o700, parents=True)
    if file is not None:
        file.replace(folder / file.name)
