"""The shapes in which models write Markdown, one test each."""

from __future__ import annotations

import re

import pytest

from chatdesk.core.domain.artifacts.code_blocks import fenced_code
from chatdesk.core.rendering.block_rules import MAX_TABLE_CELLS
from chatdesk.core.rendering.blocks import (
    CodeBlock,
    Fold,
    Heading,
    ImagePlaceholder,
    MathBlock,
    Paragraph,
    Rule,
    Span,
    Table,
)
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.markdown_writer import markdown_of
from chatdesk.core.rendering.span_builder import MAX_SPANS
from chatdesk.core.rendering.streaming import StreamingMarkdown
from tests.helpers.block_outline import outline_blocks
from tests.helpers.block_words import blocks_to_plain, spans_to_plain


def outline(text: str) -> list[tuple[object, ...]]:
    """Each block as (kind, depth, marker, words)."""
    found: list[tuple[object, ...]] = []
    for block in parse_markdown(text):
        words = spans_to_plain(block.spans) if isinstance(block, Paragraph | Heading) else getattr(block, "text", "")
        found.append((type(block).__name__[0], block.at.list_depth, block.at.marker, words))
    return found


def styles(text: str, flag: str) -> list[str]:
    return [
        span.text
        for block in parse_markdown(text)
        if isinstance(block, Paragraph | Heading)
        for span in block.spans
        if getattr(span, flag)
    ]


