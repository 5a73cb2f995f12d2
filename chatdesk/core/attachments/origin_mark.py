"""Marks a file as coming from elsewhere, as browsers and mail programs do: systems ask before they run such a file.

Linux: the extended attribute that KDE, GNOME and browsers share. macOS: quarantine. Windows: the mark of the web. Where
the file system takes none, the file has none.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from contextlib import suppress
from typing import BinaryIO, Final

# Stands where a browser writes the address of a download. A message has no address, and its words stay private.
ORIGIN: Final = "urn:chatdesk:attachment"
_XDG: Final = "user.xdg.origin.url"
_QUARANTINE: Final = "com.apple.quarantine"
_ZONE: Final = f"[ZoneTransfer]\r\nZoneId=3\r\nHostUrl={ORIGIN}\r\n"


def mark_origin(file: BinaryIO) -> None:
    """Mark an open file, which may be renamed later. Never raises."""
    with suppress(OSError, ValueError):
        if sys.platform == "win32":
            # A stream of the file itself, which moves with it; only NTFS has such.
            with open(f"{file.name}:Zone.Identifier", "w", encoding="ascii", newline="") as stream:
                stream.write(_ZONE)
        elif sys.platform == "darwin":
            _quarantine(file.fileno())
        elif hasattr(os, "setxattr"):
            os.setxattr(file.fileno(), _XDG, ORIGIN.encode())


def _quarantine(descriptor: int) -> None:
    # 0x0081: downloaded, not yet agreed to. Python has no function for this call on macOS.
    value = f"0081;{int(time.time()):08x};ChatDesk;".encode()
    ctypes.CDLL(None).fsetxattr(descriptor, _QUARANTINE.encode(), value, len(value), 0, 0)
