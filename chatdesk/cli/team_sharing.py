"""``chatdesk team``: the verbs that share projects and stop that, manage roles and members, and sync."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from chatdesk.cli.team_asking import KEYS_PASSPHRASE, TeamVerb, find_workspace, open_keys
from chatdesk.cli.threads import find_project
from chatdesk.core import terminal
from chatdesk.core.clock import SystemClock
from chatdesk.core.errors import NotFound
from chatdesk.core.plurals import counted
from chatdesk.core.processes import environment

if TYPE_CHECKING:
    from chatdesk.core.domain.sharing.team import RefusedChange, SharedProject, TeamMember
    from chatdesk.core.sync.sending import Sending
    from chatdesk.core.sync.service import TeamService
    from chatdesk.services.services import Services

#: How long is waited for a server to take what was asked for, unless ``--wait`` says otherwise.
WAIT_S: Final = 60
#: The same after a question: its answer is here already.
ASK_WAIT_S: Final = 15


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    share = verbs.add_parser("share", parents=[common], help="share a project with a workspace")
    share.add_argument("project", metavar="PROJECT", help="its name or id")
    share.add_argument("--workspace", metavar="NAME", help="its name or id, where there are several")
    share.add_argument("--yes", action="store_true", help="do not ask")
    _add_wait(share)
    share.set_defaults(team_verb=TeamVerb(_share, is_writing=True))

    stop = verbs.add_parser("stop", parents=[common], help="end a share for everybody, or leave a project of others")
    stop.add_argument("project", metavar="PROJECT", help="its name or id")
    stop.add_argument("--yes", action="store_true", help="do not ask")
    stop.set_defaults(team_verb=TeamVerb(_stop, is_writing=True))

    role = verbs.add_parser("role", parents=[common], help="give a member a role in a shared project, or take it")
    role.add_argument("project", metavar="PROJECT", help="its name or id")
    role.add_argument("member", metavar="MEMBER", help="their name or id")
    role.add_argument("role", choices=("viewer", "editor", "admin", "owner", "none"))
    role.set_defaults(team_verb=TeamVerb(_role, is_writing=True))

    remove = verbs.add_parser("remove", parents=[common], help="remove a member from a workspace")
    remove.add_argument("member", metavar="MEMBER", help="their name or id")
    remove.add_argument("--workspace", metavar="NAME", help="its name or id, where there are several")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    remove.set_defaults(team_verb=TeamVerb(_remove, is_writing=True))

    owner = verbs.add_parser("owner", parents=[common], help="make a member an owner of the workspace")
    owner.add_argument("member", metavar="MEMBER", help="their name or id")
    owner.add_argument("--off", action="store_true", help="make them an ordinary member again")
    owner.add_argument("--workspace", metavar="NAME", help="its name or id, where there are several")
    owner.set_defaults(team_verb=TeamVerb(_owner, is_writing=True))

    ending = verbs.add_parser(
        "disconnect", parents=[common], help="end the connections of a member who holds others up"
    )
    ending.add_argument("member", metavar="MEMBER", help="their name or id")
    ending.add_argument("--workspace", metavar="NAME", help="its name or id, where there are several")
    ending.set_defaults(team_verb=TeamVerb(_disconnect, is_writing=True))

    policy = verbs.add_parser("policy", parents=[common], help="show who may invite, or decide it")
    policy.add_argument("--who-invites", choices=("owners", "admins"), help="owners, or admins of projects as well")
    policy.add_argument("--workspace", metavar="NAME", help="its name or id, where there are several")
    policy.set_defaults(team_verb=TeamVerb(_policy, is_writing=True))

    sync = verbs.add_parser("sync", parents=[common], help="send what waits and fetch what others wrote")
    sync.add_argument("--workspace", metavar="NAME", help="its name or id, where there are several")
    sync.add_argument("--json", action="store_true", help="as JSON")
    _add_wait(sync)
    sync.set_defaults(team_verb=TeamVerb(_sync, is_writing=True))

    _add_refused_verb(verbs, common)


def _add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait", type=int, default=WAIT_S, metavar="SECONDS", help=f"for the server, at most ({WAIT_S})"
    )


async def _share(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    project = await find_project(services, options.project, is_shared=False)
    service = await services.load_team()
    await service.start()
    size = await service.sharing.share_count(project.id)
    question = (
        f"Share “{project.name}” ({size.threads:,} threads, {size.messages:,} messages) with {workspace.name}? What is"
        " sent cannot be taken back from those who have read it."
    )
    if (await services.repositories.projects.default()).id == project.id:
        terminal.complain(
            f"“{project.name}” is the project into which new chats go: what you ask from now on without naming another"
            " project is shared, too."
        )
    if not options.yes and not await terminal.agrees(question):
        terminal.complain("nothing was changed")
        return 1
    await service.sharing.share(project.id, workspace.id)
    sent = await _wait(services, workspace.id, options.wait, [project.id])
    terminal.say(f"“{project.name}” is shared with {workspace.name}.")
    return _tell(sent)


async def _stop(options: argparse.Namespace, services: Services) -> int:
    from chatdesk.core.domain.sharing.team import EndReason, TeamRole, ended_text

    project = await find_project(services, options.project, is_shared=True)
    service = await services.load_team()
    await service.start()
    shared = service.known.shared_project(project.id)
    is_owner = shared is not None and shared.role is TeamRole.OWNER
    question = (
        f"End the sharing of “{project.name}” for everybody? All keep private copies."
        if is_owner
        else f"Leave “{project.name}”? A private copy stays here."
    )
    if not options.yes and not await terminal.agrees(question):
        terminal.complain("nothing was changed")
        return 1
    await service.sharing.unshare(project.id)
    ended = ended_text(EndReason.UNSHARED if is_owner else EndReason.LEFT, f"“{project.name}”")
    terminal.say(f"{ended} This is a private copy.")
    return 0


async def _role(options: argparse.Namespace, services: Services) -> int:
    from chatdesk.core.domain.sharing.team import TeamRole

    project = await find_project(services, options.project, is_shared=True)
    service = await services.load_team()
    shared = await _shared(services, project.id)
    member = await _member(services, shared.workspace_id, options.member)
    given = None if options.role == "none" else TeamRole(options.role)
    await service.membership.administration.set_role(project.id, member.id, given)
    terminal.say(
        f"{member.name} is {given.value} of “{project.name}” now." if given else
        f"{member.name} is in “{project.name}” no more."
    )  # fmt: skip
    return 0


async def _remove(options: argparse.Namespace, services: Services) -> int:
    from chatdesk.core.domain.sharing.team import MemberStatus

    workspace = await find_workspace(services, options.workspace)
    member = await _member(services, workspace.id, options.member)
    question = f"Remove {member.name} from {workspace.name}? What they wrote stays."
    if not options.yes and not await terminal.agrees(question):
        terminal.complain("nothing was changed")
        return 1
    membership = (await services.load_team()).membership
    await membership.administration.remove_member(workspace.id, member.id)
    terminal.say(f"{member.name} was removed from {workspace.name}.")
    invited = [each for each in await membership.administration.members(workspace.id) if each.invited_by == member.id]
    names = ", ".join(each.name for each in invited if each.status is not MemberStatus.REMOVED)
    if names:
        terminal.complain(
            f"{member.name} had invited {names}, who are still members; 'chatdesk team remove' removes them"
        )
    return 0


async def _owner(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    member = await _member(services, workspace.id, options.member)
    membership = (await services.load_team()).membership
    await membership.administration.set_workspace_owner(workspace.id, member.id, not options.off)
    is_what = "an ordinary member" if options.off else "an owner"
    terminal.say(f"{member.name} is {is_what} of {workspace.name} now.")
    return 0


async def _disconnect(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    member = await _member(services, workspace.id, options.member)
    ended = await (await services.load_team()).membership.administration.end_connections(workspace.id, member.id)
    terminal.say(f"{ended:,} connections of {member.name} were ended.")
    return 0


async def _policy(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    membership = (await services.load_team()).membership
    if options.who_invites:
        await membership.administration.set_policy(workspace.id, {"who_invites": options.who_invites})
    found = await membership.administration.policy(workspace.id)
    for each in fields(found):
        value = getattr(found, each.name)
        terminal.say(f"{each.name.replace('_', ' ')}: {value if isinstance(value, str) else f'{value:,}'}")
    return 0


async def _sync(options: argparse.Namespace, services: Services) -> int:
    service = await services.load_team()
    chosen = (
        [await find_workspace(services, options.workspace)] if options.workspace else await service.records.workspaces()
    )
    if not chosen:
        terminal.complain("this profile is in no workspace")
    code = 0
    rows = []
    for workspace in chosen:
        sent = await _wait(services, workspace.id, options.wait, [])
        rows.append(
            {"id": workspace.id, "waiting": sent.waiting, "refused": sent.refused, "problem": sent.problem or None}
        )
        if not options.json:
            state = "is up to date" if sent.is_done else counted(sent.waiting, "change waits", "changes wait")
            refused = f", {sent.refused:,} refused ('chatdesk team refused' lists them)" if sent.refused else ""
            terminal.say(f"{workspace.name}: {state}{refused}.")
            code = max(code, _tell(sent))
        code = max(code, 0 if sent.is_done else 1)
    if options.json:
        terminal.say_json(rows)
    return code


async def send_now(services: Services, project_id: str, seconds: int) -> int:
    """Wait until the server has what was asked for in a shared project; returns the exit code."""
    shared = await _shared(services, project_id)
    return _tell(await _wait(services, shared.workspace_id, seconds, [project_id]))


async def send_asked(services: Services, thread_id: str) -> None:
    """Send a question that was asked on the command line to the team before the program ends, where its thread is
    shared."""
    if services.has_other_owner or not await services.team_is_joined():
        return
    thread = await services.repositories.threads.get(thread_id)
    service = await services.load_team()
    shared = next((each for each in await service.records.projects() if each.project_id == thread.project_id), None)
    if shared is None or shared.ended is not None:
        return
    if environment().get(KEYS_PASSPHRASE):
        await open_keys(services, may_make=False)
    sent = await _wait(services, shared.workspace_id, ASK_WAIT_S, [thread.project_id])
    if not sent.is_done:
        terminal.complain(
            f"The team has not got it yet: {sent.problem} It waits here; 'chatdesk team sync' sends it."
            if sent.problem
            else "The team has not got it yet. It waits here; 'chatdesk team sync' sends it."
        )


async def _wait(services: Services, workspace_id: str, seconds: int, projects: Sequence[str]) -> Sending:
    from chatdesk.core.sync.sending import wait_until_sent

    service = await services.load_team()
    timeout_s = float(max(0, seconds))
    return await wait_until_sent(service, workspace_id, SystemClock(), projects=projects, timeout_s=timeout_s)


def _tell(sent: Sending) -> int:
    if sent.is_done:
        return 0
    wait = counted(sent.waiting, "change waits", "changes wait")
    terminal.complain(f"{wait} here. {sent.problem} 'chatdesk team sync' goes on.")
    return 1


async def _shared(services: Services, project_id: str) -> SharedProject:
    for each in await (await services.load_team()).records.projects():
        if each.project_id == project_id and each.ended is None:
            return each
    raise NotFound("This project is not shared.", safe="", next_step="'chatdesk team share' shares it.")


async def _member(services: Services, workspace_id: str, wanted: str) -> TeamMember:
    from chatdesk.core.domain.sharing.team import MemberStatus

    name = wanted.strip().casefold()
    found = [
        each
        for each in await (await services.load_team()).membership.administration.members(workspace_id)
        if each.status is not MemberStatus.REMOVED and name in (each.id, each.name.casefold())
    ]
    if len(found) == 1:
        return found[0]
    raise NotFound(
        f"{len(found) or 'No'} member{'s are' if found else ' is'} called “{wanted[:60]}”.",
        safe="Nothing was changed.",
        next_step="'chatdesk team members' lists them with their ids.",
    )


def _add_refused_verb(verbs: Any, common: argparse.ArgumentParser) -> None:
    refused = verbs.add_parser("refused", parents=[common], help="list what the server did not take")
    doing = refused.add_mutually_exclusive_group()
    doing.add_argument("--copy", metavar="ID", help="copy its text into a new thread of a private project, or all")
    doing.add_argument("--retry", metavar="ID", help="send it again, or all")
    doing.add_argument("--forget", metavar="ID", help="list it no more, or all of them")
    refused.add_argument("--json", action="store_true", help="a JSON array")
    refused.set_defaults(team_verb=TeamVerb(_refused, is_writing=True, asks_server=False))


async def _refused(options: argparse.Namespace, services: Services) -> int:
    service = await services.load_team()
    found = await service.decisions.refused()
    for name in ("copy", "retry", "forget"):
        wanted = getattr(options, name)
        if wanted is not None:
            ids = _chosen(found, wanted)
            if name == "copy":
                thread = await service.decisions.copy_refused(ids)
                terminal.say(thread.id)
                terminal.note(f"The texts are in the private thread “{thread.title}”.")
            elif name == "retry":
                await service.decisions.retry_refused(ids)
                terminal.note("They wait to be sent; 'chatdesk team sync' sends them.")
            else:
                await service.decisions.forget_refused(ids)
            return 0
    held_up = await _held_up(service)
    if options.json:
        names = ("id", "project_id", "thread_id", "kind", "at", "status", "sentence", "text")
        terminal.say_json([*({name: getattr(each, name) for name in names} for each in found), *held_up])
        return 0
    for each in found:
        terminal.say(f"{each.id}  {each.sentence}")
        if each.text:
            terminal.say(f"    {' '.join(each.text[:400].split())[:100]}")
    for row in held_up:
        changes = counted(row["waiting"], "change waits", "changes wait")
        terminal.say(f"{row['project_id']}  {changes} (limit {row['limit']}): {row['sentence']}")
    if not found and not held_up:
        terminal.complain("nothing was refused")
    return 0


async def _held_up(service: TeamService) -> list[dict[str, Any]]:
    """Return shared projects with changes that the server did not accept yet because a limit of their workspace is
    reached."""
    from chatdesk.core.sync.errors import TeamLimited

    shared = [each for each in await service.records.projects() if each.ended is None and each.waiting]
    rows: list[dict[str, Any]] = []
    for workspace_id in {each.workspace_id: None for each in shared}:
        latest = await service.records.rounds(workspace_id, 1)
        limit = TeamLimited.told_by(latest[0].problem) if latest else None
        if limit is None:
            continue
        rows += [
            {
                "project_id": each.project_id,
                "kind": "project",
                "at": latest[0].at,
                "status": limit.code,
                "sentence": f"{limit.what} {limit.next_step}",
                "limit": limit.limit,
                "waiting": each.waiting,
            }
            for each in shared
            if each.workspace_id == workspace_id
        ]
    return rows


def _chosen(found: Sequence[RefusedChange], wanted: str) -> list[str]:
    ids = [each.id for each in found if wanted in ("all", each.id)]
    if not ids:
        raise NotFound(f"“{wanted[:60]}” was not refused.", safe="", next_step="'chatdesk team refused' lists them.")
    return ids
