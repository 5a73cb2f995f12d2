"""Documents are held against the code."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from chatdesk.cli import build_parser
from chatdesk.core.settings.schema import all_settings

ROOT = Path(__file__).parents[1]


def test_every_setting_is_in_the_document_with_its_variable_and_help() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for setting in all_settings():
        assert f"| `{setting.key}` | `{setting.env}` |" in text
        assert setting.help in text
    assert len(re.findall(r"^\| `", text, re.MULTILINE)) == len(all_settings())


def test_every_command_and_option_is_in_the_document() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    commands = next(a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    for name, parser in commands.choices.items():
        assert f"| `{name}" in text
        for action in parser._actions:
            for option in action.option_strings:
                assert option in text or option in ("-h", "--help")


def test_make_targets_and_files_that_documents_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for document in ("README.md", "ARCHITECTURE.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for target in re.findall(r"\bmake ([a-z]+)", text):
            assert f"\n{target}:" in makefile, target
        for link in re.findall(r"\]\(([^)h][^)]*)\)", text):
            assert (ROOT / link).exists(), link
        for path in re.findall(r"`((?:core|ui)/[\w/.]+)`", text):
            assert (ROOT / "chatdesk" / path).exists(), path
