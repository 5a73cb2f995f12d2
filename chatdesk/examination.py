"""What *doctor* examines: puts the rooms' own checks together. Works when the database cannot be opened, too."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

from chatdesk.core.diagnostics.doctor import DoctorReport, Finding, Level, Probe, run_doctor
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.paths import AppPaths, encodings_dir
from chatdesk.core.settings.store import LoadedSettings


async def examine(paths: AppPaths, loaded: LoadedSettings, *, environ: Mapping[str, str] | None = None) -> DoctorReport:
    """Everything that can be found out from here. Opens the database as any other command does."""
    from chatdesk.app import Services, open_services

    async def settings_probe() -> Finding:
        if loaded.problems:
            return Finding("settings", Level.NOTE, " ".join(loaded.problems))
        return Finding("settings", Level.OK, "valid", {"from_environment": sorted(loaded.from_environment)})

    probes: dict[str, Probe] = {"settings": settings_probe, "keyring": _keyring, "token encodings": _encodings}
    environment = os.environ if environ is None else environ

    async def run() -> DoctorReport:
        return await run_doctor(paths, probes, environ=environment)

    def add(services: Services) -> None:
        probes["database"] = lambda: _database(services)
        probes["providers"] = lambda: _providers(services)

    try:
        async with open_services(paths, loaded.settings, mode="cli") as services:
            add(services)
            return await run()
    except ChatDeskError as error:
        problem = Finding("database", Level.PROBLEM, error.sentence, {"code": error.code, "path": str(paths.database)})

    async def database_problem() -> Finding:
        return problem

    probes["database"] = database_problem
    return await run()


async def _database(services: Services) -> tuple[Finding, ...]:  # noqa: F821
    damage = await services.database.quick_check()
    return (Finding("database", Level.OK, ""),)


async def _keyring() -> Finding:
    from chatdesk.core.diagnostics.redaction import register_secret
    from chatdesk.core.settings.secrets import SecretStore

    state = await asyncio.to_thread(SecretStore(register=register_secret).state)
    if state.is_usable:
        return Finding("keyring", Level.OK, state.detail)
    return Finding("keyring", Level.NOTE, f"{state.detail} Keys come from OPENAI_API_KEY or hold for one run.")


async def _encodings() -> Finding:
    from chatdesk.core.context.tokens import TokenCounter

    missing = await asyncio.to_thread(TokenCounter(encodings_dir()).missing)
    details = {"path": str(encodings_dir())}
    if missing:
        text = f"{' and '.join(missing)} missing or damaged: token counts are estimates."
        return Finding("token encodings", Level.NOTE, text, details)
    return Finding("token encodings", Level.OK, "both here and intact", details)
