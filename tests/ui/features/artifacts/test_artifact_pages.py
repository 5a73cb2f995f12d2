"""Texts of artifacts come in bounded pieces that together are the text, whatever is in them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.artifacts.artifact import ArtifactVersion
from chatdesk.core.domain.artifacts.code_blocks import fenced_code
from chatdesk.core.domain.message import MessagePage, PartType, Role
from chatdesk.core.rendering.highlighting import MAX_CODE_CHARACTERS, highlight
from chatdesk.ui.features.artifacts.artifact_pages import ArtifactPages, PagedText, paged_code, paged_markdown

pytestmark = pytest.mark.usefixtures("qapp")

VERSION = ArtifactVersion(
    "v", "a", "p", "m", "document", "x.py", "text/plain", "a" * 64, 10, 1_800_000_000_000, Role.ASSISTANT
)


def pieces_of(paged: PagedText) -> list[str]:
    return [paged.text[start:end] for start, end in paged.pieces]


@given(st.lists(st.text("ab`\n", max_size=50), max_size=40).map("\n".join))
def test_pieces_of_code_are_the_text(text: str) -> None:
    assert "".join(pieces_of(paged_code(text, "python"))) == text
    assert "".join(pieces_of(paged_markdown(text))) == text


@pytest.mark.parametrize(
    "text", ["x " * 1_000_000, "line\n" * 300_000, "`" * 1_000_000, "\n" * 1_000_000, ("y" * 5_000 + "\n") * 300]
)
def test_pieces_of_code_are_small(text: str) -> None:
    began = time.monotonic()
    paged = paged_code(text, "")
    assert time.monotonic() - began < 5
    assert "".join(pieces_of(paged)) == text
    assert all(0 < len(each) <= MAX_CODE_CHARACTERS and each.count("\n") <= 401 for each in pieces_of(paged))


@pytest.mark.parametrize("text", ["x = 1; " * 9_000, "x = 'トークン'\n" * 6_000, ("'" + "語" * 70 + "'\n") * 400])
def test_each_piece_of_code_is_coloured(text: str) -> None:
    pieces = pieces_of(paged_code(text, "python"))
    assert [len(each) for each in pieces if not highlight("python", each, budget=60)] == []


def test_code_of_usual_size_stays_whole_and_ends_pieces_with_lines() -> None:
    assert len(paged_code("x = 1\n" * 390, "python").pieces) == 1
    assert all(each.endswith("\n") for each in pieces_of(paged_code("x = 1\n" * 5_000, "python")))


def test_long_markdown_is_cut_at_headings_and_never_in_code() -> None:
    code = "```\n\n# no heading\n\n" + "x\n" * 6_000 + "```\n"
    text = ("# Title\n\n" + "words " * 200 + "\n\n") * 12 + code + "\n# End\n"
    pieces = pieces_of(paged_markdown(text))
    assert len(pieces) > 2
    assert all(each.startswith("# ") for each in pieces)
    assert sum(len(fenced_code(each)) for each in pieces) == 1


def fetched(qtbot: QtBot, pages: ArtifactPages, **wanted: object) -> MessagePage:
    found: list[MessagePage] = []
    place = {"before": None, "after": None, "around": None} | wanted
    pages.fetch(pages.key, limit=40, deliver=found.append, **place)  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: bool(found))
    return found[0]


def test_pages_lead_from_the_beginning_to_the_end_and_back(qapp: QApplication, qtbot: QtBot) -> None:
    pages = ArtifactPages()
    text = "".join(f"line {number}\n" for number in range(4_000))
    pages.show_text(VERSION, paged_code(text, "python"))
    page = fetched(qtbot, pages, around=pages.first_id())
    assert not page.has_older and page.has_newer and page.total == 10
    read = list(page.messages)
    while page.has_newer:
        page = fetched(qtbot, pages, after=read[-1].id)
        read += page.messages
    assert [each.position for each in read] == list(range(10))
    assert "".join(fenced_code(each.text)[0].text for each in read) == text
    last = fetched(qtbot, pages)
    assert last.messages[-1].position == 9 and not last.has_newer
    before = fetched(qtbot, pages, before=last.messages[0].id)
    assert before.messages[-1].position == last.messages[0].position - 1
    assert fetched(qtbot, pages, at=5).messages[0].position == 5


def test_a_page_of_the_text_before_is_not_delivered(qapp: QApplication, qtbot: QtBot) -> None:
    pages = ArtifactPages()
    pages.show_text(VERSION, paged_code("old\n", ""))
    found: list[MessagePage] = []
    pages.fetch(pages.key, limit=1, before=None, after=None, around=None, deliver=found.append)
    pages.show_text(VERSION, paged_code("new\n", ""))
    page = fetched(qtbot, pages)
    assert "new" in page.messages[0].text and found == []


def test_files_come_as_parts(qapp: QApplication, qtbot: QtBot) -> None:
    pages = ArtifactPages()
    pages.show_file(VERSION)
    (message,) = fetched(qtbot, pages).messages
    assert message.parts[0].type is PartType.FILE and message.parts[0].content["name"] == "x.py"
