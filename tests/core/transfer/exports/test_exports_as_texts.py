"""Markdown and HTML: names of files, attachments beside, everything inside, and nothing hostile comes through."""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import json
import random
import re
import zipfile
from array import array
from contextlib import closing
from html.parser import HTMLParser
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatdesk.core.domain.exports import Choice, ExportFormat, ExportReport
from chatdesk.core.domain.message import Status
from chatdesk.core.errors import ExportFailed
from chatdesk.core.ids import new_id
from chatdesk.core.links import link_to_passage
from chatdesk.core.rendering.blocks import CodeBlock, Drawing, DrawnWords, Paragraph, Placement, Span
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.core.rendering.sources import numbered
from chatdesk.core.system.file_writing import write_failure
from chatdesk.core.transfer.exports.blocks import BlockSource
from chatdesk.core.transfer.exports.export import when
from chatdesk.core.transfer.exports.export_service import ExportService
from chatdesk.core.transfer.exports.files import UniqueNames, safe_file_name, safe_name
from chatdesk.core.transfer.exports.html_blocks import HtmlBlocks
from chatdesk.services.parts import printing_command
from chatdesk.ui.theme.tokens import DARK, LIGHT
from tests.helpers.hostile_text import PATTERNS
from tests.helpers.store import PLAN, Store
from tests.helpers.thought_tags import FOLDED
from tests.helpers.typed_lines import TYPED, check_lines, text_of_page
from tests.helpers.waiting import until

ROOT = Path(__file__).parents[4]
PNG = b"\x89PNG\r\n\x1a\n not really"
SHA = hashlib.sha256(PNG).hexdigest()


async def _attach(store: Store, message_id: str, name: str, mime: str = "image/png", kind: str = "image") -> None:
    content = json.dumps({"name": name, "mime": mime, "sha256": SHA, "size_bytes": len(PNG)})
    await store.db.write(
        lambda conn: conn.exec_driver_sql(
            "INSERT INTO message_parts (id, message_id, part_index, type, content) VALUES (?, ?, 9, ?, ?)",
            (new_id(), message_id, kind, content),
        )
    )
    path = store.path.parent / "blobs" / SHA[:2] / SHA
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PNG)


async def _html(store: Store, service: ExportService, text: str, folder: Path) -> str:
    thread = await store.thread("A <b>title</b>")
    _, answer, _ = await store.messages.add_question(thread, text, with_answer=None)
    assert answer is None
    target = folder / "out.html"
    await service.export(Choice(thread_ids=(thread,)), ExportFormat.HTML, target)
    return target.read_text("utf-8")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


_ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "main", "article", "h1", "h2", "h3", "h4", "h5", "h6", "p",
    "span", "a", "strong", "em", "s", "code", "pre", "br", "ul", "ol", "li", "blockquote", "table", "thead", "tbody",
    "tr", "th", "td", "hr", "sup", "figure", "div", "details", "summary", "img", "svg", "path", "picture", "source",
}  # fmt: skip


def _check_page(page: str) -> None:
    parsed = _Tags()
    parsed.feed(page)
    for tag, attributes in parsed.tags:
        assert tag in _ALLOWED, tag
        for name, value in attributes.items():
            assert not name.startswith("on"), name
            if name in ("src", "srcset"):
                assert (value or "").startswith("data:image/"), value
            if name == "href":
                assert re.match(r"https?://|mailto:|#m\d", value or ""), value


