"""Writes all output of the command line, so that foreign text can neither control a terminal, nor hide on it or reverse
a line.

All output passes here, for a terminal or a file: invisible characters are spelt out as in the window (``⟦U+001B⟧``),
and JSON is ASCII, whose escapes every program decodes exactly. A ``Text`` is written in the person's language, in JSON
in English. Answers and data go to stdout, everything else to stderr.
"""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from typing import Any, TextIO

from chatdesk.core.errors import InvalidInput, OutputFailed
from chatdesk.core.hidden_characters import has_hidden, visible_controls
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text, shown

_PREFIX = "chatdesk: "
_YES_OR_NO, _YES = Text("[y/N]"), Text("y yes")  # letters and words that mean yes, with blanks between them
_NOT_ASCII = re.compile(r"[^\x09\x0a\x20-\x7e]")
_MOST_HELD = 32  # characters at the end of a piece whose meaning depends on the next one


def say(text: str = "", *, end: str = "\n") -> None:
    """Write an answer or data to stdout."""
    _write(sys.stdout, _shown(text) + end)


def say_json(value: Any, *, indent: int | None = 2) -> None:
    """Write ``value`` to stdout as JSON in ASCII; on one line with ``indent=None``."""
    _write(sys.stdout, json.dumps(value, indent=indent) + "\n")


def say_json_text(text: str) -> None:
    """Write a piece of a JSON document to stdout; other than ASCII characters, which are in its strings only, are
    escaped."""
    _write(sys.stdout, _NOT_ASCII.sub(_escaped, text))


def complain(text: str) -> None:
    """Write a sentence for the person to stderr, as coming from ChatDesk."""
    report(_PREFIX + shown(text))


def report(text: str = "", *, end: str = "\n") -> None:
    """Write a line about the progress of a command to stderr."""
    _write(sys.stderr, _shown(text) + end)


def can_show_progress() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def show_progress(text: str) -> None:
    """Write over the line of stderr that the last call wrote; empty: clear it."""
    line = " ".join(_shown(text).split())
    _write(sys.stderr, f"\r{line}" if line else f"\r{' ' * 60}\r")


async def agrees(question: str) -> bool:
    """Ask for a yes and return whether it was given; the end of the input (Ctrl+D) is a no. Can be cancelled until a
    line is typed. Raises ``InvalidInput`` without a terminal."""
    if not sys.stdin.isatty():
        raise InvalidInput(
            Text("Nobody can be asked here."), safe=Text("Nothing was changed."), next_step=Text("Add --yes.")
        )
    report(f"{shown(question)} {shown(_YES_OR_NO)} ", end="")
    await _wait_for_line()
    line = sys.stdin.readline()
    if not line:
        report()
    return line.strip().casefold() in {*_YES.split(), *shown(_YES).casefold().split()}


async def _wait_for_line() -> None:
    """Wait until a line is typed, without a thread: one that reads from a terminal cannot be cancelled and would delay
    the program's end."""
    import asyncio

    loop = asyncio.get_running_loop()
    is_typed = asyncio.Event()
    try:
        stdin = sys.stdin.fileno()
        loop.add_reader(stdin, is_typed.set)
    except (OSError, ValueError, NotImplementedError):  # no descriptor, or Windows: then the reading itself waits
        return
    try:
        await is_typed.wait()
    finally:
        loop.remove_reader(stdin)


def ask_secret(question: str) -> str:
    """Ask for a line without echoing it. Without a terminal, read the next line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    import getpass

    return getpass.getpass(_shown(question), stream=sys.stderr)


class TextWriter:
    """Writes text that comes in pieces to stdout as it would be written in one: a joiner at the end of a piece waits
    for what it joins."""

    def __init__(self) -> None:
        self._before = ""
        self._held = ""
        self._ends_with_newline = True

    def write(self, piece: str) -> None:
        text = self._held + piece
        kept = len(text)
        while kept and len(text) - kept < _MOST_HELD and (text[kept - 1] == "\r" or has_hidden(text[kept - 1])):
            kept -= 1
        self._held = text[kept:]
        self._write_shown(text[:kept])

    def close(self, *, ends_line: bool = False) -> None:
        """Write the held text, and with ``ends_line`` end the last line if the text did not; more may follow."""
        self._write_shown(self._held)
        self._held = ""
        if ends_line and not self._ends_with_newline:
            self._write_shown("\n")

    def _write_shown(self, text: str) -> None:
        if not text:
            return
        _write(sys.stdout, _shown(self._before + text)[len(_shown(self._before)) :])
        self._before = text[-1]
        self._ends_with_newline = text.endswith("\n")


def _shown(text: str) -> str:
    return visible_controls(shown(text).replace("\r\n", "\n"))


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def discard_output(stream: TextIO | None) -> None:
    """Redirect a stream that cannot be written to the null device. Python would try again at its end, and exit with a
    code of its own."""
    if stream is not None:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _write(stream: TextIO | None, text: str) -> None:
    """Write and flush. Raises ``BrokenPipeError`` and ``OutputFailed``; errors of stderr are ignored."""
    if stream is None:  # a windowed program has none
        return
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        if stream is not sys.stderr:
            raise
    except OSError as error:
        if stream is not sys.stderr:
            raise OutputFailed(
                Text("The output could not be written: {strerror}.", strerror=reason_text(error))
            ) from error
        if stream is sys.__stderr__:
            discard_output(stream)
