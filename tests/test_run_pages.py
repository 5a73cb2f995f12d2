"""The commands of the pages for when something is wrong, each run as it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chatdesk.cli.main import run

ROOT = Path(__file__).parents[1]
Shell = Callable[[str, Path], str]
ChatDesk = Callable[..., str]
# What is quoted of the window or of Qt, and is no sentence of a failure.
_OTHERS = {"Not saved", "Read only", "Use it there…", "denied", "Could not load the Qt platform plugin"}

pytestmark = [
    pytest.mark.skipif(shutil.which("sh") is None, reason="the commands are for a shell"),
    pytest.mark.timeout(300),  # each starts ChatDesk a dozen times
]


def _blocks(page: str) -> list[str]:
    return re.findall(
        r"^```sh\n(.*?)^```", (ROOT / "docs" / "when" / page).read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Runs lines in a folder, with ``chatdesk`` on the PATH and a data directory for them."""
    programs = tmp_path / "bin"
    programs.mkdir()
    command = programs / "chatdesk"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m chatdesk "$@"\n')
    command.chmod(0o700)

    def run_lines(lines: str, data: Path) -> str:
        ours = {"CHATDESK_DATA_DIR": str(data), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-euc", lines], cwd=tmp_path, env={**os.environ, **ours}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run_lines


@pytest.fixture
def chatdesk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> ChatDesk:
    """Runs a command that no page names, in this process: it prepares, or looks at what the lines of a page did."""
    monkeypatch.setenv("CHATDESK_MODEL_TITLES", "false")

    def run_command(data: Path, *words: str) -> str:
        capsys.readouterr()
        assert run(["--data-dir", str(data), *words]) == 0
        return capsys.readouterr().out

    return run_command


def test_threads_and_files_move_to_another_computer(shell: Shell, chatdesk: ChatDesk, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    notes = tmp_path / "notes.txt"
    notes.write_text("what the notes say")
    chatdesk(old, "ask", "--attach", str(notes), "on the old computer")
    save, restore = _blocks("moving.md")
    shell(save, old)
    shell(restore, new)
    thread = chatdesk(new, "threads").split()[0]
    shown = chatdesk(new, "show", thread)
    assert "on the old computer" in shown
    assert "notes.txt" in shown
    copies = [path for path in (new / "blobs").rglob("*") if path.is_file()]
    assert [path.read_text() for path in copies] == ["what the notes say"]


def test_some_threads_come_back_from_a_backup_and_the_others_stay(
    shell: Shell, chatdesk: ChatDesk, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    chatdesk(data, "ask", "--new", "lost later")
    backup = chatdesk(data, "backup").strip()
    lost = chatdesk(data, "threads").split()[0]
    shutil.rmtree(data / "blobs", ignore_errors=True)
    for path in data.glob("chatdesk.db*"):
        path.unlink()
    kept = tmp_path / "kept.db.gz"
    shutil.move(backup, kept)
    chatdesk(data, "ask", "--new", "written since")
    (_listing, some) = _blocks("restoring.md")
    shell(f'BACKUP="{kept}"\n{some.replace("/tmp/old", str(tmp_path / "old"))}', data)
    found = chatdesk(data, "threads")
    assert lost in found
    assert "Lost later" in found
    assert "Written since" in found


def test_a_backup_is_listed_and_restored_by_its_name(shell: Shell, chatdesk: ChatDesk, tmp_path: Path) -> None:
    data = tmp_path / "data"
    chatdesk(data, "ask", "--new", "before the backup")
    name = Path(chatdesk(data, "backup").strip()).name
    chatdesk(data, "ask", "--new", "after the backup")
    listing, _some = _blocks("restoring.md")
    example = re.search(r"restore (chatdesk-\S+\.db\.gz)", listing)
    assert example is not None
    assert name in shell(listing.replace(f"restore {example[1]}", f"restore --yes {name}"), data)
    found = chatdesk(data, "threads")
    assert "Before the backup" in found
    assert "after the backup" not in found


def test_the_way_back_of_an_upgrade_brings_what_was_written_since(
    shell: Shell, chatdesk: ChatDesk, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    chatdesk(data, "ask", "--new", "before the upgrade")
    name = Path(chatdesk(data, "backup").strip()).name
    chatdesk(data, "ask", "--new", "written since")
    page = (ROOT / "docs" / "upgrades.md").read_text("utf-8")
    (export,) = re.findall(r"`(chatdesk export [^`]+)`", page)
    (bring,) = re.findall(r"`(chatdesk import [^`]+)`", page)
    shell(f"{export}\nchatdesk restore --yes {name}\n{bring}", data)
    found = chatdesk(data, "threads")
    assert "Before the upgrade" in found
    assert "Written since" in found


def _quoted(page: str) -> list[str]:
    """The sentences that are in the first columns of the tables of a page, in pieces without what differs."""
    cells = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / page).read_text("utf-8"), re.MULTILINE)
    quotes = [quote for cell in cells for quote in re.findall(r"\*([^*]+)\*", cell)]
    return [piece.strip(" .…") for quote in quotes if quote not in _OTHERS for piece in quote.split("…")]


@pytest.mark.parametrize(
    "page",
    [
        "team.md",
        "troubleshooting.md",
        "when/quota-used-up.md",
        "when/postgres-down-or-full.md",
        "when/provider-down.md",
    ],
)
def test_the_sentences_that_pages_quote_are_those_that_a_person_reads(page: str) -> None:
    sources = [ROOT / "docs" / "failures.md", ROOT / "docs" / "guide.md", *(ROOT / "chatdesk").rglob("*.py")]
    known = "\n".join(path.read_text("utf-8") for path in sources)
    known = re.sub(r"\"\s*\n\s*f?\"", "", known)  # sentences that go over several lines
    missing = [piece for piece in _quoted(page) if piece and piece not in known]
    assert not missing
