"""The Connection page's pieces: where to, the key, the test, the sandbox's faults, the disk."""

from __future__ import annotations

import time
from typing import Final

import streamlit as st

from valar_ui import session
from valar_ui.client import ValarFault
from valar_ui.outbox import cleanup, disk_usage
from valar_ui.parts.frame import count, go, local_time
from valar_ui.sandbox.faults import PRESETS, FaultPlan
from valar_ui.session import Destination, literal
from valar_ui.spool import megabytes

NAMES: Final[dict[Destination, str]] = {
    "sandbox": "Sandbox: a Valar inside this app. Answers are made up, nothing is billed.",
    "valar": "Valar: requests are sent and billed.",
}


def _choose(key: str) -> None:
    session.choose("valar" if st.session_state[key] == "valar" else "sandbox")


def _type_key(key: str) -> None:
    typed = (st.session_state.get(key) or "").strip()
    here = session.state()
    if typed:
        here.typed_key = typed
        session.choose("valar")
    st.session_state[key] = ""


def _forget_key() -> None:
    session.state().typed_key = None
    session.choose("sandbox")


def choose() -> None:
    """Sandbox or Valar, and the key where one is needed."""
    here, configured = session.state(), session.configured_key()
    has_key = here.typed_key is not None or configured is not None
    key = f"destination-{session.destination()}"
    st.radio(
        "Send to",
        list(NAMES),
        index=list(NAMES).index(session.destination()),
        format_func=lambda it: NAMES[it],
        key=key,
        on_change=_choose,
        args=(key,),
        disabled=not has_key,
    )
    base_url = session.services().settings.base_url
    st.caption(f"Valar’s address, from the environment: {literal(base_url)}")
    if here.typed_key is not None:
        said, button = st.columns([4, 1], vertical_alignment="center")
        said.success(
            "The key you typed is in use. It is kept for this session only, never on disk.", icon=":material/key:"
        )
        button.button("Forget it", key="forget-key", on_click=_forget_key, width="stretch")
    elif configured is not None:
        st.success(f"There is a key from {configured[1]}.", icon=":material/key:")
    else:
        st.info(
            "To send to Valar, type your API key. Without one, everything works on the sandbox.", icon=":material/key:"
        )
    st.text_input(
        "Another API key" if has_key else "API key",
        type="password",
        key="typed-key",
        on_change=_type_key,
        args=("typed-key",),
        autocomplete="off",
        help="Kept in memory for this session. It is never written to disk, to a log or to a downloaded file.",
    )


def test() -> None:
    """Ask for the models and say what came back."""
    if not st.button("Test the connection", key="test-connection", type="primary", icon=":material/network_check:"):
        return
    began = time.perf_counter()
    try:
        with st.spinner("Asking for the models …"), session.client() as valar:
            models = valar.models()
    except ValarFault as fault:
        st.error(literal(str(fault), most=500), icon=":material/error:")
        if fault.request_id:
            st.caption(f"Request id, for support: {literal(fault.request_id)}")
        return
    session.state().models = tuple(models)
    took = time.perf_counter() - began
    st.success(f"It works: {count(len(models), 'model')} in {took:.1f} s.", icon=":material/task_alt:")
    st.dataframe({"model": list(models)}, hide_index=True, key="models")


def fault_dial() -> None:
    """Let the sandbox misbehave, to see how nothing is lost."""
    path = session.services().settings.folder("sandbox") / "faults.json"
    with st.expander("Let the sandbox misbehave", icon=":material/bolt:", key="faults"):
        st.caption("See for yourself that nothing is paid twice and nothing is lost. This changes the sandbox only.")
        chosen = st.selectbox("Fault", list(PRESETS), key="fault-preset")
        st.caption(literal(PRESETS[chosen][0], most=400))
        if st.button("Turn the dial", key="fault-set"):
            PRESETS[chosen][1].save(path)
            session.services().worker.forget_pause(session.account())
            st.success(f"The sandbox is set to: {literal(chosen)}.")
        if path.exists() and FaultPlan.load(path) != FaultPlan():
            st.warning("The sandbox is set to misbehave now.", icon=":material/bolt:")


def disk() -> None:
    """What the files take, and a way to clean up."""
    running = session.services()
    drafts = running.settings.folder("drafts")
    path = running.settings.ledger_path
    used = disk_usage(running.ledger, running.worker.spool, drafts, path, now=session.now())
    st.subheader("Files on this computer", anchor=False)
    st.markdown(used.words)
    st.caption("Batch ids, labels and receipts stay; uploaded files and prepared requests that no draft needs go.")
    if st.button("Clean up", key="clean-up", disabled=not used.removable, icon=":material/delete_sweep:"):
        freed = cleanup(running.ledger, running.worker.spool, drafts, now=session.now())
        st.success(f"{megabytes(freed)} freed.")
    _drafts()


def _remove(draft_id: str) -> None:
    running, owner = session.services(), session.owner()
    draft = session.desk().find(draft_id)
    if draft is None:
        return
    if session.state().draft_id == draft_id:
        session.open_draft(None)
    running.ledger.delete_draft(draft_id, owner)
    session.desk().remove_files(draft)


def _drafts() -> None:
    """Open an earlier draft again, or remove its files."""
    drafts = {it.id: it for it in session.services().ledger.drafts(session.owner(), limit=50)}
    if not drafts:
        return
    st.subheader("Drafts", anchor=False)
    which = st.selectbox(
        "Your drafts, the newest first",
        list(drafts),
        key="drafts",
        format_func=lambda it: f"{drafts[it].file_name} ({local_time(drafts[it].updated_at, utc=False)})",
    )
    with st.container(horizontal=True):
        if st.button("Open it", key="draft-open", icon=":material/edit:"):
            session.open_draft(which)
            go("upload")
        st.button("Remove its files", key="draft-remove", icon=":material/delete:", on_click=_remove, args=(which,))
    st.caption("What is still being sent is kept, and so are batch ids and receipts.")
