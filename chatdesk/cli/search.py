"""``chatdesk search`` searches like the search box of the window, for scripts."""

from __future__ import annotations

import argparse
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from chatdesk.cli.threads import positive
from chatdesk.core.domain.search import SearchGroup, SearchHit
from chatdesk.core.system import terminal
from chatdesk.core.texts import Text, shown, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.services.services import Services

_NAMES = {
    "message": Text("Messages"),
    "thread": Text("Threads"),
    "project": Text("Projects"),
    "tag": Text("Tags"),
    "artifact": Text("Files"),
}


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "search", parents=[common], help=tr("search messages, threads, projects, tags and files")
    )
    parser.add_argument(
        "query", metavar="QUERY", nargs="+", help=tr('words, "phrases", begin*, -not, tag:, before:, …')
    )
    parser.add_argument("--limit", type=positive, default=20, metavar="N", help=tr("at most N hits of each kind (20)"))
    parser.add_argument("--json", action="store_true", help=tr("a JSON array of groups"))
    parser.set_defaults(run=_search)


async def _search(options: argparse.Namespace, services: Services) -> int:
    """Print the hits; returns 0 also when that is nothing. Where no window does it, the index is filled first."""
    if not services.database.is_read_only:
        await services.search.fill(_show_progress, pause=0.0)
    text = " ".join(options.query)
    async with aclosing(services.search.search(text, limit=options.limit)) as groups:
        found = [group async for group in groups]
    if options.json:
        terminal.say_json([_group_as_data(group) for group in found])
        return 0
    for group in found:
        if group.hits:
            kind = shown(_NAMES[group.kind.value])
            terminal.say(
                tr("{kind} (more than {count})", kind=kind, count=group.count)
                if group.is_more
                else tr("{kind} ({count})", kind=kind, count=group.count)
            )
        for hit in group.hits:
            terminal.say(_line(hit))
        if group.note:
            terminal.complain(group.note)
    if not any(group.hits for group in found):
        terminal.complain(tr("Nothing was found."))
    return 0


def _show_progress(percent: int) -> None:
    if terminal.can_show_progress():
        terminal.show_progress(tr("Indexing: {percent} %", percent=percent) if percent < 99 else "")


def _line(hit: SearchHit) -> str:
    title = " ".join(hit.title.split())
    if hit.thread_id is None:  # a project or a tag
        return f"  {title}"
    snippet = f": {hit.snippet.text}" if hit.snippet.text else ""
    return f"  {hit.thread_id}  {title}{snippet}"


def _group_as_data(group: SearchGroup) -> dict[str, Any]:
    return {
        "kind": group.kind.value,
        "count": group.count,
        "is_more": group.is_more,
        "note": group.note,
        "hits": [_hit_as_data(hit) for hit in group.hits],
    }


def _hit_as_data(hit: SearchHit) -> dict[str, Any]:
    return {
        "id": hit.id,
        "title": hit.title,
        "snippet": hit.snippet.text,
        "matches": [list(place) for place in hit.snippet.matches],
        "project_id": hit.project_id,
        "thread_id": hit.thread_id,
        "message_id": hit.message_id,
        "role": None if hit.role is None else hit.role.value,
        "model": hit.model,
        "at": hit.at or None,
        "is_on_path": hit.is_on_path,
        "is_archived": hit.is_archived,
        "is_in_trash": hit.is_in_trash,
    }
