"""Assembles the checks of *doctor* from all parts of the program. Works even if the database cannot be opened."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from functools import partial, reduce
from typing import Any, TypeVar

from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.diagnostics.doctor import DoctorReport, Finding, Level, Probe, run_doctor
from chatdesk.core.diagnostics.redaction import register_secret
from chatdesk.core.domain.sharing.team import SharedProject, SyncRound, Workspace
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.local_api.client import owner_health
from chatdesk.core.local_api.instance import WINDOW, read_holder
from chatdesk.core.moments import utc_moment
from chatdesk.core.paths import AppPaths, encodings_dir, resources_dir
from chatdesk.core.settings.providers_store import ProvidersStore
from chatdesk.core.settings.schema import Settings, all_settings
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.settings.store import LoadedSettings
from chatdesk.core.storage.profile_database import OpenReport
from chatdesk.core.storage.sync import rounds, team
from chatdesk.core.texts import Sentences, Text, plural
from chatdesk.core.updates import find_installation, releases_page
from chatdesk.services.file_checks import backup_findings, document_findings, own_file_findings
from chatdesk.services.services import Services

T = TypeVar("T")
_LATE_MS = 1_000
_OWNER = Text("owner", "data directory")
_STATUS_WORDS = {
    "complete": Text("complete"),
    "stopped": Text("stopped"),
    "interrupted": Text("interrupted"),
    "error": Text("failed"),
}
# The purpose that the directory's lock names for this command.
PURPOSE = "doctor"


def probes_without_database(paths: AppPaths, loaded: LoadedSettings) -> dict[str, Probe]:
    """Return the checks that are possible in any case."""
    return {
        "settings": partial(_settings, loaded),
        "owner": partial(_owner, paths),
        "keyring": _keyring,
        "token encodings": _encodings,
        "updates": partial(_updates, loaded.settings),
        "documents": partial(_documents, paths),
        "own files": partial(_own_files, paths),
        "backups": partial(_backups, paths),
    }


def probes_of_services(services: Services) -> dict[str, Probe]:
    """Return the checks that need an open database, which is read completely; each provider is asked for its models."""
    return {
        "database": partial(_database, services),
        "team sync": partial(_team, services),
        "providers": partial(_providers, services),
        "file of providers": partial(_providers_file, services, services.paths),
    }


async def examine_window(services: Services | None, paths: AppPaths, loaded: LoadedSettings) -> DoctorReport:
    """Run the quick checks from inside a window: nothing is read as a whole, and no server is asked."""
    probes = probes_without_database(paths, loaded)
    del probes["owner"]
    if services is not None:
        probes["team sync"] = partial(_team, services)
        probes["file of providers"] = partial(_providers_file, services, paths)
    return await run_doctor(paths, probes)


def unusable_database(error: ChatDeskError, paths: AppPaths) -> Probe:
    """Return a check that reports why the database cannot be opened."""
    details = {"code": error.code, "path": str(paths.database)}
    return partial(given, Finding(Text("database"), Level.PROBLEM, error.sentence, details))


async def _documents(paths: AppPaths) -> tuple[Finding, ...]:
    return await asyncio.to_thread(document_findings, paths)


async def _own_files(paths: AppPaths) -> tuple[Finding, ...]:
    return await asyncio.to_thread(own_file_findings, paths)


async def _backups(paths: AppPaths) -> tuple[Finding, ...]:
    return await asyncio.to_thread(backup_findings, paths)


async def given(found: T) -> T:
    """Return a finding that is known already, as a check does."""
    return found


async def _settings(loaded: LoadedSettings) -> Finding:
    if loaded.problems:
        return Finding(Text("settings"), Level.NOTE, Sentences.of(*loaded.problems))
    trials = _trials(loaded.settings)
    details = {"from_environment": sorted(loaded.from_environment), "trials": trials}
    if not trials:
        return Finding(Text("settings"), Level.OK, Text("valid"), details)
    listed = tuple(
        Text("{key} (on, {until})", key=key, until=row["until"])
        if row["is_on"]
        else Text("{key} (off, {until})", key=key, until=row["until"])
        for key, row in trials.items()
    )
    valid = Text("valid; tried out until the day given: {trials}", trials=listed)
    return Finding(Text("settings"), Level.OK, valid, details)


def _trials(settings: Settings) -> dict[str, dict[str, object]]:
    """Return the features that are tried out: whether each is on, who decides about it, and until when."""
    return {
        each.key: {
            "is_on": getattr(settings, each.name),
            "owner": each.trial.owner,
            "until": each.trial.until.isoformat(),
        }
        for each in all_settings()
        if each.trial is not None
    }


async def _database(services: Services) -> tuple[Finding, ...]:
    path = services.paths.database
    if not path.exists():
        return (
            Finding(
                Text("database"),
                Level.OK,
                Text("{path} (made when the first thread is)", path=path),
                {"path": str(path)},
            ),
        )
    troubles = await services.repairs.check()
    damage = [each.text for each in troubles]
    sqlite = await services.database.read(lambda conn: str(conn.exec_driver_sql("SELECT sqlite_version()").scalar()))
    report = services.report
    details = {
        "path": str(path),
        "size_bytes": path.stat().st_size,
        "schema": report.upgraded_to,
        "sqlite": sqlite,
        "is_read_only": services.database.is_read_only,
        "has_other_owner": services.has_other_owner,
        "recovered_turns": report.recovered_turns,
    }
    if troubles:
        repairable = any(each.can_be_repaired and each.kind != "pages" for each in troubles)
        is_damaged = any(each.kind == "pages" for each in troubles)
        advice = (
            Text(
                "Restore a backup ('chatdesk restore --list'; they are in {backup_dir}), or copy out what"
                " reads with 'chatdesk doctor --repair'.",
                backup_dir=services.paths.backup_dir,
            )
            if is_damaged
            else Text("'chatdesk doctor --repair' repairs it.")
            if repairable
            else Text("A backup in {backup_dir} may still have the original.", backup_dir=services.paths.backup_dir)
        )
        found_damage = plural(
            "{path} is damaged ({count} findings: {first}).",
            "{path} is damaged ({count} finding: {first}).",
            len(damage),
            path=path,
            first=damage[0],
        )
        text = Sentences.of(found_damage, advice)
        problem = Finding(Text("database"), Level.PROBLEM, text, {**details, "damage": damage[:20]})
        return (problem, *_opening(report))
    schema = str(report.upgraded_to)
    sound = Text("{path} is sound; schema {schema}, SQLite {sqlite}", path=path, schema=schema, sqlite=sqlite)
    found = [Finding(Text("database"), Level.OK, sound, details)]
    found += _opening(report)
    if services.read_only_reason is not None and not services.has_other_owner:
        found.append(Finding(Text("database writing"), Level.PROBLEM, services.read_only_reason.sentence))
    return tuple(found)


def _opening(report: OpenReport) -> list[Finding]:
    return [Finding(Text("database opening"), Level.NOTE, report.warning)] if report.warning else []


async def _team(services: Services) -> tuple[Finding, ...]:
    """Report each workspace as this profile knows it; no server is asked."""
    if not services.paths.database.exists():
        return ()

    found = await services.database.read(
        lambda conn: [
            (each, team.shared_projects(conn, each.id), rounds.newest(conn, each.id, limit=1))
            for each in team.workspaces(conn)
        ]
    )
    parked = await services.database.read(team.parked)
    return (*(_workspace(*each) for each in found), *(_parked(each) for each in parked))


def _parked(workspace: Workspace) -> Finding:
    return Finding(
        Text("workspace {name}", name=workspace.name),
        Level.NOTE,
        Text(
            "{database} on {host}; parked: this profile was restored or repaired, or a copy of it is in use; Connect"
            " again in Settings, Team sync, or 'chatdesk team join' connects",
            database=workspace.address.database,
            host=workspace.address.host,
        ),
        {"id": workspace.id, "is_owner": workspace.is_owner, "is_parked": True},
    )


def _workspace(workspace: Workspace, projects: Sequence[SharedProject], rounds: Sequence[SyncRound]) -> Finding:
    shared = [each for each in projects if each.ended is None]
    waiting, refused = sum(each.waiting for each in shared), sum(each.refused for each in shared)
    let_in = sum(each.is_let_in for each in projects)
    newest = rounds[0] if rounds else None
    at = "" if newest is None else utc_moment(newest.at).isoformat(" ", "minutes")
    parts: list[str] = [
        Text("{database} on {host}", database=workspace.address.database, host=workspace.address.host),
        Text(
            "{shared} shared, {waiting} waiting to be sent, {refused} refused",
            shared=len(shared),
            waiting=waiting,
            refused=refused,
        ),
        Text("nothing was synced yet")
        if newest is None
        else Text("newest line of its log, {at}: {problem}", at=at, problem=newest.problem)
        if newest.problem
        else Text(
            "newest line of its log, {at}: {sent} sent, {received} received",
            at=at,
            sent=newest.sent,
            received=newest.received,
        ),
    ]
    if refused:
        parts.append(Text("Details in the line below the threads says why, copies out, and tries again"))
    if let_in:
        parts.append(Text("{let_in} shared with you again; choose Share… to send their copies", let_in=let_in))
    has_news = bool(refused or let_in or (newest is not None and newest.problem))
    details = {
        "id": workspace.id,
        "is_owner": workspace.is_owner,
        "shared": len(shared),
        "waiting": waiting,
        "refused": refused,
        "open_again": let_in,
        "last_round_at": None if newest is None else newest.at,
        "last_problem": "" if newest is None else newest.problem,
    }
    name, level = Text("workspace {name}", name=workspace.name), Level.NOTE if has_news else Level.OK
    joined = reduce(lambda first, rest: Text("{first}; {rest}", first=first, rest=rest), parts)
    return Finding(name, level, joined, details)


async def _providers(services: Services) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            Text("provider {name}", name=check.provider),
            Level.OK if check.is_reachable else Level.PROBLEM if check.is_expected else Level.NOTE,
            check.message,
            {"models": list(check.models)},
        )
        for check in await services.providers.check_all()
    )


async def _providers_file(services: Services, paths: AppPaths) -> Finding:
    store = ProvidersStore(paths.config_dir)
    problem = services.accounts.stored.problem or await asyncio.to_thread(store.problem)
    if problem:
        return Finding(Text("file of providers"), Level.PROBLEM, problem)
    return Finding(
        Text("file of providers"), Level.OK, Text("valid") if store.path.exists() else Text("there is none yet")
    )


async def _owner(paths: AppPaths) -> Finding:
    """Report the state of the window or command that has this data directory open."""
    holder = read_holder(paths.data_dir)
    is_this = holder is not None and (holder.pid, holder.purpose) == (os.getpid(), PURPOSE)
    if holder is None or is_this or not holder.is_alive():
        return Finding(_OWNER, Level.OK, Text("no window is open and no other command is running"))
    name = Text("a window") if holder.purpose == WINDOW else f"“chatdesk {holder.purpose}”"
    who, details = (
        Text("{name}, process {pid}", name=name, pid=str(holder.pid)),
        {"pid": holder.pid, "purpose": holder.purpose},
    )
    health = await owner_health(paths.data_dir)
    if health is None:
        level = Level.PROBLEM if holder.listens else Level.NOTE
        return Finding(_OWNER, level, Text("{who}, does not answer. If it hangs, end it.", who=who), details)
    troubles, notes = _troubles_of(health), _notes_of(health)
    since, lag = health["since_start"], health["loop_lag_ms"]
    counts = tuple(
        Text("{count} {status}", count=count, status=_STATUS_WORDS.get(status, status))
        for status, count in since["answers"].items()
    )
    state = Text(
        "{who}, open for {minutes} min; {late} ms late at most; answers: {answers}; {waiting} waiting.",
        who=who,
        minutes=since["uptime_s"] // 60,
        late=lag["most"],
        answers=counts or Text("none"),
        waiting=health["queue"]["waiting"],
    )
    text = Sentences.of(state, *troubles, *notes)
    level = Level.PROBLEM if troubles else Level.NOTE if notes else Level.OK
    return Finding(_OWNER, level, text, {**details, **health})


def _troubles_of(health: Mapping[str, Any]) -> list[str]:
    """Return sentences about the faults of a running ChatDesk."""
    database = health["database"]
    troubles: list[str] = []
    if not database["is_readable"]:
        troubles.append(Text("Its database cannot be read ({reason}).", reason=str(database["reason"])))
    elif not database["is_writable"]:
        reason = database["reason"] or Text("the last write failed")
        troubles.append(Text("It cannot save ({reason}).", reason=reason))
    if health["loop_lag_ms"]["most"] > _LATE_MS:
        troubles.append(Text("It reacts late."))
    return troubles


def _notes_of(health: Mapping[str, Any]) -> list[str]:
    """Return sentences about the problems of a running ChatDesk."""
    notes: list[str] = [
        Text("Provider {id} cannot be reached.", id=str(each["id"]))
        for each in health["providers"]
        if each["is_unreachable"]
    ]
    stuck = [each for each in health["team"] if each["reason"]]
    return notes + [
        Text("Workspace {workspace}: {reason}.", workspace=str(each["workspace"]), reason=str(each["reason"]))
        for each in stuck
    ]


async def _keyring() -> Finding:
    state = await asyncio.to_thread(SecretStore(register=register_secret).state)
    if state.is_usable:
        return Finding(Text("keyring"), Level.OK, state.detail)
    return Finding(
        Text("keyring"),
        Level.NOTE,
        Text("{detail} Keys come from variables or an encrypted file, or hold for one run.", detail=state.detail),
    )


async def _encodings() -> Finding:
    missing = await asyncio.to_thread(TokenCounter(encodings_dir()).missing)
    details = {"path": str(encodings_dir())}
    if missing:
        text = Text("{missing} missing or damaged: token counts are estimates.", missing=tuple(missing))
        return Finding(Text("token encodings"), Level.NOTE, text, details)
    return Finding(Text("token encodings"), Level.OK, Text("both here and intact"), details)


async def _updates(settings: Settings) -> Finding:
    """Say how this copy is updated; no page is asked."""
    found = await asyncio.to_thread(find_installation)
    page = await asyncio.to_thread(releases_page, found, resources_dir())
    details = {"installed_by": found.kind, "is_looked_for": bool(page) and settings.updates_check}
    return Finding(Text("updates"), Level.OK, found.kind.how_updated, details)
