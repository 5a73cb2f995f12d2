"""Follows README.md and CONTRIBUTING.md on a bare Debian 12 and 13: what they say has to work with the programs that
they name, as root and as a plain user who may only ask root to run a line that was printed. A line for each thing that
was tried, and a table at the end.

Without words all is tried, which takes hours. Needs root and debootstrap. What is tried is the newest commit.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import package  # noqa: E402
import set_up  # noqa: E402
import system_libraries  # noqa: E402
from fresh_debian import (  # noqa: E402
    RELEASES,
    ROOT,
    SYSTEM,
    USER,
    Tries,
    apt,
    fresh_system,
    in_namespaces_of_its_own,
    inside,
    mirror,
    network_settings,
)

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PEOPLE = ("root", "user")
PARTS = ("run", "test", "package", "pipx", "contribute")
# The name of a package where it is not that of the program.
PACKAGES = {"pip": "python3-pip"}
ASKED_OF_ROOT = re.compile(r"^ +sudo sh -c '(.*)'$", re.MULTILINE)
TOOLS = {"debootstrap": "debootstrap", "git": "git"}
SHOWN = 4000


def main():
    """Returns 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    every = [*RELEASES, *PEOPLE, *PARTS]
    parser.add_argument("words", nargs="*", metavar="WORD", help="what to try, of " + " ".join(every) + "; else all")
    parser.add_argument("--tests", default="", metavar="ARGS", help="is passed on as ARGS to make test (--tests=-x)")
    parser.add_argument("--keep", action="store_true", help="leaves the systems in build/package")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    words = given.words
    if not set(words) <= set(every):
        parser.error("only these can be tried: " + " ".join(every))
    if sys.platform != "linux" or os.geteuid() != 0:
        print("This makes systems of their own to try things in, and needs root on Linux.", file=sys.stderr)
        return 1
    missing = system_libraries.missing_programs(TOOLS)
    if missing and not system_libraries.install(missing):
        return 1
    try:
        mirror()
    except set_up.SetUpError as problem:
        print(problem, file=sys.stderr)
        return 1
    if not given.alone:
        return in_namespaces_of_its_own()
    tries = {}
    for release in [each for each in RELEASES if each in words] or named_debians():
        for person in [each for each in PEOPLE if each in words] or PEOPLE:
            kept = package.PLACE / "kept-{}-{}".format(release, person) if given.keep else None
            with fresh_system(release, kept):
                follow(tries, release, person, [each for each in PARTS if each in words] or PARTS, given.tests)
    print("\n".join(table(tries)))
    return 1 if any(each.failed for each in tries.values()) else 0


def table(tries):
    """Return the lines of a table: who tried what, where, and how it went."""
    parts = list(dict.fromkeys(part for _, _, part in tries))
    people = list(dict.fromkeys((release, person) for release, person, _ in tries))
    lines = [("Debian", "as", *parts)]
    for release, person in people:
        ended = [tries.get((release, person, part)) for part in parts]
        told = ["" if each is None else "{} failed".format(each.failed) if each.failed else "ok" for each in ended]
        lines.append((release, person, *told))
    return ["  ".join("{:10}".format(each) for each in line).rstrip() for line in lines]


def named_debians():
    """Return the versions of Debian on which, as the README says, its commands work."""
    return re.findall(r"\d+", needed().partition(" this needs only")[0])


def needed():
    """Return the sentence of the README that names what a checkout needs."""
    return re.search(r"On Debian [\d, and]+ this needs only .*?\.\s", README, re.DOTALL).group(0)


def commands_below(heading):
    """Return the commands of the README that follow a heading."""
    block = re.search(re.escape(heading) + r"(?:.+\n)+\n((?:    .+\n)+)", README).group(1)
    return [line.strip() for line in block.splitlines()]


