"""Makes the table rows of a workspace's computers and shared projects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from chatdesk.core.domain.sharing.team import SharedProject, TeamDevice
from chatdesk.core.name_order import name_key
from chatdesk.core.texts import Text, tr
from chatdesk.ui.features.team.pages.team_table import TableRow
from chatdesk.ui.features.team.pages.team_text import device_words, project_words

REMOVAL_TEXT = Text(
    "That computer can no longer sync under this name; what is on it stays there. If it was lost, also make a new "
    "password under My name, and add your other computers again."
)


def device_rows(
    devices: Sequence[TeamDevice], *, names: Callable[[str], str], removable: Callable[[str], bool], now_ms: int
) -> list[TableRow]:
    """Return the rows of the table of devices: this computer first, then the others by their last visit. ``names`` and
    ``removable`` are called with the id of a member."""
    return [
        TableRow(
            device.id,
            (device.name or tr("A computer"), device_words(device, owner=names(device.member_id), now_ms=now_ms)),
            tr("Take off the list…") if not device.is_this and removable(device.member_id) else "",
        )
        for device in sorted(devices, key=lambda each: (not each.is_this, -(each.last_seen_at or 0)))
    ]


def project_rows(projects: Sequence[SharedProject], names: Mapping[str, str]) -> list[TableRow]:
    """Return the rows of the table of shared projects: those that are shared now first, by name."""
    return [
        TableRow(
            project.project_id,
            (names.get(project.project_id, tr("A project that is not here yet")), project_words(project)),
            tr("Sharing…") if project.ended is None else tr("Share…") if project.is_let_in else "",
        )
        for project in sorted(
            projects, key=lambda each: (each.ended is not None, name_key(names.get(each.project_id, "")))
        )
    ]
