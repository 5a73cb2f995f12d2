"""The service as a process: it starts and ends with ``chatdesk serve``, and nothing is lost or doubled by kill -9."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from chatdesk.core.clock import Clock
from chatdesk.core.errors import InvalidInput
from chatdesk.core.paths import AppPaths
from chatdesk.service.address_book import ServiceFiles
from chatdesk.service.caller import Scope
from chatdesk.service.local_service import LocalService, ServiceOptions
from chatdesk.service.tokens import TokenBook
from tests.helpers.certificates import Authority
from tests.helpers.killed_service import THREADS, kill_while_writing
from tests.helpers.local_service import served_world
from tests.helpers.served_process import ROOT, serving


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_cleanly_at_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as service, service.client() as http:
        assert http.get("/health").json() == {"status": "ok"}
        service.process.send_signal(number)
        _out, errors = service.process.communicate(timeout=60)
    assert service.process.returncode == (130 if number == signal.SIGINT else 143)
    assert "Traceback" not in errors
    assert not (tmp_path / "service" / "address.json").exists()
    assert not (tmp_path / "service" / "owner.token").exists()


def test_one_process_serves_a_data_directory(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        command = [sys.executable, "-m", "chatdesk", "serve", "--data-dir", str(tmp_path)]
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert second.returncode == 1
        assert "already running" in second.stderr
        with first.client() as http:
            assert http.get(THREADS).status_code == 200


def test_serving_imports_no_qt_and_the_window_imports_no_service() -> None:
    qt = ("PySide6", "shiboken6", "qasync", "chatdesk.ui")
    _imports_without("chatdesk.cli.serving, chatdesk.service.local_service", qt)
    window = "chatdesk.cli.main, chatdesk.app, chatdesk.ui.application.window_application"
    _imports_without(f"{window}, chatdesk.ui.application.bindings", ("chatdesk.service.", "starlette", "uvicorn"))


def _imports_without(modules: str, forbidden: tuple[str, ...]) -> None:
    code = f"import sys, {modules}; print(*(name for name in sys.modules if name.startswith({forbidden!r})))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert (found.returncode, found.stdout.strip()) == (0, ""), found.stderr


@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_and_nothing_is_made_twice_by_kill_9(tmp_path: Path) -> None:
    killed = kill_while_writing(tmp_path, rounds=4)
    assert (killed.lost, killed.doubled, killed.unknown) == (0, 0, 0)
    assert killed.acknowledged > 4


async def test_another_address_needs_tls(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        world.token("phone", [Scope.REMOTE])
        for options in (
            ServiceOptions(remote_address="127.0.0.2:0"),
            ServiceOptions(remote_address="0.0.0.0:8443", certificate="x", certificate_key="y"),
            ServiceOptions(remote_address="127.0.0.2:8443", certificate="missing", certificate_key="missing"),
        ):
            with pytest.raises(InvalidInput):
                await LocalService(world.services, options).start()


async def test_another_address_lets_tokens_for_it_in_over_tls(tmp_path: Path, unused_tcp_port: int) -> None:
    authority = Authority(tmp_path)
    certificate = str(authority.server_file("127.0.0.2"))
    address = f"127.0.0.2:{unused_tcp_port}"
    options = ServiceOptions(remote_address=address, certificate=certificate, certificate_key=certificate)
    tokens = TokenBook(ServiceFiles.of(AppPaths.find(tmp_path / "data")).tokens)
    with pytest.raises(InvalidInput, match="no token may be used"):
        async with served_world(tmp_path / "data", options=options):
            pass
    _token, phone = tokens.make("phone", [Scope.READ, Scope.REMOTE], now_ms=Clock().now_ms())
    async with served_world(tmp_path / "data", options=options) as world:
        statuses = {}
        for name, token in (
            ("remote", phone),
            ("local", world.token("script", [Scope.READ])),
            ("owner", world.owner_token),
        ):
            headers = {"authorization": f"Bearer {token}"}
            trusted = ssl.create_default_context(cafile=authority.ca_file)
            async with httpx2.AsyncClient(verify=trusted, trust_env=False, headers=headers) as http:
                found = await http.get(f"https://{address}{THREADS}")
                statuses[name] = found.status_code
                assert found.headers["strict-transport-security"]
        assert statuses == {"remote": 200, "local": 403, "owner": 403}
