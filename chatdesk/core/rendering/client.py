"""Runs the rendering worker for the window. Handles frames and blocks; never parses and never blocks the caller.

Three threads: one writes, one a process reads, one watches. The worker answers in the order it is asked, so when it
hangs or dies the oldest unanswered question is to blame: everything is asked again of a new worker, but a text that was
to blame twice becomes plain paragraphs.
"""

from __future__ import annotations

import itertools
import logging
import queue
import subprocess
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from chatdesk.core.rendering.block_cache import BlockCache
from chatdesk.core.rendering.blocks import Block, Blocks, CodeBlock
from chatdesk.core.rendering.plain_text import plain_blocks
from chatdesk.core.rendering.render_requests import RenderQuestion, StreamUpdate
from chatdesk.core.rendering.wire import common_prefix, decode_blocks, decode_change, decode_runs
from chatdesk.core.system import child_process
from chatdesk.core.system.child_process import Wire, read_frame, write_frame

_log = logging.getLogger(__name__)

DEADLINE_S = 5.0
_CACHE_BYTES = 16 * 1024 * 1024
_ATTEMPTS = 2


class RenderTicket:
    """A handle to cancel a request."""

    def __init__(self, client: RenderClient, number: int) -> None:
        self._client = client
        self._number = number

    def cancel(self) -> None:
        """Stop all callbacks of this request. Safe to call at any time."""
        self._client.forget(self._number)

    @property
    def is_done(self) -> bool:
        """Return whether all callbacks have come or were cancelled."""
        return not self._client.is_waited_for(self._number)


class RenderStream(RenderTicket):
    """A text that arrives piece by piece; pieces wait while the worker is busy with the last ones. To get the end of
    the text, call ``finish`` and wait for the last update before ``cancel``."""

    def append(self, delta: str) -> None:
        self._client.append(self._number, delta)

    def finish(self) -> None:
        """End the text; the last update and the colours still arrive."""
        self._client.finish(self._number)


