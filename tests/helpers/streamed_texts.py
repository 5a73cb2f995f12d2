"""Answers assemble at random from what models write, and cut into random pieces. A number makes the same again."""

from __future__ import annotations

import random

from tests.helpers.golden_markdown import golden_names, golden_text

_WORDS = (
    "index", "of", "a", "table", "when", "it", "fits", "answers", "most", "questions", "without", "reading", "rows",
    "and", "every", "other", "one", "with", "few", "because", "pages", "are", "sorted", "by", "key",
)  # fmt: skip
_MARKED = (
    "**Bold words**", "*leaning*", "`code_here`", "[the docs](https://example.org/a_b)", "~~gone~~", "$x_i^2 + y$",
    "***both***", "**bold with `code` in it**", "https://example.org/path?q=1", "a\\*b", "$5 and $6", "snake_case_name",
)  # fmt: skip
_CODE = {
    "python": "def f(n: int) -> str:\n    # a note\n    for i in range(n):\n        yield f'{i}: {n}'\n    return None",
    "json": '{\n  "name": "ana",\n  "list": [1, 2.5, true, null],\n  "inner": {"key": "value"}\n}',
    "diff": "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n same\n-old line\n+new line\n same",
    "c": '#include <stdio.h>\nint main(void) {\n    int n = 3; /* three */\n    printf("%d\\n", n);\n    return 0;\n}',
    "sql": "SELECT t.id, count(*) AS n\nFROM thread t -- all\nWHERE t.title LIKE 'a%'\nGROUP BY t.id;",
    "": "plain   text\n\twith a tab",
    "unheard-of": "a = 1",
}
_RIGHT_TO_LEFT = (
    "هذا نص قصير **مهم** مع `code` فيه.",
    "> اقتباس أول\n> سطر ثان",
    "1. واحد\n2. اثنان\n3. ثلاثة",
    "| الاسم | القيمة |\n|---|---|\n| أحمد | 12 |\n| سارة | 7 |",
    "שלום עולם, זה טקסט.",
)


def made_text(number: int) -> str:
    """An answer of some paragraphs, lists, tables, code, quotes and formulas."""
    draw = random.Random(number)
    if draw.random() < 0.12:
        return golden_text(draw.choice(golden_names()))
    return "\n\n".join(_part(draw) for _ in range(draw.randint(2, 7)))


def pieces_of(text: str, number: int) -> list[str]:
    """``text`` in pieces of one letter to some lines, as servers send them."""
    draw = random.Random(number)
    most = draw.choice((3, 12, 40, 200))
    pieces = []
    while text:
        size = draw.randint(1, most)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def _part(draw: random.Random) -> str:
    kinds = (_sentence, _list, _table, _fence, _quote, _formula, _heading, _foreign)
    return draw.choices(kinds, weights=(6, 4, 4, 5, 2, 1, 1, 2))[0](draw)


def _sentence(draw: random.Random, longest: int = 40) -> str:
    words = [draw.choice(_WORDS) for _ in range(draw.randint(3, longest))]
    for _ in range(draw.randint(0, 3)):
        words[draw.randrange(len(words))] = draw.choice(_MARKED)
    return " ".join(words).capitalize() + "."


def _heading(draw: random.Random) -> str:
    return "#" * draw.randint(1, 4) + " " + _sentence(draw, 6) + "\n\n" + draw.choice(("---", "***", "Text.\n\n- - -"))


def _list(draw: random.Random) -> str:
    mark = draw.choice(("-", "*", "1.", "- [ ]", "- [x]"))
    lines = []
    for place in range(draw.randint(1, 12)):
        start = f"{place + 1}." if mark == "1." else mark
        lines.append(f"{start} {_sentence(draw, 12)}")
        inner = " " * len(start.split(" ")[0]) + " "
        extra = draw.random()
        if extra < 0.15:
            lines.append(f"{inner}- {_sentence(draw, 5)}")
        elif extra < 0.25:
            lines += ["", inner + _sentence(draw, 8), ""]
        elif extra < 0.33:
            lines += [inner + line if line else "" for line in _fence(draw).split("\n")]
        elif extra < 0.38:
            lines += ["", *(inner + line for line in _table(draw).split("\n")), ""]
    return "\n".join(lines)


def _table(draw: random.Random) -> str:
    columns = draw.choice((2, 3, 4, 11))
    marks = [draw.choice(("---", ":--", "--:", ":-:")) for _ in range(columns)]
    rows = [[_cell(draw) for _ in range(columns)] for _ in range(draw.choice((1, 2, 4, 7, 20)))]
    head = [_sentence(draw, 3)[:-1] for _ in range(columns)]
    return "\n".join("| " + " | ".join(each) + " |" for each in (head, marks, *rows))


def _cell(draw: random.Random) -> str:
    words = (draw.choice(_WORDS), str(draw.randint(1, 10_000)), _sentence(draw, 7), draw.choice(_MARKED), "", "a<br>b")
    return draw.choice(words).replace("|", "/")


def _fence(draw: random.Random) -> str:
    language = draw.choice(tuple(_CODE))
    body = "\n".join([_CODE[language]] * draw.choice((1, 1, 2, 9)))
    return f"```{language}\n{body}\n```"


def _quote(draw: random.Random) -> str:
    inside = "\n\n".join(draw.choice((_sentence, _list, _table, _fence))(draw) for _ in range(draw.randint(1, 3)))
    return "\n".join(f"> {line}".rstrip() for line in inside.split("\n"))


def _formula(draw: random.Random) -> str:
    body = draw.choice((r"\int_0^1 x^2 \, dx = \frac{1}{3}", r"a^2 + b^2 = c^2", r"\sum_{k=1}^{n} k"))
    return draw.choice((f"$$\n{body}\n$$", f"$${body}$$", f"\\[ {body} \\]"))


def _foreign(draw: random.Random) -> str:
    return draw.choice(_RIGHT_TO_LEFT)
