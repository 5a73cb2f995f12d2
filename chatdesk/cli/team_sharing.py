"""``chatdesk team``: the verbs that share projects and stop that, manage roles and members, and sync."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from chatdesk.cli.team_arguments import checked_role
from chatdesk.cli.team_asking import KEYS_PASSPHRASE, TeamVerb, find_workspace, open_keys, waiting_text
from chatdesk.cli.team_refused import add_refused_verb
from chatdesk.cli.team_text import POLICY_TEXTS, POLICY_VALUES, ROLE_TEXTS
from chatdesk.cli.threads import find_project
from chatdesk.core.clock import SystemClock
from chatdesk.core.domain.sharing.team import (
    EndReason,
    MemberStatus,
    SharedProject,
    TeamMember,
    TeamRole,
    Workspace,
    ended_text,
)
from chatdesk.core.errors import InvalidInput, NotFound
from chatdesk.core.system import terminal
from chatdesk.core.system.processes import environment
from chatdesk.core.texts import Sentences, Text, plural, shown, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.core.sync.sending import Sending
    from chatdesk.services.services import Services

# How long is waited for a server to take what was asked for, unless ``--wait`` says otherwise.
WAIT_S: Final = 60
# The same after a question: its answer is here already.
ASK_WAIT_S: Final = 15


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    share = verbs.add_parser("share", parents=[common], help=tr("share a project with a workspace"))
    share.add_argument("project", metavar="PROJECT", help=tr("its name or id"))
    share.add_argument("--workspace", metavar="NAME", help=tr("name or id of the workspace, if there are several"))
    share.add_argument("--yes", action="store_true", help=tr("do not ask"))
    _add_wait(share)
    share.set_defaults(team_verb=TeamVerb(_share, is_writing=True))

    stop = verbs.add_parser(
        "stop", parents=[common], help=tr("end the sharing of a project, or leave a project that others share")
    )
    stop.add_argument("project", metavar="PROJECT", help=tr("its name or id"))
    stop.add_argument("--yes", action="store_true", help=tr("do not ask"))
    stop.set_defaults(team_verb=TeamVerb(_stop, is_writing=True))

    role = verbs.add_parser(
        "role", parents=[common], help=tr("give a member a role in a shared project, or take it away")
    )
    role.add_argument("project", metavar="PROJECT", help=tr("its name or id"))
    role.add_argument("member", metavar="MEMBER", help=tr("their name or id"))
    role.add_argument("role", choices=("viewer", "editor", "admin", "owner", "none"))
    role.set_defaults(team_verb=TeamVerb(_role, is_writing=True))

    remove = verbs.add_parser("remove", parents=[common], help=tr("remove a member from a workspace"))
    remove.add_argument("member", metavar="MEMBER", help=tr("their name or id"))
    remove.add_argument("--workspace", metavar="NAME", help=tr("name or id of the workspace, if there are several"))
    remove.add_argument("--yes", action="store_true", help=tr("do not ask"))
    remove.set_defaults(team_verb=TeamVerb(_remove, is_writing=True))

    owner = verbs.add_parser("owner", parents=[common], help=tr("make a member an owner of the workspace"))
    owner.add_argument("member", metavar="MEMBER", help=tr("their name or id"))
    owner.add_argument("--off", action="store_true", help=tr("make them an ordinary member again"))
    owner.add_argument("--workspace", metavar="NAME", help=tr("name or id of the workspace, if there are several"))
    owner.set_defaults(team_verb=TeamVerb(_owner, is_writing=True))

    ending = verbs.add_parser(
        "disconnect", parents=[common], help=tr("end the connections of a member who blocks others")
    )
    ending.add_argument("member", metavar="MEMBER", help=tr("their name or id"))
    ending.add_argument("--workspace", metavar="NAME", help=tr("name or id of the workspace, if there are several"))
    ending.set_defaults(team_verb=TeamVerb(_disconnect, is_writing=True))

    policy = verbs.add_parser("policy", parents=[common], help=tr("show or set who may invite"))
    policy.add_argument(
        "--who-invites", choices=("owners", "admins"), help=tr("only owners, or admins of projects as well")
    )
    policy.add_argument("--workspace", metavar="NAME", help=tr("name or id of the workspace, if there are several"))
    policy.set_defaults(team_verb=TeamVerb(_policy, is_writing=True))

    sync = verbs.add_parser("sync", parents=[common], help=tr("send waiting changes and fetch those of others"))
    sync.add_argument("--workspace", metavar="NAME", help=tr("name or id of the workspace, if there are several"))
    sync.add_argument("--json", action="store_true", help=tr("as JSON"))
    _add_wait(sync)
    sync.set_defaults(team_verb=TeamVerb(_sync, is_writing=True))

    add_refused_verb(verbs, common)


def _add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait",
        type=int,
        default=WAIT_S,
        metavar="SECONDS",
        help=tr("wait for the server at most this long ({seconds})", seconds=str(WAIT_S)),
    )


async def _share(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    project = await find_project(services, options.project, is_shared=False)
    await open_keys(services)
    service = await services.load_team()
    await service.start()
    size = await service.sharing.share_count(project.id)
    question = tr(
        "Share “{project}” ({threads}, {messages}) with {workspace}? What is sent cannot be taken back from those who"
        " have read it.",
        project=project.name,
        threads=plural("{count} threads", "{count} thread", size.threads),
        messages=plural("{count} messages", "{count} message", size.messages),
        workspace=workspace.name,
    )
    if (await services.repositories.projects.default()).id == project.id:
        terminal.complain(
            tr(
                "“{name}” is the project into which new threads go: what you ask from now on without naming another"
                " project is shared, too.",
                name=project.name,
            )
        )
    if not options.yes and not await terminal.agrees(question):
        terminal.complain(tr("nothing was changed"))
        return 1
    await service.sharing.share(project.id, workspace.id)
    sent = await _wait(services, workspace.id, options.wait, [project.id])
    terminal.say(tr("“{project}” is shared with {workspace}.", project=project.name, workspace=workspace.name))
    return _report_sent(sent)


async def _stop(options: argparse.Namespace, services: Services) -> int:
    project = await find_project(services, options.project, is_shared=True)
    await open_keys(services)
    service = await services.load_team()
    await service.start()
    shared = service.known.shared_project(project.id)
    is_owner = shared is not None and shared.role is TeamRole.OWNER
    question = (
        tr("End the sharing of “{name}” for everybody? All keep private copies.", name=project.name)
        if is_owner
        else tr("Leave “{name}”? A private copy stays here.", name=project.name)
    )
    if not options.yes and not await terminal.agrees(question):
        terminal.complain(tr("nothing was changed"))
        return 1
    await service.sharing.unshare(project.id)
    ended = ended_text(EndReason.UNSHARED if is_owner else EndReason.LEFT, project.name)
    terminal.say(Sentences.of(ended, Text("This is a private copy.")))
    return 0


async def _role(options: argparse.Namespace, services: Services) -> int:
    project = await find_project(services, options.project, is_shared=True)
    service = await services.load_team()
    shared = await _shared(services, project.id)
    await open_keys(services)
    member = await _member(services, shared.workspace_id, options.member)
    given = None if options.role == "none" else TeamRole(options.role)
    await service.membership.administration.set_role(project.id, member.id, given)
    terminal.say(
        tr("{name} is {role} of “{project}” now.", name=member.name, role=ROLE_TEXTS[given], project=project.name)
        if given
        else tr("{name} is no longer in “{project}”.", name=member.name, project=project.name)
    )
    return 0


async def _remove(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    await open_keys(services)
    member = await _member(services, workspace.id, options.member)
    question = tr("Remove {name} from {workspace}? What they wrote stays.", name=member.name, workspace=workspace.name)
    if not options.yes and not await terminal.agrees(question):
        terminal.complain(tr("nothing was changed"))
        return 1
    membership = (await services.load_team()).membership
    await membership.administration.remove_member(workspace.id, member.id)
    terminal.say(tr("{name} was removed from {workspace}.", name=member.name, workspace=workspace.name))
    invited = [each for each in await membership.administration.members(workspace.id) if each.invited_by == member.id]
    names = tuple(each.name for each in invited if each.status is not MemberStatus.REMOVED)
    if names:
        terminal.complain(
            tr(
                "{name} had invited {others}, who are still members; 'chatdesk team remove' removes them",
                name=member.name,
                others=names,
            )
        )
    return 0


async def _owner(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    await open_keys(services)
    member = await _member(services, workspace.id, options.member)
    membership = (await services.load_team()).membership
    await membership.administration.set_workspace_owner(workspace.id, member.id, not options.off)
    terminal.say(
        tr("{name} is an ordinary member of {workspace} now.", name=member.name, workspace=workspace.name)
        if options.off
        else tr("{name} is an owner of {workspace} now.", name=member.name, workspace=workspace.name)
    )
    return 0


async def _disconnect(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    await open_keys(services)
    member = await _member(services, workspace.id, options.member)
    ended = await (await services.load_team()).membership.administration.end_connections(workspace.id, member.id)
    terminal.say(
        plural(
            "{count} connections of {name} were ended.",
            "{count} connection of {name} was ended.",
            ended,
            name=member.name,
        )
    )
    return 0


async def _policy(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    await open_keys(services)
    membership = (await services.load_team()).membership
    if options.who_invites:
        await membership.administration.set_policy(workspace.id, {"who_invites": options.who_invites})
    found = await membership.administration.policy(workspace.id)
    for each in fields(found):
        value = getattr(found, each.name)
        terminal.say(tr("{name}: {value}", name=POLICY_TEXTS[each.name], value=POLICY_VALUES.get(value, value)))
    return 0


async def _sync(options: argparse.Namespace, services: Services) -> int:
    service = await services.load_team()
    chosen = (
        [await find_workspace(services, options.workspace)] if options.workspace else await service.records.workspaces()
    )
    if not chosen:
        terminal.complain(tr("this profile is in no workspace"))
    else:
        await open_keys(services)
    code = 0
    rows = []
    for workspace in chosen:
        sent = await _wait(services, workspace.id, options.wait, [])
        rows.append(
            {"id": workspace.id, "waiting": sent.waiting, "refused": sent.refused, "problem": sent.problem or None}
        )
        if not options.json:
            state = tr("is up to date") if sent.is_done else shown(waiting_text(sent.waiting))
            if sent.refused:
                state = tr(
                    "{state}, {count} refused ('chatdesk team refused' lists them)", state=state, count=sent.refused
                )
            terminal.say(tr("{workspace}: {state}.", workspace=workspace.name, state=state))
            code = max(code, _report_sent(sent))
        code = max(code, 0 if sent.is_done else 1)
    if options.json:
        terminal.say_json(rows)
    return code


async def send_now(services: Services, project_id: str, seconds: int) -> int:
    """Wait until the server has what was asked for in a shared project; returns the exit code."""
    shared = await _shared(services, project_id)
    return _report_sent(await _wait(services, shared.workspace_id, seconds, [project_id]))


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
        await open_keys(services)
    sent = await _wait(services, shared.workspace_id, ASK_WAIT_S, [thread.project_id])
    if not sent.is_done:
        terminal.complain(
            tr(
                "The team has not got it yet: {problem} It waits here; 'chatdesk team sync' sends it.",
                problem=sent.problem,
            )
            if sent.problem
            else tr("The team has not got it yet. It waits here; 'chatdesk team sync' sends it.")
        )


async def _wait(services: Services, workspace_id: str, seconds: int, projects: Sequence[str]) -> Sending:
    from chatdesk.core.sync.sending import wait_until_sent

    service = await services.load_team()
    timeout_s = float(max(0, seconds))
    return await wait_until_sent(service, workspace_id, SystemClock(), projects=projects, timeout_s=timeout_s)


def _report_sent(sent: Sending) -> int:
    if sent.is_done:
        return 0
    wait = plural("{count} changes wait here.", "{count} change waits here.", sent.waiting)
    terminal.complain(Sentences.of(wait, sent.problem, Text("'chatdesk team sync' continues.")))
    return 1


async def _shared(services: Services, project_id: str) -> SharedProject:
    for each in await (await services.load_team()).records.projects():
        if each.project_id == project_id and each.ended is None:
            return each
    raise NotFound(Text("This project is not shared."), safe="", next_step=Text("'chatdesk team share' shares it."))


async def _member(services: Services, workspace_id: str, wanted: str) -> TeamMember:
    name = wanted.strip().casefold()
    found = [
        each
        for each in await (await services.load_team()).membership.administration.members(workspace_id)
        if each.status is not MemberStatus.REMOVED and name in (each.id, each.name.casefold())
    ]
    if len(found) == 1:
        return found[0]
    raise NotFound(
        plural(
            "{count} members are called “{name}”.", "{count} member is called “{name}”.", len(found), name=wanted[:60]
        )
        if found
        else Text("No member is called “{name}”.", name=wanted[:60]),
        safe=Text("Nothing was changed."),
        next_step=Text("'chatdesk team members' lists them with their ids."),
    )


async def roles_of(given: list[str], services: Services, workspace: Workspace) -> dict[str, TeamRole]:
    """Parse ``PROJECT=ROLE`` into roles by project id; names of projects are compared without regard to case."""
    shared = {
        each.project_id
        for each in await (await services.load_team()).records.projects()
        if each.ended is None and each.workspace_id == workspace.id
    }
    projects = [each for each in await services.library.projects.list() if each.id in shared]
    roles: dict[str, TeamRole] = {}
    for each in given:
        name, role = checked_role(each)
        matches = [one for one in projects if name.strip().casefold() in (one.id, one.name.casefold())]
        if len(matches) != 1:
            raise InvalidInput(
                plural(
                    "{count} shared projects are called “{name}”.",
                    "{count} shared project is called “{name}”.",
                    len(matches),
                    name=name[:60],
                )
                if matches
                else Text("No shared project is called “{name}”.", name=name[:60]),
                safe=Text("Nobody was invited."),
                next_step=Text("Share it first ('chatdesk team share'), or give its id."),
            )
        roles[matches[0].id] = role
    return roles
