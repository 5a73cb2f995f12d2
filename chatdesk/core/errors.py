"""Defines every error that ChatDesk raises on purpose, and the sentence that a person reads for it.

    ChatDeskError
    ├── InvalidInput
    │   ├── InvalidId
    │   ├── EmptyMessage
    │   ├── MessageTooLarge
    │   ├── AttachmentTooLarge
    │   ├── AttachmentUnusable
    │   ├── ImportRefused
    │   └── InvalidTitle
    ├── NotFound
    │   ├── ThreadNotFound
    │   ├── MessageNotFound
    │   ├── UnknownParent
    │   ├── ProjectNotFound
    │   ├── SummaryNotFound
    │   └── PromptNotFound
    ├── DoesNotFit
    │   ├── MessageLargerThanWindow
    │   ├── SystemPromptTooLarge
    │   └── QuestionExcluded
    ├── SummaryRangeGone
    ├── SummaryRejected
    ├── SummaryNeedsConsent
    ├── BackgroundLimitReached
    ├── LimitReached
    ├── ThreadInTrash
    ├── MessageInTrash
    ├── TurnInProgress
    ├── NotPossible
    ├── StorageError
    │   ├── StorageFull
    │   ├── AnswerNotSaved
    │   ├── StorageBusy
    │   ├── StorageReadOnly
    │   ├── StorageCorrupt
    │   ├── StorageMissing
    │   ├── StorageReplaced
    │   │   └── StorageGone
    │   ├── SchemaTooNew
    │   └── UpgradeFailed
    ├── AlreadyRunning
    ├── OutputFailed
    ├── ExportFailed
    ├── SharedReadOnly
    ├── SharedNotOwn
    ├── TeamError (more in ``sync/errors``)
    │   └── HistoryChanged
    └── ProviderError (see ``ProviderErrorKind``)

Each says what happened (``what``), what is safe (``safe``) and what to do next (``next_step``). The strings hold no
secrets, no message text and no paths other than ones the person chose.
"""

from __future__ import annotations

from enum import StrEnum

from chatdesk.core.texts import Sentences


class ChatDeskError(Exception):
    """The base of all errors that are meant to be shown."""

    code = "error"
    what = "Something went wrong."
    safe = "Your messages are kept."
    next_step = "Try again."
    #: What is safe where no window holds what was typed; None: the same.
    safe_without_window: str | None = None

    def __init__(self, what: str | None = None, *, safe: str | None = None, next_step: str | None = None) -> None:
        self.what = self.what if what is None else what
        if safe is not None:
            self.safe, self.safe_without_window = safe, None
        if next_step is not None:
            self.next_step = next_step
        super().__init__(self.what)

    @property
    def sentence(self) -> str:
        """The whole text that a person reads."""
        return Sentences.of(self.what, self.safe, self.next_step)

    @property
    def sentence_without_window(self) -> str:
        """The whole text for a script, which has no window that keeps what was typed."""
        return Sentences.of(self.what, self.safe_without_window or self.safe, self.next_step)


class InvalidInput(ChatDeskError):
    code = "invalid_input"


class InvalidId(InvalidInput):
    code = "invalid_id"
    what = "That is not a valid id."
    safe = "Nothing was changed."
    next_step = "Check the id; it looks like 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e."


class EmptyMessage(InvalidInput):
    code = "empty_message"
    what = "The message is empty."
    safe = "Nothing was sent."
    next_step = "Type something first."


class MessageTooLarge(InvalidInput):
    code = "message_too_large"
    what = "The message is larger than the limit."
    safe = "Your text is kept in the composer."
    next_step = "Shorten it, or attach it as a file."


