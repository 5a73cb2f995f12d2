"""The one ring of the transcript: around the message that keys act on, for those who use the keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.ui.transcript.conftest import World, make_thread

_REASON = Qt.FocusReason


def _ringed(world: World, reason: Qt.FocusReason, *keys: tuple[Qt.Key, Qt.KeyboardModifier]) -> str | None:
    view = world.open(make_thread(6))
    view.clearFocus()
    view.setFocus(reason)
    for key, modifier in keys:
        QTest.keyClick(view, key, modifier)
    ringed = view.parts.message_focus.shown.ringed_entry
    assert ringed in (None, view.parts.message_focus.acting)
    return None if ringed is None else ringed.message.id


@pytest.mark.parametrize(
    "reason",
    [_REASON.TabFocusReason, _REASON.BacktabFocusReason, _REASON.ShortcutFocusReason],
    ids=lambda each: each.name,
)
def test_a_key_that_brings_the_focus_rings_a_message(world: World, reason: Qt.FocusReason) -> None:
    assert _ringed(world, reason) is not None


@pytest.mark.parametrize("reason", [_REASON.MouseFocusReason, _REASON.OtherFocusReason], ids=lambda each: each.name)
def test_a_click_and_a_hit_bring_no_ring_before_a_key_does(world: World, reason: Qt.FocusReason) -> None:
    none, control = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
    assert _ringed(world, reason) is None
    assert _ringed(world, reason, (Qt.Key.Key_C, control)) is None
    assert _ringed(world, reason, (Qt.Key.Key_Down, none)) is not None
    assert _ringed(world, reason, (Qt.Key.Key_Down, none), (Qt.Key.Key_C, control)) is not None


def test_the_ring_goes_with_the_focus(world: World) -> None:
    assert _ringed(world, _REASON.TabFocusReason) is not None
    [view] = world.views
    view.clearFocus()
    assert view.parts.message_focus.shown.ringed_entry is None
