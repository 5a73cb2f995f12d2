"""Measures pictures and makes them small enough for a model. Never in the window's process: decoders are written in C,
and the files come from anywhere."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps

from chatdesk.core.texts import Text

FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
# More pixels than these are a bomb or a map; neither is shown or sent.
MOST_PIXELS: Final = 64_000_000
_MOST_BYTES = 4 * 1024 * 1024
_QUALITY = 88


class NotAnImage(ValueError):
    """The file is not a usable image; the text tells a person why."""


def measure(path: Path) -> tuple[int, int]:
    """Return width and height in pixels as shown, from the header alone. Raises ``NotAnImage``."""
    with _opened(path) as image:
        width, height = image.size
        is_turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8) if image.format == "JPEG" else False
    return (height, width) if is_turned else (width, height)


def scaled(path: Path, *, longest_px: int) -> tuple[str, bytes]:
    """Return (MIME type, bytes) of the picture with no side longer than ``longest_px``. The file is written again, so
    that the places a camera recorded stay here. Raises ``NotAnImage``."""
    with _opened(path) as image:
        is_photograph = image.format == "JPEG"
        if is_photograph:
            image.draft("RGB", (longest_px, longest_px))
        try:
            picture = ImageOps.exif_transpose(image)
            picture.load()
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise NotAnImage(Text("It is damaged.")) from error
    picture.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    if is_photograph:
        return "image/jpeg", _written(picture.convert("RGB"), "JPEG")
    has_alpha = "A" in picture.getbands() or "transparency" in picture.info
    exact = _written(picture.convert("RGBA" if has_alpha else "RGB"), "PNG")
    if len(exact) <= _MOST_BYTES:
        return "image/png", exact
    ground = Image.new("RGB", picture.size, "white")
    over = picture.convert("RGBA")
    ground.paste(over, mask=over.getchannel("A"))
    return "image/jpeg", _written(ground, "JPEG")


def _opened(path: Path) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(path, formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise NotAnImage(
            Text("It has more than {most_pixels} million pixels.", most_pixels=str(MOST_PIXELS // 1000000))
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise NotAnImage(Text("It is damaged, or not an image that can be shown.")) from error
    return image


def _written(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "JPEG":
        picture.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    else:
        picture.save(buffer, "PNG")
    return buffer.getvalue()
