"""Arguments that are wrong by themselves are refused before the data directory is made, opened or upgraded.

Each argument of each command, as the parsers have them, is tried with values that nobody can mean, or is listed as one
that only the contents of the directory decide. What argparse checks, such as numbers, is refused before all that.
"""

from __future__ import annotations

import io
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk.cli.main import build_parser, run
from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.paths import AppPaths
from chatdesk.core.sync.invitations import MemberCode, write_member_code
from tests.helpers.command_parsers import arguments_of, leaves_of
from tests.helpers.export_samples import plain_chatgpt, write_json

_OLD = Path(__file__).parent / "data" / "old_databases" / "schema_0013.sql"
_VERBS = {" ".join(names): parser for names, parser in leaves_of(build_parser()) if names[0] not in ("open", "quick")}
_NEVER_WRONG = {"help", "data_dir"}
_FOR_LATER = 4_000_000_000_000

_EMPTY = ["", "  "]
_NO_NAME = [*_EMPTY, "x" * 200]
_UNREADABLE = ["/nowhere/x", "{junk}", "{folder}"]
_UNWRITABLE = ["/nowhere/x", "{folder}"]
_TAKEN = [*_UNWRITABLE, "{junk}"]
_ADDRESS = "--host db.example.org --database team --user me"
# By command and argument: a command line that is well, and what is wrong in the place of the word in brackets.
_TRIED = {
    "ask text": ("ask [hello]", _EMPTY),
    "ask thread": ("ask --thread [0123] hello", ["01", "zzzz", "0" * 40]),
    "ask edit": ("ask --edit [{id}] hello", ["first"]),
    "ask attach": ("ask --attach [{export}] hello", [*_UNWRITABLE, "{empty}", "{pipe}", "/proc/self/environ"]),
    "ask encoding": ("ask --attach {junk} --encoding [latin-1] hello", ["klingon", "hex", "ascii"]),
    "projects add name": ("projects add [x]", _NO_NAME),
    "show thread": ("show [0123]", ["01", "zzzz", "0" * 40]),
    "export thread": ("export --format md [0123]", ["01", "zzzz"]),
    "export output": ("export --format md 0123 --output [{new}]", _UNWRITABLE),
    "backup file": ("backup [{new}]", _UNWRITABLE),
    "restore file": ("restore [{export}]", [*_UNWRITABLE, "missing.zip"]),
    "import file": ("import [{export}]", [*_UNREADABLE, "{pipe}"]),
    "knowledge add place": ("knowledge add P [{folder}]", [*_EMPTY, "/nowhere/x", "a\0b"]),
    "knowledge search question": ("knowledge search P [hello]", _EMPTY),
    "knowledge test file": ("knowledge test P [{questions}]", [*_UNREADABLE, "{empty}"]),
    "memory add text": ("memory add [hello]", [*_EMPTY, "x" * 501]),
    "memory edit text": ("memory edit {id} [hello]", [*_EMPTY, "x" * 501]),
    "memory export file": ("memory export [{new}]", _UNWRITABLE),
    "knowledge embedding model": ("knowledge embedding P --model [openai/e]", [*_EMPTY, "e", "/", "openai/", "/e"]),
    "doctor bundle": ("doctor --bundle [{new}]", _UNWRITABLE),
    "demo-data messages": ("demo-data --messages [5]", ["100000000"]),
    "tokens new name": ("tokens new [x]", _EMPTY),
    "tokens new output": ("tokens new x --output [{new}]", _TAKEN),
    "tools add name": ("tools add [x] /bin/true", _EMPTY),
    "tools add argv": ("tools add x [/bin/true]", ["", " ", "a\0b", "-x"]),
    "tools add address": ("tools add --address [https://x.example] x", ["ftp://x", "nowhere", ""]),
    "tools add client_secret": ("tools add --client-secret [HOME] x /bin/true", ["CHATDESK_NOT_SET"]),
    "tools add secret": ("tools add --secret [HOME] x /bin/true", ["CHATDESK_NOT_SET", ""]),
    "tools add folder": ("tools add --folder [{folder}] x /bin/true", ["a\0b"]),
    "tools paste file": ("tools paste [{servers}]", _UNREADABLE),
    "tools folder folder": ("tools folder P [{folder}]", ["/nowhere/x", "{junk}", "/"]),
    "tools search-engine address": ("tools search-engine searxng --address [x.example]", ["ftp://x"]),
    "tools search-engine key": ("tools search-engine brave --key [HOME]", ["CHATDESK_NOT_SET"]),
    "computers start place": ("computers start [{folder}]", [*_EMPTY, "{junk}", "a\0b"]),
    "computers join place": ("computers join [{folder}]", [*_EMPTY, "{junk}", "a\0b"]),
    "computers restore place": ("computers restore [{folder}]", [*_EMPTY, "{junk}", "a\0b"]),
    "computers restore phrase_file": ("computers restore {folder} --phrase-file [{junk}]", ["/nowhere/x", "{folder}"]),
    "computers remove name": ("computers remove [laptop]", _EMPTY),
    "computers join phrase_file": ("computers join {folder} --phrase-file [{junk}]", ["/nowhere/x", "{folder}"]),
    "team create name": (f"team create --name [x] --my-name x {_ADDRESS}", _NO_NAME),
    "team create my_name": (f"team create --name x --my-name [x] {_ADDRESS}", _NO_NAME),
    "team invite name": ("team invite [x]", _NO_NAME),
    "team invite role": ("team invite x --role [P=editor]", ["P", "P=king", "=", ""]),
    "team invite days": ("team invite x --days [7]", ["0", "100000"]),
    "team invite output": ("team invite x --output [{new}]", _TAKEN),
    "team computer output": ("team computer --output [{new}]", _TAKEN),
    "team limits changes": (
        "team limits [members=5]",
        ["", "members", "members=", "members=many", "members=-1", "members=" + "9" * 19, "self=1", "who=5"],
    ),
    "team upgrade user": ("team upgrade --user [me]", ["", "a=b"]),
    "team join file": ("team join [{invitation}] --my-name x", _UNREADABLE),
    "team join my_name": ("team join {invitation} --my-name [x]", [" ", "x" * 200]),
}
for _verb, _names in (
    ("team check", ""),
    ("team create", "--name x --my-name x"),
):
    _line = f"{_verb} {_names}"
    _url = f"{_line} --url [postgresql://me@db.example.org/team]"
    _TRIED |= {
        f"{_verb} url": (_url, ["http://x.org/team", "postgresql://me:secret@x.org/team", "postgresql://x.org"]),
        f"{_verb} host": (f"{_line} --host [x] --database team --user me", ["no host", "/var/run"]),
        f"{_verb} port": (f"{_line} {_ADDRESS} --port [5432]", ["0", "70000"]),
        f"{_verb} database": (f"{_line} --host x --user me --database [team]", ["", "a=b"]),
        f"{_verb} user": (f"{_line} --host x --database team --user [me]", ["", "a=b"]),
        f"{_verb} ca": (f"{_line} {_ADDRESS}", ["--ca /nowhere/x", "--ca {junk}"]),
    }
