"""Asking each rule of inline Markdown only at its letters gives what asking all rules everywhere gives."""

from __future__ import annotations

import random
from functools import partial

import pytest
from markdown_it.parser_inline import ParserInline

from chatdesk.core.rendering.inline_rules import MAX_TAG_CHARS
from chatdesk.core.rendering.markdown import parse_markdown, parser

PIECES = (
    *("**", "*", "_", "__", "`", "``", "~~", "~", "[", "](http://a.b/c)", "]", "![", "![x](y.png)", "[a]", "[^1]"),
    *("<br>", "<sub>", "</sub>", "<kbd>", "<http://x.y>", "<", ">", "&amp;", "&", "\\", "\\*", "\\(", "\\)"),
    *("$x$", "$$", "$", "\\begin{align}x\\end{align}", "https://a.bc/d_e", "http://", "www.a.de", "m@x.org", ":"),
    *("\n", "\n\n", "  \n", "- ", "> ", "# h", "word", "two words", "日本語", "，", "é", "\u200b", "\t", "😀"),
    *("!", "#", "%", "+", "-", "=", "@", "^", "{", "}", "(", ")", '"', "'", "\n\n[^1]: note", "\n[a]: http://q.r\n"),
)


@pytest.mark.parametrize("seed", range(4))
def test_rules_that_are_asked_by_letter_find_what_all_rules_find(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    texts = ["".join(chance.choices(PIECES, k=chance.randint(1, 30))) for _ in range(300)]
    texts.append("**a *b " * 40 + "c* d**" * 40)  # deeper than rules are asked
    found = [parse_markdown(text) for text in texts]
    inline = parser().inline
    monkeypatch.setattr(inline, "tokenize", partial(ParserInline.tokenize, inline))
    assert found == [parse_markdown(text) for text in texts]


def test_signs_that_begin_nothing_stay_text() -> None:
    words = "a-b = {c} + d@ # % ^ > ] e" + "-" * MAX_TAG_CHARS
    (paragraph,) = parse_markdown(words)
    assert [span.text for span in paragraph.spans] == [words]  # type: ignore[union-attr]