async def test_a_page_holds_everything_and_fetches_nothing(
    store: Store, service: ExportService, tmp_path: Path
) -> None:
    thread = await store.thread("A <b>title</b>")
    code, table = "```python\nprint('<script>')\n```", "| a |\n|--:|\n| `1` |"
    text = f"**bold** $x^2$\n\n{code}\n\n{table}\n\n- [x] done\n\nnote[^1]\n\n[^1]: here"
    question, answer = await store.ask(thread, text)
    await _attach(store, question, 'x" onerror="alert(1)')
    await _attach(store, answer, "report.svg", "image/svg+xml")
    target = tmp_path / "out.html"
    report = await service.export(Choice(thread_ids=(thread,)), ExportFormat.HTML, target)
    page = target.read_text("utf-8")
    _check_page(page)
    assert (report.messages, report.attachments, report.missing) == (2, 2, 0)
    assert "<title>A &lt;b&gt;title&lt;/b&gt;</title>" in page
    assert "default-src 'none'" in page
    assert "<strong>bold</strong>" in page
    assert '<svg class="math"' in page
    assert '<span class="k-' in page
    assert "&lt;script&gt;" in page
    assert "data:image/png;base64,iVBORw0KGgo" in page
    assert "Image: report.svg" in page
    assert '<td align="right"><code>1</code></td>' in page
    assert "☑ done" in page
    assert re.search(r'href="#(m1-0-fn-1)"', page)
    assert 'id="m1-0-fn-1"' in page


async def _text_of_pdf(path: Path) -> str:
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


@pytest.mark.parametrize("kind", [ExportFormat.MARKDOWN, ExportFormat.HTML, ExportFormat.PDF, ExportFormat.JSON])
async def test_sources_stand_below_the_answer(store: Store, tmp_path: Path, kind: ExportFormat) -> None:
    thread = await store.thread("Tides")
    _, answer = await store.ask(thread, "At noon [1].")
    rows = [
        {"number": 1, "title": "Tide <b>tables</b>\u202e", "url": "https://harbour.test/tides"},
        {"number": 2, "title": "bank.example", "url": "https://evil.test/"},
        {"number": 3, "title": "x", "url": "javascript:alert(1)"},
    ]
    content = json.dumps({"text": "found", "sources": rows})
    await store.db.write(
        lambda conn: conn.exec_driver_sql(
            "INSERT INTO message_parts (id, message_id, part_index, type, content) VALUES (?, ?, 9, 'tool_result', ?)",
            (new_id(), answer, content),
        )
    )
    service = ExportService(store.path, store.path.parent / "blobs", store.clock, printing=printing_command())
    target = tmp_path / "out"
    await service.export(Choice(thread_ids=(thread,)), kind, target)
    if kind is ExportFormat.PDF:
        text = await _text_of_pdf(target)
        assert "Sources" in text and "harbour.test" in text and "evil.test" in text
        return
    text = target.read_text("utf-8")
    if kind is ExportFormat.JSON:
        (part,) = (
            each for each in json.loads(text)["threads"][0]["messages"][1]["parts"] if "sources" in each["content"]
        )
        assert part["content"]["sources"] == rows
        return
    assert text.index("At noon [1].") < text.index("Sources") < text.index("https://harbour.test/tides")
    assert "· evil.test" in text and "javascript:" not in text and "\u202e" not in text
    if kind is ExportFormat.HTML:
        _check_page(text)
        assert '<a href="https://harbour.test/tides"' in text and "&lt;b&gt;" in text


_PASSAGES = (
    ("Guide.pdf, page 4 — Paid leave", link_to_passage(new_id(), "Guide.pdf", 10, 50)),
    ("travel.md", link_to_passage(new_id(), "travel.md", 0, 9)),
)


@pytest.mark.parametrize("kind", list(ExportFormat))
@pytest.mark.parametrize("count", [0, 1, 2])
async def test_passages_of_files_are_numbered_sources(
    store: Store, tmp_path: Path, kind: ExportFormat, count: int
) -> None:
    thread = await store.thread("Leave")
    _, answer = await store.ask(thread, "Thirty days [1].")
    rows = [each.as_content() for each in numbered(_PASSAGES[:count])]
    content = json.dumps({"text": "", "sources": rows} if rows else {"text": ""})
    await store.db.write(
        lambda conn: conn.exec_driver_sql(
            "INSERT INTO message_parts (id, message_id, part_index, type, content) VALUES (?, ?, 9, 'text', ?)",
            (new_id(), answer, content),
        )
    )
    service = ExportService(store.path, store.path.parent / "blobs", store.clock, printing=printing_command())
    target = tmp_path / "out"
    await service.export(Choice(thread_ids=(thread,)), kind, target)
    text = await _text_of_pdf(target) if kind is ExportFormat.PDF else target.read_text("utf-8")
    if kind is ExportFormat.JSON:
        parts = json.loads(text)["threads"][0]["messages"][1]["parts"]
        assert [each["content"]["sources"] for each in parts if "sources" in each["content"]] == (
            [rows] if rows else []
        )
        return
    assert ("Sources" in text) == bool(count)
    text = "".join(text.split())
    named = [at for at, (title, _) in enumerate(_PASSAGES) if "".join(title.split()) in text]
    assert len(rows) == count and named == list(range(count))
    if kind is ExportFormat.MARKDOWN:
        assert all(f"{number}.[" in text for number in range(1, count + 1))


