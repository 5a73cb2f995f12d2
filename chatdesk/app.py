"""Starts the window, or runs a script in it."""

from __future__ import annotations

import chatdesk.core.system.late_modules  # noqa: F401 - before anything else

# isort: split
import gc
import logging
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.local_api.instance import WINDOW, InstanceLock
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.settings.store import SettingsStore
from chatdesk.core.system.background_import import import_beside
from chatdesk.core.system.processes import environment
from chatdesk.core.texts import Text, tr
from chatdesk.ui.accessibility.assistance import exit_if_assisted
from chatdesk.ui.application.window_hooks import WindowHooks

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.core.diagnostics.bundle import ReportFile
    from chatdesk.core.diagnostics.crashes import CrashReport, CrashReporter
    from chatdesk.services.parts import GetBackups
    from chatdesk.services.services import Services
    from chatdesk.ui.application.window_application import WindowScript

_log = logging.getLogger(__name__)


def run_window(
    paths: AppPaths,
    settings: Settings,
    *,
    script: WindowScript | None = None,
    target: str = "",
    can_be_played: bool = True,
) -> int:
    """Run the desktop application and return its exit code. A second start brings the first window to the front.
    ``target``: a link or a file that the window shows, this one or the first.

    ``script`` runs in the window, which closes with it. Where there is no display, which Qt would answer with an abort,
    that is the demonstration: one turn and a picture. Raises ``NotPossible`` where that is not what was asked for.
    """
    gc.disable()  # nothing of a start is garbage; the window collects once it is up
    is_blind = lacks_display(os.environ)
    if is_blind:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"

    paths.make_directories()
    lock = InstanceLock(paths.data_dir, purpose=WINDOW, listens=True)
    if not lock.acquire() and lock.problem is None:
        from chatdesk.core.local_api.client import own_or_show_window  # after the first paint

        if not own_or_show_window(lock, paths.data_dir, target):
            return 0

    try:
        if is_blind and script is None and not can_be_played:
            raise NotPossible(
                Text("ChatDesk found no display, and no window of it is open."),
                safe=Text("Nothing was opened or changed."),
                next_step=Text("Run this in a desktop session, or set DISPLAY or WAYLAND_DISPLAY."),
            )
        from chatdesk.ui.application.window_application import RESTART, run

        if is_blind and script is None:
            from chatdesk.core.system import terminal  # the first paint does without

            terminal.say(tr("No display was found, so ChatDesk plays one turn without a window."))
            from chatdesk.ui.application.demonstration import play

            script = partial(play, picture=paths.data_dir / "demonstration.png")
        code = run(paths, settings, _hooks_of(paths, settings, lock, target), script=script)
    finally:
        lock.release()
    if code == RESTART:
        start_again()
        code = 0
    exit_if_assisted(code)
    return code


def _hooks_of(paths: AppPaths, settings: Settings, lock: InstanceLock, target: str) -> WindowHooks:
    """Return the functions that the window calls. Services are imported when it has been painted."""

    async def build() -> Services:
        module = await import_beside("chatdesk.services.building")
        services: Services = await module.build_services(paths, settings, lock)
        return services

    async def listen(services: Services, come_to_front: Callable[[str], None]) -> Callable[[], Awaitable[None]]:
        module = await import_beside(
            "chatdesk.core.local_api.listener", "chatdesk.services.owner", "chatdesk.services.service_switch"
        )
        from chatdesk.services.owner import verbs_of  # after the first paint
        from chatdesk.services.service_switch import ServiceSwitch

        server = module.InstanceServer(lock, paths.instance_socket, verbs_of(services, come_to_front))
        if lock.is_held:
            await server.start()
        services.listen = server.start
        services.service_switch = ServiceSwitch(services, partial(import_beside, "chatdesk.service.opening"))
        close: Callable[[], Awaitable[None]] = server.close
        return close

    def backups() -> GetBackups | None:
        from chatdesk.services.parts import backups_of  # after the first paint

        return partial(backups_of, paths, settings) if lock.is_held else None

    return WindowHooks(
        settings_store=SettingsStore(paths.settings_file),
        build=build,
        listen=listen,
        upkeep=_upkeep,
        watch_crashes=partial(_watch_crashes, paths),
        collect_report=lambda services: _collect_report(services, paths),
        backups=backups,
        target=target,
    )


def _upkeep(services: Services) -> AsyncGenerator[ChatDeskError, None]:
    from chatdesk.services.upkeep import run_upkeep  # after the first paint

    return run_upkeep(services)


def _watch_crashes(paths: AppPaths, tell: Callable[[CrashReport], None]) -> CrashReporter:
    """Install the reporter of uncaught errors. It is wanted when the window is up, so it is imported then."""
    from chatdesk.core.diagnostics.crashes import CrashReporter  # after the first paint
    from chatdesk.core.diagnostics.redaction import process_redactor

    return CrashReporter(paths.crash_dir, process_redactor, on_crash=tell)


async def _collect_report(services: Services | None, paths: AppPaths) -> Sequence[ReportFile]:
    """Collect the files that go with the report of a bug; seldom wanted, so they are imported then."""
    module = await import_beside("chatdesk.services.bug_report")
    files: Sequence[ReportFile] = await module.report_of_window(services, paths)
    return files


def start_again() -> None:
    """Start the same command in a new process, because this one is about to end."""
    import subprocess

    subprocess.Popen([sys.executable, *sys.orig_argv[1:]], start_new_session=True, env=dict(environment()))


def lacks_display(environ: Mapping[str, str]) -> bool:
    """Return whether a window could not be shown: Linux without X11, Wayland or a chosen platform."""
    return sys.platform.startswith("linux") and not any(
        environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    )
