"""The window before and after it was designed anew: ``python -m tests.gallery --before COMMIT`` draws each step twice.

Each side is drawn by its own code: the earlier one in a checkout of that commit, so that no picture is kept here.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from PySide6.QtGui import QPixmap

from tests.gallery.pairs import beside

_ROOT: Final = Path(__file__).parents[2]
_LANGUAGES: Final = ("en", "de", "ar")
_LOOKS: Final = ("light", "dark")


class Step(NamedTuple):
    """A step of the design: the module of its samples, and the samples that show it before and after."""

    name: str
    module: str
    before: str
    after: str


STEPS: Final = (
    Step("01-one-search", "palette_samples.py", "sidebar", "sidebar-results"),
    Step("02-one-frame", "step_samples.py", "step-frame", "step-frame"),
    Step("03-settings-at-once", "sidebar_samples.py", "settings-context", "settings-context"),
    Step("04-dialogs-as-high-as-their-content", "tools_samples.py", "tools-form-program", "tools-form-program"),
    Step("05-first-screen", "first_samples.py", "first-screen", "first-screen"),
    Step("06-sidebar", "sidebar_samples.py", "sidebar", "sidebar"),
    Step("07-one-menu", "step_samples.py", "step-menu", "step-menu"),
    Step("08-composer", "composer_samples.py", "composer-empty", "composer-chips"),
    Step("09-tool-calls-in-words", "step_samples.py", "step-calls", "step-calls"),
    Step("09-proposals-in-one-card", "change_samples.py", "change-states", "change-states"),
    Step("10-edges-in-dark", "step_samples.py", "step-edges", "step-edges"),
)


def write_steps(commit: str, out: Path) -> int:
    """Draw all steps side by side, in each look and language; return how many pictures there are."""
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    with tempfile.TemporaryDirectory() as scratch, _checkout(commit, Path(scratch) / "before") as earlier:
        for language in _LANGUAGES:
            sides = [
                _draw(tree, Path(scratch) / f"{side}-{language}", language)
                for side, tree in (("before", earlier), ("after", _ROOT))
            ]
            for step in STEPS:
                for look in _LOOKS:
                    names = (step.before, step.after)
                    pair = [QPixmap(str(side / look / f"{name}.png")) for side, name in zip(sides, names, strict=True)]
                    beside(*pair).save(str(out / f"{step.name}-{look}-{language}.png"))
                    count += 1
    return count


@contextmanager
def _checkout(commit: str, folder: Path) -> Iterator[Path]:
    """Have the tree of a commit in a folder, with the modules of samples that it lacks."""
    subprocess.run(["git", "worktree", "add", "-q", "--detach", str(folder), commit], cwd=_ROOT, check=True)
    try:
        for module in {step.module for step in STEPS}:
            if not (folder / "tests" / "gallery" / module).exists():
                shutil.copy(_ROOT / "tests" / "gallery" / module, folder / "tests" / "gallery" / module)
        yield folder
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(folder)], cwd=_ROOT, check=True)


def _draw(tree: Path, out: Path, language: str) -> Path:
    subprocess.run([sys.executable, "packaging/translations.py", "compile"], cwd=tree, check=True)
    for module in sorted({step.module for step in STEPS}):
        arguments = ("-m", "tests.gallery", "--out", str(out), "--modules", module, "--language", language)
        subprocess.run([sys.executable, *arguments], cwd=tree, check=True)
    return out
