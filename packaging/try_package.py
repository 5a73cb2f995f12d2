"""Installs the packages in a fresh Debian 12 without Python, and uses them as a plain user: the .deb from a signed
repository, the .run, and the wheel with pipx. A line for each thing that was tried.

``try_package.py [--twice] [program] [portable] [languages] [pipx] [upgrade]``; without words all of them. Needs root
and debootstrap; the packages are in build/package (``make package``), the wheel is in dist (``make wheel``).
The package of a version before, for ``upgrade``, is the one that ``CHATDESK_OLDER_DEB`` names, else it is built.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial

sys.dont_write_bytecode = True
import package  # noqa: E402
import system_libraries  # noqa: E402
import try_portable  # noqa: E402
import try_upgrade  # noqa: E402
from fresh_debian import (  # noqa: E402
    HELPERS,
    ROOT,
    SYSTEM,
    USER,
    Tries,
    add_repository,
    apt,
    as_user,
    fresh_system,
    in_namespaces_of_its_own,
    inside,
    renumbered,
    start_postgres,
)

OLDER = "0.0.1"
LARGEST_DEB_MB = 90
PARTS = ("program", "portable", "languages", "pipx", "upgrade")
# The programs that this needs here besides those of `make package`, with Debian's packages of these.
TOOLS = {
    "debootstrap": "debootstrap",
    "lintian": "lintian",
    "desktop-file-validate": "desktop-file-utils",
    "appstreamcli": "appstream",
    "openssl": "openssl",
    "git": "git",
}
# What takes a picture of a window, lists fonts, and hears what a screen reader hears.
WATCHERS = "scrot fontconfig at-spi2-core python3-gi gir1.2-atspi-2.0"


def main():
    """Build nothing; try what is there. Returns 1 where something failed."""
    deb = package.PLACE / "chatdesk_{}_{}.deb".format(package.version(), package.said(["dpkg", "--print-architecture"]))
    if os.geteuid() != 0 or not deb.exists():
        print("This needs root, and the packages of `make package`.", file=sys.stderr)
        return 1
    missing = system_libraries.missing_programs(TOOLS)
    if missing and not system_libraries.install(missing):
        return 1
    if "--alone" not in sys.argv:
        return in_namespaces_of_its_own()
    wanted = [each for each in PARTS if each in sys.argv] or PARTS
    tries = Tries()
    _examine(tries, deb)
    if "--twice" in sys.argv:
        _build_again(tries, [deb, package.PLACE / "chatdesk-{}.run".format(package.version())])
    with fresh_system() as system:
        older = renumbered(deb, OLDER)
        add_repository(system, package.build_repository([older, deb]))
        older.unlink()
        before = _files(system)
        _upgrade(tries)
        tries.inside("helpers of the tests are installed", apt(HELPERS), is_quiet=True)
        before |= _files(system) - _ours(system)
        if "program" in wanted:
            named = "TEAM_URL={} CHATDESK_SETUP_PASSWORD=harbour".format(start_postgres())
            for script in ("try_program.sh", "try_window.sh"):
                tries.script(as_user("{} sh /tmp/try/{}".format(named, script)))
        tries.inside("apt removes it", "apt-get -qq -y purge chatdesk")
        left = sorted(each for each in _files(system) - before if "/home/" not in each and "/tmp/" not in each)
        tries.check("nothing is left but the person's data", lambda: not left, " ".join(left[:10]))
        tries.inside("the data of the person is there", as_user("test -s ~/.local/share/chatdesk/chatdesk.db"))
        if "portable" in wanted:
            try_portable.try_portable(tries, system)
        if "languages" in wanted:
            _use_in_other_languages(tries, system, deb)
        if "pipx" in wanted:
            _use_with_pipx(tries, system)
    if "upgrade" in wanted:
        try_upgrade.upgrade_and_go_back(tries, deb)
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


def _upgrade(tries):
    """Install the package under an older version, with data of the schema before, and upgrade."""
    tries.inside("the older package is installed by apt", "apt-get -qq update && " + apt("chatdesk=" + OLDER))
    _write_old_data()
    tries.inside("apt upgrades it", apt("chatdesk"))
    told = 'chatdesk --version | grep -q "^chatdesk {}"'.format(package.version())
    tries.inside("it is the new one", as_user(told))
    tries.inside("threads of the older schema are there", as_user('chatdesk threads | grep -q "Thread 2"'))
    tries.inside("a backup was made before the upgrade", as_user("ls ~/.local/share/chatdesk-backups/*-pre-*"))


def _use_in_other_languages(tries, system, deb):
    """Install the .deb as a person does, with what it recommends, and look at the window in other languages. The
    pictures are left in build/package/pictures."""
    shutil.copy(str(deb), str(system / "tmp" / "try" / "chatdesk.deb"))
    pictures = system / "tmp" / "try" / "pictures"
    pictures.mkdir(mode=0o777)
    pictures.chmod(0o777)
    tries.inside("apt installs the file with what it recommends", "apt-get -qq -y install /tmp/try/chatdesk.deb")
    tries.inside("what watches the window is installed", apt(WATCHERS), is_quiet=True)
    tries.script(as_user("dbus-run-session -- sh /tmp/try/try_languages.sh"))
    shutil.rmtree(str(package.PLACE / "pictures"), ignore_errors=True)
    shutil.copytree(str(pictures), str(package.PLACE / "pictures"))


def _use_with_pipx(tries, system):
    """Install the wheel with Debian's pipx, from a folder that has exactly what the lock names."""
    wheels = sorted((ROOT / "dist").glob("chatdesk-{}-*.whl".format(package.version())))
    tries.check("the wheel is here (make wheel)", lambda: bool(wheels))
    if not wheels:
        return
    _build_in_isolation(tries, wheels[-1])
    folder = system / "tmp" / "wheels"
    shutil.copytree(str(_locked_wheels()), str(folder))
    shutil.copy(str(wheels[-1]), str(folder))
    libraries = sorted(set(system_libraries.WINDOWLESS.values()))
    tries.inside("pipx and the libraries of Qt are installed", apt("pipx python3-venv " + " ".join(libraries)), True)
    options = "PIP_NO_INDEX=1 PIP_FIND_LINKS=/tmp/wheels"
    installing = '{} pipx install "/tmp/wheels/{}"'.format(options, wheels[-1].name)
    tries.inside("pipx installs the wheel", as_user(installing))
    program = "~/.local/bin/chatdesk"
    for name, words in {
        "its program asks and finds": '{0} ask "asked from the wheel" && {0} search wheel | grep -q Threads',
        "its processes render and print": '{0} export "$({0} threads | head -c 36)" --format pdf --output a.pdf',
        "its service and its tools answer": "{0} tools add wheel {0} mcp && {0} tools test wheel",
        "its doctor finds nothing wrong": "{0} doctor",
    }.items():
        tries.inside("pipx: " + name, as_user(words.format(program)))


