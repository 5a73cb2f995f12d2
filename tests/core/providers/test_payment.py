"""What a 402 wants is shown with amount, payee and link; hostile bodies bring nothing in."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from chatdesk.core.providers.payment import Payment, payment_in

_BASE_USDC = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
_PAYEE = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"


def _body(document: Any) -> bytes:
    return json.dumps(document).encode()


def test_the_first_version_of_x402() -> None:
    way = {"scheme": "exact", "network": "base", "maxAmountRequired": "10000", "payTo": _PAYEE, "asset": _BASE_USDC}
    found = payment_in({}, _body({"x402Version": 1, "error": "X-PAYMENT header is required", "accepts": [3, way]}))
    assert found == Payment("0.01 USDC", _PAYEE, "base")
    assert found.sentence == f"0.01 USDC to {_PAYEE} on base"
    assert found.as_details() == {"amount": "0.01 USDC", "payee": _PAYEE, "network": "base"}


def test_the_second_version_comes_in_a_header() -> None:
    way = {"network": "eip155:8453", "amount": "3000000", "payTo": _PAYEE, "asset": "0xabc"}
    header = base64.b64encode(_body({"x402Version": 2, "accepts": [way]})).decode()
    found = payment_in({"payment-required": header}, b"{}")
    assert found == Payment("3,000,000 units of 0xabc", _PAYEE, "eip155:8453")


def test_the_name_of_an_asset_is_not_believed() -> None:
    way = {"amount": "1", "payTo": _PAYEE, "asset": "0xbad", "extra": {"name": "USDC"}}
    found = payment_in({}, _body({"accepts": [way]}))
    assert found is not None
    assert "USDC" not in found.amount


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            {"error": {"message": "Out of credits", "metadata": {"top_up_url": "https://gate.example/top-up?a=1"}}},
            Payment(link="https://gate.example/top-up?a=1", host="gate.example"),
        ),
        (
            {"error": "Insufficient credit balance", "minimumRequired": "1.00", "currency": "USD"},
            Payment("1.00 USD"),
        ),
        (
            {"error": {"message": "Add more at https://router.example/settings/credits.", "code": 402}},
            Payment(link="https://router.example/settings/credits", host="router.example"),
        ),
        (
            {"amount_due": 2.5, "payee": "Gate", "payment_url": "https://gate.example/p"},
            Payment("2.5", "Gate", link="https://gate.example/p", host="gate.example"),
        ),
    ],
)
def test_prepaid_gateways(document: Any, expected: Payment) -> None:
    assert payment_in({}, _body(document)) == expected


@pytest.mark.parametrize(
    "link",
    [
        "http://gate.example/p",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://user:pass@gate.example/",
        "https://gate.example:8443/",
        "https://gäte.example/",
        "https://gate.example/\u202efdp",
        "https://gate.example/ x",
        "https://[bad/",
        "https://",
        "https://gate.example/" + "x" * 3_000,
        "https://gate.example/?key=sk-secret",
    ],
)
def test_links_that_lead_astray_are_left_out(link: str) -> None:
    assert payment_in({}, _body({"top_up_url": link}), ("sk-secret",)) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"accepts": 3}',
        b'{"accepts": [{"payTo": "x y", "amount": "1"}]}',
        b'{"accepts": [{"payTo": "x", "amount": "-1"}]}',
        b'{"accepts": [{"payTo": "x", "amount": "' + b"9" * 1_000 + b'"}]}',
        b'{"accepts": [{"payTo": "sk-secret", "amount": "1"}]}',
        b'{"amount": true, "price": "lots"}',
        b'{"amount": "1", "a": ' * 50_000,
    ],
)
def test_hostile_bodies_bring_nothing(body: bytes) -> None:
    assert payment_in({"payment-required": "%%%"}, body, ("sk-secret",)) is None


def test_large_headers_are_not_read() -> None:
    assert payment_in({"payment-required": "A" * 100_000}, b"") is None
