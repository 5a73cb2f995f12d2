"""Controls the network state: the composer shows a missing connection, and network changes are passed to the services
that need them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chatdesk.core.chat.network_watch import NetworkWatch
from chatdesk.core.domain.sharing.team import SyncPhase
from chatdesk.core.errors import StorageError
from chatdesk.core.events import ReachabilityChanged, SyncStatusChanged
from chatdesk.core.texts import plural, shown, tr
from chatdesk.services.services import Services
from chatdesk.ui.window.window_context import Controller, WindowContext

if TYPE_CHECKING:
    from PySide6.QtNetwork import QNetworkInformation


class NetworkBinding(Controller):
    """Shows which providers cannot be reached, and checks again when the system reports a network. The system is asked
    only once something waits for the network, because that takes a moment to load."""

    def __init__(
        self,
        context: WindowContext,
        *,
        network: Callable[[], NetworkWatch],
        services: Services,
        read_only_reason: Callable[[], StorageError | None],
        check_again: Callable[[], None],
    ) -> None:
        super().__init__(context)
        self._network = network
        self._services = services
        self._read_only_reason = read_only_reason
        self._check_again = check_again
        self._system: QNetworkInformation | None = None
        context.events.subscribe(self, ReachabilityChanged, self._on_reachability_changed)
        context.events.subscribe(self, SyncStatusChanged, self._on_sync_status_changed)

    def start(self) -> None:
        """Watch the network from now on, also for questions that waited when the last window closed."""
        network = self._network()
        if self._read_only_reason() is None:
            self._tasks.start(network.resume(), "go on with what waits for the network")

    def _on_reachability_changed(self, event: ReachabilityChanged) -> None:
        known = {provider.name: shown(provider.label) for provider in self._services.providers.all()}
        labels = [known.get(name, name) for name in event.unreachable]
        count = len(event.waiting) if self._current_settings().send_when_back else 0
        self._panes.composer.notice.set_offline(offline_words(labels, count))
        if labels:
            self._watch_system()

    def _on_sync_status_changed(self, event: SyncStatusChanged) -> None:
        if event.status.phase is SyncPhase.OFFLINE:
            self._watch_system()

    def _watch_system(self) -> None:
        if self._system is not None:
            return
        from PySide6.QtNetwork import QNetworkInformation

        # Not every system has a backend for it; then the looks alone must do.
        if QNetworkInformation.loadBackendByFeatures(QNetworkInformation.Feature.Reachability):
            self._system = QNetworkInformation.instance()
            self._system.reachabilityChanged.connect(self._on_system_reachability_changed)

    def _on_system_reachability_changed(self, _reachability: object) -> None:
        self._check_again()


def offline_words(labels: Sequence[str], waiting: int) -> str:
    """Return a sentence that names the providers that cannot be reached and says what becomes of the questions."""
    if not labels:
        return ""
    providers = labels[0]
    for label in labels[1:]:
        providers = tr("{one} and {other}", one=providers, other=label)
    if not waiting:
        return tr("No connection to {providers}. Your questions are kept.", providers=providers)
    words = plural(
        "No connection to {providers}. {count} questions are kept, and sent when it is back.",
        "No connection to {providers}. Your question is kept, and sent when it is back.",
        waiting,
        providers=providers,
    )
    return shown(words)
