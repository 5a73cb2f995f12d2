"""What builds packages and tries them on other systems is held to the program and to the rules of its form."""

from __future__ import annotations

import importlib
import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from chatdesk import __version__
from chatdesk.core.languages import LANGUAGES

ROOT = Path(__file__).parents[1]
PACKAGING = ROOT / "packaging"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FLATPAK = PACKAGING / "flatpak" / "io.github.chatdesk.ChatDesk.yml"
SNAP = PACKAGING / "snap" / "snapcraft.yaml"
WINDOWS = PACKAGING / "windows" / "chatdesk.iss"
# What `package.py` makes, and is no part of a checkout.
MADE = ("build/package/dist", "build/package/deb", "build/package/chatdesk.ico", "build/package")


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def _desktop_entry() -> dict[str, str]:
    lines = (PACKAGING / "desktop" / "chatdesk.desktop").read_text("utf-8").splitlines()[1:]
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _is_there(path: Path) -> bool:
    place = path.resolve().relative_to(ROOT).as_posix()
    return path.exists() or any(place == made or place.startswith(f"{made}/") for made in MADE)


def test_actionlint_finds_nothing_in_the_workflows() -> None:
    program = shutil.which("actionlint", path=str(Path(sys.executable).parent))
    assert program is not None, "make test installs it"
    ended = subprocess.run(
        [program, "-shellcheck=", "-pyflakes=", *map(str, WORKFLOWS)], cwd=ROOT, capture_output=True, text=True
    )
    assert len(WORKFLOWS) == 2
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stdout + ended.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_may_read_alone_and_name_what_they_use_by_its_hash(path: Path) -> None:
    workflow, text = _read(path), path.read_text("utf-8")
    assert workflow["permissions"] == {"contents": "read"}
    used = re.findall(r"uses: (.+)", text)
    assert used
    for each in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each
    assert text.count("persist-credentials: false") == len(re.findall(r"actions/checkout@", text))
    assert "secrets." not in text


def test_every_test_runs_on_three_systems_and_all_pythons_that_are_supported() -> None:
    classifiers = re.findall(
        r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text("utf-8")
    )
    jobs = _read(WORKFLOWS[0])["jobs"] | _read(WORKFLOWS[1])["jobs"]
    for name in ("test", "pipx"):
        matrix = jobs[name]["strategy"]["matrix"]
        assert matrix["python"] == classifiers
        assert [system.split("-")[0] for system in matrix["system"]] == ["ubuntu", "macos", "windows"]
    assert {"debian", "flatpak", "snap", "windows", "macos"} <= set(jobs)


def test_the_flatpak_reaches_files_through_portals_alone() -> None:
    manifest = _read(FLATPAK)
    assert FLATPAK.stem == manifest["id"]
    assert manifest["id"] == ElementTree.parse(PACKAGING / "desktop" / "chatdesk.metainfo.xml").findtext("id")
    allowed = {"--share=network", "--share=ipc", "--socket=wayland", "--socket=fallback-x11", "--device=dri"}
    names = {"org.freedesktop.secrets", "org.kde.StatusNotifierWatcher", "org.freedesktop.Notifications"}
    assert set(manifest["finish-args"]) == allowed | {f"--talk-name={name}" for name in names}
    (module,) = manifest["modules"]
    for source in module["sources"]:
        assert _is_there(FLATPAK.parent / source["path"]), source
        name = source.get("dest", Path(source["path"]).name)
        assert any(name in command for command in module["build-commands"]), name
    assert manifest["rename-desktop-file"] == "chatdesk.desktop"
    assert manifest["rename-icon"] == _desktop_entry()["Icon"]


def test_the_snap_has_no_way_to_files_and_takes_its_version_from_the_program() -> None:
    snap = _read(SNAP)
    assert snap["confinement"] == "strict"
    assert set(snap["apps"]["chatdesk"]["plugs"]) == {"network", "network-bind", "password-manager-service"}
    assert "version" not in snap
    assert snap["adopt-info"] in snap["parts"]
    assert "craftctl set version=" in snap["parts"][snap["adopt-info"]]["override-build"]
    for part in snap["parts"].values():
        assert _is_there(PACKAGING / part["source"]), part
    said = subprocess.run([sys.executable, "-m", "chatdesk", "--version"], cwd=ROOT, capture_output=True, text=True)
    assert re.sub(r" .*", "", said.stdout.strip().removeprefix("chatdesk ")) == __version__


