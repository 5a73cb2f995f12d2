"""Keys in a real keyring: gnome-keyring on a bus of its own, unlocked with a passphrase of the test's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.live_local
NEEDED = ("dbus-run-session", "gnome-keyring-daemon")
MISSING = [name for name in NEEDED if shutil.which(name) is None]
KEY = "sk-live-marked-0123456789"

PROGRAM = f"""
import sys
from pathlib import Path
from chatdesk.core.domain.key_origin import KeyOrigin
from chatdesk.core.settings.profile_id import ProfileId
from chatdesk.core.settings.secrets import SecretSource, SecretStore
seen = []
here, elsewhere = KeyOrigin.of("https://api.example"), KeyOrigin.of("https://elsewhere.example")
profile = ProfileId(Path(__file__).parent)
store = SecretStore(register=seen.append, environ={{}}, timeout_s=20, profile=profile)
state = store.state()
assert state.is_usable, state
assert not store.find("live-test", here).value
store.keep("live-test", {KEY!r}, here)
again = SecretStore(register=seen.append, environ={{}}, timeout_s=20, profile=profile)
assert not again.find("live-test", elsewhere).value
found = again.find("live-test", here)
assert (found.value, found.source) == ({KEY!r}, SecretSource.KEYRING), found
again.forget("live-test")
assert not SecretStore(register=seen.append, environ={{}}, timeout_s=20, profile=profile).find("live-test", here).value
assert set(seen) == {{{KEY!r}}}
print("kept, found and forgotten by", state.detail)
"""


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (Debian: gnome-keyring, dbus)")
def test_a_key_is_kept_found_and_forgotten_by_gnome_keyring(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    environment = dict(
        os.environ, HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path / "data"), XDG_RUNTIME_DIR=str(runtime)
    )
    environment.pop("PYTHON_KEYRING_BACKEND", None)
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    script = (
        'printf "passphrase of the test" | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; '
        f'exec "{sys.executable}" "{program}"'
    )
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "kept, found and forgotten" in done.stdout
    left = [
        path for path in tmp_path.rglob("*") if path.is_file() and path != program and KEY.encode() in path.read_bytes()
    ]
    assert left == []
