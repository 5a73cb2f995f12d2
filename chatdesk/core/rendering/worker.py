"""Runs in the worker process: turns Markdown into blocks, and adds colours later. Started by ``RenderClient``.

It ends with its input, whatever it is doing, so that it never outlives the window. It must stay light and must never
import Qt.

Frames in: ``("text", id, text, is_answer)``, ``("open", id)``, ``("delta", id, text)``, ``("finish", id)``, ``("drop",
id)``.

Frames out: ``("blocks", id, blocks, count)``, where ``count`` blocks still get colours or drawings; ``("update", id,
first, changes, count, is_last)``, one for each delta or finish; ``("colours", id, index, runs)`` for a block already
sent, whose text has not changed since; and ``("block", id, index, block)`` for one whose formulas or diagram have been
drawn.
"""

from __future__ import annotations

import gc
import os
import queue
import sys
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, BinaryIO

from chatdesk.core.rendering.answers.thoughts import StreamingAnswer, parse_answer, parse_question
from chatdesk.core.rendering.blocks import Block, Blocks, CodeBlock, CodeRun, MathBlock
from chatdesk.core.rendering.drawing.drawing_process import CODE, NOT_TRIED, DrawingProcess, serve
from chatdesk.core.rendering.drawing.drawn_blocks import DrawnBlocks, is_diagram, wanted_blocks
from chatdesk.core.rendering.highlighting import extend_runs, is_highlightable, plain_run
from chatdesk.core.rendering.streaming import BlockUpdate
from chatdesk.core.rendering.wire import decode_runs, encode_block, encode_change, encode_runs
from chatdesk.core.system.child_process import Wire, command_of, read_frame, write_frame
from chatdesk.core.system.processes import start_child

DRAWING_FLAG = "--draw"
_MAX_REMEMBERED_COLOURS = 200
# An open block is coloured again when it grew by a quarter, so that all passes together cost a few times the last one.
_REGROWTH = 1.25
_SLOW_S = 0.008
# Drawing takes this long for one message at most; hundreds of formulas take less, unless they are made to be slow.
_MAX_DRAWING_S = 8.0
_MAX_REMEMBERED_MESSAGES = 500
# How often a job is tried when its process gives no answer. The failure is not remembered: another request tries again.
_MAX_TRIES = 3
# A large text makes tens of thousands of tokens, none of them in cycles; looking at each took a third of the time.
_COLLECT_AFTER = (50_000, 20, 50)


@dataclass(slots=True)
class _Stream:
    parser: StreamingAnswer = field(default_factory=StreamingAnswer)
    sent: list[Block] = field(default_factory=list)
    coloured: dict[int, int] = field(default_factory=dict)  # block index: characters that have colours
    waiting: list[str] = field(default_factory=list)
    rests_until: float = 0.0


