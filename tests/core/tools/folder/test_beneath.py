"""Nothing outside the folder is opened: paths, links, special files, and links that are swapped in in the meantime."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from chatdesk.core.tools.folder.beneath import FileRefused, hides_secrets, names_of, opened, read_file
from chatdesk.core.tools.folder.exchange import exchange, read_state, sum_of
from chatdesk.core.tools.folder.reading import find, list_folder, read_page

SECRET = b"outside"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside.txt").write_bytes(SECRET)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_bytes(SECRET)
    made = tmp_path / "project"
    (made / "src").mkdir(parents=True)
    (made / "src" / "a.txt").write_bytes(b"inside")
    return made


def _read(folder: Path, path: str) -> bytes:
    names = names_of(path)
    with opened(folder, names[:-1]) as at:
        return read_file(at, names[-1], most_bytes=1_000)[0]


@pytest.mark.parametrize(
    "path",
    [
        "../outside.txt",
        "src/../../outside.txt",
        "/etc/passwd",
        "~/notes",
        "src/..",
        "a\nb",
        "a\x00b",
        "a\u202eb",
        "a\u3164b",
        "a\u200db",
        "\udcff",
        "a" * 1_001,
        "/".join("a" * 41),
        ".env",
        "deploy/.env.production",
        ".git/config",
        ".GIT/hooks/pre-commit",
        "keys/server.PEM",
        "id_ed25519",
        ".ssh/config",
        "secrets.yaml",
        ".npmrc",
    ],
)
def test_these_paths_are_refused_before_anything_is_opened(path: str) -> None:
    with pytest.raises(FileRefused):
        names_of(path)


@pytest.mark.parametrize(
    "path",
    [
        "src/a.txt",
        "./src//a.txt",
        ".env.example",
        ".github/workflows/x.yml",
        "id_rsa.pub",
        "keyboard.py",
        "é.txt",
        "two  blanks",
    ],
)
def test_these_paths_can_be_used(path: str) -> None:
    assert all(name not in ("", ".", "..") for name in names_of(path))


def test_a_file_is_read_and_a_larger_one_is_not(folder: Path) -> None:
    assert _read(folder, "src/a.txt") == b"inside"
    (folder / "large").write_bytes(b"x" * 1_001)
    with pytest.raises(FileRefused, match="the limit is 1,000 bytes"):
        _read(folder, "large")
    with pytest.raises(FileNotFoundError):
        _read(folder, "none")
    with pytest.raises(FileRefused, match="There is no folder"):
        _read(folder, "none/none")


def test_links_are_followed_nowhere(folder: Path) -> None:
    (folder / "file").symlink_to(folder.parent / "outside.txt")
    (folder / "way").symlink_to(folder.parent / "other")
    (folder / "inner").symlink_to(folder / "src")
    for path in ("file", "way/a.txt", "inner/a.txt"):
        with pytest.raises(FileRefused, match=r"[Ll]inks are not followed"):
            _read(folder, path)


def test_a_file_with_a_second_name_is_opened_by_nothing(folder: Path) -> None:
    """A hard link is no link to be followed: it is the file, which may be one outside."""
    (folder / "a.txt").write_text("first name", "utf-8")
    os.link(folder.parent / "outside.txt", folder / "src" / "two.txt")
    with pytest.raises(FileRefused, match="second name"):
        _read(folder, "src/two.txt")
    with pytest.raises(FileRefused, match="second name"):
        read_page(folder, "src/two.txt", 1)
    with pytest.raises(FileRefused, match="second name"):
        read_state(folder, ("src", "two.txt"))
    before = (folder.parent / "outside.txt").read_bytes()
    for data in (b"new", None):
        with pytest.raises(FileRefused, match="second name"):
            exchange(folder, ("src", "two.txt"), expected=sum_of(before), data=data, token="t")
    assert (folder.parent / "outside.txt").read_bytes() == before
    said = find(folder, name="", text=before.decode(), path="", stop=threading.Event())
    assert "Nothing was found" in said and "1 file has a second name" in said
    assert "second name" in list_folder(folder, "src", 1)
    (folder.parent / "outside.txt").unlink()
    assert _read(folder, "src/two.txt") == before, "the only name is the file's own"


_SECRETS = (
    ".netrc", "my.key", "id_rsa", ".env", "secrets.yml", "token.txt", "api-token", ".bash_history", "a.pem",
    "password.txt", "my passwords.csv", "passwd", "client_secret_12.apps.json", "serviceAccountKey.json", "api_key.txt",
    "application_default_credentials.json", "apiKey", "private-key.json", ".authinfo", ".dockerconfigjson",
    ".vault_pass", "rclone.conf", "kubeconfig", "wallet.dat", "cookies.sqlite", "logins.json", "key4.db", "wg0.conf",
    ".secret", "my.cnf", ".msmtprc", ".terraformrc", "auth.json", "gcp-key.json", ".age-key", "age-keys.txt",
    "Login Data", ".Rhistory",
)  # fmt: skip
_BEHIND = (
    "",
    ".bak",
    ".old",
    ".orig",
    "~",
    ".save",
    ".1",
    ".2026-11-25",
    "-20261125",
    ".bak.1",
    "~1~",
    " (1)",
    ".BAK2",
    ".txt",
    ".zip",
    ".tar.gz",
)


@pytest.mark.parametrize("behind", _BEHIND)
def test_copies_of_what_holds_secrets_are_closed_as_well(behind: str) -> None:
    assert [name for name in _SECRETS if not hides_secrets(name + behind)] == []


@pytest.mark.parametrize("behind", [each for each in _BEHIND if each != ".txt"])
def test_other_files_stay_open_and_their_copies(behind: str) -> None:
    others = (
        "main.py",
        "history.md",
        "tokenizer.json",
        "tokens.py",
        "monkey",
        ".gitignore",
        "2026-11-25.md",
        "secretary",
        "password-reset.md",
        "api-keys.md",
        "passwords.py",
        "secret_santa.html",
        "keys.json",
        "primary-key.json",
        "keyboard.txt",
        "wallet.py",
    )
    assert [name for name in others if hides_secrets(name + behind) and not name.startswith("tokens")] == []
    assert not hides_secrets("tokens.py") and not hides_secrets(".env.example")


def test_special_files_are_not_opened(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(folder / "pipe")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind("door")
        for path in ("pipe", "door", "src"):
            with pytest.raises(FileRefused, match=r"is not a (file|folder)"):
                _read(folder, path)


def test_a_link_on_the_way_to_the_folder_itself_is_not_followed(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))
    folder.symlink_to(folder.parent / "other")
    with pytest.raises(FileRefused, match="cannot be opened, or there is a link"):
        _read(folder, "a.txt")


def test_a_link_that_is_swapped_in_between_leads_nowhere(folder: Path) -> None:
    """A folder becomes a link to another one and back, as fast as it can, while it is read."""
    is_over = threading.Event()
    real, link, place = folder / "real", folder / "link", folder / "src"
    link.symlink_to(folder.parent / "other")

    def swap() -> None:
        while not is_over.is_set():
            place.rename(real)
            link.rename(place)
            place.rename(link)
            real.rename(place)

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen = {b"inside": 0, SECRET: 0, b"refused": 0}
    try:
        for again in range(60_000):
            if again > 3_000 and seen[b"inside"] and seen[b"refused"]:
                break
            try:
                seen[_read(folder, "src/a.txt")] += 1
            except (FileRefused, FileNotFoundError):
                seen[b"refused"] += 1
    finally:
        is_over.set()
        swapper.join()
    assert not seen[SECRET]
    assert seen[b"inside"] and seen[b"refused"], "both states were met"


def test_no_descriptor_is_left_open(folder: Path) -> None:
    (folder / "way").symlink_to(folder.parent / "other")
    before = len(os.listdir("/proc/self/fd"))
    for path in ("src/a.txt", "way/a.txt", "none/x/y", "src"):
        try:
            _read(folder, path)
        except (FileRefused, FileNotFoundError):
            continue
    assert len(os.listdir("/proc/self/fd")) == before
