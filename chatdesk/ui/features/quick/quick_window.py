"""Shows the quick window: a field above all other windows, and the answer below it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QCursor,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QShowEvent,
)
from PySide6.QtWidgets import QAccessibleWidget, QApplication, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.accessibility.interfaces import give_interfaces
from chatdesk.ui.composer.text_editor import TextEditor
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.widgets.buttons import IconButton, PillButton
from chatdesk.ui.widgets.painting import paint_box, paint_floating

_WIDTH_PX = 640
_MOST_LINES = 6
_ANSWER_PX = 380
_FROM_TOP = 0.18  # as a share of the screen's height
_MARGINS_PX = (16, 14, 12, 12)


class QuickWindow(QWidget):
    """The quick window: a field, and the answers below it. ``view`` shows the thread of the questions that are asked
    here. ``make_view`` makes it for the first one: that takes longer than the rest of the window, which a person waits
    for. ``contextRequested`` has what the next question is to be about: ``clipboard``, ``selection`` or
    ``screenshot``."""

    asked = Signal(str)
    stopRequested = Signal()
    openRequested = Signal()
    newRequested = Signal()
    contextRequested = Signal(str)
    contextRemoved = Signal()

    def __init__(self, theme: Theme, make_view: Callable[[], TranscriptView]) -> None:
        super().__init__(None, Qt.WindowType.Tool | Qt.WindowType.WindowStaysOnTopHint)
        self._theme = theme
        self._make_view = make_view
        self.view: TranscriptView | None = None
        self._is_answering = False
        give_interfaces(QuickWindow, _QuickAccessible)
        self.setObjectName("quickWindow")
        self.setWindowTitle(tr("Quick question"))
        self.setAccessibleName(tr("Quick question"))
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        round_corners(self, theme.tokens.radius.card)
        self.editor = named(TextEditor(self), "quickField", tr("Quick question"))
        self.editor.setPlaceholderText(tr("Ask anything"))
        self.editor.sendPressed.connect(self._send)
        self.editor.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._stop = IconButton(theme, "circle-stop", name=tr("Stop the answer"), object_name="quickStop")
        self._stop.clicked.connect(self.stopRequested)
        self._problem = QLabel(self)
        self._problem.setObjectName("problem")
        self._problem.setWordWrap(True)
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self._preview = PicturePreview(theme, self)
        self.context_button = PillButton(theme, "", object_name="quickContext", icon_name="x")
        self.context_button.clicked.connect(self.contextRemoved)
        self._buttons = {
            "clipboard": self._button(tr("Add the clipboard"), "quickClipboard", partial(self._want, "clipboard")),
            "selection": self._button(tr("Add the selection"), "quickSelection", partial(self._want, "selection")),
            "screenshot": self._button(tr("Add a screenshot"), "quickScreenshot", partial(self._want, "screenshot")),
            "new": self._button(tr("New", "question"), "quickNew", self.newRequested.emit),
            "open": self._button(tr("Open in ChatDesk"), "quickOpen", self.openRequested.emit),
        }
        self._lay_out()
        theme.changed.connect(self._on_theme_changed)
        self.show_problem("")
        self.show_context("")
        self.set_answering(False)
        self.show_thread(None)
        self._on_theme_changed()

    def show_thread(self, thread_id: str | None) -> None:
        """Show the answers in a thread, or none yet."""
        if self.view is None and thread_id is not None:
            self.view = self._make_view()
            self.view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self.view.setFixedHeight(_ANSWER_PX)
            self._column.insertWidget(self._column.count() - 1, self.view)
        if self.view is not None:
            self.view.show_thread(thread_id)
            self.view.setVisible(thread_id is not None)
        for name in ("new", "open"):
            self._buttons[name].setVisible(thread_id is not None)
        self._fit()

    def set_answering(self, is_answering: bool) -> None:
        """Set whether an answer is being written, which can be stopped then."""
        self._is_answering = is_answering
        self._stop.setVisible(is_answering)

    @property
    def problem(self) -> str:
        """The sentence that says why a question was not sent."""
        return self._problem.text()

    def show_problem(self, sentence: str) -> None:
        """Show why a question was not sent; empty: nothing is wrong."""
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))
        self._fit()

    def show_context(self, words: str, picture: QImage | None = None) -> None:
        """Name the text or show the picture that goes with the next question; empty: nothing does."""
        self._preview.show_picture(picture)
        self.context_button.setText(words)
        self.context_button.set_name(tr("{words}: leave it out", words=words) if words else "")
        self.context_button.setVisible(bool(words))
        has_selection = QGuiApplication.clipboard().supportsSelection()
        self._buttons["clipboard"].setVisible(not words)
        self._buttons["selection"].setVisible(not words and has_selection)
        self._buttons["screenshot"].setVisible(not words)
        self._fit()

    def prepare(self) -> None:
        """Do the work ahead that would delay the first showing."""
        self.ensurePolished()
        self._fit()
        self.winId()

    def come_up(self) -> None:
        """Show the window on the screen where the pointer is, with the keys in its field."""
        screen = QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
        area = screen.availableGeometry()
        self._fit()
        self.move(area.center().x() - self.width() // 2, area.top() + round(area.height() * _FROM_TOP))
        self.show()
        self.raise_()
        self.activateWindow()
        self.editor.setFocus(Qt.FocusReason.ShortcutFocusReason)

    # Qt's questions

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        paint_floating(QPainter(self), QRectF(self.rect()), self._theme.tokens.radius.card, self._theme)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    # Building

    def _button(self, text: str, name: str, run: Callable[[], object]) -> PillButton:
        button = PillButton(self._theme, text, object_name=name)
        button.clicked.connect(lambda _checked=False: run())
        return button

    def _want(self, kind: str) -> None:
        self.contextRequested.emit(kind)

    def _lay_out(self) -> None:
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(*_MARGINS_PX)
        column.setSpacing(8)
        line = QHBoxLayout()
        line.addWidget(self.editor, 1)
        line.addWidget(self._stop, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(line)
        column.addWidget(self._problem)
        column.addWidget(self._preview)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.context_button)
        for name in ("clipboard", "selection", "screenshot"):
            row.addWidget(self._buttons[name])
        row.addStretch(1)
        row.addWidget(self._buttons["new"])
        row.addWidget(self._buttons["open"])
        column.addLayout(row)

    def _fit(self, *_size: object) -> None:
        """Fit the height of the field to its lines, and the height of the window to its content."""
        lines = min(_MOST_LINES, max(1, round(self.editor.document().size().height())))
        self.editor.setFixedHeight(lines * self.editor.fontMetrics().lineSpacing() + 4)
        self.setFixedWidth(round(_WIDTH_PX * max(1.0, self._theme.scale)))
        if (layout := self.layout()) is not None:
            layout.activate()
            self.setFixedHeight(layout.sizeHint().height())

    def _on_theme_changed(self) -> None:
        self.setFont(QApplication.font())
        self._fit()
        self.update()

    def _send(self) -> None:
        text = self.editor.written().strip()
        if text and not self._is_answering:
            self.asked.emit(text)


_MOST_PX: Final = 150


class PicturePreview(QWidget):
    """A picture in a frame, as large as there is room and never larger than it is."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image: QImage | None = None
        self._scaled: QPixmap | None = None
        self.setObjectName("picturePreview")
        self.setAccessibleName(tr("The picture that is sent with the question"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_picture(self, image: QImage | None) -> None:
        """Show a picture; None: none."""
        self._image, self._scaled = image, None
        self.setVisible(image is not None)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(_MOST_PX, round(_MOST_PX * self._theme.scale))

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._image is None:
            return
        ratio = self.devicePixelRatioF()
        room = self.size() * ratio
        wanted = self._image.size().scaled(room, Qt.AspectRatioMode.KeepAspectRatio).boundedTo(self._image.size())
        if self._scaled is None or self._scaled.size() != wanted or self._scaled.devicePixelRatio() != ratio:
            smooth = Qt.TransformationMode.SmoothTransformation
            self._scaled = QPixmap.fromImage(self._image.scaled(wanted, Qt.AspectRatioMode.IgnoreAspectRatio, smooth))
            self._scaled.setDevicePixelRatio(ratio)
        painter = QPainter(self)
        place = QRectF(0, 0, wanted.width() / ratio, wanted.height() / ratio)
        if self.layoutDirection() is Qt.LayoutDirection.RightToLeft:
            place.moveRight(self.width())
        place.moveTop((self.height() - place.height()) / 2)
        painter.drawPixmap(place.topLeft(), self._scaled)
        paint_box(painter, place, 0, border=self._theme.colour("field_line"))


class _QuickAccessible(QAccessibleWidget):
    """The window for assistive programs, to which Qt would call it a part of another."""

    def __init__(self, window: QuickWindow) -> None:
        super().__init__(window, QAccessible.Role.Dialog)

    def close(self) -> None:
        """Do nothing: it has no nodes of its own."""
