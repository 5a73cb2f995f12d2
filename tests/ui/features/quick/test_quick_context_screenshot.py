"""Pictures of the screen: by a portal on a real session bus, by a rectangle on a real X server, and where there is
neither."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage

if not sys.platform.startswith("linux"):
    pytest.skip("portals are Linux'", allow_module_level=True)

from tests.helpers import notification_server

if notification_server.what_is_missing():
    pytest.skip("no dbus-daemon", allow_module_level=True)

from chatdesk.ui.features.quick.quick_context import NoScreenshot, take_screenshot
from tests.helpers.portal_server import PortalServer

pytestmark = pytest.mark.usefixtures("qapp")
ROOT = Path(__file__).parents[4]
ON_X11 = """
import asyncio, subprocess, sys
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from chatdesk.ui.qt.async_tasks import run_until_done
from chatdesk.ui.features.quick.region_chooser import RegionChooser
from chatdesk.ui.features.quick.quick_context import take_screenshot

app = QApplication(sys.argv)
shown = QWidget(None, Qt.WindowType.X11BypassWindowManagerHint)
shown.setStyleSheet("background: #00ff00")
shown.setGeometry(100, 100, 200, 200)

async def main():
    shown.show()
    while not shown.windowHandle().isExposed():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0)
    app.processEvents()
    taking = asyncio.ensure_future(take_screenshot())
    while not any(isinstance(each, RegionChooser) and each.isActiveWindow() for each in app.topLevelWidgets()):
        assert not taking.done()
        await asyncio.sleep(0.01)
    drag = "mousemove 120 120 mousedown 1 mousemove 150 140 mousemove 219 169 mouseup 1".split()
    await asyncio.to_thread(subprocess.run, ["xdotool", *drag], check=True)
    taken = await taking
    image = taken.image
    colours = {image.pixelColor(x, y).name() for x in (0, image.width() - 1) for y in (0, image.height() - 1)}
    print(image.width(), image.height(), sorted(colours), taken.data[:4] == b"\\x89PNG")
    return 0

sys.exit(run_until_done(app, main))
"""


@pytest.fixture
async def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    async with notification_server.session_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    image = QImage(320, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("#123456"))
    path = tmp_path / "Screenshot from the desktop.png"
    assert image.save(str(path))
    return path


def _answer(address: str) -> dict[str, tuple[int, dict[str, tuple[str, str]]]]:
    return {"Screenshot": (0, {"uri": ("s", address)})}


async def test_the_portal_asks_the_person_and_its_picture_is_taken(bus: None, picture: Path) -> None:
    async with PortalServer(_answer(picture.as_uri())).on_bus() as server:
        taken = await take_screenshot()
        ((_parent, options),) = server.asked("Screenshot")
    assert options["interactive"] == ("b", True)
    assert taken is not None
    assert taken.image.pixelColor(5, 5).name() == "#123456"
    assert taken.data == picture.read_bytes()


async def test_a_person_who_leaves_the_dialog_sends_nothing(bus: None) -> None:
    async with PortalServer({"Screenshot": (1, {})}).on_bus():
        assert await take_screenshot() is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://example.org/a.png",
        "file://elsewhere/a.png",
        "file:///nothing/there.png",
        "file:///dev/zero",
        "file://[",
    ],
)
async def test_only_a_file_of_this_computer_is_read(bus: None, address: str) -> None:
    async with PortalServer(_answer(address)).on_bus():
        with pytest.raises(NoScreenshot):
            await take_screenshot()


async def test_an_invalid_picture_is_not_sent(bus: None, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"#!/bin/sh")
    async with PortalServer(_answer((tmp_path / "a.png").as_uri())).on_bus():
        with pytest.raises(NoScreenshot, match="cannot be read"):
            await take_screenshot()


async def test_a_desktop_without_a_portal_says_what_to_do(bus: None) -> None:
    with pytest.raises(NoScreenshot) as raised:
        await take_screenshot()
    assert "Nothing was taken." in raised.value.sentence


@pytest.mark.skipif(not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool")
def test_on_x11_a_rectangle_is_drawn(tmp_path: Path) -> None:
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        left_out = ("DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY")
        environment = {name: value for name, value in os.environ.items() if name not in left_out} | {
            "DISPLAY": f":{server.stdout.readline().strip()}",
            "QT_QPA_PLATFORM": "xcb",
            "XDG_RUNTIME_DIR": str(tmp_path),
        }
        try:
            ran = subprocess.run(
                [sys.executable, "-c", ON_X11], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
            )
        finally:
            server.terminate()
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "100 50 ['#00ff00'] True"
