"""Has a server revoke the tokens of a sign-in (RFC 7009) when a person signs out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx2
from mcp.shared.auth import OAuthMetadata

from chatdesk.core.tools.host.http_transport import ProxiedTransport
from chatdesk.core.tools.host.sign_in import check_address, read_kept

_REVOKE_S: Final = 5.0


async def revoke(address: str, known: Mapping[str, Any]) -> bool:
    """Have the tokens of a sign-in revoked; ``known`` as for ``SignIn``. Return whether the server did so: one that
    names no address for it cannot. Failures of the server raise nothing."""
    kept = read_kept(known.get("kept", ""))
    if not kept.get("metadata"):
        return False
    try:
        endpoint = OAuthMetadata.model_validate(kept["metadata"]).revocation_endpoint
        if endpoint is None:
            return False
        check_address(httpx2.URL(str(endpoint)), address)
        return await _send(str(endpoint), kept, known)
    except Exception:  # noqa: BLE001 - whatever a server does, a person is signed out here
        return False


async def _send(endpoint: str, kept: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Revoke the refresh token, and with it, or after it, the access token."""
    client = kept.get("client") or {}
    client_id = known.get("client_id") or client.get("client_id") or ""
    secret = known.get("client_secret") or client.get("client_secret")
    auth = httpx2.BasicAuth(quote(client_id, safe=""), quote(secret, safe="")) if secret else None
    tokens = [(name, kept["tokens"][name]) for name in ("refresh_token", "access_token") if kept["tokens"].get(name)]
    transport = ProxiedTransport(lambda _sentence: None)
    async with httpx2.AsyncClient(timeout=_REVOKE_S, follow_redirects=False, auth=auth, transport=transport) as sender:
        for name, token in tokens:
            form = {"token": token, "token_type_hint": name, **({} if secret else {"client_id": client_id})}
            async with sender.stream("POST", endpoint, data=form) as answer:  # only the status matters
                if answer.status_code != 200:
                    return False
    return bool(tokens)
