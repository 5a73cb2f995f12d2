"""Forms of servers: what a person entered, checked by type and bounds, and what looks like a secret."""

from __future__ import annotations

from typing import Any

import pytest

from chatdesk.core.tools.server_requests import Asker, FieldProblem, FormField, form_request, form_values

_ASKER = Asker("t", "Notes", "book", "notes --serve")


def _form(*rows: tuple[Any, ...]) -> tuple[FormField, ...]:
    return form_request("1", _ASKER, ("Who?", rows)).fields


def _row(kind: str, **more: Any) -> tuple[Any, ...]:
    values = {"name": "x", "title": "", "about": "", "kind": kind, "required": False, "default": None}
    values |= {"options": (), "format": "", "least": None, "most": None}
    return tuple({**values, **more}.values())


def test_hidden_characters_of_a_form_are_spelt_out_or_removed() -> None:
    request = form_request("1", _ASKER, ("Pay\u202e", (_row("text", title="Na\u202eme\nhere", about="\x1b[31mred"),)))
    assert request.message == "Pay⟦U+202E⟧"
    assert (request.fields[0].label, request.fields[0].description) == ("Name here", "[31mred")


@pytest.mark.parametrize(
    ("row", "entered", "value"),
    [
        (_row("text"), "Ada", "Ada"),
        (_row("number"), " 2.5 ", 2.5),
        (_row("integer"), "3", 3),
        (_row("switch"), False, False),
        (_row("choice", options=(("a", "A"),)), "a", "a"),
        (_row("choices", options=(("a", "A"), ("b", "B"))), ["b", "c"], ["b"]),
        (_row("text", format="email"), "ada@example.org", "ada@example.org"),
        (_row("text", format="date"), "2026-11-24", "2026-11-24"),
        (_row("text", format="date-time"), "2026-11-24T09:30:00+00:00", "2026-11-24T09:30:00+00:00"),
        (_row("text", format="uri"), "https://example.org", "https://example.org"),
    ],
)
def test_values_have_the_types_of_their_fields(row: tuple[Any, ...], entered: Any, value: Any) -> None:
    assert form_values(_form(row), {"x": entered}) == {"x": value}


@pytest.mark.parametrize(
    ("row", "entered", "words"),
    [
        (_row("text", required=True), "", "“x” is missing."),
        (_row("integer"), "2.5", "not a whole number"),
        (_row("number"), "nan", "not a number"),
        (_row("number", least=1), "0.5", "at least 1."),
        (_row("integer", most=4), "5", "at most 4."),
        (_row("text", least=2), "a", "at least 2 characters"),
        (_row("text", most=2), "abc", "at most 2 characters"),
        (_row("choices", options=(("a", "A"),), required=True, least=1), [], "at least 1 choices"),
        (_row("text", format="email"), "ada", "not an email address"),
        (_row("text", format="date"), "24.11.2026", "a date such as"),
        (_row("text", format="date-time"), "soon", "a date and time such as"),
        (_row("text", format="uri"), "example", "an address such as"),
    ],
)
def test_a_value_that_a_field_refuses_is_named(row: tuple[Any, ...], entered: Any, words: str) -> None:
    with pytest.raises(FieldProblem, match=words) as problem:
        form_values(_form(row), {"x": entered})
    assert problem.value.name == "x"


@pytest.mark.parametrize("kind", ["text", "number", "integer", "choice", "choices"])
def test_empty_fields_are_left_out(kind: str) -> None:
    assert form_values(_form(_row(kind)), {"x": [] if kind == "choices" else ""}) == {}


@pytest.mark.parametrize(
    ("words", "looks_secret"),
    [
        ("Your password", True),
        ("API key", True),
        ("PIN", True),
        ("passwd", True),
        ("pwd of the database", True),
        ("Seed phrase", True),
        ("one-time code", True),
        ("Spin of the ball", False),
        ("Postal code", False),
        ("Your name", False),
    ],
)
def test_fields_that_ask_for_secrets_are_told_by_their_words(words: str, looks_secret: bool) -> None:
    assert _form(_row("text", title=words))[0].looks_secret == looks_secret
