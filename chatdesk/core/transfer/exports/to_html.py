"""Writes threads as web pages: a file each, with everything inside. Printable, light and dark, without scripts.

The page says itself that nothing may be fetched or run (its content security policy), should anything have slipped
through the escaping.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import chain
from pathlib import Path
from typing import Final, TextIO

from chatdesk.core.domain.message import Message, Part, PartType, Role
from chatdesk.core.domain.thread import Thread
from chatdesk.core.hidden_characters import clean_line, visible_controls
from chatdesk.core.paths import resources_dir
from chatdesk.core.rendering.sources import below_answer
from chatdesk.core.storage.transfer.export_reader import ExportReader
from chatdesk.core.system.file_writing import replacing_text
from chatdesk.core.texts import language_tag, shown
from chatdesk.core.transfer.exports import export_texts
from chatdesk.core.transfer.exports.blocks import BlockSource
from chatdesk.core.transfer.exports.export import is_answer, named_attachment, problem_of, speaker, status_note, when
from chatdesk.core.transfer.exports.files import StoredFiles
from chatdesk.core.transfer.exports.html_blocks import HtmlBlocks
from chatdesk.core.transfer.exports.thread_writer import ThreadExport, Tick, Written

# Types that a page shows as pictures. SVG has too many active features, so it is linked like any other file.
PICTURES: Final = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"))
_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
# Each time that a file is written to, other threads get their turn of Python before this one goes on.
_WRITTEN_CHARS: Final = 256 * 1024
_PIECE_BYTES: Final = 3 * 256 * 1024  # a multiple of three, so that encoded pieces can be joined


def _is_parsed(part: Part) -> bool:
    return part.type is PartType.TEXT or (part.type is PartType.REASONING and bool(part.text.strip()))


def _parsed_texts(message: Message) -> list[str]:
    return [part.text for part in message.parts if _is_parsed(part)]


class MessageHtml:
    """Writes one message after another as HTML, for pages and for print."""

    def __init__(self, source: BlockSource, stored: StoredFiles, *, is_for_print: bool = False) -> None:
        self._source = source
        self._stored = stored
        self._is_for_print = is_for_print
        self._count = 0
        self.attachments = 0
        self.missing = 0

    def head(self, thread: Thread) -> str:
        prompt = thread.system_prompt.strip()
        quoted = f'<blockquote class="prompt">{_lines(prompt)}</blockquote>' if prompt else ""
        title = clean_line(shown(thread.name))
        return f'<h1>{escape(title)}</h1>\n<p class="meta">{when(thread.created_at)}</p>\n{quoted}'

    def read_ahead(self, batches: Iterable[Sequence[Message]]) -> Iterator[Message]:
        """Yield the messages while the next ones are parsed. The caller must take all pieces of each."""
        return self._source.read_ahead(chain.from_iterable(batches), _parsed_texts, is_answer=is_answer)

    def pieces(self, message: Message) -> Iterator[str]:
        """Yield the message in pieces, because a picture may be larger than all the words."""
        self._count += 1
        who = escape(speaker(message))
        model = f" · {escape(clean_line(message.model))}" if message.role is Role.ASSISTANT and message.model else ""
        kind = message.role.value
        meta = f'<span class="meta">{when(message.created_at)}{model}</span>'
        if self._is_for_print:
            yield f'<p class="who">{who} {meta}</p>\n'
        else:
            yield f'<article class="{kind}">\n<h2>{who} {meta}</h2>\n'
        for part in message.parts:
            yield from self._part(message, part)
        below = below_answer(message.parts)
        if below:
            yield HtmlBlocks(f"m{self._count}-sources-", is_for_print=self._is_for_print).html(below)
        note = status_note(message)
        if note:
            yield f'<p class="note">{escape(clean_line(note))}</p>\n'
        if not self._is_for_print:
            yield "</article>\n"

    def _part(self, message: Message, part: Part) -> Iterator[str]:
        if _is_parsed(part):
            made = self._markdown(message, part)
            yield made if part.type is PartType.TEXT else self._folded(shown(export_texts.REASONING), made)
        elif part.type is PartType.TOOL_CALL:
            name = escape(clean_line(str(part.content.get("name", ""))))
            yield self._folded(f"{shown(export_texts.TOOL_CALL)} {name}", _pre(str(part.content.get("arguments", ""))))
        elif part.type is PartType.TOOL_RESULT:
            yield self._folded(shown(export_texts.TOOL_RESULT), _pre(part.text))
        elif part.type in (PartType.IMAGE, PartType.FILE):
            yield from self._attachment(part)

    def _markdown(self, message: Message, part: Part) -> str:
        blocks = self._source.blocks(part.text, is_answer=is_answer(message))
        prefix = f"m{self._count}-{part.index}-"
        return HtmlBlocks(prefix, is_for_print=self._is_for_print).html(blocks)

    def _folded(self, title: str, inner: str) -> str:
        if self._is_for_print:
            return f'<p class="note">{title}</p>{inner}'
        return f"<details><summary>{title}</summary>\n{inner}</details>\n"

    def _attachment(self, part: Part) -> Iterator[str]:
        name, mime = str(part.content.get("name") or shown(export_texts.ATTACHMENT)), str(part.content.get("mime", ""))
        path = self._stored.path(part.content.get("sha256"), name)
        problem = problem_of(part)
        self.attachments += path is not None
        self.missing += path is None and not problem
        if path is None or part.type is not PartType.IMAGE or mime not in PICTURES:
            lost = "" if path is not None else problem or shown(export_texts.BYTES_MISSING)
            yield f'<p class="note">{escape(named_attachment(part, clean_line(name), lost))}</p>\n'
        elif self._is_for_print:
            yield f'<p><img src="blob:{path.name}"></p>\n'
        else:
            yield f'<p><img alt="{escape(clean_line(name))}" src="data:{mime};base64,'
            yield from _base64(path)
            yield '"></p>\n'


class HtmlWriter:
    """Writes each thread as a web page."""

    ending = ".html"

    def __init__(self) -> None:
        self._source = BlockSource()
        self._style = (resources_dir() / "export.css").read_text("utf-8")

    def close(self) -> None:
        self._source.close()

    def write(self, reader: ExportReader, task: ThreadExport, tick: Tick) -> Written:
        messages = MessageHtml(self._source, task.stored)
        with replacing_text(task.target, errors="replace") as sink:
            thread = reader.domain_thread(task.thread_id)
            self._write_head(sink, thread)
            pieces, size = [messages.head(thread)], 0
            for message in messages.read_ahead(reader.shown(task.thread_id)):
                for piece in messages.pieces(message):
                    pieces.append(piece)
                    size += len(piece)
                    if size >= _WRITTEN_CHARS:
                        sink.write("".join(pieces))
                        pieces, size = [], 0
                tick(1)
            sink.write("".join((*pieces, "</main>\n</body>\n</html>\n")))
        return Written(messages.attachments, messages.missing)

    def _write_head(self, sink: TextIO, thread: Thread) -> None:
        sink.write(
            f'<!DOCTYPE html>\n<html lang="{language_tag()}">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n<meta name="generator" content="ChatDesk">\n'
            f"<title>{escape(clean_line(shown(thread.name)))}</title>\n<style>\n{self._style}</style>\n</head>\n"
            '<body>\n<main dir="auto">\n'
        )


def _base64(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield base64.b64encode(piece).decode()


def _lines(text: str) -> str:
    return escape(visible_controls(text)).replace("\n", "<br>\n")


def _pre(text: str) -> str:
    return f"<pre><code>{escape(visible_controls(text))}</code></pre>\n"