SHAPES = {
    "bullets after a paragraph": ("Text:\n- a\n- b", [("P", 0, None, "Text:"), ("P", 1, "•", "a"), ("P", 1, "•", "b")]),
    "numbers after a paragraph": (
        "Text:\n1. a\n2. b",
        [("P", 0, None, "Text:"), ("P", 1, "1.", "a"), ("P", 1, "2.", "b")],
    ),
    "year after a line is no list": ("It was\n1986. Good.", [("P", 0, None, "It was\n1986. Good.")]),
    "bullet nested by two": ("- a\n  - b", [("P", 1, "•", "a"), ("P", 2, "•", "b")]),
    "bullet nested by three": ("- a\n   - b", [("P", 1, "•", "a"), ("P", 2, "•", "b")]),
    "bullet nested by four": (
        "- a\n    - b\n        - c",
        [("P", 1, "•", "a"), ("P", 2, "•", "b"), ("P", 3, "•", "c")],
    ),
    "below a number by two": ("1. a\n  - b\n2. c", [("P", 1, "1.", "a"), ("P", 2, "•", "b"), ("P", 1, "2.", "c")]),
    "below a number by three": ("1. a\n   - b\n2. c", [("P", 1, "1.", "a"), ("P", 2, "•", "b"), ("P", 1, "2.", "c")]),
    "below a number by four": ("1. a\n    - b\n2. c", [("P", 1, "1.", "a"), ("P", 2, "•", "b"), ("P", 1, "2.", "c")]),
    "below a two-digit number": (
        "10. a\n   - b\n11. c",
        [("P", 1, "10.", "a"), ("P", 2, "•", "b"), ("P", 1, "11.", "c")],
    ),
    "below a two-digit number by two": (
        "10. **a** b\n  - c\n11. d\n  ```\n  x\n  ```",
        [
            ("P", 1, "10.", "a b"),
            ("P", 2, "•", "c"),
            ("P", 1, "11.", "d"),
            ("C", 1, None, "x"),
        ],
    ),
    "fence in a bullet": (
        "- a\n  ```py\n  x\n  ```\n- b",
        [("P", 1, "•", "a"), ("C", 1, None, "x"), ("P", 1, "•", "b")],
    ),
    "fence in a number by two": (
        "1. a\n  ```py\n  if x:\n      y\n  ```\n2. b",
        [("P", 1, "1.", "a"), ("C", 1, None, "if x:\n    y"), ("P", 1, "2.", "b")],
    ),
    "fence after a blank in an item": (
        "1. a\n\n   ```\n   x\n   ```\n\n2. b",
        [
            ("P", 1, "1.", "a"),
            ("C", 1, None, "x"),
            ("P", 1, "2.", "b"),
        ],
    ),
    "fence between numbers at the margin": (
        "1. a\n```\nx\n```\n2. b",
        [
            ("P", 1, "1.", "a"),
            ("C", 0, None, "x"),
            ("P", 1, "2.", "b"),
        ],
    ),
    "list from three": ("3. a\n4. b", [("P", 1, "3.", "a"), ("P", 1, "4.", "b")]),
    "number with a bracket": ("1) a\n2) b", [("P", 1, "1.", "a"), ("P", 1, "2.", "b")]),
    "all ones count up": ("1. a\n1. b", [("P", 1, "1.", "a"), ("P", 1, "2.", "b")]),
    "loose list": ("- a\n\n- b", [("P", 1, "•", "a"), ("P", 1, "•", "b")]),
    "headings without blank lines": (
        "# A\ntext\n## B\n- c",
        [
            ("H", 0, None, "A"),
            ("P", 0, None, "text"),
            ("H", 0, None, "B"),
            ("P", 1, "•", "c"),
        ],
    ),
    "four backticks": ("````md\n```py\nx\n```\n````", [("C", 0, None, "```py\nx\n```")]),
    "tilde fence": ("~~~\n```\n~~~", [("C", 0, None, "```")]),
    "tasks": ("- [ ] a\n- [x] b", [("P", 1, "☐", "a"), ("P", 1, "☑", "b")]),
    "nested tasks": ("- [ ] a\n  - [X] b", [("P", 1, "☐", "a"), ("P", 2, "☑", "b")]),
    "math in a list": ("- a\n  $$\n  x\n  $$\n- b", [("P", 1, "•", "a"), ("M", 1, None, "x"), ("P", 1, "•", "b")]),
    "display dollars": ("$$\nx = 1\n$$", [("M", 0, None, "x = 1")]),
    "display dollars on a line": ("$$x = 1$$", [("M", 0, None, "x = 1")]),
    "math fence": ("```math\nx = 1\n\n+ 2\n```", [("M", 0, None, "x = 1\n+ 2")]),
    "math fence of tildes": ("~~~ Math\nx\n~~~", [("M", 0, None, "x")]),
    "math fence in a list": ("- a\n  ```math\n  x\n  ```", [("P", 1, "•", "a"), ("M", 1, None, "x")]),
    "empty math fence": ("```math\n```", [("C", 0, None, "")]),
    "display brackets": ("\\[\nx = 1\n\\]", [("M", 0, None, "x = 1")]),
    "display after a line": (
        "So:\n\\[ x \\]\nand",
        [("P", 0, None, "So:"), ("M", 0, None, "x"), ("P", 0, None, "and")],
    ),
    "unclosed dollars": ("$$\nx", [("P", 0, None, "$$\nx")]),
    "raw html": ("<div onclick=x>\na", [("P", 0, None, "<div onclick=x>\na")]),
    "script": ("<script>alert(1)</script>", [("P", 0, None, "<script>alert(1)</script>")]),
    "generics": ("A List<String> and Map<K, V>", [("P", 0, None, "A List<String> and Map<K, V>")]),
    "footnote": ("See[^1].\n\n[^1]: Note.", [("P", 0, None, "See1."), ("P", 1, "1.", "Note. ↩")]),
    "undefined footnote": ("A class [^abc] of characters", [("P", 0, None, "A class [^abc] of characters")]),
    "empty item": ("- \n- b", [("P", 1, "•", ""), ("P", 1, "•", "b")]),
    "bullets with stars and pluses": ("* a\n* b\n\n+ c", [("P", 1, "•", "a"), ("P", 1, "•", "b"), ("P", 1, "•", "c")]),
    "typographic bullets stay": ("• a\n• b", [("P", 0, None, "• a\n• b")]),
    "numbers below bullets": (
        "- a\n  1. b\n  2. c\n- d",
        [("P", 1, "•", "a"), ("P", 2, "1.", "b"), ("P", 2, "2.", "c"), ("P", 1, "•", "d")],
    ),
    "numbers below numbers by two": (
        "1. a\n  1. b\n  2. c\n2. d",
        [("P", 1, "1.", "a"), ("P", 2, "1.", "b"), ("P", 2, "2.", "c"), ("P", 1, "2.", "d")],
    ),
    "second paragraph of an item": (
        "1. a\n\n   b\n2. c",
        [("P", 1, "1.", "a"), ("P", 1, None, "b"), ("P", 1, "2.", "c")],
    ),
    "numbers go on after a paragraph between": (
        "1. a\n\nText\n\n2. b",
        [("P", 1, "1.", "a"), ("P", 0, None, "Text"), ("P", 1, "2.", "b")],
    ),
    "bold lead-in": ("1. **Step**: do\n   - x", [("P", 1, "1.", "Step: do"), ("P", 2, "•", "x")]),
    "quote in an item": ("- a\n  > q", [("P", 1, "•", "a"), ("P", 1, None, "q")]),
    "list in a quote": ("> - a\n> - b", [("P", 1, "•", "a"), ("P", 1, "•", "b")]),
    "fence in a quote": ("> ```py\n> x\n> ```", [("C", 0, None, "x")]),
    "fence in a nested item": (
        "- a\n  - b\n    ```\n    x\n    ```\n- c",
        [("P", 1, "•", "a"), ("P", 2, "•", "b"), ("C", 2, None, "x"), ("P", 1, "•", "c")],
    ),
    "fence after a paragraph line": (
        "Run:\n```sh\nls\n```\nDone",
        [("P", 0, None, "Run:"), ("C", 0, None, "ls"), ("P", 0, None, "Done")],
    ),
    "table in an item": ("- a\n\n  | x | y |\n  |---|---|\n  | 1 | 2 |", [("P", 1, "•", "a"), ("T", 1, None, "")]),
    "math in a number": (
        "1. So\n   \\[\n   x^2\n   \\]\n2. b",
        [("P", 1, "1.", "So"), ("M", 1, None, "x^2"), ("P", 1, "2.", "b")],
    ),
    "aligned math": (
        "$$\n\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned}\n$$",
        [("M", 0, None, "\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned}")],
    ),
    "escaped dollars": ("It is \\$5 and \\$6.", [("P", 0, None, "It is $5 and $6.")]),
    "windows line ends": ("# A\r\n\r\n- a\r\n- b\r\n", [("H", 0, None, "A"), ("P", 1, "•", "a"), ("P", 1, "•", "b")]),
    "old line ends": ("a\r\rb", [("P", 0, None, "a"), ("P", 0, None, "b")]),
    "tabs before nested items": ("- a\n\t- b\n\t\t- c", [("P", 1, "•", "a"), ("P", 2, "•", "b"), ("P", 3, "•", "c")]),
    "tab after the mark": ("-\ta\n-\tb", [("P", 1, "•", "a"), ("P", 1, "•", "b")]),
    "tabs in code": ("```\nif x:\n\ty\n```", [("C", 0, None, "if x:\n\ty")]),
    "details": (
        "<details>\n<summary>More</summary>\n\n- a\n\n</details>",
        [("F", 0, None, ""), ("P", 1, "•", "a")],
    ),
    "sub and sup": ("H<sub>2</sub>O and x<sup>2</sup>", [("P", 0, None, "H2O and x2")]),
    "html comment": ("a <!-- b --> c", [("P", 0, None, "a <!-- b --> c")]),
    "markdown in a tag stays": ('<a href="*x*_y_">z</a>', [("P", 0, None, '<a href="*x*_y_">z</a>')]),
    "thinking tags": ("<think>\nhm\n</think>\n\nYes", [("P", 0, None, "<think>\nhm\n</think>"), ("P", 0, None, "Yes")]),
    "one tilde": ("~one~ and ~~two~~", [("P", 0, None, "one and two")]),
    "three tildes": ("x ~~~three~~~", [("P", 0, None, "x ~~~three~~~")]),
    "ranges with tildes": ("5~10 or 20~30個、a~b~c", [("P", 0, None, "5~10 or 20~30個、a~b~c")]),
    "about": ("~5 and ~10, ~/x", [("P", 0, None, "~5 and ~10, ~/x")]),
    "tags as marks": ("<b>b</b> <u>u</u> <mark>m</mark> <s>s</s>", [("P", 0, None, "b u m s")]),
    "open tag": ("<b>b and <T>", [("P", 0, None, "<b>b and <T>")]),
    "comparison signs": ("if a < b and c > d", [("P", 0, None, "if a < b and c > d")]),
    "nested generics": (
        "`Map<String, List<T>>` or Map<String, List<T>>",
        [("P", 0, None, "Map<String, List<T>> or Map<String, List<T>>")],
    ),
    "emoji short names": ("Hi :smile: :+1:", [("P", 0, None, "Hi :smile: :+1:")]),
    "arrows and dashes": ("a -> b -- c => d", [("P", 0, None, "a -> b -- c => d")]),
    "hard break by blanks": ("a  \nb\\\nc", [("P", 0, None, "a\nb\nc")]),
    "underlined headings": ("A\n===\n\nB\n---", [("H", 0, None, "A"), ("H", 0, None, "B")]),
    "rule after a paragraph": ("a\n\n---\n\nb", [("P", 0, None, "a"), ("R", 0, None, ""), ("P", 0, None, "b")]),
    "rule of stars": ("a\n***\nb", [("P", 0, None, "a"), ("R", 0, None, ""), ("P", 0, None, "b")]),
    "heading with closing signs": ("## A ##", [("H", 0, None, "A")]),
    "hash without a blank": ("#hashtag and #1", [("P", 0, None, "#hashtag and #1")]),
    "citation marks": ("As said [1][2] 【3†source】", [("P", 0, None, "As said [1][2] 【3†source】")]),
    "footnotes in a row": (
        "a[^1]b[^2]\n\n[^1]: One\n[^2]: Two",
        [("P", 0, None, "a1b2"), ("P", 1, "1.", "One ↩"), ("P", 1, "2.", "Two ↩")],
    ),
    "footnote that is a list": (
        "a[^1]\n\n[^1]:\n    - b",
        [("P", 0, None, "a1"), ("P", 1, "1.", ""), ("P", 2, "•", "b ↩")],
    ),
    "footnote without words": ("a[^1]\n\n[^1]:", [("P", 0, None, "a1"), ("P", 1, "1.", "↩")]),
    "footnotes without marks": (
        "[^a]: b\n[^c]:\n    ```\n    d\n    ```\n[^e]:",
        [("P", 1, "•", "[a] b"), ("P", 1, "•", "[c]"), ("C", 1, None, "d"), ("P", 1, "•", "[e]")],
    ),
    "a diff": ("```diff\n- a\n+ b\n```", [("C", 0, None, "- a\n+ b")]),
    "fence with more words": ('```python title="a.py"\nx\n```', [("C", 0, None, "x")]),
    "indented fence": ("   ```\n   x\n   ```", [("C", 0, None, "x")]),
    "fence that closes with more": ("```\nx\n`````\ny", [("C", 0, None, "x"), ("P", 0, None, "y")]),
    "indented code": ("a\n\n    x = 1\n    y", [("P", 0, None, "a"), ("C", 0, None, "x = 1\ny")]),
}


