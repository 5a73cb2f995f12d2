"""What must be true of a team that came to rest."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from chatdesk.core.domain.sharing.sync_wire import MAX_AHEAD_MS, PulledChange
from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.storage.engine import search_index
from chatdesk.core.storage.engine.change_log import PERSONAL
from chatdesk.core.storage.upkeep.reachability import unreachable
from tests.helpers import shown_digest
from tests.helpers.sync_sim.member_actions import PRIVATE_MARK
from tests.helpers.sync_sim.memory_profile import Profile
from tests.helpers.sync_sim.model_server import RANKS

if TYPE_CHECKING:
    from tests.helpers.sync_sim.world import History, Machine

_HELD = (ChangeState.CONFIRMED, ChangeState.ACKNOWLEDGED, ChangeState.ORPHANED)


def fingerprint(profile: Profile, project: str) -> str:
    """Everything of a project that nobody shares."""
    return repr(
        [
            profile.rows("SELECT * FROM threads WHERE project_id = ? ORDER BY id", project),
            profile.rows(
                "SELECT m.* FROM messages m JOIN threads t ON t.id = m.thread_id WHERE t.project_id = ? ORDER BY m.id",
                project,
            ),
            profile.rows("SELECT name, colour, system_prompt FROM projects WHERE id = ?", project),
        ]
    )


def what_is_held(world: History) -> dict[str, set[str]]:
    """By project, the changes that must not get lost any more: the server has them, or a computer that may bring them
    back does."""
    held: dict[str, set[str]] = {
        project.id: {row.id for row in project.rows} for project in world.server.projects.values()
    }
    for machine in world.machines:
        for project_id in _projects(world, machine):
            project = world.server.projects[project_id]
            role = project.roles[machine.member]
            if RANKS[role] < RANKS["editor"]:
                continue
            for change, state in machine.profile.rows(
                "SELECT id, state FROM changes WHERE project_id = ? AND erased = 0 AND (mine = 1 OR author = ?)",
                *(project_id, machine.member),
            ):
                # Everybody sends again what they wrote themselves.
                if ChangeState(state) in _HELD:
                    held[project_id].add(change)
    return held


def problems(world: History, held: dict[str, set[str]]) -> list[str]:
    """What is wrong."""
    found: list[str] = []
    for project in world.server.projects.values():
        found += _log(project.rows, world.odd)
        found += [
            f"{row.id} is not {row.author}'s, in whose name it is"
            for row in project.rows
            if row.author != world.server.made.get(row.id, row.author)
        ]
        if not project.is_deleted:
            found += _replicas(world, project.id)
            found += _losses(world, project.id, held.get(project.id, set()))
    for machine in world.machines:
        found += _states(world, machine)
        found += _journal(world, machine)
        found += _privacy(world, machine)
        found += [f"{machine.label}: {line}" for line in search_index.check(machine.profile.db.raw)]
        if machine.profile.rows("PRAGMA foreign_key_check"):
            found.append(f"{machine.label}: broken references")
        found += [f"{machine.label}: {line}" for line in machine.profile.db.read_now(unreachable)]
    return found


def _projects(world: History, machine: Machine) -> list[str]:
    """The shared projects of a computer that its person may see."""
    return [
        project
        for project in machine.shared()
        if project in world.server.projects
        and machine.member in world.server.projects[project].roles
        and not world.server.projects[project].is_deleted
        and world.server.members[machine.member].status == "active"
    ]


def _log(rows: list[PulledChange], odd: set[str]) -> Iterable[str]:
    """The server's log of one project by itself."""
    chain = None
    ids: set[str] = set()
    places: set[tuple[str, int]] = set()
    for number, row in enumerate(rows, 1):
        chain = row.chain_after(chain)
        if row.seq != number:
            yield f"number {row.seq} stands at place {number}"
        if row.chain != chain:
            yield f"the chain is broken at {number}"
        if row.id in ids:
            yield f"change {row.id} is there twice"
        if (row.device, row.dseq) in places:
            yield f"two changes have place {row.dseq} of device {row.device}"
        if row.hlc >> 16 > row.at + MAX_AHEAD_MS:
            yield f"the stamp of {row.id} is of a clock that is ahead"
        if row.reg in PERSONAL and row.id not in odd:
            yield f"a personal register was sent: {row.reg}"
        if PRIVATE_MARK in (row.body or "") and '"title"' not in (row.body or ""):
            yield f"what is private was sent: {row.body}"
        ids.add(row.id)
        places.add((row.device, row.dseq))


