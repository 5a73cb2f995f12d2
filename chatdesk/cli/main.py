"""The command line: a front end over the same services as the window, for scripts and for machines without a screen.

Answers and data go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed (a sentence says why), 2 wrong
usage, 130 interrupted, 141 the reader of the output went away, 143 and 129 ended by SIGTERM and SIGHUP.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from chatdesk import __version__
from chatdesk.cli import data as cli_data
from chatdesk.cli import failures, providers, search, team, team_sharing
from chatdesk.core import terminal
from chatdesk.core.ending_signals import EndedBySignal, run_until_signal
from chatdesk.core.errors import ChatDeskError, InvalidInput, NotFound, NotPossible, OutputFailed
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.paths import AppPaths

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

    from chatdesk.core.domain.library import ThreadQuery, ThreadScope
    from chatdesk.core.domain.message import Message
    from chatdesk.core.domain.thread import Thread
    from chatdesk.core.settings.store import LoadedSettings
    from chatdesk.services.services import Services

OK, FAILED, INTERRUPTED, BROKEN_PIPE = 0, 1, 130, 141
_PAGE = 200
_SHORTEST_PREFIX = 4
_ID_LENGTH = 36


class _Parser(argparse.ArgumentParser):
    """An argument parser that repeats nothing raw of arguments that were pasted."""

    def error(self, message: str) -> NoReturn:
        super().error(visible_controls(message))

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Let an output that takes nothing fail, as on Python 3.11.2; later ones say nothing and end with 0."""
        if message:
            (file or sys.stderr).write(message)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line; documents are tested against it."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--data-dir",
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="keep everything in DIR (also: CHATDESK_DATA_DIR)",
    )
    common.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="log more, also to stderr")
    parser: argparse.ArgumentParser = _Parser(
        prog="chatdesk",
        parents=[common],
        description="Chat with language models. Without a command the window opens.",
    )
    parser.add_argument("--version", action="version", version=f"chatdesk {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    ask = commands.add_parser("ask", parents=[common], help="ask a question and print the answer as it comes")
    ask.add_argument("text", metavar="TEXT", help="the question; - reads it from stdin")
    where = ask.add_mutually_exclusive_group()
    where.add_argument("--thread", metavar="ID", help="go on in this thread (the beginning of its id is enough)")
    where.add_argument("--edit", metavar="MESSAGE", help="another version of this question; the old one stays")
    where.add_argument("--new", action="store_true", help="begin a new thread (the default)")
    ask.add_argument("--model", metavar="MODEL", help="model that answers")
    ask.add_argument("--provider", metavar="NAME", help="provider that answers, by its id: see providers")
    ask.add_argument("--json", action="store_true", help="one JSON object a line: start, text, ..., finish")

    projects = commands.add_parser("projects", parents=[common], help="list projects")
    projects.add_argument("--json", action="store_true", help="a JSON array")

    threads = commands.add_parser("threads", parents=[common], help="list threads, the latest first")
    which = threads.add_mutually_exclusive_group()
    which.add_argument("--archived", action="store_true", help="list archived threads")
    which.add_argument("--trash", action="store_true", help="list threads in the trash")
    threads.add_argument("--project", metavar="NAME", help="list threads of this project")
    threads.add_argument("--tag", metavar="NAME", help="list threads with this tag")
    threads.add_argument("--limit", type=_positive, default=50, metavar="N", help="at most N threads (50)")
    threads.add_argument("--json", action="store_true", help="a JSON array")

    show = commands.add_parser("show", parents=[common], help="print a thread")
    show.add_argument("thread", metavar="THREAD", help="its id, or the beginning of it")
    show.add_argument("--json", action="store_true", help="as JSON")

    search.add_command(commands, common, _positive)

    providers.add_command(commands, common)

    team.add_command(commands, common)

    cli_data.add_commands(commands, common)

    bring = commands.add_parser("import", parents=[common], help="bring in an export of another program or of ChatDesk")
    bring.add_argument(
        "file",
        metavar="FILE",
        help="of ChatGPT, Claude, Open WebUI, LibreChat, AnythingLLM, Chatbox, Cherry Studio, Jan, LM Studio or"
        " ChatDesk: zip, JSON, JSON Lines, CSV, or a folder",
    )
    bring.add_argument("--project", metavar="NAME", help="put the threads into this project (one named by the program)")
    bring.add_argument("--dry-run", action="store_true", help="only tell what would be imported")
    bring.add_argument("--json", action="store_true", help="the report as JSON")

    doctor = commands.add_parser("doctor", parents=[common], help="check the database, the paths and the providers")
    doctor.add_argument("--json", action="store_true", help="as JSON")
    doctor.add_argument("--bundle", metavar="FILE", help="also write a zip to send with the report of a bug")
    doctor.add_argument("--repair", action="store_true", help="repair the database; a copy of it is kept")
    return parser


def run(arguments: Sequence[str], *, before_command: Callable[[], object] | None = None) -> int:
    """Run one command line and return the exit code (``argparse`` itself exits with 2, or 0 for help).
    ``before_command`` is called before anything that shows no window."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal's encoding must not break an answer
    options = argparse.Namespace()
    try:
        options = _parsed(arguments)
        if options.command is not None and before_command is not None:
            before_command()
        failures.check_files()
        paths = AppPaths.find(getattr(options, "data_dir", None))
        code = _with_diagnostics(options, paths, is_debug=getattr(options, "debug", False))
        if sys.stdout is not None:
            sys.stdout.flush()  # a reader that went away is noticed here, not by the interpreter's end
        return code
    except OutputFailed as error:
        failures.give_up_output()
        terminal.complain(error.sentence)
        return FAILED
    except ChatDeskError as error:
        return _told(error, is_json=getattr(options, "json", False) and options.command == "ask")
    except KeyboardInterrupt:
        return INTERRUPTED
    except EndedBySignal as ended:
        return 128 + ended.number
    except BrokenPipeError:
        failures.give_up_output()
        return BROKEN_PIPE
    except OSError as error:  # what argparse prints by itself; all else is caught further in
        failures.give_up_output()
        terminal.complain(OutputFailed(f"The output could not be written: {error.strerror or error}.").sentence)
        return FAILED


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = build_parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown and options.command == "search":
        options.query += unknown  # -word leaves a word out
    elif unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return options


def _told(error: ChatDeskError, *, is_json: bool) -> int:
    sentence = error.sentence_without_window
    terminal.complain(sentence)
    if is_json:
        try:
            terminal.say_json({"event": "failed", "code": error.code, "sentence": sentence}, indent=None)
        except (OutputFailed, BrokenPipeError):
            failures.give_up_output()
    return FAILED


def _with_diagnostics(options: argparse.Namespace, paths: AppPaths, *, is_debug: bool) -> int:
    from chatdesk.core.diagnostics.crashes import CrashReport, CrashReporter
    from chatdesk.core.diagnostics.logs import start_logging
    from chatdesk.core.diagnostics.redaction import process_redactor
    from chatdesk.core.settings.store import SettingsStore

    try:
        paths.make_directories()
    except OSError as error:
        raise failures.unusable(paths.data_dir, error) from error
    loaded = SettingsStore(paths.settings_file).load()
    for problem in loaded.problems:
        terminal.complain(problem)
    logs = start_logging(paths.log_file, process_redactor, level=loaded.settings.log_level, is_debug=is_debug)

    def tell(report: CrashReport) -> None:
        place = f" A report is in {report.path}." if report.path else ""
        terminal.complain(f"Something unexpected happened: {report.title}. Your messages are kept.{place}")

    try:
        if options.command is None:
            from chatdesk.app import run_window

            return run_window(paths, loaded.settings)
        return _run_command(options, paths, loaded)
    except (ChatDeskError, BrokenPipeError, EndedBySignal):
        raise
    except Exception as error:  # the edge of the program: a report instead of a traceback
        lack = failures.resource_failure(error)
        if lack is not None:
            raise lack from error
        CrashReporter(paths.crash_dir, process_redactor, on_crash=tell).report(error, where="command line")
        return FAILED
    finally:
        logs.stop()


def _run_command(options: argparse.Namespace, paths: AppPaths, loaded: LoadedSettings) -> int:
    if options.command == "restore":
        return cli_data.restore(options, paths, loaded.settings)
    if options.command == "doctor" and options.repair:
        return run_until_signal(cli_data.repair(paths, loaded.settings))
    if options.command == "doctor":
        from chatdesk.cli import doctor as cli_doctor

        return run_until_signal(cli_doctor.doctor(options, paths, loaded))
    if options.command == "providers":
        return run_until_signal(providers.providers(options, paths, loaded.settings))
    if options.command == "ask" and options.text == "-":
        options.text = sys.stdin.read()
    return run_until_signal(_run_with_services(options, paths, loaded))


async def _run_with_services(options: argparse.Namespace, paths: AppPaths, loaded: LoadedSettings) -> int:
    """Run the command, and try again where another process had the directory and ended before it could be asked: then
    the directory is free, or a process that waited with this one has it."""
    import asyncio

    from chatdesk.core.local_api.client import OwnerLeft

    for _ in range(_OWNERS_THAT_LEAVE):
        try:
            return await _with_services(options, paths, loaded)
        except OwnerLeft:
            await asyncio.sleep(_TRY_AGAIN_S)
    return await _with_services(options, paths, loaded)


_TRY_AGAIN_S, _OWNERS_THAT_LEAVE = 0.1, 30
_WRITING = frozenset(("ask", "backup", "import"))  # they say themselves that they cannot


async def _with_services(options: argparse.Namespace, paths: AppPaths, loaded: LoadedSettings) -> int:
    from chatdesk.services.owner import open_services

    commands = {
        "ask": _ask,
        "projects": _projects,
        "threads": _threads,
        "show": _show,
        "export": _export,
        "backup": cli_data.backup,
        "import": _import,
        "search": _search,
        "team": _team,
    }
    async with open_services(paths, loaded.settings, purpose=options.command) as services:
        if services.report.warning:
            terminal.complain(services.report.warning)
        elif services.read_only_reason is not None and not services.has_other_owner and options.command not in _WRITING:
            terminal.complain(services.read_only_reason.sentence)
        if services.accounts.stored.problem:
            terminal.complain(services.accounts.stored.problem)
        return await commands[options.command](options, services)


async def _search(options: argparse.Namespace, services: Services) -> int:
    return await search.search(options, services)


async def _team(options: argparse.Namespace, services: Services) -> int:
    return await team.team(options, services)


async def _ask(options: argparse.Namespace, services: Services) -> int:
    thread_id = (await _find_thread(services, options.thread)).id if options.thread else None
    if thread_id is not None and await services.system_prompts.is_from_file(thread_id):
        terminal.complain("An imported system prompt is sent with the question.")
    if thread_id is not None and (name := await services.system_prompts.changed_by_other(thread_id)) is not None:
        terminal.complain(f"{name} changed the system prompt; it is sent with the question.")
    asking = services.ask(
        options.text, thread_id=thread_id, edits=options.edit, provider=options.provider, model=options.model
    )
    last: dict[str, Any] = {}
    answer = terminal.TextWriter()
    # Closing the stream, on Ctrl+C or when the reader goes away, stops the answer and keeps its text.
    async with aclosing(asking) as events:
        async for event in events:
            last = event
            if options.json:
                terminal.say_json(event, indent=None)
            elif event["event"] == "text":
                answer.write(event["delta"])
            elif event["event"] == "retry":
                terminal.complain(f"{event['reason']} Trying again in {event['delay_s']:.0f} s.")
            elif event["event"] == "waiting":
                terminal.complain(f"{event['reason']} The question waits, {event['before']} before it; Ctrl+C cancels.")
            elif event["event"] == "unsaved":
                answer.close(ends_line=True)
                terminal.complain(f"{event['reason']} Trying to save the answer for a while; Ctrl+C ends it.")
    answer.close(ends_line=True)
    if last.get("thread_id"):
        await team_sharing.send_asked(services, last["thread_id"])
    if last.get("status") == "complete":
        return OK
    terminal.complain(last.get("error") or "The answer was not finished. What had arrived is kept.")
    return FAILED


async def _projects(options: argparse.Namespace, services: Services) -> int:
    projects = await services.library.list_projects()
    counts = [await services.library.count_project(project.id) for project in projects]
    if options.json:
        data = [
            {
                "id": project.id,
                "name": project.name,
                "colour": project.colour,
                "provider": project.provider,
                "model": project.model,
                "created_at": project.created_at,
                "last_chat_at": project.last_chat_at,
                "archived_at": project.archived_at,
                "threads": count.threads,
                "archived_threads": count.archived,
                "trashed_threads": count.trashed,
            }
            for project, count in zip(projects, counts, strict=True)
        ]
        terminal.say_json(data)
        return OK
    labels = await team_sharing.project_labels(services)
    for project, count in zip(projects, counts, strict=True):
        threads = f"{count.threads:,} thread{'' if count.threads == 1 else 's'}"
        archived = "  (archived)" if project.archived_at is not None else ""
        terminal.say(f"{project.id}  {threads:>15}  {labels[project.id]}{archived}")
    return OK


async def _thread_query(options: argparse.Namespace, services: Services) -> ThreadQuery:
    """Return the query for the list; names of projects and tags are compared without regard to case."""
    from chatdesk.core.domain.library import ThreadQuery

    project_id = tag_id = None
    if options.project is not None:
        project_id = (await team_sharing.find_project(services, options.project)).id
    if options.tag is not None:
        wanted = options.tag.strip().lstrip("#").casefold()
        tag_id = next((each.id for each in await services.library.list_tags() if each.name.casefold() == wanted), None)
        if tag_id is None:
            raise NotFound(f"There is no tag “{options.tag[:60]}”.", safe="", next_step="Check its name in the window.")
    scope: ThreadScope = "archive" if options.archived else "trash" if options.trash else "active"
    return ThreadQuery(scope, project_id, tag_id)


async def _threads(options: argparse.Namespace, services: Services) -> int:
    from chatdesk.core.transfer.exports.export import thread_as_data

    query = await _thread_query(options, services)
    found: list[Thread] = []
    cursor: str | None = None
    while len(found) < options.limit:
        page = await services.library.list_threads(query, limit=min(_PAGE, options.limit - len(found)), cursor=cursor)
        found.extend(page.threads)
        cursor = page.next_cursor
        if cursor is None:
            break
    if options.json:
        terminal.say_json([thread_as_data(thread) for thread in found])
        return OK
    for thread in found:
        count = f"{thread.message_count} message{'' if thread.message_count == 1 else 's'}"
        terminal.say(f"{thread.id}  {_local_time(thread.last_activity_at)}  {count:>14}  {thread.title}")
    if not found:
        terminal.complain("There are no threads here yet.")
    return OK


async def _show(options: argparse.Namespace, services: Services) -> int:
    from chatdesk.core.transfer.exports.export import thread_to_json, thread_to_markdown

    thread = await _find_thread(services, options.thread)
    messages = await _all_messages(services, thread.id)
    if options.json:
        terminal.say_json_text(thread_to_json(thread, messages))
    else:
        terminal.say(thread_to_markdown(thread, messages), end="")
    return OK


async def _export(options: argparse.Namespace, services: Services) -> int:
    return await cli_data.export(options, services, _find_thread)


async def _import(options: argparse.Namespace, services: Services) -> int:
    from chatdesk.core.domain.imported import ImportProgress

    if services.has_other_owner and not options.dry_run:
        raise NotPossible(
            "ChatDesk is open on this data directory.", next_step="Import the file in its window, or close it first."
        )
    if services.database.is_read_only and not options.dry_run:
        raise services.database.refusal
    is_shown = terminal.can_show_progress()

    def tell(progress: ImportProgress) -> None:
        percent = 100 * progress.done_bytes // max(progress.total_bytes, 1)
        terminal.show_progress(f"{percent:3d} %  {progress.threads:,} threads")

    report = await services.importer.run(
        Path(options.file),
        project=options.project,
        is_dry_run=options.dry_run,
        on_progress=tell if is_shown else None,
    )
    if is_shown:
        terminal.show_progress("")
    if options.json:
        terminal.say_json(report.as_data())
    else:
        terminal.say(report.as_text(), end="")
    if not options.dry_run:
        if is_shown:
            terminal.note("Reading the files, so that they are found by what stands in them …")
        await services.attachments.read_unread(pause_s=0)
    return OK


async def _find_thread(services: Services, wanted: str) -> Thread:
    """Return the thread with this id, or the only one whose id begins so."""
    prefix = wanted.strip().lower()
    if len(prefix) >= _ID_LENGTH:
        return await services.chat.get_thread(prefix)
    if len(prefix) < _SHORTEST_PREFIX or set(prefix) - set("0123456789abcdef-"):
        raise InvalidInput(
            f"“{wanted[:60]}” is not the beginning of a thread's id.",
            safe="",
            next_step=f"Give at least {_SHORTEST_PREFIX} of its characters; 'chatdesk threads' lists them.",
        )
    async with aclosing(_every_thread(services)) as threads:
        matches = [thread async for thread in threads if thread.id.startswith(prefix)]
    if not matches:
        raise NotFound(f"No thread's id begins with {prefix}.", safe="", next_step="'chatdesk threads' lists them.")
    if len(matches) > 1:
        raise InvalidInput(
            f"{len(matches)} threads have ids that begin with {prefix}.", safe="", next_step="Give more of the id."
        )
    return matches[0]


async def _every_thread(services: Services) -> AsyncGenerator[Thread, None]:
    for is_archived, is_trashed in ((False, False), (True, False), (False, True)):
        cursor: str | None = None
        while True:
            page = await services.chat.list_threads(
                limit=500, cursor=cursor, is_archived=is_archived, is_trashed=is_trashed
            )
            for thread in page.threads:
                yield thread
            cursor = page.next_cursor
            if cursor is None:
                break


async def _all_messages(services: Services, thread_id: str) -> list[Message]:
    """Return the whole shown path, read from its end in pages."""
    messages: list[Message] = []
    before: str | None = None
    while True:
        page = await services.chat.get_thread_messages(thread_id, _PAGE, before=before)
        messages[:0] = page.messages
        if not page.has_older or not page.messages:
            return messages
        before = page.messages[0].id


def _local_time(milliseconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return value
