"""Installs what ``make test-servers`` tests with, into .tools: the servers aimock (npm) and LiteLLM's proxy (PyPI), the
servers of tools "everything" and "filesystem" (npm) and "time", "git" and "fetch" (PyPI) of the Model Context Protocol,
and the programs that use ChatDesk's own service: OpenAI's package for JavaScript and the inspector of the Model Context
Protocol (npm), and the command lines llm and schemathesis (PyPI). The browser and curl are the system's: Debian's
Chromium.

None is part of ChatDesk and none is in its environment. Versions are pinned and contents are checked: the Python
packages by the hashes of requirements/servers.txt, programs.txt and python_tool_servers.txt, those of npm by the ones
below where they depend on nothing, else by the locks in requirements/inspector and tool_servers. What cannot be
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
OPENAI = FOLDER / "openai"
INSPECTOR = FOLDER / "inspector"
TOOL_SERVERS = FOLDER / "tool_servers"
LITELLM = FOLDER / "litellm"
PROGRAMS = FOLDER / "programs"
PYTHON_TOOL_SERVERS = FOLDER / "python_tool_servers"
REQUIREMENTS = set_up.ROOT / "requirements"
AIMOCK_PACKAGE = "@copilotkit/aimock"
AIMOCK_VERSION = "1.43.0"
AIMOCK_INTEGRITY = "sha512-V8D8cjSMtAR4rHaD2ulp3DR/ZguXQjDNOqwKDNvjb/OJL/KR1I0SDf5xpRCd+TYKjhmf9fM8Xpg3QBKPmV9Kmw=="
OPENAI_VERSION = "7.57.0"
OPENAI_INTEGRITY = "sha512-RbmrdE5NdfW6nGq/FaCJ3KFCZpotoExPzruQUSMCTw/ouUFO08vpvVdSmgmPxQMFAiv9EXZCEXvcWYU+n6NzsQ=="
_INSTALL_S = 900


class CannotInstall(Exception):
    """Why a server is not here, for whoever runs the tests."""


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = (
        ("aimock", lambda: install_npm(AIMOCK, AIMOCK_PACKAGE, AIMOCK_VERSION, AIMOCK_INTEGRITY)),
        ("OpenAI's package for JavaScript", lambda: install_npm(OPENAI, "openai", OPENAI_VERSION, OPENAI_INTEGRITY)),
        ("the inspector of MCP", lambda: install_npm_locked(INSPECTOR, REQUIREMENTS / "inspector")),
        ("servers of tools", lambda: install_npm_locked(TOOL_SERVERS, REQUIREMENTS / "tool_servers")),
        (
            "servers of tools in Python",
            lambda: install_python(PYTHON_TOOL_SERVERS, REQUIREMENTS / "python_tool_servers.txt"),
        ),
        ("LiteLLM (large: some minutes)", lambda: install_python(LITELLM, REQUIREMENTS / "servers.txt")),
        ("llm and schemathesis", lambda: install_python(PROGRAMS, REQUIREMENTS / "programs.txt")),
        ("Chromium", lambda: install_with_apt("chromium", "chromium-browser", "google-chrome")),
        ("curl", lambda: install_with_apt("curl")),
        ("clamd", lambda: install_with_apt("clamav-daemon", "clamd")),
    )
    for name, install in wanted:
        print("  {} ...".format(name), flush=True)
        try:
            install()
        except CannotInstall as problem:
            print("{} is not here, so its tests are SKIPPED: {}".format(name, problem), flush=True)
    return 0


def install_npm(folder, package, version, integrity):
    """With npm, without running any script of the package, which has to be the only one."""
    if _is_done(folder, integrity):
        return
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    _run([_npm(), "install"] + _npm_options(folder) + ["--no-save", "{}@{}".format(package, version)])
    listed = json.loads((folder / "node_modules" / ".package-lock.json").read_text(encoding="utf-8"))["packages"]
    found = {name: entry.get("integrity") for name, entry in listed.items()}
    if found != {"node_modules/" + package: integrity}:
        shutil.rmtree(str(folder))
        raise CannotInstall("the package is not the one that was expected; it was removed.")
    _note_done(folder, integrity)


def install_npm_locked(folder, locked):
    """With npm, without running any script, exactly what the lock in ``locked`` has, by its hashes."""
    names = ("package.json", "package-lock.json")
    wanted = hashlib.sha256(b"".join((locked / name).read_bytes() for name in names)).hexdigest()
    if _is_done(folder, wanted):
        return
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    for name in names:
        shutil.copy(str(locked / name), str(folder / name))
    _run([_npm(), "ci"] + _npm_options(folder))
    _note_done(folder, wanted)


def _npm():
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise CannotInstall("node and npm are needed. Install them, for example: sudo apt-get install npm")
    return npm


def _npm_options(folder):
    return ["--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund"]


def install_python(folder, requirements):
    """With uv, in an environment of its own."""
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if _is_done(folder, wanted):
        return
    try:
        uv, python = set_up.find_uv(), set_up.find_python()
    except set_up.SetUpError as problem:
        raise CannotInstall(str(problem)) from None
    _run([uv, "venv", "--quiet", "--clear", "--python", python, str(folder)])
    target = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    _run([uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(target), "-r", str(requirements)])
    _note_done(folder, wanted)


def install_with_apt(package, *others):
    """With apt, as root only: what a person's system has is theirs to decide. ``others`` will do as well."""
    if any(shutil.which(name) for name in (package,) + others):
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", package]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise CannotInstall("it is not installed. Install it, for example: sudo {}".format(" ".join(command)))
    print("  " + " ".join(command), flush=True)
    _run(["apt-get", "update", "--quiet"])
    _run(command)


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
