"""What holds for every test: a home of its own, no network but loopback, no key from outside, no thread left behind."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from chatdesk.core.system.processes import share_malloc_arena
from tests.helpers import memory, prepared_processes, programs
from tests.helpers.waiting import PATIENCE_S

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.helpers.postgres import Cluster, TeamDatabase
    from tests.helpers.site import Site

# Before Qt is imported anywhere: where there is a screen, tests must not open windows on it.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
_ROOT = Path(tempfile.mkdtemp(prefix=f"chatdesk-{os.getpid()}-", dir=memory.folder()))
_HOME = _ROOT / "home"
_FOREIGN = ("OPENAI_", "CHATDESK_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
# Where the PostgreSQL to test with is, with which seed histories of teams and streamed texts begin, how many such
# texts there are, how often a process is killed, and of which day the samples of large tables are.
_KEPT = (
    "CHATDESK_PG_BIN",
    "CHATDESK_FIRST_SEED",
    "CHATDESK_STREAMED_TEXTS",
    "CHATDESK_KILLS",
    "CHATDESK_SAMPLE_DAY",
)
# The order of `make test`. It is mixed, so that tests cannot lean on each other, and the same each time.
_ORDER_SEED = 20_261_122
_THREAD_GRACE_S = 3.0
_EXIT_CODE = pytest.StashKey[int]()


def _isolate(environ: dict[str, str] | os._Environ[str]) -> None:
    for name in [name for name in environ if name.startswith(_FOREIGN) and name not in _KEPT]:
        del environ[name]
    environ["HOME"] = str(_HOME)
    for name, folder in (
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CACHE_HOME", ".cache"),
        ("XDG_RUNTIME_DIR", "run"),
    ):
        path = _HOME / folder
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        environ[name] = str(path)
    environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    environ["CHATDESK_OFFLINE_SPEED_TOKENS_PER_S"] = "0"  # who does not read along need not wait for the demo model


_isolate(os.environ)
os.environ.setdefault("CHATDESK_SAMPLE_DAY", date.today().isoformat())  # the processes of a run have it from the first


class _Loopback:
    """Stands before the functions of ``socket`` that reach out."""

    def __init__(self) -> None:
        self._connect = socket.socket.connect
        self._connect_ex = socket.socket.connect_ex
        self._getaddrinfo = socket.getaddrinfo

    def install(self) -> None:
        loopback = self

        def connect(sock: socket.socket, address: object) -> None:
            loopback.check(sock, address)
            loopback._connect(sock, address)  # type: ignore[arg-type]

        def connect_ex(sock: socket.socket, address: object) -> int:
            try:
                loopback.check(sock, address)
            except OSError:
                return errno.ENETUNREACH
            return loopback._connect_ex(sock, address)  # type: ignore[arg-type]

        def getaddrinfo(host: object, *args: object, **kwargs: object) -> object:
            name = host.decode() if isinstance(host, bytes) else host
            if name not in (None, "", "localhost") and not _is_numeric(str(name)):
                raise socket.gaierror(socket.EAI_NONAME, "tests may only use loopback")
            return loopback._getaddrinfo(host, *args, **kwargs)  # type: ignore[arg-type]

        socket.socket.connect = connect  # type: ignore[method-assign, assignment]
        socket.socket.connect_ex = connect_ex  # type: ignore[method-assign, assignment]
        socket.getaddrinfo = getaddrinfo  # type: ignore[assignment]

    @staticmethod
    def check(sock: socket.socket, address: object) -> None:
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            return
        host = str(address[0]) if isinstance(address, tuple) else str(address)
        if host not in ("localhost", "::1", "") and not host.startswith("127."):
            raise OSError(errno.ENETUNREACH, "tests may only use loopback")


def _is_numeric(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.split("%")[0])
        except OSError:
            continue
        return True
    return False


_Loopback().install()
prepared_processes.install()
# As a window does: the threads of ten thousand tests would leave memory in arenas that no other uses.
share_malloc_arena()


# Every run of a day plays the same examples, however slow the machine is; `make test-long` draws new ones, and more of
# them: see ``tests/helpers/examples.py``.
_SLOW = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile(
    "same", max_examples=20, derandomize=True, database=None, deadline=None, suppress_health_check=_SLOW
)
hypothesis.settings.register_profile(
    "long", max_examples=100, deadline=None, print_blob=True, suppress_health_check=_SLOW
)
hypothesis.settings.load_profile("same")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("randomly_seed", None) == "default":
        config.option.randomly_seed = _ORDER_SEED
    if config.option.basetemp is None and memory.folder() is not None:  # processes of pytest-xdist are told where
        config.option.basetemp = str(_ROOT / "t")  # ``--basetemp`` keeps what a failed test wrote
        _remove_left()


def _remove_left() -> None:
    """Remove what runs that were killed have left in memory."""
    for folder in memory.PATH.glob("chatdesk-*-*"):
        pid = folder.name.split("-")[1]
        if pid.isdecimal() and not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two processes for each core: nearly half of its time a test waits for another process, a server or the disk."""
    return 2 * (os.cpu_count() or 1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-pixels", action="store_true", help="store what is drawn now as what is right")


@pytest.fixture(autouse=True)
def _same_environment_afterwards() -> Iterator[None]:
    """A test that changes the environment changes it for itself only."""
    before = dict(os.environ)
    yield
    for name in set(os.environ) - set(before):
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(autouse=True)
def _no_seal_key_afterwards() -> Iterator[None]:
    """A test without a keyring leaves no key under which the next one's directories are its own."""
    yield
    (_HOME / ".config" / "chatdesk" / "seals.key").unlink(missing_ok=True)


@pytest.fixture
def qtbot(qtbot: QtBot) -> QtBot:
    """The bot of pytest-qt, as patient as the other waits: its own five seconds are too few on a busy machine."""
    for name in ("waitUntil", "waitSignal", "waitSignals", "waitExposed", "waitActive"):
        setattr(qtbot, name, partial(getattr(qtbot, name), timeout=round(PATIENCE_S * 1000)))
    return qtbot


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first: one that begins last is waited for by all processes but its own."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was collected lives as long as the run: no later collection has to walk it."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    item.stash[_THREADS_BEFORE] = set(threading.enumerate())
    item.stash[_WINDOWS_BEFORE] = _windows()
    if "qapp" in getattr(item, "fixturenames", ()):
        gc.disable()  # as in a window: see ``ui/qt/garbage.py``
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_pyfunc_call() -> Iterator[None]:
    """Skip a test that starts a program which set-up could not install, and say so."""
    return (yield from _skipped_without_its_program())


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_fixture_setup() -> Iterator[None]:
    return (yield from _skipped_without_its_program())


def _skipped_without_its_program() -> Iterator[None]:
    try:
        return (yield)
    except Exception as error:
        reason = programs.missing_program(error)
        if reason:
            pytest.skip(reason)
        raise


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """After all fixtures of the test are gone, its threads have to be as well. Wider fixtures may keep theirs."""
    result = yield
    if "qapp" in getattr(item, "fixturenames", ()):
        from tests.helpers.left_windows import delete_windows, release_mouse

        delete_windows(item.stash.get(_WINDOWS_BEFORE, []))
        left = release_mouse()
        gc.collect()  # here: what a window leaves in cycles must not end on a thread of a later test
        gc.freeze()  # what is left are modules and caches, which each later collection would walk
        if left:
            pytest.fail(f"the test left {left} pressed", pytrace=False)
    before = item.stash.get(_THREADS_BEFORE, set())
    deadline = time.monotonic() + _THREAD_GRACE_S
    for thread in threading.enumerate():
        if thread in before or thread.daemon or thread is threading.current_thread():
            continue
        if thread.name.startswith("shared "):
            continue
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            pytest.fail(f"the test left the thread {thread.name!r} running", pytrace=False)
    return result


_THREADS_BEFORE = pytest.StashKey[set[threading.Thread]]()
_WINDOWS_BEFORE = pytest.StashKey[list[Any]]()


def _windows() -> list[Any]:
    widgets = sys.modules.get("PySide6.QtWidgets")
    return [] if widgets is None else widgets.QApplication.topLevelWidgets()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(
        f"samples of large tables: CHATDESK_SAMPLE_DAY={os.environ['CHATDESK_SAMPLE_DAY']} plays them again"
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_EXIT_CODE] = int(exitstatus)
    shutil.rmtree(_ROOT, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """After the report, exit as ChatDesk does when an assistive program has asked it (``ui/accessibility/
    process_exit.py``): PySide would free interfaces twice, and the end of a good run would be a segmentation fault."""
    if "PySide6.QtGui" in sys.modules and _EXIT_CODE in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_EXIT_CODE])


@pytest.fixture(scope="session")
def postgres() -> Cluster:
    """A PostgreSQL server, one for the whole run; it ends with the process. A test that stops or kills it starts it
    again."""
    from tests.helpers.postgres import NoPostgres, cluster  # only where one is wanted

    try:
        return cluster()
    except NoPostgres as none:
        pytest.skip(str(none))


@pytest.fixture
def empty_database(postgres: Cluster) -> Iterator[TeamDatabase]:
    """A database in which nothing was set up, and its owner, who is no superuser."""
    made = postgres.empty_database()
    yield made
    postgres.drop(made)


@pytest.fixture
def workspace(postgres: Cluster) -> Iterator[TeamDatabase]:
    """A database with a workspace in which the owner is the only member."""
    made = postgres.workspace_database()
    yield made
    postgres.drop(made)


@pytest.fixture
def site() -> Iterator[Site]:
    """A web site on loopback."""
    from tests.helpers.site import Site

    made = Site()
    yield made
    made.close()
