"""Fixtures for pytest: ``pytest_plugins = ["chatdesk.client.fixtures"]`` in a ``conftest.py`` brings them in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatdesk.client.client import Client
from chatdesk.client.mock_service import MockService


@pytest.fixture
def chatdesk_service() -> MockService:
    """Return a local service in memory."""
    return MockService()


@pytest.fixture
def chatdesk_client(chatdesk_service: MockService) -> Iterator[Client]:
    """Return a client of ``chatdesk_service``."""
    with chatdesk_service.client() as client:
        yield client
