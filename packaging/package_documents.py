"""Writes the files of a package that people and other programs read: AppStream metadata, the manual page, the changelog
in Debian's form, and every licence of what is packaged."""

from __future__ import annotations

import datetime
import email.utils
import os
import re

import package_base


def metainfo():
    """Return the AppStream metadata with version and date filled in. Without a home page it names none, and no picture,
    which would be there."""
    date = datetime.datetime.fromtimestamp(package_base.commit_time(), datetime.timezone.utc).strftime("%Y-%m-%d")
    text = (package_base.DESKTOP / "chatdesk.metainfo.xml").read_text(encoding="utf-8")
    if not package_base.homepage():
        text = re.sub(r" *<url type=\"homepage\">.*\n| *<screenshots>[\s\S]*</screenshots>\n", "", text)
    filled = {"VERSION": package_base.version(), "DATE": date, "HOMEPAGE": package_base.homepage()}
    return re.sub("@([A-Z]+)@", lambda found: filled[found.group(1)], text)


def man_page():
    """Return the manual page, made of what the program says of itself."""
    os.environ["COLUMNS"] = "200"  # each command in one line
    told = package_base.said([str(package_base.PROGRAM / "chatdesk"), "--help"])
    options = told.partition("options:\n")[2]
    commands = re.findall(r"^    ([a-z-]+) +(.+)$", told.partition("positional arguments:\n")[2], re.MULTILINE)
    lines = [
        '.TH CHATDESK 1 "" "ChatDesk {}" "User Commands"'.format(package_base.version()),
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
    date = email.utils.formatdate(package_base.commit_time())
    return (
        "chatdesk ({}) stable; urgency=medium\n\n  * See /usr/share/doc/chatdesk/NEWS.gz.\n\n"
        " -- The ChatDesk developers <chatdesk@chatdesk.example>  {}\n"
    ).format(package_base.version(), date)


def copyright_text():
    """Return the copyright file: ChatDesk's licence, and those of everything that is packaged with it, in full."""
    lines = [
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
        "Upstream-Name: ChatDesk",
        *(["Source: " + package_base.homepage()] if package_base.homepage() else []),
        "",
        "Files: *",
        "Copyright: The ChatDesk developers",
        "License: MIT",
        _indented((package_base.ROOT / "LICENSE").read_text(encoding="utf-8")),
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
    for place in sorted((package_base.ROOT / "resources").glob("*/LICENSE*")):
        name = "resources-{}-{}".format(place.parent.name, place.stem)
        lines += [
            "Files: usr/lib/chatdesk/_internal/resources/{}/*".format(place.parent.name),
            "Copyright: as its licence says",
            "License: {}".format(name),
            _indented(place.read_text(encoding="utf-8")),
            "",
        ]
    of_the_site = next(package_base.SITE_ENVIRONMENT.rglob("mkdocs_material-*.dist-info/licenses/LICENSE"))
    for pattern, name, place in (
        ("assets/*", "mkdocs-material", of_the_site),
        ("files/iframe-worker.js", "iframe-worker", package_base.ROOT / "packaging/site/files/iframe-worker.LICENSE"),
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
    for info in sorted(package_base.ENVIRONMENT.glob("lib/*/site-packages/*.dist-info")):
        name = info.name.split("-")[0]
        if name.lower() in not_in_it:
            continue
        for place in sorted(info.rglob("*")):
            if place.is_file() and re.match(r"(LICEN[CS]E|COPYING|NOTICE)", place.name, re.IGNORECASE):
                found[place] = name
    return found


# Licences that every Debian system has, by how their texts begin.
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


def _troff(text):
    return text.replace("\\", "\\\\").replace("-", "\\-")
