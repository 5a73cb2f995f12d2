"""Lives an hour of a person in a minute, and prints a line for everything that the person is told is kept.

    python -m tests.helpers.power_lost_life DIRECTORY ROUNDS

``power_loss`` plays what was written to the disk again, up to any moment, and compares it with these lines.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from chatdesk.core.events import AnswerFinished
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.store import SettingsStore
from chatdesk.core.system.file_writing import write_text
from chatdesk.service.caller import Scope
from chatdesk.service.tokens import TokenBook
from chatdesk.services.owner import open_services

EXPORTED = 1000  # lines


def _tell(**what: object) -> None:
    """Print a line with one call of the system, so that its place among the writes to the disk is known."""
    os.write(1, json.dumps(what).encode() + b"\n")


async def live(folder: Path, rounds: int) -> None:
    """Ask, note, draft, attach, set, make and revoke tokens, delete and export, and tell what is kept."""
    paths = AppPaths.find(folder)
    store = SettingsStore(paths.settings_file)
    settings = replace(store.load({}).settings, offline_speed_tokens_per_s=400)
    async with open_services(paths, settings) as services:
        chat, finished = services.chat, asyncio.Event()
        tokens = TokenBook(folder / "tokens")

        def told(event: AnswerFinished) -> None:
            _tell(kind="message", id=event.message.id, text=event.message.text)
            finished.set()

        services.events.subscribe(AnswerFinished, told)
        for number in range(rounds):
            attachment = await services.attachments.add_bytes(f"file {number} of {folder}\n".encode() * 40, "list.txt")
            created = await chat.create_thread(None, "", f"question {number}", attachments=(attachment,))
            assert created.question is not None
            thread = created.thread.id
            _tell(kind="message", id=created.question.id, text=created.question.text)
            _tell(kind="file", sha256=attachment.sha256)
            await chat.drafts.save(thread, f"draft {number}", 3)
            _tell(kind="draft", thread=thread, text=f"draft {number}")
            store.save({"text_scale": 1 + number % 100 / 100})
            _tell(kind="setting", value=1 + number % 100 / 100)
            token, _secret = tokens.make(f"program {number}", [Scope.READ], now_ms=number)
            _tell(kind="token", id=token.id, is_kept=number % 2 == 0)
            if number % 2:
                tokens.revoke(token.id)
                _tell(kind="revoked", id=token.id)
            write_text(folder / "exported.md", f"{number}\n" * EXPORTED)
            _tell(kind="export", number=number)
            await finished.wait()
            finished.clear()
            note = await chat.manual_messages.add_note(thread, f"note {number}")
            _tell(kind="message", id=note.question.id, text=f"note {number}")
            if number % 3 == 2:
                await services.library.delete([thread])
                _tell(kind="deleted", thread=thread)


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2])))
