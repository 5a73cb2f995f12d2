"""Checks the arguments of ``chatdesk team``, as far as they alone decide, before the data directory is opened."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import fields, replace
from pathlib import Path

from chatdesk.cli.secret_files import check_output, unusable
from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import ServerAddress, TeamRole, WorkspacePolicy
from chatdesk.core.errors import InvalidInput
from chatdesk.core.paths import AppPaths
from chatdesk.core.sync.address import checked_address, read_address
from chatdesk.core.system import terminal
from chatdesk.core.texts import Text, tr

SETUP_PASSWORD = "CHATDESK_SETUP_PASSWORD"  # noqa: S105 - the name of a variable
_LONGEST = 512 * 1024
_NUMBER = re.compile(r"[0-9]{1,18}")


def check_create(options: argparse.Namespace, _paths: AppPaths) -> None:
    from chatdesk.core.sync.members.joining import checked_name

    for each in (options.name, options.my_name):
        checked_name(each)
    options.address = _address_of(options)


def check_server(options: argparse.Namespace, _paths: AppPaths) -> None:
    if options.url or options.host:
        options.address = _address_of(options)


def check_invite(options: argparse.Namespace, _paths: AppPaths) -> None:
    from chatdesk.core.sync.members.administering import check_days
    from chatdesk.core.sync.members.joining import checked_name

    checked_name(options.name)
    check_days(options.days)
    for each in options.role:
        checked_role(each)
    check_output(options)


def check_computer(options: argparse.Namespace, _paths: AppPaths) -> None:
    check_output(options)


def check_limits(options: argparse.Namespace, _paths: AppPaths) -> None:
    """Read the values that are set into ``options.values``, by their names."""
    numbers = {each.name: each.type == "int" for each in fields(WorkspacePolicy)}
    options.values = {}
    for given in options.changes:
        name, _, value = given.partition("=")
        if name not in numbers or not value or (numbers[name] and not _NUMBER.fullmatch(value)):
            raise InvalidInput(
                Text("“{given}” is not a limit with its value.", given=given[:40]),
                safe=Text("Nothing was changed."),
                next_step=Text("Use NAME=VALUE with one of these names: {names}.", names=tuple(numbers)),
            )
        options.values[name] = int(value) if numbers[name] else value


def check_upgrade(options: argparse.Namespace, _paths: AppPaths) -> None:
    checked_address(ServerAddress("localhost", 5432, "team", options.user))


def check_join(options: argparse.Namespace, _paths: AppPaths) -> None:
    """Read the code into ``options.code``, unless it is on stdin, where a passphrase may stand before it."""
    if options.file not in (None, "-"):
        options.code = read_text(Path(options.file), "utf-8")
        check_code(options)


def check_verifier(options: argparse.Namespace, _paths: AppPaths) -> None:
    """Read the password into ``options.password``."""
    from chatdesk.core.sync.members.team_passwords import check_password

    options.password = terminal.ask_secret(tr("Password: "))
    check_password(options.password)


def check_code(options: argparse.Namespace) -> None:
    """Raise a ``ChatDeskError`` if ``options.code`` is not an invitation, or the other arguments do not fit it."""
    from chatdesk.core.sync import invitations
    from chatdesk.core.sync.members.joining import check_agreed, checked_name

    view = invitations.view_of(invitations.read_code(options.code), now_ms=Clock().now_ms())
    if view.address is not None:
        check_agreed(view.address, allows_unencrypted=options.without_tls)
        checked_name(options.my_name or view.member_name)


def checked_role(given: str) -> tuple[str, TeamRole]:
    """Return the name of the project, and the role, of ``PROJECT=ROLE``. Raises ``InvalidInput``."""
    name, _, role = given.rpartition("=")
    if role not in list(TeamRole):
        raise InvalidInput(
            Text("“{role}” is not a role.", role=role[:20]),
            safe=Text("Nobody was invited."),
            next_step=Text("Use viewer, editor, admin or owner."),
        )
    return name, TeamRole(role)


def _address_of(options: argparse.Namespace) -> ServerAddress:
    """Return the address that the options name. Raises ``InvalidInput``."""
    if options.url:
        address, written = read_address(options.url)
        if written:
            raise InvalidInput(
                Text("Do not put a password into the arguments: everybody on this computer can see them."),
                safe=Text("Nothing was sent."),
                next_step=Text(
                    "Change that password, since others may have seen it, and give the new one on stdin or in "
                    "{variable}.",
                    variable=SETUP_PASSWORD,
                ),
            )
    else:
        address = ServerAddress(options.host or "", options.port, options.database or "", options.user or "")
    if options.without_tls:
        address = replace(address, tls="disable")
    if options.ca:
        address = replace(address, ca=_certificate(options.ca))
    return checked_address(address)


def _certificate(name: str) -> str:
    text = read_text(Path(name), "ascii")
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise InvalidInput(
            Text("{name} is not a certificate in PEM form.", name=name), safe=Text("Nothing was changed."), next_step=""
        )
    return text


def read_code() -> str:
    """Read the code of an invitation from stdin."""
    return sys.stdin.readline() if sys.stdin.isatty() else sys.stdin.read(_LONGEST)


def read_text(path: Path, encoding: str) -> str:
    try:
        with path.open(encoding=encoding, errors="replace") as file:
            return file.read(_LONGEST)
    except OSError as error:
        raise unusable(path, error) from error
