"""Implements the verbs of ``chatdesk team`` that create, enter and leave a workspace, and invite people and further
computers."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chatdesk.cli import team_arguments
from chatdesk.cli.secret_files import add_output, secret_file
from chatdesk.cli.team_arguments import SETUP_PASSWORD
from chatdesk.cli.team_asking import add_verb, find_workspace, named, open_keys, passphrase, secret
from chatdesk.cli.team_sharing import roles_of
from chatdesk.core.domain.sharing.team import ServerAddress, Workspace
from chatdesk.core.sync.address import reach_text
from chatdesk.core.sync.members.scram import verifier_of
from chatdesk.core.system import terminal
from chatdesk.core.texts import tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.services.services import Services

PASSPHRASE = "CHATDESK_TEAM_PASSPHRASE"  # noqa: S105 - the name of a variable


def add_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    as_json = tr("as JSON")
    create = add_verb(
        verbs,
        common,
        "create",
        _create,
        tr("make a workspace in an empty database"),
        has_workspace=False,
        json=as_json,
        check=team_arguments.check_create,
    )
    create.add_argument("--name", required=True, help=tr("name of the workspace"))
    create.add_argument("--my-name", required=True, metavar="NAME", help=tr("your name, as the others see it"))
    add_address(create)

    invite = add_verb(
        verbs,
        common,
        "invite",
        _invite,
        tr("print an invitation"),
        json=as_json,
        check=team_arguments.check_invite,
    )
    invite.add_argument("name", metavar="NAME", help=tr("name of the person"))
    invite.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="PROJECT=ROLE",
        help=tr("shared project, and the role in it: viewer, editor, admin or owner; may be repeated"),
    )
    invite.add_argument("--days", type=int, default=7, metavar="N", help=tr("valid for N days (7)"))
    add_output(invite, tr("write the invitation to this file instead of printing it"))

    join = add_verb(
        verbs,
        common,
        "join",
        _join,
        tr("join with an invitation, or with a code from another computer of yours"),
        has_workspace=False,
        json=as_json,
        check=team_arguments.check_join,
    )
    join.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help=tr(
            "file with the invitation or the code; - reads it from stdin. Without it, a parked team is joined again"
        ),
    )
    join.add_argument("--my-name", default="", metavar="NAME", help=tr("your name, as the others see it"))
    join.add_argument("--without-tls", action="store_true", help=tr("accept a server without encryption"))
    join.add_argument("--yes", action="store_true", help=tr("do not ask"))

    _add_further_verbs(verbs, common)


def _add_further_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    leave = add_verb(
        verbs, common, "leave", _leave, tr("stop syncing; everything stays on this computer"), has_workspace=False
    )
    leave.add_argument(
        "workspace", nargs="?", metavar="NAME", help=tr("name or id of the workspace, if there are several")
    )
    leave.add_argument("--for-good", action="store_true", help=tr("stop being a member, on all computers"))
    leave.add_argument("--yes", action="store_true", help=tr("do not ask"))

    computer = add_verb(
        verbs,
        common,
        "computer",
        _computer,
        tr("print a code for another computer of yours"),
        json=tr("as JSON"),
        check=team_arguments.check_computer,
    )
    add_output(computer, tr("write the code to this file instead of printing it"))

    upgrade = add_verb(
        verbs,
        common,
        "upgrade",
        _upgrade,
        tr("upgrade the database of a workspace"),
        is_writing=False,
        check=team_arguments.check_upgrade,
    )
    upgrade.add_argument("--user", required=True, help=tr("the login that set the database up"))

    add_verb(
        verbs,
        common,
        "verifier",
        _verifier,
        tr("read a password and print the form in which Postgres stores it"),
        is_writing=False,
        has_workspace=False,
        check=team_arguments.check_verifier,
    )


def add_address(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a database and the login that owns it."""
    parser.add_argument(
        "--url", metavar="URL", help=tr("address of the server, as postgresql://login@host:5432/database")
    )
    parser.add_argument("--host", help=tr("name or IP address of the server, instead of --url"))
    parser.add_argument("--port", type=int, default=5432, help="(5432)")
    parser.add_argument("--database", metavar="NAME", help=tr("name of the database"))
    parser.add_argument("--user", metavar="NAME", help=tr("login that owns the database and may create roles"))
    parser.add_argument(
        "--ca", metavar="FILE", help=tr("certificate of the server's authority, if it is a private one")
    )
    parser.add_argument(
        "--without-tls", action="store_true", help=tr("connect without encryption; only for a network of your own")
    )


async def _create(options: argparse.Namespace, services: Services) -> int:
    await open_keys(services, may_make=True)
    password = await password_for(options.address)
    membership = (await services.load_team()).membership
    workspace = await membership.create_workspace(options.name, options.my_name, options.address, password=password)
    _print_joined(options, workspace, tr("The workspace {name} was made. You are its owner.", name=workspace.name))
    return 0


