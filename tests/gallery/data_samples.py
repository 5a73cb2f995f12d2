"""Taking data out and keeping it safe: the export dialog, the page *Data*, the restore dialog, a progress dialog,
the report of a problem."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from chatdesk.core.diagnostics.bundle import ReportFile
from chatdesk.ui.features.help.bug_report import BugReportDialog
from chatdesk.ui.features.settings.restore import RestoreDialog
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.transfer.export_dialog import ExportDialog, ProgressDialog
from chatdesk.ui.theme.theme import Theme
from tests.helpers.settings_pages import data_page

_BACKUPS = [
    ("/b/1", "2026-11-21 09:12, daily"),
    ("/b/2", "2026-11-20 08:47, before a restore"),
    ("/b/3", "2026-11-20 08:02, daily"),
    ("/b/4", "2026-11-01 10:30, before an upgrade"),
]


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    export = ExportDialog(theme, [("threads", "This thread"), ("project", "The project"), ("everything", "Everything")])
    settings = SettingsDialog(
        theme, {"backups_daily": 7, "backups_weekly": 4, "backup_dir": "/home/me/.local/share/chatdesk-backups"}
    )
    settings.show_page("Data and backup")
    data_page(settings).show_result(["The counters of 2 threads were corrected.", "Nothing else was wrong."])
    restore = RestoreDialog(theme, _BACKUPS)
    restore.show_contents(
        "/b/1",
        [
            "1,204 threads, 48,310 messages",
            "Newest message: 2026-11-21 09:10",
            "",
            "Newest threads:",
            "• Row-level security for team projects",
            "• Recipe for lentils",
        ],
        can_restore=True,
    )
    progress = ProgressDialog(theme, "Exporting", "48,310 of 120,000 messages")
    progress.show_share(48_310, 120_000)
    empty = RestoreDialog(theme, [])
    report = BugReportDialog(theme)
    report.show_files(
        [
            ReportFile("about.txt", "This goes with the report of a bug in ChatDesk.\n"),
            ReportFile("doctor.txt", "ok      versions             ChatDesk 0.1.0, Python 3.11.2\n" * 12),
            ReportFile("health.json", '{"loop_lag_ms": {"median": 0.3, "most": 2.1}}\n'),
            ReportFile("log/chatdesk.log", "2026-11-22 10:56:27.664Z INFO turn.ended status=complete\n" * 4000),
        ]
    )
    return [
        ("export-dialog", export),
        ("settings-data", settings),
        ("restore-dialog", restore),
        ("restore-empty", empty),
        ("progress-dialog", progress),
        ("bug-report", report),
        ("bug-report-collecting", BugReportDialog(theme)),
    ]
