"""Turns the settings of a person into the options of the service."""

from __future__ import annotations

from chatdesk.core.settings.schema import Settings
from chatdesk.service.local_service import ServiceOptions


def options_of(settings: Settings, *, port: int | None = None) -> ServiceOptions:
    """Return where and how to listen; ``port`` wins over the setting."""
    return ServiceOptions(
        settings.service_port if port is None else port,
        settings.service_address,
        settings.service_certificate,
        settings.service_certificate_key,
        tuple(settings.service_origins.split()),
    )
