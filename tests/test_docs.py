"""Documents are held against the code."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.cli.main import build_parser, run
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import all_settings
from chatdesk.ui.commands.catalogue import CATALOGUE
from tests.helpers import import_diagram, setting_documents
from tests.helpers.command_parsers import arguments_of, commands_of

ROOT = Path(__file__).parents[1]
# Everything that is written for people, by its place in the repository.
DOCUMENTS = (
    *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))),
    *("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"),
    *(f"packaging/{name}/README.md" for name in ("desktop", "service", "team")),
)


def test_the_tables_of_settings_and_variables_are_made_from_their_declarations() -> None:
    for document, table in (
        (setting_documents.SETTINGS, setting_documents.settings_table()),
        (setting_documents.ENVIRONMENT, setting_documents.environment_table()),
    ):
        text = document.read_text(encoding="utf-8")
        assert setting_documents.with_table(text, table) == text, (
            "run python -m tests.helpers.setting_documents --write"
        )


def test_the_documents_have_every_variable_once() -> None:
    named: list[str] = []
    for name in ("settings.md", "environment.md", "providers.md"):
        rows = re.findall(r"^\| .*\|$", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.MULTILINE)
        named += [found[1] for row in rows if (found := re.search(r"\| `([A-Z_]+)` \|", row))]
    assert sorted(named) == sorted(setting_documents.variables() | setting_documents.variables_of_commands())


def test_the_page_of_tasks_has_every_command_and_no_other() -> None:
    text = (ROOT / "docs" / "tasks.md").read_text("utf-8")
    named = {words.strip() for words in re.findall(r"\*([^*|]+)\*", text)}
    titles = {command.title for command in CATALOGUE}
    missing = titles - named
    assert not missing, "every action of the window stands in docs/tasks.md"
    assert named - titles <= {"Words like these", "Erase for everyone…"}


@pytest.mark.parametrize("look", import_diagram.PICTURES)
def test_the_picture_of_imports_is_made_from_the_rules(look: str) -> None:
    text = import_diagram.PICTURES[look].read_text("utf-8")
    assert text == import_diagram.drawing(look), "run python -m tests.helpers.import_diagram --write"
    rules = (ROOT / "pyproject.toml").read_text("utf-8")
    assert all(f">{name}<" in text for name in ("local_api", "transcript", "composer"))
    assert rules.count('type = "protected"') == text.count("←")


def test_at_most_sixty_decisions_bind_and_each_can_be_found_in_the_code() -> None:
    text = (ROOT / "DECISIONS.md").read_text("utf-8")
    numbers = [int(number) for number in re.findall(r"^(\d+)\. \*\*", text, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) <= 60
    assert len(text.encode()) <= 40_000
    for path in re.findall(r"`((?:core|ui)/[\w/.]+)`", text):
        assert (ROOT / "chatdesk" / path).exists(), path


def test_the_page_of_privacy_has_the_times_that_hold_at_first() -> None:
    text = (ROOT / "docs" / "privacy.md").read_text("utf-8")
    defaults = {setting.key: setting.default for setting in all_settings()}
    assert f"{defaults['limits.trash_days']} days (`limits.trash_days`)" in text
    assert f"{defaults['backups.daily']} days and {defaults['backups.weekly']} weeks (`backups.daily`" in text


def test_every_command_and_option_is_in_the_document() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    for name, parser in commands_of(build_parser()).items():
        assert f"| `{name}" in text
        for action in arguments_of(parser):
            for option in action.option_strings:
                assert option in text or option in ("-h", "--help")


def test_make_targets_and_files_that_documents_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    modules = {
        path.name
        for folder in ("chatdesk", "migrations", "packaging", "tests")
        for path in (ROOT / folder).rglob("*.py")
    }
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        for target in re.findall(r"(?:`|^ *)make ([a-z-]+)", text, re.MULTILINE):
            assert f"\n{target}:" in makefile, target
        for link in re.findall(r"\]\(([^)\s#:]+)(?:#[^)]*)?\)", text):
            assert (ROOT / document).parent.joinpath(link).exists(), link
        for path in re.findall(r"`((?:core|ui)/[\w/.]+)`", text):
            assert (ROOT / "chatdesk" / path).exists(), path
        for name in re.findall(r"`(\w+\.py)`", text):
            assert name in modules, name


# Variables of scripts in the repository and of the tests.
_OF_SCRIPTS = {
    "CHATDESK_INSTALL_DIR", "CHATDESK_TEAM_BIND", "CHATDESK_SIGNING_KEY", "CHATDESK_TEST_PARTITIONS",
    "CHATDESK_OLDER_DEB", "CHATDESK_CODESIGN_IDENTITY", "CHATDESK_NOTARY_PROFILE",
    "CHATDESK_HOMEPAGE",
    "CHATDESK_UPDATE_PAGE",
}  # fmt: skip


def test_the_guides_name_only_settings_variables_and_commands_that_exist() -> None:
    settings = all_settings()
    keys = {setting.key for setting in settings}
    sections = {key.split(".")[0] for key in keys}
    variables = setting_documents.variables() | setting_documents.variables_of_commands() | _OF_SCRIPTS
    commands = commands_of(build_parser())
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        for name in re.findall(r"`([a-z]+\.[a-z_]*[a-z])`", text):
            is_file = name.endswith((".json", ".py", ".env"))
            assert name in keys or is_file or name.split(".")[0] not in sections, name
        for name in re.findall(r"\b((?:CHATDESK|OPENAI)_[A-Z_]+)", text):
            assert name in variables, name
        for name in re.findall(r"(?:`|bin/|^ *)chatdesk ([a-z][a-z-]+)", text, re.MULTILINE):
            assert name in commands, name


# Those that are no commands: what has the focus takes them.
_KEYS_OF_WIDGETS = {"Ctrl+V", "Ctrl+Up", "Ctrl+Down"}


def test_the_guide_has_the_shortcuts_of_the_catalogue() -> None:
    text = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", text.split("## Keyboard")[1].split("##")[0], re.MULTILINE)
    known = {key for command in CATALOGUE for key in command.shortcuts}
    shown = {key.strip() for row in rows for key in re.split(r", (?=\S)", row) if re.search(r"Ctrl|F\d", key)}
    assert len(shown) > 15
    assert shown <= known | _KEYS_OF_WIDGETS


def test_the_files_that_the_runbook_names_are_those_that_a_start_makes(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path)
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    for path in (paths.database, paths.window_state, paths.settings_file, paths.log_file, paths.backup_dir):
        assert f"`{path.relative_to(tmp_path).as_posix()}`" in text


def test_the_lines_of_the_log_that_the_runbook_names_are_written() -> None:
    table = (ROOT / "docs" / "runbook.md").read_text("utf-8").split("| line | says |")[1].split("\n\n")[0]
    source = "".join(path.read_text("utf-8") for path in (ROOT / "chatdesk").rglob("*.py"))
    named, family = [], ""
    for name in re.findall(r"`([a-z.]+)`", "".join(re.findall(r"^\| [^|]+ \|", table, re.MULTILINE))):
        family = name.split(".")[0] or family
        named.append(family + name if name.startswith(".") else name)
    assert len(named) > 30
    assert [name for name in named if f'"{name}"' not in source] == []


@pytest.mark.skipif(shutil.which("sh") is None, reason="the runbook's commands are for a shell")
def test_the_runbooks_way_to_restore_a_backup_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHATDESK_OFFLINE_SPEED_TOKENS_PER_S", "0")
    data, kept = tmp_path / "data", tmp_path / "kept.db"
    assert run(["--data-dir", str(data), "ask", "before the backup"]) == 0
    with closing(sqlite3.connect(data / "chatdesk.db")) as source, closing(sqlite3.connect(kept)) as copy:
        source.backup(copy)
    (data / "chatdesk.db").write_bytes(b"damaged" * 999)
    (data / "chatdesk.db-wal").write_bytes(b"of another database")
    script = re.search(
        r"## Restore a backup.*?```sh\n(.*?)```", (ROOT / "docs" / "runbook.md").read_text("utf-8"), re.DOTALL
    )
    assert script is not None
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "chatdesk"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m chatdesk "$@"\n')
    command.chmod(0o700)
    environment = {"DIR": str(data), "BACKUP": str(kept), "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-ec", script[1]], cwd=ROOT, env={**os.environ, **environment}, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    capfd.readouterr()
    assert run(["--data-dir", str(data), "threads"]) == 0
    assert "Before the backup" in capfd.readouterr().out
    assert (data / "before-restore" / "chatdesk.db").read_bytes() == b"damaged" * 999
