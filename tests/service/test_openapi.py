"""The document: the same as in the repository, whole, and shown as a page that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

from chatdesk.service.endpoints import ENDPOINTS
from tests.helpers import openapi_document
from tests.helpers.local_service import served_world


def test_the_document_in_the_repository_is_the_one_that_is_made() -> None:
    wanted = openapi_document.DOCUMENT.read_text("utf-8")
    assert openapi_document.text() == wanted, "run: python -m tests.helpers.openapi_document --write"


def test_the_document_has_every_endpoint_and_every_reference_leads_somewhere() -> None:
    document = json.loads(openapi_document.text())
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(each.method, each.shown_path) for each in ENDPOINTS}
    ids = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids)) == len(ENDPOINTS)
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', openapi_document.text()):
        place = document
        for step in reference.split("/"):
            place = place[step]


async def test_the_service_gives_the_document_without_a_token(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world, world.client() as http:
        assert (await http.get("/api/v1/openapi.json")).json() == json.loads(openapi_document.text())


async def test_the_page_has_all_addresses_and_a_policy_that_allows_its_style_alone(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world, world.client() as http:
        page = await http.get("/docs")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        for endpoint in ENDPOINTS:
            assert f"<code>{endpoint.shown_path}</code>" in page.text
        (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert page.headers["content-security-policy"].startswith(
            f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
        )
        assert "<script" not in page.text
        assert "//" not in re.sub(r"<style>.*?</style>", "", page.text, flags=re.DOTALL)


def test_no_address_sets_up_starts_or_allows_a_tool() -> None:
    """Programs that run on this computer are a person's to choose, in the window or at the command line."""
    document = json.loads(openapi_document.text())
    assert not [path for path in document["paths"] if re.search(r"tool|server|permission|approv", path)]


async def test_the_documented_bounds_of_pages_and_keys_hold(tmp_path: Path) -> None:
    document = json.loads(openapi_document.text())
    async with served_world(tmp_path) as world:
        thread = (await world.services.chat.create_thread(None, "Plans")).thread
        tried = 0
        for path, methods in document["paths"].items():
            parameters = methods.get("get", {}).get("parameters", ())
            needed = {each["name"]: "words" for each in parameters if each["in"] == "query" and each.get("required")}
            address = path.replace("{thread_id}", thread.id).replace("{project_id}", thread.project_id)
            for each in parameters:
                bounds = [each["schema"].get(name) for name in ("minimum", "maximum")]
                if each["name"] == "limit" and None not in bounds:
                    tried += 1
                    for limit, status in (
                        (bounds[0], 200),
                        (bounds[1], 200),
                        (bounds[0] - 1, 422),
                        (bounds[1] + 1, 422),
                    ):
                        found = await world.http.get(address, params={**needed, "limit": limit})
                        assert found.status_code == status, (path, limit)
        assert tried == 3
        (form,) = {
            each["schema"]["pattern"]
            for methods in document["paths"].values()
            for operation in methods.values()
            for each in operation["parameters"]
            if each["name"] == "Idempotency-Key"
        }
        for key in ("k", "k" * 255, "k" * 256, "k k"):
            headers = {"Idempotency-Key": key}
            made = await world.http.post("/api/v1/threads", json={}, headers=headers)
            assert (made.status_code != 400) == bool(re.search(form, key)), (len(key), made.text)