async def test_tags_of_thoughts_are_words_in_a_question(store: Store, service: ExportService, tmp_path: Path) -> None:
    thread = await store.thread("Tags")
    await store.messages.add_question(thread, "\n\n".join(FOLDED), with_answer=None)
    await service.export(Choice(thread_ids=(thread,)), ExportFormat.HTML, tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text("utf-8")
    assert page.count("They greet.") == len(FOLDED) and page.count("&lt;/think&gt;") == 4 and "<details" not in page


@pytest.mark.parametrize("kind", [ExportFormat.MARKDOWN, ExportFormat.HTML, ExportFormat.PDF, ExportFormat.JSON])
async def test_every_export_keeps_the_lines_that_were_typed(store: Store, tmp_path: Path, kind: ExportFormat) -> None:
    service = ExportService(store.path, store.path.parent / "blobs", store.clock, printing=printing_command())
    for number, (name, (typed, _lines)) in enumerate(TYPED.items()):
        thread = await store.thread(name)
        await store.messages.add_question(thread, typed, with_answer=None)
        target = tmp_path / f"out{number}"
        await service.export(Choice(thread_ids=(thread,)), kind, target)
        if kind is ExportFormat.PDF:
            # So pypdf reads the marks of fences in the font of code.
            check_lines(name, (await _text_of_pdf(target)).replace("\b", "`"))
            continue
        text = target.read_text("utf-8")
        if kind is ExportFormat.JSON:
            text = json.loads(text)["threads"][0]["messages"][0]["parts"][0]["content"]["text"]
        elif kind is ExportFormat.HTML:
            assert text.count("<pre>") == name.startswith("a file"), "a file is one block"
            text = text_of_page(text)
        check_lines(name, text)


@pytest.mark.parametrize("name", sorted(PATTERNS)[::9])
async def test_hostile_text_becomes_letters(store: Store, service: ExportService, tmp_path: Path, name: str) -> None:
    text = PATTERNS[name](random.Random(1), 5_000)
    _check_page(await _html(store, service, text or "x", tmp_path))


async def test_active_content_in_every_place_is_escaped(store: Store, service: ExportService, tmp_path: Path) -> None:
    text = (
        "<script>alert(1)</script> [x](javascript:alert(1)) ![x](file:///etc/passwd) ![x](https://x.org/a.png)\n\n"
        '```<img src=x onerror=alert(1)>\n</code></pre><script>\n```\n\n[y](https://x.org/"onclick="a)\n'
    )
    page = await _html(store, service, text, tmp_path)
    _check_page(page)
    assert "<script" not in page
    assert "javascript:" not in page.replace("javascript:alert(1))", "")


def test_the_colours_of_a_page_are_the_windows() -> None:
    style = (ROOT / "resources" / "export.css").read_text("utf-8")
    for tokens in (LIGHT, DARK):
        for colour in (tokens.background, tokens.text, tokens.muted, tokens.code, tokens.accent, tokens.syntax.keyword):
            assert colour in style
    assert "url(" not in style
    assert "@import" not in style


@given(st.text(alphabet="ab*_`[]()<>#-1. \n>|:$!^\\\"'&", max_size=200))
def test_any_text_makes_balanced_harmless_html(text: str) -> None:
    for is_for_print in (False, True):
        made = HtmlBlocks("m1-", is_for_print=is_for_print).html(parse_markdown(text))
        assert "<script" not in made
        open_tags: list[str] = []
        for slash, tag in re.findall(r"<(/?)([a-z0-9]+)[^>]*>", made):
            if tag in ("br", "hr", "img", "path"):
                continue
            if slash:
                assert open_tags.pop() == tag
            else:
                open_tags.append(tag)
        assert open_tags == []


def test_texts_are_parsed_ahead_and_no_more_of_them_than_memory_has_room_for() -> None:
    announced = 0

    def texts_of(number: int) -> list[str]:
        nonlocal announced
        announced = number
        return [f"**{number}**"] * (number % 3)

    with closing(BlockSource()) as source:
        for number in islice(source.read_ahead(count(), texts_of, is_answer=bool), 200):
            assert number + 10 < announced < number + 100
            for _ in range(number % 3):
                assert source.blocks(f"**{number}**", is_answer=True) == parse_markdown(f"**{number}**")


def test_a_text_that_was_not_announced_is_parsed_all_the_same() -> None:
    with closing(BlockSource()) as source:
        for number in source.read_ahead(range(20), lambda number: [f"text {number}"], is_answer=bool):
            assert source.blocks("*another*", is_answer=True) == parse_markdown("*another*")
            assert source.blocks(f"text {number}", is_answer=True) == parse_markdown(f"text {number}")


def test_lists_nest_and_go_on() -> None:
    made = HtmlBlocks("").html(parse_markdown("3. a\n   - b\n\n     more\n4. c\n\n> - q\n"))
    assert '<ol start="3"><li value="3"><p>a</p>\n<ul><li><p>b</p>\n<p>more</p>\n</li></ul></li><li value="4">' in made
    assert "<blockquote><ul><li><p>q</p>" in made


def test_a_formula_is_a_picture_by_name_for_print() -> None:
    drawing = Drawing(10, 5, 2, "MLZ", array("i", (0, 1, 2, 3)).tobytes())
    block = Paragraph((Span("x^2", is_math=True, drawing=drawing),), Placement())
    assert '<img src="formula:' in HtmlBlocks("", is_for_print=True).html([block])
    assert 'd="M0 1L2 3Z"' in HtmlBlocks("").html([block])


def test_words_of_a_formula_that_have_no_outline_are_text_in_a_page() -> None:
    points = array("i", (0, 1, 2, 3)).tobytes()
    words = (DrawnWords("<速度>", 100, 7, 50, 256), DrawnWords("红", 0, 0, 10, 179, "deleted"))
    made = HtmlBlocks("").html(
        [Paragraph((Span("x", is_math=True, drawing=Drawing(10, 5, 2, "MLZ", points, words=words)),), Placement())]
    )
    assert 'd="M0 1L2 3Z"' in made
    assert '<text x="125" y="7" text-anchor="middle" font-size="256" fill="currentColor">&lt;速度&gt;</text>' in made
    assert '<text class="k-deleted" x="5" y="0"' in made


@pytest.mark.parametrize("language", ["mermaid", "svg"])
def test_a_diagram_is_a_picture_in_print_as_on_a_page(language: str) -> None:
    block = CodeBlock(language, "source", pictures=(b"light", b"dark"))
    assert "bGlnaHQ=" in HtmlBlocks("").html([block])
    assert '<img src="drawing:bGlnaHQ="' in HtmlBlocks("", is_for_print=True).html([block])
    assert "source" in HtmlBlocks("", is_for_print=True).html([CodeBlock(language, "source")])


async def test_markdown_has_its_attachments_beside(store: Store, service: ExportService, tmp_path: Path) -> None:
    thread = await store.thread("Trip")
    question, answer = await store.ask(thread, "look")
    await _attach(store, question, "../../evil [1].png")
    await _attach(store, answer, "report.pdf", "application/pdf", "file")
    target = tmp_path / "Trip.md"
    report = await service.export(Choice(thread_ids=(thread,)), ExportFormat.MARKDOWN, target)
    text = target.read_text("utf-8")
    files = sorted(path.name for path in (tmp_path / "Trip-files").iterdir())
    assert (report.attachments, report.missing) == (1, 0)
    assert files == ["evil 1.png"] or files == [".. .. evil 1.png"] or len(files) == 1
    assert (tmp_path / "Trip-files" / files[0]).read_bytes() == PNG
    assert "](Trip-files/" in text
    assert not list(tmp_path.parent.glob("evil*"))


async def test_missing_bytes_are_named_and_counted(store: Store, service: ExportService, tmp_path: Path) -> None:
    thread = await store.thread()
    question, _ = await store.ask(thread)
    await _attach(store, question, "a_b[1].png")
    (store.path.parent / "blobs" / SHA[:2] / SHA).write_bytes(b"damaged")
    target = tmp_path / "t.md"
    report = await service.export(Choice(thread_ids=(thread,)), ExportFormat.MARKDOWN, target)
    assert report.missing == 1
    assert "*Image: a\\_b\\[1\\].png*" in target.read_text("utf-8")
    assert not (tmp_path / "t-files").exists()


_DAMAGES = {
    "missing": "is missing",
    "flipped": "is not what was saved",
    "cut": "is not what was saved",
    "linked": "is a link to another file",
}


@pytest.mark.parametrize("damage", _DAMAGES)
@pytest.mark.parametrize("kind", ["md", "html", "json", "zip"])
async def test_what_is_not_what_was_saved_is_named_and_never_packed(
    store: Store, service: ExportService, tmp_path: Path, kind: str, damage: str
) -> None:
    thread = await store.thread()
    question, _ = await store.ask(thread)
    await _attach(store, question, "photo.png")
    blob = store.path.parent / "blobs" / SHA[:2] / SHA
    if damage == "flipped":
        blob.write_bytes(bytes([PNG[0] ^ 1]) + PNG[1:])
    elif damage == "cut":
        blob.write_bytes(PNG[:-1])
    else:
        blob.unlink()
    if damage == "linked":
        (tmp_path / "other").write_bytes(PNG)
        blob.symlink_to(tmp_path / "other")
    target = tmp_path / "out" / f"t.{kind}"
    target.parent.mkdir()
    report = await service.export(
        Choice(thread_ids=(thread,)), ExportFormat.JSON if kind in ("json", "zip") else ExportFormat(kind), target
    )
    assert (report.attachments, report.missing) == (0, 1)
    assert report.lost == (f"“photo.png” {_DAMAGES[damage]}.",)
    assert report.lost[0] in report.sentence
    if kind == "zip":
        with zipfile.ZipFile(target) as archive:
            assert archive.namelist() == ["chatdesk.json"]
            assert json.loads(archive.read("chatdesk.json"))["attachments"][0]["is_missing"] is True
    else:
        assert [path.name for path in target.parent.rglob("*")] == [target.name]
        assert base64.b64encode(PNG[:9]).decode() not in target.read_text("utf-8")


async def test_projects_are_folders_and_equal_titles_get_numbers(
    store: Store, service: ExportService, tmp_path: Path
) -> None:
    other = (await store.projects.create("Work/../x", "#112233")).id
    for title in ("Same", "same", "CON", "..", "a/b"):
        await store.ask(await store.thread(title))
    await store.threads.create(other, "There", provider=None, model=None)
    report = await service.export(Choice(), ExportFormat.MARKDOWN, tmp_path)
    names = {str(path.relative_to(report.path)) for path in report.path.rglob("*.md")}
    assert len(names) == 6
    assert any(name.endswith("Same.md") for name in names)
    assert any(name.endswith("same (2).md") for name in names)
    assert any(name.endswith("a b.md") for name in names)
    assert any(name.startswith("Work .. x/") for name in names)
    assert report.path.parent == tmp_path


async def test_a_page_that_is_written_in_many_pieces_is_whole_and_in_order(
    store: Store, service: ExportService, tmp_path: Path
) -> None:
    thread = await store.thread()
    for number in range(6):
        await store.messages.add_question(
            thread, f"begin{number} " + "words " * 20_000 + f"end{number}", with_answer=None
        )
    await service.export(Choice(thread_ids=(thread,)), ExportFormat.HTML, tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text("utf-8")
    marks = re.findall(r"<h1>|begin\d|end\d|</html>", page)
    assert marks == ["<h1>", *(f"{mark}{number}" for number in range(6) for mark in ("begin", "end")), "</html>"]


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01 00:00 UTC"),
        (59_999, "1970-01-01 00:00 UTC"),
        (-1, "1969-12-31 23:59 UTC"),
        (10**18, "at an unknown time"),
    ],
)
def test_times_are_told_by_the_minute(milliseconds: int, text: str) -> None:
    assert when(milliseconds) == text


