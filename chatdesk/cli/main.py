"""Runs the command line: a front end over the same services as the window, for scripts and machines without a screen.

Answers and data go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed (a sentence says why), 2 wrong
usage, 3 answered, but a tool was denied because nobody could be asked, 130 interrupted, 141 the reader of the output
went away, 143 and 129 ended by SIGTERM and SIGHUP.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import NoReturn

from chatdesk import __version__
from chatdesk.cli import failures
from chatdesk.cli.opening import target_of
from chatdesk.cli.parser import Parser
from chatdesk.core.diagnostics.crashes import CrashReport, CrashReporter
from chatdesk.core.diagnostics.logs import start_logging
from chatdesk.core.diagnostics.redaction import process_redactor
from chatdesk.core.errors import ChatDeskError, OutputFailed
from chatdesk.core.local_api.client import OwnerLeft
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.store import LoadedSettings, SettingsStore
from chatdesk.core.system import terminal
from chatdesk.core.system.ending_signals import EndedBySignal, run_until_signal
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Sentences, Text, tr
from chatdesk.translation import use_language

OK, FAILED, INTERRUPTED, BROKEN_PIPE = 0, 1, 130, 141
_WITH_WINDOW = (None, "open", "quick")


class _PrintVersion(argparse.Action):
    """Prints the version and ends the program. That of ``argparse`` says nothing where its output takes nothing."""

    def __call__(self, parser: argparse.ArgumentParser, *_given: object) -> None:
        terminal.say(f"chatdesk {__version__}")
        parser.exit()


class _RaisingParser(argparse.ArgumentParser):
    """An argument parser that raises its errors; the caller prints them and exits."""

    def error(self, message: str) -> NoReturn:
        raise argparse.ArgumentError(None, message)


def _common_options() -> argparse.ArgumentParser:
    """Build the parser of the options that the window and every command take."""
    common = _RaisingParser(add_help=False)
    common.add_argument(
        "--data-dir",
        default=argparse.SUPPRESS,
        metavar="DIR",
        help=tr("keep all data in DIR (or set CHATDESK_DATA_DIR)"),
    )
    common.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help=tr("write more to the log, and to stderr too")
    )
    return common


@cache
def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line, once in a process; documents are tested against it."""
    from chatdesk.cli import (  # the window opens sooner without them
        asking,
        computers,
        data,
        demo_data,
        importing,
        knowledge,
        memory,
        opening,
        providers,
        search,
        secret_files,
        serving,
        team,
        threads,
        tools,
    )

    common = _common_options()
    parser: argparse.ArgumentParser = Parser(
        prog="chatdesk",
        parents=[common],
        description=tr("Chat with language models. Without a command, the window opens."),
    )
    parser.add_argument(
        "--version",
        action=_PrintVersion,
        nargs=0,
        help=tr("show program's version number and exit"),
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    opening.add_commands(commands, common)
    asking.add_command(commands, common)
    threads.add_commands(commands, common)
    search.add_command(commands, common)
    knowledge.add_command(commands, common)
    memory.add_command(commands, common)
    providers.add_command(commands, common)
    tools.add_command(commands, common)
    team.add_command(commands, common)
    computers.add_command(commands, common)
    data.add_commands(commands, common)
    importing.add_command(commands, common)
    demo_data.add_command(commands, common)
    serving.add_commands(commands, common)
    serving.add_mcp_command(commands, common)

    doctor = commands.add_parser("doctor", parents=[common], help=tr("check the database, the paths and the providers"))
    doctor.add_argument("--json", action="store_true", help=tr("as JSON"))
    doctor.add_argument("--bundle", metavar="FILE", help=tr("also write a zip to attach to a bug report"))
    doctor.add_argument("--repair", action="store_true", help=tr("repair the database, keeping a copy of it"))
    doctor.set_defaults(check=lambda options, _paths: secret_files.check_target(options.bundle))
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
        if options.command not in _WITH_WINDOW and before_command is not None:
            before_command()
        failures.check_files()
        paths = AppPaths.find(getattr(options, "data_dir", None))
        code = _with_diagnostics(options, paths, is_debug=getattr(options, "debug", False))
        if sys.stdout is not None:
            sys.stdout.flush()  # a reader that went away is noticed here, not by the interpreter's end
        return code
    except OutputFailed as error:
        terminal.discard_output(sys.stdout)
        terminal.complain(error.sentence)
        return FAILED
    except ChatDeskError as error:
        return _report_failure(error, is_json=getattr(options, "json", False) and options.command == "ask")
    except KeyboardInterrupt:
        return INTERRUPTED
    except EndedBySignal as ended:
        return 128 + ended.number
    except BrokenPipeError:
        terminal.discard_output(sys.stdout)
        return BROKEN_PIPE
    except OSError as error:  # argparse's own output failed; other failures are handled further in
        terminal.discard_output(sys.stdout)
        terminal.complain(
            OutputFailed(Text("The output could not be written: {reason}.", reason=reason_text(error))).sentence
        )
        return FAILED


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments; without a command, without importing the commands: the window opens sooner."""
    try:
        return _read(arguments)
    except SystemExit:  # argparse has printed, and an output that takes nothing is noticed here
        if sys.stdout is not None:
            sys.stdout.flush()
        raise


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    with suppress(argparse.ArgumentError):
        options, unknown = _common_options().parse_known_args(arguments, argparse.Namespace(command=None))
        _use_language(getattr(options, "data_dir", None))
        if not unknown:
            return options
    parser = build_parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown and options.command == "search":
        options.query = [*options.query, *unknown]  # -word leaves a word out
    elif unknown:
        parser.error(tr("unrecognized arguments: {unknown}", unknown=" ".join(unknown)))
    return options


def _use_language(data_dir: str | None) -> None:
    """Speak the language of the person from now on, in the help as well."""
    use_language(str(SettingsStore(AppPaths.find(data_dir).settings_file).peek("language")))


def _target_of(options: argparse.Namespace) -> str:
    """Return the target that the window is to show. Raises ``UnusableLink``."""
    if options.command not in ("open", "quick"):
        return ""
    return target_of(options)


def _report_failure(error: ChatDeskError, *, is_json: bool) -> int:
    sentence = error.sentence_without_window
    terminal.complain(sentence)
    if is_json:
        try:
            terminal.say_json({"event": "failed", "code": error.code, "sentence": sentence}, indent=None)
        except (OutputFailed, BrokenPipeError):
            terminal.discard_output(sys.stdout)
    return FAILED


def _with_diagnostics(options: argparse.Namespace, paths: AppPaths, *, is_debug: bool) -> int:
    target = _target_of(options)
    if hasattr(options, "check"):  # refuses bad arguments before the data directory is made or opened
        options.check(options, paths)
    try:
        paths.make_directories()
    except OSError as error:
        raise failures.unusable(paths.data_dir, error) from error
    loaded = SettingsStore(paths.settings_file).load()
    for problem in loaded.problems:
        terminal.complain(problem)
    logs = start_logging(paths.log_file, process_redactor, level=loaded.settings.log_level, is_debug=is_debug)

    def report_crash(report: CrashReport) -> None:
        what = Text("Something unexpected happened: {title}. Your messages are kept.", title=report.title)
        terminal.complain(Sentences.of(what, Text("A report is in {path}.", path=report.path) if report.path else ""))

    try:
        if options.command in _WITH_WINDOW:
            from chatdesk.app import run_window  # commands run without Qt

            return run_window(paths, loaded.settings, target=target, can_be_played=options.command is None)
        return _run_command(options, paths, loaded)
    except (ChatDeskError, BrokenPipeError, EndedBySignal):
        raise
    except Exception as error:  # the edge of the program: a report instead of a traceback
        lack = failures.resource_failure(error)
        if lack is not None:
            raise lack from error
        CrashReporter(paths.crash_dir, process_redactor, on_crash=report_crash).report(error, where="command line")
        return FAILED
    finally:
        logs.stop()


def _run_command(options: argparse.Namespace, paths: AppPaths, loaded: LoadedSettings) -> int:
    from chatdesk.cli import data, doctor, providers, serving  # the help of all commands does without

    if options.command == "restore":
        return data.restore(options, paths, loaded.settings)
    if options.command == "doctor" and options.repair:
        return run_until_signal(data.repair(paths, loaded.settings))
    if options.command == "doctor":
        return run_until_signal(doctor.doctor(options, paths, loaded))
    if options.command == "providers":
        return run_until_signal(providers.providers(options, paths, loaded.settings))
    if options.command == "tokens" and options.action != "new":
        return run_until_signal(serving.tokens(options, paths, loaded.settings))
    if options.command == "mcp":
        return run_until_signal(serving.mcp(options, paths, loaded.settings))
    return run_until_signal(_run_with_services(options, paths, loaded))


async def _run_with_services(options: argparse.Namespace, paths: AppPaths, loaded: LoadedSettings) -> int:
    """Run the command, and try again where another process had the directory and ended before it could be asked: then
    the directory is free, or a process that waited with this one has it."""
    import asyncio

    for _ in range(_OWNERS_THAT_LEAVE):
        try:
            return await _with_services(options, paths, loaded)
        except OwnerLeft:
            await asyncio.sleep(_TRY_AGAIN_S)
    return await _with_services(options, paths, loaded)


_TRY_AGAIN_S, _OWNERS_THAT_LEAVE = 0.1, 30
_WRITING = frozenset(("ask", "backup", "import", "demo-data"))  # these commands report the missing database themselves


async def _with_services(options: argparse.Namespace, paths: AppPaths, loaded: LoadedSettings) -> int:
    from chatdesk.services.owner import open_services  # the help of all commands does without

    async with open_services(paths, loaded.settings, purpose=options.command) as services:
        if services.report.warning:
            terminal.complain(services.report.warning)
            if options.command != "serve":  # a service's output may go unread
                services.database.forget_loss()
        elif services.read_only_reason is not None and not services.has_other_owner and options.command not in _WRITING:
            terminal.complain(services.read_only_reason.sentence)
        if services.accounts.stored.problem:
            terminal.complain(services.accounts.stored.problem)
        return int(await options.run(options, services))
