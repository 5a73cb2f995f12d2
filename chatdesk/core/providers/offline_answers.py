"""What the offline model says: composed from the question by rule, the same for the same request, on every machine."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable, Sequence

from chatdesk.core.domain.attachment import Enclosed

_MAX_QUOTE = 240
_OPENINGS = (
    "Good question.",
    "Let us look at it step by step.",
    "Here is a short answer, with the details below it.",
    "Happy to help with that.",
)
_WORDS = re.compile(r"[^\W\d_]{4,}")


def quote(text: str) -> str:
    """A part of ``text`` on one line that Markdown shows as it was typed."""
    visible = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)
    visible = "".join(c for c in visible if unicodedata.category(c) not in {"Cf", "Cs", "Cn", "Co"})
    line = " ".join(visible.split())
    if len(line) > _MAX_QUOTE:
        line = line[:_MAX_QUOTE].rstrip() + "…"
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$&^=:])", r"\\\1", line)


def compose_answer(question: str, turn: int) -> str:
    """The answer to ``question``, the ``turn``-th (from 1) of its thread."""
    seed = zlib.crc32(question.encode("utf-8", "replace"))
    opening = _OPENINGS[(seed + turn) % len(_OPENINGS)]
    parts = [opening, f"> {quote(question)}" if question.strip() else "> (nothing)"]
    lowered = question.lower()
    chosen = [write for pattern, write in _SECTIONS if re.search(pattern, lowered)]
    parts.extend(write(question, seed) for write in (chosen or [_plain])[:4])
    note = "This is the **offline model**: it needs no network and no account, and it knows only what you typed."
    if turn > 1:
        note += f" This was question {turn} of this thread."
    parts.append(f"---\n\n{note} Type `/demo` to see what it can show.")
    return "\n\n".join(parts)


def compose_attached(enclosed: Sequence[Enclosed]) -> str:
    """What came with the question, by name; it knows no more of it."""
    if not enclosed:
        return ""
    lines = [f"- {quote(each.attachment.name)}, {_kind(each)}" for each in enclosed]
    count = "this" if len(lines) == 1 else f"these {len(lines)} files"
    return "\n".join([f"With your message I got {count}:", "", *lines]) + "\n\n"


def _kind(enclosed: Enclosed) -> str:
    attachment = enclosed.attachment
    if attachment.is_image:
        return f"an image of {attachment.width} × {attachment.height} pixels"
    cut = ", of which the beginning and the end fit" if enclosed.is_cut else ""
    return f"a file of {attachment.size_bytes:,} bytes ({quote(attachment.mime)}){cut}"


def compose_echo(question: str) -> str:
    """The answer of the model that only repeats."""
    return f"You wrote: {quote(question)}" if question.strip() else "You wrote nothing."


def _topic(question: str) -> str:
    """The longest word, which is usually what a question is about; not the word that asked for a section."""
    words = _WORDS.findall(question)
    telling = [word for word in words if not any(re.search(pattern, word.lower()) for pattern, _ in _SECTIONS)]
    words = telling or words
    return max(words, key=len) if words else "it"


def _code(question: str, seed: int) -> str:
    name = re.sub(r"\W", "_", _topic(question).lower())
    return f"""### Code

A small function, and how to call it:

```python
from collections.abc import Iterable


def count_{name}(words: Iterable[str]) -> dict[str, int]:
    \"\"\"How often each word occurs.\"\"\"
    counts: dict[str, int] = {{}}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


print(count_{name}("one two two three three three".split()))
```

It prints `{{'one': 1, 'two': 2, 'three': 3}}`. The `dict` keeps the order in which words were first seen."""


def _table(question: str, seed: int) -> str:
    rows = "\n".join(
        f"| {word} | {len(word)} | {(seed >> shift) % 100} |"
        for shift, word in enumerate(dict.fromkeys(_WORDS.findall(question)[:6] or ["example"]))
    )
    return f"### Table\n\nThe longer words of your question:\n\n| Word | Letters | Number |\n|:--|--:|--:|\n{rows}"


def _list(question: str, seed: int) -> str:
    return f"""### Steps

1. **Say what you want.** One sentence about *{_topic(question)}* is enough.
2. **Collect what you have.**
   - notes,
   - examples,
   - open questions.
3. **Try the smallest thing that could work**, then look at it again.

- [x] question asked
- [ ] answer checked"""


def _mathematics(question: str, seed: int) -> str:
    a, b = seed % 9 + 1, seed // 9 % 9 + 1
    return f"""### Mathematics

With $a = {a}$ and $b = {b}$, the two roots of $x^2 - (a + b)x + ab = 0$ are $a$ and $b$ themselves:

$$
x_{{1,2}} = \\frac{{{a + b} \\pm \\sqrt{{{(a - b) ** 2}}}}}{{2}} = {max(a, b)},\\ {min(a, b)}
$$

The sum of the first $n$ whole numbers is $\\sum_{{k=1}}^{{n}} k = \\frac{{n(n+1)}}{{2}}$."""


def _translation(question: str, seed: int) -> str:
    return """### Translation

| Language | Hello | Thank you |
|:--|:--|:--|
| German | Guten Tag | Danke |
| French | Bonjour | Merci |
| Spanish | Hola | Gracias |
| Japanese | こんにちは | ありがとう |
| Arabic | مرحبا | شكرًا |
| Hindi | नमस्ते | धन्यवाद |

A real model would translate your own sentence; the offline model carries only this table."""


def _explanation(question: str, seed: int) -> str:
    topic = _topic(question)
    return f"""### What is behind “{topic}”

Think of **{topic}** as three layers:

- **What it is for.** The purpose comes first; everything else serves it.
- **How it works.** Small parts, each with one task, joined by few and clear agreements.
- **Where it ends.** Knowing the limits is half of understanding a thing.

> A good explanation is one that lets you predict what happens next."""


def _summary(question: str, seed: int) -> str:
    words = len(question.split())
    size = f"**{words} words** and {len(question)} characters"
    return f"### In short\n\nYour message has {size}; it is about *{_topic(question)}*."


def _greeting(question: str, seed: int) -> str:
    return "Hello! Ask me anything; try the words *code*, *table*, *list*, *math*, *explain* or *translate*."


def _plain(question: str, seed: int) -> str:
    topic = _topic(question)
    return f"""There are two sides to **{topic}**:

1. what you already know about it, and
2. what you would like to know.

Write a sentence on each and the answer is often there already. You can also ask for *code*, a *table*, a *list*, \
*math*, to *explain* something or to *translate* it."""


_SECTIONS: Sequence[tuple[str, Callable[[str, int], str]]] = (
    (r"^\s*(?:hello|hi|hey|good (?:morning|evening|day))\b", _greeting),
    (r"\b(?:code|function|program|python|script|bug|class|regex|sql)\b", _code),
    (r"\b(?:table|compare|comparison|versus|columns?)\b", _table),
    (r"\b(?:lists?|steps?|how (?:do|to|can)|plan|ideas?|todo)\b", _list),
    (r"\b(?:maths?|mathematics|equation|sum|formula|calculate|integral|solve)\b", _mathematics),
    (r"\b(?:translate|translation|french|german|spanish|japanese|arabic|hindi)\b", _translation),
    (r"\b(?:explain|explanation|why|what (?:is|are|does)|describe|mean)\b", _explanation),
    (r"\b(?:summ(?:ary|aris|ariz)\w*|shorten|in short|tl;?dr)\b", _summary),
)