async def test_an_answer_that_failed_says_so(store: Store, service: ExportService, tmp_path: Path) -> None:
    thread = await store.thread()
    question, _, _ = await store.messages.add_question(thread, "q", with_answer=None)
    pending, _ = await store.messages.add_answer(question.id, PLAN)
    await store.answer(pending.id, "half", Status.STOPPED)
    await service.export(Choice(thread_ids=(thread,)), ExportFormat.HTML, tmp_path / "x.html")
    assert "This answer was stopped." in (tmp_path / "x.html").read_text("utf-8")


async def test_a_printing_process_that_fails_has_words_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    thread = await store.thread()
    await store.ask(thread, "x" * 200_000)
    for command in (["false"], ["sh", "-c", "echo 'chatdesk: no room' >&2; exit 1"]):
        service = ExportService(store.path, tmp_path, store.clock, printing=command)
        with pytest.raises(ExportFailed, match="PDF"):
            await service.export(Choice(thread_ids=(thread,)), ExportFormat.PDF, tmp_path / "x.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


async def test_a_printing_process_that_hangs_ends_when_the_export_is_given_up(store: Store, tmp_path: Path) -> None:
    thread = await store.thread()
    await store.ask(thread)
    started = tmp_path / "data" / "started"
    hanging = ["sh", "-c", f"touch '{started}'; exec sleep 100"]
    service = ExportService(store.path, tmp_path, store.clock, printing=hanging)
    task = asyncio.ensure_future(service.export(Choice(thread_ids=(thread,)), ExportFormat.PDF, tmp_path / "x.pdf"))
    await until(started.exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 60)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@given(st.text(max_size=300))
def test_names_are_safe_on_every_system(title: str) -> None:
    for name in (safe_name(title), safe_file_name(title)):
        assert name
        assert len(name.encode()) <= 140
        assert not set(name) & set('/\\:*?"<>|\0\n')
        assert name not in (".", "..")
        assert not name.endswith((" ", "."))
        assert name.split(".")[0].lower() not in ("con", "nul", "aux")


def test_names_are_given_once_whatever_their_capitals() -> None:
    names = UniqueNames()
    assert [names.unique(stem, ".md") for stem in ("a", "A", "a")] == ["a.md", "A (2).md", "a (3).md"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EACCES, "may not be written"),
        (errno.EROFS, "may not be written"),
        (errno.ENOENT, "is not there"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.EIO, "could not be written"),
    ],
)
def test_each_trouble_of_a_disk_has_its_words(number: int, words: str) -> None:
    error: Any = write_failure(OSError(number, "x"), Path("/somewhere/a.md"))
    assert words in error.sentence
    assert "nothing half-written was left" in error.sentence


