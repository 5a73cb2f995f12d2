"""Implements the verbs of ``chatdesk team`` that share projects and sync them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from chatdesk.cli.team_arguments import checked_role
from chatdesk.cli.team_asking import KEYS_PASSPHRASE, add_verb, find_workspace, open_keys
from chatdesk.cli.threads import find_project
from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import TeamRole, Workspace
from chatdesk.core.errors import InvalidInput
from chatdesk.core.system import terminal
from chatdesk.core.system.processes import environment
from chatdesk.core.texts import Sentences, Text, plural, shown, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.core.sync.sending import Sending
    from chatdesk.services.services import Services

# The time for a server to accept a request, unless ``--wait`` sets another.
WAIT_S: Final = 60
# The same after a question: its answer is here already.
ASK_WAIT_S: Final = 15


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    share = add_verb(verbs, common, "share", _share, tr("share a project with a workspace"))
    share.add_argument("project", metavar="PROJECT", help=tr("its name or id"))
    share.add_argument("--yes", action="store_true", help=tr("do not ask"))
    sync = add_verb(
        verbs, common, "sync", _sync, tr("send waiting changes and fetch those of others"), json=tr("as JSON")
    )
    for each in (share, sync):
        wait = tr("wait for the server at most this long ({seconds})", seconds=str(WAIT_S))
        each.add_argument("--wait", type=int, default=WAIT_S, metavar="SECONDS", help=wait)


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
            waits = plural("{count} changes wait", "{count} change waits", sent.waiting)
            state = tr("is up to date") if sent.is_done else shown(waits)
            if sent.refused:
                state = tr(
                    "{state}, {count} refused ('chatdesk team status' lists them)", state=state, count=sent.refused
                )
            terminal.say(tr("{workspace}: {state}.", workspace=workspace.name, state=state))
            code = max(code, _report_sent(sent))
        code = max(code, 0 if sent.is_done else 1)
    if options.json:
        terminal.say_json(rows)
    return code


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
    return await wait_until_sent(service, workspace_id, Clock(), projects=projects, timeout_s=timeout_s)


def _report_sent(sent: Sending) -> int:
    if sent.is_done:
        return 0
    wait = plural("{count} changes wait here.", "{count} change waits here.", sent.waiting)
    terminal.complain(Sentences.of(wait, sent.problem, Text("'chatdesk team sync' continues.")))
    return 1


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
