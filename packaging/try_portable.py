"""Tries the portable .run as a plain user without root: installed, beside an older one, gone back, and removed."""

from __future__ import annotations

import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import fresh_debian  # noqa: E402
import package  # noqa: E402

OLDER = "0.1.9"
_PLACE = package.PLACE / "portable"


def try_portable(tries, system):
    """Install the .run of this commit, then an older one, and this one again beside it."""
    portable = package.PLACE / "chatdesk-{}.run".format(package.version())
    tries.check("the .run is here", portable.exists)
    if not portable.exists():
        return
    shutil.rmtree(str(_PLACE), ignore_errors=True)
    _PLACE.mkdir(parents=True)
    shutil.copy(str(portable), str(system / "tmp" / "try" / "chatdesk.run"))
    shutil.copy(str(_older_run()), str(system / "tmp" / "try" / "older.run"))
    fresh_debian.inside("chmod -R a+rX /tmp/try")
    words = "VERSION={} OLDER={} sh /tmp/try/try_portable.sh".format(package.version(), OLDER)
    tries.script(fresh_debian.as_user(words))
    shutil.rmtree(str(_PLACE))


def _older_run():
    """Return a .run of the program under an older version number, packed quickly."""
    program = _PLACE / OLDER
    shutil.copytree(str(package.PROGRAM), str(program), symlinks=True)
    source = (package.ROOT / "chatdesk" / "__init__.py").read_text(encoding="utf-8")
    changed = _PLACE / "__init__.py"
    changed.write_text(source.replace(package.version(), OLDER), encoding="utf-8")
    compiled = program / "_internal" / "chatdesk" / "__init__.pyc"
    compiling = "import py_compile, sys; py_compile.compile(*sys.argv[1:])"
    python = str(package.python_of(package.ENVIRONMENT))
    subprocess.run([python, "-c", compiling, str(changed), str(compiled)], check=True)
    return package.build_run(program, _PLACE / "older.run", level=1)
