"""The Submit page's pieces, and the receipt that Batches shows as well."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path
from typing import Final

import streamlit as st

from valar_ui import outbox, session
from valar_ui.ledger import Account, Dispatch, Draft, LedgerFault, State, Submission
from valar_ui.ledger.words import ACTIONS
from valar_ui.parts import checking, costs, frame, steps
from valar_ui.parts.frame import count, local_time
from valar_ui.prepare import Prepared
from valar_ui.pricing import estimate_all
from valar_ui.session import literal
from valar_ui.spool import DiskFull, megabytes

SENDING_S: Final = 1.0
"""Seconds between two looks at the ledger while something is on its way."""
RUNNING_S: Final = 3.0
"""Seconds between two looks while Valar works on the batch."""
MARKS: Final = {
    State.ACCEPTED: ":green[:material/check_circle:]",
    State.REJECTED: ":red[:material/cancel:]",
    State.HELD: ":orange[:material/pan_tool:]",
    State.STOPPED: ":gray[:material/stop_circle:]",
}


def sent(draft: Draft, prepared: Prepared) -> Dispatch | None:
    """What this draft's present contents became at the present destination; a new version is not sent yet."""
    here, again = session.account(), session.state().again
    found = _dispatches(draft, prepared)
    return next((it for it in found if it.account == here and it.id not in again), None)


def _dispatches(draft: Draft, prepared: Prepared) -> list[Dispatch]:
    found = session.services().ledger.dispatches(session.owner(), draft_id=draft.id)
    return [it for it in found if it.fingerprint == prepared.fingerprint]


def where(account: Account) -> str:
    """`the sandbox`, or Valar with its host, for use inside Markdown."""
    if account.kind == "sandbox":
        return "the sandbox"
    return f"Valar at {literal(account.base_url.split('://', 1)[-1].split('/', 1)[0])}"


def _elsewhere(draft: Draft, prepared: Prepared) -> None:
    """Where else the same contents went: trying on the sandbox first, then sending to Valar, is the usual way."""
    here = session.account()
    for it in _dispatches(draft, prepared):
        if it.account != here:
            with st.container(border=True):
                ids = ", ".join(f"`{name}`" for name in it.batch_ids[:3])
                told = f"accepted as {ids}" if it.accepted else literal(it.summary, most=400)
                st.markdown(f":material/history: The same went to {where(it.account)}: {told}")
                if st.button("Open it", key=f"elsewhere-{it.id}"):
                    frame.go("batch", id=it.id)


def _already(draft: Draft, prepared: Prepared) -> None:
    """What this draft sent to the same place before its mapping or its file was changed: it is paid for as well."""
    for it in session.services().ledger.dispatches(session.owner(), draft_id=draft.id):
        if it.account == session.account() and it.fingerprint != prepared.fingerprint and it.batch_ids:
            st.info(
                f"An earlier version of this was sent {outbox.ago(session.now() - it.created_at)}, as "
                f"{', '.join(it.batch_ids[:3])}{' and more' if len(it.batch_ids) > 3 else ''}. "
                "It stays as it is; this is sent on top, and billed on top.",
                icon=":material/history:",
            )
            break


def _submit(draft: Draft, prepared: Prepared, label: str, confirmed: str | None) -> None:
    """The click: one transaction in the ledger, nothing else; the worker sends."""
    running, here = session.services(), session.state()
    try:
        outbox.submit(
            running.ledger,
            owner=session.owner(),
            draft_id=draft.id,
            prepared=prepared,
            label=label,
            account=session.account(),
            session=here.name,
            file_name=draft.file_name,
            now=session.now(),
            confirmed=confirmed,
        )
    except (LedgerFault, DiskFull) as fault:
        here.told = str(fault)
        return
    here.again = frozenset()
    running.worker.wake()


