"""Numbers under which the model may name the pages that it read."""

from __future__ import annotations

from chatdesk.core.chat.tool_calls.source_numbers import SourceNumbers
from chatdesk.core.domain.tools import ToolResult, ToolSource
from chatdesk.core.rendering.sources import Source


def test_pages_get_numbers_and_keep_them() -> None:
    numbers = SourceNumbers()
    found, stored = numbers.number(
        ToolResult(
            "Two pages:",
            sources=(ToolSource("A", "https://a.test/", "words of a"), ToolSource("B", "https://b.test/")),
        )
    )
    assert found.text == "Two pages:\n\n[1] A\nhttps://a.test/\nwords of a\n\n[2] B\nhttps://b.test/"
    assert stored == {
        "sources": [
            {"number": 1, "title": "A", "url": "https://a.test/"},
            {"number": 2, "title": "B", "url": "https://b.test/"},
        ]
    }
    again, _ = numbers.number(
        ToolResult("", sources=(ToolSource("C", "https://c.test/"), ToolSource("B", "https://b.test/", "all of b")))
    )
    assert again.text == "[3] C\nhttps://c.test/\n\n[2] B\nhttps://b.test/\nall of b"


def test_an_answer_that_goes_on_counts_on() -> None:
    numbers = SourceNumbers((Source(4, "D", "https://d.test/"),))
    found, _ = numbers.number(
        ToolResult("", sources=(ToolSource("E", "https://e.test/"), ToolSource("D", "https://d.test/")))
    )
    assert found.text.startswith("[5] E") and "[4] D" in found.text


def test_bad_links_and_results_without_sources() -> None:
    numbers = SourceNumbers()
    found, stored = numbers.number(ToolResult("x", sources=(ToolSource("J", "javascript:alert(1)", "words"),)))
    assert (found.text, stored) == ("x", {})
    assert numbers.number(ToolResult("plain")) == (ToolResult("plain"), {})
    many = tuple(ToolSource("T", f"https://t.test/{n}") for n in range(100))
    assert len(numbers.number(ToolResult("", sources=many))[1]["sources"]) == 20
