"""What goes with the report of a bug: all that helps, and nothing that somebody wrote."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from chatdesk.core.diagnostics import bundle
from chatdesk.core.diagnostics.bundle import ReportFile
from chatdesk.core.diagnostics.doctor import DoctorReport, Finding, Level
from chatdesk.core.diagnostics.redaction import Redactor
from chatdesk.core.errors import ExportFailed
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.description import describe_settings
from chatdesk.core.settings.schema import Settings, all_settings

WORDS = "marked words 4711"
KEY = "sk-marked-4711-canary-0815"


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    found = AppPaths.find(tmp_path / "Our secret project")
    found.make_directories()
    return found


def _collect(paths: AppPaths, *findings: Finding, settings: Settings | None = None) -> dict[str, str]:
    redactor = Redactor()
    redactor.register_secret(KEY)
    files = bundle.collect(
        paths,
        redactor,
        doctor=DoctorReport(findings),
        health={"pid": 5},
        settings=describe_settings(settings or Settings()),
    )
    return {each.name: each.text for each in files}


def test_log_crashes_doctor_health_and_settings_are_in_it(paths: AppPaths) -> None:
    paths.log_file.write_text(f"opened {paths.database} with {KEY}\n")
    paths.log_file.with_name("chatdesk.log.1").write_text("older\n")
    (paths.crash_dir / "crash-20261122-abc.txt").write_text(f"at {paths.data_dir}/x.py\n")
    (paths.log_dir / "unrelated.txt").write_text(WORDS)
    versions = Finding("versions", Level.OK, "ChatDesk 0.1.0", {"openai": "3.54.0"})
    found = _collect(paths, versions, Finding("disk", Level.NOTE, "Only 5 MB are free."))
    assert set(found) == {
        "about.txt", "doctor.txt", "health.json", "settings.txt", "log/chatdesk.log", "log/chatdesk.log.1",
        "crashes/crash-20261122-abc.txt",
    }  # fmt: skip
    assert found["log/chatdesk.log"] == "opened <data directory>/chatdesk.db with [redacted]\n"
    assert found["crashes/crash-20261122-abc.txt"] == "at <data directory>/x.py\n"
    assert "note    disk                 Only 5 MB are free." in found["doctor.txt"]
    assert "openai               3.54.0" in found["doctor.txt"]
    assert '"pid": 5' in found["health.json"]
    assert "limits.trash_days = 30" in found["settings.txt"]
    assert not any("Our secret project" in text or KEY in text or WORDS in text for text in found.values())


def test_a_team_is_told_by_its_id(paths: AppPaths) -> None:
    details = {"id": "w-1", "waiting": 2, "last_problem": WORDS}
    found = _collect(paths, Finding(f"workspace {WORDS}", Level.NOTE, f"{WORDS} on db.example.org", details))
    assert 'workspace w-1        {"id": "w-1", "waiting": 2}' in found["doctor.txt"]
    assert WORDS not in found["doctor.txt"]
    assert "example.org" not in found["doctor.txt"]


def test_of_a_large_log_its_end_is_taken(paths: AppPaths) -> None:
    paths.log_file.write_bytes(b"old\n" * 2_000_000 + b"the newest\n")
    text = _collect(paths)["log/chatdesk.log"]
    assert text.endswith("the newest\n")
    assert len(text) == 4 * 1024 * 1024


def test_what_a_log_links_to_is_not_taken_along(paths: AppPaths, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text(WORDS)
    paths.log_file.with_name("chatdesk.log.2").symlink_to(tmp_path / "mine.txt")
    os.mkfifo(paths.log_file.with_name("chatdesk.log.3"))
    assert not any(name.startswith("log/") for name in _collect(paths))


def test_no_setting_tells_what_a_person_wrote() -> None:
    """A new setting with free text is hidden until somebody says that it may be seen."""
    texts = {each.name: WORDS for each in all_settings() if each.kind is str and not each.choices and not each.is_url}
    texts |= {"openai_model": "gpt-5.4-mini", "provider": "openai", "rate_limit": "20/min", "summary_cron": "0 3 * * *"}
    settings = Settings(
        **texts,  # type: ignore[arg-type]
        openai_base_url=f"https://{KEY}:{KEY}@example.org:8443/{KEY}/v1?key={KEY}",
        openai_headers={"X-Team": WORDS},
        shortcuts={"app.quit": WORDS},
    )
    text = "\n".join(describe_settings(settings))
    assert WORDS not in text
    assert KEY not in text
    assert "provider.openai_base_url = https://example.org:8443/…" in text
    assert "context.system_prompt = (17 characters)" in text
    assert "provider.openai_headers = (1 entries)" in text
    assert 'provider.openai_model = "gpt-5.4-mini"' in text
    assert len(text.splitlines()) == len(all_settings())


def test_the_zip_is_private_and_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "report.zip"
    bundle.write(target, [ReportFile("a.txt", "ünï\udcff"), ReportFile("log/b.log", "x" * 1000)])
    assert target.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(target) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "a.txt": "ünï?".encode(),
            "log/b.log": b"x" * 1000,
        }
    with pytest.raises(ExportFailed, match=r"could not be written to .*No such file"):
        bundle.write(tmp_path / "nowhere" / "report.zip", [])
    assert [path.name for path in tmp_path.iterdir()] == ["report.zip"]
