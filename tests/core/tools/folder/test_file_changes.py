"""Changes are applied whole, only to the file they were made from, and undone exactly; kills change nothing of that."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.artifacts.file_change import ChangeKind, ChangeState
from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.tools.folder import exchange as exchanging
from chatdesk.core.tools.folder.beneath import FileRefused
from chatdesk.core.tools.folder.file_changes import FileChanges
from tests.helpers.accounts import MemoryKeyring
from tests.helpers.folder_changes import changes_in, propose

ROOT = Path(__file__).parents[4]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    (made / "a.txt").write_bytes(b"one\r\ntwo\r\n")
    (made / "a.txt").chmod(0o750)
    return made


async def _state(changes: FileChanges, key: tuple[str, str]) -> ChangeState:
    return (await changes.states([key]))[key]


def _left_over(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.rglob("*") if each.name.endswith(".part"))


async def test_an_edit_is_applied_and_undone_exactly(tmp_path: Path, folder: Path) -> None:
    changes, file = changes_in(tmp_path, folder), folder / "a.txt"
    made, key = await propose(changes, folder, "a.txt", edits=[{"old": "two", "new": "2\nthree"}])
    assert (made.change.kind, made.change.added, made.change.removed) == (ChangeKind.EDIT, 2, 1)
    assert file.read_bytes() == b"one\r\ntwo\r\n", "nothing is written before a person says so"
    review = await changes.review(*key)
    assert review.diff.encode() == made.diff and "+three" in review.diff and review.state is ChangeState.PROPOSED
    await changes.apply(*key)
    assert file.read_bytes() == b"one\r\n2\r\nthree\r\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o750
    assert await _state(changes_in(tmp_path, folder), key) is ChangeState.APPLIED, "it outlives a restart"
    with pytest.raises(NotPossible, match="already applied"):
        await changes.apply(*key)
    with pytest.raises(NotPossible):
        await changes.reject(*key)
    await changes_in(tmp_path, folder).undo(*key)
    assert file.read_bytes() == b"one\r\ntwo\r\n" and stat.S_IMODE(file.stat().st_mode) == 0o750
    assert await _state(changes, key) is ChangeState.PROPOSED
    assert not _left_over(folder)


async def test_what_a_person_made_of_a_change_is_written_and_undone(tmp_path: Path, folder: Path) -> None:
    changes, file = changes_in(tmp_path, folder), folder / "a.txt"
    _made, key = await propose(changes, folder, "a.txt", edits=[{"old": "two", "new": "2"}])
    assert (await changes.review(*key)).text == "one\n2\n"
    with pytest.raises(NotPossible, match="has this text already"):
        await changes.apply(*key, "one\ntwo\n")
    with pytest.raises(FileRefused, match="NUL"):
        await changes.apply(*key, "one\0")
    assert await _state(changes, key) is ChangeState.PROPOSED
    await changes.apply(*key, "one\nzwei\n")
    assert file.read_bytes() == b"one\r\nzwei\r\n", "its line ends stay"
    again = changes_in(tmp_path, folder)
    assert await _state(again, key) is ChangeState.APPLIED, "it outlives a restart"
    await again.undo(*key)
    assert file.read_bytes() == b"one\r\ntwo\r\n" and await _state(again, key) is ChangeState.PROPOSED
    await again.apply(*key)
    assert file.read_bytes() == b"one\r\n2\r\n", "the proposal is as it was"


@pytest.mark.parametrize("content", ["a\u202eb\n", "a\rb\n", "a\x1bb\n"])
async def test_a_text_that_no_field_shows_as_it_is_cannot_be_edited(tmp_path: Path, folder: Path, content: str) -> None:
    changes = changes_in(tmp_path, folder)
    _made, key = await propose(changes, folder, "new.txt", content=content)
    assert (await changes.review(*key)).text is None


async def test_a_new_file_comes_with_its_folders_and_goes_with_them(tmp_path: Path, folder: Path) -> None:
    changes = changes_in(tmp_path, folder)
    (folder / "docs").mkdir()
    _made, key = await propose(changes, folder, "docs/new/deep/b.txt", content="hello\n")
    await changes.apply(*key)
    assert (folder / "docs/new/deep/b.txt").read_text() == "hello\n"
    await changes.undo(*key)
    assert list((folder / "docs").iterdir()) == [], "the folders that were made for it are gone, the others stay"
    await changes.apply(*key)
    (folder / "docs/new/mine.txt").touch()
    await changes.undo(*key)
    assert [each.name for each in (folder / "docs/new").iterdir()] == ["mine.txt"]


async def test_a_removal_brings_everything_back(tmp_path: Path, folder: Path) -> None:
    changes, file = changes_in(tmp_path, folder), folder / "a.txt"
    made, key = await propose(changes, folder, "a.txt", delete=True)
    assert made.change.kind is ChangeKind.DELETE
    await changes.apply(*key)
    assert not file.exists() and await _state(changes, key) is ChangeState.APPLIED
    await changes.undo(*key)
    assert file.read_bytes() == b"one\r\ntwo\r\n" and stat.S_IMODE(file.stat().st_mode) == 0o750


async def test_a_file_that_changed_since_is_left_alone(tmp_path: Path, folder: Path) -> None:
    changes, file = changes_in(tmp_path, folder), folder / "a.txt"
    _made, key = await propose(changes, folder, "a.txt", content="mine")
    file.write_text("theirs")
    assert await _state(changes, key) is ChangeState.OUTDATED
    with pytest.raises(NotPossible, match="no longer the one that this change was made from"):
        await changes.apply(*key)
    assert file.read_text() == "theirs"
    file.write_bytes(b"one\r\ntwo\r\n")
    await changes.apply(*key)
    file.write_text("theirs again")
    assert await _state(changes, key) is ChangeState.CHANGED_SINCE
    with pytest.raises(NotPossible, match="after this change was applied"):
        await changes.undo(*key)
    assert file.read_text() == "theirs again"


async def test_a_new_file_replaces_none_that_came_meanwhile(tmp_path: Path, folder: Path) -> None:
    changes = changes_in(tmp_path, folder)
    _made, key = await propose(changes, folder, "b.txt", content="mine")
    (folder / "b.txt").write_text("theirs")
    with pytest.raises(NotPossible):
        await changes.apply(*key)
    with pytest.raises(exchanging.FileChanged, match="already a file"):
        exchanging.exchange(folder, ("b.txt",), expected="", data=b"mine", token="1")
    assert (folder / "b.txt").read_text() == "theirs" and not _left_over(folder)


async def test_nothing_is_written_through_a_link(tmp_path: Path, folder: Path) -> None:
    changes = changes_in(tmp_path, folder)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_bytes((folder / "a.txt").read_bytes())
    (folder / "sub").mkdir()
    (folder / "sub" / "a.txt").write_bytes(b"one\r\ntwo\r\n")
    keys = [
        (await propose(changes, folder, path, content="changed"))[1] for path in ("a.txt", "sub/a.txt", "sub/n.txt")
    ]
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to(outside / "a.txt")
    (folder / "sub" / "a.txt").unlink()
    (folder / "sub").rmdir()
    (folder / "sub").symlink_to(outside)
    for key in keys:
        with pytest.raises(ChatDeskError):
            await changes.apply(*key)
    with pytest.raises(FileRefused):
        exchanging.exchange(folder, ("sub", "n.txt"), expected="", data=b"changed", token="1")
    assert (outside / "a.txt").read_bytes() == b"one\r\ntwo\r\n" and len(list(outside.iterdir())) == 1


async def test_nothing_is_written_outside_while_a_link_is_swapped_in(tmp_path: Path, folder: Path) -> None:
    """A folder becomes a link to another one and back, as fast as it can, while files in it are written."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_bytes(b"old")
    real, link, place = folder / "real", folder / "link", folder / "src"
    place.mkdir()
    (place / "a.txt").write_bytes(b"old")
    link.symlink_to(outside)
    is_over = threading.Event()

    def swap() -> None:
        while not is_over.is_set():
            place.rename(real)
            link.rename(place)
            place.rename(link)
            real.rename(place)

    swapper = threading.Thread(target=swap)
    swapper.start()
    sums = {each: exchanging.sum_of(each) for each in (b"old", b"new")}
    written = refused = 0
    try:
        for number in range(60_000):
            if number > 600 and written > 5 and refused > 5:
                break
            old, new = (b"old", b"new") if written % 2 == 0 else (b"new", b"old")
            try:
                exchanging.exchange(folder, ("src", "a.txt"), expected=sums[old], data=new, token=str(number))
            except ChatDeskError:
                refused += 1
            else:
                written += 1
    finally:
        is_over.set()
        swapper.join()
    assert written and refused, "both states were met"
    assert (outside / "a.txt").read_bytes() == b"old" and len(list(outside.iterdir())) == 1
    found = [each.read_bytes() for each in folder.glob("*/a.txt") if not each.parent.is_symlink()]
    assert found == [b"old" if written % 2 == 0 else b"new"]


