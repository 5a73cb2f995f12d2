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
    ├── BackgroundLimitReached, LimitReached (see ``domain/limits``)
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

from chatdesk.core.texts import Sentences, Text, size_text


class ChatDeskError(Exception):
    """The base of all errors that are meant to be shown."""

    code = "error"
    what: str = Text("Something went wrong.")
    safe: str = Text("Your messages are kept.")
    next_step: str = Text("Try again.")
    # The same for callers without a window, which holds the typed text; None: no difference.
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
        """The whole text for a script, which has no window that keeps typed text."""
        return Sentences.of(self.what, self.safe_without_window or self.safe, self.next_step)


class InvalidInput(ChatDeskError):
    code = "invalid_input"


class InvalidId(InvalidInput):
    code = "invalid_id"
    what = Text("That is not a valid id.")
    safe = Text("Nothing was changed.")
    next_step = Text("Check the id; it looks like 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e.")


class EmptyMessage(InvalidInput):
    code = "empty_message"
    what = Text("The message is empty.")
    safe = Text("Nothing was sent.")
    next_step = Text("Type something first.")


class MessageTooLarge(InvalidInput):
    code = "message_too_large"
    what = Text("The message is larger than the limit.")
    safe = Text("Your text is kept in the composer.")
    next_step = Text("Shorten it, or attach it as a file.")


class AttachmentTooLarge(InvalidInput):
    code = "attachment_too_large"
    what = Text("The file is larger than the limit.")
    safe = Text("Your text and the other attachments are kept.")
    next_step = Text("Attach a smaller file or a part of it, or raise the limit in the settings.")

    @classmethod
    def of(cls, max_bytes: int, name: str = "") -> AttachmentTooLarge:
        """Make the error for a limit in bytes; ``name`` is the file's name, as a person sees it."""
        if name:
            return cls(Text("“{name}” is larger than {limit}.", name=name, limit=size_text(max_bytes)))
        return cls(Text("The file is larger than {limit}.", limit=size_text(max_bytes)))


class AttachmentUnusable(InvalidInput):
    code = "attachment_unusable"
    what = Text("The file cannot be attached.")
    safe = Text("Your text and the other attachments are kept.")
    next_step = Text("Choose another file.")


class ImportRefused(InvalidInput):
    code = "import_refused"
    what = Text("This file cannot be imported.")
    safe = Text("Nothing was changed.")
    next_step = Text("Choose the export as its program wrote it.")


class InvalidTitle(InvalidInput):
    code = "invalid_title"
    what = Text("A thread needs a title.")
    safe = Text("The old title is kept.")
    next_step = Text("Type at least one character.")


class NotFound(ChatDeskError):
    code = "not_found"
    safe = Text("Nothing was changed.")
    next_step = Text("It may have been deleted for good; look in the list.")


class ThreadNotFound(NotFound):
    code = "thread_not_found"
    what = Text("There is no thread with that id.")


class MessageNotFound(NotFound):
    code = "message_not_found"
    what = Text("There is no message with that id.")


class UnknownParent(NotFound):
    code = "unknown_parent"
    what = Text("The message to answer to does not exist in this thread.")


class ProjectNotFound(NotFound):
    code = "project_not_found"
    what = Text("There is no project with that id.")


class SummaryNotFound(NotFound):
    code = "summary_not_found"
    what = Text("There is no summary with that id.")


class PromptNotFound(NotFound):
    code = "prompt_not_found"
    what = Text("There is no prompt with that id.")


class DoesNotFit(ChatDeskError):
    """No request can be made; ``error_type`` of the answer is the code."""

    code = "does_not_fit"


class MessageLargerThanWindow(DoesNotFit):
    code = "message_larger_than_window"
    what = Text("The message is larger than what the model can read at once.")
    next_step = Text("Shorten it, attach it as a file, or choose a model with a larger window.")


class SystemPromptTooLarge(DoesNotFit):
    code = "system_prompt_too_large"
    what = Text("The system prompt leaves no room for the message.")
    next_step = Text("Shorten the system prompt, or choose a model with a larger window.")


class QuestionExcluded(DoesNotFit):
    code = "question_excluded"
    what = Text("The question is excluded from the context, so there is nothing to answer.")
    next_step = Text("Take it back into the context, or ask again.")


class SummaryRangeGone(ChatDeskError):
    code = "summary_range_gone"
    what = Text("Some messages of this summary are gone or no longer shown.")
    safe = Text("Nothing was changed; as many of the remaining messages as fit are sent.")
    next_step = Text("Create the summary again.")


class SummaryRejected(ChatDeskError):
    code = "summary_rejected"
    what = Text("The model gave no summary that can be used.")
    safe = Text("Nothing was changed; as many of the newest messages as fit are sent.")
    next_step = Text("ChatDesk tries again later.")


class SummaryNeedsConsent(ChatDeskError):
    code = "summary_needs_consent"
    what = Text("Summarising this thread would cost more than the limit.")
    safe = Text("No summary was asked for; as many of the newest messages as fit are sent instead.")
    next_step = Text("Allow it, or leave the thread as it is; the limit is in Settings, Usage and limits.")


class ThreadInTrash(ChatDeskError):
    code = "thread_in_trash"
    what = Text("This thread is in the trash.")
    safe = Text("Nothing was changed.")
    next_step = Text("Restore it first.")


class MessageInTrash(ChatDeskError):
    code = "message_in_trash"
    what = Text("This message is in the trash.")
    safe = Text("Nothing was changed.")
    next_step = Text("Restore it first.")


