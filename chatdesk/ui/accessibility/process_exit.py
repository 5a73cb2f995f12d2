"""The end of a process that an assistive program watched."""

from __future__ import annotations

import logging
import os
import sys

from PySide6.QtGui import QAccessible


def exit_if_assisted(code: int) -> None:
    """End the process at once if Qt spoke to an assistive program; call it when everything is stored and closed.

    Interfaces that were made in Python are freed with Python's objects, and again by the cache that Qt empties after
    them: PySide 6.11 then ends with a segmentation fault.
    """
    if QAccessible.isActive():
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
