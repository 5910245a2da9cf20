"""The only door to Streamlit's state, secrets, cookies and addresses; everything else is told what it needs."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal
from uuid import uuid4

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.typing import UploadedFile

from valar_ui.client import Keyring, Valar, ValarFault
from valar_ui.drafts import Desk
from valar_ui.jobs import Jobs
from valar_ui.ledger import Account, Draft, Ledger
from valar_ui.pricing import BUILT_IN, Prices, load_prices
from valar_ui.readers import Reading
from valar_ui.recipe import Recipe
from valar_ui.settings import Settings
from valar_ui.worker import Worker, get_worker

BROWSER_COOKIE: Final = "valar_browser"
"""Names a browser in a shared deployment; set by the server, never readable by scripts."""

MODELS_AGAIN_S: Final = 60.0
"""Seconds for which a Valar that could not list its models is not asked again by itself."""

Destination = Literal["sandbox", "valar"]


@dataclass(frozen=True, slots=True)
class Services:
    """What one server process shares among all people: nothing here belongs to one of them."""

    settings: Settings
    ledger: Ledger
    jobs: Jobs
    worker: Worker

    @property
    def keyring(self) -> Keyring:
        """API keys, in memory only."""
        return self.worker.keyring

    def close(self) -> None:
        """Stop the threads."""
        self.worker.stop()
        self.jobs.close()


@dataclass(slots=True)
class State:
    """All that a browser session holds; everything a person made lies in the ledger."""

    name: str = field(default_factory=lambda: uuid4().hex)
    """Names this session among the dispatches."""
    draft_id: str | None = None
    typed_key: str | None = field(default=None, repr=False)
    """The API key typed on Connection: kept for the session, never on disk."""
    uploads: int = 0
    """Turns the upload widget's key, so that it forgets the file it passed on."""
    destination: Destination | None = None
    """What the person chose on Connection; mirrored in the address, so that a refresh keeps it."""
    models: tuple[str, ...] | None = None
    """What `GET /models` last said for this destination."""
    models_again_at: float = 0.0
    """When Valar may be asked again, after a fault."""
    models_fault: str = ""
    """Why the models could not be listed, for the person; empty where they were."""
    again: frozenset[str] = frozenset()
    """Dispatches that the person has seen end and wants to go beyond."""
    sheet: str = ""
    """The preparation whose sheet with a Problem column the person asked for."""
    told: str = ""
    """What the last click was answered, for the next drawing of the page."""
    marks: tuple[bool, ...] = ()
    """Which steps of the journey the navigation shows as done."""
    rereads: int = 0
    """Turns the keys of the controls that read the file again."""
    shown_row: int | None = None
    """The row the preview showed last."""
    told_row: tuple[int, tuple[str, ...]] = (0, ())
    """The row that *first with a problem* went to, and the causes it has."""
    replaced: tuple[str, dict[str, Any]] | None = None
    """A draft and its mapping before a recipe was loaded over it."""
    jump: str | None = None
    """Where the preview goes once every row is checked: longest, shortest, first_problem."""
    revision: int = 0
    """Turns the mapping widgets' keys when a recipe is loaded over them."""
    seen: tuple[str, dict[str, Any] | None] | None = None
    """A draft and its mapping as this tab last read or wrote it."""
    elsewhere: bool = False
    """Another tab changed the mapping, and the page has not said so yet."""


@lru_cache(maxsize=4)
def _services(settings: Settings) -> Services:
    worker = get_worker(settings, sandbox_url=sandbox_url)
    return Services(settings, worker.ledger, Jobs(), worker)


def services(settings: Settings | None = None) -> Services:
    """The process's services, made on first use (the server, the tests and plain runs alike)."""
    return _services(settings or Settings.from_environment())


def sandbox_url() -> str:
    """Where the sandbox answers: the one beside these pages, unless the environment names another."""
    configured = Settings.from_environment().sandbox_url
    if configured:
        return configured
    listens = str(st.get_option("server.address") or "")
    host = "localhost" if listens in {"", "0.0.0.0", "::"} else listens  # noqa: S104 - compared, not bound
    return f"http://{host}:{st.get_option('server.port')}{own_address('sandbox/v1')}"


def now() -> float:
    """The clock, in seconds since 1970."""
    return time.time()


def own_address(path: str) -> str:
    """The address of one of this server's own routes, as the browser reaches it."""
    prefix = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{prefix}/{path}" if prefix else f"/{path}"


def state() -> State:
    """This browser session's state."""
    if "valar" not in st.session_state:
        st.session_state["valar"] = State()
    found: State = st.session_state["valar"]
    return found


def owner() -> str:
    """Whose work the pages show: everyone's the same on one's own computer, one's own in a shared deployment."""
    if not (Settings.from_environment().shared or _from_elsewhere()):
        return "local"
    browser = st.context.cookies.get(BROWSER_COOKIE) or state().name
    return hashlib.sha256(browser.encode()).hexdigest()[:24]


def _from_elsewhere() -> bool:
    headers = st.context.headers
    host = (headers.get("Host") or "localhost").rsplit(":", 1)[0].strip("[]").casefold()
    return bool(headers.get("X-Forwarded-For")) or host not in {"localhost", "127.0.0.1", "::1"}


def desk() -> Desk:
    """The person's drafts."""
    running = services()
    return Desk(running.settings, running.ledger, running.jobs, owner(), prices())


