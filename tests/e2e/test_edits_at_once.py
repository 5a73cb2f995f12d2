"""The same question edited from several places at once: each edit is a version, and none is lost."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from chatdesk.core.domain.message import Status
from chatdesk.core.ids import new_id
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import ask, play, run_beside, until

pytestmark = pytest.mark.usefixtures("qapp")
ROOT = Path(__file__).parents[2]


def test_the_window_and_two_other_processes_edit_the_same_question(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "first")
        question = answer.parent_id
        assert question is not None
        chat = (await application.services()).chat
        application.panes.transcript.actionRequested.emit("edit", question)
        composer = application.panes.composer
        await until(lambda: composer.text() == "first")
        others = [asyncio.ensure_future(run_beside(paths, "ask", f"other {n}", "--edit", question)) for n in range(2)]
        composer.set_text("from the window")
        composer.sendRequested.emit("from the window")
        for code, _out, err in await asyncio.gather(*others):
            assert (code, err) == (0, "")
        await until(lambda: not chat.is_answering(answer.thread_id))
        versions = await chat.reader.list_versions(question)
        assert sorted(version.text for version in versions) == ["first", "from the window", "other 0", "other 1"]
        rows = await chat.reader.get_tree(answer.thread_id)
        assert len(rows) == 8  # every version has an answer of its own
        for version in versions:
            await chat.paths.select_version(version.id)
            page = await chat.reader.get_thread_messages(answer.thread_id)
            assert [message.status for message in page.messages] == [Status.COMPLETE] * 2
        assert composer.text() == ""

    play(paths, script)


def test_an_edit_of_what_is_not_there_says_so(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "first")
        code, out, err = await run_beside(paths, "ask", "x", "--edit", new_id())
        assert (code, out) == (1, "")
        assert "no message with that id" in err
        code, _out, err = await run_beside(paths, "ask", "x", "--edit", answer.id)
        assert code == 1
        assert "Only questions can be edited" in err

    play(paths, script)


def test_a_script_edits_without_a_window(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def script() -> None:
        _, out, _ = await run_beside(paths, "ask", "first", "--json")
        question = json.loads(out.splitlines()[0])["question_id"]
        code, out, err = await run_beside(paths, "ask", "second", "--edit", question, "--json")
        assert (code, err) == (0, "")
        started = json.loads(out.splitlines()[0])
        assert started["question_id"] != question

    asyncio.run(script())