class Worker:
    """Serves frames and finished drawing jobs in one loop."""

    def __init__(
        self, source: BinaryIO, sink: BinaryIO, make_drawer: Callable[[Callable[[Any, Any], None]], DrawingProcess]
    ) -> None:
        """Create the worker over the streams of frames. ``make_drawer`` gets the function that the drawer's thread
        calls with the key and the result of each job."""
        self._source = source
        self._sink = sink
        self._events: queue.SimpleQueue[Wire] = queue.SimpleQueue()
        self._dropped: set[int] = set()
        self._streams: dict[int, _Stream] = {}
        self._jobs: OrderedDict[tuple[int, int], Block] = OrderedDict()
        self._colours: OrderedDict[tuple[str, str], tuple[CodeRun, ...]] = OrderedDict()
        self._drawn = DrawnBlocks()
        self._drawing_s: OrderedDict[int, float] = OrderedDict()  # by request id
        self._submitted_at = 0.0
        self._tries: Counter[Wire] = Counter()  # attempts, by unanswered job
        self._drawer = make_drawer(lambda key, result: self._events.put(("done", key, result)))

    def run(self) -> None:
        """Serve until the input ends; then the process ends at once."""
        threading.Thread(target=self._read, name="frames", daemon=True).start()
        while True:
            event = self._next_event()
            if event is None:
                continue
            if event[0] == "done":
                self.receive_result(event[1], event[2])
            else:
                self.serve(event)

    def serve(self, frame: Wire) -> None:
        """Carry out the request of a frame, and give the drawer its next job if it has none."""
        self._serve(frame)
        self._start_job()

    def receive_result(self, key: Any, result: Any) -> None:
        """Use the result of a job, and give the drawer its next one."""
        self._drawer.is_busy = False
        self._use_result(key, result)
        self._start_job()

    def drop(self, number: int) -> None:
        """Send nothing more for a request, from any thread; its frame ``drop`` may still be on its way."""
        self._dropped.add(number)

    def _next_event(self) -> Wire | None:
        """Return the next frame or job result; None after the streams that had rested were served."""
        resting = [stream.rests_until for stream in self._streams.values() if stream.waiting]
        if not resting:
            return self._events.get()
        try:
            return self._events.get(timeout=max(0.0, min(resting) - time.monotonic()))
        except queue.Empty:
            for number, stream in list(self._streams.items()):
                if stream.waiting and stream.rests_until <= time.monotonic():
                    self._parse_waiting(number, stream)
            return None

    def _read(self) -> None:
        while (frame := read_frame(self._source)) is not None:
            if frame[0] == "drop":
                self.drop(frame[1])
            self._events.put(frame)
        self._drawer.stop()
        os._exit(0)

    def _send(self, frame: Wire) -> None:
        try:
            write_frame(self._sink, frame)
        except OSError:  # the window is gone
            os._exit(0)

    def _serve(self, frame: Wire) -> None:
        operation, number = frame[0], frame[1]
        if operation == "drop":
            self._dropped.discard(number)
            self._streams.pop(number, None)
            for key in [key for key in self._jobs if key[0] == number]:
                del self._jobs[key]
        elif number in self._dropped:
            return
        elif operation == "text":
            self._serve_text(number, parse_answer(frame[2]) if frame[3] else parse_question(frame[2]))
        elif operation == "open":
            self._streams[number] = _Stream()
        elif operation in ("delta", "finish") and number in self._streams:
            stream = self._streams[number]
            if operation == "delta":
                stream.waiting.append(frame[2])
                if time.monotonic() < stream.rests_until:
                    self._send(("update", number, len(stream.sent), (), len(stream.sent), False))
                    return
                self._parse_waiting(number, stream)
            else:
                if stream.waiting:
                    self._parse_waiting(number, stream)
                self._send_update(number, stream, stream.parser.finish(), is_last=True)

    def _parse_waiting(self, number: int, stream: _Stream) -> None:
        """Parse the waiting text. A stream whose tail is slow to parse (hardly any is) rests for twice that time."""
        text = "".join(stream.waiting)
        stream.waiting.clear()
        started = time.monotonic()
        update = stream.parser.append(text)
        self._send_update(number, stream, update, is_last=False)
        cost = time.monotonic() - started
        stream.rests_until = started + 3 * cost if cost > _SLOW_S else 0.0

    def _serve_text(self, number: int, parsed: Blocks) -> None:
        blocks = [self._drawn.apply(block) for block in parsed]
        wanted: list[tuple[int, Block]] = [(index, blocks[index]) for index in wanted_blocks(blocks, self._drawn)]
        for index, block in wanted:
            blocks[index] = _with_pending(block, is_pending=True)
        for index, block in enumerate(blocks):
            if not isinstance(block, CodeBlock) or not block.language or is_diagram(block):
                continue
            known = self._colours.get((block.language, block.text))
            if known is not None:
                blocks[index] = replace(block, runs=known)
            elif is_highlightable(block.language, block.text):
                wanted.append((index, block))
            else:
                # Said, not left out: the reader may have seen colours while it was shorter.
                blocks[index] = replace(block, runs=plain_run(len(block.text)))
        self._send(("blocks", number, tuple(encode_block(block) for block in blocks), len(wanted)))
        for index, block in wanted:
            self._jobs[number, index] = block

    def _send_update(self, number: int, stream: _Stream, update: BlockUpdate, *, is_last: bool) -> None:
        first = update.first_changed
        changes: list[Wire] = []
        blocks: list[Block] = []
        for index, block in enumerate(update.blocks, first):
            old = stream.sent[index] if index < len(stream.sent) else None
            new = self._drawn.apply(block)
            if isinstance(new, CodeBlock) and not is_diagram(new):
                new = self._with_colours(number, stream, index, old, new)
            elif self._drawn.missing(new) is not None:
                self._jobs[number, index] = new
                new = _with_pending(new, is_pending=True)
            changes.append(encode_change(old, new))
            blocks.append(new)
        count = first + len(blocks)
        stream.sent[first:] = blocks
        for index in [index for index in stream.coloured if index >= count]:
            del stream.coloured[index]
        self._send(("update", number, first, tuple(changes), count, is_last))

    def _with_colours(self, number: int, stream: _Stream, index: int, old: Block | None, new: CodeBlock) -> CodeBlock:
        """Return ``new`` with the colours that the reader has already; add a job for those still missing."""
        coloured = 0
        if (
            isinstance(old, CodeBlock)
            and old.language == new.language
            and index in stream.coloured
            and new.text.startswith(old.text[: stream.coloured[index]])
        ):
            coloured = stream.coloured[index]
            if new.text.startswith(old.text):
                new = replace(new, runs=extend_runs(old.runs, len(new.text) - len(old.text)) if old.runs else ())
        else:
            stream.coloured.pop(index, None)
        if not is_highlightable(new.language, new.text):
            return new
        known = self._colours.get((new.language, new.text))
        if known is not None:
            stream.coloured[index] = len(new.text)
            return replace(new, runs=known)
        is_due = len(new.text) > max(200, coloured * _REGROWTH) if new.is_open else coloured != len(new.text)
        if is_due or not new.runs:
            self._jobs[number, index] = new
        return new

    def _start_job(self) -> None:
        while self._jobs and not self._drawer.is_busy:
            key, block = self._jobs.popitem(last=False)
            if not isinstance(block, CodeBlock) or is_diagram(block):
                job = self._drawn.missing(block)
                if job is None or self._drawing_s.get(key[0], 0.0) > _MAX_DRAWING_S:
                    self._give_drawn(key, block)
                else:
                    self._submitted_at = time.monotonic()
                    self._drawer.submit((key, block, job), job)
                continue
            known = self._colours.get((block.language, block.text))
            if known is not None:
                self._give_colours(key, block, known)
                continue
            self._drawer.submit((key, block, None), _colour_job(block))

    def _use_result(self, key: Any, result: Any) -> None:
        where, block, job = key
        if result is NOT_TRIED:
            self._try_again(where, block, job)
            return
        self._tries.pop(job or _colour_job(block), None)
        if job is None:
            self._receive_colours(where, block, decode_runs(result or ()))
            return
        self._drawn.remember(job, result)
        self._count_time(where[0], time.monotonic() - self._submitted_at)
        if where not in self._jobs:  # else a newer state of the block is queued
            self._jobs[where] = block
            self._jobs.move_to_end(where, last=False)

    def _try_again(self, where: tuple[int, int], block: Block, job: Wire | None) -> None:
        """Return a job to the end of the queue, up to ``_MAX_TRIES`` times."""
        tried = job or _colour_job(block)
        self._tries[tried] += 1
        if self._tries[tried] < _MAX_TRIES:
            self._jobs.setdefault(where, block)
            return
        del self._tries[tried]
        if where in self._jobs:
            return
        if job is not None:
            self._give_drawn(where, block)
        elif isinstance(block, CodeBlock):
            self._give_colours(where, block, plain_run(len(block.text)))

    def _count_time(self, number: int, seconds: float) -> None:
        self._drawing_s[number] = self._drawing_s.get(number, 0.0) + seconds
        if len(self._drawing_s) > _MAX_REMEMBERED_MESSAGES:
            self._drawing_s.popitem(last=False)

    def _give_drawn(self, where: tuple[int, int], block: Block) -> None:
        """Send ``block``, or the block now in its place, with the drawings that are known."""
        number, index = where
        stream = self._streams.get(number)
        if stream is None:
            if number not in self._dropped:
                self._send(("block", number, index, encode_block(self._drawn.apply(block))))
            return
        current = stream.sent[index] if index < len(stream.sent) else None
        drawn = self._drawn.apply(_with_pending(current, is_pending=False)) if current is not None else None
        if drawn is not None and drawn != current:
            stream.sent[index] = drawn
            self._send(("block", number, index, encode_block(drawn)))

    def _receive_colours(self, where: tuple[int, int], block: CodeBlock, runs: tuple[CodeRun, ...]) -> None:
        if not block.is_open or not runs:
            runs = runs or plain_run(len(block.text))
            self._colours[block.language, block.text] = runs
            if len(self._colours) > _MAX_REMEMBERED_COLOURS:
                self._colours.popitem(last=False)
        self._give_colours(where, block, runs)

    def _give_colours(self, where: tuple[int, int], block: CodeBlock, runs: tuple[CodeRun, ...]) -> None:
        number, index = where
        stream = self._streams.get(number)
        if stream is None:
            if number not in self._dropped:
                self._send(("colours", number, index, encode_runs(runs)))
            return
        current = stream.sent[index] if index < len(stream.sent) else None
        if (
            isinstance(current, CodeBlock)
            and current.language == block.language
            and current.text.startswith(block.text)
            and stream.coloured.get(index, 0) <= len(block.text)
        ):
            stream.coloured[index] = len(block.text)
            runs = extend_runs(runs, len(current.text) - len(block.text))
            stream.sent[index] = replace(current, runs=runs)
            self._send(("colours", number, index, encode_runs(runs)))


def _with_pending(block: Block, *, is_pending: bool) -> Block:
    """Return ``block`` with ``is_pending`` set, if it is a whole formula; any other block as it is."""
    return replace(block, is_pending=is_pending) if isinstance(block, MathBlock) and block.text else block


def _colour_job(block: Block) -> Wire:
    assert isinstance(block, CodeBlock)
    return CODE, block.language, block.text


def main(arguments: Sequence[str]) -> None:
    """Run the worker, or with ``--draw`` the drawing process, which the worker starts when needed."""
    start_child()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    if DRAWING_FLAG in arguments:
        serve(source, sink)
        return
    command = command_of("--render-worker", DRAWING_FLAG)
    gc.set_threshold(*_COLLECT_AFTER)
    Worker(source, sink, partial(DrawingProcess, command)).run()


if __name__ == "__main__":
    main(sys.argv[1:])