# What does not go together, or is not enough.
_TOGETHER = [
    "ask -",
    "export --format md",
    "export 0123 --all --format md",
    "export 0123 --format pdf",
    "export --all --format html",
    "export --project P --format md",
    "restore",
    "tools add x",
    "tools add --address https://x.example x /bin/true",
    "tools add --address http://x.example --secret HOME x",
    "tools search-engine --forget-key",
    "memory remove",
    "memory remove {id} --all",
    "knowledge embedding P --yes",
    "team create --name x --my-name x",
    "team join {open}",
    "team verifier",
]
# What may be there by that name, or not.
_ONLY_INSIDE = {
    *("ask model", "ask provider", "ask assistant", "ask tools", "ask approve", "threads project", "threads tag"),
    *("search query", "providers agree", "import project", "export project", "tokens new project"),
    *("tokens revoke token", "tools revoke tool", "tools add client", "tools search-engine engine"),
    *(f"{verb} {name}" for verb in _VERBS for name in ("server", "workspace", "member")),
    *(f"{verb} project" for verb in ("tools folder", "team share")),
    *(f"knowledge {verb} project" for verb in ("add", "list", "search", "test", "remove", "share", "embedding")),
    *("knowledge providers project", "knowledge providers never", "knowledge providers send"),
    *("knowledge add exclude", "knowledge remove source", "knowledge share source"),
    *("memory add project", "memory edit memory", "memory remove memory"),
}


