"""Signs in to a server over HTTP by OAuth 2.1, with the client of the SDK, in the process that hosts servers.

A server says by itself where a person signs in, so everything that it names is checked here: secrets travel over https,
a server on the network names no address on this computer, and the page in the browser is that of the very issuer which
gets the code.
"""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.exceptions import OAuthFlowError, OAuthRegistrationError, OAuthTokenError
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthMetadata,
    OAuthToken,
    ProtectedResourceMetadata,
)

from chatdesk.core.domain.key_origin import is_loopback
from chatdesk.core.domain.tools import SIGN_IN_NEEDED
from chatdesk.core.fetching.addresses import is_public_name
from chatdesk.core.texts import Text
from chatdesk.core.tools.host.stdio import ServerBroke

# Marks requests that belong to signing in; their answers are small.
MARK: Final = "chatdesk.sign_in"
_NOWHERE: Final = "http://127.0.0.1/callback"
_LONGEST_PAGE: Final = 8_000

# Waits for the answer that has this state.
Receive = Callable[[str], Awaitable[AuthorizationCodeResult]]


class SignInRefused(ServerBroke):
    """A server wants a person to sign in at an unsafe address or as a wrong client; the message is a sentence."""


class SignIn(OAuthClientProvider):
    """Adds the tokens of a sign-in to the requests of one server, and renews them. ``kept`` is what ``keep`` was called
    with before. ``notify`` is called with a sentence when the person has to do something, or a sign-in fails.

    ``browse`` and ``receive`` are given where a person asked to sign in: without them no page is opened, nothing is
    registered and no address of the server's choice is asked.
    """

    def __init__(
        self,
        address: str,
        known: Mapping[str, Any],
        *,
        keep: Callable[[str], object],
        notify: Callable[[str], object],
        browse: Callable[[str], object] | None = None,
        receive: Receive | None = None,
        redirect: str = _NOWHERE,
    ) -> None:
        self._address = address
        self._keep = keep
        self._notify = notify
        self._browse = browse
        self._receive = receive
        self._state = ""
        self._issuers: dict[str, str] = {}
        self._kept = read_kept(known.get("kept", ""))
        self._client = _fixed_client(known, redirect, self._kept)
        metadata = OAuthClientMetadata.model_validate({"redirect_uris": [redirect], "client_name": "ChatDesk"})
        super().__init__(address, metadata, self, self._open_page, self._received)  # this object is also the storage

    # The storage of the SDK's client

    async def get_tokens(self) -> OAuthToken | None:
        """Return the kept tokens, and give the client their expiry and the metadata of the server."""
        if self._browse is not None or not self._kept:
            return None
        context, kept = self.context, self._kept
        context.token_expiry_time = kept.get("expires_at")
        if kept.get("metadata"):
            context.oauth_metadata = OAuthMetadata.model_validate(kept["metadata"])
            context.auth_server_url = str(context.oauth_metadata.issuer)
        if kept.get("resource"):
            context.protected_resource_metadata = ProtectedResourceMetadata.model_validate(kept["resource"])
        return OAuthToken.model_validate(kept["tokens"])

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Store the tokens, with all that is needed to renew them."""
        context = self.context
        self._kept = {
            "tokens": tokens.model_dump(mode="json", exclude_none=True),
            "expires_at": context.token_expiry_time,
            "client": _dumped(context.client_info),
            "metadata": _dumped(context.oauth_metadata),
            "resource": _dumped(context.protected_resource_metadata),
        }
        self._keep(json.dumps(self._kept))

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Return the client that a person entered, or the one that was registered; each sign-in registers again, since
        the port of its answer is another one."""
        if self._client is not None or self._browse is not None:
            return self._client
        return OAuthClientInformationFull.model_validate(self._kept["client"]) if self._kept.get("client") else None

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep nothing: a client is kept with its tokens."""

    # The way of a request

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send a request with its token, which is renewed at most once."""
        for is_last in (False, True):
            flow = super().async_auth_flow(request)
            try:
                outgoing = await anext(flow)
                while True:
                    if outgoing is not request:
                        check_address(outgoing.url, self._address)
                        outgoing.extensions = {**outgoing.extensions, MARK: True}
                    response = yield outgoing
                    if outgoing is not request:
                        response = await self._with_expected_issuer(response)
                    if outgoing is request and self._browse is None and _asks(response):
                        break
                    outgoing = await flow.asend(response)
            except StopAsyncIteration:
                return
            except Exception as error:
                self._notify(failure_text(error))
                raise
            finally:
                await flow.aclose()
            if is_last or response.status_code != 401 or not self.context.can_refresh_token():
                self._notify(SIGN_IN_NEEDED)
                return
            self.context.token_expiry_time = time.time() - 1  # the server revoked the token early

    async def _open_page(self, page: str) -> None:
        if self._browse is None or self._state:
            raise SignInRefused(Text("It asked to sign in again right after you had signed in."))
        check_address(httpx2.URL(page), self._address)
        metadata = self.context.oauth_metadata
        issuer = str(metadata.issuer) if metadata is not None else self._address
        if len(page) > _LONGEST_PAGE or not _is_same_site(urlsplit(page).hostname, urlsplit(issuer).hostname):
            raise SignInRefused(
                Text("It sends you to a page of another site than the one that would get your sign-in.")
            )
        (self._state,) = parse_qs(urlsplit(page).query)["state"]
        self._browse(page)

    async def _received(self) -> AuthorizationCodeResult:
        assert self._receive is not None
        received = await self._receive(self._state)
        return received.model_copy(update={"iss": self._issuers.get(received.iss or "", received.iss)})

    async def _with_expected_issuer(self, response: httpx2.Response) -> httpx2.Response:
        """Return an answer in which an issuer has the name that the server gave it before, where the two differ in
        nothing but the path: many are described with a slash at the end and name themselves without, or name their
        host alone. The SDK takes that for a contradiction."""
        if response.status_code != 200 or ".well-known" not in response.request.url.path:
            return response
        described = _object_in(await response.aread())
        issuer, server = described.get("issuer"), httpx2.URL(self._address)
        expected = self.context.auth_server_url or f"{server.scheme}://{server.netloc.decode()}"
        if not isinstance(issuer, str) or issuer == expected or _origin_of(issuer) != _origin_of(expected):
            return response
        self._issuers[issuer] = expected
        return httpx2.Response(200, json={**described, "issuer": expected}, request=response.request)