def test_there_are_all_of_them() -> None:
    assert len(SHAPES) >= 47


@pytest.mark.parametrize("name", SHAPES)
def test_shape(name: str) -> None:
    text, expected = SHAPES[name]
    assert outline(text) == expected


@pytest.mark.parametrize(
    ("text", "flag", "expected"),
    [
        ("**「你好」**世界", "is_bold", ["「你好」"]),
        ("这是**重点。**然后", "is_bold", ["重点。"]),
        ("한국어**(강조)**입니다", "is_bold", ["(강조)"]),
        ("a ~~b~~ c", "is_struck", ["b"]),
        ("an *it* and _it_ snake_case_name", "is_italic", ["it", "it"]),
        ("$x$ and $y_1 + 2$", "is_math", ["x", "y_1 + 2"]),
        ("costs $5 and $6", "is_math", []),
        ("from $5-$10 or $5,000", "is_math", []),
        ("set $HOME and $PATH or $A/$B", "is_math", []),
        ("\\( a_b \\) and \\[ c \\]", "is_math", ["a_b", "c"]),
        ("inline $$z$$ too", "is_math", ["z"]),
        ("the $n$th term, the $k$st, all $x_i$s, le $n$e", "is_math", ["n", "k", "x_i", "n"]),
        ("$HOME/bin:$PATH and $a:$sum", "is_math", []),
        ("$60/year. With $n$ users", "is_math", ["n"]),
        ("$500/mo, $n$ seats", "is_math", ["n"]),
        ("$12/hour or $15/hr, that is $x$", "is_math", ["x"]),
        ("$5/GB and $6/TB$", "is_math", []),
        ("$60/x$ is a ratio", "is_math", ["60/x"]),
        ("$\\text{if $x$ holds}$", "is_math", ["\\text{if $x$ holds}"]),
        ("\\[ok\\] and \\[1\\], \\[Smith, 2020\\], \\[snake_case\\], \\[C++\\]", "is_math", []),
        ("so \\[x = 1\\], \\[x^2\\], \\[\\alpha\\] and \\[a_1\\]", "is_math", ["x = 1", "x^2", "\\alpha", "a_1"]),
        (
            "So \\begin{align*}a&=b\\end{align*} holds",
            "is_math",
            ["\\begin{align*}a&=b\\end{align*}"],
        ),
        ("`$x$` is code", "is_math", []),
        ("open **bold", "is_bold", []),
        ("**bold:** text **a**b", "is_bold", ["bold:", "a"]),
        ("***both***", "is_bold", ["both"]),
        ("これは**「重要」**です。", "is_bold", ["「重要」"]),
        ("**중요**합니다 *기울임*은", "is_italic", ["기울임"]),
        ("2 * 3 * 4 and a*b*c", "is_italic", ["b"]),
        ("__init__ and snake_case", "is_bold", ["init"]),
        ("``a ` b`` and `c`", "is_code", ["a ` b", "c"]),
        ("~~gone~~ and ~5~ or ~10", "is_struck", ["gone", "5"]),
        ("\\(x\\)，\\(y\\)。", "is_math", ["x", "y"]),
        ("价格$x$元", "is_math", ["x"]),
        ("escaped \\[ \\] and \\( \\)", "is_math", []),
        ("see https://a.org/x_y_z). More", "href", ["https://a.org/x_y_z"]),
        ("(https://a.org/x(y))", "href", ["https://a.org/x(y)"]),
        ("**https://a.org/x**", "href", ["https://a.org/x"]),
        ("看https://a.org/x，然后", "href", ["https://a.org/x"]),
        ("www.a.org and me@a.org.", "href", ["www.a.org", "me@a.org"]),
        ("链接：https://a.org/x。下一句", "href", ["https://a.org/x"]),
        ("（https://a.org/x）", "href", ["https://a.org/x"]),
        ("「https://a.org/x」と", "href", ["https://a.org/x"]),
        ("见www.a.org。", "href", ["www.a.org"]),
        ("邮箱me@a.org，谢谢", "href", ["me@a.org"]),
        ("Is it https://a.org/x? Or https://a.org/y!", "href", ["https://a.org/x", "https://a.org/y"]),
        ('"https://a.org/x", <https://a.org/y>', "href", ["https://a.org/x", "https://a.org/y"]),
        ("https://a.org/x&amp;y=1", "href", ["https://a.org/x&amp;y=1"]),
        ("https://de.wikipedia.org/wiki/Ä_(Ö)", "href", ["https://de.wikipedia.org/wiki/Ä_(Ö)"]),
        ("http:// and https://. and www.", "href", []),
        ("`https://a.org` and x@y", "href", []),
        ("[https://a.org](https://b.org)", "href", ["https://a.org"]),
        ("tel:123 vbscript:x HTTPS://A.ORG/x", "href", ["HTTPS://A.ORG/x"]),
        ("https://a.org/x**bold**", "href", ["https://a.org/x"]),
        ("[a](https://b.org) [c](mailto:x@y.z)", "href", ["a", "c"]),
        (
            "[a](javascript:alert(1)) [b](vscode://x) [c](/etc/passwd) [d](JaVaScRiPt:x) [e](data:text/html,x)",
            "href",
            [],
        ),
        ("[a](file:///etc/passwd) <javascript:alert(1)> ftp://x.y", "href", []),
        ("[a][r]\n\n[r]: http://x.y", "href", ["a"]),
    ],
)
def test_styles(text: str, flag: str, expected: list[str]) -> None:
    assert styles(text, flag) == expected


