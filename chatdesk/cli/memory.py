"""``chatdesk memory`` lists, adds, changes, removes and exports the facts that ChatDesk remembers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chatdesk.cli.secret_files import check_target
from chatdesk.cli.threads import find_project
from chatdesk.core.domain.memory import Memory, NewMemory, checked_memory
from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.paths import AppPaths
from chatdesk.core.system import terminal
from chatdesk.core.texts import Text, plural, shown, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.services.services import Services

_CHANGING: Final = frozenset(("add", "edit", "remove"))


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("memory", parents=[common], help=tr("see and change what ChatDesk remembers"))
    parser.set_defaults(run=_memory)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    listed = verbs.add_parser("list", parents=[common], help=tr("list the facts that are remembered"))
    add = verbs.add_parser("add", parents=[common], help=tr("remember a fact"))
    edit = verbs.add_parser("edit", parents=[common], help=tr("change the words of a memory"))
    remove = verbs.add_parser("remove", parents=[common], help=tr("delete memories for good"))
    export = verbs.add_parser("export", parents=[common], help=tr("write all memories to a JSON file"))
    listed.add_argument("--json", action="store_true", help=tr("as JSON"))
    edit.add_argument("memory", metavar="ID", help=tr("its id, as listed"))
    for each in (add, edit):
        each.add_argument("text", metavar="TEXT", nargs="+", help=tr("one sentence"))
        each.set_defaults(check=_check_text)
    add.add_argument("--project", metavar="PROJECT", help=tr("only for this project, by its name or id"))
    remove.add_argument("memory", metavar="ID", nargs="*", help=tr("ids, as listed"))
    remove.add_argument("--all", action="store_true", help=tr("all memories"))
    remove.set_defaults(check=_check_remove)
    export.add_argument("file", metavar="FILE", help=tr("the file to write"))
    export.set_defaults(check=lambda options, _paths: check_target(options.file))


def _check_text(options: argparse.Namespace, _paths: AppPaths) -> None:
    options.text = checked_memory(" ".join(options.text))


def _check_remove(options: argparse.Namespace, _paths: AppPaths) -> None:
    if bool(options.memory) is options.all:
        raise InvalidInput(
            Text("Name the memories to delete, or --all."), safe=Text("Nothing was changed."), next_step=""
        )


async def _memory(options: argparse.Namespace, services: Services) -> int:
    if services.has_other_owner and options.verb in _CHANGING:
        raise NotPossible(
            Text("ChatDesk is open on this data directory."),
            safe=Text("Nothing was changed."),
            next_step=Text("Change the memories in its window, or close it first."),
        )
    return await _VERBS[options.verb](options, services)


async def _list(options: argparse.Namespace, services: Services) -> int:
    from chatdesk.core.memory.memory_service import memory_data  # the help of all commands does without

    found = await services.memory.list()
    if options.json:
        terminal.say_json([memory_data(each) for each in found])
        return 0
    names = {each.id: each.name for each in await services.library.projects.list(deleted_too=True)}
    for each in found:
        where = tr("everywhere") if each.project_id is None else names.get(each.project_id, each.project_id)
        terminal.say(f"{each.id}  {visible_controls(each.text)}  ({visible_controls(shown(where))})")
    if not services.memory.is_on:
        terminal.complain(tr("Memory is off: nothing is kept or sent."))
    return 0


async def _add(options: argparse.Namespace, services: Services) -> int:
    project = None if options.project is None else (await find_project(services, options.project)).id
    memory, is_new = await services.memory.add(NewMemory(options.text, project))
    terminal.say(memory.id)
    if not is_new:
        terminal.report(tr("This was remembered already."))
    return 0


async def _edit(options: argparse.Namespace, services: Services) -> int:
    memory: Memory = await services.memory.get(options.memory)
    await services.memory.edit(memory.id, options.text, memory.project_id, goes_with_source=memory.goes_with_source)
    return 0


async def _remove(options: argparse.Namespace, services: Services) -> int:
    wanted = [each.id for each in await services.memory.list()] if options.all else options.memory
    gone = await services.memory.delete(wanted)
    terminal.report(shown(plural("{count} memories deleted", "{count} memory deleted", len(gone))))
    return 0


async def _export(options: argparse.Namespace, services: Services) -> int:
    count = await services.memory.write_file(Path(options.file))
    terminal.report(shown(plural("{count} memories written", "{count} memory written", count)))
    return 0


_VERBS: Final = {"list": _list, "add": _add, "edit": _edit, "remove": _remove, "export": _export}
