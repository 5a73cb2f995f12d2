"""Summarises for the offline model: picks sentences out of the text, the same ones every time.

Sentences with numbers, names, decisions or questions are telling; they keep their order.
"""

from __future__ import annotations

import re

_MOST_CHARACTERS = 1_600
_LONGEST_SENTENCE = 240
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_DECISION = re.compile(r"\b(?:decid|agree|must|will|chose|need|open|todo|deadline|because)", re.IGNORECASE)
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w-]+")
_LABEL = re.compile(r"^(?:Person|Model|Note|Tool|Earlier summary):\s*|^=+$|^- ")


def compose_summary(material: str) -> str:
    """Return the most telling sentences of ``material``, as a list."""
    sentences = list(dict.fromkeys(filter(None, map(_plain, _SENTENCE.findall(material)))))
    ranked = sorted(range(len(sentences)), key=lambda index: (-_weight(sentences[index]), -index))
    kept: list[int] = []
    left = min(_MOST_CHARACTERS, len(material) // 2)
    for index in ranked:
        left -= len(sentences[index]) + 3
        if left < 0:
            break
        kept.append(index)
    return "\n".join(f"- {sentences[index]}" for index in sorted(kept))


def _plain(sentence: str) -> str:
    return _LABEL.sub("", " ".join(sentence.split()))[:_LONGEST_SENTENCE].strip()


def _weight(sentence: str) -> int:
    has_number = any(letter.isdigit() for letter in sentence)
    return 2 * has_number + 2 * bool(_DECISION.search(sentence)) + bool(_NAME.search(sentence)) + sentence.endswith("?")
