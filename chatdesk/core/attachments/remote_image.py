"""Fetches an image that a message names, after the reader has asked for exactly that. Nothing else calls this.

The guard of ``core/fetching`` holds; an address in the reader's own network is asked about again. A host that sends
the reader on to another one is named, and has to be asked for as well.
"""

from __future__ import annotations

from collections.abc import Callable

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.fetching.addresses import AddressScope, address_scope
from chatdesk.core.fetching.guarded_fetch import (
    Ask,
    FetchFailed,
    FetchRules,
    GuardedFetcher,
    PlaceElsewhere,
    PlaceInOwnNetwork,
)
from chatdesk.core.texts import Text

MAX_IMAGE_BYTES = 10 * 1024 * 1024
IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")
_TOTAL_TIMEOUT_S = 30.0
_NO_IMAGE = Text("What {who} has there is not an image that can be shown.")


class ImageNotLoaded(ChatDeskError):
    code = "image_not_loaded"
    what = Text("The image could not be loaded.")
    safe = ""
    next_step = ""


class ImageElsewhere(ImageNotLoaded):
    """The host redirects to another one: ``url`` is the new address, ``host`` its host."""

    code = "image_elsewhere"

    def __init__(self, url: str, host: str) -> None:
        self.url = url
        self.host = host
        super().__init__(Text("The image is on another server: {host}.", host=host))


class ImageInOwnNetwork(ImageNotLoaded):
    """The image is in the reader's own network, where a request to ``host`` may do more than show an image."""

    code = "image_in_own_network"

    def __init__(self, url: str, host: str) -> None:
        self.url = url
        self.host = host
        super().__init__(Text("{host} is in your own network.", host=host))


class ImageFetcher:
    """Fetches images on the calling threads; ``close`` aborts running fetches at once. ``scope_of`` classifies
    addresses; tests put loopback into the open network."""

    def __init__(
        self, *, timeout_s: float = _TOTAL_TIMEOUT_S, scope_of: Callable[[str], AddressScope] = address_scope
    ) -> None:
        self._fetcher = GuardedFetcher(timeout_s=timeout_s, scope_of=scope_of)

    def fetch(self, url: str, *, is_agreed: bool = False) -> bytes:
        """Return the bytes at ``url``, kept in memory only; blocks for half a minute at most.

        ``is_agreed``: the reader has agreed to an address in their own network. Raises ``ImageInOwnNetwork``,
        ``ImageElsewhere`` or ``ImageNotLoaded``.
        """
        rules = FetchRules(MAX_IMAGE_BYTES, IMAGE_TYPES, _NO_IMAGE)
        try:
            return self._fetcher.fetch(Ask(url), rules, is_agreed=is_agreed).body
        except PlaceElsewhere as error:
            raise ImageElsewhere(error.url, error.host) from error
        except PlaceInOwnNetwork as error:
            raise ImageInOwnNetwork(error.url, error.host) from error
        except FetchFailed as error:
            raise ImageNotLoaded(error.what) from error

    def close(self) -> None:
        self._fetcher.close()
