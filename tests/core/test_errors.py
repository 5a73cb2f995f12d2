"""The sentences of errors, for whoever reads them without a window."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest

from chatdesk import core
from chatdesk.core.errors import ChatDeskError


def _errors() -> Iterator[type[ChatDeskError]]:
    """Every error of the core, once."""
    for module in pkgutil.walk_packages(core.__path__, "chatdesk.core."):
        for _name, each in inspect.getmembers(import_module(module.name), inspect.isclass):
            if each.__module__ == module.name and issubclass(each, ChatDeskError):
                yield each


_HOLD_WHILE_IT_RUNS = [each for each in _errors() if "until ChatDesk closes" in each.safe]


@pytest.mark.parametrize("error", _HOLD_WHILE_IT_RUNS, ids=lambda each: each.code)
def test_a_command_that_has_ended_promises_nothing_until_it_closes(error: type[ChatDeskError]) -> None:
    assert "until ChatDesk closes" in error().sentence
    assert "until ChatDesk closes" not in error().sentence_without_window


def test_there_are_such_errors() -> None:
    assert {"tool_servers_not_saved", "secret_not_kept"} <= {each.code for each in _HOLD_WHILE_IT_RUNS}
