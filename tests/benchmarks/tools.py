"""Rows of tools: a call beside the bare client of the protocol on the same server, many calls, and what servers cost in
memory. Counted are ChatDesk's own processes: this one and the one that hosts servers."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from chatdesk.core.clock import Clock
from chatdesk.core.domain.tools import ToolServer
from chatdesk.core.tools.host.stdio import descendants_of
from chatdesk.core.tools.host_client import ToolHost
from tests.benchmarks.foundation import start
from tests.benchmarks.processes import python
from tests.benchmarks.table import Row, against
from tests.helpers.tools_world import PROGRAM, processes_with, server

_MOST_MORE_MS: Final = 15.0
_MOST_GROWTH_MB, _MOST_SERVERS_MB = 5.0, 60.0
_HOST: Final = "chatdesk.core.tools.host.process"


def calling(folder: Path, is_quick: bool) -> list[Row]:
    folder.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_rows(folder, 200 if is_quick else 1_000, 1_000 if is_quick else 10_000))


async def _rows(folder: Path, count: int, many: int) -> list[Row]:
    async def launch(wanted: ToolServer) -> Mapping[str, Any]:
        return {"argv": wanted.argv, "env": {"PATH": os.environ["PATH"]}, "cwd": str(folder)}

    before_mb = _own_mb()
    host = ToolHost(launch, Clock())
    try:
        await asyncio.gather(*(host.tools([server(server_id=f"s{number}")]) for number in range(5)))
        servers_mb = _own_mb() - before_mb
        one = server(server_id="s0")
        call_ms = await _call_ms(host, one, count)
        steady_mb = _own_mb()
        for _each in range(many):
            await host.call(one, "echo", {"text": "hello"}, timeout_s=30)
        grown_mb = _own_mb() - steady_mb
    finally:
        await host.close()
    bare_ms = await _bare_call_ms(count)
    left = len(_below())
    more_ms = call_ms - bare_ms
    return [
        Row(
            "a call of a tool (median)",
            call_ms,
            "ms",
            f"at most {_MOST_MORE_MS:.0f} ms over the bare client",
            more_ms <= _MOST_MORE_MS,
            bare_ms,
            call_ms / bare_ms,
        ),
        Row(f"{many:,} calls: own memory", grown_mb, "MB", "at most 5 MB more", grown_mb <= _MOST_GROWTH_MB),
        Row(f"{many:,} calls: processes left at the end", left, "", "none", not left),
        Row("five servers: own memory", servers_mb, "MB", "at most 60 MB more", servers_mb <= _MOST_SERVERS_MB),
    ]


async def _bare_call_ms(count: int) -> float:
    # Only now: what this process shared with the other would not count as memory of either.
    from mcp.client.session import ClientSession
    from mcp.client.stdio import StdioServerParameters, stdio_client

    parameters = StdioServerParameters(command=sys.executable, args=[str(PROGRAM)])
    async with stdio_client(parameters) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        await session.list_tools()
        taken = []
        for _each in range(count):
            began_s = time.perf_counter()
            await session.call_tool("echo", {"text": "hello"})
            taken.append(time.perf_counter() - began_s)
    return 1000 * statistics.median(taken)


async def _call_ms(host: ToolHost, one: ToolServer, count: int) -> float:
    taken = []
    for _each in range(count):
        began_s = time.perf_counter()
        await host.call(one, "echo", {"text": "hello"}, timeout_s=30)
        taken.append(time.perf_counter() - began_s)
    return 1000 * statistics.median(taken)


def killing(folder: Path, is_quick: bool) -> list[Row]:
    """kill -9 of ChatDesk's process while calls run: what ran is compared with what the next start shows."""
    folder.mkdir(parents=True, exist_ok=True)
    kills = 20 if is_quick else 100
    tally = json.loads(python("-m", "tests.helpers.killed_calls", str(folder), str(kills), str(int(time.time()))))
    for problem in tally["problems"][:10]:
        print(problem, file=sys.stderr)
    wrong = len(tally["problems"])
    name = f"kill -9 x {kills} in a call: {tally['calls']} ran, {tally['unknown']} cut off"
    return [Row(name, wrong, "", "none repeated, all shown as unknown", not wrong and tally["unknown"] > 0)]


def connecting(folder: Path, is_quick: bool) -> list[Row]:
    """The window's thread while an answer streams and ten servers are set up and connect."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [
        json.loads(python("-m", "tests.benchmarks.tools_window_probe", str(folder / str(number))).splitlines()[-1])
        for number in range(1 if is_quick else 3)
    ]
    p99 = statistics.median(_p99(each["slices_ms"]) for each in found)
    turn = statistics.median(max(each["turns_ms"]) for each in found)
    seconds = statistics.median(each["connected_s"] for each in found)
    streamed = all(each["still_streams"] and each["characters"] for each in found)
    bad = statistics.median(_p99(each["bad_slices_ms"]) for each in found)
    is_well = bad < 8 and all(each["bad_streams"] and all(each["failures"]) for each in found)
    label = f"GUI thread (CPU), ten servers connect in {seconds:.1f} s beside an answer"
    return [
        Row(f"{label}, slice, p99", p99, "ms", "below 8 ms", p99 < 8 and streamed),
        Row(f"{label}, turn, largest", turn, "ms", "none above 8 ms", turn <= 8 and streamed),
        Row("GUI thread (CPU), four bad servers fail beside an answer, slice, p99", bad, "ms", "below 8 ms", is_well),
    ]


def starting(folder: Path, is_quick: bool) -> list[Row]:
    """Starts in turn, without tools and with five servers set up of which none is needed yet; each in a home directory
    of its own, where a person's own servers are."""
    without, with_tools = folder / "without", folder / "with"
    for home in (without, with_tools):
        home.mkdir(parents=True)
    python("-c", _SET_UP, more={"HOME": str(with_tools)})
    found: dict[Path, list[Any]] = {without: [], with_tools: []}
    for number in range(4 if is_quick else 12):
        for home, starts in found.items():
            one = start("app", "", more={"HOME": str(home)})
            if number:  # the first warms the file cache
                starts.append(one)
    (cpu_s, tools_cpu_s), (mb, tools_mb) = (
        [statistics.median(each[key] for each in found[home]) for home in (without, with_tools)]
        for key in ("cpu_seconds", "memory_mb")
    )
    name = "start to typing, five servers set up, none running (CPU)"
    more_mb = tools_mb - mb
    return [
        against(name, 1000 * tools_cpu_s, 1000 * cpu_s, unit="ms", most=1.02, goal="at most 1.02 times"),
        Row("memory at idle, five servers set up, none running", more_mb, "MB", "at most 1 MB more", more_mb <= 1, mb),
    ]


_SET_UP = """
import asyncio
from chatdesk.core.paths import AppPaths
from tests.helpers.tools_world import make_service, server

async def main():
    paths = AppPaths.find()
    paths.make_directories()
    tools = make_service(paths)
    for number in range(5):
        await tools.save(server(server_id=f"s{number}"))
    await tools.close()

asyncio.run(main())
"""


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def _hosts() -> list[int]:
    """Return the processes that host servers for this one."""
    return [pid for pid in processes_with(_HOST) if pid in _below()]


def _below() -> list[int]:
    return descendants_of(os.getpid())


def _own_mb() -> float:
    """Return the proportional memory of this process and of the one that hosts servers."""
    total_kb = 0
    for pid in (os.getpid(), *_hosts()):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                total_kb += int(line.split()[1])
    return total_kb / 1024
