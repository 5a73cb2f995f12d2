"""Starts the process that hosts tool servers and carries frames to it and back."""

from __future__ import annotations

import logging
import queue
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import BinaryIO, Final, cast

from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.settings.system_proxy import proxy_variables
from chatdesk.core.system import child_process
from chatdesk.core.system.child_process import Wire, read_frame, write_frame
from chatdesk.core.texts import unpacked

_log = logging.getLogger(__name__)

_END_S: Final = 2.0


class RequestFailed(Exception):
    """The process or a server failed a request; ``sentence`` says why."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


def read_sentence(packed: object) -> str:
    """Return a sentence of the process as it can be shown. One with controls has them from a server."""
    sentence = unpacked(packed)
    visible = visible_controls(str(sentence))
    return sentence if sentence == visible else visible


class HostProcess:
    """The process and its two threads: one writes frames, one reads them. ``deliver`` is called in the second, with
    None at the end."""

    def __init__(self, command: Sequence[str], deliver: Callable[[HostProcess, Wire | None], object]) -> None:
        self._deliver = deliver
        self._process = child_process.start(command)
        self._outbox: queue.SimpleQueue[Wire | None] = queue.SimpleQueue()
        # By the pipe, because programs that it starts can read the environment with which a process begins.
        self._outbox.put(("proxies", 0, proxy_variables()))
        self._threads = [
            threading.Thread(target=each, daemon=True, name=f"tools {each.__name__}")
            for each in (self._write, self._read)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, frame: Wire) -> None:
        """Send a frame; never waits."""
        self._outbox.put(frame)

    def end(self) -> None:
        """End the process with all servers. Blocks for two seconds at most."""
        self._outbox.put(None)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(_END_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _write(self) -> None:
        sink = cast(BinaryIO, self._process.stdin)
        try:
            while (frame := self._outbox.get()) is not None:
                write_frame(sink, frame)
            sink.close()
        except OSError:
            pass  # the reader notices the end
        except ValueError:
            _log.exception("a request to the process for tools could not be written")
            self._process.kill()

    def _read(self) -> None:
        source = cast(BinaryIO, self._process.stdout)
        try:
            while (frame := read_frame(source)) is not None:
                self._deliver(self, frame)
        except (OSError, ValueError, EOFError, TypeError):
            _log.warning("the process for tools sent something that is no frame")
        with suppress(RuntimeError):  # the loop is closed
            self._deliver(self, None)
