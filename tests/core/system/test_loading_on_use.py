"""Modules that are loaded when something of them is first used."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from chatdesk.core.system.loading_on_use import FinderOnUse

_TLS = """
import sys
import chatdesk.app
assert "_ssl" not in sys.modules, "something loads OpenSSL at the start"
import asyncio, ssl
from asyncio import sslproto

async def ask() -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        await asyncio.open_connection("127.0.0.1", port, ssl=ssl.create_default_context())
    except (ConnectionError, ssl.SSLError) as error:
        print(type(error).__name__)
    server.close()

asyncio.run(ask())
print(sslproto.SSLProtocol.__name__, "_ssl" in sys.modules)
"""


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Modules that can be imported and are loaded on use; forgotten afterwards."""
    made: list[str] = []
    monkeypatch.syspath_prepend(tmp_path)
    yield made
    for name in made:
        sys.modules.pop(name, None)


def put(folder: Path, names: list[str], name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    importlib.invalidate_caches()
    names.append(name)
    monkeypatch.setattr(sys, "meta_path", [FinderOnUse(name), *sys.meta_path])


def test_a_module_runs_when_something_of_it_is_asked_for(
    tmp_path: Path, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, names, "seldom_wanted", "import sys\nsys.seldom_ran = True\nvalue = 3\n", monkeypatch)
    monkeypatch.setattr(sys, "seldom_ran", False, raising=False)
    module = importlib.import_module("seldom_wanted")
    assert module.__name__ == "seldom_wanted"
    assert not sys.seldom_ran  # type: ignore[attr-defined]
    assert module.value == 3
    assert sys.seldom_ran  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = module.other


def test_two_threads_at_once_get_the_whole_module(
    tmp_path: Path, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "import time\nfirst = 1\nfor _ in range(20):\n    time.sleep(0)\nlast = 2\n"
    put(tmp_path, names, "half_read", source, monkeypatch)
    module = importlib.import_module("half_read")
    both = Barrier(2)

    def ask(_number: int) -> int:
        both.wait()
        return int(module.last)

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(ask, range(2))) == [2, 2]


def test_a_module_that_fails_says_so_each_time(
    tmp_path: Path, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, names, "is_broken", "raise ImportError('not on this system')\n", monkeypatch)
    module = importlib.import_module("is_broken")
    for _ in range(2):
        with pytest.raises(ImportError, match="not on this system"):
            _ = module.value


def test_tls_is_loaded_with_the_first_connection_that_wants_it() -> None:
    ran = subprocess.run([sys.executable, "-c", _TLS], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    failure, *loaded = ran.stdout.split()
    assert failure.endswith("Error")
    assert loaded == ["SSLProtocol", "True"]
