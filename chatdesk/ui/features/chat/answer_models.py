"""An answer by another model: which one, chosen beside the answer, and what is done then."""

from __future__ import annotations

from functools import partial

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.texts import tr
from chatdesk.ui.features.chat.provider_consent import ProviderConsent
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.widgets.models.model_chooser import ModelChooser
from chatdesk.ui.window.window_context import Controller, WindowContext


class AnswerModels(Controller):
    """*Regenerate with another model* asks that model once. After a failure the thread goes on with the model that was
    chosen, since the one before it may be gone."""

    def __init__(self, context: WindowContext, threads: ThreadBinding) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._consent = ProviderConsent(context)
        self._chooser: ModelChooser | None = None
        self._message_id = ""
        panes.message_handlers.bind("regenerate-with", self.choose)
        panes.commands.bind("message.regenerate_with", self._choose_for_last, lambda: threads.thread_id is not None)

    def choose(self, message_id: str) -> None:
        """Offer the models for this answer, or for the first answer to this question."""
        transcript, picker = self._panes.transcript, self._panes.header.model_picker
        if self._chooser is None:
            self._chooser = ModelChooser(self._panes.theme, transcript, has_actions=False)
            self._chooser.setAccessibleName(tr("Answer with another model"))
            self._chooser.chosen.connect(self._on_chooser_chosen)
            self._chooser.likeToggled.connect(picker.likeToggled)
        self._message_id = message_id
        self._chooser.show_models(picker.models, picker.liked)
        self._chooser.open_at(transcript.foot_of(message_id))

    def _choose_for_last(self) -> None:
        async def work() -> None:
            thread_id = self._threads.thread_id
            if thread_id is not None:
                page = await self._open_thread.chat.reader.get_thread_messages(thread_id, 1)
                if page.messages:
                    self.choose(page.messages[-1].id)

        self._tasks.replace(work(), "choose model for answer")

    def _on_chooser_chosen(self, provider: str, model: str) -> None:
        self._tasks.start_once(self._answer(self._message_id, provider, model), "answer with")

    async def _answer(self, message_id: str, provider: str, model: str) -> None:
        chat = self._open_thread.chat
        message = await chat.reader.get_message(message_id)
        if message.role is Role.ASSISTANT and message.status is Status.ERROR:
            await self._replace_failed(chat, message, provider, model)
        else:
            again = partial(chat.regenerate_response, message_id, provider=provider, model=model)
            await self._consent.run(again)

    async def _replace_failed(self, chat: ChatService, message: Message, provider: str, model: str) -> None:
        thread = await chat.get_thread(message.thread_id)
        if (thread.provider, thread.model) != (provider, model):
            await chat.set_thread_model(thread.id, provider, model)
        await self._consent.run(partial(chat.retry_message, message.id, provider=provider, model=model))
