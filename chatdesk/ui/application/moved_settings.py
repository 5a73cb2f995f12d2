"""Settings that an older ChatDesk kept with the window's state: put where they belong, once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.schema import InvalidValue, all_settings

if TYPE_CHECKING:
    from chatdesk.core.settings.schema import Settings
    from chatdesk.core.settings.store import SettingsStore

_log = logging.getLogger(__name__)


def take_over(settings: Settings, moved: Mapping[str, Any], store: SettingsStore) -> Settings:
    """``settings`` with what was kept elsewhere, saved where it belongs. What was set wins."""
    untouched = {setting.name: setting for setting in all_settings()}
    changes: dict[str, Any] = {}
    for name, value in moved.items():
        setting = untouched[name]
        with suppress(InvalidValue):
            if getattr(settings, name) == setting.default != setting.checked(value):
                changes[name] = setting.checked(value)
    if changes:
        try:
            store.save(changes)
        except ChatDeskError as error:
            _log.warning("settings were not taken over: %s", error.code)
    return replace(settings, **changes)
