"""A forked process is like one that the product starts, and outlives nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chatdesk.core.system import child_process
from chatdesk.core.system.child_process import read_frame
from tests.helpers.prepared_processes import ForkedProcess
from tests.helpers.system_processes import is_running
from tests.helpers.waiting import until, wait_until

_COMMAND = child_process.command_of("--host-tools")
_ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfds")


def test_it_runs_the_module_and_ends_with_its_input() -> None:
    process = child_process.start(_COMMAND)
    assert isinstance(process, ForkedProcess)
    assert process.stdin is not None and process.stdout is not None and process.stderr is None
    assert read_frame(process.stdout) == ("ready", 0)
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(60) == process.poll() == 0
    assert process.stdout.read() == b""
    process.stdout.close()
    process.kill()  # whoever ends it need not know that it has ended


def test_its_end_by_a_signal_is_told_as_popen_tells_it() -> None:
    process = child_process.start(_COMMAND)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    for pipe in (process.stdin, process.stdout):
        pipe.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root looks into a process that shows its memory to nobody")
def test_it_has_nothing_open_of_another() -> None:
    first, second = child_process.start(_COMMAND), child_process.start(_COMMAND)
    for process in (first, second):
        assert read_frame(process.stdout) == ("ready", 0)
    assert len(_pipes(first.pid)) >= 2
    assert not _pipes(first.pid) & _pipes(second.pid)
    for process in (first, second):
        process.stdin.close()
        assert process.wait(60) == 0
        process.stdout.close()


def _pipes(pid: int) -> set[str]:
    targets = {os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir()}
    return {target for target in targets if target.startswith(("pipe:", "socket:"))}


def test_another_program_is_started_as_the_product_does_it() -> None:
    with child_process.start([sys.executable, "-c", "pass"]) as process:
        assert isinstance(process, subprocess.Popen)


def test_another_environment_is_not_mistaken_for_that_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_TIME", "de_DE.UTF-8")
    with child_process.start(_COMMAND) as process:
        assert isinstance(process, subprocess.Popen)
        environment = Path(f"/proc/{process.pid}/environ")
        wait_until(environment.read_bytes)  # empty until the program is in its place
        assert b"LC_TIME=de_DE.UTF-8" in environment.read_bytes().split(b"\0")


async def test_it_ends_with_its_parent_however_that_ends() -> None:
    program = (
        "import time\n"
        "from chatdesk.core.system import child_process\n"
        "from tests.helpers.prepared_processes import install\n"
        "install()\n"
        "process = child_process.start(child_process.command_of('--host-tools'))\n"
        "prepared = open(f'/proc/{process.pid}/stat').read().rpartition(')')[2].split()[1]\n"
        "print(process.pid, prepared, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=_ROOT) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len({parent.pid, *pids}) == 3
        parent.kill()
    await until(lambda: not any(is_running(pid) for pid in pids))
