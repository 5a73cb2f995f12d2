"""``chatdesk computers`` starts and joins the library of a person's own computers, syncs it, and shows its state.

The recovery phrase comes from a file or from stdin, never from the arguments, which everybody on a computer can see.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chatdesk.cli.computers_state import day_and_time, exit_code, say_state, say_synced, state_as_data
from chatdesk.cli.team_asking import add_verb, open_keys
from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import Workspace
from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.paths import AppPaths
from chatdesk.core.system import terminal
from chatdesk.core.system.small_files import read_small_file
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Sentences, Text, plural, size_text, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.core.sync.computers.own_computers import ComputersState, OwnComputers
    from chatdesk.core.sync.team_service import TeamService
    from chatdesk.services.services import Services

_WAIT_S: Final = 300
_LOOK_EVERY_S: Final = 0.1
_LONGEST_FILE: Final = 4096


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "computers", parents=[common], help=tr("have the same chats on your own computers, through a folder")
    )
    parser.set_defaults(run=_computers)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    place = tr("an empty folder that something carries to your other computers")
    start = add_verb(
        verbs,
        common,
        "start",
        _start,
        tr("begin with the first computer, and print the recovery phrase once"),
        has_workspace=False,
        check=_check_place,
    )
    start.add_argument("place", metavar="PLACE", help=place)
    join = add_verb(
        verbs,
        common,
        "join",
        _join,
        tr("join with a further computer, or again with a restored one"),
        has_workspace=False,
        check=_check_join,
    )
    restore = _add_restore(verbs, common)
    _add_phrase(join, restore)
    sync = add_verb(
        verbs,
        common,
        "sync",
        _sync,
        tr("write what is new here into the folder, and read what others wrote"),
        has_workspace=False,
        json=tr("as JSON"),
    )
    remove = add_verb(
        verbs,
        common,
        "remove",
        _remove,
        tr("remove a computer, such as a lost one, and make a new recovery phrase"),
        has_workspace=False,
        check=_check_name,
    )
    remove.add_argument("name", metavar="NAME", help=tr("the name or id of the computer"))
    remove.add_argument("--yes", action="store_true", help=tr("do not ask"))
    for each in (start, join, restore, sync, remove):
        wait = tr("wait at most this long ({seconds})", seconds=str(_WAIT_S))
        each.add_argument("--wait", type=int, default=_WAIT_S, metavar="SECONDS", help=wait)
    _add_further_verbs(verbs, common)


def _add_restore(verbs: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    return add_verb(
        verbs,
        common,
        "restore",
        _join,
        tr("bring everything back on an empty profile, with the recovery phrase"),
        has_workspace=False,
        check=_check_join,
    )


def _add_phrase(*parsers: argparse.ArgumentParser) -> None:
    for each in parsers:
        each.add_argument("place", metavar="PLACE", help=tr("the same folder as on the other computers"))
        each.add_argument(
            "--phrase-file", metavar="FILE", help=tr("read the recovery phrase from FILE; else it is asked for")
        )
        each.add_argument("--yes", action="store_true", help=tr("do not ask"))


def _add_further_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    add_verb(
        verbs,
        common,
        "status",
        _status,
        tr("show your computers, and what waits"),
        is_writing=False,
        has_workspace=False,
        json=tr("as JSON"),
    )
    for verb, help_ in (
        ("pause", tr("stop reading and writing the folder, until 'resume'")),
        ("resume", tr("read and write the folder again")),
    ):
        add_verb(verbs, common, verb, _pause, help_, has_workspace=False)
    leave = add_verb(
        verbs,
        common,
        "leave",
        _leave,
        tr("forget the folder; everything stays on this computer"),
        has_workspace=False,
    )
    leave.add_argument("--yes", action="store_true", help=tr("do not ask"))


def _check_place(options: argparse.Namespace, _paths: AppPaths) -> None:
    wanted = options.place
    if not wanted.strip() or "\0" in wanted:
        raise InvalidInput(Text("A folder has a name."), safe="", next_step=Text("Name one that others carry."))
    options.folder = Path(wanted).expanduser().absolute()
    if options.folder.exists() and not options.folder.is_dir():
        raise InvalidInput(Text("This is no folder."), safe="", next_step=Text("Name one that others carry."))


def _check_join(options: argparse.Namespace, paths: AppPaths) -> None:
    _check_place(options, paths)
    options.phrase = ""
    if options.phrase_file is None:
        return
    try:
        options.phrase = read_small_file(Path(options.phrase_file), _LONGEST_FILE).decode("utf-8", "replace").strip()
    except (OSError, ValueError) as error:
        reason = reason_text(error) if isinstance(error, OSError) else str(error)
        raise InvalidInput(
            Text("The file with the recovery phrase cannot be read: {reason}.", reason=reason), safe="", next_step=""
        ) from error


def _check_name(options: argparse.Namespace, _paths: AppPaths) -> None:
    if not options.name.strip():
        raise InvalidInput(Text("A computer has a name."), safe="", next_step=Text("'chatdesk computers status'"))


async def _computers(options: argparse.Namespace, services: Services) -> int:
    """Run one verb of ``chatdesk computers``; returns the exit code."""
    if options.team_verb.is_writing:
        if services.has_other_owner:
            raise NotPossible(
                Text("ChatDesk is open on this data directory."),
                next_step=Text("It keeps your computers in step by itself. Close it to do this here."),
            )
        if services.read_only_reason is not None:
            raise services.read_only_reason
    return int(await options.team_verb.run(options, services))


async def _start(options: argparse.Namespace, services: Services) -> int:
    await open_keys(services, may_make=True)
    service = await services.load_team()
    phrase = service.computers.new_phrase()
    await service.computers.start(options.folder, phrase)
    _say_phrase(phrase)
    return await _finish(options, service)


def _say_phrase(phrase: str) -> None:
    terminal.say(phrase)
    terminal.complain(
        tr(
            "This is your recovery phrase. Write it down: your other computers need it, and with it alone you get your"
            " chats back. Whoever has it and the folder can read everything. It is not shown again."
        )
    )


async def _join(options: argparse.Namespace, services: Services) -> int:
    service = await services.load_team()
    if options.verb == "restore":
        await service.computers.check_empty()
    phrase = options.phrase or await asyncio.to_thread(terminal.ask_secret, tr("Recovery phrase: "))
    found = await service.computers.look(options.folder, phrase)
    names = ", ".join(f"{each.name} ({day_and_time(each.at)})" for each in found.computers)
    used = tr("The folder has {size} and is used by: {computers}.", size=size_text(found.size), computers=names)
    asked = (
        tr("Bring everything here?")
        if options.verb == "restore"
        else tr("Merge the chats of this computer with theirs?")
    )
    question = f"{used} {asked}"
    if not options.yes and not await terminal.agrees(question):
        terminal.complain(tr("nothing was changed"))
        return 1
    await open_keys(services, may_make=True)
    await service.computers.join(options.folder, phrase)
    return await _finish(options, service)


async def _finish(options: argparse.Namespace, service: TeamService) -> int:
    workspace = await _joined(service.computers)
    return say_synced(await _wait(service, workspace, options.wait))


async def _sync(options: argparse.Namespace, services: Services) -> int:
    service = await services.load_team()
    workspace = await _joined(service.computers)
    await service.computers.check_running(workspace)
    await open_keys(services)
    await service.computers.fetch_again(workspace.id)
    state = await _wait(service, workspace, options.wait)
    if options.json:
        terminal.say_json(state_as_data(state))
        return exit_code(state)
    return say_synced(state)


async def _status(options: argparse.Namespace, services: Services) -> int:
    service = await services.load_team()
    state = await service.computers.state(await _joined(service.computers))
    if options.json:
        terminal.say_json(state_as_data(state))
        return 0
    say_state(state)
    return 0


async def _remove(options: argparse.Namespace, services: Services) -> int:
    service = await services.load_team()
    workspace = await _joined(service.computers)
    await service.computers.check_running(workspace)
    await open_keys(services, may_make=True)
    # What it has written until now is taken in, as nobody reads it afterwards.
    if exit_code(await _wait(service, workspace, options.wait)):
        terminal.complain(tr("nothing was changed"))
        return 1
    _, gone, _ = await service.computers.to_remove(options.name)
    question = tr(
        "Remove {name}? Your other computers then need the new recovery phrase, which is shown. {name} keeps, and can"
        " read, everything that it had, and gets nothing new.",
        name=gone.name,
    )
    if not options.yes and not await terminal.agrees(question):
        terminal.complain(tr("nothing was changed"))
        return 1
    phrase = service.computers.new_phrase()
    _say_phrase(phrase)
    await service.computers.remove(gone.id, phrase)
    terminal.say(tr("{name} was removed. Join again with the new phrase on your other computers.", name=gone.name))
    return await _finish(options, service)


async def _pause(options: argparse.Namespace, services: Services) -> int:
    computers = (await services.load_team()).computers
    is_paused = options.verb == "pause"
    await _joined(computers)
    await computers.pause(is_paused=is_paused)
    terminal.say(
        tr("Paused: nothing is read or written there.") if is_paused else tr("Your computers are kept in step again.")
    )
    return 0


async def _leave(options: argparse.Namespace, services: Services) -> int:
    computers = (await services.load_team()).computers
    workspace = await computers.to_leave()
    state = await computers.state(workspace)
    waiting = state.waiting
    if waiting:
        terminal.complain(
            plural(
                "{count} changes are not in the folder yet. Your other computers do not get them.",
                "{count} change is not in the folder yet. Your other computers do not get it.",
                waiting,
            )
        )
    question = tr("Forget the folder {folder}? Its projects stay here as private ones.", folder=state.folder)
    if not options.yes and not await terminal.agrees(question):
        terminal.complain(tr("nothing was changed"))
        return 1
    await open_keys(services)
    await computers.leave()
    terminal.say(
        tr(
            "This computer has left {folder}. The files there stay for your other computers, and nobody can read them"
            " without the recovery phrase. With it you can join again.",
            folder=state.folder,
        )
    )
    return 0


async def _wait(service: TeamService, workspace: Workspace, seconds: int) -> ComputersState:
    """Sync until everything is in the folder, and everything in the folder is here."""
    from chatdesk.core.sync.sending import wait_until_sent

    clock = Clock()
    end_s = clock.monotonic_s() + max(0, seconds)
    sent = await wait_until_sent(service, workspace.id, clock, timeout_s=float(max(0, seconds)))
    # Files have a thread of their own, which tells nobody that it has come to its end.
    while sent.is_done and await service.computers.is_moving_files(workspace.id) and clock.monotonic_s() < end_s:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_EVERY_S)
    if sent.problem:
        terminal.complain(Sentences.of(sent.problem, Text("'chatdesk computers sync' continues.")))
    return await service.computers.state(workspace)


async def _joined(computers: OwnComputers) -> Workspace:
    workspace = await computers.joined()
    if workspace is not None:
        return workspace
    if await computers.is_parked():
        raise NotPossible(
            Text("This profile, or a copy of it, was put in the place of another one, so it no longer syncs."),
            next_step=Text("Join again with the recovery phrase: 'chatdesk computers join'."),
        )
    from chatdesk.core.sync.computers.own_computers import NotJoinedAny

    raise NotJoinedAny
