"""The rules for files of messages, and the sentence of each."""

from __future__ import annotations

from typing import Any

import pytest

from chatdesk.core.attachments.attachment_limits import AttachmentLimits, kinds_of
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.errors import AttachmentTooLarge, AttachmentUnusable, InvalidInput


def _file(size_bytes: int, mime: str = "text/plain") -> Attachment:
    return Attachment("page.txt", mime, "a" * 64, size_bytes)


LIMITS = AttachmentLimits(2, 1_000, 1_500, 2_000, ("application/zip", "video/*"))


@pytest.mark.parametrize(
    ("mime", "is_refused"),
    [
        ("application/zip", True),
        ("video/mp4", True),
        ("video/", True),
        ("application/zip+more", False),
        ("audio/mp4", False),
        ("videos/mp4", False),
    ],
)
def test_kinds_are_kept_out_by_what_the_bytes_are(mime: str, is_refused: bool) -> None:
    assert LIMITS.refuses(mime) is is_refused
    if is_refused:
        with pytest.raises(AttachmentUnusable, match="of a kind that may not be attached") as failure:
            LIMITS.check_kind("page.txt", mime)
        assert "Settings" in failure.value.sentence
    else:
        LIMITS.check_kind("page.txt", mime)


def test_each_limit_holds_to_its_last_byte() -> None:
    LIMITS.check_size("a", 1_000)
    LIMITS.check_message([_file(1_000), _file(500)])
    LIMITS.check_day("a", 500, before_bytes=1_500)
    refused: list[Any] = [
        (AttachmentTooLarge, "larger than 1,000 bytes", lambda: LIMITS.check_size("a", 1_001)),
        (InvalidInput, "at most 2 files", lambda: LIMITS.check_message([_file(1)] * 3)),
        (InvalidInput, "together; these have 1,501 bytes", lambda: LIMITS.check_message([_file(1_000), _file(501)])),
        (InvalidInput, "the limit for a day is 2,000 bytes", lambda: LIMITS.check_day("a", 501, before_bytes=1_500)),
    ]
    for kind, words, check in refused:
        with pytest.raises(kind, match=words) as failure:
            check()
        assert failure.value.safe and failure.value.next_step


def test_without_a_limit_a_day_has_none() -> None:
    AttachmentLimits(day_bytes=0).check_day("a", 10**12, before_bytes=10**12)


def test_kinds_are_read_from_what_a_person_wrote() -> None:
    assert list(kinds_of("Video/*, application/zip  text/")) == ["video/*", "application/zip"]
    assert not list(kinds_of(""))
