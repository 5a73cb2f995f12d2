"""Endpoints that say whether the service works, for watchers without a token: states, no names and no numbers."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from typing import Any, Final, Literal

from chatdesk import __version__
from chatdesk.service.caller import Scope
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.errors import ServiceError
from chatdesk.services.health import health_of

_LEAST_FREE_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    status: Literal["ok"]


@dataclass(frozen=True, slots=True)
class ReadyAnswer:
    """The parts that a request needs. ``provider``: one is set up; ``team``: no workspace has stopped."""

    status: Literal["ready", "degraded"]
    database: bool
    provider: bool
    team: bool
    disk: bool


@dataclass(frozen=True, slots=True)
class VersionAnswer:
    version: str
    api: Literal["v1"]


class NotReady(ServiceError):
    code = "not_ready"
    status = 503
    what = "The database cannot be written to."
    safe = "What was saved before is unchanged."
    next_step = "Run 'chatdesk doctor' for details."


async def _health(_call: Call[Any, Any]) -> HealthAnswer:
    return HealthAnswer("ok")


async def _ready(call: Call[Any, Any]) -> ReadyAnswer:
    health = await health_of(call.services, has_window=False)
    usage = await asyncio.to_thread(shutil.disk_usage, call.services.paths.data_dir)
    if not (health["database"]["is_readable"] and health["database"]["is_writable"]):
        raise NotReady
    provider = any(each["has_key"] and not each["is_unreachable"] for each in health["providers"])
    team = not any(each["reason"] for each in health["team"])
    disk = usage.free >= _LEAST_FREE_BYTES
    return ReadyAnswer("ready" if provider and team and disk else "degraded", True, provider, team, disk)


async def _version(_call: Call[Any, Any]) -> VersionAnswer:
    return VersionAnswer(__version__, "v1")


def _health_answer(found: HealthAnswer) -> HealthAnswer:
    return found


def _ready_answer(found: ReadyAnswer) -> ReadyAnswer:
    return found


def _version_answer(found: VersionAnswer) -> VersionAnswer:
    return found


ENDPOINTS: Final = (
    Endpoint("GET", "/health", _health, "Tell that the service answers", _health_answer, scope=None),
    Endpoint("GET", "/health/ready", _ready, "Tell which parts work", _ready_answer, scope=None),
    Endpoint("GET", "/api/v1/version", _version, "Tell the version", _version_answer, scope=Scope.READ),
)
