"""A disk that refuses what is written for a while, as the database meets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chatdesk.core.storage.engine.database import Database


class FullDisk:
    """Every write raises ``trouble`` while there is any."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trouble: type[Exception] | None = None
        write, write_now, start_write = Database.write, Database.write_now, Database.start_write

        async def refusing_write(database: Database, work: Callable[..., Any], **options: Any) -> Any:
            self._refuse()
            return await write(database, work, **options)

        def refusing_write_now(database: Database, work: Callable[..., Any], **options: Any) -> Any:
            self._refuse()
            return write_now(database, work, **options)

        def refusing_start_write(database: Database, work: Callable[..., Any], **options: Any) -> Any:
            self._refuse()
            return start_write(database, work, **options)

        monkeypatch.setattr(Database, "write", refusing_write)
        monkeypatch.setattr(Database, "write_now", refusing_write_now)
        monkeypatch.setattr(Database, "start_write", refusing_start_write)

    def _refuse(self) -> None:
        if self.trouble is not None:
            raise self.trouble
