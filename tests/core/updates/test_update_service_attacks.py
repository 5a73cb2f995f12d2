"""Feeds that are forged, old, broken or endless, and updates that are cut off: whatever comes, nothing changes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tarfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.updates.errors import UpdateFailed
from chatdesk.core.updates.release import Release, Version
from chatdesk.core.updates.update_service import UpdateService
from tests.helpers.update_feed import Keys, UpdateWorld, feed_maker, today, update_world, worker_command
from tests.helpers.waiting import PATIENCE_S, until

NOT_SIGNED = "is not signed as it must be"
BROKEN = "cannot be reached, or the connection broke off"
UNUSABLE = "does not belong to the program"
WANTED = Release(Version(0, 3, 0), "", 1000, 1000)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[UpdateWorld]:
    """A feed that offers 0.3.0. Whatever a test does, the same version starts as before."""
    with update_world(tmp_path) as made:
        made.publish()
        before = made.installed()
        yield made
        assert made.installed() == before
        assert made.starts() == "0.2.0"


async def _refused(world: UpdateWorld, words: str, **limits: Any) -> None:
    """Neither looking nor installing comes to anything."""
    service = world.service(**limits)
    with pytest.raises(UpdateFailed, match=words) as refused:
        await service.check()
    assert "This version is unchanged." in refused.value.sentence
    assert service.offered is None
    await _not_installed(service, words)


async def _not_installed(service: UpdateService, words: str, release: Release = WANTED) -> None:
    with pytest.raises(UpdateFailed, match=words):
        await service.install(release, lambda _step, _percent: None)
    assert not service.is_installed


async def _seen(world: UpdateWorld) -> Release:
    """The installation has seen the newest state of the feed."""
    found = await world.service().check()
    assert found is not None
    return found


async def test_a_feed_of_somebody_else_is_refused(world: UpdateWorld) -> None:
    keys = Keys()
    feed = world.feed_of(today(), keys=keys)
    world.publish("9.0.0", feed=feed, keys=keys)
    world.served_dir = world.folder / "other"
    await _refused(world, NOT_SIGNED)


@pytest.mark.parametrize("name", ["timestamp.json", "2.snapshot.json", "2.targets.json"])
async def test_a_changed_byte_in_any_metadata_is_refused(world: UpdateWorld, name: str) -> None:
    path = world.feed_dir / "metadata" / name
    changed = path.read_bytes().replace(b'"expires":"20', b'"expires":"21')  # a hundred years later
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    await _refused(world, NOT_SIGNED)


async def test_one_root_key_of_two_is_not_enough(world: UpdateWorld) -> None:
    stolen, keys = world.keys.roots[0], Keys()
    world.feed.rotate([stolen], [stolen, keys.roots[1]], keys.targets, keys.online)
    world.publish("0.4.0", keys=keys)
    await _refused(world, NOT_SIGNED)


async def test_an_older_state_of_the_feed_is_refused(world: UpdateWorld) -> None:
    old = world.keep("old")
    world.publish("0.4.0")
    assert str((await _seen(world)).version) == "0.4.0"
    world.served_dir = old
    await _refused(world, NOT_SIGNED)


async def test_an_older_state_of_the_releases_under_new_signatures_is_refused(world: UpdateWorld) -> None:
    """Whoever has the online key alone cannot bring back what was withdrawn."""
    old = world.keep("old")
    world.publish("0.4.0")
    await _seen(world)
    feed = feed_maker.Feed(old)
    for _ in range(5):
        feed.renew(world.keys.online)
    world.served_dir = old
    await _refused(world, NOT_SIGNED)


async def test_a_feed_that_is_frozen_is_refused_once_it_has_expired(world: UpdateWorld) -> None:
    feed = world.feed_of(today() - timedelta(days=8))
    world.publish("0.4.0", feed=feed)
    world.root = (world.folder / "other" / "metadata" / "1.root.json").read_bytes()
    world.served_dir = world.folder / "other"
    await _refused(world, "has expired")


async def test_releases_of_one_state_under_the_names_of_another_are_refused(world: UpdateWorld) -> None:
    metadata = world.feed_dir / "metadata"
    old = (metadata / "2.targets.json").read_bytes()
    world.publish("0.4.0")
    (metadata / "3.targets.json").write_bytes(old)
    await _refused(world, NOT_SIGNED)


async def test_a_snapshot_of_one_state_with_the_timestamp_of_another_is_refused(world: UpdateWorld) -> None:
    metadata = world.feed_dir / "metadata"
    old = (metadata / "2.snapshot.json").read_bytes()
    world.publish("0.4.0")
    (metadata / "3.snapshot.json").write_bytes(old)
    await _refused(world, NOT_SIGNED)


@pytest.mark.parametrize("name", ["timestamp.json", "2.snapshot.json", "2.targets.json", "2.root.json"])
async def test_metadata_without_end_are_given_up(world: UpdateWorld, name: str) -> None:
    world.answers[name] = lambda handler: _send_endlessly(handler, b" " * 65536, pause_s=0)
    await _refused(world, NOT_SIGNED)


@pytest.mark.parametrize("name", ["timestamp.json", "2.targets.json"])
async def test_a_slow_drip_is_given_up(world: UpdateWorld, name: str) -> None:
    world.answers[name] = lambda handler: _send_endlessly(handler, b" ", pause_s=0.01)
    service = world.service(check_s=3)
    with pytest.raises(UpdateFailed, match="took too long"):
        await service.check()


async def test_a_program_that_drips_is_given_up(world: UpdateWorld) -> None:
    found = await _seen(world)
    world.answers[".tar.xz"] = lambda handler: _send_endlessly(handler, b" ", pause_s=0.01)
    await _not_installed(world.service(stage_s=3, trial_s=0), "took too long", found)


def _send_endlessly(handler: SimpleHTTPRequestHandler, piece: bytes, *, pause_s: float) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(piece)
            handler.wfile.flush()
            if pause_s:
                handler.connection.settimeout(pause_s)
                try:
                    if handler.connection.recv(1) == b"":
                        return
                except TimeoutError:
                    handler.connection.settimeout(None)
    except OSError:
        return  # the other end has had enough


async def test_a_program_that_is_longer_than_announced_is_refused(world: UpdateWorld) -> None:
    found = await _seen(world)
    (archive,) = (world.feed_dir / "targets").iterdir()
    archive.write_bytes(archive.read_bytes() + b"more")
    await _not_installed(world.service(), NOT_SIGNED, found)


async def test_a_program_with_a_changed_byte_is_refused(world: UpdateWorld) -> None:
    found = await _seen(world)
    (archive,) = (world.feed_dir / "targets").iterdir()
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(data)
    await _not_installed(world.service(), NOT_SIGNED, found)


async def test_a_program_that_breaks_off_is_given_up(world: UpdateWorld) -> None:
    found = await _seen(world)
    (archive,) = (world.feed_dir / "targets").iterdir()

    def break_off(handler: SimpleHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(archive.stat().st_size))
        handler.end_headers()
        handler.wfile.write(archive.read_bytes()[:50])

    world.answers[".tar.xz"] = break_off
    await _not_installed(world.service(), BROKEN, found)


@pytest.mark.parametrize("status", [302, 404, 500, 204])
async def test_a_feed_that_is_gone_or_sends_elsewhere_is_given_up(world: UpdateWorld, status: int) -> None:
    def answer(handler: SimpleHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Location", f"{world.address}metadata/2.targets.json")
        handler.end_headers()

    world.answers["timestamp.json"] = answer
    await _refused(world, BROKEN)
    assert world.requested.count("/metadata/timestamp.json") == 2


async def test_nobody_at_the_address_is_said(world: UpdateWorld) -> None:
    world.address = "http://127.0.0.1:9/"
    await _refused(world, BROKEN)


async def test_a_release_that_was_replaced_after_it_was_shown_is_not_installed(world: UpdateWorld) -> None:
    found = await _seen(world)
    world.publish("0.4.0")
    await _not_installed(world.service(), "has changed in the meantime", found)


async def test_keys_that_were_changed_are_followed_and_the_old_ones_are_refused(world: UpdateWorld) -> None:
    await _seen(world)
    keys = Keys()
    world.feed.rotate(world.keys.roots[:2], keys.roots, keys.targets, keys.online)
    world.publish("0.4.0", keys=keys)
    assert str((await _seen(world)).version) == "0.4.0"
    world.publish("0.5.0")  # signed by the keys of before
    with pytest.raises(UpdateFailed, match=NOT_SIGNED):
        await world.service().check()


async def test_a_root_that_leaves_out_one_is_not_followed(world: UpdateWorld) -> None:
    keys = Keys()
    world.feed.rotate(world.keys.roots[:2], keys.roots)
    world.feed.rotate(keys.roots, online_key=keys.online)
    metadata = world.feed_dir / "metadata"
    shutil.move(metadata / "3.root.json", metadata / "2.root.json")
    await _refused(world, NOT_SIGNED)


def _odd(name: str, kind: bytes = tarfile.SYMTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


@pytest.mark.parametrize(
    "members",
    [
        [("../outside", b"x")],
        [("/tmp/chatdesk-outside", b"x")],
        [("a/../../outside", b"x")],
        [_odd("link", link="../../outside"), ("link", b"x")],
        [_odd("link", link="/tmp")],
        [_odd("link", link="../..")],
        [_odd("folder", link="_internal"), ("folder/x", b"x")],
        [_odd("hard", tarfile.LNKTYPE, "chatdesk")],
        [_odd("device", tarfile.CHRTYPE)],
        [_odd("pipe", tarfile.FIFOTYPE)],
        [("chatdesk", b"twice")],
    ],
    ids=[
        *("up", "absolute", "up from inside", "over a link", "link to /tmp", "link up", "through a link"),
        *("hard link", "device", "pipe", "twice"),
    ],
)
async def test_an_archive_that_leads_outside_is_refused_although_it_is_signed(
    world: UpdateWorld, members: list[Any]
) -> None:
    world.publish(archive=world.archive(*members))
    found = await _seen(world)
    await _not_installed(world.service(), UNUSABLE, found)
    assert not list(world.folder.rglob("outside"))
    assert not Path("/tmp/chatdesk-outside").exists()


async def test_a_full_disk_is_said(world: UpdateWorld) -> None:
    program = world.make_program("0.3.0", world.folder / "large")
    (program / "_internal" / "random").write_bytes(os.urandom(3_000_000))
    archive = world.folder / "large.tar.xz"
    world.publish(archive=archive, program_bytes=feed_maker.write_archive(program, archive))
    found = await _seen(world)
    blocks = 2000  # of 512 bytes: the metadata fit
    await _not_installed(world.service(command=worker_command(f"ulimit -f {blocks};")), "not enough room", found)


def _workers(world: UpdateWorld) -> list[int]:
    """Return the processes that work on this installation."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                if b"chatdesk.core.updates.process" in (each / "cmdline").read_bytes() and any(
                    str(world.place) in os.readlink(link) for link in (each / "fd").iterdir()
                ):
                    found.append(int(each.name))
            except OSError:
                continue
    return found


