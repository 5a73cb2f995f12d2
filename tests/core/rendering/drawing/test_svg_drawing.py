"""SVG becomes a picture, and nothing outside it is read, whatever it says."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from chatdesk.core.rendering.drawing.drawing_process import NOT_TRIED, SVG, DrawingProcess
from chatdesk.core.rendering.drawing.svg_drawing import MAX_SOURCE_CHARS, draw_svg
from chatdesk.core.rendering.worker import DRAWING_FLAG
from tests.helpers.waiting import wait_until

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="40" height="20">'


def _drawn(body: str, head: str = HEAD) -> Image.Image:
    (data,) = draw_svg(f"{head}{body}</svg>")
    return Image.open(io.BytesIO(data)).convert("RGB")


def test_a_picture_is_drawn_sharp_on_white() -> None:
    picture = _drawn('<rect width="20" height="20" fill="#ff0000"/>')
    assert picture.size == (80, 40)
    assert picture.getpixel((10, 10)) == (255, 0, 0)
    assert picture.getpixel((70, 10)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("head", "size"),
    [
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50">', (200, 100)),
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48000 24000">', (4800, 2400)),
        ('<svg xmlns="http://www.w3.org/2000/svg" width="96000px" height="10">', (4800, 1)),
    ],
)
def test_the_size_is_bounded(head: str, size: tuple[int, int]) -> None:
    found = _drawn("<g/>", head).size
    assert found == pytest.approx(size, abs=1)


def test_lengths_in_other_units_are_bounded_too() -> None:
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="2000mm" height="10mm" viewBox="0 0 20 1">'
    assert _drawn("<g/>", head).size == pytest.approx((4800, 24), abs=1)


@pytest.mark.parametrize("width", ["1e4", "900em"])
def test_a_picture_that_became_larger_than_its_bound_is_not_shown(width: str) -> None:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="10" viewBox="0 0 10 10">'
    assert draw_svg(f"{head}<g/></svg>") == ()


def _hostile(secret: Path) -> dict[str, str]:
    uri = secret.as_uri()
    square = '<rect width="1" height="1"/>'
    nested = "".join(
        f'<g id="g{level}">' + (f'<use href="#g{level - 1}"/>' * 10 if level else square) + "</g>" for level in range(9)
    )
    return {
        "file of an image": f'{HEAD}<image href="{uri}" width="9" height="9"/></svg>',
        "old name of href": f'{HEAD}<image xlink:href="{secret}" width="9" height="9"/></svg>',
        "address": f'{HEAD}<image href="http://127.0.0.1:1/x.png" width="9" height="9"/></svg>',
        "data": f'{HEAD}<image href="data:image/svg+xml;base64,PHN2Zy8+" width="9" height="9"/></svg>',
        "use": f'{HEAD}<use href="{uri}#a"/></svg>',
        "style": f'{HEAD}<style>@import "{uri}";</style><rect width="9" height="9"/></svg>',
        "url": f'{HEAD}<rect width="9" height="9" fill="url({uri}#p)"/></svg>',
        "filter": f'{HEAD}<filter id="f"><feImage href="{uri}"/></filter><rect filter="url(#f)"/></svg>',
        "html": f"{HEAD}<foreignObject><p>x</p></foreignObject></svg>",
        "entity": f'<!DOCTYPE svg [<!ENTITY x SYSTEM "{uri}">]>{HEAD}<text>&x;</text></svg>',
        "laughs": "<!DOCTYPE svg ["
        + "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
        + f"]>{HEAD}<text>&l9;</text></svg>",
        "stylesheet": f'<?xml-stylesheet href="{uri}"?><svg></svg',
        "deep": HEAD + "<g>" * 5_000 + "</g>" * 5_000 + "</svg>",
        "no svg": "<html><svg/></html>",
        "no xml": "<svg",
        "no size": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 nan nan"><g/></svg>',
        "long": HEAD + " " * MAX_SOURCE_CHARS + "</svg>",
        "copies of copies": f'{HEAD}<defs>{nested}</defs><use href="#g8"/></svg>',
    }


@pytest.mark.parametrize("name", sorted(_hostile(Path("/x"))))
def test_hostile_pictures_are_not_drawn_and_read_nothing(name: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (9, 9), "#00ff00").save(secret)
    results: list[object] = []
    command = [sys.executable, "-m", "chatdesk.core.rendering.worker", DRAWING_FLAG]
    process = DrawingProcess(command, lambda _key, result: results.append(result))
    try:
        for _ in range(5):  # on a busy machine a picture may not come to its end in time
            results.clear()
            process.submit(1, (SVG, _hostile(secret)[name]))
            wait_until(lambda: results)
            if results != [NOT_TRIED]:
                break
    finally:
        process.stop()
    assert results in ([()], [None])


@pytest.mark.parametrize("name", ["text", "text><tspan"])
def test_a_picture_with_letters_that_no_font_has_stays_source(name: str) -> None:
    closing = "</tspan></text>" if "tspan" in name else "</text>"
    assert draw_svg(f'{HEAD}<{name} y="15">Label{closing}</svg>') != ()
    assert draw_svg(f'{HEAD}<{name} y="15">Label\u0378{closing}</svg>') == ()
    assert draw_svg(f"{HEAD}<title>\u0378</title></svg>") != ()  # not drawn
