"""Shows one page of a PDF as it was drawn elsewhere, with a passage lit on it."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QColor, QImage, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAccessibleWidget, QScrollArea, QWidget

from chatdesk.core.domain.pdf_page import PdfPage
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.interfaces import give_interfaces
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.focus_ring import FocusFrame

_LIT_ALPHA = 0.3
_ABOVE_LIT_PX = 60
_AROUND_LETTERS_PX = (-1, -2, 1, 2)
_LONGEST_SAID = 4_000


class PageView(QScrollArea):
    """A scrolled page. ``turned(by)`` asks for another page, from a key at the end of this one."""

    turned = Signal(int)
    zoomed = Signal(int)

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self._title = title
        give_interfaces(PageView, _AccessiblePage)
        self.setObjectName("passagePage")
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # a page that fits goes on fitting
        FocusFrame(theme, self)
        self.setAccessibleName(title)
        self.paper = _Paper(theme)
        self.setWidget(self.paper)

    @property
    def wanted_px(self) -> int:
        """The width in which a page just fits, in pixels of the screen."""
        return round(max(100, self.viewport().width()) * self.devicePixelRatioF())

    def show_page(self, page: PdfPage, *, is_turned_back: bool = False) -> None:
        """Show a page from its passage on, from its beginning where it has none, or from its end when turned back."""
        self.paper.show_page(page, self.devicePixelRatioF())
        self.setAccessibleName(
            tr("{title}, page {page} of {total}", title=self._title, page=page.number, total=page.total)
        )
        self.setAccessibleDescription(page.text[:_LONGEST_SAID])
        bar = self.verticalScrollBar()
        bar.setValue(bar.maximum() if is_turned_back else 0)
        if page.lit:
            first = self.paper.lit[0]
            self.ensureVisible(first.center().x(), first.bottom(), 0, 0)
            bar.setValue(max(0, first.top() - _ABOVE_LIT_PX))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn the page with the arrows to the sides, and by pages where its end or beginning is in view; + and - make
        it larger and smaller."""
        key, bar = event.key(), self.verticalScrollBar()
        forward, back = Qt.Key.Key_Right, Qt.Key.Key_Left
        if self.isRightToLeft():
            forward, back = back, forward
        is_wide = self.horizontalScrollBar().maximum() > 0
        if key in (Qt.Key.Key_PageDown, Qt.Key.Key_Space) and bar.value() == bar.maximum():
            self.turned.emit(1)
        elif key == Qt.Key.Key_PageUp and bar.value() == 0:
            self.turned.emit(-1)
        elif key in (forward, back) and not is_wide:
            self.turned.emit(1 if key == forward else -1)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoomed.emit(-1 if key == Qt.Key.Key_Minus else 1)
        elif key == Qt.Key.Key_Space:
            bar.setValue(bar.value() + bar.pageStep())
        else:
            super().keyPressEvent(event)


class _AccessiblePage(QAccessibleWidget):
    """A page for assistive programs, to which Qt would call it a part of another."""

    def __init__(self, view: PageView) -> None:
        super().__init__(view, QAccessible.Role.Document)

    def close(self) -> None:
        """Do nothing: it has no nodes of its own."""


class _Paper(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._image = QImage()
        self._pixels = b""
        self.lit: list[QRect] = []

    def show_page(self, page: PdfPage, ratio: float) -> None:
        """Show the pixels of a page, whose sizes were checked."""
        self._pixels = page.pixels  # the image has no copy of them
        self._image = QImage(self._pixels, page.width, page.height, 4 * page.width, QImage.Format.Format_RGB32)
        self._image.setDevicePixelRatio(ratio)
        around = _AROUND_LETTERS_PX
        self.lit = [QRect(*(round(each / ratio) for each in area)).adjusted(*around) for area in page.lit]
        self.resize(QSize(round(page.width / ratio), round(page.height / ratio)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setClipRect(event.rect())
        painter.drawImage(0, 0, self._image)
        colour = QColor(self._theme.colour("accent"))
        colour.setAlphaF(_LIT_ALPHA)
        for area in self.lit:
            painter.fillRect(area, colour)
        painter.end()
