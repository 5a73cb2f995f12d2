"""``chatdesk import`` brings in an export of another program or of ChatDesk."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatdesk.core.clock import Clock
from chatdesk.core.domain.imported import ImportProgress
from chatdesk.core.errors import NotPossible
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.paths import AppPaths
from chatdesk.core.system import terminal
from chatdesk.core.texts import Text, plural, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.core.transfer.imports.report import ImportReport
    from chatdesk.services.services import Services


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    bring = commands.add_parser(
        "import", parents=[common], help=tr("import an export of ChatDesk or of another program")
    )
    bring.add_argument(
        "file",
        metavar="FILE",
        help=tr("export of another program: a zip, JSON, JSON Lines or CSV file, or a folder"),
    )
    bring.add_argument(
        "--project",
        metavar="NAME",
        help=tr("put the threads into this project (by default one named after the program)"),
    )
    bring.add_argument(
        "--memories", action="store_true", help=tr("remember the facts that ChatGPT or Claude remembered, too")
    )
    bring.add_argument("--dry-run", action="store_true", help=tr("only report what would be imported"))
    bring.add_argument("--json", action="store_true", help=tr("print the report as JSON"))
    bring.set_defaults(run=_import, check=_check)


def _check(options: argparse.Namespace, _paths: AppPaths) -> None:
    """Read the file as far as its first thread. Raises ``ImportRefused``."""
    from chatdesk.core.transfer.imports.source import ExportFile  # the help of all commands does without

    with closing(ExportFile(Path(options.file), now_ms=Clock().now_ms())) as export:
        next(iter(export.threads()), None)


async def _import(options: argparse.Namespace, services: Services) -> int:
    if services.has_other_owner and not options.dry_run:
        raise NotPossible(
            Text("ChatDesk is open on this data directory."),
            next_step=Text("Import the file in its window, or close it first."),
        )
    if services.database.is_read_only and not options.dry_run:
        raise services.database.refusal
    if options.memories and not options.dry_run:
        services.memory.check_on()
    is_shown = terminal.can_show_progress()

    def show_progress(progress: ImportProgress) -> None:
        percent = 100 * progress.done_bytes // max(progress.total_bytes, 1)
        share = f"{percent:3d}"
        words = plural("{percent} %  {count} threads", "{percent} %  {count} thread", progress.threads, percent=share)
        terminal.show_progress(words)

    report = await services.importer.run(
        Path(options.file),
        project=options.project,
        is_dry_run=options.dry_run,
        on_progress=show_progress if is_shown else None,
    )
    if is_shown:
        terminal.show_progress("")
    if options.memories and not options.dry_run:
        report.memories_taken = await services.memory.add_imported(report.memories, report.source)
    if options.json:
        terminal.say_json(report.as_data())
    else:
        for line in (*report.texts(), *_memory_lines(report, is_on=services.memory.is_on)):
            terminal.say(line)
    if not options.dry_run:
        if is_shown:
            terminal.report(tr("Reading the files, so that a search finds what is in them…"))
        await services.attachments.read_unread(pause_s=0)
    return 0


def _memory_lines(report: ImportReport, *, is_on: bool) -> Iterator[str]:
    for memory in report.memories:
        yield tr("Memory: {text}", text=visible_controls(memory.text))
    if report.memories and report.memories_taken is None:
        yield (
            tr("--memories keeps them, and they are sent to the providers that you allow.")
            if is_on
            else tr("Memory is off. Once it is on, --memories keeps them, for the providers that you allow.")
        )
