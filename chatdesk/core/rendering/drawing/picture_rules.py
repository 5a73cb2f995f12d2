"""Limits drawings made from text: their size, and that they name nothing outside themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # loaded only by the process that does this work
    from xml.etree.ElementTree import Element

ZOOM: Final = 2  # pictures have this many pixels to a px, so that they are sharp on dense screens
MAX_SIDE_PX: Final = 2_400
_FOREIGN_URL: Final = re.compile(r"(?:url\(\s*[\"']?(?!#)[^)])|@import", re.IGNORECASE)
_FOREIGN_ELEMENTS: Final = frozenset(("image", "feImage", "foreignObject"))


def names_another_resource(element: Element) -> bool:
    """Return whether an element of an SVG names something outside the SVG: resvg would open an image's file."""
    tag = element.tag.rpartition("}")[2]
    names = [value for key, value in element.attrib.items() if key.endswith("href")]
    is_foreign = any(not value.startswith("#") for value in names) or _FOREIGN_URL.search(
        " ".join((element.text or "", *element.attrib.values()))
    )
    return tag in _FOREIGN_ELEMENTS or (bool(is_foreign) and tag != "a")
