"""The chapters that train networks, in a browser."""

from helpers.live import cell, evaluate, run_and_compare

SHORTEN = r"""
() => {
  for (const cell of convbookLive.cells) {
    let code = cell.book.replace("epochs, batch_size = 10, 50", "epochs, batch_size = 3, 50");
    if (cell.place.matches(".tag_nbval-ignore-output")) {
      code = code.replace(/^assert .*(\n +.*)*$/gm, "");
    }
    cell.own = code === cell.book ? null : code;
  }
}
"""
DIGITS = "book/3-5-1_cnn.html"
TRANSFER = "book/3-6-2_transfer.html"


def test_a_network_learns_on_the_page_and_the_playground_takes_its_weights(
    live_site, serve, visit, record_property
):
    opened = visit(f"{serve(live_site)}/{DIGITS}")
    page = opened.page
    # Three epochs in place of ten, and without what later cells ask of a network that had ten.
    page.evaluate(SHORTEN)
    run_and_compare(opened, DIGITS, record_property, leave_out=())
    bars = page.locator(".tag_takes-minutes .cbl-progress progress")
    assert bars.first.evaluate("(bar) => bar.value / bar.max") == 1
    assert "accuracy 0.9" in page.locator(".tag_takes-minutes .cbl-output").first.inner_text()

    evaluate(page, 1, "own = DigitPlayground(model)\nown")
    cell(page, 1).locator(".cbl-output .convbook-widget[data-ready]").wait_for()
    difference = "abs(own.network.params['0.f'] - model.params['0.f'])"
    largest = evaluate(page, 2, f"float({difference}.max())")
    assert float(largest) < 0.001  # the reader's weights, rounded
    assert opened.outside == [] and opened.errors == []


def test_features_are_transferred_on_the_page(live_site, serve, visit, record_property):
    opened = visit(f"{serve(live_site)}/{TRANSFER}")
    run_and_compare(opened, TRANSFER, record_property)
    assert opened.outside == [] and opened.errors == []