def test_the_set_up_of_windows_needs_no_administrator_and_leaves_what_is_the_persons() -> None:
    text = WINDOWS.read_text("utf-8")
    assert "PrivilegesRequired=lowest" in text
    assert __version__ not in text
    assert "[UninstallDelete]\n" not in text
    named = re.findall(r'(?:Source: "|SetupIconFile=|LicenseFile=|OutputDir=)([^"\n]+)', text)
    assert len(named) >= 5
    for each in named:
        place = re.sub(r"/\*.*$", "", each.replace("\\", "/"))
        assert _is_there(WINDOWS.parent / place), each
    types = _desktop_entry()["MimeType"].strip(";").split(";")
    globs = re.findall(
        r'glob pattern="\*(\.[a-z-]+)"', (PACKAGING / "desktop" / "chatdesk.mime.xml").read_text("utf-8")
    )
    assert len(types) == len(globs) + 1
    for ending in globs:
        assert rf"Software\Classes\{ending}" in text
    assert text.count('open -- ""%1"""') == len(types)


def test_handlers_of_links_and_files_are_declared_alike() -> None:
    types = set(_desktop_entry()["MimeType"].strip(";").split(";"))
    metainfo = ElementTree.parse(PACKAGING / "desktop" / "chatdesk.metainfo.xml")
    assert {each.text for each in metainfo.findall("provides/mediatype")} == types
    assert metainfo.findtext("launchable") == "chatdesk.desktop"
    assert metainfo.find("releases/release").attrib == {"version": "@VERSION@", "date": "@DATE@"}  # type: ignore[union-attr]


@pytest.mark.parametrize("home", ["", "https://chat.example/desk/"])
def test_the_metadata_name_a_home_page_and_pictures_where_there_are_some(
    home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    monkeypatch.syspath_prepend(str(PACKAGING))
    monkeypatch.setenv("CHATDESK_HOMEPAGE", home)
    text = importlib.import_module("package_documents").metainfo()
    assert "@" not in text and ".example/" not in text.replace(home or "-", "")
    metainfo = ElementTree.fromstring(text)
    pictures = [str(each.text) for each in metainfo.iter("image")]
    assert metainfo.findtext("url") == (home or None)
    assert bool(pictures) is bool(home)
    for address in pictures:
        assert (PACKAGING.parent / "docs" / address.removeprefix(home)).exists()


@pytest.mark.parametrize("code", [each for each in LANGUAGES if each != "en"])
def test_the_launcher_and_the_software_center_speak_every_language(code: str) -> None:
    desktop = (PACKAGING / "desktop" / "chatdesk.desktop").read_text("utf-8")
    for group in desktop.split("[Desktop ")[1:]:
        keys = {line.partition("=")[0] for line in group.splitlines() if "=" in line}
        own = {"Name"} if group.startswith("Action") else {"GenericName", "Comment", "Keywords"}
        assert {f"{key}[{code}]" for key in own} <= keys
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    for name, tag, count in (("chatdesk.metainfo.xml", "summary", 1), ("chatdesk.mime.xml", "comment", 2)):
        found = [each for each in ElementTree.parse(PACKAGING / "desktop" / name).iter() if each.tag.endswith(tag)]
        assert len([each for each in found if each.get(language) == code and each.text]) == count


def test_the_bundle_of_macos_may_do_one_thing_more_than_others() -> None:
    with (PACKAGING / "macos" / "entitlements.plist").open("rb") as file:
        assert plistlib.load(file) == {"com.apple.security.cs.allow-unsigned-executable-memory": True}
    script = PACKAGING / "macos" / "build_dmg.sh"
    assert script.stat().st_mode & 0o100
    assert subprocess.run(["sh", "-n", str(script)]).returncode == 0
    for command in ("codesign", "hdiutil create", "xcrun notarytool submit", "xcrun stapler staple"):
        assert command in script.read_text("utf-8")


def test_the_version_stands_in_one_place() -> None:
    assert f'__version__ = "{__version__}"' in (ROOT / "chatdesk" / "__init__.py").read_text("utf-8")
    for path in (*PACKAGING.rglob("*"), *WORKFLOWS, ROOT / "pyproject.toml", ROOT / "Makefile", ROOT / "mkdocs.yml"):
        if path.is_file() and path.suffix in (
            ".py",
            ".spec",
            ".sh",
            ".yml",
            ".yaml",
            ".iss",
            ".toml",
            ".xml",
            ".desktop",
        ):
            named = re.findall(rf"(?<![\d.]){re.escape(__version__)}(?![\d.])", path.read_text("utf-8"))
            assert not named, path
    assert (ROOT / "CHANGELOG.md").read_text("utf-8").split("\n## ")[1].startswith(__version__)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt_BR", "ja", "zh_CN", "ar"])
def test_packages_have_qts_own_words_in_every_language(language: str) -> None:
    spec = (PACKAGING / "desktop" / "chatdesk.spec").read_text("utf-8")
    kept = re.search(r'TRANSLATIONS = re\.compile\(r"(.+)"\)', spec)
    assert kept is not None
    assert re.search(kept[1], f"PySide6/Qt/translations/qtbase_{language}.qm")
    assert not re.search(kept[1], "PySide6/Qt/translations/qtbase_ru.qm")
    assert not re.search(kept[1], f"PySide6/Qt/translations/designer_{language}.qm")
