"""Shows a pane with one chat: header, notices, the open thread and the composer, and the inspector beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QStackedWidget, QWidget

from chatdesk.core.texts import shown
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import COMPOSER_WIDTH_PX, INSPECTOR_WIDTH_PX, THREAD_LEAST_PX
from chatdesk.ui.widgets.banner import Banner
from chatdesk.ui.widgets.focus_chain import next_in_chain
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.widgets.layouts import bare_column, bare_row
from chatdesk.ui.window.inspector import Inspector
from chatdesk.ui.window.pane_toasts import PaneToasts, ToastMessage

_TOAST_GAP_PX = 12
_NO_LIMIT = 10_000
_COMPOSER_BOTTOM_PX = 14
_BAR_GAP_PX = 8
_MARK_PX = 2

Run = Callable[[], object]


class ChatPane(QWidget):
    """A window has one or two. ``partsChanged``: another part can take the focus, or the inspector came or went.
    ``composerWanted``: somebody types into the composer, which the inspector covers. ``threadLeft``: another thread, or
    a new one, comes in the place of the open one."""

    partsChanged = Signal()
    composerWanted = Signal()
    threadLeft = Signal()

    def __init__(
        self, theme: Theme, header: ThreadHeader, empty_state: QWidget, composer: QWidget, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName("chatPane")
        self.theme = theme
        self.header = header
        self.composer = composer
        self.empty_state = empty_state
        self.transcript: QWidget | None = None
        self.inspector: Inspector | None = None
        self.note: Banner | None = None
        # Whether the list of threads marks the thread that is open here.
        self.is_marked_in_list = True
        self._mark: _ActiveMark | None = None
        self._bars: list[QWidget] = []
        self._run_banner: Run | None = None
        self._run_note: Run | None = None
        self._columns = bare_row(self, spacing_px=0)
        self._area = QWidget(self)
        self._area.setObjectName("threadArea")
        self._columns.addWidget(self._area, 1)
        self._rows = bare_column(self._area, spacing_px=0)
        self.banner = Banner(theme, self._area)
        banner_row = _centred(self.banner, self._area, top_px=_BAR_GAP_PX, bottom_px=0)
        self._stack = QStackedWidget(self._area)
        self._composer_row = _centred(composer, self._area, top_px=0, bottom_px=_COMPOSER_BOTTOM_PX)
        self._rows.addWidget(header)
        self._rows.addWidget(banner_row)
        self._rows.addWidget(self._stack, 1)
        self._rows.addWidget(self._composer_row)
        self._stack.addWidget(empty_state)
        self.toasts = PaneToasts(theme, self._area)
        self.toast = self.toasts.toast
        self._composer_row.installEventFilter(self)
        self.banner.actionTriggered.connect(self._on_banner_action_triggered)

    def parts(self) -> tuple[QWidget, ...]:
        """Return the parts that can take the focus, from the top down."""
        parts = (self.header, self.banner, *self._bars, self._stack, self.toast, self.composer)
        return parts if self.inspector is None else (*parts, self.inspector)

    # The thread

    def set_transcript(self, transcript: QWidget) -> None:
        """Set the transcript, once; until then the empty state is in its place."""
        self.transcript = transcript
        self._stack.addWidget(transcript)
        self.partsChanged.emit()

    def show_transcript(self, is_transcript: bool) -> None:
        """Show the transcript, or the empty state in its place."""
        self.show_pane(self.transcript if is_transcript and self.transcript else self.empty_state)

    def show_pane(self, pane: QWidget) -> None:
        """Show another view in the transcript's place, until ``show_transcript``."""
        if self._stack.indexOf(pane) < 0:
            self._stack.addWidget(pane)
            self.partsChanged.emit()
        self._stack.setCurrentWidget(pane)

    # The inspector

    def show_inspector(self, inspector: Inspector) -> None:
        """Show the inspector beside the thread, or in its place if there is not enough room for both."""
        if self.inspector is None:
            self.inspector = inspector
            self._columns.addWidget(inspector)
        inspector.setVisible(True)
        self.partsChanged.emit()

    def hide_inspector(self) -> None:
        if self.inspector is not None:
            self.inspector.setVisible(False)
            self._area.setVisible(True)
            self.partsChanged.emit()

    def place_inspector(self, room_px: int, *, least_px: int = 0) -> int:
        """Place the inspector in a pane that may become ``room_px`` wide; below ``least_px`` it covers the thread.
        Return the width that it takes from the thread."""
        if self.inspector is None:
            return 0
        is_shown = not self.inspector.isHidden()
        both_px = (INSPECTOR_WIDTH_PX + THREAD_LEAST_PX) * max(1.0, self.theme.scale)
        is_alone = is_shown and room_px < max(least_px, both_px)
        self.inspector.set_filling(is_alone, window_px=room_px)
        self._area.setVisible(not is_alone)
        return self.inspector.minimumWidth() if is_shown and not is_alone else 0

    # Notices

    def add_bar(self, bar: QWidget, *, is_below: bool = False) -> None:
        """Give ``bar`` a place above or below the messages; it shows and hides itself."""
        top_px, bottom_px = (0, _BAR_GAP_PX) if is_below else (_BAR_GAP_PX, 0)
        row = _centred(bar, self._area, top_px=top_px, bottom_px=bottom_px)
        self._rows.insertWidget(self._rows.indexOf(self._stack) + is_below, row)
        self._bars.append(bar)
        self.partsChanged.emit()

    def show_toast(self, text: str, action_text: str | None = None, run: Run | None = None) -> None:
        """Show a short message with at most one button, in place of the previous one. While the chat is hidden, the
        message waits."""
        self.toasts.show(ToastMessage(text, action_text, run))

    def leave_thread(self) -> None:
        """Hide the notices and menus of the thread that was open until now."""
        self.toasts.end_failures()
        self.hide_note()
        self._close_popups()
        self.threadLeft.emit()

    def _close_popups(self) -> None:
        """Close the menus that a part of this chat has opened, because they refer to its former content."""
        while (popup := QApplication.activePopupWidget()) is not None and self in _holders(popup):
            popup.hide()

    def show_banner(
        self, text: str, *, is_danger: bool, action_text: str | None = None, run: Run | None = None
    ) -> None:
        """Show a message above the thread, until it is closed or replaced."""
        self._run_banner = run
        kind = "danger" if is_danger else "warning"
        self.banner.show_message(text, kind=kind, action_text=action_text, is_closable=True)  # type: ignore[arg-type]

    def hide_banner(self, text: str) -> None:
        """Hide an obsolete message above the thread, unless another one replaced it."""
        if self.banner.text == shown(text):
            self.banner.setVisible(False)

    def show_note(self, text: str, on_closed: Run) -> None:
        """Show a notice about the open thread above it, until it is closed or another thread is shown."""
        if self.note is None:
            self.note = Banner(self.theme)
            self.note.setObjectName("threadNote")
            self.note.closed.connect(self._on_note_closed)
            self.add_bar(self.note)
        self._run_note = on_closed
        if not self.note.isVisible() or self.note.text != text:
            self.note.show_message(text, kind="info")

    def hide_note(self) -> None:
        if self.note is not None:
            self.note.setVisible(False)

    # Focus

    def set_active(self, is_active: bool, *, is_marked: bool) -> None:
        """Set whether commands act here; ``is_marked`` shows it by a line at the top, where there is another pane."""
        if not is_active:
            self._close_popups()
        if self._mark is None:
            if not is_marked:
                return
            self._mark = _ActiveMark(self.theme, self)
        self._mark.setVisible(is_marked)
        self._mark.set_active(is_active)
        self._mark.raise_()

    def focus_composer(self) -> None:
        self.composer_field().setFocus(Qt.FocusReason.ShortcutFocusReason)

    def uncover_composer(self) -> None:
        """Ask for the inspector to be closed where it covers the composer."""
        if self._area.isHidden():
            self.composerWanted.emit()

    def focus_writable_field(self) -> bool:
        """Move the focus to the composer's field, where it can be written in. Return whether that is so."""
        field = self.composer_field()
        if not field.isEnabled() or field.property("readOnly"):
            return False
        self.uncover_composer()
        field.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def composer_field(self) -> QWidget:
        """Return the widget of the composer that text is written in."""
        return self.composer.findChild(QWidget, "composer") or next(focusable(self.composer), self.composer)

    def write_in_composer(self, text: str) -> None:
        """Type ``text`` into the composer, because a person began to type elsewhere in the window."""
        if self.focus_writable_field():
            for letter in text:
                QCoreApplication.sendEvent(self.composer_field(), _key_press(letter))

    # Qt's questions

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._composer_row and event.type() == QEvent.Type.Resize:
            self._place_toast()
        return super().eventFilter(watched, event)

    # Reactions

    def _place_toast(self) -> None:
        self.toast.set_bottom(self._composer_row.height() + _TOAST_GAP_PX)

    def _on_banner_action_triggered(self) -> None:
        self.banner.setVisible(False)
        if self._run_banner is not None:
            self._run_banner()

    def _on_note_closed(self) -> None:
        self.focus_composer()
        if self._run_note is not None:
            self._run_note()


