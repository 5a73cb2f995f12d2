from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chatdesk.ui.theme.session_bus import has_session_bus

_LOOK = "import sys, chatdesk.ui.theme.theme; print('PySide6.QtDBus' in sys.modules)"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems tell Qt without a bus")
def test_a_bus_is_found_by_its_address_or_its_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert not has_session_bus()
    (tmp_path / "bus").touch()
    assert has_session_bus()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert not has_session_bus()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    assert has_session_bus()


def test_looking_for_a_bus_does_not_load_the_library_for_it() -> None:
    run = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
