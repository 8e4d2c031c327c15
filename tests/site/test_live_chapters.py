"""Every code cell of every chapter runs in a browser, and prints what the book says it prints."""

import pytest

from helpers.live import TRAINING, run_and_compare, same
from helpers.pages import CHAPTERS


@pytest.mark.parametrize("name", [name for name in CHAPTERS if name not in TRAINING])
def test_every_cell_runs_and_prints_what_the_book_says(name, live_tab, record_property):
    opened = live_tab(name)
    run_and_compare(opened, name, record_property)
    assert opened.outside == [] and opened.errors == []


def test_numbers_are_compared_as_far_as_machines_agree():
    assert same("loss 0.58 (3 × 4)", "loss 0.59 (3 × 4)") and not same("0.5", "0.59")
    assert same("after 12.3 s", "after 400 ms") and same("-1.2e-05", "-1.3e-05")
    assert not same("right: 3", "right: 4") and not same("yes 1.0", "no 1.0")
