"""Builds the packages that people install, from the lock files: a folder of the packaged program, a .deb, a .run, and a
signed apt repository.

``package.py [build] [deb] [run] [repository]``; without words all of them. It runs on Debian's own Python, and what it
writes into build/package depends on the commit alone: two builds of one commit have the same contents.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import build_site  # noqa: E402
import encodings_files  # noqa: E402
import package_documents  # noqa: E402
import set_up  # noqa: E402
import system_libraries  # noqa: E402
import translations  # noqa: E402
from package_base import (  # noqa: E402
    DESKTOP,
    ENVIRONMENT,
    LOCK,
    PLACE,
    PROGRAM,
    ROOT,
    SITE_ENVIRONMENT,
    SITE_LOCK,
    commit_time,
    find_python,
    fixed_environment,
    homepage,
    python_of,
    run,
    said,
    version,
)

ICON = ROOT / "resources" / "app" / "chatdesk.svg"
# What the .deb takes from Debian: what belongs to the graphics driver, the desktop and the C library.
DEPENDS = (
    "libc6 (>= 2.36), libstdc++6, libgcc-s1, zlib1g, libgl1, libegl1, libglib2.0-0 | libglib2.0-0t64, libfontconfig1,"
    " libfreetype6, libdbus-1-3, libx11-6, libx11-xcb1, libxcb1, libxkbcommon0, libexpat1, ca-certificates"
)
RECOMMENDS = "fonts-dejavu-core, fonts-noto-core, fonts-noto-cjk, gnome-keyring | kwalletmanager | keepassxc"
# The steps, in their order, with the programs that each needs on Linux and Debian's packages of these.
STEPS = {
    "build": {"strip": "binutils", "objdump": "binutils"},
    "deb": {"dpkg-deb": "dpkg", "xz": "xz-utils"},
    "run": {"makeself": "makeself"},
    "repository": {"apt-ftparchive": "apt-utils", "gpg": "gpg", "gpg-agent": "gpg-agent"},
}


def main(arguments):
    """Run the steps that are named, in their order."""
    wanted = arguments or list(STEPS)
    unknown = sorted(set(wanted) - set(STEPS))
    if unknown:
        print("There are {}, not {}.".format(", ".join(STEPS), ", ".join(unknown)), file=sys.stderr)
        return 2
    try:
        missing = missing_packages(wanted, find_python())
    except set_up.SetUpError as problem:
        print(problem, file=sys.stderr)
        return 1
    if missing and not system_libraries.install(missing):
        return 1
    os.environ.update(fixed_environment())
    os.umask(0o022)
    try:
        if "build" in wanted:
            build()
        if "deb" in wanted:
            print(build_deb())
        if "run" in wanted:
            print(build_run())
        if "repository" in wanted:
            print(build_repository(sorted(PLACE.glob("chatdesk_*.deb"))))
    except set_up.SetUpError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def missing_packages(wanted, python):
    """Return the packages of Debian that these steps need and that are not here, all at once; elsewhere none."""
    if sys.platform != "linux":
        return []
    missing = []
    if "build" in wanted:  # it starts Qt to see what to take along
        missing += system_libraries.missing_packages(["windowless"])
        missing += filter(None, [system_libraries.missing_library_of(python)])
    tools = {program: package for step in wanted for program, package in STEPS[step].items()}
    return missing + system_libraries.missing_programs(tools)


def build():
    """Build the folder of the packaged program."""
    uv = set_up.find_uv()
    python = str(python_of(ENVIRONMENT))
    print("Building the program (some minutes; needs the network once)", flush=True)
    put_page(PLACE / "updates")
    _install(uv, ENVIRONMENT, LOCK)
    # It would take the GTK of the build machine along.
    for theme in ENVIRONMENT.glob("lib/*/site-packages/PySide6/Qt/plugins/platformthemes/libqgtk3.so"):
        theme.unlink()
    encodings_files.fetch(uv)
    translations.compile_changed(python)
    _install(uv, SITE_ENVIRONMENT, SITE_LOCK)
    build_site.build(python=python_of(SITE_ENVIRONMENT))
    for folder in ("dist", "work"):
        shutil.rmtree(str(PLACE / folder), ignore_errors=True)
    if sys.platform != "linux":
        os.environ["CHATDESK_ICON"] = str(_icon_of_programs())
    command = [python, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    command += ["--distpath", str(PLACE / "dist"), "--workpath", str(PLACE / "work")]
    run(command + [str(DESKTOP / "chatdesk.spec")])


def put_page(folder):
    """Put the page of releases that the portable program asks for newer versions into a folder: its address,
    CHATDESK_UPDATE_PAGE. Without one the program asks nothing."""
    address = os.environ.get("CHATDESK_UPDATE_PAGE", "")
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    if address:
        if not address.startswith("https://"):
            raise set_up.SetUpError("CHATDESK_UPDATE_PAGE must begin with https://.")
        _put(folder / "page.json", json.dumps({"address": address}).encode())


def _install(uv, environment, lock):
    """Make an environment with exactly what the lock file names, unless it is there."""
    stamp = environment / "lock.sha256"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest() + " " + find_python()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    run([uv, "venv", "--quiet", "--clear", "--python", find_python(), str(environment)])
    install = [uv, "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    run(install + ["--python", str(python_of(environment)), "-r", str(lock)])
    stamp.write_text(wanted, encoding="utf-8")


def build_deb():
    """Build the .deb of the packaged program; its path."""
    tree = PLACE / "deb"
    shutil.rmtree(str(tree), ignore_errors=True)
    library = tree / "usr" / "lib" / "chatdesk"
    shutil.copytree(str(PROGRAM), str(library), symlinks=True)
    command = tree / "usr" / "bin" / "chatdesk"
    command.parent.mkdir(parents=True)
    command.symlink_to("../lib/chatdesk/chatdesk")
    share = tree / "usr" / "share"
    _put(share / "applications" / "chatdesk.desktop", (DESKTOP / "chatdesk.desktop").read_bytes())
    _put(share / "mime" / "packages" / "chatdesk.xml", (DESKTOP / "chatdesk.mime.xml").read_bytes())
    _put(share / "metainfo" / "io.github.chatdesk.ChatDesk.metainfo.xml", package_documents.metainfo().encode())
    _put_icons(share / "icons" / "hicolor")
    _put(share / "man" / "man1" / "chatdesk.1.gz", packed(package_documents.man_page().encode()))
    documents = share / "doc" / "chatdesk"
    _put(documents / "copyright", package_documents.copyright_text().encode())
    _put(documents / "changelog.gz", packed(package_documents.debian_changelog().encode()))
    _put(documents / "NEWS.gz", packed((ROOT / "CHANGELOG.md").read_bytes()))
    _put(share / "lintian" / "overrides" / "chatdesk", (DESKTOP / "lintian-overrides").read_bytes())
    _same_dates(tree)
    size_kb = sum(path.lstat().st_size for path in tree.rglob("*") if not path.is_symlink()) // 1024
    control = {
        "Package": "chatdesk",
        "Version": version(),
        "Architecture": said(["dpkg", "--print-architecture"]),
        "Maintainer": "The ChatDesk developers <chatdesk@chatdesk.example>",
        "Installed-Size": str(size_kb),
        "Depends": DEPENDS,
        "Recommends": RECOMMENDS,
        "Section": "net",
        "Priority": "optional",
        **({"Homepage": homepage()} if homepage() else {}),
        "Description": "desktop chat application for language models\n"
        " ChatDesk talks to language models of any provider that speaks a common\n"
        " protocol, to models on this computer, or to none. It opens threads of\n"
        " 100,000 messages at once, loses no word, shows what the model sees, and\n"
        " lets a team share threads with nothing but a database.",
    }
    text = "".join("{}: {}\n".format(name, value) for name, value in control.items())
    _put(tree / "DEBIAN" / "control", text.encode())
    sums = [
        "{}  {}\n".format(hashlib.md5(path.read_bytes()).hexdigest(), path.relative_to(tree))
        for path in sorted(tree.rglob("*"))
        if path.is_file() and not path.is_symlink() and "DEBIAN" not in path.parts
    ]
    _put(tree / "DEBIAN" / "md5sums", "".join(sums).encode())
    _same_dates(tree)
    target = PLACE / "chatdesk_{}_{}.deb".format(control["Version"], control["Architecture"])
    run(["dpkg-deb", "--root-owner-group", "-Zxz", "-z6", "--build", str(tree), str(target)])
    return target


def build_run(program=PROGRAM, target=None, level=9):
    """Build the portable .run, which unpacks itself and starts, packed as closely as ``level`` of gzip does; its path.
    Not with xz, which a small system need not have."""
    target = target or PLACE / "chatdesk-{}.run".format(version())
    tree = PLACE / "run"
    shutil.rmtree(str(tree), ignore_errors=True)
    shutil.copytree(str(program), str(tree), symlinks=True)
    _put(tree / "install.sh", (DESKTOP / "install.sh").read_bytes(), mode=0o755)
    _put(tree / "chatdesk.desktop", (DESKTOP / "chatdesk.desktop").read_bytes())
    _put(tree / "chatdesk.mime.xml", (DESKTOP / "chatdesk.mime.xml").read_bytes())
    _put(tree / "chatdesk.svg", ICON.read_bytes())
    _same_dates(tree)
    date = "@{}".format(commit_time())
    # Words for gzip are passed on as they are: without the last it notes when it was called. The names are relative,
    # because the file tells how it was made.
    packing = ["makeself", "--quiet", "--gzip", "--complevel", "{} --no-name".format(level), "--nox11", "--tar-quietly"]
    packing += ["--packaging-date", date]
    packing += ["--tar-extra", "--sort=name --owner=0 --group=0 --numeric-owner --mtime=" + date]
    names = [tree.name, os.path.relpath(str(target), str(PLACE))]
    run(packing + names + ["ChatDesk " + version(), "./install.sh"], folder=PLACE)
    return target


def build_repository(debs):
    """Build an apt repository of these packages, signed with the key of CHATDESK_SIGNING_KEY (its id), else with one
    that is made for this build; its path. ``key.asc`` is the public key."""
    tree = PLACE / "apt"
    shutil.rmtree(str(tree), ignore_errors=True)
    pool = tree / "pool" / "main"
    index = tree / "dists" / "stable" / "main" / "binary-{}".format(said(["dpkg", "--print-architecture"]))
    pool.mkdir(parents=True)
    index.mkdir(parents=True)
    for deb in debs:
        shutil.copy(str(deb), str(pool))
    listed = subprocess.run(["apt-ftparchive", "packages", "pool"], cwd=str(tree), check=True, stdout=subprocess.PIPE)
    _put(index / "Packages", listed.stdout)
    _put(index / "Packages.gz", packed(listed.stdout))
    options = ["-o", "APT::FTPArchive::Release::Suite=stable", "-o", "APT::FTPArchive::Release::Components=main"]
    suite = tree / "dists" / "stable"
    release = subprocess.run(["apt-ftparchive", *options, "release", str(suite)], check=True, stdout=subprocess.PIPE)
    _put(suite / "Release", release.stdout)
    home = PLACE / "signing"
    signing = ["gpg", "--batch", "--yes", "--quiet"]
    key = os.environ.get("CHATDESK_SIGNING_KEY", "")
    if not key:
        home.mkdir(mode=0o700, exist_ok=True)
        signing += ["--homedir", str(home)]
        key = "test@chatdesk.example"
        if subprocess.run(signing + ["--list-keys", key], capture_output=True).returncode:
            run(signing + ["--passphrase", "", "--quick-generate-key", key, "ed25519", "sign", "never"])
    signing += ["--local-user", key]
    run(signing + ["--clearsign", "--output", str(suite / "InRelease"), str(suite / "Release")])
    run(signing + ["--armor", "--export-options", "export-minimal", "--output", str(tree / "key.asc"), "--export", key])
    return tree


def _put_icons(folder):
    _put(folder / "scalable" / "apps" / "chatdesk.svg", ICON.read_bytes())
    for size in (32, 48, 64, 128, 256):
        _put(folder / "{0}x{0}".format(size) / "apps" / "chatdesk.png", drawn_icon(size))


def drawn_icon(size):
    """Return the icon as PNG, so many pixels wide and high."""
    drawing = "import resvg_py, sys; sys.stdout.buffer.write(bytes(resvg_py.svg_to_bytes(svg_path=sys.argv[1],"
    drawing += " width=int(sys.argv[2]), height=int(sys.argv[2]))))"
    command = [str(python_of(ENVIRONMENT)), "-c", drawing, str(ICON), str(size)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def _icon_of_programs():
    """Write the icon that programs have inside; PyInstaller makes macOS's format of a PNG."""
    drawn, icon = PLACE / "chatdesk.png", PLACE / "chatdesk.ico"
    drawn.write_bytes(drawn_icon(1024))
    if sys.platform != "win32":
        return drawn
    converting = "from PIL import Image; import sys; Image.open(sys.argv[1]).save(sys.argv[2])"
    run([str(python_of(ENVIRONMENT)), "-c", converting, str(drawn), str(icon)])
    return icon


def _put(path, data, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def packed(data):
    """Return data as gzip has it, without a date."""
    return gzip.compress(data, 9, mtime=0)


def _same_dates(tree):
    """Give every file the date of the commit, and rights that do not depend on who builds."""
    date = commit_time()
    for path in sorted(tree.rglob("*"), reverse=True):
        if not path.is_symlink():
            is_program = path.is_dir() or (path.stat().st_mode & 0o100 and not path.name.endswith((".so", ".pyc")))
            path.chmod(0o755 if is_program and ".so." not in path.name else 0o644)
        os.utime(str(path), (date, date), follow_symlinks=False)
    os.utime(str(tree), (date, date))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
