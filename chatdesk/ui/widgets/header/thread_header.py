"""Shows the row above the transcript: title, model, context, more; and the mark of a temporary chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QWidget

from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import show_checked
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import HEADER_HEIGHT_PX
from chatdesk.ui.widgets.buttons import IconButton, PillButton
from chatdesk.ui.widgets.context_meter import ContextMeter
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.header.presence_row import PresenceRow
from chatdesk.ui.widgets.header.thread_title import ThreadTitle
from chatdesk.ui.widgets.layouts import bare_row
from chatdesk.ui.widgets.models.model_picker import ModelPicker, ProviderChoices
from chatdesk.ui.widgets.painting import fill_area

_GAP_PX, _NARROW_GAP_PX = 10, 4
_MODEL_PX = 110  # width of a model's name and its arrow
_TITLE_PX = 120  # least width of the title, before the model's name is cut further
_NO_LIMIT_PX = 16_777_215  # Qt's own
_OUTLINE_FROM_PX = 560  # in a narrower header the menus lead to the list of questions
_WORDS: Final = Text("Temporary")
_MEANING: Final = Text("Nothing of this chat is stored. It is gone when ChatDesk closes, unless you keep it.")
_KEEPS: Final = Text("Store this chat with all its messages")
_MARK_GAP_PX: Final = 8


class ThreadHeader(QWidget):
    """The header above a thread. It shows the values that it is given and emits requests; it stores nothing."""

    titleEdited = Signal(str)
    modelChosen = Signal(str, str)
    compareRequested = Signal()
    compareLeft = Signal()
    sidebarRequested = Signal()
    inspectorRequested = Signal()
    outlineRequested = Signal()
    keepRequested = Signal()
    closeRequested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._has_outline = False
        self.presence: PresenceRow | None = None
        self.temporary_mark: TemporaryMark | None = None
        self._close_button: IconButton | None = None
        self.setObjectName("threadHeader")
        self.setAccessibleName(tr("Thread header"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.sidebar_button = IconButton(
            theme, "panel-left", name=tr("Show the sidebar"), object_name="showSidebarButton"
        )
        self.sidebar_button.setVisible(False)
        self.sidebar_button.clicked.connect(self.sidebarRequested)
        self.title = ThreadTitle(theme)
        self.title.titleEdited.connect(self.titleEdited)
        self.model_picker = ModelPicker(theme)
        self.model_picker.modelChosen.connect(self.modelChosen)
        self.model_picker.compareRequested.connect(self.compareRequested)
        self.model_picker.compareLeft.connect(self.compareLeft)
        self.context_meter = ContextMeter(theme)
        self.outline_button = IconButton(
            theme, "list", name=tr("Questions of this thread"), object_name="outlineButton"
        )
        self.outline_button.setVisible(False)  # until a thread is open
        self.outline_button.clicked.connect(self.outlineRequested)
        self.inspector_button = IconButton(
            theme, "panel-right", name=tr("Show or hide the inspector"), object_name="inspectorButton"
        )
        self.inspector_button.setCheckable(True)
        self.inspector_button.toggled.connect(self._on_inspector_button_toggled)
        self.more_button = IconButton(theme, "ellipsis", name=tr("More about this thread"), object_name="moreButton")
        self.more_button.setVisible(False)
        row = QHBoxLayout(self)
        set_margins(row, 16, 0, 10, 1)
        row.setSpacing(_GAP_PX)
        for widget in (
            self.sidebar_button,
            self.title,
            self.model_picker,
            self.context_meter,
            self.outline_button,
            self.inspector_button,
            self.more_button,
        ):
            row.addWidget(widget)
        row.setStretchFactor(self.title, 1)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_loading(self) -> None:
        """Show that nothing is loaded yet: no title to rename, no model to choose, no action on a thread."""
        self.title.set_title("", is_editable=False)
        self.model_picker.setVisible(False)

    def set_title(self, title: str, *, is_editable: bool = True, keeps_edit: bool = False) -> None:
        self.title.set_title(title, is_editable=is_editable, keeps_edit=keeps_edit)

    def start_title_edit(self) -> None:
        self.title.start_edit()

    def set_people(self, here: Sequence[str], typing: Sequence[str] = ()) -> None:
        """Set the names of all members in the open thread, and of those among them who type."""
        if self.presence is None:
            if not here:
                return
            self.presence = PresenceRow(self._theme, self)
            row = self.layout()
            assert isinstance(row, QHBoxLayout)
            row.insertWidget(row.indexOf(self.model_picker), self.presence)
        self.presence.set_people(here, typing)
        self.setAccessibleDescription(self.presence.accessibleName() if here else "")

    def set_temporary(self, is_temporary: bool) -> None:
        """Show whether the open thread is temporary, which means not stored. ``keepRequested`` asks to store it."""
        if self.temporary_mark is None:
            if not is_temporary:
                return

            self.temporary_mark = TemporaryMark(self._theme, self)
            self.temporary_mark.keepPressed.connect(self.keepRequested)
            row = self.layout()
            assert isinstance(row, QHBoxLayout)
            row.insertWidget(row.indexOf(self.model_picker), self.temporary_mark)
        self.temporary_mark.setVisible(is_temporary)

    def set_closable(self, is_closable: bool) -> None:
        """Show a button that closes this chat, while there is another one beside it."""
        if self._close_button is None:
            if not is_closable:
                return
            self._close_button = IconButton(self._theme, "x", name=tr("Close this chat"), object_name="closeChatButton")
            self._close_button.clicked.connect(self.closeRequested)
            row = self.layout()
            assert isinstance(row, QHBoxLayout)
            row.addWidget(self._close_button)
        self._close_button.setVisible(is_closable)

    @property
    def models(self) -> tuple[ProviderChoices, ...]:
        return self.model_picker.models

    def set_models(self, models: Sequence[ProviderChoices]) -> None:
        self.model_picker.set_models(models)
        self.model_picker.setVisible(True)

    def set_compared(self, models: Sequence[tuple[str, str]]) -> None:
        self.model_picker.set_compared(models)

    def set_current(self, provider: str, model: str) -> None:
        self.model_picker.set_current(provider, model)

    def set_sidebar_collapsed(self, is_collapsed: bool) -> None:
        """Show the button that brings the sidebar back, only while that is hidden."""
        self.sidebar_button.setVisible(is_collapsed)

    def set_inspector_open(self, is_open: bool) -> None:
        show_checked(self.inspector_button, is_open)

    def set_outline_offered(self, is_offered: bool) -> None:
        """Offer the list of questions while a thread is open, and where the title keeps enough room."""
        self._has_outline = is_offered
        self._show_outline_button()

    def _show_outline_button(self) -> None:
        has_room = self.width() >= _OUTLINE_FROM_PX * max(1.0, self._theme.scale)
        self.outline_button.setVisible(self._has_outline and has_room)

    def set_menu(self, menu: QMenu | None) -> None:
        """Set the caller's menu of thread actions; without one the button is hidden."""
        self.more_button.set_menu(menu)
        self.more_button.setVisible(menu is not None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F2:
            self.start_title_edit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_outline_button()
        self._fit()

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:  # something in it came, went or has other words
            self._fit()
        return super().event(event)

    def _fit(self) -> None:
        """Fit the widgets into the header. Without room for all, the mark of a temporary chat gives up its word first,
        then the meter its figure, then the title its pencil, then the model most of its name: some words of the title
        stay."""
        row = self.layout()
        assert isinstance(row, QHBoxLayout)
        items = [row.itemAt(place) for place in range(row.count())]
        widgets = [item.widget() for item in items if item is not None]
        shown: list[QWidget] = [each for each in widgets if each is not None and not each.isHidden()]
        margins = row.contentsMargins()
        needed = margins.left() + margins.right() + _GAP_PX * (len(shown) - 1)
        for each in shown:
            needed += self._wanted_width(each)
        needed += self.title.missing_width()
        mark = self.temporary_mark
        if mark is not None and mark in shown:
            mark.set_short(needed > self.width())
            if needed > self.width():
                needed += mark.keep_button.sizeHint().width() - mark.full_width()
        self.context_meter.set_short(needed > self.width())
        if self.context_meter in shown:
            needed += self.context_meter.sizeHint().width() - self.context_meter.full_width()
        is_narrow = needed > self.width()
        self.title.set_narrow(is_narrow)
        gap = _NARROW_GAP_PX if is_narrow else _GAP_PX
        if row.spacing() != gap:  # setting it asks for a layout, which would come back here without end
            row.setSpacing(gap)
        picker = self.model_picker
        title_px = self.title.wanted_width(round(_TITLE_PX * max(1.0, self._theme.scale)))
        others = title_px + sum(each.sizeHint().width() for each in shown if each is not self.title)
        room = self.width() - margins.left() - margins.right() - gap * (len(shown) - 1) - others
        most = _NO_LIMIT_PX if room >= 0 else max(self._wanted_width(picker), room + picker.sizeHint().width())
        if picker.maximumWidth() != most:
            picker.setMaximumWidth(most)

    def _wanted_width(self, widget: QWidget) -> int:
        """Return the width at which ``widget`` is understood. The model's name is shortened before the words of
        a temporary thread, though their button alone says the same."""
        if widget is self.context_meter:
            return self.context_meter.full_width()
        if widget is self.temporary_mark:
            return self.temporary_mark.full_width()
        if widget is self.model_picker and self.temporary_mark is not None and self.temporary_mark.isVisibleTo(self):
            return min(self.model_picker.sizeHint().width(), round(_MODEL_PX * max(1.0, self._theme.scale)))
        return widget.minimumSizeHint().width()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        fill_area(painter, self.rect(), self._theme.colour("background"))
        fill_area(painter, QRect(0, self.height() - 1, self.width(), 1), self._theme.colour("line"))

    def _on_inspector_button_toggled(self, is_checked: bool) -> None:
        # The button shows whether the inspector is open, which the press itself has not changed yet.
        show_checked(self.inspector_button, not is_checked)
        self.inspectorRequested.emit()

    def _on_theme_changed(self) -> None:
        self.setFixedHeight(round(HEADER_HEIGHT_PX * max(1.0, self._theme.scale)))
        self._show_outline_button()
        self._fit()
        self.update()


class TemporaryMark(QWidget):
    """The mark of a temporary thread, with a button to keep it. ``keepPressed``: the thread is to be stored."""

    keepPressed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("temporaryMark")
        self.setAccessibleName(tr("Temporary chat"))
        self.setAccessibleDescription(shown(_MEANING))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._label = ElidedLabel(theme, shown(_WORDS), role="muted")
        self._label.setToolTip(shown(_MEANING))
        self.keep_button = PillButton(
            theme, tr("Keep"), object_name="keepTemporaryButton", name=tr("Keep this chat"), icon_name="check"
        )
        self.keep_button.setToolTip(shown(_KEEPS))
        self.keep_button.clicked.connect(self.keepPressed)
        row = bare_row(self, spacing_px=_MARK_GAP_PX)
        row.addWidget(self._label)
        row.addWidget(self.keep_button)

    def full_width(self) -> int:
        """Return the width with the word that ``set_short`` leaves out."""
        return self._label.sizeHint().width() + _MARK_GAP_PX + self.keep_button.sizeHint().width()

    def set_short(self, is_short: bool) -> None:
        """Show only the button; its icon and tooltip replace the words."""
        self._label.setVisible(not is_short)
        self.keep_button.set_icon("eye-off" if is_short else "check")
        self.keep_button.setToolTip(tr("Temporary. {meaning}", meaning=_MEANING) if is_short else shown(_KEEPS))
