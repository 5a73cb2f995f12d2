"""The command line speaks the language of the person, in the words of ``argparse`` too; JSON is English."""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.sentences import CATALOGUES, ROOT, read_catalogue

sys.path.insert(0, str(ROOT / "packaging"))
import translations

# What only a mistake in the program, or a kind of argument that ChatDesk has none of, brings up.
_NEVER_SAID = (
    "is not callable",
    "not defined", "conflicting", "unknown parser", "argument \"-\"", "can't open", "cannot merge", "'required' is",
    "invalid option string", "dest= is required", "invalid conflict_resolution", "mutually exclusive", "cannot have",
    "subcommands", "unexpected option string", "default: ", "is deprecated", "maybe you meant", "warning",
    "%(heading)s:",  # only a sign
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    translations.compile_changed(sys.executable)


def _chatdesk(tmp_path: Path, *arguments: str, language: str = "de") -> tuple[int, str, str]:
    settings = {
        "CHATDESK_LANGUAGE": language,
        "CHATDESK_DATA_DIR": str(tmp_path / "data"),
        "CHATDESK_OFFLINE_SPEED_TOKENS_PER_S": "0",
        "COLUMNS": "200",
    }
    command = [sys.executable, "-m", "chatdesk", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, encoding="utf-8", check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_the_words_of_argparse_are_translated(tmp_path: Path) -> None:
    code, out, _err = _chatdesk(tmp_path, "threads", "--help")
    assert code == 0
    assert out.startswith("Aufruf: chatdesk threads [-h]")
    assert "\nOptionen:\n" in out
    assert "diese Hilfe zeigen und enden" in out
    code, _out, err = _chatdesk(tmp_path, "threads", "--limit", "x")
    assert code == 2
    assert err.splitlines()[-1].startswith("chatdesk threads: Fehler: Argument --limit: ")


def test_every_word_of_argparse_that_can_be_said_is_in_the_catalogues() -> None:
    known = {entry.source for entry in read_catalogue(CATALOGUES / "chatdesk_de.ts")}
    said = {
        node.args[0].value
        for node in ast.walk(ast.parse(inspect.getsource(argparse)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_"
        if isinstance(node.args[0], ast.Constant)
    }
    assert len(said) > 15
    assert not [word for word in said - known if not any(each in word for each in _NEVER_SAID)]


def test_a_newcomer_is_answered_and_exports_in_their_language(tmp_path: Path) -> None:
    code, out, _err = _chatdesk(tmp_path, "ask", "Gib mir einen Rundgang", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert {event["event"] for event in events} >= {"text"}
    text = "".join(event["delta"] for event in events if event["event"] == "text")
    assert text.startswith("Ich bin das **Demo-Modell**.")
    assert "*Modelle vergleichen…*" in text

    thread_id = events[0]["thread_id"]
    code, out, _err = _chatdesk(tmp_path, "show", thread_id)
    assert code == 0
    assert "\n## Sie · " in out
    assert "\n## Antwort (offline-demo) · " in out
    assert [each["role"] for each in json.loads(_chatdesk(tmp_path, "show", thread_id, "--json")[1])["messages"]] == [
        "user",
        "assistant",
    ]

    target = tmp_path / "page.html"
    assert _chatdesk(tmp_path, "export", thread_id, "--format", "html", "--output", str(target))[0] == 0
    page = target.read_text("utf-8")
    assert '<html lang="de">' in page
    assert "<h2>Sie " in page
    assert "<h2>Antwort " in page


def test_a_fault_of_the_system_and_the_report_of_doctor_are_translated(tmp_path: Path) -> None:
    code, _out, err = _chatdesk(tmp_path, "import", str(tmp_path / "none.json"))
    assert code == 1
    assert "No such file" not in err
    code, out, _err = _chatdesk(tmp_path, "doctor")
    assert "Datenverzeichnis" in out
    assert "gültig" in out
    findings = json.loads(_chatdesk(tmp_path, "doctor", "--json")[1])["findings"]
    assert {"data directory", "settings", "updates"} <= {each["name"] for each in findings}
