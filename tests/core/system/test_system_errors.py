"""What the system says of a fault is known by its number, and shown in the language of the program."""

from __future__ import annotations

import errno
import os
import sys

import pytest

from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other words")
@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.ENOSPC, errno.EROFS, errno.ECONNREFUSED])
def test_a_reason_is_what_the_system_says_in_english(number: int) -> None:
    reason = reason_text(OSError(number, os.strerror(number)))
    assert reason == os.strerror(number)
    assert isinstance(reason, Text)


def test_an_unknown_error_keeps_its_own_words() -> None:
    assert reason_text(OSError(errno.EXDEV, "Invalid cross-device link")) == "Invalid cross-device link"
    assert reason_text(OSError("the disk has gone")) == "the disk has gone"
    assert reason_text(OSError()) == "the system refused"


def test_what_chatdesk_refused_itself_comes_in_its_own_words() -> None:
    words = Text("“{name}” beside it is a link or a file, not a folder", name="a")
    assert reason_text(FileExistsError(errno.EEXIST, words)) is words
