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
FindPassages = Callable[[str, str, str, int], Awaitable[EnclosedPassages | None]]


class ProjectFiles:
    """Finds nothing until ``use`` says how to look."""

    def __init__(self, messages: MessageRepository) -> None:
        self._messages = messages
        self._find: FindPassages | None = None

    def use(self, find: FindPassages) -> None:
        """Look for each question from now on."""
        self._find = find

    async def passages_for(self, answer: Message, project_id: str, window_tokens: int) -> EnclosedPassages | None:
        """Return the passages for the question of an answer; None for a project without files."""
        if self._find is None:
            return None
        asked: list[str] = []
        message_id = answer.parent_id
        while message_id is not None and len(asked) < 2:
            message = await self._messages.get(message_id)
            if message.role is Role.USER:
                asked.append(message.text)
            message_id = message.parent_id
        question, earlier = (*asked, "", "")[:2]
        try:
            return await self._find(project_id, question, earlier, window_tokens)
        except StorageError as error:  # the question is worth more than its passages
            _log.warning("the files of the project could not be searched: %s", error.what)
            return None
