"""Reads the sentences out of the source into ``resources/translations/*.ts``, and compiles these for the program.

    translations.py update     bring the .ts files to the present source; translations stay where the source is the same
    translations.py compile    write build/translations/*.qm, as set-up does
    translations.py count      print how many sentences each language lacks, which are shown in English
    translations.py complete   do the same, and fail if there is one: a release has every sentence

Both are Qt's own tools, lupdate and lrelease, which come with PySide6: each function takes the Python that has it.
Standard library only and old syntax, because set-up runs it on the system's Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "resources" / "translations"
TARGET = ROOT / "build" / "translations"
# The functions of chatdesk/core/texts.py, which lupdate takes for its own ``tr``.
_ALIASES = "tr+=Text,tr+=plural"


def update(python, sources=SOURCES):
    """Bring every .ts file in ``sources`` to the present source."""
    _run(
        python,
        ["lupdate", "-silent", "-tr-function-alias", _ALIASES, "-locations", "none", "-no-obsolete"]
        + ["-extensions", "py", str(ROOT / "chatdesk"), "-ts"]
        + [str(path) for path in sorted(sources.glob("*.ts"))],
    )


def compile_changed(python):
    """Compile the .ts files that are newer than what was compiled of them."""
    for source in sorted(SOURCES.glob("*.ts")):
        target = TARGET / (source.stem + ".qm")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        TARGET.mkdir(parents=True, exist_ok=True)
        made = target.with_name("{}.{}".format(target.name, os.getpid()))
        _run(python, ["lrelease", "-silent", str(source), "-qm", str(made)])
        made.replace(target)  # several set-ups may run at once


def count_missing(python, sources=SOURCES):
    """Return how many sentences of the present source each .ts file lacks, by the file's stem."""
    with tempfile.TemporaryDirectory() as folder:
        for path in sources.glob("*.ts"):
            shutil.copy(str(path), folder)
        update(python, Path(folder))
        return {
            path.stem: sum(each.get("type") == "unfinished" for each in ET.parse(str(path)).iter("translation"))
            for path in sorted(Path(folder).glob("*.ts"))
        }


def _print_missing(python):
    """Print a line for each language that lacks sentences; return whether one does."""
    missing = {stem: number for stem, number in count_missing(python).items() if number}
    for stem, number in missing.items():
        print("{}: {} sentences are not translated yet and are shown in English.".format(stem, number))
    return bool(missing)


def _run(python, command):
    """Run a tool of PySide6 by the Python that has it: an environment that only builds a wheel has no ``.venv``."""
    starting = "import sys; from PySide6.scripts import pyside_tool; getattr(pyside_tool, sys.argv.pop(1))()"
    called = [str(python), "-P", "-c", starting] + command
    done = subprocess.run(called, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError("{} failed: {}".format(command[0], done.stdout.decode("utf-8", "replace")))


if __name__ == "__main__":
    if sys.argv[1:] in (["count"], ["complete"]):
        sys.exit(_print_missing(sys.executable) and sys.argv[1] == "complete")
    if sys.argv[1:] == ["update"]:
        update(sys.executable)
    elif sys.argv[1:] != ["compile"]:
        sys.exit(__doc__)
    compile_changed(sys.executable)
