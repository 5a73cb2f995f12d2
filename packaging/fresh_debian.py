"""A bare Debian without Python to try things in, with a plain user, and the lines that say what was tried.

Needs root and debootstrap. The system is unpacked anew for each use, below build/package. The mirrors of Debian and of
Python's packages are those of this computer.
"""

from __future__ import annotations

import json
import os
import re
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
USER = "ada"
# Authorities that this computer trusts besides Debian's, and variables that tell programs the way to the network.
AUTHORITIES = Path("/usr/local/share/ca-certificates")
NETWORK = re.compile(r"(https?|no)_proxy|(PIP|UV)_\w*(INDEX|CERT|HOST|TIMEOUT)\w*|SSL_CERT_FILE", re.IGNORECASE)
# Where pip and uv read of their mirrors, here and in the fresh system, where all of it is of everybody.
CONFIGURED = {
    "/etc/pip.conf": "etc/pip.conf",
    "~/.config/pip/pip.conf": "etc/xdg/pip/pip.conf",
    "/etc/uv/uv.toml": "etc/uv/uv.toml",
    "~/.config/uv/uv.toml": "etc/uv/uv.toml",
}
# An address among apt's lists: after "deb" and its options, or as a field.
SOURCE = re.compile(r"^(?:deb(?: +\[.*?\])? +|URIs: *)(\S+/debian)/?(?:\s|$)", re.MULTILINE)
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


def mirror():
    """Return the mirror of Debian that apt uses here, or the one of CHATDESK_DEBIAN_MIRROR. Raises ``SetUpError``."""
    lists = Path("/etc/apt").glob("sources.list*")
    files = [each for place in lists for each in (sorted(place.iterdir()) if place.is_dir() else [place])]
    texts = [each.read_text(encoding="utf-8") for each in files if each.suffix in (".list", ".sources")]
    found = os.environ.get("CHATDESK_DEBIAN_MIRROR") or mirror_among(texts)
    if found:
        return found
    raise set_up.SetUpError("apt has no mirror of Debian here. Set CHATDESK_DEBIAN_MIRROR to the address of one.")


def mirror_among(texts):
    """Return the first mirror of Debian in the texts of apt's lists, None without one."""
    return next((found.group(1) for found in map(SOURCE.search, texts) if found), None)


@contextmanager
def fresh_system(release="12", kept=None):
    """Yield the folder of a fresh Debian with a plain user, and take it apart afterwards, or leave it at ``kept``."""
    base = package.PLACE / "debian-{}.tar".format(release)
    if not base.exists():
        print("Making a Debian {} ...".format(release), flush=True)
        shutil.rmtree(str(SYSTEM), ignore_errors=True)
        SYSTEM.parent.mkdir(parents=True, exist_ok=True)
        command = ["debootstrap", "--variant=minbase", "--include=ca-certificates"]
        subprocess.run([*command, RELEASES[release], str(SYSTEM), mirror()], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["tar", "-C", str(SYSTEM), "-cf", str(base), "."], check=True)
    shutil.rmtree(str(SYSTEM), ignore_errors=True)
    SYSTEM.mkdir(parents=True)
    subprocess.run(["tar", "-C", str(SYSTEM), "-xf", str(base)], check=True)
    shutil.copy("/etc/resolv.conf", str(SYSTEM / "etc" / "resolv.conf"))
    # The installer of Debian writes it, debootstrap does not.
    (SYSTEM / "etc" / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n", encoding="utf-8")
    for each in Path("/etc/apt/apt.conf.d").glob("*"):  # the way to the mirror, where it is not straight
        shutil.copy(str(each), str(SYSTEM / "etc" / "apt" / "apt.conf.d" / each.name))
    for here, there in CONFIGURED.items():
        if Path(here).expanduser().exists():
            (SYSTEM / there).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(Path(here).expanduser()), str(SYSTEM / there))
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
        if kept is not None:
            shutil.rmtree(str(kept), ignore_errors=True)
            SYSTEM.rename(kept)
        shutil.rmtree(str(SYSTEM), ignore_errors=True)


def network_settings():
    """Return the variables of this computer that tell programs the way to the network."""
    return {name: value for name, value in os.environ.items() if NETWORK.fullmatch(name)}


def in_namespaces_of_its_own():
    """Run this script again where its mounts and processes end with it, however it ends. Returns its code."""
    # A signal that ends this process would not reach unshare, which ignores the usual ones.
    command = ["setpriv", "--pdeathsig", "KILL"]
    command += ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
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
