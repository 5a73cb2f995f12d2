"""Installs the servers that ``make test-servers`` talks to: aimock (npm) and LiteLLM's proxy (PyPI), into .tools.

Neither is part of ChatDesk and neither is in its environment. Versions are pinned and contents are checked: the Python
packages by the hashes of requirements/servers.txt, aimock, which depends on nothing, by the one below. What cannot be
installed is said in a sentence; its tests are skipped, with the reason, and the others run.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys

import set_up

FOLDER = set_up.TOOLS / "servers"
AIMOCK = FOLDER / "aimock"
LITELLM = FOLDER / "litellm"
REQUIREMENTS = set_up.ROOT / "requirements" / "servers.txt"
AIMOCK_PACKAGE = "@copilotkit/aimock"
AIMOCK_VERSION = "1.43.0"
AIMOCK_INTEGRITY = "sha512-V8D8cjSMtAR4rHaD2ulp3DR/ZguXQjDNOqwKDNvjb/OJL/KR1I0SDf5xpRCd+TYKjhmf9fM8Xpg3QBKPmV9Kmw=="
_INSTALL_S = 900


class CannotInstall(Exception):
    """Why a server is not here, for whoever runs the tests."""


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, install in (("aimock", install_aimock), ("LiteLLM", install_litellm)):
        try:
            install()
        except CannotInstall as problem:
            print("{} is not here, so its tests are SKIPPED: {}".format(name, problem), flush=True)
    return 0


def install_aimock():
    """With npm, without running any script of the package."""
    if _is_done(AIMOCK, AIMOCK_INTEGRITY):
        return
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise CannotInstall("node and npm are needed. Install them, for example: sudo apt-get install npm")
    print("  aimock {} ...".format(AIMOCK_VERSION), flush=True)
    shutil.rmtree(str(AIMOCK), ignore_errors=True)
    AIMOCK.mkdir(parents=True)
    package = "{}@{}".format(AIMOCK_PACKAGE, AIMOCK_VERSION)
    options = ["--prefix", str(AIMOCK), "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]
    _run([npm, "install"] + options + [package])
    listed = json.loads((AIMOCK / "node_modules" / ".package-lock.json").read_text(encoding="utf-8"))["packages"]
    found = {name: entry.get("integrity") for name, entry in listed.items()}
    if found != {"node_modules/" + AIMOCK_PACKAGE: AIMOCK_INTEGRITY}:
        shutil.rmtree(str(AIMOCK))
        raise CannotInstall("the package is not the one that was expected; it was removed.")
    _note_done(AIMOCK, AIMOCK_INTEGRITY)


def install_litellm():
    """With uv, in an environment of its own."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if _is_done(LITELLM, wanted):
        return
    print("  LiteLLM (large: some minutes) ...", flush=True)
    try:
        uv, python = set_up.find_uv(), set_up.find_python()
    except set_up.SetUpError as problem:
        raise CannotInstall(str(problem)) from None
    _run([uv, "venv", "--quiet", "--clear", "--python", python, str(LITELLM)])
    target = LITELLM / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    _run([uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(target), "-r", str(REQUIREMENTS)])
    _note_done(LITELLM, wanted)


def _run(command):
    environment = dict(os.environ, UV_PYTHON_DOWNLOADS="never", UV_NO_PROGRESS="1")
    environment.pop("VIRTUAL_ENV", None)
    try:
        subprocess.run(command, check=True, env=environment, stdin=subprocess.DEVNULL, timeout=_INSTALL_S)
    except subprocess.TimeoutExpired:
        raise CannotInstall("installing took longer than {} s.".format(_INSTALL_S)) from None
    except (OSError, subprocess.CalledProcessError):
        raise CannotInstall("installing failed; the reason stands above.") from None


def _is_done(folder, wanted):
    try:
        return (folder / "done").read_text(encoding="utf-8") == wanted
    except OSError:
        return False


def _note_done(folder, wanted):
    (folder / "done").write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
