"""Files are read as what they are; hostile ones end with a sentence, in bounded time and memory."""

from __future__ import annotations

import io
import os
import sys
import time
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from chatdesk.core.attachments import image_work, text_extraction
from chatdesk.core.attachments.file_kinds import DOCX, HTML, ODT, PDF, PPTX, is_text, kind_of
from chatdesk.core.attachments.file_reader import FileReader, default_command
from chatdesk.core.attachments.html_text import text_of_html
from chatdesk.core.attachments.reading_process import serve
from chatdesk.core.attachments.text_extraction import NO_TEXT, extract
from tests.helpers.documents import pdf

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return path


def pdf_with(path: Path, *texts: str, password: str = "") -> Path:
    return write(path, pdf(*texts, password=password))


def image(path: Path, size: tuple[int, int] = (40, 30), mode: str = "RGB", **more: object) -> Path:
    Image.new(mode, size, "red").save(path, **more)
    return path


# What a file is


@pytest.mark.parametrize(
    ("head", "name", "mime"),
    [
        (b"\x89PNG\r\n\x1a\nrest", "a.txt", "image/png"),
        (b"\xff\xd8\xff\xe0", "a", "image/jpeg"),
        (b"GIF89a", "a", "image/gif"),
        (b"RIFF0000WEBPVP8 ", "a", "image/webp"),
        (b"BM1234\0\0\0\0", "a", "image/bmp"),
        (b"%PDF-1.7", "a.exe", PDF),
        (b"PK\x03\x04...", "a.docx", DOCX),
        (b"PK\x03\x04...", "a.PPTX", PPTX),
        (b"PK\x03\x04...", "a.odt", ODT),
        (b"PK\x03\x04...", "a.zip", "application/zip"),
        (b"# heading", "a.md", "text/markdown"),
        (b"a,b", "a.csv", "text/csv"),
        (b"print(1)", "a.py", "text/plain"),
        (b"<p>", "a.htm", HTML),
        (b"\xff\xfea\0b\0", "a.txt", "text/plain"),
        (b"MZ\x90\0\x03", "a.txt", "application/octet-stream"),
        (b"\x7fELF\x01\x02\x03\x04", "a", "application/octet-stream"),
        ("Grüße".encode("latin-1"), "a.txt", "text/plain"),
    ],
)
def test_the_bytes_say_what_a_file_is(head: bytes, name: str, mime: str) -> None:
    assert kind_of(head, name) == mime


def test_texts_are_told_from_others() -> None:
    assert is_text("text/x-anything")
    assert is_text("application/json")
    assert not is_text(PDF)


# Texts


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_are_found(tmp_path: Path, encoding: str) -> None:
    text = "Grüße aus Köln: die Straße führt über Brücken.\nUnd noch eine Zeile mit äöüß für die Häufigkeit."
    found = extract(write(tmp_path / "a", text.encode(encoding)), "text/plain")
    assert (found.text, found.problem) == (text, None)


def test_line_ends_are_one_kind(tmp_path: Path) -> None:
    assert extract(write(tmp_path / "a", b"a\r\nb\rc"), "text/plain").text == "a\nb\nc"


def test_a_long_text_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_extraction, "MOST_CHARACTERS", 100)
    found = extract(write(tmp_path / "a", b"x" * 500), "text/plain")
    assert found.text == "x" * 100
    assert found.problem == "It is long; its first 100 characters are read."


def test_a_text_that_is_cut_inside_a_character_stays_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_extraction, "_MOST_BYTES", 5)
    assert extract(write(tmp_path / "a", "äöü".encode()), "text/plain").text == "äö"


def test_an_empty_text_says_so(tmp_path: Path) -> None:
    assert extract(write(tmp_path / "a", b"  \n"), "text/plain").problem == NO_TEXT


def test_bytes_have_no_text(tmp_path: Path) -> None:
    found = extract(write(tmp_path / "a", b"\0\1"), "application/octet-stream")
    assert found.text == ""
    assert found.problem is not None


def test_of_a_page_only_the_words_stay() -> None:
    source = (
        "<html><head><title>Title</title><style>p { }</style></head><body onload='x()'><h1>One</h1><p>two  \n three"
        "<br/>four<script>alert(1)</script><noscript>no</noscript><table><tr><td>a<td>b</table><pre>x\n  y</pre>&amp;"
    )
    assert (
        text_of_html(source) == "Title\n\n# One\n\ntwo three\nfour\n\n| a | b |\n| --- | --- |\n\n```\nx\n  y\n```\n&"
    )


