"""The worker: sends and follows in the background, survives what should not be, ends when told."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.sandbox_server import serving
from tests.sending import KEY, Clock, Rig, accepted, arrivals, fault, prepared_rows
from valar_ui.client import Valar
from valar_ui.collector import Collector
from valar_ui.ledger import BatchState, State
from valar_ui.outbox import NotReady, cleanup, disk_usage, sent_before, sent_before_words, submit
from valar_ui.prepare import Prepared
from valar_ui.sandbox import create_app
from valar_ui.settings import Settings
from valar_ui.spool import DiskFull
from valar_ui.worker import Worker, get_worker

StartWorker = Callable[[], Worker]


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    """Six requests, in a draft's folder."""
    return prepared_rows(tmp_path / "home" / "drafts" / "one")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A sandbox's folder and base URL."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with serving(create_app(folder, faults=folder / "faults.json", pace=0.2, fail_share=0.0)) as origin:
        yield folder, f"{origin}/v1"


@pytest.fixture
def start_worker(tmp_path: Path, sandbox: tuple[Path, str]) -> Iterator[StartWorker]:
    """Start workers over one home; all are stopped after the test."""
    with ExitStack() as running:

        def start() -> Worker:
            worker = Worker(Settings(home=tmp_path / "home"), sandbox_url=lambda: sandbox[1], idle_seconds=0.05)
            running.callback(worker.stop)
            worker.keyring.add(KEY, kind="sandbox", base_url="sandbox")
            worker.start()
            return worker

        yield start


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something to become true; fails when it does not."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)


def click(worker: Worker, prepared: Prepared, label: str = "") -> str:
    """The person's click."""
    account = worker.keyring.add(KEY, kind="sandbox", base_url="sandbox")
    return submit(
        worker.ledger,
        owner="ann",
        draft_id="draft",
        prepared=prepared,
        label=label,
        account=account,
        session="s",
        file_name="words.csv",
        now=time.time(),
    ).id


def test_a_click_is_sent_and_followed_to_its_end(
    start_worker: StartWorker, sandbox: tuple[Path, str], prepared: Prepared
) -> None:
    worker = start_worker()
    clicked = click(worker, prepared)
    worker.wake()
    until(lambda: [batch.state for batch in worker.ledger.batches("ann")] == [BatchState.DONE])
    (batch,) = worker.ledger.batches("ann")
    assert (batch.id, batch.done, batch.failed) == (accepted(sandbox[0])[0]["id"], 6, 0)
    assert batch.label.startswith("batch-")
    assert batch.dispatch_id == clicked
    assert batch.deadline_at - batch.created_at == 48 * 3_600
    assert worker.ledger.batches("bob") == []
    assert worker.ledger.batch(batch.id, "bob") is None
    assert worker.ledger.dispatch(clicked, "bob") is None


def test_two_workers_over_one_folder_send_once(
    start_worker: StartWorker, sandbox: tuple[Path, str], prepared: Prepared
) -> None:
    workers = [start_worker() for _ in range(3)]
    clicked = click(workers[0], prepared, label="once")
    for worker in workers:
        worker.wake()
    until(lambda: getattr(workers[0].ledger.dispatch(clicked, "ann"), "accepted", False))
    assert len(arrivals(sandbox[0])) == 1


def test_what_was_clicked_before_a_stop_is_sent_after_the_next_start(
    start_worker: StartWorker, sandbox: tuple[Path, str], prepared: Prepared
) -> None:
    first = start_worker()
    first.stop()
    clicked = click(first, prepared)
    second = start_worker()
    until(lambda: getattr(second.ledger.dispatch(clicked, "ann"), "accepted", False))
    assert len(accepted(sandbox[0])) == 1