def _replicas(world: History, project_id: str) -> Iterable[str]:
    """All computers that may see a project hold the same of it, and it is what the log says."""
    log = world.server.projects[project_id].rows
    facts = {
        row.id: (row.seq, row.device, row.dseq, row.hlc, row.digest, int(row.is_erased))
        for row in log
        if row.id not in world.odd
    }
    digests: dict[str, list[str]] = defaultdict(list)
    for machine in world.machines:
        if project_id not in _projects(world, machine):
            continue
        known = {
            row[0]: tuple(row[1:])
            for row in machine.profile.rows(
                "SELECT id, seq, device, dseq, hlc, digest, erased FROM changes WHERE project_id = ?"
                " AND state IN (1, 3) AND seq IS NOT NULL",
                project_id,
            )
            if row[0] not in world.odd
        }
        facts_here = facts
        for change in _erased_here(machine, project_id) & known.keys() & facts.keys():
            facts_here = facts_here | {change: (*facts[change][:-1], 1)}
        if known != facts_here:
            missing, more = facts.keys() - known.keys(), known.keys() - facts.keys()
            yield f"{machine.label}: log differs: {len(missing)} missing, {len(more)} more, " + (
                ""
                if missing or more
                else f"but {[(facts[key], known[key]) for key in facts if facts_here[key] != known[key]][:2]}"
            )
        if not _keeps_what_is_lost(machine, project_id):
            digest = machine.profile.db.read_now(lambda conn: shown_digest.digest(conn, project_id))
            digests[digest].append(machine.label)
            yield from _visible(machine, project_id, log)
        yield from _erased(machine, project_id, log)
    if len(digests) > 1:
        yield f"project {project_id}: contents differ: {sorted(digests.values())}"


def _erased(machine: Machine, project_id: str, log: list[PulledChange]) -> Iterable[str]:
    """Of what was erased, nobody has the words any more."""
    asked = [(row, each) for row in log if row.reg == "erased" for each in _body(row).get("changes", ())]
    wanted = {each for _row, each in asked}
    # What comes after its erasure is erased where it might be asked for.
    there = {row.id: row for row in log}
    must = {
        each for by, each in asked if each in there and (there[each].seq < by.seq or there[each].author == by.author)
    }
    for row in log:
        if row.id in must and not row.is_erased:
            yield f"{row.id} was to be erased"
        elif row.is_erased and row.id not in wanted:
            yield f"{row.id} was erased, and nobody asked for it"
        if row.is_erased and (row.body is not None and "parts" in _body(row)):
            yield f"{row.id} was erased and says something"
    for change, entity, body in machine.profile.rows(
        "SELECT id, entity, body FROM changes WHERE project_id = ? AND erased = 1 AND kind = 'message'", project_id
    ):
        own = machine.profile.rows(
            "SELECT 1 FROM changes WHERE entity = ? AND op = 'new' AND mine = 1 AND state IN (0, 2) AND id <> ?",
            entity,
            change,
        )
        has_words = machine.profile.rows("SELECT 1 FROM message_parts WHERE message_id = ?", entity)
        if (has_words and not own) or '"parts"' in (body or ""):
            yield f"{machine.label}: message {entity} was erased, and its words are here"


def _erased_here(machine: Machine, project_id: str) -> set[str]:
    """The changes that an erasure names which the server lost, and whose author's computers do not know of it: they
    send the words again, and a computer that heard of it keeps none."""
    bodies = machine.profile.rows(
        "SELECT body FROM changes WHERE project_id = ? AND reg = 'erased' AND state = 3 AND seq IS NULL", project_id
    )
    return {each for (body,) in bodies for each in json.loads(body).get("changes", ())}


def _keeps_what_is_lost(machine: Machine, project_id: str) -> bool:
    """Whether a computer has changes of others that the server lost: it keeps them, and shows them."""
    return bool(
        machine.profile.rows(
            "SELECT 1 FROM changes WHERE project_id = ? AND state = 3 AND seq IS NULL LIMIT 1", project_id
        )
    )


