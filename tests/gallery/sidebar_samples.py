"""The sidebar alone, with made-up threads: ``python tests/gallery/sidebar_samples.py [light|dark] [scale]``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PySide6.QtWidgets import QApplication, QCheckBox, QLineEdit, QWidget

from chatdesk.core.domain.thread import Project, Thread, ThreadPage
from chatdesk.core.paths import resources_dir
from chatdesk.core.settings.schema import PAGES, all_settings
from chatdesk.core.texts import tr
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.dialogs.notice import AboutDialog, NoticeDialog
from chatdesk.ui.features.chat.temporary_binding import TemporaryDialog
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.settings.shortcuts_editor import ShortcutsEditor
from chatdesk.ui.sidebar.grouping import Folder
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.fonts import load_first_fonts
from chatdesk.ui.theme.theme import Theme
from tests.helpers.settings_pages import row_of

# Pages that others fill and draw.
_FILLED = ("Providers", "Usage and limits", "Team sync")
NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)


class FixedClock:
    """A clock that does not advance by itself."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def now_ms(self) -> int:
        return round(self.now.timestamp() * 1000)

    def monotonic_s(self) -> float:
        return self.now.timestamp()


def make_thread(number: int, title: str, *, ago: timedelta = timedelta(), **changes: object) -> Thread:
    moment = round((NOW - ago).timestamp() * 1000)
    fields: dict[str, object] = {
        "id": f"00000000-0000-7000-8000-{number:012d}",
        "project_id": "project",
        "title": title,
        "system_prompt": "",
        "provider": "offline",
        "model": "offline-demo",
        "created_at": moment,
        "last_activity_at": moment,
    }
    return Thread(**(fields | changes))  # type: ignore[arg-type]


def sample_threads() -> list[Thread]:
    hours = lambda count: timedelta(hours=count)  # noqa: E731 - short names keep the table below readable
    pin = round(NOW.timestamp() * 1000)
    return [
        make_thread(1, "Postgres RLS policies for shared projects", ago=hours(1), pinned_at=pin),
        make_thread(2, "Weekly reading notes", ago=hours(300), pinned_at=pin),
        make_thread(3, "Explain the WAL checkpoint stall", ago=hours(0.5)),
        make_thread(4, "Draft: release notes 1.4", ago=hours(3)),
        make_thread(5, "Compare vector index sizes (branch)", ago=hours(5)),
        make_thread(6, "Translate the onboarding e-mail into French", ago=hours(22)),
        make_thread(7, "Regex for ISO 8601 durations", ago=hours(26)),
        make_thread(8, "Trip plan: Lisbon, 4 days", ago=hours(30)),
        make_thread(9, "Qt model/view performance", ago=hours(96)),
        make_thread(10, "Budget spreadsheet formulas", ago=hours(120)),
        make_thread(13, "Summarise the Jepsen report", ago=hours(130), project_id="team"),
        make_thread(11, "日本語の要約と用語集", ago=hours(24 * 40)),
        make_thread(12, "One from last year", ago=hours(24 * 380)),
    ]


class ListFetcher:
    """Pages over a list, answered at once (or when ``answer`` is called, with ``is_held``)."""

    def __init__(self, threads: Sequence[Thread], *, page_size: int = 50, is_held: bool = False) -> None:
        self.threads = list(threads)
        self.page_size = page_size
        self.is_held = is_held
        self.asked: list[str | None] = []
        self._waiting: list[Callable[[], None]] = []

    def __call__(self, cursor: str | None, deliver: Callable[[ThreadPage], None]) -> None:
        self.asked.append(cursor)
        found = sorted(self.threads, key=lambda thread: (thread.pinned_at is None, -thread.last_activity_at))
        start = int(cursor or 0)
        end = start + self.page_size
        page = ThreadPage(tuple(found[start:end]), str(end) if end < len(found) else None)
        if self.is_held:
            self._waiting.append(lambda: deliver(page))
        else:
            deliver(page)

    def answer(self, which: int = 0) -> None:
        self._waiting.pop(which)()


def build_sidebar(theme: Theme, threads: Sequence[Thread] | None = None) -> Sidebar:
    found = sample_threads() if threads is None else threads
    sidebar = Sidebar(ListFetcher(found), theme, clock=FixedClock(), zone=UTC)
    sidebar.set_project(Project("project", "Research", "", "", None, None, 0, None))
    sidebar.set_shared_projects({"team": "shared"})
    sidebar.reload()
    sidebar.thread_list.show_open(make_thread(1, "").id)
    sidebar.rows.set_streaming(make_thread(4, "").id, True)
    sidebar.notices.set_status(tr("All changes saved"))
    return sidebar


