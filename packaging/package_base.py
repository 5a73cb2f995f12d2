"""What the builders of packages share: where things lie, the version, the date of the commit, and starting programs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import set_up

ROOT = set_up.ROOT
PLACE = ROOT / "build" / "package"
ENVIRONMENT = PLACE / "venv"
PROGRAM = PLACE / "dist" / "chatdesk"
DESKTOP = ROOT / "packaging" / "desktop"
LOCK = ROOT / "requirements" / "package.txt"
# What builds the pages of help; nothing of it is packaged.
SITE_ENVIRONMENT, SITE_LOCK = PLACE / "site-venv", ROOT / "requirements" / "docs.txt"


def python_of(environment):
    """Return the Python of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def find_python():
    """Return the Python that is packaged: on Linux that of the system, which is built to be fast, where it will do."""
    system = "/usr/bin/python3"
    if sys.platform == "linux" and Path(system).exists():
        asked = [system, "-c", "import sys; print(*sys.version_info[:2])"]
        if set_up.OLDEST <= tuple(map(int, said(asked).split())) <= set_up.NEWEST:
            return os.path.realpath(system)
    return set_up.find_python()


def version():
    """Return the version of ChatDesk."""
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / "chatdesk" / "__init__.py").read_text(encoding="utf-8"))
    return found.group(1)


def homepage():
    """Return the address where the pages of `make docs` are published, CHATDESK_HOMEPAGE, without a slash at its end;
    empty where there is none. Raises ``SetUpError``."""
    address = os.environ.get("CHATDESK_HOMEPAGE", "").rstrip("/")
    if address and not re.fullmatch(r"https://[\w./~-]+", address):
        raise set_up.SetUpError("CHATDESK_HOMEPAGE must be an address that begins with https://.")
    return address


def commit_time():
    """Return when the commit was made, in seconds since 1970: every file of a package has this date."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=str(ROOT), capture_output=True, text=True)
    return int(asked.stdout) if asked.returncode == 0 else 0


def fixed_environment():
    """Return what makes a build the same each time, and no variable that would leave byte code out of it."""
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH"):
        os.environ.pop(name, None)
    return {
        "SOURCE_DATE_EPOCH": str(commit_time()),
        "PYTHONHASHSEED": "0",
        "CHATDESK_ROOT": str(ROOT),
        "CHATDESK_VERSION": version(),
        "LC_ALL": "C.UTF-8",
    }


def said(command):
    """Return what a program prints. Raises ``CalledProcessError``."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def run(command, folder=ROOT):
    """Run a program, in the checkout or another folder. Raises ``SetUpError``."""
    ended = subprocess.run(command, cwd=str(folder))
    if ended.returncode:
        raise set_up.SetUpError("{} failed.".format(" ".join(command[:3])))
