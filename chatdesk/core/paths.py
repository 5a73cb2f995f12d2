"""Finds the resources and migrations that come with ChatDesk, and the person's own directories.

The only module that knows how they are found in a checkout, in a wheel and in a packaged app. It reads the
``CHATDESK_DATA_DIR`` variable, because the settings file itself is found through it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chatdesk.core.errors import InvalidInput
from chatdesk.core.texts import Text

DATA_DIR_VARIABLE = "CHATDESK_DATA_DIR"

_PACKAGE = Path(__file__).resolve().parent.parent


def _bundled(name: str) -> Path:
    """Return a folder that comes with ChatDesk: beside a packaged program, inside the package of a wheel, or in the
    checkout."""
    unpacked = getattr(sys, "_MEIPASS", None)  # set by PyInstaller
    if unpacked:
        return Path(unpacked) / name
    in_wheel = _PACKAGE / "_bundled" / name
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / name


def sync_directory(directory: Path) -> None:
    """Bring the names in a directory to the disk, so that a rename survives a power cut; does nothing on Windows."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private_folder(folder: Path) -> None:
    """Create ``folder`` and its missing parents, private to their owner and durable across a power cut. An existing
    folder is unchanged. Raises ``OSError``."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in missing:
        with suppress(OSError):  # a folder that may be written but not opened
            sync_directory(each.parent)


def resources_dir() -> Path:
    """Return the folder of icons, fonts, prompts and, where they were packaged, the token encodings."""
    return _bundled("resources")


def migrations_dir() -> Path:
    """Return the folder of Alembic's environment and versions."""
    return _bundled("migrations")


def team_migrations_dir() -> Path:
    """Return the folder of the migrations of a team's Postgres: a branch of its own, and the SQL that it runs."""
    return migrations_dir() / "team"


def translations_dir() -> Path:
    """Return the folder of the compiled translations: packaged ones, or those that set-up made in the checkout. May not
    exist."""
    packaged = _bundled("translations")
    return packaged if packaged.is_dir() else _PACKAGE.parent / "build" / "translations"


def encodings_dir() -> Path:
    """Return the folder of the token encodings: packaged ones, or those that set-up made in the checkout. May not
    exist."""
    packaged = resources_dir() / "encodings"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "build" / "encodings"


