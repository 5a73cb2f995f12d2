"""Spares the start what PySide loads for the developers of a program.

PySide brings Python modules that write signatures for help texts, messages of wrong calls and stubs. It compiles all of
them from source at each start, a quarter of what importing it takes. Here each is compiled when it is first used, which
in a program without mistakes is never.

PySide also looks through the source of every module that is imported after it, for modules that may switch on its
``__feature__`` names. That reads some thousand files, and ``linecache`` keeps them: 18 MB. ChatDesk uses no such names.
"""

from __future__ import annotations

import builtins
import importlib.machinery
import threading
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_SELDOM_USED = frozenset(
    f"shibokensupport.signature.{name}"
    for name in ("errorhandler", "layout", "mapping", "parser", "lib.enum_sig", "lib.pyi_generator", "lib.tool")
)
# PySide's C++ code calls this function of a module's dictionary without asking the module for it.
_CALLED_DIRECTLY = "update_mapping"


def import_without_developer_support() -> None:
    """Import the base of PySide, which must not have been imported yet, without what only developers use. Where PySide
    is built in another way than expected, it is imported as it is."""
    importlib.machinery.ModuleSpec = _spec_of_support  # type: ignore[misc, assignment] # PySide's importer calls it
    try:
        import PySide6.QtCore  # noqa: F401
    finally:
        importlib.machinery.ModuleSpec = ModuleSpec  # type: ignore[misc]
    # Each import statement would call PySide first, which looks for feature names and through sources.
    builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)


def _spec_of_support(name: str, loader: Any, **more: Any) -> ModuleSpec:
    chosen: Any = _LoaderOnUse(loader) if name in _SELDOM_USED else loader
    return ModuleSpec(name, chosen, **more)


class _LoaderOnUse:
    """Leaves a module empty until something of it is asked for. Not derived from ``importlib.abc.Loader``, whose import
    takes longer than what is spared here."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, _spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        contents, name = vars(module), module.__name__
        lock = threading.RLock()
        is_begun = False

        def load() -> None:
            nonlocal is_begun
            with lock:
                if is_begun:
                    return
                is_begun = True
                contents.pop(_CALLED_DIRECTLY, None)
                spec = module.__spec__
                assert spec is not None
                published_name, spec.name = spec.name, name
                try:
                    self._loader.exec_module(module)
                finally:
                    spec.name = published_name

        def get(attribute: str) -> Any:
            # Whoever walks through all modules asks for such names, as ``inspect`` does.
            if not attribute.startswith("__"):
                load()
                if attribute in contents:
                    return contents[attribute]
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")

        def call_directly(*arguments: Any) -> Any:
            load()
            return contents[_CALLED_DIRECTLY](*arguments)

        contents["__getattr__"] = get
        if name.endswith(".mapping"):
            contents[_CALLED_DIRECTLY] = call_directly
