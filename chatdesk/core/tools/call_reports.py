"""Delivers the reports of servers while their tools run: the progress of a call, and requests to a person."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.texts import Text, shortened, shown

_log = logging.getLogger(__name__)

_LONGEST_WORDS: Final = 200
_SHOWN_WORDS: Final = 40

# Receives the progress of a call, in words.
OnProgress = Callable[[str], None]
# Answers a server's request (``host/requests.py``), given as kind and values, with an action and its content.
OnRequest = Callable[[str, tuple[Any, ...]], Awaitable[tuple[str, Any]]]


@dataclass(frozen=True, slots=True)
class CallHooks:
    """The callbacks of the caller of a tool. Without ``on_request`` every request of a server is declined."""

    on_progress: OnProgress | None = None
    on_request: OnRequest | None = None


NO_HOOKS: Final = CallHooks()


@dataclass(slots=True, eq=False)
class _Call:
    hooks: CallHooks
    asked: dict[int, asyncio.Task[None]] = field(default_factory=dict)


class CallReports:
    """The reports and requests of servers during calls. ``answer`` sends an answer back: the number of the request, an
    action and its values."""

    def __init__(self, answer: Callable[[int, str, Any], None]) -> None:
        self._answer = answer
        self._calls: dict[int, _Call] = {}

    def start(self, number: int, hooks: CallHooks) -> None:
        """Deliver the reports of a call to ``hooks`` from now on."""
        self._calls[number] = _Call(hooks)

    def end(self, number: int) -> None:
        """Deliver nothing more of a call, and cancel the requests of its server."""
        call = self._calls.pop(number, None)
        for task in call.asked.values() if call is not None else ():
            task.cancel()

    def receive(self, kind: str, number: int, values: list[Any]) -> None:
        """Deliver one report."""
        call = self._calls.get(number)
        if kind == "asked":
            asked, what, row = values
            if call is None or call.hooks.on_request is None:
                self._answer(asked, "decline", None)
                return
            task = call.asked[asked] = asyncio.ensure_future(self._ask(call.hooks.on_request, asked, what, row))
            task.add_done_callback(lambda _task: call.asked.pop(asked, None))
        elif kind == "withdrawn" and call is not None and values[0] in call.asked:
            call.asked[values[0]].cancel()
        elif kind == "progress" and call is not None and call.hooks.on_progress is not None:
            call.hooks.on_progress(progress_text(*values))

    async def _ask(self, on_request: OnRequest, asked: int, kind: str, row: tuple[Any, ...]) -> None:
        action, content = "cancel", None
        try:
            action, content = await on_request(kind, row)
        except Exception:  # noqa: BLE001 - a mistake of ours costs this request, not the call
            _log.exception("what a server asked for could not be answered")
        finally:
            self._answer(asked, str(action), content)


def progress_text(progress: float, total: float | None, message: str) -> str:
    """Return the progress of a call as text: the share that is done, where the server names a total, and its
    message."""
    is_share = total and 0 <= progress <= total < math.inf
    share = Text("{percent}%", percent=round(100 * (progress / total))) if total and is_share else ""
    words = shortened(clean_line(message[:_LONGEST_WORDS]), _SHOWN_WORDS)
    return " · ".join(filter(None, (shown(share), words)))
