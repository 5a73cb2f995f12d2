"""Runs the process that makes a PDF: lines of JSON in; pages out, to the file that is its output. ``export_pdf`` in
``core/transfer`` starts it.

Each line's HTML is a small document of its own, laid out at the width of a page and painted slice by slice, so that
memory does not grow with the thread. A slice ends between two lines of text; a line higher than a page is cut. Nothing
that the HTML names is fetched: pictures come from the data directory by the name of their content, formulas from their
outlines, diagrams from their bytes, and everything else is an empty picture (Qt would otherwise read files).
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final

from PySide6.QtCore import QBuffer, QFile, QIODevice, QMarginsF, QPointF, QRect, QRectF, QSizeF, Qt, QUrl
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QGuiApplication,
    QImage,
    QImageReader,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QPyTextObject,
    QTextDocument,
    QTextFormat,
    QTextOption,
    QTransform,
)

from chatdesk.core.paths import resources_dir
from chatdesk.core.rendering.blocks import DRAWING_UNITS, Drawing, DrawnWords
from chatdesk.core.rendering.drawing.picture_rules import ZOOM
from chatdesk.core.system.processes import start_child
from chatdesk.core.transfer.exports.printed_tables import SIZES_PX
from chatdesk.ui.features.transfer.page_breaks import breaks_of, divide_long_paragraphs, end_of_slice
from chatdesk.ui.theme.fonts import load_first_fonts, load_other_fonts
from chatdesk.ui.theme.tokens import LIGHT
from chatdesk.ui.transcript.drawing.math_paths import ascent_px, descent_px, fill_formula, width_px

_POLITENESS: Final = 5
_DPI: Final = 96  # makes a px of the style sheet as large as on a screen
# The grid of the pages, a whole number of dots in a px: one on which the points of a formula's outlines, and of the
# curves that Qt makes of them, which end at thirds, are whole numbers too. Qt writes those in half the letters of
# others, and packing them is the most work.
_DOTS_PER_PX: Final = 50
_DOTS_PER_EM: Final = 3 * DRAWING_UNITS
_MARGIN_MM: Final = 18.0
_FOOT_PX: Final = 28
_FORMULA: Final = "formula:"
_EM_PX: Final = _DOTS_PER_EM / _DOTS_PER_PX  # nearly 14 px and a tenth more, as on the screen
_MOST_FORMULA_PX: Final = 4000
_MAX_PICTURE_BYTES: Final = 64 * 1024 * 1024
_MAX_PICTURE_MB: Final = 256  # decoded
_BETWEEN_PX: Final = 12  # Qt omits the space above a document's first block
_LONG_WORD: Final = 2_000  # from there on breaking at words takes Qt quadratic time


def style() -> str:
    """Return the style sheet for light paper, from the window's own colours."""
    colours, syntax = LIGHT, LIGHT.syntax
    kinds = ("keyword", "string", "comment", "number", "function", "type", "operator", "inserted", "deleted")
    code = "".join(f".k-{kind} {{ color: {syntax.of(kind)}; }}\n" for kind in kinds)
    return (
        f"body {{ color: {colours.text}; }}\n"
        ".who { font-weight: 600; }\n"
        f"table {{ border-style: solid; border-color: {colours.line}; margin-top: 6px; margin-bottom: 6px; }}\n"
        f".meta, .note, .language {{ color: {colours.muted}; font-size: 11px; font-weight: 400; }}\n"
        f"blockquote {{ margin-left: 14px; color: {colours.muted}; }}\n"
        f"a {{ color: {colours.accent}; }}\n"
        f"table.codebox {{ background-color: {colours.code}; }}\n"
        + "".join(f"table.size-{size} {{ font-size: {size}px; }}\n" for size in SIZES_PX)
        + "pre, code { font-family: 'JetBrains Mono', 'DejaVu Sans Mono', monospace; font-size: 11px; }\n"
        "pre { white-space: pre-wrap; margin: 0; }\n"
        "th { font-weight: 600; text-align: left; }\n" + code
    )


