"""A message asks for the blocks of its texts by who wrote them."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.rendering.blocks import Fold
from chatdesk.ui.transcript.messages.entry import MessageEntry
from tests.helpers.thought_tags import FOLDED
from tests.ui.transcript.conftest import FakeRenderer, make_message


@pytest.mark.parametrize("text", FOLDED)
@pytest.mark.parametrize("role", [Role.USER, Role.ASSISTANT, Role.SYSTEM])
def test_thoughts_are_folded_in_answers_only(role: Role, text: str) -> None:
    entry = MessageEntry(make_message(1, text, role=role))
    entry.request_blocks(FakeRenderer(), lambda _entry: None)
    assert any(isinstance(block, Fold) for block in entry.blocks) is (role is Role.ASSISTANT)
