"""What PySide brings for developers is loaded when it is used, and then works as always."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SOURCES = """
import linecache, sys
if sys.argv[1] == "chatdesk":
    import chatdesk.ui
import PySide6.QtCore
from chatdesk.core.rendering.blocks import Span
print(any(path.endswith("blocks.py") for path in linecache.cache))
"""
_MODULES = """
import sys
if sys.argv[1] == "chatdesk":
    import chatdesk.ui
import PySide6.QtCore
name = "shibokensupport.signature."
seldom = ("errorhandler", "layout", "mapping", "parser", "lib.pyi_generator")
print(*(each for each in seldom if hasattr(sys.modules[name + each], "__file__")))
"""
_MISTAKES = """
import sys
if sys.argv[1] == "chatdesk":
    import chatdesk.ui
from PySide6.QtCore import QObject, QPoint
for mistake in (lambda: QPoint("left", 3), lambda: QObject(nothing=3), lambda: QObject().setObjectName()):
    try:
        mistake()
    except Exception as error:
        print(type(error).__name__, error)
print(QObject.setObjectName.__doc__)
from PySide6.support.signature import parser
from shibokensupport.signature.lib import tool
print(parser.__file__, callable(parser.pyside_type_init), callable(tool.build_brace_pattern))
"""


def run(program: str, way: str) -> str:
    ran = subprocess.run([sys.executable, "-c", program, way], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.mark.parametrize(("way", "is_read"), [("chatdesk", False), ("plain", True)])
def test_sources_of_imported_modules_are_not_read(way: str, is_read: bool) -> None:
    # When "plain" fails here, PySide has given the scan up.
    assert run(_SOURCES, way) == str(is_read)


@pytest.mark.parametrize(
    ("way", "loaded"), [("chatdesk", ""), ("plain", "errorhandler layout mapping parser lib.pyi_generator")]
)
def test_the_signature_module_is_not_loaded_at_the_start(way: str, loaded: str) -> None:
    # When "plain" fails here, PySide has changed how it loads them.
    assert run(_MODULES, way) == loaded


def test_mistakes_get_the_messages_of_pyside() -> None:
    said = run(_MISTAKES, "chatdesk")
    assert "QPoint.__init__(xpos: int, ypos: int, /)" in said
    assert said == run(_MISTAKES, "plain")
