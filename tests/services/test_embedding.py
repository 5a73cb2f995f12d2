"""Tests which servers a project's files are sent to, in all modes, over the services of a profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.core.domain.knowledge import SourceKind
from chatdesk.core.domain.limits import LimitPeriod, LimitScope, LimitUnit, UsageLimit
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.errors import NotPossible
from chatdesk.core.knowledge.provider_vectors import PROBES
from chatdesk.core.paths import AppPaths
from chatdesk.services.owner import open_services
from tests.helpers.embedding_server import Sent, embeds
from tests.helpers.fault_server import FaultServer, answer
from tests.helpers.local_service import FAST


async def test_files_go_to_the_chosen_server_alone_and_only_while_it_is_chosen(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "leave.md").write_text("Thirty days of holiday a year.")
    async with (
        FaultServer(embeds()) as chosen,
        FaultServer(answer()) as other,
        open_services(AppPaths.find(tmp_path / "data"), FAST, purpose="serve") as services,
    ):
        providers, knowledge = services.provider_service, services.knowledge
        await providers.save(ProviderProfile("", "other", "Other", other.base_url))
        await providers.save(ProviderProfile("", "other", "Team", chosen.base_url))
        (team,) = (name for name, label in knowledge.embeddings.offers() if label == "Team")
        project = (await services.chat.projects.default()).id
        sent = Sent(chosen, PROBES)

        async def ask_and_change(text: str) -> list[str]:
            """What is sent for a question and a changed file."""
            sent.forget()
            await knowledge.search(project, "vacation in summer")
            (folder / "new.md").write_text(text)
            await knowledge.wait_until_read()
            return sent.texts()

        source = await knowledge.add(project, SourceKind.FOLDER, str(folder))
        await knowledge.wait_until_read()
        assert await ask_and_change("Built in.") == []
        cost = await knowledge.embeddings.cost(project, team, "e")
        assert cost.label == "Team" and cost.is_on_this_computer and cost.texts == 2 and chosen.requests == []

        await knowledge.embeddings.choose(project, team, "e")
        await knowledge.wait_until_read()
        assert sorted(sent.texts()) == ["Built in.", "Thirty days of holiday a year."]
        assert await ask_and_change("Chosen.") == ["vacation in summer", "Chosen."]
        rows = (await services.usage.between(0, 2**53)).rows
        assert {(row.kind, row.provider) for row in rows} == {("embedding", team)}

        thread = await services.chat.create_thread(project, "A thread")
        sent.forget()
        draft = await services.chat.context.report(thread.thread.id, "a draft about holiday")
        assert draft.found is not None and draft.found.rows and sent.texts() == []

        limit = UsageLimit(LimitScope.ALL, LimitPeriod.DAY, LimitUnit.TOKENS, hard=1)
        await services.chat.limits.replace([limit])
        assert await ask_and_change("Above the limit.") == []
        assert (await knowledge.embeddings.status(project)).fallback
        await services.chat.limits.replace([])
        assert await ask_and_change("Below it.") == ["vacation in summer", "Below it."]

        await chosen.go_away()
        assert await ask_and_change("Offline.") == [] and (await knowledge.search(project, "holiday"))
        await chosen.come_back()
        await knowledge.wait_until_read()
        assert sent.texts() == ["Offline."]

        await knowledge.pause(source.id, is_paused=True)
        assert await ask_and_change("Paused.") == ["vacation in summer"]
        await knowledge.pause(source.id, is_paused=False)
        await knowledge.embeddings.use_own(project)
        assert await ask_and_change("Back.") == []
        await knowledge.embeddings.wait_until_made()

        await knowledge.embeddings.choose(project, team, "e")
        await knowledge.wait_until_read()
        await knowledge.embeddings.deny(project, team, is_denied=True)
        assert await ask_and_change("Never.") == []
        with pytest.raises(NotPossible):
            await knowledge.embeddings.choose(project, team, "e")
        await knowledge.embeddings.deny(project, team, is_denied=False)
        await knowledge.embeddings.choose(project, team, "e")
        assert other.requests == []
