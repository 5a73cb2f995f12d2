"""Records what a program writes to the disk, and makes the states in which a loss of power may leave it.

``record`` runs a program under ``strace`` and reads every write, sync and change of a name out of the trace, in order,
together with what the program printed. ``Disk.state`` puts the files into a folder as a disk may have them when the
power goes after one of these operations. What was synced is always there; of the rest it depends on the file system:

    journal   names change in the order in which they were changed, and a file has its first writes up to some moment
    reorder   each write and each change of a name that was not synced is there or not, by chance
    none      nothing that was not synced is there
    strict    as ``none``, and a name is there only after its folder was synced, as POSIX has it

    python -m tests.helpers.power_loss DIRECTORY STATES SEED    prints what was lost, as JSON
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.store import SettingsStore
from chatdesk.service.tokens import TokenBook
from chatdesk.services.owner import open_services
from tests.helpers.power_lost_life import EXPORTED

ROOT = Path(__file__).parents[2]
MODES = ("journal", "reorder", "none", "strict")
_CALLS = (
    "openat,open,creat,write,pwrite64,ftruncate,truncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,"
    "rmdir,mkdir,mkdirat,link,linkat,lseek,sendfile,copy_file_range"
)
_PAGE = 4096
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"|(\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)>(?:\(deleted\))?')


@dataclass(frozen=True)
class _Write:
    """Bytes for a place of a file; without bytes the file is cut or made longer to that place."""

    file: int
    offset: int
    data: bytes | None


@dataclass(frozen=True)
class _Names:
    """Names that change together: the number of a file, or None where the name is gone. -1 is a folder."""

    entries: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class _Sync:
    """A sync of a file, by its number, or of a folder, by its path."""

    file: int | None
    folder: str | None


@dataclass(frozen=True)
class Told:
    """What the program printed at this moment."""

    what: dict[str, Any]


_Operation = _Write | _Names | _Sync | Told


@dataclass
class Disk:
    """The operations of a program below a folder, in order."""

    root: Path
    operations: list[_Operation] = field(default_factory=list)

    def told(self, end: int) -> list[dict[str, Any]]:
        """Return what the program had printed before the power went."""
        return [each.what for each in self.operations[:end] if isinstance(each, Told)]

    def state_at_end(self, target: Path) -> None:
        """Fill ``target`` with all that was written."""
        chance = random.Random(0)
        files = {each.file for each in self.operations if isinstance(each, _Write)}
        synced = [_Sync(None, "."), *(_Sync(file, None) for file in files)]
        Disk(self.root, [*self.operations, *synced]).state(
            len(self.operations) + len(synced), "journal", chance, target
        )

    def state(self, end: int, mode: str, chance: random.Random, target: Path) -> None:
        """Fill ``target`` with what a disk may have when the power goes after the first ``end`` operations."""
        done = self.operations[:end]
        names: dict[str, int | None] = {}
        for _place, each in self._kept_names(done, mode, chance):
            names.update(each.entries)
        kept = self._kept_writes(done, mode, chance)
        target.mkdir(parents=True)
        for name in sorted(names):
            number = names[name]
            if number is None or name.endswith("-shm"):
                continue
            path = target / name
            if number < 0:
                path.mkdir(parents=True, exist_ok=True)
            elif all(names.get(str(each)) is not None for each in list(Path(name).parents)[:-1]):
                path.write_bytes(_contents(kept.get(number, [])))

    def _kept_names(self, done: Sequence[_Operation], mode: str, chance: random.Random) -> Iterator[tuple[int, _Names]]:
        syncs = [(place, each) for place, each in enumerate(done) if isinstance(each, _Sync)]
        last = syncs[-1][0] if syncs else -1
        changes = [(place, each) for place, each in enumerate(done) if isinstance(each, _Names)]
        if mode == "journal":
            loose = [place for place, _each in changes if place > last]
            cut = chance.randint(0, len(loose))
            yield from (each for each in changes if each[0] not in loose[cut:])
            return
        for place, each in changes:
            later = [sync for at, sync in syncs if at > place]
            # Of a move the folder that it goes to: file systems keep both ends of it together.
            is_synced = str(Path(each.entries[-1][0]).parent) in {sync.folder for sync in later}
            if mode != "strict":  # a sync of a file takes its name along
                is_synced |= any(number in {sync.file for sync in later} for _name, number in each.entries if number)
            if is_synced or (mode == "reorder" and chance.random() < 0.5):
                yield place, each

    def _kept_writes(self, done: Sequence[_Operation], mode: str, chance: random.Random) -> dict[int, list[_Write]]:
        synced = {each.file: place for place, each in enumerate(done) if isinstance(each, _Sync)}
        safe: dict[int, list[_Write]] = {}
        loose: dict[int, list[_Write]] = {}
        for place, each in enumerate(done):
            if isinstance(each, _Write):
                (safe if place < synced.get(each.file, -1) else loose).setdefault(each.file, []).append(each)
        for file, writes in loose.items():
            if mode == "journal":
                writes = writes[: chance.randint(0, len(writes))]
            elif mode == "reorder":
                writes = [page for each in writes for page in _pages(each) if chance.random() < 0.5]
            else:
                writes = []
            safe.setdefault(file, []).extend(writes)
        return safe


def _pages(write: _Write) -> list[_Write]:
    """Return a write as the pages that a disk writes each by itself."""
    if write.data is None:
        return [write]
    starts = range(0, len(write.data), _PAGE)
    return [_Write(write.file, write.offset + at, write.data[at : at + _PAGE]) for at in starts]


def _contents(writes: Sequence[_Write]) -> bytes:
    data = bytearray()
    for each in writes:
        end = each.offset + len(each.data or b"")
        if len(data) < end:
            data.extend(bytes(end - len(data)))
        if each.data is None:
            del data[each.offset :]
        else:
            data[each.offset : end] = each.data
    return bytes(data)


def can_record() -> bool:
    """Return whether ``strace`` is here and may watch a process."""
    return (
        bool(shutil.which("strace")) and subprocess.run(["strace", "-qq", "true"], capture_output=True).returncode == 0
    )


def record(root: Path, command: Sequence[str]) -> Disk:
    """Run a program that writes below ``root``, which is empty, and return its operations."""
    trace = root.parent / f"{root.name}.trace"
    watched = ["strace", "-f", "-qq", "-y", "-xx", "-s", "100000000", "-o", str(trace), "-e", f"trace={_CALLS}"]
    done = subprocess.run([*watched, *command], cwd=ROOT, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-3000:])
    reader = _Reader(root)
    with trace.open(encoding="ascii", errors="replace") as lines:
        for line in _whole_calls(lines):
            reader.read(line)
    trace.unlink()
    return reader.disk


def _whole_calls(lines: Iterator[str] | Any) -> Iterator[str]:
    """Yield the calls that ended, those that another thread interrupted in the trace put together."""
    begun: dict[str, str] = {}
    for line in lines:
        process, _, call = line.rstrip("\n").partition(" ")
        call = call.lstrip()
        if call.endswith("<unfinished ...>"):
            begun[process] = call.removesuffix("<unfinished ...>")
        elif call.startswith("<... "):
            yield begun.pop(process, "") + call.partition("resumed>")[2]
        else:
            yield call


class _Reader:
    """Reads the calls of a trace into the operations of a disk."""

    def __init__(self, root: Path) -> None:
        self.disk = Disk(root)
        self._prefix = str(root)
        self._files: dict[str, int] = {}
        self._sizes: dict[int, int] = {}
        self._offsets: dict[str, int] = {}
        self._appended: set[str] = set()

    def read(self, call: str) -> None:
        name, _, rest = call.partition("(")
        arguments, _, result = rest.rpartition(" = ")
        if result.startswith("-1") or not arguments:
            return
        read = getattr(self, f"_{name}", None)
        if read is not None:
            read(_TEXT.findall(arguments), arguments, result)

    def _name(self, path: str) -> str | None:
        """Return the name of a path below the root; None for all others."""
        if path == self._prefix:
            return "."
        return path[len(self._prefix) + 1 :] if path.startswith(self._prefix + "/") else None

    def _add(self, operation: _Operation) -> None:
        self.disk.operations.append(operation)

    def _openat(self, found: list[tuple[str, str, str]], arguments: str, result: str) -> None:
        path = _decoded(_TEXT.findall(result)[0][2])
        name = self._name(path)
        descriptor = result.partition("<")[0]
        self._offsets[descriptor] = 0
        self._appended.discard(descriptor)
        if name is None or "O_DIRECTORY" in arguments:
            return
        if name not in self._files and "O_CREAT" in arguments:
            self._files[name] = number = len(self._sizes) + 1
            self._sizes[number] = 0
            self._add(_Names(((name, number),)))
        if "O_TRUNC" in arguments and name in self._files and self._sizes[self._files[name]]:
            self._cut(self._files[name], 0)
        if "O_APPEND" in arguments:
            self._appended.add(descriptor)

    def _lseek(self, found: list[tuple[str, str, str]], arguments: str, result: str) -> None:
        self._offsets[found[0][1]] = int(result.split()[0])

    def _write(self, found: list[tuple[str, str, str]], arguments: str, result: str) -> None:
        descriptor, data = found[0][1], bytes.fromhex(found[1][0].replace("\\x", ""))[: int(result)]
        if descriptor == "1" and data.startswith(b"{"):
            self._add(Told(json.loads(data)))
            return
        number = self._number(found)
        if number is not None:
            at = self._sizes[number] if descriptor in self._appended else self._offsets.get(descriptor, 0)
            self._put(number, at, data)
            self._offsets[descriptor] = at + len(data)

    def _pwrite64(self, found: list[tuple[str, str, str]], arguments: str, result: str) -> None:
        number = self._number(found)
        if number is not None:
            data = bytes.fromhex(found[1][0].replace("\\x", ""))[: int(result)]
            self._put(number, int(arguments.rstrip(") ").rpartition(", ")[2]), data)

    def _ftruncate(self, found: list[tuple[str, str, str]], arguments: str, result: str) -> None:
        number = self._number(found)
        if number is not None:
            self._cut(number, int(arguments.rstrip(") ").rpartition(", ")[2]))

    def _fsync(self, found: list[tuple[str, str, str]], arguments: str, result: str) -> None:
        name = self._name(_decoded(found[0][2]))
        if name is not None:
            number = self._files.get(name)
            self._add(_Sync(number, name if number is None else None))

    _fdatasync = _fsync

    def _rename(self, found: list[tuple[str, str, str]], arguments: str, result: str) -> None:
        source, target = self._paths(found)
        if source is None or target is None:
            return
        number = self._files.pop(source, -1)
        if number > 0:
            self._files[target] = number
        self._add(_Names(((source, None), (target, number))))

    _renameat = _renameat2 = _rename

    def _link(self, found: list[tuple[str, str, str]], arguments: str, result: str) -> None:
        source, target = self._paths(found)
        if source is not None and target is not None:
            self._files[target] = self._files[source]
            self._add(_Names(((target, self._files[source]),)))

    _linkat = _link

    def _unlink(self, found: list[tuple[str, str, str]], arguments: str, result: str) -> None:
        (name,) = self._paths(found)
        if name is not None:
            self._files.pop(name, None)
            self._add(_Names(((name, None),)))

    _unlinkat = _rmdir = _unlink

    def _mkdir(self, found: list[tuple[str, str, str]], arguments: str, result: str) -> None:
        (name,) = self._paths(found)
        if name is not None:
            self._add(_Names(((name, -1),)))

    _mkdirat = _mkdir

    def _sendfile(self, found: list[tuple[str, str, str]], arguments: str, result: str) -> None:
        """Raise for a copy that the system makes: its bytes are not in the trace."""
        if self._number(found) is not None:
            raise NotImplementedError(arguments)

    _copy_file_range = _truncate = _creat = _open = _sendfile

    def _number(self, found: list[tuple[str, str, str]]) -> int | None:
        return self._files.get(self._name(_decoded(found[0][2])) or "")

    def _put(self, number: int, at: int, data: bytes) -> None:
        self._sizes[number] = max(self._sizes[number], at + len(data))
        self._add(_Write(number, at, data))

    def _cut(self, number: int, size: int) -> None:
        self._sizes[number] = size
        self._add(_Write(number, size, None))

    def _paths(self, found: list[tuple[str, str, str]]) -> list[str | None]:
        """Return the names of a call's paths; one that does not begin with a stroke is below the folder before it."""
        names, folder = [], ""
        for text, descriptor, at in found:
            if descriptor:
                folder = _decoded(at)
                continue
            names.append(self._name(str(Path(folder, _decoded(text)))))
        return names


