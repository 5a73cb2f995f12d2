"""The pictures of README.md and docs/: ``make pictures`` writes them into docs/pictures. They are the real window with
samples in it, light and dark; the same code and fonts give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QWidget

from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.features.first_screen.first_screen import FirstScreen
from chatdesk.ui.features.tools.consent_card import ConsentCard
from chatdesk.ui.features.transfer.import_dialog import ImportDialog
from chatdesk.ui.theme.theme import Preference, Theme
from tests.gallery import computers_samples, knowledge_samples
from tests.gallery.first_samples import FOUND
from tests.gallery.pairs import SCENES, drawn, window_of, with_dialog
from tests.gallery.palette_samples import build_palette, sample_groups
from tests.gallery.tools_samples import approval

_LOOKS: Final[tuple[Preference, ...]] = ("light", "dark")
# So few are enough for the window's colours, and halve the files.
_COLOURS: Final = 128
# A hit of another year shows its whole date, today and tomorrow.
_LAST_YEAR_MS: Final = round(datetime(2025, 11, 21, 12, tzinfo=UTC).timestamp() * 1000)


def write_pictures(theme: Theme, out: Path) -> int:
    """Draw every picture of the documents; returns how many there are."""
    out.mkdir(parents=True, exist_ok=True)
    for look in _LOOKS:
        theme.set_preference(look)
        theme.set_scale(1.0)
        for name, scene in PICTURES.items():
            (out / f"{name}-{look}.png").write_bytes(packed(scene(theme)))
    return len(PICTURES) * len(_LOOKS)


def packed(picture: QPixmap) -> bytes:
    """The picture as a small PNG."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    image = Image.open(io.BytesIO(buffer.data().data())).convert("RGB")
    few = image.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    target = io.BytesIO()
    few.save(target, "PNG", optimize=True)
    return target.getvalue()


def _welcome(theme: Theme) -> QPixmap:
    window = window_of(theme, "New thread", has_thread=False, threads=())
    window.pane.header.set_current("offline", "offline-demo")
    first_screen = FirstScreen(theme)
    first_screen.provider.found.show_servers(FOUND)
    window.pane.empty_state.show_first_screen(first_screen)
    return drawn(window)


def _import(theme: Theme) -> QPixmap:
    dialog = ImportDialog(theme, [("p", "Personal")], program="ChatGPT")
    return with_dialog(SCENES["empty"](theme), dialog)


def _tool(theme: Theme) -> QPixmap:
    window = window_of(theme, "Postgres RLS policies for shared projects")
    arguments = '{"path": "notes/policies.md", "content": "# Row-level security\\n\\nOne login role a member."}'
    card = ConsentCard(theme)
    card.show_request(approval(arguments=arguments), waiting=1)
    window.pane.add_bar(card, is_below=True)
    return drawn(window)


def _search(theme: Theme) -> QPixmap:
    commands = CommandRegistry(QWidget(), CATALOGUE)
    palette = build_palette(theme, commands, "checkpoint", sample_groups(now_ms=_LAST_YEAR_MS))
    return with_dialog(SCENES["chat"](theme), palette, top_px=90)


def _files(theme: Theme) -> QPixmap:
    return with_dialog(SCENES["chat"](theme), dict(knowledge_samples.build_samples(theme))["project-files-tried"])


def _passage(theme: Theme) -> QPixmap:
    return with_dialog(SCENES["chat"](theme), dict(knowledge_samples.build_samples(theme))["passage-page"])


def _computers(theme: Theme) -> QPixmap:
    return with_dialog(SCENES["chat"](theme), dict(computers_samples.build_samples(theme))["settings-computers"])


def _computers_join(theme: Theme) -> QPixmap:
    return with_dialog(SCENES["chat"](theme), dict(computers_samples.build_samples(theme))["computers-join-found"])


PICTURES: Final[Mapping[str, Callable[[Theme], QPixmap]]] = {
    "window": SCENES["chat"],
    "welcome": _welcome,
    "answer": SCENES["streaming"],
    "context": SCENES["inspector"],
    "compare": SCENES["compare"],
    "search": _search,
    "settings": SCENES["settings"],
    "import": _import,
    "tool": _tool,
    "files": _files,
    "passage": _passage,
    "computers": _computers,
    "computers-join": _computers_join,
}
