"""AnomalyExplorer: its shares and areas in Python and on a page, and how it is used."""

import json
from functools import partial

import numpy as np
import pytest
import traitlets

from convbook.training.metrics import auroc
from convbook.widgets import AnomalyExplorer
from helpers.figures import ANOMALIES, anomaly_arrays
from helpers.pages import NARROW, open_widgets

# --- In Python -----------------------------------------------------------------------------------


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("digit", range(5))
def test_shares_by_hand(digit, relative):
    w = AnomalyExplorer(**ANOMALIES, digit=digit, relative=relative)
    scores = ANOMALIES["errors"][digit] / (ANOMALIES["ink"] if relative else 1)
    strange = ANOMALIES["labels"] == digit
    np.testing.assert_allclose(w.scores, scores, rtol=0.02)
    assert w.area == pytest.approx(auroc(w.scores, strange))
    assert w.false_alarms == pytest.approx(0.05, abs=0.03)
    w.limit = float(np.sort(w.scores[strange])[3])
    assert w.found == pytest.approx((strange.sum() - 4) / strange.sum())
    assert w.false_alarms == (w.scores[~strange] > w.limit).mean()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ink": np.ones(3)}, "ink"),
        ({"ink": np.zeros(60)}, "above 0"),
        ({"labels": np.zeros(60, int)}, "each of the 5 classes"),
        ({"labels": np.full(60, 7)}, "labels"),
        ({"errors": np.full((5, 60), np.nan)}, "finite"),
        ({"errors": np.ones(60)}, "errors"),
        ({"errors": np.ones((11, 60))}, "2 to 10"),
    ],
)
def test_arrays_that_do_not_fit(changes, said):
    with pytest.raises((TypeError, ValueError), match=said):
        AnomalyExplorer(**(ANOMALIES | changes))


@pytest.mark.parametrize(("name", "value"), [("digit", 5), ("digit", -1), ("limit", "much")])
def test_refuses_what_it_cannot_show(name, value):
    w = AnomalyExplorer(**ANOMALIES)
    before = w.state
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(w, name, value)
    assert w.state == before


def test_the_plain_form():
    w = AnomalyExplorer(**ANOMALIES, digit=2)
    assert f"{round(w.area, 3)}" in w.plain() and "Digit 2 was left out" in w.plain()


# --- On a page -----------------------------------------------------------------------------------

SHOWN = """
() => JSON.stringify([...document.querySelectorAll(".convbook-widget")].map((place) =>
  [".cb-found", ".cb-alarms-of-all", ".cb-auroc"].map((name) =>
    Number(place.querySelector(name).dataset.value))))
"""


@pytest.fixture
def show(tmp_path, open_page):
    """A function that puts widgets on a page and opens it."""
    return partial(open_widgets, tmp_path, open_page)


def seen_on(visit):
    return json.loads(visit.page.evaluate(SHOWN))


def figures(w):
    return [w.found, w.false_alarms, w.area]


def test_the_page_shows_what_python_computes(show):
    rng = np.random.default_rng(0)
    widgets = []
    for seed in range(60):
        k = int(rng.integers(2, 11))
        arrays = anomaly_arrays(seed, n=int(rng.integers(k, 90)), k=k)
        if seed % 3 == 0:  # with ties
            arrays["errors"] = arrays["errors"].round(2)
        settings = {"digit": int(rng.integers(k)), "relative": bool(rng.integers(2))}
        w = AnomalyExplorer(**arrays, **settings)
        w.limit = float(rng.uniform(0, 1.1) * w.scores.max())
        widgets.append(w)
    visit = show(widgets)
    for seen, w in zip(seen_on(visit), widgets, strict=True):
        np.testing.assert_allclose(seen, figures(w), atol=1e-9)
    assert visit.errors == []


def test_another_digit_begins_with_five_per_cent_of_false_alarms(show):
    visit = show([AnomalyExplorer(**ANOMALIES)])
    for digit, relative in ((3, False), (3, True), (1, True)):
        visit.page.get_by_role("button", name=f"Trained without any {digit}").click()
        visit.page.get_by_label("divide the error by the ink").set_checked(relative)
        w = AnomalyExplorer(**ANOMALIES, digit=digit, relative=relative)
        np.testing.assert_allclose(seen_on(visit)[0], figures(w), atol=1e-9)


def test_the_threshold_is_moved_by_slider_pointer_and_keys(show):
    visit = show([AnomalyExplorer(**ANOMALIES)])
    page, w = visit.page, AnomalyExplorer(**ANOMALIES)
    slider = page.get_by_role("slider", name="threshold")
    slider.fill("0.03")
    w.limit = 0.03
    np.testing.assert_allclose(seen_on(visit)[0], figures(w), atol=1e-9)
    field = page.locator(".cb-draghistogram")
    box = field.bounding_box()
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 20)
    w.limit = float(slider.input_value())
    assert w.limit > 0.03
    np.testing.assert_allclose(seen_on(visit)[0], figures(w), atol=1e-9)
    before = w.limit
    field.focus()
    page.keyboard.press("ArrowLeft")
    w.limit = float(slider.input_value())
    assert w.limit < before
    np.testing.assert_allclose(seen_on(visit)[0], figures(w), atol=1e-9)
    page.get_by_role("button", name="Back to the start").click()
    np.testing.assert_allclose(seen_on(visit)[0], figures(AnomalyExplorer(**ANOMALIES)), atol=1e-9)


def test_on_a_telephone_nothing_sticks_out(show):
    visit = show([AnomalyExplorer(**ANOMALIES)], viewport=NARROW, is_mobile=True, has_touch=True)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
