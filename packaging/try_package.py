"""Installs the .deb in a fresh Debian 12 without Python, from a signed repository, and uses it as a plain user.

Needs root and debootstrap; the packages are in build/package (``make package``). A line for each thing that was tried.
"""

from __future__ import annotations

import hashlib
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
import system_libraries  # noqa: E402

ROOT = set_up.ROOT
SYSTEM = package.PLACE / "chroot"
BASE = package.PLACE / "debian.tar"
MIRROR = os.environ.get("CHATDESK_DEBIAN_MIRROR", "http://deb.debian.org/debian")
HELPERS = "xvfb xdotool curl dbus gnome-keyring poppler-utils postgresql"
#: What a desktop has that opens links and files with their program.
HELPERS += " libglib2.0-bin desktop-file-utils shared-mime-info"
USER = "ada"
OLDER = "0.0.1"
LARGEST_DEB_MB = 90
_PAGE = "```html\n<!doctype html><title>Lens</title><h1>Fresnel</h1>\n```"
_DRAWINGS = "$$\\int_0^1 x^2\\,dx$$\n\n```mermaid\ngraph TD; A-->B\n```"


def main():
    """Build nothing; try what is there. Returns 1 where something failed."""
    deb = package.PLACE / "chatdesk_{}_{}.deb".format(package.version(), package.said(["dpkg", "--print-architecture"]))
    if os.geteuid() != 0 or shutil.which("debootstrap") is None or not deb.exists():
        print("This needs root, debootstrap, and the packages of `make package`.", file=sys.stderr)
        return 1
    tries = Tries()
    _examine(tries, deb)
    if "--twice" in sys.argv:
        tries.run("two builds of one commit are the same", ["sh", "-c", _same_again(deb)])
    with fresh_system() as system:
        older = older_deb(deb)
        _add_repository(system, package.build_repository([older, deb]))
        before = _files(system)
        _upgrade(tries, system, older)
        tries.inside("helpers of the tests are installed", _apt(HELPERS), is_quiet=True)
        before |= _files(system) - _ours(system)
        named = "TEAM_URL={} CHATDESK_SETUP_PASSWORD=harbour".format(_start_postgres())
        for script in ("try_program.sh", "try_window.sh"):
            tries.script("su - {} -c '{} sh /tmp/try/{}'".format(USER, named, script))
        tries.inside("apt removes it", "apt-get -qq -y purge chatdesk")
        left = sorted(each for each in _files(system) - before if "/home/" not in each and "/tmp/" not in each)
        tries.check("nothing is left but the person's data", lambda: not left, " ".join(left[:10]))
        tries.inside("the data of the person is there", _as_user("test -s ~/.local/share/chatdesk/chatdesk.db"))
        _use_with_pipx(tries, system)
    print("{} of {} failed.".format(tries.failed, tries.count))
    return 1 if tries.failed else 0


def _examine(tries, deb):
    """Try what can be said of the package where it lies."""
    megabytes = deb.stat().st_size / 1e6
    tries.check("the .deb has {:.1f} MB, at most 90".format(megabytes), lambda: megabytes <= LARGEST_DEB_MB)
    metainfo = map(str, (package.PLACE / "deb").rglob("*.metainfo.xml"))
    for program, command in {
        "lintian": ["lintian", "--allow-root", "--fail-on", "error,warning", str(deb)],
        "desktop-file-validate": ["desktop-file-validate", str(package.DESKTOP / "chatdesk.desktop")],
        "appstreamcli": ["appstreamcli", "validate", "--no-net", *metainfo],
    }.items():
        tries.run("{} finds nothing".format(program), command)


def _add_repository(system, repository):
    """Have apt in the fresh system take packages from a repository, by its key alone."""
    shutil.copytree(str(repository), str(system / "srv" / "apt"))
    shutil.copy(str(repository / "key.asc"), str(system / "usr" / "share" / "keyrings" / "chatdesk.asc"))
    source = "deb [signed-by=/usr/share/keyrings/chatdesk.asc] file:/srv/apt stable main\n"
    (system / "etc" / "apt" / "sources.list.d" / "chatdesk.list").write_text(source, encoding="utf-8")


