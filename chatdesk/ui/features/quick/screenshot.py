"""Takes a picture of the screen as a person chooses: by the desktop's portal, whose dialog asks them, and on X11
without a portal by a rectangle that they draw. Nothing is taken without one of the two."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QCursor, QGuiApplication, QImage, QPixmap

from chatdesk.core.errors import NotPossible
from chatdesk.core.texts import Text
from chatdesk.ui.features.desktop.portal import PERSON_S, NoPortal, PortalDenied, open_portal
from chatdesk.ui.features.quick.region_chooser import RegionChooser
from chatdesk.ui.theme.session_bus import has_session_bus
from chatdesk.ui.transcript.drawing.picture_loader import MAX_FILE_BYTES, NotAPicture, decode

_INTERFACE: Final = "org.freedesktop.portal.Screenshot"


class NoScreenshot(NotPossible):
    code = "no_screenshot"
    what = Text("This desktop lets programs take no picture of the screen.")
    safe = Text("Nothing was taken.")
    next_step = Text("Take one with the desktop's own program, and paste it into a message in the large window.")


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A picture to show, and the bytes of the file that is sent."""

    image: QImage
    data: bytes


async def take_screenshot() -> Screenshot | None:
    """Return the picture that the person took; None where they left it. Raises ``NoScreenshot``."""
    if has_session_bus():
        try:
            return await _from_portal()
        except PortalDenied:
            return None
        except NoPortal as error:
            if QGuiApplication.platformName() != "xcb":
                raise NoScreenshot from error
    elif QGuiApplication.platformName() != "xcb":
        raise NoScreenshot
    return await _from_screen()


async def _from_portal() -> Screenshot:
    portal = await open_portal()
    try:
        found = await portal.request(
            _INTERFACE, "Screenshot", "sa{sv}", "", options={"interactive": ("b", True)}, wait_s=PERSON_S
        )
    finally:
        await portal.close()
    return await asyncio.to_thread(_read, str(found.get("uri", "")))


def _read(address: str) -> Screenshot:
    """Read the file that the portal made. Raises ``NoScreenshot``."""
    try:
        parts = urlsplit(address)
        path = Path(unquote(parts.path))
        if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not path.is_file():
            raise NoScreenshot(Text("The desktop gave no file with the picture."))
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise NoScreenshot(Text("The picture of the screen is too large."))
        image = decode(data).image
        assert image is not None
        return Screenshot(image, data)
    except (OSError, ValueError, NotAPicture) as error:
        raise NoScreenshot(Text("The desktop's picture of the screen cannot be read.")) from error


async def _from_screen() -> Screenshot | None:
    screen = QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
    picture = screen.grabWindow(0)
    if picture.isNull():
        raise NoScreenshot
    done: asyncio.Future[QPixmap | None] = asyncio.get_running_loop().create_future()
    chooser = RegionChooser(screen, picture)
    chooser.finished.connect(done.set_result)
    chooser.start()
    try:
        chosen = await done
    finally:
        chooser.hide()
        chooser.deleteLater()
    if chosen is None:
        return None
    image = chosen.toImage()
    return Screenshot(image, await asyncio.to_thread(_png, image))


def _png(image: QImage) -> bytes:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs want bytes, PySide takes none
    return bytes(data.data())