def _build_in_isolation(tries, wheel):
    """Build the wheel again as strangers do, who have nothing but the source: from a clone, and from a file of it."""
    place = package.PLACE / "isolated"
    shutil.rmtree(str(place), ignore_errors=True)
    clone, target = place / "clone", place / wheel.name
    subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(clone)], check=True)
    packing = [str(ROOT / ".venv" / "bin" / "python"), "-m", "hatchling", "build", "--target", "sdist", "--directory"]
    subprocess.run([*packing, str(place)], cwd=str(clone), check=True, stderr=subprocess.DEVNULL)
    building = [package.find_python(), "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(place)]
    for source in (clone, *place.glob("*.tar.gz")):
        tries.run("pip builds the wheel from {}, in an environment of its own".format(source.name), [*building, source])
        tries.check("it is that of `make wheel`", lambda: target.exists() and _sum(target) == _sum(wheel))
        target.unlink(missing_ok=True)
    shutil.rmtree(str(place))


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


def _build_again(tries, built):
    """Build once more, and compare."""
    first = {each: _sum(each) for each in built}
    command = [sys.executable, str(ROOT / "packaging" / "package.py"), "build", "deb", "run"]
    tries.run("it is built once more", command)
    for each, expected in first.items():
        tries.check("two builds of {} are the same: {}".format(each.name, expected), partial(_has_sum, each, expected))


def _sum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _has_sum(path, expected):
    return _sum(path) == expected


def _write_old_data():
    """Put the frozen sample of the schema before the newest one where the user's data lies."""
    samples = sorted((ROOT / "tests" / "data" / "old_databases").glob("*.sql"))
    place = SYSTEM / "home" / USER / ".local" / "share" / "chatdesk" / "chatdesk.db"
    place.parent.mkdir(parents=True)
    with closing(sqlite3.connect(str(place))) as conn:
        conn.executescript(samples[-2].read_text(encoding="utf-8"))
    inside("chown -R {0}:{0} /home/{0}".format(USER))


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
