"""Texts of the benchmarks: answers of any length, and messages of a long thread; the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable

_NOUNS = [
    "index",
    "query",
    "worker",
    "window",
    "message",
    "thread",
    "answer",
    "token",
    "queue",
    "cache",
    "schema",
    "lock",
]
_VERBS = ["reads", "keeps", "writes", "checks", "sends", "opens", "draws", "counts", "waits for", "merges", "splits"]
_MORE = ["quickly", "without a copy", "in one transaction", "twice", "on disk", "again", "at the end", "by default"]
_CODE = (
    "def {n}(items, limit=10):",
    "    for {n} in items:",
    '        total += count({n}, "{v}")  # {v}',
    "    return {n}",
)


def tokens_of(text: str, *, size: int = 4) -> list[str]:
    """The text cut into pieces of about a token."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def answer_text(kind: str, length: int, *, seed: int = 1) -> str:
    """``kind``: mixed, code, list or table; at least ``length`` characters."""
    rng = random.Random(seed)
    block = _BLOCKS[kind]
    parts: list[str] = [_OPENINGS.get(kind, "")]
    total = 0
    while total < length:
        parts.append(block(rng))
        total += len(parts[-1])
    return "".join(parts)[: length + len(parts[0])]


def message_text(number: int) -> str:
    """A message of a long thread: 850 bytes in the mean, one in five with code."""
    rng = random.Random(number)
    target = min(12_000, rng.expovariate(1 / 650) + 60)
    paragraphs: list[str] = []
    while sum(map(len, paragraphs)) < target:
        paragraphs.append(_paragraph(rng))
    if number % 5 == 0:
        paragraphs.insert(rng.randrange(len(paragraphs) + 1), _code(rng, rng.randint(3, 14)))
    return f"{number}: " + "\n".join(paragraphs)


def _sentence(rng: random.Random) -> str:
    noun, other = rng.choice(_NOUNS), rng.choice(_NOUNS)
    mark = rng.choice(("{}", "{}", "{}", "**{}**", "`{}`", "*{}*"))
    return f"The {mark.format(noun)} {rng.choice(_VERBS)} the {other} {rng.choice(_MORE)}."


def _paragraph(rng: random.Random) -> str:
    return " ".join(_sentence(rng) for _ in range(rng.randint(2, 6))) + "\n\n"


def _code(rng: random.Random, lines: int) -> str:
    body = "\n".join(rng.choice(_CODE).format(n=rng.choice(_NOUNS), v=rng.choice(_VERBS)) for _ in range(lines))
    return f"```python\n{body}\n```\n\n"


def _list(rng: random.Random) -> str:
    return "".join(f"{'  ' * rng.choice((0, 0, 1))}- {_sentence(rng)}\n" for _ in range(rng.randint(3, 7)))


def _table(rng: random.Random) -> str:
    return "| Name | Verb | Count |\n|---|:-:|--:|\n" + "".join(_row(rng) for _ in range(rng.randint(3, 9))) + "\n"


def _row(rng: random.Random) -> str:
    return f"| {rng.choice(_NOUNS)} | `{rng.choice(_VERBS)}` | {rng.randint(1, 9999)} |\n"


def _mixed(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.1:
        return f"## {rng.choice(_NOUNS).title()} and {rng.choice(_NOUNS)}\n\n"
    if kind < 0.25:
        return _code(rng, rng.randint(4, 25))
    if kind < 0.4:
        return _list(rng) + "\n"
    if kind < 0.45:
        return _table(rng)
    return _paragraph(rng)


_OPENINGS = {"code": "```python\n", "table": "| Name | Verb | Count |\n|---|:-:|--:|\n"}
_BLOCKS: dict[str, Callable[[random.Random], str]] = {
    "mixed": _mixed,
    "code": lambda rng: rng.choice(_CODE).format(n=rng.choice(_NOUNS), v=rng.choice(_VERBS)) + "\n",
    "list": _list,
    "table": _row,
}