async def test_a_protected_file_stays_unchanged(tmp_path: Path, folder: Path) -> None:
    changes = changes_in(tmp_path, folder)
    _made, key = await propose(changes, folder, "a.txt", content="changed")
    (folder / "a.txt").chmod(0o444)
    with pytest.raises(FileRefused, match="write-protected"):
        await changes.apply(*key)
    assert await _state(changes, key) is ChangeState.PROPOSED
    for path in (".env", ".git/hooks/pre-commit", "../x", "sub/../../x"):
        with pytest.raises(FileRefused):
            await propose(changes, folder, path, content="x")


async def test_a_rejected_change_is_not_applied(tmp_path: Path, folder: Path) -> None:
    changes = changes_in(tmp_path, folder)
    _made, key = await propose(changes, folder, "a.txt", content="changed")
    await changes.reject(*key)
    assert await _state(changes_in(tmp_path, folder), key) is ChangeState.REJECTED
    with pytest.raises(NotPossible, match="rejected"):
        await changes.apply(*key)


async def test_changes_from_elsewhere_and_of_other_folders_are_not_applied(tmp_path: Path, folder: Path) -> None:
    changes = changes_in(tmp_path, folder)
    _made, key = await propose(changes, folder, "a.txt", content="changed")
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").write_bytes((folder / "a.txt").read_bytes())
    for known in (changes_in(tmp_path, None), changes_in(tmp_path, other)):
        assert await _state(known, key) is ChangeState.NO_FOLDER
        with pytest.raises(NotPossible):
            await known.apply(*key)
    for strange in ((key[0], "0" * 64), ("0" * 32, key[1]), ("../../a", key[1]), ("", "")):
        assert await _state(changes, strange) is ChangeState.ELSEWHERE, (
            "another diff may be shown than would be applied"
        )
        for act in (changes.apply, changes.undo, changes.reject, changes.review):
            with pytest.raises(NotPossible, match="not proposed on this computer"):
                await act(*strange)
    assert (folder / "a.txt").read_bytes() == (other / "a.txt").read_bytes()


