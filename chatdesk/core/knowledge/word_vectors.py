"""Turns texts into vectors, so that a passage is found by what it means; the gateway to the vectors of ``wordllama``.

A text's vector is the sum of the vectors of its tokens, each counted with the logarithm of how often it comes: no
network, no model to run, a millisecond for some pages. The tokens are those of the vocabulary that the vectors were
made with, which ``tiktoken`` reads once its ranks are in the order it needs. Both files come with ChatDesk
(``packaging/encodings_files.py``). They know English; of other scripts, nothing is in the vector, and words alone find
their texts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import tiktoken
from numpy.typing import NDArray

VECTORS: Final = "l2_supercat_256.safetensors"
_VOCABULARY: Final = "l2_supercat_tokenizer_config.json"
# Words with the blank before them, as the vocabulary has them.
_WORDS: Final = r" ?\S{1,64}|\s+"
_SPACE: Final = "▁"
# A vector without a number as large as this is none.
_SMALLEST: Final = 1e-20
# Cosines: of vectors of one text by one model, and the most that texts about different things may reach.
_SAME: Final = 0.98
_LARGEST_FARTHEST: Final = 0.9

Vectors = NDArray[np.int8]


class WordVectors:
    """Embeds texts. ``folder`` has both files; reading them takes a quarter of a second, at the first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return a row for each text. Lengths mean nothing, only directions; a text without a known token has zeros."""
        encoding, matrix = self._tokens
        found = np.zeros((len(texts), matrix.shape[1]), np.float32)
        for at, text in enumerate(texts):
            tokens = np.array(encoding.encode_ordinary(" " + " ".join(text.split())), np.intp)
            kinds, counts = np.unique(tokens, return_counts=True)
            found[at] = (1 + np.log(counts, dtype=np.float32)) @ matrix.take(kinds, axis=0)
        return quantised(found)

    @cached_property
    def _tokens(self) -> tuple[tiktoken.Encoding, NDArray[np.float32]]:
        """The encoding, and the vector of each of its tokens: zeros for a byte that is no sign by itself."""
        model: dict[str, Any] = json.loads((self._folder / _VOCABULARY).read_text("utf-8"))["model"]
        vocabulary: dict[str, int] = model["vocab"]
        ranks: dict[bytes, int] = {}
        rows: list[int] = []

        def add(token: bytes, row: int) -> None:
            if token not in ranks:
                ranks[token] = len(rows)
                rows.append(row)

        for byte in range(256):
            add(bytes([byte]), vocabulary.get(chr(byte), -1) if byte < 0x80 else -1)
        for token, row in vocabulary.items():
            if len(token) == 1 and token != _SPACE:
                letter = token.encode()
                for length in range(2, len(letter)):  # tiktoken joins two pieces at a time
                    add(letter[:length], -1)
                add(letter, row)
        for pair in model["merges"]:
            token = "".join(pair.split(" ") if isinstance(pair, str) else pair)
            add(token.replace(_SPACE, " ").encode(), vocabulary[token])
        encoding = tiktoken.Encoding("chatdesk-word-vectors", pat_str=_WORDS, mergeable_ranks=ranks, special_tokens={})
        stored = _matrix_of((self._folder / VECTORS).read_bytes())
        matrix = np.zeros((len(rows), stored.shape[1]), np.float32)
        known = np.array(rows) >= 0
        matrix[known] = stored[[row for row in rows if row >= 0]]
        return encoding, matrix


def _matrix_of(data: bytes) -> NDArray[np.float16]:
    """Return the only matrix of a safetensors file."""
    head_end = 8 + int.from_bytes(data[:8], "little")
    (head,) = (row for name, row in json.loads(data[8:head_end]).items() if name != "__metadata__")
    begin, end = head["data_offsets"]
    return np.frombuffer(data[head_end + begin : head_end + end], np.float16).reshape(head["shape"])


def quantised(vectors: NDArray[np.float32]) -> Vectors:
    """Return the rows in a byte for each number, their largest number being 127."""
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    largest[largest < _SMALLEST] = 1
    rounded: Vectors = np.rint(vectors * (127 / largest)).astype(np.int8)
    return rounded


def signs_of(vectors: Vectors) -> NDArray[np.uint8]:
    """Return a bit for each number of each row: whether it is above zero. Rows that mean the same differ in few. A row
    is filled up to a multiple of eight bytes."""
    bits = np.packbits(vectors > 0, axis=1)
    return np.pad(bits, ((0, 0), (0, -bits.shape[1] % 8)))


def cosines(rows: Vectors, wanted: Vectors) -> NDArray[np.float32]:
    """Return the cosine of each row with the vector ``wanted``; 0 for a row of zeros."""
    exact, other = rows.astype(np.float32), wanted.astype(np.float32)
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(other)
    lengths[lengths == 0] = 1
    found: NDArray[np.float32] = exact @ other / lengths
    return found


def rows_of(vectors: Sequence[bytes], dimensions: int) -> Vectors:
    """Return vectors of a provider, as 32-bit floats, in our form. Raises ``ValueError`` for those of another size."""
    if any(len(each) != 4 * dimensions for each in vectors):
        raise ValueError("vectors of another size")
    return quantised(np.frombuffer(b"".join(vectors), "<f4").reshape(len(vectors), dimensions).astype(np.float32))


def stored_rows(vectors: Sequence[bytes], dimensions: int) -> list[tuple[bytes, bytes]]:
    """Return signs and vector of each, as they are stored. Raises ``ValueError``."""
    rows = rows_of(vectors, dimensions)
    return [(signs.tobytes(), row.tobytes()) for signs, row in zip(signs_of(rows), rows, strict=True)]


def farthest_related(vectors: Sequence[bytes], dimensions: int) -> float:
    """Return the cosine that two texts about different things reach, from the vectors of such texts."""
    rows = rows_of(vectors, dimensions)
    pairs = np.concatenate([cosines(rows[at + 1 :], rows[at]) for at in range(len(rows) - 1)])
    return min(float(pairs.mean() + 2 * pairs.std()), _LARGEST_FARTHEST)


def is_same(vector: bytes, probe: bytes) -> bool:
    """Return whether a vector of a provider is the one that was stored, but for noise."""
    if len(vector) != 4 * len(probe):
        return False
    kept = np.frombuffer(probe, np.int8).reshape(1, -1)
    return float(cosines(kept, rows_of([vector], len(probe))[0])[0]) > _SAME
