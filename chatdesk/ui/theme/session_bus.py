"""Checks for the session bus of the desktop, without QtDBus, which is loaded only if there is a bus."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def has_session_bus() -> bool:
    """Return whether there is a session bus. Without one Qt would start its own."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    has_address = bool(os.environ.get("DBUS_SESSION_BUS_ADDRESS"))
    return sys.platform.startswith("linux") and (has_address or bool(runtime and Path(runtime, "bus").exists()))