class AttachmentTooLarge(InvalidInput):
    code = "attachment_too_large"
    what = "The file is larger than the limit."
    safe = "Your text and the other attachments are kept."
    next_step = "Attach a smaller file or a part of it, or raise the limit in the settings."

    @classmethod
    def of(cls, max_bytes: int, name: str = "") -> AttachmentTooLarge:
        """Make the error for a limit in bytes; ``name`` is the file's, as the person knows it."""
        limit = f"{max_bytes / 2**20:,.3g} MB" if max_bytes >= 2**20 else f"{max_bytes:,} bytes"
        return cls(f"{f'“{name}”' if name else 'The file'} is larger than {limit}.")


class AttachmentUnusable(InvalidInput):
    code = "attachment_unusable"
    what = "The file cannot be attached."
    safe = "Your text and the other attachments are kept."
    next_step = "Choose another file."


class ImportRefused(InvalidInput):
    code = "import_refused"
    what = "This file cannot be imported."
    safe = "Nothing was changed."
    next_step = (
        "Choose an export of ChatGPT, Claude, Open WebUI, LibreChat, AnythingLLM, Chatbox, Cherry Studio, Jan, LM"
        " Studio or ChatDesk."
    )


class InvalidTitle(InvalidInput):
    code = "invalid_title"
    what = "A thread needs a title."
    safe = "The old title is kept."
    next_step = "Type at least one character."


class NotFound(ChatDeskError):
    code = "not_found"
    safe = "Nothing was changed."
    next_step = "It may have been deleted for good; look in the list."


class ThreadNotFound(NotFound):
    code = "thread_not_found"
    what = "There is no thread with that id."


class MessageNotFound(NotFound):
    code = "message_not_found"
    what = "There is no message with that id."


class UnknownParent(NotFound):
    code = "unknown_parent"
    what = "The message to answer to does not exist in this thread."


class ProjectNotFound(NotFound):
    code = "project_not_found"
    what = "There is no project with that id."


class SummaryNotFound(NotFound):
    code = "summary_not_found"
    what = "There is no summary with that id."


class PromptNotFound(NotFound):
    code = "prompt_not_found"
    what = "There is no prompt with that id."


class DoesNotFit(ChatDeskError):
    """No request can be made; ``error_type`` of the answer is the code."""

    code = "does_not_fit"


class MessageLargerThanWindow(DoesNotFit):
    code = "message_larger_than_window"
    what = "The message is larger than what the model can read at once."
    next_step = "Shorten it, attach it as a file, or choose a model with a larger window."


class SystemPromptTooLarge(DoesNotFit):
    code = "system_prompt_too_large"
    what = "The system prompt leaves no room for the message."
    next_step = "Shorten the system prompt, or choose a model with a larger window."


class QuestionExcluded(DoesNotFit):
    code = "question_excluded"
    what = "The question is excluded from the context, so there is nothing to answer."
    next_step = "Take it back into the context, or ask again."


class SummaryRangeGone(ChatDeskError):
    code = "summary_range_gone"
    what = "Some messages of this summary are gone or no longer shown."
    safe = "Nothing was changed; the messages that are there are sent as they fit."
    next_step = "Make the summary anew."


class SummaryRejected(ChatDeskError):
    code = "summary_rejected"
    what = "The model gave no summary that can be used."
    safe = "Nothing was changed; the newest messages are sent as they fit."
    next_step = "It is tried again later."


class SummaryNeedsConsent(ChatDeskError):
    code = "summary_needs_consent"
    what = "Summarising this thread would cost more than the limit."
    safe = "Nothing was sent; the newest messages are sent as they fit."
    next_step = "Allow it, or leave the thread as it is; the limit is in Settings, Usage and limits."


