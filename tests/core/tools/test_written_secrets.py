"""Secrets in commands and addresses: taken out, put back, and nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.tools import ServerKind, ToolFailed, ToolServer
from chatdesk.core.paths import AppPaths
from chatdesk.core.tools.servers_store import FILE_NAME
from chatdesk.core.tools.written_secrets import extract_secrets, fill_in, names_within
from tests.helpers.tools_world import CALLER, command, tool_service

_KEY = "s3cr3t-value-0123456789"


def _command(*argv: str, **more: Any) -> ToolServer:
    return ToolServer("x", "X", ServerKind.COMMAND, argv, **more)


def _address(address: str) -> ToolServer:
    return ToolServer("x", "X", ServerKind.ADDRESS, address=address)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("--api-key", _KEY), ("--api-key", "${secret:API_KEY}")),
        ((f"--token={_KEY}",), ("--token=${secret:TOKEN}",)),
        (("-e", f"GITHUB_TOKEN={_KEY}"), ("-e", "GITHUB_TOKEN=${secret:GITHUB_TOKEN}")),
        (("--header", f"Authorization: {_KEY}"), ("--header", "Authorization: ${secret:AUTHORIZATION}")),
        ((f"postgresql://ada:{_KEY}@db:5432/x",), ("postgresql://ada:${secret:PASSWORD}@db:5432/x",)),
        ((f"--db=mysql://ada:{_KEY}@db/x",), ("--db=mysql://ada:${secret:PASSWORD}@db/x",)),
        (("https://a.example/mcp?n=1&token=" + _KEY,), ("https://a.example/mcp?n=1&token=${secret:TOKEN}",)),
        (("ghp_0123456789abcdefghij",), ("${secret:SECRET}",)),
    ],
)
def test_a_secret_of_a_command_is_taken_out_and_put_back(words: tuple[str, ...], shown: tuple[str, ...]) -> None:
    made, values = extract_secrets(_command("npx", *words))
    assert made.argv == ("npx", *shown)
    assert names_within(made) == made.env_names == tuple(values)
    assert tuple(fill_in(each, values) for each in made.argv[1:]) == words


@pytest.mark.parametrize(
    "words",
    [
        ("-y", "@modelcontextprotocol/server-filesystem", "/home/ada/notes"),
        ("--token-file", "/home/ada/token"),
        ("--api-key", "<YOUR_API_KEY>"),
        ("--header", "Authorization:${AUTH_HEADER}"),
        ("--key-id", "--verbose"),
        ("sk-learn-tools-for-everybody",),
        ("https://a.example/mcp?page=1",),
        ("http://[bad",),
        ("--api-key",),
    ],
)
def test_a_value_that_is_not_a_secret_is_unchanged(words: tuple[str, ...]) -> None:
    server = _command("npx", *words)
    assert extract_secrets(server) == (server, {})


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"https://a.example/mcp?api_key={_KEY}", "https://a.example/mcp?api_key=${secret:API_KEY}"),
        ("https://a.example/s/sk-0123456789abcdef/mcp", "https://a.example/s/${secret:SECRET}/mcp"),
        ("https://a.example/mcp?k=a%2Bb&key=a%2Bb%26c", "https://a.example/mcp?k=a%2Bb&key=${secret:KEY}"),
        (f"https://ada:{_KEY}@a.example/mcp", "https://ada:${secret:PASSWORD}@a.example/mcp"),
    ],
)
def test_a_secret_of_an_address_is_taken_out_and_put_back(address: str, shown: str) -> None:
    made, values = extract_secrets(_address(address))
    assert (made.address, made.header_names) == (shown, tuple(values))
    assert fill_in(made.address, values, is_address=True) == address


def test_names_that_are_taken_get_a_number() -> None:
    made, values = extract_secrets(_command("x", "--token", "a1", "--token", "b2", env_names=("TOKEN",)))
    assert made.argv == ("x", "--token", "${secret:TOKEN_2}", "--token", "${secret:TOKEN_3}")
    assert values == {"TOKEN_2": "a1", "TOKEN_3": "b2"} and made.env_names == ("TOKEN", "TOKEN_2", "TOKEN_3")


async def test_a_program_gets_its_secret_and_the_file_does_not(tmp_path: Path) -> None:
    log = tmp_path / "log-of-Token7"
    secret = ToolServer("notes", "Notes", ServerKind.COMMAND, command("--log", "${secret:TOKEN}"), env_names=("TOKEN",))
    async with tool_service(tmp_path) as service:
        await service.save(secret, {"TOKEN": str(log)})
        seen = await service.call(service.servers[0], "environment", {}, caller=CALLER, timeout_s=30)
        assert "TOKEN" not in json.loads(seen.text)["env"] and log.exists()
        text = (AppPaths.find(tmp_path / "profile").config_dir / FILE_NAME).read_text("utf-8")
        assert str(log) not in text


async def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    async with tool_service(tmp_path) as service:
        await service.save(_command(*command("--log", "${secret:OTHER}")))
        with pytest.raises(ToolFailed, match="The value of OTHER is missing"):
            await service.call(service.servers[0], "echo", {}, caller=CALLER, timeout_s=30)
