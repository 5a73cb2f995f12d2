"""Decides which key may go where. A kept key goes to the origin that it was given for, and a vendor's variable to that
vendor's own server. If a variable names the server, only a variable's key goes there.

What a data directory says (``providers.json``, ``settings.toml``) never moves a key: a person does, by agreeing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from chatdesk.core.domain.key_origin import KeyOrigin, Withheld, WithheldFor
from chatdesk.core.domain.provider_profile import ProviderProfile, header_secret
from chatdesk.core.settings.presets import OPENAI, PRESETS, preset_of
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import Secret, SecretSource, SecretStore
from chatdesk.core.system.small_files import read_small_file

OPENAI_ID = "openai"
ADDRESS_VARIABLE, HEADERS_VARIABLE = "OPENAI_BASE_URL", "CHATDESK_OPENAI_HEADERS"
AZURE_ID, AZURE_VARIABLE = "azure", "AZURE_OPENAI_ENDPOINT"
# Servers, separated by commas, to which a variable's key may travel unencrypted: an agreement for computers without a
# window and without a keyring that could remember one.
OPEN_VARIABLE = "CHATDESK_ALLOW_HTTP"
_UNREADABLE = "unreadable"
_LARGEST_CA_BYTES = 16 * 1024 * 1024


class KeyRules:
    """Looks up the secrets that may be sent. Every method blocks on the keyring."""

    def __init__(self, secrets: SecretStore, environ: Mapping[str, str]) -> None:
        self._secrets = secrets
        self._environ = environ

    def find_key(self, profile: ProviderProfile, origin: KeyOrigin) -> Secret:
        """Return the key for this provider at ``origin``, or a secret that says why it is withheld."""
        given = self._secrets.from_environment(key_variable(profile))
        if given.value:
            return self._checked(given, profile, origin)
        return self._kept(profile, profile.id, origin)

    def find_header(self, profile: ProviderProfile, header: str, origin: KeyOrigin) -> Secret:
        """Return the value of a secret header as ``find_key`` does; a variable never gives one."""
        return self._kept(profile, header_secret(profile.id, header), origin)

    def check_header(self, profile: ProviderProfile, value: str, origin: KeyOrigin) -> Secret:
        """Return the value of a header of the settings; one that a variable gives goes where a variable's key may
        go, and unencrypted to the server that a variable names."""
        if not self._environ.get(HEADERS_VARIABLE, "").strip():
            return Secret(value)
        given = Secret(value, SecretSource.ENVIRONMENT)
        return given if origin == KeyOrigin.of(self._address(profile)) else self._checked(given, profile, origin)

    def may_be_open(self, profile: ProviderProfile) -> bool:
        """Return whether a person agreed that the key of this provider travels unencrypted to its server."""
        found = self._secrets.find(profile.id, origin_of(profile))
        return bool(found.value)

    def agree(self, profile: ProviderProfile, place: KeyPlace) -> None:
        """Allow every key of this provider to go to its present server. Raises as ``SecretStore.keep``."""
        origin = origin_of(profile)
        given = self._secrets.from_environment(key_variable(profile)).value
        if given or (profile.id == OPENAI_ID and self._environ.get(HEADERS_VARIABLE)):
            self._secrets.agree(profile.id, origin, place=place, is_variable=True)
        if self._address(profile):
            return
        self._secrets.agree(profile.id, origin, place=place)
        for header in profile.headers:
            if header.is_secret:
                self._secrets.agree(header_secret(profile.id, header.name), origin, place=place)

    def _kept(self, profile: ProviderProfile, name: str, origin: KeyOrigin) -> Secret:
        found = self._secrets.find(name, origin, is_known=is_known(profile, origin))
        if (found.value or found.withheld) and self._address(profile):
            withheld = Withheld(WithheldFor.VARIABLE, origin, variable=ADDRESS_VARIABLE)
            return Secret(source=found.source, withheld=withheld)
        return found

    def _checked(self, given: Secret, profile: ProviderProfile, origin: KeyOrigin) -> Secret:
        """Return a variable's key if ``origin`` is the vendor's own server, or the one that a variable names,
        reached as usual; otherwise a withheld secret."""
        address = self._address(profile)
        expected = KeyOrigin.of(address or self._own_address(profile))
        is_allowed = not origin.is_open or origin.host in self._hosts_in_the_open()
        if (origin == expected and origin.host and is_allowed) or self._secrets.is_agreed(profile.id, origin):
            return given
        reason = WithheldFor.OPEN if origin == expected else WithheldFor.ELSEWHERE
        named = expected if expected.host else KeyOrigin.of(preset_of(profile.preset).base_url)
        return Secret(source=given.source, withheld=Withheld(reason, origin, named))

    def _address(self, profile: ProviderProfile) -> str:
        """Return the address that a variable names; usually empty."""
        return self._environ.get(ADDRESS_VARIABLE, "").strip() if profile.id == OPENAI_ID else ""

    def _own_address(self, profile: ProviderProfile) -> str:
        """Return the address of the vendor's own server. Azure has one for each customer, whose name anybody may take,
        that of the example too: only the one that the vendor's own variable names counts, and without it none."""
        preset = OPENAI if profile.id == OPENAI_ID else preset_of(profile.preset)
        return self._environ.get(AZURE_VARIABLE, "").strip() if preset.id == AZURE_ID else preset.base_url

    def _hosts_in_the_open(self) -> frozenset[str]:
        named = self._environ.get(OPEN_VARIABLE, "").lower().split(",")
        return frozenset(filter(None, map(str.strip, named)))


def origin_of(profile: ProviderProfile) -> KeyOrigin:
    """Return the server of this provider and the way it is reached. Reads the file of certificates."""
    address = profile.base_url or preset_of(profile.preset).base_url or OPENAI.base_url
    return KeyOrigin.of(address, proxy=profile.proxy, ca=ca_digest(profile.ca_file))


def ca_digest(file: str) -> str:
    """Return the SHA-256 of a file of certificates; empty without a file, ``unreadable`` if it cannot be read."""
    if not file:
        return ""
    try:
        content = read_small_file(Path(file), _LARGEST_CA_BYTES)
    except (OSError, ValueError):
        return _UNREADABLE
    return hashlib.sha256(content).hexdigest()


def is_known(profile: ProviderProfile, origin: KeyOrigin) -> bool:
    """Return whether this is a vendor's own server, reached as usual, under the id of its preset. Then a key that an
    earlier version kept under that id belongs to that vendor."""
    preset = next((each for each in PRESETS.values() if profile.id == each.id and each.id != AZURE_ID), None)
    return (
        preset is not None and bool(preset.base_url) and not origin.is_open and origin == KeyOrigin.of(preset.base_url)
    )


def key_variable(profile: ProviderProfile) -> str:
    """Return the name of the variable that may hold the vendor's key, or an empty text. Such a key goes to that
    vendor's own host only; OpenAI's alone follows OPENAI_BASE_URL, as it does everywhere."""
    if profile.id == OPENAI_ID:
        return OPENAI.variable
    preset = preset_of(profile.preset)
    own = ProviderProfile("x", preset.id, "x", preset.base_url).host
    host = profile.host or own
    is_own = host == own or (preset.id == AZURE_ID and host.endswith(".openai.azure.com"))
    return preset.variable if is_own else ""
