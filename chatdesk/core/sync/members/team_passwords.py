"""Keeps a person's passwords for their teams' databases: stored like the providers' keys, or taken from an environment
variable."""

from __future__ import annotations

import hashlib
import secrets as random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from chatdesk.core.domain.key_origin import KeyOrigin
from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.errors import ChatDeskError, InvalidInput
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import Secret, SecretNotKept, SecretSource, SecretStore
from chatdesk.core.sync.errors import TeamLoginRefused, TeamPasswordMissing
from chatdesk.core.texts import Text

T = TypeVar("T")
# Comes before anything that is kept, for all workspaces of the profile.
VARIABLE = "CHATDESK_TEAM_PASSWORD"
# Servers, separated by commas, that the password of the variable is for: an agreement for computers that cannot keep
# one.
SERVER_VARIABLE = "CHATDESK_TEAM_SERVER"
_SHORTEST, _LONGEST = 12, 256
_RANDOM_BYTES = 24
_NEXT = ":next"
_CA_DIGITS = 32


class PasswordUnusable(InvalidInput):
    code = "team_password_unusable"
    what = Text(
        "A password for a team's database has {shortest} to {longest} letters, digits and signs of an English"
        " keyboard, without spaces.",
        shortest=str(_SHORTEST),
        longest=str(_LONGEST),
    )
    safe = Text("Nothing was changed.")
    next_step = Text("Choose another one.")


class PasswordNotKept(SecretNotKept):
    code = "team_password_not_kept"
    what = Text("This computer cannot keep the password for the team's database.")
    safe = Text("Nothing was changed on the server, and the invitation is still good.")
    next_step = Text(
        "Unlock or install a keyring, or choose the encrypted file in Settings, Providers; or put a password of your"
        " own into the variable {variable} each time before ChatDesk starts.",
        variable=VARIABLE,
    )


