"""``chatdesk providers`` lists providers and where their keys are kept, and tests them with ``--test``.

No key is printed.
"""

from __future__ import annotations

import argparse
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from chatdesk.core.domain.provider_check import STEP_TEXTS, Step
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.endpoint import shown_address
from chatdesk.core.settings.presets import address_of
from chatdesk.core.settings.schema import Settings
from chatdesk.core.system import terminal
from chatdesk.core.texts import Text, shown, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.core.providers.accounts import Account, AccountBook

_KEY_WORDS = {
    "environment": Text("key from {variable}"),
    "keyring": Text("key in the keyring"),
    "file": Text("key in the encrypted file"),
    "this run": Text("key for this run"),
    "none": Text("no key"),
    "withheld": Text("key withheld"),
}


_STATE_WORDS = {"ok": Text("ok"), "failed": Text("failed"), "skipped": Text("skipped")}


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("providers", parents=[common], help=tr("list the providers that are set up"))
    parser.add_argument("--test", action="store_true", help=tr("test each of them, step by step"))
    parser.add_argument("--agree", metavar="ID", help=tr("allow this provider's key to be sent to its current server"))
    parser.add_argument("--yes", action="store_true", help=tr("with --agree: do not ask"))
    parser.add_argument("--json", action="store_true", help=tr("a JSON array"))


async def providers(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    """Print the providers, the default first. Returns 1 with ``--test`` when one that is switched on does not work, and
    with ``--agree`` when the person did not agree."""
    import asyncio

    from chatdesk.services.parts import read_accounts, registry_of  # the help of all commands does without

    book = await asyncio.to_thread(read_accounts, paths, settings)
    if book.stored.problem:
        terminal.complain(book.stored.problem)
    if options.agree is not None:
        return await _agree(book, options.agree, is_agreed=options.yes)
    registry = registry_of(settings, book)
    try:
        default = registry.default()[0]
    finally:
        await registry.close()
    rows = [_row(account, default) for account in book.accounts]
    rows.append(
        {"id": "offline", "label": Text("Offline demo"), "api": "", "address": "", "key": "none", "is_enabled": True}
        | {"is_default": default == "offline", "from_environment": [], "favourites": [], "withheld": ""}
    )
    rows.sort(key=lambda row: not row["is_default"])
    is_well = True
    if options.test:
        accounts = {account.profile.id: account for account in book.accounts if account.profile.is_enabled}
        for row in rows:
            if row["id"] in accounts:
                row["test"] = await _tested(accounts[row["id"]])
                is_well = is_well and all(step["state"] != "failed" for step in row["test"])
    if options.json:
        terminal.say_json(rows)
    else:
        for row in rows:
            terminal.say(_line(row, book.accounts))
            if row["withheld"]:
                terminal.say(f"    {shown(row['withheld'])}")
            for step in row.get("test", ()):
                name, state = shown(STEP_TEXTS[Step(step["step"])]), shown(_STATE_WORDS[step["state"]])
                terminal.say(f"    {name}: {state}  {shown(step['text'])}".rstrip())
    return 0 if is_well else 1


async def _agree(book: AccountBook, name: str, *, is_agreed: bool) -> int:
    account = book.get(name)
    withheld, label = account.withheld, account.profile.label
    if withheld is None or not withheld.can_be_agreed:
        terminal.complain(
            withheld.sentence(label)
            if withheld
            else tr("No key of {provider} is waiting for your agreement.", provider=label)
        )
        return 1
    terminal.say(withheld.sentence(label))
    if not is_agreed and not await terminal.agrees(withheld.question(label)):
        terminal.complain(tr("Nothing was changed."))
        return 1
    book.agree(name)
    terminal.say(
        tr("Agreed: the key of {provider} goes to {server}.", provider=label, server=withheld.wanted.description)
    )
    return 0


async def _tested(account: Account) -> list[dict[str, str]]:
    from chatdesk.core.providers.probing import probe  # the help of all commands does without

    async with aclosing(probe(account)) as results:
        return [
            {"step": result.step.value, "state": result.state.value, "text": result.text}
            async for result in results
            if result.state != "running"
        ]


def _row(account: Account, default: str) -> dict[str, Any]:
    profile, withheld = account.profile, account.withheld
    return {
        "id": profile.id,
        "label": profile.label,
        "preset": profile.preset,
        "api": profile.api.value,
        "address": shown_address(address_of(profile)),
        "key": "withheld" if withheld else account.key.source.value,
        "withheld": withheld.sentence(profile.label) if withheld else "",
        "is_enabled": profile.is_enabled,
        "is_default": profile.id == default,
        "from_environment": sorted(account.fixed),
        "favourites": list(profile.favourites),
    }


def _line(row: dict[str, Any], accounts: tuple[Account, ...]) -> str:
    variable = next((each.variable for each in accounts if each.profile.id == row["id"]), "")
    mark = "*" if row["is_default"] else " "
    if row["id"] == "offline":
        return f"{mark} offline  " + tr("Offline demo, without network")
    state = shown(_KEY_WORDS[row["key"]]).replace("{variable}", variable) if row["is_enabled"] else tr("switched off")
    return f"{mark} {row['id']}  {row['label']}  {row['address']}  ({state})"
