"""Describes the tools of one answer, their limits, and the place of the answer in a thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from chatdesk.core.attachments.answer_pictures import KeepFile as KeepFile
from chatdesk.core.chat.tool_calls.earlier_steps import EarlierSteps
from chatdesk.core.chat.tool_calls.person_requests import PersonRequests
from chatdesk.core.domain.tools import Caller, ToolServer
from chatdesk.core.providers.base import ChatRequest
from chatdesk.core.tools.tool_service import ToolService


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """The limits on the use of tools in one answer: requests to the model, minutes, dollars as far as prices are known
    (0: no limit), and seconds for one call."""

    steps: int = 25
    minutes: float = 10.0
    dollars: float = 0.0
    call_s: float = 60.0


# Counts a further request of an answer. Raises ``LimitReached`` where it must not be made.
Admit = Callable[["ChatRequest"], Awaitable[None]]


async def _no_limits(_request: ChatRequest) -> None:
    """Let every request pass, where nothing counts them."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """The tools of one answer: ``servers`` behind ``tools``. ``keep`` stores files of results; None: they are dropped,
    because the answer is not stored. ``requests`` answers servers' requests; None: they are refused. ``admit`` is asked
    before each request but the first."""

    servers: tuple[ToolServer, ...]
    tools: ToolService
    keep: KeepFile | None = None
    requests: PersonRequests | None = None
    admit: Admit = _no_limits


@dataclass(frozen=True, slots=True)
class Place:
    """Names the thread, the project and the message in which an answer is written, and says whether the thread has text
    of others; ``earlier`` is the answer so far. ``answers`` names the author for the parts of calls: ``provider``,
    ``model`` and ``agent``, the name of an assistant, if there is one."""

    thread_id: str
    project_id: str
    message_id: str
    has_outside_text: bool = False
    earlier: EarlierSteps = field(default_factory=EarlierSteps)
    answers: Mapping[str, str] = field(default_factory=dict)

    def caller(self, *, keeps_files: bool) -> Caller:
        """Return the caller of the tools of this answer."""
        return Caller(
            self.thread_id, self.project_id, keeps_files=keeps_files, provider=self.answers.get("provider", "")
        )
