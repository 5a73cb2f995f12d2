"""Starts and joins the library of a person's computers, and says how it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import NOWHERE, Workspace
from chatdesk.core.errors import ChatDeskError, InvalidInput, NotPossible
from chatdesk.core.storage.engine.connection import Connection
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.own_device import own_device
from chatdesk.core.storage.sync import files, joining_place, rounds, team
from chatdesk.core.storage.sync.private_log import ComputerRow, PrivateLog
from chatdesk.core.sync.computers import phrase as phrases
from chatdesk.core.sync.computers.folder_store import NAME, library_file, read_computers
from chatdesk.core.sync.computers.keys import ComputerKeys
from chatdesk.core.sync.computers.library_key import CannotUnseal, Kind, LibraryKey
from chatdesk.core.sync.computers.place import LIBRARY, Place
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text, shown


class PlaceTaken(InvalidInput):
    code = "computers_place_taken"
    what = Text("This folder is not empty.")
    safe = Text("Nothing was changed.")
    next_step = Text(
        "Choose an empty folder, or a new one inside. If your other computer uses this one, join it with the phrase."
    )


class NoLibraryThere(InvalidInput):
    code = "computers_no_library"
    what = Text("No computer of yours has written into this folder, as far as it has arrived here.")
    safe = Text("Nothing was changed.")
    next_step = Text("Wait until the folder has been carried here, or look whether it is the right one.")


class OtherPhrase(InvalidInput):
    code = "computers_other_phrase"
    what = Text("The recovery phrase is not the one of this folder.")
    safe = Text("Nothing was changed.")
    next_step = Text("Look for the phrase that was shown when the first computer began with this folder.")


class NotJoinedAny(NotPossible):
    code = "computers_not_joined"
    what = Text("This computer has not joined any others.")
    next_step = Text("'chatdesk computers start' or 'join' does that.")


class RestNotRemoved(ChatDeskError):
    code = "computers_rest_not_removed"
    safe = Text("This computer has left the folder, and your chats are kept.")


@dataclass(frozen=True, slots=True)
class OwnComputer:
    """A computer of this person. ``at``: when it was last here, by its own clock; ``waiting``: how many of its
    segments have not been read here."""

    name: str
    version: str
    at: int
    is_this: bool
    waiting: int = 0
    is_rolled_back: bool = False


@dataclass(frozen=True, slots=True)
class ComputersState:
    """The state of the library. ``waiting``: changes of this computer that are not in the folder; ``refused``: those
    that another one of the same thing took the place of; ``files``: whether attached files are on their way;
    ``unreadable``: files in the folder that are incomplete or were changed; ``problem``: of the last round."""

    workspace: Workspace
    computers: tuple[OwnComputer, ...]
    waiting: int
    refused: int
    files: bool
    unreadable: tuple[str, ...] = ()
    problem: str = ""
    synced_at: int | None = None


class OwnComputers:
    """The use cases of a person's computers; ``TeamService.computers`` exposes it. ``on_changed`` is awaited once a
    workspace was joined."""

    def __init__(
        self, database: Database, keys: ComputerKeys, clock: Clock, *, on_changed: Callable[[str], Awaitable[None]]
    ) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        self._on_changed = on_changed

    async def start(self, folder: Path) -> str:
        """Make a library in an empty folder. Returns the recovery phrase, which nothing shows again. Raises
        ``PlaceTaken``, ``KeyNotKept`` and ``TeamError``."""
        await self._check_free()
        secret = phrases.new_secret()
        key, place = LibraryKey(secret), Place(folder)
        phrase = phrases.phrase_of(secret)
        self._keys.register_secret(phrase)

        def make() -> None:
            place.make()
            if not place.is_empty():
                raise PlaceTaken
            self._keys.keep(key)
            place.write(LIBRARY, library_file(key, self._clock.now_ms()))

        await asyncio.to_thread(make)
        await self._remember(key, folder)
        return phrase

    async def look(self, folder: Path, phrase: str) -> tuple[ComputerRow, ...]:
        """Return the computers that a folder is of, before anything of it is taken in. Raises ``PhraseWrong``,
        ``NoLibraryThere``, ``OtherPhrase`` and ``TeamError``."""
        self._keys.register_secret(phrase)
        key = LibraryKey(phrases.secret_of(phrase))
        return await asyncio.to_thread(_look, Place(folder), key)

    async def join(self, folder: Path, phrase: str) -> Workspace:
        """Join the library in a folder; what both have is merged from then on. Raises like ``look``, and
        ``KeyNotKept``."""
        await self._check_free()
        key = LibraryKey(phrases.secret_of(phrase))
        await asyncio.to_thread(_look, Place(folder), key)
        await asyncio.to_thread(self._keys.keep, key)
        return await self._remember(key, folder)

    async def leave(self) -> Workspace:
        """Forget the folder, also where this profile is parked: all projects stay as private ones, and the folder as it
        is. Raises ``NotPossible``, ``KeyFileUnusable`` and ``RestNotRemoved``."""
        workspace, now = await self.to_leave(), self._clock.now_ms()
        await self._database.write(lambda conn: team.leave_workspace(conn, workspace.id, now))
        await self._on_changed(workspace.id)  # nothing uses the logs any more
        try:
            await asyncio.to_thread(self._keys.forget, workspace.id)
        except OSError as error:
            raise RestNotRemoved(
                Text(
                    "The copies that were kept for the folder cannot be removed: {reason}.", reason=reason_text(error)
                ),
                next_step=Text("Remove {folder} by hand.", folder=str(self._keys.data_of(workspace.id))),
            ) from error
        return workspace

    async def to_leave(self) -> Workspace:
        """Return the workspace that ``leave`` leaves. Raises ``NotPossible`` where there is none, or where nothing can
        be written."""
        if self._database.is_read_only:
            raise self._database.refusal
        workspace = await self.joined()
        parked = await self._database.read(lambda conn: team.places(conn, is_parked=True))
        if workspace is None and not parked:
            raise NotJoinedAny
        return workspace or parked[0]

    async def joined(self) -> Workspace | None:
        """Return the workspace of this person's computers, if this one has joined any."""
        found = await self._database.read(team.places)
        return found[0] if found else None

    async def is_parked(self) -> bool:
        """Return whether this profile has to join again: it was restored, or a copy of it is in use."""
        return bool(await self._database.read(lambda conn: team.places(conn, is_parked=True)))

    async def state(self, workspace: Workspace) -> ComputersState:
        """Return the state as of the last round."""

        def read(conn: Connection) -> tuple[Any, ...]:
            shared = team.shared_projects(conn, workspace.id)
            latest = rounds.newest(conn, workspace.id, limit=1)
            is_moving = files.is_any(conn, workspace.id, tried_before=self._clock.now_ms())
            return shared, latest, is_moving

        shared, latest, is_moving = await self._database.read(read)
        rows, looks, unsent = await asyncio.to_thread(self._read_log, workspace.id)
        return ComputersState(
            workspace,
            tuple(
                OwnComputer(
                    row.name,
                    row.version,
                    row.at,
                    row.device == self._database.device_id,
                    looks.waiting.get(row.computer, 0),
                    row.computer in looks.rolled_back,
                )
                for row in rows
            ),
            waiting=sum(each.waiting for each in shared) + unsent,
            refused=sum(each.refused for each in shared),
            files=is_moving,
            unreadable=tuple(sorted(looks.unreadable)),
            problem=latest[0].problem if latest else "",
            synced_at=latest[0].at if latest else None,
        )

    async def is_moving_files(self, workspace_id: str) -> bool:
        """Return whether attached files are to be sent or fetched, but for those that were looked for in vain."""
        return await self._database.read(lambda conn: files.is_any(conn, workspace_id, tried_before=0))

    async def fetch_again(self, workspace_id: str) -> None:
        """Look for missing files again at once."""
        await self._database.write(lambda conn: files.ask_again(conn, workspace_id))

    def _read_log(self, workspace_id: str) -> tuple[list[ComputerRow], Any, int]:
        log = PrivateLog(self._keys.data_of(workspace_id) / "log.sqlite3")
        try:
            return list(log.computers().values()), log.looks(), log.count_unsent()
        finally:
            log.close()

    async def _check_free(self) -> None:
        if self._database.is_read_only:
            raise self._database.refusal
        if await self.joined() is not None:
            raise NotPossible(Text("This computer has joined already."), next_step=Text("'chatdesk computers status'"))

    async def _remember(self, key: LibraryKey, folder: Path) -> Workspace:
        workspace = Workspace(
            key.workspace_id,
            shown(NAME),
            NOWHERE,
            key.member_id,
            True,
            joined_at=self._clock.now_ms(),
            place=str(folder),
        )

        def remember(conn: Connection) -> None:
            joining_place.join(conn, self._database.origin, workspace)
            # In the same transaction, so that no later write uses the former device.
            self._database.become(own_device(conn))

        try:
            await self._database.write(remember)
        except Exception:
            self._database.become(await self._database.read(own_device))
            raise
        await self._on_changed(workspace.id)
        return workspace


def _look(place: Place, key: LibraryKey) -> tuple[ComputerRow, ...]:
    found = place.libraries()
    if not found:
        raise NoLibraryThere
    if not any(_is_of(key, place.read(path)) for path in found):
        raise OtherPhrase
    return tuple(read_computers(place, key).values())


def _is_of(key: LibraryKey, data: bytes | None) -> bool:
    try:
        key.unseal(Kind.LIBRARY, "", 0, data or b"")
    except CannotUnseal:
        return False
    return True
