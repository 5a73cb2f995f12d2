"""Makes a checkout ready: ``set_up.py run`` for the application, ``set_up.py test`` for development as well.

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

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
STAMP = VENV / "chatdesk-set-up.json"
LOCKS = {"run": ROOT / "requirements" / "run.txt", "test": ROOT / "requirements" / "dev.txt"}
OLDEST, NEWEST = (3, 11), (3, 14)


class SetUpError(Exception):
    """What a person reads when set-up cannot go on."""


def main(purpose):
    try:
        make_ready(purpose)
    except SetUpError as problem:
        if str(problem):
            print(problem, file=sys.stderr)
        return 1
    return 0


def make_ready(purpose):
    stamp = _read_stamp()
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
    if not is_current or not _python().exists():
        _install(purpose)
        stamp[purpose] = wanted
    stamp["root"] = str(ROOT)
    stamp["libraries"] = sorted(set(kinds) | set(stamp.get("libraries", [])))
    _write_stamp(stamp)


def _install(purpose):
    print("Setting up ChatDesk (once; needs the network)", flush=True)
    uv = find_uv()
    if not _python().exists():
        _run([uv, "venv", "--quiet", "--clear", "--python", find_python(), str(VENV)], "make the environment .venv")
    print("  packages ...", flush=True)
    _run(
        [uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(_python()), "-r", str(LOCKS[purpose])],
        "install the packages",
    )
    _put_on_path()
    print("  token encodings ...", flush=True)
    try:
        encodings_files.fetch(uv)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as problem:
        print("  not here ({}); token counts will be marked as estimates.".format(problem))


def find_uv():
    """``uv`` from the PATH, else the pinned one, put into .tools by pip: that needs neither venv nor root."""
    found = shutil.which("uv")
    if found:
        return found
    program = TOOLS / "bin" / "uv"
    if not program.exists():
        print("  uv ...", flush=True)
        pip = [sys.executable, "-m", "pip"]
        if subprocess.run(pip + ["--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            raise SetUpError("Neither uv nor pip is here. Install one, for example: sudo apt-get install python3-pip")
        requirements = str(ROOT / "requirements" / "tools.txt")
        options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--target", str(TOOLS), "--upgrade"]
        _run(pip + ["install"] + options + ["-r", requirements], "get the installer uv")
    return str(program)


def find_python():
    """A Python that ChatDesk supports: this one, else the newest named one on the PATH."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return sys.executable
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which("python3.{}".format(minor))
        if found:
            return found
    raise SetUpError(
        "ChatDesk needs Python 3.{} to 3.{}; this is {}.{}. Install one, then run the same command again.".format(
            OLDEST[1], NEWEST[1], sys.version_info[0], sys.version_info[1]
        )
    )


def _put_on_path():
    """The checkout itself, without a build: a path file, and a ``chatdesk`` command beside python."""
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.check_output([str(_python()), "-c", query], text=True).strip())
    (packages / "chatdesk.pth").write_text(str(ROOT) + "\n", encoding="utf-8")
    command = _python().with_name("chatdesk")
    command.write_text("#!{}\nfrom chatdesk.__main__ import main\n\nmain()\n".format(_python()), encoding="utf-8")
    command.chmod(0o755)


def _run(command, purpose):
    environment = dict(os.environ, UV_PYTHON_DOWNLOADS="never", UV_NO_PROGRESS="1", PIP_ROOT_USER_ACTION="ignore")
    environment.pop("VIRTUAL_ENV", None)
    try:
        subprocess.run(command, check=True, cwd=str(ROOT), env=environment, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        raise SetUpError(
            "Could not {} (the reason stands above). Nothing else was changed. "
            "Check the network and the free space, then run the same command again.".format(purpose)
        ) from None


def _python():
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_stamp():
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    # A checkout that was moved has a path file and commands that point to the old place.
    return stamp if isinstance(stamp, dict) and stamp.get("root") == str(ROOT) else {}


def _write_stamp(stamp):
    text = json.dumps(stamp, indent=1, sort_keys=True)
    if not STAMP.exists() or STAMP.read_text(encoding="utf-8") != text:
        STAMP.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if sys.argv[1:] in (["run"], ["test"]) else "run"))
