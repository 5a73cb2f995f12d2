"""Every setting, declared once: name, type, default, limits, variable and help. Dialog, documents and checks follow.

A setting is a field of ``Settings`` made by ``declared``. Values are always valid: ``Setting.checked`` turns whatever
stood in a file or a variable into a value or a reason why not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

Value = str | bool | int | float | Mapping[str, str]

KIB = 1024
MIB = 1024 * KIB


class InvalidValue(ValueError):
    """A value that a setting cannot take; the text says why, for a person."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known about one setting. ``key`` is its place in the file, ``section.name``."""

    name: str
    key: str
    help: str
    default: Value
    kind: type
    env: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    is_url: bool = False
    is_rate: bool = False

    def checked(self, value: object) -> Value:
        """``value`` as this setting's type, or ``InvalidValue``."""
        if self.kind is dict:
            return _checked_mapping(value)
        if self.kind is bool:
            if not isinstance(value, bool):
                raise InvalidValue("it must be true or false")
            return value
        if self.kind is str:
            return self._checked_text(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise InvalidValue("it must be a number")
        return self._checked_number(value)

    def parsed(self, text: str) -> Value:
        """The value that an environment variable holds."""
        stripped = text.strip()
        if self.kind is bool:
            if stripped.lower() in ("1", "true", "yes", "on"):
                return True
            if stripped.lower() in ("0", "false", "no", "off"):
                return False
            raise InvalidValue("it must be true or false")
        if self.kind is str:
            return self.checked(stripped)
        if self.kind is dict:
            return self.checked(dict(_header_pair(line) for line in stripped.splitlines() if line.strip()))
        try:
            return self.checked(float(stripped))
        except ValueError as error:
            raise error if isinstance(error, InvalidValue) else InvalidValue("it must be a number") from None

    def _checked_text(self, value: object) -> str:
        if not isinstance(value, str):
            raise InvalidValue("it must be text")
        if self.choices and value not in self.choices:
            raise InvalidValue("it must be one of " + ", ".join(self.choices))
        if any(ord(character) < 32 for character in value):
            raise InvalidValue("it must be one line")
        if self.is_url and value:
            _check_url(value)
        if self.is_rate and value:
            _check_rate(value)
        return value

    def _checked_number(self, value: float) -> int | float:
        if self.minimum is not None and value < self.minimum:
            raise InvalidValue(f"it must be at least {self.minimum:g}")
        if self.maximum is not None and value > self.maximum:
            raise InvalidValue(f"it must be at most {self.maximum:g}")
        if self.kind is float:
            return float(value)
        if value != int(value):
            raise InvalidValue("it must be a whole number")
        return int(value)


def declared(key: str, default: Value, help: str, **more: Any) -> Any:  # noqa: A002 - reads well where it is used
    """A field of ``Settings``."""
    metadata = {"key": key, "help": help, **more}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata={**metadata, "default": default})
    return field(default=default, metadata={**metadata, "default": default})


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with valid values. Change one with ``dataclasses.replace`` or ``SettingsStore.save``."""

    theme: str = declared(
        "appearance.theme",
        "system",
        "Colours: as the system, light, dark, or either of them with high contrast.",
        choices=("system", "light", "dark", "light-contrast", "dark-contrast"),
    )
    text_scale: float = declared(
        "appearance.text_scale",
        1.0,
        "Size of all text, 1 being normal.",
        minimum=0.75,
        maximum=2.0,
    )
    motion: str = declared(
        "accessibility.motion",
        "system",
        "Movement on the screen: as the system, full, or none.",
        choices=("system", "full", "none"),
    )
    read_answers: str = declared(
        "accessibility.read_answers",
        "off",
        "What a screen reader says of an answer besides its start and end: nothing, all of it at the end, or each "
        "sentence as it comes.",
        choices=("off", "end", "sentences"),
    )
    send_on_enter: bool = declared(
        "composer.send_on_enter",
        True,
        "Enter sends and Shift+Enter begins a new line; when false, Ctrl+Enter sends.",
    )
    shortcuts: Mapping[str, str] = declared(
        "keyboard.shortcuts",
        {},
        "Keys that were changed: a command and its keys, several with a semicolon and a space between; empty is none.",
    )
    plain_user_messages: bool = declared(
        "transcript.plain_user_messages",
        False,
        "Your own messages are shown as you wrote them; when false, as Markdown like the answers.",
    )
    delete_messages: str = declared(
        "transcript.delete_messages",
        "ask",
        "What deleting a message that others follow takes along: ask each time, only this message, or the later ones "
        "too.",
        choices=("ask", "only", "later"),
    )
    provider: str = declared(
        "provider.name",
        "auto",
        "Who answers in a new thread: auto, offline, or the id of a provider; auto is the first that has all it needs.",
    )
    openai_base_url: str = declared(
        "provider.openai_base_url",
        "",
        "Address of an OpenAI-compatible server; empty is OpenAI's own.",
        env="OPENAI_BASE_URL",
        is_url=True,
    )
    openai_model: str = declared(
        "provider.openai_model",
        "",
        "Model for new threads; empty is the provider's own choice.",
        env="CHATDESK_MODEL",
    )
    openai_headers: Mapping[str, str] = declared(
        "provider.openai_headers",
        {},
        "More HTTP headers for that server. For a key use the keyring or OPENAI_API_KEY, not this.",
    )
    connect_timeout_s: float = declared(
        "provider.connect_timeout_s",
        10.0,
        "Seconds to wait for a connection.",
        minimum=1,
        maximum=300,
    )
    first_byte_timeout_s: float = declared(
        "provider.first_byte_timeout_s",
        60.0,
        "Seconds to wait for an answer to begin.",
        minimum=1,
        maximum=3600,
    )
    silence_timeout_s: float = declared(
        "provider.silence_timeout_s",
        60.0,
        "Seconds without new text before an answer counts as broken off.",
        minimum=1,
        maximum=3600,
    )
    send_when_back: bool = declared(
        "provider.send_when_back",
        True,
        "Questions that could not be sent for want of a connection are sent by themselves once it is back.",
    )
    answers_on_close: str = declared(
        "provider.answers_on_close",
        "end",
        "What becomes of answers that are being written when the window closes: they end and can be continued, or they "
        "are finished first, without a window.",
        choices=("end", "finish"),
    )
    offline_speed_tokens_per_s: float = declared(
        "provider.offline_speed_tokens_per_s",
        60.0,
        "How fast the offline provider writes; 0 is as fast as possible.",
        minimum=0,
        maximum=100_000,
    )
    system_prompt: str = declared(
        "context.system_prompt",
        "",
        "System prompt of threads that have none, in projects that have none.",
    )
    summaries: bool = declared(
        "context.summaries",
        True,
        "The oldest messages of long threads are summarised in the background; a thread or project can be left out.",
    )
    summary_share: float = declared(
        "context.summary_share",
        0.75,
        "How full a model's window is when the oldest messages are summarised.",
        minimum=0.3,
        maximum=0.95,
    )
    summary_cron: str = declared(
        "context.summary_cron",
        "",
        "When idle threads are summarised that will need it, as five cron fields such as 0 3 * * *; empty is never.",
        env="SUMMARISE_CRON",
    )
    model_titles: bool = declared(
        "context.model_titles",
        True,
        "After a thread's first answer its model is asked for a title; when false, it is the question's beginning.",
    )
    background_tokens_per_day: int = declared(
        "limits.background_tokens_per_day",
        0,
        "Most tokens a day for what nobody waits for, summaries and titles; 0 is no limit.",
        minimum=0,
        maximum=1_000_000_000,
    )
    rate_limit: str = declared(
        "limits.rate",
        "",
        "Most messages in any stretch of time, such as 20/min, 5/10s or 200/day; more wait. Empty is no limit.",
        env="CHAT_RATE_LIMIT",
        is_rate=True,
    )
    max_message_bytes: int = declared(
        "limits.max_message_bytes",
        MIB,
        "Largest message that can be sent, in bytes of UTF-8.",
        minimum=KIB,
        maximum=16 * MIB,
    )
    max_attachment_mb: int = declared(
        "limits.max_attachment_mb",
        20,
        "Largest file that can be attached, in MB.",
        minimum=1,
        maximum=200,
    )
    trash_days: int = declared(
        "limits.trash_days",
        30,
        "Days that deleted threads and messages can be restored.",
        minimum=1,
        maximum=3650,
    )
    archive_days: int = declared(
        "limits.archive_days",
        0,
        "Days after which archived threads move to the trash; 0 is never.",
        minimum=0,
        maximum=3650,
    )
    backups_daily: int = declared(
        "backups.daily",
        7,
        "Daily backups that are kept; a window that is open makes one a day.",
        minimum=1,
        maximum=365,
    )
    backups_weekly: int = declared(
        "backups.weekly",
        4,
        "Weeks before those of which the last backup is kept.",
        minimum=0,
        maximum=520,
    )
    team_notifications: str = declared(
        "team.notifications",
        "names",
        "Notifications of what others write while the window is not in front: none, who wrote in which thread, or the "
        "text too.",
        choices=("off", "names", "text"),
    )
    log_level: str = declared(
        "diagnostics.log_level",
        "info",
        "How much goes into the log file.",
        choices=("debug", "info", "warning", "error"),
    )


def all_settings() -> tuple[Setting, ...]:
    """The declarations, in order."""
    return tuple(_describe(name, default_type, dict(data)) for name, default_type, data in _fields())


def _fields() -> list[tuple[str, type, Mapping[str, Any]]]:
    return [(each.name, type(each.metadata["default"]), each.metadata) for each in fields(Settings)]


def _describe(name: str, kind: type, data: dict[str, Any]) -> Setting:
    return Setting(name=name, kind=kind, env=data.pop("env", f"CHATDESK_{name.upper()}"), **data)


def _checked_mapping(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise InvalidValue('it must be a table of names and texts, such as {"X-Team" = "blue"}')
    for key, text in value.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise InvalidValue("names and values must be text")
        if not re.fullmatch(r"[A-Za-z0-9._-]+", key):
            raise InvalidValue("a name has letters, digits, dots and hyphens only")
        if any(ord(character) < 32 for character in text):
            raise InvalidValue("a value must be one line")
    return {str(key): str(text) for key, text in value.items()}


def _header_pair(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise InvalidValue("each line must look like 'Name: value'")
    return name.strip(), value.strip()


def _check_rate(value: str) -> None:
    from chatdesk.core.domain.limits import InvalidRate, parse_rate  # rarely there, and a start is short of time

    try:
        parse_rate(value)
    except InvalidRate as error:
        raise InvalidValue(str(error)) from None


def _check_url(value: str) -> None:
    try:
        parts = urlsplit(value)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_valid = False
    if not is_valid:
        raise InvalidValue("it must begin with https:// or http:// and name a server")
    if parts.username or parts.password:
        raise InvalidValue("it must not contain a password; use the keyring or OPENAI_API_KEY")
