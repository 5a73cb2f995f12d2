"""Keeps the permissions of tools in the configuration directory, each permission under a seal: a file written by
another program, restored, or copied from another computer, grants nothing."""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from chatdesk.core.clock import Clock
from chatdesk.core.domain.tools import Answer, ServerKind, Tool, ToolServer
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.document_file import DocumentFile, NewerDocument
from chatdesk.core.texts import Text
from chatdesk.core.tools.seals import Seals

_log = logging.getLogger(__name__)

FILE_NAME: Final = "tool-permissions.json"
_VERSION: Final = 1
_MOST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Permission:
    """Allows one tool as it was described then, of a server as it was started then. ``scope`` is thread, project or
    always; ``scope_id`` the id of the thread or project. ``only_reads``: the person says that the tool
    changes and sends nothing, so that it may run also after text from outside."""

    server_id: str
    launch: str
    tool: str
    digest: str
    scope: Answer
    scope_id: str
    only_reads: bool
    allowed_at: int

    def as_data(self) -> dict[str, Any]:
        return {
            "server_id": self.server_id,
            "launch": self.launch,
            "tool": self.tool,
            "digest": self.digest,
            "scope": self.scope.value,
            "scope_id": self.scope_id,
            "only_reads": self.only_reads,
            "allowed_at": self.allowed_at,
        }


class PermissionsNotSaved(ChatDeskError):
    code = "tool_permissions_not_saved"
    what = Text("The permissions of tools could not be saved.")
    safe = Text("The old file is unchanged; the change applies until ChatDesk closes.")
    safe_without_window = Text("Everything saved before is unchanged.")
    next_step = Text("Check the permissions and the free space of the configuration directory.")


def launch_digest(server: ToolServer) -> str:
    """Return the digest that binds a permission to a server: of its command, folder and the names of its variables, or
    of its address."""
    said: list[object] = [server.kind.value, server.id]
    if server.kind is ServerKind.ADDRESS:
        said += [server.address, sorted({*server.headers, *server.header_names})]
    else:
        said += [list(server.argv), server.folder, sorted(server.env.items()), sorted(server.env_names)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


class Permissions:
    """All methods may block on the keyring and are called in a thread."""

    def __init__(self, config_dir: Path, seals: Seals, clock: Clock) -> None:
        self._file = DocumentFile(
            config_dir / FILE_NAME, subject=Text("permissions of tools"), list_name="permissions", version=_VERSION
        )
        self._seals = seals
        self._clock = clock
        self._kept: list[Permission] | None = None

    def allows(
        self, server: ToolServer, tool: Tool, *, thread_id: str, project_id: str, after_outside_text: bool
    ) -> bool:
        """Return whether the person allowed this tool before, for this thread, its project, or always."""
        launch = launch_digest(server)
        wanted = {(Answer.THREAD, thread_id), (Answer.PROJECT, project_id), (Answer.ALWAYS, "")}
        return any(
            (each.server_id, each.launch, each.tool, each.digest) == (server.id, launch, tool.name, tool.digest)
            and (each.scope, each.scope_id) in wanted
            and (each.only_reads or not after_outside_text)
            for each in self.all()
        )

    def allow(self, server: ToolServer, tool: Tool, scope: Answer, scope_id: str, *, only_reads: bool = False) -> None:
        """Allow a tool from now on. Where it cannot be kept, it holds until ChatDesk ends."""
        now_ms = self._clock.now_ms()
        made = Permission(server.id, launch_digest(server), tool.name, tool.digest, scope, scope_id, only_reads, now_ms)
        kept = [each for each in self.all() if replace(each, allowed_at=made.allowed_at) != made]
        self._kept = [*kept, made][-_MOST:]
        with suppress(PermissionsNotSaved):
            self._save()

    def revoke(self, permission: Permission) -> None:
        """Withdraw a permission. Raises ``PermissionsNotSaved``."""
        self._kept = [each for each in self.all() if each != permission]
        self._save()

    def forget_server(self, server_id: str) -> None:
        """Withdraw all permissions of a server, because it was removed. Raises ``PermissionsNotSaved``."""
        kept = [each for each in self.all() if each.server_id != server_id]
        if len(kept) < len(self.all()):
            self._kept = kept
            self._save()

    def all(self) -> tuple[Permission, ...]:
        """Return every permission that holds, the oldest first."""
        if self._kept is None:
            self._kept = self._load()
        return tuple(self._kept)

    def _load(self) -> list[Permission]:
        document, problem = self._file.read()
        if problem:
            _log.warning("%s", problem)
        if document is None or not document["permissions"]:
            return []
        found = [(_permission_of(row), row) for row in document["permissions"][:_MOST]]
        return [each for each, row in found if each is not None and self._seals.holds(each.as_data(), row.get("seal"))]

    def _save(self) -> None:
        try:
            rows = [{**each.as_data(), "seal": self._seals.make(each.as_data())} for each in self._kept or ()]
            self._file.write({"permissions": rows})
        except (OSError, NewerDocument) as error:
            _log.warning("permissions of tools were not saved: %s", type(error).__name__)
            raise PermissionsNotSaved from error


def _permission_of(row: object) -> Permission | None:
    if not isinstance(row, dict):
        return None
    try:
        server_id, launch, tool, digest, scope_id = (
            str(row[name]) for name in ("server_id", "launch", "tool", "digest", "scope_id")
        )
        scope = Answer(row["scope"])
        return Permission(
            server_id, launch, tool, digest, scope, scope_id, row["only_reads"] is True, int(row["allowed_at"])
        )
    except (KeyError, ValueError, TypeError):
        return None
