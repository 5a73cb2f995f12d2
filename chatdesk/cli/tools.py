"""``chatdesk tools`` sets up the servers whose tools a model may ask for, tests them, and shows what was allowed.

Nothing is called here. A secret is taken from a variable of the environment, never from the command line, where other
programs could read it.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatdesk.cli import web_search
from chatdesk.cli.threads import find_project
from chatdesk.core.domain.tools import CHECK_STEP_TEXTS, CheckStep, ServerKind, ToolServer
from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.hidden_characters import distinct_name
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.endpoint import shown_address
from chatdesk.core.settings.secrets import SecretNotKept
from chatdesk.core.system import terminal
from chatdesk.core.system.processes import environment
from chatdesk.core.texts import Sentences, Text, shown, tr
from chatdesk.core.tools.pasted import read_pasted
from chatdesk.core.tools.project_folders import checked_folder
from chatdesk.core.tools.server_rules import check_usable
from chatdesk.core.tools.written_secrets import extract_secrets

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.core.tools.tool_service import ToolService

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.services.services import Services

_LONGEST_PASTE = 200_000
_LONGEST_STDERR = 2_000
_TAKEN_FROM = Text("environment variable whose value is kept in the keyring and given to the server; may be repeated")
_OF_A_SERVER = (
    ("on", Text("switch a server on")),
    ("off", Text("switch a server off")),
    ("remove", Text("remove a server")),
    ("sign-in", Text("sign in to a server over HTTP, in your browser")),
    ("sign-out", Text("sign out of a server")),
)
CHANGING = frozenset(("add", "paste", "revoke", *(name for name, _words in _OF_A_SERVER)))


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("tools", parents=[common], help=tr("set up the servers whose tools models may use"))
    parser.set_defaults(run=_tools)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    listed = verbs.add_parser("list", parents=[common], help=tr("list the servers, and whether they are on"))
    add = verbs.add_parser("add", parents=[common], help=tr("add a server; put options before its name"))
    add.add_argument("name", metavar="NAME", help=tr("name of the server"))
    add.add_argument("argv", metavar="COMMAND", nargs=argparse.REMAINDER, help=tr("program to run, with its arguments"))
    add.add_argument(
        "--address", metavar="URL", default="", help=tr("address of the server, if it is reached over HTTP")
    )
    add.add_argument(
        "--client", metavar="ID", default="", help=tr("id of the OAuth client that you registered for the address")
    )
    add.add_argument(
        "--client-secret",
        metavar="VARIABLE",
        default="",
        help=tr("environment variable that holds the client's secret"),
    )
    add.add_argument(
        "--folder",
        metavar="DIR",
        type=lambda text: Path(text).absolute(),
        help=tr("folder in which the program runs (by default an empty one)"),
    )
    add.add_argument("--secret", metavar="VARIABLE", action="append", default=[], help=shown(_TAKEN_FROM))
    add.set_defaults(check=_check_add)
    paste = verbs.add_parser(
        "paste", parents=[common], help=tr("add servers from the JSON settings of another program")
    )
    paste.add_argument("file", metavar="FILE", help=tr("file with the JSON; - reads it from stdin"))
    paste.set_defaults(check=_check_paste)
    test = verbs.add_parser("test", parents=[common], help=tr("start servers and list their tools, step by step"))
    test.add_argument("server", metavar="SERVER", nargs="?", help=tr("id of the server (by default all that are on)"))
    for name, words in _OF_A_SERVER:
        verb = verbs.add_parser(name, parents=[common], help=shown(words))
        verb.add_argument("server", metavar="SERVER", help=tr("id of the server"))
    allowed = verbs.add_parser("allowed", parents=[common], help=tr("list what tools may do without asking again"))
    revoke = verbs.add_parser("revoke", parents=[common], help=tr("take back permissions of a server's tools"))
    revoke.add_argument("server", metavar="SERVER", help=tr("id of the server"))
    revoke.add_argument(
        "tool", metavar="TOOL", nargs="?", help=tr("name of the tool (by default all tools of the server)")
    )
    folder = verbs.add_parser(
        "folder", parents=[common], help=tr("show or set the folder in which tools work for a project")
    )
    folder.add_argument("project", metavar="PROJECT", help=tr("its name or id"))
    folder.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        type=_absolute,
        help=tr("folder to set; without it, the current one is shown"),
    )
    folder.add_argument("--remove", action="store_true", help=tr("remove the folder from the project"))
    folder.set_defaults(check=_check_folder)
    web_search.add_verb(verbs, common)
    for each in (listed, allowed, test):
        each.add_argument("--json", action="store_true", help=tr("a JSON array"))


def _absolute(text: str) -> str:
    return str(Path(text).absolute())


async def _tools(options: argparse.Namespace, services: Services) -> int:
    changes_folder = options.verb == "folder" and (options.folder is not None or options.remove)
    is_change = options.verb in CHANGING or changes_folder or web_search.changes(options)
    if services.has_other_owner and is_change:
        raise NotPossible(
            Text("ChatDesk is open and keeps the tool servers."),
            safe=Text("Nothing was changed."),
            next_step=Text("Change them in Settings, Tools, or close ChatDesk first."),
        )
    service = await services.tools.load()
    if service.problem:
        terminal.complain(service.problem)
    if options.verb == "folder":
        return await _folder(options, services, service)
    return await _VERBS[options.verb](options, service)


def _check_folder(options: argparse.Namespace, paths: AppPaths) -> None:
    if options.folder is not None and not options.remove:
        checked_folder(Path(options.folder), paths)


async def _folder(options: argparse.Namespace, services: Services, service: ToolService) -> int:
    project = await find_project(services, options.project)
    if options.folder is not None or options.remove:
        await service.folders.set(project.id, None if options.remove else Path(options.folder))
    folder = service.folders.of(project.id)
    if folder is not None:
        terminal.say(str(folder))
    return 0 if folder is not None or options.remove else 1


async def _list(options: argparse.Namespace, service: ToolService) -> int:
    rows: list[dict[str, Any]] = [
        {"id": each.id, "name": each.name, "where": _where(each), "is_on": each.is_on, "secrets": _secret_names(each)}
        for each in service.servers
    ]
    if options.json:
        terminal.say_json(rows)
        return 0
    for row in rows:
        state = tr("on") if row["is_on"] else tr("off")
        terminal.say(f"{row['id']}  {shown(row['name'])}  {shown(row['where'])}  ({state})")
    return 0


def _check_add(options: argparse.Namespace, _paths: AppPaths) -> None:
    """Read the server and its secrets from the arguments into ``options.server`` and ``options.secrets``."""
    from dataclasses import replace

    argv = tuple(options.argv[1:] if options.argv[:1] == ["--"] else options.argv)
    if bool(options.address) == bool(argv) or (argv[:1] and argv[0].startswith("-")):
        raise InvalidInput(
            Text("A server has either an address or a command."),
            safe=Text("Nothing was changed."),
            next_step=Text("Write: add --address URL NAME, or: add NAME COMMAND ARGUMENTS."),
        )
    given = environment()  # with the keys that were taken out of os.environ
    secrets = {name: given.get(name, "") for name in options.secret}
    client_secret = given.get(options.client_secret, "")
    missing = [name for name, value in secrets.items() if not value]
    missing += [options.client_secret] if options.client_secret and not client_secret else []
    if missing:
        raise InvalidInput(
            Text("The variable {first} is not set here.", first=str(missing[0])),
            safe=Text("Nothing was changed."),
            next_step="",
        )
    names = tuple(secrets)
    if options.address:
        server = ToolServer("", options.name, ServerKind.ADDRESS, address=options.address, header_names=names)
        server = replace(server, client_id=options.client)
    else:
        folder = options.folder or ""
        server = ToolServer("", options.name, ServerKind.COMMAND, argv, env_names=names, folder=str(folder))
    options.server, written = extract_secrets(server)
    options.secrets, options.client_secret = {**secrets, **written}, client_secret
    check_usable(options.server)


async def _add(options: argparse.Namespace, service: ToolService) -> int:
    from dataclasses import replace

    server = replace(options.server, id=service.new_id(options.server.name))
    await service.save(server, options.secrets)
    if options.client_secret:
        await service.sign_ins.keep_client_secret(server, options.client_secret)
    terminal.say(server.id)
    return 0


def _check_paste(options: argparse.Namespace, _paths: AppPaths) -> None:
    options.servers = read_pasted(_read(options.file))


async def _paste(options: argparse.Namespace, service: ToolService) -> int:
    """Add the server that a text describes, switched off: a person looks at a command before it runs."""
    from dataclasses import replace

    refusal: SecretNotKept | None = None
    for pasted in options.servers:
        server, missing = replace(pasted.server, id=service.new_id(pasted.server.name)), list(pasted.missing)
        try:
            await service.save(server, pasted.secrets)
            if pasted.client_secret:
                await service.sign_ins.keep_client_secret(server, pasted.client_secret)
        except SecretNotKept as error:  # the server is saved, and those after it are as well
            refusal = error
            missing += [*pasted.secrets, *(["CLIENT_SECRET"] if pasted.client_secret else [])]
        terminal.say(server.id)
        if pasted.problem:
            terminal.complain(tr("{server}: {problem}", server=server.name, problem=pasted.problem))
        for each in missing:
            terminal.complain(tr("{name}: {field} is still to be filled in.", name=server.name, field=each))
    terminal.complain(tr("They are off until you switch them on: chatdesk tools on SERVER."))
    if refusal is None:
        return 0
    terminal.complain(Sentences.of(refusal.what, refusal.next_step))
    return 1


async def _test(options: argparse.Namespace, service: ToolService) -> int:
    wanted = [_found(service, options.server)] if options.server else [each for each in service.servers if each.is_on]
    rows: list[dict[str, Any]] = []
    for server in wanted:
        async with aclosing(service.check(server)) as checked:  # type: ignore[type-var]
            steps: list[dict[str, Any]] = [
                {
                    "step": each.step.value,
                    "is_well": each.is_well,
                    "problem": each.problem,
                    "tools": each.tool_count,
                    "left_out": each.left_out,
                    "stderr": each.stderr,
                }
                async for each in checked
            ]
        tools = [each.name for each in service.known_tools(server.id)]
        rows.append({"id": server.id, "steps": steps, "tools": tools})
        if not options.json:
            terminal.say(server.id)
            for step in steps:
                label = shown(CHECK_STEP_TEXTS[CheckStep(step["step"])])
                state = tr("ok") if step["is_well"] else tr("failed")
                terminal.say(f"    {label}: {state}  {shown(step['problem'])}".rstrip())
                for each in step["left_out"]:
                    terminal.say(f"        {shown(each)}")
                if step["stderr"].strip():
                    terminal.say(tr("It wrote: {tail}", tail=step["stderr"].strip()[-_LONGEST_STDERR:]))
            for name in tools:
                terminal.say(f"        {distinct_name(name)}")
    if options.json:
        terminal.say_json(rows)
    return 0 if all(step["is_well"] for row in rows for step in row["steps"]) else 1


async def _switch(options: argparse.Namespace, service: ToolService) -> int:
    await service.switch(_found(service, options.server).id, is_on=options.verb == "on")
    return 0


async def _sign_in(options: argparse.Namespace, service: ToolService) -> int:
    server = _found(service, options.server)

    def open_page(page: str) -> None:
        import webbrowser

        terminal.complain(tr("Sign in to {name} in your browser. If no page opens, open this one:", name=server.name))
        terminal.complain(page)
        webbrowser.open(page)

    is_signed_in = await service.sign_ins.sign_in(server.id, open_page)
    terminal.complain(tr("Signed in.") if is_signed_in else tr("{name} did not ask you to sign in.", name=server.name))
    return 0


async def _sign_out(options: argparse.Namespace, service: ToolService) -> int:
    server = _found(service, options.server)
    was_revoked = await service.sign_ins.sign_out(server.id)
    terminal.complain(
        tr("Signed out, here and at the server.")
        if was_revoked
        else tr("Signed out on this computer. The server was not told, or cannot withdraw the sign-in.")
    )
    return 0


async def _remove(options: argparse.Namespace, service: ToolService) -> int:
    await service.remove(_found(service, options.server).id)
    return 0


async def _allowed(options: argparse.Namespace, service: ToolService) -> int:
    rows = [
        {"server": each.server_id, "tool": each.tool, "for": each.scope.value, "id": each.scope_id}
        for each in await service.permissions()
    ]
    if options.json:
        terminal.say_json(rows)
        return 0
    for row in rows:
        terminal.say(f"{row['server']}  {row['tool']}  {row['for']}  {row['id']}".rstrip())
    return 0


async def _revoke(options: argparse.Namespace, service: ToolService) -> int:
    held = [
        each
        for each in await service.permissions()
        if each.server_id == options.server and options.tool in (None, each.tool)
    ]
    for each in held:
        await service.revoke(each)
    if not held:
        terminal.complain(tr("There was no such permission."))
    return 0 if held else 1


_VERBS = {
    "list": _list,
    "add": _add,
    "paste": _paste,
    "test": _test,
    "on": _switch,
    "off": _switch,
    "remove": _remove,
    "sign-in": _sign_in,
    "sign-out": _sign_out,
    "allowed": _allowed,
    "revoke": _revoke,
    web_search.VERB: web_search.run,
}


def _found(service: ToolService, name: str) -> ToolServer:
    server = service.server(name)
    if server is None:
        raise InvalidInput(
            Text("There is no tool server “{name}”.", name=name),
            safe=Text("Nothing was changed."),
            next_step=Text("See chatdesk tools list."),
        )
    return server


def _where(server: ToolServer) -> str:
    if not server.address and not server.argv:
        return Text("comes with ChatDesk")
    if server.address:
        return shown_address(server.address)
    import shlex

    return shlex.join(server.argv)


def _secret_names(server: ToolServer) -> list[str]:
    return [*server.env_names, *server.header_names]


def _read(place: str) -> str:
    if place == "-":
        return sys.stdin.read(_LONGEST_PASTE + 1)
    try:
        with open(place, encoding="utf-8") as file:
            return file.read(_LONGEST_PASTE + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            Text("{place} could not be read.", place=place), safe=Text("Nothing was changed."), next_step=""
        ) from error
