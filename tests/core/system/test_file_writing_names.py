"""What a person was told of is on the disk by its name: a file that was removed stays gone after a power loss, and a
new one stays there. For that the folder itself is brought to the disk after its names changed."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.settings.providers_store import ProvidersStore
from chatdesk.core.settings.store import SettingsStore
from chatdesk.core.system.file_writing import filling_folder, move_aside, remove_file, write_new_text, write_text
from chatdesk.service.address_book import ServiceFiles
from chatdesk.service.caller import Scope
from chatdesk.service.tokens import TokenBook
from chatdesk.ui.features.desktop.autostart import set_start_at_login

pytestmark = pytest.mark.skipif(os.name != "posix", reason="folders are synced on POSIX alone")


class _Names:
    """Notes, in their order, the folders in which names change and those that are brought to the disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._unsynced: dict[tuple[int, int], str] = {}
        for name, places in (("unlink", (0,)), ("rename", (0, 1)), ("replace", (0, 1)), ("mkdir", (0,))):
            monkeypatch.setattr(os, name, self._noting(getattr(os, name), places))
        monkeypatch.setattr(os, "fsync", self._synced(os.fsync))
        monkeypatch.setattr(os, "open", self._opened(os.open))

    def assert_synced(self) -> None:
        assert not self._unsynced

    def _note(self, path: str | os.PathLike[str]) -> None:
        if Path(path).name.startswith("."):  # of an unfinished file, which nobody was told of
            return
        facts = Path(path).parent.stat()
        self._unsynced[facts.st_dev, facts.st_ino] = str(path)

    def _noting(self, call: Callable[..., Any], places: tuple[int, ...]) -> Callable[..., Any]:
        def run(*paths: Any, **options: Any) -> Any:
            found = call(*paths, **options)
            for place in places:
                self._note(paths[place])
            return found

        return run

    def _opened(self, call: Callable[..., int]) -> Callable[..., int]:
        def run(path: Any, flags: int, *rest: Any, **options: Any) -> int:
            found = call(path, flags, *rest, **options)
            if flags & os.O_CREAT:
                self._note(path)
            return found

        return run

    def _synced(self, call: Callable[[int], None]) -> Callable[[int], None]:
        def run(descriptor: int) -> None:
            call(descriptor)
            facts = os.fstat(descriptor)
            self._unsynced.pop((facts.st_dev, facts.st_ino), None)

        return run


@contextmanager
def _revoked(folder: Path) -> Iterator[None]:
    book = TokenBook(folder)
    book.make("phone", [Scope.READ], now_ms=1)
    yield
    book.revoke("phone")


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    book = TokenBook(folder)
    folder.mkdir(exist_ok=True)
    yield
    book.make("phone", [Scope.READ], now_ms=1)


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    yield
    with filling_folder(folder / "export") as unfinished:
        assert unfinished.is_dir()


@contextmanager
def _blob_removed(folder: Path) -> Iterator[None]:
    store = BlobStore(folder)
    blob = store.put(io.BytesIO(b"heron"), max_bytes=100)
    yield
    store.remove(blob.sha256)


@contextmanager
def _blob_added(folder: Path) -> Iterator[None]:
    store = BlobStore(folder)
    yield
    store.put(io.BytesIO(b"heron"), max_bytes=100)


@contextmanager
def _service_ended(folder: Path) -> Iterator[None]:
    files = ServiceFiles(folder, folder)
    files.announce(pid=1, urls=(), socket="")
    yield
    files.retract()


@contextmanager
def _started_at_login(folder: Path) -> Iterator[None]:
    yield
    set_start_at_login(folder / "chatdesk.desktop", is_on=True)


@contextmanager
def _not_started_at_login(folder: Path) -> Iterator[None]:
    set_start_at_login(folder / "chatdesk.desktop", is_on=True)
    yield
    set_start_at_login(folder / "chatdesk.desktop", is_on=False)


@contextmanager
def _damaged(folder: Path, name: str, read: Callable[[], object]) -> Iterator[None]:
    (folder / name).write_bytes(b"[[[")
    yield
    read()
    assert not (folder / name).exists()


_OPERATIONS: dict[str, Callable[[Path], Any]] = {
    "a token is revoked": _revoked,
    "a token is made": _made,
    "a folder is exported": _folder,
    "an attachment is removed": _blob_removed,
    "an attachment is added": _blob_added,
    "the service ends": _service_ended,
    "starting at login is switched on": _started_at_login,
    "starting at login is switched off": _not_started_at_login,
    "damaged settings are moved": lambda folder: _damaged(
        folder, "settings.toml", SettingsStore(folder / "settings.toml").load
    ),
    "damaged providers are moved": lambda folder: _damaged(folder, "providers.json", ProvidersStore(folder).load),
}


@pytest.mark.parametrize("operation", _OPERATIONS.values(), ids=list(_OPERATIONS))
def test_names_are_on_the_disk_when_an_operation_ends(
    operation: Callable[[Path], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with operation(tmp_path):
        names = _Names(monkeypatch)
    names.assert_synced()


@pytest.mark.parametrize(
    "change",
    [
        lambda path: write_new_text(path.with_name("new"), "x"),
        lambda path: write_text(path, "x"),
        remove_file,
        move_aside,
    ],
    ids=["new", "written", "removed", "moved"],
)
def test_each_way_to_change_a_name_brings_it_to_the_disk(
    change: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("kept", "utf-8")
    names = _Names(monkeypatch)
    change(tmp_path / "file")
    names.assert_synced()


def test_a_folder_that_cannot_be_opened_loses_no_removal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> int:
        raise PermissionError

    (tmp_path / "file").touch()
    monkeypatch.setattr(os, "open", refuse)
    remove_file(tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_the_newest_damage_is_kept_beside_the_older_one(tmp_path: Path) -> None:
    for text in ("first", "second"):
        (tmp_path / "kept.json").write_text(text, "utf-8")
        assert move_aside(tmp_path / "kept.json") is not None
    assert [(tmp_path / f"kept.broken-{n}.json").read_text("utf-8") for n in (1, 2)] == ["first", "second"]