async def _invite(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    roles = await roles_of(options.role, services, workspace)
    if warning := reach_text(workspace.address.host):
        terminal.complain(warning)
    membership = (await services.load_team()).membership
    with secret_file(options.output) as write:
        await open_keys(services)
        invitation = await membership.administration.invite(
            workspace.id, options.name, roles=roles, valid_days=options.days
        )
        if options.output:
            write(invitation.file_text)
    if options.output:
        terminal.report(tr("The invitation is in {file}. Anyone who has it can join.", file=str(options.output)))
    elif options.json:
        data = {"code": invitation.code, "link": invitation.link, "expires_at": invitation.expires_at}
        terminal.say_json({**data, "member_id": invitation.member_id})
    else:
        terminal.say(invitation.code)
        terminal.complain(tr("for {name}; it works once, and anyone who has it can join", name=invitation.member_name))
    return 0


async def _join(options: argparse.Namespace, services: Services) -> int:
    if options.file is None:
        return await _join_again(options, services)
    await open_keys(services, may_make=True)  # on stdin, its passphrase is the line before the code
    if options.file == "-":
        options.code = await asyncio.to_thread(team_arguments.read_code)
        team_arguments.check_code(options)
    membership = (await services.load_team()).membership
    view = membership.read_invitation(options.code)
    given = None
    if view.needs_passphrase:
        given = await asyncio.to_thread(passphrase, PASSPHRASE, tr("Passphrase: "))
    workspace = await membership.join(
        options.code, options.my_name or view.member_name, passphrase=given, allows_unencrypted=options.without_tls
    )
    _print_joined(options, workspace, tr("You are in the workspace {name} now.", name=workspace.name))
    return 0


async def _leave(options: argparse.Namespace, services: Services) -> int:
    records = (await services.load_team()).records
    membership = (await services.load_team()).membership
    parked = await records.parked()
    workspace = named((*await records.workspaces(), *parked), options.workspace)
    is_parked = workspace in parked
    if not is_parked:
        await open_keys(services)
    question = tr("Leave {name}? Its projects stay here as private copies.", name=workspace.name)
    if not options.yes and not await terminal.agrees(question):
        terminal.complain(tr("nothing was changed"))
        return 1
    if is_parked:
        await membership.leave_parked(workspace.id)
    else:
        await membership.leave(workspace.id, for_good=options.for_good)
    terminal.say(tr("You left {name}.", name=workspace.name))
    return 0


async def _join_again(options: argparse.Namespace, services: Services) -> int:
    """Connect again to a parked team."""
    service = await services.load_team()
    workspace = named(await service.records.parked(), None)
    await open_keys(services)
    address = workspace.address
    question = tr(
        "Connect to {name}, the database {database} on {host}:{port}?",
        name=workspace.name,
        database=address.database,
        host=address.host,
        port=str(address.port),
    )
    if not options.yes and not await terminal.agrees(question):
        terminal.complain(tr("nothing was changed"))
        return 1
    workspace = await service.membership.join_again(workspace.id)
    _print_joined(options, workspace, tr("You are in {name} again.", name=workspace.name))
    return 0


async def _computer(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    membership = (await services.load_team()).membership
    with secret_file(options.output) as write:
        await open_keys(services)
        made = await membership.add_computer(workspace.id)
        if options.output or not options.json:
            write(made.code)
    if options.json and not options.output:
        terminal.say_json({"code": made.code, "passphrase": made.passphrase, "expires_at": made.expires_at})
    else:
        terminal.complain(tr("its passphrase is {passphrase}; both are valid for a day", passphrase=made.passphrase))
    return 0


async def _upgrade(options: argparse.Namespace, services: Services) -> int:
    workspace = await find_workspace(services, options.workspace)
    password = await password_for(replace(workspace.address, user=options.user))
    await (await services.load_team()).membership.upgrade(workspace.id, user=options.user, password=password)
    terminal.say(tr("The database of {name} is up to date.", name=workspace.name))
    return 0


async def _verifier(options: argparse.Namespace, _services: Services) -> int:
    terminal.say(verifier_of(options.password))
    return 0


async def password_for(address: ServerAddress) -> str:
    return await asyncio.to_thread(secret, SETUP_PASSWORD, tr("Password of {user}: ", user=address.user))


def _print_joined(options: argparse.Namespace, workspace: Workspace, sentence: str) -> None:
    if options.json:
        terminal.say_json({**workspace_as_data(workspace), "member_name": workspace.member_name})
    else:
        terminal.say(sentence)
        terminal.report(tr("The others see you as {name}.", name=workspace.member_name))


def workspace_as_data(workspace: Workspace) -> dict[str, Any]:
    return {
        "id": workspace.id,
        "name": workspace.name,
        "host": workspace.address.host,
        "port": workspace.address.port,
        "database": workspace.address.database,
        "tls": workspace.address.tls,
        "member_id": workspace.member_id,
        "is_owner": workspace.is_owner,
        "joined_at": workspace.joined_at,
    }
