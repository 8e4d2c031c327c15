"""OneShotExplorer: its distances and counts in Python and on a page, and how it is used."""

import html
import json
import re
from functools import partial

import numpy as np
import pytest
import traitlets

from convbook.widgets import OneShotExplorer
from helpers.figures import ONE_SHOT, one_shot_arrays
from helpers.pages import NARROW, open_widgets


def by_hand(arrays, references, query):
    """Return the distances (2, K) and the counts (2,), with loops."""
    spaces = arrays["images"].reshape(len(arrays["labels"]), -1), arrays["features"]
    distances, right = [], []
    for space in spaces:
        of = [[np.linalg.norm(row - space[r]) for r in references] for row in space]
        distances.append(of[query])
        named = [arrays["labels"][references[int(np.argmin(d))]] for d in of]
        right.append(
            sum(
                name == label
                for i, (name, label) in enumerate(zip(named, arrays["labels"]))
                if i not in references
            )
        )
    return np.array(distances), np.array(right)


def draw(rng):
    """Return a widget in some setting, with its arguments."""
    classes = sorted(rng.choice(10, int(rng.integers(2, 6)), replace=False).tolist())
    arrays = one_shot_arrays(int(rng.integers(1000)), classes, int(rng.integers(2, 6)))
    references = [int(rng.choice(np.flatnonzero(arrays["labels"] == k))) for k in classes]
    query = int(rng.integers(len(arrays["labels"])))
    return OneShotExplorer(**arrays, references=references, query=query), arrays


# --- In Python -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_distances_and_counts(seed):
    widget, arrays = draw(np.random.default_rng(seed))
    distances, right = by_hand(arrays, widget.references, widget.query)
    np.testing.assert_allclose(widget.output, distances)
    np.testing.assert_array_equal(widget.right, right)


def test_starts_with_the_first_of_each_class():
    widget = OneShotExplorer(**ONE_SHOT)
    labels = ONE_SHOT["labels"].tolist()
    assert widget.references == [labels.index(k) for k in (7, 8, 9)]
    assert widget.query == next(i for i in range(12) if i not in widget.references)
    assert widget.data["classes"] == ["7", "8", "9"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("references", [0, 0, 0]),
        ("references", [1]),
        ("references", [0, 1, 99]),
        ("references", "abc"),
        ("query", 12),
        ("query", -1),
        ("query", 1.5),
    ],
)
def test_refuses_what_it_cannot_show(name, value):
    widget = OneShotExplorer(**ONE_SHOT)
    before = widget.state
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(widget, name, value)
    assert widget.state == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"images": np.zeros((12, 3, 4, 4))}, "one channel"),
        ({"images": np.full((12, 1, 4, 4), 2.0)}, "from 0 to 1"),
        ({"images": np.zeros((12, 4, 4))}, "images"),
        ({"features": np.zeros((11, 3))}, "features"),
        ({"features": np.full((12, 3), np.nan)}, "finite"),
        ({"labels": np.zeros(12, int)}, "2 to 5 classes"),
        ({"labels": [0, 1] + 10 * [2]}, "at least 2 images"),
        ({"labels": [0, 1]}, "labels"),
        ({"classes": ["a", "b"]}, "3 names"),
    ],
)
def test_arrays_that_do_not_fit(changes, said):
    with pytest.raises(ValueError, match=said):
        OneShotExplorer(**(ONE_SHOT | changes))


def test_the_plain_form_tells_the_same():
    widget = OneShotExplorer(**ONE_SHOT)
    text = html.unescape(re.sub("<[^>]*>", " ", widget.plain()))
    for row, right in zip(widget.output, widget.right):
        assert all(f"{value:.4g}"[:4] in text for value in row)
        assert f"Of 9 images, {right} are named rightly" in text


# --- On a page -----------------------------------------------------------------------------------

