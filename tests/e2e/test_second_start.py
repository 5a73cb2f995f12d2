"""A second start on the same data directory: the first window comes to the front, and nothing is written twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import ask, play, run_beside, until

pytestmark = pytest.mark.usefixtures("qapp")
ROOT = Path(__file__).parents[2]


def test_a_second_window_is_the_first_one_brought_to_the_front(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def script(application: WindowApplication) -> None:
        await application.services()
        window = application.panes.window
        window.showMinimized()
        assert window.isMinimized()
        assert await run_beside(paths) == (0, "", "")
        await until(lambda: not window.isMinimized())
        assert window.isVisible()

    play(paths, script)


def test_a_script_asks_through_the_window_that_is_open(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "from the window")
        code, out, err = await run_beside(paths, "ask", "from a script", "--thread", answer.thread_id)
        assert (code, err) == (0, "")
        assert "ChatDesk" in out
        await until(lambda: application.panes.transcript.total == 4)

    play(paths, script)


def test_an_owner_that_does_not_answer_is_named_and_left_alone(tmp_path: Path) -> None:
    """It hangs, or its address was lost: the second start ends with a sentence and touches nothing."""
    paths = AppPaths.find(tmp_path / "profile")

    async def script(application: WindowApplication) -> None:
        await ask(application, "kept")
        (paths.data_dir / "instance.json").unlink()
        code, out, err = await run_beside(paths)
        assert (code, out) == (1, "")
        assert "already running" in err
        code, out, err = await run_beside(paths, "threads")
        assert (code, err) == (0, "")
        assert "kept" in out

    play(paths, script)
