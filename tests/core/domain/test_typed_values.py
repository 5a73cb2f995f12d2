from __future__ import annotations

import pytest

from chatdesk.core.domain.typed_values import NotAFigure, full_address, price_text, read_price, read_window, window_text


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("localhost:18741", "http://localhost:18741/v1"),
        (" 127.0.0.1:8080/ ", "http://127.0.0.1:8080/v1"),
        ("[::1]:8080", "http://[::1]:8080/v1"),
        ("localhost:8080/api/v1", "http://localhost:8080/api/v1"),
        ("llm.example.org", "https://llm.example.org/v1"),
        ("192.168.0.7:11434", "https://192.168.0.7:11434/v1"),
        ("llm.example.org/openai", "https://llm.example.org/openai"),
        ("https://llm.example.org", "https://llm.example.org"),
        ("http://llm.example.org/v1/", "http://llm.example.org/v1"),
        ('"https://llm.example.org/v1",', "https://llm.example.org/v1"),
        ("POST https://llm.example.org/v1/models -H 'x'", "https://llm.example.org/v1/models"),
        ("<http://box:8080>", "http://box:8080"),
        ("", ""),
        ("ftp://x", "ftp://x"),
        ("[bad", "[bad"),
    ],
)
def test_missing_parts_of_an_address_are_added(typed: str, address: str) -> None:
    assert full_address(typed) == address


def test_a_server_without_the_usual_path_gets_none() -> None:
    assert full_address("api.anthropic.com", path="") == "https://api.anthropic.com"


@pytest.mark.parametrize(
    ("typed", "tokens"),
    [
        ("32000", 32_000),
        ("128k", 128_000),
        ("128 K", 128_000),
        ("1.5M", 1_500_000),
        ("131,072", 131_072),
        ("131.072", 131_072),
        ("131 072 ", 131_072),
        ("8192 tokens", 8192),
    ],
)
def test_a_number_of_tokens_is_read_as_people_write_it(typed: str, tokens: int) -> None:
    assert read_window(typed) == tokens
    assert read_window(window_text(tokens)) == tokens


@pytest.mark.parametrize("typed", ["", "many", "-5", "12", "9999999999", "1e9", "128kb", "nan"])
def test_an_invalid_number_of_tokens_is_refused(typed: str) -> None:
    with pytest.raises(NotAFigure):
        read_window(typed)


@pytest.mark.parametrize(("typed", "amount"), [("0.25", 0.25), ("$2,5", 2.5), ("0", 0.0), ("15 $", 15.0)])
def test_a_price_is_read_as_people_write_it(typed: str, amount: float) -> None:
    assert read_price(typed) == amount
    assert read_price(price_text(amount)) == amount


@pytest.mark.parametrize("typed", ["", "free", "-1", "inf", "1.2.3", "2000000"])
def test_an_invalid_price_is_refused(typed: str) -> None:
    with pytest.raises(NotAFigure):
        read_price(typed)
