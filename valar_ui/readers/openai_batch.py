"""One body of an OpenAI batch file becomes params that Valar accepts; what it refuses is named."""

from __future__ import annotations

from typing import Any

from valar_ui.problems import Problem


def convert_body(
    body: dict[str, Any], url: Any, method: Any, number: int
) -> tuple[dict[str, Any], list[str], list[Problem]]:
    """Params, the changes in words, the problems of this request."""
    params = dict(body)
    changes = ["custom_id and body were kept; method and url were dropped, the endpoint is /v1/responses"]
    if "messages" in params:
        params["input"] = params.pop("messages")
        changes.append("messages became input")
    for name in ("max_tokens", "max_completion_tokens"):
        if name in params:
            params["max_output_tokens"] = params.pop(name)
            changes.append(f"{name} became max_output_tokens")
    return params, changes, []