def _origin_of(address: str) -> tuple[str, str, int | None]:
    """Return the scheme, host and port of an address; all empty where it has none."""
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL:
        return "", "", None
    return url.scheme, url.host, url.port


def check_address(url: httpx2.URL, server_address: str) -> None:
    """Raise ``SignInRefused`` for an address that nothing of a sign-in to a server may be sent to."""
    server = httpx2.URL(server_address)
    is_here, is_own = is_loopback(url.host), url.host == server.host
    if url.userinfo or not (url.scheme == "https" or (url.scheme == "http" and is_here)):
        raise SignInRefused(Text("It sends sign-ins over an address that others could read."))
    if is_own or (is_here and is_loopback(server.host)):
        return
    if is_here or not _is_public(url.host):
        raise SignInRefused(Text("It sends sign-ins to an address on this computer or its network."))


def failure_text(error: Exception) -> str:
    """Return a sentence for the failure that ended a sign-in. The SDK's own message may hold text of a server, or a
    secret."""
    if isinstance(error, ServerBroke):
        return error.sentence
    if isinstance(error, TimeoutError):
        return Text("Nobody signed in in time.")
    if isinstance(error, OAuthRegistrationError):
        return Text("It does not let ChatDesk register. Enter the ID of a client that you registered there.")
    if isinstance(error, OAuthTokenError):
        return Text("It did not accept the sign-in.")
    if isinstance(error, OAuthFlowError):
        return Text("The facts that it gives about signing in contradict each other.")
    if isinstance(error, httpx2.TransportError):
        return Text("The server where you sign in could not be reached, or sent too much.")
    return Text("Signing in failed ({kind}).", kind=type(error).__name__)


def _asks(response: httpx2.Response) -> bool:
    """Return whether an answer asks for a sign-in, or for one that allows more."""
    asked = response.headers.get("www-authenticate", "")
    return response.status_code == 401 or (response.status_code == 403 and "insufficient_scope" in asked)


def _is_same_site(page: str | None, issuer: str | None) -> bool:
    """Return whether two hosts are the same, or one is below the other."""
    if not page or not issuer:
        return False
    return page == issuer or page.endswith(f".{issuer}") or issuer.endswith(f".{page}")


def _is_public(host: str) -> bool:
    """Return whether a host may be on the internet; names are not looked up, since the certificate of https identifies
    the host."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return is_public_name(host)


def _fixed_client(
    known: Mapping[str, Any], redirect: str, kept: Mapping[str, Any]
) -> OAuthClientInformationFull | None:
    """Return the client that a person entered. Its secret is for the issuer that it was first used with."""
    if not known.get("client_id"):
        return None
    secret = known.get("client_secret") or None
    client = {
        "client_id": known["client_id"],
        "client_secret": secret,
        "token_endpoint_auth_method": "client_secret_basic" if secret else "none",
        "redirect_uris": [redirect],
        "issuer": (kept.get("metadata") or {}).get("issuer"),
    }
    return OAuthClientInformationFull.model_validate(client)


def read_kept(text: str) -> dict[str, Any]:
    """Return the text that ``keep`` was called with; empty where it cannot be read."""
    kept = _object_in(text)
    return kept if isinstance(kept.get("tokens"), dict) else {}


def _object_in(text: str | bytes) -> dict[str, Any]:
    """Return the JSON object in a text; an empty one if it is invalid."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _dumped(model: Any) -> Any:
    return None if model is None else model.model_dump(mode="json", exclude_none=True)
