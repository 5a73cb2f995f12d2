"""Upgrades from a package of a version before and goes back to it, with data that the older program made; then goes
back to the package of this commit from a version after it. ``packaging/try_package.py`` runs this.

``CHATDESK_OLDER_DEB`` names the package of a version before. Without it one is built, of the newest commit that has
both an older version and an older schema.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

sys.dont_write_bytecode = True
import fresh_debian  # noqa: E402
import package  # noqa: E402

_TIME = 1767225600000
_PLACE = package.PLACE / "before"
_NEXT = "99.0"


def upgrade_and_go_back(tries, deb):
    """Install the older package, fill it, upgrade, and go back by the backup that was made before the upgrade. Then go
    back from a version after this one, whose schema this one does not know."""
    older = _older_deb()
    tries.check("a package of a version before is here, or can be built", lambda: older is not None)
    if older is None:
        return
    before, now = (package.said(["dpkg-deb", "--field", str(each), "Version"]) for each in (older, deb))
    after = fresh_debian.renumbered(deb, _NEXT)
    with fresh_debian.fresh_system() as system:
        fresh_debian.add_repository(system, package.build_repository([older, deb, after]))
        after.unlink()
        helpers = "apt-get -qq update && " + fresh_debian.apt(fresh_debian.HELPERS)
        tries.inside("helpers of the tests are installed", helpers, is_quiet=True)
        tries.inside("version {} is installed".format(before), fresh_debian.apt("chatdesk=" + before))
        _write_chart(system / "tmp" / "try" / "chart.zip")
        address = fresh_debian.start_postgres()
        _play(tries, "older", address)
        tries.inside("apt upgrades it to {}".format(now), fresh_debian.apt("chatdesk=" + now))
        _play(tries, "newer", address)
        tries.inside("apt goes back to {}".format(before), fresh_debian.apt("--allow-downgrades chatdesk=" + before))
        _play(tries, "again", address)
        tries.inside("apt upgrades it once more", fresh_debian.apt("chatdesk=" + now))
        found = 'chatdesk search "after the way back" | grep -q Threads && chatdesk doctor'
        tries.inside("what was asked after the way back is there", fresh_debian.as_user(found))
        tries.inside("apt upgrades it to a version after this one", fresh_debian.apt("chatdesk"))
        _make_newer(system)
        tries.inside("apt goes back to {}".format(now), fresh_debian.apt("--allow-downgrades chatdesk=" + now))
        _play(tries, "back", address)


def _older_deb():
    """Return the package of a version before; None where there is none and the history to build it from is not here."""
    if "CHATDESK_OLDER_DEB" in os.environ:
        named = Path(os.environ["CHATDESK_OLDER_DEB"])
        return named if named.exists() else None
    commit = older_commit()
    if commit is None:
        return None
    deb = _PLACE / "{}.deb".format(commit)
    if not deb.exists():
        print("Building the package of {} ...".format(commit[:8]), flush=True)
        source = _PLACE / "source"
        shutil.rmtree(str(_PLACE), ignore_errors=True)
        cloning = ["git", "clone", "--quiet", "--shared", "--no-checkout", str(package.ROOT), str(source)]
        subprocess.run(cloning, check=True)
        subprocess.run(["git", "checkout", "--quiet", commit], cwd=str(source), check=True)
        making = ["make", "--silent", "package", "ARGS=build deb", "PYTHON=" + sys.executable]
        subprocess.run(making, cwd=str(source), check=True, stdout=subprocess.DEVNULL)
        (built,) = (source / "build" / "package").glob("chatdesk_*.deb")
        built.rename(deb)
        shutil.rmtree(str(source))
    return deb


def older_commit(root=package.ROOT):
    """Return the newest commit before both the present version and the present schema; None where the history does
    not reach there, or where the schema then is one that cannot be upgraded."""

    def git(*arguments):
        return package.said(["git", "-C", str(root), *arguments])

    of_version = ["-G^__version__", "--", "chatdesk/__init__.py"]
    of_schema = ["--diff-filter=A", "--", "migrations/versions"]
    try:
        changes = [git("log", "-1", "--format=%H", *each) for each in (of_version, of_schema)]
        first = min(changes, key=lambda each: int(git("rev-list", "--count", each)))
        older = git("rev-parse", "--verify", "--quiet", first + "^")
        first_schema = min(path.name for path in (root / "migrations" / "versions").glob("[0-9]*.py"))
        git("cat-file", "-e", "{}:migrations/versions/{}".format(older, first_schema))
        return older
    except subprocess.CalledProcessError:
        return None


def _make_newer(system):
    """Give the person's database what a version after this one may have added."""
    sys.path.insert(0, str(package.ROOT))
    from tests.helpers.newer_database import make_newer

    make_newer(system / "home" / fresh_debian.USER / ".local" / "share" / "chatdesk" / "chatdesk.db")
    fresh_debian.inside("chown -R {0}:{0} /home/{0}".format(fresh_debian.USER))


def _write_chart(path):
    """Write an export of ChatDesk with one question and the file that is attached to it, as every version reads it."""
    data = b"The depth here is seventeen fathoms.\n"
    digest = hashlib.sha256(data).hexdigest()
    file = {"name": "chart.txt", "mime": "text/plain", "sha256": digest, "size_bytes": len(data)}
    parts = [
        {"id": _id(3), "index": 0, "type": "text", "content": {"text": "what does the chart say"}},
        {"id": _id(4), "index": 1, "type": "file", "content": file},
    ]
    question = {"id": _id(2), "role": "user", "status": "complete", "created_at": _TIME, "parts": parts}
    thread = {"id": _id(1), "title": "Chart", "created_at": _TIME, "last_activity_at": _TIME, "messages": [question]}
    told = {"format": "chatdesk", "format_version": 2, "scope": "threads", "exported_at": _TIME, "threads": [thread]}
    told["attachments"] = [{"sha256": digest, "size_bytes": len(data)}]
    with zipfile.ZipFile(str(path), "w") as packed:
        packed.writestr("chatdesk.json", json.dumps(told))
        packed.writestr("attachments/" + digest, data)


def _id(number):
    return "019b0000-0000-7000-8000-{:012d}".format(number)


def _play(tries, stage, address):
    keyring = "echo pass | gnome-keyring-daemon --unlock --components=secrets > /dev/null"
    playing = "TEAM_URL={} CHATDESK_SETUP_PASSWORD=harbour sh /tmp/try/try_upgrade.sh {}".format(address, stage)
    tries.script(fresh_debian.as_user('dbus-run-session -- sh -c "{}; {}"'.format(keyring, playing)))
