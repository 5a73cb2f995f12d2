"""Declares every setting once: default, limits, variable, help, and its words and place in the window.

The dialog, `docs/settings.md` and the checks are made from this. A setting is a field of ``Settings`` made by
``declared``; ``declaration.py`` describes its parts. ``Settings`` extends those of the service, and they those of the
window: each part has a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from chatdesk.core.settings.declaration import PAGES, InvalidValue, Setting, Shown, Value, declared, setting_of
from chatdesk.core.settings.tool_settings import ToolSettings

__all__ = ["PAGES", "InvalidValue", "Setting", "Settings", "Value", "all_settings"]

KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings(ToolSettings):
    """The values of all settings, always valid. Change one with ``dataclasses.replace`` or ``SettingsStore.save``."""

    provider: str = declared(
        "provider.name",
        "auto",
        "Provider of new threads: auto (the first that is ready), offline, or the id of a provider.",
        Shown("Providers", "New threads use", section="Models"),
        choices={"auto": "The first provider that is ready", "offline": "The offline demo"},
        is_open=True,
    )
    openai_base_url: str = declared(
        "provider.openai_base_url",
        "",
        "Address of an OpenAI-compatible server; empty is OpenAI itself.",
        Shown("Providers", "Address of OpenAI", hidden="the form of a provider"),
        env="OPENAI_BASE_URL",
        is_url=True,
    )
    openai_model: str = declared(
        "provider.openai_model",
        "",
        "Model of new threads; empty leaves the choice to the provider.",
        Shown("Providers", "Model of new threads", section="Models", empty="The provider's own choice"),
        env="CHATDESK_MODEL",
        is_reported=True,
    )
    openai_headers: Mapping[str, str] = declared(
        "provider.openai_headers",
        {},
        "More HTTP headers for that server. Put a key into the keyring or OPENAI_API_KEY, not here.",
        Shown("Providers", "Headers for OpenAI", hidden="the form of a provider"),
    )
    task_model: str = declared(
        "models.task",
        "",
        "Model for titles and summaries, as provider/model; empty is the thread's own model.",
        Shown("Providers", "Model for titles and summaries", section="Models", empty="The thread's own model"),
        is_model=True,
    )
    image_model: str = declared(
        "models.images",
        "",
        "Model offered for messages with pictures that the thread's own model cannot see, as provider/model; empty is "
        "none.",
        Shown("Providers", "Model for pictures", "Offered where a model sees none.", section="Models", empty="None"),
        is_model=True,
    )
    longest_answer: int = declared(
        "models.longest_answer",
        0,
        "Longest answer in tokens, where neither thread nor project says otherwise; 0 leaves it to the model.",
        Shown("Providers", "Longest answer", section="Models", unit="tokens", empty="The model's own limit"),
        env="AI_MAX_TOKENS",
        minimum=0,
        maximum=10_000_000,
    )
    prompt_cache: str = declared(
        "models.prompt_cache",
        "5m",
        "How long Anthropic's models keep the start of a thread, so that the next question costs less: 5m, 1h (storing "
        "it costs more), or off.",
        Shown(
            "Providers",
            "Keep the start of a thread for",
            "Makes follow-up questions to Claude cheaper.",
            section="Models",
        ),
        choices={"5m": "5 minutes", "1h": "1 hour", "off": "Do not keep it"},
    )
    connect_timeout_s: float = declared(
        "provider.connect_timeout_s",
        10.0,
        "Longest wait for a connection, in seconds.",
        Shown("Providers", "Wait for a connection", section="Slow servers", unit="seconds"),
        minimum=1,
        maximum=300,
    )
    first_byte_timeout_s: float = declared(
        "provider.first_byte_timeout_s",
        60.0,
        "Longest wait for an answer to begin, in seconds.",
        Shown(
            "Providers",
            "Wait for an answer to begin",
            "A large model on your own computer can need minutes to load.",
            section="Slow servers",
            unit="seconds",
        ),
        minimum=1,
        maximum=3600,
    )
    silence_timeout_s: float = declared(
        "provider.silence_timeout_s",
        60.0,
        "Longest silence within an answer, in seconds; after that the answer counts as broken off.",
        Shown("Providers", "Wait when an answer pauses", section="Slow servers", unit="seconds"),
        minimum=1,
        maximum=3600,
    )
    send_when_back: bool = declared(
        "provider.send_when_back",
        True,
        "Questions asked while you are offline: send them when the connection is back (true), or keep them until you "
        "try again (false).",
        Shown("General", "When you are offline", section="Messages"),
        choices={True: "Send when the connection is back", False: "Wait until you try again"},
    )
    answers_on_close: str = declared(
        "provider.answers_on_close",
        "end",
        "Answers that are being written when the window closes: end (they can be continued), or finish first, without "
        "a window.",
        Shown("General", "When you close the window during an answer", section="Messages"),
        choices={"end": "Stop, and continue it later", "finish": "Finish it first"},
    )
    offline_speed_tokens_per_s: float = declared(
        "provider.offline_speed_tokens_per_s",
        60.0,
        "How fast the offline demo writes, in tokens a second; 0 is as fast as possible.",
        Shown("Providers", "Speed of the offline demo", section="Offline demo", unit="tokens/s", empty="No limit"),
        minimum=0,
        maximum=100_000,
    )
    system_prompt: str = declared(
        "context.system_prompt",
        "",
        "Instructions (system prompt) for every thread that has none of its own and none from its project.",
        Shown(
            "General",
            "Instructions for all threads",
            "A project or thread with its own instructions uses those instead.",
            section="Writing",
            empty="For example: answer briefly, in British English.",
            also="custom instructions system prompt personality",
        ),
        is_multiline=True,
    )
    summaries: bool = declared(
        "context.summaries",
        True,
        "Summarise the oldest messages of long threads in the background. A thread or project can opt out.",
        Shown(
            "Context",
            "Summarise long threads",
            "Older messages are sent as a summary. The messages themselves stay.",
            section="Summaries",
        ),
    )
    summary_share: float = declared(
        "context.summary_share",
        0.75,
        "How full a model's context window is when the oldest messages are summarised; 0.75 is 75 %.",
        Shown("Context", "Summarise when the window is", section="Summaries", unit="% full", unit_size=0.01),
        minimum=0.3,
        maximum=0.95,
    )
    summary_cron: str = declared(
        "context.summary_cron",
        "",
        "When to summarise idle threads that will soon need it, as five cron fields such as 0 3 * * *; empty is never.",
        Shown(
            "Context", "Summarise idle threads ahead", "So that your next question does not wait.", section="Summaries"
        ),
        choices={
            "": "Never",
            "0 3 * * *": "Every night at 3:00",
            "0 12 * * *": "Every day at 12:00",
            "0 3 * * 0": "Every Sunday at 3:00",
            "0 * * * *": "Every hour",
        },
        env="SUMMARISE_CRON",
        is_open=True,
    )
    model_titles: bool = declared(
        "context.model_titles",
        True,
        "Titles of new threads: written by the model after the first answer (true), or the start of the question "
        "(false).",
        Shown("Context", "Titles of new threads", section="Titles"),
        choices={True: "Written by the model", False: "The start of the question"},
    )
    background_tokens_per_day: int = declared(
        "limits.background_tokens_per_day",
        0,
        "Most tokens a day for titles and summaries; 0 is no limit.",
        Shown("Context", "Limit for titles and summaries", section="Summaries", unit="tokens a day", empty="No limit"),
        minimum=0,
        maximum=1_000_000_000,
    )
    summary_cost_usd: float = declared(
        "limits.summary_cost_usd",
        0.05,
        "Summarising a thread asks first if it would cost more than this, in US dollars; 0 never asks.",
        Shown(
            "Context", "Ask before a summary costs more than", section="Summaries", unit="US dollars", empty="Never ask"
        ),
        minimum=0,
        maximum=10_000,
    )
    summary_tokens: int = declared(
        "limits.summary_tokens",
        100_000,
        "Summarising a thread asks first if it would take more tokens than this, whatever they cost; 0 never asks.",
        Shown("Context", "Ask before a summary takes more than", section="Summaries", unit="tokens", empty="Never ask"),
        minimum=0,
        maximum=1_000_000_000,
    )
    rate_limit: str = declared(
        "limits.rate",
        "",
        "Most messages in a stretch of time, such as 20/min, 5/10s or 200/day; further ones wait. Empty is no limit.",
        Shown(
            "Usage and limits",
            "Send at most",
            "For example 20/min or 200/day. Further messages wait their turn.",
            empty="No limit",
            also="rate",
        ),
        env="CHAT_RATE_LIMIT",
        is_rate=True,
    )
    scoped_rates: Mapping[str, str] = declared(
        "limits.rates",
        {},
        "The same for one provider or project: provider.ID or project.ID, and a rate such as 20/min. A message waits "
        "for all that concern it.",
        Shown("Usage and limits", "Send at most, by provider and project", hidden="the dialog of limits"),
        is_rate=True,
    )
    max_message_bytes: int = declared(
        "limits.max_message_bytes",
        MIB,
        "Largest message that can be sent, in bytes of UTF-8.",
        Shown("Usage and limits", "Longest message", unit="KB", unit_size=KIB),
        minimum=KIB,
        maximum=16 * MIB,
    )
    max_attachment_mb: int = declared(
        "limits.max_attachment_mb",
        20,
        "Largest file that can be attached, in MB.",
        Shown("Usage and limits", "Largest attached file", unit="MB"),
        minimum=1,
        maximum=200,
    )
    max_attachments: int = declared(
        "limits.max_attachments",
        20,
        "Most files that can go with one message.",
        Shown("Usage and limits", "Most files in a message", unit="files"),
        minimum=1,
        maximum=100,
    )
    max_message_attachments_mb: int = declared(
        "limits.max_message_attachments_mb",
        100,
        "Largest size of all files of one message together, in MB.",
        Shown("Usage and limits", "Largest size of all files in a message", unit="MB"),
        minimum=1,
        maximum=2_000,
    )
    max_day_attachments_mb: int = declared(
        "limits.max_day_attachments_mb",
        0,
        "Largest size of all files attached in a day together, in MB; 0 is no limit.",
        Shown("Usage and limits", "Largest size of all files in a day", unit="MB", empty="No limit"),
        minimum=0,
        maximum=1_000_000,
    )
    refused_attachments: str = declared(
        "limits.refused_attachments",
        "",
        "Kinds of files that cannot be attached, whatever their names say: types with commas, such as video/*.",
        Shown("Usage and limits", "Kinds of files kept out", "Such as video/*, application/zip.", empty="None"),
    )
    trash_days: int = declared(
        "limits.trash_days",
        30,
        "Days that deleted threads and messages stay in the trash.",
        Shown(
            "Data and backup",
            "Empty the trash after",
            section="Trash and archive",
            unit="days",
            also="deleted retention",
        ),
        minimum=1,
        maximum=3650,
    )
    archive_days: int = declared(
        "limits.archive_days",
        0,
        "Days after which archived threads move to the trash; 0 is never.",
        Shown(
            "Data and backup",
            "Move archived threads to the trash after",
            section="Trash and archive",
            unit="days",
            empty="Never",
        ),
        minimum=0,
        maximum=3650,
    )
    backups_daily: int = declared(
        "backups.daily",
        7,
        "Daily backups that are kept. One is made each day while a window is open.",
        Shown("Data and backup", "Keep a backup of each day for", section="Backups", unit="days"),
        minimum=1,
        maximum=365,
    )
    backups_weekly: int = declared(
        "backups.weekly",
        4,
        "Weeks before those days for which one backup each is kept.",
        Shown("Data and backup", "Before that, one of each week for", section="Backups", unit="weeks", empty="None"),
        minimum=0,
        maximum=520,
    )
    team_notifications: str = declared(
        "team.notifications",
        "names",
        "Notifications of others' messages while the window is not in front: off, names (who wrote, and in which "
        "thread), or the text too.",
        Shown("Team sync", "Notify about others' messages", "Only while the window is not in front."),
        choices={"off": "Never", "names": "With name and thread", "text": "With name, thread and text"},
    )
    log_level: str = declared(
        "diagnostics.log_level",
        "info",
        "How much goes into the log file, from the next start on.",
        Shown("Data and backup", "Detail of the log file", "From the next start on.", section="Log"),
        choices={"debug": "Everything", "info": "Normal", "warning": "Warnings and failures", "error": "Failures only"},
    )
    virus_scanner: str = declared(
        "attachments.virus_scanner",
        "",
        "clamd that scans files before they come in: the path of its socket, or host:port; empty scans nothing.",
        Shown(
            "Data and backup",
            "Virus scanner (clamd)",
            "Its socket, such as /run/clamav/clamd.ctl, or host:port.",
            section="Attached files",
            empty="None",
        ),
    )
    unscanned_files: str = declared(
        "attachments.unscanned_files",
        "refuse",
        "Files that the scanner does not answer about: refuse, or allow.",
        Shown("Data and backup", "When the scanner does not answer", section="Attached files"),
        choices={"refuse": "Keep files out", "allow": "Let files in"},
    )


def all_settings() -> tuple[Setting, ...]:
    """Return the declarations, in order."""
    return tuple(setting_of(each) for each in fields(Settings))