def _visible(machine: Machine, project_id: str, log: list[PulledChange]) -> Iterable[str]:
    """What the log means, worked out without the code that is tested."""
    if machine.world.odd:
        return  # what nonsense means is only for the tests of hostile rows
    registers: dict[tuple[str, str], list[PulledChange]] = defaultdict(list)
    for row in log:
        registers[row.entity, row.reg].append(row)
    made = {row.entity: row for row in log if row.op == "new"}
    threads_of = {entity: _body(row).get("thread_id") for entity, row in made.items()}
    shown = dict(machine.profile.rows("SELECT id, deleted_at FROM threads WHERE project_id = ?", project_id))
    for entity in (entity for entity, row in made.items() if row.kind == "thread"):
        is_hidden = _is_thread_hidden(entity, registers, threads_of)
        if entity not in shown:
            yield f"{machine.label}: thread {entity} is missing"
        elif (shown[entity] is not None) is not is_hidden:
            yield f"{machine.label}: thread {entity} should be {'hidden' if is_hidden else 'shown'}"
    yield from _heads(machine, project_id, registers)
    yield from _newest(machine, project_id, registers)
    yield from _deleted(machine, made, registers)


def _deleted(
    machine: Machine, made: dict[str, PulledChange], registers: dict[tuple[str, str], list[PulledChange]]
) -> Iterable[str]:
    """A message is hidden whose deletion knew of all that is below it."""
    shown = {row[0] for row in machine.profile.rows("SELECT id FROM messages WHERE deleted_at IS NULL")}
    below: dict[str, list[PulledChange]] = defaultdict(list)
    for row in made.values():
        if row.kind == "message":
            below[str(_body(row).get("parent_id"))].append(row)
    for (entity, reg), rows in registers.items():
        if reg != "content" or made[entity].kind != "message" or entity not in shown:
            continue
        named = {parent for row in rows for parent in row.parents}
        heads = [row for row in rows if row.id not in named]
        covers = [_body(row).get("covers", {}) for row in heads if row.op == "del"]
        if covers and all(row.op == "del" for row in heads):
            knows = all(any(row.dseq <= each.get(row.device, -1) for each in covers) for row in below[entity])
            if knows:
                yield f"{machine.label}: message {entity} should be hidden"


def _newest(machine: Machine, project_id: str, registers: dict[tuple[str, str], list[PulledChange]]) -> Iterable[str]:
    """Of titles that were given at once, the newest is shown."""
    for thread, title in machine.profile.rows("SELECT id, title FROM threads WHERE project_id = ?", project_id):
        rows = registers.get((thread, "title"), [])
        named = {parent for row in rows for parent in row.parents}
        heads = [row for row in rows if row.id not in named]
        newest = max(heads, key=lambda row: (row.hlc, row.id), default=None)
        if newest is not None and title != ("Untitled" if newest.is_erased else _body(newest).get("title")):
            yield f"{machine.label}: {title!r} is not the newest title of {thread}"


def _heads(machine: Machine, project_id: str, registers: dict[tuple[str, str], list[PulledChange]]) -> Iterable[str]:
    """Nothing that two wrote at once is dropped."""
    stored: dict[tuple[str, str], set[str]] = defaultdict(set)
    for entity, reg, change in machine.profile.rows(
        "SELECT h.entity, h.reg, h.change_id FROM register_heads h JOIN changes c ON c.id = h.change_id"
        " WHERE c.project_id = ? AND c.state = 1",
        project_id,
    ):
        stored[entity, reg].add(change)
    gone = {rows[0].entity for rows in registers.values() if rows[0].kind == "summary" and rows[0].is_erased}
    made = {row.entity for rows in registers.values() for row in rows if row.op == "new"}
    for key, rows in registers.items():
        # What nothing shows any more, and an erasure in a thread that the server lost with its author.
        if key[0] in gone or (key[1] == "erased" and key[0] not in made):
            continue
        named = {parent for row in rows for parent in row.parents}
        heads = {row.id for row in rows} - named
        if heads != stored[key]:
            yield f"{machine.label}: heads of {key} are {len(stored[key])}, not {len(heads)}"


