"""Pictures that models answer with, from a server's bytes to the parts of the stored answer."""

from __future__ import annotations

import asyncio
import struct
import zlib
from pathlib import Path

import pytest

from chatdesk.core.attachments.answer_pictures import AnswerPicture, AnswerPictures
from chatdesk.core.attachments.virus_scan import FileInfected, VirusScan
from chatdesk.core.domain.attachment import MOST_IN_MESSAGE, Attachment
from chatdesk.core.domain.message import PartType, Role, Status
from chatdesk.core.events import MessageChanged
from chatdesk.core.providers.base import PictureDelta
from tests.helpers.drawn_pictures import (
    as_url,
    beside_text,
    by_block,
    by_image_tool,
    drawing_world,
    drawn,
    in_text,
    pictures_of,
)
from tests.helpers.fault_server import Exchange, Script, answer
from tests.helpers.waiting import PATIENCE_S

BLUE, RED = drawn("steelblue"), drawn("firebrick", size=(40, 90), kind="JPEG")


@pytest.mark.parametrize(
    ("protocol", "script", "kinds", "name"),
    [
        ("chat", in_text(BLUE), ["text", "image", "text"], "A drawing.png"),
        ("chat", beside_text(BLUE), ["text", "image"], "Picture 1.png"),
        ("responses", by_image_tool(BLUE), ["image", "text"], "Picture 1.png"),
        ("anthropic", by_block(BLUE), ["image", "text"], "Picture 1.png"),
    ],
    ids=["markdown", "images", "image tool", "block"],
)
async def test_a_picture_is_a_file_of_the_answer(
    tmp_path: Path, protocol: str, script: Script, kinds: list[str], name: str
) -> None:
    async with drawing_world(tmp_path, script, answer("A bird."), protocol=protocol) as world:
        message = await world.answered()
        assert message.status is Status.COMPLETE
        assert [part.type.value for part in message.parts] == kinds
        (picture,) = pictures_of(message)
        assert isinstance(picture, Attachment)
        assert (picture.name, picture.mime, picture.width, picture.height) == (name, "image/png", 64, 48)
        assert world.files.blobs.read(picture.sha256, max_bytes=10_000) == BLUE
        assert await world.files.remove_unnamed(older_than_s=0) == 0, "the answer names it"
        assert "base64" not in message.text


@pytest.mark.parametrize("protocol", ["chat", "responses", "anthropic"])
async def test_a_picture_does_not_go_back_to_a_server_as_an_answer(tmp_path: Path, protocol: str) -> None:
    script = {"chat": in_text(BLUE), "responses": by_image_tool(BLUE), "anthropic": by_block(BLUE)}[protocol]
    async with drawing_world(tmp_path, script, protocol=protocol) as world:
        message = await world.answered()
        await world.answered("What is it?", message.thread_id)
        sent = world.server.requests[-1].body
        assert b"base64" not in sent and b'"image' not in sent
        said = b"A drawing.png" if protocol == "chat" else b"Picture 1.png"
        assert said in sent, "the model knows that it made one"


async def test_text_around_pictures_stays_in_its_order(tmp_path: Path) -> None:
    async with drawing_world(tmp_path, in_text(BLUE, RED)) as world:
        message = await world.answered()
        texts = [part.text for part in message.parts if part.type is PartType.TEXT]
        assert texts == ["Before. ", " between ", " between after."]
        blue, red = pictures_of(message)
        assert isinstance(blue, Attachment) and isinstance(red, Attachment)
        assert (red.name, red.mime, red.height) == ("A drawing.jpg", "image/jpeg", 90), "its bytes say what it is"


async def test_a_better_picture_takes_the_place_of_a_preliminary_one(tmp_path: Path) -> None:
    states = drawn("silver"), drawn("gray"), BLUE
    async with drawing_world(tmp_path, by_image_tool(*states), protocol="responses") as world:
        message = await world.answered()
        (picture,) = pictures_of(message)
        assert isinstance(picture, Attachment) and picture.name == "Picture 1.png"
        assert world.files.blobs.read(picture.sha256, max_bytes=10_000) == BLUE
        assert await world.files.remove_unnamed(older_than_s=0) == 2, "nothing names its earlier states"


async def test_an_answer_that_is_cut_off_keeps_the_preliminary_picture(tmp_path: Path) -> None:
    script = by_image_tool(drawn("gray"), BLUE, is_cut_off=True)
    async with drawing_world(tmp_path, script, protocol="responses") as world:
        message = await world.answered()
        (picture,) = pictures_of(message)
        assert message.status is Status.ERROR
        assert isinstance(picture, Attachment) and picture.name == "Picture 1 (unfinished).png"


async def test_a_picture_that_is_cut_off_leaves_a_sentence_and_the_text(tmp_path: Path) -> None:
    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.delta(content="Look: " + f"![A bird]({as_url(BLUE)[:90]}")
        exchange.reset()

    async with drawing_world(tmp_path, script) as world:
        message = await world.answered()
        assert message.text == "Look: " and pictures_of(message) == ["It did not arrive completely."]
        assert message.parts[-1].content["name"] == "A bird"


