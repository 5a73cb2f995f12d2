from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.core.diagnostics.redaction import BLANK, Redactor
from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.errors import ThreadNotFound

KEY = "sk-proj-AbCd1234567890_x-Y"


@pytest.mark.parametrize(
    "text",
    [
        f"key {KEY} end",
        f"Authorization: Bearer {KEY}",
        f"{{'Authorization': 'Bearer {KEY}'}}",
        f'{{"api_key": "{KEY}"}}',
        f"api-key={KEY}&x=1",
        f"headers=[(b'authorization', b'Bearer {KEY}')]",
        f"X-API-Key: {KEY}",
        f"OPENAI_API_KEY={KEY}",
        f"bearer {KEY}",
        f"https://user:{KEY}@example.org/",
        f"Incorrect API key provided: {KEY}.",
    ],
)
def test_keys_in_every_dress_are_blanked(text: str) -> None:
    assert KEY not in Redactor().redact(text)
    assert "AbCd1234567890" not in Redactor().redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "ghp_0123456789abcdefghij",
        "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyA-0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF",
        "hf_0123456789abcdef",
        "password = hunter2secret",
    ],
)
def test_tokens_of_other_makers_are_blanked(text: str) -> None:
    assert BLANK in Redactor().redact(text)
    assert text.split()[-1] not in Redactor().redact(text)


@pytest.mark.parametrize(
    "text", ["thread 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e", "risk-averse task-list", "12 tokens in 3 ms"]
)
def test_harmless_text_stays(text: str) -> None:
    assert Redactor().redact(text) == text


def test_a_registered_secret_without_a_known_shape_is_blanked_also_quoted_for_urls() -> None:
    redactor = Redactor()
    redactor.register_secret("correct/horse battery")
    redactor.register_secret("correct/horse battery staple")
    redactor.register_secret("abc")  # too short: it would blank half of every line
    assert redactor.redact("x correct/horse battery staple y abc") == f"x {BLANK} y abc"
    assert redactor.redact("correct%2Fhorse%20battery") == BLANK


def test_values_that_may_be_words_are_described_by_kind_and_size() -> None:
    redactor = Redactor()
    message = Message("m-1", "t-1", None, Role.USER, Status.COMPLETE, 0, 0)
    assert redactor.describe(message) == "<Message m-1>"
    assert redactor.describe(object()) == "<object>"
    assert redactor.describe("a\nb") == "<3 characters>"
    assert redactor.describe("x" * 500) == "<500 characters>"
    assert redactor.describe(["dear diary"]) == "<list of 1>"
    assert redactor.describe({"text": "dear diary"}) == "<dict of 1>"
    assert redactor.describe(b"dear") == "<bytes of 4>"


def test_ids_numbers_names_and_paths_stay() -> None:
    redactor = Redactor()
    assert redactor.describe("0190b3c2-7c1e") == "0190b3c2-7c1e"
    assert redactor.describe(3) == 3
    assert redactor.describe(None) is None
    assert redactor.describe(Status.ERROR) == "error"
    assert redactor.describe(Path("/tmp/x")) == "/tmp/x"
    assert redactor.describe(ValueError("dear diary")) == "ValueError <10 characters>"


def test_an_error_is_quoted_only_when_its_text_is_ours_or_about_code() -> None:
    redactor = Redactor()
    assert redactor.describe_error(ThreadNotFound()) == "ThreadNotFound: There is no thread with that id."
    assert redactor.describe_error(AttributeError("no attribute 'x'")) == "AttributeError: no attribute 'x'"
    assert redactor.describe_error(OSError(28, "No space left on device")) == "OSError: No space left on device"
    assert redactor.describe_error(OSError()) == "OSError"
    assert redactor.describe_error(ValueError("dear diary")) == "ValueError <10 characters>"
    assert redactor.describe_error(RuntimeError("x" * 999)) == "RuntimeError <999 characters>"


def test_a_traceback_shows_frames_and_causes_but_no_values() -> None:
    diary = "dear diary"

    def fail() -> None:
        try:
            raise ValueError(diary)
        except ValueError as error:
            raise ExceptionGroup("several", [TypeError("bad type"), KeyError(diary)]) from error

    with pytest.raises(ExceptionGroup) as caught:
        fail()
    text = Redactor().describe_traceback(caught.value)
    assert diary not in text.replace('diary = "dear diary"', "")
    assert "in fail" in text
    assert text.index("ValueError <") < text.index("This led to:") < text.index("ExceptionGroup <")
    assert "TypeError: bad type" in text


def test_a_ring_of_causes_ends() -> None:
    one, two = ValueError("1"), ValueError("2")
    one.__cause__, two.__cause__ = two, one
    assert Redactor().describe_traceback(one).count("Traceback") == 2


@pytest.mark.parametrize("unit", ["x", "x-", "secret", "api_key ", "eyJ", "-eyJ", "bearer ", "sk-", "://a", "'", "\\"])
def test_long_hostile_lines_cost_linear_time(unit: str) -> None:
    import time

    started = time.process_time()
    Redactor().redact(unit * (200_000 // len(unit)))
    assert time.process_time() - started < 5  # quadratic patterns need minutes


PAYLOAD = "eyJ2IjoxLCJvdHAiOiJzZWNyZXQi" + "A" * 9_000


@pytest.mark.parametrize(
    "text",
    [
        f"chatdesk-join:{PAYLOAD}.abcd1234",
        f"chatdesk://join/{PAYLOAD}.abcd1234",
        f"argv: ['chatdesk', 'chatdesk://join/{PAYLOAD[:60]}']",
        f"chatdesk-computer:{PAYLOAD[:300]}.abcd12",
        f"cut off: chatdesk-join:{PAYLOAD[:200]}",
    ],
)
def test_invitations_are_blanked_also_long_ones_and_parts(text: str) -> None:
    shown = Redactor().redact(text)
    assert "eyJ2" not in shown
    assert "AAAA" not in shown


def test_what_a_server_keeps_of_a_password_is_blanked() -> None:
    verifier = f"SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0$tail{'k' * 39}=:{'s' * 43}="
    shown = Redactor().redact(f"SELECT cd.accept_invite('Ana', '{verifier}')")
    assert shown == f"SELECT cd.accept_invite('Ana', '{BLANK}')"