def test_a_report_says_how_much_came() -> None:
    assert ExportReport(Path("a.md"), 1, 2).sentence == "Exported 1 thread to a.md."
    assert "2 attachments are missing" in ExportReport(Path("a"), 1200, 2, 0, 2).sentence


async def test_thoughts_and_tools_are_folded_in_pages_and_shown_in_print(
    store: Store, service: ExportService, tmp_path: Path
) -> None:
    thread = await store.thread()
    _, answer = await store.ask(thread)
    parts = (
        ("reasoning", {"text": "think **hard**"}),
        ("tool_call", {"name": "look\nup", "arguments": '{"a": "<b>"}'}),
        ("tool_result", {"text": "seen </code>"}),
    )

    def work(conn: Any) -> None:
        for number, (kind, content) in enumerate(parts, start=5):
            conn.exec_driver_sql(
                "INSERT INTO message_parts (id, message_id, part_index, type, content) VALUES (?, ?, ?, ?, ?)",
                (new_id(), answer, number, kind, json.dumps(content)),
            )

    await store.db.write(work)
    target = tmp_path / "x.html"
    await service.export(Choice(thread_ids=(thread,)), ExportFormat.HTML, target)
    page = target.read_text("utf-8")
    _check_page(page)
    assert page.count("<details>") == 3
    assert "<summary>Tool call look up</summary>" in page
    assert "seen &lt;/code&gt;" in page
    printed = tmp_path / "lines"
    printing = ["sh", "-c", f'cat > "{printed}"']
    paper = ExportService(store.path, store.path.parent / "blobs", store.clock, printing=printing)
    await paper.export(Choice(thread_ids=(thread,)), ExportFormat.PDF, tmp_path / "x.pdf")
    lines = [json.loads(line) for line in printed.read_text("utf-8").splitlines()]
    assert lines[0]["title"] == "A thread"
    assert "<details>" not in lines[-1]["html"]
    assert "Tool result" in lines[-1]["html"]


