"""Proposed changes of files: in the transcript in each state, and the dialog in which they are looked through."""

from __future__ import annotations

import hashlib

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.artifacts.file_change import FILE_DIFF, ChangeKind, ChangeState, FileChange
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import Message, Part, PartType, Role, Status
from chatdesk.core.tools.folder.file_changes import Review
from chatdesk.ui.features.tools.change_review import ChangeReview
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.contract import ShownChange
from tests.gallery.transcript_samples import build_view

_DIFF = """--- a/src/index.py
+++ b/src/index.py
@@ -12,7 +12,8 @@
 def rebuild(rows):
     \"\"\"Write the index anew.\"\"\"
-    for row in rows:
-        write(row)
+    for batch in batches(rows, 500):
+        with transaction():
+            write(batch)
     return len(rows)
"""
_NEW = (
    "--- /dev/null\n+++ b/docs/batches.md\n@@ -0,0 +1,2 @@\n+# Batches\n+500 rows each, for a transaction costs 4 ms.\n"
)
_SUMS = tuple(hashlib.sha256(text.encode()).hexdigest() for text in (_DIFF, _NEW, ""))
_CHANGES = (
    FileChange("0" * 32, "src/index.py", ChangeKind.EDIT, 3, 2),
    FileChange("1" * 32, "docs/batches.md", ChangeKind.NEW, 2, 0),
    FileChange("2" * 32, "src/old_index.py", ChangeKind.DELETE, 0, 84),
)


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    states = (ChangeState.PROPOSED, ChangeState.APPLIED, ChangeState.OUTDATED)
    return [
        ("change-states", _transcript(theme, states)),
        ("change-elsewhere", _transcript(theme, (ChangeState.ELSEWHERE, ChangeState.REJECTED, ChangeState.NO_FOLDER))),
        ("change-review", _review(theme, ChangeState.PROPOSED)),
        ("change-review-applied", _review(theme, ChangeState.APPLIED)),
        ("change-review-edited", _review(theme, ChangeState.PROPOSED, edits=True)),
        ("change-review-several", _review(theme, ChangeState.PROPOSED, count=3)),
    ]


def _transcript(theme: Theme, states: tuple[ChangeState, ...]) -> QWidget:
    texts = (_DIFF, _NEW, "")
    parts = tuple(
        Part(
            f"p{place}",
            "m1",
            place,
            PartType.FILE,
            {
                **Attachment(f"{change.path}.diff", "text/x-diff", sum_, len(text.encode())).as_content(),
                FILE_DIFF: {**change.as_content(), "text": text},
            },
        )
        for place, (change, sum_, text) in enumerate(zip(_CHANGES, _SUMS, texts, strict=True))
    )
    answer = Message("m1", "sample", None, Role.ASSISTANT, Status.COMPLETE, 0, 0, parts, model="gpt-4o")
    view = build_view(theme, [answer], {})
    known = dict(zip(_SUMS, states, strict=True))
    view.resize(1016, 900)
    view.parts.viewport_layout.set_change_states(lambda _id, diff_sum: known[diff_sum])
    return view


def _review(theme: Theme, state: ChangeState, *, count: int = 1, edits: bool = False) -> QWidget:
    shown = [ShownChange(change, sum_) for change, sum_ in zip(_CHANGES[:count], _SUMS, strict=False)]
    dialog = ChangeReview(theme, shown, edits=edits)
    text = "\n".join(line[1:] for line in _DIFF.split("\n")[3:] if not line.startswith("-"))
    review = Review("/home/ada/work/archive", "src/index.py", ChangeKind.EDIT, state, _DIFF, 3, 2, text)
    dialog.show_review(dialog.shown, review)
    return dialog