def _decoded(text: str) -> str:
    return bytes.fromhex(text.replace("\\x", "")).decode("utf-8", "surrogateescape")


async def lost_in(folder: Path, told: Sequence[dict[str, Any]]) -> list[str]:
    """Open a state as ChatDesk does when the power is back; return a sentence for each thing that was told and is not
    there. What is newer may be there: it was on its way."""
    paths = AppPaths.find(folder)
    loaded = SettingsStore(paths.settings_file).load({})
    problems = [str(each) for each in loaded.problems]
    try:
        async with open_services(paths, loaded.settings) as services:
            problems += [str(services.report.warning)] if services.report.warning else []
            for each in told:
                if each["kind"] == "message":
                    message = await services.chat.reader.get_message(each["id"])
                    problems += [f"message {each['text']}"] if message.text != each["text"] else []
                elif each["kind"] == "deleted":
                    thread = await services.chat.get_thread(each["thread"])
                    problems += [f"thread {thread.id} is not in the trash"] if thread.deleted_at is None else []
                elif each["kind"] == "draft":
                    draft = await services.chat.drafts.get(each["thread"])
                    problems += [each["text"]] if draft is None or draft.text != each["text"] else []
                elif each["kind"] == "file":
                    there = await services.attachments.has(each["sha256"])
                    problems += [] if there and _digest(folder, each["sha256"]) else [f"file {each['sha256']}"]
    except (ChatDeskError, OSError) as error:
        return [*problems, f"it does not open: {error!r}"]
    return [*problems, *_lost_files(folder, told, loaded.settings.text_scale)]


