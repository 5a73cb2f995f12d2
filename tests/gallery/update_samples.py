"""The dialog of updates, in its states."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import shown
from chatdesk.core.updates.installation import Installation, InstallKind, how_updated
from chatdesk.core.updates.release import Release, Version, shown_notes
from chatdesk.ui.features.updates.update_dialog import UpdateDialog
from chatdesk.ui.theme.theme import Theme

_NOTES = """Files of a project open in half the time.

- Compare up to six models at once. Their answers
  stand side by side and scroll together:
  - the first one that is complete is shown first,
  - and each has its time and its cost.
- Long code folds.
- Going back to a version is one command.

Fixed: a table with a very long word pushed the others out of sight."""
_WANTED = "Looks for a new version once a day; it is installed when you say so."


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    release = Release(Version(0, 3, 0), shown_notes(_NOTES), 84_000_000, 300_000_000)

    def dialog() -> UpdateDialog:
        return UpdateDialog(theme, "0.2.0", _WANTED, has_feed=True)

    apt = shown(how_updated(Installation(InstallKind.APT), None, is_wanted=False))
    offered, fetching, failed, installed, newest = (dialog() for _ in range(5))
    for each in (offered, fetching, failed, installed):
        each.show_release(release)
    fetching.show_step("download", 42)
    failed.show_failed(
        "The update feed is not signed as it must be, so it was not used. This version is unchanged."
        " Try again tomorrow. If it stays so, report it."
    )
    installed.show_installed()
    newest.show_release(None)
    return [
        ("updates", dialog()),
        ("updates-offered", offered),
        ("updates-fetching", fetching),
        ("updates-failed", failed),
        ("updates-installed", installed),
        ("updates-newest", newest),
        ("updates-by-apt", UpdateDialog(theme, "0.2.0", apt, has_feed=False)),
    ]