def test_javascript_link_stays_as_it_was_written() -> None:
    assert outline("[x](javascript:alert(1))") == [("P", 0, None, "[x](javascript:alert(1))")]


def table(text: str) -> Table:
    return next(block for block in parse_markdown(text) if isinstance(block, Table))


def rows(found: Table) -> list[list[str]]:
    return [[spans_to_plain(cell) for cell in row] for row in found.rows]


def test_table_after_a_paragraph_line() -> None:
    blocks = parse_markdown("Text:\n| a | b |\n|:--|--:|\n| 1 | 2 |\n\nafter")
    assert [type(block) for block in blocks] == [Paragraph, Table, Paragraph]
    assert table("Text:\n| a | b |\n|:--|--:|\n| 1 | 2 |").alignments == ("left", "right")


def test_escaped_pipe_in_code_in_a_table() -> None:
    assert rows(table("| a | b |\n|---|---|\n| `x \\| y` | 2 |")) == [["x | y", "2"]]


def test_ragged_rows_get_the_width_of_the_header() -> None:
    assert rows(table("| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |")) == [["1", ""], ["1", "2"]]


def test_table_without_outer_pipes_and_break_tags() -> None:
    assert rows(table("a | b\n--- | :-:\n1<br>2 | `<br>`")) == [["1\n2", "<br>"]]


