"""Implements the commands that list projects and threads and print a thread, and finds threads by name for all
commands."""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from chatdesk.core.domain.library import ThreadQuery, ThreadScope
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.thread import Project, Thread
from chatdesk.core.errors import InvalidInput, NotFound, NotPossible
from chatdesk.core.hidden_characters import distinct_name
from chatdesk.core.ids import checked_id
from chatdesk.core.moments import moment_text
from chatdesk.core.paths import AppPaths
from chatdesk.core.system import terminal
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.core.transfer.exports.export import thread_as_data, thread_to_json, thread_to_markdown

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.services.services import Services

_PAGE = 200
_SHORTEST_PREFIX = 4
_ID_LENGTH = 36


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    projects = commands.add_parser("projects", parents=[common], help=tr("list projects, or make one"))
    projects.add_argument("--json", action="store_true", help=tr("a JSON array"))
    projects.set_defaults(run=_projects)
    verbs = projects.add_subparsers(dest="verb", metavar="VERB")
    add = verbs.add_parser("add", parents=[common], help=tr("make a project and print its id"))
    add.add_argument("name", metavar="NAME", help=tr("name of the project"))
    add.set_defaults(run=_add_project, check=_check_name)

    threads = commands.add_parser("threads", parents=[common], help=tr("list threads, latest first"))
    which = threads.add_mutually_exclusive_group()
    which.add_argument("--archived", action="store_true", help=tr("list archived threads"))
    which.add_argument("--trash", action="store_true", help=tr("list threads in the trash"))
    threads.add_argument("--project", metavar="NAME", help=tr("list threads of this project"))
    threads.add_argument("--tag", metavar="NAME", help=tr("list threads with this tag"))
    threads.add_argument("--limit", type=positive, default=50, metavar="N", help=tr("at most N threads (50)"))
    threads.add_argument("--json", action="store_true", help=tr("a JSON array"))
    threads.set_defaults(run=_threads)

    show = commands.add_parser("show", parents=[common], help=tr("print a thread"))
    show.add_argument("thread", metavar="THREAD", help=tr("id of the thread, or the start of it"))
    show.add_argument("--json", action="store_true", help=tr("as JSON"))
    show.set_defaults(run=_show, check=lambda options, _paths: checked_prefix(options.thread))


def _check_name(options: argparse.Namespace, _paths: AppPaths) -> None:
    from chatdesk.core.storage.chat.projects import checked_name  # the help of all commands does without

    checked_name(options.name)


async def _projects(options: argparse.Namespace, services: Services) -> int:
    projects = await services.library.projects.list()
    counts = [await services.library.projects.count(project.id) for project in projects]
    if options.json:
        data = [
            {
                "id": project.id,
                "name": project.name,
                "colour": project.colour,
                "provider": project.provider,
                "model": project.model,
                "created_at": project.created_at,
                "last_chat_at": project.last_chat_at,
                "archived_at": project.archived_at,
                "threads": count.threads,
                "archived_threads": count.archived,
                "trashed_threads": count.trashed,
            }
            for project, count in zip(projects, counts, strict=True)
        ]
        terminal.say_json(data)
        return 0
    labels = await project_labels(services)
    for project, count in zip(projects, counts, strict=True):
        threads = shown(plural("{count} threads", "{count} thread", count.threads))
        archived = "  " + tr("(archived)") if project.archived_at is not None else ""
        terminal.say(f"{project.id}  {threads:>15}  {labels[project.id]}{archived}")
    return 0


async def _add_project(options: argparse.Namespace, services: Services) -> int:
    if services.has_other_owner:
        raise NotPossible(
            Text("ChatDesk is open and keeps the projects."),
            safe=Text("Nothing was changed."),
            next_step=Text("Make the project there, or close ChatDesk first."),
        )
    terminal.say((await services.library.projects.create(options.name)).id)
    return 0


async def _thread_query(options: argparse.Namespace, services: Services) -> ThreadQuery:
    """Return the query for the list; names of projects and tags are compared without regard to case."""
    project_id = tag_id = None
    if options.project is not None:
        project_id = (await find_project(services, options.project)).id
    if options.tag is not None:
        wanted = options.tag.strip().lstrip("#").casefold()
        tag_id = next((each.id for each in await services.library.list_tags() if each.name.casefold() == wanted), None)
        if tag_id is None:
            raise NotFound(
                Text("There is no tag “{tag}”.", tag=str(options.tag[:60])),
                safe="",
                next_step=Text("Check its name in the window."),
            )
    scope: ThreadScope = "archive" if options.archived else "trash" if options.trash else "active"
    return ThreadQuery(scope, project_id, tag_id)


async def _threads(options: argparse.Namespace, services: Services) -> int:
    query = await _thread_query(options, services)
    found: list[Thread] = []
    cursor: str | None = None
    while len(found) < options.limit:
        page = await services.library.list_threads(query, limit=min(_PAGE, options.limit - len(found)), cursor=cursor)
        found.extend(page.threads)
        cursor = page.next_cursor
        if cursor is None:
            break
    if options.json:
        terminal.say_json([thread_as_data(thread) for thread in found])
        return 0
    for thread in found:
        count = shown(plural("{count} messages", "{count} message", thread.message_count))
        terminal.say(f"{thread.id}  {_local_time(thread.last_activity_at)}  {count:>14}  {shown(thread.name)}")
    if not found:
        terminal.complain(tr("There are no threads here yet."))
    return 0


