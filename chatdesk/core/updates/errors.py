"""Words the failures of updates. Whatever failed, the program that is installed stays."""

from __future__ import annotations

from typing import Final

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import Text

_AGAIN: Final = Text("Try again later.")
_REPORT: Final = Text("Try again tomorrow. If it stays so, report it.")


class UpdateFailed(ChatDeskError):
    """An update could not be found, fetched, checked or put in place."""

    code = "update_failed"
    what = Text("The update could not be made.")
    safe = Text("This version is unchanged.")
    next_step = _AGAIN


class NotDuringAnswers(UpdateFailed):
    """An update would be installed while something is going on."""

    code = "update_not_now"
    what = Text("An answer is being written, or a call waits for you.")
    safe = Text("Nothing was changed.")
    next_step = Text("Install the update when it has ended.")


_FAILURES: Final = {
    "busy": (Text("Another ChatDesk is looking for updates or installing one."), _AGAIN),
    "changed": (Text("The update feed has changed in the meantime."), Text("Look for updates again.")),
    "expired": (
        Text("The update feed has expired, so it may not be the newest."),
        Text("Check the date of this computer; otherwise try again tomorrow."),
    ),
    "unreachable": (Text("The update feed cannot be reached, or the connection broke off."), _AGAIN),
    "refused": (Text("The update feed is not signed as it must be, so it was not used."), _REPORT),
    "unusable": (
        Text("The update contains something that does not belong to the program, so it was not used."),
        _REPORT,
    ),
    "does_not_start": (
        Text("The new version did not start with a copy of your data, so it was not installed."),
        _REPORT,
    ),
    "full": (Text("There is not enough room on the disk for the update."), Text("Free some space and try again.")),
    "disk": (Text("The folder of the program cannot be written to."), Text("Check its permissions and try again.")),
    "slow": (Text("The update took too long, so it was stopped."), _AGAIN),
}


def failure(code: object) -> UpdateFailed:
    """Return the error for what the process for updates reports."""
    found = _FAILURES.get(code) if isinstance(code, str) else None
    return UpdateFailed() if found is None else UpdateFailed(found[0], next_step=found[1])
