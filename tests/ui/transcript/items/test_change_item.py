"""Proposed changes in the transcript: a card in words, a tinted diff, buttons by state; whatever a row has in it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from chatdesk.core.domain.artifacts.file_change import FILE_DIFF, ChangeKind, ChangeState, FileChange, change_from
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import Part, PartType
from chatdesk.ui.transcript.contract import ShownChange
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.change_item import APPLY, EDIT, REJECT, REVIEW, UNDO, ChangeItem, diff_item
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.file_item import FileItem
from chatdesk.ui.transcript.messages.sections import sections_of
from tests.ui.transcript.items.test_math_item import painted, style  # noqa: F401 - a fixture

CHANGE = FileChange("0" * 32, "src/a.py", ChangeKind.EDIT, 1, 2)
DIFF = "--- a/src/a.py\n+++ b/src/a.py\n@@ -1,2 +1 @@\n-one\n-two\n+2\n"


def _content(text: Any = DIFF, **more: Any) -> dict[str, Any]:
    file = Attachment("a.py.diff", "text/x-diff", "ab" * 32, len(DIFF)).as_content()
    return {**file, FILE_DIFF: {**CHANGE.as_content(), "text": text, **more}}


def _items(content: dict[str, Any]) -> list[Any]:
    part = Part("p", "m", 0, PartType.FILE, content)
    return [item for section in sections_of((part,), is_live=False) for item in section.items]


@pytest.mark.parametrize(
    ("state", "actions", "words"),
    [
        (None, [], ""),
        (ChangeState.PROPOSED, [REVIEW, EDIT, REJECT], ", Proposed"),
        (ChangeState.APPLIED, [UNDO], ", Applied"),
        (ChangeState.REJECTED, [], ", Rejected"),
        (ChangeState.OUTDATED, [REJECT], ", Outdated: the file was changed since"),
        (ChangeState.CHANGED_SINCE, [], ", Applied; the file was changed since"),
        (ChangeState.ELSEWHERE, [], ", Proposed elsewhere, so it cannot be applied here"),
    ],
)
def test_each_state_has_words_and_offers_what_can_be_done(
    style: TranscriptStyle,  # noqa: F811
    state: ChangeState | None,
    actions: list[str],
    words: str,
) -> None:
    item = ChangeItem(ShownChange(CHANGE, "ab" * 32))
    assert item.update_change_state(lambda *_key: state) is (state is not None)
    assert not item.update_change_state(lambda *_key: state)
    painted(item, style)
    assert [each.action for each in item.buttons()] == actions
    assert item.words == f"Change to a file · 1 line added, 2 removed, src/a.py{words}"
    assert all("src/a.py" in each.label for each in item.buttons())


@pytest.mark.parametrize(
    ("text", "diff_sum", "action"),
    [
        (DIFF, hashlib.sha256(DIFF.encode()).hexdigest(), APPLY),
        (DIFF, "ab" * 32, REVIEW),  # the text is not that of the change
        (long := "@@ @@\n" + "+x\n" * 100, hashlib.sha256(long.encode()).hexdigest(), REVIEW),
        (7, "ab" * 32, REVIEW),
    ],
)
def test_only_what_is_wholly_seen_is_applied_at_once(
    style: TranscriptStyle,  # noqa: F811
    text: Any,
    diff_sum: str,
    action: str,
) -> None:
    card = _items({**_content(text), "sha256": diff_sum})[0]
    card.update_change_state(lambda *_key: ChangeState.PROPOSED)
    painted(card, style)
    assert [each.action for each in card.buttons()] == [action, EDIT, REJECT]
    assert card.unread.is_unread and card.press(APPLY) is None, "a click may have been meant for something else"


def test_a_long_difference_is_folded_to_240_px_and_applied_at_once_when_it_is_open(
    style: TranscriptStyle,  # noqa: F811
) -> None:
    text = "@@ @@\n" + "+x\n" * 30
    card, diff = _items({**_content(text), "sha256": hashlib.sha256(text.encode()).hexdigest()})
    card.update_change_state(lambda *_key: ChangeState.PROPOSED)
    painted(card, style)
    painted(diff, style)
    assert diff.is_folded and 200 <= diff.height - style.px(31) <= 240
    assert card.buttons()[0].action == REVIEW
    diff.press("fold-code")
    assert not diff.is_folded and card.buttons()[0].action == APPLY


def test_the_removal_of_a_file_is_not_edited(style: TranscriptStyle) -> None:  # noqa: F811
    card = ChangeItem(ShownChange(replace(CHANGE, kind=ChangeKind.DELETE), "ab" * 32))
    card.update_change_state(lambda *_key: ChangeState.PROPOSED)
    painted(card, style)
    assert [each.action for each in card.buttons()] == [REVIEW, REJECT]


def test_buttons_only_ask(style: TranscriptStyle) -> None:  # noqa: F811
    item = ChangeItem(ShownChange(CHANGE, "ab" * 32), diff=diff_item(_content()), is_whole=True)
    outcome = item.press(APPLY)
    assert outcome is not None and outcome.change == (APPLY, item.shown)
    assert item.press("file-open") is None
    plain = painted(item, style)
    item.update_change_state(lambda *_key: ChangeState.PROPOSED)
    proposed = painted(item, style)
    assert plain != proposed != painted(item, style, hovered_action=APPLY)


def test_a_message_shows_card_and_diff_with_its_lines_tinted() -> None:
    card, diff = _items(_content())
    assert isinstance(card, ChangeItem) and isinstance(diff, CodeItem)
    assert diff.text == DIFF.rstrip("\n") and not diff.block.remark
    assert [run.kind for run in diff.block.runs] == ["plain"] * 3 + ["deleted", "deleted", "inserted"]


def test_invisible_characters_are_spelt_out_and_the_text_is_bounded() -> None:
    _card, diff = _items(_content("@@ @@\n+\u202eevil\x1b[0m\n" + "+x\n" * 50_000))
    assert "⟦U+202E⟧" in diff.text and "\x1b" not in diff.text and len(diff.text) < 21_000
    short = diff_item({**_content(), "size_bytes": 10_000})
    assert short is not None and short.block.remark == "its beginning"


@pytest.mark.parametrize(
    "damage",
    [
        {"id": 7},
        {"id": "../../x"},
        {"path": ""},
        {"path": None},
        {"kind": "run"},
        {"added": -1},
        {"added": "1"},
        {"removed": True},
        {"removed": 10**12},
    ],
)
def test_a_row_of_anybody_that_is_no_change_is_a_file(damage: dict[str, Any]) -> None:
    assert change_from(_content(**damage)) is None
    (item,) = _items(_content(**damage))
    assert isinstance(item, FileItem)
    for whole in (None, "x", [], 5):
        assert change_from({FILE_DIFF: whole}) is None


def test_a_change_without_text_is_a_card_alone() -> None:
    for text in ("", None, 5):
        (card,) = _items(_content(text))
        assert isinstance(card, ChangeItem)
