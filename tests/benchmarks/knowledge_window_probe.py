"""A window while the files of a project are read: ``python -m tests.benchmarks.knowledge_window_probe DATA FOLDER
MEGABYTES``.

Makes 300 mixed files in FOLDER, and beside them plain texts of so many megabytes, adds both to a project, and prints as
JSON the slices of the window's thread (CPU and turns, ms) until all is read, how long that took, and the files and
passages there are then. The dialog of the files is open meanwhile.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from tests.helpers.mixed_folder import make_mixed_folder
from tests.helpers.zipf_texts import ZipfTexts

_CHARACTERS: Final = 50_000  # of one text


def _make_texts(folder: Path, megabytes: float) -> None:
    folder.mkdir(parents=True)
    texts = ZipfTexts(characters=_CHARACTERS)
    for number in range(max(1, round(megabytes * 1e6 / _CHARACTERS))):
        (folder / f"{number:04}.txt").write_text(texts.text(), "utf-8")


def _window(data_dir: str, folder: Path) -> int:
    import chatdesk.ui  # noqa: F401 - it imports PySide, as in the program, before the probe does
    from chatdesk.app import run_window
    from chatdesk.core.domain.knowledge import SourceKind
    from chatdesk.core.paths import AppPaths
    from chatdesk.core.settings.schema import Settings
    from chatdesk.ui.features.knowledge.files_dialog import ProjectFilesDialog
    from tests.benchmarks.loop_probe import LoopProbe
    from tests.helpers.waiting import until

    async def measure(application: Any) -> int:
        services = await application.services()
        application.panes.commands.trigger("project.files")
        await until(lambda: any(each.isVisible() for each in application.panes.window.findChildren(ProjectFilesDialog)))
        project = await services.chat.projects.default()
        began_s = time.monotonic()
        with LoopProbe() as probe:
            for part in ("mixed", "texts"):
                await services.knowledge.add(project.id, SourceKind.FOLDER, str(folder / part))
            await services.knowledge.wait_until_read()
        seconds = time.monotonic() - began_s
        statuses = await services.knowledge.statuses(project.id)
        found = {
            "cpu_ms": probe.cpu_ms,
            "turns_ms": probe.turns_ms,
            "seconds": seconds,
            "files": sum(each.read for each in statuses),
            "passages": sum(each.passages for each in statuses),
        }
        print(json.dumps(found))
        return 0

    return run_window(AppPaths.find(data_dir), Settings(provider="offline", model_titles=False), script=measure)


if __name__ == "__main__":
    place = Path(sys.argv[2])
    make_mixed_folder(place / "mixed")
    _make_texts(place / "texts", float(sys.argv[3]))
    sys.exit(_window(sys.argv[1], place))
