"""Declares the verbs of ``chatdesk team``, finds the workspace and asks for the secrets that they need.

One of the secrets is the passphrase of the file that replaces the keyring on systems without one.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chatdesk.core.domain.sharing.team import Workspace
from chatdesk.core.errors import InvalidInput, NotFound
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.system import terminal
from chatdesk.core.system.processes import environment
from chatdesk.core.texts import Text, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.services.services import Services

KEYS_PASSPHRASE = "CHATDESK_KEYS_PASSPHRASE"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class TeamVerb:
    """Defines a verb: the function to run, and whether it needs a writable profile. A verb that contacts a server
    unlocks the keys only after it has checked its arguments, so that a wrong name costs no passphrase."""

    run: Callable[[argparse.Namespace, Services], Awaitable[int]]
    is_writing: bool = False


def add_verb(
    verbs: Any,
    common: argparse.ArgumentParser,
    name: str,
    run: Callable[[argparse.Namespace, Services], Awaitable[int]],
    words: str,
    *,
    is_writing: bool = True,
    has_workspace: bool = True,
    json: str = "",
    check: Callable[[argparse.Namespace, AppPaths], None] | None = None,
) -> argparse.ArgumentParser:
    """Add a verb whose help is ``words``, and return its parser. ``has_workspace``: add ``--workspace``; ``json``:
    the help of ``--json``, empty for none; ``check`` validates the arguments without a profile."""
    parser: argparse.ArgumentParser = verbs.add_parser(name, parents=[common], help=words)
    parser.set_defaults(team_verb=TeamVerb(run, is_writing))
    if check is not None:
        parser.set_defaults(check=check)
    if has_workspace:
        parser.add_argument("--workspace", metavar="NAME", help=tr("name or id of the workspace, if there are several"))
    if json:
        parser.add_argument("--json", action="store_true", help=json)
    return parser


async def find_workspace(services: Services, wanted: str | None) -> Workspace:
    """Return the named workspace of the profile, or the only one."""
    return named(await (await services.load_team()).records.workspaces(), wanted)


def named(found: tuple[Workspace, ...], wanted: str | None) -> Workspace:
    """Return the workspace of ``found`` that has this name or id, or the only one. Raises ``NotFound``,
    ``InvalidInput``."""
    if wanted is not None:
        name = wanted.strip().casefold()
        found = tuple(each for each in found if name in (each.id, each.name.casefold()))
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(
            Text("There is no such workspace in this profile."),
            safe="",
            next_step=Text("'chatdesk team status' lists them."),
        )
    raise InvalidInput(
        Text("There are several workspaces."),
        safe="",
        next_step=Text("Name one by its id; 'chatdesk team status' lists them."),
    )


async def open_keys(services: Services, *, may_make: bool = False) -> None:
    """Open the encrypted file of keys where this profile keeps its passwords in one. ``may_make``: where there is
    neither a keyring nor a file yet, create one, because a password is about to be kept."""
    from chatdesk.core.sync.members.team_passwords import VARIABLE

    if environment().get(VARIABLE):
        return
    state = await services.provider_service.keys.state()
    if state.place is KeyPlace.FILE or (state.has_file and not state.has_keyring):
        if state.is_file_locked:
            given = await asyncio.to_thread(passphrase, KEYS_PASSPHRASE, tr("Passphrase of the file of keys: "))
            await services.provider_service.keys.unlock(given)
    elif may_make and not state.has_keyring:
        question = tr("There is no keyring here. New passphrase for an encrypted file of keys: ")
        given = await asyncio.to_thread(passphrase, KEYS_PASSPHRASE, question)
        await services.provider_service.keys.choose_place(KeyPlace.FILE, passphrase=given)


def secret(variable: str, question: str) -> str:
    """Return a secret from the environment, else ask for it on the terminal. Blocks: call it in a thread."""
    return environment().get(variable) or terminal.ask_secret(question)


def passphrase(variable: str, question: str) -> str:
    """Return a passphrase like ``secret``. Raises ``InvalidInput`` where none is given."""
    if given := secret(variable, question):
        return given
    raise InvalidInput(
        Text("No passphrase was given."),
        safe=Text("Nothing was changed."),
        next_step=Text(
            "Type it when you are asked, give it as the next line of stdin, or set {variable}.", variable=variable
        ),
    )
