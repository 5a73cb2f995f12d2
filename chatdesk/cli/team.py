"""``chatdesk team`` creates, joins and leaves a team's workspace, invites members and shows its state.

Secrets come from a file, from stdin or from the environment, never from the arguments, which everybody on a computer
can see.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Any

from chatdesk.cli import team_lost, team_membership, team_sharing
from chatdesk.cli.team_asking import TeamVerb, find_workspace, open_keys
from chatdesk.cli.team_membership import add_address, address_of, password_for, workspace_as_data
from chatdesk.cli.team_sharing import WAIT_S, send_now
from chatdesk.cli.team_text import CHECK_TEXTS, ROLE_TEXTS, STATUS_TEXTS
from chatdesk.cli.threads import find_project
from chatdesk.core.domain.sharing.team import Erasure, TeamRole
from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.system import terminal
from chatdesk.core.texts import Sentences, Text, plural, shown, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.services.services import Services


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("team", parents=[common], help=tr("share projects through a team's database"))
    parser.set_defaults(run=_team)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    status = verbs.add_parser("status", parents=[common], help=tr("show the state of this profile's workspaces"))
    status.add_argument("--json", action="store_true", help=tr("a JSON array"))
    status.set_defaults(team_verb=TeamVerb(_status))
    check = verbs.add_parser(
        "check",
        parents=[common],
        help=tr("check a server before making a workspace, or what the server of one has lost"),
    )
    add_address(check)
    check.add_argument(
        "--workspace", metavar="NAME", help=tr("workspace to check, if no address is given (by default the only one)")
    )
    check.add_argument("--json", action="store_true", help=tr("as JSON"))
    check.set_defaults(team_verb=TeamVerb(_check))
    members = verbs.add_parser("members", parents=[common], help=tr("list the members, as the server has them now"))
    members.add_argument("--workspace", metavar="NAME", help=tr("name or id of the workspace, if there are several"))
    members.add_argument("--json", action="store_true", help=tr("a JSON array"))
    members.set_defaults(team_verb=TeamVerb(_members))
    team_membership.add_verbs(verbs, common)
    team_sharing.add_verbs(verbs, common)
    team_lost.add_verb(verbs, common)
    _add_erasing_verbs(verbs, common)


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


async def _status(options: argparse.Namespace, services: Services) -> int:
    service = await services.load_team()
    shared = await service.records.projects()
    rows: list[dict[str, Any]] = []
    for workspace in await service.records.workspaces():
        mine = [each for each in shared if each.workspace_id == workspace.id and each.ended is None]
        latest = await service.records.rounds(workspace.id, 1)
        rows.append(
            {
                **workspace_as_data(workspace),
                "projects": len(mine),
                "waiting": sum(each.waiting for each in mine),
                "refused": sum(each.refused for each in mine),
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
        parked_text = tr("parked: it came with a backup and is not connected")
        terminal.say(f"{each.id}  {each.name}  {each.address.host}  {parked_text}")
        terminal.say("    " + tr("'chatdesk team join-again {id}' connects again", id=each.id))
    for row in rows:
        owner = tr("owner") if row["is_owner"] else tr("member")
        shares = shown(plural("{count} shared", "{count} shared", row["projects"]))
        waits = tr("{waiting} waiting, {refused} refused", waiting=row["waiting"], refused=row["refused"])
        terminal.say(f"{row['id']}  {row['name']}  {row['host']}  {owner}  {shares}  {waits}")
        for sentence in dict.fromkeys((*row["misfits"], row["problem"])):
            if sentence:
                terminal.say(f"    {shown(sentence)}")
    return 0


async def _check(options: argparse.Namespace, services: Services) -> int:
    """Return 1 where a check failed, or where the server has lost something."""
    service = await services.load_team()
    if not (options.url or options.host):
        workspace = await find_workspace(services, options.workspace)
        await open_keys(services)
        await service.look_up()
        result = await service.checks.check(workspace.id)
        if options.json:
            terminal.say_json({"lost": [team_lost.as_data(each) for each in result.lost]})
        else:
            for sentence in result.sentences:
                terminal.say(shown(sentence))
            team_lost.say_lost(result.lost)
        return 1 if result.lost else 0
    address = await asyncio.to_thread(address_of, options)
    password = await password_for(address)
    checks = await service.membership.examine(address, password)
    if options.json:
        rows = [{"name": each.name, "state": each.state.value, "sentence": each.sentence} for each in checks]
        terminal.say_json(rows)
    else:
        lines = [(shown(CHECK_TEXTS[each.state]), shown(each.name), shown(each.sentence)) for each in checks]
        state_width, name_width = (max(len(line[column]) for line in lines) + 2 for column in (0, 1))
        for state, name, sentence in lines:
            terminal.say(f"{state:{state_width}}{name:{name_width}}{sentence}")
    return 1 if any(each.state == "failed" for each in checks) else 0


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
        standing = shown(ROLE_TEXTS[TeamRole.OWNER] if each.is_owner else STATUS_TEXTS[each.status])
        count = len(each.roles)
        projects = plural("{number} projects", "{number} project", count, number=f"{count:3}")
        terminal.say(f"{mark} {each.id}  {standing:8}  {shown(projects)}  {each.name}")
    return 0


def _add_erasing_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    erase = verbs.add_parser(
        "erase", parents=[common], help=tr("erase something shared for everybody, with all of its text")
    )
    what = erase.add_mutually_exclusive_group(required=True)
    what.add_argument("--thread", metavar="ID", help=tr("thread of which to erase all that you may erase"))
    what.add_argument("--message", metavar="ID", help=tr("message to erase, with the summaries made from it"))
    what.add_argument(
        "--project", metavar="NAME", help=tr("project to erase (name or id); its sharing ends and nothing of it stays")
    )
    erase.set_defaults(team_verb=TeamVerb(_erase, is_writing=True))
    keep = verbs.add_parser(
        "keep", parents=[common], help=tr("show or set how long a shared project keeps its messages")
    )
    keep.add_argument("project", metavar="PROJECT", help=tr("its name or id"))
    keep.add_argument(
        "days",
        metavar="DAYS",
        nargs="?",
        help=tr("number of days, or forever; without it, the current setting is shown"),
    )
    keep.set_defaults(team_verb=TeamVerb(_keep, is_writing=True))
    for each in (erase, keep):
        each.add_argument("--yes", action="store_true", help=tr("do not ask"))
        wait = tr("wait for the server at most this long ({seconds})", seconds=str(WAIT_S))
        each.add_argument("--wait", type=int, default=WAIT_S, metavar="SECONDS", help=wait)


async def _keep(options: argparse.Namespace, services: Services) -> int:
    if options.days not in (None, "forever") and not options.days.isdecimal():
        raise InvalidInput(
            Text("Give a number of days, or 'forever'."), safe=Text("Nothing was changed."), next_step=""
        )
    project = await find_project(services, options.project, is_shared=True)
    await open_keys(services)
    team = await services.load_team()
    await team.start()
    if options.days is None:
        days = await team.erasing.retention(project.id)
        terminal.say(tr("forever") if days is None else plural("{count} days", "{count} day", days))
        return 0
    days = None if options.days == "forever" else int(options.days[:9])
    if days is not None and not options.yes and not await terminal.agrees(_keep_question(project.name, days)):
        terminal.complain(tr("nothing was changed"))
        return 1
    await team.erasing.set_retention(project.id, days)
    code = await send_now(services, project.id, options.wait)
    if not code:
        terminal.say(
            tr("“{project}” keeps messages forever.", project=project.name)
            if days is None
            else plural(
                "“{project}” keeps messages for {count} days.",
                "“{project}” keeps messages for {count} day.",
                days,
                project=project.name,
            )
        )
    return code


def _keep_question(project: str, days: int) -> Text:
    question = plural(
        "Erase what is older than {count} days from “{project}” for everybody, from now on?",
        "Erase what is older than {count} day from “{project}” for everybody, from now on?",
        days,
        project=project,
    )
    return Sentences.of(question, WARNING)


async def _erase(options: argparse.Namespace, services: Services) -> int:
    if options.project is not None:
        return await _erase_project(options, services)
    thread_id = options.thread
    if thread_id is None:
        thread_id = (await services.repositories.messages.get(options.message)).thread_id
    thread = await services.repositories.threads.get(thread_id)
    await open_keys(services)
    team = await services.load_team()
    await team.start()
    if options.thread is not None:
        found = await team.erasing.of_thread(options.thread)
    else:
        found = await team.erasing.of_message(options.message)
    if not options.yes and not await terminal.agrees(Sentences.of(_erase_question(found), WARNING)):
        terminal.complain(tr("nothing was changed"))
        return 1
    if options.thread is not None:
        await team.erasing.erase_thread(options.thread)
    else:
        await team.erasing.erase_message(options.message)
    code = await send_now(services, thread.project_id, options.wait)
    if not code:
        terminal.say(_erased(found))
    return code


WARNING = Text(
    "This cannot be undone. Backups, private copies and what somebody copied elsewhere keep it; a computer that is off"
    " erases it when it syncs again."
)


def _erase_question(found: Erasure) -> Text:
    if found.others:
        return plural(
            "Erase {count} messages ({others} of others stay in the trash) for everybody?",
            "Erase {count} message ({others} of others stay in the trash) for everybody?",
            found.messages,
            others=found.others,
        )
    return plural("Erase {count} messages for everybody?", "Erase {count} message for everybody?", found.messages)


def _erased(found: Erasure) -> Text:
    if found.others:
        return plural(
            "The server has erased {count} messages ({others} of others stay in the trash).",
            "The server has erased {count} message ({others} of others stay in the trash).",
            found.messages,
            others=found.others,
        )
    return plural("The server has erased {count} messages.", "The server has erased {count} message.", found.messages)


async def _erase_project(options: argparse.Namespace, services: Services) -> int:
    project = await find_project(services, options.project, is_shared=True)
    await open_keys(services)
    service = await services.load_team()
    await service.start()
    shared = service.known.shared_project(project.id)
    if shared is None or shared.role is not TeamRole.OWNER:
        raise InvalidInput(
            Text("Only owners can erase a project."),
            safe=Text("Nothing was changed."),
            next_step=Text("Ask one of them."),
        )
    question = Sentences.of(
        Text("End “{project}” and erase all of it, on the server and on every computer?", project=project.name), WARNING
    )
    if not options.yes and not await terminal.agrees(question):
        terminal.complain(tr("nothing was changed"))
        return 1
    await service.sharing.unshare(project.id, and_erase=True)
    terminal.say(tr("“{name}” is erased.", name=project.name))
    return 0
