"""Encodings and line ends of files come back as they were."""

from __future__ import annotations

import pytest

from chatdesk.core.tools.folder.beneath import FileRefused
from chatdesk.core.tools.folder.texts import read_text

SAMPLES = (
    b"",
    b"plain\n",
    "grüße\n".encode(),
    b"\xef\xbb\xbfwith a mark\n",
    b"windows\r\nlines\r\n",
    b"mixed\r\nlines\nand\rmore",
    "sechzehn\r\nBit\r\n".encode("utf-16"),
    "grüße in latin\n".encode("latin-1"),
)


@pytest.mark.parametrize("data", SAMPLES)
def test_a_text_comes_back_as_it_was(data: bytes) -> None:
    read = read_text(data)
    assert read is not None
    assert read[1].written(read[0]) == data


@pytest.mark.parametrize("data", [b"\x89PNG\0", b"\xff\xfe\x00", bytes(range(1, 32)) * 20 + b"\xff"])
def test_bytes_other_than_text_are_none(data: bytes) -> None:
    assert read_text(data) is None


def test_lines_that_all_end_as_on_windows_are_shown_plain() -> None:
    read = read_text(b"a\r\nb\r\n")
    assert read is not None and read[0] == "a\nb\n"


def test_a_character_that_the_encoding_lacks_is_named() -> None:
    read = read_text("é\n".encode("latin-1"))
    assert read is not None
    with pytest.raises(FileRefused, match="latin-1"):
        read[1].written("€")
