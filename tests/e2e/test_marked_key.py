"""A marked key goes through everything ChatDesk writes and starts; afterwards it is nowhere but in the keyring."""

from __future__ import annotations

import asyncio
import gzip
import os
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.core.diagnostics.crashes import CrashReporter
from chatdesk.core.diagnostics.logs import start_logging
from chatdesk.core.diagnostics.redaction import process_redactor
from chatdesk.core.domain.provider_profile import Header, ProviderProfile
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.key_file import KeyFile
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.schema import Settings
from chatdesk.core.settings.secrets import KeptSecret
from chatdesk.services.asking import ask
from chatdesk.services.owner import open_services
from tests.helpers.fault_server import Exchange, FaultServer, answer, models, status

KEY = "sk-marked-4711-canary-0815"
SECRET_HEADER = "tok-marked-4711-header-0815"
PASSPHRASE = "marked passphrase 4711 words"
MARKS = tuple(text.encode() for text in (KEY, SECRET_HEADER, PASSPHRASE, KEY[:-4], SECRET_HEADER[:-4]))


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    found = AppPaths.find(tmp_path / "home", {})
    found.make_directories()
    return found


async def _server(exchange: Exchange) -> None:
    path, body = exchange.request.path, exchange.request.body
    if path.endswith("/models"):
        await models("tiny")(exchange)
    elif b"fail" in body.rsplit(b'"role":"user"', 1)[-1]:
        # A hostile or careless server quotes what it was sent.
        await status(400, {"error": {"message": f"bad request with {exchange.request.headers}"}})(exchange)
    else:
        await answer("Fine.")(exchange)


def _found(folder: Path) -> list[str]:
    """Where one of the marks is, compressed files included."""
    hits = []
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        data = [path.read_bytes()]
        if path.suffix == ".gz":
            data.append(gzip.decompress(data[0]))
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                data += [archive.read(name) for name in archive.namelist()]
        hits += [str(path) for piece in data if any(mark in piece for mark in MARKS)]
    return hits


def _processes() -> list[str]:
    """The command lines and environments of this process's children, as anyone of this user may read them."""
    if not Path("/proc").is_dir():
        return []
    hits = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent != os.getpid() and int(folder.name) != os.getpid():
                continue
            for name in ("cmdline", "environ"):
                if any(mark in (folder / name).read_bytes() for mark in MARKS):
                    hits.append(f"{folder.name} {name}")
        except (OSError, ValueError, IndexError):
            continue
    return hits


async def _use_everything(paths: AppPaths, outside: Path) -> None:
    async with FaultServer(_server) as server, open_services(paths, Settings()) as services:
        service = services.provider_service
        await service.keys.choose_place(KeyPlace.FILE, passphrase=PASSPHRASE)
        profile = ProviderProfile(
            "",
            "other",
            "Marked",
            server.base_url,
            headers=(Header("X-Api-Token", SECRET_HEADER), Header("X-Team", "blue")),
        )
        saved = await service.save(profile, key=KEY)
        _ = [result async for result in service.test(saved)]
        _ = [result async for result in service.test(saved, key=KEY)]
        await service.models_of(services.providers.get(saved.id), is_asked=True)
        thread_id = None
        for text in ("Hello", "please fail"):
            async for event in ask(services, text, thread_id=thread_id):
                thread_id = event.get("thread_id", thread_id)
        asked = [each for each in server.requests if each.method == "POST"]
        assert {each.headers["authorization"] for each in asked} == {f"Bearer {KEY}"}
        assert {each.headers["x-api-token"] for each in asked} == {SECRET_HEADER}
        assert _processes() == []
        await services.maintenance.back_up_now()
        await services.backups.make_zip(outside / "everything.zip")
        try:
            raise ValueError(f"a failure with {KEY} and {SECRET_HEADER}")
        except ValueError as error:
            CrashReporter(paths.crash_dir, process_redactor, on_crash=lambda _report: None).report(error, where="test")


def test_a_marked_key_is_in_nothing_that_was_written(paths: AppPaths, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    logs = start_logging(paths.log_file, process_redactor, level="debug", is_debug=False)
    try:
        asyncio.run(_use_everything(paths, outside))
    finally:
        logs.stop()
    program, home = (sys.executable, "-m", "chatdesk"), ("--data-dir", str(paths.data_dir))
    for form in ("md", "json", "html"):
        done = subprocess.run(
            [*program, "export", "--all", "--format", form, "--output", str(outside / form), *home],
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not any(mark in done.stdout + done.stderr for mark in MARKS)
    for command in (["doctor", "--json"], ["providers", "--json"]):
        done = subprocess.run(
            [*program, *command, *home],
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert not any(mark in done.stdout + done.stderr for mark in MARKS)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    names = {path.name for path in written}
    assert {"chatdesk.db", "chatdesk.log", "providers.json", "keys.encrypted.json", "everything.zip"} <= names
    assert list(paths.crash_dir.iterdir())
    assert list(paths.backup_dir.iterdir())
    assert _found(tmp_path) == []
    with closing(sqlite3.connect(paths.database)) as database:
        assert database.execute("SELECT count(*) FROM messages").fetchone()[0] >= 4
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'")
        texts = [repr(row) for (name,) in tables.fetchall() for row in database.execute(f'SELECT * FROM "{name}"')]
    assert not any(mark.decode() in text for mark in MARKS for text in texts)
    file = KeyFile(paths.config_dir)
    file.unlock(PASSPHRASE)
    assert KeptSecret.decoded(file.get("marked") or "").value == KEY, "and where it belongs it is"
    assert all(path.stat().st_mode & 0o077 == 0 for path in paths.config_dir.iterdir())


def test_the_search_for_marks_finds_them(tmp_path: Path) -> None:
    """A test that cannot fail would be worth nothing."""
    (tmp_path / "plain").write_text(f"x{KEY}x")
    (tmp_path / "packed.gz").write_bytes(gzip.compress(SECRET_HEADER.encode()))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", PASSPHRASE * 10)
    assert len(_found(tmp_path)) == 3
    waiting = [sys.executable, "-c", "print('started', flush=True); input()"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    child = subprocess.Popen(waiting, env={**os.environ, "LEAKED": KEY}, text=True, **pipes)
    try:
        assert child.stdout is not None and child.stdout.readline() == "started\n"  # /proc shows no variables before
        assert not Path("/proc").is_dir() or any(str(child.pid) in hit for hit in _processes())
    finally:
        child.kill()
        child.communicate()
