"""Every example of ``docs/client.md`` runs as it is, against ``chatdesk serve``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.served_process import serving

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "client.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
PATIENCE_S = 60


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a process that serves."""
    directory = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHATDESK_OFFLINE_SPEED_TOKENS_PER_S", "0")
        patch.setenv("CHATDESK_MODEL_TITLES", "false")
        with serving(directory):
            yield directory


def test_the_document_has_its_examples() -> None:
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number: int, data_dir: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CHATDESK_DATA_DIR": str(data_dir)}
    for name in ("CHATDESK_URL", "CHATDESK_TOKEN"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXAMPLES[number]],
        cwd=data_dir,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, f"example {number + 1}: {done.stderr}"