def _holders(widget: QWidget) -> Iterator[QWidget]:
    """Yield the widgets that a widget is in, or was opened from, from the inside out."""
    while (holder := widget.parentWidget()) is not None:
        yield holder
        widget = holder


class _ActiveMark(QWidget):
    """The line at the top of a pane: in the accent colour where commands act on it."""

    def __init__(self, theme: Theme, pane: QWidget) -> None:
        super().__init__(pane)
        self._theme = theme
        self.is_active = False
        self.setObjectName("activeMark")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        pane.installEventFilter(self)
        theme.changed.connect(self.update)
        self._fit()

    def set_active(self, is_active: bool) -> None:
        self.is_active = is_active
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fit()
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("accent" if self.is_active else "line"))

    def _fit(self) -> None:
        pane = self.parentWidget()
        assert pane is not None
        self.setGeometry(0, 0, pane.width(), _MARK_PX)


def _key_press(letter: str) -> QKeyEvent:
    return QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, letter)


def _centred(widget: QWidget, area: QWidget, *, top_px: int, bottom_px: int) -> QWidget:
    """Return a row that keeps ``widget`` in the middle, as wide as it may become: as the composer, unless it says."""
    if widget.maximumWidth() > _NO_LIMIT:
        widget.setMaximumWidth(COMPOSER_WIDTH_PX)
    row = QWidget(area)
    line = QHBoxLayout(row)
    line.setContentsMargins(12, top_px, 12, bottom_px)
    line.addStretch(1)
    line.addWidget(widget, 1000)
    line.addStretch(1)
    return row


