"""Which system packages set-up asks for, and which it can do without."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.helpers import programs

ROOT = Path(__file__).parents[1]


# What starts a program or looks for one, by the name of the function.
_STARTS = {"run", "Popen", "check_output", "check_call", "create_subprocess_exec", "which"}
# Not of Debian's packages: comes with .venv, or only where a system is started by it; the test skips itself.
_ELSEWHERE = {"actionlint", "systemd-analyze"}
# Have set-ups of their own: `make test-servers`, and benchmarks that say what they went without.
_NOT_OF_MAKE_TEST = {"live_local", "benchmarks", "gallery"}


@pytest.fixture
def libraries() -> ModuleType:
    return programs.system_libraries()


def _started(tree: ast.Module) -> Iterator[str]:
    """The first word of each command that is written in a file, also where it is in a variable."""
    lists: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            lists.setdefault(node.targets[0].id, []).append(node.value)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Attribute)):
            continue
        module = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        if node.func.attr not in _STARTS or module not in {"subprocess", "asyncio", "shutil"}:
            continue
        first = node.args[0]
        for _ in range(2):  # *name, or [*name, …]
            first = first.value if isinstance(first, ast.Starred) else first
            first = first.elts[0] if isinstance(first, ast.List | ast.Tuple) and first.elts else first
        for each in lists.get(first.id, []) if isinstance(first, ast.Name) else [first]:
            word = each.elts[0] if isinstance(each, ast.List | ast.Tuple) and each.elts else each
            if isinstance(word, ast.Constant) and isinstance(word.value, str) and "/" not in word.value:
                yield word.value


def test_each_program_that_a_test_starts_is_one_that_set_up_installs() -> None:
    files = [each for each in ROOT.glob("tests/**/*.py") if not _NOT_OF_MAKE_TEST & set(each.parts)]
    texts = {str(each.relative_to(ROOT)): each.read_text("utf-8") for each in files}
    calls = ("subprocess.", "create_subprocess_exec(", "shutil.which(")
    trees = {name: ast.parse(text) for name, text in texts.items() if any(call in text for call in calls)}
    started = {word: name for name, tree in trees.items() for word in _started(tree)}
    assert {"patch", "openssl", "dbus-daemon", "Xvfb", "psql", "weston"} <= started.keys()
    known = {*programs.package_of_programs(), *programs.ALWAYS_HERE, *_ELSEWHERE}
    unknown = {word: name for word, name in started.items() if word not in known}
    assert not unknown, "TEST_PROGRAMS of packaging/system_libraries.py lacks these"


def test_a_program_that_is_listed_is_installed_by_set_up(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    asked = set(libraries.missing_packages(libraries.kinds_needed("test")))
    assert set(programs.package_of_programs().values()) <= asked


@pytest.mark.parametrize("program", sorted(programs.package_of_programs()))
def test_a_test_without_its_program_is_skipped_with_the_package(
    program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError) as caught:
        subprocess.run([program], check=False)
    within = BaseExceptionGroup("of tasks", [caught.value])
    for error in (caught.value, within):
        assert programs.missing_program(error).endswith(f"apt-get install {programs.package_of_programs()[program]}")
    assert programs.missing_program(FileNotFoundError(2, "gone", "a file of the test")) == ""


def test_a_test_without_its_program_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "import subprocess\ndef test_it():\n    subprocess.run(['patch'])\n"
    (tmp_path / "test_one.py").write_text(body + "async def test_later():\n    subprocess.run(['patch'])\n", "utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-q",
        "-rs",
        "-n",
        "0",
        "-o",
        "asyncio_mode=auto",
        str(tmp_path),
    ]
    monkeypatch.setenv("PATH", str(tmp_path))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 skipped" in done.stdout
    assert "NOT PROVEN HERE: patch needs apt-get install patch" in done.stdout


def test_only_tests_need_a_screen_reader_and_servers(libraries: ModuleType) -> None:
    optional = {"screen_reader", "servers", "weston", "programs"}
    assert optional <= set(libraries.kinds_needed("test"))
    assert not {"test", *optional} & set(libraries.kinds_needed("run"))
    assert set(libraries.OPTIONAL) == optional


def test_everything_that_is_missing_is_named_by_its_package(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    monkeypatch.setattr(libraries, "AT_SPI_LAUNCHERS", ("/no/such/file",))
    monkeypatch.setattr(libraries, "SYSTEM_PYTHON", "/no/such/python")
    wanted = {"dbus-daemon", "xdotool", "at-spi2-core", "python3-gi", "gir1.2-atspi-2.0"}
    assert wanted | {"xvfb"} <= set(libraries.missing_packages(["windowless", "x11", "test", "screen_reader"]))
    assert not wanted & set(libraries.missing_packages(["windowless", "x11", "test"]))


def test_a_python_without_the_bindings_is_noticed(libraries: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(libraries, "SYSTEM_PYTHON", "/bin/sh")
    monkeypatch.setattr(libraries.subprocess, "run", lambda *_arguments, **_options: failed)
    assert {"python3-gi", "gir1.2-atspi-2.0"} <= set(libraries.missing_for_screen_reader())


def test_a_computer_without_a_postgres_of_its_own_gets_one(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(libraries, "SERVER_PLACE", str(tmp_path))
    assert "postgresql" in libraries.missing_packages(["windowless", "servers"])
    (tmp_path / "15" / "bin").mkdir(parents=True)
    (tmp_path / "15" / "bin" / "postgres").touch()
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    assert libraries.missing_servers() == []


class _Installed:
    """Stands in for the programs that would install; keeps what they were asked."""

    def __init__(self, libraries: ModuleType, monkeypatch: pytest.MonkeyPatch, *, is_at_terminal: bool) -> None:
        self.commands: list[list[str]] = []
        monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
        monkeypatch.setattr(libraries.os, "geteuid", lambda: 0)
        monkeypatch.setattr(libraries.sys.stdin, "isatty", lambda: is_at_terminal)
        monkeypatch.setattr(libraries.subprocess, "run", self._run)

    def _run(self, command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        return subprocess.CompletedProcess(command, 0, "")


def test_packages_to_install_as_root_are_named_first(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed = _Installed(libraries, monkeypatch, is_at_terminal=False)
    assert libraries.install(["libegl1", "xvfb"])
    [command] = installed.commands
    assert command[-1] in capsys.readouterr().out
    assert command[-1].endswith("libegl1 xvfb")


@pytest.mark.parametrize(("answer", "is_installed"), [("", True), ("y", True), ("n", False), (None, False)])
def test_a_person_at_a_terminal_is_asked(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch, answer: str | None, is_installed: bool
) -> None:
    def answered(_question: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    installed = _Installed(libraries, monkeypatch, is_at_terminal=True)
    monkeypatch.setattr("builtins.input", answered)
    assert libraries.install(["libegl1"]) is is_installed
    assert bool(installed.commands) is is_installed


def test_a_postgres_for_tests_serves_nobody(
    libraries: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(libraries, "NO_CLUSTER", str(tmp_path / "createcluster.d" / "chatdesk-tests.conf"))
    installed = _Installed(libraries, monkeypatch, is_at_terminal=False)
    assert libraries.install(["postgresql"])
    [command] = installed.commands
    # The line itself, with another program in the place of apt-get that shows what apt-get would find.
    line = command[-1].replace("apt-get update && apt-get install -y --no-install-recommends postgresql", "cat *")
    (tmp_path / "createcluster.d").mkdir()
    with subprocess.Popen(["sh", "-c", line], cwd=tmp_path / "createcluster.d", stdout=subprocess.PIPE) as shell:
        assert shell.communicate()[0] == b"create_main_cluster = false\n"
    assert shell.returncode == 0
    assert list((tmp_path / "createcluster.d").iterdir()) == []
