"""Installs the .deb in a fresh Debian 12 without Python, from a signed repository, and uses it as a plain user.

Needs root and debootstrap; the packages are in build/package (``make package``). A line for each thing that was tried.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

sys.dont_write_bytecode = True
import package  # noqa: E402
import set_up  # noqa: E402

ROOT = set_up.ROOT
SYSTEM = package.PLACE / "chroot"
BASE = package.PLACE / "debian.tar"
MIRROR = os.environ.get("CHATDESK_DEBIAN_MIRROR", "http://deb.debian.org/debian")
HELPERS = "xvfb xdotool curl dbus gnome-keyring poppler-utils postgresql"
USER = "ada"
OLDER = "0.0.1"
LARGEST_DEB_BYTES = 90 * 1000 * 1000
_DRAWINGS = "$$\\int_0^1 x^2\\,dx$$\n\n```mermaid\ngraph TD; A-->B\n```"


def main():
    """Build nothing; try what is there. Returns 1 where something failed."""
    debs = sorted(package.PLACE.glob("chatdesk_*.deb"))
    if os.geteuid() != 0 or shutil.which("debootstrap") is None or not debs:
        print("This needs root, debootstrap, and the packages of `make package`.", file=sys.stderr)
        return 1
    tries = Tries()
    tries.check("the .deb has at most 90 MB", lambda: debs[-1].stat().st_size <= LARGEST_DEB_BYTES)
    for program, command in {
        "lintian": ["lintian", "--allow-root", "--fail-on", "error,warning", str(debs[-1])],
        "desktop-file-validate": ["desktop-file-validate", str(package.DESKTOP / "chatdesk.desktop")],
        "appstreamcli": [
            "appstreamcli",
            "validate",
            "--no-net",
            *map(str, (package.PLACE / "deb").rglob("*.metainfo.xml")),
        ],
    }.items():
        tries.run("{} finds nothing".format(program), command)
    if "--twice" in sys.argv:
        tries.run("two builds of one commit are the same", ["sh", "-c", _same_again(debs[-1])])
    with fresh_system() as system:
        repository = package.build_repository([older_deb(debs[-1]), debs[-1]])
        shutil.copytree(str(repository), str(system / "srv" / "apt"))
        shutil.copy(str(repository / "key.asc"), str(system / "usr" / "share" / "keyrings" / "chatdesk.asc"))
        source = "deb [signed-by=/usr/share/keyrings/chatdesk.asc] file:/srv/apt stable main\n"
        (system / "etc" / "apt" / "sources.list.d" / "chatdesk.list").write_text(source, encoding="utf-8")
        before = _files(system)
        tries.inside("the older package is installed by apt", "apt-get -qq update && " + _apt("chatdesk=" + OLDER))
        _write_old_data(system)
        tries.inside("apt upgrades it", _apt("chatdesk"))
        tries.inside("threads of the older version are there", _as_user('chatdesk threads | grep -q "Thread 2"'))
        tries.inside("a backup was made before the upgrade", _as_user("ls ~/.local/share/chatdesk-backups | grep -q ."))
        tries.inside("helpers of the tests are installed", _apt(HELPERS), is_quiet=True)
        before |= _files(system) - _ours(system)
        team = _start_postgres()
        named = "TEAM_URL={} CHATDESK_SETUP_PASSWORD=harbour".format(team)
        ended = _inside("su - {} -c '{} sh /tmp/try/try_program.sh'".format(USER, named))
        print(ended.stdout, end="")
        tries.failed += ended.returncode != 0
        tries.inside("apt removes it", "apt-get -qq -y purge chatdesk")
        left = sorted(each for each in _files(system) - before if "/home/" not in each and "/tmp/" not in each)
        tries.check("nothing is left but the person's data", lambda: not left, " ".join(left[:10]))
    print("{} of {} failed.".format(tries.failed, tries.count))
    return 1 if tries.failed else 0


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
        ended = _inside(words)
        if not is_quiet or ended.returncode:
            self.check(name, lambda: ended.returncode == 0, "\n" + ended.stdout[-2000:])


@contextmanager
def fresh_system():
    """Yield the folder of a fresh Debian 12 with a plain user, and take it apart afterwards."""
    if not BASE.exists():
        print("Making a Debian 12 ...", flush=True)
        shutil.rmtree(str(SYSTEM), ignore_errors=True)
        command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(SYSTEM), MIRROR]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["tar", "-C", str(SYSTEM), "-cf", str(BASE), "."], check=True)
    shutil.rmtree(str(SYSTEM), ignore_errors=True)
    SYSTEM.mkdir(parents=True)
    subprocess.run(["tar", "-C", str(SYSTEM), "-xf", str(BASE)], check=True)
    shutil.copy("/etc/resolv.conf", str(SYSTEM / "etc" / "resolv.conf"))
    for each in Path("/etc/apt/apt.conf.d").glob("*"):  # the way to the mirror, where it is not straight
        shutil.copy(str(each), str(SYSTEM / "etc" / "apt" / "apt.conf.d" / each.name))
    mounts = [("proc", "proc"), ("devpts", "dev/pts"), ("tmpfs", "dev/shm")]
    try:
        for kind, place in mounts:
            (SYSTEM / place).mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "-t", kind, kind, str(SYSTEM / place)], check=True)
        tried = SYSTEM / "tmp" / "try"
        tried.mkdir()
        shutil.copy(str(package.DESKTOP / "try_program.sh"), str(tried))
        shutil.copy(str(ROOT / "tests" / "data" / "imports" / "chatgpt.json"), str(tried))
        (tried / "drawings.json").write_text(json.dumps(_drawings()), encoding="utf-8")
        _inside("useradd -m -s /bin/sh {} && chmod -R a+rX /tmp/try".format(USER))
        yield SYSTEM
    finally:
        for _, place in reversed(mounts):
            subprocess.run(["umount", "-l", str(SYSTEM / place)], stderr=subprocess.DEVNULL)
        shutil.rmtree(str(SYSTEM), ignore_errors=True)


def older_deb(deb):
    """Return the same package under an older version, to upgrade from."""
    tree, target = package.PLACE / "older", package.PLACE / "older.deb"
    shutil.rmtree(str(tree), ignore_errors=True)
    subprocess.run(["dpkg-deb", "--raw-extract", str(deb), str(tree)], check=True)
    control = tree / "DEBIAN" / "control"
    text = control.read_text(encoding="utf-8")
    control.write_text(text.replace("Version: " + package.version(), "Version: " + OLDER), encoding="utf-8")
    packing = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z0", "--build", str(tree), str(target)]
    subprocess.run(packing, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(str(tree))
    return target


def _same_again(deb):
    """Return the shell that builds once more and compares the contents."""
    again = "{} {} build deb > /dev/null".format(sys.executable, ROOT / "packaging" / "package.py")
    return "cp {0} {0}.first && {1} && cmp {0}.first {0}; code=$?; rm -f {0}.first; exit $code".format(deb, again)


def _write_old_data(system):
    """Put the frozen sample of the schema before the newest one where the user's data lies."""
    samples = sorted((ROOT / "tests" / "data" / "old_databases").glob("*.sql"))
    place = system / "home" / USER / ".local" / "share" / "chatdesk" / "chatdesk.db"
    place.parent.mkdir(parents=True)
    with closing(sqlite3.connect(str(place))) as conn:
        conn.executescript(samples[-2].read_text(encoding="utf-8"))
    _inside("chown -R {0}:{0} /home/{0}".format(USER))