def test_header_row_alone_is_plain() -> None:
    assert outline("| a | b |") == [("P", 0, None, "| a | b |")]


def test_huge_tables_become_text() -> None:
    wide = "|" + "a|" * 100 + "\n|" + "-|" * 100
    assert not any(isinstance(block, Table) for block in parse_markdown(wide))
    long = "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * (MAX_TABLE_CELLS // 2)
    (block,) = parse_markdown(long)
    assert isinstance(block, CodeBlock) and block.remark == "too large for a table"


def test_a_table_of_5000_rows_is_a_table_however_it_comes() -> None:
    head = "| a | b | c | d |\n|---|---|---|---|\n"
    rows = [f"| row {number} | **b** | `c` | {number} |\n" for number in range(5000)]
    (whole,) = parse_markdown(head + "".join(rows))
    assert isinstance(whole, Table) and len(whole.rows) == 5000
    stream = StreamingMarkdown()
    stream.append(head)
    for start in range(0, 5000, 500):
        stream.append("".join(rows[start : start + 500]))
    stream.finish()
    assert stream.blocks == (whole,)


def test_a_paragraph_of_countless_styles_ends_plain() -> None:
    block = parse_markdown("`a` *b* $c$ " * 8_000)[0]
    assert isinstance(block, Paragraph)
    assert MAX_SPANS <= len(block.spans) <= MAX_SPANS + 2
    assert block.spans[-1] == Span(block.spans[-1].text)
    assert spans_to_plain(block.spans).split() == ["a", "b", "c"] * 8_000