async def test_a_pdf_is_written_where_a_relative_path_leads_from_here(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    (here / "docs").mkdir(parents=True)
    monkeypatch.chdir(here)
    thread = await store.thread()
    await store.ask(thread)
    beside_the_package = set(ROOT.rglob("*.part"))
    service = ExportService(store.path, tmp_path, store.clock, printing=printing_command())
    report = await service.export(Choice(thread_ids=(thread,)), ExportFormat.PDF, Path("docs/rel.pdf"))
    assert (here / "docs" / "rel.pdf").read_bytes().startswith(b"%PDF-")
    assert (report.path, report.messages) == (Path("docs/rel.pdf"), 2)
    assert [path.name for path in (here / "docs").iterdir()] == ["rel.pdf"]
    assert set(ROOT.rglob("*.part")) == beside_the_package


MISLEADING = (
    "See [https://bank.example/**login**](http://127.0.0.1/phish), [bank.example][r] and [words](https://a.b).\n\n"
    "[r]: https://evil.test"
)


async def test_exports_show_where_a_misleading_link_leads_as_the_window_does(
    store: Store, service: ExportService, tmp_path: Path
) -> None:
    page = await _html(store, service, MISLEADING, tmp_path)
    assert "login</strong></a> (127.0.0.1)" in page
    assert ">bank.example</a> (evil.test)" in page
    assert page.count("(127.0.0.1)") == page.count("(evil.test)") == 1
    assert ">words</a> and" not in page
    assert 'href="https://good.com@' not in await _html(store, service, "[x](https://good.com@evil.test/)", tmp_path)


async def test_a_note_in_markdown_says_where_a_misleading_link_leads(
    store: Store, service: ExportService, tmp_path: Path
) -> None:
    thread = await store.thread()
    await store.messages.add_question(thread, MISLEADING, with_answer=None)
    await store.messages.add_question(thread, "[words](https://a.b) [1]: x", with_answer=None)
    target = tmp_path / "x.md"
    await service.export(Choice(thread_ids=(thread,)), ExportFormat.MARKDOWN, target)
    text = target.read_text("utf-8")
    assert f"{MISLEADING}\n\n*The link “`https://bank.example/login`” leads to `127.0.0.1`.*\n" in text
    assert "*The link “`bank.example`” leads to `evil.test`.*\n" in text
    assert text.count("leads to") == 2


async def test_names_of_files_and_tools_cannot_turn_a_line_round(
    store: Store, service: ExportService, tmp_path: Path
) -> None:
    thread = await store.thread()
    question, _, _ = await store.messages.add_question(thread, "x", with_answer=None)
    await _attach(store, question.id, "report\u202egnp.desktop", "application/octet-stream", "file")
    tool = json.dumps({"name": "run\u202e", "arguments": "\u202e{}"})
    await store.db.write(
        lambda conn: conn.exec_driver_sql(
            "INSERT INTO message_parts (id, message_id, part_index, type, content) VALUES (?, ?, 10, 'tool_call', ?)",
            (new_id(), question.id, tool),
        )
    )
    for kind in (ExportFormat.HTML, ExportFormat.MARKDOWN):
        target = tmp_path / f"x.{kind}"
        await service.export(Choice(thread_ids=(thread,)), kind, target)
        text = target.read_text("utf-8")
        assert "reportgnp.desktop" in text
        assert "\u202e" not in (text if kind is ExportFormat.HTML else text.replace("\u202e{}", ""))
