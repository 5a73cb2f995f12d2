"""Jobs: a few at once, each of its caller, and all of them end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chatdesk.core.clock import Clock
from chatdesk.core.errors import NotPossible
from chatdesk.service.errors import UnknownJob
from chatdesk.service.jobs import Job, Jobs
from tests.helpers.waiting import until


async def _forever(_job: Job) -> str:
    await asyncio.Event().wait()
    return ""


async def test_a_job_is_cancelled_and_forgotten_with_its_files(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "jobs", Clock())
    job = await jobs.start("me", "export", _forever)
    assert job.folder.is_dir()
    assert jobs.all("me") == (job,)
    with pytest.raises(UnknownJob):
        jobs.get("another", job.id)
    await jobs.remove(job)
    assert (job.state, job.folder.exists(), jobs.all("me")) == ("cancelled", False, ())


async def test_only_so_many_run_at_once_and_closing_ends_them(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "jobs", Clock())
    running = [await jobs.start("me", "export", _forever) for _ in range(4)]
    with pytest.raises(NotPossible):
        await jobs.start("me", "export", _forever)
    await jobs.close()
    assert {each.state for each in running} == {"cancelled"}
    assert not (tmp_path / "jobs").exists()


async def test_an_unexpected_error_is_logged_and_reveals_no_details(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_job: Job) -> str:
        raise RuntimeError("marked-words-4711")

    jobs = Jobs(tmp_path / "jobs", Clock())
    job = await jobs.start("me", "import", fail)
    await until(lambda: job.state == "failed")
    assert (job.code, "marked" in job.message) == ("unexpected", False)
    assert "a job failed" in caplog.text
    await jobs.close()
