"""Looks for the question of an answer in the files of its project."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from chatdesk.core.domain.knowledge import EnclosedPassages
from chatdesk.core.domain.message import Message, Role
from chatdesk.core.errors import StorageError
from chatdesk.core.storage.chat.messages import MessageRepository

_log = logging.getLogger(__name__)

# Looks in the files of a project for a question, with the one before it, for a window of so many tokens.
FindPassages = Callable[[str, str, str, int], Awaitable[EnclosedPassages]]


class ProjectFiles:
    """Finds nothing until ``use`` says how to look."""

    def __init__(self, messages: MessageRepository) -> None:
        self._messages = messages
        self._find: FindPassages | None = None
        self._has_files: Callable[[str], Awaitable[bool]] = _has_none

    def use(self, find: FindPassages, has_files: Callable[[str], Awaitable[bool]]) -> None:
        """Look for each question from now on, in projects that have files."""
        self._find, self._has_files = find, has_files

    async def passages_for(self, answer: Message, project_id: str, window_tokens: int) -> EnclosedPassages | None:
        """Return the passages for the question of an answer; None for a project without files."""
        try:
            if self._find is None or not await self._has_files(project_id):
                return None
            question, earlier = await self._asked(answer)
            return await self._find(project_id, question, earlier, window_tokens)
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


async def _has_none(_project_id: str) -> bool:
    return False