def _is_thread_hidden(
    thread: str, registers: dict[tuple[str, str], list[PulledChange]], threads_of: dict[str, str | None]
) -> bool:
    own = registers[thread, "content"]
    named = {parent for row in own for parent in row.parents}
    heads = [row for row in own if row.id not in named]
    deletions = [row for row in heads if row.op == "del"]
    if not deletions or any(row.op == "edit" for row in heads):
        return False
    covered: dict[str, int] = {}
    for row in deletions:
        for device, dseq in _body(row).get("covers", {}).items():
            covered[device] = max(dseq, covered.get(device, 0))
    return all(
        row.dseq <= covered.get(row.device, 0)
        for (entity, reg), rows in registers.items()
        if entity == thread or threads_of.get(entity) == thread
        for row in rows
        if row.op != "del" and reg not in PERSONAL and not row.is_erased
    )


def _body(row: PulledChange) -> dict[str, Any]:
    try:
        value = json.loads(row.body or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _losses(world: History, project_id: str, held: set[str]) -> Iterable[str]:
    there = {row.id for row in world.server.projects[project_id].rows}
    refused = {
        row[0]
        for machine in world.machines
        for row in machine.profile.rows("SELECT id FROM changes WHERE state = 2 OR (state = 3 AND problem = 'orphan')")
    }
    lost = held - there - refused - world.odd - _copied(world, project_id)
    if lost:
        yield f"project {project_id}: {len(lost)} changes that somebody held are lost: {sorted(lost)[:3]}"


def _copied(world: History, project_id: str) -> set[str]:
    """Changes that were given up because the log has their message by another change, which a copy made."""
    made = {row.entity for row in world.server.projects[project_id].rows if (row.kind, row.op) == ("message", "new")}
    return {
        change
        for machine in world.machines
        for change, entity in machine.profile.rows("SELECT id, entity FROM changes WHERE problem = 'copied'")
        if entity in made
    }


def _states(world: History, machine: Machine) -> Iterable[str]:
    """Nothing waits any more."""
    for project_id in _projects(world, machine):
        for state, count in machine.profile.rows(
            "SELECT state, count(*) FROM changes WHERE project_id = ? AND state IN (0, 4)"
            " AND id NOT IN (SELECT value FROM json_each(?)) GROUP BY state",
            project_id,
            json.dumps(sorted(world.odd)),
        ):
            yield f"{machine.label}: {count} changes are still {ChangeState(state).name}"
        for (progress,) in machine.profile.rows(
            "SELECT state FROM shared_projects WHERE project_id = ? AND state <> 'shared'", project_id
        ):
            yield f"{machine.label}: project {project_id} is still {progress}"
    for change, problem in machine.profile.rows("SELECT id, problem FROM changes WHERE state = 2"):
        if not problem:
            yield f"{machine.label}: change {change} was refused without a cause"


def _journal(world: History, machine: Machine) -> Iterable[str]:
    """Everything that was ever committed here is on the server, or refused with its cause, or the share ended."""
    there = {row.id for project in world.server.projects.values() for row in project.rows}
    known = {
        row[0]: row[1:]
        for row in machine.profile.rows("SELECT id, state, reg FROM changes WHERE problem IS NOT 'copied'")
    }
    given_up = "SELECT id FROM changes WHERE problem = 'copied' OR (erased = 1 AND state = 5)"  # or a placeholder
    copied = {row[0] for row in machine.profile.rows(given_up)}
    running = set(_projects(world, machine))
    for change, project_id in machine.journal.items():
        if change in copied:
            continue  # its words are beside, as a version of their own
        if change not in known:
            if project_id in running and change not in there:
                yield f"{machine.label}: change {change} is gone from the log"
            continue
        state, reg = ChangeState(known[change][0]), known[change][1]
        if project_id not in running or state is ChangeState.REFUSED or reg in PERSONAL:
            continue
        if state is ChangeState.CONFIRMED and change not in there:
            yield f"{machine.label}: change {change} is confirmed, and the server does not have it"
        if state is ChangeState.PRIVATE and change not in there and not machine.has_ended:
            yield f"{machine.label}: change {change} was never sent"


def _privacy(world: History, machine: Machine) -> Iterable[str]:
    if fingerprint(machine.profile, machine.private) != machine.fingerprint:
        yield f"{machine.label}: the private project was changed by others"
    if machine.private in world.server.projects:
        yield f"{machine.label}: the private project was shared"
    for project_id, seq in machine.profile.rows("SELECT project_id, seq FROM shared_projects"):
        limit = world.seen.get((machine.label, project_id))
        if limit is not None and seq > limit:
            yield f"{machine.label}: {seq - limit} changes were taken after the removal"
