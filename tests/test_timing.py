"""The clocks of pages and benchmarks."""

import time

from convbook.timing import milliseconds, timed


def test_the_fastest_of_several_calls():
    waits, given = iter([0.03, 0.01, 0.02]), []

    def call(a, b):
        given.append((a, b))
        time.sleep(next(waits))

    assert 10 <= milliseconds(call, 1, 2, repeats=3) < 20
    assert given == [(1, 2)] * 3


def test_processor_time_does_not_count_waiting():
    def work(n, *, wait):
        time.sleep(wait)
        return sum(range(n))

    result, seconds = timed(work, 10, wait=0.2)
    assert result == 45 and 0 <= seconds < 0.1
    assert timed(work, 3_000_000, wait=0)[1] > seconds