async def test_a_foreign_directory_applies_nothing(tmp_path: Path, folder: Path) -> None:
    ring = MemoryKeyring()
    mine = changes_in(tmp_path, folder, ring, needs_seals=True)
    _made, key = await propose(mine, folder, "a.txt", content="changed")
    assert await _state(changes_in(tmp_path, folder, ring, needs_seals=True), key) is ChangeState.PROPOSED
    assert await _state(changes_in(tmp_path, folder, MemoryKeyring(), needs_seals=True), key) is ChangeState.ELSEWHERE
    record = tmp_path / "changes" / f"{key[0]}.json"
    stored = json.loads(record.read_text())
    record.write_text(json.dumps({**stored, "path": "b.txt"}))
    assert await _state(changes_in(tmp_path, folder, ring, needs_seals=True), key) is ChangeState.ELSEWHERE


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"id": 1}', b"\xff", b"9" * 100_000])
async def test_a_damaged_record_is_none(tmp_path: Path, folder: Path, damage: bytes) -> None:
    changes = changes_in(tmp_path, folder)
    _made, key = await propose(changes, folder, "a.txt", content="changed")
    (tmp_path / "changes" / f"{key[0]}.json").write_bytes(damage)
    assert await _state(changes, key) is ChangeState.ELSEWHERE


async def test_a_damaged_state_is_not_written(tmp_path: Path, folder: Path) -> None:
    changes = changes_in(tmp_path, folder)
    _made, key = await propose(changes, folder, "a.txt", content="changed")
    (tmp_path / "changes" / f"{key[0]}.after").write_bytes(b"evil")
    with pytest.raises(NotPossible, match="cannot be read"):
        await changes.apply(*key)
    assert (folder / "a.txt").read_bytes() == b"one\r\ntwo\r\n"


async def test_an_unreviewable_change_is_refused(tmp_path: Path, folder: Path) -> None:
    changes = changes_in(tmp_path, folder)
    for content in ("x" * 5_000, "line\n" * 100_000):
        with pytest.raises(FileRefused, match="too large to review"):
            await propose(changes, folder, "a.txt", content=content)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("what", ["apply", "undo"])
