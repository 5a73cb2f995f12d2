"""Translates errors of PostgreSQL and its client library into ChatDesk's classes.

A server names its errors by SQLSTATE (five characters, in no language); CD… are those of our own functions. A
connection that is not made has only a text, the library's own in English or the server's in its own language: a text
that is not recognised is shown as it is; there are no secrets in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from chatdesk.core.sync import errors
from chatdesk.core.sync.errors import TeamError
from chatdesk.core.texts import Text

_STATES: Final[dict[str, type[TeamError]]] = {
    "CD001": errors.TeamServerTooNew,
    "CD002": errors.TeamNotInvited,
    "CD003": errors.TeamInvitationEnded,
    "CD004": errors.TeamProjectDeleted,
    "CD005": errors.TeamNotInProject,
    "CD006": errors.TeamDeviceUnknown,
    "CD007": errors.TeamNotAllowed,
    "CD008": errors.TeamLastOwner,
    "CD009": errors.TeamNotTaken,
    "CD010": errors.TeamTaken,
    "CD011": errors.TeamInvitationUsed,
    "CD012": errors.TeamNotTaken,
    "CD014": errors.TeamNameTaken,
    "CD015": errors.TeamLossChanged,
    "CD016": errors.TeamRowsChanged,
    "25006": errors.TeamServerReadOnly,
    "26000": errors.TeamThroughPooler,
    "42P05": errors.TeamThroughPooler,
    "28000": errors.TeamTlsRequired,
    "28P01": errors.TeamLoginRefused,
    "3D000": errors.TeamDatabaseMissing,
    "3F000": errors.NoWorkspaceThere,
    "42883": errors.NoWorkspaceThere,
    "42501": errors.TeamNotInvited,
    "53100": errors.TeamServerFull,
    "53300": errors.TeamConnectionsUsedUp,
    "55P03": errors.TeamBusy,
    "57014": errors.TeamTimeout,
    "40P01": errors.TeamBusy,
    "40001": errors.TeamBusy,
}
# Parts of the messages of failed connections, the more specific ones first.
_WORDS: Final[tuple[tuple[str, type[TeamError]], ...]] = (
    ("authentication method requirement", errors.TeamPasswordAskedFor),
    ("server does not support SSL", errors.TeamTlsRefused),
    ("certificate", errors.TeamCertificateNotTrusted),
    ("wrong version number", errors.TeamTlsRefused),
    ("unsupported protocol", errors.TeamTlsRefused),
    ("no pg_hba.conf entry", errors.TeamTlsRequired),
    ("pg_hba.conf rejects", errors.TeamTlsRequired),
    ("password authentication failed", errors.TeamLoginRefused),
    ("no password supplied", errors.TeamLoginRefused),
    ("is not permitted to log in", errors.TeamLoginClosed),
    ("permission denied for database", errors.TeamNotInvited),
    ("too many connections", errors.TeamConnectionsUsedUp),
    ("too many clients", errors.TeamConnectionsUsedUp),
    ("remaining connection slots", errors.TeamConnectionsUsedUp),
    ("could not translate host name", errors.TeamHostUnknown),
    ("failed to resolve host", errors.TeamHostUnknown),
    ("Name or service not known", errors.TeamHostUnknown),
    ("timeout", errors.TeamTimeout),
    ("timed out", errors.TeamTimeout),
)


def _limit_of(error: psycopg.Error) -> str:
    return (error.diag.message_primary or "").removeprefix("limit of ")


def translated(error: psycopg.Error) -> TeamError:
    """Return the ``TeamError`` for an error of psycopg. If no class fits, ``what`` quotes the server's message."""
    state = error.sqlstate or ""
    said = " ".join(str(error).split())
    if state == "42501" and "row-level security" in said:
        return errors.TeamNotAllowed()
    if state == "CD013":
        return errors.TeamLimited(_limit_of(error))
    if state in _STATES:
        return _STATES[state]()
    if state in ("", "28000", "57P03") and isinstance(error, psycopg.OperationalError):
        for words, kind in _WORDS:
            if words in said:
                return kind()
        if 'database "' in said and "does not exist" in said:
            return errors.TeamDatabaseMissing()
    if state.startswith(("08", "57P")) or (isinstance(error, psycopg.OperationalError) and not state.startswith("58")):
        return errors.TeamUnreachable()  # 58: it answers, and its disk does not
    primary = error.diag.message_primary or type(error).__name__  # the details could quote a person's text
    return TeamError(Text("The team's database reports: {reason}", reason=primary[:300]))


@contextmanager
def our_errors() -> Iterator[None]:
    """Raise errors of psycopg inside as ``TeamError``."""
    try:
        yield
    except psycopg.Error as error:
        raise translated(error) from error
