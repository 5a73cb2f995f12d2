"""Controls presence in the shared project that a chat shows: the others', and this person's own, which is sent to them:
present, or typing. The typed text is never sent."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

from chatdesk.core.domain.sharing.team import PresenceState, ShareState
from chatdesk.core.domain.thread import Thread
from chatdesk.core.events import PresenceChanged, TeamChanged
from chatdesk.core.sync.team_service import TeamService
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.window.window_context import Controller, Panes, ShownChats, WindowContext

_STILL_TYPING_MS = 4_000
_BY_HAND = (QEvent.Type.KeyPress, QEvent.Type.InputMethod)


class PresenceBinding(Controller):
    """The presence in one chat. Drafts that are put into the composer are no typing: only text that changes under keys
    is."""

    def __init__(
        self, context: WindowContext, threads: ThreadBinding, team: TeamService, presence_place: PresencePlace
    ) -> None:
        super().__init__(context, context.panes.pane)
        panes = context.panes
        self._threads = threads
        self._team = team
        self._presence_place = presence_place
        self._place: tuple[str | None, str | None] = (None, None)
        self._is_by_hand = False
        self._typing = QTimer(self, singleShot=True, interval=_STILL_TYPING_MS)
        self._typing.setObjectName("typing")
        self._typing.timeout.connect(self._update_place)
        panes.composer.editor.installEventFilter(self)
        panes.composer.textChanged.connect(self._on_composer_text_changed)
        threads.opened.connect(self._on_thread_opened)
        context.events.subscribe(self, PresenceChanged, self._on_presence_changed)
        context.events.subscribe(self, TeamChanged, lambda _event: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Publish the person's place, and read the others'."""
        self._on_thread_opened(self._threads.open_thread)

    def end(self) -> None:
        """Report that this person has left, because the chat is closed."""
        self._place = (None, None)
        self._typing.stop()
        self._presence_place.remove(self._panes)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _BY_HAND:
            self._is_by_hand = True
            # Only what this event does counts: it is handled before anything else of this turn of the loop.
            QTimer.singleShot(0, self, self._forget_hand)
        return super().eventFilter(watched, event)

    def _forget_hand(self) -> None:
        self._is_by_hand = False

    def _on_composer_text_changed(self) -> None:
        if self._panes.composer.editor.is_blank():
            if self._typing.isActive():
                self._typing.stop()
                self._update_place()
        elif self._is_by_hand and self._place[0] is not None:
            self._typing.start()
            self._update_place()

    def _on_thread_opened(self, thread: Thread | None) -> None:
        project_id = thread.project_id if thread is not None else self._threads.new_project_id
        shared = None if project_id is None else self._team.known.shared_project(project_id)
        is_shared = shared is not None and shared.state is not ShareState.ENDED
        place = (project_id, thread.id if thread is not None else None) if is_shared else (None, None)
        if place != self._place:
            self._place = place
            self._typing.stop()
        self._update_place()
        self._show()

    def _update_place(self) -> None:
        project_id, thread_id = self._place
        is_typing = self._typing.isActive() and project_id is not None
        self._presence_place.set_place(self._panes, (project_id, thread_id, is_typing))

    def _on_presence_changed(self, event: PresenceChanged) -> None:
        if event.project_id == self._place[0]:
            self._show()

    def _show(self) -> None:
        project_id, thread_id = self._place
        found = self._team.presence(project_id) if project_id is not None else ()
        here = [each for each in found if each.thread_id == thread_id]
        typing = [each.name for each in here if each.state is PresenceState.TYPING]
        self._panes.header.set_people([each.name for each in here], typing)


_AWAY_AFTER_MS = 60_000
_NOWHERE = (None, None, False)

# Shared project, thread, and whether the person types there.
Place = tuple[str | None, str | None, bool]


class PresencePlace(QObject):
    """Publishes to the team where the person is: in the chat where they type, else in the active one, else in one in
    sight that shows something shared. The server keeps one place of a computer in a project."""

    def __init__(self, team: TeamService, chats: ShownChats) -> None:
        super().__init__()
        self._team = team
        self._chats = chats
        self._places: list[tuple[Panes, Place]] = []
        self._published: Place = _NOWHERE
        self._is_away = False
        self._away = QTimer(self, singleShot=True, interval=_AWAY_AFTER_MS)
        self._away.setObjectName("away")
        self._away.timeout.connect(self._on_away_timeout)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.applicationStateChanged.connect(self._on_application_state_changed)

    def set_place(self, panes: Panes, place: Place) -> None:
        """Record the thread that a chat shows, and whether a person types in it."""
        self._forget(panes)
        self._places.append((panes, place))
        self.publish()

    def remove(self, panes: Panes) -> None:
        """Forget a chat, because it is closed."""
        self._forget(panes)
        self.publish()

    def publish(self) -> None:
        """Publish where the person is now, if that has changed."""
        now = _NOWHERE if self._is_away else self._find()
        if now != self._published or now[2]:  # the service sends as often as is good
            self._published = now
            project_id, thread_id, is_typing = now
            self._team.set_presence(project_id, thread_id, is_typing=is_typing)

    def _forget(self, panes: Panes) -> None:
        self._places = [each for each in self._places if each[0] is not panes]

    def _find(self) -> Place:
        active = self._chats.active().panes
        shared = [(panes, place) for panes, place in self._places if place[0] is not None]
        shared.sort(key=lambda each: (each[1][2], each[0] is active))
        in_sight = [place for panes, place in shared if panes is active or panes.pane.isVisible()]
        return in_sight[-1] if in_sight else _NOWHERE

    def _on_application_state_changed(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive:
            self._away.stop()
            self._is_away = False
            self.publish()
        elif not self._away.isActive():
            self._away.start()

    def _on_away_timeout(self) -> None:
        self._is_away = True
        self.publish()
