"""The files of projects: adding and removing them, keeping what is known of them current, and finding passages.

One task reads, file by file, while anything waits; a thread watches the folders. What a file holds is stored in one
step, so an end at any moment leaves a file known or waiting, never in between.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chatdesk.core.attachments.web_page import WebPageReader
from chatdesk.core.domain.knowledge import (
    FileState,
    FoundPassage,
    KnowledgeSource,
    KnownFile,
    Sharing,
    SourceKind,
    SourceStatus,
)
from chatdesk.core.domain.pdf_page import PdfPage, WantedPassage
from chatdesk.core.errors import ChatDeskError, NotPossible, StorageError
from chatdesk.core.events import EventBus, ProjectChanged, ProjectFilesChanged, Subscription, TeamChanged
from chatdesk.core.knowledge.file_reading import KnowledgeReader, ReadFile
from chatdesk.core.knowledge.page_drawing import PageDrawer
from chatdesk.core.knowledge.places import checked_place, folder_of, place_text, refuse_secret, with_secret
from chatdesk.core.knowledge.provider_vectors import ProviderVectors
from chatdesk.core.knowledge.team_files import TeamFiles
from chatdesk.core.paths import AppPaths
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.knowledge import passage_index
from chatdesk.core.storage.knowledge.choices import FileChoices
from chatdesk.core.storage.knowledge.embeddings import EmbeddingRepository
from chatdesk.core.storage.knowledge.passage_index import PassageIndex
from chatdesk.core.storage.knowledge.sources import KnowledgeRepository
from chatdesk.core.system.background_import import import_beside
from chatdesk.core.texts import Text

if TYPE_CHECKING:  # loaded once a project has files
    from chatdesk.core.knowledge.finding import Finder
    from chatdesk.core.knowledge.listing import Listing
    from chatdesk.core.knowledge.watching import FolderWatch

MOST_FOUND: Final = 50
_LONGEST_QUESTION: Final = 4_000
_TOLD_EVERY_S: Final = 0.3
_COLLECTED_S: Final = 0.8
_SHARE_OF_REST: Final = 10
_TRIED_AGAIN_S: Final = 30.0
_log = logging.getLogger(__name__)


class KnowledgeService:
    """The files of all projects of a profile. ``make_pages`` returns the guarded reader of web pages. Nothing is loaded
    and no thread runs before a project has files."""

    def __init__(
        self,
        database: Database,
        paths: AppPaths,
        bus: EventBus,
        *,
        vectors_dir: Path,
        make_pages: Callable[[], WebPageReader],
    ) -> None:
        self.repository = KnowledgeRepository(database)
        self.choices = FileChoices(database)
        self.embeddings = ProviderVectors(EmbeddingRepository(database), self.choices, bus)
        self._database = database
        self._paths = paths
        self._bus = bus
        self._vectors_dir = vectors_dir
        self._make_pages = make_pages
        self._index = PassageIndex(database.path)
        self._finder: Finder | None = None
        self._reader: KnowledgeReader | None = None
        self.drawer = PageDrawer()
        self._watch: FolderWatch | None = None
        self._pages: WebPageReader | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._at_rest = asyncio.Event()
        # Sources to list again; None: all of them.
        self._dirty: set[str | None] = {None}
        self._is_closed = False
        self._told_at = 0.0
        self.team = TeamFiles(database, self.repository)
        self._team_tasks: set[asyncio.Task[None]] = set()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._listing_s = 0.0  # how long listing a source took last

    async def start(self) -> None:
        """Begin to keep everything current, if a project has files and this process may write."""
        if self._database.is_read_only:
            return
        self._subscriptions = (
            self._bus.subscribe(ProjectChanged, lambda event: self._look_at_team(event.project.id)),
            self._bus.subscribe(TeamChanged, lambda _: self._look_at_team(None)),
        )
        if await self.repository.sources():
            self._start_reading()
            await self.embeddings.start()

    async def add(
        self, project_id: str, kind: SourceKind, place: str, *, exclusions: str = "", allows_secret: bool = False
    ) -> KnowledgeSource:
        """Add a folder, a file or a page to a project; it is read in the background. Raises ``InvalidInput`` for a
        place that cannot be used, ``LooksSecret`` unless ``allows_secret`` for one that usually holds secrets,
        ``NotPossible`` where the project has it, ``StorageError``."""
        if kind is SourceKind.PAGE:
            pages = self._make_pages()
            checked = pages.address(place)
            pages.close()
        else:
            checked = await asyncio.to_thread(checked_place, kind, place, self._paths)
            if not allows_secret:
                refuse_secret(checked)
            elif kind is SourceKind.FILE:
                exclusions = with_secret(exclusions, Path(checked).name, is_read=True)
        sharing = Sharing.NOTHING if allows_secret else Sharing.NAME
        source = await self.repository.add(KnowledgeSource("", project_id, kind, checked, exclusions, sharing=sharing))
        self._changed(source)
        return source

    async def remove(self, source_id: str) -> None:
        """Forget a source and all that was read from it. Raises ``NotFound``, ``StorageError``."""
        source = await self.repository.get(source_id)
        if source.kind is SourceKind.TEAM:
            raise NotPossible(
                Text("Another computer shares “{place}” with this project.", place=place_text(source)),
                next_step=Text("Pause it, and ask the person who shares it to end that."),
            )
        await self.team.offer(source, is_removed=True)
        await self.repository.remove(source_id)
        self._changed(source)

    async def share(self, source_id: str, sharing: Sharing) -> KnowledgeSource:
        """Choose the parts of a source that the team of a shared project gets. Raises ``NotFound``, ``NotPossible``."""
        source = await self.repository.get(source_id)
        if source.kind is SourceKind.TEAM or not await self.team.may_offer(source.project_id):
            raise NotPossible(
                Text("Files are shared by the owners and admins of a shared project, from their own computers."),
                safe=Text("Nothing was changed."),
                next_step="",
            )
        source = await self.repository.change(source_id, sharing=sharing)
        self._changed(source)
        return source

    async def pause(self, source_id: str, *, is_paused: bool) -> KnowledgeSource:
        """Stop or go on reading a source; what is known of it is found all the same. Raises ``NotFound``."""
        self._changed(source := await self.repository.change(source_id, is_paused=is_paused))
        return source

    async def exclude(self, source_id: str, exclusions: str) -> KnowledgeSource:
        """Leave out what these rules name, as in a ``.gitignore``. Raises ``NotFound``."""
        self._changed(source := await self.repository.change(source_id, exclusions=exclusions))
        return source

    async def read_again(self, source_id: str) -> None:
        """List a source again, and fetch a page anew. Raises ``NotFound``."""
        source = await self.repository.get(source_id)
        if source.kind is SourceKind.PAGE:
            await self.repository.list_files(source.id, {source.place: f"asked:{time.time_ns()}"})
        self._changed(source)

    async def statuses(self, project_id: str) -> tuple[SourceStatus, ...]:
        """Return the sources of a project, and how far each is read."""
        return await self.repository.statuses(project_id)

    async def search(
        self, project_id: str, question: str, *, limit: int = 8, has_far: bool = False, stays_here: bool = False
    ) -> tuple[FoundPassage, ...]:
        """Return the passages of a project's files that fit a question, the best first. ``has_far``: fill up with some
        that do not; ``stays_here``: ask no provider for a vector of the question. Raises ``StorageError``."""
        if self._finder is None:
            finding = await import_beside("chatdesk.core.knowledge.finding")
            self._finder = finding.finder(self._revision, self._index, self._vectors_dir)
        question = question[:_LONGEST_QUESTION]
        asked = None if stays_here else await self.embeddings.of_question(project_id, question)
        limit = min(limit, MOST_FOUND)
        return await self._finder.find(project_id, question, limit=limit, asked=asked, has_far=has_far)

    async def around(self, file_id: int, first: int, last: int) -> list[FoundPassage]:
        """Return the passages of a file from one position to another, for reading on. Raises ``StorageError``."""
        return await self._index.run(lambda conn: passage_index.around(conn, file_id, first, last))

    async def around_place(self, source_id: str, path: str, offset: int) -> list[FoundPassage]:
        """Return the passages of a file around a character; none where the file is not known any more. Raises
        ``StorageError``."""
        return await self._index.run(lambda conn: passage_index.around_place(conn, source_id, path, offset))

    async def draw(
        self, source: KnowledgeSource, path: str, number: int, width_px: int, wanted: WantedPassage
    ) -> PdfPage:
        """Draw a page of a PDF with a passage lit. Raises ``PageNotDrawn``."""
        return await asyncio.to_thread(self.drawer.draw, folder_of(source), path, number, width_px, wanted)

    async def wait_until_read(self) -> None:
        """Wait until all that is there now is read; for commands, which end afterwards."""
        self._dirty.add(None)
        self._at_rest.clear()
        self._wake.set()
        self._start_reading()
        await self._at_rest.wait()
        await self.embeddings.wait_until_made()

    async def close(self) -> None:
        """Stop reading and watching. A file in the middle of being read waits for the next start."""
        self._is_closed = True
        for subscription in self._subscriptions:
            subscription.cancel()
        self._wake.set()
        await self.embeddings.close()
        if self._watch is not None:
            self._watch.close()
        if self._reader is not None:
            await asyncio.to_thread(self._reader.close)
        await asyncio.to_thread(self.drawer.close)
        if self._pages is not None:
            self._pages.close()
        if self._task is not None:
            await self._task
        for task in tuple(self._team_tasks):
            await task
        await self._index.close()

    # The task that reads.

    def _start_reading(self) -> None:
        if self._task is None and not self._is_closed and not self._database.is_read_only:
            self._task = asyncio.create_task(self._work(), name="knowledge")

    def _revision(self) -> tuple[int, int]:
        return self.repository.revision, self.embeddings.repository.revision

    def _changed(self, source: KnowledgeSource) -> None:
        self._dirty.add(source.id)
        self._wake.set()
        self._start_reading()
        self._bus.publish(ProjectFilesChanged(source.project_id))

    def _look_at_team(self, project_id: str | None) -> None:
        """Look for what others share with a project (None: with any), and bring up to date what they know."""
        if self._is_closed:
            return
        task = asyncio.create_task(self._receive_from_team(project_id), name="knowledge of a team")
        self._team_tasks.add(task)
        task.add_done_callback(self._team_tasks.discard)

    async def _receive_from_team(self, project_id: str | None) -> None:
        try:
            for project in [project_id] if project_id is not None else await self.team.projects():
                ids = await self.team.receive(project)
                own = [each.id for each in await self.repository.sources(project)] if project_id is None else []
                if ids or own:
                    self._dirty |= {*ids, *own}
                    self._wake.set()
                    self._start_reading()
                    self._bus.publish(ProjectFilesChanged(project))
        except StorageError as error:
            _log.warning("the files of a team cannot be brought up to date: %s", error.what)

    async def _work(self) -> None:
        watching = await import_beside("chatdesk.core.knowledge.watching")
        self._reader = KnowledgeReader(self._vectors_dir)
        loop = asyncio.get_running_loop()
        self._watch = watching.FolderWatch(lambda ids: loop.call_soon_threadsafe(self._note, ids))
        while not self._is_closed:
            self._wake.clear()
            self._at_rest.clear()
            try:
                await self._round()
            except StorageError as error:
                _log.warning("the files of projects cannot be brought up to date: %s", error.what)
                self._dirty.add(None)
                loop.call_later(_TRIED_AGAIN_S, self._wake.set)
            self._at_rest.set()
            await self._wake.wait()
        self._at_rest.set()

    def _note(self, source_ids: set[str]) -> None:
        """List sources again soon: a program writes a file in several steps. Where something changes without a pause, a
        tenth of the time is spent with listing."""
        if source_ids - self._dirty:
            self._dirty |= source_ids
            wait_s = max(_COLLECTED_S, _SHARE_OF_REST * self._listing_s)
            asyncio.get_running_loop().call_later(wait_s, self._wake.set)

    async def _round(self) -> None:
        """List and read what changed."""
        while await self.repository.repair_words():
            pass
        while self._dirty and not self._is_closed:
            dirty, self._dirty = self._dirty, set()
            sources = [each for each in await self.repository.sources() if not each.is_paused]
            assert self._watch is not None
            places = {each.id: Path(each.place) for each in sources if each.kind.is_on_disk}
            await asyncio.to_thread(self._watch.use, places)
            for source in sources:
                if None in dirty or source.id in dirty:
                    await self._bring_up_to_date(source)
            self.embeddings.wake()

    async def _bring_up_to_date(self, source: KnowledgeSource) -> None:
        problem = source.problem if source.kind is SourceKind.PAGE else ""  # a page is fetched when it is asked for
        try:
            listing = await self._listing_of(source)
        except ChatDeskError as error:
            problem = error.what
        else:
            if await self.repository.list_files(source.id, listing.stamps, listing.secrets):
                problem = await self._read_waiting(source, listing.stamps)
        if problem != source.problem:
            await self.repository.change(source.id, problem=problem)
        if not self._is_closed:
            await self.team.offer(source)
        self._bus.publish(ProjectFilesChanged(source.project_id))

    async def _listing_of(self, source: KnowledgeSource) -> Listing:
        from chatdesk.core.knowledge.listing import Listing, listing_of  # loaded once a project has files

        if source.kind is SourceKind.TEAM:
            return Listing(await self.team.texts(source))
        if source.kind is SourceKind.PAGE:
            known = await self.repository.files(source.id)
            return Listing({source.place: known[0].stamp if known else ""})
        began_s = time.monotonic()
        found = await asyncio.to_thread(
            listing_of, source.kind, Path(source.place), source.exclusions, is_ended=lambda: self._is_closed
        )
        self._listing_s = time.monotonic() - began_s
        return found

    async def _read_waiting(self, source: KnowledgeSource, stamps: dict[str, str]) -> str:
        """Read the files that wait. Returns the sentence why a page could not be fetched."""
        problem = ""
        for file in await self.repository.files(source.id, states=[FileState.WAITING]):
            if self._is_closed or (source.id in self._dirty and await self._is_stopped(source.id)):
                return source.problem
            problem = await self._read(source, replace(file, stamp=stamps.get(file.path, "")))
            if time.monotonic() - self._told_at > _TOLD_EVERY_S:
                self._told_at = time.monotonic()
                self._bus.publish(ProjectFilesChanged(source.project_id))
        return problem

    async def _read(self, source: KnowledgeSource, file: KnownFile) -> str:
        """Read one file and store what it holds, or why nothing can be read. Returns the sentence why a page could not
        be fetched: what was read of it before is kept then."""
        assert self._reader is not None
        if source.kind is SourceKind.PAGE:
            try:
                found = await asyncio.to_thread(self._read_page, file)
            except ChatDeskError as error:
                return error.what
        elif source.kind is SourceKind.TEAM:
            found = await asyncio.to_thread(self._reader.embed_shared, await self.team.text(file.stamp))
        else:
            found = await asyncio.to_thread(self._reader.read, folder_of(source), file.path)
        if self._is_closed:  # the reader was killed, which says nothing about the file
            return ""
        read = replace(
            file,
            state=FileState.READ if found.passages else FileState.UNREADABLE,
            stamp=found.stamp or file.stamp,
            mime=found.mime,
            problem=found.problem,
            characters=found.characters,
        )
        await self.repository.keep_text(
            read, found.passages, found.vectors, vectors_by=found.vectors_by, signs=found.signs
        )
        return ""

    def _read_page(self, file: KnownFile) -> ReadFile:
        """Fetch a web page and cut it into passages, on a thread."""
        assert self._reader is not None
        pages = self._pages = self._make_pages()
        if self._is_closed:
            pages.close()
        try:
            page = pages.read(file.path)
        finally:
            pages.close()
        found = self._reader.cut(f"# {page.title}\n\n{page.text}" if page.title else page.text, file.path)
        return replace(found, problem=page.problem or found.problem)

    async def _is_stopped(self, source_id: str) -> bool:
        """Return whether a source was removed or paused while it was read."""
        with suppress(ChatDeskError):
            return (await self.repository.get(source_id)).is_paused
        return True
