"""Makes and signs the feed of updates that portable programs look at: a folder for any web server.

    feed.py start   --feed DIR --root-key A.pem --root-key B.pem --targets-key D.pem --online-key C.pem
    feed.py publish --feed DIR --targets-key D.pem --online-key C.pem --program DIR --version V --notes FILE
    feed.py renew   --feed DIR --online-key C.pem
    feed.py rotate  --feed DIR --root-key A.pem --root-key B.pem [--new-root-key …] [--targets-key …] [--online-key …]

Keys are PEM files that ``openssl genpkey -algorithm ed25519`` makes; none is made, copied or stored here. The ceremony,
and which key lives where, is in packaging/desktop/feed.md. It runs in the environment of ``make test``, which has tuf.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import sys
import tarfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

# How long each kind of metadata is good for: the online ones are renewed by a timer, the others by people.
DAYS = {"root": 365, "targets": 180, "snapshot": 30, "timestamp": 7}


class Feed:
    """The folder of a feed. ``now`` is when it is signed."""

    def __init__(self, folder, now=None):
        self.metadata = Path(folder) / "metadata"
        self.targets = Path(folder) / "targets"
        self.now = now or datetime.now(timezone.utc).replace(microsecond=0)

    def start(self, root_keys, threshold, targets_key, online_key):
        """Write the first root, which is built into programs, and a feed that offers nothing yet."""
        self.metadata.mkdir(parents=True)
        self.targets.mkdir(parents=True)
        root = Root(expires=self._expires("root"), consistent_snapshot=True)
        _set_keys(root, {"root": root_keys, "targets": [targets_key]}, {"root": threshold})
        _set_keys(root, {"snapshot": [online_key], "timestamp": [online_key]}, {})
        self._write(Metadata(root), root_keys, "1.root.json")
        self._write_targets(Targets(expires=self._expires("targets")), targets_key, online_key)

    def publish(self, archive, name, about, targets_key, online_key):
        """Offer a release: the archive of a program under the name that its kind of computer asks for."""
        targets = self._newest("targets").signed
        target = TargetFile.from_file(name, str(archive))
        target.unrecognized_fields["custom"] = about
        targets.targets[name] = target
        targets.version += 1
        targets.expires = self._expires("targets")
        stored = self.targets / "{}.{}".format(target.hashes["sha256"], name)
        stored.write_bytes(Path(archive).read_bytes())
        self._write_targets(targets, targets_key, online_key)

    def renew(self, online_key):
        """Sign what changes daily again, before it expires: snapshot and timestamp."""
        snapshot = self._newest("snapshot").signed
        self._write_online(snapshot.meta["targets.json"], snapshot.version + 1, online_key)

    def rotate(self, root_keys, new_root_keys=None, targets_key=None, online_key=None):
        """Write the next root: with other keys, or with the same and a later end. It is signed by the old root keys and
        the new ones, so that every program that knows the old ones follows."""
        root = self._newest("root").signed
        root.version += 1
        root.expires = self._expires("root")
        wanted = {}
        if new_root_keys:
            wanted["root"] = new_root_keys
        if targets_key is not None:
            wanted["targets"] = [targets_key]
        if online_key is not None:
            wanted["snapshot"] = wanted["timestamp"] = [online_key]
        _set_keys(root, wanted, {})
        signers = {each.public_key.keyid: each for each in [*root_keys, *(new_root_keys or [])]}
        self._write(Metadata(root), list(signers.values()), "{}.root.json".format(root.version))
        if targets_key is not None and online_key is not None:
            targets = self._newest("targets").signed
            targets.version += 1
            self._write_targets(targets, targets_key, online_key)
        elif online_key is not None:
            self.renew(online_key)

    def _write_targets(self, targets, targets_key, online_key):
        self._write(Metadata(targets), [targets_key], "{}.targets.json".format(targets.version))
        known = self._numbers("snapshot")
        self._write_online(MetaFile(targets.version), max(known, default=0) + 1, online_key)

    def _write_online(self, targets_file, number, online_key):
        snapshot = Snapshot(number, expires=self._expires("snapshot"), meta={"targets.json": targets_file})
        self._write(Metadata(snapshot), [online_key], "{}.snapshot.json".format(number))
        before = self.metadata / "timestamp.json"
        count = Metadata.from_file(str(before)).signed.version if before.exists() else 0
        timestamp = Timestamp(count + 1, expires=self._expires("timestamp"), snapshot_meta=MetaFile(number))
        self._write(Metadata(timestamp), [online_key], "timestamp.json")

    def _write(self, metadata, signers, name):
        for signer in signers:
            metadata.sign(signer, append=True)
        metadata.to_file(str(self.metadata / name))

    def _newest(self, role):
        return Metadata.from_file(str(self.metadata / "{}.{}.json".format(max(self._numbers(role)), role)))

    def _numbers(self, role):
        return [int(path.name.split(".")[0]) for path in self.metadata.glob("*.{}.json".format(role))]

    def _expires(self, role):
        return self.now + timedelta(days=DAYS[role])


def _set_keys(root, wanted, thresholds):
    for role, signers in wanted.items():
        for keyid in list(root.roles[role].keyids):
            root.revoke_key(keyid, role)
        for signer in signers:
            root.add_key(signer.public_key, role)
        root.roles[role].threshold = thresholds.get(role, min(root.roles[role].threshold, len(signers)))


def read_key(path):
    """Return what signs with the private key in a PEM file."""
    return CryptoSigner(load_pem_private_key(Path(path).read_bytes(), None))


def target_name():
    """Return the name that programs of this kind of computer ask for."""
    return "chatdesk-{}-{}.tar.xz".format(sys.platform, platform.machine().lower())


def write_archive(program, target, date=0, level=6):
    """Pack the folder of a program as closely as ``level`` of xz does; the same folder gives the same bytes. Returns
    the bytes that it takes unpacked."""
    count = 0
    with tarfile.open(str(target), "w:xz", format=tarfile.PAX_FORMAT, preset=level) as tar:
        for path in sorted(Path(program).rglob("*")):
            member = tar.gettarinfo(str(path), str(path.relative_to(program)))
            if member.islnk():
                member.type, member.size = tarfile.REGTYPE, path.stat().st_size
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mtime = date
            count += member.size
            with path.open("rb") if member.isreg() else io.BytesIO() as file:
                tar.addfile(member, file if member.isreg() else None)
    return count


def main(arguments):
    """Run one command."""
    parser = argparse.ArgumentParser(prog="feed.py")
    parser.add_argument("command", choices=("start", "publish", "renew", "rotate"))
    parser.add_argument("--feed", required=True)
    for name in ("root-key", "new-root-key"):
        parser.add_argument("--" + name, action="append", default=[], type=read_key)
    for name in ("targets-key", "online-key"):
        parser.add_argument("--" + name, type=read_key)
    parser.add_argument("--threshold", type=int, default=2)
    parser.add_argument("--program", type=Path)
    parser.add_argument("--level", type=int, choices=range(10), default=6)
    parser.add_argument("--version")
    parser.add_argument("--notes", type=Path)
    given = parser.parse_args(arguments)
    feed = Feed(given.feed)
    if given.command == "start":
        feed.start(given.root_key, given.threshold, given.targets_key, given.online_key)
    elif given.command == "renew":
        feed.renew(given.online_key)
    elif given.command == "rotate":
        feed.rotate(given.root_key, given.new_root_key, given.targets_key, given.online_key)
    else:
        archive = Path(given.feed) / "program.tar.xz"
        size = write_archive(given.program, archive, level=given.level)
        about = {"version": given.version, "program_bytes": size, "notes": given.notes.read_text(encoding="utf-8")}
        feed.publish(archive, target_name(), about, given.targets_key, given.online_key)
        archive.unlink()
        print(json.dumps({"target": target_name(), "program_bytes": size}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
