"""ChatDesk: a desktop chat application for language models."""

__version__ = "0.2.0"
