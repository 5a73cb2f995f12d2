"""Asks the process that reads files for the passages of one file after the other, and ends it where a file takes too
much of anything.

Everything here waits; call it on a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chatdesk.core.domain.knowledge import OWN_DIMENSIONS, OWN_VECTORS, Passage
from chatdesk.core.knowledge.limited_process import DIED, LOOKED_EVERY_S, LimitedProcess
from chatdesk.core.system import child_process
from chatdesk.core.system.child_process import Wire
from chatdesk.core.texts import Text

LONGEST_S: Final = 60.0
# The memory of the process, of which the vectors and the libraries take some 100 MB.
MOST_BYTES: Final = 300 * 1024 * 1024
_LARGEST_NUMBER: Final = 2**31


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The content of a file. ``problem`` is a sentence why there is nothing, or not all; ``stamp`` has its size and
    time when it was opened. ``vectors`` has one row for each passage, ``signs`` their signs in one piece."""

    problem: str = ""
    mime: str = ""
    stamp: str = ""
    characters: int = 0
    passages: tuple[Passage, ...] = ()
    vectors: tuple[bytes, ...] = ()
    signs: bytes = b""
    vectors_by: str = OWN_VECTORS


class KnowledgeReader(LimitedProcess):
    """Reads one file at a time. ``vectors_dir`` has the vectors of words; the limits are for one file."""

    def __init__(
        self,
        vectors_dir: Path,
        *,
        longest_s: float = LONGEST_S,
        most_bytes: int = MOST_BYTES,
        looked_every_s: float = LOOKED_EVERY_S,
    ) -> None:
        super().__init__(
            child_process.command_of("--knowledge-reader", str(vectors_dir)),
            longest_s=longest_s,
            most_bytes=most_bytes,
            looked_every_s=looked_every_s,
        )

    def read(self, folder: Path, path: str) -> ReadFile:
        """Return the passages of a file below a folder. Where the process dies of it, that is an answer, too."""
        return self._passages(("read", str(folder), path))

    def cut(self, text: str, name: str) -> ReadFile:
        """Return the passages of a text in Markdown that was read elsewhere."""
        return self._passages(("cut", text, name))

    def embed_shared(self, body: str) -> ReadFile:
        """Return the passages of a file that another member shares, with vectors of this computer."""
        return self._passages(("embed", body, ""))

    def _passages(self, job: Wire) -> ReadFile:
        answer = self.ask(job)
        return ReadFile(DIED) if answer is None else file_of(answer)


def file_of(answer: Wire) -> ReadFile:
    """Return the answer of the process as a value. The process reads hostile files, so nothing of it is believed."""
    try:
        problem, mime, stamp, characters, rows, vectors, signs = answer
        passages = tuple(
            Passage(_number(start), _number(end), _text(text), None if page is None else _number(page), _text(heading))
            for start, end, page, heading, text in rows
        )
        is_whole = len(vectors) == OWN_DIMENSIONS * len(passages) and len(signs) * 8 == len(vectors)
        if not is_whole or not (isinstance(vectors, bytes) and isinstance(signs, bytes)):
            raise ValueError("vectors of another size")
        cut = tuple(vectors[at : at + OWN_DIMENSIONS] for at in range(0, len(vectors), OWN_DIMENSIONS))
        names = _text(problem), _text(mime), _text(stamp)
        return ReadFile(*names, _number(characters), passages, cut, signs)
    except (ValueError, TypeError):
        return ReadFile(Text("It is damaged and cannot be read."))


def _number(value: object) -> int:
    """Return a count or an offset. Raises ``ValueError`` for anything that could not be stored as one."""
    if not isinstance(value, int) or not 0 <= value <= _LARGEST_NUMBER:
        raise ValueError("not a count")
    return value


def _text(value: object) -> str:
    """Return a text. Raises ``ValueError`` for anything that could not be stored as one."""
    if not isinstance(value, str):
        raise ValueError("not a text")
    value.encode("utf-8")
    return value