def form(draft: Draft, prepared: Prepared) -> None:
    """The label, the destination, what will be sent, and the button."""
    label, flaw = checking.label_input(draft, prepared)
    parts, _ = outbox.plan_to_send(prepared, label if flaw is None else "", now=session.now())
    _elsewhere(draft, prepared)
    _already(draft, prepared)
    target = where(session.account())
    batches = "one batch" if len(parts.parts) == 1 else f"{len(parts.parts)} batches"
    st.markdown(
        f"**{count(prepared.requests, 'request')}, {batches}, {megabytes(parts.body_bytes)}, to {target}.**"
        f"  \n{costs.in_words(estimate_all(prepared.usage, prices=session.prices()))}"
    )
    if prepared.left_out:
        st.caption(f"{prepared.requests:,} of {count(prepared.rows, 'row')} go; {prepared.left_out:,} are left out.")
    earlier = outbox.sent_before(session.services().ledger, session.owner(), prepared.content_sha256, session.account())
    confirmed = earlier is None or _confirmed(earlier)
    told = session.state().told
    if told:
        st.error(literal(told, most=500))
        session.state().told = ""
    st.button(
        "Submit",
        key="submit",
        type="primary",
        icon=":material/send:",
        disabled=flaw is not None or not confirmed,
        on_click=_submit,
        args=(draft, prepared, label, earlier.id if earlier and confirmed else None),
    )
    st.caption("Valar cannot cancel a batch once it has it.")


def _confirmed(earlier: Dispatch) -> bool:
    """Whether the person saw that these contents were sent before, and wants them sent again."""
    st.warning(literal(outbox.sent_before_words(earlier, now=session.now()), most=500), icon=":material/content_copy:")
    return st.checkbox("Send it again, and pay for it again", key=f"again-{earlier.id}")


def follow(dispatch: Dispatch) -> None:
    """What became of it, refreshed by itself until nothing changes any more."""
    ledger, owner = session.services().ledger, session.owner()
    running = any(not batch.final for batch in map(ledger.batch, dispatch.batch_ids, repeat(owner)) if batch)

    @st.fragment(run_every=SENDING_S if not dispatch.final else RUNNING_S if running else None)
    def watch() -> None:
        now = ledger.dispatch(dispatch.id, owner) or dispatch
        if now.final and not dispatch.final:
            st.rerun(scope="app")
        _status(now)

    watch()
    steps.keep_marks()
    _after(dispatch)


def _status(dispatch: Dispatch) -> None:
    if dispatch.accepted:
        st.success(f"Submitted: {count(dispatch.requests, 'request')} accepted.", icon=":material/check_circle:")
    elif len(dispatch.parts) == 1:
        pass  # its one part says it
    elif dispatch.moving:
        st.info(literal(dispatch.summary, most=500), icon=":material/sync:")
    else:
        st.warning(literal(dispatch.summary, most=500), icon=":material/pan_tool:")
    told = session.state().told
    if told:
        st.info(literal(told, most=500), icon=":material/info:")
    for one in dispatch.parts:
        _part(one, alone=len(dispatch.parts) == 1, refused=_refused_row(dispatch, one))
    if dispatch.actions:
        st.button(
            ACTIONS["stop_remaining"] if len(dispatch.parts) > 1 else "Do not send it",
            key="stop-remaining",
            icon=":material/stop_circle:",
            on_click=_stop,
            args=(dispatch,),
        )
        st.caption("What Valar already has goes on: it cannot be cancelled.")
    if dispatch.moving:
        st.caption("You may close this page: sending goes on, and Batches shows how far it is.")
    with st.expander("Receipt", icon=":material/receipt_long:", key=f"receipt-{dispatch.id}"):
        st.code(dispatch.receipt_text, language=None, wrap_lines=True)
        st.download_button(
            "Download the receipt", dispatch.receipt_text, f"receipt-{dispatch.id}.txt", "text/plain",
            key=f"receipt-file-{dispatch.id}", on_click="ignore",
        )  # fmt: skip


def _stop(dispatch: Dispatch) -> None:
    outbox.stop_remaining(session.services().ledger, dispatch.id, session.owner(), now=session.now())
    session.services().worker.wake()


