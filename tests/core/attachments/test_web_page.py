"""Pages and files on the web, read over real connections: of every kind, and hostile ones."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfWriter

from chatdesk.core.attachments import web_page
from chatdesk.core.attachments.file_reader import FileReader
from chatdesk.core.attachments.web_page import WebPageReader
from chatdesk.core.errors import ChatDeskError, InvalidInput
from chatdesk.core.fetching.guarded_fetch import FetchFailed, GuardedFetcher
from tests.helpers.documents import pdf
from tests.helpers.site import Site, as_open, endless, redirect, sent

PAGE = b"<html><head><title>Tides</title></head><body><p>High water at noon.</p></body></html>"


@pytest.fixture
def reader() -> Iterator[WebPageReader]:
    made = WebPageReader(GuardedFetcher(scope_of=as_open), FileReader(), schemes=("http", "https"))
    yield made
    made.close()


def test_a_page_has_title_text_and_its_true_address(site: Site, reader: WebPageReader) -> None:
    site.answers["/old"] = redirect("/new?a=1#part")
    site.answers["/new"] = sent(gzip.compress(PAGE), "text/html; charset=utf-8", Content_Encoding="gzip")
    page = reader.read(site.url("/old#top"))
    assert (page.title, page.text, page.problem) == ("Tides", "High water at noon.", "")
    assert page.url.startswith(site.url("/new?a=1"))
    assert not {"Cookie", "Referer", "Authorization"} & site.headers[0].keys()


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"plain <b>words</b>", "text/plain", "plain <b>words</b>"),
        (b'{"a": 1}', "application/json", '{"a": 1}'),
        (b"<?xml version='1.0' encoding='utf-8'?><html><body><p>as XML", "application/xhtml+xml", "as XML"),
        (b"<!DOCTYPE html><p>without a type", "", "without a type"),
        ("<p>naïve".encode("latin-1"), "text/html; charset=ISO-8859-1", "naïve"),
        (b"a,b\n1,2\n", "text/csv", "a,b\n1,2\n"),
    ],
)
def test_kinds_of_text(site: Site, reader: WebPageReader, body: bytes, kind: str, text: str) -> None:
    site.answers["/x"] = sent(body, kind)
    assert reader.read(site.url("/x")).text == text


def test_a_pdf_is_read_whatever_its_server_calls_it(site: Site, reader: WebPageReader) -> None:
    site.answers["/tides.pdf"] = sent(pdf("High water"), "text/html")
    page = reader.read(site.url("/tides.pdf"))
    assert (page.title, page.text.strip()) == ("tides.pdf", "High water")


def test_an_empty_pdf_says_so(site: Site, reader: WebPageReader, tmp_path: Path) -> None:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.write(str(tmp_path / "empty.pdf"))
    site.answers["/e.pdf"] = sent((tmp_path / "empty.pdf").read_bytes(), "application/pdf")
    page = reader.read(site.url("/e.pdf"))
    assert not page.text and "scanned pages" in page.problem


@pytest.mark.parametrize(
    "body", [b"\x89PNG\r\n\x1a\n" + b"\0" * 99, b"\x7fELF" + b"\0" * 999, b"PK\x03\x04" + b"x" * 50]
)
def test_other_files_are_named_and_not_opened(site: Site, reader: WebPageReader, body: bytes) -> None:
    site.answers["/x"] = sent(body, "text/html")
    page = reader.read(site.url("/x"))
    assert page.text == "" and "no text that can be read" in page.problem


def test_a_page_of_20_mb_is_refused(site: Site, reader: WebPageReader) -> None:
    site.answers["/x"] = sent(b"<p>word " * (20 * 1024 * 1024 // 8), "text/html")
    with pytest.raises(FetchFailed, match="larger than 10 MB"):
        reader.read(site.url("/x"))


def test_bombs_and_endless_bodies_are_cut_off(
    site: Site, reader: WebPageReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_page, "MOST_BYTES", 1024 * 1024)
    site.answers["/bomb"] = sent(gzip.compress(b"<p>" * 10_000_000, 1), "text/html", Content_Encoding="gzip")
    site.answers["/endless"] = endless("text/html", b"<p>more" * 1000)
    for path in ("/bomb", "/endless"):
        with pytest.raises(FetchFailed, match="larger than 1 MB"):
            reader.read(site.url(path))


@pytest.mark.parametrize("target", ["http://10.0.0.1/", "http://[::ffff:127.0.0.1]/", "file:///etc/passwd", "//0/"])
def test_a_page_may_not_lead_inside(site: Site, reader: WebPageReader, target: str) -> None:
    site.answers["/x"] = redirect(target)
    with pytest.raises(FetchFailed):
        reader.read(site.url("/x"))
    assert site.asked == ["/x"]


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("example.org", "https://example.org"),
        ("http://example.org/a?b#c", "https://example.org/a?b"),
        (" https://example.org/ ", "https://example.org/"),
        ("HTTP://example.org", "https://example.org"),
    ],
)
def test_https_is_asked_for(written: str, address: str) -> None:
    assert WebPageReader(GuardedFetcher(), FileReader()).address(written) == address


@pytest.mark.parametrize("written", ["", "a b", "https://", "https://[", "javascript:alert(1)//", "/etc/passwd"])
def test_an_invalid_address_is_refused(written: str) -> None:
    reader = WebPageReader(GuardedFetcher(), FileReader())
    with pytest.raises(ChatDeskError):
        reader.read(written)


@pytest.mark.parametrize(
    "written", ["127.0.0.1:1", "http://169.254.169.254/latest/", "localhost", "file:///etc/passwd"]
)
def test_this_computer_is_never_asked(written: str) -> None:
    with pytest.raises((FetchFailed, InvalidInput)):
        WebPageReader(GuardedFetcher(), FileReader()).read(written)
