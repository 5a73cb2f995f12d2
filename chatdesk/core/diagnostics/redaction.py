"""Removes keys, tokens and message text from everything that is written for diagnosis.

Logs are meant to hold ids and sizes only; this is the second line of defence. It works in two ways: secrets of known
forms and every registered value are blanked in any text, and values that may contain a person's words (long or
multi-line strings, objects) are never written.
"""

from __future__ import annotations

import re
import threading
import traceback
from enum import Enum
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from chatdesk.core.domain.echoed_secrets import EchoedSecrets
from chatdesk.core.errors import ChatDeskError

BLANK = "[redacted]"

_LONGEST_WORD = 120
_SHORTEST_SECRET = 4
# Every repetition that something must follow is bounded, or a long line would cost quadratic time.
_PATTERNS = (
    re.compile(r"(?i)\b(?:bearer|basic)\s{1,9}[^\s'\",;)}\]]{4,}"),
    re.compile(
        r"(?i)(?:authorization|api[-_ ]?key|access[-_]?token|auth[-_]?token|secret|passw(?:or)?d)[\w-]{0,40}"
        r"\\?['\"]?\s{0,9}[:=,]\s{0,9}(?:b?\\?['\"][^'\"]*['\"]|[^\s'\",;)}\]]+)"
    ),
    re.compile(r"(?<![A-Za-z0-9])(?:sk|pk|rk)-[A-Za-z0-9_-]{6,}"),  # OpenAI, Anthropic and those who copy them
    re.compile(r"(?<![A-Za-z0-9])(?:gh[pousr]_|github_pat_|glpat-|hf_|gsk_|xox[a-z]-|AKIA|AIza)[A-Za-z0-9_-]{8,}"),
    re.compile(r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_.-]+"),  # JSON web tokens
    re.compile(r"(?<=chatdesk)(?:-|://)(?:join|computer)[:/][\w.-]+"),  # invitations, which let their holder join
    re.compile(r"SCRAM-SHA-256\$[^\s'\"]+"),  # a server's stored verifier of a password
    re.compile(r"(?<=://)[^/\s@'\"]+(?=@)"),  # user:password@ in addresses
)
# Errors of the language itself talk about code. Anything else may quote what a person or a model wrote.
_SPEAK_OF_CODE = (
    AttributeError,
    ImportError,
    IndexError,
    NameError,
    RecursionError,
    RuntimeError,
    TypeError,
)


class Redactor:
    """Blanks the secrets of this run. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: tuple[str, ...] = ()
        self._echoed = EchoedSecrets(())

    def register_secret(self, value: str) -> None:
        """Blank ``value`` from now on wherever it occurs, also quoted, in capitals or split."""
        stripped = value.strip()
        if len(stripped) < _SHORTEST_SECRET:
            return
        with self._lock:
            known = {*self._secrets, stripped, quote(stripped, safe="")}
            self._secrets = tuple(sorted(known, key=len, reverse=True))  # the longest first: one may contain another
            self._echoed = EchoedSecrets(known)

    def redact(self, text: str) -> str:
        """Return ``text`` without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, BLANK)
        text = self._echoed.hide(text, BLANK)
        for pattern in _PATTERNS:
            text = pattern.sub(BLANK, text)
        return text

    def describe(self, value: object) -> object:
        """Return ``value`` as it may be in a log line: numbers, ids, names and paths, all else by kind and size."""
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, Enum):
            return str(value.value)
        if isinstance(value, (str, Path)):
            text = str(value)
            if len(text) > _LONGEST_WORD or "\n" in text:
                return f"<{len(text)} characters>"
            return self.redact(text)
        if isinstance(value, (bytes, bytearray, list, tuple, set, frozenset, dict)):
            return f"<{type(value).__name__} of {len(value)}>"
        if isinstance(value, BaseException):
            return self.describe_error(value)
        own_id = getattr(value, "id", None)
        return f"<{type(value).__name__} {own_id}>" if isinstance(own_id, str) else f"<{type(value).__name__}>"

    def describe_error(self, error: BaseException) -> str:
        """Return the type of an exception, with its text only if that cannot contain a person's words."""
        name = type(error).__name__
        if isinstance(error, ChatDeskError):
            text = error.what
        elif isinstance(error, OSError):
            text = error.strerror or ""
        elif isinstance(error, _SPEAK_OF_CODE):
            text = str(error)
        else:
            return f"{name} <{len(str(error))} characters>"
        if len(text) > 2 * _LONGEST_WORD or "\n" in text:
            return f"{name} <{len(text)} characters>"
        return self.redact(f"{name}: {text}") if text else name

    def describe_traceback(self, error: BaseException, trace: TracebackType | None = None) -> str:
        """Return frames and types of an error and its causes, oldest cause first; no locals, no foreign exception
        text."""
        seen: set[int] = set()
        blocks: list[str] = []
        current: BaseException | None = error
        while current is not None and id(current) not in seen and len(blocks) < 10:
            seen.add(id(current))
            frames = traceback.format_tb(trace if current is error and trace else current.__traceback__, limit=-50)
            inner = [self.describe_error(each) for each in getattr(current, "exceptions", ())]
            lines = ["Traceback (most recent call last):\n", *frames, self.describe_error(current) + "\n"]
            blocks.append("".join([*lines, *(f"  | {each}\n" for each in inner)]))
            current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        return self.redact("\nThis led to:\n\n".join(reversed(blocks)))


# Secrets belong to the process: any module that learns one must be able to register it, and all logs must obey.
process_redactor = Redactor()


def register_secret(value: str) -> None:
    """Blank ``value`` in everything this process writes for diagnosis."""
    process_redactor.register_secret(value)