def _upgrade(tries, system, older):
    """Install the older package, write with it, and upgrade."""
    version = package.said(["dpkg-deb", "--field", str(older), "Version"])
    tries.inside("the older package is installed by apt", "apt-get -qq update && " + _apt("chatdesk=" + version))
    if version == OLDER:
        _write_old_data(system)
        known = 'chatdesk threads | grep -q "Thread 2"'
    else:
        tries.inside("version {} is asked".format(version), _as_user('chatdesk ask "asked before the upgrade"'))
        known = 'chatdesk search "before the upgrade" | grep -q Threads'
    tries.inside("apt upgrades it", _apt("chatdesk"))
    told = 'chatdesk --version | grep -q "^chatdesk {}"'.format(package.version())
    tries.inside("it is the new one", _as_user(told))
    tries.inside("threads of the older version are there", _as_user(known))
    tries.inside("a backup was made before the upgrade", _as_user("ls ~/.local/share/chatdesk-backups/*-pre-*"))


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

    def script(self, words):
        """Run a script in the fresh system, which prints such lines itself."""
        ended = _inside(words)
        print(ended.stdout, end="", flush=True)
        lines = ended.stdout.splitlines()
        failed = len([line for line in lines if line.startswith("FAILED ")])
        self.count += failed + len([line for line in lines if line.startswith("ok ")])
        self.failed += failed or int(ended.returncode != 0)


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
        for script in package.DESKTOP.glob("try*.sh"):
            shutil.copy(str(script), str(tried))
        shutil.copy(str(ROOT / "tests" / "data" / "imports" / "chatgpt.json"), str(tried))
        for name, said in (("Drawings", _DRAWINGS), ("A page", _PAGE)):
            export = tried / "{}.json".format(name.split()[-1].lower())
            export.write_text(json.dumps(_chat_of(name, said)), encoding="utf-8")
        _inside("useradd -m -s /bin/sh {} && chmod -R a+rX /tmp/try".format(USER))
        yield SYSTEM
    finally:
        for _, place in reversed(mounts):
            subprocess.run(["umount", "-l", str(SYSTEM / place)], stderr=subprocess.DEVNULL)
        shutil.rmtree(str(SYSTEM), ignore_errors=True)


def _use_with_pipx(tries, system):
    """Install the wheel with Debian's pipx, from a folder that has exactly what the lock names."""
    wheels = sorted((ROOT / "dist").glob("chatdesk-{}-*.whl".format(package.version())))
    tries.check("the wheel is here (make wheel)", lambda: bool(wheels))
    if not wheels:
        return
    folder = system / "tmp" / "wheels"
    shutil.copytree(str(_locked_wheels()), str(folder))
    shutil.copy(str(wheels[-1]), str(folder))
    libraries = sorted(set(system_libraries.WINDOWLESS.values()))
    tries.inside("pipx and the libraries of Qt are installed", _apt("pipx python3-venv " + " ".join(libraries)), True)
    options = "PIP_NO_INDEX=1 PIP_FIND_LINKS=/tmp/wheels"
    installing = '{} pipx install "/tmp/wheels/{}[service]"'.format(options, wheels[-1].name)
    tries.inside("pipx installs the wheel", _as_user(installing))
    program = "~/.local/bin/chatdesk"
    for name, words in {
        "its program asks and finds": '{0} ask "asked from the wheel" && {0} search wheel | grep -q Threads',
        "its processes render and print": '{0} export "$({0} threads | head -c 36)" --format pdf --output a.pdf',
        "its service and its tools answer": "{0} tools add wheel {0} mcp && {0} tools test wheel",
        "its doctor finds nothing wrong": "{0} doctor",
    }.items():
        tries.inside("pipx: " + name, _as_user(words.format(program)))


def _locked_wheels():
    """Return a folder with the packages of the lock for a window and the service, and what pipx itself asks for."""
    folder = package.PLACE / "wheels"
    stamp, lock = folder / "lock.sha256", ROOT / "requirements" / "run.txt"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(str(folder), ignore_errors=True)
        fetching = [package.find_python(), "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        fetching += ["--only-binary", ":all:", "--dest", str(folder)]
        subprocess.run(fetching + ["--require-hashes", "-r", str(lock)], check=True)
        subprocess.run(fetching + ["pip", "setuptools", "wheel"], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return folder


def older_deb(deb):
    """Return the package that CHATDESK_OLDER_DEB names, else this one under an older version, to upgrade from."""
    if "CHATDESK_OLDER_DEB" in os.environ:
        return Path(os.environ["CHATDESK_OLDER_DEB"])
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