async def test_a_kill_while_it_downloads_changes_nothing_and_the_next_try_works(
    world: UpdateWorld, tmp_path: Path
) -> None:
    found = await _seen(world)
    world.answers[".tar.xz"] = lambda handler: _send_endlessly(handler, b"x", pause_s=0.05)
    service = world.service()
    installing = asyncio.ensure_future(service.install(found, lambda _step, _percent: None))
    await until(lambda: any("targets/" in each for each in world.requested) and _workers(world))
    (worker,) = _workers(world)
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(UpdateFailed):
        await installing
    world.answers.clear()
    kept = tmp_path / "kept"
    shutil.copytree(world.place, kept, symlinks=True)
    await service.install(found, lambda _step, _percent: None)
    assert world.starts() == "0.3.0"
    shutil.rmtree(world.place)
    shutil.move(kept, world.place)


async def test_giving_up_ends_the_process_and_changes_nothing(world: UpdateWorld) -> None:
    found = await _seen(world)
    world.answers[".tar.xz"] = lambda handler: _send_endlessly(handler, b"x", pause_s=0.05)
    installing = asyncio.ensure_future(world.service().install(found, lambda _step, _percent: None))
    await until(lambda: _workers(world))
    installing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(installing, PATIENCE_S)
    assert _workers(world) == []