class BackgroundLimitReached(ChatDeskError):
    """No title or summary is made today. ``until_ms``: when the next day begins, in milliseconds UTC."""

    code = "background_limit_reached"
    safe = "Your messages are kept, and the newest ones are sent as they fit."
    next_step = "Summaries and titles are made again tomorrow; the limit is in Settings, Context."

    def __init__(self, limit_tokens: int, *, spent_tokens: int, until_ms: int) -> None:
        self.until_ms = until_ms
        super().__init__(
            f"Today's limit of {limit_tokens:,} tokens for summaries and titles is reached ({spent_tokens:,} are used)."
        )

    @classmethod
    def of(cls, limit: str, spent: str, *, until_ms: int) -> BackgroundLimitReached:
        """Make the error for a limit on all usage that is near; ``limit`` and ``spent`` are amounts in words."""
        made = cls(0, spent_tokens=0, until_ms=until_ms)
        made.what = f"Titles and summaries stop at {limit} ({spent} are used)."
        made.args = (made.what,)
        made.next_step = "They are made again when the limit starts again; it is in Settings, Usage and limits."
        return made


class LimitReached(ChatDeskError):
    """No request is made; ``error_type`` of the answer is the code. ``until_ms``: when the limit starts again, in
    milliseconds UTC."""

    code = "limit_reached"
    safe = "Your question is kept."

    def __init__(self, what: str, *, next_step: str, until_ms: int) -> None:
        self.until_ms = until_ms
        super().__init__(what, next_step=next_step)


class ThreadInTrash(ChatDeskError):
    code = "thread_in_trash"
    what = "This thread is in the trash."
    safe = "Nothing was changed."
    next_step = "Restore it first."


class MessageInTrash(ChatDeskError):
    code = "message_in_trash"
    what = "This message is in the trash."
    safe = "Nothing was changed."
    next_step = "Restore it first."


class TurnInProgress(ChatDeskError):
    code = "turn_in_progress"
    what = "An answer is still being written in this thread."
    safe = "Nothing was changed."
    next_step = "Wait for it or stop it first."


class NotPossible(ChatDeskError):
    code = "not_possible"
    safe = "Nothing was changed."
    next_step = ""


class StorageError(ChatDeskError):
    code = "storage"
    what = "The database could not be used."
    safe = "What was saved before is unchanged."
    next_step = "Run 'chatdesk doctor' for details."


class StorageFull(StorageError):
    code = "storage_full"
    what = "The disk is full, so this could not be saved."
    safe = "Everything saved before is unchanged, and your text is still in the window."
    safe_without_window = "Everything saved before is unchanged."
    next_step = "Free some space and try again."


class AnswerNotSaved(StorageError):
    code = "answer_not_saved"
    what = "The answer could not be saved."
    safe = "What was saved before is unchanged; of the answer only the beginning may be kept."
    next_step = "Make it possible to save, then ask again."


class StorageBusy(StorageError):
    code = "storage_busy"
    what = "Another program is using the database."
    safe = "Nothing was changed."
    next_step = "Close the other program or try again in a moment."


class StorageReadOnly(StorageError):
    code = "storage_read_only"
    what = "The database cannot be written to."
    safe = "You can still read everything."
    next_step = "Check the permissions of the data directory."


class StorageCorrupt(StorageError):
    code = "storage_corrupt"
    what = "The database file is damaged."
    safe = "The file was left as it is; backups are in the backup directory."
    next_step = "Restore the newest backup, or run 'chatdesk doctor'."


class StorageMissing(StorageError):
    code = "storage_missing"
    what = "A database was here before, and now it is missing or empty."
    safe = "Nothing was created in its place."
    next_step = "Restore the file or a backup; run 'chatdesk doctor' for the paths."


class StorageReplaced(StorageError):
    code = "storage_replaced"
    what = "The database file was moved or replaced while ChatDesk was running."
    safe = "Writing has stopped so that nothing goes into the wrong file."
    next_step = "Close ChatDesk, put the file back, and start again."


class StorageGone(StorageReplaced):
    code = "storage_gone"
    what = "The database is out of reach: its drive, folder or file is not there."
    safe = "Nothing was written anywhere else, and your text is still in the window."
    safe_without_window = "Nothing was written anywhere else."
    next_step = "Connect the drive or put the file back: ChatDesk goes on then by itself."


class SchemaTooNew(StorageError):
    code = "schema_too_new"
    what = "This database was written by a newer ChatDesk."
    safe = "It was not touched."
    next_step = "Update ChatDesk to open it."


