"""Composes the offline model's answers by rule: the same request gives the same answer on every machine."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable, Sequence

from chatdesk.core.domain.attachment import Enclosed
from chatdesk.core.texts import shortened

_MAX_QUOTE = 240
_OPENINGS = (
    "I am the **demo model** that comes with ChatDesk. I cannot work on this, but a model that you connect can.",
    "This is where a real model would answer. I am the **demo model**: I need no network, and I know nothing.",
    "A good question for a real model! I am the **demo model** and can only show what ChatDesk does.",
)
_SAMPLE_OPENINGS = (
    "I am the **demo model** and cannot work on this. Here is how ChatDesk shows such an answer:",
    "A real model would answer here. This is what its answer could look like:",
    "I know nothing, but I can show you how such an answer looks in ChatDesk:",
)
_FAREWELL = (
    "This was the **demo model**, which comes with ChatDesk. To get real answers choose *Add provider…* in the list of"
    " models at the top. `/demo` lists what else I can show."
)
_INVITATION = """Try one of these with me:

| Ask for | and see |
|:--|:--|
| *a tour* | what ChatDesk can do |
| *code*, *a table*, *a formula*, *a plan* | how an answer is drawn |
| `/demo long` | a long answer, to scroll and to stop |
| `/demo error` | what happens when a connection breaks |
| `/demo` | everything else |

To get real answers choose *Add provider…* in the list of models at the top."""
_TOUR_WANTED = r"\btour\b|\bwhat can (?:you|chatdesk|this)\b|\bwhat (?:is|does) chatdesk\b|\bhelp\b"
_TOUR = """I am the **demo model**. I come with ChatDesk, need no network and no account, and know nothing; but I can \
show you what ChatDesk does with the answers of a real model.

### Answers

Code has colours, a button to copy it, and scrolls on its own:

```python
def greet(name: str = "world") -> str:
    return f"Hello, {name}!"
```

Formulas are drawn, $e^{i\\pi} + 1 = 0$, and tables are tables:

| What you can do | How |
|:--|:--|
| Ask again, or another model | the buttons below an answer, or Ctrl+R |
| Change a question | its pencil; the old version stays |
| Try another direction | *Branch* in the menu of a message |
| Ask several models at once | *Compare models…* in the list of models |
| Attach a file or a picture | drop it on the window, or paste it |
| Stop an answer | Esc |

### Your chats

- **Ctrl+K** finds every word of every thread, **Ctrl+Shift+P** every command, and **F1** opens the help.
- Projects, tags, pins and an archive keep order; what was deleted waits in the trash.
- Everything is on this computer. *Import…* takes over what you have in ChatGPT, Claude and others.
- The window closes at any time: no word is lost, and an answer can be continued.

### Next

- [ ] Choose *Add provider…* in the list of models at the top, and paste a key.
- [ ] Or start a server on this computer, such as Ollama: it is found by itself.
- [ ] Type `/demo` to see what else I can show."""


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
    if re.search(_TOUR_WANTED, lowered):
        return _TOUR
    chosen = [write for pattern, write in _SECTIONS if re.search(pattern, lowered)][:4]
    if not chosen:
        return f"{_OPENINGS[(seed + turn) % len(_OPENINGS)]}\n\n{_INVITATION}"
    parts = [_SAMPLE_OPENINGS[(seed + turn) % len(_SAMPLE_OPENINGS)], *(write(question, seed) for write in chosen)]
    return "\n\n".join([*parts, f"---\n\n{_FAREWELL}"])


def compose_attached(enclosed: Sequence[Enclosed]) -> str:
    """Return a list of the attached files by name; the model knows no more of them."""
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
    """Return the answer of the model that only repeats the question."""
    return f"You wrote: {quote(question)}" if question.strip() else "You wrote nothing."


def _code(_question: str, _seed: int) -> str:
    return """### Code

A small function, and how to call it:

```python
from collections.abc import Iterable


def count_words(words: Iterable[str]) -> dict[str, int]:
    \"\"\"How often each word occurs.\"\"\"
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


print(count_words("one two two three three three".split()))
```

It prints `{'one': 1, 'two': 2, 'three': 3}`. The `dict` keeps the order in which words were first seen."""


def _table(_question: str, _seed: int) -> str:
    return """### Table

| Database | Runs | Good for | First release |
|:--|:--|:--|--:|
| SQLite | in the application | one computer, one file | 2000 |
| PostgreSQL | on a server | many people at once | 1996 |
| DuckDB | in the application | analysing large tables | 2019 |"""


def _list(_question: str, _seed: int) -> str:
    return """### Steps

1. **Say what you want.** One sentence is enough.
2. **Collect what you have.**
   - notes,
   - examples,
   - open questions.
3. **Try the smallest thing that could work**, then look at it again.

- [x] question asked
- [ ] answer checked"""


def _mathematics(_question: str, seed: int) -> str:
    a, b = seed % 9 + 1, seed // 9 % 9 + 1
    return f"""### Mathematics

With $a = {a}$ and $b = {b}$, the two roots of $x^2 - (a + b)x + ab = 0$ are $a$ and $b$ themselves:

$$
x_{{1,2}} = \\frac{{{a + b} \\pm \\sqrt{{{(a - b) ** 2}}}}}{{2}} = {max(a, b)},\\ {min(a, b)}
$$

The sum of the first $n$ whole numbers is $\\sum_{{k=1}}^{{n}} k = \\frac{{n(n+1)}}{{2}}$."""


def _translation(_question: str, _seed: int) -> str:
    return """### Translation

| Language | Hello | Thank you |
|:--|:--|:--|
| German | Guten Tag | Danke |
| French | Bonjour | Merci |
| Spanish | Hola | Gracias |
| Japanese | こんにちは | ありがとう |
| Arabic | مرحبا | شكرًا |
| Hindi | नमस्ते | धन्यवाद |

A real model would translate your own sentence."""


def _explanation(_question: str, _seed: int) -> str:
    return """### Explanation

An explanation comes with **bold** and *italic* words, with [links](https://example.org) and with quotations:

> A good explanation is one that lets you predict what happens next.

- **What it is for** comes first.
- **How it works** follows, part by part.
- **Where it ends** closes it."""


def _summary(question: str, _seed: int) -> str:
    words = len(question.split())
    return f"### In short\n\nYour message has **{words} words** and {len(question)} characters."


def _greeting(_question: str, _seed: int) -> str:
    return f"Hello!\n\n{_INVITATION}"


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
