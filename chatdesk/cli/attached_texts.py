"""Reads the texts that ``chatdesk ask`` attaches in the encoding that a person names."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from chatdesk.cli.secret_files import unusable
from chatdesk.core.attachments.attachment_limits import AttachmentLimits
from chatdesk.core.attachments.file_kinds import is_text, kind_of
from chatdesk.core.attachments.intake import empty_file, open_given
from chatdesk.core.attachments.text_encodings import SAMPLE_BYTES, readings
from chatdesk.core.errors import InvalidInput
from chatdesk.core.system.file_writing import write_text
from chatdesk.core.texts import Text

_MOST_READINGS = 3
_PIECE = 1024 * 1024


def check_texts(files: Sequence[Path], encoding: str | None) -> None:
    """Raise ``AttachmentUnusable`` for a file that cannot be attached, and ``InvalidInput`` for a text that is none in
    ``encoding``, or without it may well be in another encoding than the likeliest."""
    for each in files:
        if encoding:
            for _piece in _pieces(each, encoding):
                pass
        else:
            _check_sure(each)


def _check_sure(path: Path) -> None:
    with open_given(path, path.name) as file:
        data = file.read(SAMPLE_BYTES + 1)
    if not data:
        raise empty_file(path.name)
    read = readings(data)
    if is_text(kind_of(data, path.name)) and read.is_unsure:
        found = tuple(f"{reading.name}: {reading.sample}" for reading in read.found[:_MOST_READINGS])
        raise InvalidInput(
            Text("“{name}” may be in one of several encodings: {found}.", name=path.name, found=found),
            safe=Text("The question was not sent."),
            next_step=Text("Name the right one with --encoding."),
        )


def in_utf8(files: Sequence[str], encoding: str, folder: Path, *, limits: AttachmentLimits) -> list[str]:
    """Write these texts to a folder in UTF-8 and return the new paths. Raises ``InvalidInput``."""
    written = []
    for number, each in enumerate(map(Path, files)):
        limits.check_size(each.name, each.stat().st_size)
        target = folder / str(number) / each.name
        target.parent.mkdir()
        write_text(target, "".join(_pieces(each, encoding)))
        written.append(str(target))
    return written


def _pieces(path: Path, encoding: str) -> Iterator[str]:
    """Yield the text of a file in pieces, with its line ends as they are. Raises ``InvalidInput``."""
    try:
        with io.BufferedReader(open_given(path, path.name)) as file:
            text = io.TextIOWrapper(file, encoding=encoding, newline="")
            while piece := text.read(_PIECE):
                yield piece
    except (LookupError, ValueError):
        raise InvalidInput(
            Text("“{name}” is no text in the encoding {encoding}.", name=path.name, encoding=encoding),
            next_step=Text("Name the encoding in which it was written, such as windows-1251 or shift_jis."),
        ) from None
    except OSError as error:
        raise unusable(path, error) from error
