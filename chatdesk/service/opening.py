"""Opens the service for ``services/service_switch.py``, which loads this module when it is switched on."""

from __future__ import annotations

from collections.abc import Callable

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.service.address_book import ServiceFiles
from chatdesk.service.caller import Scope
from chatdesk.service.local_service import LocalService, ServiceAddress, ServiceOptions
from chatdesk.service.tokens import TokenBook
from chatdesk.services.services import Services


async def open_service(
    services: Services, settings: Settings, port: int | None, on_died: Callable[[], None]
) -> tuple[LocalService, ServiceAddress]:
    """Start the service at the address in the settings; ``port`` wins over them. ``on_died`` is called when it ends by
    a fault. Raises a ``ChatDeskError``."""
    service = LocalService(services, options_of(settings, port), on_died=on_died)
    return service, await service.start()


def options_of(settings: Settings, port: int | None = None) -> ServiceOptions:
    """Return where and how to listen; ``port`` wins over the setting."""
    return ServiceOptions(
        settings.service_port if port is None else port,
        settings.service_address,
        settings.service_certificate,
        settings.service_certificate_key,
        tuple(settings.service_origins.split()),
    )


def tokens_of(paths: AppPaths) -> TokenBook:
    """Return the tokens of a data directory."""
    return TokenBook(ServiceFiles.of(paths).tokens)


def scope_of(name: str) -> Scope:
    return Scope(name)