SHOWN = """
() => JSON.stringify([...document.querySelectorAll(".convbook-widget")].map((place) => ({
  distances: [...place.querySelectorAll(".cb-shotbars")].map((list) =>
    [...list.querySelectorAll(".cb-chance")].map((row) => Number(row.dataset.value))),
  best: [...place.querySelectorAll(".cb-shotbars")].map((list) =>
    [...list.querySelectorAll(".cb-chance")].findIndex((row) => row.classList.contains("best"))),
  right: [...place.querySelectorAll("[data-score]")].map((e) => Number(e.dataset.right)),
  verdicts: [...place.querySelectorAll(".cb-judged")].map((e) => e.textContent),
})))
"""


@pytest.fixture
def show(tmp_path, open_page):
    """A function that puts widgets on a page and opens it."""
    return partial(open_widgets, tmp_path, open_page)


def test_the_page_shows_what_python_computes(show):
    rng = np.random.default_rng(5)
    cases = [draw(rng) for _ in range(100)]
    visit = show([widget for widget, _ in cases])
    shown = json.loads(visit.page.evaluate(SHOWN))
    assert len(shown) == len(cases) and visit.errors == []
    for (widget, _), seen in zip(cases, shown):
        np.testing.assert_allclose(seen["distances"], widget.output, atol=1e-5)
        assert seen["best"] == widget.output.argmin(axis=1).tolist()
        assert seen["right"] == widget.right.tolist()
        for verdict, best in zip(seen["verdicts"], widget.output.argmin(axis=1)):
            if widget.query in widget.references:
                assert verdict == "This digit is a reference itself."
            else:
                assert f"Nearest is the {widget.data['classes'][best]}: " in verdict


def test_a_click_chooses_the_digit_asked_for_or_a_reference(show):
    widget = OneShotExplorer(**ONE_SHOT)
    page = show([widget]).page
    labels = ONE_SHOT["labels"].tolist()
    other = [i for i in range(12) if i not in widget.references and i != widget.query][-1]
    page.locator(f"[data-image='{other}']").click()
    widget.query = other
    np.testing.assert_allclose(
        json.loads(page.evaluate(SHOWN))[0]["distances"], widget.output, atol=1e-5
    )
    assert page.locator(".cb-shot.asked").get_attribute("data-image") == str(other)

    page.get_by_role("button", name="a reference", exact=True).click()
    page.locator(f"[data-image='{other}']").click()
    place = (7, 8, 9).index(labels[other])
    widget.references = [other if k == place else r for k, r in enumerate(widget.references)]
    seen = json.loads(page.evaluate(SHOWN))[0]
    np.testing.assert_allclose(seen["distances"], widget.output, atol=1e-5)
    assert seen["right"] == widget.right.tolist()
    assert seen["verdicts"] == 2 * ["This digit is a reference itself."]

    page.get_by_role("button", name="Back to the start").click()
    first = OneShotExplorer(**ONE_SHOT)
    np.testing.assert_allclose(
        json.loads(page.evaluate(SHOWN))[0]["distances"], first.output, atol=1e-5
    )


def test_other_references_are_one_of_each_class(show):
    widget = OneShotExplorer(**ONE_SHOT)
    page = show([widget]).page
    seen = set()
    for _ in range(8):
        page.get_by_role("button", name="Other references").click()
        chosen = page.locator(".cb-shot.reference").evaluate_all(
            "(cells) => cells.map((cell) => Number(cell.dataset.image))"
        )
        chosen.sort(key=lambda i: ONE_SHOT["labels"][i])
        widget.references = chosen
        seen.add(tuple(chosen))
    assert len(seen) > 3
    assert json.loads(page.evaluate(SHOWN))[0]["right"] == widget.right.tolist()


def test_by_keyboard_and_by_touch_on_a_telephone(show):
    widget = OneShotExplorer(**one_shot_arrays(each=10, size=(28, 28)))
    page = show([widget], viewport=NARROW, is_mobile=True, has_touch=True).page
    page.locator("[data-image='3']").tap()
    assert page.locator(".cb-shot.asked").get_attribute("data-image") == "3"
    page.locator("[data-image='5']").focus()
    page.keyboard.press("Enter")
    assert page.locator(".cb-shot.asked").get_attribute("data-image") == "5"
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    small = page.locator("button").evaluate_all(
        "(all) => all.filter((b) => { const r = b.getBoundingClientRect();"
        " return r.width < 24 || r.height < 24; }).length"
    )
    assert small == 0
