"""Where a key may go, and what is said about it."""

from __future__ import annotations

from contextlib import suppress

import httpx2
import pytest

from chatdesk.core.domain.key_origin import KeyOrigin, Withheld, WithheldFor, bare_key
from chatdesk.core.providers.endpoint import Endpoint

OPENAI = KeyOrigin.of("https://api.openai.com/v1")


@pytest.mark.parametrize(
    "same", ["https://api.openai.com", "https://API.OpenAI.com:443/other", " https://api.openai.com/v1/ "]
)
def test_one_server_has_one_origin(same: str) -> None:
    assert KeyOrigin.of(same) == OPENAI


@pytest.mark.parametrize(
    "address",
    [
        "http://api.openai.com",
        "https://api.openai.com:444",
        "https://api.openai.com.",
        "https://api.openai.com.evil.example",
        "https://\N{CYRILLIC SMALL LETTER A}pi.openai.com",
        "https://api.openai.com@evil.example",
        "https://evil.example\\@api.openai.com",
        "https://evil.example#@api.openai.com",
        "https://evil.example@x@api.openai.com",
        "https://api%2eopenai.com",
        "https://[::1",
        "https://api.openai.com:99999",
        "",
        "file:///etc/passwd",
    ],
)
def test_what_only_looks_like_it_is_another(address: str) -> None:
    assert KeyOrigin.of(address) != OPENAI


@pytest.mark.parametrize(
    "address", ["https://evil.example\\.api.openai.com", "https://a b.example", "https://api%2eopenai.com"]
)
def test_what_two_readers_might_take_for_different_servers_has_no_host(address: str) -> None:
    assert KeyOrigin.of(address).host == ""


def test_a_host_is_the_one_that_is_asked_or_none() -> None:
    """Of a sharp s, the older version of IDNA makes ss and the newer one a name of its own."""
    for address in (f"https://cro{chr(sign)}.example" for sign in range(0x80, 0x2200)):
        with suppress(httpx2.InvalidURL):
            assert KeyOrigin.of(address).host in (httpx2.URL(address).raw_host.decode(), "")


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("http://127.0.0.1:1", False),
        ("http://localhost", False),
        ("http://[::1]:8080", False),
        ("http://127.0.0.1.evil.example", True),
        ("http://0x7f.1", True),
        ("http://192.168.1.5", True),
        ("https://192.168.1.5", False),
    ],
)
def test_http_is_open_outside_this_computer(address: str, is_open: bool) -> None:
    assert KeyOrigin.of(address).is_open is is_open


def test_a_question_names_both_ways_and_tells_no_story() -> None:
    wanted = KeyOrigin.of("http://box.example:8080/v1", proxy="http://proxy.example:3128", ca="ab" * 32)
    said = Withheld(WithheldFor.ELSEWHERE, wanted, OPENAI).sentence("OpenAI")
    for words in (
        "https://api.openai.com",
        "http://box.example:8080",
        "http://proxy.example:3128",
        "abab",
        "unencrypted",
    ):
        assert words in said
    long = "Groq was given for every server and may be sent anywhere. The key of Groq"
    assert long not in Withheld(WithheldFor.ELSEWHERE, wanted, OPENAI).sentence(long)
    assert KeyOrigin.from_data(wanted.as_data()) == wanted


KEY = "sk-test-0123456789abcdef"


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        " {}\n",
        '"{}"',
        "'{}'",
        '"{}",',
        "OPENAI_API_KEY={}",
        'OPENAI_API_KEY="{}"',
        "export OPENAI_API_KEY='{}';",
        "export GH_TOKEN = {}",
        "bearer  {}",
        "Bearer: {}",
        'ANTHROPIC_API_KEY="Bearer {}"',
        "Authorization: Bearer {}",
        '"Authorization: Bearer {}"',
        "authorization:bearer {}",
        "x-api-key: {}",
        "X-Goog-Api-Key: {}",
        "api-key: {}",
    ],
)
def test_text_copied_along_with_a_key_is_left_out(around: str) -> None:
    given = around.format(KEY)
    assert bare_key(given) == KEY
    assert Endpoint.of("https://x.example/v1", given).api_key == KEY


@pytest.mark.parametrize("key", ["QUJDREVGR0g==", "abc=def", "key with space", "a:b", "bearer", "bearer-1", "API_KEY"])
def test_a_key_stays_as_it_is(key: str) -> None:
    assert bare_key(key) == key