async def test_a_picture_is_announced_stored_and_then_replaced(tmp_path: Path) -> None:
    """What is on the disk in the middle of a picture is what a kill would leave."""

    async def script(exchange: Exchange) -> None:
        await exchange.start()
        await exchange.delta(content="All of this text. " + f"![A bird]({as_url(BLUE)[:90]}")
        await exchange.hang()

    async with drawing_world(tmp_path, script) as world:
        sent = (await world.chat.chat.create_thread(None, "", "Draw!")).answer
        assert sent is not None
        async with asyncio.timeout(PATIENCE_S):
            while True:
                stored = await world.chat.repositories.messages.get(sent.id)
                if len(stored.parts) == 2:
                    break
        assert stored.text == "All of this text. " and pictures_of(stored) == ["It did not arrive completely."]


def _bomb() -> bytes:
    def piece(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", head) + piece(b"IDAT", rows) + piece(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "It is not a picture that can be shown."),
        (b"%PDF-1.7 not a picture at all", "It is not a picture that can be shown."),
        (b"\x89PNG\r\n\x1a\nbut nothing else", "is damaged"),
        (_bomb(), "64 million pixels"),
    ],
    ids=["svg", "pdf", "damaged", "bomb"],
)
async def test_what_is_no_picture_is_kept_out_with_a_sentence(tmp_path: Path, data: bytes, why: str) -> None:
    async with drawing_world(tmp_path, beside_text(data)) as world:
        message = await world.answered()
        (problem,) = pictures_of(message)
        assert message.text == "Here you are." and message.status is Status.COMPLETE
        assert isinstance(problem, str) and problem.startswith("Not kept: ") and why in problem


async def test_an_infected_picture_is_kept_out(tmp_path: Path) -> None:
    class Scan(VirusScan):
        def check(self, path: Path, sha256: str) -> None:
            raise FileInfected("The virus scanner found Test.Bird in this file.")

    async with drawing_world(tmp_path, in_text(BLUE), scan=Scan()) as world:
        message = await world.answered()
        assert pictures_of(message) == ["Not kept: The virus scanner found Test.Bird in this file."]
        assert message.text == "Before.  between after." and not list(world.files.blobs.list())


async def test_an_answer_has_a_bounded_number_of_pictures(tmp_path: Path) -> None:
    pictures = [drawn(f"rgb({n}, 9, 9)", size=(8, 8)) for n in range(MOST_IN_MESSAGE + 3)]
    async with drawing_world(tmp_path, beside_text(*pictures)) as world:
        *kept, problem = pictures_of(await world.answered())
        assert len(kept) == MOST_IN_MESSAGE and problem == "Left out: an answer has at most 20 pictures."


async def test_a_picture_that_is_sent_once_more_is_kept_once(tmp_path: Path) -> None:
    async with drawing_world(tmp_path, beside_text(BLUE, BLUE)) as world:
        assert len(pictures_of(await world.answered())) == 1


async def test_a_large_picture_in_one_event_is_taken(tmp_path: Path) -> None:
    data = BLUE + bytes(9 * 2**20)  # what follows the end of a PNG belongs to nobody, and is kept
    async with drawing_world(tmp_path, beside_text(data)) as world:
        (picture,) = pictures_of(await world.answered())
        assert isinstance(picture, Attachment) and picture.size_bytes == len(data)


async def test_a_temporary_chat_keeps_pictures_in_its_text(tmp_path: Path) -> None:
    async with drawing_world(tmp_path, beside_text(BLUE)) as world:
        world.chat.chat.tools.keep = None
        message = await world.answered()
        assert message.text == f"Here you are.\n\n![Picture]({as_url(BLUE)})\n\n"
        assert [part.type for part in message.parts] == [PartType.TEXT] and message.role is Role.ASSISTANT


async def test_the_window_hears_of_a_picture_while_the_answer_is_written(tmp_path: Path) -> None:
    async with drawing_world(tmp_path, in_text(BLUE)) as world:
        message = await world.answered()
        shown = [
            pictures_of(event.message)
            for event in world.chat.events
            if isinstance(event, MessageChanged) and event.message.id == message.id
        ]
        assert any(state and isinstance(state[0], Attachment) for state in shown[:-1]), "before its end"


async def test_one_picture_sent_again_and_again_is_kept_so_often_and_no_more() -> None:
    kept: list[bytes] = []

    async def keep(data: bytes, name: str) -> Attachment:
        kept.append(data)
        return Attachment(name, "image/png", f"{len(kept):064x}", len(data))

    pictures = AnswerPictures(keep)
    for number in range(500):
        await pictures.receive(
            PictureDelta("one", as_url(drawn("steelblue", size=(1 + number % 250, 1 + number // 250))))
        )
    assert len(kept) <= 2 * MOST_IN_MESSAGE + 1
    other = await pictures.receive(PictureDelta("another", as_url(BLUE)))
    assert isinstance(other, AnswerPicture) and other.file is not None
