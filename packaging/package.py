"""Builds the packages that people install, from the lock files: a folder of the packaged program, a .deb, a .run, and a
signed apt repository.

``package.py [build] [deb] [run] [repository]``; without words all of them. It runs on Debian's own Python, and what it
writes into build/package depends on the commit alone: two builds of one commit have the same contents.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import build_site  # noqa: E402
import encodings_files  # noqa: E402
import set_up  # noqa: E402

ROOT = set_up.ROOT
PLACE = ROOT / "build" / "package"
ENVIRONMENT = PLACE / "venv"
PROGRAM = PLACE / "dist" / "chatdesk"
DESKTOP = ROOT / "packaging" / "desktop"
LOCK = ROOT / "requirements" / "package.txt"
#: What builds the pages of help; nothing of it is packaged.
SITE_ENVIRONMENT, SITE_LOCK = PLACE / "site-venv", ROOT / "requirements" / "docs.txt"
#: What the .deb takes from Debian: what belongs to the graphics driver, the desktop and the C library.
DEPENDS = (
    "libc6 (>= 2.36), libstdc++6, libgcc-s1, zlib1g, libgl1, libegl1, libglib2.0-0 | libglib2.0-0t64, libfontconfig1,"
    " libfreetype6, libdbus-1-3, libx11-6, libx11-xcb1, libxcb1, libxkbcommon0, libexpat1, ca-certificates"
)
RECOMMENDS = "fonts-dejavu-core, gnome-keyring | kwalletmanager | keepassxc"
STEPS = ("build", "deb", "run", "repository")
TOOLS = {
    "dpkg-deb": "dpkg", "strip": "binutils", "xz": "xz-utils", "makeself": "makeself", "objdump": "binutils",
    "apt-ftparchive": "apt-utils", "gpg": "gpg",
}  # fmt: skip


def main(arguments):
    """Run the steps that are named, in their order."""
    wanted = arguments or list(STEPS)
    unknown = sorted(set(wanted) - set(STEPS))
    if unknown:
        print("There are {}, not {}.".format(", ".join(STEPS), ", ".join(unknown)), file=sys.stderr)
        return 2
    missing = sorted({package for program, package in TOOLS.items() if shutil.which(program) is None})
    if missing:
        print("Missing here: sudo apt-get install " + " ".join(missing), file=sys.stderr)
        return 1
    os.environ.update(_fixed_environment())
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


def version():
    """Return the version of ChatDesk."""
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / "chatdesk" / "__init__.py").read_text(encoding="utf-8"))
    return found.group(1)


def commit_time():
    """Return when the commit was made, in seconds since 1970: every file of a package has this date."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=str(ROOT), capture_output=True, text=True)
    return int(asked.stdout) if asked.returncode == 0 else 0


def _fixed_environment():
    """Return what makes a build the same each time, and no variable that would leave byte code out of it."""
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH"):
        os.environ.pop(name, None)
    return {
        "SOURCE_DATE_EPOCH": str(commit_time()),
        "PYTHONHASHSEED": "0",
        "CHATDESK_ROOT": str(ROOT),
        "LC_ALL": "C.UTF-8",
    }


