"""The one place at which the team sees a person, however many chats they have open."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

from chatdesk.core.sync.team_service import TeamService
from chatdesk.ui.window.panes import Panes
from chatdesk.ui.window.shown_chats import ShownChats

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
        """Record the thread that a chat shows, and whether somebody types in it."""
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
