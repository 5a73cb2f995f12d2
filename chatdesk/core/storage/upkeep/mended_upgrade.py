"""Repairs a copy of a database whose upgrade failed, and upgrades the copy.

The copy waits where a restore waits (``pending_restore``), so that putting it in place keeps the old database.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from chatdesk.core.clock import Clock
from chatdesk.core.errors import StorageBusy, StorageFull
from chatdesk.core.storage.engine import backup, schema_upgrade
from chatdesk.core.storage.engine.connection import connect, unused_database
from chatdesk.core.storage.engine.failures import translating
from chatdesk.core.storage.engine.own_device import origin_of
from chatdesk.core.storage.engine.pending_restore import ready_path, remove_database
from chatdesk.core.storage.upkeep import db_check, repair
from chatdesk.core.storage.upkeep.salvage import SalvageReport, salvage
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)


def upgrade_copy(
    database: Path, clock: Clock, *, migrations_dir: Path, on_progress: Callable[[Text], None] = lambda _: None
) -> SalvageReport:
    """Upgrade and repair a copy, or copy row by row what cannot be upgraded. Raises like ``salvage``."""
    on_progress(Text("Upgrading a copy of the database…"))
    target = ready_path(database)
    try:
        with translating(database):
            return _upgrade(database, target, clock, migrations_dir)
    except (StorageBusy, StorageFull):
        remove_database(target)
        raise
    except Exception as error:  # noqa: BLE001 - a migration may raise anything
        _log.warning("the copy could not be upgraded either: %s", type(error).__name__)
        return salvage(database, clock, on_progress=on_progress)


def _upgrade(database: Path, target: Path, clock: Clock, migrations_dir: Path) -> SalvageReport:
    remove_database(target)
    with closing(connect(database, "read")) as source:
        backup.back_up(source, target)
    schema_upgrade.migrate(target, migrations_dir, may_dangle=True)
    with unused_database(target) as conn:
        origin = origin_of(conn, clock)
        repaired = repair.repair(conn, origin)
        left = db_check.check_database(conn, is_thorough=True)
    backup.sync_file(target)
    return SalvageReport((*repaired, *left), is_whole=not left)