def test_a_huge_cell_is_shown_as_it_was_written() -> None:
    cell = "**a** " * 1000
    assert table(f"| a |\n|---|\n| {cell}|").rows[0][0] == (Span(cell.strip()),)


def test_unclosed_fence_is_open() -> None:
    block = parse_markdown("```python\nx = 1")[0]
    assert block == CodeBlock("python", "x = 1", is_open=True, at=block.at)


def test_the_language_of_a_fence_is_one_short_word() -> None:
    for info, language in (("&#10;", ""), ("c&#43;&#43; x", "c++"), ("a" * 500, "a" * 40), ("  py  ", "py")):
        block = parse_markdown(f"```{info}\nx\n```")[0]
        assert isinstance(block, CodeBlock)
        assert (block.language, block.text) == (language, "x")


def test_images_become_placeholders_and_are_never_links_to_files() -> None:
    assert parse_markdown("![a](https://h.org/x.png)")[0] == ImagePlaceholder(
        "a", "https://h.org/x.png", "h.org", parse_markdown("x")[0].at
    )
    local = parse_markdown("![a](/dev/zero)")[0]
    assert isinstance(local, ImagePlaceholder)
    assert local.host == ""
    assert outline("before ![alt](/dev/zero) after") == [("P", 0, None, "before alt after")]


def test_rule_and_placement() -> None:
    blocks = parse_markdown("a\n\n---\n\n> > q")
    assert isinstance(blocks[1], Rule)
    assert blocks[2].at.quote_depth == 2
    assert (blocks[2].at.first_line, blocks[2].at.end_line) == (4, 5)


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("> q", ()),
        ("> - q", ()),
        ("- a\n  > q", (1,)),
        ("- a\n  - > q", (2,)),
        ("> - > q", (0, 1)),
        ("x[^1]\n\n[^1]: > q", (1,)),
    ],
)
def test_a_quote_knows_the_lists_it_stands_in(text: str, lists: tuple[int, ...]) -> None:
    quoted = [block for block in parse_markdown(text) if block.at.quote_depth]
    assert quoted[-1].at.quoted_lists == lists


def test_nesting_stops_without_losing_text() -> None:
    for text in ("- " * 500 + "end", "> " * 500 + "end", "[^a]: " * 200 + "end", "1. " * 300 + "end"):
        assert "end" in blocks_to_plain(parse_markdown(text))


def test_text_over_the_limit_is_plain() -> None:
    blocks = parse_markdown("# a\n\n" + "word " * 250_000)
    assert all(isinstance(block, Paragraph) for block in blocks)
    assert max(len(block.spans[0].text) for block in blocks if isinstance(block, Paragraph)) <= 4000


def test_math_block_is_not_cut_by_a_matrix_row() -> None:
    block = parse_markdown("\\[\na \\\\]\n\\]")[0]
    assert isinstance(block, MathBlock | Paragraph)


def test_plain_text_of_blocks() -> None:
    text = blocks_to_plain(
        parse_markdown("# T\n\n- a\n- b\n\n> q\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n---\n\n![i](a.png)")
    )
    assert text == "T\n\n• a\n• b\n\n> q\n\nx\ty\n1\t2\n\n---\n\ni"