def help_page() -> Path | None:
    """Return the first of the pages for people: packaged, or built in the checkout (``make docs``). In a checkout
    without them, the folder of their Markdown; None where a package was made without."""
    packaged = _bundled("site") / "index.html"
    checkout = _PACKAGE.parent
    places = [packaged]
    if (checkout / "mkdocs.yml").is_file():
        places += [checkout / "build" / "site" / "index.html", checkout / "docs"]
    return next((place for place in places if place.exists()), None)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AppPaths:
    """The directories of one person. Nothing is created until ``make_directories``."""

    data_dir: Path
    config_dir: Path
    log_dir: Path
    backup_dir: Path

    @classmethod
    def find(cls, data_dir: Path | str | None = None, environ: Mapping[str, str] | None = None) -> AppPaths:
        """Return the paths; ``data_dir`` (from ``--data-dir``) wins over ``CHATDESK_DATA_DIR``, and that over the
        platform's.

        A chosen directory holds everything, so that two of them never share settings, logs or backups. Raises
        ``InvalidInput``.
        """
        try:
            found = cls._found(data_dir, os.environ if environ is None else environ)
        except RuntimeError:  # raised by pathlib and platformdirs
            raise InvalidInput(
                Text("There is no home directory: HOME is not set, and the system knows none for this user."),
                safe=Text("Nothing was changed."),
                next_step=Text("Set HOME, or choose an absolute directory with --data-dir."),
            ) from None
        except FileNotFoundError:
            raise InvalidInput(
                Text("The current directory no longer exists."),
                safe=Text("Nothing was changed."),
                next_step=Text("Go to another one, or choose an absolute directory with --data-dir."),
            ) from None
        try:
            str(found.data_dir).encode()
        except UnicodeEncodeError:
            raise InvalidInput(
                Text("The data directory cannot be used: the name {data_dir} is not UTF-8.", data_dir=found.data_dir),
                safe=Text("Nothing was changed."),
                next_step=Text("Rename it, or choose another with --data-dir."),
            ) from None
        return found

    @classmethod
    def _found(cls, data_dir: Path | str | None, environ: Mapping[str, str]) -> AppPaths:
        chosen = str(data_dir) if data_dir else environ.get(DATA_DIR_VARIABLE, "")
        if chosen:
            root = Path(chosen).expanduser().absolute()
            return cls(data_dir=root, config_dir=root / "config", log_dir=root / "logs", backup_dir=root / "backups")
        import platformdirs

        data = Path(platformdirs.user_data_dir("chatdesk", appauthor=False))
        return cls(
            data_dir=data,
            config_dir=Path(platformdirs.user_config_dir("chatdesk", appauthor=False)),
            log_dir=Path(platformdirs.user_log_dir("chatdesk", appauthor=False)),
            # Beside the data, not in it, so that deleting or moving the data directory keeps the backups.
            backup_dir=data.with_name("chatdesk-backups"),
        )

    def make_directories(self) -> None:
        """Create the missing directories, readable by their owner only, and tighten those that are open to others.

        Where that cannot be done, an existing database is still good for reading: then nothing is raised.
        """
        try:
            for directory in (self.data_dir, self.config_dir, self.log_dir, self.backup_dir, self.crash_dir):
                make_private_folder(directory)
                if os.name == "posix" and directory.stat().st_mode & 0o077:
                    directory.chmod(0o700)
        except OSError:
            if not os.access(self.database, os.R_OK):
                raise

    @property
    def is_chosen(self) -> bool:
        """Return whether the data directory was chosen, instead of the platform's default."""
        return self.config_dir.parent == self.data_dir

    @property
    def token_dir(self) -> Path:
        """The folder of the tokens of other programs. It is the person's and not in the data directory, so that a
        foreign data directory grants no access."""
        return self._of_this_person("tokens")

    @property
    def scanner_file(self) -> Path:
        """The file that has the address of the virus scanner that this person named for the data directory. Like the
        tokens it is the person's: a directory that somebody else made sends no file anywhere."""
        return self._of_this_person("scanners")

    def _of_this_person(self, kind: str) -> Path:
        import hashlib  # loads OpenSSL, which a start does not need

        import platformdirs

        place = hashlib.sha256(os.fsencode(self.data_dir.resolve())).hexdigest()[:32]
        return Path(platformdirs.user_state_dir("chatdesk", appauthor=False)) / kind / place

    @property
    def seal_key_file(self) -> Path:
        """The key that seals a person's set-up of tools, without a keyring. Like the tokens it is the person's and not
        in a data directory; tools may not see its name."""
        import platformdirs

        return Path(platformdirs.user_config_dir("chatdesk", appauthor=False)) / "seals.key"

    @property
    def database(self) -> Path:
        return self.data_dir / "chatdesk.db"

    @property
    def blob_dir(self) -> Path:
        """The folder of attached files, named by their content."""
        return self.data_dir / "blobs"

    @property
    def window_state(self) -> Path:
        return self.data_dir / "window.json"

    @property
    def instance_socket(self) -> Path:
        return self.data_dir / "instance.sock"

    @property
    def settings_file(self) -> Path:
        return self.config_dir / "settings.toml"

    @property
    def tools_file(self) -> Path:
        """The file of tool servers; it is there once one was set up."""
        return self.config_dir / "tools.json"

    @property
    def crash_dir(self) -> Path:
        return self.log_dir / "crashes"

    @property
    def log_file(self) -> Path:
        return self.log_dir / "chatdesk.log"
