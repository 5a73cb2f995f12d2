"""Parses the command line. Its errors are in the person's language and never repeat pasted text unescaped.

``argparse`` writes its errors in English; they are recognised by their patterns. One that is not known here stays
English.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NoReturn

from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import Text, is_translated, plural, shown, tr

_HEADINGS: Final = {str(each): each for each in (Text("positional arguments"), Text("options"))}
_ERRORS: Final = (
    Text("argument %(argument_name)s: %(message)s"),
    Text("the following arguments are required: %s"),
    Text("one of the arguments %s is required"),
    Text("expected one argument"),
    Text("expected at most one argument"),
    Text("expected at least one argument"),
    Text("invalid choice: %(value)r (choose from %(choices)s)"),
    Text("invalid %(type)s value: %(value)r"),
    Text("unrecognized arguments: %s"),
    Text("not allowed with argument %s"),
    Text("ambiguous option: %(option)s could match %(matches)s"),
    Text("ignored explicit argument %r"),
)
_FIELD: Final = re.compile(r"%(?:\((\w+)\))?[sr]")


class Parser(argparse.ArgumentParser):
    """The parser of ChatDesk or of one of its commands. It fails where its output takes nothing, as only some versions
    of Python do."""

    def __init__(self, *, parents: Sequence[argparse.ArgumentParser] = (), **given: Any) -> None:
        with_help = argparse.ArgumentParser(add_help=False)
        with_help.add_argument(
            "-h", "--help", action="help", default=argparse.SUPPRESS, help=tr("show this help message and exit")
        )
        super().__init__(parents=[with_help, *parents], formatter_class=_Formatter, add_help=False, **given)

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        said = visible_controls(error_text(message) if is_translated() else message)
        self.exit(2, tr("%(prog)s: error: %(message)s\n") % {"prog": self.prog, "message": said})

    def print_help(self, file: Any = None) -> None:
        (file or sys.stdout).write(self.format_help())


class _Formatter(argparse.HelpFormatter):
    """Writes the headings of the help."""

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, tr("usage: ") if prefix is None else prefix)

    def start_section(self, heading: str | None) -> None:
        super().start_section(shown(_HEADINGS.get(heading or "", heading or "")))


def error_text(message: str) -> str:
    """Return an error of ``argparse`` in the language of the program."""
    if number := re.fullmatch(r"expected (\d+) arguments?", message):
        count = int(number[1])
        return shown(plural("expected %s arguments", "expected %s argument", count)) % count
    for pattern, sentence, names in _patterns():
        if match := pattern.fullmatch(message):
            words = [error_text(each) for each in match.groups()]
            template = _FIELD.sub(lambda field: f"%({field[1]})s" if field[1] else "%s", shown(sentence))
            return template % (dict(zip(names, words, strict=True)) if all(names) else tuple(words))
    return message


@cache
def _patterns() -> list[tuple[re.Pattern[str], Text, list[str]]]:
    """Return for each error how it is recognised, and the names of its fields."""
    found = []
    for each in _ERRORS:
        source = each.source
        pattern = "(.+?)".join(map(re.escape, _FIELD.split(source)[::2]))
        found.append((re.compile(pattern, re.DOTALL), each, [name or "" for name in _FIELD.findall(source)]))
    return found
