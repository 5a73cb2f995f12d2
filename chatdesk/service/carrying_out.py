"""Carries out one checked request on the loop of the services: once for each Idempotency-Key, and, with If-Match, only
if the thing is still in the version that the caller has seen."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.storage.engine.repeated_request import AlreadyDone, DoneRequest, guarding
from chatdesk.service.caller import Scope
from chatdesk.service.declaration import Call, Endpoint, Repeated
from chatdesk.service.errors import ConditionNeeded, KeyUsedOtherwise, MalformedRequest, RequestRunning

KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_ETAG: Final = re.compile(r'"[\x21\x23-\x7e]{1,128}"')


@dataclass(frozen=True, slots=True)
class Conditions:
    """The headers of a request that say how it is carried out. ``key`` and ``fingerprint`` are digests, empty without
    an Idempotency-Key; ``if_match`` is an ETag, empty where any version will do."""

    key: str = ""
    fingerprint: str = ""
    if_match: str = ""


@dataclass(frozen=True, slots=True)
class Carried:
    """The result of a request; ``is_repeated``: it was carried out before, and this is what it made, as that is now."""

    result: Any
    is_repeated: bool = False


def conditions_of(
    endpoint: Endpoint, call: Call[Any, Any], target: str, headers: Callable[[str], str | None]
) -> Conditions:
    """Return the conditions of a request. Raises a ``ServiceError`` for headers that cannot be read."""
    key = headers("idempotency-key") or ""
    if_match = headers("if-match") or ""
    digest = fingerprint = ""
    if key and endpoint.takes_key:
        if not KEY.fullmatch(key):
            raise MalformedRequest("An Idempotency-Key has 1 to 255 visible ASCII characters.")
        digest = _digest(call.caller.id, key)
        fingerprint = _digest(endpoint.method, target, if_match, repr(call.body))  # the body as it was parsed
    if if_match and endpoint.writes and endpoint.guards is None:
        raise ConditionNeeded("This request cannot be made to depend on If-Match.")
    if endpoint.guards is None or if_match == "*":
        if_match = ""
    if if_match and not _ETAG.fullmatch(if_match):
        raise ConditionNeeded
    return Conditions(digest, fingerprint, if_match)


async def nothing_again(_call: Call[Any, Any], _done: DoneRequest) -> None:
    """Return the result of a removal that was carried out before; a thing restored since then stays."""


class CarryingOut:
    """Carries requests out, on the loop of the services."""

    def __init__(self, names_version: Callable[[str, Any], bool]) -> None:
        self._names_version = names_version
        self._running: set[str] = set()

    async def carry_out(self, endpoint: Endpoint, call: Call[Any, Any], conditions: Conditions) -> Carried:
        """Run the handler of an endpoint. Raises its exceptions, ``StaleEdit`` if the caller has not seen the newest
        version, and ``RequestRunning`` if the same request is still running."""
        if not conditions.key and not conditions.if_match:
            return await _handled(endpoint, call)
        if endpoint.has_own_keys:
            with self._alone(conditions.key):
                return await _handled(endpoint, call)

        guard = call.services.repositories.requests.guard(
            key=conditions.key,
            fingerprint=conditions.fingerprint,
            unchanged=self._unchanged(endpoint, call, conditions),
        )
        with self._alone(conditions.key):
            done = await call.services.repositories.requests.find(conditions.key) if conditions.key else None
            if done is None:
                try:
                    with guarding(guard):
                        return await _handled(endpoint, call)
                except AlreadyDone as error:
                    done = error.done
            if done.fingerprint != conditions.fingerprint:
                raise KeyUsedOtherwise
            assert endpoint.again is not None  # no key is taken without it
            return Carried(await endpoint.again(call, done), is_repeated=True)

    def _unchanged(
        self, endpoint: Endpoint, call: Call[Any, Any], conditions: Conditions
    ) -> tuple[str, str, Callable[[Any], bool]] | None:
        if not conditions.if_match or endpoint.guards is None:
            return None
        compares = endpoint.compares or endpoint.shows
        assert compares is not None  # a guarded endpoint always shows something
        wanted_id = call.path.get(endpoint.path.rpartition("{")[2].partition("}")[0], "")
        return endpoint.guards, wanted_id, lambda thing: self._names_version(conditions.if_match, compares(thing))

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        if key and key in self._running:
            raise RequestRunning
        self._running.add(key)
        try:
            yield
        finally:
            self._running.discard(key)


async def _handled(endpoint: Endpoint, call: Call[Any, Any]) -> Carried:
    if endpoint.scope is Scope.ASK:
        await call.allowances.admit(call.caller)
    result = await endpoint.handler(call)
    return Carried(result.result, is_repeated=True) if isinstance(result, Repeated) else Carried(result)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
