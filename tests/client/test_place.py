"""The service is found where ChatDesk says, and the owner's token goes nowhere else."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chatdesk.client import NotRunning
from chatdesk.client import __main__ as health_check
from chatdesk.client.target import data_directory, find_place
from chatdesk.core.paths import AppPaths


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "address.json").write_text(json.dumps({"urls": ["http://127.0.0.1:7"], "socket": ""}), "utf-8")
    (folder / "owner.token").write_text("cd_owner_x", "utf-8")
    return tmp_path


def test_arguments_precede_variables_and_these_precede_files(data_dir: Path) -> None:
    files = find_place(environ={"CHATDESK_DATA_DIR": str(data_dir)})
    assert (files.url, files.token) == ("http://127.0.0.1:7", "cd_owner_x")
    both = {"CHATDESK_URL": "http://127.0.0.1:8/", "CHATDESK_TOKEN": "cd_v", "CHATDESK_DATA_DIR": str(data_dir)}
    variables = find_place(environ=both)
    assert (variables.url, variables.token) == ("http://127.0.0.1:8", "cd_v")
    given = find_place("http://127.0.0.1:9", "cd_given", environ=both)
    assert (given.url, given.token) == ("http://127.0.0.1:9", "cd_given")
    assert find_place(token="cd_given", data_dir=data_dir, environ={}).token == "cd_given"
    elsewhere = {"CHATDESK_URL": "http://127.0.0.1:8", "CHATDESK_TOKEN": "cd_v"}
    assert find_place(data_dir=data_dir, environ=elsewhere) == files
    assert "cd_" not in repr(files)


def test_the_token_of_the_owner_goes_to_the_address_beside_it_only(data_dir: Path) -> None:
    with pytest.raises(NotRunning, match="needs a token"):
        find_place("http://evil.test", data_dir=data_dir, environ={})


def test_a_service_that_is_off_is_named_with_the_next_step(tmp_path: Path) -> None:
    for content in (None, "", "[]", '{"urls": []}'):
        if content is not None:
            (tmp_path / "service").mkdir(exist_ok=True)
            (tmp_path / "service" / "address.json").write_text(content, "utf-8")
        with pytest.raises(NotRunning, match="Settings › Local service"):
            find_place(data_dir=tmp_path, environ={})


def test_the_data_directory_is_that_of_chatdesk(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.delenv("CHATDESK_DATA_DIR", raising=False)
    assert data_directory(os.environ) == AppPaths.find(environ={}).data_dir


def test_the_health_check_writes_one_printable_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        pool.submit(_answer_with_controls, listener)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setenv("CHATDESK_URL", address)
        monkeypatch.setenv("CHATDESK_TOKEN", "cd_00_x")
        assert health_check.main() == 1
    written = capsys.readouterr().err
    assert "torn" in written
    assert written.rstrip("\n").isprintable()


def _answer_with_controls(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        body = json.dumps({"title": "torn \x1b[2J\u202e down", "status": 503}).encode()
        connection.sendall(
            b"HTTP/1.1 503 Busy\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
