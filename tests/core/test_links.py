"""Links name a thread, a message or an invitation; whatever else they say, nothing is opened."""

from __future__ import annotations

from itertools import product

import pytest

from chatdesk.core.ids import new_id
from chatdesk.core.links import (
    LONGEST,
    InvitationLink,
    PassageLink,
    ThreadLink,
    UnusableLink,
    is_passage_link,
    link_to,
    link_to_passage,
    read_link,
)

_THREAD = "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e"
_MESSAGE = "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6f"

# What others might put in a link: verbs that act, settings, files, tools, ways out of an id, and noise.
HOSTILE = [
    *(
        f"chatdesk://{verb}/{rest}"
        for verb, rest in product(
            ("ask", "send", "run", "tool", "provider", "settings", "import", "restore", "open", "file", "token"),
            ("", _THREAD, "?text=delete%20everything", "?base_url=https://evil.example", "../../etc/passwd"),
        )
    ),
    *(f"chatdesk://thread/{bad}" for bad in ("", "1", "..", f"../{_THREAD}", f"{_THREAD}/{_THREAD}", f"{_THREAD}%00")),
    *(
        f"chatdesk://thread/{_THREAD}{bad}"
        for bad in (
            "?message=",
            "?message=1",
            f"?message={_MESSAGE}&send=1",
            f"?message={_MESSAGE}#x",
            "?text=hello",
            "#ask",
            "?message=' OR 1=1 --",
            f"?message={_MESSAGE}\n",
            "\u202e",
            "\x00",
            " ",
            "?message=" + "a" * 100_000,
        )
    ),
    *(f"chatdesk://join/{bad}" for bad in ("", "<script>", "a b", "a/b", "a?b=c", "a%2e", "\u202e", "é", "a\nb")),
    *(f"{scheme}://thread/{_THREAD}" for scheme in ("http", "https", "file", "javascript", "chatdesk-x", " chatdesk")),
    f"chatdesk:thread/{_THREAD}",
    f"chatdesk:/thread/{_THREAD}",
    f"chatdesk://user@thread/{_THREAD}",
    f"chatdesk://thread:80/{_THREAD}",
    f"chatdesk:///thread/{_THREAD}",
    "chatdesk://join/" + "a" * LONGEST,
    "--data-dir=/tmp/evil",
    "-h",
    "chatdesk://",
    "chatdesk:",
    "",
]


def test_a_link_is_read_as_it_was_written() -> None:
    thread_id, message_id = new_id(), new_id()
    assert read_link(link_to(thread_id)) == ThreadLink(thread_id)
    assert read_link(link_to(thread_id, message_id)) == ThreadLink(thread_id, message_id)


@pytest.mark.parametrize(
    "text",
    [
        f"CHATDESK://THREAD/{_THREAD.upper()}?MESSAGE={_MESSAGE.upper()}",
        f"chatdesk://thread/{_THREAD}/?message={_MESSAGE}",  # as browsers complete a path
    ],
)
def test_programs_may_write_a_link_in_capitals_or_with_a_slash(text: str) -> None:
    assert read_link(text) == ThreadLink(_THREAD, _MESSAGE)


def test_an_invitation_is_passed_on_as_it_is() -> None:
    for link in ("chatdesk://join/eyJ2IjoxfQ.abcDEF_-", "chatdesk://computer/eyJ2IjoxfQ.abcDEF12"):
        assert read_link(link) == InvitationLink(link)


def test_nothing_else_is_a_link() -> None:
    for text in HOSTILE:
        with pytest.raises(UnusableLink) as raised:
            read_link(text)
        assert "Nothing was opened" in raised.value.sentence


def test_a_link_is_made_of_ids_alone() -> None:
    with pytest.raises(Exception, match="valid id"):
        link_to("../../etc")


# Each character of a keyboard, letters of other scripts, and the longest path that a file system has.
_PATHS = [
    *(f"a{letter}b" for letter in map(chr, range(32, 127))),
    *("brücke.txt", "日本語/議事録.pdf", "ملف.txt", "👩‍💻.md", "a\u00a0b", "a\u2028b", "a\nb", "a\tb", "a\\b"),
    "議" * 1365,
]


@pytest.mark.parametrize("path", _PATHS)
def test_a_passage_of_any_file_has_a_link_that_leads_to_it(path: str) -> None:
    link = link_to_passage(_THREAD, path, 3, 90)
    assert is_passage_link(link)
    assert read_link(link) == PassageLink(_THREAD, path, 3, 90)