class PageDocument(QTextDocument):
    """Loads nothing but the pictures that ``blob:`` names and the diagrams that are in ``drawing:``."""

    def __init__(self, blobs: Path, width: float, height: float) -> None:
        super().__init__()
        self._most_height = height
        self._blobs = blobs
        self._width = width
        self._objects = _Objects()
        self.documentLayout().registerHandler(QTextFormat.ObjectTypes.ImageObject.value, self._objects)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        address = name.toString() if isinstance(name, QUrl) else name
        scheme, _, rest = address.partition(":")
        read = {"blob": self._picture, "drawing": self._drawing}.get(scheme)
        is_picture = kind == QTextDocument.ResourceType.ImageResource.value
        image = read(rest) if read is not None and is_picture else None
        found = image if image is not None else QImage(1, 1, QImage.Format.Format_ARGB32)
        self.addResource(kind, QUrl(address), found)  # else Qt asks again for its size, its place and its painting
        return found

    def _drawing(self, data: str) -> QImage | None:
        """Return a diagram, not wider or higher than a page."""
        try:
            png = base64.urlsafe_b64decode(data)
        except ValueError:
            return None
        image = QImage.fromData(png) if png.startswith(b"\x89PNG") else QImage()
        if image.isNull():
            return None
        image.setDevicePixelRatio(max(float(ZOOM), image.width() / self._width, image.height() / self._most_height))
        return image

    def _picture(self, name: str) -> QImage | None:
        if len(name) != 64 or set(name) - set("0123456789abcdef"):
            return None
        path = self._blobs / name[:2] / name
        if not path.is_file() or path.stat().st_size > _MAX_PICTURE_BYTES:
            return None
        reader = QImageReader(str(path))
        reader.setAutoTransform(True)
        if bytes(reader.format().data()).lower() in (b"svg", b"svgz"):
            return None
        size = reader.size()
        if size.width() > 2 * self._width:
            reader.setScaledSize(size.scaled(int(2 * self._width), size.height(), Qt.AspectRatioMode.KeepAspectRatio))
        image = reader.read()
        if image.isNull():
            return None
        image.setDevicePixelRatio(max(1.0, image.width() / self._width))
        return image


class _Objects(QPyTextObject):
    """Images in a document. Formulas are painted as outlines, which are sharp at every size; made into pictures first
    they took most of the time and of the file."""

    def intrinsicSize(self, document: QTextDocument, _position: int, form: QTextFormat) -> QSizeF:
        name = form.toImageFormat().name()
        formula = _formula(name)
        if formula is None:
            return _picture_in(document, name).deviceIndependentSize()
        return QSizeF(formula.across, formula.up + formula.down)

    def drawObject(
        self, painter: QPainter, rect: QRectF | QRect, document: QTextDocument, _position: int, form: QTextFormat
    ) -> None:
        name = form.toImageFormat().name()
        formula = _formula(name)
        if formula is None:
            painter.drawImage(QRectF(rect), _picture_in(document, name))
            return
        baseline = painter.worldTransform().map(QPointF(rect.x(), rect.y() + formula.up)).toPoint().toPointF()
        colour = QColor(LIGHT.text)
        painter.save()
        painter.resetTransform()
        fill_formula(painter, formula.drawing, baseline, em=_DOTS_PER_EM, colour=colour, syntax=LIGHT.syntax)
        painter.restore()


def _picture_in(document: QTextDocument, name: str) -> QImage:
    found = document.resource(QTextDocument.ResourceType.ImageResource.value, QUrl(name))
    assert isinstance(found, QImage)
    return found


@dataclass(frozen=True, slots=True)
class _Formula:
    drawing: Drawing
    across: int
    up: int
    down: int


@lru_cache(maxsize=64)  # each is asked for several times while its message is laid out and painted
def _formula(name: str) -> _Formula | None:
    if not name.startswith(_FORMULA):
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(name.removeprefix(_FORMULA)))
        width, ascent, descent, operations, points, inks, words = parts
        outlines = base64.urlsafe_b64decode(points)
        drawing = Drawing(
            int(width),
            int(ascent),
            int(descent),
            str(operations),
            outlines,
            tuple((int(start), str(ink)) for start, ink in inks),
            words=tuple(
                DrawnWords(str(text), int(left), int(baseline), int(across), int(size), str(ink))
                for text, left, baseline, across, size, ink in words
            ),
        )
    except (ValueError, TypeError):
        return None
    across, up, down = (round(each(drawing, _EM_PX)) + 1 for each in (width_px, ascent_px, descent_px))
    return None if across > _MOST_FORMULA_PX or up + down > _MOST_FORMULA_PX else _Formula(drawing, across, up, down)


