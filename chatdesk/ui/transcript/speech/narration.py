"""Announces an answer to screen readers: its beginning, its text if that is wanted, and how it ended.

The text is read by blocks, not as Markdown: no signs are spelled out, and code is named, not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from chatdesk.core.domain.message import Message, Status
from chatdesk.core.rendering.blocks import Block, CodeBlock, Heading, ImagePlaceholder, MathBlock, Paragraph, Table
from chatdesk.core.rendering.client import RenderClient
from chatdesk.core.rendering.sources import FILES_SENTENCES, files_outcome_of
from chatdesk.core.texts import shown, tr
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.speech.names import code_name, table_name, text_name

ReadAloud = Literal["off", "end", "sentences"]
Say = Callable[[str, bool], None]
# A full stop ends a sentence when a space follows; Chinese and Japanese ones are without.
_END = re.compile(r"""[.!?…]+["'”’»)\]]*(?=\s)|[。！？]+["'”’»」』）]*|\n+""")
# Letters before a full stop that ends nothing: "e.g.", "Dr.", the J. in "J. Smith", the number of a list.
_NO_END = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|e\.g|i\.e|cf|vs|etc|approx|no|fig|mr|mrs|ms|dr|prof|st|\d{1,3})\.$", re.IGNORECASE
)
_LONGEST = 400  # text without a full stop is cut at a space, or nothing would be heard of it
_LOOK_BACK = 12


class Narrator:
    """The announcer of answers; ``say`` gets one sentence at a time, and whether it must not be missed. Nothing is said
    while ``is_heard`` returns false, because another view of the same thread says it."""

    def __init__(self, renderer: RenderClient, say: Say) -> None:
        self.mode: ReadAloud = "off"
        self.is_heard: Callable[[], bool] = lambda: True
        self._renderer = renderer
        self._say_heard = say
        self._readings: dict[str, Reading] = {}

    def began(self, entry: MessageEntry) -> None:
        if entry.message.id not in self._readings:
            self._readings[entry.message.id] = Reading()
            self._say(tr("{author} is answering", author=entry.facts.author), False)

    def grew(self, entries: Iterable[MessageEntry]) -> None:
        """Say the new sentences of these answers, if answers are read while they are written."""
        if self.mode != "sentences":
            return
        for entry in entries:
            reading = self._readings.get(entry.message.id)
            if reading is not None:
                self._say_all(reading.next_sentences(entry.blocks, is_complete=False))

    def ended(self, entry: MessageEntry) -> None:
        """Say the rest of an answer and how it ended.

        The last words may still be on their way to the blocks, so these are requested again.
        """
        reading = self._readings.pop(entry.message.id, None)
        outcome = files_outcome_of(entry.message.parts)

        def say_end() -> None:
            self._say(*farewell_of(entry.facts.author, entry.message))
            if outcome is not None:
                self._say(shown(FILES_SENTENCES[outcome]), False)

        if self.mode == "off" or reading is None or not entry.text:
            say_end()
            return

        def finish(blocks: tuple[Block, ...]) -> None:
            nonlocal reading
            now, reading = reading, None
            if now is not None:  # colours come with a second delivery
                self._say_all(now.next_sentences(blocks, is_complete=True))
                say_end()

        self._renderer.request(entry.text, finish)

    def announce(self, text: str) -> None:
        """Say something else about an answer, such as why it waits."""
        self._say(text, False)

    def forget(self) -> None:
        """Forget all answers, because another thread is shown."""
        self._readings.clear()

    def _say(self, sentence: str, is_assertive: bool) -> None:
        if self.is_heard():
            self._say_heard(sentence, is_assertive)

    def _say_all(self, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            self._say(sentence, False)


class Reading:
    """The progress of reading one answer aloud: the block, and the number of its characters already said."""

    def __init__(self) -> None:
        self._block = 0
        self._said = 0

    def next_sentences(self, blocks: Sequence[Block], *, is_complete: bool) -> list[str]:
        """Return the sentences that can be said now; all blocks but the last count as finished."""
        sentences: list[str] = []
        while self._block < len(blocks):
            is_done = is_complete or self._block < len(blocks) - 1
            taken, self._said = spoken(blocks[self._block], self._said, is_complete=is_done)
            sentences += taken
            if not is_done:
                break
            self._block, self._said = self._block + 1, 0
        return sentences


def spoken(block: Block, start: int, *, is_complete: bool) -> tuple[list[str], int]:
    """Return the sentences of ``block`` after its first ``start`` characters, and the new number of characters said."""
    if block.at.is_folded:
        return [], start
    if isinstance(block, Paragraph | Heading):
        text = text_name("".join(span.text for span in block.spans), block.at.marker)
        return split_sentences(text, start, is_complete=is_complete)
    name = _name_of(block) if is_complete else ""
    return [name] if name else [], start


def farewell_of(author: str, message: Message) -> tuple[str, bool]:
    if message.status is Status.COMPLETE:
        return tr("{author} has answered", author=author), False
    if message.status is Status.STOPPED:
        return tr("The answer was stopped"), False
    return shown(message.error_sentence) or tr("The answer is not complete"), True


def _name_of(block: Block) -> str:
    if isinstance(block, CodeBlock):
        return code_name(block.language, block.text)
    if isinstance(block, Table):
        return table_name(len(block.header), len(block.rows), first=0, total=len(block.rows))
    if isinstance(block, MathBlock):
        return tr("Formula {text}", text=" ".join(block.text.split())[:200])
    return tr("Image, {alt}", alt=block.alt[:200]) if isinstance(block, ImagePlaceholder) else ""


def split_sentences(text: str, start: int = 0, *, is_complete: bool) -> tuple[list[str], int]:
    """Return the sentences of ``text`` that begin at ``start`` or later and have ended, and where the next one begins.

    With ``is_complete`` the text is final, and its rest is a sentence, too.
    """
    sentences: list[str] = []
    begin = start
    for found in _END.finditer(text, start):
        if found.group().startswith(".") and _NO_END.search(
            text[max(begin, found.start() - _LOOK_BACK) : found.start() + 1]
        ):
            continue
        _add(sentences, text[begin : found.end()])
        begin = found.end()
    rest = text[begin:]
    if is_complete:
        _add(sentences, rest)
        return sentences, len(text)
    if len(rest) > _LONGEST and (space := rest.rfind(" ", 0, _LONGEST)) > 0:
        _add(sentences, rest[:space])
        begin += space
    return sentences, begin


def _add(sentences: list[str], text: str) -> None:
    words = " ".join(text.split())
    while len(words) > _LONGEST:
        space = words.rfind(" ", 0, _LONGEST)
        end = space if space > 0 else _LONGEST
        sentences.append(words[:end])
        words = words[end:].strip()
    if any(character.isalnum() for character in words):
        sentences.append(words)