class TurnInProgress(ChatDeskError):
    code = "turn_in_progress"
    what = Text("An answer is still being written in this thread.")
    safe = Text("Nothing was changed.")
    next_step = Text("Wait for it or stop it first.")


class NotPossible(ChatDeskError):
    code = "not_possible"
    safe = Text("Nothing was changed.")
    next_step = ""


class StorageError(ChatDeskError):
    code = "storage"
    what = Text("The database could not be used.")
    safe = Text("What was saved before is unchanged.")
    next_step = Text("Run 'chatdesk doctor' for details.")


class StorageFull(StorageError):
    code = "storage_full"
    what = Text("The disk is full, so this could not be saved.")
    safe = Text("Everything saved before is unchanged, and your text is still in the window.")
    safe_without_window = Text("Everything saved before is unchanged.")
    next_step = Text("Free some space and try again.")


class AnswerNotSaved(StorageError):
    code = "answer_not_saved"
    what = Text("The answer could not be saved.")
    safe = Text("What was saved before is unchanged; of the answer only the beginning may be kept.")
    next_step = Text("Free disk space or correct the permissions so that ChatDesk can save, then ask again.")


class StorageBusy(StorageError):
    code = "storage_busy"
    what = Text("Another program is using the database.")
    safe = Text("Nothing was changed.")
    next_step = Text("Close the other program or try again in a moment.")


class StorageReadOnly(StorageError):
    code = "storage_read_only"
    what = Text("The database cannot be written to.")
    safe = Text("You can still read everything.")
    next_step = Text("Check the permissions of the data directory.")


class StorageCorrupt(StorageError):
    code = "storage_corrupt"
    what = Text("The database file is damaged.")
    safe = Text("The file was left as it is; backups are in the backup directory.")
    next_step = Text("Restore the newest backup, or copy out what can be read: 'chatdesk doctor --repair'.")


class StorageMissing(StorageError):
    code = "storage_missing"
    what = Text("A database was here before, and now it is missing or empty.")
    safe = Text("Nothing was created in its place.")
    next_step = Text("Restore the file or a backup; run 'chatdesk doctor' for the paths.")


class StorageReplaced(StorageError):
    code = "storage_replaced"
    what = Text("The database file was moved or replaced while ChatDesk was running.")
    safe = Text("Writing has stopped so that nothing goes into the wrong file.")
    next_step = Text("Close ChatDesk, put the file back, and start again.")


class StorageGone(StorageReplaced):
    code = "storage_gone"
    what = Text("The database is out of reach: its drive, folder or file is not there.")
    safe = Text("Nothing was written anywhere else, and your text is still in the window.")
    safe_without_window = Text("Nothing was written anywhere else.")
    next_step = Text("Connect the drive or put the file back; ChatDesk then continues by itself.")


class SchemaTooNew(StorageError):
    code = "schema_too_new"
    what = Text("This database was written by a newer ChatDesk.")
    safe = Text("It was not touched.")
    next_step = Text("Update ChatDesk to open it.")


class UpgradeFailed(StorageError):
    code = "upgrade_failed"
    what = Text("The database could not be upgraded.")
    safe = Text("It was left as it was and can be read; a verified backup is in the backup directory.")
    next_step = Text("Run 'chatdesk doctor --repair'; if that does not help, send the report of 'chatdesk doctor'.")


class AlreadyRunning(ChatDeskError):
    code = "already_running"
    what = Text("ChatDesk is already running on this data directory.")
    safe = Text("Nothing was changed.")
    next_step = Text("Use the open window, or choose another --data-dir.")


class OutputFailed(ChatDeskError):
    """The output of a command cannot be written where it goes."""

    code = "output_failed"
    what = Text("The output could not be written.")
    next_step = Text("Free some space, or send it elsewhere.")


class ExportFailed(ChatDeskError):
    code = "export_failed"
    what = Text("The export could not be written.")
    safe = Text("Your messages are unchanged, and nothing half-written was left.")
    next_step = Text("Choose another place.")


class SharedReadOnly(ChatDeskError):
    """This person may only read the shared project."""

    code = "shared_read_only"
    what = Text("You may read this shared project, but not write in it.")
    safe = Text("Nothing was changed.")
    next_step = Text("Ask an owner or administrator of the project to let you edit.")


class SharedNotOwn(ChatDeskError):
    """This person may change and delete only their own things in the shared project."""

    code = "shared_not_own"
    what = Text("Another member wrote this, and your role lets you change and delete only what is yours.")
    safe = Text("Nothing was changed.")
    next_step = Text("Ask the person who made it, or an owner or administrator of the project.")


class TeamError(ChatDeskError):
    """The base of the errors of team sync. ``is_passing``: it may succeed later by itself."""

    code = "team"
    what = Text("The team's database did not do what was asked.")
    safe = Text("Everything you wrote is kept on this computer.")
    next_step = Text("Open Details in the status line to see what it said.")
    is_passing = False


class HistoryChanged(TeamError):
    """The server's log is not the one that was pulled: it was restored from a backup, or replaced."""

    code = "team_history_changed"
    what = Text("The team's database was restored from a backup.")
    next_step = Text("ChatDesk compares everything again and sends what that backup lacks.")
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
    IMAGES_REFUSED = "images_refused"
    TOO_LARGE = "too_large"
    REDIRECT = "redirect"
    NO_KEY = "no_key"
    OTHER = "other"


class ProviderError(ChatDeskError):
    """A vendor's failure after translation by ``providers.failures``. ``details`` is small JSON-safe data for the
    reader who wants more (HTTP status, request id, vendor code); it never holds headers, keys or prompts.
    ``retry_after_s`` is what the vendor asked for, if it did."""

    code = "provider"
    safe = Text("Your message is kept.")

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
