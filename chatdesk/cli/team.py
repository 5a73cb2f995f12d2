"""``chatdesk team`` creates, joins and leaves a team's workspace, invites people, shares, syncs, and shows its state.

Secrets come from a file, from stdin or from the environment, never from the arguments, which everybody on a computer
can see.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from chatdesk.cli import team_arguments, team_membership, team_sharing
from chatdesk.cli.team_asking import TeamVerb, add_verb, find_workspace, open_keys
from chatdesk.cli.team_membership import add_address, password_for, workspace_as_data
from chatdesk.core.domain.sharing.lost_changes import LostChanges
from chatdesk.core.domain.sharing.team import MemberStatus, RefusedChange
from chatdesk.core.domain.sharing.team_setup import CheckState
from chatdesk.core.errors import NotPossible
from chatdesk.core.system import terminal
from chatdesk.core.texts import Text, plural, shown, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.services.services import Services


_OWNER: Final = Text("owner")
_STATUS_TEXTS: Final = {
    MemberStatus.INVITED: Text("invited"),
    MemberStatus.ACTIVE: Text("active"),
    MemberStatus.REMOVED: Text("removed"),
}
_CHECK_TEXTS: Final = {
    CheckState.OK: Text("ok"),
    CheckState.WARNING: Text("warning"),
    CheckState.FAILED: Text("failed"),
}


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("team", parents=[common], help=tr("share projects through a team's database"))
    parser.set_defaults(run=_team)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    array = tr("a JSON array")
    add_verb(
        verbs,
        common,
        "status",
        _status,
        tr("show the state of this profile's workspaces, and what was refused"),
        is_writing=False,
        has_workspace=False,
        json=array,
    )
    check = add_verb(
        verbs,
        common,
        "check",
        _check,
        tr("check a server before making a workspace, or what the server of one has lost"),
        is_writing=False,
        json=tr("as JSON"),
        check=team_arguments.check_server,
    )
    add_address(check)
    add_verb(
        verbs,
        common,
        "members",
        _members,
        tr("list the members, as the server has them now"),
        is_writing=False,
        json=array,
    )
    limits = add_verb(
        verbs,
        common,
        "limits",
        _limits,
        tr("show or set who may invite and share in a workspace, and its limits"),
        is_writing=False,
        json=tr("as JSON"),
        check=team_arguments.check_limits,
    )
    limits.add_argument("changes", nargs="*", metavar="NAME=VALUE", help=tr("what an owner of the workspace sets"))
    team_membership.add_verbs(verbs, common)
    team_sharing.add_verbs(verbs, common)


async def _team(options: argparse.Namespace, services: Services) -> int:
    """Run one verb of ``chatdesk team``; returns the exit code."""
    verb: TeamVerb = options.team_verb
    if verb.is_writing:
        if services.has_other_owner:
            raise NotPossible(
                Text("ChatDesk is open on this data directory."),
                next_step=Text("Use Settings, Team sync in its window, or close it first."),
            )
        if services.read_only_reason is not None:
            raise services.read_only_reason
    return await verb.run(options, services)


async def _limits(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    await open_keys(services)
    administration = (await services.load_team()).membership.administration
    if options.values:
        await administration.set_policy(workspace.id, options.values)
    policy = asdict(await administration.policy(workspace.id))
    if options.json:
        terminal.say_json(policy)
    else:
        for name, value in policy.items():
            terminal.say(f"{name}={value}")
    return 0


async def _status(options: argparse.Namespace, services: Services) -> int:
    service = await services.load_team()
    shared = await service.records.projects()
    refused = await service.decisions.refused()
    rows: list[dict[str, Any]] = []
    for workspace in await service.records.workspaces():
        mine = [each for each in shared if each.workspace_id == workspace.id and each.ended is None]
        ids = {each.project_id for each in shared if each.workspace_id == workspace.id}
        latest = await service.records.rounds(workspace.id, 1)
        rows.append(
            {
                **workspace_as_data(workspace),
                "projects": len(mine),
                "waiting": sum(each.waiting for each in mine),
                "refused": [_refused_as_data(each) for each in refused if each.project_id in ids],
                "last_round_at": latest[0].at if latest else None,
                "problem": latest[0].problem if latest else "",
                "misfits": [each.misfit for each in mine if each.misfit],
            }
        )
    parked = await service.records.parked()
    if options.json:
        terminal.say_json([*rows, *({**workspace_as_data(each), "is_parked": True} for each in parked)])
        return 0
    if not rows and not parked:
        terminal.complain(tr("this profile is in no workspace"))
    for each in parked:
        parked_text = tr("parked: this profile was restored, repaired or copied, and is not connected")
        terminal.say(f"{each.id}  {each.name}  {each.address.host}  {parked_text}")
        terminal.say("    " + tr("'chatdesk team join' connects again"))
    for row in rows:
        owner = tr("owner") if row["is_owner"] else tr("member")
        shares = shown(plural("{count} shared", "{count} shared", row["projects"]))
        waits = tr("{waiting} waiting, {refused} refused", waiting=row["waiting"], refused=len(row["refused"]))
        terminal.say(f"{row['id']}  {row['name']}  {row['host']}  {owner}  {shares}  {waits}")
        for sentence in dict.fromkeys((*row["misfits"], row["problem"])):
            if sentence:
                terminal.say(f"    {shown(sentence)}")
        for change in row["refused"]:
            terminal.say(f"    {shown(change['sentence'])}")
            if change["text"]:
                terminal.say(f"        {' '.join(change['text'][:400].split())[:100]}")
    return 0


def _refused_as_data(change: RefusedChange) -> dict[str, Any]:
    names = ("id", "project_id", "thread_id", "kind", "at", "status", "sentence", "text")
    return {name: getattr(change, name) for name in names}


async def _check(options: argparse.Namespace, services: Services) -> int:
    """Return 1 where a check failed, or where the server has lost something."""
    service = await services.load_team()
    if not (options.url or options.host):
        workspace = await find_workspace(services, options.workspace)
        await open_keys(services)
        await service.look_up()
        result = await service.checks.check(workspace.id)
        if options.json:
            terminal.say_json({"lost": [_lost_as_data(each) for each in result.lost]})
        else:
            for sentence in result.sentences:
                terminal.say(shown(sentence))
            for lost in result.lost:
                terminal.say(shown(lost.headline))
                for each in lost.ranges:
                    terminal.say(f"    {shown(each.sentence)}")
                terminal.say(shown(lost.advice))
                if lost.may_accept:
                    terminal.say(tr("The window lets it go on without them: Settings, Team sync, Details."))
        return 1 if result.lost else 0
    password = await password_for(options.address)
    checks = await service.membership.examine(options.address, password)
    if options.json:
        rows = [{"name": each.name, "state": each.state.value, "sentence": each.sentence} for each in checks]
        terminal.say_json(rows)
    else:
        lines = [(shown(_CHECK_TEXTS[each.state]), shown(each.name), shown(each.sentence)) for each in checks]
        state_width, name_width = (max(len(line[column]) for line in lines) + 2 for column in (0, 1))
        for state, name, sentence in lines:
            terminal.say(f"{state:{state_width}}{name:{name_width}}{sentence}")
    return 1 if any(each.state == "failed" for each in checks) else 0


def _lost_as_data(lost: LostChanges) -> dict[str, Any]:
    return {
        "project_id": lost.project_id,
        "name": lost.name,
        "changes": lost.count,
        "may_accept": lost.may_accept,
        "ranges": [
            {"first": each.first, "last": each.last, "after_at": each.after_at, "before_at": each.before_at}
            for each in lost.ranges
        ],
    }


async def _members(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    await open_keys(services)
    found = await (await services.load_team()).membership.administration.members(workspace.id)
    if options.json:
        rows = [
            {
                "id": each.id,
                "name": each.name,
                "is_owner": each.is_owner,
                "status": each.status.value,
                "is_me": each.id == workspace.member_id,
                "roles": {project: role.value for project, role in each.roles.items()},
            }
            for each in found
        ]
        terminal.say_json(rows)
        return 0
    for each in found:
        mark = "*" if each.id == workspace.member_id else " "
        standing = shown(_OWNER if each.is_owner else _STATUS_TEXTS[each.status])
        count = len(each.roles)
        projects = plural("{number} projects", "{number} project", count, number=f"{count:3}")
        terminal.say(f"{mark} {each.id}  {standing:8}  {shown(projects)}  {each.name}")
    return 0
