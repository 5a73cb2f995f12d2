"""The table of `docs/settings.md`, made from the declarations: ``python -m tests.helpers.settings_table --write``."""

from __future__ import annotations

import sys
from pathlib import Path

from chatdesk.core.settings.schema import PAGES, Setting, all_settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"
_HEAD = ("| key | variable | default | in the window | meaning |", "|---|---|---|---|---|")


def table() -> str:
    """All settings in the order of the window's pages."""
    ordered = sorted(all_settings(), key=lambda each: PAGES.index(each.shown.page))
    return "\n".join((*_HEAD, *(_line(each) for each in ordered)))


def with_table(text: str, made: str) -> str:
    """``text`` with its table replaced by ``made``."""
    lines = text.split("\n")
    places = [place for place, line in enumerate(lines) if line.startswith("|")]
    return "\n".join((*lines[: places[0]], made, *lines[places[-1] + 1 :]))


def _line(setting: Setting) -> str:
    place = f"{setting.shown.page} › {setting.shown.title}"
    place += f" (in {setting.shown.hidden})" if setting.shown.hidden else ""
    return f"| `{setting.key}` | `{setting.env}` | {_default(setting)} | {place} | {meaning_of(setting)} |"


def meaning_of(setting: Setting) -> str:
    """What the documents say of a setting."""
    trial = setting.trial
    return setting.help if trial is None else f"{setting.help} Tried out by {trial.owner} until {trial.until}."


def _default(setting: Setting) -> str:
    if setting.default in ("", {}):
        return "empty"
    return str(setting.default).lower() if setting.kind is bool else str(setting.default)


if __name__ == "__main__" and "--write" in sys.argv:
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8"), table()), encoding="utf-8")