def _drawings():
    """Return an export of another program, of which ChatDesk has to draw a formula and a diagram."""
    message = {"uuid": "b", "sender": "assistant", "text": _DRAWINGS, "created_at": "2026-01-01T00:00:01Z"}
    question = {"uuid": "a", "sender": "human", "text": "draw", "created_at": "2026-01-01T00:00:00Z"}
    project = {"uuid": "p", "name": "Drawings"}
    return [
        {
            "uuid": "c",
            "name": "Drawings",
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:01Z",
            "chat_messages": [question, message],
            "project": project,
        }
    ]


def _start_postgres():
    """Start Debian's PostgreSQL inside, with an empty database for a team; the address of its owner."""
    statements = ("CREATE ROLE setup LOGIN CREATEROLE PASSWORD $$harbour$$", "CREATE DATABASE team OWNER setup")
    (SYSTEM / "tmp" / "team.sql").write_text(";\n".join(statements) + ";\n", encoding="utf-8")
    _inside("pg_ctlcluster 15 main start; su postgres -c 'psql -f /tmp/team.sql'")
    return "postgresql://setup@127.0.0.1:5432/team"


def _inside(words):
    command = ["chroot", str(SYSTEM), "/bin/sh", "-c", "export DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8; " + words]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


def _apt(names):
    return "apt-get -qq -y --no-install-recommends install " + names


def _as_user(words):
    return "su - {} -c '{}'".format(USER, words)


def _files(system):
    """Return the paths of all files but those that change by themselves."""
    kept = []
    for place in ("var", "proc", "run", "dev"):
        kept += ["-not", "-path", "{}/{}/*".format(system, place)]
    command = ["find", str(system), "-xdev", "-not", "-type", "d"] + kept
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return {each[len(str(system)) :] for each in found.stdout.splitlines()}


def _ours(system):
    listed = (system / "var" / "lib" / "dpkg" / "info" / "chatdesk.list").read_text(encoding="utf-8")
    return set(listed.splitlines())


if __name__ == "__main__":
    sys.exit(main())
