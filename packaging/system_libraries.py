"""Finds the system libraries that Qt needs and that no wheel brings, and installs them where that is allowed.

Runs on the system's Python before anything is installed: standard library only, and old syntax.
The list comes from ldd over the Qt plugins, checked in a bare Debian 12.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

WINDOWLESS = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
}
X11 = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
WAYLAND = {"libwayland-cursor.so.0": "libwayland-cursor0"}
# The test that uses ChatDesk as a screen reader does; it is skipped, and says so, where these cannot be installed.
SCREEN_READER_PROGRAMS = {"dbus-daemon": "dbus-daemon", "xdotool": "xdotool"}
AT_SPI_LAUNCHERS = ("/usr/libexec/at-spi-bus-launcher", "/usr/lib/at-spi-bus-launcher")
ATSPI_PROBE = "import gi; gi.require_version('Atspi', '2.0'); from gi.repository import Atspi"
SYSTEM_PYTHON = "/usr/bin/python3"
# Debian's PostgreSQL, which has what the wheel of the tests has not: TLS, psql, pg_dump, and a version of its own.
SERVER_PROGRAMS = dict.fromkeys(("createdb", "pg_dump", "pg_dumpall", "pg_restore", "psql"), "postgresql")
SERVER_PLACE = "/usr/lib/postgresql"
# Its package would make a database at once and serve it; the tests start their own.
NO_CLUSTER = "/etc/postgresql-common/createcluster.d/chatdesk-tests.conf"
# What single tests start besides. All the programs that tests start are in these lists or in a bare Debian.
TEST_PROGRAMS = {
    "curl": "curl",
    "makeself": "makeself",
    "openssl": "openssl",
    "patch": "patch",
    "setxkbmap": "x11-xkb-utils",
    "strace": "strace",
}
OPTIONAL = ("screen_reader", "servers", "weston", "programs")
FONT_PACKAGE = "fonts-dejavu-core"
FONT_PLACES = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")


def kinds_needed(purpose):
    """``run`` needs what the display at hand needs; ``test`` also opens real X windows under Xvfb."""
    kinds = ["windowless"]
    if purpose == "test" or os.environ.get("DISPLAY"):
        kinds.append("x11")
    if os.environ.get("WAYLAND_DISPLAY"):
        kinds.append("wayland")
    if purpose == "test":
        kinds += ["test", *OPTIONAL]
    return kinds


def missing_packages(kinds):
    """Debian packages for what does not load. Empty where there is nothing to do (not Linux)."""
    if not sys.platform.startswith("linux"):
        return []
    wanted = dict(WINDOWLESS)
    if "x11" in kinds:
        wanted.update(X11)
    if "wayland" in kinds or "weston" in kinds:
        wanted.update(WAYLAND)
    missing = [package for library, package in wanted.items() if not _loads(library)]
    if not _has_fonts():
        missing.append(FONT_PACKAGE)
    if "test" in kinds and shutil.which("Xvfb") is None:
        missing.append("xvfb")
    if "screen_reader" in kinds:
        missing += missing_for_screen_reader()
    if "servers" in kinds:
        missing += missing_servers()
    # A Wayland compositor without a screen, for the test that opens the window there.
    if "weston" in kinds and shutil.which("weston") is None:
        missing.append("weston")
    if "programs" in kinds:
        missing += missing_programs(TEST_PROGRAMS)
    return missing


def missing_programs(wanted):
    """Return the packages of those programs that are not here. ``wanted`` has the package of each."""
    return sorted({package for program, package in wanted.items() if shutil.which(program) is None})


def missing_library_of(python):
    """Return the package with the shared library of a Python, which a packaged program takes along; None if it is here
    or if the Python was built without one."""
    loading = "import ctypes, sysconfig; name = sysconfig.get_config_var('INSTSONAME') or ''; print(name)"
    loading += "; '.so' in name and ctypes.CDLL(name)"
    tried = subprocess.run([python, "-c", loading], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return tried.stdout.decode().partition(".so")[0].strip() if tried.returncode else None


def missing_for_screen_reader():
    """What an outside accessibility client needs: a session bus, AT-SPI on it, and keys for the window."""
    missing = missing_programs(SCREEN_READER_PROGRAMS)
    if not any(Path(place).exists() for place in AT_SPI_LAUNCHERS):
        missing.append("at-spi2-core")
    probe = [SYSTEM_PYTHON, "-c", ATSPI_PROBE]
    if not Path(SYSTEM_PYTHON).exists() or subprocess.run(probe, capture_output=True).returncode != 0:
        missing += ["python3-gi", "gir1.2-atspi-2.0"]
    return missing


def missing_servers():
    """Return the packages of the PostgreSQL that tests of a team run beside the one of the development environment."""
    missing = missing_programs(SERVER_PROGRAMS)
    if not any(Path(SERVER_PLACE).glob("*/bin/postgres")):
        missing.append("postgresql")
    return sorted(set(missing))


def install(packages):
    """Install as root or with a sudo that asks nothing, after saying so; otherwise print the one command and return
    False. At a terminal the person is asked first."""
    command = "apt-get update && apt-get install -y --no-install-recommends " + " ".join(packages)
    if "postgresql" in packages:
        command = (
            "mkdir -p {0} && echo create_main_cluster = false > {1}; {2}; status=$?; rm -f {1}; exit $status"
        ).format(Path(NO_CLUSTER).parent, NO_CLUSTER, command)
    if shutil.which("apt-get") is None:
        print("ChatDesk needs system libraries that are missing here. On Debian they are called:")
        print("    " + " ".join(packages))
        print("Install what your system calls them, then run the same command again.")
        return False
    if os.geteuid() == 0:
        prefix = []
    elif shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        prefix = ["sudo", "-n"]
    else:
        print("ChatDesk needs system libraries that are missing here. Run this, then the same command again:")
        print("    sudo sh -c '" + command + "'")
        return False
    print("ChatDesk needs system packages that are missing here. This installs them as root:")
    print("    sh -c '" + command + "'", flush=True)
    if sys.stdin.isatty() and not _is_agreed():
        print("Nothing was installed. Run the line above yourself, then the same command again.")
        return False
    result = subprocess.run(
        prefix + ["env", "DEBIAN_FRONTEND=noninteractive", "sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode != 0:
        print(result.stdout[-2000:])
        print(
            "The system libraries could not be installed (the reason stands above). Run this by hand, then try again:"
        )
        print("    " + ("sudo " if prefix else "") + "sh -c '" + command + "'")
    return result.returncode == 0


def _is_agreed():
    try:
        return input("Install them now? [Y/n] ").strip().lower() in ("", "y", "yes")
    except EOFError:
        return False


def _loads(library):
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_fonts():
    for place in FONT_PLACES:
        for _, _, files in os.walk(str(Path(place).expanduser())):
            if any(name.endswith((".ttf", ".otf", ".ttc")) for name in files):
                return True
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--for", dest="purpose", choices=("run", "test"), default="run")
    parser.add_argument("--check", action="store_true", help="only say what is missing")
    arguments = parser.parse_args()
    packages = missing_packages(kinds_needed(arguments.purpose))
    if not packages:
        print("All system libraries are here.")
        return 0
    if arguments.check:
        print("Missing: " + " ".join(packages))
        return 1
    return 0 if install(packages) else 1


if __name__ == "__main__":
    sys.exit(main())
