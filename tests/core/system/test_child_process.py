"""Child processes: each has one switch, by which a packaged program runs it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from chatdesk.core.system import child_process
from chatdesk.core.system.child_process import WORKERS, command_of, package_parent, run_worker

ROOT = Path(__file__).parents[3]


def test_a_checkout_runs_the_module_and_a_package_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert command_of("--render-worker", "--draw") == [
        sys.executable,
        "-m",
        "chatdesk.core.rendering.worker",
        "--draw",
    ]
    assert package_parent() == str(ROOT)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    program = tmp_path / "versions" / "1" / "chatdesk"
    program.parent.mkdir(parents=True)
    program.touch()
    (tmp_path / "current").symlink_to("versions/1")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "current" / "chatdesk"))
    assert command_of("--render-worker", "--draw") == [str(program), "--render-worker", "--draw"]
    assert package_parent() is None


@pytest.mark.parametrize("module", sorted(WORKERS.values()))
def test_every_module_is_there_and_runs_by_itself(module: str) -> None:
    found = importlib.util.find_spec(module)
    assert found is not None and found.origin is not None
    assert '\nif __name__ == "__main__":\n' in Path(found.origin).read_text("utf-8")


def test_a_switch_runs_its_module_in_a_packaged_program_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "small_worker.py").write_text("import sys\nprint(__name__, sys.argv[1:])\n", "utf-8")
    program = (
        "import sys; sys.frozen = True\n"
        "from chatdesk.core.system import child_process\n"
        "child_process.WORKERS = {'--small': 'small_worker'}\n"
        "print(child_process.run_worker(sys.argv))\n"
    )
    for arguments, wanted in (
        (["--small", "a", "b"], "__main__ ['a', 'b']\nTrue\n"),
        (["ask", "--small"], "False\n"),
        ([], "False\n"),
    ):
        ran = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            env={"PYTHONPATH": f"{ROOT}:{tmp_path}"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert ran.stdout == wanted
    assert not run_worker(["chatdesk", "--render-worker"]), "a checkout is told by -m"
    assert child_process.is_packaged() is False


def test_what_is_packaged_is_what_is_locked() -> None:
    """The packages hold what ``run.txt`` has, at the same versions, and the extras."""

    def pinned(name: str) -> set[str]:
        lines = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8").splitlines()
        return {line.split(" ")[0] for line in lines if "==" in line and not line.startswith(("#", " "))}

    assert pinned("run") <= pinned("package")
    names = {each.split("==")[0] for each in pinned("package")}
    assert {"mcp", "uvicorn", "merman", "keyring", "pyinstaller"} <= names
