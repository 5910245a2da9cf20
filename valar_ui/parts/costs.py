"""What it may cost: a range for this recipe, and every model and window side by side. Every figure is an estimate."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from valar_ui import limits, session
from valar_ui.parts.frame import money
from valar_ui.prepare import Prepared
from valar_ui.pricing import Estimate, compare_models, estimate_all
from valar_ui.recipe import Recipe
from valar_ui.session import literal


def in_words(found: Estimate) -> str:
    """`about $3.10 – $12.40 (estimate)`."""
    if found.low is None:
        return "The price of this model is not known to this app."
    if found.high is None:
        return f"from {escaped(found.low)} up (estimate; without a longest answer there is no upper end)"
    return f"{_about(found.low, found.high)} (estimate)"


def saving(prepared: Prepared) -> str:
    """`, about $0.12 – $0.60 (estimate)`: what sending identical requests once saves; empty where nobody knows."""
    found = estimate_all(prepared.repeated_usage, prices=session.prices())
    if found.low is None:
        return ""
    if found.high is None:
        return f", from {escaped(found.low)} up (estimate)"
    return f", {_about(found.low, found.high)} (estimate)"


def _about(low: float, high: float) -> str:
    """`about $3.10 – $12.40`; an end too small to be told is none to be about."""
    least, most = escaped(low), escaped(high)
    told = least if least == most else f"{least} – {most}"
    return told if least.startswith("less") else f"about {told}"


def rounded(number: int) -> str:
    """An estimate to two figures: more would pretend to know."""
    return f"{float(f'{number:.2g}'):,.0f}"


def escaped(dollars: float) -> str:
    """Money inside Markdown, where two dollar signs would begin a formula."""
    return money(dollars).replace("$", "\\$")


def table(prepared: Prepared, recipe: Recipe) -> None:
    """The estimate, and what other models and windows would come to."""
    if not prepared.requests:
        return
    prices = session.prices()
    total = estimate_all(prepared.usage, prices=prices)
    tokens = sum(used.input_tokens for used in prepared.usage.values())
    st.markdown(
        f"**{in_words(total)}** · about {rounded(tokens)} input tokens · prices of {literal(prices.date, most=40)}"
    )
    with st.expander("What other models would cost", icon=":material/payments:", key="costs"):
        rows = []
        for model, windows in compare_models(
            prepared.usage, prices=prices, images=bool(recipe.images), always=prepared.models
        ):
            row: dict[str, str] = {"model": f"{model} (chosen)" if model in prepared.models else model}
            for window in limits.WINDOWS:
                found = windows[window]
                if found.low is None:
                    row[window] = "–"
                elif found.high is None:
                    row[window] = f"{money(found.low)} and up"
                else:
                    row[window] = f"{money(found.low)} – {money(found.high)}"
            rows.append(row)
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="costs-table")
        st.caption(
            f"Estimates from the prices of {literal(prices.date)} and the length of your texts: from no answer at all "
            "to every answer at its longest. A batch runs in the standard window; the others are shown for comparison."
        )
