"""``chatdesk demo-data`` fills a data directory with made-up threads, to try things on."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatdesk.cli.demo_threads import MOST_MESSAGES, DemoThreads
from chatdesk.cli.threads import positive
from chatdesk.core.clock import Clock
from chatdesk.core.domain.imported import ImportOutcome
from chatdesk.core.domain.library import ThreadQuery, ThreadScope
from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.paths import AppPaths
from chatdesk.core.system import terminal
from chatdesk.core.texts import Text, plural, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.services.services import Services

_SCOPES: tuple[ThreadScope, ...] = ("active", "archive", "trash")


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    demo = commands.add_parser("demo-data", parents=[common], help=tr("fill a data directory with made-up threads"))
    demo.add_argument(
        "--messages", type=positive, default=500, metavar="N", help=tr("make about N messages in total (500)")
    )
    demo.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help=tr("seed for the made-up texts; another number makes other texts (1)"),
    )
    demo.add_argument("--add", action="store_true", help=tr("add them even if there are threads already"))
    demo.set_defaults(run=_demo_data, check=_check)


def _check(options: argparse.Namespace, _paths: AppPaths) -> None:
    if options.messages > MOST_MESSAGES:
        raise InvalidInput(
            Text("At most {most_messages} messages can be made at once.", most_messages=MOST_MESSAGES),
            next_step=Text("Choose fewer."),
        )


async def _demo_data(options: argparse.Namespace, services: Services) -> int:
    """Write the threads to a file, and import it as any other export."""
    if services.has_other_owner:
        raise NotPossible(
            Text("ChatDesk is open on this data directory."), next_step=Text("Close it, or choose another one.")
        )
    if services.database.is_read_only:
        raise services.database.refusal
    counts = [await services.library.count_threads(ThreadQuery(scope)) for scope in _SCOPES]
    if any(counts) and not options.add:
        raise NotPossible(
            Text("There are threads in this data directory already ({count}).", count=sum(counts)),
            next_step=Text("Choose an empty one with --data-dir, or give --add to put the made-up ones among them."),
        )
    with tempfile.TemporaryDirectory(prefix="chatdesk-") as folder:
        file = Path(folder) / "demo-data.json"
        await asyncio.to_thread(_write, file, options.messages, options.seed)
        report = await services.importer.run(file)
    threads = plural("{count} threads", "{count} thread", report.counts[ImportOutcome.NEW])
    messages = plural("{count} messages", "{count} message", report.messages)
    terminal.say(tr("Made {threads} with {messages}.", threads=threads, messages=messages))
    return 0


def _write(file: Path, messages: int, seed: int) -> None:
    with file.open("w", encoding="utf-8") as out:
        out.writelines(DemoThreads(messages, now_ms=Clock().now_ms(), seed=seed).document())
