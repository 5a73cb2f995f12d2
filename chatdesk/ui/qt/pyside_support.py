"""Keeps PySide's modules for developers out of the start.

PySide brings Python modules that write signatures for help texts, messages of wrong calls and stubs. It compiles all of
them from source at each start, a quarter of what importing it takes. Here each is compiled when it is first used, which
in a program without mistakes is never.

PySide also looks through the source of every module that is imported after its base, for modules that may switch on its
``__feature__`` names. That reads some thousand files, and ``linecache`` keeps them: 18 MB. ChatDesk uses no such names,
so PySide is told that no module does, and then not asked any more.
"""

from __future__ import annotations

import builtins
import importlib.machinery
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

from chatdesk.core.system.loading_on_use import LoaderOnUse

_SELDOM_USED = frozenset(
    f"shibokensupport.signature.{name}"
    for name in ("errorhandler", "layout", "mapping", "parser", "lib.enum_sig", "lib.pyi_generator", "lib.tool")
)
# PySide's C++ code calls this function of a module's dictionary without asking the module for it.
_CALLED_DIRECTLY = "update_mapping"
# Zero would not do: where several timers are due, Qt runs a chain of such steps in one turn of its loop.
NEXT_TURN_S: Final = 0.001


def import_without_developer_support() -> None:
    """Import the base of PySide, which must not have been imported yet, without modules that only developers use. Where
    PySide is built in another way than expected, it is imported as it is."""
    importlib.machinery.ModuleSpec = _spec_of_support  # type: ignore[misc, assignment] # PySide's importer calls it
    try:
        import PySide6.QtCore  # noqa: F401
    finally:
        importlib.machinery.ModuleSpec = ModuleSpec  # type: ignore[misc]
    # Each import statement would call PySide first, which looks for feature names and through sources.
    builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)


def _spec_of_support(name: str, loader: Any, **more: Any) -> ModuleSpec:
    chosen: Any = loader
    if name in _SELDOM_USED:
        chosen = _SupportOnUse(loader)
    elif name == "shibokensupport.feature":
        chosen = _FeaturesThatNobodyUses(loader)
    return ModuleSpec(name, chosen, **more)


class _FeaturesThatNobodyUses:
    """Loads PySide's ``__feature__``, which then finds no module that uses it, without reading sources. Reading them
    would load the whole of ``inspect``."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, _spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        vars(module)["_mod_uses_pyside"] = lambda _module: False


class _SupportOnUse(LoaderOnUse):
    """Runs a module of PySide's helpers under the name that PySide gave it first."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        contents = vars(module)
        if not module.__name__.endswith(".mapping"):
            return

        def call_directly(*arguments: Any) -> Any:
            del contents[_CALLED_DIRECTLY]
            return getattr(module, _CALLED_DIRECTLY)(*arguments)

        contents[_CALLED_DIRECTLY] = call_directly

    def load(self, module: ModuleType, name: str) -> None:
        vars(module).pop(_CALLED_DIRECTLY, None)
        spec = module.__spec__
        assert spec is not None
        published_name, spec.name = spec.name, name
        try:
            super().load(module, name)
        finally:
            spec.name = published_name
