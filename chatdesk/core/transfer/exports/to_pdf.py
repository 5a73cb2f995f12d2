"""Writes threads as PDF: sends them, a message at a time, to a process that lays out pages.

That process is Qt's (``ui/features/transfer/printing.py``); here it is a command that reads lines of JSON and writes to
the file that is its output: no file name passes between the two, whose directories differ. Laying out a model's text
may take any time: in a process of its own it blocks nothing else and can be stopped.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, BinaryIO

from chatdesk.core.errors import ExportFailed
from chatdesk.core.storage.transfer.export_reader import ExportReader
from chatdesk.core.system import child_process
from chatdesk.core.system.file_writing import replacing
from chatdesk.core.texts import Text, shown
from chatdesk.core.transfer.exports.blocks import BlockSource
from chatdesk.core.transfer.exports.thread_writer import ThreadExport, Tick, Written
from chatdesk.core.transfer.exports.to_html import MessageHtml

_PATIENCE_S = 600.0


class PdfWriter:
    """Writes each thread as a PDF file."""

    ending = ".pdf"

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        # One on two processors: it renders faster than pages are laid out, and starting takes as long as a hundred.
        self._source = BlockSource(most_workers=max(1, (os.cpu_count() or 1) // 2))

    def close(self) -> None:
        self._source.close()

    def write(self, reader: ExportReader, task: ThreadExport, tick: Tick) -> Written:
        messages = MessageHtml(self._source, task.stored, is_for_print=True)
        thread = reader.domain_thread(task.thread_id)
        with replacing(task.target) as file:
            printer = _Printer(self._command, file)
            with printer:
                printer.send({"title": shown(thread.name), "blobs": str(task.stored.folder)})
                printer.send({"html": messages.head(thread)})
                for message in messages.read_ahead(reader.shown(task.thread_id)):
                    printer.send({"html": "".join(messages.pieces(message))})
                    tick(1)
                printer.finish(lambda: tick(0))
        return Written(messages.attachments, messages.missing)


class _Printer:
    """The process that makes one file. It is killed if left before it has finished."""

    def __init__(self, command: Sequence[str], target: BinaryIO) -> None:
        self._process = child_process.start(command, stdout=target, stderr=subprocess.PIPE)

    def __enter__(self) -> _Printer:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stderr):
            assert pipe is not None
            with suppress(OSError):  # the process may have closed its end
                pipe.close()

    def send(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(line).encode() + b"\n")
        except BrokenPipeError:
            self._fail()

    def finish(self, tick: Any) -> None:
        """End the input and wait for the process. ``tick`` is called in the meantime and raises when the export is
        cancelled."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        waited_s = 0.0
        while waited_s < _PATIENCE_S:
            tick()
            with suppress(subprocess.TimeoutExpired):
                if self._process.wait(0.2) != 0:
                    self._fail()
                return
            waited_s += 0.2
        raise ExportFailed(
            Text("The pages were not finished in time."), next_step=Text("Export as HTML and print that.")
        )

    def _fail(self) -> None:
        assert self._process.stderr is not None
        words = self._process.stderr.read(2000).decode("utf-8", "replace").strip().splitlines()
        reason = words[-1] if words and words[-1].startswith("chatdesk: ") else "chatdesk: the printing process ended"
        raise ExportFailed(Text("The PDF could not be made: {reason}.", reason=reason.removeprefix("chatdesk: ")))