class FolderFetcher:
    """Pages over threads that are in folders; the pinned ones come with the folders."""

    def __init__(self, threads: Sequence[Thread], titles: dict[str, str], *, page_size: int = 50) -> None:
        self.threads = list(threads)
        self.titles = dict(titles)
        self.page_size = page_size
        self.asked: list[tuple[str, str | None]] = []
        self.is_held = False
        self.waiting: list[Callable[[], None]] = []
        self.sidebar: Sidebar | None = None
        self.fetch_list = self._fetch_pinned

    def folders(self) -> list[Folder]:
        return [Folder(project_id, title, len(self.of(project_id))) for project_id, title in self.titles.items()]

    def of(self, project_id: str) -> list[Thread]:
        found = [each for each in self.threads if each.project_id == project_id and each.pinned_at is None]
        return sorted(found, key=lambda each: -each.last_activity_at)

    def __call__(self, _cursor: str | None, deliver: Callable[[ThreadPage], None]) -> None:
        self.fetch_list(deliver)

    def _fetch_pinned(self, deliver: Callable[[ThreadPage], None]) -> None:
        assert self.sidebar is not None
        self.sidebar.rows.set_folders(self.folders())
        deliver(ThreadPage(tuple(each for each in self.threads if each.pinned_at is not None), None))

    def fetch(self, project_id: str, cursor: str | None, deliver: Callable[[ThreadPage], None]) -> None:
        self.asked.append((project_id, cursor))
        found, start = self.of(project_id), int(cursor or 0)
        end = start + self.page_size
        page = ThreadPage(tuple(found[start:end]), str(end) if end < len(found) else None)
        if self.is_held:
            self.waiting.append(lambda: deliver(page))
        else:
            deliver(page)


FOLDER_TITLES = {"project": "Research", "team": "Storage team", "empty": "Travel"}


def build_folders(
    theme: Theme, fetcher: FolderFetcher | None = None, open_ids: Sequence[str] = ("project",)
) -> Sidebar:
    """The threads of all projects in folders."""
    fetcher = fetcher or FolderFetcher(sample_threads(), FOLDER_TITLES)
    sidebar = Sidebar(fetcher, theme, clock=FixedClock(), zone=UTC)
    fetcher.sidebar = sidebar
    sidebar.set_project(None)
    sidebar.set_shared_projects({"team": "shared"})
    sidebar.by_project = True
    sidebar.rows.read_folders_with(fetcher.fetch, open_ids)
    sidebar.reload()
    sidebar.thread_list.show_open(make_thread(3, "").id)
    sidebar.notices.set_status(tr("All changes saved"))
    return sidebar


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    """The sidebar in its states, and the dialogs."""
    full, empty, folders = build_sidebar(theme), build_sidebar(theme, []), build_folders(theme)
    failed = build_sidebar(theme, [])
    failed.notices.fail("The database could not be used. What was saved before is unchanged.")
    failed.notices.set_status("Not saved", is_error=True)
    full.lines.show_temporary("Temporary chat")
    for sidebar in (full, empty, failed, folders):
        sidebar.resize(264, 820)
    lists = [("sidebar", full), ("sidebar-empty", empty), ("sidebar-failed", failed), ("sidebar-folders", folders)]
    return [*lists, *_dialogs(theme)]


def _dialogs(theme: Theme) -> list[tuple[str, QWidget]]:
    values: dict[str, object] = {setting.name: setting.default for setting in all_settings()}
    values["backup_dir"] = "/home/me/.local/share/chatdesk-backups"
    return [
        *(
            (f"settings-{page.split()[0].lower()}", _settings(theme, values, page))
            for page in PAGES
            if page not in _FILLED
        ),
        ("settings-search", _settings(theme, values, "General", search="backup")),
        ("settings-changed", _settings(theme, values, "Context", is_changed=True)),
        (
            "notice-report",
            NoticeDialog(theme, "Something went wrong", "Your messages are kept.", file=Path("crash.txt")),
        ),
        ("temporary-dialog", TemporaryDialog(theme)),
        (
            "confirm",
            ConfirmDialog(
                theme, "Delete for good?", "12 threads cannot be restored.", yes_text="Delete", is_dangerous=True
            ),
        ),
        ("notice", NoticeDialog(theme, "An unexpected failure", "Your messages are kept and the window goes on.")),
        ("about", AboutDialog(theme)),
    ]


def _commands() -> CommandRegistry:
    commands = CommandRegistry(QWidget(), CATALOGUE)
    for command in CATALOGUE:
        commands.bind(command.id, lambda: None)
    return commands


def _settings(
    theme: Theme, values: dict[str, object], page: str, *, search: str = "", is_changed: bool = False
) -> SettingsDialog:
    dialog = SettingsDialog(theme, values)
    dialog.fill_page("Shortcuts", lambda: ShortcutsEditor(theme, _commands()))
    dialog.show_page(page)
    if search:
        field = dialog.findChild(QLineEdit, "settingsSearch")
        assert field is not None
        field.setText(search)
    if is_changed:
        check = row_of(dialog, "summaries").field
        assert isinstance(check, QCheckBox)
        check.setChecked(False)
    return dialog


def main(arguments: Sequence[str]) -> int:
    application = QApplication([])
    load_first_fonts(resources_dir() / "fonts")
    scale = float(arguments[1]) if len(arguments) > 1 else 1.0
    theme = Theme(application, preference="dark" if "dark" in arguments else "light", scale=scale)
    theme.apply()
    sidebar = build_sidebar(theme)
    sidebar.resize(264, 820)
    sidebar.show()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
