"""Adds to the site what lies outside docs/, and makes links and pictures right there. mkdocs calls these functions.

Pages are written so that they are also right where the repository itself is read: links name files, and a picture for
light and dark is a ``<picture>``.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
# Pages from outside docs/, by their places in the repository, and what they are called in the site.
PAGES = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "THIRD_PARTY.md": "third-party.md",
    "packaging/desktop/README.md": "packages.md",
    "packaging/service/README.md": "service-without-window.md",
    "packaging/team/README.md": "team-server.md",
}
# Other files of the site, and where they come from.
FILES = {
    "files/chatdesk.svg": "resources/app/chatdesk.svg",
    "files/iframe-worker.js": "packaging/site/files/iframe-worker.js",
    "files/style.css": "packaging/site/files/style.css",
}
# Code is left as it is, whatever stands in it.
_CODE_OR_LINK = re.compile(
    r"^```.*?^```$|^ {4,}\S[^\n]*$"
    r"|(?<!!)\[(?P<words>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<address>[^()\s#]+)(?P<anchor>#[^()\s]*)?\)"
    r"|`[^`\n]+`",
    re.MULTILINE | re.DOTALL,
)
_PICTURE = re.compile(
    r'<picture>\s*<source[^>]*srcset="(?P<dark>[^"]+)"[^>]*>\s*<img alt="(?P<alt>[^"]*)" src="(?P<light>[^"]+)"[^>]*>'
    r"\s*</picture>"
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and files from outside docs/."""
    for source, uri in PAGES.items():
        files.append(File.generated(config, uri, content=(ROOT / source).read_text(encoding="utf-8")))
    for uri, source in FILES.items():
        files.append(File.generated(config, uri, content=(ROOT / source).read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, **_others: Any) -> str:
    """Point links at pages of the site, leave out those to what it does not have, and show pictures by its colours. A
    page without headings gets the room of its table of contents."""
    uri = page.file.src_uri
    if not re.search(r"^## ", markdown, re.MULTILINE):
        page.meta["hide"] = ["toc"]
    source = next((place for place, name in PAGES.items() if name == uri), f"docs/{uri}")
    return _CODE_OR_LINK.sub(lambda found: _link(found, source, uri), _PICTURE.sub(_two_images, markdown))


def on_post_build(config: MkDocsConfig) -> None:
    """Remove what pages that are read as files never use."""
    site = Path(config.site_dir)
    for pattern in ("sitemap.xml*", "404.html", "assets/javascripts/lunr/**/*.js", "assets/**/*.map"):
        for path in site.glob(pattern):
            path.unlink()


def _link(found: re.Match[str], source: str, uri: str) -> str:
    words, address, anchor = found["words"], found["address"], found["anchor"] or ""
    if address is None or re.match(r"[a-z]+:", address):
        return found[0]
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source), address))
    if target in PAGES:
        target = f"docs/{PAGES[target]}"
    if not target.startswith("docs/") or not target.endswith((".md", ".png", ".svg")):
        return words
    return f"[{words}]({posixpath.relpath(target.removeprefix('docs/'), posixpath.dirname(uri) or '.')}{anchor})"


def _two_images(found: re.Match[str]) -> str:
    return f"![{found['alt']}]({found['light']}#only-light)\n![{found['alt']}]({found['dark']}#only-dark)"
