"""Reads what a parser of the command line takes; argparse has no public way to ask."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence

# It names nothing.
WORD = "nowhere"


def commands_of(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Return the parsers of a parser's commands by their names; none when it has no commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def arguments_of(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    """Return the options and words that a parser takes."""
    return parser._actions


def leaves_of(
    parser: argparse.ArgumentParser, before: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Yield the words and the parser of each command that has no commands of its own."""
    commands = commands_of(parser)
    for name, inner in commands.items():
        yield from leaves_of(inner, (*before, name))
    if not commands:
        yield before, parser


def tried_arguments(parser: argparse.ArgumentParser) -> list[list[str]]:
    """Return what a command may be told: nothing, all that it needs, and each of its options with a word."""
    needed: list[str] = []
    options: list[list[str]] = []
    for action in arguments_of(parser):
        word = str(next(iter(action.choices))) if action.choices else WORD
        given = [*action.option_strings[-1:], *([] if action.nargs == 0 else [word])]
        if action.required and action.nargs not in ("?", "*"):
            needed += given
        elif not {"--json", "--data-dir", "--debug"} & set(action.option_strings):
            options.append(given)
    return [[], needed, *([*needed, *each] for each in options)]
