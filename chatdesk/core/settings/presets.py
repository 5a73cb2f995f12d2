"""The vendors and servers that ChatDesk knows by name, as data: nothing else depends on which there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatdesk.core.domain.provider_profile import Api


@dataclass(frozen=True, slots=True)
class Preset:
    """``variable`` is the environment variable in which people keep that vendor's key; it counts for the vendor's own
    host only. ``port``: where such a server listens on this computer, 0 for vendors. ``apis``: the protocols that may
    be chosen, the usual one first. ``hint`` is read below the address."""

    id: str
    label: str
    base_url: str
    variable: str = ""
    needs_key: bool = True
    port: int = 0
    apis: tuple[Api, ...] = (Api.CHAT,)
    hint: str = ""
    model: str = ""

    @property
    def api(self) -> Api:
        return self.apis[0]


_BOTH = (Api.CHAT, Api.RESPONSES)
OPENAI = Preset(
    "openai", "OpenAI", "https://api.openai.com/v1", "OPENAI_API_KEY", apis=_BOTH, hint="empty is OpenAI's own address"
)
OTHER = Preset("other", "Other server", "", needs_key=False, apis=_BOTH, hint="any OpenAI-compatible address")
_ALL = (
    OPENAI,
    Preset(
        "anthropic",
        "Anthropic",
        "https://api.anthropic.com",
        "ANTHROPIC_API_KEY",
        apis=(Api.ANTHROPIC,),
        hint="its own API; needs the package chatdesk[anthropic]",
    ),
    Preset("openrouter", "OpenRouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    Preset("groq", "Groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    Preset("mistral", "Mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    Preset("deepseek", "DeepSeek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    Preset("together", "Together", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    Preset(
        "azure",
        "Azure OpenAI",
        "https://YOUR-RESOURCE.openai.azure.com/openai/v1",
        "AZURE_OPENAI_API_KEY",
        apis=_BOTH,
        hint="put the name of your resource into the address; models are your deployments",
    ),
    Preset(
        "gemini",
        "Gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        hint="the compatible endpoint",
    ),
    Preset("ollama", "Ollama", "http://127.0.0.1:11434/v1", needs_key=False, port=11434),
    Preset("lm-studio", "LM Studio", "http://127.0.0.1:1234/v1", needs_key=False, port=1234),
    Preset("llama-cpp", "llama.cpp", "http://127.0.0.1:8080/v1", needs_key=False, port=8080),
    Preset("vllm", "vLLM", "http://127.0.0.1:8000/v1", needs_key=False, port=8000, apis=_BOTH),
    Preset("jan", "Jan", "http://127.0.0.1:1337/v1", needs_key=False, port=1337),
    OTHER,
)
PRESETS: Mapping[str, Preset] = {preset.id: preset for preset in _ALL}


def preset_of(name: str) -> Preset:
    """The preset called ``name``; one that is not known is just another server."""
    return PRESETS.get(name, OTHER)
