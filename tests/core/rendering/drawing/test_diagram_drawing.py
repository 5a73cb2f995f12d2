"""Mermaid to pictures: with the optional packages when they are here, else with are-ins for them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from typing import Any
from xml.etree import ElementTree

import pytest

from chatdesk.core.rendering.drawing import diagram_drawing
from chatdesk.core.rendering.drawing.diagram_drawing import MAX_SOURCE_CHARS, draw_diagram
from chatdesk.core.rendering.drawing.picture_fonts import width_of
from tests.helpers.diagrams import KINDS, diagram
from tests.helpers.examples import sample

SOURCE = "graph TD\n A[Start] --> B[End]"
SVG = "{http://www.w3.org/2000/svg}"
is_here = diagram_drawing.can_draw()
_WORDS = ("CustomerAccountManager", "WWWWWWWWWW", "0123456789", "UPPERCASELABEL", "wwwwmmmm")
needs_packages = pytest.mark.skipif(not is_here, reason="no package draws diagrams on this computer")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    diagram_drawing.load.cache_clear()
    yield
    diagram_drawing.load.cache_clear()


class Painter:
    """Stands for merman: an SVG of a given size."""

    def __init__(self, box: str = "0 0 100 50") -> None:
        self.box = box
        self.options: list[str] = []

    def render_svg(self, source: str, options: str) -> str:
        if "broken" in source:
            raise RuntimeError("parse error")
        self.options.append(options)
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{self.box}"/>'


class Rasteriser:
    """Stands for resvg."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []

    def svg_to_bytes(self, **asked: object) -> list[int]:
        self.asked.append(asked)
        return list(b"png")


def use(monkeypatch: pytest.MonkeyPatch, painter: Painter) -> Rasteriser:
    rasteriser = Rasteriser()
    monkeypatch.setattr(diagram_drawing, "load", lambda: (painter, rasteriser))
    return rasteriser


def test_both_themes_are_drawn_with_our_fonts_only() -> None:
    with pytest.MonkeyPatch.context() as patch:
        painter = Painter()
        rasteriser = use(patch, painter)
        assert draw_diagram(SOURCE) == (b"png", b"png")
    assert ['"default"' in painter.options[0], '"dark"' in painter.options[1]] == [True, True]
    assert all('"strict"' in options for options in painter.options)
    assert all(asked["skip_system_fonts"] and "svg_path" not in asked for asked in rasteriser.asked)


@pytest.mark.parametrize(
    ("source", "box"),
    [
        ("broken", "0 0 100 50"),
        ("x" * (MAX_SOURCE_CHARS + 1), "0 0 100 50"),
        (SOURCE, "0 0 100000 10"),
        (SOURCE, "0 0 10 -1"),
        (SOURCE, "0 0 nan 1"),
        (SOURCE, ""),
    ],
)
def test_an_invalid_diagram_stays_source(source: str, box: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        use(patch, Painter(box))
        assert draw_diagram(source) == ()


def test_an_svg_that_is_too_long_is_not_drawn() -> None:
    with pytest.MonkeyPatch.context() as patch:
        use(patch, Painter())
        patch.setattr(diagram_drawing, "_MAX_SVG_CHARS", 10)
        assert draw_diagram(SOURCE) == ()


@pytest.mark.parametrize(
    "content",
    [
        '<image href="/etc/passwd.png"/>',
        '<use href="http://example.org/a.svg"/>',
        "<style>@import 'http://example.org/a.css';</style>",
        '<rect fill="url(http://example.org/a)"/>',
    ],
)
def test_an_svg_that_names_another_resource_is_not_drawn(content: str) -> None:
    class Hostile(Painter):
        def render_svg(self, source: str, options: str) -> str:
            return super().render_svg(source, options).replace("/>", f">{content}</svg>")

    with pytest.MonkeyPatch.context() as patch:
        use(patch, Hostile())
        assert draw_diagram(SOURCE) == ()


def test_without_the_packages_nothing_is_drawn() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagram_drawing, "can_draw", lambda: False)
        assert draw_diagram(SOURCE) == ()


@needs_packages
def test_a_real_diagram_is_a_png_and_opens_no_file_of_the_source() -> None:
    draw_diagram(SOURCE)
    opened: list[str] = []
    is_watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if is_watching and event in ("open", "socket.connect"):
            opened.append(str(arguments[0]))

    sys.addaudithook(watch)
    assert draw_diagram('graph TD\n A@{ img: "file:///etc/passwd.png", label: "x", w: 60, h: 60 } --> B') == ()
    light, dark = draw_diagram('graph TD\n A[<img src="file:///etc/passwd">] --> B[b]\n click A "javascript:x"')
    is_watching = False
    assert light.startswith(b"\x89PNG")
    assert light != dark
    assert opened == []


class Watched:
    """The real rasteriser, which remembers what it drew."""

    def __init__(self, rasteriser: Any) -> None:
        self.rasteriser = rasteriser
        self.drawn: list[str] = []

    def svg_to_bytes(self, **asked: Any) -> Any:
        self.drawn.append(asked["svg_string"])
        return self.rasteriser.svg_to_bytes(**asked)


def drawn_svgs(source: str) -> list[ElementTree.Element]:
    """Return the SVG of the light and of the dark picture."""
    loaded = diagram_drawing.load()
    assert loaded is not None
    watched = Watched(loaded[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagram_drawing, "load", lambda: (loaded[0], watched))
        assert len(draw_diagram(source)) == 2, source
    return [ElementTree.fromstring(svg) for svg in watched.drawn[-2:]]


@needs_packages
@pytest.mark.parametrize(("kind", "word"), sample(list(product(KINDS, _WORDS)), 2 * len(KINDS)))
def test_no_label_is_cut_off(kind: str, word: str) -> None:
    for root in drawn_svgs(diagram(kind, word)):
        assert word in "".join(root.itertext())
        for label in root.iter(f"{SVG}svg"):
            assert "overflow:hidden" not in label.get("style", "")


@needs_packages
@pytest.mark.parametrize("kind", ["flowchart", "class", "state", "er", "mindmap"])
def test_boxes_are_as_wide_as_their_labels_are_drawn(kind: str) -> None:
    word = "WWWWWWWWWW"
    found = 0
    for root in drawn_svgs(diagram(kind, word)):
        for label in root.iter(f"{SVG}svg"):
            texts = ["".join(each.itertext()) for each in label.iter(f"{SVG}text")]
            if label is not root and texts == [word]:
                assert float(label.get("width", "0")) >= width_of(word, 14, is_bold=False)
                found += 1
    assert found


@needs_packages
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("word", ["\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "\u05e9\u05dc\u05d5\u05dd"])
def test_labels_from_right_to_left_stay_in_their_line(kind: str, word: str) -> None:
    for root in drawn_svgs(diagram(kind, word)):
        for text in root.iter(f"{SVG}text"):
            written = "".join(text.itertext())
            assert word not in written or written.startswith("\u200e\u2067")


@needs_packages
@pytest.mark.parametrize("kind", KINDS)
def test_a_diagram_with_letters_that_no_font_has_stays_source(kind: str) -> None:
    assert draw_diagram(diagram(kind, "Label")) != ()
    assert draw_diagram(diagram(kind, "Label\u0378")) == ()


@needs_packages
def test_labels_of_flows_are_above_the_flows() -> None:
    for root in drawn_svgs(diagram("sankey", "Coal")):
        assert root[-1].get("class") == "node-labels"
