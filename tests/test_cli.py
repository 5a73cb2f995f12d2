"""The command line from outside, as a script meets it: real processes, real database, the offline provider."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chatdesk import __version__
from chatdesk.cli.main import run
from chatdesk.core.domain.thread import DEFAULT_COLOUR
from chatdesk.core.local_api.instance import InstanceLock
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.services.owner import open_services
from tests.helpers.signals import heeded_by_children

ROOT = Path(__file__).parents[1]


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHATDESK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CHATDESK_OFFLINE_SPEED_TOKENS_PER_S", "0")
    return tmp_path / "data"


@pytest.fixture
def thread_id(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["ask", "How do lists work?", "--json"]) == 0
    return str(json.loads(capsys.readouterr().out.splitlines()[0])["thread_id"])


def _start(*arguments: str, **more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "chatdesk", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=-1, stderr=-1, text=True, encoding="utf-8", **more)  # type: ignore[call-overload,no-any-return]


def test_version_needs_nothing_heavy() -> None:
    program = (
        "import sys; sys.argv=['chatdesk','--version']\nfrom chatdesk.cli.main import run\ntry: run(['--version'])\n"
    )
    program += (
        "except SystemExit: pass\nprint([m for m in ('PySide6','openai','sqlalchemy','pydantic') if m in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert printed.stdout.splitlines() == [f"chatdesk {__version__}", "[]"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "COMMAND"),
        (["--debug", "--version"], 0, f"chatdesk {__version__}"),
        (["--data-dir"], 2, "argument --data-dir: expected one argument"),
        (["--debug=1"], 2, "argument --debug: ignored explicit argument '1'"),
        (["--d"], 2, "ambiguous option: --d could match --data-dir, --debug"),
        (["--nonsense"], 2, "unrecognized arguments: --nonsense"),
        (["nonsense"], 2, "invalid choice: 'nonsense' (choose from"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_options_without_a_command_are_answered_with_all_commands(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    printed = capsys.readouterr()
    assert ended.value.code == code
    assert said in printed.out + printed.err
    if code:
        assert printed.err.startswith("usage: chatdesk [-h] [--data-dir DIR] [--debug] [--version] COMMAND ...")


def test_a_folder_with_modules_of_its_own_is_a_safe_place_to_start_in(tmp_path: Path) -> None:
    for name in ("chatdesk", "json", "logging", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name} of the folder ran')", "utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "python -P -m chatdesk $(ARGS)" in makefile
    commands = [[sys.executable, "-P", "-m", "chatdesk"]]
    script = Path(sys.executable).with_name("chatdesk")
    if script.exists():
        commands.append([str(script)])
    for command in commands:
        run_there = subprocess.run([*command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (run_there.stdout, run_there.returncode) == (f"chatdesk {__version__}\n", 0), run_there.stderr


def test_ask_streams_the_answer_to_stdout_only(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ask", "How do lists work?"]) == 0
    printed = capsys.readouterr()
    assert len(printed.out) > 50
    assert printed.out.endswith("\n")
    assert printed.err == ""


def test_ask_json_is_one_object_a_line_with_ids_status_and_usage(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--data-dir", str(data_dir), "ask", "/demo code", "--json", "--provider", "offline"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    start, *middle, finish = events
    assert start["event"] == "start"
    assert {"thread_id", "question_id", "message_id", "provider", "model"} <= start.keys()
    assert {event["event"] for event in middle} == {"text"}
    assert finish["event"] == "finish"
    assert finish["status"] == "complete"
    assert finish["message_id"] == start["message_id"]
    assert "".join(event["delta"] for event in middle) == finish["text"]
    assert finish["usage"]["output_tokens"] > 0


def test_ask_reads_stdin_and_goes_on_in_a_thread_named_by_a_prefix(
    data_dir: Path, thread_id: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO("And tables?"))
    assert run(["ask", "-", "--thread", thread_id[:13]]) == 0
    capsys.readouterr()
    assert run(["show", thread_id, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [message["role"] for message in shown["messages"]] == ["user", "assistant"] * 2
    assert shown["messages"][2]["text"] == "And tables?"


def test_threads_lists_as_lines_and_as_json(data_dir: Path, thread_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["threads"]) == 0
    line = capsys.readouterr().out
    assert line.startswith(thread_id)
    assert "2 messages" in line
    assert run(["threads", "--json", "--limit", "1"]) == 0
    assert [thread["id"] for thread in json.loads(capsys.readouterr().out)] == [thread_id]
    assert run(["threads", "--trash"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "no threads" in printed.err


def test_show_and_export_give_the_thread(
    data_dir: Path, thread_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", thread_id]) == 0
    shown = capsys.readouterr().out
    assert "## You" in shown
    assert run(["export", thread_id, "--format", "md"]) == 0
    assert capsys.readouterr().out == shown
    target = tmp_path / "thread.json"
    assert run(["export", thread_id, "--format", "json", "--output", str(target)]) == 0
    assert json.loads(target.read_text(encoding="utf-8"))["threads"][0]["id"] == thread_id
    assert run(["export", thread_id, "--format", "md", "--output", str(tmp_path / "thread.json" / "x")]) == 1
    assert "is not there" in capsys.readouterr().err


def test_doctor_reports_and_finds_damage(data_dir: Path, thread_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    by_name = {finding["name"]: finding for finding in report["findings"]}
    assert report["is_healthy"] is True
    assert {"versions", "database", "keyring", "display", "provider offline", "data directory"} <= by_name.keys()
    assert by_name["database"]["details"]["schema"]
    (data_dir / "chatdesk.db").write_bytes(b"this is not a database" * 300)
    assert run(["doctor"]) == 1
    assert "problem database" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e"], "no thread with that id"),
        (["show", "0190b3c2"], "No thread's id begins with"),
        (["show", "xyz"], "not the beginning of a thread's id"),
        (["ask", "   "], "empty"),
        (["ask", "x", "--provider", "nobody"], "no provider called"),
    ],
)
def test_a_users_mistake_is_a_sentence_and_exit_code_1(
    data_dir: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("chatdesk: ")
    assert words in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_an_ambiguous_prefix_is_refused(data_dir: Path, thread_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ask", "Another"]) == 0
    assert run(["show", thread_id[:4]]) == 1
    assert "2 threads" in capsys.readouterr().err


def test_a_failed_answer_says_why_and_exits_with_1(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ask", "/demo error"]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("chatdesk: ")
    assert run(["ask", " ", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["event"] == "failed"


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["ask"], ["export", "x", "--format", "doc"], ["threads", "--limit", "0"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(arguments)
    assert caught.value.code == 2
    assert "usage: chatdesk" in capsys.readouterr().err


def test_a_data_directory_that_cannot_be_one_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run(["--data-dir", str(tmp_path / "file"), "threads"]) == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_an_unexpected_error_leaves_a_report_and_no_traceback(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_arguments: object, **_more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("chatdesk.services.owner.open_services", broken)
    assert run(["threads"]) == 1
    printed = capsys.readouterr().err
    assert "Something unexpected happened" in printed
    assert "Traceback" not in printed
    assert len(list((data_dir / "logs" / "crashes").glob("crash-*.txt"))) == 1


@pytest.mark.skipif(os.name != "posix", reason="signals and pipes as POSIX has them")
def test_ctrl_c_stops_the_answer_keeps_its_text_and_exits_with_130(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHATDESK_OFFLINE_SPEED_TOKENS_PER_S", "20")
    with heeded_by_children(signal.SIGINT):
        process = _start("ask", "/demo long", "--json")
    assert process.stdout is not None
    thread = json.loads(process.stdout.readline())["thread_id"]
    json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert run(["show", thread, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)["messages"][-1]
    assert answer["status"] == "stopped"
    assert answer["text"]


@pytest.mark.skipif(os.name != "posix", reason="signals and pipes as POSIX has them")
def test_a_reader_that_goes_away_ends_it_quietly(data_dir: Path) -> None:
    process = _start("ask", "/demo long")
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 141
    assert err == ""


def test_threads_are_listed_by_project_and_tag_and_projects_with_their_counts(
    data_dir: Path, thread_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["projects", "--json"]) == 0
    (project,) = json.loads(capsys.readouterr().out)
    assert (project["name"], project["threads"], project["archived_at"]) == ("Personal", 1, None)
    assert run(["projects"]) == 0
    assert capsys.readouterr().out.endswith("1 thread  Personal\n")
    for wanted in ("personal", project["id"]):
        assert run(["threads", "--project", wanted, "--json"]) == 0
        assert [each["id"] for each in json.loads(capsys.readouterr().out)] == [thread_id]
    assert run(["threads", "--project", "Nowhere"]) == 1
    assert "No project is called “Nowhere”." in capsys.readouterr().err
    assert run(["threads", "--tag", "nothing"]) == 1
    assert "There is no tag “nothing”." in capsys.readouterr().err

    async def tag() -> None:
        async with open_services(AppPaths.find(str(data_dir)), Settings()) as services:
            await services.library.tag([thread_id], add=["Reading"])
            await services.library.projects.create("Other", "#0B7A75")

    asyncio.run(tag())
    assert run(["threads", "--tag", "#reading", "--json"]) == 0
    assert [each["id"] for each in json.loads(capsys.readouterr().out)] == [thread_id]
    assert run(["threads", "--tag", "reading", "--project", "other", "--archived", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_project_is_made_and_found_by_its_name(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["projects", "add", "Research"]) == 0
    made = capsys.readouterr().out.strip()
    assert run(["projects", "--json"]) == 0
    rows = {each["id"]: each for each in json.loads(capsys.readouterr().out)}
    assert (rows[made]["name"], rows[made]["colour"]) == ("Research", DEFAULT_COLOUR)
    assert run(["threads", "--project", "research", "--json"]) == 0
    capsys.readouterr()
    assert run(["projects", "add", " "]) == 1
    assert "Traceback" not in capsys.readouterr().err
    lock = InstanceLock(data_dir, purpose="window")
    assert lock.acquire()
    try:
        assert run(["projects", "add", "More"]) == 1
        assert "ChatDesk is open and keeps the projects" in capsys.readouterr().err
    finally:
        lock.release()
    assert run(["projects", "--json"]) == 0
    assert {each["id"] for each in json.loads(capsys.readouterr().out)} == set(rows)