class RenderClient:
    """Asks the worker for blocks. Thread-safe. ``deliver`` is given callables to run in the thread that wants the
    callbacks."""

    def __init__(
        self,
        deliver: Callable[[Callable[[], None]], None],
        *,
        command: Sequence[str] | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._deliver = deliver
        self._command = list(command or child_process.command_of("--render-worker"))
        self._deadline_s = deadline_s
        self._lock = threading.Condition()
        self._numbers = itertools.count(1)
        self._questions: dict[int, RenderQuestion] = {}
        self._asked: OrderedDict[int, None] = OrderedDict()  # the questions that the worker has, oldest first
        self._outbox: queue.SimpleQueue[tuple[int, Wire] | None] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._generation = 0
        self._progress_at = 0.0
        self._threads: list[threading.Thread] = []
        self._is_closed = False
        # whether the watch sleeps; while awake it looks again before a new question can be late
        self._is_watch_idle = False
        self._cache = BlockCache(_CACHE_BYTES)

    @property
    def is_running(self) -> bool:
        """Return whether there is a worker process."""
        return self._process is not None

    def warm_up(self) -> None:
        """Start the worker before it is needed. Takes some ms, so call this on a thread that may wait."""
        with self._lock:
            if self._process is None and not self._is_closed:
                self._start_process()

    def request(self, text: str, on_done: Callable[[Blocks], None], *, is_answer: bool = True) -> RenderTicket:
        """Parse ``text``. Thoughts in it are folded only in an answer. ``on_done`` is called with the blocks, and again
        when colours have been found for its code."""
        with self._lock:
            question = RenderQuestion(next(self._numbers), text, on_done, is_answer=is_answer)
            ticket = RenderTicket(self, question.number)
            if self._is_closed:
                return ticket
            self._questions[question.number] = question
            cached = self._cache.get(question.cache_key)
            if cached is not None:
                self._post(question, cached, is_last=True)
            else:
                self._ask(question, question.frame)
        return ticket

    def open_stream(self, on_update: Callable[[StreamUpdate], None]) -> RenderStream:
        """Parse text as it comes. Updates that the receiver has not fetched yet are merged into one."""
        with self._lock:
            question = RenderQuestion(next(self._numbers), None, on_update)
            if not self._is_closed:
                self._questions[question.number] = question
            return RenderStream(self, question.number)

    def append(self, number: int, delta: str) -> None:
        with self._lock:
            question = self._questions.get(number)
            if question is None or question.is_finished or not delta:
                return
            question.all_text.append(delta)
            question.waiting.append(delta)
            self._feed(question)

    def finish(self, number: int) -> None:
        with self._lock:
            question = self._questions.get(number)
            if question is not None and not question.is_finished:
                question.is_finished = True
                self._feed(question)

    def is_waited_for(self, number: int) -> bool:
        with self._lock:
            return number in self._questions

    def forget(self, number: int) -> None:
        with self._lock:
            question = self._questions.pop(number, None)
            if question is None:
                return
            self._asked.pop(number, None)
            if self._process is not None and (question.is_asked or question.is_opened or question.text is not None):
                self._outbox.put((self._generation, ("drop", number)))

    def close(self) -> None:
        """End the worker and all threads; pending callbacks never come."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._questions.clear()
            self._asked.clear()
            self._stop_process()
            self._outbox.put(None)
            self._lock.notify_all()
            threads = list(self._threads)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(timeout=2)

    # ---- asking; all of these hold the lock

    def _ask(self, question: RenderQuestion, *frames: Wire) -> None:
        if not self._asked:
            self._progress_at = time.monotonic()
        question.is_asked = True
        self._asked[question.number] = None
        if self._process is None and not self._start_process():
            self._asked.pop(question.number, None)
            self._give_plain(question)
            return
        for frame in frames:
            self._outbox.put((self._generation, frame))
        if self._is_watch_idle:
            self._lock.notify_all()

    def _feed(self, question: RenderQuestion) -> None:
        """Send the waiting text, if the last piece has been answered."""
        if question.is_plain:
            self._give_plain(question)
            return
        if question.is_asked:
            return
        frames: list[Wire] = []
        if not question.is_opened:
            question.is_opened = True
            frames.append(("open", question.number))
        if question.waiting:
            frames.append(("delta", question.number, "".join(question.waiting)))
            question.waiting.clear()
        elif question.is_finished and not question.is_finish_sent:
            question.is_finish_sent = True
            frames.append(("finish", question.number))
        else:
            return
        self._ask(question, *frames)

    def _give_plain(self, question: RenderQuestion) -> None:
        question.is_plain = True
        question.is_asked = False
        question.waiting.clear()
        if question.text is not None:
            self._post(question, plain_blocks(question.text), is_last=True)
            return
        new = list(plain_blocks("".join(question.all_text)))
        self._change(question, common_prefix(question.blocks, new), new)

    def _change(self, question: RenderQuestion, first: int, blocks: list[Block]) -> None:
        """Set a stream's blocks, changed from ``first`` on, and call back; one callback is under way at most."""
        question.blocks = blocks
        is_posted = question.dirty_from is not None
        question.dirty_from = first if question.dirty_from is None else min(first, question.dirty_from)
        if not is_posted:
            self._deliver(lambda: self._hand_over(question))

    def _hand_over(self, question: RenderQuestion) -> None:
        with self._lock:
            first, question.dirty_from = question.dirty_from, None
            if first is None or question.number not in self._questions:
                return
            update = StreamUpdate(first, tuple(question.blocks[first:]))
        question.callback(update)

    def _post(self, question: RenderQuestion, blocks: Blocks, *, is_last: bool) -> None:
        def call() -> None:
            with self._lock:
                if question.number not in self._questions:
                    return
                if is_last:
                    del self._questions[question.number]
            question.callback(blocks)

        self._deliver(call)

    # ---- the process; all of these hold the lock

    def _start_process(self) -> bool:
        try:
            self._process = child_process.start(self._command)
        except OSError as error:
            _log.warning("the rendering worker cannot be started: %s", type(error).__name__)
            return False
        self._generation += 1
        self._progress_at = time.monotonic()
        if not self._threads:
            self._threads = [
                threading.Thread(target=self._write, name="render-writer", daemon=True),
                threading.Thread(target=self._watch, name="render-watch", daemon=True),
            ]
            for thread in self._threads:
                thread.start()
        reader = threading.Thread(
            target=self._read, args=(self._process, self._generation), name="render-reader", daemon=True
        )
        self._threads = [thread for thread in self._threads if thread.is_alive()] + [reader]
        reader.start()
        return True

    def _stop_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _restart(self) -> None:
        """Start a new worker after the old one died or hung: blame the oldest question and ask all again."""
        self._stop_process()
        asked = [self._questions[number] for number in self._asked if number in self._questions]
        self._asked.clear()
        if asked:
            asked[0].blame += 1
        streams = [question for question in self._questions.values() if question.is_opened and question not in asked]
        for question in (*asked, *streams):
            question.is_asked = question.is_opened = question.is_finish_sent = False
            if question.blame >= _ATTEMPTS:
                _log.warning("question %d is shown as plain text: the rendering worker failed on it", question.number)
                self._give_plain(question)
            elif question.text is not None:
                self._ask(question, question.frame)
            elif question.all_text:
                question.waiting = ["".join(question.all_text)]
                self._feed(question)

    # ---- threads

    def _write(self) -> None:
        while (item := self._outbox.get()) is not None:
            generation, frame = item
            with self._lock:
                process = self._process if generation == self._generation else None
            if process is None or process.stdin is None:
                continue
            with suppress(OSError, ValueError):  # the worker ended; the reader sees that
                write_frame(process.stdin, frame)  # type: ignore[arg-type]

    def _read(self, process: subprocess.Popen[bytes], generation: int) -> None:
        assert process.stdout is not None
        while True:
            try:
                frame = read_frame(process.stdout)  # type: ignore[arg-type]
            except (OSError, ValueError, EOFError, TypeError):
                frame = None
            # Decoded before the lock is taken: the window's thread may be waiting for it.
            decoded = decode_blocks(frame) if frame is not None else []
            with self._lock:
                if frame is None or generation != self._generation:
                    break
                self._progress_at = time.monotonic()
                self._receive(frame, decoded)
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        with self._lock:
            if generation == self._generation and not self._is_closed and self._process is process:
                _log.warning("the rendering worker ended with code %s", process.returncode)
                self._restart()

    def _watch(self) -> None:
        with self._lock:
            while not self._is_closed:
                if not self._asked:
                    self._is_watch_idle = True
                    self._lock.wait()
                    self._is_watch_idle = False
                    continue
                left = self._progress_at + self._deadline_s - time.monotonic()
                if left > 0:
                    self._lock.wait(left)
                    continue
                _log.warning("the rendering worker did not answer within %.1f s", self._deadline_s)
                self._restart()

    # ---- answers; hold the lock

    def _receive(self, frame: Wire, decoded: list[Block]) -> None:
        kind, number = frame[0], frame[1]
        question = self._questions.get(number)
        if kind not in ("colours", "block"):
            self._asked.pop(number, None)
        if question is None or question.is_plain:
            return
        if kind == "blocks":
            question.is_asked = False
            question.blocks = decoded
            question.colours_due = frame[3]
            self._publish(question)
        elif kind == "colours":
            block = question.blocks[frame[2]] if frame[2] < len(question.blocks) else None
            if isinstance(block, CodeBlock) and frame[3]:
                self._set_finished(question, frame[2], replace(block, runs=decode_runs(frame[3])))
            else:
                self._set_finished(question, frame[2], None)
        elif kind == "block":
            self._set_finished(question, frame[2], decoded[0])
        elif kind == "update":
            question.is_asked = False
            first, changes, count = frame[2], frame[3], frame[4]
            old = question.blocks
            new = [
                decode_change(old[index] if index < len(old) else None, change)
                for index, change in enumerate(changes, first)
            ]
            if new or count != len(old):
                self._change(question, first, old[:first] + new)
            self._feed(question)

    def _set_finished(self, question: RenderQuestion, index: int, block: Block | None) -> None:
        """Set a block whose colours or drawings were found; None if there are none."""
        if block is not None and index < len(question.blocks):
            question.blocks[index] = block
            if question.text is None:
                self._change(question, index, question.blocks)
        question.colours_due -= 1  # of a stream they are not counted
        if question.text is not None and question.colours_due == 0:
            self._publish(question)

    def _publish(self, question: RenderQuestion) -> None:
        assert question.text is not None
        blocks = tuple(question.blocks)
        is_last = question.colours_due == 0
        if is_last:
            self._cache.put(question.cache_key, blocks)
        self._post(question, blocks, is_last=is_last)
