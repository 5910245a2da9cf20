"""Models that the requests name and Valar does not list, each with another one to be asked instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from valar_ui import session
from valar_ui.ledger import Draft
from valar_ui.parts.frame import count
from valar_ui.prepare import Prepared
from valar_ui.recipe import FromColumn, Recipe, UseModel
from valar_ui.session import literal

SHOWN: Final = 5
"""Models that are offered to be replaced."""


def unlisted(draft: Draft, recipe: Recipe, prepared: Prepared) -> None:
    """Name the models in doubt; those that come from the sheet can be replaced here, a fixed one on Map."""
    listed = session.models()
    if listed:
        names = session.unknown_models(prepared.models)
        doubt = "a model that Valar does not list for you"
    else:
        # Without a list, what the prices do not know is in doubt; on Map a person can see that, here only now.
        names = [name for name in prepared.models if name not in session.prices().models]
        names = names if recipe.kind == "ready" else []
        doubt = "a model that this app does not know, and Valar could not be asked"
    if not names:
        return
    requests = sum(prepared.models[name] for name in names)
    told = ", ".join(literal(name, most=60) for name in names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
    mendable = recipe.kind == "ready" or isinstance(recipe.model, FromColumn)
    st.warning(
        f"{count(requests, 'request asks', 'requests ask')} for {doubt}: {told}. Valar will probably refuse "
        f"{'it' if requests == 1 else 'them'}; {'use another model' if mendable else 'choose another model on Map'}, "
        "or look at Connection.",
        icon=":material/question_mark:",
    )
    for name in names[:SHOWN] if mendable else ():
        _another(draft, name, listed)


def _another(draft: Draft, name: str, listed: Sequence[str]) -> None:
    """Choose what is asked instead of one model; where no model is listed, it is typed."""
    which, use = st.columns([4, 1], vertical_alignment="bottom")
    key, label = f"model-instead-{name}", f"Instead of {literal(name, most=60)}, use"
    if listed:
        which.selectbox(label, listed, None, key=key, placeholder="Choose a model")
    else:
        which.text_input(label, key=key, live=True, placeholder="The model's name")
    chosen = str(st.session_state.get(key) or "").strip()
    use.button("Use it", key=f"use-{key}", disabled=not chosen, on_click=_use, args=(draft, name, key), width="stretch")


def _use(draft: Draft, name: str, key: str) -> None:
    chosen = str(st.session_state.get(key) or "").strip()
    if chosen and chosen != name:
        session.desk().add_step(draft, UseModel(instead_of=name, model=chosen))
