"""Runs first in the packaged program.

No module lies in PyInstaller's archive, so nothing looks there for one. And what the loader needed to find its
libraries is taken out of the environment: the browser that opens a link would load them in the place of its own.
"""

import os
import sys

sys.path_hooks[:] = [hook for hook in sys.path_hooks if "pyimod02_importers" not in getattr(hook, "__module__", "")]
sys.path_importer_cache.clear()

for name in [name for name in os.environ if name.startswith("_PYI_")]:
    del os.environ[name]
for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
    original = os.environ.pop(name + "_ORIG", None)
    if original is not None:
        os.environ[name] = original
    elif sys.platform == "linux":
        os.environ.pop(name, None)
