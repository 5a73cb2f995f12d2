"""What the documents say of settings and variables, made from their declarations:
``python -m tests.helpers.setting_documents --write``.

`docs/settings.md` has the settings, each with its variable; `docs/environment.md` the variables that are neither
settings nor keys of providers, which `docs/providers.md` has; `.env.example` every variable of a served process.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from chatdesk.cli.team_arguments import SETUP_PASSWORD
from chatdesk.cli.team_asking import KEYS_PASSPHRASE
from chatdesk.cli.team_membership import PASSPHRASE
from chatdesk.client.target import TOKEN_VARIABLE, URL_VARIABLE
from chatdesk.core.paths import DATA_DIR_VARIABLE
from chatdesk.core.providers.key_rules import AZURE_VARIABLE, OPEN_VARIABLE
from chatdesk.core.settings.presets import PRESETS
from chatdesk.core.settings.schema import PAGES, Setting, all_settings
from chatdesk.core.sync.members.team_passwords import SERVER_VARIABLE as TEAM_SERVER
from chatdesk.core.sync.members.team_passwords import VARIABLE as TEAM_PASSWORD
from chatdesk.core.system.processes import CORE_DUMPS_VARIABLE
from chatdesk.core.tools.web_search.choice import SearchEngine

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "docs" / "settings.md"
ENVIRONMENT = ROOT / "docs" / "environment.md"
EXAMPLE = ROOT / "packaging" / "service" / ".env.example"
_WIDTH = 118
_HEAD = """\
Every variable that `chatdesk serve` reads, with its default. Copy this file to .env beside compose.yaml, or to
~/.config/chatdesk/service.env for systemd, and remove the # in front of what you set. Both set the port to 43117."""
# Those that are no settings: name and meaning.
_OTHERS = (
    (
        DATA_DIR_VARIABLE,
        "Keeps everything in this directory; the container of packaging/service sets it to /data, which is a volume.",
    ),
    (OPEN_VARIABLE, "Servers, with commas, to which a key from a variable may go without TLS. See docs/providers.md."),
    (AZURE_VARIABLE, "The address of your Azure OpenAI resource: its key from a variable goes to no other."),
    (TEAM_PASSWORD, "Your password for the databases of teams; it comes before the one that is kept."),
    (TEAM_SERVER, "Servers of teams, with commas, that passwords of variables are for: see docs/team.md."),
    (CORE_DUMPS_VARIABLE, "1 to look into a crash: its core, which holds keys and chats, is written then."),
)
# Those that a served process does not read: name and meaning.
_OF_COMMANDS = (
    (SETUP_PASSWORD, "`chatdesk team`: password of the login that sets a workspace up."),
    (PASSPHRASE, "`chatdesk team`: passphrase of a code for a further computer of yours."),
    (KEYS_PASSPHRASE, "`chatdesk team`: passphrase of the encrypted file of keys, where there is no keyring."),
    (URL_VARIABLE, "The client of the local service: its address, where the files of this computer do not say it."),
    (TOKEN_VARIABLE, "The client of the local service: the token that it shows."),
)


def settings_table() -> str:
    """All settings in the order of the window's pages."""
    lines = ("| key | variable | default | in the window | meaning |", "|---|---|---|---|---|")
    return "\n".join((*lines, *(_line(each) for page in PAGES for each in _on_page(page))))


def _line(setting: Setting) -> str:
    place = f"{setting.shown.page} › {setting.shown.title}"
    place += f" (in {setting.shown.hidden})" if setting.shown.hidden else ""
    default = _default(setting) or "empty"
    return f"| `{setting.key}` | `{setting.env}` | {default} | {place} | {_meaning(setting)} |"


def environment_table() -> str:
    """Keys of search engines, places, and what commands read."""
    rows = [(each.variable, f"Key of {each.label}.") for each in SearchEngine if each.variable]
    rows += [*_OTHERS, *_OF_COMMANDS]
    return "\n".join(("| variable | meaning |", "|---|---|", *(f"| `{name}` | {meaning} |" for name, meaning in rows)))


def with_table(text: str, made: str) -> str:
    """``text`` with its table replaced by ``made``."""
    lines = text.split("\n")
    places = [place for place, line in enumerate(lines) if line.startswith("|")]
    return "\n".join((*lines[: places[0]], made, *lines[places[-1] + 1 :]))


def example() -> str:
    """The whole file of variables."""
    return "\n".join((*_comment(_HEAD), *_keys(), *_other_variables(), *_settings())) + "\n"


def _of_vendors() -> list[tuple[str, str]]:
    """The variables of keys, and whose they are."""
    rows = [(each.variable, each.label) for each in (*PRESETS.values(), *SearchEngine)]
    return [row for row in rows if row[0]]


def variables() -> set[str]:
    """All names of variables."""
    named = {name for name, _ in _of_vendors()}
    return named | {name for name, _ in _OTHERS} | {setting.env for setting in all_settings()}


def variables_of_commands() -> set[str]:
    """The names of the variables that a served process does not need."""
    return {name for name, _ in _OF_COMMANDS}


def _keys() -> Iterator[str]:
    yield from _heading("Keys of vendors", "Each goes to its vendor's own server, or to the one of OPENAI_BASE_URL.")
    yield from (f"#{name}=" for name, _ in _of_vendors())


def _other_variables() -> Iterator[str]:
    yield from _heading("Places and processes")
    for name, meaning in _OTHERS:
        yield from _comment(meaning)
        yield f"#{name}="


def _settings() -> Iterator[str]:
    for page in PAGES:
        found = _on_page(page)
        if found:
            yield from _heading(page)
        for setting in found:
            yield from _comment(_meaning(setting))
            yield f"#{setting.env}={_default(setting)}"


def _on_page(page: str) -> list[Setting]:
    return [each for each in all_settings() if each.shown.page == page]


def _meaning(setting: Setting) -> str:
    trial = setting.trial
    return setting.help if trial is None else f"{setting.help} Tried out by {trial.owner} until {trial.until}."


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
    EXAMPLE.write_text(example(), encoding="utf-8")
    for document, table in ((SETTINGS, settings_table()), (ENVIRONMENT, environment_table())):
        document.write_text(with_table(document.read_text(encoding="utf-8"), table), encoding="utf-8")
