"""Plays one real turn without a display: typed into the composer, sent, stored, streamed and drawn."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chatdesk.core.domain.message import Message
from chatdesk.core.events import AnswerFinished, TextStreamed
from chatdesk.core.system import terminal
from chatdesk.core.texts import shown, tr
from chatdesk.ui.application.window_application import WindowApplication

QUESTION = "Show me a list, a table and some code"
_SIZE = (1280, 820)
_LONGEST_S = 120.0
_SETTLE_S = 1.0


async def play(application: WindowApplication, *, picture: Path) -> int:
    """Play the turn, print the answer as it comes and the path of the picture; the exit code."""
    services, panes = await application.services(), application.panes
    answer = terminal.TextWriter()
    done: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def on_text(event: TextStreamed) -> None:
        if event.kind == "text":
            answer.write(event.delta)

    def on_finished(event: AnswerFinished) -> None:
        if not done.done():
            done.set_result(event.message)

    subscriptions = [
        services.events.subscribe(TextStreamed, on_text),
        services.events.subscribe(AnswerFinished, on_finished),
    ]
    terminal.say(tr("You: {question}", question=QUESTION) + "\n")
    try:
        panes.window.resize(*_SIZE)
        panes.composer.set_text(QUESTION)
        panes.composer.send_button.click()
        async with asyncio.timeout(_LONGEST_S):
            message = await done
        await asyncio.sleep(_SETTLE_S)  # the last blocks get their colours
    finally:
        for subscription in subscriptions:
            subscription.cancel()
    picture.parent.mkdir(parents=True, exist_ok=True)
    is_saved = panes.window.grab().save(str(picture))
    answer.close(ends_line=True)
    terminal.say("\n" + tr("Status: {status}. Thread: {id}.", status=message.status.value, id=message.thread_id))
    if message.error:
        terminal.say(shown(message.error_sentence))
    terminal.say(tr("Screenshot: {path}", path=picture) if is_saved else tr("Screenshot: could not be saved"))
    return 0 if message.error is None and is_saved else 1
