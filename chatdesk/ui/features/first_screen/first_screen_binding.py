"""Controls a chat without messages: the first screen while no provider can answer, else the answering model and
suggestions to begin with."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal

from chatdesk.core.errors import StorageError
from chatdesk.core.events import ProvidersChanged
from chatdesk.core.texts import Text, shown, tr
from chatdesk.services.services import Services
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.first_screen.first_screen import FirstScreen
from chatdesk.ui.features.providers.provider_editing import ProviderEditing
from chatdesk.ui.widgets.empty_state import OFFLINE_STARTS, STARTS
from chatdesk.ui.window.window_context import Controller, WindowContext

_TOUR = Text("What can ChatDesk do?")
OFFLINE = "offline"


class FirstScreenBinding(Controller):
    """Controller of a chat without messages. ``ended`` is emitted when the person chose the tour, after which the first
    screen is not shown again."""

    ended = Signal()

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        messages: MessageBinding,
        editing: ProviderEditing,
        *,
        open_import: Callable[[str], object],
        ask: Callable[[str], object],
        services: Services,
        read_only_reason: Callable[[], StorageError | None],
    ) -> None:
        super().__init__(context)
        self._threads = threads
        self._messages = messages
        self._editing = editing
        self._open_import = open_import
        self._ask = ask
        self._services = services
        self._read_only_reason = read_only_reason
        self.is_ended = False
        threads.opened.connect(lambda _thread: self.refresh())
        messages.models.changed.connect(self.refresh)
        context.events.subscribe(self, ProvidersChanged, lambda _event: self.refresh())

    def refresh(self) -> None:
        """Show the current state: which providers can answer, and which was chosen."""
        empty_state = self._panes.empty_state
        if not self._threads.is_blank:
            return
        if self._is_first():
            if empty_state.first_screen is None:
                self._show_first_screen(FirstScreen(self._panes.theme))
            return
        empty_state.remove_first_screen()
        provider, model = self._messages.models.resolved()
        empty_state.set_starts(OFFLINE_STARTS if provider == OFFLINE else STARTS)
        empty_state.set_sub_text(self._who_answers(provider, model))

    def _is_first(self) -> bool:
        """Return whether only the offline model is set up, and nobody chose it."""
        is_alone = all(provider.name == OFFLINE for provider in self._services.providers.all())
        is_locked = self._services.provider_service.keys.is_file_locked
        is_wanted = self.is_ended or self._current_settings().provider == OFFLINE
        return is_alone and not is_locked and not is_wanted and self._read_only_reason() is None

    def _show_first_screen(self, first_screen: FirstScreen) -> None:
        self._editing.serve(first_screen.provider, self.refresh)
        first_screen.importRequested.connect(self._open_import)
        first_screen.tourRequested.connect(self._on_tour_requested)
        self._panes.empty_state.show_first_screen(first_screen)

    def _on_tour_requested(self) -> None:
        self.is_ended = True
        self.ended.emit()
        self.refresh()
        self._ask(shown(_TOUR))

    def _who_answers(self, provider: str, model: str) -> str:
        if not self._services.providers.has(provider):
            return tr("The provider of this model is gone. Choose another model at the top.")
        label = shown(self._services.providers.get(provider).label)
        if self._services.providers.lacks_key(provider):
            return tr(
                "{label} has no key yet, so it cannot answer. Put it into Settings, Providers, or choose another "
                "model at the top.",
                label=label,
            )
        if provider == OFFLINE:
            return tr("The demo model answers, without account or network. It shows what ChatDesk can do.")
        name = self._panes.header.model_picker.text() if model else ""
        who = tr("{model} of {provider}", model=name, provider=label) if name and name != label else label
        return tr("{who} answers. Choose another model at the top.", who=who)
