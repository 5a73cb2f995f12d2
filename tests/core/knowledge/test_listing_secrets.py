"""What looks like a secret is named and not read unless the person chose that file: name × way in × what follows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatdesk.core.domain.knowledge import FileState, Sharing, SourceKind
from chatdesk.core.knowledge.listing import listing_of
from chatdesk.core.knowledge.places import LooksSecret, opened_secrets, with_secret
from tests.helpers.files_world import FilesWorld, files_world

_NAMES = (
    ".env", ".env.production", "id_rsa", "id_ed25519", "server.pem", "tls.key", "credentials.json", ".netrc", ".pgpass",
    "vault.kdbx", "passwords.txt", "token.txt", "key.p12", ".npmrc", "secrets.yml", "my passwords.csv", "id_rsa.bak",
)  # fmt: skip
_FOLDERS = (".ssh/", ".aws/", ".gnupg/", ".kube/")
_OTHERS = (".env.example", "monkey.md", "keyboard.txt", "id_rsa.pub", "password-reset.md", ".git/config", ".hidden")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[FilesWorld]:
    async with files_world(tmp_path) as made:
        made.write(".env", "PASSWORD=correct horse battery")
        made.write(".ssh/config", "Host correct horse")
        await made.read()
        yield made


async def _files(world: FilesWorld) -> dict[str, FileState]:
    files = await world.services.knowledge.repository.files(world.source_id)
    return {each.path: each.state for each in files}


async def _found(world: FilesWorld) -> set[str]:
    found = await world.services.knowledge.search(world.project_id, "correct horse battery", limit=20)
    return {each.file.path for each in found if "horse" in each.passage.text}


async def _exclude(world: FilesWorld, rules: str) -> None:
    await world.services.knowledge.exclude(world.source_id, rules)
    await world.services.knowledge.wait_until_read()


def _listed(folder: Path, rules: str = "") -> tuple[set[str], set[str]]:
    found = listing_of(SourceKind.FOLDER, folder, rules, is_ended=lambda: False)
    return set(found.stamps), found.secrets


def _write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / (f"{name}inside.txt" if name.endswith("/") else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("words")


def test_names_of_secrets_are_listed_apart_from_other_files(tmp_path: Path) -> None:
    _write(tmp_path, *_NAMES, *_FOLDERS, *_OTHERS, "deep/er/.env")
    read, secrets = _listed(tmp_path)
    assert secrets == {*_NAMES, *_FOLDERS, "deep/er/.env"}
    assert read == {each for each in _OTHERS if not each.startswith(".")}


@pytest.mark.parametrize(
    ("rules", "read"),
    [
        ("!/.env", {".env"}),
        ("!/.env\n!/deep/id_rsa", {".env", "deep/id_rsa"}),
        ("!.env", set()),
        ("!/*", set()),
        ("!/deep/", set()),
        ("!/.ENV", set()),
        ("!/.ssh/", {".ssh/config"}),  # what looks so in it is asked about once more
        ("!/.ssh/id_rsa", set()),
        ("!", set()),
    ],
)
def test_only_a_rule_with_the_very_path_opens_a_secret(tmp_path: Path, rules: str, read: set[str]) -> None:
    _write(tmp_path, ".env", "deep/id_rsa", ".ssh/config", ".ssh/id_rsa")
    assert _listed(tmp_path, rules)[0] == read
    assert opened_secrets(with_secret(rules, "a/.env", is_read=True))[-1] == "a/.env"
    assert "a/.env" not in opened_secrets(with_secret(f"{rules}\n!/a/.env", "a/.env", is_read=False))


def test_a_rule_in_the_folder_opens_nothing_and_a_broken_one_stops_nothing(tmp_path: Path) -> None:
    _write(tmp_path, ".env", "a.md", "b.log")
    (tmp_path / ".gitignore").write_text("!/.env\n!\n\\\n*.log\n")
    assert _listed(tmp_path) == ({"a.md"}, {".env"})
    (tmp_path / ".gitignore").write_text(".env\n")
    assert _listed(tmp_path) == ({"a.md", "b.log"}, set())


def test_no_secret_is_listed_by_a_link(tmp_path: Path) -> None:
    _write(tmp_path, "a.md")
    (tmp_path / ".env").symlink_to(tmp_path / "a.md")
    assert _listed(tmp_path) == ({"a.md"}, set())


async def test_a_secret_is_read_once_it_is_chosen_and_forgotten_when_it_is_not(world: FilesWorld) -> None:
    (status,) = await world.services.knowledge.statuses(world.project_id)
    assert status.secrets == 2 and not status.waiting
    assert (await _files(world))[".env"] is FileState.CLOSED
    assert (await _files(world))[".ssh/"] is FileState.CLOSED
    assert await _found(world) == set()
    await _exclude(world, "!/.env")
    assert (await _files(world))[".env"] is FileState.READ and await _found(world) == {".env"}
    await _exclude(world, "!/.env\n!/.ssh/")
    assert await _found(world) == {".env", ".ssh/config"} and ".ssh/" not in await _files(world)
    await _exclude(world, "")
    assert (await _files(world))[".env"] is FileState.CLOSED and await _found(world) == set()


async def test_a_file_that_gets_the_name_of_a_secret_is_forgotten(world: FilesWorld) -> None:
    world.write("notes.txt", "correct horse battery")
    world.write("more/inside.txt", "correct horse staple")
    await world.read()
    assert await _found(world) == {"notes.txt", "more/inside.txt"}
    (world.folder / "notes.txt").rename(world.folder / "token.txt")
    (world.folder / "more").rename(world.folder / ".aws")
    await world.read()
    assert await _found(world) == set()
    files = await _files(world)
    assert files["token.txt"] is FileState.CLOSED and files[".aws/"] is FileState.CLOSED
    (world.folder / "token.txt").rename(world.folder / "notes.txt")
    await world.read()
    assert await _found(world) == {"notes.txt"}


@pytest.mark.parametrize("place", [".env", ".ssh", ".ssh/config"])
async def test_a_secret_added_alone_is_asked_about(world: FilesWorld, place: str) -> None:
    knowledge, path = world.services.knowledge, world.folder / place
    kind = SourceKind.FOLDER if path.is_dir() else SourceKind.FILE
    link = world.folder.parent / "harmless.txt"
    link.symlink_to(path)
    for each in (path, link):
        with pytest.raises(LooksSecret):
            await knowledge.add(world.project_id, kind, str(each))
    source = await knowledge.add(world.project_id, kind, str(path), allows_secret=True)
    assert source.sharing is Sharing.NOTHING
    await knowledge.wait_until_read()
    assert await _found(world) == {"config" if "config" in place or path.is_dir() else ".env"}
