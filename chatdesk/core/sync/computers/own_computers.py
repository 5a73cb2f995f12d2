"""Starts and joins the library of a person's computers, and says how it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import NOWHERE, Workspace
from chatdesk.core.domain.sharing.team_setup import SetupCheck
from chatdesk.core.errors import ChatDeskError, InvalidInput, NotPossible
from chatdesk.core.storage.engine.connection import Connection
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.own_device import own_device
from chatdesk.core.storage.sync import files, joining_place, own_places, rounds, team
from chatdesk.core.storage.sync.private_log import ComputerRow, PrivateLog
from chatdesk.core.sync.computers import looking, removal
from chatdesk.core.sync.computers import phrase as phrases
from chatdesk.core.sync.computers.folder_store import NAME, library_file
from chatdesk.core.sync.computers.keys import ComputerKeys
from chatdesk.core.sync.computers.library_key import LibraryKey
from chatdesk.core.sync.computers.looking import FoundLibrary, PlaceTaken
from chatdesk.core.sync.computers.place import LIBRARY, Place, PlaceUnreachable
from chatdesk.core.sync.errors import TeamError
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text, shown


class NotJoinedAny(NotPossible):
    code = "computers_not_joined"
    what = Text("This computer has not joined any others.")
    next_step = Text("'chatdesk computers start' or 'join' does that.")


class NoSuchComputer(InvalidInput):
    code = "computers_unknown"
    safe = Text("Nothing was changed.")
    next_step = Text("'chatdesk computers status' lists them.")


class ComputersPaused(NotPossible):
    code = "computers_paused"
    what = Text("The exchange with your other computers is paused.")
    safe = Text("Nothing is read or written in the folder.")
    next_step = Text("'chatdesk computers resume' goes on.")


_BY_ID: Final = Text("Name it by its id: 'chatdesk computers status --json' has them.")


class RestNotRemoved(ChatDeskError):
    code = "computers_rest_not_removed"
    safe = Text("This computer has left the folder, and your chats are kept.")


@dataclass(frozen=True, slots=True)
class OwnComputer:
    """A computer of this person. ``at``: when it was last here, by its own clock; ``waiting``: how many of its
    segments have not been read here; ``size``: how many bytes it has in the folder."""

    id: str
    name: str
    version: str
    at: int
    is_this: bool
    waiting: int = 0
    is_rolled_back: bool = False
    size: int = 0


@dataclass(frozen=True, slots=True)
class ComputersState:
    """The state of the library. ``waiting``: changes of this computer that are not in the folder; ``refused``: those
    that another one of the same thing took the place of; ``files``: whether attached files are on their way;
    ``unreadable``: files in the folder that are incomplete or were changed; ``problem``: of the last round.
    ``removed``: this computer was removed, or another one, so that the phrase is needed again."""

    workspace: Workspace
    computers: tuple[OwnComputer, ...]
    waiting: int
    refused: int
    files: bool
    unreadable: tuple[str, ...] = ()
    problem: str = ""
    synced_at: int | None = None
    removed: removal.Notice | None = None

    @property
    def folder(self) -> str:
        """The folder as the person chose it."""
        return str(Place(Path(self.workspace.place)).chosen)

    @property
    def was_removed(self) -> TeamError | None:
        """The sentence for a person where this computer, or another one, was removed."""
        return (
            None if self.removed is None else self.removed.error(next((c.id for c in self.computers if c.is_this), ""))
        )


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

    @staticmethod
    def new_phrase() -> str:
        """Return a recovery phrase of nobody, to be shown before ``start`` or ``remove`` uses it."""
        return phrases.phrase_of(phrases.new_secret())

    @staticmethod
    async def examine(folder: Path, *, is_start: bool) -> tuple[SetupCheck, ...]:
        """Return the checks of a folder, which change nothing there."""
        return await asyncio.to_thread(looking.examine, folder, is_start=is_start)

    async def start(self, folder: Path, phrase: str) -> None:
        """Make a library in an empty folder. ``phrase``: of ``new_phrase``. Raises ``PlaceTaken``, ``KeyNotKept`` and
        ``TeamError``."""
        former = await self._check_free()
        self._keys.register_secret(phrase)
        key, place = LibraryKey(phrases.secret_of(phrase)), Place(folder)

        def make() -> None:
            place.make()
            if not place.is_empty():
                raise PlaceTaken
            self._keys.keep(key)
            place.write(LIBRARY, library_file(key, self._clock.now_ms()))

        await asyncio.to_thread(make)
        await self._remember(key, folder, former)
        if former is not None:
            await self._forget(former)

    async def look(self, folder: Path, phrase: str) -> FoundLibrary:
        """Return the library in a folder, before anything of it is taken in. Raises ``PhraseWrong``,
        ``NoLibraryThere``, ``OtherPhrase``, ``OlderPhrase`` and ``TeamError``."""
        self._keys.register_secret(phrase)
        key = LibraryKey(phrases.secret_of(phrase))
        return await asyncio.to_thread(looking.look, folder, key)

    async def join(self, folder: Path, phrase: str) -> Workspace:
        """Join the library in a folder; what both have is merged from then on. Raises like ``look``, and
        ``KeyNotKept``."""
        former, device = await self._check_free(), self._database.device_id
        found = await self.look(folder, phrase)
        key = LibraryKey(phrases.secret_of(phrase))
        await asyncio.to_thread(self._keys.keep, key)
        workspace = await self._remember(key, found.place, former)
        if former is not None:
            await self._forget(former, moved=(device,))
        return workspace

    async def check_empty(self) -> None:
        """Raise ``NotPossible`` where this profile has chats, so that nothing is merged with what is brought back."""
        if await self._database.read(own_places.has_threads):
            raise NotPossible(
                Text("This profile has chats already."),
                safe=Text("Nothing was changed."),
                next_step=Text("'chatdesk computers join' merges them with those of the folder."),
            )

    async def remove(self, wanted: str, phrase: str) -> None:
        """Remove another computer, by its id or name: those that stay need the new ``phrase`` of ``new_phrase``. Raises
        ``NoSuchComputer``, ``NotPossible``, ``KeyNotKept`` and ``TeamError``."""
        former, gone, name = await self.to_remove(wanted)
        device = self._database.device_id
        self._keys.register_secret(phrase)
        key = LibraryKey(phrases.secret_of(phrase))
        old, new = Place(Path(former.place)), Place(Place(Path(former.place)).chosen / key.folder_name)
        notice = removal.Notice(gone.id, gone.name, name, self._clock.now_ms())

        def make() -> None:
            if not old.libraries():
                raise PlaceUnreachable
            old_key = self._keys.key_of(former.id)
            self._keys.keep(key)
            new.make()
            new.write(LIBRARY, library_file(key, self._clock.now_ms()))
            removal.write(old, old_key, notice, old_key.name_of("computer", device))

        await asyncio.to_thread(make)
        await self._remember(key, new.path, former)
        await self._forget(former, moved=(device, gone.id))

    async def to_remove(self, wanted: str) -> tuple[Workspace, OwnComputer, str]:
        """Return the workspace, the computer that is named, and the name of this one. Raises ``NoSuchComputer`` and
        ``NotPossible``."""
        state = await self.state(await self._running())
        named = [each for each in state.computers if wanted in (each.id, each.name)]
        own = next((each.name for each in state.computers if each.is_this), "?")
        if len(named) > 1 or not wanted:
            raise NoSuchComputer(Text("Several computers are called {name}.", name=wanted), next_step=_BY_ID)
        if not named:
            raise NoSuchComputer(Text("None of your computers is called {name}.", name=looking.shown_name(wanted)))
        if named[0].is_this:
            raise NotPossible(
                Text("This is the computer that you use."),
                next_step=Text("'chatdesk computers leave' forgets the folder."),
            )
        return state.workspace, named[0], own

    async def pause(self, *, is_paused: bool) -> None:
        """Stop reading and writing the folder, or go on. Raises ``NotPossible``."""
        if self._database.is_read_only:
            raise self._database.refusal
        workspace = await self.joined()
        if workspace is None:
            raise NotJoinedAny
        await self._database.write(
            lambda conn: own_places.pause(conn, workspace.id, workspace.place, is_paused=is_paused)
        )
        await self._on_changed(workspace.id)

    async def _running(self) -> Workspace:
        """Return the workspace that can be written to now. Raises ``NotPossible`` and ``TeamError``."""
        if self._database.is_read_only:
            raise self._database.refusal
        workspace = await self.joined()
        if workspace is None:
            raise NotJoinedAny
        await self.check_running(workspace)
        return workspace

    async def check_running(self, workspace: Workspace) -> None:
        """Raise ``ComputersPaused``, or what is said where a computer was removed."""
        if (error := await self.removed_error(workspace)) is not None:
            raise error
        if workspace.is_paused:
            raise ComputersPaused

    async def removed_error(self, workspace: Workspace) -> TeamError | None:
        """Return the error that says that this computer, or another one, was removed."""
        notice = await asyncio.to_thread(removal.seen, self._keys.data_of(workspace.id))
        return None if notice is None else notice.error(self._database.device_id)

    async def leave(self) -> Workspace:
        """Forget the folder, also where this profile is parked: all projects stay as private ones, and the folder as it
        is. Raises ``NotPossible``, ``KeyFileUnusable`` and ``RestNotRemoved``."""
        workspace, now = await self.to_leave(), self._clock.now_ms()
        await self._database.write(lambda conn: team.leave_workspace(conn, workspace.id, now))
        await self._on_changed(workspace.id)  # nothing uses the logs any more
        await self._forget(workspace)
        return workspace

    async def _forget(self, workspace: Workspace, *, moved: tuple[str, ...] = ()) -> None:
        """Remove the key and the logs of a library that was left. ``moved``: where another one followed it, the devices
        whose files there nobody needs any more."""

        def forget() -> None:
            if moved:
                key, place = self._keys.key_of(workspace.id), Place(Path(workspace.place))
                for device in moved:
                    place.remove(key.name_of("computer", device))
            self._keys.forget(workspace.id)

        try:
            await asyncio.to_thread(forget)
        except OSError as error:
            raise RestNotRemoved(
                Text(
                    "The copies that were kept for the folder cannot be removed: {reason}.", reason=reason_text(error)
                ),
                next_step=Text("Remove {folder} by hand.", folder=str(self._keys.data_of(workspace.id))),
            ) from error

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
        sizes = {} if workspace.is_paused else await asyncio.to_thread(_sizes, Path(workspace.place))
        return ComputersState(
            workspace,
            tuple(
                OwnComputer(
                    row.device,
                    looking.shown_name(row.name),
                    row.version,
                    row.at,
                    row.device == self._database.device_id,
                    looks.waiting.get(row.computer, 0),
                    row.computer in looks.rolled_back,
                    sizes.get(row.computer, 0),
                )
                for row in rows
            ),
            waiting=sum(each.waiting for each in shared) + unsent,
            refused=sum(each.refused for each in shared),
            files=is_moving,
            unreadable=tuple(sorted(looks.unreadable)),
            problem=latest[0].problem if latest else "",
            synced_at=latest[0].at if latest else None,
            removed=await asyncio.to_thread(removal.seen, self._keys.data_of(workspace.id)),
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

    async def _check_free(self) -> Workspace | None:
        """Return the workspace that a new one takes the place of, because a computer was removed from it."""
        if self._database.is_read_only:
            raise self._database.refusal
        former = await self.joined()
        if former is not None and await self.removed_error(former) is None:
            raise NotPossible(Text("This computer has joined already."), next_step=Text("'chatdesk computers status'"))
        return former

    async def _remember(self, key: LibraryKey, folder: Path, former: Workspace | None = None) -> Workspace:
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
            if former is not None:
                team.leave_workspace(conn, former.id, workspace.joined_at)
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


def _sizes(folder: Path) -> dict[str, int]:
    try:
        return Place(folder).sizes()
    except TeamError:
        return {}