def test_html_files_are_read(tmp_path: Path) -> None:
    assert extract(write(tmp_path / "a.html", b"<p>hello</p>"), HTML).text == "hello"


# Documents


def docx(body: bytes) -> bytes:
    return b'<?xml version="1.0"?><w:document xmlns:w="' + W.encode() + b'"><w:body>' + body + b"</w:body></w:document>"


def test_word_documents_are_read(tmp_path: Path) -> None:
    body = (
        b"<w:p><w:r><w:t>First</w:t><w:tab/><w:t>line</w:t></w:r></w:p><w:p><w:del><w:delText>gone</w:delText></w:del>"
        b"<w:r><w:t>Second</w:t><w:br/><w:t>half</w:t></w:r></w:p>"
    )
    path = zipped(tmp_path / "a.docx", word__document_xml=docx(body))
    assert extract(path, DOCX).text == "First\tline\nSecond\nhalf"


def test_slides_are_read_in_their_order(tmp_path: Path) -> None:
    def slide(text: bytes) -> bytes:
        return b'<p:sld xmlns:p="p" xmlns:a="a"><a:p><a:r><a:t>' + text + b"</a:t></a:r></a:p></p:sld>"

    path = zipped(
        tmp_path / "a.pptx",
        ppt__slides__slide10_xml=slide(b"ten"),
        ppt__slides__slide2_xml=slide(b"two"),
        ppt__slides__slide1_xml=slide(b"one"),
    )
    assert extract(path, PPTX).text == "one\n\ntwo\n\nten"


def test_open_documents_are_read(tmp_path: Path) -> None:
    content = (
        b'<office:document-content xmlns:office="o" xmlns:text="t"><office:meta>no</office:meta><office:body>'
        b"<text:h>Head</text:h><text:p>a<text:s/>b</text:p></office:body></office:document-content>"
    )
    assert extract(zipped(tmp_path / "a.odt", content_xml=content), ODT).text == "# Head\n\na b"


# PDF


def test_pdfs_are_read_page_by_page(tmp_path: Path) -> None:
    assert extract(pdf_with(tmp_path / "a.pdf", "Hello", "World"), PDF).text == "Hello\n\nWorld"


def test_a_pdf_with_a_password_says_so(tmp_path: Path) -> None:
    found = extract(pdf_with(tmp_path / "a.pdf", "Hello", password="secret"), PDF)
    assert (found.text, found.problem) == ("", "It is protected by a password.")


def test_a_scanned_pdf_says_so(tmp_path: Path) -> None:
    found = extract(pdf_with(tmp_path / "a.pdf", ""), PDF)
    assert found.problem is not None
    assert "scanned" in found.problem


def test_a_long_pdf_is_read_up_to_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_extraction, "_PDF_TIME_S", -1.0)
    found = extract(pdf_with(tmp_path / "a.pdf", "One", "Two", "Three"), PDF)
    assert found.text == "One"
    assert found.problem == "It is long; 1 of its 3 pages are read."


# Pictures


def test_pictures_are_measured_as_they_are_shown(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert image_work.measure(image(tmp_path / "a.png")) == (40, 30)
    assert image_work.measure(image(tmp_path / "b.jpg", exif=exif)) == (30, 40)


@pytest.mark.parametrize(("name", "mode", "mime"), [("a.jpg", "RGB", "image/jpeg"), ("a.png", "RGBA", "image/png")])
def test_large_pictures_are_made_smaller(tmp_path: Path, name: str, mode: str, mime: str) -> None:
    found, data = image_work.scaled(image(tmp_path / name, (400, 200), mode), longest_px=100)
    assert found == mime
    assert Image.open(io.BytesIO(data)).size == (100, 50)


def test_where_a_photograph_was_taken_stays_here(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010E] = "a secret place"
    _, data = image_work.scaled(image(tmp_path / "a.jpg", exif=exif), longest_px=100)
    assert b"secret place" not in data
    assert not Image.open(io.BytesIO(data)).getexif()


def test_a_picture_that_stays_too_large_loses_its_transparency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_work, "_MOST_BYTES", 10)
    mime, data = image_work.scaled(image(tmp_path / "a.png", mode="RGBA"), longest_px=100)
    assert mime == "image/jpeg"
    assert data.startswith(b"\xff\xd8")


