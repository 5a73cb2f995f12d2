"""What is printed commands no terminal, whatever pieces it comes in, and reads back exactly as JSON."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chatdesk
from chatdesk.core.hidden_characters import clean_line, has_hidden, visible_controls
from chatdesk.core.system import terminal

PACKAGE = Path(chatdesk.__file__).parent
HOSTILE = "a\x1b[31mb\x9bc\x00\td\u202ee\U000e0041f\r\ng\n"


def test_terminal_control_characters_are_spelt_out(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say(HOSTILE, end="")
    terminal.complain("x\x07")
    shown = capsys.readouterr()
    assert shown.out == "a⟦U+001B⟧[31mb⟦U+009B⟧c⟦U+0000⟧\td⟦U+202E⟧e⟦U+E0041⟧f\ng\n"
    assert shown.err == "chatdesk: x⟦U+0007⟧\n"


def test_json_is_ascii_and_reads_back_exactly(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"text": HOSTILE + "é\U0001f600\x7f\ud800", "n": [1, None]}
    terminal.say_json(value)
    terminal.say_json(value, indent=None)
    terminal.say_json_text(json.dumps(value, ensure_ascii=False))
    shown = capsys.readouterr().out
    assert set(shown) <= {chr(code) for code in range(0x20, 0x7F)} | {"\n"}
    *first, second, third = shown.splitlines()
    assert json.loads("\n".join(first)) == json.loads(second) == json.loads(third) == value


@given(st.lists(st.text(alphabet="ab👩\u200d💻\u200c\u0915\ufe0f\r\n\x1b\u202e🏴\U000e0067\U000e007f", max_size=6)))
def test_text_in_pieces_is_written_as_in_one(pieces: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        import io

        sink = io.StringIO()
        patch.setattr("sys.stdout", sink)
        writer = terminal.TextWriter()
        for piece in pieces:
            writer.write(piece)
        writer.close()
    assert sink.getvalue() == visible_controls("".join(pieces).replace("\r\n", "\n"))


def test_the_last_line_is_ended_once(capsys: pytest.CaptureFixture[str]) -> None:
    for pieces, shown in ((["a"], "a\n"), (["a\n"], "a\n"), ([], ""), (["a", "\u200d"], "a⟦U+200D⟧\n")):
        writer = terminal.TextWriter()
        for piece in pieces:
            writer.write(piece)
        writer.close(ends_line=True)
        assert capsys.readouterr().out == shown


@given(st.text())
def test_a_name_is_one_line_without_what_hides(text: str) -> None:
    line = clean_line(text)
    assert "\n" not in line
    assert line == " ".join(line.split())
    assert clean_line(line) == line
    assert not any(has_hidden(each) for each in line if each in "\x1b\x9b\u202e\u2066\u200b\ufeff\u2028\U000e0041\r")


# What writes to the standard streams beside the writer, and why.
EXCEPTIONS = {
    "client/__main__.py": "the client imports nothing else of ChatDesk; it writes one line of printable characters",
    "core/system/terminal.py": "the writer",
    "core/transfer/exports/process.py": "lines of JSON through a pipe to the process that started it",
    "ui/features/transfer/printing.py": "its complaint goes through a pipe into the words of an exception",
}


def test_nothing_else_writes_to_the_terminal() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        source = path.read_text("utf-8")
        if not any(word in source for word in ("print", "input", "getpass", "sys.std")):
            continue  # parsing takes long
        for call in ast.walk(ast.parse(source)):
            if not isinstance(call, ast.Call):
                continue
            name = ast.unparse(call.func)
            streams = [f"sys.{stream}.{verb}" for stream in ("stdout", "stderr") for verb in ("write", "writelines")]
            if name in ("print", "input", "getpass.getpass", *streams):
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found == set(EXCEPTIONS)
