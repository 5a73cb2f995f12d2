"""Defines tool servers, their tools, their calls, and a person's permissions.

Servers and permissions are in the configuration directory, never in the database, a backup, an import or a team's rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from chatdesk.core.domain.message import Message, Part, PartType
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import Text

# Between the id of a server and the name of a tool in the name that a model reads: ``files__read_file``.
NAME_JOINT: Final = "__"


class ServerKind(StrEnum):
    """The way to a server: a program on this computer (stdio), an address (streamable HTTP), or ChatDesk itself."""

    COMMAND = "command"
    ADDRESS = "address"
    BUILT_IN = "built_in"


@dataclass(frozen=True, slots=True)
class ToolServer:
    """A server as the person set it up. ``id`` is a short slug (a-z, 0-9, -), unique, and never used again for another
    server. ``argv`` is the command with its arguments; ``env_names`` and ``header_names`` are names only, the values
    are in the keyring, per server. ``env`` and ``headers`` have the values that are no secrets. ``folder`` is the
    working directory; empty: an empty directory of its own. ``client_id`` is the OAuth client that a person registered
    with an address; empty: ChatDesk registers one. ``is_signed_in``: the keyring has what it is signed in with.
    ``may_ask_model``: it may ask for answers of models, each of which a person agrees to.
    ``is_of_project``: its tools reach the folder of the thread's project and nothing else."""

    id: str
    name: str
    kind: ServerKind
    argv: tuple[str, ...] = ()
    address: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    env_names: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    header_names: tuple[str, ...] = ()
    folder: str = ""
    is_on: bool = True
    client_id: str = ""
    is_signed_in: bool = False
    may_ask_model: bool = False
    is_of_project: bool = False


@dataclass(frozen=True, slots=True)
class ToolHints:
    """Hints of a server about its tool. They sort lists and choose words; they never decide."""

    is_read_only: bool = False
    is_destructive: bool = True
    is_open_world: bool = True


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as its server describes it, cut to bounds and with hidden characters spelt out. ``schema`` is the JSON
    schema of its arguments. ``digest`` is the SHA-256 (hex) of name, title, description, schema and hints as the server
    sent them: a permission is bound to it."""

    server_id: str
    server_name: str
    name: str
    title: str
    description: str
    schema: Mapping[str, Any]
    hints: ToolHints
    digest: str

    @property
    def full_name(self) -> str:
        """The name that the model reads and calls."""
        return f"{self.server_id}{NAME_JOINT}{self.name}"


class CallStatus(StrEnum):
    """The state of one call. It is stored in the content of the call's part, under ``status``."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DENIED = "denied"
    FAILED = "failed"
    # ChatDesk ended during the call, so its effect is unknown.
    UNKNOWN = "unknown"


# The label of each state.
CALL_STATUS_TEXTS: Final[Mapping[CallStatus, str]] = {
    CallStatus.WAITING: Text("Waiting for approval"),
    CallStatus.RUNNING: Text("Running"),
    CallStatus.DONE: Text("Done"),
    CallStatus.DENIED: Text("Denied"),
    CallStatus.FAILED: Text("Failed"),
    CallStatus.UNKNOWN: Text("Unknown: ChatDesk ended while it ran"),
}


# In the content of a running call while its answer is written: how far it is, in words. It is stored nowhere.
PROGRESS: Final = "progress"
# The tool that finds others, where there are too many to be sent with every request.
FIND_TOOLS: Final = "find_tools"
# A key in the content of a call: data returned unchanged to its vendor (``providers.base.Kept``).
KEPT: Final = "kept"
# In the content of a call that was made in another message or by another program: it stays as it is.
COPIED: Final = "copied"
# States of a call that has not ended and will not end by itself.
OPEN_STATES: Final = (CallStatus.WAITING.value, CallStatus.UNKNOWN.value)


def open_calls(message: Message) -> tuple[Part, ...]:
    """Return the open calls of an unfinished answer of one's own. Nothing runs them but a person's new answer."""
    if message.author_id is not None or not message.status.can_continue:
        return ()
    return left_open(message.parts)


