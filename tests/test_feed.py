"""The script that makes and signs the feed of updates, with keys from files, as its page says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata

from tests.helpers.update_feed import INSTALLED, PROGRAM, ROOT, UpdateWorld, feed_maker, update_world

PAGE = ROOT / "packaging" / "desktop" / "feed.md"


def _key(folder: Path, name: str) -> str:
    path = folder / f"{name}.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(path)], check=True, capture_output=True)
    return str(path)


def _feed(*arguments: str) -> str:
    command = [sys.executable, "-P", str(ROOT / "packaging" / "feed.py"), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


async def test_a_feed_that_was_made_by_its_commands_is_followed_through_changed_keys(tmp_path: Path) -> None:
    roots = [_key(tmp_path, f"root-{number}") for number in range(3)]
    targets, online, newer = (_key(tmp_path, name) for name in ("targets", "online", "newer"))
    feed = ["--feed", str(tmp_path / "made")]
    root_options = [word for each in roots for word in ("--root-key", each)]
    _feed("start", *feed, *root_options, "--targets-key", targets, "--online-key", online)
    with update_world(tmp_path / "world") as world:
        world.served_dir = tmp_path / "made"
        world.root = (tmp_path / "made" / "metadata" / "1.root.json").read_bytes()
        assert await world.service().check() is None
        program = world.make_program("0.3.0", tmp_path / "program", PROGRAM)
        (tmp_path / "notes.txt").write_text("News.")
        options = ["--program", str(program), "--version", "0.3.0", "--notes", str(tmp_path / "notes.txt")]
        said = _feed("publish", *feed, *options, "--targets-key", targets, "--online-key", online)
        assert json.loads(said)["target"] == feed_maker.target_name()
        _feed("renew", *feed, "--online-key", online)
        _feed("rotate", *feed, *root_options[:4], "--online-key", newer)
        service = world.service()
        found = await service.check()
        assert found is not None
        assert (str(found.version), found.notes) == ("0.3.0", "News.")
        assert world.starts() == INSTALLED
        await service.install(found, lambda _step, _percent: None)
        assert world.starts() == "0.3.0"


def test_the_same_program_gives_the_same_bytes(tmp_path: Path) -> None:
    world = UpdateWorld(tmp_path)
    program = world.make_program("0.3.0", tmp_path / "program")
    archives = [tmp_path / "1.tar.xz", tmp_path / "2.tar.xz"]
    for archive in archives:
        feed_maker.write_archive(program, archive)
    assert archives[0].read_bytes() == archives[1].read_bytes()


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_the_page_says_how_long_signatures_hold(tmp_path: Path, role: str) -> None:
    world = UpdateWorld(tmp_path)
    name = "timestamp.json" if role == "timestamp" else f"1.{role}.json"
    signed = Metadata.from_file(str(world.feed_dir / "metadata" / name)).signed
    days = (signed.expires - world.feed.now).days
    assert re.search(rf"\b{days}\b", PAGE.read_text("utf-8"))
