"""Describes the requests about files, tags, search, prompts, models, summaries, usage and jobs; both clients have a
method for each.

Writes take a ``key``: repeated with the same key, even by another run of your program, they happen once. With
``if_match``, the ``etag`` of an earlier answer, a change is refused if the thing was changed since.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

from chatdesk.client.chat_forms import Attachment
from chatdesk.client.library_forms import (
    Assistant,
    FileSource,
    HitGroup,
    Job,
    Limit,
    Limits,
    Memory,
    OwnComputers,
    Passage,
    Prompt,
    PromptHead,
    Provider,
    Summaries,
    Summary,
    Tag,
    UsageReport,
)
from chatdesk.client.reading import listed
from chatdesk.client.request import API, FileBody, Request, form, get, nothing, path_of, repeatable, write

File = str | os.PathLike[str] | bytes
PromptKind = Literal["template", "system", "quick", "assistant"]

# Files


def send_file(file: File, *, name: str = "") -> Request[Attachment]:
    """Send a file, which a question, a note or a draft can then name."""
    body = FileBody(file)
    query = {"name": name or body.name or "file"}
    return Request("POST", f"{API}/attachments", form(Attachment), query, body)


def file_of_message(message_id: str, sha256: str, *, first: int = 0, last: int | None = None) -> Request[bytes]:
    """Read a file of a message, or its bytes from ``first`` to ``last``."""
    return _file(path_of("messages", message_id, path_of("attachments", sha256)), first, last)


# Files of projects


def project_files(project_id: str) -> Request[tuple[FileSource, ...]]:
    """List the folders, files and pages of a project."""
    return get(path_of("projects", project_id, "/files"), listed(FileSource, "sources"))


def search_project_files(project_id: str, q: str, *, limit: int = 8) -> Request[tuple[Passage, ...]]:
    """Find the passages of a project's files that fit a question, the best first."""
    return get(path_of("projects", project_id, "/files/search"), listed(Passage, "passages"), q=q, limit=limit)


# Tags and search


def tags() -> Request[tuple[Tag, ...]]:
    """List the tags."""
    return get("/tags", listed(Tag, "tags"))


def rename_tag(tag_id: str, name: str, *, if_match: str = "", key: str = "") -> Request[Tag]:
    """Rename a tag."""
    return write("PATCH", path_of("tags", tag_id), form(Tag), {"name": name}, key=key, if_match=if_match)


def delete_tag(tag_id: str) -> Request[None]:
    """Delete a tag; its threads stay."""
    return repeatable("DELETE", path_of("tags", tag_id), nothing)


def search(
    q: str,
    *,
    kind: Literal["message", "thread", "project", "tag", "artifact"] | None = None,
    limit: int = 20,
    cursor: str | None = None,
) -> Request[tuple[HitGroup, ...]]:
    """Search as in the window, of all kinds or of one."""
    return get("/search", listed(HitGroup, "groups"), q=q, kind=kind, limit=limit, cursor=cursor)


def prompts() -> Request[tuple[PromptHead, ...]]:
    """List the library of prompts."""
    return get("/prompts", listed(PromptHead, "prompts"))


def prompt(prompt_id: str) -> Request[Prompt]:
    """Read a prompt."""
    return get(path_of("prompts", prompt_id), form(Prompt))


def make_prompt(
    kind: PromptKind, text: str, *, name: str = "", assistant: Assistant | None = None, key: str = ""
) -> Request[Prompt]:
    """Put a prompt into the library; ``assistant`` is the set-up of one. Tools are named only: none is started."""
    return write("POST", "/prompts", form(Prompt), _prompt_body(kind, text, name, assistant), key=key)


def replace_prompt(
    prompt_id: str,
    kind: PromptKind,
    text: str,
    *,
    name: str = "",
    assistant: Assistant | None = None,
    if_match: str = "",
    key: str = "",
) -> Request[Prompt]:
    """Replace a prompt of the library; an assistant keeps its set-up where none is given."""
    body = _prompt_body(kind, text, name, assistant)
    return write("PUT", path_of("prompts", prompt_id), form(Prompt), body, key=key, if_match=if_match)


def _prompt_body(kind: PromptKind, text: str, name: str, assistant: Assistant | None) -> dict[str, Any]:
    return {"kind": kind, "text": text, "name": name, "assistant": None if assistant is None else asdict(assistant)}


def delete_prompt(prompt_id: str) -> Request[None]:
    """Delete a prompt."""
    return repeatable("DELETE", path_of("prompts", prompt_id), nothing)


# Own computers


def computers() -> Request[OwnComputers]:
    """Read the state of the exchange with the person's own computers."""
    return get("/computers", form(OwnComputers))


# Memories


def memories() -> Request[tuple[Memory, ...]]:
    """List the facts that are remembered."""
    return get("/memories", listed(Memory, "memories"))


