"""Rows of a real window: what an answer costs under X11, where pictures go through a server, as on a desktop."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.processes import python
from tests.benchmarks.table import Row, against
from tests.benchmarks.transcript import answer_server


def answering(folder: Path, is_quick: bool) -> list[Row]:
    """One answer at 100 tokens a second, once in ChatDesk and once in a text field on a bare socket."""
    count = 2_000 if is_quick else 20_000
    model = f"mixed-{count}-100"
    with answer_server() as url, display() as screen:
        more = {"QT_QPA_PLATFORM": "xcb", "DISPLAY": screen}
        ours, bare = (
            json.loads(python("-m", "tests.benchmarks.answer_probe", kind, data, url, model, more=more))["cpu_s"]
            for kind, data in (("app", str(folder)), ("socket", "-"))
        )
    name = f"X11: CPU of all processes, {count:,} tokens at 100 tokens/s"
    return [against(name, ours, bare, unit="s", most=1.75, goal="20 s for 20,000: at most 1.75 text fields")]


@contextlib.contextmanager
def display() -> Iterator[str]:
    """A display of its own."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1400x900x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            yield f":{server.stdout.readline().strip()}"
        finally:
            server.terminate()
