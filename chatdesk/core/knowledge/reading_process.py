"""Runs as the process that opens the files of projects one after the other, and returns their passages with vectors.

Files are hostile, and so are their parsers: the process may be killed at any time without harm. It opens nothing but
the files below a folder that is named with them: no links, devices or mounts. Frames (``child_process``) come in:
``("read", folder, path)``, ``("cut", text, name)``, and ``("embed", body, "")`` for a file that a team shares. One goes
out for each: ``(problem, mime, stamp, characters, passages, vectors, signs)``, where a passage is ``(start, end, page,
heading, text)``.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from chatdesk.core.attachments.file_kinds import HEAD_BYTES, kind_of
from chatdesk.core.attachments.text_extraction import FileText, extract_from
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.knowledge.opening import limit_memory, open_below
from chatdesk.core.knowledge.passages import passages_of
from chatdesk.core.knowledge.word_vectors import WordVectors, signs_of
from chatdesk.core.system.child_process import Wire, read_frame, write_frame
from chatdesk.core.system.processes import start_child
from chatdesk.core.texts import Text

_CUT_NAME: Final = "page.md"
# Of what a team shares: longer than anything that ``passages`` makes.
_MOST_PASSAGES: Final = 10_000
_LONGEST_PASSAGE: Final = 20_000
_LONGEST_HEADING: Final = 300
_NICE: Final = 10
# The vectors and libraries take 160 MB of it, and half of that from the memory of the computer.
_MOST_DATA_BYTES: Final = 340 * 1024 * 1024


def serve(source: BinaryIO, sink: BinaryIO, vectors: WordVectors) -> None:
    """Answer frames until the input ends."""
    while (frame := read_frame(source)) is not None:
        try:
            answer = _answer(frame, vectors)
        except MemoryError:
            answer = _refused(Text("It needs too much memory."))
        except ChatDeskError as error:
            answer = _refused(error.what)
        except Exception:  # noqa: BLE001 - whatever a file provokes becomes a sentence
            answer = _refused(Text("It is damaged and cannot be read."))
        write_frame(sink, answer)


def _answer(frame: Wire, vectors: WordVectors) -> Wire:
    job, place, name = frame
    if job == "embed":
        return _embed_shared(place, vectors)
    if job == "cut":
        return _cut(FileText(place), "text/markdown", "", name, vectors)
    with open_below(Path(place), name, allows_secrets=True) as file:  # it was listed
        facts = os.fstat(file.fileno())
        head = file.read(HEAD_BYTES)
        file.seek(0)
        mime = kind_of(head, name)
        found = extract_from(file, mime)
    return _cut(found, mime, f"{facts.st_size}:{facts.st_mtime_ns}", name, vectors)


def _cut(found: FileText, mime: str, stamp: str, name: str, vectors: WordVectors) -> Wire:
    passages = passages_of(found.text, found.page_starts, mime, name)
    rows = vectors.embed([_meant(each.heading, each.text) for each in passages])
    sent = [(each.start, each.end, each.page, each.heading, each.text) for each in passages]
    return str(found.problem or ""), mime, stamp, len(found.text), sent, rows.tobytes(), signs_of(rows).tobytes()


def _embed_shared(body: str, vectors: WordVectors) -> Wire:
    """Embed the passages of a file of another member. What they wrote may be anything."""
    said = json.loads(body)
    sent = [
        (start, end, page, str(heading)[:_LONGEST_HEADING], str(text))
        for start, end, page, heading, text in said["passages"]
    ]
    if len(sent) > _MOST_PASSAGES or any(len(each[-1]) > _LONGEST_PASSAGE for each in sent):
        return _refused(Text("It is damaged and cannot be read."))
    found = vectors.embed([_meant(heading, text) for _, _, _, heading, text in sent])
    mime = str(said.get("mime"))[:_LONGEST_HEADING]
    return "", mime, "", said["characters"], sent, found.tobytes(), signs_of(found).tobytes()


def _meant(heading: str, text: str) -> str:
    """Return the text whose meaning is compared: what a passage is about often stands in its heading alone."""
    return f"{heading}\n{text}"


def _refused(problem: str) -> Wire:
    return str(problem), "", "", 0, [], b"", b""


def main(arguments: Sequence[str]) -> None:
    """Serve with the vectors in the folder that the command line names."""
    start_child()
    logging.disable()  # parsers complain about every oddity
    if hasattr(os, "nice"):
        os.nice(_NICE)
    limit_memory(_MOST_DATA_BYTES)
    serve(sys.stdin.buffer, sys.stdout.buffer, WordVectors(Path(arguments[0])))


if __name__ == "__main__":
    main(sys.argv[1:])
