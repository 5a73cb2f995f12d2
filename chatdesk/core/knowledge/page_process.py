"""Runs as the process that draws the pages of PDFs, for one dialog.

A PDF is hostile, and the process may be killed at any time without harm. Frames (``child_process``) come in:
``(folder, path, page, width, text, start, end, its page)``, the last four of the passage; one goes out for each:
``(problem, page, total, width, height, pixels, text, rectangles, place in text)``.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import BinaryIO, Final

from chatdesk.core.attachments.pdf_page import draw_page
from chatdesk.core.domain.pdf_page import WantedPassage
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.knowledge.opening import limit_memory, open_below
from chatdesk.core.system.child_process import Wire, read_frame, write_frame
from chatdesk.core.system.processes import start_child
from chatdesk.core.texts import Text

_MOST_DATA_BYTES: Final = 260 * 1024 * 1024


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer frames until the input ends."""
    while (frame := read_frame(source)) is not None:
        try:
            answer = _answer(frame)
        except MemoryError:
            answer = (str(Text("It needs too much memory.")),)
        except ChatDeskError as error:
            answer = (str(error.what),)
        except Exception:  # noqa: BLE001 - whatever a file provokes becomes a sentence
            answer = (str(Text("It is damaged and cannot be drawn.")),)
        write_frame(sink, answer)


def _answer(frame: Wire) -> Wire:
    folder, path, number, width_px, text, start, end, its_page = frame
    with open_below(Path(folder), path) as file:
        drawn = draw_page(file, number, width_px, WantedPassage(text, start, end, its_page))
    size = drawn.number, drawn.total, drawn.width, drawn.height
    return "", *size, drawn.pixels, drawn.text, drawn.lit, drawn.lit_text


def main() -> None:
    """Serve until the input ends."""
    start_child()
    logging.disable()  # parsers complain about every oddity
    limit_memory(_MOST_DATA_BYTES)
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
