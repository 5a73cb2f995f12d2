"""Links that say one place and lead to another."""

from __future__ import annotations

import pytest

from chatdesk.core.rendering.misleading_links import true_destination


@pytest.mark.parametrize(
    ("words", "href"),
    [
        ("the docs", "https://example.org"),
        ("example.org", "https://example.org/a"),
        ("https://www.example.org/a", "https://example.org/b"),
        ("EXAMPLE.org.", "https://example.org"),
        ("README.md", "https://example.org/README.md"),
        ("version 3.12", "https://example.org"),
        ("3.12", "https://example.org"),
        ("a.b@example.org", "mailto:a.b@example.org?subject=x"),
        ("write to me", "mailto:a@example.org"),
    ],
)
def test_honest_links_are_left_alone(words: str, href: str) -> None:
    assert true_destination(words, href) is None


@pytest.mark.parametrize(
    ("words", "href", "place"),
    [
        ("example.org", "https://evil.test/", "evil.test"),
        ("https://example.org/login", "https://example.org.evil.test/", "example.org.evil.test"),
        ("https://example.org", "https://example.org@evil.test/", "evil.test"),
        ("(bank.example)", "http://evil.test", "evil.test"),
        ("https://setup.py", "http://evil.test", "evil.test"),
        ("a@example.org", "mailto:a@evil.test", "a@evil.test"),
        ("аpple.com", "https://аpple.com/", "xn--pple-43d.com"),
        ("sub.example.org", "https://example.org", "example.org"),
    ],
)
def test_deceptive_links_show_where_they_lead(words: str, href: str, place: str) -> None:
    assert true_destination(words, href) == place


def test_hostile_words_take_no_time() -> None:
    assert true_destination("a." * 50_000, "https://example.org") is None
    assert true_destination("@" * 50_000, "mailto:a@b.c") is None
