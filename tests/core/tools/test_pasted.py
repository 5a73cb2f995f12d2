"""Descriptions of servers in the forms of other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.tools import ServerKind
from chatdesk.core.tools.pasted import NotServers, read_pasted

_FILES = {"command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/home/ada/notes"]}
_ARGV = ("npx", "-y", "@modelcontextprotocol/server-filesystem", "/home/ada/notes")

SAMPLES = {
    "Claude Desktop": json.dumps({"mcpServers": {"files": _FILES}}),
    "Claude Desktop with other settings": json.dumps({"theme": "dark", "mcpServers": {"files": _FILES}}),
    "Cursor": json.dumps({"mcpServers": {"files": {**_FILES, "type": "stdio"}}}),
    "LM Studio": json.dumps({"mcpServers": {"files": {**_FILES, "timeout": 60000}}}),
    "VS Code": json.dumps({"servers": {"files": {"type": "stdio", **_FILES}}, "inputs": []}),
    "VS Code, in the settings": json.dumps({"mcp": {"servers": {"files": _FILES}}}),
    "Zed": json.dumps({"context_servers": {"files": {"source": "custom", **_FILES}}}),
    "Zed, older": json.dumps(
        {"context_servers": {"files": {"command": {"path": "npx", "args": _FILES["args"], "env": {}}}}}
    ),
    "without anything around it": json.dumps({"files": _FILES}),
    "one entry without braces": f'"files": {json.dumps(_FILES)},',
    "a single server": json.dumps({"name": "files", **_FILES}),
    "with comments and a comma too many": (
        '{\n // my servers\n "mcpServers": {\n  /* notes */ "files": {"command": "npx",\n'
        '   "args": ["-y", "@modelcontextprotocol/server-filesystem", "/home/ada/notes",],\n  },\n },\n}'
    ),
    "Windsurf": json.dumps({"mcpServers": {"files": {**_FILES, "disabled": False, "alwaysAllow": []}}}),
    "Cline": json.dumps({"mcpServers": {"files": {**_FILES, "autoApprove": ["read_file"], "transportType": "stdio"}}}),
    "Gemini CLI": json.dumps({"selectedAuthType": "x", "mcpServers": {"files": {**_FILES, "trust": True}}}),
    "Claude Code, of a project": json.dumps({"mcpServers": {"files": {"type": "stdio", **_FILES, "env": {}}}}),
    "VS Code, with an environment file": json.dumps({"servers": {"files": {**_FILES, "envFile": ".env"}}}),
    "a command as a list": json.dumps({"mcpServers": {"files": {"command": ["npx", *_FILES["args"]]}}}),
}

_REAL = Path(__file__).parents[2] / "data" / "pasted_servers"
_NPX = ("npx", "-y")
# What each file becomes: name, command or address, values, names of secrets, secrets, what is left open.
_BECOMES: dict[str, list[Any]] = {
    "claude_desktop_filesystem.json": [
        (
            "filesystem",
            (*_NPX, "@modelcontextprotocol/server-filesystem", "/Users/ada/Desktop", "/Users/ada/Downloads"),
            {},
            (),
            {},
            (),
        )
    ],
    "claude_desktop_from_a_readme.md": [
        ("time", ("uvx", "mcp-server-time", "--local-timezone=Europe/Paris"), {}, (), {}, ())
    ],
    "claude_desktop_github_docker.json": [
        (
            "github",
            ("docker", "run", "-i", "--rm", "-e", "GITHUB_PERSONAL_ACCESS_TOKEN", "ghcr.io/github/github-mcp-server"),
            {},
            ("GITHUB_PERSONAL_ACCESS_TOKEN",),
            {},
            ("GITHUB_PERSONAL_ACCESS_TOKEN",),
        )
    ],
    "claude_desktop_mcp_remote.json": [
        (
            "linear",
            (*_NPX, "mcp-remote", "https://mcp.linear.example/sse", "--header", "Authorization:${AUTH_HEADER}"),
            {},
            ("AUTH_HEADER",),
            {"AUTH_HEADER": "Bearer lin_api_0123456789"},
            (),
        )
    ],
    "claude_desktop_windows.json": [
        (
            "memory",
            ("cmd", "/c", *_NPX, "@modelcontextprotocol/server-memory"),
            {"APPDATA": "C:\\Users\\Ada\\AppData\\Roaming\\", "MEMORY_FILE_PATH": "C:\\Users\\Ada\\memory.json"},
            (),
            {},
            (),
        )
    ],
    "claude_desktop_with_preferences.json": [
        (
            "weather",
            ("/opt/homebrew/bin/uv", "--directory", "/Users/ada/src/weather", "run", "weather.py"),
            {},
            (),
            {},
            (),
        ),
        (
            "brave-search",
            (*_NPX, "@modelcontextprotocol/server-brave-search"),
            {},
            ("BRAVE_API_KEY",),
            {"BRAVE_API_KEY": "BSA0123456789example"},
            (),
        ),
    ],
    "cursor_database_address.json": [
        (
            "postgres",
            (
                *_NPX,
                "@modelcontextprotocol/server-postgres",
                "postgresql://ada:${secret:PASSWORD}@db.example.com:5432/shop",
            ),
            {},
            ("PASSWORD",),
            {"PASSWORD": "hunter2"},
            (),
        )
    ],
    "cursor_fixed_oauth_client.json": [("calendar", "https://calendar.example.com/mcp", {}, (), {}, ())],
    "cursor_remote_header.json": [
        ("crm", "https://crm.example.com/mcp", {"X-Region": "eu"}, ("Authorization",), {}, ("Authorization",))
    ],
    "cursor_shortened_keys.json": [
        (
            "search",
            (*_NPX, "search-mcp"),
            {},
            ("OPENAI_API_KEY", "GITHUB_TOKEN", "SLACK_TOKEN"),
            {},
            ("OPENAI_API_KEY", "GITHUB_TOKEN", "SLACK_TOKEN"),
        )
    ],
    "cursor_stdio_env_variable.json": [
        (
            "stripe",
            (*_NPX, "@stripe/mcp", "--tools=all", "--api-key=${env:STRIPE_SECRET_KEY}"),
            {},
            (),
            {},
            ("--api-key=${env:STRIPE_SECRET_KEY}",),
        )
    ],
    "lm_studio_local_address.json": [("notes", "http://127.0.0.1:8931/mcp", {}, (), {}, ())],
    "lm_studio_remote.json": [
        ("hf-mcp-server", "https://huggingface.example/mcp", {}, ("Authorization",), {}, ("Authorization",))
    ],
    "lm_studio_timeout.json": [("playwright", ("npx", "@playwright/mcp@latest", "--headless"), {}, (), {}, ())],
    "lm_studio_two_servers.json": [
        (
            "exa",
            "https://mcp.exa.example/mcp?exaApiKey=${secret:EXAAPIKEY}",
            {},
            ("EXAAPIKEY",),
            {"EXAAPIKEY": "0a1b2c3d-4e5f"},
            (),
        ),
        ("sqlite", ("uvx", "mcp-server-sqlite", "--db-path", "/home/ada/test.db"), {}, (), {}, ()),
    ],
    "vscode_docker_folder.json": [
        (
            "git",
            (
                *("docker", "run", "--rm", "-i", "--mount", "type=bind,src=${workspaceFolder},dst=/workspace"),
                "mcp/git",
            ),
            {},
            (),
            {},
            ("type=bind,src=${workspaceFolder},dst=/workspace",),
        )
    ],
    "vscode_http_input.json": [
        ("github", "https://api.githubcopilot.example/mcp/", {}, ("Authorization",), {}, ("Authorization",))
    ],
    "vscode_input_in_an_argument.json": [
        ("aws", ("uvx", "aws-mcp@latest", "--region", "${input:region}"), {}, (), {}, ("${input:region}",))
    ],
    "vscode_inputs.jsonc": [
        (
            "perplexity",
            (*_NPX, "server-perplexity-ask"),
            {},
            ("PERPLEXITY_API_KEY",),
            {},
            ("PERPLEXITY_API_KEY",),
        )
    ],
    "vscode_settings.jsonc": [("fetch", ("uvx", "mcp-server-fetch"), {}, (), {}, ())],
}


def test_every_real_sample_has_its_servers_written_down() -> None:
    assert sorted(each.name for each in _REAL.iterdir()) == sorted(_BECOMES) and len(_BECOMES) == 20


@pytest.mark.parametrize("name", _BECOMES)
def test_a_real_sample_becomes_its_servers(name: str) -> None:
    """Configurations as people have them, of Claude Desktop, Cursor, VS Code with inputs, and LM Studio."""
    found: list[Any] = []
    for each in read_pasted((_REAL / name).read_text("utf-8")):
        made, is_address = each.server, each.server.kind is ServerKind.ADDRESS
        values, names = (made.headers, made.header_names) if is_address else (made.env, made.env_names)
        found.append((made.name, made.address or made.argv, dict(values), names, dict(each.secrets), each.missing))
        assert not made.is_on and (made.folder == "/home/ada/src") == (name == "vscode_docker_folder.json")
    assert found == _BECOMES[name]


def test_a_fixed_oauth_client_is_read_and_its_secret_is_told_apart() -> None:
    (found,) = read_pasted((_REAL / "cursor_fixed_oauth_client.json").read_text("utf-8"))
    assert (found.server.client_id, found.client_secret) == ("0oa1b2c3", "s3cret-of-the-client")
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize("text", SAMPLES.values(), ids=SAMPLES)
def test_a_command_is_read(text: str) -> None:
    (found,) = read_pasted(text)
    assert (found.server.name, found.server.kind, found.server.argv) == ("files", ServerKind.COMMAND, _ARGV)
    assert not found.missing and not found.server.is_on


@pytest.mark.parametrize("key", ["url", "serverUrl", "httpUrl"])
def test_an_address_is_read_with_its_headers(key: str) -> None:
    headers = {"Authorization": "Bearer abc", "X-Team": "blue"}
    (found,) = read_pasted(
        json.dumps({"mcpServers": {"crm": {key: "https://crm.example.com/mcp", "headers": headers}}})
    )
    assert (found.server.kind, found.server.address) == (ServerKind.ADDRESS, "https://crm.example.com/mcp")
    assert (found.server.headers, found.server.header_names) == ({"X-Team": "blue"}, ("Authorization",))
    assert found.secrets == {"Authorization": "Bearer abc"} and "abc" not in repr(found)


@pytest.mark.parametrize(
    "name", ["GITHUB_PERSONAL_ACCESS_TOKEN", "API_KEY", "BRAVE_API_KEY", "DB_PASSWORD", "CLIENT_SECRET", "GITLAB_PAT"]
)
def test_values_that_are_secrets_by_their_name_are_told_apart(name: str) -> None:
    env = {name: "s3cret", "LOG_LEVEL": "info"}
    (found,) = read_pasted(json.dumps({"mcpServers": {"x": {"command": "uvx", "env": env}}}))
    assert (found.server.env, found.server.env_names) == ({"LOG_LEVEL": "info"}, (name,))
    assert found.secrets == {name: "s3cret"}


@pytest.mark.parametrize("value", ["", "<YOUR_TOKEN>", "your-token-here", "${input:token}", "xxxx", "..."])
def test_placeholders_to_fill_in_are_named(value: str) -> None:
    (found,) = read_pasted(json.dumps({"mcpServers": {"x": {"command": "uvx", "env": {"TOKEN": value}}}}))
    assert found.missing == ("TOKEN",) and not found.secrets


def test_a_placeholder_in_an_argument_is_named() -> None:
    (found,) = read_pasted(json.dumps({"x": {"command": "npx", "args": ["server", "${workspaceFolder}"]}}))
    assert found.missing == ("${workspaceFolder}",)


def test_secrets_of_arguments_are_told_apart() -> None:
    """As documentation of servers has them: an option, a variable for docker, a header for mcp-remote, an address."""
    docker = ["run", "-i", "--rm", "-e", "GITHUB_TOKEN=ghp_0123456789abcdef", "ghcr.io/github/github-mcp-server"]
    remote = ["-y", "mcp-remote", "https://a.example/mcp", "--header", "Authorization: Bearer abc123"]
    servers = {
        "git": {"command": "docker", "args": docker},
        "remote": {"command": "npx", "args": remote},
        "db": {"command": "npx", "args": ["server-postgres", "postgresql://ada:pw1@localhost/x"]},
        "maps": {"url": "https://maps.example/mcp?apiKey=AIza0123"},
    }
    found = read_pasted(json.dumps({"mcpServers": servers}))
    assert [dict(each.secrets) for each in found] == [
        {"GITHUB_TOKEN": "ghp_0123456789abcdef"},
        {"AUTHORIZATION": "Bearer abc123"},
        {"PASSWORD": "pw1"},
        {"APIKEY": "AIza0123"},
    ]
    assert not any(each.missing for each in found)
    shown = str([each.server for each in found])
    assert not any(each in shown for each in ("ghp_", "abc123", "pw1", "AIza"))


def test_several_servers_are_read_and_what_is_none_is_left_out() -> None:
    text = json.dumps({"mcpServers": {"a": {"command": "a"}, "b": 3, "c": {"url": "http://localhost:8000/mcp"}}})
    assert [each.server.name for each in read_pasted(text)] == ["a", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "npx server",
        "{",
        "[]",
        "{}",
        "null",
        '{"mcpServers": {}}',
        '{"mcpServers": {"a": {"command": ""}}}',
        '{"a":' * 5000,
        "x" * 300_000,
    ],
)
def test_text_without_a_server_is_refused(text: str) -> None:
    with pytest.raises(NotServers):
        read_pasted(text)


@pytest.mark.parametrize("key", ["type", "transport", "transportType"])
def test_the_older_transport_is_named(key: str) -> None:
    entry = {key: "sse", "url": "http://127.0.0.1:1/sse"}
    (pasted,) = read_pasted(json.dumps({"mcpServers": {"old": entry}}))
    assert "older transport" in pasted.problem
    (pasted,) = read_pasted(json.dumps({"mcpServers": {"new": {**entry, key: "http"}}}))
    assert pasted.problem == ""
