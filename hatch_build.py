"""Wheel build hook: puts the token encodings beside the other resources, so that counting needs no network, and the
pages for people, which *Help* opens."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BundledFilesHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root) / "packaging"))
        import build_site
        import encodings_files
        import translations

        if not encodings_files.are_here():
            uv = shutil.which("uv") or str(Path(self.root) / ".tools" / "bin" / "uv")
            encodings_files.fetch(uv)
        for name in encodings_files.SHA256:
            source = str(encodings_files.TARGET / name)
            build_data["force_include"][source] = f"chatdesk/_bundled/resources/encodings/{name}"
        for resource in sorted((Path(self.root) / "resources").iterdir()):
            if resource != translations.SOURCES:
                build_data["force_include"][str(resource)] = f"chatdesk/_bundled/resources/{resource.name}"
        translations.compile_changed(sys.executable)
        for catalogue in sorted(translations.TARGET.glob("*.qm")):
            build_data["force_include"][str(catalogue)] = f"chatdesk/_bundled/translations/{catalogue.name}"
        build_data["force_include"][str(build_site.build())] = "chatdesk/_bundled/site"
