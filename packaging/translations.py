"""Reads the sentences out of the source into ``resources/translations/*.ts``, and compiles these for the program.

    translations.py update     bring the .ts files to the present source; translations stay where the source is the same
    translations.py compile    write build/translations/*.qm, as set-up does

Both are Qt's own tools, lupdate and lrelease, which come with PySide6. Standard library only and old syntax, because
set-up runs it on the system's Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "resources" / "translations"
TARGET = ROOT / "build" / "translations"
#: The functions of chatdesk/core/texts.py, which lupdate takes for its own ``tr``.
_ALIASES = "tr+=Text,tr+=plural"


def update(venv, sources=SOURCES):
    """Bring every .ts file in ``sources`` to the present source."""
    _run(
        [_tool(venv, "lupdate"), "-silent", "-tr-function-alias", _ALIASES, "-locations", "none", "-no-obsolete"]
        + ["-extensions", "py", str(ROOT / "chatdesk"), "-ts"]
        + [str(path) for path in sorted(sources.glob("*.ts"))]
    )


def compile_changed(venv):
    """Compile the .ts files that are newer than what was compiled of them."""
    for source in sorted(SOURCES.glob("*.ts")):
        target = TARGET / (source.stem + ".qm")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        TARGET.mkdir(parents=True, exist_ok=True)
        made = target.with_name("{}.{}".format(target.name, os.getpid()))
        _run([_tool(venv, "lrelease"), "-silent", str(source), "-qm", str(made)])
        made.replace(target)  # several set-ups may run at once


def _tool(venv, name):
    folder = "Scripts" if os.name == "nt" else "bin"
    return str(Path(venv) / folder / ("pyside6-" + name))


def _run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError("{} failed: {}".format(Path(command[0]).name, done.stdout.decode("utf-8", "replace")))


if __name__ == "__main__":
    if sys.argv[1:] == ["update"]:
        update(ROOT / ".venv")
    elif sys.argv[1:] != ["compile"]:
        sys.exit(__doc__)
    compile_changed(ROOT / ".venv")
