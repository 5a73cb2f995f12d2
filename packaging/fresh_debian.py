"""A bare Debian without Python to try things in, with a plain user, and the lines that say what was tried.

Needs root and debootstrap. The system is unpacked anew for each use, below build/package.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

sys.dont_write_bytecode = True
import package  # noqa: E402
import set_up  # noqa: E402

ROOT = set_up.ROOT
SYSTEM = package.PLACE / "chroot"
RELEASES = {"12": "bookworm", "13": "trixie"}
MIRROR = os.environ.get("CHATDESK_DEBIAN_MIRROR", "http://deb.debian.org/debian")
USER = "ada"
# Authorities that this computer trusts besides Debian's, and variables that tell programs the way to the network.
AUTHORITIES = Path("/usr/local/share/ca-certificates")
NETWORK = ("http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL", "PIP_CERT", "UV_DEFAULT_INDEX", "SSL_CERT_FILE")
# What a desktop has that the tries use, or that opens links and files with their program.
HELPERS = "xvfb xdotool curl dbus gnome-keyring poppler-utils postgresql"
HELPERS += " libglib2.0-bin desktop-file-utils shared-mime-info unzip"
_PAGE = "```html\n<!doctype html><title>Lens</title><h1>Fresnel</h1>\n```"
_DRAWINGS = "$$\\int_0^1 x^2\\,dx$$\n\n```mermaid\ngraph TD; A-->B\n```"


class Tries:
    """Counts what was tried, and prints a line for each."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, name, is_so, words=""):
        """Print and count one thing that must be so."""
        self.count += 1
        if is_so():
            print("ok      " + name, flush=True)
            return
        self.failed += 1
        print("FAILED  {} {}".format(name, words), flush=True)

    def run(self, name, command):
        """Try a command, which ends with 0 where all is well."""
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.check(name, lambda: ended.returncode == 0, "\n" + ended.stdout[-2000:])

    def inside(self, name, words, is_quiet=False):
        """Try a line of shell in the fresh system."""
        ended = inside(words)
        if not is_quiet or ended.returncode:
            self.check(name, lambda: ended.returncode == 0, "\n" + ended.stdout[-2000:])

    def script(self, words):
        """Run a script in the fresh system, which prints such lines itself."""
        ended = inside(words)
        print(ended.stdout, end="", flush=True)
        lines = ended.stdout.splitlines()
        failed = len([line for line in lines if line.startswith("FAILED ")])
        self.count += failed + len([line for line in lines if line.startswith("ok ")])
        self.failed += failed or int(ended.returncode != 0)


@contextmanager
def fresh_system(release="12"):
    """Yield the folder of a fresh Debian with a plain user, and take it apart afterwards."""
    base = package.PLACE / "debian-{}.tar".format(release)
    if not base.exists():
        print("Making a Debian {} ...".format(release), flush=True)
        shutil.rmtree(str(SYSTEM), ignore_errors=True)
        SYSTEM.parent.mkdir(parents=True, exist_ok=True)
        command = ["debootstrap", "--variant=minbase", "--include=ca-certificates"]
        subprocess.run([*command, RELEASES[release], str(SYSTEM), MIRROR], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["tar", "-C", str(SYSTEM), "-cf", str(base), "."], check=True)
    shutil.rmtree(str(SYSTEM), ignore_errors=True)
    SYSTEM.mkdir(parents=True)
    subprocess.run(["tar", "-C", str(SYSTEM), "-xf", str(base)], check=True)
    shutil.copy("/etc/resolv.conf", str(SYSTEM / "etc" / "resolv.conf"))
    for each in Path("/etc/apt/apt.conf.d").glob("*"):  # the way to the mirror, where it is not straight
        shutil.copy(str(each), str(SYSTEM / "etc" / "apt" / "apt.conf.d" / each.name))
    if AUTHORITIES.is_dir():
        shutil.copytree(str(AUTHORITIES), str(SYSTEM / AUTHORITIES.relative_to("/")), dirs_exist_ok=True)
        inside("update-ca-certificates")
    mounts = [("proc", "proc"), ("devpts", "dev/pts"), ("tmpfs", "dev/shm")]
    try:
        for kind, place in mounts:
            (SYSTEM / place).mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "-t", kind, kind, str(SYSTEM / place)], check=True)
        tried = SYSTEM / "tmp" / "try"
        tried.mkdir()
        for script in package.DESKTOP.glob("try*"):
            shutil.copy(str(script), str(tried))
        shutil.copy(str(ROOT / "tests" / "data" / "imports" / "chatgpt.json"), str(tried))
        for name, said in (("Drawings", _DRAWINGS), ("A page", _PAGE)):
            export = tried / "{}.json".format(name.split()[-1].lower())
            export.write_text(json.dumps(_chat_of(name, said)), encoding="utf-8")
        inside("useradd -m -s /bin/sh {} && chmod -R a+rX /tmp/try".format(USER))
        yield SYSTEM
    finally:
        _end_what_runs()
        for _, place in reversed(mounts):
            subprocess.run(["umount", "-l", str(SYSTEM / place)], stderr=subprocess.DEVNULL)
        shutil.rmtree(str(SYSTEM), ignore_errors=True)


