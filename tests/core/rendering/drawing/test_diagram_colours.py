"""Every label of a diagram can be read on what is behind it."""

from __future__ import annotations

import colorsys

import pytest
from PIL import ImageColor

from chatdesk.core.rendering.drawing.diagram_colours import DARK_FILLS, luminance_of, with_readable_labels


def contrast(one: str, other: str) -> float:
    first, second = luminance_of(one), luminance_of(other)
    assert first is not None and second is not None
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


def lighter(colour: str) -> str:
    red, green, blue = (part / 255 for part in ImageColor.getrgb(colour)[:3])
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, lightness + 0.1, saturation))


@pytest.mark.parametrize("fill", DARK_FILLS)
def test_fills_of_the_dark_theme_hold_white_letters(fill: str) -> None:
    assert contrast(fill, "#ffffff") >= 4.5
    assert contrast(lighter(fill), "#ffffff") >= 4.4  # columns of a board
    assert contrast(fill, "#1c1d20") >= 2


@pytest.mark.parametrize(
    "line", ["style A fill:{0},stroke:#333", " classDef warm fill:{0}", "style A,B stroke:red, fill: {0}"]
)
def test_own_fills_get_letters_that_can_be_read(line: str) -> None:
    for fill in ["#f9f", "#113", "#808080", "#767676", *ImageColor.colormap]:
        coloured = with_readable_labels(f"flowchart TD\n A --> B\n{line.format(fill)}\n B --> C")
        first, _, colour = coloured.split("\n")[2].rpartition(",color:")
        assert first == line.format(fill)
        assert contrast(fill, colour) >= 4.5
        assert coloured.split("\n")[3] == " B --> C"


@pytest.mark.parametrize(
    "source",
    [
        "flowchart TD\nstyle A fill:#f9f,color:#00f",
        "flowchart TD\nstyle A stroke:#f9f",
        "flowchart TD\nstyle A fill:#f9fff",
        "flowchart TD\nstyle A fill:nocolour",
        "flowchart TD\nA[style B fill:#f9f]",
        "gantt\n title style",
    ],
)
def test_other_lines_stay_as_they_are(source: str) -> None:
    assert with_readable_labels(source) == source
