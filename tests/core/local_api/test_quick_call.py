"""``chatdesk quick`` reaches the window that is running before anything else is imported, and nobody else."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import tempfile
import threading
from collections.abc import AsyncGenerator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.local_api.instance import InstanceLock
from chatdesk.core.local_api.quick_call import QUICK, data_dir_of, show_quick_window
from chatdesk.core.paths import AppPaths
from tests.helpers.owned_directory import owner_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the command goes its ordinary way")
ROOT = Path(__file__).parents[3]
HEAVY = (
    "asyncio",
    "typing",
    "pathlib",
    "dataclasses",
    "logging",
    "argparse",
    "PySide6",
    "chatdesk.cli",
)
CALL = f"""
import sys
from chatdesk.core.local_api.quick_call import show_quick_window
done = show_quick_window(["quick", "--data-dir", sys.argv[1]])
print(done, [name for name in {HEAVY} if name in sys.modules])
"""


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder with a name that a socket can have."""
    with tempfile.TemporaryDirectory(prefix="quick-") as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    "environ",
    [
        {"HOME": "/home/ann"},
        {"HOME": "/home/ann", "XDG_DATA_HOME": "/srv/data"},
        {"HOME": "/home/ann", "XDG_DATA_HOME": "relative"},
        {"HOME": "/home/ann", "XDG_DATA_HOME": ""},
        {"HOME": "/home/ann", "CHATDESK_DATA_DIR": "/tmp/other"},
        {"HOME": "/home/ann", "CHATDESK_DATA_DIR": ""},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        (["quick"], None),
        (["quick", "--data-dir", "/tmp/chosen"], "/tmp/chosen"),
        (["--data-dir", "/tmp/chosen", "quick"], "/tmp/chosen"),
    ],
    ids=str,
)
def test_the_data_directory_is_that_of_the_program(
    monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str], arguments: list[str], chosen: str | None
) -> None:
    for name in ("HOME", "XDG_DATA_HOME", "CHATDESK_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert data_dir_of(arguments, environ) == str(AppPaths.find(chosen).data_dir)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("open",),
        ("quick", "--debug"),
        ("quick", "--data-dir"),
        ("--data-dir", "quick"),
        ("ask", "quick"),
        ("--data-dir", "here", "quick"),
        ("quick", "--data-dir", "~/here"),
    ],
    ids=str,
)
def test_any_other_command_goes_its_ordinary_way(arguments: tuple[str, ...]) -> None:
    assert data_dir_of(arguments, {"HOME": "/home/ann"}) is None


async def test_the_window_is_asked_and_little_is_imported_for_it(scratch: Path) -> None:
    asked: list[dict[str, Any]] = []

    async def show(request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        asked.append(request)
        yield {"event": "raised"}

    async with owner_of(scratch, {"raise": show}):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}){CALL}", str(scratch),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, _nothing = await process.communicate()
    assert said.decode().split(maxsplit=1) == ["True", "[]\n"]
    assert [each["target"] for each in asked] == [QUICK]


async def test_a_program_without_a_window_is_not_asked(scratch: Path) -> None:
    async with owner_of(scratch, purpose="ask"):
        assert not await asyncio.to_thread(show_quick_window, ["quick", "--data-dir", str(scratch)])


async def test_a_window_that_fails_leaves_it_to_the_ordinary_way(scratch: Path) -> None:
    async with owner_of(scratch, {}):
        assert not await asyncio.to_thread(show_quick_window, ["quick", "--data-dir", str(scratch)])


def test_no_other_process_receives_the_request(scratch: Path) -> None:
    """Another process listens where the file says that the window does."""
    place = scratch / "instance.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        listening.listen()
        heard: list[bytes] = []

        def listen() -> None:
            connection, _address = listening.accept()
            with connection:
                heard.append(connection.recv(4096))

        thread = threading.Thread(target=listen)
        thread.start()
        _note(scratch, address=str(place), pid=os.getpid() + 1)
        assert not show_quick_window(["quick", "--data-dir", str(scratch)])
        thread.join()
    assert heard == [b""]


async def test_an_owner_without_the_secret_receives_no_request(scratch: Path) -> None:
    async with owner_of(scratch):
        note = json.loads((scratch / "instance.json").read_text(encoding="utf-8"))
        _note(scratch, address=note["address"], pid=note["pid"], secret="22" * 32)
        assert not await asyncio.to_thread(show_quick_window, ["quick", "--data-dir", str(scratch)])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"purpose": "window"}', '{"purpose": "window", "address": 1}'])
def test_a_broken_file_leaves_it_to_the_ordinary_way(scratch: Path, content: str) -> None:
    (scratch / "instance.json").write_text(content, encoding="utf-8")
    assert not show_quick_window(["quick", "--data-dir", str(scratch)])


def test_a_pipe_in_place_of_the_file_does_not_block(scratch: Path) -> None:
    os.mkfifo(scratch / "instance.json")
    assert not show_quick_window(["quick", "--data-dir", str(scratch)])


def test_an_owner_that_does_not_listen_yet_leaves_it_to_the_ordinary_way(scratch: Path) -> None:
    lock = InstanceLock(scratch, purpose="window", listens=True)
    assert lock.acquire()
    try:
        assert not show_quick_window(["quick", "--data-dir", str(scratch)])
    finally:
        lock.release()


def _note(data_dir: Path, **values: object) -> None:
    note = {"pid": os.getpid(), "purpose": "window", "listens": True, "secret": "11" * 32, **values}
    (data_dir / "instance.json").write_text(json.dumps(note))
