"""Threads as Markdown: a file each, the attachments in a folder beside it."""

from __future__ import annotations

from chatdesk.core.storage.export_reader import ExportReader
from chatdesk.core.transfer.export import head_as_markdown, message_as_markdown
from chatdesk.core.transfer.export_files import AttachmentFolder, replacing
from chatdesk.core.transfer.thread_writer import Task, Tick, Written


class MarkdownWriter:
    """See ``thread_writer.ThreadWriter``."""

    ending = ".md"

    def __enter__(self) -> MarkdownWriter:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def write(self, reader: ExportReader, task: Task, tick: Tick) -> Written:
        folder = f"{task.target.stem}-files"
        files = AttachmentFolder(task.target.with_name(folder), folder, task.stored)
        with (
            replacing(task.target) as temporary,
            temporary.open("w", encoding="utf-8", errors="replace", newline="\n") as sink,
        ):
            sink.write(head_as_markdown(reader.domain_thread(task.thread_id)))
            for messages in reader.shown(task.thread_id):
                for message in messages:
                    sink.write(message_as_markdown(message, files.link_to))
                    tick(1)
        return Written(files.count, files.missing)
