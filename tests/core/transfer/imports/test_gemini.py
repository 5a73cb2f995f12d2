"""Gemini's activities of Google Takeout, and the HTML of their answers."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from chatdesk.core.domain.imported import ImportOutcome
from chatdesk.core.errors import ImportRefused
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.transfer.imports.html_answers import Answer
from tests.helpers.export_samples import PNG, write_json, write_zip
from tests.helpers.import_world import ImportWorld
from tests.helpers.program_exports import gemini_activity, sample_of

_PLACE = "Takeout/My Activity/Gemini Apps/"


async def _brought(world: ImportWorld, rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The texts of each thread; a second import has to add nothing."""
    path = write_json(world.folder / "MyActivity.json", rows)
    await world.service.run(path)
    await world.check()
    assert (await world.service.run(path)).messages == 0
    threads = await world.threads()
    return {title: [each.text for each in await world.shown(key)] for title, key in threads.items()}


async def test_what_was_asked_one_after_the_other_is_a_thread_with_its_files(world: ImportWorld) -> None:
    entries = {
        f"{_PLACE}MyActivity.json": json.dumps(sample_of("gemini")).encode(),
        f"{_PLACE}a.png": PNG,
        "Takeout/My Activity/Search/MyActivity.json": json.dumps(
            [
                {
                    "header": "Search",
                    "title": "Searched for trains",
                    "time": "2026-03-02T09:15:00Z",
                    "products": ["Search"],
                }
            ]
        ).encode(),
    }
    report = await world.service.run(write_zip(world.folder / "takeout.zip", entries))
    threads = await world.threads()
    assert sorted(threads) == ["Another day", "Hi"] and not report.missing_files
    shown = await world.shown(threads["Hi"])
    texts = [each.text for each in shown]
    assert texts == ["Hi", "Hello [there](https://a.example/)", "And then?", "- One **bold**"]
    assert world.blobs.read(shown[2].parts[1].content["sha256"], max_bytes=1000) == PNG
    assert shown[0].created_at == 1_772_410_200_123
    assert [each.name for each in await world.store.projects.list()] == ["Personal", "Gemini"]


async def test_a_newer_export_continues_the_threads(world: ImportWorld) -> None:
    rows = [gemini_activity(minute, f"Prompted Question {minute}", "<p>Yes</p>") for minute in (20, 10)]
    assert await _brought(world, rows) == {"Question 10": ["Question 10", "Yes", "Question 20", "Yes"]}
    rows.insert(0, gemini_activity(40, "Prompted Question 40"))
    path = write_json(world.folder / "MyActivity.json", rows)
    report = await world.service.run(path)
    assert (report.messages, report.counts[ImportOutcome.EXTENDED]) == (1, 1)


async def test_activities_of_one_chat_are_together_where_its_address_is_known(world: ImportWorld) -> None:
    def at(minute: int, chat: str) -> dict[str, Any]:
        return gemini_activity(minute, f"Prompted {minute}", titleUrl=f"https://gemini.google.com/app/{chat}")

    found = await _brought(world, [at(900, "aaaa1111"), at(2, "bbbb2222"), at(1, "aaaa1111")])
    assert found == {"1": ["1", "900"], "2": ["2"]}


@pytest.mark.parametrize(
    ("row", "texts"),
    [
        (gemini_activity(1, "Asked Bard: Why?", "<p>So</p>"), ["Why?", "So"]),
        (gemini_activity(1, "Prompted with: Why?"), ["Why?"]),
        (gemini_activity(1, "Eingegebener Prompt: Warum?"), ["Eingegebener Prompt: Warum?"]),
        (gemini_activity(1, "質問: なぜ", header="Gemini アプリ", products=["Gemini アプリ"]), ["質問: なぜ"]),
        (gemini_activity(1, "Prompted Why\nnot?"), ["Why\nnot?"]),
        (
            gemini_activity(1, "Prompted X", subtitles=[{"name": "An answer"}, {"name": "Attached 1 file."}]),
            ["X", "An answer"],
        ),
        (gemini_activity(1, "Used an image", "<p>Seen</p>"), ["Used an image", "Seen"]),
        (gemini_activity(1, "Prompted X", time="no time"), ["X"]),
    ],
)
async def test_every_word_of_an_activity_comes_along(world: ImportWorld, row: dict[str, Any], texts: list[str]) -> None:
    assert list((await _brought(world, [row])).values()) == [texts]


