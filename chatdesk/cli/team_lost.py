"""``chatdesk team lost``: the changes that the server has lost, and going on without them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chatdesk.cli.team_asking import TeamVerb, find_workspace, open_keys
from chatdesk.cli.threads import find_project
from chatdesk.core.domain.sharing.lost_changes import ACCEPTING, LostChanges
from chatdesk.core.errors import NotPossible
from chatdesk.core.system import terminal
from chatdesk.core.texts import Sentences, Text, shown, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.services.services import Services


def add_verb(verbs: Any, common: argparse.ArgumentParser) -> None:
    lost = verbs.add_parser("lost", parents=[common], help=tr("list the changes that the server has lost"))
    lost.add_argument("--workspace", metavar="NAME", help=tr("name or id of the workspace, if there are several"))
    lost.add_argument(
        "--accept", metavar="PROJECT", help=tr("let this project go on without them (name or id; owners only)")
    )
    lost.add_argument("--yes", action="store_true", help=tr("do not ask"))
    lost.add_argument("--json", action="store_true", help=tr("a JSON array"))
    lost.set_defaults(team_verb=TeamVerb(_lost, is_writing=True))


def as_data(lost: LostChanges) -> dict[str, Any]:
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


def say_lost(found: Sequence[LostChanges]) -> None:
    """Print the losses of the server, and how a project goes on without them."""
    for lost in found:
        _say(lost)
        terminal.say(shown(lost.advice))
        if lost.may_accept:
            terminal.say(tr("'chatdesk team lost --accept {id}' lets it go on without them.", id=lost.project_id))


def _say(lost: LostChanges) -> None:
    terminal.say(shown(lost.headline))
    for each in lost.ranges:
        terminal.say(f"    {shown(each.sentence)}")


async def _lost(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    project = await find_project(services, options.accept, is_shared=True) if options.accept is not None else None
    await open_keys(services)
    service = await services.load_team()
    await service.look_up()
    found = (await service.checks.check(workspace.id)).lost
    if project is None:
        if options.json:
            terminal.say_json([as_data(each) for each in found])
            return 0
        if not found:
            terminal.say(tr("The server has lost nothing."))
        say_lost(found)
        return 0

    lost = next((each for each in found if each.project_id == project.id), None)
    if lost is None:
        raise NotPossible(Text("The server has lost nothing of “{project}”.", project=project.name))
    _say(lost)
    if not options.yes and not await terminal.agrees(Sentences.of(ACCEPTING, lost.question)):
        terminal.complain(tr("nothing was changed"))
        return 1
    await service.checks.accept(lost)
    terminal.say(tr("“{project}” goes on without them. Every computer fetches it again.", project=project.name))
    return 0
