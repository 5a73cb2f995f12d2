"""Upgrades from a package of a version before and goes back to it, with data that the older program made.

``CHATDESK_OLDER_DEB`` names that package; ``packaging/try_package.py`` runs this where it is set.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile

sys.dont_write_bytecode = True
import fresh_debian  # noqa: E402
import package  # noqa: E402

_TIME = 1767225600000


def upgrade_and_go_back(tries, older, deb):
    """Install the older package, fill it, upgrade, and go back by the backup that was made before the upgrade."""
    before, now = (package.said(["dpkg-deb", "--field", str(each), "Version"]) for each in (older, deb))
    with fresh_debian.fresh_system() as system:
        fresh_debian.add_repository(system, package.build_repository([older, deb]))
        helpers = "apt-get -qq update && " + fresh_debian.apt(fresh_debian.HELPERS)
        tries.inside("helpers of the tests are installed", helpers, is_quiet=True)
        tries.inside("version {} is installed".format(before), fresh_debian.apt("chatdesk=" + before))
        _write_chart(system / "tmp" / "try" / "chart.zip")
        address = fresh_debian.start_postgres()
        _play(tries, "older", address)
        tries.inside("apt upgrades it to {}".format(now), fresh_debian.apt("chatdesk"))
        _play(tries, "newer", address)
        tries.inside("apt goes back to {}".format(before), fresh_debian.apt("--allow-downgrades chatdesk=" + before))
        _play(tries, "again", address)
        tries.inside("apt upgrades it once more", fresh_debian.apt("chatdesk"))
        found = 'chatdesk search "after the way back" | grep -q Threads && chatdesk doctor'
        tries.inside("what was asked after the way back is there", fresh_debian.as_user(found))


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