async def _show(options: argparse.Namespace, services: Services) -> int:
    thread = await find_thread(services, options.thread)
    messages = await _all_messages(services, thread.id)
    if options.json:
        terminal.say_json_text(thread_to_json(thread, messages))
    else:
        terminal.say(thread_to_markdown(thread, messages), end="")
    return 0


async def find_thread(services: Services, wanted: str) -> Thread:
    """Return the thread with this id, or the only thread whose id starts with it."""
    prefix = checked_prefix(wanted)
    if len(prefix) == _ID_LENGTH:
        return await services.chat.get_thread(prefix)
    async with aclosing(_every_thread(services)) as threads:
        matches = [thread async for thread in threads if thread.id.startswith(prefix)]
    if not matches:
        raise NotFound(
            Text("No thread's id begins with {prefix}.", prefix=prefix),
            safe="",
            next_step=Text("'chatdesk threads' lists them."),
        )
    if len(matches) > 1:
        raise InvalidInput(
            plural(
                "{count} threads have ids that begin with {prefix}.",
                "{count} thread has an id that begins with {prefix}.",
                len(matches),
                prefix=prefix,
            ),
            safe="",
            next_step=Text("Give more of the id."),
        )
    return matches[0]


def checked_prefix(wanted: str) -> str:
    """Return the beginning of a thread's id, or all of it. Raises ``InvalidInput``, ``InvalidId``."""
    prefix = wanted.strip().lower()
    if len(prefix) >= _ID_LENGTH:
        return checked_id(prefix)
    if len(prefix) < _SHORTEST_PREFIX or set(prefix) - set("0123456789abcdef-"):
        raise InvalidInput(
            Text("“{wanted}” is not the beginning of a thread's id.", wanted=wanted[:60]),
            safe="",
            next_step=Text(
                "Give at least {count} of its characters; 'chatdesk threads' lists them.", count=_SHORTEST_PREFIX
            ),
        )
    return prefix


async def _every_thread(services: Services) -> AsyncGenerator[Thread, None]:
    scopes: tuple[ThreadScope, ...] = ("active", "archive", "trash")
    for scope in scopes:
        cursor: str | None = None
        while True:
            page = await services.library.list_threads(ThreadQuery(scope), limit=500, cursor=cursor)
            for thread in page.threads:
                yield thread
            cursor = page.next_cursor
            if cursor is None:
                break


async def _all_messages(services: Services, thread_id: str) -> list[Message]:
    """Return the whole shown path, read from its end in pages."""
    messages: list[Message] = []
    before: str | None = None
    while True:
        page = await services.chat.reader.get_thread_messages(thread_id, _PAGE, before=before)
        messages[:0] = page.messages
        if not page.has_older or not page.messages:
            return messages
        before = page.messages[0].id


def _local_time(milliseconds: int) -> str:
    return shown(moment_text(milliseconds, lambda moment: f"{moment:%Y-%m-%d %H:%M}"))


def positive(text: str) -> int:
    """Return a number that is at least 1.

    Raises:
        argparse.ArgumentTypeError: It is less, or no number.
    """
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(tr("it must be a whole number, at least 1"))
    return value


async def find_project(services: Services, wanted: str, *, is_shared: bool | None = None) -> Project:
    """Find a project by name or id, among the shared ones or those that are not. Where a name is there more than once,
    the workspace in brackets tells them apart, as they are listed."""
    name = wanted.strip().casefold()
    labels = await project_labels(services)
    projects = [
        each
        for each in await services.library.projects.list()
        if is_shared is None or (labels[each.id] != each.name) is is_shared
    ]
    found = [each for each in projects if name in (each.id, labels[each.id].casefold())]
    found = found or [each for each in projects if name == each.name.casefold()]
    if len(found) == 1:
        return found[0]
    if not found:
        raise InvalidInput(
            _no_project(wanted[:60], is_shared=is_shared), safe="", next_step=Text("See 'chatdesk projects'.")
        )
    raise InvalidInput(
        plural(
            "{count} projects are called “{name}”: {projects}.",
            "{count} project is called “{name}”: {projects}.",
            len(found),
            name=wanted[:60],
            projects=tuple(f"{each.id} ({labels[each.id]})" for each in found),
        ),
        safe="",
        next_step=Text("Give the id of one."),
    )


def _no_project(name: str, *, is_shared: bool | None) -> Text:
    if is_shared is None:
        return Text("No project is called “{name}”.", name=name)
    if is_shared:
        return Text("No project that is shared is called “{name}”.", name=name)
    return Text("No project that is not shared yet is called “{name}”.", name=name)


async def project_labels(services: Services) -> dict[str, str]:
    """Return the names of projects by id; those of shared ones have their workspace in brackets."""
    projects = await services.library.projects.list()
    if not await services.team_is_joined():
        return {each.id: each.name for each in projects}
    service = await services.load_team()
    workspaces = {each.id: each.name for each in await service.records.workspaces()}
    shared = {each.project_id: each for each in await service.records.projects() if each.ended is None}
    return {
        each.id: f"{distinct_name(each.name)} ({workspaces.get(shared[each.id].workspace_id, 'shared')})"
        if each.id in shared
        else each.name
        for each in projects
    }