def keep_address() -> None:
    """The draft's id and the destination stay in the address, so that a refresh finds them again."""
    here = state()
    named = st.query_params.get("draft")
    if here.draft_id is None and named and desk().find(named) is not None:
        here.draft_id = named
    if here.destination is None and st.query_params.get("to") in ("sandbox", "valar"):
        here.destination = "sandbox" if st.query_params["to"] == "sandbox" else "valar"
    for name, value in (("draft", here.draft_id), ("to", here.destination)):
        if value and st.query_params.get(name) != value:
            st.query_params[name] = value


def open_draft(draft_id: str | None) -> None:
    """Work on this draft from now on; None begins with an empty desk."""
    here = state()
    here.draft_id = draft_id
    here.shown_row = None
    here.revision += 1
    if draft_id is None:
        st.query_params.pop("draft", None)


def keep_recipe(draft: Draft, recipe: Recipe) -> Draft:
    """Write the mapping down as this tab has it."""
    saved = desk().save_recipe(draft, recipe)
    state().seen = (saved.id, saved.recipe)
    return saved


def changed_elsewhere(draft: Draft) -> bool:
    """Whether another tab changed the mapping since this one saw it; the widgets then begin anew with what is there."""
    here = state()
    before, here.seen = here.seen, (draft.id, draft.recipe)
    if before is None or before[0] != draft.id or before[1] == draft.recipe:
        return False
    here.revision += 1
    return True


def forget_upload(dropped: UploadedFile) -> None:
    """Drop an upload from Streamlit's memory, and turn the widget's key so that it does not ask for it again.

    `uploaded_file_mgr` is not public; a test holds this to what the running Streamlit does.
    """
    context = get_script_run_ctx()
    remove = getattr(context.uploaded_file_mgr, "remove_file", None) if context is not None else None
    if context is not None and remove is not None:
        remove(context.session_id, dropped.file_id)
    dropped.close()
    state().uploads += 1


def draft() -> Draft | None:
    """The draft this session works on."""
    return desk().find(state().draft_id)


def reading() -> Reading | None:
    """How the draft's file was read, where it was."""
    here = draft()
    return desk().reading(here) if here else None


def remember_mapping(here: Draft) -> None:
    """Offer this draft's mapping again for the next sheet with the same headings."""
    read, ledger = reading(), services().ledger
    if read is None or not here.recipe or ledger.recipe_for_headers(owner(), read.columns) == here.recipe:
        return
    ledger.remember_mapping(owner(), read.columns, here.recipe, now=now())


def prices() -> Prices:
    """The built-in prices, or those of the file that the environment names."""
    return _prices(services().settings.prices)


@lru_cache(maxsize=4)
def _prices(path: Path | None) -> Prices:
    return load_prices(path) if path else BUILT_IN


def configured_key() -> tuple[str, str] | None:
    """The key from the environment or the secrets file, with where it came from; never the typed one."""
    key = os.environ.get("VALAR_API_KEY", "").strip()
    if key:
        return key, "the environment variable VALAR_API_KEY"
    try:
        key = str(st.secrets.get("VALAR_API_KEY", "")).strip()
    except FileNotFoundError:
        return None
    return (key, "the secrets file") if key else None


def destination() -> Destination:
    """Where requests go: where the person chose; else to Valar exactly when there is a key for it."""
    has_key = state().typed_key is not None or configured_key() is not None
    if state().destination == "sandbox" or not has_key:
        return "sandbox"
    return "valar"


def choose(where: Destination) -> None:
    """Send to the sandbox or to Valar from now on."""
    state().destination = where
    forget_models()


def models() -> tuple[str, ...]:
    """The models the key may use; empty where Valar cannot be asked (the person types one then)."""
    here = state()
    if here.models is None and now() >= here.models_again_at:
        try:
            with client() as valar:
                here.models = tuple(valar.models())
            here.models_fault = ""
        except ValarFault as fault:
            here.models_fault = str(fault)
            here.models_again_at = now() + MODELS_AGAIN_S
    return here.models or ()


def forget_models() -> None:
    """Ask for the models again at the next look: the key or the destination has changed."""
    here = state()
    here.models, here.models_again_at = None, 0.0


def unknown_models(names: Iterable[str]) -> list[str]:
    """Those of these models that Valar does not list for this key; none where it could not be asked."""
    known = models()
    return [name for name in names if known and name not in known]


def api_key() -> str:
    """The key for the current destination; the sandbox's is made for this person and opens nothing else."""
    if destination() == "sandbox":
        secret = services().settings.install_secret()
        return "sandbox-" + hmac.new(secret, owner().encode(), hashlib.sha256).hexdigest()[:24]
    configured = configured_key()
    return state().typed_key or (configured[0] if configured else "")


def account() -> Account:
    """Where requests go and under which key (its fingerprint only); the worker is handed the key in memory."""
    return services().keyring.add(api_key(), kind=destination(), base_url=services().settings.base_url)


def client() -> Valar:
    """A client for the current destination; use it with `with`, which gives its connections back."""
    where = destination()
    return Valar(sandbox_url() if where == "sandbox" else services().settings.base_url, api_key())


_PUNCTUATION: Final = re.compile(r"([!-/:-@\[-`{-~])")
_MORE_THAN_TEXT: Final = re.compile(r"(?<=[:@])|(?<=[-<>=])(?=[-<>=])|(?<=w)(?=ww)", re.IGNORECASE)


def literal(text: str, *, most: int = 200) -> str:
    """A person's text for use inside Markdown: shown as typed, never as markup, link, icon or formula.

    Where backslashes are not enough (`:material/x:`, `http:`, `a@b.example`, `->`), an invisible word joiner is.
    """
    line = " ".join(text.split())
    short = line if len(line) <= most else line[: most - 1] + "…"
    return _PUNCTUATION.sub(r"\\\1", _MORE_THAN_TEXT.sub("\u2060", short))
