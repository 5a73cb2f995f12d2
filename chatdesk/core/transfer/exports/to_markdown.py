"""Writes threads as Markdown: a file each, the attachments in a folder beside it.

The text of a message is its source, to the letter. Where the words of a link name another place than it leads to, which
the window shows, a note below the message says so: another program would show the words alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chatdesk.core.domain.message import Message, PartType
from chatdesk.core.rendering.blocks import Block, Heading, Paragraph, Span, Table
from chatdesk.core.rendering.misleading_links import destination_remark, link_words
from chatdesk.core.storage.transfer.export_reader import ExportReader
from chatdesk.core.system.file_writing import replacing_text
from chatdesk.core.texts import shown
from chatdesk.core.transfer.exports import export_texts
from chatdesk.core.transfer.exports.blocks import BlockSource
from chatdesk.core.transfer.exports.export import head_as_markdown, is_answer, message_as_markdown
from chatdesk.core.transfer.exports.files import AttachmentFolder
from chatdesk.core.transfer.exports.thread_writer import ThreadExport, Tick, Written

_LINK_MARKS = ("](", "][", "]:")  # without one of these no link has words of its own
_MOST_NOTES = 20
_LONGEST_WORDS = 120


class MarkdownWriter:
    """Writes each thread as a Markdown file."""

    ending = ".md"

    def __init__(self) -> None:
        self._source: BlockSource | None = None

    def close(self) -> None:
        if self._source is not None:
            self._source.close()

    def write(self, reader: ExportReader, task: ThreadExport, tick: Tick) -> Written:
        folder = f"{task.target.stem}-files"
        files = AttachmentFolder(task.target.with_name(folder), folder, task.stored)
        with replacing_text(task.target, errors="replace") as sink:
            sink.write(head_as_markdown(reader.domain_thread(task.thread_id)))
            for messages in reader.shown(task.thread_id):
                for message in messages:
                    sink.write(message_as_markdown(message, files.link_to))
                    sink.writelines(self._notes(message))
                    tick(1)
        return Written(files.count, files.missing)

    def _notes(self, message: Message) -> Iterator[str]:
        count = 0
        for part in message.parts:
            is_markdown = part.type in (PartType.TEXT, PartType.REASONING)
            if not is_markdown or not any(each in part.text for each in _LINK_MARKS):
                continue
            for said, place in _misleading_links(self._blocks(message, part.text)):
                count += 1
                if count > _MOST_NOTES:
                    yield f"\n*{shown(export_texts.MORE_MISLEADING_LINKS)}*\n"
                    return
                yield f"\n*{shown(export_texts.MISLEADING_LINK.filled(words=f'`{said}`', place=f'`{place}`'))}*\n"

    def _blocks(self, message: Message, text: str) -> tuple[Block, ...]:
        if self._source is None:
            self._source = BlockSource()
        return self._source.blocks(text, is_answer=is_answer(message))


def _misleading_links(blocks: Sequence[Block]) -> Iterator[tuple[str, str]]:
    """Yield the words of each link that misleads, and the place it leads to."""
    for spans in _lines(blocks):
        for last in range(len(spans)):
            truth = destination_remark(spans, last)
            if truth:
                said = " ".join(link_words(spans, last).replace("`", "'").split())
                yield said[:_LONGEST_WORDS], truth.strip(" ()").replace("`", "'")


def _lines(blocks: Sequence[Block]) -> Iterator[Sequence[Span]]:
    for block in blocks:
        if isinstance(block, Paragraph | Heading):
            yield block.spans
        elif isinstance(block, Table):
            for row in (block.header, *block.rows):
                yield from row
