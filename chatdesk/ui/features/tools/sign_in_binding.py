"""Offers to sign in where a tool server of the open thread asks for it: at the start of an answer, or in a call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtCore import Qt, QUrl, Signal

from chatdesk.core.domain.tools import ToolServer
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.events import ToolServersChanged
from chatdesk.core.hidden_characters import distinct_name, visible_controls
from chatdesk.core.texts import shown, tr
from chatdesk.core.tools.tool_service import ToolService
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.tools.card_frame import CardFrame, card_label
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.outside import open_outside
from chatdesk.ui.window.window_context import Controller, WindowContext


class SignInBinding(Controller):
    """Controller of the sign-in card. ``in_use`` returns the service of tool servers, None if no server is set up.
    ``changed``: another server is offered, or none; the controller of the other cards in this place calls ``show``
    then."""

    changed = Signal()

    def __init__(
        self, context: WindowContext, threads: ThreadBinding, *, in_use: Callable[[], Awaitable[ToolService | None]]
    ) -> None:
        super().__init__(context)
        self._threads = threads
        self._in_use = in_use
        self._card: SignInCard | None = None
        self._wanting: tuple[ToolServer, ...] = ()
        self._dismissed: set[str] = set()
        self._started: set[str] = set()  # servers that may stop before they are signed in to; they stay offered
        threads.opened.connect(lambda _thread: self._refresh_soon())
        context.events.subscribe(self, ToolServersChanged, lambda _event: self._refresh_soon())

    @property
    def is_shown(self) -> bool:
        """Return whether the card is shown."""
        return self._card is not None and self._card.isVisible()

    def show(self, *, has_place: bool) -> None:
        """Show the offered sign-in, where the card may have its place."""
        offered = self._wanting if has_place else ()
        if self._card is None:
            if offered:
                self._make_card()
            return
        self._card.show_first(offered, leave=self._panes.pane.focus_composer)

    def focus_waiting(self) -> None:
        """Put the focus into the card."""
        if self._card is not None:
            self._card.focus_answer()

    @in_task("refresh sign-ins", replaces=True)
    async def _refresh_soon(self) -> None:
        service = await self._in_use()
        thread = self._threads.open_thread
        if service is None or (thread is None and not self._wanting):
            return
        wanting = {each.server.id for each in service.statuses() if each.wants_sign_in} | self._started
        self._dismissed &= wanting
        on = () if thread is None else service.on_for(thread_id=thread.id, project_id=thread.project_id)
        offered = tuple(each for each in on if each.id in wanting - self._dismissed)
        if offered == self._wanting:
            return
        for server in offered:
            if server not in self._wanting:
                announce(
                    self._panes.window, tr("{name} asks you to sign in: Ctrl+Shift+Y.", name=distinct_name(server.name))
                )
        self._wanting = offered
        self.changed.emit()
        self._panes.commands.refresh()

    def _make_card(self) -> None:
        if self._card is None:
            card = self._card = SignInCard(self._panes.theme)
            card.hide()
            card.signInRequested.connect(lambda id_: self._tasks.replace(self._sign_in(card, id_), f"sign in {id_}"))
            card.dismissed.connect(self._dismiss)
            self._panes.pane.add_bar(card, is_below=True)
        self.changed.emit()

    def _dismiss(self, server_id: str) -> None:
        self._dismissed.add(server_id)
        self._started.discard(server_id)
        self._tasks.cancel(f"sign in {server_id}")
        self._refresh_soon()

    async def _sign_in(self, card: SignInCard, server_id: str) -> None:
        """Sign in to a server. The page opens because a person pressed the button."""
        service = await self._in_use()
        if service is None:
            return

        def open_page(address: str) -> None:
            card.show_progress(open_sign_in_page(address))

        self._started.add(server_id)
        card.show_problem("")
        card.show_progress(tr("Asking where to sign in…"))
        try:
            await service.sign_ins.sign_in(server_id, open_page)
        except ChatDeskError as error:
            card.show_progress("")
            card.show_problem(shown(error.sentence))
            return
        self._started.discard(server_id)
        self._refresh_soon()
        self._panes.pane.show_toast(tr("Signed in. Ask again to use its tools."))


class SignInCard(CardFrame[ToolServer]):
    """A card that offers to sign in to a tool server. ``signInRequested`` and ``dismissed`` have the id of the
    server."""

    signInRequested = Signal(str)
    dismissed = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "signIn", "plug")
        self._words = card_label("muted", "signInWords")
        self.sign_in_button = push_button(tr("Sign in…"), "signInNow", self._on_sign_in, is_primary=True)
        self.later_button = push_button(tr("Not now"), "signInLater", self._on_later)
        self.column.addWidget(self._words)
        self.column.addWidget(self.problem)
        buttons = (self.sign_in_button, self.later_button)
        self.add_buttons(*buttons, agreeing=(self.sign_in_button,))
        self.show_count(1)

    def _fill(self, request: ToolServer) -> None:
        title = tr("{name} asks you to sign in", name=distinct_name(request.name))
        self.title.setText(title)
        self.setAccessibleName(title)
        for button in (self.sign_in_button, self.later_button):
            button.setAccessibleName(f"{button.text()}: {title}")
        self.show_problem("")
        self.show_progress(
            tr(
                "The tools of {address} are left out until you have signed in.",
                address=visible_controls(request.address),
            )
        )

    def show_progress(self, words: str) -> None:
        """Show the progress of the sign-in."""
        self._words.setText(words)
        if self.isVisible():
            announce(self, words)

    def focus_answer(self) -> None:
        """Put the focus on the button that signs in."""
        self.sign_in_button.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_sign_in(self) -> None:
        if self._request is not None:
            self.signInRequested.emit(self._request.id)

    def _on_later(self) -> None:
        if self._request is not None:
            self.dismissed.emit(self._request.id)


def open_sign_in_page(address: str) -> str:
    """Open the page in the browser, because a person pressed a button. Return the sentence that is shown in the
    meantime; the host in it is in ASCII, so that it cannot look like another one."""
    if problem := open_outside(address):
        return problem
    host = QUrl(address, QUrl.ParsingMode.StrictMode).host(QUrl.ComponentFormattingOption.EncodeUnicode)
    return tr("Sign in at {host} in your browser, within five minutes.", host=host)
