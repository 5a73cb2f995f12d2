"""Finds the service of one client: where it is, and when it is worth another try."""

from __future__ import annotations

import os

import httpx2

from chatdesk.client.errors import BadToken, ClientError, NotRunning, Problem, Unreachable
from chatdesk.client.place import find_place
from chatdesk.client.policy import Retries
from chatdesk.client.request import Request


class Target:
    """A service. After each start it has another address and another token of the owner, which are looked for again."""

    def __init__(
        self,
        url: str | None,
        token: str | None,
        data_dir: str | os.PathLike[str] | None,
        retries: Retries | None,
    ) -> None:
        self._given = (url, token, data_dir)
        self._retries = retries or Retries()
        self.place = find_place(url, token, data_dir=data_dir)

    def wait_s(self, number: int, error: Problem | Unreachable, *, is_following: bool = False) -> float:
        """Return how long to wait after attempt ``number``, from 1, failed. Raises the error instead of a last wait."""
        wait_s = self._retries.wait_s(number, error, is_following=is_following)
        if wait_s is None and not (number == 1 and isinstance(error, BadToken)):
            raise error
        is_new = self._find_again(error)
        if wait_s is None and not is_new:
            raise error
        return wait_s or 0.0

    def _find_again(self, error: ClientError) -> bool:
        if not self.place.is_of_owner or (isinstance(error, Problem) and not isinstance(error, BadToken)):
            return False
        before = self.place
        try:
            url, token, data_dir = self._given
            self.place = find_place(url, token, data_dir=data_dir)
        except NotRunning:
            return False
        return self.place != before


def check_refusal(request: Request[object], response: httpx2.Response) -> None:
    """Raise the ``Problem`` that a response is; its content has to be read before."""
    if not response.is_success:
        request.result_of(response)


def error_of(error: httpx2.HTTPError) -> ClientError:
    """Return the client's own error for one of httpx2."""
    if isinstance(error, httpx2.TransportError):
        return lost(error)
    return ClientError(str(error))


def lost(error: Exception) -> Unreachable:
    """Return the error for a connection that could not be made or was lost."""
    return Unreachable(f"The local service does not answer: {str(error) or type(error).__name__}.")
