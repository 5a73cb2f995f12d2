"""Settings reach the services at the start, and again when they change."""

from __future__ import annotations

from pathlib import Path

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.services.owner import open_services

MB = 1024 * 1024


async def test_a_service_uses_what_was_set_and_what_is_changed(tmp_path: Path) -> None:
    before = Settings(provider="offline", max_attachment_mb=3)
    async with open_services(AppPaths.find(str(tmp_path)), before) as services:
        assert services.attachments.max_bytes == 3 * MB
        await services.apply_settings(Settings(provider="offline", max_attachment_mb=7, openai_model="tiny"))
        assert services.attachments.max_bytes == 7 * MB
        assert services.settings.openai_model == services.accounts.settings.openai_model == "tiny"
