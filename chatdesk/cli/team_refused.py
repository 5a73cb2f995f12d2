"""``chatdesk team refused``: what the server did not take, and what becomes of it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chatdesk.cli.team_asking import TeamVerb, waiting_text
from chatdesk.core.domain.sharing.team import RefusedChange
from chatdesk.core.errors import NotFound
from chatdesk.core.sync.errors import TeamLimited
from chatdesk.core.system import terminal
from chatdesk.core.texts import Sentences, Text, shown, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.core.sync.team_service import TeamService
    from chatdesk.services.services import Services


def add_refused_verb(verbs: Any, common: argparse.ArgumentParser) -> None:
    refused = verbs.add_parser("refused", parents=[common], help=tr("list the changes that the server refused"))
    doing = refused.add_mutually_exclusive_group()
    doing.add_argument(
        "--copy",
        metavar="ID",
        help=tr("copy the text of this change into a new thread of a private project; 'all' copies every text"),
    )
    doing.add_argument("--retry", metavar="ID", help=tr("send this change again; 'all' sends every change"))
    doing.add_argument(
        "--forget", metavar="ID", help=tr("remove this change from the list; 'all' removes every change")
    )
    refused.add_argument("--json", action="store_true", help=tr("a JSON array"))
    refused.set_defaults(team_verb=TeamVerb(_refused, is_writing=True))


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
                terminal.report(tr("The texts are in the private thread “{title}”.", title=thread.title))
            elif name == "retry":
                await service.decisions.retry_refused(ids)
                terminal.report(tr("They wait to be sent; 'chatdesk team sync' sends them."))
            else:
                await service.decisions.forget_refused(ids)
            return 0
    held_up = await _held_up(service)
    if options.json:
        names = ("id", "project_id", "thread_id", "kind", "at", "status", "sentence", "text")
        terminal.say_json([*({name: getattr(each, name) for name in names} for each in found), *held_up])
        return 0
    for each in found:
        terminal.say(f"{each.id}  {shown(each.sentence)}")
        if each.text:
            terminal.say(f"    {' '.join(each.text[:400].split())[:100]}")
    for row in held_up:
        words = tr(
            "{changes} (limit {limit}): {sentence}",
            changes=waiting_text(row["waiting"]),
            limit=str(row["limit"]),
            sentence=row["sentence"],
        )
        terminal.say(f"{row['project_id']}  {words}")
    if not found and not held_up:
        terminal.complain(tr("nothing was refused"))
    return 0


async def _held_up(service: TeamService) -> list[dict[str, Any]]:
    """Return shared projects with changes that the server did not accept yet because a limit of their workspace is
    reached."""
    shared = [each for each in await service.records.projects() if each.ended is None and each.waiting]
    rows: list[dict[str, Any]] = []
    for workspace_id in {each.workspace_id: None for each in shared}:
        latest = await service.records.rounds(workspace_id, 1)
        limit = TeamLimited.from_sentence(latest[0].problem) if latest else None
        if limit is None:
            continue
        rows += [
            {
                "project_id": each.project_id,
                "kind": "project",
                "at": latest[0].at,
                "status": limit.code,
                "sentence": Sentences.of(limit.what, limit.next_step),
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
        raise NotFound(
            Text("“{wanted}” was not refused.", wanted=wanted[:60]),
            safe="",
            next_step=Text("'chatdesk team refused' lists them."),
        )
    return ids
