"""Text made to hurt a Markdown view: named patterns, each for any size and seed.

``iter_inputs`` mixes them for tests and the benchmark; the same seed gives the same texts in every process.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_BYTES = 64 * 1024
_MIN_BYTES = 16


@dataclass(frozen=True, slots=True)
class HostileInput:
    """One text, with what is needed to make it again."""

    pattern: str
    seed: int
    text: str


Maker = Callable[[random.Random, int], str]


def repeated(unit: str, *, before: str = "", after: str = "") -> Maker:
    """``unit`` as often as it fits, once between ``before`` and ``after``."""

    def make(_rng: random.Random, size: int) -> str:
        room = max(0, size - len(before) - len(after))
        return before + unit * (room // len(unit) + 1) + after

    return make


def mirrored(opening: str, closing: str, *, middle: str = "x") -> Maker:
    """``opening`` many times, then ``closing`` as often: nesting that is well formed."""

    def make(_rng: random.Random, size: int) -> str:
        count = max(1, size // (len(opening) + len(closing)))
        return opening * count + middle + closing * count

    return make


def ladder(lead: str, line: str) -> Maker:
    """Lines of which each is one ``lead`` deeper, down to where the text would grow too long, and again."""

    def make(rng: random.Random, size: int) -> str:
        lines: list[str] = []
        left, depth, deepest = size, 0, rng.choice((8, 40, 200))
        while left > 0:
            text = lead * (depth % deepest) + line
            lines.append(text)
            left -= len(text) + 1
            depth += 1
        return "\n".join(lines)

    return make


def soup(alphabet: str | tuple[str, ...]) -> Maker:
    """Pieces of ``alphabet`` in any order."""
    pieces = tuple(alphabet)

    def make(rng: random.Random, size: int) -> str:
        found: list[str] = []
        left = size
        while left > 0:
            piece = rng.choice(pieces) * rng.choice((1, 1, 1, 2, 3, 7))
            found.append(piece)
            left -= len(piece)
        return "".join(found)

    return make


def numbered(unit: str, *, after: str = "") -> Maker:
    """``unit`` with ``{n}`` counting up, so that no two are alike."""

    def make(_rng: random.Random, size: int) -> str:
        found: list[str] = []
        left = size
        while left > 0:
            piece = unit.format(n=len(found))
            found.append(piece)
            left -= len(piece)
        return "".join(found) + after

    return make


def wide_table(rng: random.Random, size: int) -> str:
    columns = rng.choice((2, 30, 64, 65, 500))
    row = "|" + "a|" * columns + "\n"
    return row + "|" + "-|" * columns + "\n" + row * max(1, size // len(row) - 2)


def widening_table(_rng: random.Random, size: int) -> str:
    rows, left = ["|a|b|", "|-|-|"], size
    while left > 0:
        rows.append("|" + "x|" * (len(rows) * 3))
        left -= len(rows[-1]) + 1
    return "\n".join(rows)


def rising_runs(mark: str) -> Maker:
    """Runs of ``mark``, each one longer than the last."""

    def make(_rng: random.Random, size: int) -> str:
        longest = max(1, int(math.sqrt(2 * size)))
        return " ".join("a" + mark * length for length in range(1, longest + 1))

    return make


def falling_runs(mark: str) -> Maker:
    def make(_rng: random.Random, size: int) -> str:
        longest = max(1, int(math.sqrt(2 * size)))
        return " ".join(mark * length + "a" for length in range(longest, 0, -1))

    return make


def any_unicode(rng: random.Random, size: int) -> str:
    """Code points from everywhere, unassigned and lone surrogates among them."""
    ranges = ((0, 0x80), (0x80, 0x900), (0x900, 0x3000), (0xD800, 0xDFFF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF))
    return "".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(max(1, size // 3)))


def surrogates(rng: random.Random, size: int) -> str:
    return "".join(rng.choice(("\ud800", "\udfff", "\udc80", "a", "\n", "*")) for _ in range(max(1, size // 2)))


def bidi_soup(rng: random.Random, size: int) -> str:
    return soup(("\u202e", "\u202d", "\u2066", "\u2067", "\u2068", "\u2069", "\u202c", "abc", "אבג", "**", "`", "\n"))(
        rng, size // 2
    )


def letters_of_tags(rng: random.Random, size: int) -> str:
    secret = "".join(chr(0xE0000 + ord(rng.choice("abcdefghij "))) for _ in range(max(1, size // 4)))
    return "Hello" + secret + "!"


def variation_smuggling(rng: random.Random, size: int) -> str:
    return "😀" + "".join(chr(0xE0100 + rng.randrange(240)) for _ in range(max(1, size // 4)))


def long_word(rng: random.Random, size: int) -> str:
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(size))


def base64_line(rng: random.Random, size: int) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return "data:image/png;base64," + "".join(rng.choice(letters) for _ in range(size)) + "=="


def zalgo(rng: random.Random, size: int) -> str:
    marks = [chr(code) for code in range(0x300, 0x36F)]
    return "".join(rng.choice("hecomes ") + "".join(rng.choices(marks, k=20)) for _ in range(max(1, size // 41)))


def random_bytes(rng: random.Random, size: int) -> str:
    return rng.randbytes(size).decode("latin-1")


def list_of_everything(rng: random.Random, size: int) -> str:
    pieces = (
        "- a\n", "  - b\n", "    1. c\n", "> - q\n", "- > r\n", "1) d\n", "\n", "- ```py\n", "  ```\n", "- | a | b |\n",
        "  |---|---|\n", "- $$\n", "  $$\n", "- # h\n", "- ---\n", "\t- t\n", "- [ ] t\n", "[^1]: n\n", "    - i\n",
    )  # fmt: skip
    return soup(pieces)(rng, size)


def markdown_soup(rng: random.Random, size: int) -> str:
    pieces = (
        "*", "**", "_", "__", "~~", "`", "``", "$", "$$", "\\(", "\\)", "\\[", "\\]", "[", "]", "(", ")", "![", "<",
        ">", "|", "\n", "\n\n", " ", "a", "word ", "#", "- ", "1. ", "> ", "http://a.b", "www.a.b", "a@b.c", "&amp;",
        "\\", "[^1]", "[^1]: ", "[a]: b\n", "---\n", "===\n", "```\n", "~~~\n", "    ", "\t", "<br>", "\r\n", "你",
        "\u202e",
    )  # fmt: skip
    return soup(pieces)(rng, size)


def mutated_answer(rng: random.Random, size: int) -> str:
    """An ordinary answer with characters dropped, doubled and swapped."""
    unit = (
        "# Title\n\nSome **bold** text with `code`, [a link](https://a.org) and $x^2$.\n\n- one\n  - two\n\n"
        "```python\ndef f(x):\n    return x\n```\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n\n> quote\n\n$$\n\\sum x\n$$\n\n"
    )
    letters = list(unit * (size // len(unit) + 1))[:size]
    for _ in range(max(1, size // 20)):
        at = rng.randrange(len(letters))
        letters[at] = rng.choice(("", letters[at] * 2, rng.choice("*_`[]()|#>$~\n\\ ")))
    return "".join(letters)


PATTERNS: dict[str, Maker] = {
    # brackets and links
    "open brackets": repeated("["),
    "open and close brackets": repeated("[]"),
    "nested brackets": mirrored("[", "]"),
    "brackets with letters": repeated("[a"),
    "open links": repeated("[a]("),
    "links in links": mirrored("[", "](u)"),
    "links without an end": repeated("[a](<b"),
    "links with open titles": repeated('[a](b "c'),
    "links with deep parentheses": mirrored("[a](" + "(" * 16, ")" * 17),
    "many short links": repeated("[a](http://b.c) "),
    "links to scripts": repeated("[a](javascript:alert(1)) "),
    "undefined references": numbered("[a][r{n}] "),
    "reference definitions": numbered("[r{n}]: http://a.b/{n}\n", after="\n[r0] [r1]"),
    "one definition again": repeated("[a]: b\n", after="\n[a]"),
    "definition with open title": repeated('[a]: b "', after="\n"),
    "references all used": numbered("[r{n}]\n\n[r{n}]: /u\n\n"),
    "brackets and backticks": repeated("[`"),
    "bracket soup": soup("[]()!<>a\n"),
    # images
    "open images": repeated("!["),
    "nested images": mirrored("![", "](u)"),
    "many images": numbered("![a](http://h{n}.org/x.png) "),
    "images of devices": repeated("![a](/dev/zero)\n\n"),
    "images of long data": repeated("![a](data:image/png;base64,AAAA)\n"),
    # autolinks and addresses
    "open angle brackets": repeated("<"),
    "angle addresses": repeated("<http://a"),
    "bare schemes": repeated("http://"),
    "bare addresses": repeated("http://a.b/c "),
    "one address without an end": repeated("a", before="http://"),
    "address with parentheses": repeated("(", before="http://a.b/"),
    "address with closing parentheses": repeated(")", before="http://a.b/"),
    "www again": repeated("www."),
    "www and dots": repeated(".a", before="www"),
    "at signs": repeated("a@"),
    "mail addresses": repeated("a.b@c.d "),
    "mail with dots": repeated("a.", after="@b.c"),
    "address with semicolons": repeated("&amp;", before="http://a.b/?"),
    # emphasis
    "stars": repeated("*"),
    "star letters": repeated("*a "),
    "letters and stars": repeated("a**b"),
    "open strong": repeated("**a "),
    "nested emphasis": mirrored("*a ", " a*"),
    "strong and emphasis": repeated("*a **b "),
    "underscores": repeated("_a "),
    "stars and underscores": repeated("*a_ "),
    "three kinds crossed": repeated("*a _b ~~c "),
    "tildes": repeated("~~a"),
    "tildes alone": repeated("~"),
    "rising stars": rising_runs("*"),
    "falling stars": falling_runs("*"),
    "emphasis beside cjk": repeated("**「你」**"),
    "emphasis soup": soup("*_~a \n"),
    # code
    "backticks": repeated("`"),
    "open code": repeated("`a "),
    "rising backticks": rising_runs("`"),
    "falling backticks": falling_runs("`"),
    "fences": repeated("```\n"),
    "fences with words": repeated("```a\n"),
    "fences with entities": repeated("```&#10;\nx\n```\n"),
    "growing fences": numbered("{n:`>60}\n"),
    "fence of one line": repeated("x", before="```\n", after="\n```"),
    "open fence of lines": repeated("x = 1\n", before="```python\n"),
    "fences in items": repeated("- ```\n"),
    "fences in quotes": repeated("> ```\n> x\n"),
    "tilde fences": repeated("~~~\n"),
    "fence with a long word": repeated("a", before="```", after="\nx\n```"),
    "indented code": repeated("    a\n"),
    "indented code and blanks": repeated("    a\n\n\n"),
    "code spans over lines": repeated("`a\n"),
    # math
    "dollars": repeated("$"),
    "dollar letters": repeated("$a"),
    "dollar pairs": repeated("$$a"),
    "dollar lines": repeated("$$\n"),
    "open brackets of math": repeated("\\("),
    "open display math": repeated("\\[a\n"),
    "closed display math": repeated("\\[ a \\]\n"),
    "nested fractions": mirrored("\\frac{", "}{1}", middle="1"),
    "one long formula": repeated("x+", before="$$\n", after="1\n$$"),
    "many formulas": repeated("$x_1$ "),
    "sums of money": repeated("$5 and "),
    "matrix rows": repeated("a & b \\\\\n", before="$$\n", after="$$"),
    # lists
    "dashes": repeated("- "),
    "many items": repeated("- a\n"),
    "numbers": repeated("1. "),
    "numbered items": numbered("{n}. a\n"),
    "list ladder by two": ladder("  ", "- a"),
    "list ladder by four": ladder("    ", "- a"),
    "list ladder by tabs": ladder("\t", "* a"),
    "numbered ladder": ladder("   ", "1. a"),
    "loose items": repeated("- a\n\n"),
    "marks in turn": repeated("- a\n* b\n+ c\n"),
    "empty items": repeated("-\n"),
    "huge numbers": repeated("999999999. a\n"),
    "tasks": repeated("- [ ] a\n  - [x] b\n"),
    "items with lazy lines": repeated("- a\nb\n"),
    "list of everything": list_of_everything,
    # quotes and headings
    "quotes": repeated("> "),
    "quote marks alone": repeated(">"),
    "quote ladder": ladder("> ", "a"),
    "quotes and lists": repeated("> - "),
    "quotes then lines": repeated("> a\nb\n"),
    "headings": repeated("# a\n"),
    "number signs": repeated("#"),
    "heading with blanks": repeated(" ", before="# a", after="#"),
    "heading with signs": repeated(" #", before="# a"),
    "setext lines": repeated("a\n===\n"),
    "setext marks": repeated("===\n", before="a\n"),
    "rules": repeated("---\n"),
    "rule of blanks": repeated("* "),
    # tables
    "pipes": repeated("|"),
    "pipe cells": repeated("|a"),
    "many rows": repeated("| 1 | 2 |\n", before="| a | b |\n|---|---|\n"),
    "wide table": wide_table,
    "widening table": widening_table,
    "one long cell": repeated("word ", before="| a | b |\n|---|---|\n| "),
    "cells of code": repeated("| `a \\| b` | **c** |\n", before="| a | b |\n|---|---|\n"),
    "header lines alone": repeated("| a | b |\n|---|\n"),
    "delimiter rows": repeated("|-|\n"),
    "many tables": repeated("|a|\n|-|\n|b|\n\n"),
    "escaped pipes": repeated("\\|", before="|a|b|\n|-|-|\n|"),
    "cells of breaks": repeated("<br>", before="|a|b|\n|-|-|\n|"),
    "tables in lists": repeated("- |a|\n  |-|\n  |b|\n"),
    # html
    "tags": repeated("<a>"),
    "nested tags": mirrored("<div>", "</div>"),
    "open comments": repeated("<!--"),
    "open cdata": repeated("<![CDATA["),
    "open instructions": repeated("<?"),
    "attributes": repeated(' a="b"', before="<a"),
    "scripts": repeated("<script>alert(1)</script>\n"),
    "handlers": repeated("<img src=x onerror=alert(1)>"),
    "details": mirrored("<details><summary>a</summary>\n\n", "\n</details>\n"),
    "rich text of qt": repeated('<img src="/dev/zero"><table><tr><td>'),
    # entities and escapes
    "entities": repeated("&amp;"),
    "open entities": repeated("&#"),
    "long entities": repeated("a", before="&", after=";"),
    "numbers as entities": numbered("&#{n};"),
    "hidden entities": repeated("&#x202e;&#8203;&zwj;"),
    "backslashes": repeated("\\"),
    "escapes": repeated("\\*\\[\\`"),
    # footnotes
    "open footnotes": repeated("[^a"),
    "footnote marks": repeated("[^a]"),
    "footnote ladder": repeated("[^a]: "),
    "many footnotes": numbered("x[^{n}]\n\n[^{n}]: note\n\n"),
    "footnotes that name each other": numbered("[^{n}]: see [^{n}] and [^0]\n"),
    "one footnote named often": repeated("a[^1] ", after="\n\n[^1]: note\n"),
    # characters
    "any unicode": any_unicode,
    "random bytes": random_bytes,
    "lone surrogates": surrogates,
    "direction overrides": bidi_soup,
    "open isolates": repeated("\u2067a"),
    "zero width": repeated("a\u200b"),
    "joiners": repeated("👩\u200d"),
    "hidden tags": letters_of_tags,
    "smuggled variations": variation_smuggling,
    "combining marks": repeated("\u0301", before="e"),
    "zalgo": zalgo,
    "controls": soup("\x00\x01\x07\x08\x1b\x7f\x85\x9b a\n"),
    "byte order marks": repeated("\ufeff"),
    "line separators": repeated("a\u2028b\u2029"),
    "flags": repeated("🇩🇪"),
    "arabic": repeated("مرحبا "),
    "mixed directions": repeated("abc אבג 123 "),
    "wide characters": repeated("漢"),
    "nul": repeated("\0"),
    "terminal codes": repeated("\x1b[31m"),
    "soft hyphens": repeated("a\xad"),
    # lines
    "line ends": repeated("\n"),
    "windows line ends": repeated("a\r\n"),
    "old line ends": repeated("\r"),
    "blanks": repeated(" "),
    "tabs": repeated("\t"),
    "tabs in items": repeated("-\t\ta\n"),
    "blanks at the end": repeated("a  \n"),
    "one long word": long_word,
    "one long line": repeated("word "),
    "base64": base64_line,
    "json on a line": repeated('{"a":[', after="1"),
    "form feeds": repeated("a\f\v"),
    # mixtures
    "markdown soup": markdown_soup,
    "mutated answer": mutated_answer,
    "everything in a cell": repeated("**a `b` [c](d) $e$ ~~f~~ ", before="|a|b|\n|-|-|\n|"),
    "quote, list and fence": repeated("> - ```\n> - a\n> 1. b\n"),
}


def make_input(pattern: str, seed: int, size_bytes: int) -> str:
    """The text of ``pattern``; its UTF-8 form has about ``size_bytes`` and never more."""
    text = PATTERNS[pattern](random.Random(f"{pattern}/{seed}"), size_bytes)
    while (size := len(text.encode("utf-8", "surrogatepass"))) > size_bytes:
        text = text[: len(text) * size_bytes // size]
    return text


def iter_inputs(seed: int, count: int, max_bytes: int = MAX_BYTES) -> Iterator[HostileInput]:
    """``count`` inputs, every pattern in turn in a shuffled order; sizes are spread evenly over their magnitudes, up
    to ``max_bytes``."""
    rng = random.Random(seed)
    names = sorted(PATTERNS)
    largest = math.log(max(_MIN_BYTES, max_bytes))
    for number in range(count):
        if number % len(names) == 0:
            rng.shuffle(names)
        name = names[number % len(names)]
        size = int(math.exp(rng.uniform(math.log(_MIN_BYTES), largest)))
        own_seed = rng.randrange(1 << 30)
        yield HostileInput(name, own_seed, make_input(name, own_seed, size))