def _words(line: str, value: str | None = None) -> list[str]:
    """Return the words of a line, with ``value`` in place of the word in brackets, or at the end."""
    words = line.split()
    places = [number for number, word in enumerate(words) if word.startswith("[")]
    if value is None:
        return [word.strip("[]") for word in words]
    if not places:
        return [*words, *value.split()]
    return [*words[: places[0]], value, *words[places[0] + 1 :]]


_CASES = [_words(line, value) for line, values in _TRIED.values() for value in values]
_CASES += [_words(line) for line in _TOGETHER]


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return what stands for files and ids in the command lines."""
    monkeypatch.delenv("CHATDESK_DATA_DIR", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("a good long password\n"))
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "junk").write_bytes(b"\xe9 no such form\n")
    os.mkfifo(folder / "pipe")
    (folder / "empty").touch()
    write_json(folder / "export", [plain_chatgpt("one", 2)])
    write_json(folder / "servers", {"mcpServers": {"x": {"command": "/bin/true"}}})
    write_json(folder / "questions", [{"question": "Where?", "file": "a.md"}])
    for name, tls in (("invitation", "verify-full"), ("open", "disable")):
        address = ServerAddress("10.0.0.1", 5432, "team", "me", tls=tls)
        code = MemberCode(address, "s" * 24, "01890000-0000-7000-8000-000000000001", "Team", _FOR_LATER, "Ben")
        (folder / name).write_text(write_member_code(code))
    files = {
        each: str(folder / each)
        for each in ("junk", "empty", "pipe", "export", "servers", "questions", "invitation", "open", "new")
    }
    return {**files, "folder": str(folder), "id": "01890000-0000-7000-8000-000000000000"}


def _filled(words: list[str], names: dict[str, str]) -> list[str]:
    for name, text in names.items():
        words = [word.replace(f"{{{name}}}", text) for word in words]
    return words


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


@pytest.mark.parametrize("words", _CASES, ids=repr)
def test_nothing_is_made_or_upgraded(
    tmp_path: Path,
    names: dict[str, str],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    data = tmp_path / "data"
    arguments = ["--data-dir", str(data), *_filled(words, names)]
    assert run(arguments) == 1
    said = capsys.readouterr()
    assert said.err.startswith("chatdesk: ")
    assert "unexpected" not in said.err
    assert said.out == ""
    assert not data.exists()

    data.mkdir()
    with closing(sqlite3.connect(data / "chatdesk.db")) as conn:
        conn.executescript(_OLD.read_text("utf-8"))
    before = _contents(data)
    assert run(arguments) == 1
    assert capsys.readouterr().err == said.err
    assert _contents(data) == before


@pytest.mark.parametrize("line", [line for line, _values in _TRIED.values()])
def test_the_same_with_a_value_that_is_well_is_not_refused(tmp_path: Path, names: dict[str, str], line: str) -> None:
    options = build_parser().parse_args(_filled(_words(line), names))
    options.check(options, AppPaths.find(tmp_path / "data"))


def test_every_argument_is_tried_or_decided_by_the_contents() -> None:
    found = {
        f"{verb} {each.dest}": each
        for verb, parser in _VERBS.items()
        for each in arguments_of(parser)
        if each.nargs != 0 and each.dest not in _NEVER_WRONG
    }
    checked = {name for name, each in found.items() if each.choices or each.type not in (None, int)}
    checked |= {name for name in found if name.endswith((" wait", " seed"))}
    assert set(found) - set(_TRIED) - checked - _ONLY_INSIDE == set()
    assert set(_TRIED) - set(found) == set()
