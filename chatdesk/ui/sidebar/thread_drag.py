"""Drags threads out of the list, to drop them on a project. Imported with the first drag."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QPoint, QRectF, Qt
from PySide6.QtGui import QDrag, QFontMetrics, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.thread import Thread
from chatdesk.core.texts import plural, shown
from chatdesk.ui.sidebar.project_badge import THREADS_MIME
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.painting import paint_floating

_WIDEST_PX = 240
_HEIGHT_PX = 32


def drag_threads(source: QWidget, threads: Sequence[Thread], theme: Theme) -> Qt.DropAction:
    """Run the drag to its end. The ids travel within this window only: the drop target asks the sidebar for them."""
    if not threads:
        return Qt.DropAction.IgnoreAction
    data = QMimeData()
    data.setData(THREADS_MIME, "\n".join(thread.id for thread in threads).encode())
    drag = QDrag(source)
    drag.setMimeData(data)
    picture = drag_picture(threads, theme, source.devicePixelRatioF())
    drag.setPixmap(picture)
    drag.setHotSpot(QPoint(12, _HEIGHT_PX // 2))
    return drag.exec(Qt.DropAction.MoveAction)


def drag_picture(threads: Sequence[Thread], theme: Theme, ratio: float) -> QPixmap:
    """Return a card with the title, or with how many threads there are."""
    font = theme.font("text")
    metrics = QFontMetrics(font)
    text = (
        threads[0].title[:200]
        if len(threads) == 1
        else shown(plural("{count} threads", "{count} thread", len(threads)))
    )
    text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, _WIDEST_PX)
    width, height = metrics.horizontalAdvance(text) + 24, round(_HEIGHT_PX * max(1.0, theme.scale))
    picture = QPixmap(round(width * ratio), round(height * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    area = QRectF(0, 0, width, height)
    paint_floating(painter, area, theme.tokens.radius.row, theme)
    painter.setFont(font)
    painter.setPen(theme.colour("text"))
    painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine), text)
    painter.end()
    return picture