class UpgradeFailed(StorageError):
    code = "upgrade_failed"
    what = "The database could not be upgraded."
    safe = "It was left as it was and can be read; a verified backup is in the backup directory."
    next_step = "Run 'chatdesk doctor' and send the report."


class AlreadyRunning(ChatDeskError):
    code = "already_running"
    what = "ChatDesk is already running on this data directory."
    safe = "Nothing was changed."
    next_step = "Use the open window, or choose another --data-dir."


class OutputFailed(ChatDeskError):
    """The output of a command cannot be written where it goes."""

    code = "output_failed"
    what = "The output could not be written."
    next_step = "Free some space, or send it elsewhere."


class ExportFailed(ChatDeskError):
    code = "export_failed"
    what = "The export could not be written."
    safe = "Your messages are unchanged, and nothing half-written was left."
    next_step = "Choose another place."


class SharedReadOnly(ChatDeskError):
    """This person may only read the shared project."""

    code = "shared_read_only"
    what = "You may read this shared project, and not write in it."
    safe = "Nothing was changed."
    next_step = "Ask an owner or administrator of the project to let you edit."


class SharedNotOwn(ChatDeskError):
    """This person may change and delete only their own things in the shared project."""

    code = "shared_not_own"
    what = "This is another member's, and in this shared project you may change and delete only your own."
    safe = "Nothing was changed."
    next_step = "Ask the person who made it, or an owner or administrator of the project."


class TeamError(ChatDeskError):
    """The base of the errors of team sync. ``is_passing``: it may succeed later, without anybody doing anything."""

    code = "team"
    what = "The team's database did not do what was asked."
    safe = "Everything you wrote is kept on this computer."
    next_step = "Open Details in the status line to see what it said."
    is_passing = False


class HistoryChanged(TeamError):
    """The server's log is not the one that was pulled: it was restored from a backup, or replaced."""

    code = "team_history_changed"
    what = "The team's database was restored from a backup."
    next_step = "ChatDesk compares everything again and brings back what it has."
    is_passing = True


class ProviderErrorKind(StrEnum):
    """The kind of a vendor's failure. Stored as ``messages.error_type``."""

    NO_NETWORK = "no_network"
    DNS = "dns"
    REFUSED = "refused"
    TLS = "tls"
    BAD_REQUEST = "bad_request"
    UNAUTHORISED = "unauthorised"
    PAYMENT = "payment"
    FORBIDDEN = "forbidden"
    MODEL_NOT_FOUND = "model_not_found"
    REQUEST_TIMEOUT = "request_timeout"
    CONFLICT = "conflict"
    CONTEXT_TOO_LONG = "context_too_long"
    RATE_LIMITED = "rate_limited"
    SERVER = "server"
    CONNECT_TIMEOUT = "connect_timeout"
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    SILENCE = "silence"
    RESET = "reset"
    MALFORMED = "malformed"
    INCOMPLETE = "incomplete"
    NOT_A_STREAM = "not_a_stream"
    EMPTY_ANSWER = "empty_answer"
    CONTENT_FILTER = "content_filter"
    TOO_LARGE = "too_large"
    REDIRECT = "redirect"
    NO_KEY = "no_key"
    OTHER = "other"


class ProviderError(ChatDeskError):
    """A vendor's failure after translation by ``providers.failures``.

    ``details`` is small JSON-safe data for the reader who wants more (HTTP status, request id, vendor code); it never
    holds headers, keys or prompts. ``retry_after_s`` is what the vendor asked for, if it did.
    """

    code = "provider"
    safe = "Your message is kept."

    def __init__(
        self,
        kind: ProviderErrorKind,
        what: str,
        *,
        next_step: str,
        safe: str | None = None,
        details: dict[str, object] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(what, safe=safe, next_step=next_step)
        self.kind = kind
        self.details: dict[str, object] = details or {}
        self.retry_after_s = retry_after_s
