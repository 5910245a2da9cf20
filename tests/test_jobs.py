"""Jobs: one at a time, joined by mark, replaced by a newer mark, faults kept for the page."""

import threading
from collections.abc import Iterator

import pytest

from valar_ui.jobs import Cancelled, Jobs, Progress

WAIT_S = 10


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.close()


def test_a_job_tells_its_progress_and_its_result(jobs: Jobs) -> None:
    seen, go = threading.Event(), threading.Event()

    def work(progress: Progress) -> str:
        progress(0.25)
        seen.set()
        assert go.wait(WAIT_S)
        return "made"

    job = jobs.start("read:a", "1", work)
    assert seen.wait(WAIT_S)
    assert job.fraction == 0.25
    assert not job.done.is_set()
    go.set()
    assert job.done.wait(WAIT_S)
    assert (job.result, job.fraction, job.fault) == ("made", 1.0, None)


def test_the_same_mark_joins(jobs: Jobs) -> None:
    runs: list[int] = []
    first = jobs.start("k", "same", lambda _: runs.append(1))
    assert jobs.start("k", "same", lambda _: runs.append(2)) is first
    assert first.done.wait(WAIT_S)
    assert jobs.start("k", "same", lambda _: runs.append(3)) is first
    assert runs == [1]


def test_a_newer_mark_cancels_the_older(jobs: Jobs) -> None:
    started = threading.Event()

    def endless(progress: Progress) -> None:
        while True:
            started.set()
            progress(0.5)

    old = jobs.start("k", "old", endless)
    assert started.wait(WAIT_S)
    new = jobs.start("k", "new", lambda _: "new")
    assert new.done.wait(WAIT_S)
    assert isinstance(old.fault, Cancelled)
    assert new.result == "new"
    assert jobs.find("k") is new


def test_a_fault_is_kept_until_it_is_forgotten(jobs: Jobs) -> None:
    def fail(_: Progress) -> None:
        raise OSError("disk is full")

    job = jobs.start("k", "m", fail)
    assert job.done.wait(WAIT_S)
    assert isinstance(job.fault, OSError)
    assert jobs.start("k", "m", lambda _: "well") is job
    jobs.forget("k")
    again = jobs.start("k", "m", lambda _: "well")
    assert again.done.wait(WAIT_S)
    assert again.result == "well"


def test_finished_jobs_are_forgotten_in_the_end(jobs: Jobs) -> None:
    for at in range(Jobs.KEPT + 10):
        assert jobs.start(f"k{at}", "m", lambda _: None).done.wait(WAIT_S)
    assert jobs.find("k0") is None
    assert jobs.find(f"k{Jobs.KEPT + 9}") is not None


def test_closing_stops_what_runs() -> None:
    jobs = Jobs()
    started = threading.Event()

    def endless(progress: Progress) -> None:
        while True:
            started.set()
            progress(0.1)

    job = jobs.start("k", "m", endless)
    assert started.wait(WAIT_S)
    jobs.close()
    assert job.done.is_set()
