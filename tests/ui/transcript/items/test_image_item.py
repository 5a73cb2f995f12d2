"""Images: never fetched without a press, decoded elsewhere within bounds, room kept, failures as words."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from chatdesk.core.attachments.remote_image import AddressScope, ImageFetcher
from chatdesk.core.domain.message import Part, PartType
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.rendering.blocks import CodeBlock, ImagePlaceholder
from chatdesk.ui.transcript.contract import Picture, PictureSource
from chatdesk.ui.transcript.drawing import picture_loader
from chatdesk.ui.transcript.drawing.picture_loader import MAX_SIDE_PX, NotAPicture, PictureLoader, decode, read_stored
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.diagram_item import DiagramItem
from chatdesk.ui.transcript.items.image_item import ImageItem
from chatdesk.ui.transcript.items.items_from_blocks import change_groups
from chatdesk.ui.transcript.items.picture_item import PictureItem
from chatdesk.ui.transcript.view import TranscriptView
from tests.core.attachments.test_remote_image import Site, as_open, image
from tests.ui.transcript.conftest import World, make_message, make_thread
from tests.ui.transcript.items.test_math_item import WIDTH, painted, style  # noqa: F401 - a fixture


def picture_bytes(width: int = 60, height: int = 40, kind: str = "PNG", colour: Any = Qt.GlobalColor.red) -> bytes:
    made = QImage(width, height, QImage.Format.Format_RGB32)
    made.fill(colour)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert made.save(buffer, kind)  # type: ignore[call-overload]
    return bytes(buffer.data().data())


class Door:
    """Hands out pictures when told to."""

    def __init__(self) -> None:
        self.asked: list[PictureSource] = []
        self._waiting: list[Callable[[Picture], None]] = []

    def load(self, source: PictureSource, on_done: Callable[[Picture], None]) -> Door:
        self.asked.append(source)
        self._waiting.append(on_done)
        return self

    def cancel(self) -> None:
        """Nothing runs."""

    def answer(self, picture: Picture) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each(picture)


@pytest.fixture
def loader(tmp_path: Path, qapp: object) -> Iterator[PictureLoader]:
    made = PictureLoader(fetcher=ImageFetcher(scope_of=as_open), folder=tmp_path)
    yield made
    made.close()
    made.deleteLater()


def loaded(qtbot: QtBot, loader: PictureLoader, source: PictureSource) -> Picture:
    found: list[Picture] = []
    loader.load(source, found.append)
    assert found == []
    qtbot.waitUntil(lambda: bool(found))
    return found[0]


def item_of(view: TranscriptView, kind: type) -> Any:
    return next(item for entry in view.entries for item in entry.items if isinstance(item, kind))


# Decoding


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP"])
def test_pictures_are_decoded(kind: str) -> None:
    made = decode(picture_bytes(kind=kind))
    assert made.image is not None
    assert made.size == (made.image.width(), made.image.height()) == (60, 40)


def test_large_pictures_are_made_smaller() -> None:
    made = decode(picture_bytes(2 * MAX_SIDE_PX, 10))
    assert made.size == (MAX_SIDE_PX, 5)
    small = decode(picture_bytes(600, 400), (60, 60))
    assert small.image is not None
    assert (small.image.width(), small.image.height()) == (60, 40)
    assert small.size == (600, 400)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><rect width='10' height='10'/></svg>",
        b'/* XPM */ static char *a[] = {"1 1 1 1", "a c red", "a"};',
        picture_bytes()[:40],
    ],
    ids=["nothing", "head only", "svg", "xpm", "cut"],
)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.qt_no_exception_capture
def test_other_bytes_are_no_picture(data: bytes, qtlog: Any) -> None:
    with qtlog.disabled(), pytest.raises(NotAPicture):
        decode(data)


def test_a_picture_of_too_many_pixels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_loader, "_MAX_PIXELS", 100)
    with pytest.raises(NotAPicture, match="pixels"):
        decode(picture_bytes())


def test_stored_names_do_not_lead_out_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "blobs"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(b"x")
    (folder / "a.png").write_bytes(b"abc")
    assert read_stored(folder, "a.png") == b"abc"
    for name in ("../secret.png", str(tmp_path / "secret.png"), "", "missing.png", "."):
        with pytest.raises(NotAPicture):
            read_stored(folder, name)
    monkeypatch.setattr(picture_loader, "MAX_FILE_BYTES", 2)
    with pytest.raises(NotAPicture, match="larger"):
        read_stored(folder, "a.png")


# The loader


def test_the_loader_reads_stored_files_and_bytes(qtbot: QtBot, loader: PictureLoader, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture_bytes())
    for source in (PictureSource(stored="a.png"), PictureSource(data=picture_bytes())):
        picture = loaded(qtbot, loader, source)
        assert picture.image is not None
    assert loaded(qtbot, loader, PictureSource(stored="../a.png")).failure


def test_a_picture_is_decoded_once(qtbot: QtBot, loader: PictureLoader, monkeypatch: pytest.MonkeyPatch) -> None:
    source = PictureSource(data=picture_bytes())
    first = loaded(qtbot, loader, source)
    monkeypatch.setattr(picture_loader, "decode", None)
    assert loaded(qtbot, loader, source).image is first.image


def test_the_least_recently_seen_pictures_leave(
    qtbot: QtBot, loader: PictureLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_loader, "_MAX_KEPT_BYTES", 10_000)
    sources = [PictureSource(data=picture_bytes(colour=colour)) for colour in (Qt.GlobalColor.red, Qt.GlobalColor.blue)]
    first = loaded(qtbot, loader, sources[0])
    loaded(qtbot, loader, sources[1])
    assert loaded(qtbot, loader, sources[0]).image is not first.image


def test_a_ticket_given_up_is_never_called(qtbot: QtBot, loader: PictureLoader) -> None:
    source = PictureSource(data=picture_bytes())
    never: list[Picture] = []
    ticket = loader.load(source, never.append)
    ticket.cancel()
    ticket.cancel()
    found: list[Picture] = []
    loader.load(source, found.append)
    qtbot.waitUntil(lambda: bool(found))
    assert never == []


def test_a_failed_image_shows_a_sentence(qtbot: QtBot, tmp_path: Path) -> None:
    class Failing:
        def fetch(self, url: str, *, is_agreed: bool) -> bytes:
            if "disk" in url:
                raise OSError
            raise ChatDeskError("No.", safe="", next_step="")

        def close(self) -> None:
            pass

    loader = PictureLoader(fetcher=Failing(), folder=tmp_path)
    assert loaded(qtbot, loader, PictureSource(url="http://a.test")).failure == "No."
    assert loaded(qtbot, loader, PictureSource(url="http://disk.test")).failure
    loader.close()
    loader.deleteLater()


def test_closing_waits_for_no_server(qtbot: QtBot, tmp_path: Path) -> None:
    site, asked, gone = Site(), threading.Event(), threading.Event()

    def answer(_handler: object) -> None:
        asked.set()
        gone.wait(30)

    site.answers["/a.png"] = answer
    loader = PictureLoader(fetcher=ImageFetcher(scope_of=as_open), folder=tmp_path)
    loader.load(PictureSource(url=site.url("/a.png")), lambda _picture: None)
    assert asked.wait(20)
    began = time.monotonic()
    loader.close()
    assert time.monotonic() - began < 20  # of the 30 that the server takes
    gone.set()
    site.close()
    loader.deleteLater()


# In the transcript


def test_a_remote_image_is_fetched_by_the_press_of_its_button_only(world: World, qtbot: QtBot, tmp_path: Path) -> None:
    site = Site()
    site.answers["/a.png"] = image(picture_bytes())
    loader = PictureLoader(fetcher=ImageFetcher(scope_of=as_open), folder=tmp_path)
    view = world.open(make_thread(2, lambda place: f"![a cat]({site.url('/a.png')})" if place else "?"))
    view.set_pictures(loader)
    item = item_of(view, ImageItem)
    view.scrolling.by(10)
    view.grab()
    world.settle()
    assert site.asked == []
    assert "127.0.0.1" in item.buttons()[0].label
    view.setFocus()
    view.jump_to("m1")
    QTest.keyClick(view, Qt.Key.Key_Tab)
    QTest.keyClick(view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: item.image is not None)
    world.settle()
    view.grab()
    assert site.asked == ["/a.png"]
    assert item.buttons() == ()
    assert item.height == 40
    loader.close()
    loader.deleteLater()
    site.close()


def test_a_failure_is_told_and_may_be_tried_again(style: TranscriptStyle) -> None:  # noqa: F811
    door = Door()
    item = ImageItem(ImagePlaceholder("cat", "https://a.test/c.png", "a.test"))
    item.ask(door, lambda: None)
    assert door.asked == []
    painted(item, style)
    assert item.press("load-image") is not None
    assert item.press("other") is None
    changes: list[int] = []
    item.ask(door, lambda: changes.append(1))
    item.ask(door, lambda: changes.append(1))
    painted(item, style)
    door.answer(Picture(None, "It did not answer.", "https://b.test/c.png", "b.test"))
    assert changes == [1]
    painted(item, style)
    (button,) = item.buttons()
    assert button.label == "Load image from b.test"
    item.press("load-image")
    item.ask(door, lambda: None)
    assert [each.url for each in door.asked] == ["https://a.test/c.png", "https://b.test/c.png"]
    assert item.copied(0, 3) == "![cat](https://a.test/c.png)"


@pytest.mark.parametrize("url", ["/etc/passwd", "file:///etc/passwd", "data:image/png;base64,AAAA", "javascript:1"])
def test_other_addresses_have_no_button(style: TranscriptStyle, url: str) -> None:  # noqa: F811
    item = ImageItem(ImagePlaceholder("", url, ""))
    painted(item, style)
    assert item.buttons() == ()
    assert "not shown" in item.text


def test_an_attached_image_keeps_its_room_before_it_comes(world: World) -> None:
    content = {"name": "plan.png", "path": "ab/cd.png", "width": 400, "height": 300}
    parts = (Part("p", "m0", 0, PartType.IMAGE, content), Part("q", "m0", 1, PartType.TEXT, {"text": "Look"}))
    thread = make_thread(0)
    thread.messages.append(make_message(0, parts=parts))
    door = Door()
    view = world.open(thread)
    view.set_pictures(door)
    item = item_of(view, PictureItem)
    assert [each.stored for each in door.asked] == ["ab/cd.png"]
    assert door.asked[0].most is not None
    before = item.height
    assert before == 300
    door.answer(decode(picture_bytes(400, 300)))
    world.settle()
    view.grab()
    assert item.height == before
    assert item.text == "plan.png"
    assert item.copied(0, 4) == "plan"
    assert item.areas_of(0, 3)


@pytest.mark.parametrize(
    "size", [{}, {"width": 0, "height": 3}, {"width": "4", "height": 3}, {"width": 10**9, "height": 1}]
)
def test_an_image_of_unknown_shape_has_a_room_too(style: TranscriptStyle, size: dict[str, Any]) -> None:  # noqa: F811
    from chatdesk.ui.transcript.messages.sections import sections_of

    part = Part("p", "m", 0, PartType.IMAGE, {"name": "a", "path": "a.png", **size})
    (section,) = sections_of((part,), is_live=False)
    (item,) = section.items
    assert item.guess(style, WIDTH) == round(WIDTH * 9 / 16)
    assert painted(item, style).height() == round(WIDTH * 9 / 16)


def test_a_tall_picture_is_bounded_and_a_selected_one_tinted(style: TranscriptStyle) -> None:  # noqa: F811
    item = PictureItem("tall", PictureSource(data=b"x"))
    item.set_picture(decode(picture_bytes(100, 2_000)))
    plain = painted(item, style)
    assert plain.height() <= 560
    assert painted(item, style, selected=(0, 2)) != plain
    item.release()
    item.set_picture(Picture(None, "Gone."))
    assert painted(item, style).height() == item.guess(style, WIDTH)
    assert item.areas_of(0, 1)


# Diagrams


def diagram() -> CodeBlock:
    light, dark = picture_bytes(200, 100, colour=Qt.GlobalColor.white), picture_bytes(200, 100)
    return CodeBlock("mermaid", "graph TD\n A --> B", pictures=(light, dark))


def test_a_diagram_replaces_its_code_and_shows_it_on_request(style: TranscriptStyle) -> None:  # noqa: F811
    block = diagram()
    plain = CodeBlock(block.language, block.text)
    groups = change_groups((), [], (plain,))
    assert isinstance(groups[0][0], CodeItem)
    item = change_groups((plain,), groups, (block,))[0][0]
    assert isinstance(item, DiagramItem)
    door = Door()
    changes: list[int] = []
    item.ask(door, lambda: changes.append(1))
    assert [each.data for each in door.asked] == [block.pictures[0]]
    door.answer(decode(block.pictures[0]))
    assert changes == [1]
    painted(item, style)
    assert item.guess(style, WIDTH) == item.height
    assert item.areas_of(0, 3)
    assert item.offset_at(item.buttons()[-1].area.center()) == len(item.text)
    outcome = item.press("show-source")
    assert outcome is not None
    assert outcome.is_resized
    painted(item, style)
    assert [button.label for button in item.buttons()][-1] == "Show diagram"
    copied = item.press("copy-code")
    assert copied is not None
    assert copied.copied == block.text
    assert item.press("wrap-code") is not None
    assert item.copied(0, 5) == "graph"
    assert item.scroll is not None and not item.scroll.move(10)
    item.release()


def test_a_diagram_that_cannot_be_shown_is_code(style: TranscriptStyle) -> None:  # noqa: F811
    item = DiagramItem(diagram())
    door = Door()
    item.ask(door, lambda: None)
    door.answer(Picture(None, "It is damaged."))
    painted(item, style)
    assert isinstance(item.shown, CodeItem)
    assert item.offset_at(item.areas_of(0, 1)[0].center()) in (0, 1)


def test_an_image_in_the_readers_own_network_is_asked_about_once_more(
    world: World, qtbot: QtBot, tmp_path: Path
) -> None:
    site = Site()
    site.answers["/a.png"] = image(picture_bytes())
    loader = PictureLoader(fetcher=ImageFetcher(scope_of=lambda _address: AddressScope.PRIVATE), folder=tmp_path)
    view = world.open(make_thread(2, lambda place: f"![a cat]({site.url('/a.png')})" if place else "?"))
    view.set_pictures(loader)
    item = item_of(view, ImageItem)
    view.setFocus()
    view.jump_to("m1")
    QTest.keyClick(view, Qt.Key.Key_Tab)
    QTest.keyClick(view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "own network" in item.failure)
    assert site.asked == []
    assert item.buttons()[0].label == "Load image from 127.0.0.1 in your own network"
    QTest.keyClick(view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: item.image is not None)
    assert site.asked == ["/a.png"]
    world.settle()
    loader.close()
    site.close()
