"""Declares the commands that export, back up, restore and repair data."""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from chatdesk.cli.secret_files import check_target
from chatdesk.cli.threads import checked_prefix, find_project, find_thread
from chatdesk.core.clock import Clock
from chatdesk.core.domain.backup_contents import BackupContents
from chatdesk.core.domain.exports import Choice, ExportFormat
from chatdesk.core.errors import (
    AlreadyRunning,
    InvalidInput,
    NotPossible,
    SchemaTooNew,
    StorageBusy,
    StorageError,
    StorageFull,
    StorageMissing,
    StorageReadOnly,
    UpgradeFailed,
)
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.local_api.client import in_use
from chatdesk.core.local_api.instance import InstanceLock, read_holder
from chatdesk.core.moments import local_moment, moment_text
from chatdesk.core.paths import AppPaths, migrations_dir
from chatdesk.core.settings.schema import Settings
from chatdesk.core.system import terminal
from chatdesk.core.system.ending_signals import run_until_signal
from chatdesk.core.texts import Sentences, Text, shown, size_text, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.services.services import Services

T = TypeVar("T")
_PIECE_BYTES = 1024 * 1024


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the arguments of these commands to the parser."""
    export = commands.add_parser("export", parents=[common], help=tr("write threads as Markdown, JSON, HTML or PDF"))
    export.add_argument("thread", nargs="*", metavar="THREAD", help=tr("id of the thread, or the start of it"))
    which = export.add_mutually_exclusive_group()
    which.add_argument("--project", metavar="NAME", help=tr("all threads of this project (its name or id)"))
    which.add_argument("--all", action="store_true", help=tr("everything"))
    export.add_argument("--with-trash", action="store_true", help=tr("include the trash"))
    export.add_argument("--format", choices=("md", "json", "html", "pdf"), required=True)
    export.add_argument(
        "--output",
        metavar="PATH",
        help=tr("file to write (with json, a .zip includes the attachments), or a folder for several threads"),
    )
    export.set_defaults(run=_export, check=_check_export)

    backup = commands.add_parser("backup", parents=[common], help=tr("make a backup now"))
    backup.add_argument(
        "file", nargs="?", metavar="FILE", help=tr("zip file to write, with the database and all attachments")
    )
    backup.set_defaults(run=_backup, check=lambda options, _paths: check_target(options.file))

    restore = commands.add_parser("restore", parents=[common], help=tr("replace the database with a backup"))
    restore.add_argument(
        "file", nargs="?", metavar="FILE", help=tr("path of the backup, or its name in the backup directory")
    )
    restore.add_argument("--list", action="store_true", help=tr("list the backups, newest first"))
    restore.add_argument("--yes", action="store_true", help=tr("do not ask"))
    restore.set_defaults(check=_check_restore)


def _check_export(options: argparse.Namespace, _paths: AppPaths) -> None:
    if options.thread and (options.all or options.project):
        raise InvalidInput(
            Text("Choose threads, a project, or everything, but not two of them."),
            safe="",
            next_step=Text("Leave one of them out."),
        )
    if not (options.thread or options.all or options.project):
        raise InvalidInput(
            Text("Nothing to export was named."), safe="", next_step=Text("Give a thread, --project NAME or --all.")
        )
    for each in options.thread:
        checked_prefix(each)
    is_json, is_one = options.format == ExportFormat.JSON, len(options.thread) == 1
    if options.output and (is_one or is_json):
        check_target(options.output)
    has_many = bool(options.all or options.project)
    if not options.output and (options.format == ExportFormat.PDF or (has_many and not is_json)):
        raise _needs_output()


def _needs_output() -> InvalidInput:
    return InvalidInput(
        Text("This format needs a file or folder to write to."), safe="", next_step=Text("Give one with --output.")
    )


async def _export(options: argparse.Namespace, services: Services) -> int:
    """Write threads to files, or one thread to stdout."""
    kind = ExportFormat(options.format)
    choice = await _choice(options, services)
    is_one = len(choice.thread_ids) == 1
    if options.output:
        report = await services.exports.export(choice, kind, Path(options.output))
        if not is_one or report.missing:
            terminal.report(Sentences.of(report.sentence, Text("It is at {path}.", path=report.path)))
        return 1 if report.missing else 0
    if kind is ExportFormat.PDF or not (is_one or kind is ExportFormat.JSON):
        raise _needs_output()
    with tempfile.TemporaryDirectory(prefix="chatdesk-") as folder:
        target = Path(folder) / f"export.{kind}"
        report = await services.exports.export(choice, kind, target)
        await asyncio.to_thread(_print_json_file if kind is ExportFormat.JSON else _print_file, target)
    if report.missing:
        terminal.complain(Sentences.of(*report.lost) or report.sentence)
    return 1 if report.missing else 0


async def _choice(options: argparse.Namespace, services: Services) -> Choice:
    if options.thread:
        ids = [(await find_thread(services, wanted)).id for wanted in options.thread]
        return Choice(thread_ids=tuple(dict.fromkeys(ids)), has_trash=options.with_trash)
    if options.project:
        return Choice(project_id=(await find_project(services, options.project)).id, has_trash=options.with_trash)
    return Choice(has_trash=options.with_trash)


def _print_file(path: Path) -> None:
    writer = terminal.TextWriter()
    for piece in _pieces(path):
        writer.write(piece)
    writer.close()


def _print_json_file(path: Path) -> None:
    for piece in _pieces(path):
        terminal.say_json_text(piece)


def _pieces(path: Path) -> Iterator[str]:
    with path.open("r", encoding="utf-8", newline="") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


async def _backup(options: argparse.Namespace, services: Services) -> int:
    """Write a zip to the given path, or make one more of the regular backups."""
    if options.file:
        lost = await services.backups.make_zip(Path(options.file))
        terminal.say(options.file)
        for sentence in lost:
            terminal.complain(tr("an attachment was left out: {sentence}", sentence=sentence))
        return 1 if lost else 0
    if services.has_other_owner:
        raise NotPossible(
            Text("A window is open on this data directory, and it makes the regular backups."),
            next_step=Text("Use Settings, Data and backup, Back up now; or give a FILE."),
        )
    terminal.say(str(await services.maintenance.back_up_now()))
    return 0


def _check_restore(options: argparse.Namespace, paths: AppPaths) -> None:
    if options.list:
        return
    if not options.file:
        raise InvalidInput(
            Text("No backup was named."), safe="", next_step=Text("'chatdesk restore --list' lists them.")
        )
    from chatdesk.core.storage.upkeep.backup_service import check_there  # the help of all commands does without

    path = Path(options.file)
    if not path.exists() and path.name == options.file:
        path = paths.backup_dir / path
    check_there(path)
    options.file = path


_CLOSE_IT = Text("Close the window, or choose another --data-dir.")


def restore(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    """Replace the database by a backup, also when it cannot be opened; never while another process has it."""
    return run_until_signal(_restore(options, paths, settings))


_QUESTION = Text("Replace the current database with it? The current one is kept.")


async def _restore(options: argparse.Namespace, paths: AppPaths, settings: Settings) -> int:
    from chatdesk.services.parts import backups_of  # the help of all commands does without

    backups = backups_of(paths, settings)
    if options.list:
        for path in await backups.list():
            made = local_moment(path.stat().st_mtime_ns // 1_000_000)
            size = backups.fault_of(path) or size_text(path.stat().st_size)
            terminal.say(f"{made:%Y-%m-%d %H:%M}  {shown(size):>14}  {path.name}")
        return 0
    lock = InstanceLock(paths.data_dir, purpose="restore")
    if not lock.acquire():
        raise lock.problem or in_use(read_holder(paths.data_dir), next_step=_CLOSE_IT)
    try:
        for line in describe(await backups.inspect_backup(options.file)):
            terminal.report(line)
        if not options.yes and not await terminal.agrees(_QUESTION):
            terminal.complain(tr("nothing was changed"))
            return 1
        await backups.prepare(options.file)
        kept = await backups.restore_prepared()
    finally:
        lock.release()
    terminal.say(tr("The backup was restored."))
    if kept is not None:
        terminal.say(tr("The database as it was before is kept at {kept}.", kept=kept))
    return 0


def describe(contents: BackupContents) -> list[str]:
    """Return lines that describe the content of a backup."""
    lines = [
        tr(
            "{file}, made {time}",
            file=contents.path.name,
            time=moment_text(contents.made_at, lambda made: f"{made:%Y-%m-%d %H:%M}"),
        ),
        tr(
            "Threads: {threads}, messages: {messages}, schema version {schema}",
            threads=contents.threads,
            messages=contents.messages,
            schema=str(contents.schema),
        ),
    ]
    lines += [f"  {clean_line(title)[:70]}" for title in contents.titles]
    return [*lines, *contents.consequences]


# A copy would not help, or not be made.
_NOT_DAMAGED = (StorageBusy, StorageFull, StorageMissing, SchemaTooNew)


async def repair(paths: AppPaths, settings: Settings) -> int:
    """Repair the database, or copy everything readable into a new one."""
    from chatdesk.services.owner import open_services  # the help of all commands does without

    is_too_old = False
    try:
        async with open_services(paths, settings, purpose="doctor") as services:
            if services.has_other_owner:
                raise AlreadyRunning(
                    next_step=Text("Close the window, or use Settings, Data and backup, Repair in it.")
                )
            if services.read_only_reason is not None:
                raise services.read_only_reason
            is_damaged = any(each.kind == "pages" for each in await services.repairs.check())
            if not is_damaged:
                report = await services.repairs.repair()
                warning = services.report.warning
                if warning is None or report.done or report.left:
                    _print_lines(report.lines)
                if warning is not None:
                    terminal.say(warning)
                services.database.forget_loss()
                return 1 if report.left or warning is not None else 0
    except StorageError as error:
        may_not_be_written = isinstance(error, StorageReadOnly) and not os.access(paths.database, os.W_OK)
        if may_not_be_written or isinstance(error, _NOT_DAMAGED):
            raise
        is_too_old = isinstance(error, UpgradeFailed)
    lines, is_whole = await _run_on_thread(partial(_copy_out, paths, is_too_old=is_too_old))
    _print_lines(lines)
    return 0 if is_whole else 1


async def _run_on_thread(work: Callable[[Callable[[str], None]], T]) -> T:
    """Run ``work`` with a function that shows its progress; when this is cancelled, that function ends the work."""
    is_shown = terminal.can_show_progress()
    is_stopped = threading.Event()

    def show_progress(sentence: str) -> None:
        if is_stopped.is_set():
            raise asyncio.CancelledError
        if is_shown:
            terminal.show_progress(sentence)

    running = asyncio.ensure_future(asyncio.to_thread(work, show_progress))
    try:
        return await asyncio.shield(running)
    finally:
        is_stopped.set()
        await asyncio.wait([running])
        if is_shown:
            terminal.show_progress("")


def _copy_out(paths: AppPaths, on_progress: Callable[[str], None], *, is_too_old: bool) -> tuple[list[str], bool]:
    """Return sentences about the copy, and whether it is complete."""
    from chatdesk.core.storage.upkeep.mended_upgrade import upgrade_copy  # loaded only for this verb
    from chatdesk.core.storage.upkeep.restore import replace_database
    from chatdesk.core.storage.upkeep.salvage import salvage

    lock = InstanceLock(paths.data_dir, purpose="doctor")
    if not lock.acquire():
        raise lock.problem or in_use(read_holder(paths.data_dir), next_step=_CLOSE_IT)
    try:
        clock = Clock()
        if is_too_old:
            report = upgrade_copy(paths.database, clock, migrations_dir=migrations_dir(), on_progress=on_progress)
        else:
            report = salvage(paths.database, clock, on_progress=on_progress)
        kept = replace_database(paths.database, backup_dir=paths.backup_dir, now_ms=clock.now_ms())
    finally:
        lock.release()
    if is_too_old:
        lines = [
            tr("The database could not be upgraded as it was, so a copy of it was repaired and upgraded."),
            *report.lines,
            tr("The database as it was before the repair is kept at {kept}.", kept=kept),
        ]
        return lines, report.is_whole
    lines = [
        tr("The database was damaged; what could be read was copied into a new one."),
        *report.lines,
        tr(
            "The damaged one is kept at {kept}. Compare with 'chatdesk restore --list': a backup may hold more.",
            kept=kept,
        ),
    ]
    return lines, report.is_whole


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        terminal.say(line)
