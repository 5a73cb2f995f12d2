"""Reads what a parser of the command line takes; argparse has no public way to ask."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence


def commands_of(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Return the parsers of a parser's commands by their names; none when it has no commands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def arguments_of(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    """Return the options and words that a parser takes."""
    return parser._actions
