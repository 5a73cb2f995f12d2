"""The trace of a pulled page in ARCHITECTURE.md names every file that a page of messages passes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FrameType

from tests.helpers.pulled_log import PulledLog, Reader

ROOT = Path(__file__).parents[5]
SYNC = str(ROOT / "chatdesk" / "core" / "storage" / "sync") + "/"


def test_the_trace_of_a_pulled_page_names_the_files_of_the_store() -> None:
    log = PulledLog()
    reader = Reader(log)
    thread = log.thread()
    question = log.message(thread)
    reader.pull()
    log.message(thread, question, "an answer")
    cursor, passed = reader.cursor, set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(SYNC):
            passed.add(Path(frame.f_code.co_filename).name)

    store = reader.profile.store
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        page = store.read_page(log.rows[cursor.seq :])
        store.finish_apply(store.start_apply(log.project_id, page, after=cursor))
    finally:
        sys.setprofile(before)
    trace = (
        (ROOT / "ARCHITECTURE.md").read_text("utf-8").split("**Pulling a page**")[1].split("Other kinds of change")[0]
    )
    named = {name.rpartition("/")[2] for name in re.findall(r"`([\w/]+\.py)`", trace)}
    assert "messages.py" in passed
    assert passed <= named
