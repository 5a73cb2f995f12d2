"""Errors of creating, joining and leaving a workspace, with the sentences that people read."""

from __future__ import annotations

from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.sync.errors import TeamError
from chatdesk.core.sync.errors import TeamInvitationUsed as InvitationUsed
from chatdesk.core.texts import Text

__all__ = [
    "AlreadyJoined",
    "CodeOutOfDate",
    "InvitationExpired",
    "InvitationUsed",
    "NameUnusable",
    "NotJoined",
    "PassphraseMissing",
    "UnencryptedAfar",
    "UnencryptedNotAgreed",
]


class InvitationExpired(TeamError):
    code = "invitation_expired"
    what = Text("The invitation has expired.")
    safe = Text("Nothing was changed.")
    next_step = Text("Ask whoever invited you for a new one.")


class CodeOutOfDate(TeamError):
    code = "computer_code_out_of_date"
    what = Text("This code no longer opens the team's database: the password was changed, or you were removed.")
    safe = Text("Nothing was changed.")
    next_step = Text("Make a new code on a computer that still syncs, or ask the workspace's owner.")


class AlreadyJoined(NotPossible):
    code = "already_joined"
    what = Text("This profile is in that workspace already.")
    next_step = Text("Settings, Team sync shows its state.")


class NotJoined(NotPossible):
    code = "not_joined"
    what = Text("This profile is not in that workspace.")
    next_step = Text("Join it in Settings, Team sync.")


class UnencryptedNotAgreed(NotPossible):
    code = "unencrypted_not_agreed"
    what = Text("This server has no encryption: everybody on the way can read and change what is sent, passwords too.")
    safe = Text("Nothing was sent.")
    next_step = Text("Ask for a server with TLS; agree only on this computer or in a network of your own.")


class UnencryptedAfar(NotPossible):
    code = "unencrypted_afar"
    what = Text("This server is not in a network of your own, so ChatDesk speaks to it with encryption only.")
    safe = Text("Nothing was sent.")
    next_step = Text("Switch TLS on at the server; docs/team-administration.md says how.")


class NameUnusable(InvalidInput):
    code = "team_name_unusable"
    what = Text("A name has 1 to 80 characters on one line.")
    safe = Text("Nothing was changed.")
    next_step = Text("Type another one.")


class PassphraseMissing(InvalidInput):
    code = "computer_passphrase_missing"
    what = Text("This code is for a further computer of yours and sealed with a passphrase.")
    safe = Text("Nothing was sent.")
    next_step = Text("Type the passphrase that is shown beside the code.")
