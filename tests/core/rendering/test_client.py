"""The worker and its client: order, colours, death, hanging, and an end without orphans."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from chatdesk.core.rendering.blocks import Block, CodeBlock, CodeRun, Paragraph, Span, Table
from chatdesk.core.rendering.client import RenderClient
from chatdesk.core.rendering.highlighting import highlight
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.plain_text import plain_blocks
from chatdesk.core.rendering.render_requests import StreamUpdate
from chatdesk.core.rendering.wire import decode_block, decode_change, encode_block, encode_change
from chatdesk.core.system import child_process
from tests.helpers.system_processes import is_running
from tests.helpers.thought_tags import FOLDED

Blocks = tuple[Block, ...]


class Inbox:
    """Takes what the client delivers and runs it in the test's thread."""

    def __init__(self) -> None:
        self.calls: queue.Queue[Callable[[], None]] = queue.Queue()

    def run_until(self, is_done: Callable[[], bool], *, timeout_s: float = 20) -> None:
        ends = time.monotonic() + timeout_s
        while not is_done():
            self.calls.get(timeout=max(0.01, ends - time.monotonic()))()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def client(inbox: Inbox) -> Iterator[RenderClient]:
    made = RenderClient(inbox.calls.put)
    yield made
    made.close()


def bare(blocks: Any) -> Blocks:
    return tuple(replace(block, runs=()) if isinstance(block, CodeBlock) else block for block in blocks)


def is_covered(block: Block) -> bool:
    return isinstance(block, CodeBlock) and sum(run.length for run in block.runs) == len(block.text)


def test_blocks_come_first_and_colours_later(client: RenderClient, inbox: Inbox) -> None:
    text = "# T\n\n```python\ndef f(): pass\n```\n"
    got: list[Blocks] = []
    client.request(text, got.append)
    inbox.run_until(lambda: len(got) == 2)
    assert got[0] == parse_markdown(text)
    assert bare(got[1]) == got[0]
    assert is_covered(got[1][1])
    client.request(text, got.append)
    inbox.run_until(lambda: len(got) == 3)
    assert got[2] == got[1]


@pytest.mark.parametrize("thought", list(FOLDED))
def test_tags_of_thoughts_are_words_in_a_question(client: RenderClient, inbox: Inbox, thought: str) -> None:
    asked: list[Blocks] = []
    answered: list[Blocks] = []
    client.request(thought, asked.append, is_answer=False)
    inbox.run_until(lambda: len(asked) == 1)
    client.request(thought, answered.append)
    inbox.run_until(lambda: len(answered) == 1)
    assert bare(asked[0]) == bare(parse_markdown(thought))
    assert any(block.at.is_folded for block in answered[0])


def test_code_too_long_to_be_coloured_is_said_to_be_plain(client: RenderClient, inbox: Inbox) -> None:
    got: list[Blocks] = []
    client.request("```python\n" + "x = 1\n" * 4_000 + "```\n\n```unheard-of\na\n```\n", got.append)
    inbox.run_until(lambda: bool(got) and all(is_covered(block) for block in got[-1]))
    assert {run.kind for block in got[-1] if isinstance(block, CodeBlock) for run in block.runs} == {"plain"}


def test_a_cancelled_request_is_not_answered(client: RenderClient, inbox: Inbox) -> None:
    got: list[Blocks] = []
    client.request("# gone", got.append).cancel()
    client.request("# kept", got.append)
    inbox.run_until(lambda: bool(got))
    assert got == [parse_markdown("# kept")]


def test_a_stream_ends_in_the_blocks_of_the_whole(client: RenderClient, inbox: Inbox) -> None:
    text = (
        "Intro\n\n```python\n"
        + "x = 1  # c\n" * 60
        + "```\n\n| a | b |\n|---|---|\n"
        + "| 1 | 2 |\n" * 20
        + "\nend **b**"
    )
    shown: list[Block] = []

    def show(update: StreamUpdate) -> None:
        shown[update.first_changed :] = update.blocks

    stream = client.open_stream(show)
    for at in range(0, len(text), 17):
        stream.append(text[at : at + 17])
    stream.finish()
    expected = parse_markdown(text)
    inbox.run_until(lambda: bare(shown) == expected and is_covered(shown[1]) and len(shown[1].runs) > 1)  # type: ignore[union-attr]
    stream.cancel()


