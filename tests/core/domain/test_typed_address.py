from __future__ import annotations

import pytest

from chatdesk.core.domain.typed_address import full_address


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
        ("", ""),
        ("ftp://x", "ftp://x"),
        ("[bad", "[bad"),
    ],
)
def test_what_was_left_out_of_an_address_is_added(typed: str, address: str) -> None:
    assert full_address(typed) == address


def test_a_server_without_the_usual_path_gets_none() -> None:
    assert full_address("api.anthropic.com", path="") == "https://api.anthropic.com"