def test_a_fault_that_should_not_be_is_recorded_and_stops_nothing_else(
    tmp_path: Path, sandbox: tuple[Path, str], prepared: Prepared, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [True]

    def url() -> str:
        if broken.pop() if broken else False:
            raise RuntimeError(f"with {KEY} in it")
        return sandbox[1]

    worker = Worker(Settings(home=tmp_path / "home"), sandbox_url=url, idle_seconds=0.05)
    other = prepared_rows(tmp_path / "home" / "drafts" / "two", prompt="Other {{word}}")
    click(worker, prepared, label="first")
    second = click(worker, other, label="second")
    with caplog.at_level(logging.INFO):
        worker.wake()
        until(lambda: getattr(worker.ledger.dispatch(second, "ann"), "accepted", False))
    worker.stop()
    assert worker.last_fault == "RuntimeError"
    assert KEY not in caplog.text
    assert "canary cell" not in caplog.text
    assert f"batch={accepted(sandbox[0])[0]['id']}" in caplog.text


def test_the_process_has_one_worker_for_its_settings(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    worker = get_worker(settings)
    assert get_worker(Settings(home=tmp_path / "home")) is worker
    worker.stop()


def test_problems_and_a_full_disk_are_said_before_the_click_counts(
    start_worker: StartWorker, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = start_worker()
    with pytest.raises(NotReady):
        click(worker, prepared, label="not a label")
    monkeypatch.setattr("valar_ui.outbox.clicks.free_bytes", lambda _folder: 10)
    with pytest.raises(DiskFull):
        click(worker, prepared)
    assert worker.ledger.dispatches("ann") == []


def test_sent_before_is_told_with_its_age_and_ids(start_worker: StartWorker, prepared: Prepared) -> None:
    worker = start_worker()
    clicked = click(worker, prepared)
    worker.wake()
    until(lambda: getattr(worker.ledger.dispatch(clicked, "ann"), "accepted", False))
    account = worker.keyring.add(KEY, kind="sandbox", base_url="sandbox")
    earlier = sent_before(worker.ledger, "ann", prepared.content_sha256, account)
    assert earlier is not None
    words = sent_before_words(earlier, now=earlier.created_at + 185)
    assert words == f"You sent exactly this 3 minutes ago as {earlier.batch_ids[0]}."
    elsewhere = worker.keyring.add(KEY, kind="valar", base_url="https://valar.example/v1")
    assert sent_before(worker.ledger, "ann", prepared.content_sha256, elsewhere) is None


def test_cleaning_up_leaves_what_somebody_needs(tmp_path: Path, sandbox: tuple[Path, str], prepared: Prepared) -> None:
    rig = Rig(tmp_path / "home", sandbox[1])
    drafts = tmp_path / "home" / "drafts"
    mine = rig.ledger.create_draft("ann", folder=str(drafts / "mine"))
    for folder in ("mine/prepared-old", "mine/prepared-new", "left"):
        (drafts / folder).mkdir(parents=True)
        (drafts / folder / "items.bin").write_bytes(b"x" * 100)
    rig.ledger.save_draft(mine.id, "ann", prepared=str(drafts / "mine/prepared-new"))
    (rig.spool.folder / "gone-1234.json.partial").write_bytes(b"y" * 10)
    clicked = rig.click(prepared)
    young = rig.clock()
    assert cleanup(rig.ledger, rig.spool, drafts, now=young) == 10
    later = young + 86_400
    usage = disk_usage(rig.ledger, rig.spool, drafts, tmp_path / "home" / "ledger.sqlite3", now=later)
    assert usage.removable == 200
    assert usage.ledger > 0
    assert cleanup(rig.ledger, rig.spool, drafts, now=later) == 200
    assert sorted(path.name for path in drafts.iterdir()) == ["mine", "one"]
    rig.run()
    assert rig.only(clicked).state is State.ACCEPTED
    assert cleanup(rig.ledger, rig.spool, drafts, now=later) > 0
    assert sorted(path.name for path in drafts.iterdir()) == ["mine"]
    rig.close()


def test_the_collector_is_polite_and_gives_up_in_the_end(
    tmp_path: Path, sandbox: tuple[Path, str], prepared: Prepared
) -> None:
    clock = Clock()
    rig = Rig(tmp_path / "home", sandbox[1], clock=clock)
    rig.click(prepared)
    rig.run()
    collector = Collector(
        rig.ledger,
        rig.keyring,
        origin=lambda _account: rig.origin,
        open_valar=lambda url, key: Valar(url, key, answer_seconds=2.0),
        clock=clock,
        jitter=lambda _low, high: high,
    )
    fault(sandbox[0], {"kind": "status", "status": 503, "method": "GET"})
    checks = 0
    began = clock.now
    while clock.now < began + 3_600:
        checks += collector.step()
        clock.advance(10.0)
    (batch,) = rig.ledger.batches("ann")
    assert (batch.state, batch.checked_at) == (BatchState.RUNNING, None)
    assert 15 < checks < 60
    assert batch.failures == checks
    fault(sandbox[0], {"kind": "status", "status": 404, "method": "GET"})
    clock.advance(48 * 3_600)
    assert collector.step()
    (batch,) = rig.ledger.batches("ann")
    assert batch.state is BatchState.EXPIRED
    assert not collector.step()
    collector.close()
    rig.close()
