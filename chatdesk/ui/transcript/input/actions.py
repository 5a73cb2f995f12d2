"""Runs the actions of keys, buttons and menus; those that the transcript cannot do itself are requested by name."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QWidget

from chatdesk.ui.qt.unread_guard import UnreadMoment
from chatdesk.ui.transcript.copying.clipboard import FORMS, Clipboard
from chatdesk.ui.transcript.copying.selection import Selection
from chatdesk.ui.transcript.drawing.item import OPEN_ACTION, Item, Outcome, artifact_of
from chatdesk.ui.transcript.input.caret import Caret
from chatdesk.ui.transcript.input.menu import build_menu, offered_by
from chatdesk.ui.transcript.input.message_focus import MessageFocus
from chatdesk.ui.transcript.input.pointer import Hit
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.items.table_item import columns_of
from chatdesk.ui.transcript.items.text_item import TextItem
from chatdesk.ui.transcript.layout.conversation import Conversation
from chatdesk.ui.transcript.layout.scrolling import LINE_STEP_PX, Scrolling
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry

_LINK_SCHEMES = ("http://", "https://", "mailto:", "chatdesk://file/")
_SIDE_STEP_PX = 60.0
_WIDENS = {"select-left": -16.0, "select-right": 16.0}
_WALKS = {"next-message": 1, "previous-message": -1}
_BACK = "#fnref-"


class Actions(QObject):
    """The actions on messages.

    ``requested`` carries an action (edit, regenerate, ...) and a message id, ``walked`` the entry that became the
    current one, ``saveRequested`` a text and the file name that suits it. ``acted`` begins with each press of a button
    that acts.
    """

    requested = Signal(str, str)
    linkActivated = Signal(str)
    saveRequested = Signal(str, str)
    pageRequested = Signal(str)  # HTML to show in the browser
    fileRequested = Signal(str, object)  # the action (file-open, -save, -folder, -copy), and the Attachment
    artifactRequested = Signal(str, object)  # the message, and its CodeBlock or Attachment
    changeRequested = Signal(str, object)  # the action (change-apply, -edit, …), and the ShownChange
    walked = Signal(object)
    quoted = Signal(str)
    remembered = Signal(str, str)  # the selection as plain text, and its first message, empty for all
    caretMoved = Signal()

    def __init__(
        self,
        view: QWidget,
        viewport_layout: ViewportLayout,
        *,
        conversation: Conversation,
        scrolling: Scrolling,
        message_focus: MessageFocus,
        selection: Selection,
        caret: Caret,
        clipboard: Clipboard,
    ) -> None:
        super().__init__(view)
        self._view = view
        self._viewport_layout = viewport_layout
        self._conversation = conversation
        self._scrolling = scrolling
        self._message_focus = message_focus
        self._selection = selection
        self._caret = caret
        self._clipboard = clipboard
        self.acted = UnreadMoment()

    def run_command(self, command: str) -> bool:
        """Carry out a keyboard command; return False when it means nothing now, so that others may have the key."""
        if command in _WIDENS and self._widen_stop(_WIDENS[command]):
            return True
        if self._caret.run_command(command):
            self.caretMoved.emit()
            return True
        if command in ("activate", "page-down") and self._message_focus.stop is not None:
            self._activate_stop()
        elif command in ("left", "right"):
            return self._scroll_stop(-_SIDE_STEP_PX if command == "left" else _SIDE_STEP_PX)
        elif command == "copy":
            self._clipboard.copy(self._conversation.thread_id, self._message_focus.acting)
        elif command == "select-all":
            self._selection.select_all()
            self._viewport_layout.repaint()
        elif command == "browse":
            self._caret.toggle()
            self.caretMoved.emit()
        elif command in ("activate", "menu"):
            self._show_menu_of_current()
        elif command == "escape":
            return self._escape()
        else:
            return self._move(command)
        return True

    def act(self, *names: str) -> bool:
        """Run the first of these actions that a message offers in its menu, and return whether one did.

        The message is the one walked to, else the lowest in view that offers any of the actions.
        """
        found = self._first_offered(names)
        if found is None:
            return False
        self._do(*found)
        self._viewport_layout.relayout()
        return True

    def offered(self, *names: str) -> str | None:
        """Return the one of these actions that ``act`` would run, or None when no message offers any."""
        found = self._first_offered(names)
        return None if found is None else found[1]

    def quote(self) -> None:
        """Emit ``quoted`` with the selection, else with the message that keys act on."""
        self._clipboard.quote(self._conversation.thread_id, self._message_focus.acting, self.quoted.emit)

    def remember(self) -> None:
        """Emit ``remembered`` with the selection; the text is empty without one."""
        first = self._selection.first
        id_ = "" if first is None else first.entry.message.id
        self._clipboard.selected_text(self._conversation.thread_id, lambda text: self.remembered.emit(text, id_))

    def _first_offered(self, names: tuple[str, ...]) -> tuple[MessageEntry, str] | None:
        entries = [self._message_focus.current] if self._message_focus.current is not None else self._in_view()
        for entry in entries:
            offered = offered_by(entry, starts_later=self._starts_later, quick=self._conversation.quick)
            name = next((each for each in names if each in offered), None)
            if name is not None:
                return entry, name
        return None

    def press(self, hit: Hit) -> None:
        """Press the button, or follow the link, that was clicked. A button that acts is there long enough to be read,
        and this is no second half of a double click, or nothing happens."""
        if hit.button is not None and hit.button.acts:
            is_unread = hit.item.unread is not None and hit.item.unread.swallows_press()
            if not is_unread and not self.acted.swallows_press():
                self.acted.restart()
                self.press_button(hit.entry, hit.item, hit.button.action)
        elif hit.button is not None:
            self.press_button(hit.entry, hit.item, hit.button.action)
        elif hit.link:
            self._follow_link(hit.entry, hit.link)

    def press_button(self, entry: MessageEntry, item: Item, action: str) -> None:
        outcome = item.press(action)
        if outcome is not None:
            self._follow(entry, outcome)
        elif action == "toggle-fold" and isinstance(item, FoldItem):
            self._viewport_layout.layout.sticks_to_end = False
            entry.toggle_fold(item)
        elif action == "more":
            self._show_menu_below(entry, item, action)
        else:
            self._do(entry, action)
        self._viewport_layout.relayout()

    def _follow(self, entry: MessageEntry, outcome: Outcome) -> None:
        self._clipboard.set_text(outcome.copied, outcome.formats)
        if outcome.saved:
            self.saveRequested.emit(outcome.saved, outcome.file_name)
        if outcome.file is not None:
            self.fileRequested.emit(*outcome.file)
        if outcome.artifact is not None:
            self.artifactRequested.emit(entry.message.id, outcome.artifact)
        if outcome.change is not None:
            self.changeRequested.emit(*outcome.change)
        if outcome.page:
            self.pageRequested.emit(outcome.page)
        if outcome.link:
            self._follow_link(entry, outcome.link)
        if outcome.is_resized:
            self._viewport_layout.layout.sticks_to_end = False
            entry.places.forget()

    def _follow_link(self, entry: MessageEntry, target: str) -> None:
        if not target.startswith("#"):
            self.open_link(target)
        elif (index := find_note_place(entry.items, target)) is not None:
            self._scrolling.reveal_item(entry, index)

    def open_link(self, target: str) -> None:
        if target.lower().startswith(_LINK_SCHEMES):
            self.linkActivated.emit(target)

    def show_menu(self, entry: MessageEntry, at: QPoint) -> None:
        menu = build_menu(
            self._view,
            entry,
            self._viewport_layout.style,
            has_selection=self._selection.is_some,
            starts_later=self._starts_later,
            do=lambda action: self._do(entry, action),
            quick=self._conversation.quick,
        )
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)

    @property
    def _starts_later(self) -> bool:
        return self._conversation.landmarks.starts_at_id is not None

    def _in_view(self) -> list[MessageEntry]:
        """Return the messages in view, the lowest first."""
        self._viewport_layout.ensure_laid_out()
        height = self._viewport_layout.view_height
        placed = [each.entry for each in self._viewport_layout.layout.placed if each.bottom > 0 and each.y < height]
        return list(dict.fromkeys(reversed(placed)))

    def _move(self, command: str) -> bool:
        page = self._viewport_layout.view_height - LINE_STEP_PX
        steps = {"line-up": -LINE_STEP_PX, "line-down": LINE_STEP_PX, "page-up": -page, "page-down": page}
        if command in steps:
            self._scrolling.glide.by(steps[command])
        elif command in _WALKS:
            self._walk(_WALKS[command])
        elif command == "start":
            self._scrolling.to_start()
        elif command == "end":
            self._scrolling.to_end()
        else:
            return False
        return True

    def _do(self, entry: MessageEntry, action: str) -> None:
        if action in FORMS:
            self._clipboard.copy(self._conversation.thread_id, entry, form=action)
        elif action == "quote":
            self._clipboard.quote(self._conversation.thread_id, entry, self.quoted.emit)
        elif action == "remember":
            self.remember()
        elif action == OPEN_ACTION:
            self._open_artifact(entry)
        else:
            self.requested.emit(action, entry.message.id)

    def _open_artifact(self, entry: MessageEntry) -> None:
        """Request the code or file that has the focus as an artifact, else the last one of the message."""
        stop = self._message_focus.stop if entry is self._message_focus.current else None
        focused = [entry.items[stop[0]]] if stop is not None and stop[0] < len(entry.items) else []
        found = next(filter(None, map(artifact_of, (*focused, *reversed(entry.items)))), None)
        if found is not None:
            self.artifactRequested.emit(entry.message.id, found)

    def _walk(self, step: int) -> None:
        entry = self._message_focus.step_message(step)
        if entry is not None:
            self.walked.emit(entry)

    def _activate_stop(self) -> None:
        entry, stop = self._message_focus.current, self._message_focus.stop
        if entry is not None and stop is not None and stop[0] < len(entry.items):
            self.press_button(entry, entry.items[stop[0]], stop[1])

    def _scroll_stop(self, delta: float) -> bool:
        """Scroll the focused item sideways: long code, a wide table."""
        entry, stop = self._message_focus.current, self._message_focus.stop
        if entry is None or stop is None:
            return False
        item = entry.items[stop[0]]
        columns = columns_of(item, stop[1])
        moved = columns.step(delta) if columns is not None else item.scroll is not None and item.scroll.move(delta)
        if moved:
            self._viewport_layout.repaint()
        return moved

    def _widen_stop(self, delta: float) -> bool:
        """Change the width of the table column that has the focus."""
        entry, stop = self._message_focus.current, self._message_focus.stop
        columns = columns_of(entry.items[stop[0]], stop[1]) if entry is not None and stop is not None else None
        if entry is None or columns is None or not columns.widen(delta):
            return False
        self._viewport_layout.layout.sticks_to_end = False
        entry.places.forget()
        self._viewport_layout.relayout()
        return True

    def _escape(self) -> bool:
        had = self._selection.clear() or self._message_focus.current_id is not None
        self._message_focus.walk_to(None)
        self._viewport_layout.repaint()
        return had

    def _show_menu_below(self, entry: MessageEntry, item: Item, action: str) -> None:
        placed = next((each for each in self._viewport_layout.placed_of(entry) if each.item is item), None)
        button = next((each for each in item.buttons() if each.action == action), None)
        x = self._viewport_layout.column_left + (button.area.x() if button else 0)
        self.show_menu(entry, self._viewport_layout.to_global(x, (placed.y if placed else 0.0) + item.height))

    def _show_menu_of_current(self) -> None:
        entry = self._message_focus.acting
        if entry is None:
            return
        placed = next((each for each in self._viewport_layout.placed_of(entry) if each.bottom > 0), None)
        y = min(max(0.0, placed.y if placed else 0.0), self._viewport_layout.view_height - 40)
        self.show_menu(entry, self._viewport_layout.to_global(self._viewport_layout.column_left, y + 24))


def find_note_place(items: Sequence[Item], target: str) -> int | None:
    """Return the index of the item that ``#fn-1`` (the note) or ``#fnref-1`` (its first mark) leads to, or None."""
    if target.startswith(_BACK):
        mark = "#fn-" + target.removeprefix(_BACK)
        return next((place for place, item in enumerate(items) if _leads_to(item, mark)), None)
    return next((place for place, item in enumerate(items) if _is_note(item, target)), None)


def _leads_to(item: Item, target: str) -> bool:
    return any(link.label == target for link in item.links())


def _is_note(item: Item, target: str) -> bool:
    return isinstance(item, TextItem) and target == f"#{item.at.note}"
