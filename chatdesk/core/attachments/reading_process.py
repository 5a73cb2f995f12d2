"""Runs as the process that opens one attached file or web page, answers and ends. It may be killed at any time without
harm.

One line of JSON comes in: ``{"job": "text" | "page" | "measure" | "scale", "path": str, ...}``. Out go the length of a
JSON head in four bytes, the head, and after it the bytes of a picture.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from chatdesk.core.attachments.image_work import NotAnImage, measure, scaled
from chatdesk.core.attachments.page_text import read_page
from chatdesk.core.attachments.text_extraction import extract
from chatdesk.core.system.processes import start_child
from chatdesk.core.texts import Text

_MOST_MEMORY_BYTES = 1024**3
_CPU_LIMIT_S = 20


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer one job."""
    job = json.loads(source.readline())
    try:
        head, body = _done(job)
    except MemoryError:
        head, body = {"problem": Text("It needs too much memory.")}, b""
    except Exception as error:  # noqa: BLE001 - whatever a file provokes becomes a sentence
        logging.getLogger(__name__).warning("a file cannot be read: %s", type(error).__name__)
        head, body = {"problem": Text("It is damaged and cannot be read.")}, b""
    written = json.dumps(head).encode("ascii")
    sink.write(len(written).to_bytes(4, "big") + written + body)
    sink.flush()


def _done(job: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    path = Path(job["path"])
    if job["job"] == "text":
        found = extract(path, job["mime"])
        return {"text": found.text, "problem": found.problem}, b""
    if job["job"] == "page":
        title, found = read_page(path.read_bytes(), job["charset"], job["url"])
        return {"title": title, "text": found.text, "problem": found.problem}, b""

    try:
        if job["job"] == "measure":
            width, height = measure(path)
            return {"width": width, "height": height}, b""
        mime, data = scaled(path, longest_px=job["longest_px"])
        return {"mime": mime}, data
    except NotAnImage as error:
        return {"problem": str(error)}, b""


def limit_resources() -> None:
    """Set limits that hold inside one call of a C library too. Windows has none of them; time is watched from
    outside."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in ((resource.RLIMIT_AS, _MOST_MEMORY_BYTES), (resource.RLIMIT_CPU, _CPU_LIMIT_S)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    os.nice(10)


def main() -> None:
    start_child()
    logging.disable()  # parsers complain about every oddity
    limit_resources()
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