def test_a_bomb_is_refused_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_work, "MOST_PIXELS", 1000)
    with pytest.raises(image_work.NotAnImage, match="million pixels"):
        image_work.measure(image(tmp_path / "a.png"))
    with pytest.raises(image_work.NotAnImage, match="million pixels"):
        image_work.measure(image(tmp_path / "b.png", (100, 100)))


def test_damage_has_words(tmp_path: Path) -> None:
    cut = write(tmp_path / "a.png", image(tmp_path / "b.png", (300, 300)).read_bytes()[:60])
    with pytest.raises(image_work.NotAnImage, match="damaged"):
        image_work.scaled(cut, longest_px=10)
    with pytest.raises(image_work.NotAnImage, match="damaged"):
        image_work.measure(write(tmp_path / "c.png", b"\x89PNG\r\n\x1a\n"))


# The process


def test_the_process_answers_in_words_whatever_happens(tmp_path: Path) -> None:
    def ask(job: bytes) -> bytes:
        sink = io.BytesIO()
        serve(io.BytesIO(job + b"\n"), sink)
        return sink.getvalue()

    damaged = write(tmp_path / "a.pdf", b"%PDF-1.7 nothing")
    assert b"damaged" in ask(b'{"job": "text", "mime": "application/pdf", "path": "%s"}' % str(damaged).encode())
    assert b"40" in ask(b'{"job": "measure", "path": "%s"}' % str(image(tmp_path / "a.png")).encode())
    assert b"image/png" in ask(b'{"job": "scale", "longest_px": 9, "path": "%s"}' % str(tmp_path / "a.png").encode())
    assert b"damaged" in ask(b'{"job": "measure", "path": "%s"}' % str(damaged).encode())


def test_memory_that_is_missing_has_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("chatdesk.core.attachments.reading_process.extract", greedy)
    sink = io.BytesIO()
    serve(io.BytesIO(b'{"job": "text", "mime": "text/plain", "path": "x"}\n'), sink)
    assert b"memory" in sink.getvalue()


def test_files_are_read_in_a_process_of_their_own(tmp_path: Path) -> None:
    reader = FileReader()
    assert reader.text(write(tmp_path / "a.txt", b"words"), "text/plain").text == "words"
    assert reader.measure(image(tmp_path / "a.png")) == (40, 30)
    sent = reader.sent_image(tmp_path / "a.png")
    assert (sent.mime, sent.data[:4], sent.problem) == ("image/png", b"\x89PNG", None)
    assert reader.measure(tmp_path / "a.txt") == "It is damaged, or not an image that can be shown."
    assert reader.sent_image(tmp_path / "a.txt").problem == "It is damaged, or not an image that can be shown."
    assert reader.text(tmp_path / "a.png", "image/png").text == ""


def test_a_zip_bomb_ends_with_a_sentence(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.docx", word__document_xml=b"<w:p>" + b" " * (64 * 1024 * 1024))
    began = time.monotonic()
    found = FileReader().text(path, DOCX)
    assert found.text == ""
    assert found.problem is not None
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("program", ["import time; time.sleep(60)", "import os; os._exit(1)", "print('x')"])
def test_a_process_that_hangs_dies_or_talks_nonsense_is_a_problem(tmp_path: Path, program: str) -> None:
    reader = FileReader(command=[sys.executable, "-c", program], time_limit_s=1.0)
    found = reader.text(write(tmp_path / "a", b"x"), "text/plain")
    assert (found.text, found.problem) == ("", "It needs too much time or memory to be read.")
    assert isinstance(reader.measure(tmp_path / "a"), str)


def test_a_process_that_cannot_be_started_is_a_problem(tmp_path: Path) -> None:
    reader = FileReader(command=[str(tmp_path / "missing")])
    assert reader.text(write(tmp_path / "a", b"x"), "text/plain").problem is not None


def test_closing_ends_what_is_read(tmp_path: Path) -> None:
    reader = FileReader(command=[sys.executable, "-c", "import time; time.sleep(60)"])
    reader.close()
    began = time.monotonic()
    assert reader.text(write(tmp_path / "a", b"x"), "text/plain").problem is not None
    assert time.monotonic() - began < 10


def test_a_packaged_program_starts_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert default_command() == [os.path.realpath(sys.executable), "--reading-process"]
