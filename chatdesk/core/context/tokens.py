"""Counts tokens, never through the network: the gateway to ``tiktoken``.

Encodings come with ChatDesk. Their sums are checked here first: tiktoken answers a damaged file with a download.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # megabytes that only counting needs
    import tiktoken

_log = logging.getLogger(__name__)

# Names are what tiktoken's cache looks for (the SHA-1 of a download address), sums are in tiktoken's own source.
_FILES = {
    "o200k_base": (
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    "cl100k_base": (
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
}
_O200K_MODELS = ("gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "gpt-6", "chatgpt-4o", "gpt-oss", "o1", "o3", "o4")
_CL100K_MODELS = ("gpt-4", "gpt-3.5", "text-embedding")
# Names the estimate by characters, used without a loaded encoding.
CHARACTERS = "characters"


@dataclass(frozen=True, slots=True)
class TokenCount:
    """A number of tokens. ``is_estimate``: the model counts by a rule of its own, or the encoding is not there."""

    count: int
    is_estimate: bool


@dataclass(frozen=True, slots=True)
class TokenEncoding:
    """The encoding that texts for a model are counted with. ``name`` is that of an encoding or ``CHARACTERS``;
    ``is_exact``: the model is known to count so itself."""

    name: str
    is_exact: bool


class TokenCounter:
    """Counts tokens for any model. Safe to use from any thread; only ``load`` takes long (0.4 s of CPU)."""

    def __init__(self, encodings_dir: Path) -> None:
        self._dir = encodings_dir
        self._lock = threading.Lock()
        self._loaded: dict[str, tiktoken.Encoding | None] = {}

    def count(self, text: str, model: str) -> TokenCount:
        """Count the tokens of ``text``. Until ``load`` was called for the model this is an estimate from the
        characters."""
        encoding = self.encoding_for(model)
        return TokenCount(self.count_in(text, encoding.name), is_estimate=not encoding.is_exact)

    def encoding_for(self, model: str) -> TokenEncoding:
        """Return the encoding that texts for ``model`` are counted with at present."""
        name = _encoding_of(model)
        if name is None or self._loaded.get(name) is None:
            return TokenEncoding(CHARACTERS, is_exact=False)
        return TokenEncoding(name, is_exact=True)

    def can_be_exact(self, model: str) -> bool:
        """Return whether ``load`` would change how texts for ``model`` are counted."""
        name = _encoding_of(model)
        return name is not None and name not in self._loaded

    def count_in(self, text: str, name: str) -> int:
        """Count the tokens of ``text`` in the encoding called ``name``."""
        encoding = self._loaded.get(name)
        if encoding is None:
            return estimate(text)
        # Ordinary: "<|endoftext|>" typed by a person is text. Lone surrogates cannot be encoded.
        cleaned = text.encode("utf-8", errors="replace").decode("utf-8")
        return len(encoding.encode_ordinary(cleaned))

    def load(self, model: str) -> bool:
        """Load the encoding of ``model``. Returns whether its counts are exact now. Blocks: call it in a thread."""
        name = _encoding_of(model)
        if name is None:
            return False
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = self._read(name)
            return self._loaded[name] is not None

    def missing(self) -> tuple[str, ...]:
        """Return the encodings that are not there or damaged; reads the files."""
        return tuple(name for name in _FILES if not self._is_intact(name))

    def _read(self, name: str) -> tiktoken.Encoding | None:
        if not self._is_intact(name):
            _log.warning("token encoding %s is missing or damaged; counts are estimates", name)
            return None
        os.environ["TIKTOKEN_CACHE_DIR"] = str(self._dir)
        import tiktoken

        try:
            return tiktoken.get_encoding(name)
        except (OSError, ValueError) as error:
            _log.warning("token encoding %s cannot be loaded: %s", name, error)
            return None

    def _is_intact(self, name: str) -> bool:
        file, expected = _FILES[name]
        try:
            return hashlib.sha256((self._dir / file).read_bytes()).hexdigest() == expected
        except OSError:
            return False


def estimate(text: str) -> int:
    """Estimate tokens: about four characters of Latin text a token, about one character of other scripts."""
    if text.isascii():
        return (len(text) + 3) // 4
    latin = sum(1 for character in text if character < "\u0250")
    return (latin + 3) // 4 + len(text) - latin


def _encoding_of(model: str) -> str | None:
    """Return the name of the encoding that the model is known to use."""
    name = model.lower().rsplit("/", 1)[-1]
    if name.startswith(_O200K_MODELS):
        return "o200k_base"
    if name.startswith(_CL100K_MODELS):
        return "cl100k_base"
    return None
