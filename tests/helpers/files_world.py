"""A profile with a project that has files, and two providers on loopback that record what they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatdesk.core.chat.results import Created, Sent
from chatdesk.core.domain.knowledge import EnclosedPassages, SourceKind
from chatdesk.core.domain.message import Message
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.events import AnswerFinished
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.services.owner import open_services
from chatdesk.services.services import Services
from tests.helpers.fault_server import FaultServer, Script, answer
from tests.helpers.waiting import PATIENCE_S

QUIET = Settings(offline_speed_tokens_per_s=0, model_titles=False)
MODEL = "small"
LEAVE = "Each employee has thirty days of paid holiday."
TRAVEL = "Receipts are handed in within a month."


@dataclass
class FilesWorld:
    """``servers`` by the id of their provider: "first" and "second"."""

    services: Services
    servers: dict[str, FaultServer]
    project_id: str
    folder: Path
    source_id: str = ""

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    async def read(self) -> None:
        """Have everything read that is there now."""
        if not self.source_id:
            source = await self.services.knowledge.add(self.project_id, SourceKind.FOLDER, str(self.folder))
            self.source_id = source.id
        await self.services.knowledge.wait_until_read()

    async def thread(self, provider: str = "first", project_id: str | None = None) -> str:
        made = await self.services.chat.create_thread(
            project_id or self.project_id, "A thread", provider=provider, model=MODEL
        )
        return made.thread.id

    async def ask(self, thread_id: str, text: str, provider: str | None = None) -> Message:
        """Ask, and return the finished answer."""
        model = None if provider is None else MODEL
        sent = await self.services.chat.send_message(thread_id, text, provider=provider, model=model)
        return await self.finished(sent)

    async def finished(self, sent: Sent | Created | Message) -> Message:
        waited = sent if isinstance(sent, Message) else sent.answer
        assert waited is not None
        done: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        def note(event: AnswerFinished) -> None:
            if event.message.id == waited.id and not done.done():
                done.set_result(event.message)

        subscription = self.services.events.subscribe(AnswerFinished, note)
        try:
            now = await self.services.chat.reader.get_message(waited.id)
            if now.status.value not in ("pending", "streaming"):
                return now
            async with asyncio.timeout(PATIENCE_S):
                return await done
        finally:
            subscription.cancel()

    def bodies(self, provider: str = "first") -> list[Any]:
        """The chat completions that were asked of a provider."""
        return [each.json for each in self.servers[provider].requests if each.path.endswith("/chat/completions")]

    def texts(self, provider: str = "first") -> list[str]:
        """All texts of the last request."""
        return [_text(each) for each in self.bodies(provider)[-1]["messages"]]

    async def found(self, thread_id: str, draft: str = "") -> EnclosedPassages:
        """What the Context tab would list."""
        report = await self.services.chat.context.report(thread_id, draft)
        assert report.found is not None
        return report.found


def _text(message: Any) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else "".join(str(part.get("text", "")) for part in content or ())


@asynccontextmanager
async def files_world(
    directory: Path, *, scripts: Sequence[Script] = (), settings: Settings = QUIET, has_files: bool = True
) -> AsyncIterator[FilesWorld]:
    folder = directory / "files"
    folder.mkdir(exist_ok=True)
    async with AsyncExitStack() as stack:
        servers = {
            name: await stack.enter_async_context(FaultServer(*(scripts or (answer("As you say."),))))
            for name in ("first", "second")
        }
        services = await stack.enter_async_context(
            open_services(AppPaths.find(directory / "data"), settings, purpose="serve")
        )
        for name, server in servers.items():
            await services.provider_service.save(
                ProviderProfile(name, "other", name.title(), server.base_url, model=MODEL)
            )
        projects = await services.library.projects.list()
        known = next((each for each in projects if each.name == "Handbook"), None)
        project = known or await services.library.projects.create("Handbook", "#5B7DB1")
        sources = await services.knowledge.repository.sources(project.id)
        world = FilesWorld(services, servers, project.id, folder, sources[0].id if sources else "")
        if has_files:
            world.write("leave.md", f"# Leave\n\n{LEAVE}")
            world.write("travel.md", f"# Travel\n\n{TRAVEL}")
            await world.read()
        yield world
