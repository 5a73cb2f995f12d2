"""Declares every setting once: default, limits, variable, help, and its words and place in the window.

The dialog, `docs/settings.md` and the checks are made from this. A setting is a field of ``Settings`` made by
``declared``; ``declaration.py`` describes its parts. ``Settings`` extends those of summaries, these those
of tools, of the service and of the window: each part has a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cache

from chatdesk.core.settings.context_settings import ContextSettings
from chatdesk.core.settings.declaration import PAGES, InvalidValue, Setting, Shown, Trial, Value, declared, setting_of
from chatdesk.core.texts import Text

__all__ = ["PAGES", "InvalidValue", "Setting", "Settings", "Value", "all_settings"]

KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings(ContextSettings):
    """The values of all settings, always valid. Change one with ``dataclasses.replace`` or ``SettingsStore.save``."""

    provider: str = declared(
        "provider.name",
        "auto",
        "Provider of new threads: auto (the first one that is ready), offline (the offline demo) or the id of a "
        "provider.",
        Shown("Providers", Text("New threads use"), section=Text("Models")),
        choices={"auto": Text("The first provider that is ready"), "offline": Text("The offline demo")},
        is_open=True,
    )
    openai_base_url: str = declared(
        "provider.openai_base_url",
        "",
        "Address of an OpenAI-compatible server; empty means OpenAI itself.",
        Shown("Providers", Text("Address of OpenAI"), hidden="the form of a provider"),
        env="OPENAI_BASE_URL",
        is_url=True,
    )
    openai_model: str = declared(
        "provider.openai_model",
        "",
        "Model of new threads; empty lets the provider choose.",
        Shown(
            "Providers", Text("Model of new threads"), section=Text("Models"), empty=Text("The provider's own choice")
        ),
        env="CHATDESK_MODEL",
        is_reported=True,
    )
    openai_headers: Mapping[str, str] = declared(
        "provider.openai_headers",
        {},
        "Additional HTTP headers for the server of provider.openai_base_url. Keys belong in the keyring or in "
        "OPENAI_API_KEY, not here.",
        Shown("Providers", Text("Headers for OpenAI"), hidden="the form of a provider"),
    )
    task_model: str = declared(
        "models.task",
        "",
        "Model that writes titles and summaries, as provider/model; empty means the thread's own model.",
        Shown(
            "Providers",
            Text("Model for titles and summaries"),
            section=Text("Models"),
            empty=Text("The thread's own model"),
        ),
        is_model=True,
    )
    image_tool: bool = declared(
        "models.image_tool",
        False,
        "Let models of providers with the Responses protocol draw with their vendor's image tool. Vendors do not "
        "report what drawing costs, so limits do not count it.",
        Shown(
            "Providers",
            Text("Let models draw with their vendor's image tool"),
            Text("Responses protocol only; no limit sees what drawing costs."),
            section=Text("Models"),
        ),
        trial=Trial("the maintainers of the providers", date(2027, 6, 30)),
    )
    image_model: str = declared(
        "models.images",
        "",
        "Model to offer when a message has pictures that the thread's own model cannot see, as provider/model; empty "
        "means none.",
        Shown(
            "Providers",
            Text("Model for pictures"),
            Text("Offered where a model sees none."),
            section=Text("Models"),
            empty=Text("None"),
        ),
        is_model=True,
    )
    longest_answer: int = declared(
        "models.longest_answer",
        0,
        "Longest answer in tokens, unless the thread or its project sets its own; 0 means the model's own limit.",
        Shown(
            "Providers",
            Text("Longest answer"),
            section=Text("Models"),
            unit=Text("tokens"),
            empty=Text("The model's own limit"),
        ),
        env="AI_MAX_TOKENS",
        minimum=0,
        maximum=10_000_000,
    )
    prompt_cache: str = declared(
        "models.prompt_cache",
        "5m",
        "How long Anthropic's models keep the start of a thread, which makes the next question cheaper: 5m, 1h "
        "(storing it costs more) or off.",
        Shown(
            "Providers",
            Text("Keep the start of a thread for"),
            Text("Makes follow-up questions to Claude cheaper."),
            section=Text("Models"),
        ),
        choices={"5m": Text("5 minutes"), "1h": Text("1 hour"), "off": Text("Do not keep it")},
    )
    connect_timeout_s: float = declared(
        "provider.connect_timeout_s",
        10.0,
        "Longest wait for a connection, in seconds.",
        Shown("Providers", Text("Wait for a connection"), section=Text("Slow servers"), unit=Text("seconds")),
        minimum=1,
        maximum=300,
    )
    first_byte_timeout_s: float = declared(
        "provider.first_byte_timeout_s",
        60.0,
        "Longest wait for an answer to begin, in seconds.",
        Shown(
            "Providers",
            Text("Wait for an answer to begin"),
            Text("Servers on this computer and in the local network get ten times as long."),
            section=Text("Slow servers"),
            unit=Text("seconds"),
        ),
        minimum=1,
        maximum=3600,
    )
    silence_timeout_s: float = declared(
        "provider.silence_timeout_s",
        60.0,
        "Longest pause within an answer, in seconds; after that the answer counts as broken off.",
        Shown("Providers", Text("Wait when an answer pauses"), section=Text("Slow servers"), unit=Text("seconds")),
        minimum=1,
        maximum=3600,
    )
    send_when_back: bool = declared(
        "provider.send_when_back",
        True,
        "What happens to questions that you ask while you are offline. If true, they are sent when the connection is "
        "back. If false, they wait until you try again.",
        Shown("General", Text("When you are offline"), section=Text("Messages")),
        choices={True: Text("Send once you are online"), False: Text("Wait until you try again")},
    )
    answers_on_close: str = declared(
        "provider.answers_on_close",
        "end",
        "What happens to an answer that is being written when the window closes: end (it stops and can be continued) "
        "or finish (it is finished first, without a window).",
        Shown("General", Text("When you close the window during an answer"), section=Text("Messages")),
        choices={"end": Text("Stop, and continue it later"), "finish": Text("Finish it first")},
    )
    offline_speed_tokens_per_s: float = declared(
        "provider.offline_speed_tokens_per_s",
        60.0,
        "How fast the offline demo writes, in tokens a second; 0 is as fast as possible.",
        Shown(
            "Providers",
            Text("Speed of the offline demo"),
            section=Text("Offline demo"),
            unit=Text("tokens/s"),
            empty=Text("No limit"),
        ),
        minimum=0,
        maximum=100_000,
    )
    system_prompt: str = declared(
        "context.system_prompt",
        "",
        "Instructions (system prompt) for every thread that has none of its own and none from its project.",
        Shown(
            "General",
            Text("Instructions for all threads"),
            Text("A project or thread with its own instructions uses those instead."),
            section=Text("Writing"),
            empty=Text("For example: answer briefly, in British English."),
            also=Text("custom instructions system prompt personality"),
        ),
        is_multiline=True,
    )
    rate_limit: str = declared(
        "limits.rate",
        "",
        "Most messages in a period, such as 20/min, 5/10s or 200/day; further messages wait. Empty means no limit.",
        Shown(
            "Usage and limits",
            Text("Send at most"),
            Text("For example 20/min or 200/day. Further messages wait their turn."),
            empty=Text("No limit"),
            also=Text("rate"),
        ),
        env="CHAT_RATE_LIMIT",
        is_rate=True,
    )
    scoped_rates: Mapping[str, str] = declared(
        "limits.rates",
        {},
        "Limits like limits.rate for one provider or project: provider.ID or project.ID with a rate such as 20/min. A "
        "message waits for every limit that applies to it.",
        Shown("Usage and limits", Text("Send at most, by provider and project"), hidden="the dialog of limits"),
        is_rate=True,
    )
    max_message_bytes: int = declared(
        "limits.max_message_bytes",
        MIB,
        "Largest message that can be sent, in bytes of UTF-8.",
        Shown("Usage and limits", Text("Longest message"), unit="KB", unit_size=KIB),
        minimum=KIB,
        maximum=16 * MIB,
    )
    max_attachment_mb: int = declared(
        "limits.max_attachment_mb",
        20,
        "Largest file that can be attached, in MB.",
        Shown("Usage and limits", Text("Largest attached file"), unit="MB"),
        minimum=1,
        maximum=200,
    )
    max_attachments: int = declared(
        "limits.max_attachments",
        20,
        "Most files in one message.",
        Shown("Usage and limits", Text("Most files in a message"), unit=Text("files")),
        minimum=1,
        maximum=100,
    )
    max_message_attachments_mb: int = declared(
        "limits.max_message_attachments_mb",
        100,
        "Largest total size of the files in one message, in MB.",
        Shown("Usage and limits", Text("Largest size of all files in a message"), unit="MB"),
        minimum=1,
        maximum=2_000,
    )
    max_day_attachments_mb: int = declared(
        "limits.max_day_attachments_mb",
        0,
        "Largest total size of the files attached in one day, in MB; 0 means no limit.",
        Shown("Usage and limits", Text("Largest size of all files in a day"), unit="MB", empty=Text("No limit")),
        minimum=0,
        maximum=1_000_000,
    )
    refused_attachments: str = declared(
        "limits.refused_attachments",
        "",
        "Kinds of files that cannot be attached: MIME types separated by commas, such as video/*. The content of a "
        "file decides, not its name.",
        Shown(
            "Usage and limits",
            Text("Kinds of files kept out"),
            Text("Such as video/*, application/zip."),
            empty=Text("None"),
        ),
    )
    trash_days: int = declared(
        "limits.trash_days",
        30,
        "How many days deleted threads and messages stay in the trash.",
        Shown(
            "Data and backup",
            Text("Empty the trash after"),
            section=Text("Trash and archive"),
            unit=Text("days"),
            also=Text("deleted retention"),
        ),
        minimum=1,
        maximum=3650,
    )
    archive_days: int = declared(
        "limits.archive_days",
        0,
        "After how many days archived threads move to the trash; 0 means never.",
        Shown(
            "Data and backup",
            Text("Move archived threads to the trash after"),
            section=Text("Trash and archive"),
            unit=Text("days"),
            empty=Text("Never"),
        ),
        minimum=0,
        maximum=3650,
    )
    backups_daily: int = declared(
        "backups.daily",
        7,
        "How many daily backups are kept. One is made each day while a window is open.",
        Shown("Data and backup", Text("Keep a backup of each day for"), section=Text("Backups"), unit=Text("days")),
        minimum=1,
        maximum=365,
    )
    backups_weekly: int = declared(
        "backups.weekly",
        4,
        "For how many weeks before the daily backups one backup of each week is kept.",
        Shown(
            "Data and backup",
            Text("Before that, one of each week for"),
            section=Text("Backups"),
            unit=Text("weeks"),
            empty=Text("None"),
        ),
        minimum=0,
        maximum=520,
    )
    team_notifications: str = declared(
        "team.notifications",
        "names",
        "Notify you of other members' messages while the window is not in front: off, names (who wrote, and in which "
        "thread) or text (the message as well).",
        Shown("Team sync", Text("Notify about others' messages"), Text("Only while the window is not in front.")),
        choices={
            "off": Text("Never"),
            "names": Text("With name and thread"),
            "text": Text("With name, thread and text"),
        },
    )
    log_level: str = declared(
        "diagnostics.log_level",
        "info",
        "How much is written to the log file. Takes effect at the next start.",
        Shown("Data and backup", Text("Detail of the log file"), Text("From the next start on."), section=Text("Log")),
        choices={
            "debug": Text("Everything"),
            "info": Text("Normal"),
            "warning": Text("Warnings and failures"),
            "error": Text("Failures only"),
        },
    )
    virus_scanner: str = declared(
        "attachments.virus_scanner",
        "",
        "The clamd that scans files before they are stored: the path of its socket, or host:port; empty means that no "
        "file is scanned.",
        Shown(
            "Data and backup",
            Text("Virus scanner (clamd)"),
            Text("Its socket, such as /run/clamav/clamd.ctl, or host:port."),
            section=Text("Attached files"),
            empty=Text("None"),
        ),
    )
    unscanned_files: str = declared(
        "attachments.unscanned_files",
        "refuse",
        "What happens to files when the scanner does not answer: refuse or allow.",
        Shown("Data and backup", Text("When the scanner does not answer"), section=Text("Attached files")),
        choices={"refuse": Text("Keep files out"), "allow": Text("Let files in")},
    )


@cache
def all_settings() -> tuple[Setting, ...]:
    """Return the declarations, in order."""
    return tuple(setting_of(each) for each in fields(Settings))
