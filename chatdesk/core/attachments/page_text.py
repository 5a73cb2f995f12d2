"""Finds the text of a web page: the part that a reader sees, without menus and adverts. Runs in the process that may be
killed; the gateway to ``trafilatura``."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from chatdesk.core.attachments.html_text import text_of_html
from chatdesk.core.attachments.text_extraction import FileText, bounded, characters

if TYPE_CHECKING:  # loaded only by the process that does this work
    from lxml.html import HtmlElement

# Larger pages are read word by word: finding what matters in them takes longer than the process may.
_MOST_SEARCHED: Final = 1_500_000
_MOST_BYTES: Final = 8 * 1024 * 1024
_LONGEST_TITLE: Final = 300
_DECLARED: Final = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_HEAD_BYTES: Final = 4096
# The names that pages use for larger sets, as the Encoding Standard reads them.
_AS_BROWSERS_READ: Final = {"iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "gb2312": "gb18030"}
# Where less of a page is found than this, it has no main text: a list of links, a form.
_LEAST_SHARE: Final = 0.1
_LEAST_FOUND: Final = 200
_TITLE: Final = re.compile(r"<title[^>]{0,200}>([^<]{0,2000})", re.IGNORECASE)
# Styles that hide text from a reader, but not from a model.
_UNSEEN: Final = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|(?:opacity|font-size):0(?:\.0*)?(?![.\d])", re.IGNORECASE
)
_NO_STYLE: Final = re.compile(r"\s+|/\*.*?(?:\*/|\Z)", re.DOTALL)  # blanks, and comments, which may be open
_UNSEEN_TAGS: Final = ("script", "style", "template", "noscript", "iframe", "object", "svg", "math", "head")
_SUSPECTS: Final = "|".join((*(f"//{tag}" for tag in _UNSEEN_TAGS), "//*[@style or @hidden or @aria-hidden]"))


def read_page(data: bytes, charset: str, url: str) -> tuple[str, FileText]:
    """Return title and text of an HTML page; ``charset`` is what its server says, if anything."""
    source = _decoded(data[:_MOST_BYTES], charset)
    found = _TITLE.search(source)
    title = " ".join(text_of_html(found[1]).split())[:_LONGEST_TITLE] if found else ""
    return title, bounded(_text(source, url), is_whole=len(data) <= _MOST_BYTES)


def _decoded(data: bytes, charset: str) -> str:
    """Return the characters of a page: by its mark, its server's word, its own word, or a guess."""
    if not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        declared = _DECLARED.search(data[:_HEAD_BYTES])
        for name in (charset.lower(), declared[1].decode("ascii").lower() if declared else ""):
            with suppress(LookupError, ValueError):  # an unknown codec, or not a text codec
                return data.decode(_AS_BROWSERS_READ.get(name, name), "replace")
    return characters(data, is_whole=False)


def _text(source: str, url: str) -> str:
    """Return the readable text of a page: its main text as Markdown, or all words if it is not an article."""
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        tree = html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, ValueError):
        return ""
    _remove_unseen(tree)
    whole = text_of_html(html.tostring(tree, encoding="unicode"))
    if len(source) > _MOST_SEARCHED:
        return whole
    import trafilatura

    found = trafilatura.extract(
        tree,
        url=url,
        output_format="markdown",
        include_comments=False,
        include_links=True,
        include_tables=True,
        with_metadata=False,
    )
    return found if found and len(found) >= min(len(whole) * _LEAST_SHARE, _LEAST_FOUND) else whole


def _remove_unseen(tree: HtmlElement) -> None:
    for element in tree.xpath(_SUSPECTS):
        style = _NO_STYLE.sub("", element.get("style") or "")
        is_unseen = element.get("hidden") is not None or element.get("aria-hidden") == "true"
        if element.getparent() is not None and (
            element.tag in _UNSEEN_TAGS or is_unseen or _UNSEEN.search(style) is not None
        ):
            element.drop_tree()
