from __future__ import annotations

from dataclasses import replace

from chatdesk.core.settings.in_force import SettingsInForce, changed_settings
from chatdesk.core.settings.schema import Settings


def test_a_follower_gets_the_settings_at_once_and_after_each_change() -> None:
    in_force = SettingsInForce(Settings(trash_days=3))
    seen: list[int] = []
    in_force.follow(lambda settings: seen.append(settings.trash_days))
    in_force.change(replace(in_force.current, trash_days=5))
    assert seen == [3, 5]
    assert in_force.current.trash_days == 5


def test_only_values_that_differ_have_changed() -> None:
    before = Settings(shortcuts={"chat.new": "Ctrl+M"})
    after = replace(before, shortcuts={"chat.new": "Ctrl+M"}, theme="dark")
    assert changed_settings(before, after) == {"theme": "dark"}
