"""Describes the settings for remote help, without any text that a person wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from chatdesk.core.settings.schema import Setting, Settings, all_settings


def describe_settings(settings: Settings) -> list[str]:
    """Return one line for each setting. Free text is described by its length, an address by its host."""
    return [f"{each.key} = {_shown(each, getattr(settings, each.name))}" for each in all_settings()]


def _shown(setting: Setting, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({len(value)} entries)"
    if not isinstance(value, str) or setting.choices or setting.is_rate or setting.is_reported:
        return json.dumps(value)
    if not value:
        return '""'
    if setting.is_url:
        return _origin(value)
    return f"({len(value)} characters)"


def _origin(address: str) -> str:
    """Return scheme, host and port of an address: a path or a user may be a secret."""
    try:
        parts = urlsplit(address)
        port = "" if parts.port is None else f":{parts.port}"
        return f"{parts.scheme}://{parts.hostname}{port}/…"
    except ValueError:
        return "(not an address)"
