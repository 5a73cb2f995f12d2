"""Writes the sentences about the state of sync, for every place of the window that shows it. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from chatdesk.core.domain.sharing.team import SyncPhase, SyncStatus
from chatdesk.core.moments import is_known, local_moment
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.local_forms import day_and_time_text, time_text

# Each phase in a few words and as a sentence. Phases that need the person's attention come later.
_PHASES: Final[Mapping[SyncPhase, tuple[str, str]]] = {
    SyncPhase.OFF: (Text("Sync is off"), Text("Sync is off.")),
    SyncPhase.SYNCED: (Text("Synced"), Text("Synced.")),
    SyncPhase.SYNCING: (Text("Syncing…"), Text("Syncing.")),
    SyncPhase.CONNECTING: (Text("Connecting…"), Text("Connecting.")),
    SyncPhase.OFFLINE: (Text("Offline"), Text("Offline: the team's database cannot be reached.")),
    SyncPhase.READ_ONLY: (
        Text("Update ChatDesk to send"),
        Text("This ChatDesk is too old to send changes; it still receives those of others."),
    ),
    SyncPhase.REFUSED: (
        Text("Refused by the team's server"),
        Text("The team's database did not let this computer in."),
    ),
}
_SEVERITY: Final = tuple(_PHASES)


@dataclass(frozen=True, slots=True)
class StatusLine:
    """The line of text on the state of sync. ``tone``: calm, offline or refused. ``tip`` has a sentence a workspace.
    ``is_under_way``: the state is being determined."""

    text: str
    tone: str
    tip: str
    is_under_way: bool = False


def status_line(statuses: Iterable[SyncStatus], names: Mapping[str, str], time_of: Callable[[int], str]) -> StatusLine:
    """Return the one sentence about all workspaces: the one that needs somebody most decides. ``names`` are the
    workspaces', ``time_of`` gives a moment (milliseconds UTC) as the clock shows it. Without any workspace the text is
    empty."""
    known = sorted(statuses, key=_severity, reverse=True)
    if not known:
        return StatusLine("", "calm", "")
    worst = known[0]
    tips = [f"{names.get(each.workspace_id, 'Workspace')}: {_tip(each, time_of)}" for each in known]
    is_under_way = worst.phase in (SyncPhase.CONNECTING, SyncPhase.SYNCING)
    return StatusLine(_short(worst, time_of), tone_of(worst), "\n".join(tips), is_under_way)


def tone_of(status: SyncStatus) -> str:
    if status.phase in (SyncPhase.REFUSED, SyncPhase.READ_ONLY) or status.refused:
        return "refused"
    return "offline" if status.phase is SyncPhase.OFFLINE else "calm"


def status_words(status: SyncStatus) -> str:
    """Return the state of a workspace as whole sentences, for its page and its details."""
    words: list[str] = []
    if status.phase is SyncPhase.SYNCED:
        words.append(
            tr("Synced at {moment}.", moment=moment(status.synced_at))
            if status.synced_at is not None
            else tr("Synced.")
        )
        words.append(shown(status.problem))
    elif status.done is not None and status.total:
        words.append(tr("Syncing {done} of {total}.", done=status.done or 0, total=status.total))
    else:
        words.append(shown(status.problem or _PHASES[status.phase][1]))
    if status.phase is not SyncPhase.SYNCED and status.synced_at is not None:
        words.append(tr("Synced last at {moment}.", moment=moment(status.synced_at)))
    if status.waiting:
        waiting = plural(
            "{count} changes wait here to be sent.", "{count} change waits here to be sent.", status.waiting
        )
        words.append(shown(waiting))
    if status.refused:
        words.append(shown(plural("{count} changes were refused.", "{count} change was refused.", status.refused)))
    words.append(shown(status.next_step))
    if status.next_try_at is not None and status.phase is SyncPhase.OFFLINE:
        words.append(tr("The next try is at {moment}.", moment=moment(status.next_try_at)))
    return " ".join(filter(None, words))


def status_icon(status: SyncStatus) -> tuple[str, str]:
    """Icon and colour that go with ``status_words``."""
    if status.refused or status.phase is SyncPhase.REFUSED:
        return "circle-alert", "danger"
    if status.phase is SyncPhase.SYNCED:
        return "circle-check", "accent"
    if status.phase in (SyncPhase.OFFLINE, SyncPhase.READ_ONLY):
        return "triangle-alert", "warning"
    return "refresh-cw", "muted"


def waiting_words(count: int) -> str:
    """ "12 changes wait"; empty for none."""
    return shown(plural("{count} changes wait", "{count} change waits", count)) if count else ""


def moment(at_ms: int | None, *, now: datetime | None = None) -> str:
    """Return a moment as local time, with its day where that is another one; *never* for None."""
    if at_ms is None:
        return tr("never")
    if not is_known(at_ms):
        return tr("unknown time")
    at = local_moment(at_ms)
    today = (now or datetime.now(tz=UTC)).astimezone()
    if at.date() == today.date():
        return time_text(at, with_seconds=True)
    return day_and_time_text(at, with_year=at.year != today.year)


def _severity(status: SyncStatus) -> tuple[bool, int]:
    return bool(status.refused) or status.phase is SyncPhase.REFUSED, _SEVERITY.index(status.phase)


def _progress(status: SyncStatus) -> str:
    return tr("Syncing {done} of {total}", done=status.done or 0, total=status.total)


def _short(status: SyncStatus, time_of: Callable[[int], str]) -> str:
    wait = waiting_words(status.waiting)
    plain = shown(_PHASES[status.phase][0])
    synced = tr("Synced {time}", time=time_of(status.synced_at)) if status.synced_at is not None else ""
    match status.phase:
        case SyncPhase.REFUSED:
            return tr("Refused: {problem}", problem=status.problem) if status.problem else plain
        case SyncPhase.READ_ONLY:
            return f"{plain}: {wait}" if wait else plain
        case _ if status.refused:
            return shown(plural("Refused: {count} changes", "Refused: {count} change", status.refused))
        case SyncPhase.SYNCING if status.total:
            return _progress(status)
        case SyncPhase.SYNCING if wait:
            return shown(plural("Sending {count} changes", "Sending {count} change", status.waiting))
        case SyncPhase.SYNCING | SyncPhase.SYNCED:
            plain = synced or plain
    if not wait or status.phase is SyncPhase.OFF:
        return plain
    return f"{plain.rstrip('…')}: {wait}"


def _tip(status: SyncStatus, time_of: Callable[[int], str]) -> str:
    words = [_short(status, time_of)]
    if status.problem and status.phase is not SyncPhase.REFUSED:
        words.append(shown(status.problem))
    words.append(shown(status.next_step))
    return " ".join(word if word.endswith((".", "…", "。")) else tr("{words}.", words=word) for word in words if word)