class PdfPages:
    """Puts one document after another onto pages."""

    def __init__(self, device: QIODevice, title: str, blobs: Path) -> None:
        self._writer = _new_writer(device, _DPI * _DOTS_PER_PX)
        self._writer.setTitle(title)
        self._writer.setCreator("ChatDesk")
        self._painter = QPainter(self._writer)
        self._painter.scale(_DOTS_PER_PX, _DOTS_PER_PX)
        self._nowhere = QBuffer()
        # documents are laid out for this device, which is never painted on
        self._measure = _new_writer(self._nowhere, _DPI)
        self._width = float(self._measure.width())
        self._height = float(self._measure.height() - _FOOT_PX)
        self._title = title
        self._blobs = blobs
        self._document = self._new_document()
        self._y = 0.0
        self.count = 1
        self._foot()

    def add(self, html: str) -> None:
        document = self._laid_out(html)
        height = document.size().height()
        if not height:
            return
        if self._y:
            self._y = min(self._y + _BETWEEN_PX, self._height)
        breaks = breaks_of(document) if height > self._height - self._y else []
        start = 0.0
        while start < height:
            room = self._height - self._y
            end = end_of_slice(breaks, start, room, height)
            if end is None and self._y > 0:
                self._turn()
                continue
            if end is None:  # a line higher than a page
                end = min(height, start + self._height)
            self.paint(document, start, end)
            self._y += end - start
            start = end
            if start < height:
                self._turn()

    def end(self) -> None:
        self._painter.end()

    def _laid_out(self, html: str) -> QTextDocument:
        document = self._document
        document.clear()  # with its pictures, and before the option, for which it would be laid out again
        option = document.defaultTextOption()
        is_long = max(map(len, html.split()), default=0) > _LONG_WORD
        mode = QTextOption.WrapMode.WrapAnywhere if is_long else QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere
        option.setWrapMode(mode)
        document.setDefaultTextOption(option)
        document.setHtml(f"<body>{html}</body>")
        divide_long_paragraphs(document)
        return document

    def _new_document(self) -> QTextDocument:
        document = PageDocument(self._blobs, self._width, self._height)
        font = QFont("Inter")
        font.setPixelSize(13)
        document.setDefaultFont(font)
        document.setDefaultStyleSheet(style())
        document.setDocumentMargin(0)
        document.documentLayout().setPaintDevice(self._measure)
        document.setTextWidth(self._width)
        return document

    def paint(self, document: QTextDocument, start: float, end: float) -> None:
        """Paint the slice of a document between two heights, in px, below the content that is on the page."""
        context = QAbstractTextDocumentLayout.PaintContext()
        context.clip = QRectF(0, start, self._width, end - start)
        context.palette.setColor(context.palette.ColorRole.Text, QColor(LIGHT.text))
        self._painter.save()
        self._painter.setClipRect(QRectF(0, self._y, self._width, end - start))
        down = round((self._y - start) * _DOTS_PER_PX)
        self._painter.setWorldTransform(QTransform(_DOTS_PER_PX, 0, 0, _DOTS_PER_PX, 0, down))
        document.documentLayout().draw(self._painter, context)
        self._painter.restore()

    def _turn(self) -> None:
        self._writer.newPage()
        self.count += 1
        self._y = 0.0
        self._foot()

    def _foot(self) -> None:
        font = QFont("Inter")
        font.setPixelSize(10)
        self._painter.save()
        self._painter.setFont(font)
        self._painter.setPen(QColor(LIGHT.muted))
        box = QRectF(0, self._height + 10, self._width, _FOOT_PX - 10)
        title = self._painter.fontMetrics().elidedText(self._title, Qt.TextElideMode.ElideRight, int(self._width - 60))
        self._painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
        self._painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(self.count))
        self._painter.restore()


def _new_writer(device: QIODevice, dots_per_inch: int) -> QPdfWriter:
    writer = QPdfWriter(device)
    writer.setResolution(dots_per_inch)
    margins = QMarginsF(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
    size = QPageSize(QPageSize.PageSizeId.A4)
    writer.setPageLayout(QPageLayout(size, QPageLayout.Orientation.Portrait, margins, QPageLayout.Unit.Millimeter))
    return writer


def print_lines(source: BinaryIO, descriptor: int) -> None:
    """Read the lines and write to the open file, which stays open. Raises ``OSError``."""
    head = json.loads(source.readline())
    file = QFile()
    if not file.open(descriptor, QIODevice.OpenModeFlag.WriteOnly):
        raise OSError(file.errorString())
    pages = PdfPages(file, " ".join(str(head["title"]).split()), Path(head["blobs"]))
    for line in source:
        pages.add(json.loads(line)["html"])
    pages.end()
    is_written = file.flush()
    problem = file.error()
    file.close()
    if not is_written or problem != QFile.FileError.NoError:
        raise OSError(file.errorString())


def main(arguments: Sequence[str]) -> int:
    start_child()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    # The output is the file: whatever else is written there, by a library say, goes to where complaints go.
    pages = os.dup(1)
    os.dup2(2, 1)
    if hasattr(os, "nice"):
        # Politeness is inherited and adds up: an export beside the window is polite already, and twice is for ever
        # on a busy computer.
        os.nice(max(0, _POLITENESS - os.nice(0)))
    QImageReader.setAllocationLimit(_MAX_PICTURE_MB)
    app = QGuiApplication(["chatdesk"])
    for load in (load_first_fonts, load_other_fonts):
        load(resources_dir() / "fonts")
    try:
        print_lines(sys.stdin.buffer, pages)
    except OSError as error:
        sys.stderr.write(f"chatdesk: the file could not be written ({error})\n")
        return 1
    del app
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
