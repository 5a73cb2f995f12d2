"""No core dumps, no keys in an environment that others can read, and little for children to see."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chatdesk.core.settings.presets import PRESETS
from chatdesk.core.sync.members.team_passwords import VARIABLE
from chatdesk.core.system import processes

PACKAGE = Path(processes.__file__).parents[2]
KEY = "sk-canary-environment-4711"
STARTS = {
    *(f"subprocess.{name}" for name in ("Popen", "run", "call", "check_call", "check_output")),
    *(f"{place}_{name}" for place in ("asyncio.create_subprocess", "loop.subprocess") for name in ("exec", "shell")),
    *(f"os.{name}" for name in ("execv", "execve", "posix_spawn", "spawnv", "system", "popen")),
}
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

CRASH = """
import os, resource, signal
from chatdesk.core.system import processes
processes.forbid_core_dumps()
secret = "canary in the memory"
os.kill(os.getpid(), signal.SIGSEGV)
"""
LOOK = """
import json, os, subprocess, sys
from pathlib import Path
from chatdesk import __main__
seen = {}
def run(arguments, *, before_command=None):
    own = processes.environment()
    seen["known"] = own.get("OPENAI_API_KEY")
    seen["own"] = "OPENAI_API_KEY" in os.environ
    seen["proc"] = "canary" in Path("/proc/self/environ").read_text()
    seen["child"] = "canary" in subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
    seen["name"] = os.environ.get("CHATDESK_OTHER")
    print(json.dumps(seen))
    return 0
from chatdesk.cli import main
from chatdesk.core.system import processes
main.run = run
__main__.main()
"""


def _run(program: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    def allow_cores() -> None:
        import resource

        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)} | more,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        preexec_fn=allow_cores,
    )


@on_linux
def test_a_crash_leaves_no_core(tmp_path: Path) -> None:
    """Where the system hands cores to a program, or allows none, the second half has nothing to show."""
    import resource

    done = _run(CRASH, tmp_path)
    assert done.returncode == -signal.SIGSEGV
    assert not list(tmp_path.iterdir())
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if pattern == "core" and resource.getrlimit(resource.RLIMIT_CORE)[1] == resource.RLIM_INFINITY:
        _run(CRASH, tmp_path, CHATDESK_CORE_DUMPS="1")
        assert [each.name.partition(".")[0] for each in tmp_path.iterdir()] == ["core"]


@on_linux
def test_keys_leave_the_environment_once_read(tmp_path: Path) -> None:
    done = _run(LOOK, tmp_path, OPENAI_API_KEY=KEY, CHATDESK_TEAM_PASSWORD="canary-password", CHATDESK_OTHER="stays")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"known": KEY, "own": False, "proc": False, "child": False, "name": "stays"}


def test_every_variable_that_holds_a_key_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [*filter(None, (preset.variable for preset in PRESETS.values())), VARIABLE, "CHATDESK_SETUP_PASSWORD"]
    taken: dict[str, str] = {}
    monkeypatch.setattr(processes, "_taken", taken)
    for name in names:
        monkeypatch.setenv(name, KEY)
    processes.remove_secrets()
    assert taken == dict.fromkeys(names, KEY)
    assert not set(names) & set(os.environ)
    assert all(processes.environment()[name] == KEY for name in names)


def test_children_see_paths_and_languages_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = (
        "AWS_SECRET_ACCESS_KEY",
        "HF_TOKEN",
        "DATABASE_URL",
        "HTTPS_PROXY",
        "GROQ_API_KEY",
        "CHATDESK_TEAM_PASSWORD",
    )
    for name in secret:
        monkeypatch.setenv(name, KEY)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    given = processes.child_environment()
    assert KEY not in given.values()
    assert given["PATH"] == os.environ["PATH"]
    assert given["LC_ALL"] == "C.UTF-8"


def test_every_process_is_started_with_a_scrubbed_environment() -> None:
    """The one that takes the program's own place is told what this one was."""
    found = []
    for file in PACKAGE.rglob("*.py"):
        source = file.read_text("utf-8")
        if not any(name in source for name in STARTS):
            continue  # parsing takes long
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in STARTS:
                given = [ast.unparse(each.value) for each in node.keywords if each.arg == "env"]
                found.append((file.relative_to(PACKAGE).as_posix(), given))
    assert sorted(found) == [
        ("app.py", ["dict(environment())"]),
        ("core/system/child_process.py", ["child_environment()"]),
        ("core/tools/host/stdio.py", ["child_environment()"]),
        ("core/tools/host/stdio.py", ["dict(env)"]),  # what the person gave the server
        ("core/tools/programs.py", ["self._environ"]),
    ]


@on_linux
@pytest.mark.parametrize(
    "command",
    [
        ["chatdesk.core.rendering.worker"],
        ["chatdesk.core.rendering.worker", "--draw"],
        ["chatdesk.core.attachments.reading_process"],
        ["chatdesk.core.tools.host.process"],
        ["chatdesk.core.transfer.exports.process"],
        ["chatdesk.ui.features.transfer.printing"],
    ],
)
def test_other_processes_cannot_inspect_a_worker(command: list[str]) -> None:
    """A process that may not be dumped belongs to root in /proc, whoever runs it."""
    probe = (
        "import ctypes, runpy, sys\n"
        "from chatdesk.core.system import processes\n"
        "def start():\n"
        "    start_as_ever()\n"
        "    print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), file=sys.stderr, flush=True)\n"
        "    raise SystemExit\n"
        "start_as_ever, processes.start_child = processes.start_child, start\n"
        f"sys.argv = {command!r}\n"
        f"runpy.run_module({command[0]!r}, run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe],
        input="",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=PACKAGE.parent,
    )
    assert done.stderr.splitlines()[-1:] == ["0"], done.stderr


ARENAS = """
import ctypes, os, sys, tempfile, threading
from chatdesk.core.system.processes import share_malloc_arena

if sys.argv[1] == "shared":
    share_malloc_arena()
gate = threading.Barrier(9)

def take():
    bytearray(2000)
    gate.wait()
    gate.wait()

threads = [threading.Thread(target=take) for _ in range(8)]
for each in threads:
    each.start()
gate.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
with tempfile.TemporaryFile() as file:
    stream = ctypes.c_void_p(libc.fdopen(os.dup(file.fileno()), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    file.seek(0)
    print(file.read().count(b"<heap nr="))
gate.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the malloc of glibc")
def test_threads_share_one_place_for_memory() -> None:
    found = {
        kind: int(
            subprocess.run([sys.executable, "-c", ARENAS, kind], capture_output=True, text=True, check=True).stdout
        )
        for kind in ("own", "shared")
    }
    assert found["own"] > found["shared"] == 1
