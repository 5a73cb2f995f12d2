"""Endpoints of exports and imports, which go on after their requests have been answered."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from chatdesk.core.domain.attachment import clean_name
from chatdesk.core.domain.exports import Choice, ExportFormat, ExportProgress
from chatdesk.core.domain.imported import ImportProgress
from chatdesk.service.caller import Scope
from chatdesk.service.declaration import FILE, Call, Endpoint, Repeated, Streamed, UploadedFile
from chatdesk.service.errors import UnknownPath
from chatdesk.service.forms import BODY, QUERY
from chatdesk.service.jobs import Job
from chatdesk.service.rest.attachments import streamed_file
from chatdesk.service.rest.projects import reached_project
from chatdesk.service.rest.threads import reached_thread
from chatdesk.service.rest.times import iso


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """An export or import. ``done`` of ``total`` are messages of an export and bytes of an import; ``has_file``: its
    result can be read at ``/file``. Jobs are kept until the service ends."""

    id: str
    kind: str
    state: Literal["running", "done", "failed", "cancelled"]
    done: int
    total: int
    message: str
    code: str | None
    has_file: bool
    created_at: str


@dataclass(frozen=True, slots=True)
class JobsAnswer:
    """The jobs of this token, the newest first."""

    jobs: tuple[JobAnswer, ...]


@dataclass(frozen=True)
class ExportWanted:
    """The threads to export: the named ones, else all of a project, else all."""

    __pydantic_config__ = BODY
    format: Literal["md", "json", "html", "pdf"]
    thread_ids: tuple[str, ...] = ()
    project_id: str | None = None
    trash_too: bool = False


@dataclass(frozen=True)
class ImportWanted:
    """The project for the threads of an imported file, which may be of any kind that the window imports. ``memories``:
    remember the facts that the file has, too, which only a token for all projects may."""

    __pydantic_config__ = QUERY
    name: str = "import"
    project_id: str | None = None
    dry_run: bool = False
    memories: bool = False


def job_answer(job: Job) -> JobAnswer:
    return JobAnswer(
        job.id,
        job.kind,
        job.state,
        job.done,
        job.total,
        job.message,
        job.code,
        job.state == "done" and job.path is not None,
        iso(job.created_at),
    )


def jobs_answer(jobs: tuple[Job, ...]) -> JobsAnswer:
    return JobsAnswer(tuple(job_answer(each) for each in jobs))


async def _export(call: Call[None, ExportWanted]) -> Job | Repeated:
    body, key = call.body, call.headers.get("idempotency-key", "")
    known = call.jobs.asked_with(call.caller.id, key, body)
    if known is not None:
        return Repeated(known)
    for thread_id in body.thread_ids:
        await reached_thread(call, thread_id)
    if body.project_id is not None:
        await reached_project(call, body.project_id)
    elif not body.thread_ids:
        call.caller.require_all_projects()
    choice = Choice(body.thread_ids, None if body.thread_ids else body.project_id, body.trash_too)
    exports = await call.services.exports_of(body.thread_ids)
    wanted = ExportFormat(body.format)

    async def work(job: Job) -> str:
        def report_progress(progress: ExportProgress) -> None:
            job.done, job.total = progress.messages, progress.of_messages

        is_one_file = wanted is ExportFormat.JSON or len(choice.thread_ids) == 1
        target = job.folder / f"chatdesk.{wanted.value}" if is_one_file else job.folder
        report = await exports.export(choice, wanted, target, on_progress=report_progress, is_apart=True)
        job.done = job.total = report.messages  # progress is told now and then, and not at the end
        job.path = report.path
        if report.path.is_dir():
            packed = await asyncio.to_thread(shutil.make_archive, str(report.path), "zip", report.path)
            job.path = report.path.with_name(packed.rpartition("/")[2])
        return report.sentence

    return await call.jobs.start(call.caller.id, "export", work, key=key, wanted=body)


async def _import(call: Call[ImportWanted, UploadedFile]) -> Job | Repeated:
    wanted, services = call.query, call.services
    key = call.headers.get("idempotency-key", "")
    asked = (wanted, await asyncio.to_thread(_digest_of, call.body.path) if key else "")
    known = call.jobs.asked_with(call.caller.id, key, asked)
    if known is not None:
        return Repeated(known)
    takes_memories = wanted.memories and not wanted.dry_run
    if wanted.project_id is None or wanted.memories:
        call.caller.require_all_projects()
    if takes_memories:
        services.memory.check_on()
    if wanted.project_id is not None:
        await reached_project(call, wanted.project_id)
    file = call.body.path.with_name(clean_name(wanted.name))
    await asyncio.to_thread(call.body.path.replace, file)

    async def work(job: Job) -> str:
        def report_progress(progress: ImportProgress) -> None:
            job.done, job.total = progress.done_bytes, progress.total_bytes

        report = await services.importer.run(
            job.folder / file.name, project=wanted.project_id, is_dry_run=wanted.dry_run, on_progress=report_progress
        )
        if takes_memories:
            report.memories_taken = await services.memory.add_imported(report.memories, report.source)
        return report.summary

    return await call.jobs.start(call.caller.id, "import", work, file=file, key=key, wanted=asked)


def _digest_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


async def _list(call: Call[Any, Any]) -> tuple[Job, ...]:
    return call.jobs.all(call.caller.id)


async def _read(call: Call[Any, Any]) -> Job:
    return call.jobs.get(call.caller.id, call.path["job_id"])


async def _file(call: Call[Any, Any]) -> Streamed:
    job = await _read(call)
    if job.path is None or job.state != "done":
        raise UnknownPath
    return await asyncio.to_thread(streamed_file, job.path, job.path.name, call.headers.get("range", ""))


async def _remove(call: Call[Any, Any]) -> None:
    await call.jobs.remove(await _read(call))


_ONE: Final = "/api/v1/jobs/{job_id}"
ENDPOINTS: Final = (
    Endpoint(
        "POST",
        "/api/v1/exports",
        _export,
        "Export threads",
        job_answer,
        body=ExportWanted,
        status=202,
        has_own_keys=True,
    ),
    Endpoint(
        "POST",
        "/api/v1/imports",
        _import,
        "Import a file",
        job_answer,
        scope=Scope.WRITE,
        query=ImportWanted,
        body=UploadedFile,
        status=202,
        has_own_keys=True,
    ),
    Endpoint("GET", "/api/v1/jobs", _list, "List exports and imports", jobs_answer),
    Endpoint("GET", _ONE, _read, "Read the state of an export or import", job_answer),
    Endpoint("GET", f"{_ONE}/file", _file, "Read the file of an export", media_type=FILE, has_ranges=True),
    Endpoint("DELETE", _ONE, _remove, "Cancel an export or import, and forget it", status=204),
)
