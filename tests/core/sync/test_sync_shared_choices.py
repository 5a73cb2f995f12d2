"""Who answers and what goes along is the person's choice, also where others of a team change it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path

import pytest

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.shared_choice import AnotherProvider
from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.events import AnswerFinished, EventBus
from chatdesk.core.ids import new_id
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.sync.shared_choices import SharedChoiceRepository
from tests.helpers.chat_world import ScriptedProvider
from tests.helpers.examples import sample
from tests.helpers.postgres import TeamDatabase
from tests.helpers.pulled_log import ME, START_MS, PulledLog, Reader
from tests.helpers.sync_sim.memory_profile import now
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
            clock=Clock(),
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
        assert await choices.prompt_by_other(project, thread) is None, "that of the thread is sent"
        await ben.repositories.system_prompts.change(threads={thread: ""}, projects={})
        await until_same(project, [ana, ben])
        assert await choices.prompt_by_other(project, thread) is not None


_MY_LAPTOP = "00000000-0000-7000-8000-0000000000d9"
# Who said it last, of a thread or project that Ann made.
_SAID_BY = ("nobody", "its maker", "Ann", "Ann, who took it back", "me", "me at another computer")


def _said(log: PulledLog, kind: str, entity: str, reg: str, by: str, body: dict[str, str]) -> None:
    if by.startswith("Ann"):
        log.edit(kind, entity, reg, body)
    if by == "Ann, who took it back":
        log.edit(kind, entity, reg, dict.fromkeys(body, ""), parents=[log.rows[-1].id])
    if by == "me at another computer":
        log.edit(kind, entity, reg, body, device=_MY_LAPTOP, author=ME)


@pytest.mark.parametrize(("of_project", "of_thread"), sample(list(product(_SAID_BY, _SAID_BY)), 2 * len(_SAID_BY)))
def test_a_prompt_is_told_of_where_it_is_sent_and_another_member_s(of_thread: str, of_project: str) -> None:
    log, thread = PulledLog(), new_id()
    made = {"title": "T", "name": "P", "created_at": START_MS}
    sources = {"project": (log.project_id, of_project), "thread": (thread, of_thread)}
    for kind, (entity, by) in sources.items():
        log.add(kind, "new", entity, made | ({"system_prompt": "Obey."} if by == "its maker" else {}))
        _said(log, kind, entity, "system_prompt", by, {"system_prompt": "Obey."})
    reader = Reader(log)
    reader.pull()
    for kind, (entity, by) in sources.items():
        if by == "me":
            given = {"threads": {}, "projects": {}} | {f"{kind}s": {entity: "Obey."}}
            now(reader.profile.repositories.system_prompts.change(**given))
    sent = next((by for by in (of_thread, of_project) if by not in ("nobody", "Ann, who took it back")), "")
    prompts = reader.rows("SELECT system_prompt FROM threads UNION ALL SELECT system_prompt FROM projects")
    assert (("Obey.",) in prompts) is bool(sent)
    found = now(SharedChoiceRepository(reader.profile.db).prompt_by_other(log.project_id, thread))
    assert (found is not None) is (sent in ("its maker", "Ann"))
    reader.close()


@pytest.mark.parametrize("kind", ["thread", "project"])
@pytest.mark.parametrize("by", ["Ann", "me at another computer"])
def test_what_oneself_chose_at_another_computer_is_no_other_s_choice(by: str, kind: str) -> None:
    log = PulledLog()
    thread = log.thread()
    log.add("project", "new", log.project_id, {"name": "P", "created_at": START_MS})
    entity = thread if kind == "thread" else log.project_id
    _said(log, kind, entity, "lww.model", by, {"provider": "cloud", "model": "dear"})
    reader = Reader(log)
    reader.pull()
    choices = SharedChoiceRepository(reader.profile.db)
    found = now(choices.provider_by_other(log.project_id, thread if kind == "thread" else None))
    assert (found is not None) is (by == "Ann")
    reader.close()
