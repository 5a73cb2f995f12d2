"""Shows the list of prompts above the composer: it narrows while a person types after a mark (/ or @), or in a field of
its own.

After a mark the focus stays in the editor. The list takes only the keys that choose, and only while it has rows: all
other keys are text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from chatdesk.core.domain.prompt import PromptFinder, PromptHead
from chatdesk.core.hidden_characters import told_apart
from chatdesk.core.texts import Sentences, Text, plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.accessibility.pressed_rows import offer_press
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.composer.text_editor import SLASH, mark_query
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import HIT_TARGET_PX
from chatdesk.ui.widgets.painting import draw_line, paint_box, paint_floating
from chatdesk.ui.widgets.search_field import SearchField
from chatdesk.ui.widgets.uniform_row_delegate import UniformRowDelegate

MANAGE = ""  # stands in place of a prompt's id
_WIDTH_PX = 560
_ROW_PX = 46
_MOST_ROWS = 7
_MOST_LISTED = 100
_GAP_PX = 6
_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: _MOST_ROWS, Qt.Key.Key_PageUp: -_MOST_ROWS}
_PASSING = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)
_ID_ROLE = int(Qt.ItemDataRole.UserRole)
_HINT_ROLE = _ID_ROLE + 1


@dataclass(frozen=True, slots=True)
class MenuKind:
    """The prompts that are listed after a mark. ``heard`` says how many are listed and what the keys do; ``manage`` is
    the last row of the whole list, and its hint."""

    mark: str
    name: str
    heard: Callable[[int], Text]
    manage: tuple[str, str]


PROMPTS: Final = MenuKind(
    SLASH,
    Text("Prompts"),
    lambda count: plural(
        "{count} prompts, arrows choose, Enter inserts, Esc closes.",
        "{count} prompt, arrows choose, Enter inserts, Esc closes.",
        count,
    ),
    (Text("Edit prompts…"), Text("All templates and system prompts")),
)


class PromptMenu(QFrame):
    """A child of the window. ``chosen`` carries an id and whether a mark is to be replaced. The last row of the whole
    list is ``manageRequested``."""

    chosen = Signal(str, bool)
    manageRequested = Signal()

    def __init__(self, theme: Theme, composer: Composer, kind: MenuKind = PROMPTS) -> None:
        super().__init__(composer.window())
        self._kind = kind
        self._theme = theme
        self._composer = composer
        self._editor = composer.editor
        self._finder = PromptFinder(())
        self._is_after_mark = False
        self._is_armed = False
        self._shown_for: str | None = None
        self.setObjectName("promptMenu")
        self.setAccessibleName(shown(kind.name))
        self.field = SearchField(theme, object_name="promptMenuField", placeholder=tr("Find a prompt"))
        self.list = named(_PromptList(), "promptMenuList", shown(kind.name))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(_PromptDelegate(theme, _ROW_PX, self.list))
        self.list.setStyleSheet("#promptMenuList { background: transparent; border: none; }")
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(6)
        column.addWidget(self.list, 1)
        column.addWidget(self.field)
        self.hide()
        self.list.itemClicked.connect(self._choose)
        self.list.currentRowChanged.connect(self._announce_current)
        self.field.textChanged.connect(self._on_field_text_changed)
        self._editor.writtenChanged.connect(self._follow)
        self._editor.cursorPositionChanged.connect(self._follow)
        for watched in (self._editor, self.field, self.window()):
            watched.installEventFilter(self)
        theme.changed.connect(self.close_menu)

    # Updates from the binding

    def set_manage(self, row: tuple[str, str]) -> None:
        """Set the last row of the whole list, and its hint."""
        self._kind = replace(self._kind, manage=row)

    @property
    def is_listed(self) -> bool:
        """Return whether the menu is shown."""
        return self.isVisible()

    @property
    def is_open(self) -> bool:
        """Return whether the menu is shown, or would be if the typed text matched a prompt."""
        return self._is_armed

    def open_after_mark(self, heads: Sequence[PromptHead]) -> None:
        """Open the menu if the mark still is there: keys may have been faster."""
        self._open(heads, is_after_mark=True)
        self._follow()

    def open_to_search(self, heads: Sequence[PromptHead]) -> None:
        self._open(heads, is_after_mark=False)
        self.field.clear()
        self._fill("")
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def update_heads(self, heads: Sequence[PromptHead]) -> None:
        """Replace the listed prompts, even while the menu is open. A row chosen with the arrows stays chosen."""
        self._finder = PromptFinder(_told_apart(heads))
        if self.isVisible():
            item = self.list.currentItem()
            self._fill(self._typed(), stays_at=None if item is None else str(item.data(_ID_ROLE)))
        else:
            self._shown_for = None
            self._follow()

    def close_menu(self) -> None:
        """Close the menu; the focus goes back to the editor if it was here."""
        had_focus = self.window().focusWidget() is self.field
        self._is_armed = False
        self.hide()
        if had_focus:
            self._editor.setFocus(Qt.FocusReason.PopupFocusReason)

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if watched is self.window():
            if kind is QEvent.Type.Resize and self.isVisible():
                self._place()
            elif kind is QEvent.Type.WindowBlocked:  # by a dialog
                self.close_menu()
            return False
        if isinstance(event, QFocusEvent) and event.lostFocus():
            # Not when the window itself lost it: one looks something up and comes back.
            typed_in = self._editor if self._is_after_mark else self.field
            if watched is typed_in and self.isVisible() and event.reason() not in _PASSING:
                self.close_menu()
            return False
        if not self.isVisible() or not isinstance(event, QKeyEvent):
            return False
        if kind is QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return kind is QEvent.Type.KeyPress and self._handle_key(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_floating(painter, QRectF(self.rect()), self._theme.tokens.radius.code, self._theme)
        painter.end()

    # Inside

    def _open(self, heads: Sequence[PromptHead], *, is_after_mark: bool) -> None:
        self._finder = PromptFinder(_told_apart(heads))
        self._is_after_mark = is_after_mark
        self._is_armed = True
        self._shown_for = None
        self.field.setVisible(not is_after_mark)

    def _typed(self) -> str:
        return (mark_query(self._editor, self._kind.mark) or "") if self._is_after_mark else self.field.text()

    def _follow(self) -> None:
        """List the prompts that match the text after the mark, or close the menu when there is none."""
        if not (self._is_armed and self._is_after_mark):
            return
        query = mark_query(self._editor, self._kind.mark)
        if query is None or self.window().focusWidget() is not self._editor:
            self.close_menu()
        elif query != self._shown_for:
            self._fill(query)

    def _on_field_text_changed(self, text: str) -> None:
        if self._is_armed and not self._is_after_mark:
            self._fill(text)

    def _fill(self, typed: str, *, stays_at: str | None = None) -> None:
        self._shown_for = typed
        found = self._finder.find(typed, names_only=self._is_after_mark)[:_MOST_LISTED]
        self.list.blockSignals(True)
        self.list.clear()
        for head in found:
            self._add(head.name, " ".join(head.beginning.split()), head.id)
        if not typed.strip():
            name, hint = self._kind.manage
            self._add(shown(name), shown(hint), MANAGE)
        is_empty = not self.list.count()
        if is_empty and not self._is_after_mark:
            self._add(tr("No prompt matches."), "", MANAGE).setFlags(Qt.ItemFlag.NoItemFlags)
        else:
            rows = range(self.list.count()) if stays_at is not None else ()
            self.list.setCurrentRow(next((row for row in rows if self.list.item(row).data(_ID_ROLE) == stays_at), 0))
        self.list.blockSignals(False)
        was_visible = self.isVisible()
        self.setVisible(not (is_empty and self._is_after_mark))
        if self.isVisible():
            self._place()
            self.list.scrollToItem(self.list.currentItem())
            lead = "" if was_visible else self._kind.heard(len(found))
            self._announce_current(self.list.currentRow(), lead=lead)

    def _add(self, name: str, hint: str, prompt_id: str) -> QListWidgetItem:
        item = QListWidgetItem(name, self.list)
        item.setData(_ID_ROLE, prompt_id)
        item.setData(_HINT_ROLE, hint[:160])
        item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, hint[:160])
        return item

    def _announce_current(self, row: int, lead: str = "") -> None:
        item = self.list.item(row)
        if item is not None and self.isVisible():
            place = tr("{item}, {row} of {count}", item=item.text(), row=row + 1, count=self.list.count())
            announce(self.list, Sentences.of(lead, place))

    def _handle_key(self, event: QKeyEvent) -> bool:
        """Return whether the key belonged to the menu and was handled."""
        key, modifiers = Qt.Key(event.key()), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if modifiers:
            return False
        if key == Qt.Key.Key_Escape:
            self.close_menu()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            self._choose(self.list.currentItem())
        elif key in _STEPS:
            last = self.list.count() - 1
            row = self.list.currentRow() + _STEPS[key]
            self.list.setCurrentRow(row % (last + 1) if abs(_STEPS[key]) == 1 else max(0, min(last, row)))
        else:
            return False
        return True

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is None or not item.flags() & Qt.ItemFlag.ItemIsEnabled:
            return
        prompt_id, is_after_mark = str(item.data(_ID_ROLE)), self._is_after_mark
        self.close_menu()
        if prompt_id == MANAGE:
            self.manageRequested.emit()
        else:
            self.chosen.emit(prompt_id, is_after_mark)

    def _place(self) -> None:
        """Place the menu above the composer, as wide as fits and no higher than there is room."""
        window, scale = self.window(), max(1.0, self._theme.scale)
        corner = self._composer.mapTo(window, QPoint(0, 0))
        width = min(self._composer.width(), round(_WIDTH_PX * scale))
        margins, layout = self.contentsMargins(), self.layout()
        assert layout is not None
        inner = layout.contentsMargins()
        rest = inner.top() + inner.bottom() + margins.top() + margins.bottom()
        if not self._is_after_mark:
            rest += self.field.sizeHint().height() + layout.spacing()
        wanted = min(self.list.count(), _MOST_ROWS) * self.list.sizeHintForRow(0) + rest
        height = max(min(wanted, corner.y() - 2 * _GAP_PX), rest + HIT_TARGET_PX)
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = corner.x() + (self._composer.width() - width if is_mirrored else 0)
        self.setGeometry(left, max(0, corner.y() - _GAP_PX - height), width, height)
        self.raise_()


class _PromptList(QListWidget):
    def __init__(self) -> None:
        super().__init__()
        offer_press(_PromptList)


class _PromptDelegate(UniformRowDelegate):
    """The name, and below it how the text begins."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, rect = self._theme, option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            paint_box(painter, QRectF(rect), theme.tokens.radius.row, fill=theme.colour("selected"))
        is_usable = bool(index.flags() & Qt.ItemFlag.ItemIsEnabled)
        inner = rect.adjusted(10, 3, -10, -3)
        half = inner.height() // 2
        for font, colour, text, box in (
            (theme.font("text"), "text" if is_usable else "muted", index.data(), inner.adjusted(0, 0, 0, -half)),
            (theme.font("muted"), "muted", index.data(_HINT_ROLE), inner.adjusted(0, half, 0, 0)),
        ):
            painter.setFont(font)
            painter.setPen(theme.colour(colour))
            shown = painter.fontMetrics().elidedText(str(text or ""), Qt.TextElideMode.ElideRight, box.width())
            draw_line(painter, QRectF(box), shown, option.direction)
        painter.restore()


def _told_apart(heads: Sequence[PromptHead]) -> list[PromptHead]:
    """Return the prompts with names that a person tells apart; other programs may have made some of them."""
    names = told_apart({each.id: each.name for each in sorted(heads, key=lambda each: each.id)})
    return [replace(each, name=names[each.id]) for each in heads]