def memory(memory_id: str) -> Request[Memory]:
    """Read a memory."""
    return get(path_of("memories", memory_id), form(Memory))


def remember(text: str, *, project_id: str | None = None, key: str = "") -> Request[Memory]:
    """Remember a fact in one line, everywhere or in one project. Refused while memory is off."""
    return write("POST", "/memories", form(Memory), {"text": text, "project_id": project_id}, key=key)


def replace_memory(
    memory_id: str, text: str, *, project_id: str | None = None, if_match: str = "", key: str = ""
) -> Request[Memory]:
    """Replace a memory."""
    body = {"text": text, "project_id": project_id}
    return write("PUT", path_of("memories", memory_id), form(Memory), body, key=key, if_match=if_match)


def delete_memory(memory_id: str) -> Request[None]:
    """Delete a memory for good."""
    return repeatable("DELETE", path_of("memories", memory_id), nothing)


def models() -> Request[tuple[Provider, ...]]:
    """List the providers with their models."""
    return get("/models", listed(Provider, "providers"))


# Summaries


def summaries(thread_id: str) -> Request[Summaries]:
    """List the summaries of a thread, and read how far the work on them is."""
    return get(path_of("threads", thread_id, "/summaries"), form(Summaries))


def summarise(thread_id: str, *, agrees: bool = False) -> Request[Summaries]:
    """Make the summaries of a thread again, in the background; with ``agrees`` also where that was asked about."""
    path = API + path_of("threads", thread_id, "/summaries")
    return Request("POST", path, form(Summaries), body={"agrees": agrees})


def summary(summary_id: str) -> Request[Summary]:
    """Read a summary."""
    return get(path_of("summaries", summary_id), form(Summary))


def change_summary(
    summary_id: str, *, text: str | None = None, is_on: bool | None = None, if_match: str = "", key: str = ""
) -> Request[Summary]:
    """Edit a summary, or switch it on or off."""
    body = {"text": text, "is_on": is_on}
    return write("PATCH", path_of("summaries", summary_id), form(Summary), body, key=key, if_match=if_match)


# Usage and limits


def usage(
    *, thread_id: str | None = None, project_id: str | None = None, first: str | None = None, last: str | None = None
) -> Request[UsageReport]:
    """Add up the tokens and costs of requests: of a thread, a project or all, from one day to another (2026-11-23),
    else today."""
    return get("/usage", form(UsageReport), thread_id=thread_id, project_id=project_id, first=first, last=last)


def limits() -> Request[Limits]:
    """List the limits on tokens and money."""
    return get("/limits", form(Limits))


def replace_limits(given: Sequence[Limit], *, if_match: str = "", key: str = "") -> Request[Limits]:
    """Replace all limits on tokens and money."""
    names = ("scope", "period", "unit", "target", "soft", "hard")
    body = {"limits": [{name: getattr(each, name) for name in names} for each in given]}
    return write("PUT", "/limits", form(Limits), body, key=key, if_match=if_match)


# Jobs


def export(
    format_: Literal["md", "json", "html", "pdf"],
    *,
    thread_ids: Sequence[str] = (),
    project_id: str | None = None,
    trash_too: bool = False,
    key: str = "",
) -> Request[Job]:
    """Start an export of threads, of a project or of all."""
    body = {"format": format_, "thread_ids": list(thread_ids), "project_id": project_id, "trash_too": trash_too}
    return write("POST", "/exports", form(Job), body, key=key)


def import_file(
    file: File, *, name: str = "", project_id: str | None = None, dry_run: bool = False, memories: bool = False
) -> Request[Job]:
    """Start an import of any file that the window imports. ``dry_run`` only reports and stores nothing; ``memories``:
    remember the facts in it, too."""
    body = FileBody(file)
    query = {
        "name": name or body.name or "import",
        "project_id": project_id,
        "dry_run": "true" if dry_run else None,
        "memories": "true" if memories else None,
    }
    return Request("POST", f"{API}/imports", form(Job), query, body)


def jobs() -> Request[tuple[Job, ...]]:
    """List the exports and imports of this token, the newest first."""
    return get("/jobs", listed(Job, "jobs"))


def job(job_id: str) -> Request[Job]:
    """Read how far an export or import is."""
    return get(path_of("jobs", job_id), form(Job))


def cancel_job(job_id: str) -> Request[None]:
    """Cancel an export or import, and forget it with its file."""
    return repeatable("DELETE", path_of("jobs", job_id), nothing)


def file_of_job(job_id: str, *, first: int = 0, last: int | None = None) -> Request[bytes]:
    """Read the file of an export, or its bytes from ``first`` to ``last``."""
    return _file(path_of("jobs", job_id, "/file"), first, last)


def _file(path: str, first: int, last: int | None) -> Request[bytes]:
    wanted = "" if first == 0 and last is None else f"bytes={first}-{'' if last is None else last}"
    return Request("GET", API + path, bytes, is_for_file=True, bytes_wanted=wanted)
