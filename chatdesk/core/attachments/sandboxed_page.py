"""Turns HTML that a model wrote into a page that a browser shows without sending anything anywhere. Pure.

Three things keep the page in. The policy in its headers loads nothing and runs no script but the one here. The sandbox
around it opens no window, no form, no download, and nothing of this computer's other pages. What neither of them stops
in today's browsers is taken out of the text: elements that have the browser look up a name or open a connection before
any policy is asked (``link``, ``meta``), and those that begin a page of their own. An HTML parser makes such an element
only where its name is behind a ``<``, so replacing that is enough, wherever it is.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from typing import Final

from chatdesk.core.attachments.file_kinds import is_page
from chatdesk.core.errors import InvalidInput
from chatdesk.core.rendering.blocks import CodeBlock
from chatdesk.core.texts import Text

MOST_BYTES: Final = 8 * 1024 * 1024
_ENDS: Final = r"(?=[\t\n\f\r />]|\Z)"
_WITHOUT_END: Final = re.compile(rf"<(/?)(?:link|meta|base){_ENDS}", re.IGNORECASE)
_PAGES: Final = re.compile(
    rf"<(/?)(iframe|frame|frameset|object|embed|applet|portal|fencedframe|webview|template){_ENDS}", re.IGNORECASE
)
# Links lead nowhere: following one would open a connection, which the sandbox forbids too late. The first listener lets
# the browser follow none, because an animation can give a link an address that no attribute shows; a place in the page
# is scrolled to instead. The second takes the addresses away. What the listeners call is found before elements of the
# page can have its name.
_GUARD: Final = """
"use strict";
const all = document.querySelectorAll.bind(document), byId = document.getElementById.bind(document);
const isLink = (each) => each instanceof Element
  && (/^(a|area)$/i.test(each.localName) || each.hasAttribute("href") || each.hasAttribute("xlink:href"));
for (const kind of ["click", "auxclick"])
  addEventListener(kind, (event) => {
    const link = event.composedPath().find(isLink);
    if (!link) return;
    event.preventDefault();
    const address = link.getAttribute("href") ?? link.getAttribute("xlink:href") ?? "";
    if (/^#./.test(address)) byId(decodeURIComponent(address.slice(1)))?.scrollIntoView();
  }, true);
addEventListener("DOMContentLoaded", () => {
  for (const link of all("a, area"))
    for (const name of ["href", "xlink:href"]) {
      const address = link.getAttribute(name);
      if (address === null || address.startsWith("#")) continue;
      link.setAttribute(name, "#");
      link.setAttribute("title", address);
      link.removeAttribute("ping");
    }
});
"""
_WORDS: Final = Text("Shown by ChatDesk, once. Scripts and links are off; nothing is loaded or sent.")
_FRAME_STYLE: Final = """
:root { color-scheme: light dark; }
body { margin: 0; display: flex; flex-direction: column; height: 100vh; font: 13px/20px system-ui, sans-serif; }
p { margin: 0; padding: 8px 16px; color: #6b6a66; background: #f6f6f4; border-bottom: 1px solid #e6e5e1; }
iframe { flex: 1; border: 0; background: #fff; }
@media (prefers-color-scheme: dark) { p { color: #a09f9a; background: #151617; border-color: #2c2e31; } }
"""
_REFUSED: Final = (
    "accelerometer",
    "autoplay",
    "camera",
    "clipboard-read",
    "clipboard-write",
    "display-capture",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
)


def _hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_NOTHING: Final = (
    "connect-src 'none'; form-action 'none'; base-uri 'none'; child-src 'none'; worker-src 'none'; object-src 'none'; "
    "manifest-src 'none'"
)


def checked(text: str) -> str:
    """Return HTML that can be shown. Raises ``InvalidInput``."""
    if not text.strip():
        raise InvalidInput(Text("This page is empty."), safe=Text("Nothing was opened."), next_step="")
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise InvalidInput(
            Text("This page is larger than {most_bytes} MB.", most_bytes=str(MOST_BYTES // 2**20)),
            safe=Text("Nothing was opened."),
            next_step=Text("Save it as a file instead."),
        )
    return text


def page_in(message: str) -> str:
    """Return the last block of HTML in a Markdown text; empty without one."""
    from chatdesk.core.rendering.markdown import parse_markdown  # the window shows a page now and then

    blocks = reversed(parse_markdown(message))
    pages = (each.source for each in blocks if isinstance(each, CodeBlock) and is_page(each.language))
    return next(pages, "")


def sandboxed(text: str) -> bytes:
    """Return the page for the frame: the guard, then the text without what policy and sandbox do not stop."""
    without = _PAGES.sub(r"<\1x-\2", _WITHOUT_END.sub(r"<\1bgsound", text))
    return f"<!doctype html><script>{_GUARD}</script>{without}".encode("utf-8", "replace")


def frame(page_path: str, title: str) -> bytes:
    """Return the page around the frame, which labels it."""
    named = html.escape(title)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{named}</title><link rel="icon" href="data:,">'
        f"<style>{_FRAME_STYLE}</style><body><p>{_WORDS}</p>"
        f'<iframe sandbox="allow-scripts" title="{named}" src="{page_path}"></iframe>'
    ).encode()


def frame_headers(origin: str, page_path: str) -> Mapping[str, str]:
    """Return the headers of the page around the frame; its frame may show one address and no other."""
    policy = (
        f"default-src 'none'; style-src {_hash_of(_FRAME_STYLE)}; img-src data:; frame-src {origin}{page_path}; "
        f"{_NOTHING}; frame-ancestors 'none'"
    )
    return {**_headers(policy), "Cross-Origin-Opener-Policy": "same-origin"}


def page_headers(origin: str) -> Mapping[str, str]:
    """Return the headers of the page in the frame, which hold it also where it is opened without one."""
    policy = (
        f"sandbox allow-scripts; default-src 'none'; script-src {_hash_of(_GUARD)}; style-src 'unsafe-inline'; "
        f"img-src data:; font-src data:; media-src data:; frame-src 'none'; {_NOTHING}; frame-ancestors {origin}"
    )
    return _headers(policy)


def _headers(policy: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": policy,
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{name}=()" for name in _REFUSED),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-DNS-Prefetch-Control": "off",
    }
