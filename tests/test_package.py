"""What builds need and put into packages: the page of releases and the bytes of a portable program, the translations of
a wheel, and the package of a version before, which is upgraded from."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.updates import Installation, InstallKind, releases_page

ROOT = Path(__file__).parents[1]


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)  # a build sets it for good
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    return importlib.import_module("package")


PORTABLE = Installation(InstallKind.PORTABLE)


def test_the_page_of_a_build_is_the_one_that_its_program_asks(
    package: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATDESK_UPDATE_PAGE", "https://releases.example/chatdesk")
    package.put_page(tmp_path / "updates")
    assert releases_page(PORTABLE, tmp_path) == "https://releases.example/chatdesk/"
    assert releases_page(Installation(InstallKind.APT), tmp_path) == ""
    monkeypatch.delenv("CHATDESK_UPDATE_PAGE")
    package.put_page(tmp_path / "updates")
    assert releases_page(PORTABLE, tmp_path) == ""  # nothing of the build before is left


def test_a_page_without_encryption_is_not_built_in(
    package: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATDESK_UPDATE_PAGE", "http://releases.example/")
    with pytest.raises(package.set_up.SetUpError, match="must begin with https"):
        package.put_page(tmp_path / "updates")
    assert releases_page(PORTABLE, tmp_path) == ""


@pytest.mark.parametrize("which", ["activated", "system", "neither"])
def test_the_installer_is_fetched_by_the_python_that_has_pip(
    package: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    """A shell with .venv activated runs this with a Python that has no pip."""
    set_up, run = package.set_up, []
    pythons = {name: tmp_path / name for name in ("activated", "system")}
    for name, program in pythons.items():
        program.write_text(f"#!/bin/sh\nexit {int(name != which)}\n", "utf-8")
        program.chmod(0o755)
    monkeypatch.setattr(set_up, "TOOLS", tmp_path)
    monkeypatch.setattr(set_up.sys, "executable", str(pythons["activated"]))
    monkeypatch.setattr(set_up, "find_python", lambda: str(pythons["system"]))
    monkeypatch.setattr(set_up, "_run", lambda command, _what: run.append(command[0]))
    if which == "neither":
        with pytest.raises(set_up.SetUpError, match="pip is not here"):
            set_up.find_uv()
    else:
        set_up.find_uv()
        assert run == [str(pythons[which])]


def _python(folder: Path, *, has_library: bool) -> str:
    """A Python that was built with a shared library, which is there or is not."""
    program = folder / "python3.13"
    program.write_text(f"#!/bin/sh\necho libpython3.13.so.1.0\nexit {0 if has_library else 1}\n", "utf-8")
    program.chmod(0o755)
    return str(program)


def test_everything_that_a_package_needs_is_asked_for_at_once(
    package: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(package.system_libraries, "_loads", lambda _library: False)
    monkeypatch.setattr(package.system_libraries, "install", lambda names: bool(asked.append(names)))
    monkeypatch.setattr(package, "find_python", lambda: _python(tmp_path, has_library=False))
    monkeypatch.setattr(package, "build", lambda: pytest.fail("it began without them"))
    assert package.main([]) == 1
    [names] = asked
    tools = {name for step in package.STEPS.values() for name in step.values()}
    assert tools | {"libpython3.13", "libegl1", "libglib2.0-0"} <= set(names)
    assert len(names) == len(set(names))


def test_a_step_asks_for_no_more_than_it_needs(package: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(package.system_libraries, "_loads", lambda _library: True)
    python = _python(tmp_path, has_library=True)
    assert set(package.missing_packages(["deb"], python)) == {"dpkg", "xz-utils"}
    assert "libpython3.13" not in package.missing_packages(["build"], python)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert package.missing_packages(list(package.STEPS), python) == []


@pytest.mark.skipif(shutil.which("makeself") is None, reason="makeself is not here")
def test_a_portable_file_tells_neither_when_nor_where_it_was_made(
    package: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "PLACE", tmp_path)
    program = tmp_path / "dist"
    program.mkdir()
    (program / "chatdesk").write_text("#!/bin/sh\n", encoding="utf-8")
    made = package.build_run(program, tmp_path / "small.run", level=1).read_bytes()
    assert bytes(tmp_path) not in made
    packed = made[made.index(b"\x1f\x8b\x08") :]
    assert packed[3:8] == bytes(5)  # neither a name nor a date


def test_the_translations_of_a_wheel_are_compiled_by_the_python_that_builds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment that pip makes for a build has no ``.venv``, but what pyproject.toml asks for."""
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    translations = importlib.import_module("translations")
    monkeypatch.setattr(translations, "TARGET", tmp_path)
    translations.compile_changed(sys.executable)
    sources = {path.stem for path in translations.SOURCES.glob("*.ts")}
    assert {path.stem for path in tmp_path.iterdir()} == sources
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = settings["build-system"]["requires"]
    of_qt = [each for each in settings["project"]["dependencies"] if each.startswith("PySide6")]
    assert of_qt == [each for each in asked if each.startswith("PySide6")]
    assert {"hatchling", "mkdocs-material", "uv"} <= {each.partition(">")[0] for each in asked}