def left_open(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return the calls of the last step that waited for approval or ran when ChatDesk ended, and have no result. A call
    that was copied or imported is none: it was made elsewhere, and would run twice."""
    calls = [part for part in parts if part.type is PartType.TOOL_CALL]
    last_step = max((part.step_index for part in calls), default=0)
    answered = {part.tool_call_id for part in parts if part.type is PartType.TOOL_RESULT}
    return tuple(
        part
        for part in calls
        if part.step_index == last_step
        and part.tool_call_id
        and part.tool_call_id not in answered
        and part.content.get("status") in OPEN_STATES
        and COPIED not in part.content
    )


def is_counted(content: Mapping[str, Any], duration_ms: int | None) -> bool:
    """Return whether a result counts as a call that ran: it has the time that the call took. One of an import has no
    state, and ran elsewhere."""
    return duration_ms is not None or content.get("status") is None


@dataclass(frozen=True, slots=True)
class ToolFile:
    """An image, a sound or a resource that a tool gave back. ``more`` is JSON data that the file's part has besides.
    Where it is not ``is_told``, the model does not learn that there is a file."""

    name: str
    mime: str
    data: bytes
    more: Mapping[str, Any] = field(default_factory=dict)
    is_told: bool = True


@dataclass(frozen=True, slots=True)
class ToolSource:
    """A web page that a result comes from, with its text, or a piece of it."""

    title: str
    url: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The answer of a tool: its text, files, and whether the tool itself calls it an error. ``size_bytes`` is what came
    over the wire. ``sources`` are web pages with their texts; they get numbers and are below the answer. ``problem`` is
    a failure that the person is told of, and the model is not."""

    text: str
    files: tuple[ToolFile, ...] = ()
    is_error: bool = False
    size_bytes: int = 0
    sources: tuple[ToolSource, ...] = ()
    problem: str = ""


class Answer(StrEnum):
    """A person's answer to a call that asks for approval."""

    DENY = "deny"
    ONCE = "once"
    THREAD = "thread"
    PROJECT = "project"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A call that waits for a person. ``arguments`` is JSON text as the model wrote it; ``where`` says where data goes
    (a command line, or an address); ``reason`` says why a standing permission does not hold this time; ``answers`` are
    the answers that may be given, the safest first."""

    id: str
    thread_id: str
    message_id: str
    tool: Tool
    arguments: str
    where: str
    reason: str = ""
    answers: tuple[Answer, ...] = tuple(Answer)


@dataclass(frozen=True, slots=True)
class Caller:
    """Names the thread whose answer calls a tool, and its project. ``folder`` is the project's folder on this computer,
    where it has one and the tool is one of ChatDesk's own. ``keeps_files``: files of results are stored. ``provider``
    is the id of the provider that answers, empty where it is unknown."""

    thread_id: str
    project_id: str
    folder: Path | None = None
    keeps_files: bool = True
    provider: str = ""


# The id of the tools that read the files of projects.
PROJECT_FILES_SERVER: Final = "chatdesk-files"

# The problem of a server that a person has to sign in to.
SIGN_IN_NEEDED: Final = Text("It asks you to sign in: choose Sign in in Settings, Tools.")


class LeftOut(StrEnum):
    """The reason why a model is not offered all that a server lists."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    NAMED_TWICE = "named_twice"
    TOO_MANY = "too_many"
    SAME_PAGE = "same_page"


# The sentence for each reason, with the name of the tool.
LEFT_OUT_TEXTS: Final[Mapping[LeftOut, Text]] = {
    LeftOut.UNREADABLE: Text("“{tool}” is left out: its description is not what the protocol allows."),
    LeftOut.TOO_LARGE: Text("“{tool}” is left out: its name or its description is too long."),
    LeftOut.NAMED_TWICE: Text("“{tool}” is listed twice; the second one is left out."),
    LeftOut.TOO_MANY: Text("Not all of its tools are offered: it lists too many."),
    LeftOut.SAME_PAGE: Text("Its list may be incomplete: it names the same page again and again."),
}


class ServerState(StrEnum):
    OFF = "off"
    IDLE = "idle"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The current state of a server. ``problem`` is a sentence, or empty; ``left_out`` are sentences about tools that
    are not offered; ``stderr`` is the end of the program's standard error."""

    server: ToolServer
    state: ServerState
    problem: str = ""
    tool_count: int = 0
    stderr: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that say why the server offers nothing, or not all of its tools."""
        return (self.problem,) if self.state is ServerState.FAILED else self.left_out

    @property
    def wants_sign_in(self) -> bool:
        """Return whether the server cannot be used until the person has signed in."""
        return self.state is ServerState.FAILED and SIGN_IN_NEEDED in self.problem


class CheckStep(StrEnum):
    """A step of a server's test, in the order of the test."""

    FOUND = "found"
    STARTED = "started"
    SPOKE = "spoke"
    LISTED = "listed"


# The label of each step.
CHECK_STEP_TEXTS: Final[Mapping[CheckStep, str]] = {
    CheckStep.FOUND: Text("Found"),
    CheckStep.STARTED: Text("Started"),
    CheckStep.SPOKE: Text("Speaks the protocol"),
    CheckStep.LISTED: Text("Lists its tools"),
}


@dataclass(frozen=True, slots=True)
class ToolCheck:
    """The result of one step. ``problem`` is a sentence if it failed; ``tool_count`` and ``left_out``, sentences about
    tools that are not offered, come with the last step. ``stderr`` is the end of the program's standard error before a
    step failed."""

    step: CheckStep
    is_well: bool
    problem: str = ""
    tool_count: int = 0
    left_out: tuple[str, ...] = ()
    stderr: str = ""


class ToolFailed(ChatDeskError):
    """A call failed: the server refused it, broke, or did not answer in time."""

    code = "tool_failed"
    what = Text("The tool failed.")
    safe = Text("Your messages are kept.")
    next_step = Text("Try again, or test the server in Settings, Tools.")
