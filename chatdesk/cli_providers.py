"""``chatdesk providers``: who is set up, where their keys lie, and with ``--test`` what works. No key is printed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chatdesk.core.paths import AppPaths
    from chatdesk.core.providers.accounts import Account
    from chatdesk.core.settings.schema import Settings

_KEY_WORDS = {
    "environment": "key from {variable}",
    "keyring": "key in the keyring",
    "file": "key in the encrypted file",
    "this run": "key for this run",
    "none": "no key",
}


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("providers", parents=[common], help="list the providers that are set up")
    parser.add_argument("--test", action="store_true", help="test each of them, step by step")
    parser.add_argument("--json", action="store_true", help="a JSON array")


async def providers(
    options: argparse.Namespace, paths: AppPaths, settings: Settings, printable: Callable[[str], str]
) -> int:
    """Prints the providers, the default first; with ``--test`` 1 when one that is switched on does not work."""
    import asyncio

    from chatdesk.app import read_accounts, registry_of

    book = await asyncio.to_thread(read_accounts, paths, settings)
    registry = registry_of(settings, book)
    try:
        default = registry.default()[0]
    finally:
        await registry.close()
    rows = [_row(account, default) for account in book.accounts]
    rows.append(
        {"id": "offline", "label": "Offline demo", "api": "", "address": "", "key": "none", "is_enabled": True}
        | {"is_default": default == "offline", "from_environment": [], "favourites": []}
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
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for row in rows:
            print(printable(_line(row, book.accounts)))
            for step in row.get("test", ()):
                print(printable(f"    {step['step']:10}{step['state']:8}  {step['text']}".rstrip()))
    return 0 if is_well else 1


async def _tested(account: Account) -> list[dict[str, str]]:
    from chatdesk.core.providers.probing import probe

    return [
        {"step": result.step.value, "state": result.state.value, "text": result.text}
        async for result in probe(account)
        if result.state != "running"
    ]


def _row(account: Account, default: str) -> dict[str, Any]:
    from chatdesk.core.settings.presets import preset_of

    profile = account.profile
    return {
        "id": profile.id,
        "label": profile.label,
        "preset": profile.preset,
        "api": profile.api.value,
        "address": profile.base_url or preset_of(profile.preset).base_url,
        "key": account.key.source.value,
        "is_enabled": profile.is_enabled,
        "is_default": profile.id == default,
        "from_environment": sorted(account.fixed),
        "favourites": list(profile.favourites),
    }


def _line(row: dict[str, Any], accounts: tuple[Account, ...]) -> str:
    variable = next((each.variable for each in accounts if each.profile.id == row["id"]), "")
    mark = "*" if row["is_default"] else " "
    if row["id"] == "offline":
        return f"{mark} offline  Offline demo, without network"
    state = _KEY_WORDS[row["key"]].format(variable=variable) if row["is_enabled"] else "switched off"
    return f"{mark} {row['id']}  {row['label']}  {row['address']}  ({state})"
