"""Reads settings from their file and the environment, and writes changes back without losing comments.

A variable wins over the file, the file over the default. Nothing here ever stops a start: an invalid value is replaced
by the default and reported by a sentence, a file that cannot be read is kept under another name.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatdesk.core.errors import ChatDeskError, InvalidInput
from chatdesk.core.paths import make_private_folder
from chatdesk.core.settings.schema import InvalidValue, Setting, Settings, Value, all_settings
from chatdesk.core.system.file_writing import move_aside, write_text
from chatdesk.core.system.small_files import read_small_file
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text

if TYPE_CHECKING:  # a large package, loaded when it is used
    from tomlkit import TOMLDocument


_log = logging.getLogger(__name__)
_LARGEST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LoadedSettings:
    """Settings as they were read. ``problems`` are sentences to show; ``from_environment`` are names that a variable
    decides."""

    settings: Settings
    problems: tuple[str, ...] = ()
    from_environment: frozenset[str] = frozenset()


class SettingsNotSaved(ChatDeskError):
    code = "settings_not_saved"
    what = Text("The settings could not be saved.")
    safe = Text("The old settings file is unchanged; the new settings hold until ChatDesk closes.")
    safe_without_window = Text("Everything saved before is unchanged.")
    next_step = Text("Check the permissions and the free space of the configuration directory.")


class SettingsStore:
    """The settings file of one person."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._declared = {setting.name: setting for setting in all_settings()}

    @property
    def path(self) -> Path:
        return self._path

    def load(self, environ: Mapping[str, str] | None = None) -> LoadedSettings:
        """Read the settings and never raise. ``environ`` is the process's environment unless a test gives another."""
        problems: list[str] = []
        table = self._read_table(problems)
        values: dict[str, Any] = {}
        for setting in self._declared.values():
            found = _find(table, setting.key)
            if found is not None:
                _read_value(
                    values,
                    setting,
                    lambda s=setting, v=found: s.checked(v),
                    Text("{key} in the settings file", key=setting.key),
                    problems,
                )
        decided: set[str] = set()
        environment = os.environ if environ is None else environ
        for setting in self._declared.values():
            text = environment.get(setting.env, "")
            if text and _read_value(values, setting, lambda s=setting, t=text: s.parsed(t), setting.env, problems):
                decided.add(setting.name)
        return LoadedSettings(replace(Settings(), **values), tuple(problems), frozenset(decided))

    def peek(self, name: str) -> Value:
        """Return one setting without reporting problems or writing the file, for code that runs before ``load``."""
        setting = self._declared[name]
        with suppress(InvalidValue):
            if text := os.environ.get(setting.env, ""):
                return setting.parsed(text)
        with suppress(OSError, ValueError, RecursionError):  # ``InvalidValue`` among them
            data = read_small_file(self._path, _LARGEST_BYTES)
            import tomllib  # imported late, as in ``_read_table``

            found = _find(tomllib.loads(data.decode("utf-8")), setting.key)
            if found is not None:
                return setting.checked(found)
        return setting.default

    def save(self, changes: Mapping[str, Value]) -> None:
        """Write these settings (by field name) to the file; others, comments and unknown keys stay as they are.

        Raises ``InvalidInput`` for a value that is not valid, ``SettingsNotSaved`` when the file cannot be written.
        """
        import tomlkit

        checked: dict[str, Value] = {}
        for name, value in changes.items():
            try:
                checked[name] = self._declared[name].checked(value)
            except InvalidValue as error:
                key = self._declared[name].key
                raise InvalidInput(
                    Text("{key} cannot be set: {error}.", key=key, error=error),
                    safe=Text("It was not changed."),
                    next_step="",
                ) from error
        problems: list[str] = []
        self._read_table(problems)  # moves a broken file out of the way, with its text kept
        try:
            text = read_small_file(self._path, _LARGEST_BYTES) if self._path.exists() else b""
            document = tomlkit.parse(text)
            for name, value in checked.items():
                _set(document, self._declared[name].key, value)
            write_atomically(self._path, tomlkit.dumps(document))
        except (OSError, ValueError) as error:
            raise SettingsNotSaved(Text("The settings file {path} could not be written.", path=self._path)) from error

    def _read_table(self, problems: list[str]) -> dict[str, Any]:
        try:
            data = read_small_file(self._path, _LARGEST_BYTES)
        except FileNotFoundError:
            return {}
        except OSError as error:
            _log.warning("settings file not readable: %s", error.strerror)
            problems.append(
                Text(
                    "The settings file {path} cannot be read ({strerror}). Defaults are used; the file is unchanged.",
                    path=self._path,
                    strerror=reason_text(error),
                )
            )
            return {}
        except ValueError:  # too large
            return self._damaged(problems)
        if not data:
            # A power cut while another program wrote the file leaves it empty.
            problems.append(
                Text(
                    "The settings file {path} is empty. Defaults are used; delete it if that is meant.", path=self._path
                )
            )
            return {}
        import tomllib  # a start without settings does without

        try:
            return tomllib.loads(data.decode("utf-8"))
        except (ValueError, RecursionError):
            return self._damaged(problems)

    def _damaged(self, problems: list[str]) -> dict[str, Any]:
        """Move the file aside and report it; its values are not used."""
        _log.warning("the settings file was not valid TOML")
        kept = move_aside(self._path)
        where = Text("kept as {name}", name=kept.name) if kept else Text("left as it is")
        problems.append(
            Text(
                "The settings file {path} is damaged. Defaults are used; the damaged file is {where}.",
                path=self._path,
                where=where,
            )
        )
        return {}


def write_atomically(path: Path, text: str) -> None:
    """Replace a file so that readers see the old or the new text, whole, even after a power cut. The file is its
    owner's only, and its lines end as they do in ``text``."""
    make_private_folder(path.parent)
    write_text(path, text)


def _read_value(values: dict[str, Any], setting: Setting, read: Any, source: str, problems: list[str]) -> bool:
    try:
        values[setting.name] = read()
    except InvalidValue as error:
        # An invalid address is not replaced by another one: requests to it are refused.
        problems.append(f"{source} {'cannot be used' if setting.is_url else 'was ignored'}: {error}.")
        return False
    return True


def _find(table: Mapping[str, Any], key: str) -> Any:
    section, name = key.split(".")
    inner = table.get(section)
    return inner.get(name) if isinstance(inner, Mapping) else None


def _set(document: TOMLDocument, key: str, value: Value) -> None:
    import tomlkit

    section, name = key.split(".")
    if not isinstance(document.get(section), Mapping):
        document[section] = tomlkit.table()
    document[section][name] = dict(value) if isinstance(value, Mapping) else value


class SettingsInForce:
    """A consumer either reads ``current`` when it needs a value, or follows: its function gets the settings at once,
    and again after each change."""

    def __init__(self, settings: Settings) -> None:
        self._current = settings
        self._followers: list[Callable[[Settings], None]] = []

    @property
    def current(self) -> Settings:
        return self._current

    def follow(self, use: Callable[[Settings], None]) -> None:
        """Call ``use`` with the settings, now and after each change, for as long as this object lives."""
        self._followers.append(use)
        use(self._current)

    def change(self, settings: Settings) -> None:
        """Put ``settings`` in force and notify the followers, in the order in which they subscribed."""
        self._current = settings
        for use in self._followers:
            use(settings)


def changed_settings(before: Settings, after: Settings) -> dict[str, Value]:
    """Return the values of ``after`` that differ from those of ``before``, by name."""
    values: dict[str, Value] = {each.name: getattr(after, each.name) for each in fields(Settings)}
    return {name: value for name, value in values.items() if value != getattr(before, name)}
