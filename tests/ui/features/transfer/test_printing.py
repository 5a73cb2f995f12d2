"""Pages of a PDF: what is on them, where they end, and that nothing is read which nobody named."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QIODevice, Qt, QUrl
from PySide6.QtGui import QImage, QPainter, QTextDocument

from chatdesk.ui.features.transfer import printing
from chatdesk.ui.features.transfer.printing import PdfPages, print_lines

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def device() -> Iterator[QBuffer]:
    made = QBuffer()
    made.open(QIODevice.OpenModeFlag.WriteOnly)
    yield made
    made.close()


def _lines(*messages: str, blobs: str = "/nowhere") -> io.BytesIO:
    head = {"title": "A\ntitle", "blobs": blobs}
    return io.BytesIO(b"".join(json.dumps(each).encode() + b"\n" for each in (head, *({"html": m} for m in messages))))


def _print(lines: io.BytesIO, target: Path) -> None:
    with target.open("wb") as file:
        print_lines(lines, file.fileno())


def _page_count(path: Path) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", path.read_bytes()))


def test_a_file_is_written_and_long_text_goes_over_pages(tmp_path: Path) -> None:
    _print(_lines("<p>short</p>"), tmp_path / "short.pdf")
    _print(_lines("<h1>Long</h1>", "<p>" + "word " * 6000 + "</p>"), tmp_path / "long.pdf")
    assert (tmp_path / "short.pdf").read_bytes().startswith(b"%PDF-")
    assert _page_count(tmp_path / "short.pdf") == 1
    assert _page_count(tmp_path / "long.pdf") >= 6


def test_no_line_is_cut_where_a_page_ends(device: QBuffer, tmp_path: Path) -> None:
    pages = PdfPages(device, "t", tmp_path)
    cuts: list[tuple[float, float]] = []
    documents: list[QTextDocument] = []

    def painted(document: QTextDocument, start: float, end: float) -> None:
        documents.append(document)
        cuts.append((start, end))

    pages.paint = painted  # type: ignore[method-assign]
    code = "\n".join(f"line {number} " + "x" * (number % 200) for number in range(300))
    html = f'<p>{"word " * 900}</p><table width="100%"><tr><td><pre>{code}</pre></td></tr></table>'
    pages.add(html)
    pages.end()
    assert len(cuts) > 3
    assert [start for start, _ in cuts[1:]] == [end for _, end in cuts[:-1]]
    assert cuts[0][0] == 0
    assert cuts[-1][1] == pytest.approx(documents[0].size().height())
    layout, block = documents[0].documentLayout(), documents[0].begin()
    while block.isValid():
        top = layout.blockBoundingRect(block).top()
        for number in range(block.layout().lineCount()):
            rect = block.layout().lineAt(number).rect()
            for _, cut in cuts[:-1]:
                assert not top + rect.top() + 1 < cut < top + rect.bottom() - 1
        block = block.next()


def test_something_higher_than_a_page_is_cut_and_ends(device: QBuffer, tmp_path: Path) -> None:
    image = QImage(40, 9000, QImage.Format.Format_RGB32)
    image.fill(0)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    data = bytes(buffer.data().data())
    name = hashlib.sha256(data).hexdigest()
    (tmp_path / name[:2]).mkdir()
    (tmp_path / name[:2] / name).write_bytes(data)
    pages = PdfPages(device, "t", tmp_path)
    pages.add(f'<p>before</p><p><img src="blob:{name}"></p><p>after</p>')
    pages.end()
    assert 3 < pages.count < 30


@pytest.mark.parametrize(
    "source",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "https://example.org/a.png",
        "blob:../../etc/passwd",
        f"blob:{'0' * 64}",
        "blob:",
        "formula:!!",
        "drawing:!!",
        "drawing:bGlnaHQ=",
        f"formula:{base64.urlsafe_b64encode(b'[1]').decode()}",
        f"formula:{base64.urlsafe_b64encode(json.dumps([10**9, 10**9, 10**9, 'M', '']).encode()).decode()}",
        "data:image/svg+xml,<svg/>",
    ],
)
def test_an_unknown_resource_is_an_empty_picture_and_nothing_is_opened(source: str, tmp_path: Path) -> None:
    opened: list[object] = []
    is_watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if is_watching and event == "open":
            opened.append(arguments[0])

    sys.addaudithook(watch)
    document = printing.PageDocument(tmp_path, 600, 800)
    found = document.loadResource(QTextDocument.ResourceType.ImageResource.value, QUrl(source))
    is_watching = False
    assert isinstance(found, QImage)
    assert (found.width(), found.height()) == (1, 1)
    assert opened == []
    style = document.loadResource(QTextDocument.ResourceType.StyleSheetResource.value, QUrl(source))
    assert isinstance(style, QImage)


def _formula() -> str:
    points = base64.urlsafe_b64encode(array("i", (0, 0, 256, 0, 256, 128)).tobytes()).decode()
    words = [["words", 0, 0, 256, 256, ""]]
    return base64.urlsafe_b64encode(json.dumps([256, 200, 50, "MLLZ", points, [], words]).encode()).decode()


def test_a_formula_is_drawn(tmp_path: Path) -> None:
    document = printing.PageDocument(tmp_path, 600, 800)
    document.setHtml(f'<p><img src="formula:{_formula()}"></p>')
    image = QImage(200, 60, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    document.drawContents(painter)
    painter.end()
    dark = [x for x in range(200) for y in range(60) if image.pixelColor(x, y).lightness() < 100]
    assert len(dark) > 20
    assert max(dark) - min(dark) >= 10


def test_a_formula_is_outlines_and_no_picture(device: QBuffer, tmp_path: Path) -> None:
    pages = PdfPages(device, "t", tmp_path)
    pages.add(f'<p>words <img src="formula:{_formula()}"> and words</p>')
    pages.end()
    assert b"/Image" not in bytes(device.data().data()).replace(b"/ImageB", b"").replace(b"/ImageC", b"")


def _png(width: int, height: int) -> str:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(0)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return base64.urlsafe_b64encode(bytes(buffer.data().data())).decode()


@pytest.mark.parametrize(
    ("size", "seen"),
    [((200, 100), (100, 50)), ((3000, 30), (600, 6)), ((40, 8000), (4, 800)), ((2400, 3200), (600, 800))],
)
def test_a_diagram_fits_onto_a_page(size: tuple[int, int], seen: tuple[int, int], tmp_path: Path) -> None:
    document = printing.PageDocument(tmp_path, 600, 800)
    document.setHtml(f'<p><img src="drawing:{_png(*size)}"></p>')
    found = document.loadResource(
        QTextDocument.ResourceType.ImageResource.value, QUrl(f"drawing:{_png(*size)}")
    ).deviceIndependentSize()
    assert (round(found.width()), round(found.height())) == seen


def test_a_diagram_is_on_the_page(device: QBuffer, tmp_path: Path) -> None:
    pages = PdfPages(device, "t", tmp_path)
    pages.add(f'<p>words</p><p><img src="drawing:{_png(200, 100)}"></p>')
    pages.end()
    assert b"/Subtype /Image" in bytes(device.data().data())


@pytest.mark.parametrize("form", ["<p>{}</p>", "<ol><li>{}</li><li>b</li></ol>"])
def test_a_word_without_end_takes_time_by_its_length(form: str, device: QBuffer, tmp_path: Path) -> None:
    def pages_and_time(letters: int) -> tuple[int, float]:
        pages = PdfPages(device, "t", tmp_path)
        start = time.process_time()
        pages.add(form.format("a" * letters))
        took = time.process_time() - start
        pages.end()
        return pages.count, took

    short, short_s = pages_and_time(75_000)
    long, long_s = pages_and_time(600_000)
    assert 7 * (short - 1) <= long <= 8 * short
    assert long_s < 16 * short_s  # it was more than 40 times as much


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_disk_without_room_is_an_error() -> None:
    with pytest.raises(OSError, match=r"\w"):
        _print(_lines("<p>x</p>"), Path("/dev/full"))


def test_the_style_has_the_windows_colours() -> None:
    assert "k-keyword" in printing.style()
