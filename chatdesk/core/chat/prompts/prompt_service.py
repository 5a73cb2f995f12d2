"""PromptService manages the library of prompts. It is reached as ``Services.prompts``, on the same loop as the others.

A method that writes publishes ``PromptsChanged`` once the write is durable. Each change has an inverse, which undo
calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.chat.prompts.prompt_files import ReadPrompt, read_prompts, read_starters, write_prompts
from chatdesk.core.domain.prompt import (
    LONGEST_NAME,
    LONGEST_TEXT,
    AssistantSetup,
    NewPrompt,
    Prompt,
    PromptHead,
    PromptKind,
    checked_name,
    checked_setup,
)
from chatdesk.core.errors import AttachmentUnusable, InvalidInput, StorageError
from chatdesk.core.events import EventBus, PromptsChanged
from chatdesk.core.storage.library.prompts import PromptRepository
from chatdesk.core.texts import Text

_COPY = " (copy)"
_LARGEST_FILE_BYTES = 16 * 1024 * 1024


class PromptService:
    """The use cases of the library of prompts. ``starters``: a file of prompts that a new library begins with."""

    def __init__(
        self,
        prompts: PromptRepository,
        bus: EventBus,
        *,
        starters: Path | None = None,
        attachments: AttachmentService | None = None,
    ) -> None:
        """Create the service over the store. ``attachments`` has the files of assistants; None: prompt files are
        written and read without them."""
        self._prompts = prompts
        self._attachments = attachments
        self._bus = bus
        self._starters = starters
        self._beginning = asyncio.Lock()

    async def list(self) -> tuple[PromptHead, ...]:
        """Return all prompts, those used last first."""
        await self._add_starters()
        return await self._prompts.heads()

    async def get(self, prompt_id: str) -> Prompt:
        """Return a prompt, also one in the trash. Raises ``PromptNotFound``."""
        return await self._prompts.get(prompt_id)

    async def create(self, kind: PromptKind, name: str, text: str, setup: AssistantSetup | None = None) -> Prompt:
        """Add a prompt; without a name it is called by its first words. ``setup`` is that of an assistant. Raises
        ``InvalidInput``."""
        (made,) = await self._prompts.add([checked_prompt(kind, name, text, setup)])
        self._changed()
        return made

    async def record_outside_text(self, prompt_id: str) -> None:
        """Record that another program wrote a prompt, so that its text counts as text from outside wherever it is
        used."""
        await self._prompts.record_outside_text(prompt_id)

    async def edit(
        self, prompt_id: str, kind: PromptKind, name: str, text: str, setup: AssistantSetup | None = None
    ) -> Prompt:
        """Replace kind, name and text of a prompt; ``setup`` None keeps that of an assistant. Raises ``InvalidInput``,
        ``PromptNotFound``."""
        if setup is None and kind is PromptKind.ASSISTANT:
            setup = (await self._prompts.get(prompt_id)).setup
        changed = await self._prompts.change(prompt_id, checked_prompt(kind, name, text, setup))
        self._changed()
        return changed

    async def duplicate(self, prompt_id: str) -> Prompt:
        """Add a copy of a prompt, whose name says that it is a copy."""
        prompt = await self._prompts.get(prompt_id)
        name = prompt.name[: LONGEST_NAME - len(_COPY)] + _COPY
        return await self.create(prompt.kind, name, prompt.text, prompt.setup)

    async def delete(self, prompt_ids: Sequence[str]) -> None:
        """Move prompts to the trash, from where they can be restored for as long as the trash is kept."""
        await self._prompts.set_deleted(prompt_ids, is_deleted=True)
        self._changed()

    async def restore(self, prompt_ids: Sequence[str]) -> None:
        """Restore prompts from the trash. Raises ``PromptNotFound`` when one is gone for good."""
        await self._prompts.set_deleted(prompt_ids, is_deleted=False)
        self._changed()

    async def record_use(self, prompt_id: str) -> None:
        """Record that a prompt was inserted, so that it is listed first. Does nothing where the library cannot be
        written."""
        try:
            await self._prompts.record_use(prompt_id)
        except StorageError:
            return
        self._changed()

    async def write_file(self, target: Path) -> int:
        """Write all prompts to a JSON file, overwriting it, and return their number. Raises ``ChatDeskError``."""
        await self._add_starters()
        prompts = await self._prompts.all()
        await asyncio.to_thread(write_prompts, target, prompts, await self._bytes_of(prompts))
        return len(prompts)

    async def read_file(self, source: Path) -> tuple[Prompt, ...]:
        """Add the prompts of a file that the library does not have, and return them. Raises ``ChatDeskError`` for other
        files."""
        await self._add_starters()
        found = await asyncio.to_thread(read_prompts, source)
        added = await self._prompts.add_missing([await self._with_files(each) for each in found])
        if added:
            self._changed()
        return added

    async def _bytes_of(self, prompts: Sequence[Prompt]) -> dict[str, bytes]:
        """Return the bytes of the files of assistants, by their sums. One that is gone is left out."""
        if self._attachments is None:
            return {}
        read = partial(self._attachments.blobs.read, max_bytes=_LARGEST_FILE_BYTES)
        found: dict[str, bytes] = {}
        for file in (file for each in prompts if each.setup is not None for file in each.setup.files):
            with suppress(AttachmentUnusable):
                found[file.sha256] = await asyncio.to_thread(read, file.sha256)
        return found

    async def _with_files(self, read: ReadPrompt) -> NewPrompt:
        prompt = read.prompt
        checked = checked_prompt(prompt.kind, prompt.name, prompt.text, prompt.setup)
        if checked.setup is None or self._attachments is None:
            return checked
        files = [await self._attachments.add_bytes(each.data, each.name) for each in read.files]
        return replace(checked, setup=replace(checked.setup, files=tuple(files)))

    async def _add_starters(self) -> None:
        async with self._beginning:
            if self._starters is None:
                return
            # A library that cannot be written is shown as it is.
            with suppress(StorageError):
                await self._prompts.add_starters(await asyncio.to_thread(read_starters, self._starters))
            self._starters = None  # set last: if this call is cancelled, the next one adds them

    def _changed(self) -> None:
        self._bus.publish(PromptsChanged())


def checked_prompt(kind: PromptKind, name: str, text: str, setup: AssistantSetup | None = None) -> NewPrompt:
    """Return the prompt as it can be stored. Raises ``InvalidInput``."""
    if not text.strip():
        raise InvalidInput(
            Text("A prompt needs a text."),
            safe=Text("Nothing was changed."),
            next_step=Text("Type what it is to say, or delete it."),
        )
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(
            Text(
                "The prompt has {text} characters; the most is {longest_text}.",
                text=len(text),
                longest_text=LONGEST_TEXT,
            ),
            safe=Text("Nothing was changed."),
            next_step=Text("Shorten it, or keep the text in a file and attach that."),
        )
    kept = checked_setup(setup or AssistantSetup()) if kind is PromptKind.ASSISTANT else None
    return NewPrompt(kind, checked_name(name) or checked_name(text) or "Prompt", text, kept)
