"""The composer in its states."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.domain.attachment import Attachment
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.composer.waiting_questions import WaitingQuestionRow
from chatdesk.ui.features.prompts.system_prompt_binding import FROM_FILE
from chatdesk.ui.theme.theme import Theme


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    streaming = _composer(theme, "and what about synchronous=FULL?", tokens="1,412 tokens")
    streaming[1].set_streaming(True)
    focused = _composer(theme, "Hello", tokens="1 token")
    focused[0].setProperty("focusOn", "composer")
    large = _composer(theme, "x" * 2000)
    large[1].set_size_limit(1000)
    offline = _composer(theme, "And another thing", tokens="3 tokens")
    offline[1].notice.set_offline("No connection to OpenAI. Your question is kept, and sent when it is back.")
    imported = _composer(theme, "And now?", tokens="2 tokens")
    imported[1].notice.set_reminder(FROM_FILE)
    mirrored = _composer(theme, "مرحبا بالعالم", tokens="4 tokens")
    mirrored[0].setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    edited = _composer(theme, "Why does it stall every few minutes?", tokens="9 tokens")
    edited[1].above.set_state("Editing a question. 4 later messages stay in version 1.", leave="Cancel")
    compared = _composer(theme, "", tokens="")
    compared[1].above.set_state("Questions in this thread go to 3 models.", leave="Stop comparing")
    asked = _composer(theme, "", tokens="")
    asked[1].above.set_question("Keep “I write British English.” as a memory?", yes="Keep", no="No")
    unknown = _composer(theme, "What does @leavx.md say about bicycles?", tokens="11 tokens")
    unknown[1].above.set_remark("No file or folder of the project has this name: “leavx.md”.")
    waiting = _composer(theme, "", tokens="")
    waiting[1].set_streaming(True)
    rows = (
        "Give the numbers for WAL too.",
        "Then write it as a table, with medians.",
        "Why?",
        "And 4?",
    )
    waiting[1].above.set_waiting(
        [WaitingQuestionRow(str(place), text) for place, text in enumerate(rows)], "Sent when the answer is complete:"
    )
    chips = _composer(theme, "Which of them is due this week?", tokens="8 tokens")
    for name, sign, words in (
        ("assistantButton", "pencil", "Editor"),
        ("toolsButton", "hammer", "3 tool servers"),
        ("parametersChip", "wrench", "Temperature 0.2"),
    ):
        chip = chips[1].add_chip(name, sign)
        chip.setText(words)
        chip.show()
    return [
        ("composer-chips", chips[0]),
        ("composer-waiting", waiting[0]),
        ("composer-editing", edited[0]),
        ("composer-comparing", compared[0]),
        ("composer-memory", asked[0]),
        ("composer-unknown-file", unknown[0]),
        ("composer-empty", _composer(theme, "", tokens="")[0]),
        ("composer-focus", focused[0]),
        ("composer-streaming", streaming[0]),
        ("composer-tall", _composer(theme, "\n".join(f"line {number}" for number in range(40)))[0]),
        ("composer-too-large", large[0]),
        ("composer-offline", offline[0]),
        ("composer-imported", imported[0]),
        ("composer-right-to-left", mirrored[0]),
        ("composer-attachments", _with_files(theme)),
    ]


def _with_files(theme: Theme) -> QWidget:
    """A picture, a text, one that is half copied, and what the model will not get."""
    page, composer = _composer(theme, "What do these have in common?", tokens="1,412 tokens")
    picture = Attachment("harbour at dawn.jpg", "image/jpeg", "a" * 64, 2_400_000, 4000, 3000)
    report = Attachment("a report whose name is longer than a chip.pdf", "application/pdf", "b" * 64, 348_000)
    composer.files.set_attached([picture, report])
    image = QImage(96, 72, QImage.Format.Format_RGB32)
    image.fill(theme.colour("accent"))
    composer.files.chips.set_thumbnail(picture.sha256, image)
    composer.files.chips.set_progress(composer.files.chips.add("recording.csv"), 6_000_000, 10_000_000)
    composer.files.chips.add("next.txt")
    composer.files.chips.set_note("gpt-3.5-turbo cannot see images: only their names are sent.")
    return page


def _composer(theme: Theme, text: str, *, tokens: str = "") -> tuple[QWidget, Composer]:
    page = QWidget()
    page.resize(776, 600)
    column = QVBoxLayout(page)
    column.addStretch(1)
    composer = Composer(theme)
    composer.set_placeholder("Message Research — / for prompts")
    composer.set_text(text)
    composer.set_token_count(tokens)
    column.addWidget(composer)
    return page, composer
