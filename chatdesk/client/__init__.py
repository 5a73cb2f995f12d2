"""A client of ChatDesk's local service: ``Client``, or ``AsyncClient`` for asyncio.

It needs httpx2 alone: nothing of the window, and nothing else of ChatDesk, is imported with it.
"""

from chatdesk.client.async_client import AsyncAnswer, AsyncClient
from chatdesk.client.client import Answer, Client
from chatdesk.client.errors import (
    AnswerFailed,
    BadToken,
    ClientError,
    Conflict,
    InvalidRequest,
    NotAllowed,
    NotFound,
    NotRunning,
    Problem,
    ServiceFailed,
    TooLarge,
    TooMany,
    Unreachable,
)
from chatdesk.client.forms import Asked, Message, MessagePage, Part, Project, Ready, Thread, ThreadPage, Usage
from chatdesk.client.policy import Retries

__all__ = [
    "Answer",
    "AnswerFailed",
    "Asked",
    "AsyncAnswer",
    "AsyncClient",
    "BadToken",
    "Client",
    "ClientError",
    "Conflict",
    "InvalidRequest",
    "Message",
    "MessagePage",
    "NotAllowed",
    "NotFound",
    "NotRunning",
    "Part",
    "Problem",
    "Project",
    "Ready",
    "Retries",
    "ServiceFailed",
    "Thread",
    "ThreadPage",
    "TooLarge",
    "TooMany",
    "Unreachable",
    "Usage",
]