@pytest.mark.parametrize("first", ["j", "**b** j", "    code", "- a", "> q", "[ ] t", "# h", "```\nx\n```"])
@pytest.mark.parametrize("outside", ["", "> ", "- "])
def test_a_long_number_is_read_as_a_short_one(first: str, outside: str) -> None:
    """What is two columns to the right of a number belongs to it, and costs none of its first letters."""

    def read(number: str) -> list[tuple[object, ...]]:
        lines = f"{number}{first}\n  - k\n  more\n\nend".split("\n")
        later = "> " if outside == "> " else " " * len(outside)
        text = "\n".join((outside if not place else later) + line for place, line in enumerate(lines))
        return [(kind, depth, words) for kind, depth, _, words in outline(text)]

    for mark in ("10. ", "10) ", "100. ", "1000. ", "12345678. ", "10.\t", "10.  "):
        assert read(mark) == read("1" + mark.lstrip("0123456789"))


@pytest.mark.parametrize("name", ["align", "align*", "equation", "gather*", "alignat"])
def test_a_bare_environment_is_a_formula(name: str) -> None:
    tex = f"\\begin{{{name}}}\na &= b \\\\\nc &= d\n\\end{{{name}}}"
    assert outline(f"So:\n{tex}\nend") == [("P", 0, None, "So:"), ("M", 0, None, tex), ("P", 0, None, "end")]


def test_other_environments_stay_text() -> None:
    text = "\\begin{itemize}\n\\item a\n\\end{itemize}"
    assert outline(text) == [("P", 0, None, text)]
    assert [kind for kind, *_ in outline("\\begin{align}\na\n\nb\n\\end{align}")] == ["P", "P"]


@pytest.mark.parametrize("mark", ["- ", "1. ", "> ", "- [ ] "])
def test_twenty_levels_are_levels(mark: str) -> None:
    if mark == "> ":
        blocks = parse_markdown("> " * 20 + "x")
    else:
        blocks = parse_markdown("\n".join("   " * level + f"{mark}level {level}" for level in range(20)))
    depths = [block.at.list_depth + block.at.quote_depth for block in blocks]
    assert depths == ([20] if mark == "> " else list(range(1, 21)))


TAGS = {"b": "is_bold", "strong": "is_bold", "mark": "is_bold", "i": "is_italic", "em": "is_italic", "u": "is_italic"}


@pytest.mark.parametrize("tag", [*TAGS, "s"])
def test_tags_that_style_words_are_drawn(tag: str) -> None:
    for place in ["{}", "- {}", "> {}", "| {} |\n|---|", "# {}"]:
        (block,) = parse_markdown(place.replace("{}", f"a <{tag}>b</{tag.upper()}> c"))
        spans = block.header[0] if isinstance(block, Table) else block.spans  # type: ignore[union-attr]
        assert [span.text for span in spans] == ["a ", "b", " c"]
        assert [getattr(span, TAGS.get(tag, "is_struck")) for span in spans] == [False, True, False]


LANGUAGES = {
    "{.python .numberLines}": "python", "{#id .py}": "py", "{r, echo=FALSE}": "r", "{=html}": "html",
    "{python}": "python", "js:src/x.js": "js", "python:a.py": "python", "rust,ignore": "rust", "js{1,3}": "js",
    "python title=x": "python",
    "c++": "c++", "c#": "c#", ";": ";", "": "", "{title=x}": "",
}  # fmt: skip


@pytest.mark.parametrize("info", LANGUAGES)
def test_a_fence_names_its_language_in_many_ways(info: str) -> None:
    (block,) = parse_markdown(f"```{info}\nx\n```")
    assert isinstance(block, CodeBlock) and block.language == LANGUAGES[info]
    assert fenced_code(f"```{info}\nx\n```")[0].language == LANGUAGES[info]


