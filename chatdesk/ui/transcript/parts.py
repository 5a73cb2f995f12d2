"""Builds the parts of a transcript, each with the parts it works with; the view combines them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QAbstractScrollArea

from chatdesk.core.rendering.client import RenderClient
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.accessible.accessible_actions import AccessibleActions
from chatdesk.ui.transcript.contract import MessageFetcher, SizesFetcher, ThreadFinder
from chatdesk.ui.transcript.copying.clipboard import Clipboard
from chatdesk.ui.transcript.copying.selection import Selection
from chatdesk.ui.transcript.copying.selection_loader import SelectionLoader
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.input.actions import Actions
from chatdesk.ui.transcript.input.caret import Caret
from chatdesk.ui.transcript.input.dragging import Dragging
from chatdesk.ui.transcript.input.finding import Finding
from chatdesk.ui.transcript.input.message_focus import MessageFocus
from chatdesk.ui.transcript.input.mouse import Mouse, Wheel
from chatdesk.ui.transcript.input.pointer import LinkStatus, Pointer
from chatdesk.ui.transcript.input.touch import Touch
from chatdesk.ui.transcript.layout.conversation import Conversation
from chatdesk.ui.transcript.layout.pages import Pages
from chatdesk.ui.transcript.layout.pill import JumpPill
from chatdesk.ui.transcript.layout.scroll_bar import ScrollBarSizes, ThreadScrollBar
from chatdesk.ui.transcript.layout.scrolling import Scrolling
from chatdesk.ui.transcript.layout.timers import Flash, ThreadEnd, Ticking, Unread
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.painting.canvas import Canvas
from chatdesk.ui.transcript.speech.narration import Narrator
from chatdesk.ui.transcript.warm_up import WarmUp


class TranscriptParts:
    """Builds the parts of one view, in the order in which they need each other."""

    def __init__(
        self,
        area: QAbstractScrollArea,
        theme: Theme,
        *,
        fetch: MessageFetcher,
        renderer: RenderClient,
        announce: Callable[[str, bool], None],
        sizes: SizesFetcher | None,
        find: ThreadFinder | None,
    ) -> None:
        self._area = area
        self._theme = theme
        self.viewport_layout = ViewportLayout(area, renderer, self._new_style())
        self.layout = self.viewport_layout.layout
        self._build_reading(fetch, renderer, announce)
        self._build_input(fetch, renderer)
        self.finding = Finding(
            area, self.viewport_layout, conversation=self.conversation, scrolling=self.scrolling, find=find
        )
        self.warm_up = WarmUp(lambda: self.viewport_layout.style, area)
        self.flash = Flash(self.viewport_layout, lambda: theme.motion.is_reduced)
        Ticking(self.viewport_layout)
        ThreadEnd(self.viewport_layout, self.conversation)
        self.unread = Unread(area, self.viewport_layout, self.conversation)
        self._build_pointing_and_painting()
        self.viewport_layout.overlays = (self.pill, self.finding.bar, self.link_status)
        if sizes is not None:
            ScrollBarSizes(self.viewport_layout, self.conversation, self.scrolling, sizes)
        self.finding.bar.set_style(self.viewport_layout.style)
        self.link_status.set_style(self.viewport_layout.style)

    def accessible_actions(self) -> AccessibleActions:
        """Return the actions of this transcript for assistive programs."""
        return AccessibleActions(
            self.viewport_layout,
            message_focus=self.message_focus,
            actions=self.actions,
            scrolling=self.scrolling,
            selection=self.selection,
            caret=self.caret,
        )

    def show_bare(self) -> None:
        """Show texts without the frame of messages: whole, with no author, no tools and no action but to copy."""
        self.conversation.is_bare = True
        self.pill.is_wanted = False

    def renew_style(self) -> None:
        """Draw everything in the style of the theme, screen and reading direction that hold now."""
        style = self._new_style(self._area.devicePixelRatioF())
        for part in (self.pill, self.bar, self.finding.bar, self.link_status, self.viewport_layout):
            part.set_style(style)

    def _new_style(self, device_pixel_ratio: float = 1.0) -> TranscriptStyle:
        return TranscriptStyle(
            self._theme, device_pixel_ratio=device_pixel_ratio, is_mirrored=self._area.isRightToLeft()
        )

    def _build_reading(
        self, fetch: MessageFetcher, renderer: RenderClient, announce: Callable[[str, bool], None]
    ) -> None:
        """Build the parts that load the messages of a thread and move the reader through them."""
        self.bar = ThreadScrollBar(self.viewport_layout.style, self._area)
        self._area.setVerticalScrollBar(self.bar)
        self.pill = JumpPill(self._area, self.viewport_layout.style)
        self.link_status = LinkStatus(self._area)  # no child of the viewport: those move when its picture is moved
        pages = Pages(fetch)
        self.scrolling = Scrolling(
            self._area,
            self.viewport_layout,
            pages,
            pill=self.pill,
            is_motion_reduced=lambda: self._theme.motion.is_reduced,
        )
        self.narrator = Narrator(renderer, announce)
        self.conversation = Conversation(
            self.viewport_layout, pages, scrolling=self.scrolling, renderer=renderer, narrator=self.narrator
        )

    def _build_input(self, fetch: MessageFetcher, renderer: RenderClient) -> None:
        """Build the parts that select, walk, copy and act."""
        self.selection = Selection(self.layout)
        self.pointer = Pointer(self.viewport_layout, self.selection, self.scrolling.by)
        self.message_focus = MessageFocus(
            self._area, self.viewport_layout, scrolling=self.scrolling, pointer=self.pointer
        )
        self.wheel = Wheel(self.viewport_layout, self.scrolling, self.pointer)
        self.touch = Touch(self._area, self.scrolling)
        self.caret = Caret(
            self.viewport_layout, self.selection, scrolling=self.scrolling, message_focus=self.message_focus
        )
        self.clipboard = Clipboard(self.selection, SelectionLoader(self.layout, fetch, renderer, self._area))
        self.actions = Actions(
            self._area,
            self.viewport_layout,
            conversation=self.conversation,
            scrolling=self.scrolling,
            message_focus=self.message_focus,
            selection=self.selection,
            caret=self.caret,
            clipboard=self.clipboard,
        )

    def _build_pointing_and_painting(self) -> None:
        self.dragging = Dragging(self._area, self.viewport_layout, pointer=self.pointer, selection=self.selection)
        self.mouse = Mouse(
            self.viewport_layout,
            pointer=self.pointer,
            dragging=self.dragging,
            message_focus=self.message_focus,
            actions=self.actions,
            link_status=self.link_status,
        )
        self.canvas = Canvas(
            self.viewport_layout,
            selection=self.selection,
            message_focus=self.message_focus,
            finding=self.finding,
            caret=self.caret,
            flash=self.flash,
        )