# The order of the window's panes, for Tab and for F6.

_MOST_WIDGETS = 2_000


class PaneOrder:
    """Sets the Tab order to sidebar, header, thread, composer. ``panes`` returns the panes of the moment, the sidebar
    first, where there is one."""

    def __init__(self, panes: Callable[[], Sequence[QWidget]]) -> None:
        self._panes = panes
        self._is_due = False

    def set_later(self) -> None:
        """Set the order later, at the first Tab or F6: PySide builds all its classes of widgets for it (7 ms)."""
        self._is_due = True

    def set_now(self) -> None:
        """Set the order where that is due: from a pane's last widget to the next one's first."""
        if not self._is_due:
            return
        self._is_due = False
        chain: list[QWidget] = []
        for pane in self._panes():
            found = pane.focus_panes() if isinstance(pane, Sidebar) else focusable(pane, hidden_too=True)
            chain.extend(widget for widget in found if widget not in chain)
        for before, after in pairwise(chain):
            QWidget.setTabOrder(before, after)

    def pane_beside(self, focus: QWidget | None, step: int) -> QWidget | None:
        """Return the pane ``step`` places from the one that has ``focus``, around the end, of those that can take the
        focus; None where no pane can."""
        self.set_now()
        panes = [pane for pane in self._panes() if pane.isVisible() and next(focusable(pane), None) is not None]
        if not panes:
            return None
        here = next((i for i, pane in enumerate(panes) if focus is pane or _contains(pane, focus)), None)
        return panes[(here + step) % len(panes) if here is not None else (0 if step > 0 else len(panes) - 1)]


def _contains(pane: QWidget, widget: QWidget | None) -> bool:
    return widget is not None and pane.isAncestorOf(widget)


def focusable(pane: QWidget, *, hidden_too: bool = False) -> Iterator[QWidget]:
    """Yield the widgets that Tab reaches inside ``pane``, in order."""
    widget = pane
    for _ in range(_MOST_WIDGETS):  # the chain is a ring; a widget that was taken out must not make this endless
        is_inside = widget is pane or pane.isAncestorOf(widget)
        if is_inside and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            is_usable = widget.isEnabled() and widget.isVisible()
            if hidden_too or is_usable:
                yield widget
        following = next_in_chain(widget)
        if following is None or following is pane:
            return
        widget = following
