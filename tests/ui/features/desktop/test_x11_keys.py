"""Keys of a whole X11 desktop: on a real X server, pressed by another program."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

if not sys.platform.startswith("linux") or not (shutil.which("Xvfb") and shutil.which("xdotool")):
    pytest.skip("needs Xvfb and xdotool", allow_module_level=True)

from chatdesk.ui.features.desktop.keys_backend import KeysTaken, NoKeys
from chatdesk.ui.features.desktop.keysyms import desktop_key
from chatdesk.ui.features.desktop.x11_keys import X11Keys
from tests.helpers.waiting import until

KEY, OTHER = desktop_key("Ctrl+Alt+Space"), desktop_key("Ctrl+Alt+J")
assert KEY is not None
assert OTHER is not None


class Heard:
    """What the backend reports."""

    def __init__(self) -> None:
        self.pressed = 0
        self.lost: list[bool] = []
        self.keys = X11Keys(self._press, self.lost.append)

    def _press(self) -> None:
        self.pressed += 1


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """An X server, which is the display of this process."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        monkeypatch.setenv("DISPLAY", f":{process.stdout.readline().strip()}")
        yield process
        process.terminate()


@pytest.fixture
async def heard(server: object) -> AsyncIterator[Heard]:
    made = Heard()
    yield made
    await made.keys.close()


async def _press(*keys: str, how: str = "key") -> None:
    process = await asyncio.create_subprocess_exec("xdotool", how, *keys)
    assert await process.wait() == 0


async def test_keys_that_another_program_gets_are_heard_once_each(heard: Heard) -> None:
    assert await heard.keys.bind(KEY) == ""
    await _press("ctrl+alt+space")
    await until(lambda: heard.pressed == 1)
    await _press("ctrl+alt+j", "ctrl+space", "space", "ctrl+alt+space")
    await until(lambda: heard.pressed == 2)


@pytest.mark.parametrize("lock", ["Num_Lock", "Caps_Lock"])
async def test_locks_of_the_keyboard_change_nothing(heard: Heard, lock: str) -> None:
    await heard.keys.bind(KEY)
    await _press(lock)
    await _press("ctrl+alt+space")
    await until(lambda: heard.pressed == 1)


async def test_keys_of_another_program_are_not_taken(heard: Heard) -> None:
    first = Heard()
    await first.keys.bind(KEY)
    with pytest.raises(KeysTaken):
        await heard.keys.bind(KEY)
    await heard.keys.close()
    await first.keys.close()
    again = Heard()
    await again.keys.bind(KEY)  # they were given back
    await _press("ctrl+alt+space")
    await until(lambda: again.pressed == 1)
    await again.keys.close()


async def test_keys_are_where_a_new_layout_has_them(heard: Heard) -> None:
    await heard.keys.bind(OTHER)
    subprocess.run(["setxkbmap", "de"], check=False) if shutil.which("setxkbmap") else await _press("--", "ctrl+U4E00")
    await until(lambda: bool(heard.lost))
    assert heard.lost[0] is False


async def test_a_server_that_ends_is_noticed(heard: Heard, server: subprocess.Popen[str]) -> None:
    await heard.keys.bind(KEY)
    server.terminate()
    await until(lambda: heard.lost == [True])


async def test_without_a_server_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":981")
    heard = Heard()
    with pytest.raises(NoKeys, match="does not answer"):
        await heard.keys.bind(KEY)
    await heard.keys.close()
