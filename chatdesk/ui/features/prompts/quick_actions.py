"""Runs quick actions: an ordinary question about an answer, asked in one press; and quoting into the text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from chatdesk.core.chat.prompts.prompt_service import PromptService
from chatdesk.core.domain.prompt import PromptKind
from chatdesk.core.domain.thread import Thread
from chatdesk.core.events import PromptsChanged
from chatdesk.core.hidden_characters import told_apart
from chatdesk.core.name_order import name_key
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.commands.command import Command
from chatdesk.ui.commands.message_action import QUICK
from chatdesk.ui.features.chat.provider_consent import ProviderConsent
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.prompts.prompt_binding import PromptBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

_MOST_OWN: Final = 20
_WORDS: Final = {
    "shorter": Text("Make your last answer shorter. Keep what matters most."),
    "longer": Text("Make your last answer longer. Go into more detail."),
}


class QuickActions(Controller):
    """The quick actions below an answer. Each asks a question that is in the thread like any other, below that
    answer."""

    def __init__(
        self, context: WindowContext, threads: ThreadBinding, prompts: PromptBinding, *, prompt_service: PromptService
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._is_offered = False
        self._prompts = prompts
        self._prompt_service = prompt_service
        self._consent = ProviderConsent(context)
        for name in _WORDS:
            panes.message_handlers.bind(f"{QUICK}{name}", partial(self.run, name))
        threads.opened.connect(self._on_thread_opened)
        panes.transcript.quoteRequested.connect(self._on_transcript_quote_requested)
        context.events.subscribe(self, PromptsChanged, lambda _event: self._offer_soon())

    def run(self, name: str, answer_id: str) -> None:
        """Run a quick action. ``name`` is a key of ``_WORDS``, or the id of a prompt."""
        self._tasks.start(self._run(name, answer_id), f"quick action about {answer_id}")

    async def _run(self, name: str, answer_id: str) -> None:
        text = shown(_WORDS[name]) if name in _WORDS else await self._prompts.text_of(name)
        if text is None:  # something has to be filled in first
            return
        chat = self._open_thread.chat
        answer = await chat.reader.get_message(answer_id)
        thread = await chat.get_thread(answer.thread_id)
        parent_id = None if thread.current_leaf_id == answer.id else answer.id
        await self._consent.run(chat.send_message, answer.thread_id, text, parent_id=parent_id)
        if parent_id is not None:
            self._panes.pane.show_toast(tr("Asked below this answer. What came after it stays as another version."))

    def _on_thread_opened(self, thread: Thread | None) -> None:
        """Read the prompt library only once there is an answer that could use it."""
        if thread is not None and not self._is_offered:
            self._is_offered = True
            self._offer_soon()

    @in_task("offer quick actions", replaces=True)
    async def _offer_soon(self) -> None:
        heads = await self._prompt_service.list()
        own = sorted(
            (each for each in heads if each.kind is PromptKind.QUICK), key=lambda each: (name_key(each.name), each.id)
        )
        named = list(told_apart({each.id: each.name for each in own[:_MOST_OWN]}).items())
        self._update_palette(named)
        self._panes.transcript.conversation.set_quick_actions(named)

    def _update_palette(self, named: Sequence[tuple[str, str]]) -> None:
        commands, transcript = self._panes.commands, self._panes.transcript
        for command in commands.commands():
            if command.is_own:
                commands.remove(command.id)
        for id_, name in named:
            action = f"{QUICK}{id_}"
            self._panes.message_handlers.bind(action, partial(self.run, id_))
            commands.add(
                Command(action, tr("Quick action: {name}", name=name), "Message", icon="sparkles", is_own=True),
                partial(transcript.parts.actions.act, action),
            )
            commands.describe(action, is_offered=partial(self._is_possible, action))

    def _is_possible(self, action: str) -> bool:
        transcript = self._panes.transcript
        return transcript.isVisible() and transcript.parts.actions.offered(action) is not None

    def _on_transcript_quote_requested(self, markdown: str) -> None:
        composer = self._panes.composer
        if composer.refusal:
            self._panes.pane.show_toast(composer.refusal)
        elif not markdown.strip():
            self._panes.pane.show_toast(tr("Select something in the thread first."))
        else:
            composer.insert_quote(markdown)
            self._panes.pane.focus_composer()
