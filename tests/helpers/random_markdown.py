"""Random messages with every kind of structure, and with signs where nobody expects them."""

from __future__ import annotations

from random import Random

_SIGNS = r"""
alpha beta gamma delta of the 5 12 x y Zoë 日本 a_b snake_case_name C:\dir \* * _ ** ~ ~~ ` [ ] [1] [x] (a) ! # ##
- + 1. 2) > | $ $5 & &amp; < <b> <T> / /demo http://a.example/x?y=1&z https://b.example/(c) www.c.example ... " 'q' =
== --- : ; {} \( \[ \\ ^ @ 😀
"""
_WORDS = _SIGNS.split()
_CODE = ("def f(x):", "    return `x`", "", "```", "\tindented", "# not a heading", "| a | b |", "~~~", "  two", "$x$")


def random_markdown(random: Random, blocks: int = 6) -> str:
    """``blocks`` blocks that are below one another, some of them lists and quotes of more."""
    return "\n\n".join(_block(random, 0) for _ in range(blocks)) + "\n"


def _words(random: Random, most: int = 8) -> str:
    pieces = []
    for _ in range(random.randint(1, most)):
        piece = " ".join(random.choice(_WORDS) for _ in range(random.randint(1, 3)))
        style = random.randrange(24)
        if style < 8:
            plain = random.choice(("alpha", "two words", "日本語", "x1", '"quoted"', "a-b"))
            marks = ("**{}**", "*{}*", "~~{}~~", "`{}`", "***{}***", "**a *{}***", "[{}](https://l.example/p)", "${}$")
            piece = marks[style].format(plain)
        elif style == 8:
            piece = random.choice(
                ("H<sub>2</sub>O", "<kbd>Ctrl</kbd>", "one<br>two", "$x_1^2$", "\\(a+b\\)", "`` a`b ``")
            )
        elif style == 9:
            piece = random.choice(
                ("**a**b", "a**b**", "**«a»**b", "~~a~~b", "***a** b*", "[**b** c](https://d.example)")
            )
        pieces.append(piece)
    return random.choice((" ", " ", " ", "")).join(pieces)


def _block(random: Random, depth: int) -> str:
    kind = random.randrange(13 if depth < 3 else 8)
    if kind <= 2:
        return _words(random) + random.choice(("", "", "\n" + _words(random), "  \n" + _words(random)))
    if kind == 3:
        return "#" * random.randint(1, 6) + " " + _words(random, 3)
    if kind == 4:
        code = "\n".join(random.choice(_CODE) for _ in range(random.randint(0, 5)))
        return f"````{random.choice(('', 'python', 'c++'))}\n{code}\n````"
    if kind == 5:
        columns = random.randint(1, 4)
        rule = "|" + "|".join(random.choice(("---", ":--", "--:", ":-:")) for _ in range(columns)) + "|"
        rows = [
            "| " + " | ".join(_words(random, 2).replace("|", "\\|") for _ in range(columns)) + " |"
            for _ in range(random.randint(1, 20))
        ]
        return "\n".join((rows[0], rule, *rows[1:]))
    if kind == 6:
        return "$$\nx^2 + \\frac{a}{b}\n$$"
    if kind == 7:
        return random.choice(("***", "![cat](https://i.example/c.png)", "Line one<br>line two"))
    if kind <= 10:
        first = random.choice((1, 1, 3, 9, 98))
        mark = random.choice(("-", "*", "1.", "1)", "- [ ]"))
        items = []
        for number in range(random.randint(1, 4)):
            head = f"{first + number}{mark[-1]}" if mark[0] == "1" else mark
            body = "\n\n".join(_block(random, depth + 1) for _ in range(random.choice((1, 1, 1, 2))))
            indent = " " * (2 if mark == "- [ ]" else len(head) + 1)
            items.append(f"{head} {_indented(body, indent)}")
        return random.choice(("\n", "\n\n")).join(items)
    body = "\n\n".join(_block(random, depth + 1) for _ in range(random.randint(1, 3)))
    title = random.choice(("", "", "[!NOTE]\n", "[!warning]\n")) if kind == 12 else ""
    return "> " + _indented(title + body, "> ")


def _indented(text: str, lead: str) -> str:
    return text.replace("\n", f"\n{lead}")
