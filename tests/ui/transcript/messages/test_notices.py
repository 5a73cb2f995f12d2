"""What is said below a message about its text."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.message import Status
from chatdesk.core.rendering.plain_text import MAX_MARKDOWN_CHARS
from chatdesk.ui.transcript.items.notice_item import NoticeItem
from chatdesk.ui.transcript.messages.entry import MessageEntry
from tests.ui.transcript.conftest import make_message


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.STOPPED, Status.INTERRUPTED])
@pytest.mark.parametrize(("length", "is_said"), [(MAX_MARKDOWN_CHARS, False), (MAX_MARKDOWN_CHARS + 1, True)])
def test_a_text_that_is_too_long_to_be_formatted_says_so_below(status: Status, length: int, is_said: bool) -> None:
    entry = MessageEntry(make_message(1, "word " * (length // 5) + "!" * (length % 5), status=status))
    words = [item.flow.text for item in entry.items if isinstance(item, NoticeItem)]
    assert any("not formatted. Copy it" in each for each in words) is is_said
    assert len(words) == (status is not Status.COMPLETE) + is_said, "beside what is said about its end"
