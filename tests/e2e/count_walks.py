"""Counts what the walks by mouse and those by keys cost a person: ``python -m tests.e2e.count_walks`` prints a table.

Letters are those of texts that are typed, keys all others. The seconds are those of a person who never thinks: they
compare two commits on one computer, and nothing else.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtTest import QTest

_HERE = Path(__file__).parent
_WALKS = (*sorted(_HERE.glob("test_walk_*.py")), _HERE / "test_first_steps.py")


class _Counting:
    """A plug-in of pytest that counts what goes through QTest."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._rows: list[str] = []
        self._count("mouseClick", "clicks", lambda _sent: 1)
        self._count("keyClick", "keys", lambda _sent: 1)
        self._count("keyClicks", "letters", lambda sent: len(sent[1]))

    def _count(self, name: str, what: str, much: Callable[[tuple[Any, ...]], int]) -> None:
        act = getattr(QTest, name)

        def counted(*sent: Any, **more: Any) -> Any:
            self._counts[what] += much(sent)
            return act(*sent, **more)

        setattr(QTest, name, counted)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        self._counts.clear()
        began = time.monotonic()
        result = yield
        cost = " | ".join(str(self._counts[what]) for what in ("clicks", "keys", "letters"))
        walk = f"{item.path.stem.removeprefix('test_')}: {item.name.removeprefix('test_')}"
        self._rows.append(f"| {walk.replace('_', ' ')} | {cost} | {time.monotonic() - began:.1f} |")
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for row in ("| walk | clicks | keys | letters | s |", "|---|---|---|---|---|", *self._rows):
            terminalreporter.write_line(row)


if __name__ == "__main__":
    options = ["-q", "-n", "0", "-p", "no:randomly", "-k", "by_mouse or by_keys or by_keyboard"]
    sys.exit(pytest.main([*options, *map(str, _WALKS)], plugins=[_Counting()]))
