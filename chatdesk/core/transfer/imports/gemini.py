"""Reads the activities of Gemini in the JSON of *My Activity*, as Google Takeout gives them.

An activity is one question, with its answer as HTML. No conversation has an id there: those that follow one another
within half an hour make a thread, unless an activity names the address of its chat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import Role
from chatdesk.core.errors import ImportRefused
from chatdesk.core.texts import Text
from chatdesk.core.transfer.imports.html_answers import Answer
from chatdesk.core.transfer.imports.json_stream import LARGEST_IN_PARTS
from chatdesk.core.transfer.imports.parts import file_part, text_parts, thread_of
from chatdesk.core.transfer.imports.tree import linear
from chatdesk.core.transfer.imports.values import dict_of, fingerprint, list_of, moment, text_of, words_of

SOURCE: Final = "gemini"
_PRODUCT: Final = re.compile(r"\b(?:gemini|bard)\b", re.IGNORECASE)
# Google's English prefix of a question; prefixes in other languages stay.
_ASKED: Final = re.compile(r"(?:Prompted with:|Prompted|Asked (?:Gemini|Bard):|Asked|Said)\s", re.IGNORECASE)
# Prefixes of activities that are not questions.
_DONE: Final = re.compile(r"(?:Used|Added|Gave|Selected|Shared|Deleted|Viewed|Visited|Pinned|Renamed|Exported)\s")
_CHAT: Final = re.compile(r"https://gemini\.google\.com/(?:u/\d{1,3}/)?(?:app|gem/[\w-]{1,80})/(?:c_)?([\w-]{4,80})")
_ATTACHED: Final = re.compile(r"Attached \d{1,4} files?\.?")
_PAUSE_MS: Final = 30 * 60 * 1000
_PICTURE: Final = re.compile(r"\.(?:png|jpe?g|gif|webp|heic)\Z", re.IGNORECASE)


def is_activity(value: Mapping[str, Any]) -> bool:
    """Return whether this is an activity of Gemini; those of other products are beside it in an export."""
    named = [value.get("header"), *list_of(value.get("products"))]
    is_of_gemini = any(isinstance(each, str) and _PRODUCT.search(each) for each in named)
    return is_of_gemini and "time" in value and isinstance(value.get("title"), str)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A question with its answer. ``order`` counts down in the file, whose first activity is the newest."""

    at: int
    order: int
    chat: str
    key: str
    messages: tuple[ImportedMessage, ...]


@dataclass(slots=True)
class Activities:
    """Collects all activities of a document."""

    _turns: list[_Turn] = field(default_factory=list)
    _size: int = 0

    def add(self, value: Mapping[str, Any], size: int) -> None:
        """Add an activity. Raises ``ImportRefused`` when there are more than memory should hold."""
        self._size += size
        if self._size > LARGEST_IN_PARTS:
            raise ImportRefused(Text("This file contains more chats than can be read at once."))
        title = text_of(value.get("title"))
        answer = tuple(_answer(value))
        asked = tuple(_question(value, _ASKED.sub("", title, count=1) if _ASKED.match(title) else title))
        if _DONE.match(title) and not answer:
            return
        at = moment(value.get("time")) or 0
        key = fingerprint(text_of(value.get("time")), title)
        messages = tuple(
            ImportedMessage(f"{key}:{mark}", None, role, at, parts, keys=(f"{key}:{mark}",))
            for mark, role, parts in (("q", Role.USER, asked), ("a", Role.ASSISTANT, answer))
            if parts
        )
        chat = _CHAT.match(text_of(value.get("titleUrl")))
        self._turns.append(_Turn(at, -len(self._turns), chat[1] if chat else "", key, messages))

    def threads(self, fallback_ms: int) -> Iterator[ImportedThread]:
        for turns in self._chats():
            nodes = linear({each.key: each for turn in turns for each in turn.messages}.values())
            yield thread_of(
                SOURCE,
                turns[0].chat or turns[0].key,
                nodes,
                title=None,
                current_key=nodes[-1].key if nodes else None,
                created=turns[0].at or None,
                updated=turns[-1].at or None,
                fallback_ms=fallback_ms,
            )

    def _chats(self) -> Iterator[list[_Turn]]:
        by_chat: dict[str, list[_Turn]] = {}
        together: list[_Turn] = []
        for turn in sorted(self._turns, key=lambda each: (each.at, each.order)):
            if turn.chat:
                by_chat.setdefault(turn.chat, []).append(turn)
                continue
            if together and turn.at - together[-1].at > _PAUSE_MS:
                yield together
                together = []
            together.append(turn)
        if together:
            yield together
        yield from by_chat.values()


def _question(value: Mapping[str, Any], asked: str) -> Iterator[ImportedPart]:
    yield from text_parts(asked.strip())
    for name in ("attachedFiles", "imageFile", "audioFiles"):
        for each in list_of(value.get(name)) or [value.get(name)]:
            yield from _file(words_of(each) or text_of(dict_of(each).get("name")), "")


def _answer(value: Mapping[str, Any]) -> Iterator[ImportedPart]:
    answers = [Answer(text_of(dict_of(each).get("html"))) for each in list_of(value.get("safeHtmlItem"))]
    text = "\n\n".join(each.text for each in answers if each.text)
    if not text:  # the form of Bard's
        names = (text_of(dict_of(each).get("name")).strip() for each in list_of(value.get("subtitles")))
        text = "\n\n".join(each for each in names if each and not _ATTACHED.fullmatch(each))
    yield from text_parts(text)
    for answer in answers:
        for address, words in answer.pictures:
            yield from _file(address, words)


def _file(address: str, words: str) -> Iterator[ImportedPart]:
    if address:
        name = address.rsplit("/", 1)[-1][:255]
        yield file_part(words.strip()[:200] or name, address, is_image=bool(words or _PICTURE.search(name)))
