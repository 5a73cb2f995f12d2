"""A tool server that asks for a sign-in, with its authorization server, in a thread: OAuth 2.1 to the letter, or bad in
the way that ``how`` names."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.helpers.threaded_server import in_thread
from tests.helpers.tool_http_server import ToolHttpHandler

# What servers answer who wants a sign-in, where they describe it, and what they grant, beside the usual; {} is the
# address of the description, None says nothing.
HEADERS: Final[dict[str, str | None]] = {
    "no-header": None,
    "empty-header": "",
    "realm-only": 'Bearer realm="x"',
    "unquoted": "Bearer error=invalid_token, resource_metadata={}",
    "behind-basic": 'Basic realm="a, b", Bearer error="invalid_token", resource_metadata="{}"',
    "with-blanks": 'bearer  resource_metadata = "{}"',
    "garbage": 'Bearer ,,,=="',
    "leads-nowhere": 'Bearer resource_metadata="{}-that-is-gone"',
}
_WELL_KNOWN: Final = "/.well-known"
RESOURCES: Final = {
    "at-the-root": f"{_WELL_KNOWN}/oauth-protected-resource",
    "elsewhere": "/some/where",
    "undescribed": "",
    "bare": "",
}
METADATA: Final = {
    "openid": f"{_WELL_KNOWN}/openid-configuration",
    "tenant": f"{_WELL_KNOWN}/oauth-authorization-server/tenant",
    "tenant-openid": f"/tenant{_WELL_KNOWN}/openid-configuration",
    "bare": "",
}
# What the resource names as its authorization server, and what that calls itself: alike but for the path, as with big
# vendors.
ISSUERS: Final = {
    "issuer-with-slash": ("/", ""),
    "issuer-without-slash": ("", "/"),
    "issuer-at-the-root": ("/tenant", ""),
    "issuer-below": ("", "/auth"),
}
GRANTS: Final[dict[str, dict[str, Any]]] = {
    "lower-case": {"token_type": "bearer"},
    "no-expiry": {"expires_in": None},
    "expiry-as-text": {"expires_in": "3600"},
}
# Nothing that a token can be renewed with, or a server that does not renew it.
UNRENEWED: Final = ("no-refresh", "refresh-refused", "refresh-fails", "refresh-is-a-page")
FIXED_CLIENT, FIXED_SECRET = "fixed-client", "fixed-secret-0123456789"


class SignInServer(ThreadingHTTPServer):
    """Keeps what happened: ``paths`` that were asked for, ``pages`` that were opened, ``grants`` that were paid out."""

    daemon_threads = True

    def __init__(self, how: str, elsewhere: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.how, self.elsewhere = how, elsewhere
        self.headers: list[dict[str, str]] = []
        self.calls: list[dict[str, Any]] = []
        self.notifications: list[str] = []
        self.was_cancelled = threading.Event()
        self.is_reworded = False
        self.paths: list[str] = []
        self.pages: list[dict[str, str]] = []
        self.grants: list[str] = []
        self.clients: dict[str, dict[str, Any]] = {FIXED_CLIENT: {"client_secret": FIXED_SECRET}}
        self.codes: dict[str, dict[str, str]] = {}
        self.access: set[str] = set()
        self.refresh: set[str] = set()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def address(self) -> str:
        return f"{self.base}/mcp"


class _Handler(ToolHttpHandler):
    server: SignInServer  # type: ignore[assignment]

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        self.server.paths.append(target.path)
        if target.path == self._resource_path():
            self._resource()
        elif target.path == METADATA.get(
            self.server.how, f"{_WELL_KNOWN}/oauth-authorization-server{self._named_path().rstrip('/')}"
        ):
            self._metadata()
        elif target.path == "/authorize":
            self._authorize({name: each[0] for name, each in parse_qs(target.query).items()})
        else:
            self._send(404)

    def do_POST(self) -> None:
        self.server.paths.append(self.path)
        if self.path == "/mcp":
            if self.headers.get("Authorization", "").removeprefix("Bearer ") in self.server.access:
                super().do_POST()
                return
            self.rfile.read(int(self.headers["Content-Length"]))
            said = HEADERS.get(self.server.how, 'Bearer resource_metadata="{}"' if self._resource_path() else None)
            where = f"{self.server.base}{self._resource_path()}"
            self._send(401, headers={} if said is None else {"WWW-Authenticate": said.format(where)})
            return
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/register" and self.server.how != "no-registration":
            self._register(json.loads(body))
        elif self.path == "/revoke" and self.server.how != "revoke-fails":
            self._revoke({name: each[0] for name, each in parse_qs(body).items()})
        elif self.path == "/token":
            self._token({name: each[0] for name, each in parse_qs(body).items()})
        else:
            self._send(404)

    def _resource_path(self) -> str:
        return RESOURCES.get(self.server.how, f"{_WELL_KNOWN}/oauth-protected-resource/mcp")

    def _named_path(self) -> str:
        return ISSUERS.get(self.server.how, ("", ""))[0]

    def _issuer(self) -> str:
        own = ISSUERS.get(self.server.how, ("", "/tenant" if self.server.how.startswith("tenant") else ""))[1]
        return self.server.base + own

    def _resource(self) -> None:
        server = self.server
        if server.how == "redirect":
            self._send(302, headers={"Location": f"{server.elsewhere}/.well-known/oauth-protected-resource/mcp"})
            return
        resource = "https://bank.example/mcp" if server.how == "other-resource" else server.address
        named = server.base + self._named_path() if server.how in ISSUERS else self._issuer()
        issuer = {"private-issuer": "https://10.0.0.1"}.get(server.how, named)
        self._send_json({"resource": resource, "authorization_servers": [issuer], "scopes_supported": ["read"]})

    def _metadata(self) -> None:
        server, base = self.server, self.server.base
        if server.how == "huge":
            self._flood()
            return
        page = {
            "open-page": "http://sign-in.example/authorize",
            "page-elsewhere": f"http://localhost:{server.server_port}/authorize",
        }.get(server.how, f"{base}/authorize")
        revoke = {"no-revocation": None, "open-revocation": "http://tokens.example/revoke"}.get(
            server.how, f"{base}/revoke"
        )
        self._send_json(
            {
                **({} if server.how == "no-revocation" else {"revocation_endpoint": revoke}),
                "issuer": "https://other.example" if server.how == "wrong-issuer" else self._issuer(),
                "authorization_endpoint": page,
                "token_endpoint": "http://tokens.example/token" if server.how == "open-token" else f"{base}/token",
                "registration_endpoint": f"{base}/register",
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    def _register(self, asked: dict[str, Any]) -> None:
        client = {**asked, "client_id": secrets.token_hex(8), "token_endpoint_auth_method": "none"}
        self.server.clients[client["client_id"]] = client
        self._send(201, json.dumps(client).encode(), {"Content-Type": "application/json"})

    def _authorize(self, asked: dict[str, str]) -> None:
        """Agree at once, as a person would at the end."""
        server = self.server
        server.pages.append(asked)
        assert asked["client_id"] in server.clients and asked["code_challenge_method"] == "S256"
        answer = {"state": asked["state"], "iss": "https://other.example" if server.how == "mix-up" else self._issuer()}
        if server.how == "bare":  # it has not said that it would name itself
            del answer["iss"]
        if server.how == "declined":
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_hex(16)
            server.codes[answer["code"]] = asked
        self._send(302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(answer)}"})

    def _revoke(self, asked: dict[str, str]) -> None:
        server = self.server
        basic = base64.b64encode(f"{FIXED_CLIENT}:{FIXED_SECRET}".encode()).decode()
        is_known = asked.get("client_id") in server.clients or self.headers.get("Authorization") == f"Basic {basic}"
        if not is_known:
            self._send(401)
            return
        {"access_token": server.access, "refresh_token": server.refresh}[asked["token_type_hint"]].discard(
            asked["token"]
        )
        self._send(200)

    def _token(self, asked: dict[str, str]) -> None:
        server = self.server
        if server.how == "redirected-token":
            self._send(307, headers={"Location": f"{server.elsewhere}/token"})
            return
        if asked["grant_type"] == "refresh_token" and server.how in ("refresh-fails", "refresh-is-a-page"):
            is_page = server.how == "refresh-is-a-page"
            self._send(200 if is_page else 500, b"<html>", {"Content-Type": "text/html"})
            return
        if asked["grant_type"] == "refresh_token":
            is_good = asked["refresh_token"] in server.refresh and server.how != "refresh-refused"
            server.refresh.discard(asked["refresh_token"])
        else:
            code = server.codes.pop(asked["code"], {})  # holds once
            digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
            is_good = code.get("code_challenge") == base64.urlsafe_b64encode(digest).decode().rstrip("=")
            is_good = is_good and code["redirect_uri"] == asked["redirect_uri"]
            is_good = is_good and code["client_id"] == asked.get("client_id", code["client_id"])
        basic = base64.b64encode(f"{FIXED_CLIENT}:{FIXED_SECRET}".encode()).decode()
        if asked.get("client_id") == FIXED_CLIENT:
            is_good = is_good and self.headers.get("Authorization") == f"Basic {basic}"
        named = asked.get("resource", server.address if not self._resource_path() else "")
        if not is_good or named != server.address:
            self._send(400, b'{"error":"invalid_grant"}', {"Content-Type": "application/json"})
            return
        server.grants.append(asked["grant_type"])
        access, refresh = f"access-{secrets.token_hex(16)}", f"refresh-{secrets.token_hex(16)}"
        server.access.add(access)
        server.refresh.add(refresh)
        granted = {"access_token": access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": refresh}
        granted |= {"refresh_token": None} if server.how == "no-refresh" else GRANTS.get(server.how, {})
        self._send_json({name: value for name, value in granted.items() if value is not None})


class Browser:
    """Opens pages in a thread, as a person's browser would. ``spoiled`` changes the address that it is sent back to and
    may name several, which are opened in their order."""

    def __init__(self, spoiled: Callable[[str], list[str]] = lambda address: [address]) -> None:
        self._spoiled = spoiled
        self._threads: list[threading.Thread] = []
        self.opened: list[str] = []
        self.statuses: list[int] = []

    def open(self, page: str) -> None:
        self.opened.append(page)
        self._threads.append(threading.Thread(target=self._open, args=(page,)))
        self._threads[-1].start()

    def join(self) -> None:
        for each in self._threads:
            each.join()

    def _open(self, page: str) -> None:
        status, location = _fetch(page)
        assert status == 302
        for each in self._spoiled(location):
            with suppress(OSError, http.client.HTTPException):  # it may be gone already
                self.statuses.append(_fetch(each)[0])


def _fetch(address: str) -> tuple[int, str]:
    target = urlsplit(address)
    connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
    try:
        connection.request("GET", f"{target.path}?{target.query}")
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("Location", "")
    finally:
        connection.close()


@contextmanager
def sign_in_server(how: str = "", *, elsewhere: str = "") -> Iterator[SignInServer]:
    """The server, as long as the block runs."""
    with in_thread(SignInServer(how, elsewhere)) as server:
        yield server
