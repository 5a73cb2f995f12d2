"""What a model writes becomes the bytes of a file, or a sentence that it can act on."""

from __future__ import annotations

from typing import Any

import pytest

from chatdesk.core.tools.folder.beneath import FileRefused
from chatdesk.core.tools.folder.edits import changed, wanted_from
from chatdesk.core.tools.folder.reading import version_of


def _changed(before: bytes | None, **arguments: Any) -> bytes | None:
    if before is not None:
        arguments.setdefault("version", version_of(before))
    return changed(before, wanted_from(arguments))


def test_pieces_are_replaced_and_line_ends_stay() -> None:
    edits = [{"old": "b\nc", "new": "B\nC\nD"}, {"old": "a", "new": ""}]
    assert _changed(b"a\nb\nc\n", edits=edits) == b"\nB\nC\nD\n"
    assert _changed(b"a\r\nb\r\nc\r\n", edits=edits) == b"\r\nB\r\nC\r\nD\r\n"


def test_a_whole_text_a_new_file_and_a_removal() -> None:
    assert _changed(b"\xef\xbb\xbfold\r\n", content="new\n") == b"\xef\xbb\xbfnew\r\n"
    assert _changed(None, content="é\n") == "é\n".encode()
    assert _changed(b"old", delete=True) is None


@pytest.mark.parametrize(
    ("before", "arguments", "words"),
    [
        (b"a a", {"edits": [{"old": "a", "new": "b"}]}, "2 times"),
        (b"a", {"edits": [{"old": "x", "new": "b"}]}, "is not in the file"),
        (b"a", {"edits": [{"old": "", "new": "b"}]}, "Each edit"),
        (b"a", {"edits": ["x"]}, "Each edit"),
        (b"a", {"edits": [{"old": "a", "new": "b"}] * 101}, "At most"),
        (b"a", {"content": "b", "version": "0" * 16}, "not the version"),
        (b"a", {"content": "b", "version": ""}, "not the version"),
        (b"a", {"content": "a"}, "changes nothing"),
        (b"a", {"content": "b", "delete": True}, "Give one"),
        (b"a", {}, "Give one"),
        (b"a", {"content": 7}, "are texts"),
        (b"a", {"content": "x" * 1_100_000}, "not changed"),
        (b"a", {"content": "x\0"}, "NUL"),
        (b"a\0", {"content": "x"}, "is no text"),
        (None, {"edits": [{"old": "a", "new": "b"}]}, "no such file"),
        (None, {"delete": True}, "no such file"),
        (b"a", {"edits": [{"old": "a", "new": "ab" * 1_000_000}]}, "not changed"),
        ("é".encode("latin-1"), {"content": "€"}, "latin-1"),
    ],
)
def test_an_impossible_edit_is_explained(before: bytes | None, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(FileRefused, match=words):
        _changed(before, **arguments)
