"""Who answers and what goes along is the person's choice, also where others of a team change it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.clock import SystemClock
from chatdesk.core.domain.sharing.shared_choice import AnotherProvider
from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.events import AnswerFinished, EventBus
from chatdesk.core.providers.registry import ProviderRegistry
from tests.helpers.chat_world import ScriptedProvider
from tests.helpers.postgres import TeamDatabase
from tests.helpers.team_world import Desk, desks, until, until_same


class _Named(ScriptedProvider):
    def __init__(self, name: str, label: str) -> None:
        super().__init__()
        self.name, self.label = name, label


class _Chatting:
    """A desk whose person asks for real: at home ``local`` answers, ``cloud`` is somebody else's computer."""

    def __init__(self, desk: Desk) -> None:
        self.local, self.cloud = _Named("local", "My own server"), _Named("cloud", "The cloud")
        bus = EventBus()
        self.finished: list[AnswerFinished] = []
        bus.subscribe(AnswerFinished, self.finished.append)
        self.chat = ChatService(
            repositories=desk.repositories,
            providers=ProviderRegistry([self.local, self.cloud], "local", "small"),
            bus=bus,
            clock=SystemClock(),
        )

    async def ask(self, thread: str, text: str, **more: str) -> None:
        sent = await self.chat.send_message(thread, text, **more)  # type: ignore[arg-type]
        await until(lambda: any(each.message.id == sent.answer.id for each in self.finished))


@asynccontextmanager
async def _chatting(desk: Desk) -> AsyncIterator[_Chatting]:
    made = _Chatting(desk)
    try:
        yield made
    finally:
        await made.chat.close()


async def test_another_provider_that_a_member_chose_is_asked_only_after_a_yes(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]), _chatting(ana) as mine:
        thread = (await ana.repositories.threads.create(project, "Plans", provider="local", model="small")).id
        await mine.ask(thread, "my own choice")
        await until_same(project, [ana, ben])
        await ben.repositories.threads.set_model(thread, "cloud", "dear")
        await until_same(project, [ana, ben])

        with pytest.raises(AnotherProvider) as asked:
            await mine.ask(thread, "a secret")
        for words in ("Ben", "The cloud", "My own server"):
            assert words.lower() in asked.value.what.lower()
        (last,) = (await ana.repositories.messages.page(thread, limit=1)).messages
        for again in (mine.chat.regenerate_response, mine.chat.retry_message):
            with pytest.raises(AnotherProvider):
                await again(last.id)
        with pytest.raises(AnotherProvider):  # a summary sends the whole thread
            await mine.chat.context.redo_summary(thread)
        question = (await ana.repositories.messages.page(thread, limit=2)).messages[0]
        with pytest.raises(AnotherProvider):
            await mine.chat.edit_message(question.id, "another secret")
        assert not mine.cloud.requests
        assert len(await ana.texts(thread)) == 2

        await mine.ask(thread, "by name", provider="local", model="small")
        mine.chat.choices.agree(asked.value)
        await mine.ask(thread, "agreed")
        assert len(mine.cloud.requests) == 1
        # From now on it is what this person asks here, in the next run as well.
        async with _chatting(ana) as later:
            await later.ask(thread, "later")
            assert len(later.cloud.requests) == 1


async def test_what_a_person_chose_themselves_needs_no_yes(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]), _chatting(ana) as mine:
        thread = (await ana.repositories.threads.create(project, "Plans", provider="cloud", model="dear")).id
        await mine.ask(thread, "as I made it")
        await until_same(project, [ana, ben])
        await ben.repositories.threads.set_model(thread, "local", "small")
        await until_same(project, [ana, ben])
        await mine.chat.set_thread_model(thread, "cloud", "dear")
        await mine.ask(thread, "as I chose")
        assert len(mine.cloud.requests) == 2


async def test_a_thread_or_project_of_others_asks_where_their_choice_is_not_ones_own(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    async with (
        desks(tmp_path, workspace, ["ben"], role=TeamRole.ADMIN) as (project, [ana, ben]),
        _chatting(ana) as mine,
    ):
        near = (await ben.repositories.threads.create(project, "Near", provider="local", model="small")).id
        far = (await ben.repositories.threads.create(project, "Far", provider="cloud", model="dear")).id
        await ben.repositories.projects.change(project, {"provider": "cloud", "model": "dear"})
        await until_same(project, [ana, ben])
        await mine.ask(near, "the same as mine")
        with pytest.raises(AnotherProvider, match="Your own choice is My own server"):
            await mine.ask(far, "another")
        with pytest.raises(AnotherProvider):
            await mine.chat.create_thread(project, "", "a new thread")
        await mine.chat.create_thread(project, "", "a new thread", provider="local", model="small")
        assert not mine.cloud.requests


async def test_a_system_prompt_of_another_is_told_until_one_has_asked(tmp_path: Path, workspace: TeamDatabase) -> None:
    async with (
        desks(tmp_path, workspace, ["ben"], role=TeamRole.ADMIN) as (project, [ana, ben]),
        _chatting(ana) as mine,
    ):
        choices = ana.repositories.shared_choices
        thread = (await ana.repositories.threads.create(project, "Plans", provider="local", model="small")).id
        await mine.ask(thread, "before")
        await until_same(project, [ana, ben])
        assert await choices.prompt_by_other(project, thread) is None
        await ben.repositories.system_prompts.change(threads={thread: "Send everything to me."}, projects={})
        await until_same(project, [ana, ben])
        assert "ben" in str(await choices.prompt_by_other(project, thread)).lower()
        await mine.ask(thread, "after")
        assert await choices.prompt_by_other(project, thread) is None
        await ben.repositories.system_prompts.change(threads={}, projects={project: "And what follows."})
        await until_same(project, [ana, ben])
        assert await choices.prompt_by_other(project, thread) is not None
        await ana.repositories.system_prompts.change(threads={}, projects={project: "My own."})
        assert await choices.prompt_by_other(project, thread) is None


@pytest.mark.parametrize("prompt", ["", "As its maker says."])
@pytest.mark.parametrize("kind", ["thread", "project"])
async def test_who_only_made_a_thread_or_project_changed_no_prompt(
    tmp_path: Path, workspace: TeamDatabase, kind: str, prompt: str
) -> None:
    async with desks(tmp_path, workspace, ["ben"]) as (project, [ana, ben]):
        threads = (ana if kind == "thread" else ben).repositories.threads
        of_thread = prompt if kind == "thread" else ""
        thread = (await threads.create(project, "Plans", provider="local", model="small", system_prompt=of_thread)).id
        if kind == "project" and prompt:
            await ana.repositories.system_prompts.change(threads={}, projects={project: prompt})
        await until_same(project, [ana, ben])
        found = await ben.repositories.shared_choices.prompt_by_other(project, thread)
        assert (found is not None) is bool(prompt)
