"""Builds the service of team sync. Imported only with a team."""

from __future__ import annotations

import platform

from chatdesk import __version__
from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.clock import Clock
from chatdesk.core.events import EventBus
from chatdesk.core.providers.accounts import AccountBook
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.sync.computers.keys import ComputerKeys
from chatdesk.core.sync.members.team_passwords import TeamPasswords
from chatdesk.core.sync.team_servers import Client, TeamServers
from chatdesk.core.sync.team_service import TeamService


def make_team(
    database: Database, repositories: Repositories, events: EventBus, *, accounts: AccountBook, blobs: BlobStore
) -> TeamService:
    """Return the service of team sync; its first user starts it."""
    clock = Clock()
    passwords = TeamPasswords(accounts.secrets, lambda: accounts.stored.key_place)
    keys = ComputerKeys(
        accounts.secrets,
        lambda: accounts.stored.key_place,
        database.path.parent / "computers",
        clock,
        device=lambda: database.device_id,
    )
    return TeamService(
        database,
        repositories,
        events,
        clock,
        servers=TeamServers(passwords, Client(platform.node() or "Computer", __version__), keys.open),
        blobs=blobs,
        keys=keys,
    )
