"""Puts values that nobody can show into a database, as damage or another program would, and tells who fails at them.

``VALUES`` times every column of the schema are the cases; ``Readers`` opens such a data directory in every way and
notes each reader that fails, or that hides another thread than the one with the value.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, Table

from chatdesk.cli.main import run
from chatdesk.client.async_client import AsyncClient
from chatdesk.client.errors import ClientError
from chatdesk.core.domain.exports import Choice, ExportFormat
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.search import SearchKind
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.paths import AppPaths
from chatdesk.core.storage.engine import tables
from chatdesk.service.caller import Scope
from chatdesk.services.owner import open_services
from chatdesk.services.services import Services
from tests.helpers.assistants import assistant
from tests.helpers.local_service import FAST, ServedWorld, served_world

# What SQLite takes in any column, as SQL; ``long`` is endless text.
VALUES: Final = {
    "greatest": "9223372036854775807",
    "least": "-9223372036854775807 - 1",
    "negative": "-1",
    "beyond the calendar": "300000000000000",
    "float": "1e308",
    "NaN": "'NaN'",
    "empty": "''",
    "list": "'[1]'",
    "object": """'{"text":{"a":[null]},"name":7,"n":"x"}'""",
    "bytes": "x'ff'",
    "more bytes": "x'ff410042'",
    "surrogate": "CAST(x'61eda08062' AS TEXT)",
    "escaped surrogate": r"""'{"text":"a\ud800b","name":"\udfff"}'""",
    "object that is no Unicode": """CAST(CAST('{"text":"a' AS BLOB) || x'eda080' || CAST('"}' AS BLOB) AS TEXT)""",
    "long": "printf('%.*c', 2000000, 'x')",
    "null": "NULL",
}
_SUFFIXES: Final = {ExportFormat.MARKDOWN: ".md", ExportFormat.HTML: ".html", ExportFormat.PDF: ".pdf"}
_SCOPES: Final = ("active", "archive", "trash")
_PAGES: Final = (
    "/api/v1/projects", "/api/v1/prompts", "/api/v1/tags", "/api/v1/usage", "/api/v1/limits",
    "/api/v1/threads?limit=2", "/api/v1/threads?scope=archive", "/api/v1/threads?scope=trash",
    "/api/v1/search?text=the", "/health/ready",
)  # fmt: skip
_OF_THREAD: Final = ("", "/messages?limit=200", "/summaries", "/draft")


@dataclass(frozen=True)
class Case:
    """One value in one column of the first row."""

    table: str
    column: str
    value: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}: {self.value}"


def columns() -> Iterator[tuple[Table, Column[Any]]]:
    """Yield every column of every table."""
    for table in tables.metadata.sorted_tables:
        for column in table.columns:
            yield table, column


def cases() -> Iterator[Case]:
    """Yield every value in every column that takes it."""
    for table, column in columns():
        for name in VALUES:
            if name != "null" or column.nullable:
                yield Case(table.name, column.name, name)


def make_sample(directory: Path) -> None:
    """Fill a data directory with threads, and each table that is empty then with a row."""
    assert run(["--data-dir", str(directory), "demo-data", "--messages", "40"]) == 0
    with closing(sqlite3.connect(directory / "chatdesk.db", isolation_level=None)) as conn:
        conn.execute("PRAGMA foreign_keys=OFF")
        for table in tables.metadata.sorted_tables:
            if conn.execute(f'SELECT 1 FROM "{table.name}"').fetchone() is None and not table.name.startswith("search"):
                _add_row(conn, table)


def _add_row(conn: sqlite3.Connection, table: Table) -> None:
    values = {column.name: _sample_of(conn, column) for column in table.columns}
    names, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" * len(values))
    conn.execute(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', tuple(values.values()))


def _sample_of(conn: sqlite3.Connection, column: Column[Any]) -> object:
    if column.nullable and column.name in ("deleted_at", "archived_at", "erased_at"):
        return None  # what is gone is not read
    if column.foreign_keys:
        target = next(iter(column.foreign_keys)).column
        found = conn.execute(f'SELECT "{target.name}" FROM "{target.table.name}"').fetchone()
        return None if found is None else found[0]
    if column.type.python_type in (int, float):
        return 1_700_000_000_000 if column.name == "at" or column.name.endswith("_at") else 1
    if column.type.python_type is bytes:
        return b"1"
    return "{}" if column.name in ("address", "body", "content") else "01900000-0000-7000-8000-000000000009"


def put(database: Path, *cases: Case) -> None:
    """Put values into a database, past its checks and without its triggers."""
    with closing(sqlite3.connect(database, isolation_level=None)) as conn:
        conn.execute("PRAGMA foreign_keys=OFF")
        conn.execute("PRAGMA ignore_check_constraints=ON")
        triggers = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid").fetchall()
        for name, _sql in triggers:
            conn.execute(f'DROP TRIGGER "{name}"')
        for case in cases:
            keys = ", ".join(f'"{each.name}"' for each in tables.metadata.tables[case.table].primary_key)
            first = f'(SELECT {keys} FROM "{case.table}" ORDER BY {keys} LIMIT 1)'
            conn.execute(f'UPDATE "{case.table}" SET "{case.column}" = {VALUES[case.value]} WHERE ({keys}) = {first}')
        for _name, sql in triggers:
            conn.execute(sql)


@dataclass(frozen=True)
class Known:
    """What a data directory holds: the threads by their ids, with the number of messages that are shown."""

    shown: dict[str, int]

    @property
    def first(self) -> str:
        return min(self.shown)


def known(database: Path) -> Known:
    """Return what is in a sound database."""
    with closing(sqlite3.connect(database)) as conn:
        return Known(
            dict(
                conn.execute(
                    "SELECT id, (SELECT count(*) FROM messages m WHERE m.thread_id = t.id AND m.on_path = 1"
                    " AND m.deleted_at IS NULL) FROM threads t"
                ).fetchall()
            )
        )


class Readers:
    """Reads a data directory in every way, and notes who fails."""

    def __init__(self, directory: Path, expected: Known, *, touched: str = "") -> None:
        self.faults: list[str] = []
        self._paths = AppPaths.find(directory)
        self._expected = expected
        self._touched = touched  # the thread that the values are in
        self._whole = {id_ for id_ in expected.shown if id_ != touched}

    @contextmanager
    def _noting(self, reader: str, *, allowed: bool = False) -> Iterator[None]:
        """Note a failure, or only one that has no sentence for people (``allowed``)."""
        try:
            yield
        except ChatDeskError as error:
            if not allowed:
                self.faults.append(f"{reader}: {error.code}: {error.sentence}")
        except Exception as error:  # noqa: BLE001 - it is the finding
            at = error.__traceback__
            places = []
            while at is not None:
                name = at.tb_frame.f_code.co_filename
                if "/chatdesk/" in name and "/tests/" not in name:
                    places.append(f"{name.rpartition('/')[2]}:{at.tb_lineno}")
                at = at.tb_next
            self.faults.append(
                f"{reader}: {type(error).__name__}: {str(error)[:80]} at {' < '.join(reversed(places[-4:]))}"
            )

    def _missing(self, reader: str, found: set[str]) -> None:
        missing = self._whole - found
        if missing:
            self.faults.append(f"{reader}: {len(missing)} of {len(self._whole)} threads are missing")

    async def read(self, target: Path) -> None:
        with self._noting("start"):
            async with served_world(self._paths.data_dir, settings=FAST) as world:
                services = world.services
                await self._list(services)
                await self._open(services)
                await self._search(services)
                await self._export(services, target)
                await self._rest(world.http)
                await self._assistant(world)
                await self._client(world)
                with self._noting("backup"):
                    await services.backups.make_zip(target / "backup.zip")
                    await services.backups.inspect_backup(target / "backup.zip")
        with self._noting("import"):
            await self._import(target / "all.json", target / "imported")

    async def _list(self, services: Services) -> None:
        for order in ("activity", "name"):
            with self._noting(f"list by {order}"):
                found: set[str] = set()
                for scope in _SCOPES:
                    cursor = None
                    while True:
                        page = await services.library.list_threads(
                            ThreadQuery(scope, order=order), limit=1, cursor=cursor
                        )
                        found |= {each.id for each in page.threads}
                        cursor = page.next_cursor
                        if cursor is None:
                            break
                self._missing(f"list by {order}", found)
        with self._noting("projects and tags"):
            await services.library.projects.list()
            await services.library.list_tags()
        with self._noting("prompts"):
            await services.prompts.list()

    async def _open(self, services: Services) -> None:
        for thread_id, count in self._expected.shown.items():
            with self._noting("open", allowed=thread_id == self._touched):
                page = await services.chat.reader.get_thread_messages(thread_id, 500)
                await services.chat.reader.get_tree(thread_id)
                if thread_id != self._touched and len(page.messages) != count:
                    self.faults.append(f"open: {len(page.messages)} of {count} messages of another thread")

    async def _search(self, services: Services) -> None:
        with self._noting("search"):
            await services.search.fill(pause=0.0)
            async with aclosing(services.search.search("a* OR the OR e*", limit=200)) as groups:
                hits = {hit.thread_id for group in [each async for each in groups] for hit in group.hits}
            if not hits - {self._touched}:
                self.faults.append("search: nothing is found")
        for kind in SearchKind:
            with self._noting(f"search of {kind}"):
                for text in ("a", "the", "x project:a", "tag:a"):
                    async with aclosing(services.search.search(text, kinds={kind}, limit=200)) as groups:
                        [each async for each in groups]

    async def _export(self, services: Services, target: Path) -> None:
        for kind in ExportFormat:
            with self._noting(f"export {kind}"):
                place = target / (f"all.{kind}" if kind is ExportFormat.JSON else str(kind))
                if kind is not ExportFormat.JSON:
                    place.mkdir(parents=True, exist_ok=True)
                await services.exports.export(Choice(has_trash=True), kind, place)
                files = [each for each in [place, *place.rglob("*")] if each.is_file()]
                if kind is ExportFormat.JSON:
                    text = place.read_text("utf-8")
                    self._missing(f"export {kind}", {id_ for id_ in self._whole if id_ in text})
                elif len([each for each in files if each.suffix == _SUFFIXES.get(kind)]) < len(self._whole):
                    self.faults.append(f"export {kind}: {len(files)} files")

    async def _assistant(self, world: ServedWorld) -> None:
        """Use the tools and resources that other assistants get over MCP."""
        calls: list[tuple[str, dict[str, Any], str]] = [("search_threads", {"query": "the"}, "")]
        calls += [("list_threads", {}, ""), ("list_threads", {"title": "a"}, "")]
        calls += [("read_thread", {"thread_id": each}, each) for each in self._expected.shown]
        with self._noting("MCP"):
            async with assistant(world, world.token(scopes=[Scope.READ]), "auto") as client:
                for name, arguments, thread_id in calls:
                    with self._noting(f"MCP {name}"):
                        answer = await client.call_tool(name, arguments)
                        if answer.is_error and thread_id != self._touched:
                            self.faults.append(f"MCP {name}: {answer.content}")
                for thread_id in self._expected.shown:
                    with self._noting("MCP read_message", allowed=thread_id == self._touched):
                        page = await world.services.chat.reader.get_thread_messages(thread_id, 500)
                        for message in page.messages:
                            answer = await client.call_tool("read_message", {"message_id": message.id})
                            if answer.is_error and thread_id != self._touched:
                                self.faults.append(f"MCP read_message: {answer.content}")
                with self._noting("MCP resources"):
                    await client.list_resources()

    async def _client(self, world: ServedWorld) -> None:
        """Read with the package that other programs use."""
        async with AsyncClient(world.address.urls[0], world.owner_token, timeout_s=60) as client:
            found: set[str] = set()
            with self._noting("client lists"):
                for scope in _SCOPES:
                    found |= {each.id async for each in client.threads(scope=scope, page_size=2)}
                await client.projects()
                await client.ready()
            self._missing("client", found)
            for thread_id, count in self._expected.shown.items():
                with self._noting("client", allowed=thread_id == self._touched):
                    try:
                        await client.draft(thread_id)
                        number = len([each async for each in client.history(thread_id)])
                    except ClientError as error:
                        number = -1
                        if thread_id != self._touched:
                            self.faults.append(f"client: {error}")
                    if thread_id != self._touched and number != count:
                        self.faults.append(f"client: {number} of {count} messages of another thread")

    async def _import(self, export: Path, directory: Path) -> None:
        """Bring what was exported into another data directory."""
        async with open_services(AppPaths.find(directory), FAST, purpose="import") as services:
            report = await services.importer.run(export)
            found = len((await services.library.list_threads(ThreadQuery(), limit=500)).threads)
        if found < len([id_ for id_ in self._whole if self._expected.shown[id_]]):
            self.faults.append(f"import: {found} of {len(self._whole)} threads, {report}")

    async def _rest(self, http: Any) -> None:
        of_threads = [f"/api/v1/threads/{id_}{each}" for id_ in self._expected.shown for each in _OF_THREAD]
        for page in (*_PAGES, *of_threads):
            with self._noting(f"GET {page}"):
                answer = await http.get(page, timeout=60)
                if answer.status_code >= 500:
                    self.faults.append(f"GET {page}: {answer.status_code}")
        with self._noting("REST list"):
            found: set[str] = set()
            for scope in _SCOPES:
                cursor = ""
                while True:
                    answer = await http.get(f"/api/v1/threads?scope={scope}&limit=2{cursor}", timeout=60)
                    data = answer.json()
                    found |= {each["id"] for each in data.get("threads", ())}
                    if not data.get("next_cursor"):
                        break
                    cursor = f"&cursor={data['next_cursor']}"
            self._missing("REST list", found)