async def test_giving_up_ends_the_program_that_is_tried(world: UpdateWorld, tmp_path: Path) -> None:
    written = tmp_path / "pid"
    script = f"""#!/bin/sh
case "$1" in --version) echo "chatdesk 0.3.0"; exit 0 ;; esac
echo $$ > {written}.new && mv {written}.new {written} && exec sleep 600
"""
    world.publish(script=script)
    found = await _seen(world)
    installing = asyncio.ensure_future(world.service().install(found, lambda _step, _percent: None))
    await until(written.exists)
    installing.cancel()
    await asyncio.wait([installing])
    await until(lambda: not _runs(int(written.read_text())))


def _runs(pid: int) -> bool:
    """Return whether a process runs; one that nobody has asked for its end does not."""
    try:
        return " Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    except FileNotFoundError:
        return False


async def test_a_process_that_ends_in_the_middle_of_a_word_or_does_not_start_is_told(world: UpdateWorld) -> None:
    for command in (["sh", "-c", "read job; printf '{\"release'"], [str(world.folder / "gone")]):
        with pytest.raises(UpdateFailed):
            await world.service(command=command).check()


async def test_a_folder_of_the_program_that_is_no_folder_is_told_before_anything_is_fetched(world: UpdateWorld) -> None:
    found = await _seen(world)
    shutil.rmtree(world.place / "feed")
    (world.place / "feed").write_text("")
    world.requested.clear()
    await _not_installed(world.service(), "cannot be written to", found)
    assert world.requested == []


async def test_two_programs_do_not_update_one_installation_at_once(world: UpdateWorld) -> None:
    found = await _seen(world)
    world.answers[".tar.xz"] = lambda handler: _send_endlessly(handler, b"x", pause_s=0.05)
    installing = asyncio.ensure_future(world.service().install(found, lambda _step, _percent: None))
    await until(lambda: _workers(world))
    other = world.service()
    with pytest.raises(UpdateFailed, match="Another ChatDesk"):
        await other.check()
    installing.cancel()
    await asyncio.wait([installing])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: [each.write_bytes(b"{") for each in folder.rglob("*.json")],
        lambda folder: [each.write_bytes(each.read_bytes()[:100]) for each in folder.rglob("*.json")],
        shutil.rmtree,
    ],
    ids=["rubbish", "cut", "gone"],
)
async def test_damage_of_what_is_known_of_the_feed_is_mended_by_asking_it(
    world: UpdateWorld, spoil: Callable[[Path], object]
) -> None:
    await _seen(world)
    spoil(world.place / "feed" / "metadata")
    assert str((await _seen(world)).version) == "0.3.0"
