"""Composes the offline model's answers by rule: the same request gives the same answer on every machine."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatdesk.core.domain.attachment import Enclosed
from chatdesk.core.providers.offline.tour import (
    FAREWELL,
    HELLO,
    OPENINGS,
    SAMPLE_OPENINGS,
    asks_for,
    heading,
    invitation,
    joined,
    table,
    tour,
)
from chatdesk.core.texts import Text, plural, shortened, shown

_MAX_QUOTE = 240
_PROGRAM = """```python
from collections.abc import Iterable


def count_words(words: Iterable[str]) -> dict[str, int]:
    \"\"\"How often each word occurs.\"\"\"
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


print(count_words("one two two three three three".split()))
```"""
_GREETINGS = (
    ("Deutsch", "Guten Tag", "Danke"),
    ("Français", "Bonjour", "Merci"),
    ("Español", "Hola", "Gracias"),
    ("日本語", "こんにちは", "ありがとう"),
    ("العربية", "مرحبا", "شكرًا"),
    ("हिन्दी", "नमस्ते", "धन्यवाद"),
)
_TOUR_WANTED = r"\btour\b|\bwhat can (?:you|chatdesk|this)\b|\bwhat (?:is|does) chatdesk\b|\bhelp\b"


def quote(text: str) -> str:
    """Return the beginning of ``text`` on one line, escaped so that Markdown shows it as it was typed."""
    visible = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)
    visible = "".join(c for c in visible if unicodedata.category(c) not in {"Cf", "Cs", "Cn", "Co"})
    line = shortened(" ".join(visible.split()), _MAX_QUOTE)
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$&^=:])", r"\\\1", line)


def compose_answer(question: str, turn: int) -> str:
    """Return the answer to ``question``, the ``turn``-th (from 1) of its thread: a sample of how ChatDesk shows such an
    answer, since this model knows nothing."""
    seed = zlib.crc32(question.encode("utf-8", "replace"))
    lowered = question.lower()
    if re.search(_TOUR_WANTED, lowered) or asks_for(Text("tour, help"), lowered):
        return tour()
    chosen = [each.write for each in _SECTIONS if re.search(each.pattern, lowered) or asks_for(each.words, lowered)][:4]
    if not chosen:
        return f"{shown(OPENINGS[(seed + turn) % len(OPENINGS)])}\n\n{invitation()}"
    opening = shown(SAMPLE_OPENINGS[(seed + turn) % len(SAMPLE_OPENINGS)])
    return "\n\n".join([opening, *(write(question, seed) for write in chosen), f"---\n\n{shown(FAREWELL)}"])


def compose_attached(enclosed: Sequence[Enclosed]) -> str:
    """Return a list of the attached files' names; the offline model reads nothing else of them."""
    if not enclosed:
        return ""
    head = plural("With your message I got these {count} files:", "With your message I got this:", len(enclosed))
    return "\n".join([shown(head), "", *(f"- {shown(_described(each))}" for each in enclosed)]) + "\n\n"


def _described(enclosed: Enclosed) -> Text:
    attachment = enclosed.attachment
    name = quote(attachment.name)
    if attachment.is_image:
        size = f"{attachment.width} × {attachment.height}"
        return Text("{name}, an image of {size} pixels", name=name, size=size)
    facts = {"name": name, "bytes": attachment.size_bytes, "kind": quote(attachment.mime)}
    if enclosed.is_cut:
        return Text("{name}, a file of {bytes} bytes ({kind}), of which the beginning and the end fit", **facts)
    return Text("{name}, a file of {bytes} bytes ({kind})", **facts)


def compose_echo(question: str) -> str:
    """Return the answer of the model that only repeats the question."""
    if not question.strip():
        return shown(Text("You wrote nothing."))
    return shown(Text("You wrote: {question}", question=quote(question)))


def _code(_question: str, _seed: int) -> str:
    how = Text("A small function, and how to call it:")
    order = Text("The `dict` keeps the order in which words were first seen.")
    return joined(heading(Text("Code")), how, _PROGRAM, order)


def _table(_question: str, _seed: int) -> str:
    inside, server = Text("in the application"), Text("on a server")
    rows = (
        (Text("Database"), Text("Runs"), Text("Good for"), Text("First release")),
        ("SQLite", inside, Text("one computer, one file"), "2000"),
        ("PostgreSQL", server, Text("many people at once"), "1996"),
        ("DuckDB", inside, Text("analysing large tables"), "2019"),
    )
    return joined(heading(Text("Table")), table(rows, "|:--|:--|:--|--:|"))