def _refused_row(dispatch: Dispatch, one: Submission) -> int | None:
    """The row of the sheet that a refusal is about, where Valar named a request and the preparation is still there."""
    folder = Path(dispatch.prepared)
    if one.state is not State.REJECTED or not (folder / "prepared.json").exists():
        return None
    return outbox.row_of_refusal(Prepared.load(folder), one)


def _part(one: Submission, *, alone: bool, refused: int | None) -> None:
    with st.container(border=True):
        title = "" if alone else f"Part {one.part} of {one.parts}: "
        st.markdown(f"{MARKS.get(one.state, ':blue[:material/sync:]')} {title}{literal(one.words, most=700)}")
        if refused is not None:
            st.markdown(f"That request is **row {refused:,}** of the sheet.")
        if one.batch_id:
            st.code(one.batch_id, language=None)
        batch = session.services().ledger.batch(one.batch_id, session.owner()) if one.batch_id else None
        facts = [
            f"sent to {where(one.account)}" if one.batch_id else f"goes to {where(one.account)}",
            count(one.requests, "request"),
            megabytes(one.body_bytes),
            f"label {literal(one.label)}" if one.label else "",
        ]
        if batch is not None:
            facts += [f"created {local_time(batch.created_at)}", literal(batch.words)]
        st.caption(" · ".join(fact for fact in facts if fact))
        last = one.attempts[-1] if one.attempts else None
        if last is not None and last.request_id and one.state is not State.ACCEPTED:
            kind = f"{literal(last.type)} · " if last.type else ""
            st.caption(f"{kind}X-Request-ID {literal(last.request_id)}")
        for action in one.actions:
            _action(one, action)


def _action(one: Submission, action: str) -> None:
    if action == "give_key":
        if session.account().kind == one.account.kind:
            st.button("Go on with the key of this session", key=f"use-{one.id}", on_click=_act, args=(one, "use_key"))
        if st.button(ACTIONS[action], key=f"{action}-{one.id}"):
            frame.go("connection")
        return
    if action == "adopt":
        for found in one.candidates or ():
            label = f"{ACTIONS[action]}: {found.id}"
            st.button(literal(label), key=f"{action}-{one.id}-{found.id}", on_click=_act, args=(one, action, found.id))
        return
    help_text = "Where Valar did accept the first one, both are paid for." if action == "send_again" else None
    st.button(ACTIONS[action], key=f"{action}-{one.id}", on_click=_act, args=(one, action), help=help_text)


def _act(one: Submission, action: str, batch_id: str = "") -> None:
    """One decision of the person; what it changes is in the ledger before the page is drawn again."""
    running, owner, now = session.services(), session.owner(), session.now()
    ledger = running.ledger
    try:
        match action:
            case "adopt":
                outbox.adopt(ledger, one.id, owner, batch_id, now=now)
            case "retry_now" | "ask_again":
                outbox.ask_again(ledger, one.id, owner, now=now)
            case "send_again":
                outbox.send_again(ledger, one.id, owner, now=now)
            case "split":
                outbox.split(ledger, one.id, owner, now=now)
            case "use_key":
                outbox.give_key(ledger, one.id, owner, session.account(), now=now)
            case "run_as_background":
                session.state().told = outbox.run_as_background(ledger, one.id, owner)
    except LedgerFault as fault:
        session.state().told = str(fault)
    running.worker.wake()


def _after(dispatch: Dispatch) -> None:
    st.space("small")
    with st.container(horizontal=True):
        if dispatch.accepted:
            if st.button("See all batches", key="way-on", type="primary", icon=":material/arrow_forward:"):
                frame.go("batches")
            st.button("Start a new one", key="anew", on_click=session.open_draft, args=(None,), icon=":material/add:")
        elif dispatch.final and st.button("Back to check", key="way-on", type="primary"):
            session.state().again |= {dispatch.id}
            frame.go("check")
