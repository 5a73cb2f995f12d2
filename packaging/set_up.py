"""Makes a checkout ready: ``set_up.py run`` for the application, ``set_up.py test`` for development as well.

The environment .venv is made with the Python that runs this file; ``set_up.py test --newest`` makes .venv-newest beside
it, with the newest Python that ChatDesk supports and that is here.

Runs on the system's Python with nothing installed, not even venv: standard library only, and old syntax so that an old
Python gets a sentence instead of a SyntaxError. What was done is kept in a stamp, keyed by the lock file; with a valid
stamp nothing happens here and nothing touches the network.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import encodings_files  # noqa: E402
import system_libraries  # noqa: E402
import translations  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
UV_LOCK = ROOT / "requirements" / "tools.txt"
STAMP = "chatdesk-set-up.json"
LOCKS = {"run": ROOT / "requirements" / "run.txt", "test": ROOT / "requirements" / "dev.txt"}
OLDEST, NEWEST = (3, 11), (3, 14)


class SetUpError(Exception):
    """What a person reads when set-up cannot go on."""


def main(arguments):
    purpose = "test" if "test" in arguments else "run"
    try:
        if "--newest" in arguments:
            python = find_newest_python()
            if python is None:
                print("No newer Python is here than the one of .venv.", flush=True)
                return 0
            make_ready(purpose, ROOT / ".venv-newest", python)
        else:
            make_ready(purpose, ROOT / ".venv", find_python())
    except SetUpError as problem:
        if str(problem):
            print(problem, file=sys.stderr)
        return 1
    return 0


def make_ready(purpose, venv, python):
    stamp = _read_stamp(venv)
    if stamp.get("python") != python:
        stamp = {}  # another Python: everything is installed anew
    kinds = system_libraries.kinds_needed(purpose)
    if not set(kinds) <= set(stamp.get("libraries", [])):
        must = [kind for kind in kinds if kind not in system_libraries.OPTIONAL]
        packages = system_libraries.missing_packages(must)
        if packages and not system_libraries.install(packages):
            raise SetUpError("")
        extra = system_libraries.missing_packages(kinds)
        if extra and not system_libraries.install(extra):
            print("Going on without them: what needs them will be skipped.", flush=True)
    wanted = _digest(LOCKS[purpose])
    # What the tests need contains what the application needs, at the same versions.
    is_current = wanted == stamp.get(purpose) or (purpose == "run" and stamp.get("test") == _digest(LOCKS["test"]))
    if not is_current or not _python_of(venv).exists():
        _install(purpose, venv, python, is_new="python" not in stamp)
        stamp[purpose] = wanted
    try:
        translations.compile_changed(_python_of(venv))
    except (OSError, RuntimeError) as problem:
        print("The translations were not compiled ({}); ChatDesk will speak English.".format(problem))
    stamp["root"] = str(ROOT)
    stamp["python"] = python
    stamp["libraries"] = sorted(set(kinds) | set(stamp.get("libraries", [])))
    _write_stamp(venv, stamp)


def _install(purpose, venv, python, is_new):
    print("Setting up ChatDesk in {} with {} (once; needs the network)".format(venv.name, python), flush=True)
    uv = find_uv()
    if is_new or not _python_of(venv).exists():
        _run([uv, "venv", "--quiet", "--clear", "--python", python, str(venv)], "make the environment " + venv.name)
    print("  packages ...", flush=True)
    # Compiled now, by all cores: else the first start does it, which then takes twice as long.
    command = [uv, "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:", "--compile-bytecode"]
    _run(command + ["--python", str(_python_of(venv)), "-r", str(LOCKS[purpose])], "install the packages")
    _put_on_path(venv)
    print("  token encodings ...", flush=True)
    try:
        encodings_files.fetch(uv)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as problem:
        print("  not here ({}); token counts will be marked as estimates.".format(problem))


def find_uv():
    """Return the pinned ``uv`` in .tools, where pip puts it with its hash checked: that needs neither venv nor root.
    One that happens to be on the PATH is not used: nobody knows what it does with hashes and indexes."""
    program = TOOLS / "bin" / ("uv.exe" if os.name == "nt" else "uv")
    stamp = TOOLS / "uv-lock.sha256"
    if program.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == _digest(UV_LOCK):
        return str(program)
    print("  uv ...", flush=True)
    # In a shell with .venv activated this is the Python of .venv, which has no pip.
    python = next((each for each in (sys.executable, find_python()) if _works(each, "pip")), None)
    if python is None:
        raise SetUpError("pip is not here. Install it, for example: sudo apt-get install python3-pip")
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
    options += ["--target", str(TOOLS), "--upgrade"]
    _run([python, "-m", "pip", "install"] + options + ["-r", str(UV_LOCK)], "get the installer uv")
    stamp.write_text(_digest(UV_LOCK), encoding="utf-8")
    return str(program)


def find_python():
    """Return a Python that ChatDesk supports: the one that runs this, else the newest on the PATH."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    found = _pythons()
    if found:
        return found[0]
    raise SetUpError(
        "ChatDesk needs Python 3.{} to 3.{}; this is {}.{}. Install one, then run the same command again.".format(
            OLDEST[1], NEWEST[1], sys.version_info[0], sys.version_info[1]
        )
    )


def find_newest_python():
    """Return the newest supported Python that is here, or None where that is the version that runs this."""
    for found in _pythons():
        is_same = ".".join(map(str, sys.version_info[:2])) in Path(found).name
        return None if is_same else found
    return None


def _pythons():
    """Return the supported Pythons on the PATH and in pyenv, the newest first."""
    pyenv = shutil.which("pyenv")
    root = subprocess.run([pyenv, "root"], stdout=subprocess.PIPE).stdout.decode().strip() if pyenv else ""
    found = []
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        name = "python3.{}".format(minor)
        places = [shutil.which(name)]
        if root:
            places += sorted(str(path) for path in Path(root).glob("versions/3.{}.*/bin/{}".format(minor, name)))
        # What pyenv puts on the PATH may stand for nothing.
        found += [place for place in places if place and _works(place)]
    return found


def _works(python, module="sys"):
    return (
        subprocess.run(
            [python, "-c", "import " + module], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode
        == 0
    )


def _put_on_path(venv):
    """Put the checkout itself on the path without a build: a path file, and a ``chatdesk`` command beside python."""
    python = _python_of(venv)
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.check_output([str(python), "-c", query], universal_newlines=True).strip())
    (packages / "chatdesk.pth").write_text(str(ROOT) + "\n", encoding="utf-8")
    command = python.with_name("chatdesk")
    command.write_text("#!{}\nfrom chatdesk.__main__ import main\n\nmain()\n".format(python), encoding="utf-8")
    command.chmod(0o755)


def _run(command, purpose):
    environment = dict(os.environ, UV_PYTHON_DOWNLOADS="never", UV_NO_PROGRESS="1", PIP_ROOT_USER_ACTION="ignore")
    environment.pop("VIRTUAL_ENV", None)
    try:
        subprocess.run(command, check=True, cwd=str(ROOT), env=environment, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        raise SetUpError(
            "Could not {} (the reason stands above). Only .venv and .tools may have changed. "
            "Check the network and the free space, then run the same command again.".format(purpose)
        ) from None


def _python_of(venv):
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_stamp(venv):
    try:
        stamp = json.loads((venv / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    # A checkout that was moved has a path file and commands that point to the old place.
    return stamp if isinstance(stamp, dict) and stamp.get("root") == str(ROOT) else {}


def _write_stamp(venv, stamp):
    path = venv / STAMP
    text = json.dumps(stamp, indent=1, sort_keys=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
