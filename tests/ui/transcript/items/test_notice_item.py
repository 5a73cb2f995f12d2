"""The buttons of a notice are painted in the language of the program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatdesk.core.texts import Text, use_translation
from chatdesk.ui.transcript.items.notice_item import NoticeItem


@pytest.fixture(autouse=True)
def _german() -> Iterator[None]:
    use_translation(lambda source, _about, _count: {"Try again": "Erneut versuchen"}.get(source, ""))
    yield
    use_translation(None)


def test_a_constant_as_label_is_shown_in_the_language() -> None:
    notice = NoticeItem("Die Antwort kam nicht.", (("retry", Text("Try again")),))
    assert notice.actions == (("retry", "Erneut versuchen"),)
    assert notice.with_actions((("retry", Text("Try again")),)).actions == notice.actions
