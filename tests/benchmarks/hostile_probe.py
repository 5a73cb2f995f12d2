"""Hostile text through the worker, the layout and the paint: ``hostile_probe SEED COUNT MAX_BYTES``.

The view stands alone, on a thread of inputs for each batch, and is scrolled from end to end. Prints JSON: slices of the
GUI thread (processor time, ms) with the slowest named, exceptions, what was opened or connected while it ran.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from PySide6.QtWidgets import QApplication

from chatdesk.core.domain.message import Message, MessagePage, Part, PartType, Role, Status
from chatdesk.core.rendering.client import RenderClient
from chatdesk.ui.qt.async_tasks import run_until_done
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.view import TranscriptView
from tests.benchmarks.loop_probe import LoopProbe
from tests.benchmarks.processes import ROOT
from tests.helpers.hostile_text import HostileInput, iter_inputs

_BATCH = 8
_QUIET = ("/proc/", "/sys/", "/dev/null", sys.prefix, sys.base_prefix, str(ROOT / "resources"))


class Witness:
    """Files opened and sockets made by Python code, and exceptions that nobody caught."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.exceptions: list[str] = []
        self.is_watching = False
        sys.addaudithook(self._on_event)
        sys.excepthook = lambda kind, error, _trace: self.exceptions.append(f"{kind.__name__}: {error}"[:200])

    def _on_event(self, name: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_watching:
            return
        if name == "open" and isinstance(arguments[0], str) and not arguments[0].startswith(_QUIET):
            self.seen.append(f"open {arguments[0]}"[:200])
        elif name in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen") and "chatdesk" not in str(arguments):
            self.seen.append(f"{name} {arguments}"[:200])


class Stage:
    """The view and the answers that are under way."""

    def __init__(self, app: QApplication) -> None:
        loop = asyncio.get_running_loop()
        self.client = RenderClient(deliver=lambda call: loop.call_soon_threadsafe(call))
        self.theme = Theme(app, preference="light")
        self.messages: tuple[Message, ...] = ()
        self.view = TranscriptView(self._fetch, self.client, self.theme)
        self.view.resize(900, 700)
        self.view.show()

    def _fetch(self, thread_id: str, *, deliver: Callable[[MessagePage], None], **_wanted: object) -> None:
        deliver(MessagePage(thread_id, self.messages, False, False, len(self.messages)))

    async def play(self, number: int, inputs: list[HostileInput]) -> None:
        self.messages = tuple(_message(f"{number}-{place}", place, each.text) for place, each in enumerate(inputs))
        self.view.show_thread(f"t{number}")
        # Every text is asked for again: the answer says that the worker is through with it.
        loop = asyncio.get_running_loop()
        for each in inputs:
            done: asyncio.Future[None] = loop.create_future()
            self.client.request(each.text, lambda _blocks, done=done: done.done() or done.set_result(None))
            async with asyncio.timeout(60):
                await done
        bar = self.view.verticalScrollBar()
        for share in (1.0, 0.7, 0.35, 0.0):
            bar.setValue(round(bar.maximum() * share))
            await asyncio.sleep(0.002)

    def close(self) -> None:
        self.view.hide()
        self.client.close()


async def main(seed: int, count: int, max_bytes: int) -> int:
    witness = Witness()
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    stage = Stage(app)
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: witness.exceptions.append(str(context.get("exception"))[:200])
    )
    worst: list[tuple[float, str]] = []
    slices: list[float] = []
    began = time.monotonic()
    inputs = iter_inputs(seed, count, max_bytes)
    await stage.play(-1, list(islice(iter_inputs(seed + 1, _BATCH, 1000), _BATCH)))  # imports and first fonts
    witness.is_watching = True
    for number in range(count // _BATCH):
        batch = list(islice(inputs, _BATCH))
        with LoopProbe() as probe:
            await stage.play(number, batch)
        slices += probe.cpu_ms
        worst.append((max(probe.cpu_ms, default=0.0), ", ".join(each.pattern for each in batch)))
    witness.is_watching = False
    stage.close()
    worst.sort(reverse=True)
    found = {
        "slices_ms": sorted(slices)[-2000:],
        "slice_count": len(slices),
        "worst": worst[:8],
        "exceptions": witness.exceptions[:20],
        "opened": witness.seen[:20],
        "seconds": time.monotonic() - began,
    }
    print(json.dumps(found))
    return 0


def _message(name: str, position: int, text: str) -> Message:
    part = Part(f"p{name}", name, 0, PartType.TEXT, {"text": text})
    return Message(name, "t", None, Role.ASSISTANT, Status.COMPLETE, created_at=0, position=position, parts=(part,))


if __name__ == "__main__":
    application = QApplication(sys.argv[:1])
    with contextlib.suppress(KeyboardInterrupt):
        run_until_done(application, partial(main, *map(int, sys.argv[1:4])))
