"""``chatdesk team erase`` removes a thread, a message or a whole project for everybody."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from chatdesk.cli.team_asking import TeamVerb
from chatdesk.cli.team_sharing import WAIT_S, send_now
from chatdesk.cli.threads import find_project
from chatdesk.core import terminal
from chatdesk.core.errors import InvalidInput
from chatdesk.core.plurals import counted

if TYPE_CHECKING:
    from chatdesk.core.domain.sharing.team import Erasure
    from chatdesk.services.services import Services


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    erase = verbs.add_parser("erase", parents=[common], help="remove something shared for everybody, with its words")
    what = erase.add_mutually_exclusive_group(required=True)
    what.add_argument("--thread", metavar="ID", help="what you may erase of it")
    what.add_argument("--message", metavar="ID", help="this one, and the summaries that tell of it")
    what.add_argument("--project", metavar="NAME", help="its name or id: ends its sharing, and nothing of it stays")
    erase.set_defaults(team_verb=TeamVerb(_erase, is_writing=True))
    keep = verbs.add_parser("keep", parents=[common], help="say for how long a shared project keeps its messages")
    keep.add_argument("project", metavar="PROJECT", help="its name or id")
    keep.add_argument("days", metavar="DAYS", nargs="?", help="a number, or forever; without it: how long it is now")
    keep.set_defaults(team_verb=TeamVerb(_keep, is_writing=True))
    for each in (erase, keep):
        each.add_argument("--yes", action="store_true", help="do not ask")
        wait = f"for the server, at most ({WAIT_S})"
        each.add_argument("--wait", type=int, default=WAIT_S, metavar="SECONDS", help=wait)


async def _keep(options: argparse.Namespace, services: Services) -> int:
    project = await find_project(services, options.project, is_shared=True)
    team = await services.load_team()
    await team.start()
    if options.days is None:
        days = await team.erasing.kept_for(project.id)
        terminal.say("forever" if days is None else f"{days:,} days")
        return 0
    if options.days != "forever" and not options.days.isdecimal():
        raise InvalidInput("Give a number of days, or 'forever'.", safe="Nothing was changed.", next_step="")
    days = None if options.days == "forever" else int(options.days[:9])
    question = f"Erase what is older than {days:,} days from “{project.name}” for everybody, from now on? {WARNING}"
    if days is not None and not options.yes and not await terminal.agrees(question):
        terminal.complain("nothing was changed")
        return 1
    await team.erasing.keep_for(project.id, days)
    code = await send_now(services, project.id, options.wait)
    if not code:
        terminal.say(f"“{project.name}” keeps messages {'forever' if days is None else f'for {days:,} days'}.")
    return code


async def _erase(options: argparse.Namespace, services: Services) -> int:
    if options.project is not None:
        return await _erase_project(options, services)
    team = await services.load_team()
    await team.start()
    if options.thread is not None:
        found = await team.erasing.of_thread(options.thread)
        thread = await services.repositories.threads.get(options.thread)
    else:
        found = await team.erasing.of_message(options.message)
        message = await services.repositories.messages.get(options.message)
        thread = await services.repositories.threads.get(message.thread_id)
    if not options.yes and not await terminal.agrees(f"Erase {_counted(found)} for everybody? {WARNING}"):
        terminal.complain("nothing was changed")
        return 1
    if options.thread is not None:
        await team.erasing.erase_thread(options.thread)
    else:
        await team.erasing.erase_message(options.message)
    code = await send_now(services, thread.project_id, options.wait)
    if not code:
        terminal.say(f"The server has erased {_counted(found)}.")
    return code


WARNING = (
    "This cannot be undone. Backups, private copies and what somebody copied elsewhere keep it; a computer that is off"
    " erases it when it syncs again."
)


def _counted(found: Erasure) -> str:
    messages = counted(found.messages, "message")
    others = f" ({found.others:,} of others stay in the trash)" if found.others else ""
    return f"{messages}{others}"


async def _erase_project(options: argparse.Namespace, services: Services) -> int:
    from chatdesk.core.domain.sharing.team import TeamRole

    project = await find_project(services, options.project, is_shared=True)
    service = await services.load_team()
    await service.start()
    shared = service.shared_project(project.id)
    if shared is None or shared.role is not TeamRole.OWNER:
        raise InvalidInput("Only owners erase a project.", safe="Nothing was changed.", next_step="Ask one of them.")
    question = f"End “{project.name}” and erase all of it, on the server and on every computer? {WARNING}"
    if not options.yes and not await terminal.agrees(question):
        terminal.complain("nothing was changed")
        return 1
    await service.unshare(project.id, and_erase=True)
    terminal.say(f"“{project.name}” is erased.")
    return 0
