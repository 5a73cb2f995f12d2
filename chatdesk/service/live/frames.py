"""Writes frames as JSON: what a WebSocket and server-sent events carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from chatdesk.core.domain.message import Message
from chatdesk.core.domain.project import Project
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import ChatDeskError
from chatdesk.service import forms
from chatdesk.service.live.events import Frame
from chatdesk.service.rest.messages import message_answer
from chatdesk.service.rest.projects import project_answer
from chatdesk.service.rest.threads import thread_answer
from chatdesk.service.rest.times import iso


def frame_json(frame: Frame) -> bytes:
    """Return a frame as JSON."""
    shown: dict[str, Any] = {"type": frame.type, "number": frame.number}
    if frame.type == "EVENTS":
        shown["events"] = [event_data(event) for event in frame.events]
    elif frame.type != "HEARTBEAT":
        shown["resumed"] = frame.is_resumed
        shown["messages"] = [message_answer(message) for message in frame.messages]
    return forms.as_json(shown)


def sent_event(frame: Frame) -> bytes:
    """Return a frame as a server-sent event; its id is where Last-Event-ID goes on."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (frame.number.encode(), frame.type.encode(), frame_json(frame))


def event_data(event: Any) -> dict[str, Any]:
    """Return an event as data: its name, and its fields as the rest of the service shows such things."""
    return {"type": type(event).__name__} | _fields_of(event)


def _fields_of(thing: Any) -> dict[str, Any]:
    return {each.name: _shown(each.name, getattr(thing, each.name)) for each in fields(thing)}


def _shown(name: str, value: Any) -> Any:
    match value:
        case Message():
            return message_answer(value)
        case Thread():
            return thread_answer(value)
        case Project():
            return project_answer(value)
        case ChatDeskError():
            return {"code": value.code, "detail": value.sentence_without_window}
        case tuple():
            return [_shown(name, each) for each in value]
        case frozenset():
            return sorted(value)
        case Mapping():
            return dict(value)
        case int() if name.endswith("_at"):
            return iso(value)
    return _fields_of(value) if is_dataclass(value) else value
