"""Defines the base class of failures in the process that hosts tool servers."""

from __future__ import annotations


class HostFailure(Exception):
    """Something that a server did, or that failed on the way to it; ``sentence`` tells a person, and is the server's
    own where it refused a request."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