def _digest(folder: Path, sha256: str) -> bool:
    return hashlib.sha256((folder / "blobs" / sha256[:2] / sha256).read_bytes()).hexdigest() == sha256


def _lost_files(folder: Path, told: Sequence[dict[str, Any]], text_scale: float) -> list[str]:
    """Return what is lost of settings, tokens and an exported file."""
    tokens = {each.id for each in TokenBook(folder / "tokens").all()}
    problems = []
    for each in told:
        if each["kind"] == "token" and each["is_kept"] and each["id"] not in tokens:
            problems.append(f"token {each['id']}")
        elif each["kind"] == "revoked" and each["id"] in tokens:
            problems.append(f"token {each['id']} is valid again")
        elif each["kind"] == "setting" and text_scale < each["value"]:
            problems.append(f"setting {each['value']}")
        elif each["kind"] == "export":
            exported = folder / "exported.md"
            words = exported.read_text(encoding="utf-8").split() if exported.exists() else []
            numbers = {int(word) for word in words}
            if len(words) != EXPORTED or len(numbers) != 1 or min(numbers) < each["number"]:
                problems.append(f"export {each['number']}")
    return problems


def lose_often(folder: Path, *, states: int, seed: int, rounds: int = 8, before: str = "") -> dict[str, Any]:
    """Record a life and open ``states`` of its states, of each mode in turn; return how many, and what was lost.
    ``before``: Python that the life runs first."""
    root = folder / "life"
    root.mkdir(parents=True)
    life = f"{before}import runpy; runpy.run_module('tests.helpers.power_lost_life', run_name='__main__')"
    disk = record(root, [sys.executable, "-c", life, str(root), str(rounds)])
    chance, lost, told = random.Random(seed), [], 0
    for number in range(states):
        mode, end = MODES[number % len(MODES)], chance.randint(0, len(disk.operations))
        state = folder / f"state-{number}"
        disk.state(end, mode, chance, state)
        promised = disk.told(end)
        told += len(promised)
        lost += [f"{mode}, after {end} operations: {each}" for each in asyncio.run(lost_in(state, promised))]
        shutil.rmtree(state)
    return {"states": states, "operations": len(disk.operations), "told": told, "lost": lost}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(lose_often(Path(sys.argv[1]), states=int(sys.argv[2]), seed=int(sys.argv[3]))))
