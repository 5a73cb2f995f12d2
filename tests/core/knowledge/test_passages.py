"""Texts are divided at their structure: every passage is where it says, and on the page that it says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatdesk.core.attachments.file_kinds import DOCX, PDF
from chatdesk.core.domain.knowledge import Passage
from chatdesk.core.knowledge.passages import LONGEST, passages_of
from tests.helpers.examples import examples

MARKDOWN = "text/markdown"
SHORT_PAGE = 200


def cut(text: str, found: list[Passage]) -> list[str]:
    return [text[each.start : each.end] for each in found]


# Made documents, of which every character is known


@dataclass
class Document:
    """A text with what a reader of it would say: the page of each character, rows of tables, headings with their path,
    and the path at other blocks."""

    text: str = ""
    page_starts: list[int] = field(default_factory=list)
    rows: list[tuple[int, int]] = field(default_factory=list)
    headings: list[tuple[int, int, str]] = field(default_factory=list)
    blocks: list[tuple[int, int, str]] = field(default_factory=list)
    _open: list[tuple[int, str]] = field(default_factory=list)

    @property
    def path(self) -> str:
        return " › ".join(title for _, title in self._open)

    def add(self, words: str, after: str) -> None:
        start = len(self.text)
        self.text += words
        self.blocks.append((start, len(self.text), self.path))
        self.text += after

    def add_heading(self, level: int, title: str, after: str) -> None:
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        self._open.append((level, title))
        self.add("#" * level + " " + title, after)
        self.headings.append(self.blocks.pop())

    def add_table(self, rows: list[str], after: str) -> None:
        for row in rows:
            self.rows.append((len(self.text), len(self.text) + len(row)))
            self.add(row, "\n")
        self.text += after

    def path_of(self, passage: Passage) -> str:
        """The path of the first text of a passage that is no heading; of its last heading where it has only these."""
        overlaps = [(start, path) for start, end, path in self.blocks if start < passage.end and end > passage.start]
        return overlaps[0][1] if overlaps else [p for start, _, p in self.headings if start < passage.end][-1]


WORDS = st.text(st.sampled_from("ab ée\u0301漢字。.!?🦉\u200b  _*`"), max_size=400).map(
    lambda text: f"w{text.strip()}w"
)
SENTENCES = st.lists(WORDS, min_size=1, max_size=12).map(". ".join)
LINES = st.lists(WORDS, min_size=1, max_size=9).map("\n".join)
TITLES = st.text(st.sampled_from("abc é漢🦉"), max_size=20).map(lambda text: " ".join(f"t{text}t".split()))
CELLS = st.lists(st.text(st.sampled_from("ab 漢."), max_size=30), min_size=1, max_size=4)
ROWS = st.builds(lambda cells, times: f"| {' | '.join(cells * times)} |", CELLS, st.sampled_from([1, 1, 1, 9, 40]))
BLOCKS = st.one_of(
    st.tuples(st.just("heading"), st.integers(1, 4), TITLES),
    st.tuples(st.just("text"), st.just(0), st.one_of(SENTENCES, LINES, WORDS)),
    st.tuples(st.just("code"), st.just(0), LINES.map(lambda code: f"```\n# no heading\n\n    {code}\n```")),
    st.tuples(st.just("table"), st.just(0), st.lists(ROWS, min_size=1, max_size=40)),
)
BLANKS = st.sampled_from(["\n\n", "\n\n", "\n \n\n\n", "\n\n\t\n"])
PAGES = st.lists(st.lists(st.tuples(BLOCKS, BLANKS), max_size=8), min_size=1, max_size=6)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    made = Document()
    for page in draw(PAGES):
        made.page_starts.append(len(made.text))
        for (kind, level, content), after in page:
            if kind == "heading":
                made.add_heading(level, content, after)
            elif kind == "table":
                made.add_table(content, after)
            else:
                made.add(content, after)
    return made


def check_places(text: str, found: list[Passage]) -> None:
    """Check that passages are in order, none overlaps, all words are in one, and none is too long."""
    at = 0
    for passage in found:
        assert at <= passage.start < passage.end <= len(text)
        assert not text[at : passage.start].strip()
        assert text[passage.start : passage.end].rstrip() == text[passage.start : passage.end]
        words = text[passage.start : passage.end]
        assert "\n" not in words[: len(words) - len(words.lstrip())]
        assert passage.end - passage.start <= LONGEST
        at = passage.end
    assert not text[at:].strip()


@settings(max_examples=examples(100), deadline=None)
@given(documents(), st.booleans())
def test_every_passage_is_where_it_says(made: Document, has_pages: bool) -> None:
    text, page_starts = made.text, made.page_starts if has_pages else []
    found = passages_of(text, page_starts, MARKDOWN)
    check_places(text, found)

    for start, end in made.rows:
        if end - start <= LONGEST:
            assert any(each.start <= start and end <= each.end for each in found), text[start:end]

    page_of = [sum(start <= at for start in page_starts) for at in range(len(text))]
    for passage in found:
        assert passage.heading == made.path_of(passage)
        counted = Counter(page_of[passage.start : passage.end])
        assert passage.page == (max(sorted(counted), key=counted.__getitem__) if has_pages else None)
        for edge in page_starts:
            if passage.start < edge < passage.end:  # a page never shares a passage, unless one side is tiny
                sides = text[passage.start : edge].strip(), text[edge : passage.end].strip()
                assert min(map(len, sides)) < SHORT_PAGE


@settings(max_examples=examples(200), deadline=None)
@given(
    st.text(max_size=6_000) | st.text(st.sampled_from("a.\n |#=`\t-A"), max_size=9_000),
    st.lists(st.integers(0, 9_000), max_size=5),
    st.sampled_from([MARKDOWN, "text/plain", "text/csv", PDF]),
    st.sampled_from(["a.py", "a.c", "a.txt", "a"]),
)
def test_any_text_is_divided(text: str, pages: list[int], mime: str, name: str) -> None:
    check_places(text, passages_of(text, sorted(min(page, len(text)) for page in pages), mime, name))


# What a reader expects


@pytest.fixture
def small_passages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sections of a few words are not joined with others."""
    monkeypatch.setattr("chatdesk.core.knowledge.passages._SHORT_SECTION", 6)
    monkeypatch.setattr("chatdesk.core.knowledge.passages._SHORT_PAGE", 6)


