"""Declares the settings of the local service, a part of ``Settings``."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.settings.declaration import Shown, declared
from chatdesk.core.settings.window_settings import WindowSettings
from chatdesk.core.texts import Text


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)  # `Settings` has the methods
class ServiceSettings(WindowSettings):
    """The settings that say where the local service listens, which lets other programs in."""

    service_on: bool = declared(
        "service.on",
        False,
        "Let other programs on this computer read, write and ask over HTTP while the window is open "
        "(docs/local-service.md).",
        Shown("Local service", Text("Let other programs use ChatDesk"), hidden="the page of the local service"),
    )
    service_port: int = declared(
        "service.port",
        0,
        "Port of the local service on this computer; 0 means any free port.",
        Shown(
            "Local service",
            Text("Port"),
            Text("The window and chatdesk serve listen on it."),
            unit=Text("on this computer"),
            empty=Text("Any that is free"),
            also=Text("api http rest"),
        ),
        minimum=0,
        maximum=65_535,
    )
    service_address: str = declared(
        "service.address",
        "",
        "Another address on which the local service listens, with TLS, such as 192.168.1.5:8443; empty means none.",
        Shown(
            "Local service",
            Text("Also listen on"),
            Text("For example 192.168.1.5:8443. Needs a certificate."),
            empty=Text("Nothing"),
        ),
    )
    service_certificate: str = declared(
        "service.certificate",
        "",
        "PEM file of the certificate for service.address.",
        Shown("Local service", Text("Certificate"), Text("A PEM file."), empty=Text("None")),
    )
    service_certificate_key: str = declared(
        "service.certificate_key",
        "",
        "PEM file of the certificate's key, without a passphrase.",
        Shown(
            "Local service",
            Text("Key of the certificate"),
            Text("A PEM file without a passphrase."),
            empty=Text("None"),
        ),
    )
    service_origins: str = declared(
        "service.origins",
        "",
        "Origins of web pages that may call the local service with a token, such as https://tool.example, separated "
        "by spaces; empty means none.",
        Shown(
            "Local service",
            Text("Let web pages of these origins ask"),
            Text("For example https://tool.example. Each page still needs a token."),
            empty=Text("None"),
            also=Text("cors origin browser website"),
        ),
    )
