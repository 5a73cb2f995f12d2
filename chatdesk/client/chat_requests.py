"""Describes the requests about the service, projects, threads and messages; both clients have a method for each.

Writes take a ``key``: repeated with the same key, even by another run of your program, they happen once. With
``if_match``, the ``etag`` of an earlier answer, a change is refused if the thing was changed since.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from chatdesk.client.chat_forms import (
    Asked,
    Attachment,
    Draft,
    Edited,
    Message,
    MessagePage,
    Project,
    Ready,
    Thread,
    ThreadPage,
)
from chatdesk.client.reading import listed
from chatdesk.client.request import API, Request, form, get, given_files, nothing, path_of, repeatable, write

# The service


def is_up() -> Request[bool]:
    """Return True; raises where the service is not there. ``ready`` says whether it can work."""
    return Request("GET", "/health", lambda body: bool(body["status"] == "ok"))


def ready() -> Request[Ready]:
    """Read whether the parts that requests need work."""
    return Request("GET", "/health/ready", form(Ready))


def version() -> Request[str]:
    """Read the version of ChatDesk."""
    return get("/version", lambda body: str(body["version"]))


def openapi() -> Request[dict[str, Any]]:
    """Read the description of the whole service, OpenAPI 3.1."""
    return get("/openapi.json", lambda body: {name: value for name, value in body.items() if name != "etag"})


# Projects


def projects() -> Request[tuple[Project, ...]]:
    """List the projects."""
    return get("/projects", listed(Project, "projects"))


def project(project_id: str) -> Request[Project]:
    """Read a project."""
    return get(path_of("projects", project_id), form(Project))


def make_project(
    name: str, *, colour: str | None = None, provider: str | None = None, model: str | None = None, key: str = ""
) -> Request[Project]:
    """Make a project."""
    body = {"name": name, "colour": colour, "provider": provider, "model": model}
    return write("POST", "/projects", form(Project), body, key=key)


def change_project(
    project_id: str,
    *,
    name: str | None = None,
    colour: str | None = None,
    archived: bool | None = None,
    if_match: str = "",
    key: str = "",
) -> Request[Project]:
    """Change one thing of a project."""
    body = {"name": name, "colour": colour, "archived": archived}
    return write("PATCH", path_of("projects", project_id), form(Project), body, key=key, if_match=if_match)


def delete_project(project_id: str) -> Request[None]:
    """Move a project to the trash."""
    return repeatable("DELETE", path_of("projects", project_id), nothing)


# Threads


def thread_page(
    project_id: str | None = None,
    *,
    scope: Literal["active", "archive", "trash"] = "active",
    title: str = "",
    limit: int = 50,
    cursor: str | None = None,
) -> Request[ThreadPage]:
    """Read a page of a list of threads, the last used first."""
    return get(
        "/threads",
        form(ThreadPage),
        project_id=project_id,
        scope=scope,
        title=title or None,
        limit=limit,
        cursor=cursor,
    )


def thread(thread_id: str) -> Request[Thread]:
    """Read a thread."""
    return get(path_of("threads", thread_id), form(Thread))


def make_thread(
    title: str = "",
    *,
    project_id: str | None = None,
    provider: str | None = None,
    model: str | None = None,
    key: str = "",
) -> Request[Thread]:
    """Make a thread."""
    body = {"title": title, "project_id": project_id, "provider": provider, "model": model}
    return write("POST", "/threads", form(Thread), body, key=key)


def change_thread(
    thread_id: str,
    *,
    title: str | None = None,
    archived: bool | None = None,
    pinned: bool | None = None,
    project_id: str | None = None,
    model: tuple[str, str] | None = None,
    if_match: str = "",
    key: str = "",
) -> Request[Thread]:
    """Change one thing of a thread. ``model`` is the id of a provider and the name of its model."""
    chosen = None if model is None else dict(zip(("provider", "model"), model, strict=True))
    body = {"title": title, "archived": archived, "pinned": pinned, "project_id": project_id, "model": chosen}
    return write("PATCH", path_of("threads", thread_id), form(Thread), body, key=key, if_match=if_match)


def delete_thread(thread_id: str) -> Request[None]:
    """Move a thread to the trash."""
    return repeatable("DELETE", path_of("threads", thread_id), nothing)


def tag_thread(
    thread_id: str, *, add: Sequence[str] = (), remove: Sequence[str] = (), key: str = ""
) -> Request[Thread]:
    """Put tags on a thread, by their names, and take others off, by their ids."""
    body = {"add": list(add), "remove": list(remove)}
    return write("POST", path_of("threads", thread_id, "/tags"), form(Thread), body, key=key)


def show_typing(thread_id: str, *, is_typing: bool = True) -> Request[None]:
    """Show the other members of a shared project that a person types in this thread. It expires after some seconds:
    repeat it every three during typing."""
    path = API + path_of("threads", thread_id, "/typing")
    return Request("POST", path, nothing, body={"is_typing": is_typing})


def draft(thread_id: str) -> Request[Draft]:
    """Read the unsent text of a thread."""
    return get(path_of("threads", thread_id, "/draft"), form(Draft))


def save_draft(
    thread_id: str,
    text: str,
    *,
    cursor: int | None = None,
    attachments: Sequence[Attachment] = (),
    if_match: str = "",
    key: str = "",
) -> Request[Draft]:
    """Keep a text as the draft of a thread; ``cursor`` is a place in it, else its end."""
    body = {"text": text, "cursor": cursor, "attachments": given_files(attachments)}
    return write("PUT", path_of("threads", thread_id, "/draft"), form(Draft), body, key=key, if_match=if_match)


def forget_draft(thread_id: str) -> Request[None]:
    """Forget the draft of a thread."""
    return repeatable("DELETE", path_of("threads", thread_id, "/draft"), nothing)


# Messages


def messages(
    thread_id: str,
    *,
    limit: int = 50,
    before: str | None = None,
    after: str | None = None,
    around: str | None = None,
) -> Request[MessagePage]:
    """Read a page of a thread, oldest first; the newest page where no place is named."""
    path = path_of("threads", thread_id, "/messages")
    return get(path, form(MessagePage), limit=limit, before=before, after=after, around=around)


def message(message_id: str) -> Request[Message]:
    """Read a message."""
    return get(path_of("messages", message_id), form(Message))


def versions(message_id: str) -> Request[tuple[Message, ...]]:
    """List the versions of a message."""
    return get(path_of("messages", message_id, "/versions"), listed(Message, "versions"))


def send_question(
    thread_id: str,
    text: str,
    *,
    parent_id: str | None = None,
    provider: str | None = None,
    model: str | None = None,
    attachments: Sequence[Attachment] = (),
    key: str = "",
) -> Request[Asked]:
    """Ask a question and do not follow its answer."""
    body = {
        "text": text,
        "parent_id": parent_id,
        "provider": provider,
        "model": model,
        "attachments": given_files(attachments),
    }
    return write("POST", path_of("threads", thread_id, "/messages"), form(Asked), body, key=key)


def note(thread_id: str, text: str, *, attachments: Sequence[Attachment] = (), key: str = "") -> Request[Message]:
    """Write a note, which gets no answer."""
    body = {"text": text, "attachments": given_files(attachments)}
    return write("POST", path_of("threads", thread_id, "/notes"), form(Message), body, key=key)


def edit(message_id: str, text: str, *, key: str = "") -> Request[Edited]:
    """Make another version of a message; a question is asked again, and the old version stays."""
    return write("POST", path_of("messages", message_id, "/versions"), form(Edited), {"text": text}, key=key)


def regenerate(
    message_id: str, *, provider: str | None = None, model: str | None = None, key: str = ""
) -> Request[Message]:
    """Ask for another answer; it is being written when this returns."""
    body = {"provider": provider, "model": model}
    return write("POST", path_of("messages", message_id, "/regenerate"), form(Message), body, key=key)


def go_on(message_id: str, *, provider: str | None = None, model: str | None = None, key: str = "") -> Request[Message]:
    """Go on with an answer that ended early; it is being written when this returns."""
    body = {"provider": provider, "model": model}
    return write("POST", path_of("messages", message_id, "/continue"), form(Message), body, key=key)


def select_version(message_id: str, *, key: str = "") -> Request[Thread]:
    """Show this version of a message in its thread."""
    return write("POST", path_of("messages", message_id, "/select"), form(Thread), key=key)


def branch(message_id: str, *, key: str = "") -> Request[Thread]:
    """Make a thread of all messages up to this one."""
    return write("POST", path_of("messages", message_id, "/branch"), form(Thread), key=key)


def delete_message(message_id: str, *, with_later: bool = False) -> Request[None]:
    """Move a message to the trash, with all below it where ``with_later``."""
    return repeatable("DELETE", path_of("messages", message_id), nothing, with_later="true" if with_later else None)


def restore_message(message_id: str) -> Request[Message]:
    """Take a message out of the trash."""
    return repeatable("POST", path_of("messages", message_id, "/restore"), form(Message))


def stop(thread_id: str) -> Request[None]:
    """Stop the answers that are being written in a thread."""
    return repeatable("POST", path_of("threads", thread_id, "/stop"), nothing)