def test_a_short_text_is_one_passage() -> None:
    assert passages_of("Herons nest in trees.\n") == [Passage(0, 21, "Herons nest in trees.")]
    assert passages_of(" \n\t") == passages_of("") == []


def test_sections_are_passages_with_their_way() -> None:
    text = (
        "# Guide\n\n## Install\n\n"
        + "Do it. " * 80
        + "\n\n### On Linux `now`\n\n"
        + "So. " * 120
        + "\n\n## Use\n\n"
        + "x " * 300
    )
    found = passages_of(text, (), MARKDOWN)
    assert [each.heading for each in found] == ["Guide › Install", "Guide › Install › On Linux now", "Guide › Use"]
    assert cut(text, found)[2].startswith("## Use")


def test_short_sections_go_together() -> None:
    text = "\n\n".join(f"## Part {number}\n\nA few words." for number in range(20))
    found = passages_of(text, (), MARKDOWN)
    assert len(found) == 2
    assert found[0].heading == "Part 0"


def test_a_long_section_is_divided_at_its_paragraphs() -> None:
    paragraphs = ["A sentence. " * 40] * 9
    text = "\n\n".join(each.strip() for each in paragraphs)
    assert set(cut(text, passages_of(text))) == {"\n\n".join([paragraphs[0].strip()] * 3)}


