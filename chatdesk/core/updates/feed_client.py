"""Reads a signed feed (The Update Framework): the gateway to ``tuf``. Used in the process for updates only.

The framework refuses what is signed wrongly, older than what was seen, expired, assembled of several states, or
longer than announced. Here are the limits, the one name that is asked for, and how bytes are fetched: over HTTPS, by
the proxy of the system, without redirects, cookies or packing, each wait bounded; the caller bounds the whole.
"""

from __future__ import annotations

import platform
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
from tuf.api.exceptions import (
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    RepositoryError,
)
from tuf.api.metadata import TargetFile  # type: ignore[attr-defined]  # it is in __all__, by its name
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from chatdesk.core.updates.release import MOST_DOWNLOAD_BYTES, Release

# The failures of a feed, in the order in which they are told apart; each is a kind of one after it.
EXPIRED = ExpiredMetadataError
REFUSED = (RepositoryError, DownloadLengthMismatchError)
UNREACHABLE = DownloadError
_CONNECT_S, _STEP_S = 10.0, 20.0
_KIB = 1024
_LIMITS: Final = UpdaterConfig(
    max_root_rotations=64,
    max_delegations=0,
    root_max_length=64 * _KIB,
    timestamp_max_length=16 * _KIB,
    snapshot_max_length=64 * _KIB,
    targets_max_length=256 * _KIB,
)


def target_name() -> str:
    """Return the one name that this program asks a feed for."""
    return f"chatdesk-{sys.platform}-{platform.machine().lower()}.tar.xz"


class FeedClient:
    """The feed of ``job``; its last known state is kept in ``folder``."""

    def __init__(self, job: Mapping[str, Any], folder: Path, on_bytes: Callable[[int], None]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fetcher = _Fetcher(job, on_bytes)
        self._updater = Updater(
            str(folder),
            f"{job['address']}metadata/",
            target_base_url=f"{job['address']}targets/",
            fetcher=self._fetcher,
            config=_LIMITS,
            bootstrap=str(job["root"]).encode(),
        )

    def release(self) -> tuple[Release, TargetFile] | None:
        """Return the release that the feed offers now; None where it has none for this kind of computer, or describes
        it in a way that cannot be used."""
        self._updater.refresh()
        found = self._updater.get_targetinfo(target_name())
        release = None if found is None else Release.of(found.custom, found.length)
        return None if found is None or release is None else (release, found)

    def download(self, target: TargetFile, path: Path) -> None:
        """Have the bytes of a release at ``path``; those that are there already are checked and kept."""
        if self._updater.find_cached_target(target, str(path)) is None:
            path.unlink(missing_ok=True)
            self._updater.download_target(target, str(path))


class _Fetcher(FetcherInterface):
    def __init__(self, job: Mapping[str, Any], on_bytes: Callable[[int], None]) -> None:
        self._on_bytes = on_bytes
        self._host = urlsplit(job["address"]).netloc
        self._client = httpx2.Client(
            follow_redirects=False,
            timeout=httpx2.Timeout(_STEP_S, connect=_CONNECT_S),
            trust_env=False,
            proxy=job["proxy"] or None,
            verify=ssl.create_default_context(cafile=job["ca_file"] or None),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            headers={"User-Agent": "ChatDesk", "Accept-Encoding": "identity"},
        )

    def _fetch(self, url: str) -> Iterator[bytes]:
        if urlsplit(url).netloc != self._host:
            raise DownloadError("the feed names another host")
        return self._pieces(url)

    def _pieces(self, url: str) -> Iterator[bytes]:
        count = 0
        try:
            with self._client.stream("GET", url) as response:
                if response.status_code != 200:
                    raise DownloadHTTPError(f"answered with {response.status_code}", response.status_code)
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise DownloadError("packed in a way that was not asked for")
                for piece in response.iter_raw():
                    count += len(piece)
                    if count > MOST_DOWNLOAD_BYTES:
                        raise DownloadError("too long")
                    self._on_bytes(count)
                    yield piece
        except httpx2.HTTPError as error:
            raise DownloadError(type(error).__name__) from error
