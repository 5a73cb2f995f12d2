"""The site of the pages for people: it is built as a reader gets it, and asks for nothing from the network."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.helpers.chromium import chromium_page, find_chromium

ROOT = Path(__file__).parents[1]
ATTRIBUTE = re.compile(r'(?:src|href)="([^"#?]+)')
_PATIENCE_S = 20


def _documents() -> list[Path]:
    return [
        *sorted((ROOT / "docs").rglob("*.md")),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly: mkdocs ends with an error at a link to nowhere, also to a heading."""
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, str(ROOT / "packaging" / "build_site.py"), str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_every_file_that_a_page_names_is_in_the_site(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        for address in ATTRIBUTE.findall(page.read_text("utf-8")):
            if not re.match(r"[a-z]+:", address):
                assert (page.parent / address).exists(), (page.name, address)


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r'src="(?:https?:)?//', text), page
        assert not re.search(r'<link[^>]+href="(?:https?:)?//', text), page
        assert "Content-Security-Policy" in text


def test_the_pages_have_no_list_that_was_taken_for_a_paragraph(site: Path) -> None:
    """Python-Markdown wants an empty line before a list; where the repository is shown, none is needed."""
    for page in site.rglob("*.html"):
        assert not re.search(r"<p>[^<]*\n(?:- |\d+\. )", page.read_text("utf-8")), page


@pytest.mark.skipif(find_chromium() is None, reason="it needs Chromium")
def test_a_browser_opens_and_searches_the_pages_as_files_without_requests(site: Path) -> None:
    with chromium_page() as page:
        page.open((site / "index.html").as_uri())
        field = "document.querySelector('.md-search__input')"
        page.run("document.querySelector('[data-md-toggle=search]').click()")  # as when the field gets the focus
        page.run(f"{field}.focus(), {field}.value = 'temporary', {field}.dispatchEvent(new Event('keyup')), 1")
        found = "[...document.querySelectorAll('.md-search-result__link')].map(each => each.href).join(' ')"
        end_s = time.monotonic() + _PATIENCE_S
        while "guide.html" not in str(page.run(found)):
            assert time.monotonic() < end_s, page.complaints
        assert not [each for each in page.requests if not each.startswith(("file:", "data:", "blob:"))]
        assert not page.complaints


def test_every_picture_is_there_in_both_looks_and_says_what_it_shows() -> None:
    named = set()
    for document in _documents():
        text = document.read_text("utf-8")
        for dark, alt, light in re.findall(
            r'<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">\s*'
            r'<img alt="([^"]+)" src="([^"]+)">\s*</picture>',
            text,
        ):
            assert dark == light.replace("-light.", "-dark.") != light
            assert len(alt) > 20
            named |= {(document.parent / each).resolve() for each in (dark, light)}
        assert text.count("<picture>") == len(re.findall(r"srcset=", text))
    assert named
    most_bytes = {".webp": 600_000}  # what moves
    assert all(path.is_file() and path.stat().st_size < most_bytes.get(path.suffix, 100_000) for path in named)
    assert named == set((ROOT / "docs" / "pictures").iterdir()), "a picture that no page shows"


def _blocks() -> Iterator[tuple[Path, str, str]]:
    for document in _documents():
        for indent, kind, code in re.findall(
            r"^( *)```(\w+)\n(.*?)^ *```", document.read_text("utf-8"), re.MULTILINE | re.DOTALL
        ):
            yield document, kind, re.sub(rf"^{indent}", "", code, flags=re.MULTILINE)


@pytest.mark.skipif(shutil.which("sh") is None, reason="the commands are for a shell")
def test_code_blocks_are_whole() -> None:
    kinds = set()
    for document, kind, code in _blocks():
        kinds.add(kind)
        if kind == "sh":
            read = subprocess.run(["sh", "-n"], input=code, capture_output=True, text=True)
            assert read.returncode == 0, (document.name, read.stderr)
        elif kind == "python":
            compile(code, document.name, "exec")
        elif kind == "json":
            json.loads(code)
        elif kind == "toml":
            tomllib.loads(code)
    assert {"sh", "python", "sql"} <= kinds


def test_links_to_what_the_site_has_not_become_words() -> None:
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "packaging" / "site" / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)

    page = SimpleNamespace(file=SimpleNamespace(src_uri="when/moving.md"), meta={})

    text = "[a](../providers.md#keys) [b](../../packaging/team/README.md) [`c`](../../Makefile) `[d](../x.py)` [e](https://e.test)"
    assert hooks.on_page_markdown(text, page) == (
        "[a](../providers.md#keys) [b](../team-server.md) `c` `[d](../x.py)` [e](https://e.test)"
    )
