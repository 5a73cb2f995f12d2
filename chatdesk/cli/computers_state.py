"""Says how the library of a person's own computers is, in words and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatdesk.core.moments import moment_text
from chatdesk.core.system import terminal
from chatdesk.core.texts import plural, shown, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.core.sync.computers.own_computers import ComputersState


def say_state(state: ComputersState) -> None:
    """Say the folder, its computers and what waits."""
    terminal.say(state.folder)
    if state.workspace.is_paused:
        terminal.say(tr("Paused: nothing is read or written there."))
    for each in state.computers:
        this = tr("{name} (this one)", name=each.name) if each.is_this else each.name
        terminal.say(tr("{computer}, last here {moment}", computer=this, moment=day_and_time(each.at)))
        if each.waiting:
            said = plural(
                "{count} files of it have not arrived yet", "{count} file of it has not arrived yet", each.waiting
            )
            terminal.say(f"  {said}")
        if each.is_rolled_back:
            terminal.say("  " + tr("the folder has older files of it than before"))
    say_waiting(state)
    if state.was_removed is not None:
        terminal.complain(state.was_removed.sentence)


def say_synced(state: ComputersState) -> int:
    """Say whether everything is in step; returns the exit code."""
    code = exit_code(state)
    if not code:
        terminal.say(tr("Everything is in the folder, and everything in the folder is here."))
    say_waiting(state)
    return code


def say_waiting(state: ComputersState) -> None:
    """Say how many changes and files wait, and why."""
    if state.waiting:
        terminal.complain(plural("{count} changes wait here.", "{count} change waits here.", state.waiting))
    if state.files:
        terminal.complain(tr("Attached files are on their way."))
    if state.unreadable:
        terminal.complain(
            plural(
                "{count} files in the folder are incomplete, or were changed. What they bring waits.",
                "{count} file in the folder is incomplete, or was changed. What it brings waits.",
                len(state.unreadable),
            )
        )
    if state.problem and state.was_removed is None:
        terminal.complain(state.problem)


def exit_code(state: ComputersState) -> int:
    return int(bool(state.waiting or state.problem))


def state_as_data(state: ComputersState) -> dict[str, Any]:
    return {
        "place": state.folder,
        "is_paused": state.workspace.is_paused,
        "removed": shown(state.was_removed.what) if state.was_removed is not None else None,
        "waiting": state.waiting,
        "refused": state.refused,
        "files_on_their_way": state.files,
        "unreadable": list(state.unreadable),
        "problem": shown(state.problem) or None,
        "synced_at": state.synced_at,
        "computers": [
            {
                "id": each.id,
                "name": each.name,
                "version": each.version,
                "last_seen_at": each.at,
                "is_this": each.is_this,
                "waiting": each.waiting,
                "size": each.size,
                "is_rolled_back": each.is_rolled_back,
            }
            for each in state.computers
        ],
    }


def day_and_time(at: int) -> str:
    return moment_text(at, lambda moment: f"{moment:%Y-%m-%d %H:%M}")
