"""Tokens on the disk: hashes, private files, expiry and revocation, without a service."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.service.caller import Scope
from chatdesk.service.tokens import TokenBook, UnknownToken
from tests.helpers.local_service import served_world
from tests.helpers.waiting import until

NOW = 1_800_000_000_000


def test_only_a_hash_is_kept_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    token, text = TokenBook(tmp_path / "tokens").make("editor", [Scope.READ], now_ms=NOW)
    (path,) = (tmp_path / "tokens").iterdir()
    assert text.split("_", 2)[2] not in path.read_text("utf-8")
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert token.digest in path.read_text("utf-8")


def test_limits_of_a_token_are_kept_and_what_it_spent_goes_with_it(tmp_path: Path) -> None:
    book = TokenBook(tmp_path)
    token, text = book.make("editor", [Scope.ASK], tokens_per_minute=500, money_per_day=1.5, now_ms=NOW)
    found = TokenBook(tmp_path).find(text, now_ms=NOW)
    assert found is not None
    assert (found.caller.tokens_per_minute, found.caller.money_per_day) == (500, 1.5)
    (tmp_path / f"{token.id}.spent").write_text("{}", "utf-8")
    book.revoke("editor")
    assert not list(tmp_path.iterdir())


def test_a_token_is_found_by_its_whole_text_until_it_expires(tmp_path: Path) -> None:
    book = TokenBook(tmp_path)
    token, text = book.make("editor", [Scope.READ], expires_at=NOW + 10, now_ms=NOW)
    assert book.find(text, now_ms=NOW + 9) is not None
    assert book.find(text, now_ms=NOW + 10) is None
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    for other in ("", text[:-1], text + "x", wrong, f"cd_{token.id}_" + "x" * 43, "cd_../../../etc_x"):
        assert book.find(other, now_ms=NOW) is None


def test_another_process_sees_a_revocation_and_the_last_use(tmp_path: Path) -> None:
    book, other = TokenBook(tmp_path), TokenBook(tmp_path)
    _token, text = book.make("editor", [Scope.READ], now_ms=NOW)
    assert other.all()[0].last_used_at is None
    assert book.find(text, now_ms=NOW + 5_000) is not None
    assert other.all()[0].last_used_at == NOW + 5_000
    other.revoke("editor")
    assert book.find(text, now_ms=NOW + 6_000) is None
    with pytest.raises(UnknownToken):
        other.revoke("editor")


def test_a_name_is_one_line_and_of_one_token(tmp_path: Path) -> None:
    book = TokenBook(tmp_path)
    token, _text = book.make("editor\nforged line", [Scope.READ], now_ms=NOW)
    assert "\n" not in token.name
    for name in (token.name, "", " \n "):
        with pytest.raises(InvalidInput):
            book.make(name, [Scope.READ], now_ms=NOW)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"name": 1}', "\0" * 100])
def test_a_damaged_file_grants_no_access(tmp_path: Path, content: str) -> None:
    book = TokenBook(tmp_path)
    token, text = book.make("editor", [Scope.READ], now_ms=NOW)
    (tmp_path / f"{token.id}.json").write_text(content, "utf-8")
    assert book.find(text, now_ms=NOW) is None
    assert book.all() == []


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotPossible) as refused:
        TokenBook(tmp_path / "file" / "tokens").make("editor", [Scope.READ], now_ms=NOW)
    assert str(tmp_path / "file" / "tokens") in refused.value.sentence
    assert "XDG_STATE_HOME" in refused.value.sentence


async def test_a_foreign_data_directory_grants_no_access(tmp_path: Path) -> None:
    async with served_world(tmp_path / "theirs") as world:
        text = world.token("backdoor")
        async with world.client(text) as http:
            assert (await http.get("/api/v1/threads")).status_code == 200
    shutil.copytree(tmp_path / "theirs", tmp_path / "mine")
    async with served_world(tmp_path / "mine") as world, world.client(text) as http:
        assert (await http.get("/api/v1/threads")).status_code == 401


@pytest.mark.skipif(os.name != "posix", reason="links need no rights only there")
async def test_a_link_in_a_data_directory_leads_no_key_elsewhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("as it was")
    service = tmp_path / "data" / "service"
    service.parent.mkdir()
    service.symlink_to(elsewhere)
    with pytest.raises(NotPossible, match="symbolic links"):
        async with served_world(tmp_path / "data"):
            pass
    assert [each.name for each in elsewhere.iterdir()] == ["file"]
    service.unlink()
    service.mkdir(mode=0o777)
    (service / "owner.token").symlink_to(elsewhere / "file")
    async with served_world(tmp_path / "data") as world:
        assert world.owner_token.startswith("cd_owner_")
        assert not world.files.owner_token.is_symlink()
        assert service.stat().st_mode & 0o077 == 0
    assert (elsewhere / "file").read_text() == "as it was"


async def test_no_backup_has_a_token(tmp_path: Path) -> None:
    async with served_world(tmp_path / "data") as world:
        text = world.token("editor")
        target = tmp_path / "all.zip"
        await world.services.backups.make_zip(target)
        with zipfile.ZipFile(target) as archive:
            assert not [name for name in archive.namelist() if "token" in name or "service" in name]
            packed = b"".join(archive.read(name) for name in archive.namelist())
        assert text.split("_", 2)[2].encode() not in packed
        assert world.owner_token.encode() not in packed


async def test_no_export_has_a_token(tmp_path: Path) -> None:
    async with served_world(tmp_path / "data") as world:
        text = world.token("editor")
        thread = (await world.http.post("/api/v1/threads", json={"title": "Kept"})).json()["id"]
        await world.http.post(f"/api/v1/threads/{thread}/notes", json={"text": "words to keep"})
        for kind in ("json", "md"):
            job = (await world.http.post("/api/v1/exports", json={"format": kind})).json()["id"]

            async def is_done(job: str = job) -> bool:
                return bool((await world.http.get(f"/api/v1/jobs/{job}")).json()["has_file"])

            await until(is_done)
            content = (await world.http.get(f"/api/v1/jobs/{job}/file")).content
            if kind == "md":
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    content = b"".join(archive.read(name) for name in archive.namelist())
            assert b"words to keep" in content
            assert text.split("_", 2)[2].encode() not in content
            assert world.owner_token.encode() not in content