def network_settings():
    """Return the variables of this computer that tell programs the way to the network."""
    return {name: os.environ[name] for name in NETWORK if name in os.environ}


def in_namespaces_of_its_own():
    """Run this script again where its mounts and processes end with it, however it ends. Returns its code."""
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    # The first process is a shell, which waits for those that lost their parents.
    command += ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, *sys.argv, "--alone"]
    return subprocess.run(command).returncode


def _end_what_runs():
    """End what was started in the fresh system and still runs there, such as its PostgreSQL."""
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (place / "root").readlink() == SYSTEM:
                os.kill(int(place.name), signal.SIGKILL)


def _chat_of(name, said):
    """Return an export of another program with one answer."""
    message = {"uuid": "b", "sender": "assistant", "text": said, "created_at": "2026-01-01T00:00:01Z"}
    question = {"uuid": "a", "sender": "human", "text": "draw", "created_at": "2026-01-01T00:00:00Z"}
    return [
        {
            "uuid": name,
            "name": name,
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:01Z",
            "chat_messages": [question, message],
            "project": {"uuid": "p", "name": "Drawings"},
        }
    ]


def inside(words):
    """Run a line of shell as root in the fresh system."""
    command = ["chroot", str(SYSTEM), "/bin/sh", "-c", "export DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8; " + words]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


def apt(names):
    """Return the line that installs packages, and nothing that they only recommend."""
    return "apt-get -qq -y --no-install-recommends install " + names


def as_user(words):
    """Return the line that runs another as the plain user; it has no single quotes."""
    return "su - {} -c '{}'".format(USER, words)


def start_postgres():
    """Start Debian's PostgreSQL inside, with an empty database for a team. Returns the address of its owner, whose
    password is "harbour"."""
    statements = ("CREATE ROLE setup LOGIN CREATEROLE PASSWORD $$harbour$$", "CREATE DATABASE team OWNER setup")
    (SYSTEM / "tmp" / "team.sql").write_text(";\n".join(statements) + ";\n", encoding="utf-8")
    inside("pg_ctlcluster 15 main start; su postgres -c 'psql -f /tmp/team.sql'")
    return "postgresql://setup@127.0.0.1:5432/team"


def renumbered(deb, version):
    """Return the package of this commit under another version, to upgrade from or to go back from."""
    tree, target = package.PLACE / "renumbered", package.PLACE / "renumbered-{}.deb".format(version)
    shutil.rmtree(str(tree), ignore_errors=True)
    subprocess.run(["dpkg-deb", "--raw-extract", str(deb), str(tree)], check=True)
    control = tree / "DEBIAN" / "control"
    text = control.read_text(encoding="utf-8")
    control.write_text(text.replace("Version: " + package.version(), "Version: " + version), encoding="utf-8")
    packing = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), str(target)]
    subprocess.run(packing, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(str(tree))
    return target


def add_repository(system, repository):
    """Have apt in the fresh system take packages from a repository, by its key alone."""
    shutil.copytree(str(repository), str(system / "srv" / "apt"))
    shutil.copy(str(repository / "key.asc"), str(system / "usr" / "share" / "keyrings" / "chatdesk.asc"))
    source = "deb [signed-by=/usr/share/keyrings/chatdesk.asc] file:/srv/apt stable main\n"
    (system / "etc" / "apt" / "sources.list.d" / "chatdesk.list").write_text(source, encoding="utf-8")