def commands_of_contributing():
    """Return the commands of CONTRIBUTING.md that are not in the README, in their order: set-up, then sample data."""
    block = re.search(r"\n\n((?:    make .+\n)+)", CONTRIBUTING).group(1)
    sample = re.search(r"```sh\n((?:.+\n)+)```", CONTRIBUTING).group(1)
    listed = [re.split(r"  +", line.strip())[0] for line in block.splitlines()] + sample.splitlines()
    return [each for each in listed if each not in commands_below("A desktop chat application")]


def follow(all_tries, release, person, parts, tests):
    """Do as one person what README.md and CONTRIBUTING.md say, on one Debian."""
    of = "Debian {}, {}: ".format(release, person)
    tries = all_tries[release, person, "set-up"] = Tries()
    programs = re.findall(r"`([\w-]+)`", needed())
    tries.inside(
        of + "has " + ", ".join(programs),
        "apt-get -qq update && " + apt(" ".join(PACKAGES.get(each, each) for each in programs)),
    )
    home = "root" if person == "root" else "home/" + USER
    checkout = SYSTEM / home / "chatdesk"
    subprocess.run(["git", "clone", "--quiet", "file://" + str(ROOT), str(checkout)], check=True)
    if person != "root":
        inside("chown -R {0}:{0} /{1}".format(USER, home))
    run, test = commands_below("A desktop chat application")
    package_it, install = commands_below("**Debian 12 or newer")
    for part in parts:
        tries = all_tries[release, person, part] = Tries()
        if part == "run":
            attempt(tries, of + run, person, run)
            attempt(tries, of + run + " once more, without a network", person, run, is_offline=True)
        elif part == "test":
            attempt(tries, of + test, person, test + (" ARGS=" + shlex.quote(tests) if tests else ""))
        elif part == "package":
            attempt(tries, of + package_it, person, package_it)
            installing = install.replace("sudo apt", "apt-get -y").replace("./build", "/{}/chatdesk/build".format(home))
            attempt(tries, of + install, "root", installing)
            attempt(tries, of + "the installed program answers", person, "/usr/bin/chatdesk ask hello")
            attempt(tries, of + "the installed program plays itself", person, "/usr/bin/chatdesk --data-dir ~/played")
        elif part == "pipx":
            tries.inside(of + "has pipx", apt("pipx python3-venv"))
            for command in ["make deps", *commands_below("**Any system with Python")]:
                attempt(tries, of + command, person, command)
            attempt(tries, of + "the program of pipx answers", person, "~/.local/bin/chatdesk ask hello")
        else:
            for command in commands_of_contributing():
                attempt(tries, of + command, person, command)


def attempt(tries, name, person, command, is_offline=False):
    """Try a command in the checkout. Where it asks for a line to be run as root, that is done, and it is run again."""
    began = time.monotonic()
    ended = ran(person, command, is_offline)
    asked = ASKED_OF_ROOT.search(ended.stdout) if ended.returncode else None
    if asked is not None:
        print("        root is asked to run: " + asked.group(1), flush=True)
        inside(asked.group(1))
        ended = ran(person, command, is_offline)
    took = " ({:.0f} s)".format(time.monotonic() - began)
    tries.check(name + took, lambda: ended.returncode == 0, "\n" + ended.stdout[-SHOWN:])
    for line in ended.stdout.splitlines():
        if re.match(r"SKIPPED|FAILED|ERROR|\d+ (passed|failed)", line):
            print("        " + line, flush=True)


def ran(person, command, is_offline):
    """Run a command as somebody, in the checkout at home if there is one."""
    network = network_settings()
    words = "cd ~/chatdesk 2> /dev/null || cd /; {}".format(command)
    becoming = ["su", "-w", ",".join(network), "-", "root" if person == "root" else USER, "-c", words]
    line = " ".join(["{}={}".format(name, shlex.quote(value)) for name, value in network.items()])
    line += " " + " ".join(shlex.quote(each) for each in becoming)
    return inside("unshare --net sh -c {}".format(shlex.quote(line)) if is_offline else line)


if __name__ == "__main__":
    sys.exit(main())
