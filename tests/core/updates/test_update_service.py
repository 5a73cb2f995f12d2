"""Looking for updates and installing one, against a signed feed on loopback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatdesk.core.clock import SystemClock
from chatdesk.core.errors import StorageFull
from chatdesk.core.storage.engine import tables
from chatdesk.core.updates.errors import NotDuringAnswers, UpdateFailed
from chatdesk.core.updates.installation import Installation, InstallKind, how_updated
from chatdesk.core.updates.release import Release
from chatdesk.core.updates.update_service import DAY_MS, UpdatePorts, UpdateService
from tests.helpers.make_old_database import make
from tests.helpers.update_feed import INSTALLED, ROOT, UpdateWorld, update_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[UpdateWorld]:
    with update_world(tmp_path) as made:
        yield made


async def _found(service: UpdateService) -> Release:
    found = await service.check()
    assert found is not None
    return found


def _ignore(_step: str, _percent: int) -> None:
    """For whoever does not watch the progress."""


async def test_a_newer_version_is_found_told_and_installed_for_the_next_start(world: UpdateWorld) -> None:
    world.publish("0.3.0", notes="Faster search.\n\n\u202e- Files open <b>sooner</b>.\x1b[2J")
    service = world.service()
    found = await _found(service)
    assert str(found.version) == "0.3.0"
    assert found.notes.startswith("Faster search.\n\n")
    assert "<b>sooner</b>" in found.notes  # text, shown as it is
    assert not {"\u202e", "\x1b"} & set(found.notes)
    assert world.backed_up == []
    assert not any("targets/" in each for each in world.requested)  # nothing is fetched before somebody says so
    steps: list[str] = []
    await service.install(found, lambda step, _percent: steps.append(step))
    assert world.backed_up == ["0.3.0"]
    assert service.is_installed
    assert world.starts() == "0.3.0"
    assert (world.place / "previous").resolve().name == INSTALLED
    assert sorted(each.name for each in (world.place / "versions").iterdir()) == [INSTALLED, "0.3.0"]
    assert await service.check() is None  # it starts next time
    assert list(dict.fromkeys(steps)) == ["backup", "download", "unpack", "try"]
    assert (world.place / "versions" / "0.3.0" / "_internal" / "library.so.1").is_symlink()


async def test_the_same_and_older_versions_are_not_offered(world: UpdateWorld) -> None:
    for version in ("0.1.0", INSTALLED):
        world.publish(version)
        assert await world.service().check() is None


@pytest.mark.parametrize("about", [{"version": "../../x"}, {"version": 3}, {"program_bytes": 10**12}, {"version": "9"}])
async def test_a_release_that_is_described_badly_is_not_offered(world: UpdateWorld, about: dict[str, object]) -> None:
    world.publish(**about)  # type: ignore[arg-type]
    assert await world.service().check() is None


async def test_it_is_looked_for_once_a_day_and_only_where_somebody_wants_it(world: UpdateWorld) -> None:
    world.publish()
    world.is_wanted = False
    service = world.service()
    assert await service.check_if_due() is None
    assert world.requested == []
    world.is_wanted = True
    assert await service.check_if_due() is not None
    count = len(world.requested)
    assert count
    assert await world.service().check_if_due() is None  # also after a new start
    assert len(world.requested) == count
    world.clock.now += DAY_MS
    assert await service.check_if_due() is not None
    assert len(world.requested) > count


async def test_a_feed_that_fails_is_asked_again_a_day_later(world: UpdateWorld) -> None:
    (world.feed_dir / "metadata" / "timestamp.json").unlink()
    service = world.service()
    with pytest.raises(UpdateFailed):
        await service.check_if_due()
    count = len(world.requested)
    assert await service.check_if_due() is None
    assert len(world.requested) == count


async def test_the_question_is_asked_once(world: UpdateWorld) -> None:
    world.is_wanted = False
    assert await world.service().may_ask()
    await world.service().record_asked()
    assert not await world.service().may_ask()


async def test_nothing_is_asked_where_it_is_wanted_already(world: UpdateWorld) -> None:
    assert not await world.service().may_ask()


@pytest.mark.parametrize("kind", [each for each in InstallKind if each is not InstallKind.PORTABLE])
async def test_other_copies_say_how_they_are_updated_and_ask_nobody(kind: InstallKind) -> None:
    async def back_up(_version: str) -> Path:
        raise AssertionError

    ports = UpdatePorts(lambda: True, lambda: False, back_up)
    service = UpdateService(Installation(kind), None, ports, SystemClock())
    assert not service.has_feed
    assert await service.check_if_due() is None
    assert not await service.may_ask()
    with pytest.raises(UpdateFailed) as refused:
        await service.check()
    assert refused.value.what == service.summary == how_updated(Installation(kind), None, is_wanted=True)


async def test_nothing_is_installed_while_an_answer_is_written(world: UpdateWorld) -> None:
    world.publish()
    service = world.service()
    found, before = await _found(service), world.installed()
    world.is_busy = lambda: True
    with pytest.raises(NotDuringAnswers):
        await service.install(found, _ignore)
    assert world.backed_up == []
    assert world.installed() == before


async def test_an_answer_that_begins_meanwhile_keeps_the_version_and_the_download(world: UpdateWorld) -> None:
    world.publish()
    service = world.service()
    found, before = await _found(service), world.installed()
    world.is_busy = lambda: any("targets/" in each for each in world.requested)
    with pytest.raises(NotDuringAnswers):
        await service.install(found, _ignore)
    assert world.installed() == before
    world.is_busy = lambda: False
    await service.install(found, _ignore)
    assert world.starts() == "0.3.0"


async def test_without_a_backup_nothing_is_fetched(world: UpdateWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.publish()

    async def full(_version: str) -> Path:
        raise StorageFull

    monkeypatch.setattr(world, "_back_up", full)
    service = world.service()
    found, before = await _found(service), world.installed()
    with pytest.raises(StorageFull):
        await service.install(found, _ignore)
    assert not any("targets/" in each for each in world.requested)
    assert world.installed() == before


@pytest.mark.parametrize(
    "script",
    [
        "#!/bin/sh\necho 'chatdesk 0.4.0'\n",
        "#!/bin/sh\nexit 1\n",
        '#!/bin/sh\ncase "$1" in --version) echo "chatdesk 0.3.0"; exit 0 ;; esac\nexit 1\n',
        '#!/bin/sh\ncase "$1" in --version) echo "chatdesk 0.3.0"; exit 0 ;; esac\nexec sleep 60\n',
        "no program",
    ],
    ids=["another version", "fails", "fails with the data", "hangs", "no program"],
)
async def test_a_version_that_does_not_start_is_not_installed(world: UpdateWorld, script: str) -> None:
    world.publish(script=script.replace("{", "{{").replace("}", "}}"))
    service = world.service(trial_s=0.5)
    found, before = await _found(service), world.installed()
    with pytest.raises(UpdateFailed, match="did not start with a copy of your data"):
        await service.install(found, _ignore)
    assert world.installed() == before


async def test_the_new_version_upgrades_a_copy_of_the_data_and_leaves_the_data(world: UpdateWorld) -> None:
    """The program that is installed here is this one, under another version."""
    make(world.backup, tables.REVISIONS[-2])
    data = world.backup.read_bytes()
    script = (
        '#!/bin/sh\ncase "$1" in --version) echo "chatdesk 0.3.0"; exit 0 ;; esac\n'
        f'cd {ROOT} && exec {sys.executable} -m chatdesk "$@"\n'
    )
    world.publish(script=script)
    service = world.service()
    await service.install(await _found(service), _ignore)
    assert service.is_installed
    assert world.backup.read_bytes() == data
    assert [each.name for each in (world.place / "work").iterdir() if any(each.iterdir())] == []


async def test_a_version_that_was_gone_back_from_can_be_installed_again(world: UpdateWorld) -> None:
    world.publish()
    service = world.service()
    await service.install(await _found(service), _ignore)
    for name, version in (("current", INSTALLED), ("previous", "0.3.0")):  # as install.sh --previous does
        (world.place / name).unlink()
        (world.place / name).symlink_to(f"versions/{version}")
    again = world.service()
    await again.install(await _found(again), _ignore)
    assert world.starts() == "0.3.0"
