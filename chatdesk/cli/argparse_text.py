"""Translates the sentences of ``argparse`` itself into the language of the program: its headings and errors."""

from __future__ import annotations

import argparse
from typing import Final

from chatdesk.core.texts import Text, plural, shown

_WORDS: Final = {
    str(each): each
    for each in (
        Text("usage: "),
        Text("positional arguments"),
        Text("options"),
        Text("%(heading)s:"),
        Text("show this help message and exit"),
        Text("show program's version number and exit"),
        Text("%(prog)s: error: %(message)s\n"),
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
}


def translate_argparse() -> None:
    """Have ``argparse`` write in the language of the program for the rest of the process. It asks gettext for
    them by two names of its module; anything that is not known here stays English."""
    vars(argparse).update(_=_word, ngettext=_of_number)


def _word(word: str) -> str:
    return shown(_WORDS.get(word, word))


def _of_number(one: str, many: str, count: int) -> str:
    if many == "expected %s arguments":
        return shown(plural("expected %s arguments", "expected %s argument", count))
    return one if count == 1 else many
