"""In a made-up language no command says anything in English, whatever it is told: help, reports and failures."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chatdesk.cli.main import build_parser, run
from chatdesk.core import texts
from tests.helpers.command_parsers import leaves_of, tried_arguments
from tests.helpers.examples import sample
from tests.helpers.pseudo_language import CLOSE, OPEN, sentence_of

# They use the process as a whole: its window, its stdin and stdout, its signals. So each has one of its own.
_APART = ("mcp", "open", "quick", "serve")
_PROCESS = f"""
import sys
from chatdesk.cli.main import run
from chatdesk.core import texts
texts.use_translation(lambda source, _about, _count: "{OPEN}" + source + "{CLOSE}")
sys.exit(run(sys.argv[1:]))
"""
_ROOT = Path(__file__).parents[1]
_IN_LANGUAGE = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
_ENGLISH = re.compile(r"(?<![\w/.-])[A-Za-z][a-z’']+ [a-z’']{2,}(?![\w/.-])")


_CASES = {" ".join(names): (names, parser) for names, parser in leaves_of(build_parser())}


@pytest.fixture
def language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Speak the made-up language as long as a test runs."""
    monkeypatch.setenv("CHATDESK_OFFLINE_SPEED_TOKENS_PER_S", "0")
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.chdir(tmp_path)  # a command may write a file of the word that it is told
    texts.use_translation(lambda source, _about, _count: sentence_of(source, 1.0))
    build_parser.cache_clear()
    yield
    texts.use_translation(None)
    build_parser.cache_clear()


@pytest.mark.parametrize("name", _CASES)
@pytest.mark.usefixtures("language")
def test_a_command_says_nothing_in_english(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    names, parser = _CASES[name]
    tried = tried_arguments(parser)
    for each in sample(tried, 4) if name in _APART else tried:
        arguments = ["--data-dir", str(tmp_path / "data"), *names, *each]
        if name in _APART:
            said = _said_apart(arguments, tmp_path / "stderr")
        else:
            with suppress(SystemExit):  # as argparse ends
                run(arguments)
            said = "".join(capfd.readouterr())
        _check(said, name, arguments, tmp_path)


@pytest.mark.usefixtures("language")
def test_a_service_that_cannot_listen_says_it_in_the_language(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        arguments = ["--data-dir", str(tmp_path / "data"), "serve", "--port", str(taken.getsockname()[1])]
        said = _said_apart(arguments, tmp_path / "stderr")
    assert OPEN in said
    _check(said, "serve", arguments, tmp_path)


def _said_apart(arguments: list[str], errors: Path) -> str:
    """Return what a process says until it ends, or until it has said where it listens."""
    # There is no display, which is what a window is told.
    environment = {name: value for name, value in os.environ.items() if not re.search("DISPLAY$|^QT_QPA", name)}
    environment["PYTHONPATH"] = str(_ROOT)
    command = [sys.executable, "-c", _PROCESS, *arguments]
    with (
        errors.open("wb") as stderr,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, env=environment, text=True
        ) as process,
    ):
        assert process.stdout is not None
        said = process.stdout.readline()
        if "Listening" in said:
            process.terminate()
        said += process.stdout.read()
    said += errors.read_text("utf-8")
    return said


def _check(said: str, name: str, arguments: list[str], folder: Path) -> None:
    rest = _rest_of(said.replace(str(folder), "").replace(f"chatdesk {name}", ""))
    wrong = [line for line in rest.splitlines() if _ENGLISH.search(line)]
    assert not wrong, f"{' '.join(arguments)}: " + "\n".join(wrong)


def _rest_of(text: str) -> str:
    """Return a text without what is in the language."""
    while (rest := _IN_LANGUAGE.sub("", text)) != text:
        text = rest
    return text
