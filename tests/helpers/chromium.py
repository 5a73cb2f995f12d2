"""Drives a headless Chromium by its own protocol: opens pages, runs scripts in them, and hears what they asked for."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_UP_S: Final = 60.0
_ANSWER_S: Final = 60.0


def find_chromium() -> str | None:
    """Return the path of the program, or None where it is not installed."""
    return next((found for found in map(shutil.which, _NAMES) if found), None)


class Page:
    """A page of a running Chromium. ``requests`` are the addresses that it asked for so far, ``complaints`` what the
    browser wrote into its console."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._loads = 0
        self.requests: list[str] = []
        self.complaints: list[str] = []
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._call(f"{domain}.enable")

    def open(self, address: str) -> None:
        """Go to an address and wait until the page is loaded, or could not be."""
        loads = self._loads
        self._call("Page.navigate", url=address)
        while self._loads == loads:
            self._hear(self._receive())

    def run(self, script: str) -> Any:
        """Run an expression, wait for it if it is a promise, and return its value."""
        found = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def listen(self, seconds: float) -> None:
        """Hear what the browser tells for so long; pages that are left alone go on in the meantime."""
        end_s = time.monotonic() + seconds
        while (rest_s := end_s - time.monotonic()) > 0:
            with suppress(TimeoutError):
                self._hear(dict(json.loads(self._connection.recv(timeout=rest_s))))

    def click(self, x: int, y: int) -> None:
        """Move the mouse there and click, once something is painted that can be clicked."""
        self._call("Page.bringToFront")  # a page before may have opened a window
        self.run("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
        point = {"x": x, "y": y, "button": "left", "clickCount": 1}
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, **point)

    def without_policies(self) -> None:
        """Ignore the content security policies of pages that are opened from now on."""
        self._call("Page.setBypassCSP", enabled=True)

    def picture(self, file: Path) -> None:
        """Save what is seen as a PNG."""
        file.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = self._receive()
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                return dict(message["result"])
            self._hear(message)

    def _receive(self) -> dict[str, Any]:
        return dict(json.loads(self._connection.recv(timeout=_ANSWER_S)))

    def _hear(self, event: dict[str, Any]) -> None:
        said = event.get("params", {})
        match event.get("method"):
            case "Page.loadEventFired":
                self._loads += 1
            case "Network.requestWillBeSent":
                self.requests.append(said["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(said["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(said["exceptionDetails"]["text"])


@contextmanager
def chromium_page(*, names: str = "", log: Path | None = None) -> Iterator[Page]:
    """Start a Chromium with a profile of its own and yield its page. ``names`` are rules that say which computer a name
    is (``MAP evil.test 127.0.0.1``); all other names are unknown, so that nothing leaves this computer. ``log`` is a
    file for all that its network does, names that it looks up included; it is whole when the browser has ended."""
    program = find_chromium()
    assert program is not None
    rules = ", ".join(filter(None, (names, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1")))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--mute-audio"]
        options += ["--disable-dev-shm-usage", "--disable-component-update", "--remote-debugging-port=0"]
        options += [f"--user-data-dir={profile}", f"--host-resolver-rules={rules}", "--remote-allow-origins=*"]
        if log is not None:
            options.append(f"--log-net-log={log}")
        if os.geteuid() == 0:
            options.append("--no-sandbox")  # which it needs an ordinary user for
        process = subprocess.Popen(
            [program, *options, "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = _page_address(Path(profile) / "DevToolsActivePort", process)
            with connect(address, max_size=None, proxy=None) as connection:
                yield Page(connection)
        finally:
            if log is not None:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_ANSWER_S)
            process.kill()
            process.wait()


def _page_address(file: Path, process: subprocess.Popen[bytes]) -> str:
    end_s = time.monotonic() + _UP_S
    while not (file.exists() and file.read_text("utf-8").strip()):
        assert process.poll() is None, "Chromium has ended"
        assert time.monotonic() < end_s, "Chromium does not come up"
        time.sleep(0.05)
    port = file.read_text("utf-8").split()[0]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        with opener.open(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
            pages = [each for each in json.load(answer) if each["type"] == "page"]
        if pages:
            return str(pages[0]["webSocketDebuggerUrl"])
        assert time.monotonic() < end_s, "Chromium opens no page"
        time.sleep(0.05)