def build():
    """Build the folder of the packaged program."""
    uv = set_up.find_uv()
    python = str(ENVIRONMENT / "bin" / "python")
    print("Building the program (some minutes; needs the network once)", flush=True)
    _install(uv, ENVIRONMENT, LOCK)
    # It would take the GTK of the build machine along.
    for theme in ENVIRONMENT.glob("lib/*/site-packages/PySide6/Qt/plugins/platformthemes/libqgtk3.so"):
        theme.unlink()
    encodings_files.fetch(uv)
    _install(uv, SITE_ENVIRONMENT, SITE_LOCK)
    build_site.build(python=SITE_ENVIRONMENT / "bin" / "python")
    for folder in ("dist", "work"):
        shutil.rmtree(str(PLACE / folder), ignore_errors=True)
    command = [python, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    command += ["--distpath", str(PLACE / "dist"), "--workpath", str(PLACE / "work")]
    _run(command + [str(DESKTOP / "chatdesk.spec")])


def _install(uv, environment, lock):
    """Make an environment with exactly what the lock file names, unless it is there."""
    stamp = environment / "lock.sha256"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    _run([uv, "venv", "--quiet", "--clear", "--python", set_up.find_python(), str(environment)])
    install = [uv, "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    _run(install + ["--python", str(environment / "bin" / "python"), "-r", str(lock)])
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
    _put(share / "metainfo" / "io.github.chatdesk.ChatDesk.metainfo.xml", metainfo().encode())
    _put_icons(share / "icons" / "hicolor")
    _put(share / "man" / "man1" / "chatdesk.1.gz", packed(man_page().encode()))
    documents = share / "doc" / "chatdesk"
    _put(documents / "copyright", copyright_text().encode())
    _put(documents / "changelog.gz", packed(debian_changelog().encode()))
    _put(documents / "NEWS.gz", packed((ROOT / "CHANGELOG.md").read_bytes()))
    _put(share / "lintian" / "overrides" / "chatdesk", (DESKTOP / "lintian-overrides").read_bytes())
    _same_dates(tree)
    size_kb = sum(path.lstat().st_size for path in tree.rglob("*") if not path.is_symlink()) // 1024
    control = {
        "Package": "chatdesk",
        "Version": version(),
        "Architecture": _said(["dpkg", "--print-architecture"]),
        "Maintainer": "The ChatDesk developers <chatdesk@chatdesk.example>",
        "Installed-Size": str(size_kb),
        "Depends": DEPENDS,
        "Recommends": RECOMMENDS,
        "Section": "net",
        "Priority": "optional",
        "Homepage": "https://chatdesk.example/",
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
    _run(["dpkg-deb", "--root-owner-group", "-Zxz", "-z6", "--build", str(tree), str(target)])
    return target


def build_run():
    """Build the portable .run, which unpacks itself and starts; its path."""
    target = PLACE / "chatdesk-{}.run".format(version())
    tree = PLACE / "run"
    shutil.rmtree(str(tree), ignore_errors=True)
    shutil.copytree(str(PROGRAM), str(tree), symlinks=True)
    _put(tree / "install.sh", (DESKTOP / "install.sh").read_bytes(), mode=0o755)
    _put(tree / "chatdesk.desktop", (DESKTOP / "chatdesk.desktop").read_bytes())
    _put(tree / "chatdesk.mime.xml", (DESKTOP / "chatdesk.mime.xml").read_bytes())
    _put(tree / "chatdesk.svg", (ROOT / "resources" / "app" / "chatdesk.svg").read_bytes())
    _same_dates(tree)
    date = "@{}".format(commit_time())
    packing = ["makeself", "--quiet", "--xz", "--nox11", "--tar-quietly", "--packaging-date", date]
    packing += ["--tar-extra", "--sort=name --owner=0 --group=0 --numeric-owner --mtime=" + date]
    _run(packing + [str(tree), str(target), "ChatDesk " + version(), "./install.sh"])
    return target


def build_repository(debs):
    """Build an apt repository of these packages, signed with the key of CHATDESK_SIGNING_KEY (its id), else with one
    that is made for this build; its path. ``key.asc`` is the public key."""
    tree = PLACE / "apt"
    shutil.rmtree(str(tree), ignore_errors=True)
    pool = tree / "pool" / "main"
    index = tree / "dists" / "stable" / "main" / "binary-{}".format(_said(["dpkg", "--print-architecture"]))
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
            _run(signing + ["--passphrase", "", "--quick-generate-key", key, "ed25519", "sign", "never"])
    signing += ["--local-user", key]
    _run(signing + ["--clearsign", "--output", str(suite / "InRelease"), str(suite / "Release")])
    _run(
        signing + ["--armor", "--export-options", "export-minimal", "--output", str(tree / "key.asc"), "--export", key]
    )
    return tree


def metainfo():
    """Return the AppStream metadata with version and date filled in."""
    import datetime

    date = datetime.datetime.fromtimestamp(commit_time(), datetime.timezone.utc).strftime("%Y-%m-%d")
    text = (DESKTOP / "chatdesk.metainfo.xml").read_text(encoding="utf-8")
    return text.replace("@VERSION@", version()).replace("@DATE@", date)


def man_page():
    """Return the manual page, made of what the program says of itself."""
    told = _said([str(PROGRAM / "chatdesk"), "--help"])
    options = told.partition("options:\n")[2]
    commands = re.findall(r"^    ([a-z-]+) +(.+)$", told.partition("positional arguments:\n")[2], re.MULTILINE)
    lines = [
        '.TH CHATDESK 1 "" "ChatDesk {}" "User Commands"'.format(version()),
        ".SH NAME",
        "chatdesk \\- chat with language models",
        ".SH SYNOPSIS",
        ".B chatdesk",
        "[\\-\\-data\\-dir DIR] [\\-\\-debug] [COMMAND ...]",
        ".SH DESCRIPTION",
        "Without a command the window opens. Each command says more with \\fB\\-\\-help\\fR.",
        ".SH COMMANDS",
    ]
    for name, what in commands:
        lines += [".TP", ".B " + name, _troff(what)]
    lines.append(".SH OPTIONS")
    for name, what in re.findall(r"^  (-\S.*?)  +(.+)$", options, re.MULTILINE):
        lines += [".TP", ".B " + _troff(name), _troff(what)]
    lines += [
        ".SH FILES",
        "Data in ~/.local/share/chatdesk, settings in ~/.config/chatdesk, backups beside the data.",
        ".SH ENVIRONMENT",
        ".TP",
        ".B CHATDESK_DATA_DIR",
        "keeps everything in one directory; the pages of help (F1 in the window) list all others.",
    ]
    return "\n".join(lines) + "\n"


def debian_changelog():
    """Return the changelog in Debian's form; what is new for people stands in NEWS."""
    import email.utils

    date = email.utils.formatdate(commit_time())
    return (
        "chatdesk ({}) stable; urgency=medium\n\n  * See /usr/share/doc/chatdesk/NEWS.gz.\n\n"
        " -- The ChatDesk developers <chatdesk@chatdesk.example>  {}\n"
    ).format(version(), date)


def copyright_text():
    """Return the copyright file: ChatDesk's licence, and those of everything that is packaged with it, in full."""
    lines = [
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
        "Upstream-Name: ChatDesk",
        "Source: https://chatdesk.example/",
        "",
        "Files: *",
        "Copyright: The ChatDesk developers",
        "License: MIT",
        _indented((ROOT / "LICENSE").read_text(encoding="utf-8")),
        "",
    ]
    for place, name in sorted(_licences_of_packages().items()):
        lines += [
            "Files: usr/lib/chatdesk/_internal/{}".format(name),
            "Copyright: as its licence says",
            "License: {}".format(name),
            _indented(_licence_text(place)),
            "",
        ]
    for place in sorted((ROOT / "resources").glob("*/LICENSE*")):
        name = "resources-{}-{}".format(place.parent.name, place.stem)
        lines += [
            "Files: usr/lib/chatdesk/_internal/resources/{}/*".format(place.parent.name),
            "Copyright: as its licence says",
            "License: {}".format(name),
            _indented(place.read_text(encoding="utf-8")),
            "",
        ]
    for pattern, name, place in (
        ("assets/*", "mkdocs-material", next(SITE_ENVIRONMENT.rglob("mkdocs_material-*.dist-info/licenses/LICENSE"))),
        ("files/iframe-worker.js", "iframe-worker", ROOT / "packaging/site/files/iframe-worker.LICENSE"),
    ):
        lines += [
            "Files: usr/lib/chatdesk/_internal/site/{}".format(pattern),
            "Copyright: as its licence says",
            "License: {}".format(name),
            _indented(place.read_text(encoding="utf-8")),
            "",
        ]
    return "\n".join(lines)


def _licences_of_packages():
    """Return the files with licences of the packages that are packaged, and the packages' names."""
    found = {}
    not_in_it = {"pyinstaller", "pyinstaller_hooks_contrib", "altgraph", "setuptools", "packaging"}
    for info in sorted(ENVIRONMENT.glob("lib/*/site-packages/*.dist-info")):
        name = info.name.split("-")[0]
        if name.lower() in not_in_it:
            continue
        for place in sorted(info.rglob("*")):
            if place.is_file() and re.match(r"(LICEN[CS]E|COPYING|NOTICE)", place.name, re.IGNORECASE):
                found[place] = name
    return found


#: Licences that every Debian system has, by how their texts begin.
COMMON_LICENCES = {
    r"Apache License\s+Version 2\.0, January 2004": ("Apache License 2.0", "Apache-2.0"),
    r"\A\s*GNU GENERAL PUBLIC LICENSE\s+Version 2, June 1991": ("GNU General Public License 2", "GPL-2"),
    r"\A\s*GNU LESSER GENERAL PUBLIC LICENSE\s+Version 2\.1": ("GNU Lesser General Public License 2.1", "LGPL-2.1"),
    r"\A\s*GNU LESSER GENERAL PUBLIC LICENSE\s+Version 3": ("GNU Lesser General Public License 3", "LGPL-3"),
}


def _licence_text(place):
    text = place.read_text(encoding="utf-8", errors="replace")
    for pattern, (name, file) in COMMON_LICENCES.items():
        if re.search(pattern, text):
            return "The {} is on Debian systems in /usr/share/common-licenses/{}.".format(name, file)
    return text


def _indented(text):
    return "\n".join(" " + line.rstrip() if line.strip() else " ." for line in text.strip().splitlines())


def _put_icons(folder):
    source = ROOT / "resources" / "app" / "chatdesk.svg"
    _put(folder / "scalable" / "apps" / "chatdesk.svg", source.read_bytes())
    drawing = "import resvg_py, sys; sys.stdout.buffer.write(bytes(resvg_py.svg_to_bytes(svg_path=sys.argv[1],"
    drawing += " width=int(sys.argv[2]), height=int(sys.argv[2]))))"
    for size in (32, 48, 64, 128, 256):
        command = [str(ENVIRONMENT / "bin" / "python"), "-c", drawing, str(source), str(size)]
        drawn = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        _put(folder / "{0}x{0}".format(size) / "apps" / "chatdesk.png", drawn)


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


def _troff(text):
    return text.replace("\\", "\\\\").replace("-", "\\-")


def _said(command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def _run(command):
    ended = subprocess.run(command, cwd=str(ROOT))
    if ended.returncode:
        raise set_up.SetUpError("{} failed.".format(" ".join(command[:3])))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
