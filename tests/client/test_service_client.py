"""The client against a real service: the same with and without asyncio, also when the service restarts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from chatdesk.client import (
    AsyncClient,
    BadToken,
    Client,
    Conflict,
    InvalidRequest,
    NotAllowed,
    NotFound,
    Retries,
    TooMany,
)
from chatdesk.core.settings.schema import Settings
from chatdesk.service.caller import Scope
from chatdesk.service.local_service import LocalService
from tests.helpers.local_service import ServedWorld, served_world

T = TypeVar("T")
ROOT = Path(__file__).parents[2]


async def _beside(world: ServedWorld, work: Callable[[Client], T]) -> T:
    """The result of ``work`` with a client on a thread: the services live on the loop of the test."""

    def run() -> T:
        with Client(data_dir=world.services.paths.data_dir) as client:
            return work(client)

    return await asyncio.to_thread(run)


def test_it_imports_nothing_else_of_chatdesk() -> None:
    code = "import sys, chatdesk.client; print(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert found.returncode == 0, found.stderr
    modules = found.stdout.split()
    assert {each for each in modules if each.split(".")[0] == "chatdesk" and each.split(".")[1:2] != ["client"]} == {
        "chatdesk"
    }
    foreign = {
        "PySide6",
        "shiboken6",
        "qasync",
        "pydantic",
        "sqlalchemy",
        "uvicorn",
        "starlette",
        "openai",
        "pytest",
        "websockets",
    }
    assert foreign.isdisjoint(each.split(".")[0] for each in modules)


async def test_a_thread_is_made_changed_read_and_deleted(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:

        def work(client: Client) -> None:
            assert client.ready().database
            assert client.version()
            project = client.make_project("Work", colour="#112233")
            assert client.change_project(project.id, name="Play").name == "Play"
            assert {each.name for each in client.projects()} >= {"Play"}
            made = [client.make_thread(f"Thread {number}", project_id=project.id) for number in range(5)]
            assert [each.title for each in client.threads(project.id, page_size=2)] == [
                each.title for each in reversed(made)
            ]
            assert client.change_thread(made[0].id, title="Renamed").title == "Renamed"
            assert client.change_thread(made[0].id, pinned=True).pinned_at is not None
            client.delete_thread(made[0].id)
            client.delete_thread(made[0].id)
            assert [each.id for each in client.threads(project.id, scope="trash")] == [made[0].id]
            notes = [client.note(made[1].id, f"note {number}") for number in range(5)]
            assert [each.id for each in client.history(made[1].id, page_size=2)] == [
                each.id for each in reversed(notes)
            ]
            assert client.message(notes[0].id).text == "note 0"
            assert client.versions(notes[0].id)[0].id == notes[0].id
            client.delete_project(project.id)

        await _beside(world, work)


async def test_an_answer_is_followed_piece_by_piece_with_its_usage_at_the_end(tmp_path: Path) -> None:
    slow = Settings(offline_speed_tokens_per_s=60, model_titles=False)
    async with served_world(tmp_path, settings=slow) as world:

        def work(client: Client) -> tuple[list[str], str, int | None]:
            answer = client.ask(client.make_thread().id, "a question of seven words for you")
            pieces = list(answer)
            assert answer.message.status == "complete" and answer.message.is_final
            assert client.message(answer.message.id) == answer.message
            return pieces, answer.text, answer.usage.output_tokens

        pieces, text, tokens = await _beside(world, work)
        assert len(pieces) > 2 and "".join(pieces) == text
        assert tokens

        async with AsyncClient(data_dir=tmp_path) as client:
            answer = await client.ask((await client.make_thread()).id, "and once more")
            async for piece in answer:
                assert piece
                await answer.stop()
            assert answer.message.status == "stopped"


async def test_refusals_are_typed(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        url = world.address.urls[0]
        thread_id = (await world.services.chat.create_thread(None, "x")).thread.id
        async with AsyncClient(url, world.token()) as reader, AsyncClient(url, "cd_wrong") as stranger:
            with pytest.raises(NotAllowed) as refused:
                await reader.note(thread_id, "no")
            assert refused.value.code == "not_allowed" and refused.value.request_id
            with pytest.raises(BadToken):
                await stranger.projects()
        async with AsyncClient(data_dir=tmp_path) as owner:
            with pytest.raises(NotFound):
                await owner.thread("0190a1b2-0000-7000-8000-000000000000")
            with pytest.raises(InvalidRequest) as wrong:
                await owner.make_prompt("poem", "Once upon")  # type: ignore[arg-type]
            assert wrong.value.fields[0][0] == "kind"
            before = await owner.thread(thread_id)
            await owner.change_thread(thread_id, title="theirs", if_match=before.etag)
            with pytest.raises(Conflict) as stale:
                await owner.change_thread(thread_id, title="mine", if_match=before.etag)
            assert stale.value.current["title"] == "theirs"


async def test_a_limit_of_requests_is_waited_for_where_it_is_short(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        token = world.token("few", requests_per_minute=2)
        async with AsyncClient(world.address.urls[0], token, retries=Retries(longest_s=0.01)) as client:
            await client.projects()
            await client.projects()
            with pytest.raises(TooMany) as limited:
                await client.projects()
            assert limited.value.retry_after_s


async def test_following_an_answer_takes_few_requests(tmp_path: Path) -> None:
    slow = Settings(offline_speed_tokens_per_s=60, model_titles=False)
    async with served_world(tmp_path, settings=slow) as world:
        token = world.token("few", [Scope.READ, Scope.WRITE, Scope.ASK], requests_per_minute=3)
        async with AsyncClient(world.address.urls[0], token) as client:
            answer = await client.ask((await client.make_thread()).id, "a question of seven words for you")
            pieces = [piece async for piece in answer]
        assert len(pieces) > 3
        assert "".join(pieces) == (await world.services.chat.reader.get_message(answer.message.id)).text


async def test_a_new_start_of_the_service_is_found_and_nothing_is_made_twice(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        async with AsyncClient(data_dir=tmp_path) as client:
            first = await client.make_thread("Night run", key="night")
            await world.service.close()
            anew = LocalService(world.services)
            starting = asyncio.ensure_future(anew.start())
            again = await client.make_thread("Night run", key="night")
            await starting
            assert again == first
            assert [each.id async for each in client.threads()] == [first.id]
        await anew.close()
