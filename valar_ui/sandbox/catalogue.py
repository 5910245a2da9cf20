"""The models that the sandbox pretends to have."""

from __future__ import annotations

from typing import Any, Final

MODELS: Final = {
    "deepseek-ai/DeepSeek-V4-Pro": False,
    "deepseek-ai/DeepSeek-V4-Flash": False,
    "moonshotai/Kimi-K2.6": True,
    "zai-org/GLM-5.1-FP8": False,
    "openai/gpt-oss-120b": False,
    "Qwen/Qwen3.5-397B-A17B": False,
    "google/gemma-4-31B-it": True,
    "MiniMaxAI/MiniMax-M2.7": False,
}
"""Name → takes images (Models page)."""

SINCE: Final = 1_767_225_600
"""The `created` time of every model: 2026-01-01."""


def model_list() -> dict[str, Any]:
    """The answer to GET /v1/models."""
    return {
        "object": "list",
        "data": [
            {"id": name, "object": "model", "created": SINCE, "owned_by": name.partition("/")[0]} for name in MODELS
        ],
    }
