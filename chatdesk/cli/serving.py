"""Declares the commands that run the local service and manage its access tokens."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chatdesk.cli.secret_files import add_output, check_output, secret_file
from chatdesk.cli.threads import find_project, positive
from chatdesk.core.moments import moment_text
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.system import terminal, thread_turns
from chatdesk.core.system.background_import import import_beside
from chatdesk.core.texts import shown, tr
from chatdesk.service.address_book import ServiceFiles
from chatdesk.services.service_switch import MS_PER_DAY, SCOPES, ServiceSwitch

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.service.tokens import TokenBook
    from chatdesk.services.services import Services


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    serve = commands.add_parser(
        "serve", parents=[common], help=tr("serve other programs on this computer until Ctrl+C")
    )
    serve.add_argument("--port", type=_port, metavar="N", help=tr("port to listen on; 0 means any free port"))
    serve.set_defaults(run=_serve)

    tokens = commands.add_parser("tokens", help=tr("make, list and revoke tokens for other programs"))
    actions = tokens.add_subparsers(dest="action", metavar="ACTION", required=True)
    new = actions.add_parser("new", parents=[common], help=tr("make a token and print it; it is not shown again"))
    new.add_argument("name", metavar="NAME", help=tr("name of the program that will use it"))
    new.add_argument(
        "--scope",
        action="append",
        choices=tuple(SCOPES),
        metavar="SCOPE",
        help=tr("read, write, ask, admin or remote (read)"),
    )
    new.add_argument(
        "--project", action="append", metavar="NAME", default=[], help=tr("allow access to this project only")
    )
    new.add_argument("--days", type=positive, metavar="N", help=tr("expire after N days"))
    new.add_argument("--requests", type=positive, default=0, metavar="N", help=tr("at most N requests a minute"))
    new.add_argument("--tokens", type=positive, default=0, metavar="N", help=tr("use at most N model tokens a minute"))
    new.add_argument("--money", type=_money, default=0.0, metavar="USD", help=tr("spend at most USD dollars a day"))
    add_output(new, tr("write the token to this file instead of printing it"))
    new.set_defaults(run=_new, check=_check_new)
    listing = actions.add_parser("list", parents=[common], help=tr("list the tokens, without their secret texts"))
    listing.add_argument("--json", action="store_true", help=tr("a JSON array"))
    revoke = actions.add_parser(
        "revoke", parents=[common], help=tr("revoke a token and end what is being done with it")
    )
    revoke.add_argument("token", metavar="TOKEN", help=tr("its name or id"))


async def _serve(options: argparse.Namespace, services: Services) -> int:
    switch = services.service_switch = ServiceSwitch(
        services, partial(import_beside, "chatdesk.service.opening"), port=options.port
    )
    state = await switch.start()
    for url in state.urls:
        terminal.say(tr("Listening on {url}", url=url))
    if state.socket:
        terminal.say(tr("Listening on {socket}", socket=state.socket))
    thread_turns.collect_rarely()
    has_ended = asyncio.Event()
    switch.follow(lambda state: None if state.is_on else has_ended.set())
    async with supervised(services.paths.data_dir):
        await has_ended.wait()  # by a fault; a signal cancels this, and the service ends with the services
    if switch.state.problem is not None:
        raise switch.state.problem
    return 0


def _check_new(options: argparse.Namespace, paths: AppPaths) -> None:
    _book(paths).checked_name(options.name)
    check_output(options)


async def _new(options: argparse.Namespace, services: Services) -> int:
    projects = [(await find_project(services, name)).id for name in options.project]
    now_ms = _now_ms()
    with secret_file(options.output) as write:
        token, text = _book(services.paths).make(
            options.name,
            options.scope or ["read"],
            projects=projects,
            expires_at=None if options.days is None else now_ms + options.days * MS_PER_DAY,
            requests_per_minute=options.requests,
            tokens_per_minute=options.tokens,
            money_per_day=options.money,
            now_ms=now_ms,
        )
        if not options.output:
            terminal.complain(tr("The token “{name}”, which is shown only now:", name=str(token.name)))
        write(text)
    return 0


async def tokens(options: argparse.Namespace, paths: AppPaths, _settings: Settings) -> int:
    """List or revoke tokens; this needs no database and no other process."""
    book = _book(paths)
    if options.action == "revoke":
        revoked = book.revoke(options.token)
        terminal.complain(tr("The token “{name}” is revoked.", name=str(revoked.name)))
        return 0
    found = book.all()
    if options.json:
        terminal.say_json(
            [
                {
                    "id": each.id,
                    "name": each.name,
                    "scopes": [str(scope) for scope in each.scopes],
                    "projects": list(each.projects),
                    "created_at": each.created_at,
                    "expires_at": each.expires_at,
                    "requests_per_minute": each.requests_per_minute,
                    "tokens_per_minute": each.tokens_per_minute,
                    "money_per_day": each.money_per_day,
                    "last_used_at": each.last_used_at,
                }
                for each in found
            ]
        )
        return 0
    for each in found:
        used = tr("never used") if each.last_used_at is None else tr("used {time}", time=_day(each.last_used_at))
        until = "" if each.expires_at is None else "  " + tr("until {time}", time=_day(each.expires_at))
        terminal.say(f"{each.id}  {each.name}  {','.join(each.scopes)}  {used}{until}")
    if not found:
        terminal.complain(tr("There are no tokens."))
    return 0


def _book(paths: AppPaths) -> TokenBook:
    from chatdesk.service.tokens import TokenBook  # the help of all commands does without

    return TokenBook(ServiceFiles.of(paths).tokens)


def _day(milliseconds: int) -> str:
    return shown(moment_text(milliseconds, lambda moment: f"{moment:%Y-%m-%d %H:%M}"))


def _now_ms() -> int:
    return int(time.time() * 1000)


def _port(text: str) -> int:
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError(tr("it must be a number from 0 to 65535"))
    return value


def _money(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1_000_000:
        raise argparse.ArgumentTypeError(tr("it must be a number above 0 and below 1,000,000"))
    return value


# Notifies systemd, where it started this process, that the service is ready, and from then on that it still answers.
#
# The protocol is sd_notify(3): datagrams to the socket that ``NOTIFY_SOCKET`` names. With ``WatchdogSec=`` in its unit,
# systemd starts the process again when it hears nothing for so long.

SOCKET_VARIABLE: Final = "NOTIFY_SOCKET"
WATCHDOG_VARIABLE: Final = "WATCHDOG_USEC"
_US_PER_S: Final = 1_000_000
_TRIES: Final = 3  # attempts within systemd's time limit: one failed attempt does not stop the service


@asynccontextmanager
async def supervised(data_dir: Path) -> AsyncIterator[None]:
    """Notify systemd that the service of ``data_dir`` is ready, and that it answers during the block; nothing without
    systemd."""
    _notify("READY=1")
    watching = asyncio.ensure_future(_watch(data_dir))
    try:
        yield
    finally:
        _notify("STOPPING=1")
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(data_dir: Path) -> None:
    """Ask the service as other programs do, through its own thread and the loop of the services, and report answers."""
    wait_us = os.environ.get(WATCHDOG_VARIABLE, "")
    if not wait_us.isdecimal() or not os.environ.get(SOCKET_VARIABLE):
        return
    from chatdesk.client import AsyncClient, ClientError, Problem, Retries  # the help of all commands does without

    wait_s = int(wait_us) / _US_PER_S / _TRIES
    async with AsyncClient(data_dir=data_dir, retries=Retries(attempts=1), timeout_s=wait_s) as client:
        while True:
            try:
                await client.version()
            except Problem:
                _notify("WATCHDOG=1")  # a refusal is an answer
            except ClientError:
                pass
            else:
                _notify("WATCHDOG=1")
            await asyncio.sleep(wait_s)


def _notify(state: str) -> None:
    address = os.environ.get(SOCKET_VARIABLE, "")
    if not address or os.name != "posix":
        return
    if address.startswith("@"):  # a name that is in no directory
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.sendto(state.encode(), address)


_ALLOWED = ("ask", "write")


def add_mcp_command(commands: Any, common: argparse.ArgumentParser) -> None:
    mcp = commands.add_parser("mcp", parents=[common], help=tr("let an editor or assistant read threads (MCP, stdio)"))
    mcp.add_argument(
        "--allow", type=_allowed, default=(), metavar="WHAT", help=tr("also allow ask, write (drafts), or ask,write")
    )


async def mcp(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    """Answer until stdin is closed. Opens nothing until a tool is used."""
    transport = await import_beside("chatdesk.service.mcp_protocol.stdio_transport")
    await transport.StdioTransport(paths, settings, options.allow).serve()
    return 0


def _allowed(text: str) -> tuple[str, ...]:
    names = tuple(each.strip() for each in text.split(","))
    if set(names) - set(_ALLOWED):
        raise argparse.ArgumentTypeError(tr("it must be ask, write, or ask,write"))
    return names
