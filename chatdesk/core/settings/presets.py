"""Lists the vendors and servers that ChatDesk has presets for, as data: nothing else depends on the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from chatdesk.core.domain.provider_profile import PLAIN, Api, Dialect, ProviderProfile
from chatdesk.core.texts import Text


@dataclass(frozen=True, slots=True)
class Preset:
    """A vendor or a kind of server. ``variable`` is the environment variable in which people keep that vendor's key; it
    counts for the vendor's own host only. ``port``: where such a server listens on this computer, 0 for vendors.
    ``apis``: the protocols that may be chosen, the usual one first; ``addresses``: where those are spoken that are not
    spoken at ``base_url``. ``hint`` is read below the address. ``keys_url``: the page on which the vendor gives
    keys to its customers; ``key_starts``: the beginnings of its keys, which no other vendor uses. ``dialect``: what its
    servers want beyond the protocol."""

    id: str
    label: str
    base_url: str
    variable: str = ""
    needs_key: bool = True
    port: int = 0
    apis: tuple[Api, ...] = (Api.CHAT,)
    addresses: Mapping[Api, str] = field(default_factory=dict)
    hint: str = ""
    model: str = ""
    keys_url: str = ""
    key_starts: tuple[str, ...] = ()
    dialect: Dialect = PLAIN

    @property
    def api(self) -> Api:
        return self.apis[0]


# Patterns become grammars there, and a request fails for one that cannot.
_OF_LLAMA = Dialect(refused_words=frozenset(("pattern",)), about="Schemas of tools are sent without `pattern`.")
# The members of ``Schema`` in the vendor's reference; a request fails for any other.
_OF_GEMINI = frozenset(
    (
        *("type", "format", "title", "description", "nullable", "enum", "anyOf", "pattern", "minimum", "maximum"),
        *("properties", "required", "minProperties", "maxProperties", "items", "minItems", "maxItems"),
        *("minLength", "maxLength"),
    )
)
# The thought that led to a call is refused if it is absent, and a blank one is taken.
_OF_THINKERS = Dialect(
    needs_thoughts=True,
    about="A call without the thought that led to it is refused. One that another model made gets a blank thought.",
)
_BOTH = (Api.CHAT, Api.RESPONSES)
_ALL_APIS = (*_BOTH, Api.ANTHROPIC)
OPENAI = Preset(
    "openai",
    "OpenAI",
    "https://api.openai.com/v1",
    "OPENAI_API_KEY",
    apis=_BOTH,
    keys_url="https://platform.openai.com/api-keys",
    key_starts=("sk-proj-", "sk-svcacct-"),
    dialect=Dialect(
        call_ids=r"[A-Za-z0-9_-]{1,40}", about="Ids of calls have at most 40 letters, digits, `_` and `-`."
    ),
)
OTHER = Preset(
    "other", Text("Own server"), "", needs_key=False, apis=_ALL_APIS, hint=Text("Any OpenAI-compatible address.")
)
_ALL = (
    OPENAI,
    Preset(
        "anthropic",
        "Anthropic",
        "https://api.anthropic.com",
        "ANTHROPIC_API_KEY",
        apis=(Api.ANTHROPIC,),
        keys_url="https://console.anthropic.com/settings/keys",
        key_starts=("sk-ant-",),
        dialect=Dialect(
            call_ids=r"[A-Za-z0-9_-]{1,64}",
            refuses=frozenset({"temperature", "top_p"}),
            property_names="[a-zA-Z0-9_.-]{1,64}",
            about="Version 2026-10-21 of the protocol has no `temperature` and `top_p`. Ids of calls have letters, "
            "digits, `_` and `-`; names of arguments also have points.",
        ),
    ),
    OTHER,
    Preset(
        "openrouter",
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        "OPENROUTER_API_KEY",
        apis=_ALL_APIS,
        keys_url="https://openrouter.ai/settings/keys",
        key_starts=("sk-or-",),
        dialect=Dialect(
            passes_cache_marks=True,
            about="Claude models are sent marks for the cache. `reasoning_details` go back with calls, as they came.",
        ),
    ),
    Preset(
        "groq",
        "Groq",
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        apis=_BOTH,
        keys_url="https://console.groq.com/keys",
        key_starts=("gsk_",),
    ),
    Preset(
        "mistral",
        "Mistral",
        "https://api.mistral.ai/v1",
        "MISTRAL_API_KEY",
        keys_url="https://console.mistral.ai/api-keys",
        dialect=Dialect(
            call_ids=r"[A-Za-z0-9]{9}",
            about="Ids of calls have nine letters or digits; other servers get such ids too, for models of Mistral.",
        ),
    ),
    Preset(
        "deepseek",
        "DeepSeek",
        "https://api.deepseek.com/v1",
        "DEEPSEEK_API_KEY",
        apis=_ALL_APIS,
        addresses={Api.ANTHROPIC: "https://api.deepseek.com/anthropic"},
        keys_url="https://platform.deepseek.com/api_keys",
        dialect=_OF_THINKERS,
    ),
    Preset(
        "xai",
        "xAI",
        "https://api.x.ai/v1",
        "XAI_API_KEY",
        apis=_BOTH,
        keys_url="https://console.x.ai/",
        key_starts=("xai-",),
    ),
    Preset(
        "moonshot",
        "Moonshot (Kimi)",
        "https://api.moonshot.ai/v1",
        "MOONSHOT_API_KEY",
        apis=_ALL_APIS,
        addresses={Api.ANTHROPIC: "https://api.moonshot.ai/anthropic"},
        keys_url="https://platform.kimi.ai/console/api-keys",
        dialect=_OF_THINKERS,
    ),
    Preset(
        "zai",
        "Z.ai (GLM)",
        "https://api.z.ai/api/paas/v4",
        "ZAI_API_KEY",
        apis=(Api.CHAT, Api.ANTHROPIC),
        addresses={Api.ANTHROPIC: "https://api.z.ai/api/anthropic"},
        keys_url="https://z.ai/manage-apikey/apikey-list",
    ),
    Preset(
        "minimax",
        "MiniMax",
        "https://api.minimax.io/v1",
        "MINIMAX_API_KEY",
        apis=_ALL_APIS,
        addresses={Api.ANTHROPIC: "https://api.minimax.io/anthropic"},
        keys_url="https://platform.minimax.io/user-center/basic-information/interface-key",
    ),
    Preset(
        "together",
        "Together",
        "https://api.together.xyz/v1",
        "TOGETHER_API_KEY",
        keys_url="https://api.together.ai/settings/api-keys",
    ),
    Preset(
        "azure",
        "Azure OpenAI",
        "https://YOUR-RESOURCE.openai.azure.com/openai/v1",
        "AZURE_OPENAI_API_KEY",
        apis=_BOTH,
        hint=Text("Enter the name of your resource in the address. Models are your deployments."),
        keys_url="https://ai.azure.com/",
        dialect=Dialect(call_ids=r"[A-Za-z0-9_-]{1,40}", about="As OpenAI."),
    ),
    Preset(
        "gemini",
        "Gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        keys_url="https://aistudio.google.com/apikey",
        key_starts=("AIza",),
        dialect=Dialect(
            foreign_call={"extra_content": {"google": {"thought_signature": "skip_thought_signature_validator"}}},
            schema_words=_OF_GEMINI,
            formats=frozenset(("enum", "date-time", "float", "double", "int32", "int64")),
            has_empty_objects=False,
            about="Since Gemini 3 a call without its signature is refused. One that another model made gets the value "
            "that the vendor defines for such calls. Schemas of tools have only what the vendor's `Schema` has.",
        ),
    ),
    Preset("ollama", "Ollama", "http://127.0.0.1:11434/v1", needs_key=False, port=11434, apis=_ALL_APIS),
    Preset("lm-studio", "LM Studio", "http://127.0.0.1:1234/v1", needs_key=False, port=1234, apis=_ALL_APIS),
    Preset(
        "llama-cpp",
        "llama.cpp",
        "http://127.0.0.1:8080/v1",
        needs_key=False,
        port=8080,
        apis=_ALL_APIS,
        dialect=_OF_LLAMA,
    ),
    Preset("vllm", "vLLM", "http://127.0.0.1:8000/v1", needs_key=False, port=8000, apis=_ALL_APIS),
    Preset("jan", "Jan", "http://127.0.0.1:1337/v1", needs_key=False, port=1337, dialect=_OF_LLAMA),
)
PRESETS: Mapping[str, Preset] = {preset.id: preset for preset in _ALL}


def preset_for_key(key: str) -> Preset | None:
    """Return the vendor that issued ``key``, where its beginning shows it."""
    return next(
        (preset for preset in PRESETS.values() if preset.key_starts and key.startswith(preset.key_starts)), None
    )


def preset_of(name: str) -> Preset:
    """Return the preset called ``name``; an unknown name means any other server."""
    return PRESETS.get(name, OTHER)


def address_of(profile: ProviderProfile) -> str:
    """Return the address that requests of a provider go to: its own, or, where that is the vendor's usual one, the
    vendor's for the protocol."""
    preset = preset_of(profile.preset)
    usual = preset.base_url
    is_usual = profile.base_url.rstrip("/") in ("", usual, usual.removesuffix(urlsplit(usual).path))
    return preset.addresses.get(profile.api, profile.base_url or usual) if is_usual else profile.base_url
