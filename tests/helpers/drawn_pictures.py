"""Servers on loopback that answer with pictures, in the three protocols and as Markdown, and a chat that keeps them."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.attachments.virus_scan import VirusScan
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.chat.tool_calls.port import ToolLimits
from chatdesk.core.domain.attachment import Attachment, attachment_from
from chatdesk.core.domain.message import Message, PartType
from chatdesk.core.providers.anthropic.provider import AnthropicProvider
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.providers.responses.provider import ResponsesProvider
from chatdesk.core.storage.chat.artifacts import ArtifactRepository
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.fault_server import Exchange, FaultServer, Script


def drawn(colour: str = "steelblue", *, size: tuple[int, int] = (64, 48), kind: str = "PNG") -> bytes:
    """Return a picture of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


def letters(data: bytes) -> str:
    return base64.b64encode(data).decode()


def as_url(data: bytes, label: str = "image/png") -> str:
    return f"data:{label};base64,{letters(data)}"


def in_text(*pictures: bytes) -> Script:
    """Chat completions whose text has pictures as Markdown, in pieces of 700 letters."""

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        text = "Before. " + "".join(f"![A drawing]({as_url(each)}) between " for each in pictures) + "after."
        for at in range(0, len(text), 700):
            await exchange.delta(content=text[at : at + 700])
        await exchange.finish()

    return script


def beside_text(*pictures: bytes, label: str = "image/png") -> Script:
    """Chat completions with ``images``, as OpenRouter streams them."""

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.delta(role="assistant", content="Here you are.")
        for each in pictures:
            place = {"type": "image_url", "image_url": {"url": as_url(each, label)}, "index": 0}
            await exchange.delta(content="", images=[place])
        await exchange.finish()

    return script


def by_image_tool(*states: bytes, text: str = "Done.", is_cut_off: bool = False) -> Script:
    """Responses whose image tool sends preliminary pictures, then the last of ``states``."""

    async def script(exchange: Exchange) -> None:
        async def event(kind: str, **more: object) -> None:
            await exchange.event({"type": kind, **more}, name=kind)

        await exchange.start()
        item: Mapping[str, object] = {"type": "image_generation_call", "id": "ig_1", "status": "in_progress"}
        await event("response.created", response={"object": "response", "status": "in_progress"})
        await event("response.output_item.added", output_index=0, item={**item, "result": None})
        for number, each in enumerate(states[:-1]):
            await event(
                "response.image_generation_call.partial_image",
                item_id="ig_1",
                output_index=0,
                partial_image_index=number,
                partial_image_b64=letters(each),
            )
        if is_cut_off:
            exchange.reset()
            return
        done = {**item, "status": "completed", "result": letters(states[-1])}
        await event("response.output_item.done", output_index=0, item=done)
        await event("response.output_text.delta", item_id="m", output_index=1, content_index=0, delta=text)
        whole = {"object": "response", "status": "completed", "output": [done], "usage": {}}
        await event("response.completed", response=whole)
        await exchange.end()

    return script


def by_block(data: bytes) -> Script:
    """Anthropic's messages with a block of type image."""

    async def script(exchange: Exchange) -> None:
        async def event(kind: str, **more: object) -> None:
            await exchange.event({"type": kind, **more}, name=kind)

        await exchange.start()
        await event("message_start", message={"role": "assistant", "content": [], "usage": {"input_tokens": 3}})
        source = {"type": "base64", "media_type": "image/png", "data": letters(data)}
        await event("content_block_start", index=0, content_block={"type": "image", "source": source})
        await event("content_block_stop", index=0)
        await event("content_block_start", index=1, content_block={"type": "text", "text": ""})
        await event("content_block_delta", index=1, delta={"type": "text_delta", "text": "Done."})
        await event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 5})
        await event("message_stop")
        await exchange.end()

    return script


@dataclass
class DrawingWorld:
    """A chat whose provider is played by ``server``, and where pictures are kept."""

    chat: ChatWorld
    server: FaultServer
    files: AttachmentService

    async def answered(self, text: str = "Draw!", thread_id: str | None = None) -> Message:
        """Return the stored answer to a question."""
        service = self.chat.chat
        if thread_id is None:
            answer = (await service.create_thread(None, "", text)).answer
        else:
            answer = (await service.send_message(thread_id, text)).answer
        assert answer is not None
        await self.chat.finished(answer.id)
        return await self.chat.repositories.messages.get(answer.id)


def pictures_of(message: Message) -> list[Attachment | str]:
    """Return the pictures of a message, or what is said in their place."""
    return [
        attachment_from(part.content) or str(part.content["problem"])
        for part in message.parts
        if part.type is PartType.IMAGE
    ]


_PROTOCOLS: dict[str, type[OpenAICompatibleProvider]] = {
    "chat": OpenAICompatibleProvider,
    "responses": ResponsesProvider,
    "anthropic": AnthropicProvider,
}


@asynccontextmanager
async def drawing_world(
    folder: Path, *scripts: Script, protocol: str = "chat", scan: VirusScan | None = None
) -> AsyncIterator[DrawingWorld]:
    """Yield a chat with a server that plays ``scripts``."""
    async with FaultServer(*scripts) as server, chat_world(folder) as chat:
        provider = _PROTOCOLS[protocol]("drawn", "Drawn", Endpoint.of(server.base_url, "sk-test-0123456789"))
        chat.chat.use_providers(ProviderRegistry([provider], "drawn", "m"))
        files = AttachmentService(BlobStore(folder / "blobs", scan), ArtifactRepository(chat.database))

        async def no_tools() -> None:
            """Load no tools."""

        chat.chat.tools.use(no_tools, ToolLimits, files.add_bytes)
        try:
            yield DrawingWorld(chat, server, files)
            await chat.chat.close()
        finally:
            await provider.close()
            await files.close()