@pytest.mark.parametrize("case", ["edit", "new", "delete"])
async def test_a_kill_leaves_the_old_or_the_new_file_and_a_true_state(
    tmp_path: Path, folder: Path, what: str, case: str
) -> None:
    """Killed before every system call in turn that changes something on the disk."""
    paths = {"edit": "a.txt", "new": "b.txt", "delete": "a.txt"}
    arguments: dict[str, dict[str, Any]] = {
        "edit": {"content": "new"},
        "new": {"content": "new"},
        "delete": {"delete": True},
    }
    file = folder / paths[case]
    number, ended = 0, -signal.SIGKILL
    with subprocess.Popen(
        [sys.executable, "-c", _KILLED], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as lives:
        assert lives.stdin is not None and lives.stdout is not None
        while ended:
            file.unlink(missing_ok=True)
            if case != "new":
                file.write_bytes(b"old")
            changes = changes_in(tmp_path, folder)
            _made, key = await propose(changes, folder, paths[case], **arguments[case])
            old = file.read_bytes() if file.exists() else None
            if what == "undo":
                await changes.apply(*key)
            number += 1
            lives.stdin.write(json.dumps([number, str(tmp_path), str(folder), what, *key]) + "\n")
            lives.stdin.flush()
            ended = int(lives.stdout.readline())
            found = file.read_bytes() if file.exists() else None
            after = None if case == "delete" else b"new"
            assert found in (old, after)
            state = await _state(changes_in(tmp_path, folder), key)
            assert state is (ChangeState.PROPOSED if found == old else ChangeState.APPLIED)
            again = changes_in(tmp_path, folder)  # it can be gone on with
            await (again.apply(*key) if found == old else again.undo(*key))
            assert not _left_over(folder)
            assert ended in (0, -signal.SIGKILL)
    assert number > 4


# Forks a life for each line: to start a process anew takes longer than all that it does here.
_KILLED = """
import json, os, signal, sys
from tests.helpers import folder_changes
def counted(call):
    def run(*args, **options):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **options)
    return run
for line in sys.stdin:
    left, *arguments = json.loads(line)
    life = os.fork()
    if not life:
        sys.argv[1:] = arguments
        for name in ("rename", "replace", "link", "unlink", "fsync", "fchmod"):
            setattr(os, name, counted(getattr(os, name)))
        try:
            folder_changes.main()
            os._exit(0)
        finally:
            os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(life, 0)[1]), flush=True)
"""


async def test_what_is_old_or_was_erased_is_removed(tmp_path: Path, folder: Path) -> None:
    changes = changes_in(tmp_path, folder)
    _made, old = await propose(changes, folder, "a.txt", content="old")
    _made, kept = await propose(changes, folder, "a.txt", content="kept")
    for key, has_blob in ((old, False), (kept, True)):
        record = tmp_path / "changes" / f"{key[0]}.json"
        stored = json.loads(record.read_text())
        record.write_text(json.dumps({**stored, "at_ms": stored["at_ms"] - 7_200_000}))
        if has_blob:
            blob = tmp_path / "blobs" / key[1][:2] / key[1]
            blob.parent.mkdir(parents=True)
            blob.touch()
    again = changes_in(tmp_path, folder)
    await propose(again, folder, "a.txt", content="next")
    assert await _state(again, old) is ChangeState.ELSEWHERE and await _state(again, kept) is ChangeState.PROPOSED
    assert not [each for each in os.listdir(tmp_path / "changes") if each.startswith(old[0])]


async def test_the_oldest_make_room_for_the_newest(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = changes_in(tmp_path, folder)
    keys = [(await propose(changes, folder, "a.txt", content=f"{number}\n" * 300))[1] for number in range(5)]
    for key in keys:
        blob = tmp_path / "blobs" / key[1][:2] / key[1]
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.touch()
    monkeypatch.setattr("chatdesk.core.tools.folder.change_records.MOST_BYTES", 3_000)
    again = changes_in(tmp_path, folder)
    await propose(again, folder, "a.txt", content="next")
    states = [await _state(again, key) for key in keys]
    assert states[0] is ChangeState.ELSEWHERE and states[-1] is ChangeState.PROPOSED
    kept = states.count(ChangeState.PROPOSED)
    assert states == [ChangeState.ELSEWHERE] * (5 - kept) + [ChangeState.PROPOSED] * kept


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
async def test_a_pipe_in_place_of_a_record_does_not_block(tmp_path: Path, folder: Path) -> None:
    changes = changes_in(tmp_path, folder, needs_seals=True)
    _made, key = await propose(changes, folder, "a.txt", edits=[{"old": "two", "new": "2"}])
    record = tmp_path / "changes" / f"{key[0]}.json"
    record.unlink()
    os.mkfifo(record)
    writer = threading.Timer(5, lambda: os.close(os.open(record, os.O_RDWR)))  # lets go whoever waits after all
    writer.start()
    began_s = time.monotonic()
    assert await _state(changes, key) is ChangeState.ELSEWHERE
    assert time.monotonic() - began_s < 4
    writer.cancel()
