"""The sources of an answer: a numbered list of links of which nothing is believed."""

from __future__ import annotations

from typing import Any

import pytest

from chatdesk.core.domain.message import Part, PartType
from chatdesk.core.rendering.blocks import Paragraph
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.markdown_writer import markdown_of
from chatdesk.core.rendering.sources import Source, source_blocks, sources_of


def result(*rows: Any, index: int = 0, kind: PartType = PartType.TOOL_RESULT) -> Part:
    return Part(f"p{index}", "m", index, kind, {"text": "", "sources": list(rows)})


def row(number: Any, url: Any = "https://a.test/", title: Any = "A") -> dict[str, Any]:
    return {"number": number, "title": title, "url": url}


def test_they_come_in_the_order_of_their_numbers() -> None:
    first = result(row(3, "https://c.test/"), row(1))
    second = result(row(2, "https://b.test/"), row(9, "https://a.test/"), row(1, "https://d.test/"), index=1)
    assert [(each.number, each.url) for each in sources_of((first, second))] == [
        (1, "https://a.test/"),
        (2, "https://b.test/"),
        (3, "https://c.test/"),
        (4, "https://d.test/"),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "mailto:a@b.test",
        "https://good.com@evil.test/",
        "https://a b/",
        "https://evil.test/\u202egnp.exe",
        "https://a\\b.test",
        "https://",
        "//a.test/",
        "https://a.test/" + "x" * 5_000,
        5,
        None,
    ],
)
def test_links_that_hide_something_are_left_out(url: Any) -> None:
    assert sources_of((result(row(1, url)),)) == ()


@pytest.mark.parametrize(
    "rows", [[7], [None], [{}], [row("1")], [row(True)], [row(0)], [row(-1)], [row(10_000)], [row(1, title=5)], "x", {}]
)
def test_rows_in_another_form_are_left_out(rows: Any) -> None:
    part = Part("p", "m", 0, PartType.TOOL_RESULT, {"text": "", "sources": rows})
    assert sources_of((part,)) == ()
    assert sources_of((result(row(1), kind=PartType.REASONING),)) == ()


def test_there_are_at_most_200() -> None:
    parts = [
        result(*(row(n, f"https://a.test/{n}") for n in range(20 * k + 1, 20 * k + 60)), index=k) for k in range(30)
    ]
    assert len(sources_of(parts)) == 200


def test_a_hostile_title_is_one_line_that_hides_nothing() -> None:
    title = "Bank\u202e\n\n# moc.knab\x1b[31m\u200b https://bank.example"
    (source,) = sources_of((result(row(1, "https://evil.test/a", title)),))
    assert source.title == "Bank⟦U+202E⟧ # moc.knab⟦U+001B⟧[31m⟦U+200B⟧ https://bank.example"
    assert source.host == "evil.test"
    (long,) = sources_of((result(row(1, title="y" * 100_000)),))
    assert len(long.title) == 200
    (empty,) = sources_of((result(row(1, title="  ")),))
    assert empty.title == "https://a.test/"


def test_letters_that_look_like_others_are_spelt() -> None:
    assert Source(1, "x", "https://аpple.com/").host == "xn--pple-43d.com"


def test_markdown_of_the_list_is_that_list() -> None:
    """Nothing in a title becomes markup, or another link."""
    title = "a](https://evil.test) **b** <script> `c` [d]"
    blocks = source_blocks((Source(2, title, "https://a.test/(x)_y"), Source(3, "Second", "https://b.test/")))
    read = [each for each in parse_markdown(markdown_of(blocks)) if isinstance(each, Paragraph)]
    assert ["".join(span.text for span in each.spans) for each in read] == [
        "Sources",
        f"{title} · a.test",
        "Second · b.test",
    ]
    assert [each.at.marker for each in read] == [None, "2.", "3."]
    assert {span.href for each in read for span in each.spans} == {None, "https://a.test/(x)_y", "https://b.test/"}
    assert source_blocks(()) == ()