def _list(_question: str, _seed: int) -> str:
    steps = (
        ("1. ", Text("**Say what you want.** One sentence is enough.")),
        ("2. ", Text("**Collect what you have.**")),
        ("   - ", Text("notes")),
        ("   - ", Text("examples")),
        ("   - ", Text("open questions")),
        ("3. ", Text("**Try the smallest thing that could work**, then look at it again.")),
    )
    done = (("- [x] ", Text("question asked")), ("- [ ] ", Text("answer checked")))
    return joined(
        heading(Text("Steps")), *("\n".join(mark + shown(each) for mark, each in part) for part in (steps, done))
    )


def _mathematics(_question: str, seed: int) -> str:
    a, b = seed % 9 + 1, seed // 9 % 9 + 1
    values = {"first": f"$a = {a}$", "second": f"$b = {b}$", "equation": "$x^2 - (a + b)x + ab = 0$"}
    roots = Text("With {first} and {second}, the two roots of {equation} are $a$ and $b$ themselves:", **values)
    formula = f"""$$
x_{{1,2}} = \\frac{{{a + b} \\pm \\sqrt{{{(a - b) ** 2}}}}}{{2}} = {max(a, b)},\\ {min(a, b)}
$$"""
    total = r"$\sum_{k=1}^{n} k = \frac{n(n+1)}{2}$"
    return joined(
        heading(Text("Mathematics")),
        roots,
        formula,
        Text("The sum of the first $n$ whole numbers is {total}.", total=total),
    )


def _translation(_question: str, _seed: int) -> str:
    rows = ((Text("Language"), Text("Hello"), Text("Thank you")), *_GREETINGS)
    return joined(
        heading(Text("Translation")),
        table(rows, "|:--|:--|:--|"),
        Text("A real model would translate your own sentence."),
    )


def _explanation(_question: str, _seed: int) -> str:
    styles = Text(
        "An explanation comes with **bold** and *italic* words, with [links](https://example.org) and with quotations:"
    )
    quotation = Text("A good explanation is one that lets you predict what happens next.")
    points = (
        Text("**What it is for** comes first."),
        Text("**How it works** follows, part by part."),
        Text("**Where it ends** closes it."),
    )
    items = "\n".join(f"- {shown(each)}" for each in points)
    return joined(heading(Text("Explanation")), styles, f"> {shown(quotation)}", items)


def _summary(question: str, _seed: int) -> str:
    counts = {"words": len(question.split()), "characters": len(question)}
    said = Text("Your message has **{words} words** and {characters} characters.", **counts)
    return joined(heading(Text("In short")), said)


def _greeting(_question: str, _seed: int) -> str:
    return joined(HELLO, invitation())


@dataclass(frozen=True, slots=True)
class _Section:
    """A sample of an answer. ``pattern`` finds the questions for it in English, ``words`` in other languages."""

    pattern: str
    words: Text
    write: Callable[[str, int], str]


_SECTIONS: Sequence[_Section] = (
    _Section(r"^\s*(?:hello|hi|hey|good (?:morning|evening|day))\b", Text("hello, good morning"), _greeting),
    _Section(
        r"\b(?:code|function|program|python|script|bug|class|regex|sql)\b", Text("code, function, program"), _code
    ),
    _Section(r"\b(?:table|compare|comparison|versus|columns?)\b", Text("table, compare"), _table),
    _Section(r"\b(?:lists?|steps?|how (?:do|to|can)|plan|ideas?|todo)\b", Text("list, steps, plan, ideas"), _list),
    _Section(
        r"\b(?:maths?|mathematics|equation|sum|formula|calculate|integral|solve)\b",
        Text("mathematics, formula, calculate"),
        _mathematics,
    ),
    _Section(
        r"\b(?:translate|translation|french|german|spanish|japanese|arabic|hindi)\b",
        Text("translate, translation"),
        _translation,
    ),
    _Section(
        r"\b(?:explain|explanation|why|what (?:is|are|does)|describe|mean)\b",
        Text("explain, why, what is"),
        _explanation,
    ),
    _Section(r"\b(?:summ(?:ary|aris|ariz)\w*|shorten|in short|tl;?dr)\b", Text("summary, summarise"), _summary),
)