LINES = {
    "letter": ["Best regards,", "[Your Name]", "[Your Title]"],
    "letters as numbers": ["a. x", "b. y"],
    "head of a mail": ["From: a@b.example", "To: c@d.example", "Subject: x"],
    "tree": ["src/", "├── a", "└── b"],
    "styled": ["**Name:** x", "*Place:* y"],
    "Chinese": ["静夜思", "床前明月光，"],
    "Arabic": ["مع التحية،", "الاسم"],
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize(("first", "rest"), [("", ""), ("> ", "> "), ("- ", "  "), ("[^1]\n\n[^1]: ", "    ")])
def test_each_line_of_a_paragraph_is_a_line(name: str, first: str, rest: str) -> None:
    lines = LINES[name]
    blocks = parse_markdown(first + f"\n{rest}".join(lines))
    words = ["".join(span.text for span in block.spans) for block in blocks if isinstance(block, Paragraph)]
    shown = [re.sub(r"[*↩]", "", each).rstrip() for each in "\n".join(words).split("\n")]
    expected = [each.replace("*", "") for each in lines]
    assert [each for each in shown if each in expected] == expected
    written = markdown_of(blocks)
    assert "\\\n" not in written and outline_blocks(parse_markdown(written)) == outline_blocks(blocks)


HIDDEN = "a\u200bb\xad \ufeffc\u2028d \x1b]0;t\x07\n\x1b[31mred\x1b[0m\x1b[K\ttab  "


@pytest.mark.parametrize(
    ("text", "shown", "source"),
    [
        ("```\nx\n```", "x", "x\n"),
        ("```\n\nx\n\n\n```", "\nx\n\n", "\nx\n\n\n"),
        ("```\n```", "", ""),
        ("```\nx", "x", "x"),
        ("```\nx\n", "x", "x\n"),
        ("    x\n    y\n", "x\ny", "x\ny\n"),
        ("- a\n  ```\n  x\n    y\n  ```", "x\n  y", "x\n  y\n"),
        (
            f"```\n{HIDDEN}\n```",
            "a⟦U+200B⟧b⟦U+00AD⟧ ⟦U+FEFF⟧c⟦U+2028⟧d ⟦U+001B⟧]0;t⟦U+0007⟧\nred\ttab  ",
            HIDDEN + "\n",
        ),
    ],
)
def test_code_keeps_every_character_of_its_author(text: str, shown: str, source: str) -> None:
    code = next(block for block in parse_markdown(text) if isinstance(block, CodeBlock))
    assert (code.text, code.source) == (shown, source)


@pytest.mark.parametrize("kind", ["NOTE", "tip", "Important", "WARNING", "caution"])
def test_a_callout_names_its_kind_and_keeps_its_blocks(kind: str) -> None:
    first, second, third = parse_markdown(f"> [!{kind}]\n> words\n> ```\n> x\n> ```")
    assert [block.at.callouts for block in (first, second, third)] == [(kind.lower(),)] * 3
    assert [block.at.is_callout_title for block in (first, second, third)] == [True, False, False]
    assert isinstance(first, Paragraph)
    assert first.spans == (Span(kind.capitalize(), is_bold=True),)
    assert isinstance(third, CodeBlock)


@pytest.mark.parametrize(
    "text", ["[!NOTE]\nx", "> \\[!NOTE]\n> x", "> a\n> [!NOTE]", "> [!NOTE](http://a.b)", "> [!NOTES]"]
)
def test_an_unknown_callout_stays_text(text: str) -> None:
    assert not any(block.at.callouts for block in parse_markdown(text))


def tags(text: str) -> list[tuple[str, str]]:
    block = parse_markdown(text)[0]
    assert isinstance(block, Paragraph)
    return [(span.text, span.script + "key" * span.is_key) for span in block.spans]


def test_a_few_tags_are_read_and_no_others() -> None:
    assert tags("H<sub>2</sub>O x<SUP>2</sup>") == [("H", ""), ("2", "sub"), ("O x", ""), ("2", "sup")]
    assert tags("<kbd>**Ctrl**</kbd>") == [("Ctrl", "key")]
    assert tags("a<br>b<br/>c<BR />d") == [("a\nb\nc\nd", "")]
    for text in ("<sub>a", "a</sub>", "<sub x>a</sub>", "<p>a</p>", "<script>a</script>", "<br clear=x>"):
        assert tags(text) == [(text, "")]
    assert tags("<sub><sup>a</sub></sup>") == [("<sup>a", "sub"), ("</sup>", "")]
    assert tags("`<sub>a</sub>`") == [("<sub>a</sub>", "")]


def test_details_fold_what_stands_between_them() -> None:
    blocks = parse_markdown("<details>\n<summary>A `b`</summary>\n\n- c\n- d\n</details>\n\ne")
    assert blocks[0] == Fold("A b", blocks[0].at)
    assert [block.at.is_folded for block in blocks] == [False, True, True, False]
    inner = parse_markdown("<details>\n\n<details>\n\na\n\n</details>\n\nb\n\n</details>\n\nc\n\n</details>")
    assert [type(block).__name__ for block in inner] == ["Fold"] + ["Paragraph"] * 6
    assert [block.at.is_folded for block in inner] == [False, True, True, True, True, False, False]
