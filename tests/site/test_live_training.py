"""The chapters that train networks for minutes, in a browser."""

import pytest

from helpers.live import SECONDS, TRAINING, cell, evaluate, run_and_compare, wait_until_said, write

DIGITS = "book/3-5-1_cnn.html"


@pytest.mark.parametrize("name", [name for name in TRAINING if name != DIGITS])
def test_every_cell_runs_and_trainings_begin(name, live_tab, record_property):
    opened = live_tab(name)
    run_and_compare(opened, name, record_property)
    assert opened.outside == [] and opened.errors == []


def test_a_network_learns_on_the_page_and_the_playground_takes_its_weights(
    live_tab, record_property
):
    opened = live_tab(DIGITS)
    page = opened.page
    run_and_compare(opened, DIGITS, record_property)

    # One epoch here, and ten in the book.
    training = page.evaluate("convbookLive.cells.find((c) => c.mark.warning).number")
    code = "own = digit_cnn(rng=1)\nhistory = fit(own, x_train, y_train, epochs=1, batch_size=50)\n"
    write(page, training, code + "print(evaluate(own, x_test, y_test)['accuracy'] > 0.75)")
    page.keyboard.press("Shift+Enter")
    bar = cell(page, training).locator(".cbl-progress progress")
    bar.wait_for(timeout=SECONDS)
    assert bar.evaluate("(bar) => bar.max") == 90
    said = wait_until_said(page, training, "^took", 3 * SECONDS)
    assert bar.evaluate("(bar) => bar.value / bar.max") == 1
    assert "True" in cell(page, training).locator(".cbl-output").inner_text()
    record_property("figure", f"digit_cnn: an epoch of 4,500 digits in the browser {said}")

    evaluate(page, 1, "playground = DigitPlayground(own)\nplayground")
    cell(page, 1).locator(".cbl-output .convbook-widget[data-ready]").wait_for()
    difference = "abs(playground.network.params['0.f'] - own.params['0.f'])"
    largest = evaluate(page, 2, f"float({difference}.max())")
    assert float(largest) < 0.01  # the reader's weights, rounded
    assert opened.outside == [] and opened.errors == []
