"""Starts the product's child processes by forking one that has imported their module, which is most of a start.

    python tests/helpers/prepared_processes.py MODULE DESCRIPTOR    # is that process

Each runs the same code as with ``python -m MODULE``, with the same arguments, environment, folder and descriptors.
Another program or environment is started as the product does it, and so is what a ChatDesk starts that is a process of
its own.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, NoReturn

_LOOK_AGAIN_S = 0.05
_LONGEST_REQUEST = 65_536


def install() -> None:
    """Have ``child_process.start`` fork in this process from now on, where that is possible. Not while coverage is
    measured: it would miss what the prepared processes import."""
    if "coverage" in sys.modules or not hasattr(os, "pidfd_open"):
        return
    from chatdesk.core.system import child_process

    child_process.start = _Starter(child_process.start).start


class _Starter:
    """Has a prepared process for each module from its first start on, in the environment of now. They end with this
    process."""

    def __init__(self, start_anew: Callable[..., Any]) -> None:
        self._start_anew = start_anew
        self._surroundings = _surroundings()
        self._prepared: dict[str, _Prepared] = {}
        self._lock = threading.Lock()

    def start(
        self, command: Sequence[str], *, stdout: int | IO[bytes] = subprocess.PIPE, stderr: int = subprocess.DEVNULL
    ) -> Any:
        from chatdesk.core.system import child_process

        program, *arguments = command
        is_worker = (
            program == sys.executable and arguments[0] == "-m" and arguments[1] in child_process.WORKERS.values()
        )
        if not is_worker or _surroundings() != self._surroundings:
            return self._start_anew(command, stdout=stdout, stderr=stderr)
        module, *arguments = arguments[1:]
        with self._lock:
            prepared = self._prepared.get(module)
            if prepared is None or prepared.has_ended():
                prepared = self._prepared[module] = _Prepared(module, *self._surroundings)
        return prepared.start(arguments, stdout, stderr)


def _surroundings() -> tuple[dict[str, str], str | None]:
    """Return what a child process starts in: its environment and its folder."""
    from chatdesk.core.system import child_process

    return child_process.child_environment(), child_process.package_parent()


class _Prepared:
    """A process that has imported a module, and is forked."""

    def __init__(self, module: str, environment: Mapping[str, str], folder: str | None) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, module, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd=folder,
                env=dict(environment),
                pass_fds=[theirs.fileno()],
            )

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def start(self, arguments: Sequence[str], stdout: int | IO[bytes], stderr: int) -> ForkedProcess:
        """Return at once, as ``Popen`` does: nobody waits for the module to be imported."""
        with contextlib.ExitStack() as theirs:

            def close_later(descriptor: int) -> int:
                theirs.callback(os.close, descriptor)
                return descriptor

            source, sink = os.pipe()
            descriptors = [close_later(source)]
            outputs: list[IO[bytes] | None] = []
            for wanted in (stdout, stderr):
                ours = None
                if wanted == subprocess.PIPE:
                    ours, descriptor = os.pipe()
                    close_later(descriptor)
                elif wanted == subprocess.DEVNULL:
                    descriptor = close_later(os.open(os.devnull, os.O_WRONLY))
                else:
                    descriptor = wanted if isinstance(wanted, int) else wanted.fileno()
                descriptors.append(descriptor)
                outputs.append(None if ours is None else os.fdopen(ours, "rb"))
            news, told = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            theirs.enter_context(told)
            with contextlib.suppress(BrokenPipeError):  # it has just ended; ``news`` has no more than its end then
                request = json.dumps(list(arguments)).encode()
                socket.send_fds(self._control, [request], [*descriptors, told.fileno()])
        return ForkedProcess(list(arguments), os.fdopen(sink, "wb"), *outputs, news=news.detach())


class ForkedProcess:
    """Has what is used of ``Popen``."""

    def __init__(
        self,
        args: list[str],
        stdin: IO[bytes],
        stdout: IO[bytes] | None,
        stderr: IO[bytes] | None,
        *,
        news: int,
    ) -> None:
        self.args, self.stdin, self.stdout, self.stderr = args, stdin, stdout, stderr
        self.returncode: int | None = None
        self._pid: int | None = None
        self._news = news
        os.set_blocking(news, False)
        self._lock = threading.Lock()

    def __del__(self) -> None:
        os.close(self._news)

    @property
    def pid(self) -> int:
        while self._pid is None:
            assert self.returncode is None, "the prepared process has failed; see what it wrote"
            self._hear(_LOOK_AGAIN_S)
        return self._pid

    def poll(self) -> int | None:
        while self.returncode is None and self._hear(0):
            pass
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        ends_at_s = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            rest_s = _LOOK_AGAIN_S if ends_at_s is None else max(0.0, ends_at_s - time.monotonic())
            if not self._hear(min(rest_s, _LOOK_AGAIN_S)) and ends_at_s is not None and rest_s <= _LOOK_AGAIN_S:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        pid = self.pid
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def _hear(self, timeout_s: float) -> bool:
        """Take the next news, the number or the end; false when there are none in time. Threads may wait together: what
        one of them takes, the others find at their next look."""
        poller = select.poll()
        poller.register(self._news, select.POLLIN)
        if not poller.poll(timeout_s * 1000):
            return False
        with self._lock, contextlib.suppress(BlockingIOError):  # another thread took it
            kind, _, value = os.read(self._news, 100).partition(b" ")
            if kind == b"pid":
                self._pid = int(value)
            elif self.returncode is None:
                self.returncode = int(value or 1)
        return True


def _serve(module: str, control: socket.socket) -> None:
    """Import ``module`` and fork for each request, until the other end of ``control`` is gone."""
    sys.path[0] = os.getcwd()
    importlib.import_module(module)
    del sys.modules[module]  # it is run, not imported
    gc.collect()
    gc.freeze()
    running: dict[int, tuple[int, socket.socket]] = {}
    poller = select.poll()
    poller.register(control, select.POLLIN)
    while True:
        for ready, _event in poller.poll():
            if ready in running:
                pid, told = running.pop(ready)
                poller.unregister(ready)
                os.close(ready)
                _tell(told, "end", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
                told.close()
                continue
            request, descriptors, _flags, _address = socket.recv_fds(control, _LONGEST_REQUEST, 4)
            if not request:
                return
            pid = os.fork()
            if pid == 0:
                for each in (control, *(told for _pid, told in running.values())):
                    each.detach()
                _run(module, json.loads(request), descriptors[:3])
            for descriptor in descriptors[:3]:
                os.close(descriptor)
            told = socket.socket(fileno=descriptors[3])
            _tell(told, "pid", pid)
            watch = os.pidfd_open(pid)
            running[watch] = pid, told
            poller.register(watch, select.POLLIN)


def _tell(told: socket.socket, kind: str, value: int) -> None:
    with contextlib.suppress(BrokenPipeError):
        told.send(f"{kind} {value}".encode())


def _run(module: str, arguments: list[str], descriptors: list[int]) -> NoReturn:
    """Be the process that was asked for."""
    code: object = 1
    try:
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        sys.argv[1:] = arguments
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:  # noqa: BLE001 - as an interpreter ends
        traceback.print_exc()
    finally:
        threading._shutdown()
        atexit._run_exitfuncs()
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    _serve(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