def test_a_killed_worker_is_replaced(client: RenderClient, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = child_process.start

    def start_noted(command: Sequence[str]) -> subprocess.Popen[bytes]:
        started.append(start(command))
        return started[-1]

    monkeypatch.setattr(child_process, "start", start_noted)
    got: list[Blocks] = []
    shown: list[Block] = []

    def show(update: StreamUpdate) -> None:
        shown[update.first_changed :] = update.blocks

    stream = client.open_stream(show)
    stream.append("# A\n\ntext ")
    inbox.run_until(lambda: len(shown) == 2)
    (process,) = started
    process.kill()
    process.wait()
    stream.append("more\n\n# B\n")
    client.request("# C", got.append)
    inbox.run_until(lambda: bool(got) and tuple(shown) == parse_markdown("# A\n\ntext more\n\n# B\n"))
    assert got == [parse_markdown("# C")]


@pytest.mark.parametrize("program", ["import time; time.sleep(60)", "raise SystemExit(3)"])
def test_a_hanging_or_dying_worker_gives_plain_paragraphs(program: str, inbox: Inbox) -> None:
    client = RenderClient(inbox.calls.put, command=[sys.executable, "-c", program], deadline_s=0.3)
    got: list[Blocks] = []
    shown: list[Block] = []

    def show(update: StreamUpdate) -> None:
        shown[update.first_changed :] = update.blocks

    client.request("# A\n\nb", got.append)
    inbox.run_until(lambda: bool(got))
    stream = client.open_stream(show)
    stream.append("# S")
    inbox.run_until(lambda: bool(shown))
    stream.append("more")
    inbox.run_until(lambda: shown == list(plain_blocks("# Smore")))
    client.close()
    assert got == [plain_blocks("# A\n\nb")]


def test_a_worker_that_cannot_start_gives_plain_paragraphs(inbox: Inbox) -> None:
    client = RenderClient(inbox.calls.put, command=["/nonexistent/worker"])
    got: list[Blocks] = []
    client.request("# A", got.append)
    inbox.run_until(lambda: bool(got))
    client.close()
    assert got == [plain_blocks("# A")]


def test_hostile_code_stays_plain_and_spares_other_requests(client: RenderClient, inbox: Inbox) -> None:
    got: list[Blocks] = []
    client.request("```java\n" + "a " * 9000 + "\n```\n\n```python\nx = 1\n```\n", got.append)
    inbox.run_until(lambda: len(got) == 2)
    assert is_covered(got[1][1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX signals")
def test_no_worker_survives_its_parent() -> None:
    program = (
        "import os,sys,time;from chatdesk.core.rendering.client import RenderClient;c=RenderClient(lambda f:f());"
        "c.request('a\\n\\n```python\\nx\\n```',lambda b:(print(c._process.pid,flush=True)));time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        if not is_running(worker):
            return
    pytest.fail("the worker is still there")


def test_the_client_imports_no_parser() -> None:
    program = (
        "import sys, chatdesk.core.rendering.client\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('markdown_it', 'pygments', 'PySide6')])"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"
    assert child_process.command_of("--render-worker")[1:] == ["-m", "chatdesk.core.rendering.worker"]


@pytest.mark.parametrize(
    ("language", "code", "kinds"),
    [
        ("python", "def f():\n    return 'x'  # c", {"keyword", "function", "string", "comment"}),
        ("diff", "+a\n-b\n", {"inserted", "deleted"}),
        ("json", '{"a": 1}', {"number"}),
    ],
)
def test_colours_cover_the_code(language: str, code: str, kinds: set[str]) -> None:
    runs = highlight(language, code)
    assert sum(run.length for run in runs) == len(code)
    assert kinds <= {run.kind for run in runs}


def test_unknown_or_long_code_has_no_colours() -> None:
    assert highlight("no-such-language", "x") == highlight("python", "x" * 30_000) == highlight("", "x") == ()


def test_the_budget_leaves_the_rest_plain() -> None:
    runs = highlight("python", "x = 1\n" * 500, budget=0.0)
    assert runs[-1].kind == "plain"
    assert sum(run.length for run in runs) == 3000


def test_blocks_survive_the_wire() -> None:
    text = "# A\n\n**b** `c` $d$ [e](http://f.g)\n\n```py\nx\n```\n\n|a|b|\n|-|-|\n|1|2|\n\n---\n\n$$x$$\n\n![i](http://h.i/j)"
    text += "\n\nA mark[^n].\n\n[^n]: A note."
    for block in parse_markdown(text):
        assert decode_block(encode_block(block)) == block
    with pytest.raises(ValueError, match="unknown block"):
        decode_block(("x", (0, 0, None, 0, 0)))


def test_growing_code_and_tables_send_only_what_is_new() -> None:
    old = CodeBlock("py", "x" * 1000, (CodeRun(1000, "name"),))
    new = CodeBlock("py", "x" * 1000 + "y", (CodeRun(1000, "name"), CodeRun(1, "plain")))
    change = encode_change(old, new)
    assert len(repr(change)) < 100
    assert decode_change(old, change) == new
    row = ((Span("1"),), (Span("2"),))
    short, long = Table(("", ""), row, (row,) * 5), Table(("", ""), row, (row,) * 6)
    assert decode_change(short, encode_change(short, long)) == long
    assert decode_change(short, encode_change(short, Paragraph((Span("x"),)))) == Paragraph((Span("x"),))
