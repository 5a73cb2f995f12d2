"""Looks for the question of an answer, or of a draft, in the files of its project."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from chatdesk.core.context.held_back import without_files
from chatdesk.core.domain.context import ContextFrame
from chatdesk.core.domain.knowledge import EnclosedPassages, FilesQuestion, PassageChoice, PassagePlace
from chatdesk.core.domain.message import Message, Role
from chatdesk.core.errors import StorageError
from chatdesk.core.providers.base import ChatRequest
from chatdesk.core.storage.chat.messages import MessageRepository

_log = logging.getLogger(__name__)
_LAST_MESSAGES = 20


class SearchedFiles(Protocol):
    """A service that answers questions about the files of projects."""

    async def has_files(self, project_id: str) -> bool: ...

    async def for_question(self, asked: FilesQuestion) -> EnclosedPassages: ...

    async def are_denied(self, project_id: str, provider: str) -> bool: ...

    async def choose(self, thread_id: str, place: PassagePlace, choice: PassageChoice) -> PassageChoice: ...


class ProjectFiles:
    """Finds nothing until ``use`` says where to look. ``on_changed`` gets the id of a thread whose choices changed."""

    def __init__(self, messages: MessageRepository, on_changed: Callable[[str], None]) -> None:
        self._messages = messages
        self._on_changed = on_changed
        self._files: SearchedFiles | None = None

    def use(self, files: SearchedFiles) -> None:
        """Look for each question from now on, in projects that have files."""
        self._files = files

    async def for_answer(
        self, answer: Message, project_id: str, provider: str, window_tokens: int
    ) -> EnclosedPassages | None:
        """Return the passages for the question of an answer; None for a project without files."""

        async def asked() -> FilesQuestion:
            question, earlier = await self._asked(answer)
            return FilesQuestion(project_id, answer.thread_id, provider, question, earlier, window_tokens)

        return await self._find(project_id, asked)

    async def for_draft(
        self, frame: ContextFrame, draft: str, provider: str, window_tokens: int
    ) -> EnclosedPassages | None:
        """Return the passages for a question that is still written, or for the last one of the shown path while
        there is none; None for a project without files."""

        async def asked() -> FilesQuestion:
            page = await self._messages.page(frame.thread_id, limit=_LAST_MESSAGES)
            known = [each.text for each in reversed(page.messages) if each.role is Role.USER]
            question, earlier = (*([draft] if draft.strip() else []), *known, "", "")[:2]
            return FilesQuestion(
                frame.project_id,
                frame.thread_id,
                provider,
                question,
                earlier,
                window_tokens,
                is_draft=bool(draft.strip()),
            )

        return await self._find(frame.project_id, asked)

    async def allowed(self, request: ChatRequest, project_id: str, provider: str) -> ChatRequest:
        """Return a request without what tools read in the files of its project before, where the provider never gets
        them. Raises ``StorageError``."""
        if self._files is None or not await self._files.are_denied(project_id, provider):
            return request
        return replace(request, messages=without_files(request.messages), is_without_files=True)

    async def choose(self, thread_id: str, place: PassagePlace, choice: PassageChoice) -> PassageChoice:
        """Pin a place for all questions of a thread, leave it out, or neither. Returns the choice before. Raises
        ``NotFound``, ``StorageError``."""
        assert self._files is not None  # whoever chooses was shown what was found
        before = await self._files.choose(thread_id, place, choice)
        self._on_changed(thread_id)
        return before

    async def _find(self, project_id: str, asked: Callable[[], Awaitable[FilesQuestion]]) -> EnclosedPassages | None:
        try:
            if self._files is None or not await self._files.has_files(project_id):
                return None
            return await self._files.for_question(await asked())
        except StorageError as error:  # the question is worth more than its passages
            _log.warning("the files of the project could not be searched: %s", error.what)
            return None

    async def _asked(self, answer: Message) -> tuple[str, str]:
        """Return the question of an answer, and the one before it."""
        asked: list[str] = []
        message_id = answer.parent_id
        while message_id is not None and len(asked) < 2:
            message = await self._messages.get(message_id)
            if message.role is Role.USER:
                asked.append(message.text)
            message_id = message.parent_id
        question, earlier = (*asked, "", "")[:2]
        return question, earlier
