"""A portable installation, a signed feed on loopback for it, and everything that may be wrong with one."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner

from chatdesk.core.updates.feed_source import FeedSource
from chatdesk.core.updates.installation import Installation, InstallKind
from chatdesk.core.updates.release import Version
from chatdesk.core.updates.update_service import UpdateLimits, UpdatePorts, UpdateService
from tests.helpers.store import MovableClock
from tests.helpers.threaded_server import in_thread

ROOT = Path(__file__).parents[2]
INSTALLED = "0.2.0"
NOTES = "Faster search.\n\n- Files open <b>sooner</b>."
# A program that is told apart by what it says of itself, and takes any data.
PROGRAM = '#!/bin/sh\ncase "$1" in --version) echo "chatdesk {version}" ;; esac\nexit 0\n'
Answer = Callable[[SimpleHTTPRequestHandler], None]


def _packaging(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"packaging_{name}", ROOT / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


feed_maker = _packaging("feed")


class Keys:
    """The keys of a feed: two for the root, of which one may be lost, one for releases, one online."""

    def __init__(self) -> None:
        self.roots = [CryptoSigner.generate_ed25519() for _ in range(3)]
        self.targets = CryptoSigner.generate_ed25519()
        self.online = CryptoSigner.generate_ed25519()


class UpdateWorld:
    """An installation of 0.2.0 below ``place`` and the feed in ``feed_dir``, served from ``served_dir``: the same,
    until a test puts another there. ``answers`` replaces what the server says, by the end of a path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = folder / "chatdesk-program"
        self.feed_dir = self.served_dir = folder / "feed"
        self.keys = Keys()
        self.feed = feed_maker.Feed(self.feed_dir)
        self.feed.start(self.keys.roots, 2, self.keys.targets, self.keys.online)
        self.root = (self.feed_dir / "metadata" / "1.root.json").read_bytes()
        self.answers: dict[str, Answer] = {}
        self.requested: list[str] = []
        self.is_wanted = True
        self.is_busy: Callable[[], bool] = lambda: False
        self.clock = MovableClock()
        self.backup = folder / "backup.db"
        self.backup.write_bytes(b"")
        self.backed_up: list[str] = []
        self.made = 0  # how often a window has asked for the service
        self._install()
        self.address = "http://127.0.0.1:9/"

    def _install(self) -> None:
        for version in ("0.1.0", INSTALLED):
            self.make_program(version, self.place / "versions" / version)
        (self.place / "current").symlink_to(f"versions/{INSTALLED}")
        (self.place / "previous").symlink_to("versions/0.1.0")

    def make_program(self, version: str, folder: Path, script: str = PROGRAM) -> Path:
        """Make the folder of a program."""
        (folder / "_internal").mkdir(parents=True)
        (folder / "_internal" / "library.so").write_bytes(version.encode() * 1000)
        (folder / "_internal" / "library.so.1").symlink_to("library.so")
        (folder / "chatdesk").write_text(script.format(version=version))
        (folder / "chatdesk").chmod(0o755)
        return folder

    def publish(
        self,
        number: str = "0.3.0",
        *,
        script: str = PROGRAM,
        archive: Path | None = None,
        feed: Any = None,
        keys: Keys | None = None,
        **about: Any,
    ) -> Path:
        """Publish a release; return its archive in the feed. ``about`` is what the feed says of it."""
        keys, feed = keys or self.keys, feed or self.feed
        size = 1000
        if archive is None:
            program = self.make_program(number, self.folder / f"made-{len(list(self.folder.iterdir()))}", script)
            archive = self.folder / "program.tar.xz"
            size = feed_maker.write_archive(program, archive)
        told = {"version": number, "program_bytes": size, "notes": NOTES, **about}
        feed.publish(archive, feed_maker.target_name(), told, keys.targets, keys.online)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        return Path(feed.targets) / f"{digest}.{feed_maker.target_name()}"

    def archive(self, *members: tarfile.TarInfo | tuple[str, bytes]) -> Path:
        """Return an archive of a program with these members besides."""
        path = self.folder / "odd.tar.xz"
        with tarfile.open(path, "w:xz") as tar:
            script = PROGRAM.format(version="0.3.0").encode()
            for name, data in (("chatdesk", script), *(each for each in members if isinstance(each, tuple))):
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(data), 0o755
                tar.addfile(member, io.BytesIO(data))
            for each in members:
                if isinstance(each, tarfile.TarInfo):
                    tar.addfile(each)
        return path

    def feed_of(self, day: datetime, name: str = "other", keys: Keys | None = None) -> Any:
        """Return an empty feed that was signed on a day, in a folder of its own."""
        keys = keys or self.keys
        feed = feed_maker.Feed(self.folder / name, day)
        feed.start(keys.roots, 2, keys.targets, keys.online)
        return feed

    def keep(self, name: str) -> Path:
        """Return a copy of what is served now."""
        return Path(shutil.copytree(self.served_dir, self.folder / name))

    def service(self, **limits: Any) -> UpdateService:
        """The updates of this installation, as the program has them."""
        installation = Installation(InstallKind.PORTABLE, self.place)
        ports = UpdatePorts(lambda: self.is_wanted, lambda: self.is_busy(), self._back_up)
        return UpdateService(
            installation,
            FeedSource(self.address, self.root),
            ports,
            self.clock,
            version=INSTALLED,
            limits=UpdateLimits(**limits),
        )

    async def _back_up(self, version: str) -> Path:
        self.backed_up.append(version)
        return self.backup

    def installed(self) -> dict[str, object]:
        """Return what starts, what started before, and every byte of all versions."""
        found: dict[str, object] = {name: os.readlink(self.place / name) for name in ("current", "previous")}
        for path in sorted((self.place / "versions").rglob("*")):
            if path.is_file():
                found[str(path.relative_to(self.place))] = path.read_bytes()
        return found

    def starts(self) -> str:
        """Return the version that starts next."""
        version = Version.read((self.place / "current").resolve().name)
        assert version is not None
        assert (self.place / "current" / "chatdesk").read_text() == PROGRAM.format(version=version)
        return str(version)


@contextmanager
def update_world(folder: Path) -> Iterator[UpdateWorld]:
    """An installation whose feed is served on loopback as long as the block runs."""
    world = UpdateWorld(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, world=world))
    server.daemon_threads = True
    with in_thread(server):
        world.address = f"http://127.0.0.1:{server.server_address[1]}/"
        yield world


def today() -> datetime:
    """The moment at which tests sign."""
    return datetime.now(UTC).replace(microsecond=0)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: Any, world: UpdateWorld) -> None:
        self._world = world
        super().__init__(*arguments, directory=str(world.served_dir))

    def do_GET(self) -> None:
        self._world.requested.append(self.path)
        for ending, answer in self._world.answers.items():
            if self.path.endswith(ending):
                answer(self)
                return
        super().do_GET()

    def log_message(self, format: str, *arguments: Any) -> None:
        del format, arguments


def worker_command(prefix: str = "") -> list[str]:
    """Return the command of the process for updates, with a line of shell before it."""
    return ["sh", "-c", f"{prefix} exec {sys.executable} -m chatdesk.core.updates.process"]
