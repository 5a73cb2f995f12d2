"""Loads modules when something of them is first used. ``importlib.util.LazyLoader`` does this too, but two threads at
once can see its module half read before Python 3.12 (https://github.com/python/cpython/issues/114763)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class LoaderOnUse:
    """Delays the execution of a module until one of its names is used. It is not derived from
    ``importlib.abc.Loader``, because importing that costs more time than the delay saves."""

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
                try:
                    self.load(module, name)
                except BaseException:
                    is_begun = False  # the next use raises the error, too
                    raise

        def get(attribute: str) -> Any:
            # Whoever walks through all modules asks for such names, as ``inspect`` does.
            if not attribute.startswith("__"):
                load()
                if attribute in contents:
                    return contents[attribute]
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")

        contents["__getattr__"] = get

    def load(self, module: ModuleType, name: str) -> None:
        """Fill ``module``, which was imported as ``name``."""
        self._loader.exec_module(module)


class FinderOnUse:
    """A finder for ``sys.meta_path``, ahead of the others, that defers loading modules of these names until they are
    used."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._names:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target) if finder is not self else None
            if spec is not None:
                spec.loader = LoaderOnUse(spec.loader)  # type: ignore[assignment] # called as one, never asked for its class
                return spec
        return None
