"""The text and the headers of a page that a browser is to show without sending anything."""

from __future__ import annotations

import base64
import hashlib
import random
import re

import pytest

from chatdesk.core.attachments.sandboxed_page import (
    MOST_BYTES,
    checked,
    frame,
    frame_headers,
    page_headers,
    page_in,
    sandboxed,
)
from chatdesk.core.errors import InvalidInput

ORIGIN = "http://127.0.0.1:4711"
_FORBIDDEN = re.compile(
    rb"</?(link|meta|base|iframe|frame|frameset|object|embed|applet|portal|fencedframe|webview|template)[\s/>]", re.I
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('<link rel="preconnect" href="//a">', b'<bgsound rel="preconnect" href="//a">'),
        ("<LINK\nrel=x><Meta/http-equiv=refresh><base>", b"<bgsound\nrel=x><bgsound/http-equiv=refresh><bgsound>"),
        ("<iframe srcdoc='x'></iframe>", b"<x-iframe srcdoc='x'></x-iframe>"),
        ("<<link>", b"<<bgsound>"),
        ("<template shadowrootmode=open>", b"<x-template shadowrootmode=open>"),
        ("<p>links, metadata <linked> <basefont> &lt;link&gt;", b"<p>links, metadata <linked> <basefont> &lt;link&gt;"),
        ("the end is <link", b"the end is <bgsound"),
    ],
)
def test_elements_that_act_before_a_policy_are_taken_out(text: str, shown: bytes) -> None:
    assert sandboxed(text).endswith(b"</script>" + shown)


def test_no_forbidden_element_is_left_in_any_mixture() -> None:
    dice = random.Random(1)
    pieces = [
        "<",
        "</",
        "link",
        "META",
        "base",
        "iframe",
        "embed",
        "template",
        " ",
        "/",
        ">",
        "\n",
        "\0",
        "\f",
        "x",
        "-->",
    ]
    for _ in range(5_000):
        text = "".join(dice.choice(pieces) for _ in range(dice.randrange(1, 14)))
        assert _FORBIDDEN.search(sandboxed(text).partition(b"</script>")[2]) is None, text


def test_the_guard_comes_first_and_is_the_only_script_that_may_run() -> None:
    page = sandboxed("<script>alert(1)</script>")
    guard = re.match(rb"<!doctype html><script>(.*?)</script>", page, re.DOTALL)
    assert guard is not None
    (allowed,) = re.findall(r"script-src '([^']+)'(?:;|$)", page_headers(ORIGIN)["Content-Security-Policy"])
    assert allowed == "sha256-" + base64.b64encode(hashlib.sha256(guard[1]).digest()).decode()


def test_the_policies_load_nothing_and_open_nothing() -> None:
    inner = page_headers(ORIGIN)["Content-Security-Policy"]
    outer = frame_headers(ORIGIN, "/abc")["Content-Security-Policy"]
    assert inner.startswith("sandbox allow-scripts; default-src 'none'; ") and outer.startswith("default-src 'none'; ")
    for policy in (inner, outer):
        for name in ("connect-src", "form-action", "base-uri", "worker-src", "object-src", "manifest-src", "child-src"):
            assert f"{name} 'none'" in policy
    assert "frame-src 'none'" in inner and f"frame-ancestors {ORIGIN}" in inner
    assert f"frame-src {ORIGIN}/abc;" in outer and outer.endswith("frame-ancestors 'none'")
    assert not set(re.findall(r"'unsafe-\w+'", outer))
    assert set(re.findall(r"(\S+) 'unsafe-inline'", inner)) == {"style-src"}


def test_a_title_is_a_text() -> None:
    made = frame("/abc", "\"><script>alert('x')</script>")
    assert b"<script" not in made and b"&quot;&gt;&lt;script&gt;" in made


@pytest.mark.parametrize("text", ["", " \n", "x" * (MOST_BYTES + 1)])
def test_an_unsuitable_page_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InvalidInput):
        checked(text)


def test_half_characters_do_no_harm() -> None:
    assert sandboxed("a\ud83db").endswith(b"a?b")


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("```html\n<p>1</p>\n```\n\n- x\n  ~~~HTM\n  <p>2</p>\n  ~~~\n\n```css\np {}\n```", "<p>2</p>\n"),
        ("> ```xhtml\n> <p>\n> ```", "<p>\n"),
        ("`<p>` and <p>", ""),
        ("", ""),
    ],
)
def test_the_page_of_a_message_is_its_last_block_of_html(text: str, page: str) -> None:
    assert page_in(text) == page
