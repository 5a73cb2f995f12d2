"""What happens to a team over months: shares that end and begin again, people who leave and come back, holidays, trash
that is emptied, files that take their time. Kept apart from the everyday trouble, whose seeds tell the same stories
for longer that way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chatdesk.core.domain.sharing.team import EndReason, TeamRole
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.storage.sync import sharing
from tests.helpers.sync_sim import checks

if TYPE_CHECKING:
    from tests.helpers.sync_sim.world import History, Machine

_DAY_MS = 86_400_000
_IN_COPIES = ("delete_in_between",) * 6 + ("delete_message", "delete_thread", "restore_message", "ask")


def _owned(world: History) -> list[tuple[Machine, str]]:
    """Computers of owners, with what they own and share from there."""
    return [
        (machine, project)
        for machine in world.machines
        for project in machine.shared()
        if project in world.server.projects
        and not world.server.projects[project].is_deleted
        and world.server.projects[project].roles.get(machine.member) == "owner"
        and world.server.members[machine.member].status == "active"
    ]


def _end_here(machine: Machine, project: str, reason: EndReason) -> None:
    machine.profile.db.write_now(lambda conn: sharing.end(conn, project, reason))
    machine.has_ended = True
    machine.connect()


def unshare(world: History) -> None:
    """An owner ends a share at their window."""
    found = _owned(world)
    if found:
        machine, project = world.rng.choice(found)
        for member in list(world.server.projects[project].roles):
            world.note_removal(project, member)
        world.server.end_project(project)
        _end_here(machine, project, EndReason.UNSHARED)
        world.counts["unshared"] += 1
        world.tell(f"{machine.label} unshares")


def share_again(world: History) -> None:
    """The same project is shared again by who ended it, and others are let in again."""
    ended = [
        (machine, str(row[0]))
        for machine in world.machines
        for row in machine.profile.rows("SELECT project_id FROM shared_projects WHERE state = 'ended' ORDER BY 1")
        if row[0] in world.server.projects
        and world.server.projects[row[0]].roles.get(machine.member) == "owner"
        and world.server.members[machine.member].status == "active"
    ]
    if ended:
        machine, project = world.rng.choice(ended)
        world.server.create_project(machine.member, project)
        head = world.server.projects[project].head
        machine.profile.share(project, joined_seq=head)
        machine.connect()
        for member in world.members.values():
            if member != machine.member and world.rng.random() < 0.8:
                world.server.set_role(project, member, world.rng.choice(["editor", "editor", "admin", "viewer"]))
        for each in world.machines:
            world.seen.pop((each.label, project), None)
        world.counts["shared again"] += 1
        world.tell(f"{machine.label} shares again")


def leave(world: History) -> None:
    """Somebody leaves a project by themselves; ``add_to_project`` and ``join_again`` let them in again."""
    found = [
        (machine, project)
        for machine in world.machines
        for project in machine.shared()
        if project in world.server.projects
        and not world.server.projects[project].is_deleted
        and world.server.projects[project].roles.get(machine.member) in ("viewer", "editor", "admin")
    ]
    if found:
        machine, project = world.rng.choice(found)
        world.server.set_role(project, machine.member, None)
        world.note_removal(project, machine.member)
        _end_here(machine, project, EndReason.LEFT)
        world.counts["left"] += 1
        world.tell(f"{machine.label} leaves")


def join_again(world: History) -> None:
    """Who left is let in again, and says *Share…* at their window, as what they wrote in the meantime goes up with
    it."""
    found = [
        (machine, str(row[0]))
        for machine in world.machines
        for row in machine.profile.rows("SELECT project_id FROM shared_projects WHERE state = 'ended' ORDER BY 1")
        if row[0] in world.server.projects
        and not world.server.projects[row[0]].is_deleted
        and world.server.members[machine.member].status == "active"
    ]
    if found:
        machine, project = world.rng.choice(found)
        its = world.server.projects[project]
        if machine.member not in its.roles:
            world.server.set_role(project, machine.member, "editor")
        its = world.server.projects[project]
        for each in world.machines:
            world.seen.pop((each.label, project), None)
        machine.profile.share(project, TeamRole(its.roles[machine.member]), joined_seq=its.head)
        machine.connect()
        world.counts["joined again"] += 1
        world.tell(f"{machine.label} joins again")


def weeks_pass(world: History) -> None:
    world.time.ms += world.rng.choice([7, 20, 31, 45]) * _DAY_MS
    world.counts["weeks that passed"] += 1
    world.tell("weeks pass")


def empty_trash(world: History) -> None:
    """A computer removes for good what lay in the trash for long enough."""
    machine = world.rng.choice(world.machines)
    gone = machine.hand.empty_trash()
    machine.fingerprint = checks.fingerprint(machine.profile, machine.private)
    world.counts["emptied trash"] += 1
    world.tell(f"{machine.label} empties the trash of {gone}")


def wrong_by_weeks(world: History) -> None:
    machine = world.rng.choice(world.machines)
    machine.clock.skew_ms = world.rng.choice([-60, -21, -8, 8, 21, 60]) * _DAY_MS
    world.counts["clocks wrong by weeks"] += 1


def send_files(world: History) -> None:
    """Files that changes wait for arrive on the server."""
    machine = world.rng.choice(world.machines)
    machine.send_files()


def write_in_copy(world: History) -> None:
    """Somebody goes on in the private copy of what was shared: writes, deletes, and at times empties the trash."""
    copies = [
        (machine, str(row[0]))
        for machine in world.machines
        for row in machine.profile.rows("SELECT project_id FROM shared_projects WHERE state = 'ended' ORDER BY 1")
    ]
    if copies:
        machine, project = world.rng.choice(copies)
        for _ in range(world.rng.randint(1, 4)):
            machine.hand.act_in(project, world.rng.choice(_IN_COPIES))
        if world.rng.random() < 0.7:
            machine.hand.empty_trash(at_once=True)
        machine.has_ended = True
        machine.fingerprint = checks.fingerprint(machine.profile, machine.private)
        world.counts["wrote in a private copy"] += 1
        world.tell(f"{machine.label} writes in a private copy")


def lose_an_erasure(world: History) -> None:
    """Somebody erases what is theirs, others hear of it or not, and the server is restored from a backup of before,
    perhaps from before the words were written."""
    world.rest(world.machines)
    machine = world.rng.choice(world.machines)
    projects = [project for project in machine.shared() if project in world.server.projects]
    backup = world.server.snapshot()
    if not projects:
        return
    project = world.rng.choice(projects)
    for _ in range(world.rng.choice([0, 1, 3])):
        machine.act()
    world.rest(world.machines)
    try:
        erase = machine.hand.erase_message if world.rng.random() < 0.6 else machine.hand.erase_thread
        erase(project)
    except ChatDeskError:
        return
    machine.fingerprint = checks.fingerprint(machine.profile, machine.private)
    some = [each for each in world.machines if each is machine or world.rng.random() < 0.5]
    world.rest(some)
    world.restore(backup)
    world.counts["lost erasures"] += 1


STORIES: dict[str, Callable[[History], None]] = {
    each.__name__: each
    for each in (unshare, share_again, leave, join_again, weeks_pass, empty_trash, wrong_by_weeks, send_files)
}
# By weight, beside the everyday ``FAULTS``.
WEIGHTS = {
    "unshare": 6,
    "share_again": 12,
    "leave": 5,
    "join_again": 7,
    "weeks_pass": 6,
    "empty_trash": 5,
    "wrong_by_weeks": 4,
    "send_files": 10,
}
# Kept apart from all others, for the same reason: what was erased, and a server that knows nothing of it.
ERASING_STORIES: dict[str, Callable[[History], None]] = {"lose_an_erasure": lose_an_erasure}
# Kept apart from both, for the same reason: what becomes of private copies whose owners come back.
COPY_STORIES: dict[str, Callable[[History], None]] = {"write_in_copy": write_in_copy}
COPY_WEIGHTS = {"leave": 8, "write_in_copy": 12, "join_again": 12, "empty_trash": 2, "unshare": 1, "share_again": 4}
# All that are told by name.
ALL_STORIES = STORIES | COPY_STORIES | ERASING_STORIES