@pytest.mark.parametrize(
    ("unit", "end"), [("A sentence ends here. ", "."), ("漢字の文。", "。"), ("words ", "words"), ("a line\n", "line")]
)
def test_a_long_paragraph_is_divided_where_it_pauses(unit: str, end: str) -> None:
    text = unit * (5_000 // len(unit))
    found = cut(text, passages_of(text))
    assert len(found) == 4
    assert all(piece.endswith(end) for piece in found)


def test_letters_keep_their_marks() -> None:
    text = "e\u0301" * 3_000
    assert all(piece.startswith("e") for piece in cut(text, passages_of(text)))


@pytest.mark.parametrize("mime", ["text/csv", DOCX])
def test_rows_of_tables_stay_whole(mime: str) -> None:
    rows = [f"| {number} | {'cell ' * (number % 7) * 40}|" for number in range(60)]
    pieces = cut("\n".join(rows), passages_of("\n".join(rows), (), mime, "a.csv"))
    assert [line for piece in pieces for line in piece.split("\n")] == rows


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("NAME\n    ls - list\n\nOPTIONS\n    -a", ["NAME", "OPTIONS"]),
        ("=====\nGuide\n=====\n\nInstall\n-------\nwords", ["Guide", "Guide › Install"]),
        ("Guide\n=====\n\nfirst words\n\nInstall\n-------\nwords", ["Guide", "Guide › Install"]),
        ("A sentence that goes on and on\n---\nis no heading", [""]),
        ("a\n\n=====\n\n-----", [""]),
    ],
)
def test_plain_texts_have_headings(text: str, way: list[str], small_passages: None) -> None:
    assert [each.heading for each in passages_of(text)] == way


CODE = {
    "a.py": (
        "class Heron:\n    x = 1\n\n    # Says\n    @cached\n    async def nest(self):\n        pass",
        "class Heron › async def nest(self)",
    ),
    "a.ts": (
        "export class Heron {\n  x = 1\n}\nexport default function nest() {\n  return\n}",
        "export default function nest()",
    ),
    "a.go": ("package a\n\n\n\nfunc (h *Heron) Nest() {\n\treturn\n}", "func (h *Heron) Nest()"),
    "a.rs": ("use a::b;\n\n\npub(crate) async fn nest() {\n}", "pub(crate) async fn nest()"),
    "a.c": ("#include <a.h>\n\n\nstatic int nest(struct heron *h)\n{\n}", "static int nest(struct heron *h)"),
    "a.sql": ("SELECT 1;\n\n\ncreate table nests (\n  id int\n);", "create table nests ("),
}  # fmt: skip


@pytest.mark.parametrize("name", CODE)
def test_code_is_divided_at_its_units(name: str, small_passages: None) -> None:
    text, way = CODE[name]
    assert passages_of(text, (), "text/plain", name)[-1].heading == way


def test_comments_and_decorators_go_with_what_is_below_them(small_passages: None) -> None:
    text = CODE["a.py"][0]
    assert cut(text, passages_of(text, (), "text/plain", "a.py"))[-1].startswith("    # Says\n    @cached\n")


def test_slides_with_few_words_go_together() -> None:
    slides = ["# Title", "# Agenda\n\n" + "A point. " * 60, "# End\n\nThank you"]
    text, starts = "", []
    for slide in slides:
        starts.append(len(text))
        text += slide + "\n\n"
    assert [(each.page, each.heading) for each in passages_of(text, starts, DOCX)] == [(2, "Agenda")]


@pytest.mark.parametrize(
    "text",
    ["x" * 400_000, "e" + "\u0301" * 400_000, "#\n" * 200_000, "|" * 400_000, 'a."' * 130_000, "public " * 60_000],
    ids=lambda text: text[:3],
)
@pytest.mark.parametrize("name", ["a.md", "a.c", "a.txt"])
def test_monotonous_texts_take_no_longer(text: str, name: str) -> None:
    mime = MARKDOWN if name == "a.md" else "text/plain"
    check_places(text, passages_of(text, range(0, len(text), 2_000), mime, name))