class TeamPasswords:
    """Finds, makes and keeps passwords. Every method blocks on the keyring and is called in a thread. A password is
    kept together with its server, and counts as absent for any other."""

    def __init__(self, secrets: SecretStore, key_place: Callable[[], KeyPlace]) -> None:
        self._secrets = secrets
        self._place = key_place

    def find(self, workspace_id: str, address: ServerAddress, *, is_agreed: bool = False) -> Secret:
        """Return the password of a workspace: the variable's where it is for this server, else the kept one; an empty
        value with a ``problem`` where there is none. ``is_agreed``: the person just named this server. Never raises."""
        given = self._secrets.from_environment(VARIABLE)
        if given.value and (is_agreed or self._is_for(workspace_id, address)):
            return given
        kept = self.kept(workspace_id, address, is_agreed=is_agreed)
        if not given.value or kept.value or kept.withheld is not None:
            return kept
        return replace(kept, problem=_not_named(VARIABLE, address))

    def _is_for(self, workspace_id: str, address: ServerAddress) -> bool:
        """Return whether a variable names this server, or the person set up the workspace there on this computer: a
        data directory alone never sends a password anywhere."""
        named = self._secrets.named_in(SERVER_VARIABLE).split(",")
        if server_named(address) in map(str.strip, named):
            return True
        return self._secrets.is_agreed(_name(workspace_id), _origin(address))

    def kept(self, workspace_id: str, address: ServerAddress, *, is_agreed: bool = False) -> Secret:
        """Return the kept password, without regard to the environment variable."""
        found = self._secrets.find(_name(workspace_id), _origin(address), is_agreed=is_agreed)
        if found.withheld is None:
            return found
        kept = found.withheld.kept
        server = _origin(address).server
        if kept:
            return replace(
                found,
                problem=Text(
                    "The password was given for {kept}, and the workspace is now at {server}: it was not sent there. "
                    "If the server really moved, say so in Settings, Team sync, Address, or enter the password again.",
                    kept=kept.server,
                    server=server,
                ),
            )
        return replace(
            found,
            problem=Text(
                "The password was kept by an earlier ChatDesk, and the workspace is now at {server}: it was not sent "
                "there. If the server really moved, say so in Settings, Team sync, Address, or enter the password"
                " again.",
                server=server,
            ),
        )

    def make(self) -> Secret:
        """Return a password for a new member: the environment variable's, else a random one. Raises
        ``PasswordUnusable``."""
        given = self._secrets.from_environment(VARIABLE)
        if given.value:
            check_password(given.value)
            return given
        return self.make_random()

    def make_random(self) -> Secret:
        """Return a new random password."""
        made = random.token_urlsafe(_RANDOM_BYTES)
        self._secrets.register_secret(made)
        return Secret(made, SecretSource.NONE)

    def register_secret(self, value: str) -> None:
        """Hide this value in logs."""
        self._secrets.register_secret(value)

    def keep(self, workspace_id: str, password: Secret, address: ServerAddress) -> None:
        """Keep a password, so that the next start finds it. Of the variable's, only the server is kept that it is for.
        Raises ``PasswordNotKept``, also where a person wants keys to be kept for one run only: the password would be
        lost with it."""
        place = self._place()
        if password.value == self._secrets.from_environment(VARIABLE).value:
            with suppress(ChatDeskError):  # then it holds for this run, and ``SERVER_VARIABLE`` names it for others
                self._secrets.agree(_name(workspace_id), _origin(address), place=place, is_variable=True)
            return
        if place is KeyPlace.MEMORY:
            raise PasswordNotKept
        try:
            self._secrets.keep(_name(workspace_id), password.value, _origin(address), place=place)
        except SecretNotKept:
            raise PasswordNotKept from None

    def keep_next(self, workspace_id: str, password: Secret, address: ServerAddress) -> None:
        """Keep a new password beside the current one, before the server gets it. Raises ``PasswordNotKept``."""
        self.keep(f"{workspace_id}{_NEXT}", password, address)

    def promote(self, workspace_id: str, address: ServerAddress) -> None:
        """Make the next password the current one, after the server accepted it. Raises ``PasswordNotKept``."""
        following = self.kept(f"{workspace_id}{_NEXT}", address)
        if following.value:
            self.keep(workspace_id, following, address)
            self._secrets.forget(_name(f"{workspace_id}{_NEXT}"))

    def move(self, workspace_id: str, address: ServerAddress) -> None:
        """Allow the kept passwords of a workspace to be sent to a new address, as its person decided. Raises
        ``SecretNotKept`` and as ``KeyFile``."""
        for each in (workspace_id, f"{workspace_id}{_NEXT}"):
            self._secrets.agree(_name(each), _origin(address), place=self._place())
        given = self._secrets.from_environment(VARIABLE)
        if given.value:
            self.keep(workspace_id, given, address)

    def open_with(
        self, workspace_id: str, address: ServerAddress, connect: Callable[[str], T], *, is_agreed: bool = False
    ) -> T:
        """Connect with the kept password, or with the next one where a change of password was interrupted after the
        server accepted it. ``is_agreed``: the person named this server, so a password of another may be sent to it.
        Raises ``TeamPasswordMissing`` and what ``connect`` raises."""
        password = self.find(workspace_id, address, is_agreed=is_agreed)
        if not password.value:
            raise TeamPasswordMissing(next_step=password.problem or None)
        try:
            return connect(password.value)
        except TeamLoginRefused:
            following = self.kept(f"{workspace_id}{_NEXT}", address, is_agreed=is_agreed)
            if not following.value:
                raise
        connected = connect(following.value)
        self.keep(workspace_id, following, address)
        self._secrets.forget(_name(f"{workspace_id}{_NEXT}"))
        return connected

    def hold(self, workspace_id: str, password: str, address: ServerAddress) -> None:
        """Use a typed password: kept where keys are kept, else until the end of this run. Never raises where it cannot
        be kept."""
        try:
            self._secrets.keep(_name(workspace_id), password, _origin(address), place=self._place())
        except SecretNotKept:
            return

    def forget(self, workspace_id: str) -> None:
        """Remove the kept passwords of a workspace, the next one included. Raises ``KeyFileUnusable``."""
        self._secrets.forget(_name(f"{workspace_id}{_NEXT}"))
        self._secrets.forget(_name(workspace_id))


def check_password(password: str) -> None:
    """Raise ``PasswordUnusable`` for any but printable ASCII: other characters would have to be prepared (RFC 4013) in
    just the way the server does."""
    if not _SHORTEST <= len(password) <= _LONGEST or not all("!" <= sign <= "~" for sign in password):
        raise PasswordUnusable


def _not_named(variable: str, address: ServerAddress) -> Text:
    return Text(
        "The variable {variable} has a password, and nobody said on this computer that it is for {server}: it"
        " was not sent there. If it is, set {server_variable} to {named}, or enter the password.",
        variable=variable,
        server=_origin(address).server,
        server_variable=SERVER_VARIABLE,
        named=server_named(address),
    )


def server_named(address: ServerAddress) -> str:
    """Return how ``SERVER_VARIABLE`` names a server: ``host:port``, with anything unusual about the way to it."""
    origin = _origin(address)
    encrypted = "" if origin.scheme == "postgresql" else "/unencrypted"
    authority = f"/ca={origin.ca[:_CA_DIGITS]}" if origin.ca else ""
    return f"{origin.host}:{origin.port}{encrypted}{authority}"


def _origin(address: ServerAddress) -> KeyOrigin:
    """Return where a password may be sent; without encryption, the same server is another origin."""
    scheme = "postgresql" if address.tls == "verify-full" else "postgresql-unencrypted"
    ca = hashlib.sha256(address.ca.encode()).hexdigest() if address.ca else ""
    return KeyOrigin(scheme, address.host.lower(), address.port, ca=ca)


def _name(workspace_id: str) -> str:
    return f"team:{workspace_id}"