def _commit(root: Path, changes: dict[str, str]) -> str:
    for name, text in changes.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    _git(root, "add", ".")
    _git(root, "-c", "user.name=Ada", "-c", "user.email=ada@chatdesk.example", "commit", "--quiet", "--message", "x")
    return _git(root, "rev-parse", "HEAD")


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


_VERSION, _MIGRATION = "chatdesk/__init__.py", "migrations/versions/000{}_x.py"
_NEWER_VERSION, _NEWER_SCHEMA = {_VERSION: '__version__ = "2"\n'}, {_MIGRATION.format(2): ""}


@pytest.mark.parametrize("changes", [(_NEWER_VERSION, _NEWER_SCHEMA), (_NEWER_SCHEMA, _NEWER_VERSION)])
def test_the_package_to_upgrade_from_is_older_in_version_and_schema(
    package: Any, tmp_path: Path, changes: tuple[dict[str, str], dict[str, str]]
) -> None:
    trial = importlib.import_module("try_upgrade")
    source = tmp_path / "source"
    source.mkdir()
    _git(source, "init", "--quiet")
    _commit(source, {_VERSION: '__version__ = "1"\n', _MIGRATION.format(1): ""})
    assert trial.older_commit(source) is None
    older = _commit(source, {"read.me": "the last of version 1 with schema 1"})
    for each in changes:
        _commit(source, each)
    _commit(source, {"read.me": "now", _MIGRATION.format(1): "# a word"})
    assert trial.older_commit(source) == older
    _git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{source}", "shallow")
    assert trial.older_commit(tmp_path / "shallow") is None


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    return importlib.import_module("try_fresh")


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ("deb http://mirror.example/debian bookworm main\n", "http://mirror.example/debian"),
        ("deb [signed-by=/k.gpg arch=amd64] https://a.example/x/debian/ trixie main\n", "https://a.example/x/debian"),
        (
            "Types: deb\n# URIs: http://old.example/debian\nURIs: http://new.example/debian\n",
            "http://new.example/debian",
        ),
        ("URIs: http://mirror.example/debian-security\n", None),
        ("# deb http://mirror.example/debian bookworm main\ndeb http://mirror.example/ubuntu noble main\n", None),
    ],
)
def test_a_fresh_system_is_made_from_the_mirror_of_this_computer(fresh: Any, sources: str, found: str | None) -> None:
    fresh_debian = importlib.import_module("fresh_debian")
    assert fresh_debian.mirror_among(["", sources]) == found


def test_a_fresh_system_gets_the_way_to_the_network_and_nothing_else(
    fresh: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = {"https_proxy", "NO_PROXY", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "SSL_CERT_FILE"}
    for name in (*ways, "PIP_REQUIRE_VIRTUALENV", "UV_CACHE_DIR", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "x")
    passed = fresh.network_settings().keys()
    assert ways <= passed
    assert not {"PIP_REQUIRE_VIRTUALENV", "UV_CACHE_DIR", "OPENAI_API_KEY"} & passed


def test_the_fresh_system_runs_the_commands_of_the_documents(fresh: Any) -> None:
    assert fresh.named_debians() == list(fresh.RELEASES)
    commands = [*fresh.commands_below("A desktop chat application"), *fresh.commands_of_contributing()]
    assert commands[:2] == ["make run", "make test"]
    assert len(commands) == len(set(commands)) > 4
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert {command.split()[1] for command in commands if command.startswith("make ")} <= set(targets)
    assert fresh.needed().count("`") == 8


def test_the_table_of_fresh_systems_has_a_line_for_each_and_what_was_not_tried_is_empty(fresh: Any) -> None:
    well, ill = fresh.Tries(), fresh.Tries()
    ill.failed = 2
    tried = {("12", "root", "set-up"): well, ("12", "root", "run"): ill, ("13", "user", "run"): well}
    assert [line.split() for line in fresh.table(tried)] == [
        ["Debian", "as", "set-up", "run"],
        ["12", "root", "ok", "2", "failed"],
        ["13", "user", "ok"],
    ]


def test_missing_rights_for_fresh_systems_are_reported(
    fresh: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["try_fresh.py"])
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("subprocess.run", lambda *_words, **_more: pytest.fail("it began"))
    assert fresh.main() == 1
    assert "needs root" in capsys.readouterr().err


def test_a_fresh_system_is_not_made_for_a_word_that_means_nothing(fresh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh, "in_namespaces_of_its_own", lambda: pytest.fail("began"))
    monkeypatch.setattr(fresh, "mirror", lambda: pytest.fail("looked for a mirror"))
    for words in (["tset"], ["--hlep"], ["12", "11"]):
        monkeypatch.setattr(sys, "argv", ["try_fresh.py", *words])
        with pytest.raises(SystemExit) as ended:
            fresh.main()
        assert ended.value.code == 2
