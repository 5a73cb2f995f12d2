"""Files that came with a message: pictures are shown, others are cards whose buttons ask before anything happens."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage

from chatdesk.core.domain.attachment import PICTURE_COMING, Attachment, SentShare, Share
from chatdesk.core.domain.message import Part, PartType
from chatdesk.ui.transcript.accessible.block import BlockNode
from chatdesk.ui.transcript.contract import Picture
from chatdesk.ui.transcript.drawing.item import Outcome
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.attached_picture_item import AttachedPictureItem
from chatdesk.ui.transcript.items.file_item import FileItem
from chatdesk.ui.transcript.items.picture_item import PictureItem
from chatdesk.ui.transcript.messages.sections import Section, sections_of
from tests.ui.transcript.conftest import World, make_message, make_thread
from tests.ui.transcript.items.test_image_item import Door, item_of
from tests.ui.transcript.items.test_math_item import WIDTH, painted, style  # noqa: F401 - a fixture

REPORT = Attachment("report.pdf", "application/pdf", "ab" * 32, 250_000)
PROGRAM = Attachment("install.exe", "application/octet-stream", "cd" * 32, 12)


def part_of(attachment: Attachment, kind: PartType = PartType.FILE, index: int = 0) -> Part:
    return Part(f"p{index}", "m0", index, kind, attachment.as_content())


def test_a_file_is_a_card_with_its_kind_and_size(style: TranscriptStyle) -> None:  # noqa: F811
    item = FileItem(REPORT)
    assert item.guess(style, WIDTH) == 52
    assert item.buttons() == ()
    plain = painted(item, style)
    assert item.spoken == "report.pdf, PDF · 244 KB"
    assert [button.label for button in item.buttons()] == [
        "Open report.pdf",
        "Save a copy of report.pdf",
        "Show in its folder: report.pdf",
        "Copy report.pdf",
        "Open as artifact: report.pdf",
    ]
    assert painted(item, style, hovered_action="file-save") != plain
    assert painted(item, style, selected=(0, 3)) != plain


def test_an_executable_file_cannot_be_opened(style: TranscriptStyle) -> None:  # noqa: F811
    item = FileItem(PROGRAM)
    painted(item, style)
    assert [button.action for button in item.buttons()] == ["file-save", "file-folder", "file-copy", "open-artifact"]
    assert item.spoken == "install.exe, EXE file · 12 bytes"
    assert FileItem(Attachment("x", "application/zip", "e" * 64, 3 * 1024 * 1024)).spoken == "x, Archive · 3.0 MB"
    assert FileItem(Attachment("noending", "text/x-a", "e" * 64, 1)).spoken == "noending, File · 1 byte"


def test_buttons_only_ask(style: TranscriptStyle) -> None:  # noqa: F811
    item = FileItem(REPORT)
    outcome = item.press("file-open")
    assert outcome is not None
    assert outcome.file == ("file-open", REPORT)
    assert item.press("toggle-fold") is None


def test_a_card_is_selected_as_its_name(style: TranscriptStyle) -> None:  # noqa: F811
    item = FileItem(REPORT)
    painted(item, style)
    assert item.text == "report.pdf"
    assert item.copied(0, 4) == "[report.pdf]"
    assert item.copied(2, 2) == ""
    assert item.offset_at(QPointF(1, 1)) == 0
    assert item.offset_at(QPointF(item.natural_width, 1)) == len(item.text)
    assert len(item.areas_of(0, 1)) == 1
    assert item.areas_of(1, 1) == []


def test_cards_and_pictures_stand_above_the_text_and_ask_the_window(world: World) -> None:
    cat = Attachment("cat.png", "image/png", "ef" * 32, 99, 400, 300)
    parts = (part_of(cat, PartType.IMAGE), part_of(REPORT, index=1), Part("q", "m0", 2, PartType.TEXT, {"text": "See"}))
    thread = make_thread(0)
    thread.messages.append(make_message(0, parts=parts))
    door = Door()
    view = world.open(thread)
    view.set_pictures(door)
    picture, card = item_of(view, PictureItem), item_of(view, FileItem)
    assert [each.stored for each in door.asked] == [f"ef/{cat.sha256}"]
    assert picture.label == "cat.png"
    (entry,) = view.entries
    assert entry.items.index(picture) < entry.items.index(card)
    asked: list[tuple[str, object]] = []
    view.parts.actions.fileRequested.connect(lambda what, attachment: asked.append((what, attachment)))
    view.parts.actions.press_button(entry, card, "file-save")
    assert asked == [("file-save", REPORT)]


def test_parts_from_before_files_were_kept_are_shown_by_name() -> None:
    old = Part("p", "m0", 0, PartType.FILE, {"name": "old.txt", "path": "x"})
    (section,) = sections_of((old,), is_live=False)
    assert not isinstance(section.items[0], FileItem)
    damaged = Part("p", "m0", 0, PartType.FILE, {"name": "../../etc/passwd", "sha256": "../x", "size_bytes": 1})
    (section,) = sections_of((damaged,), is_live=False)
    assert not isinstance(section.items[0], FileItem)


def test_a_screen_reader_hears_what_it_is(world: World) -> None:
    thread = make_thread(0)
    thread.messages.append(make_message(0, parts=(part_of(REPORT),)))
    view = world.open(thread)
    card = item_of(view, FileItem)
    (entry,) = view.entries
    node = BlockNode.__new__(BlockNode)
    node.item = card
    node.entry = entry
    assert node.name() == "Attached: report.pdf, PDF · 244 KB"


COMING = {"name": "A bird", "problem": PICTURE_COMING}


def drawn(content: dict[str, object], *, is_live: bool) -> Section:
    (section,) = sections_of((Part("p", "m0", 0, PartType.IMAGE, content),), is_live=is_live)
    return section


def test_a_picture_of_an_answer_is_on_its_way_and_then_missing_with_the_reason() -> None:
    assert drawn(COMING, is_live=True).items[0].text == "A bird: It is on its way…"
    assert drawn(COMING, is_live=False).items[0].text == f"A bird: {PICTURE_COMING}"
    refused = {"name": "A bird", "problem": "Not kept:\u202e The picture\nis damaged."}
    assert "\u202e" not in drawn(refused, is_live=False).items[0].text


def test_a_better_picture_shows_the_one_before_until_it_is_decoded(style: TranscriptStyle) -> None:  # noqa: F811
    first = Attachment("bird (unfinished).png", "image/png", "1" * 64, 9, 40, 30)
    last = Attachment("bird.png", "image/png", "2" * 64, 9, 40, 30)
    section = drawn(COMING, is_live=True)
    section.update_from(drawn(first.as_content(), is_live=True))
    (item,) = section.items
    assert isinstance(item, AttachedPictureItem)
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    item.set_picture(Picture(image))
    section.update_from(drawn(last.as_content(), is_live=True))
    (better,) = section.items
    assert isinstance(better, AttachedPictureItem) and better is not item
    assert better.image is image and better.attachment == last
    ended = drawn(last.as_content(), is_live=False)
    ended.keep_open(section)
    assert ended.items == [better], "nothing flashes at the end"
    painted(better, style)
    assert better.press("file-save") == Outcome(file=("file-save", last))
    assert better.press("toggle-fold") is None


def test_unsent_files_are_marked_in_the_question_only(world: World) -> None:
    cat = Attachment("cat.png", "image/png", "ef" * 32, 99, 400, 300)
    thread = make_thread(0)
    thread.messages.append(make_message(0, parts=(part_of(REPORT), part_of(cat, PartType.IMAGE, 1))))
    thread.messages.append(make_message(1, parts=(part_of(REPORT),), provider="box"))
    view = world.open(thread)
    shares = {REPORT: SentShare(REPORT, Share.PART, "It is long."), cat: SentShare(cat, Share.NAME, "Blind.")}
    asked: list[tuple[str | None, str | None]] = []

    def shares_of(
        attachments: tuple[Attachment, ...], provider: str | None, model: str | None
    ) -> dict[Attachment, SentShare]:
        assert attachments == (REPORT, cat)
        asked.append((provider, model))
        return dict(shares)

    layout = view.parts.viewport_layout
    layout.set_shares(shares_of)
    assert set(asked) == {("box", "test-model")}
    items = [placed.item for placed in layout.layout.placed if isinstance(placed.item, FileItem | AttachedPictureItem)]
    assert [item.spoken for item in items] == [
        "report.pdf, PDF · 244 KB · sent in part",
        "cat.png, not sent",
        "report.pdf, PDF · 244 KB",
    ]
    assert [item.tip_at(QPointF()) for item in items] == ["It is long.", "Blind.", ""]
    shares.clear()  # the person says that the model sees
    layout.set_shares(shares_of)
    assert items[1].spoken == "cat.png"


def test_a_picture_that_was_not_sent_has_a_mark_in_its_corner(style: TranscriptStyle) -> None:  # noqa: F811
    cat = Attachment("cat.png", "image/png", "ef" * 32, 99, 400, 300)
    item = AttachedPictureItem(cat, shape=(400, 300))
    plain = painted(item, style)
    assert not item.update_share(SentShare(cat, Share.WHOLE))
    assert item.update_share(SentShare(cat, Share.NAME, "Blind."))
    assert not item.update_share(SentShare(cat, Share.NAME, "Blind."))
    assert painted(item, style) != plain


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (40, 40), (400, 300)])
def test_the_buttons_over_a_picture_are_inside_it(shape: tuple[int, int], style: TranscriptStyle) -> None:  # noqa: F811
    item = AttachedPictureItem(Attachment("dot.png", "image/png", "ef" * 32, 99, *shape), shape=shape)
    item.ensure_layout(style, WIDTH)
    place = QRectF(0, 0, WIDTH, item.height)
    assert item.buttons()
    assert all(place.contains(button.area) for button in item.buttons())