async def test_an_activity_without_text_makes_no_message(world: ImportWorld) -> None:
    rows = [gemini_activity(2, "Prompted X"), gemini_activity(1, "Gave feedback: Good response")]
    assert await _brought(world, rows) == {"X": ["X"]}


@pytest.mark.parametrize("name", ["MyActivity.html", "takeout.zip"])
async def test_a_page_is_told_from_the_data(world: ImportWorld, name: str) -> None:
    page = b"<html><body><div class='outer-cell'>Prompted Hi</div></body></html>"
    path = world.folder / name
    if name.endswith(".zip"):
        write_zip(path, {f"{_PLACE}MyActivity.html": page})
    else:
        path.write_bytes(page)
    with pytest.raises(ImportRefused, match="page to be read") as caught:
        await world.service.run(path)
    assert "JSON" in caught.value.next_step


_HTML = {
    "<p>one</p><p>two<br>three</p>": "one\n\ntwo\nthree",
    "a &lt;b&gt; &amp;amp; 1 * 2 * 3": "a \\<b> \\&amp; 1 * 2 * 3",
    "<h2>Title</h2>text": "## Title\n\ntext",
    "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>": "- a\n- b\n  - c",
    '<ol start="3"><li><p>a</p></li><li>b</li></ol>': "3. a\n4. b",
    '<pre><code class="language-python">if a &lt; b:\n    pass\n</code></pre>': "```python\nif a < b:\n    pass\n```",
    "<code>x</code> <b>b</b> <i>i</i> <s>s</s>": "`x` **b** *i* ~~s~~",
    "<blockquote><p>q</p></blockquote>": "> q",
    "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td></tr></table>": "| A | B |\n| --- | --- |\n| 1 |  |",
    "<p>a</p><hr><p>b</p>": "a\n\n***\n\nb",
    "<script>bad()</script><style>p{}</style>ok<!-- no -->": "ok",
    "<unknown-tag>words</unknown-tag> < 3 and <3": "words < 3 and <3",
    "x &#99999999999999999999;": "x \ufffd",
    "": "",
}


@pytest.mark.parametrize("html", _HTML)
def test_html_becomes_markdown(html: str) -> None:
    assert Answer(html).text.replace("|:--|", "| --- |") == _HTML[html]


def test_no_word_of_any_html_is_lost() -> None:
    tags = ["p", "b", "pre", "code", "li", "ul", "ol", "td", "tr", "table", "h1", "a href='x'", "blockquote", "br", "x"]
    chance = random.Random(5)
    for _ in range(300):
        pieces: list[str] = []
        for number in range(chance.randrange(1, 30)):
            pieces.append(f" word{number}x ")
            pieces.append(f"<{chance.choice(['', '', '/'])}{chance.choice(tags)}>")
        text = Answer("".join(pieces)).text
        assert all(each.strip() in text for each in pieces if "word" in each), "".join(pieces)
        parse_markdown(text)


_PIECES = (
    "<", "<a ", "<a b='", '<a b="', "<!--", "</b>", "<b>x", "<ul><li>x", "<table><tr>", "<tr><td>x", "<pre>", "&", "&#",
    "<p>*x", "<blockquote>x", "<i><b>x</i> ",
)  # fmt: skip


def _took_s(html: str) -> float:
    began = time.process_time()
    Answer(html)
    return time.process_time() - began


@pytest.mark.parametrize("piece", _PIECES)
def test_the_time_that_html_takes_grows_with_its_length(piece: str) -> None:
    assert _took_s(piece * 16_000) < 8 * 5 * _took_s(piece * 2_000) + 0.5


def test_a_table_is_not_made_larger_than_it_is() -> None:
    html = f"<table><tr>{'<td>' * 60}</tr>{'<tr><td>x' * 5_000}</table>"
    assert len(Answer(html).text) < 2 * len(html)


def test_html_beyond_the_limit_stays_html(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatdesk.core.transfer.imports.html_answers._LONGEST", 10)
    assert Answer("<p>all of it</p>").text == "```html\n<p>all of it</p>\n```"


async def test_thousands_of_digits_cost_nothing(world: ImportWorld) -> None:
    digits = "&#" + "9" * 6_000 + ";"
    assert (await _brought(world, [gemini_activity(1, "Prompted X", f"<p>a {digits} b</p>")]))["X"][1].endswith("b")
