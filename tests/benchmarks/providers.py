"""Rows of providers: the first token, a flood, memory after many answers, many streams at once."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.processes import ROOT, python
from tests.benchmarks.table import Row, against

_STAMP = re.compile(rb"@(\d+)@")


def first_token(folder: Path, is_quick: bool) -> list[Row]:
    """From the socket to the paint, over what curl needs to hand on the same bytes."""
    count = 10 if is_quick else 40
    with provider_server() as url:
        ours = statistics.median(_probe("first", folder, url, count)["ms"])
        curl = statistics.median(curl_ms(url)[0] for _ in range(count))
    added = ours - curl
    name = "first token, socket to paint, over curl (median)"
    return [Row(name, added, "ms", "at most 20 ms", added <= 20, curl, ours / curl)]


def flood(folder: Path, is_quick: bool) -> list[Row]:
    count = 4_000 if is_quick else 20_000
    with provider_server() as url:
        rounds = [_probe("flood", folder, url, count) for _ in range(1 if is_quick else 3)]
        sdk = [_sdk(url, count) for _ in range(1 if is_quick else 3)]
    bare = {name: statistics.median(each[name] for each in sdk) for name in ("cpu_s", "wall_s")}
    found = {name: statistics.median(each[name] for each in rounds) for name in ("behind_s", "cpu_s", "wall_s")}
    slices = [value for each in rounds for value in each["slices_ms"]]
    name = f"{count:,} tokens at full speed"
    return [
        Row(f"{name}, behind the socket", found["behind_s"], "s", "at most 0.5 s", found["behind_s"] <= 0.5),
        Row(f"{name}, GUI slice p99 (CPU)", _p99(slices), "ms", "at most 16 ms", _p99(slices) <= 16),
        Row(f"{name}, worst stall (CPU)", max(slices), "ms", "at most 50 ms", max(slices) <= 50),
        against(
            f"{name}, process CPU against the SDK and plain text at 30 Hz",
            found["cpu_s"],
            bare["cpu_s"],
            unit="s",
            most=4.0,
            goal="at most 4 times",
        ),
        against(
            f"{name}, from question to end against the same",
            found["wall_s"],
            bare["wall_s"],
            unit="s",
            most=1.5,
            goal="at most 1.5 times",
        ),
    ]


def memory(folder: Path, is_quick: bool) -> list[Row]:
    count = 100 if is_quick else 1_000
    with provider_server() as url:
        found = _probe("memory", folder, url, count)
    more = found["after_mb"] - found["before_mb"]
    return [Row(f"memory after {count:,} streamed answers, above before", more, "MB", "at most 30 MB", more <= 30)]


def parallel(folder: Path, _is_quick: bool) -> list[Row]:
    with provider_server() as url:
        found = _probe("parallel", folder, url, 10)
    value = _p99(found["slices_ms"])
    name = f"GUI slice p99 (CPU), {found['running']} streams at 100 tokens/s each"
    return [Row(name, value, "ms", "at most 16 ms", value <= 16 and found["running"] == 10)]


@contextlib.contextmanager
def provider_server() -> Iterator[str]:
    """A server in a process of its own; its address."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.provider_server"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())["url"]
    finally:
        server.kill()
        server.wait()


def _probe(what: str, folder: Path, url: str, count: int) -> Any:
    data = folder / f"{what}-{time.monotonic_ns()}"
    printed = python(
        "-m",
        "tests.benchmarks.provider_probe",
        what,
        str(data),
        url,
        str(count),
        more={"OPENAI_API_KEY": "no-key-needed", "OPENAI_BASE_URL": url},
    )
    return json.loads(printed[printed.index('{"') :])


def _sdk(url: str, count: int) -> dict[str, float]:
    """What a bare window needs that reads with the SDK."""
    printed = python("-m", "tests.benchmarks.answer_probe", "sdk", "-", url, f"mixed-{count}-0")
    found: dict[str, float] = json.loads(printed[printed.index('{"') :])
    return found


def curl_ms(url: str, model: str = "stamp", key: str = "") -> tuple[float, float]:
    """The time until the first token is on curl's output: from when it was sent, and from when curl was started."""
    curl = shutil.which("curl")
    if curl is None:
        raise SystemExit("curl is needed to measure against")
    body = json.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": "Go"}]})
    more = ["-H", f"Authorization: Bearer {key}"] if key else []
    command = [curl, "-sN", "-H", "Content-Type: application/json", *more, "-d", body, f"{url}/chat/completions"]
    began_ns = time.monotonic_ns()
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        for line in process.stdout:
            found = _STAMP.search(line)
            if found is not None:
                now_ns = time.monotonic_ns()
                process.stdout.read()
                return (now_ns - int(found[1])) / 1e6, (now_ns - began_ns) / 1e6
    raise SystemExit("the server sent no first token")


def _p99(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[int(len(ordered) * 0.99)]
