"""Spares the start a scan that ChatDesk has no use for.

PySide looks through the source of every module that is imported after it, for modules that may switch on its
``__feature__`` names. That reads some thousand files, and ``linecache`` keeps them: 18 MB and a tenth of the start.
A packaged application has no sources and works; this makes a checkout and a wheel behave like one.
"""

from __future__ import annotations

import sys

import PySide6.QtCore  # noqa: F401 - it brings the scanner


def skip_source_scan() -> None:
    """No module is looked through from now on. Does nothing where PySide has no such scan."""
    scanner = sys.modules.get("shibokensupport.feature")
    if hasattr(scanner, "_mod_uses_pyside"):
        scanner._mod_uses_pyside = _uses_no_features  # type: ignore[union-attr]


def _uses_no_features(_module: object) -> bool:
    return False
