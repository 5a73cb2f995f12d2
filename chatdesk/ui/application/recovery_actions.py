"""Runs the actions of the buttons below an error when no request could be made."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from chatdesk.core.chat.attachment_rules import attachments_of
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.message import ContextMark, Message
from chatdesk.core.errors import NotPossible
from chatdesk.core.texts import Text, shown, tr
from chatdesk.services.services import Services
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.window.window_context import Controller, WindowContext

_FILE_NAME = "message.txt"
_IN_ITS_PLACE = Text("My message is in the attached file, because it is too long to be sent whole.")


class RecoveryActions(Controller):
    """The actions offered below an error. Each receives the id of the answer that could not be asked for and acts on
    the question above it."""

    def __init__(
        self,
        context: WindowContext,
        messages: MessageBinding,
        undo: UndoBinding,
        open_provider: Callable[[str], None],
        *,
        attachments: AttachmentService,
        services: Services,
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._messages = messages
        self._undo = undo
        self._open_provider = open_provider
        self._attachments = attachments
        self._services = services
        tasks = context.tasks
        for name, run in {
            "choose-model": self._choose_model,
            "answer-with": lambda id_: panes.message_handlers.run("regenerate-with", id_),
            "open-provider": lambda id_: tasks.replace(self._open_provider_of(id_), "open provider"),
            "try-at-once": lambda id_: tasks.start(self._try_now(id_), "try now"),
            "retry-now": lambda id_: tasks.start(self._retry_now(id_), f"retry {id_} now"),
            "edit-system-prompt": lambda _id: panes.commands.trigger("thread.system_prompt"),
            "shorten": lambda id_: tasks.replace(self._shorten(id_), "edit"),
            "include-question": lambda id_: tasks.start(self._include(id_), "include question"),
            "send-without-images": lambda id_: tasks.start_once(self._send_without_images(id_), "send without images"),
            "send-excerpt": lambda id_: tasks.start_once(self._send_excerpt(id_), "send excerpt"),
        }.items():
            panes.message_handlers.bind(name, run)

    def _choose_model(self, _answer_id: str) -> None:
        picker = self._panes.header.model_picker
        picker.setFocus()
        picker.click()

    async def _question_of(self, answer_id: str) -> Message:
        chat = self._open_thread.chat
        answer = await chat.reader.get_message(answer_id)
        return answer if answer.parent_id is None else await chat.reader.get_message(answer.parent_id)

    async def _open_provider_of(self, answer_id: str) -> None:
        message = await self._open_thread.chat.reader.get_message(answer_id)
        if message.provider is not None:
            self._open_provider(message.provider)

    async def _try_now(self, answer_id: str) -> None:
        self._open_thread.chat.try_now(answer_id)

    async def _retry_now(self, answer_id: str) -> None:
        await self._open_thread.chat.retry_message(answer_id, is_urgent=True)

    async def _shorten(self, answer_id: str) -> None:
        question = await self._question_of(answer_id)
        self._messages.edit.start(question.id)

    async def _include(self, answer_id: str) -> None:
        question = await self._question_of(answer_id)
        chat = self._open_thread.chat
        await chat.context.steering.mark_message(question.id, ContextMark.NONE)
        await chat.retry_message(answer_id)

    async def _send_without_images(self, answer_id: str) -> None:
        """Keep in mind that the model sees no images, and ask it again."""
        answer = await self._open_thread.chat.reader.get_message(answer_id)
        with suppress(NotPossible):  # a provider that is not set up here: it is known until ChatDesk ends
            provider, model = answer.provider or "", answer.model or ""
            await self._services.provider_service.override(provider, model, sees_images=False)
        await self._open_thread.chat.retry_message(answer_id)

    async def _send_excerpt(self, answer_id: str) -> None:
        """Ask another version of the question whose text is an attached file, of which as much is sent as there is room
        for. The old version keeps the whole text."""
        question = await self._question_of(answer_id)
        attached = await self._attachments.from_text(_FILE_NAME, question.text)
        await (await self._undo.stack()).edit_message(
            question.id, shown(_IN_ITS_PLACE), attachments=(*attachments_of(question), attached)
        )
        self._undo.offer(tr("Sent as a file, from which the model gets what fits"))
