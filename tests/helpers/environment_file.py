"""The variables of a served process as ``packaging/service/.env.example`` has them, made from the declarations:
``python -m tests.helpers.environment_file --write``."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from chatdesk.core.paths import DATA_DIR_VARIABLE
from chatdesk.core.processes import CORE_DUMPS_VARIABLE
from chatdesk.core.providers.key_rules import OPEN_VARIABLE
from chatdesk.core.settings.presets import PRESETS
from chatdesk.core.settings.schema import PAGES, Setting, all_settings

DOCUMENT = Path(__file__).parents[2] / "packaging" / "service" / ".env.example"
_WIDTH = 118
_HEAD = """\
Every variable that `chatdesk serve` reads, with its default. Copy this file to .env beside compose.yaml, or to
~/.config/chatdesk/service.env for systemd, and remove the # in front of what you set. Both set the port to 43117."""
#: Those that are no settings: name and meaning.
_OTHERS = (
    (DATA_DIR_VARIABLE, "Keeps everything in this directory. compose.yaml sets it to /data, which is a volume."),
    (OPEN_VARIABLE, "Servers, with commas, to which a key of this file may go without TLS. See docs/providers.md."),
    (CORE_DUMPS_VARIABLE, "1 to look into a crash: its core, which holds keys and chats, is written then."),
)


def content() -> str:
    """The whole file."""
    return "\n".join((*_comment(_HEAD), *_keys(), *_other_variables(), *_settings())) + "\n"


def variables() -> set[str]:
    """All names of variables."""
    named = {each.variable for each in PRESETS.values() if each.variable}
    return named | {name for name, _ in _OTHERS} | {setting.env for setting in all_settings()}


def _keys() -> Iterator[str]:
    yield from _heading("Keys of vendors", "Each goes to its vendor's own server, or to the one of OPENAI_BASE_URL.")
    yield from (f"#{each.variable}=" for each in PRESETS.values() if each.variable)


def _other_variables() -> Iterator[str]:
    yield from _heading("Places and processes")
    for name, meaning in _OTHERS:
        yield from _comment(meaning)
        yield f"#{name}="


def _settings() -> Iterator[str]:
    for page in PAGES:
        found = [each for each in all_settings() if each.shown.page == page]
        if found:
            yield from _heading(page)
        for setting in found:
            yield from _comment(setting.help)
            yield f"#{setting.env}={_default(setting)}"


def _default(setting: Setting) -> str:
    if setting.default in ("", {}):
        return ""
    return str(setting.default).lower() if setting.kind is bool else str(setting.default)


def _heading(title: str, text: str = "") -> Iterator[str]:
    yield ""
    yield f"# --- {title} ---"
    yield from _comment(text)


def _comment(text: str) -> Iterator[str]:
    yield from (f"# {line}" for line in textwrap.wrap(text, _WIDTH))


if __name__ == "__main__" and "--write" in sys.argv:
    DOCUMENT.write_text(content(), encoding="utf-8")
