from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from chatdesk.core.diagnostics.doctor import Finding, Level, run_doctor
from chatdesk.core.errors import StorageCorrupt
from chatdesk.core.paths import AppPaths


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    paths = AppPaths.find(tmp_path / "data", {})
    paths.make_directories()
    return paths


async def _fine() -> Finding:
    return Finding("fine", Level.OK, "yes")


async def test_a_healthy_machine(paths: AppPaths) -> None:
    report = await run_doctor(paths, {"fine": _fine}, environ={"DISPLAY": ":0"})
    assert report.is_healthy
    data = report.as_data()
    assert data["is_healthy"] is True
    assert {"versions", "data directory", "disk", "display", "fine"} <= {each["name"] for each in data["findings"]}
    assert f"ok      data directory      {paths.data_dir}" in report.as_text()


async def test_probes_that_fail_raise_or_hang_are_findings(paths: AppPaths) -> None:
    async def damaged() -> Finding:
        raise StorageCorrupt

    async def broken() -> Finding:
        raise ZeroDivisionError("dear diary")

    async def hanging() -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    async def several() -> tuple[Finding, ...]:
        return Finding("a", Level.NOTE, "less"), Finding("b", Level.OK, "fine")

    probes = {"database": damaged, "broken": broken, "hanging": hanging, "several": several}
    report = await run_doctor(paths, probes, environ={}, timeout_s=0.05)
    by_name = {finding.name: finding for finding in report.findings}
    assert not report.is_healthy
    assert by_name["database"].message == StorageCorrupt().sentence
    assert by_name["broken"].message == "The check itself failed (ZeroDivisionError)."
    assert "No answer" in by_name["hanging"].message
    assert by_name["a"].level is Level.NOTE


async def test_a_missing_display_is_a_note(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    report = await run_doctor(paths, {}, environ={})
    assert {each.name: each.level for each in report.findings}["display"] is Level.NOTE


async def test_that_a_directory_takes_files_is_tried(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object, flags: int, *values: object, **more: object) -> int:
        if flags & os.O_RDWR and Path(str(path)).is_relative_to(paths.log_dir):
            raise OSError(errno.EIO, "Input/output error")
        return real(path, flags, *values, **more)  # type: ignore[arg-type]

    paths.make_directories()
    paths.backup_dir.mkdir(exist_ok=True)
    real = os.open
    monkeypatch.setattr(os, "open", refuse)
    report = await run_doctor(paths, {}, environ={})
    by_name = {each.name: each for each in report.findings}
    assert by_name["logs directory"].level is Level.PROBLEM
    assert "cannot be written to" in by_name["logs directory"].message
    assert by_name["data directory"].level is by_name["backups directory"].level is Level.OK


async def test_directories_that_others_can_read_or_that_are_files_are_problems(paths: AppPaths) -> None:
    paths.data_dir.chmod(0o755)
    paths.crash_dir.rmdir()
    paths.log_dir.rmdir()
    paths.log_dir.write_text("in the way")
    paths.backup_dir.rmdir()
    by_name = {each.name: each for each in (await run_doctor(paths, {}, environ={})).findings}
    assert "chmod 700" in by_name["data directory"].message
    assert "not a directory" in by_name["logs directory"].message
    assert by_name["backups directory"].level is Level.OK
    assert by_name["settings directory"].level is Level.OK


async def test_little_space_is_a_note(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1_000_000

    monkeypatch.setattr("shutil.disk_usage", lambda _path: Usage)
    by_name = {each.name: each for each in (await run_doctor(paths, {}, environ={})).findings}
    assert by_name["disk"].level is Level.NOTE
