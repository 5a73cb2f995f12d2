"""Tests which files of a folder belong to a project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chatdesk.core.domain.knowledge import SourceKind
from chatdesk.core.knowledge import listing
from chatdesk.core.knowledge.listing import SourceGone, listing_of


def _files(folder: Path, exclusions: str = "") -> set[str]:
    return set(listing_of(SourceKind.FOLDER, folder, exclusions, is_ended=lambda: False).stamps)


def _write(folder: Path, *names: str, text: str = "words") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def test_files_of_all_folders_are_listed_with_size_and_time(tmp_path: Path) -> None:
    _write(tmp_path, "a.md", "deep/er/b.txt")
    os.utime(tmp_path / "a.md", ns=(1, 7))
    found = listing_of(SourceKind.FOLDER, tmp_path, "", is_ended=lambda: False)
    assert found.stamps.keys() == {"a.md", "deep/er/b.txt"} and found.stamps["a.md"] == "5:7"
    assert not found.is_cut


def test_what_programs_made_hidden_files_and_secrets_are_left_out(tmp_path: Path) -> None:
    _write(
        tmp_path, "a.md", ".hidden", ".git/config", "node_modules/x/readme.md", "passwords.txt", "id_rsa", "film.mp4"
    )
    assert _files(tmp_path) == {"a.md"}


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ("*.log", {"a.md", "sub/b.md", "sub/keep.log"}),
        ("sub/", {"a.md", "a.log"}),
        ("*.md\n!b.md", {"a.log", "sub/b.md", "sub/keep.log"}),
        ("/a.*", {"sub/b.md", "sub/keep.log"}),
    ],
)
def test_exclusions_are_read_as_a_gitignore(tmp_path: Path, rules: str, left: set[str]) -> None:
    _write(tmp_path, "a.md", "a.log", "sub/b.md", "sub/keep.log")
    _write(tmp_path / "sub", ".gitignore", text="!keep.log\n")
    assert _files(tmp_path, rules) == left


def test_rules_of_a_folder_hold_in_it_alone(tmp_path: Path) -> None:
    _write(tmp_path, "one/draft.md", "two/draft.md")
    _write(tmp_path / "one", ".gitignore", text="draft.*\n")
    assert _files(tmp_path) == {"two/draft.md"}


def test_links_pipes_and_names_that_deceive_are_not_followed(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    _write(outside, "secret.md")
    _write(inside, "a.md")
    (inside / "link.md").symlink_to(outside / "secret.md")
    (inside / "folder").symlink_to(outside)
    (inside / "circle").symlink_to(inside)
    os.mkfifo(inside / "pipe.md")
    (inside / "fdp.\u202etxt").write_text("x")
    assert _files(inside) == {"a.md"}


def test_a_single_file_is_listed_by_its_name(tmp_path: Path) -> None:
    _write(tmp_path, "report.md", "other.md")
    found = listing_of(SourceKind.FILE, tmp_path / "report.md", "", is_ended=lambda: False)
    assert found.stamps.keys() == {"report.md"}


@pytest.mark.parametrize("kind", [SourceKind.FOLDER, SourceKind.FILE])
def test_a_place_that_is_gone_or_another_kind_says_so(tmp_path: Path, kind: SourceKind) -> None:
    _write(tmp_path, "file")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / ("folder" if kind is SourceKind.FOLDER else "file"))
    for name in ("missing", "link", "file" if kind is SourceKind.FOLDER else "folder"):
        with pytest.raises(SourceGone):
            listing_of(kind, tmp_path / name, "", is_ended=lambda: False)


def test_a_long_list_ends_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_FILES", 3)
    _write(tmp_path, *(f"{number}.md" for number in range(5)))
    found = listing_of(SourceKind.FOLDER, tmp_path, "", is_ended=lambda: False)
    assert len(found.stamps) == 3 and found.is_cut


def test_a_walk_ends_when_it_is_not_wanted_any_more(tmp_path: Path) -> None:
    _write(tmp_path, *(f"{number}.md" for number in range(5)))
    looks = iter([False, False, True, True, True, True])
    assert len(listing_of(SourceKind.FOLDER, tmp_path, "", is_ended=lambda: next(looks)).stamps) == 2
