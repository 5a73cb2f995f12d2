"""Looks for new versions where the person said yes, and installs one where they ask for it.

Only a portable program that was built with a feed does; every other copy says how it is updated. The network and all
that comes from it are left to a process (``process.py``). What is installed starts next time; nothing of the running
program changes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from chatdesk import __version__
from chatdesk.core.clock import Clock
from chatdesk.core.texts import Text
from chatdesk.core.updates.errors import NotDuringAnswers, UpdateFailed, failure
from chatdesk.core.updates.feed_source import FeedSource
from chatdesk.core.updates.installation import Installation, how_updated
from chatdesk.core.updates.program_folder import ProgramFolder
from chatdesk.core.updates.release import Release, Version
from chatdesk.core.updates.worker import OnProgress, default_command, run_job, system_network

DAY_MS: Final = 24 * 60 * 60 * 1000
_SLOWEST_BYTES_A_S: Final = 50_000
_ASKED, _CHECKED_AT = "is_asked", "checked_at_ms"


@dataclass(frozen=True, slots=True)
class UpdatePorts:
    """The parts of the program that updates use. ``is_busy``: an answer is being written or a call waits. ``back_up``:
    make a verified backup of the data before the named version, and return its path."""

    is_wanted: Callable[[], bool]
    is_busy: Callable[[], bool]
    back_up: Callable[[str], Awaitable[Path]]


@dataclass(slots=True)
class UpdateLimits:
    """The longest time for each step of an update, and the command of its process."""

    check_s: float = 60.0
    stage_s: float = 900.0
    trial_s: float = 600.0
    command: Sequence[str] = field(default_factory=default_command)


class UpdateService:
    """The updates of this installation. ``offered`` is the newer release that was found, ``is_installed`` whether it
    starts next time."""

    def __init__(
        self,
        installation: Installation,
        source: FeedSource | None,
        ports: UpdatePorts,
        clock: Clock,
        *,
        version: str = __version__,
        limits: UpdateLimits | None = None,
    ) -> None:
        self.installation = installation
        self.offered: Release | None = None
        self.is_installed = False
        self._source = source
        self._ports = ports
        self._clock = clock
        self._version = Version.read(version)
        self._limits = limits or UpdateLimits()
        self._folder = None if installation.place is None else ProgramFolder(installation.place)
        self._lock = asyncio.Lock()

    @property
    def has_feed(self) -> bool:
        """Return whether this copy can look for updates itself."""
        return self._folder is not None and self._source is not None and self._version is not None

    @property
    def summary(self) -> Text:
        """The sentence about how this copy is updated."""
        return how_updated(self.installation, self._source, is_wanted=self._ports.is_wanted())

    async def may_ask(self) -> bool:
        """Return whether to ask now if updates should be looked for, which is done once in an installation."""
        if not self.has_feed or self._ports.is_wanted():
            return False
        return _ASKED not in await asyncio.to_thread(self._place.read_state)

    async def record_asked(self) -> None:
        """Record that the question was asked, whatever the answer."""
        await self._remember({_ASKED: True})

    async def check_if_due(self) -> Release | None:
        """Look for a newer release where the person wants it and a day has passed; return one that was found. Raises
        ``UpdateFailed``."""
        if not self.has_feed or not self._ports.is_wanted() or self._lock.locked():
            return None
        at = (await asyncio.to_thread(self._place.read_state)).get(_CHECKED_AT)
        if isinstance(at, int) and abs(self._clock.now_ms() - at) < DAY_MS:
            return None
        return await self.check()

    async def check(self) -> Release | None:
        """Ask the feed now. Returns a newer release, None where there is none. Raises ``UpdateFailed``."""
        self._check_usable()
        async with self._lock:
            await self._remember({_CHECKED_AT: self._clock.now_ms()})  # also where it fails: once a day is enough
            with self._alone():
                reply = await run_job(
                    self._job("check"),
                    limit_s=self._limits.check_s,
                    on_progress=lambda _step, _percent: None,
                    command=self._limits.command,
                )
            self.offered = await asyncio.to_thread(self._newer, reply.get("release"))
        return self.offered

    async def install(self, release: Release, on_progress: OnProgress) -> None:
        """Fetch, check and try a release, and have it start next time. Cancelling or a failure at any moment leaves
        everything as it is. Raises ``UpdateFailed`` and ``StorageError``."""
        self._check_usable()
        async with self._lock:
            self._check_idle()
            on_progress("backup", -1)
            backup = await self._ports.back_up(str(release.version))
            with self._alone():
                job = self._job("stage") | {
                    "wanted": str(release.version),
                    "backup": str(backup.absolute()),
                    "trial_s": self._limits.trial_s,
                }
                limit_s = self._limits.stage_s + release.download_bytes / _SLOWEST_BYTES_A_S + self._limits.trial_s
                reply = await run_job(job, limit_s=limit_s, on_progress=on_progress, command=self._limits.command)
                self._check_idle()
                await self._activate(Path(reply["staged"]), release.version)
                self.offered, self.is_installed = None, True

    async def _activate(self, staged: Path, version: Version) -> None:
        """Switch to a version that is ready. Cancelling waits for the end of the switch."""

        def switch() -> None:
            self._place.activate(staged, version)
            self._place.remove_others(Path(sys.executable).resolve().parent)

        switching = asyncio.ensure_future(asyncio.to_thread(switch))
        try:
            await asyncio.shield(switching)
        except asyncio.CancelledError:
            await asyncio.wait([switching])
            raise
        except OSError as error:
            raise failure("disk") from error

    def _check_usable(self) -> None:
        if not self.has_feed:
            raise UpdateFailed(self.summary, safe="", next_step="")

    def _check_idle(self) -> None:
        if self._ports.is_busy():
            raise NotDuringAnswers

    def _newer(self, described: Any) -> Release | None:
        """Return the release of a checked answer, if it is newer than this version and the one that starts next."""
        release = None if described is None else Release.of(described, int(described.get("download_bytes", 0)))
        known = [each for each in (self._version, Version.read(self._place.current.name)) if each is not None]
        return release if release is not None and release.version > max(known) else None

    def _job(self, kind: str) -> dict[str, Any]:
        assert self._source is not None
        return {
            "kind": kind,
            "place": str(self.installation.place),
            "address": self._source.address,
            "root": self._source.root.decode("utf-8", "replace"),
            **system_network(urlsplit(self._source.address).hostname or ""),
        }

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock on this installation. Raises ``UpdateFailed`` where another has it, or its folder is gone."""
        with ExitStack() as stack:
            try:
                stack.enter_context(self._place.locked("install"))
            except BlockingIOError:
                raise failure("busy") from None
            except OSError as error:
                raise failure("disk") from error
            yield

    @property
    def _place(self) -> ProgramFolder:
        assert self._folder is not None
        return self._folder

    async def _remember(self, news: dict[str, object]) -> None:
        def work() -> None:
            self._place.write_state(self._place.read_state() | news)

        try:
            await asyncio.to_thread(work)
        except OSError as error:
            raise failure("disk") from error
