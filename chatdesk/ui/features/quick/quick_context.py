"""Keeps the context of the next quick question: text of the clipboard or of the selection, or a picture of the screen.

The person selects the picture: in the dialog of the desktop's portal, or on X11 without a portal by drawing a
rectangle. Without one of the two, no picture is taken.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, Signal
from PySide6.QtGui import QClipboard, QCursor, QGuiApplication, QImage, QPixmap

from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.texts import Text, plural, shown
from chatdesk.ui.features.desktop.portal import PERSON_S, NoPortal, PortalDenied, open_portal
from chatdesk.ui.features.quick.region_chooser import RegionChooser
from chatdesk.ui.theme.session_bus import has_session_bus
from chatdesk.ui.transcript.drawing.picture_loader import MAX_FILE_BYTES, NotAPicture, decode

_LONGEST_TEXT: Final = 200_000
_CLIPBOARD, _SELECTION, _SCREENSHOT = Text("Clipboard"), Text("Selection"), Text("Screenshot")
_NOTHING_THERE: Final = Text("There is no text on the clipboard.")
_NOTHING_SELECTED: Final = Text("No text is selected in another window.")
_INTERFACE: Final = "org.freedesktop.portal.Screenshot"


@dataclass(frozen=True, slots=True)
class _Addition:
    """Text or a picture that goes with the next question. ``words`` name it for the person; ``data`` is what the file
    of the question will have."""

    name: str
    data: bytes
    words: str
    picture: QImage | None = None


class QuickContext(QObject):
    """The text or picture that goes with the next quick question. ``changed`` is emitted when something was added or
    left out, ``failed`` with a sentence when there was nothing to add."""

    changed = Signal()
    failed = Signal(str)

    def __init__(self, attachments: AttachmentService) -> None:
        super().__init__()
        self._attachments = attachments
        self._added: _Addition | None = None
        self._attached: _Addition | None = None  # the addition sent with a question

    @property
    def words(self) -> str:
        """The name of the added text or picture, for a person; empty if there is none."""
        return "" if self._added is None else self._added.words

    @property
    def picture(self) -> QImage | None:
        """The picture that goes along."""
        return None if self._added is None else self._added.picture

    def add_text(self, kind: str) -> None:
        """Add the text of the ``clipboard`` or of the ``selection``."""
        is_clipboard = kind == "clipboard"
        mode = QClipboard.Mode.Clipboard if is_clipboard else QClipboard.Mode.Selection
        text = QGuiApplication.clipboard().text(mode)
        kept = text[:_LONGEST_TEXT]
        if kept.strip():
            name = shown(_CLIPBOARD if is_clipboard else _SELECTION)
            words = _words(name, len(kept), is_cut=len(text) > _LONGEST_TEXT)
            self._set(_Addition(f"{name}.txt", kept.encode("utf-8", "replace"), words))
        else:
            self.failed.emit(shown(_NOTHING_THERE if is_clipboard else _NOTHING_SELECTED))

    async def add_screenshot(self) -> None:
        """Let the person take a picture of the screen, and add it; add nothing if they cancel."""
        try:
            taken = await take_screenshot()
        except ChatDeskError as error:
            self.failed.emit(shown(error.sentence))
            return
        if taken is not None:
            self._set(_Addition(f"{shown(_SCREENSHOT)}.png", taken.data, shown(_SCREENSHOT), taken.image))

    def clear(self) -> None:
        """Remove the added text or picture."""
        self._set(None)

    def clear_attached(self) -> None:
        """Remove the attachments that were sent with a question, but keep later ones for the next question."""
        if self._added is self._attached:
            self._set(None)

    async def attached(self) -> tuple[Attachment, ...]:
        """Return the file for the next question, kept like any that is attached. Raises as ``add_bytes``."""
        added = self._attached = self._added
        return () if added is None else (await self._attachments.add_bytes(added.data, added.name),)

    def _set(self, added: _Addition | None) -> None:
        self._added = added
        self.changed.emit()


def _words(name: str, length: int, *, is_cut: bool) -> str:
    if is_cut:
        return shown(
            plural(
                "{name}, only the first {count} characters",
                "{name}, only the first {count} character",
                length,
                name=name,
            )
        )
    return shown(plural("{name}, {count} characters", "{name}, {count} character", length, name=name))


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
