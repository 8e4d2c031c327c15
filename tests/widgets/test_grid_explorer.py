"""GridExplorer: cells, what is lost, and targets are the package's; things can be moved."""

import json

import numpy as np
import pytest
import traitlets

from convbook.detection import answered_for, cells_of
from convbook.images.scenes import street_scene
from convbook.widgets import GridExplorer
from convbook.widgets.street import default_scenes
from helpers.pages import NARROW, open_widgets

SCENES = list(default_scenes())
THREE = [[0, 0, 10, 10], [2, 2, 8, 8], [40, 40, 50, 50]]


# --- In Python -----------------------------------------------------------------------------------


def test_values_are_the_packages():
    for scene in SCENES:
        w = GridExplorer(scene=scene, grid=5)
        np.testing.assert_array_equal(w.cells, np.stack(cells_of(w.boxes, 5, 64), axis=1))
        np.testing.assert_array_equal(w.answered, answered_for(w.boxes, 5, 64))
        shares = [answered_for(w.boxes, n, 64).mean() for n in range(1, 17)]
        np.testing.assert_allclose(w.shares, shares)


def test_a_wide_picture_has_wide_cells():
    w = GridExplorer({"wide": street_scene(1, (48, 96))}, grid=4)
    assert w.scene == "wide" and w.size == (64, 128)
    np.testing.assert_array_equal(w.cells, np.stack(cells_of(w.boxes, 4, (64, 128)), axis=1))


def test_the_target_of_a_thing():
    w = GridExplorer(moved=THREE, grid=4)
    np.testing.assert_allclose(w.target, [5 / 16, 5 / 16, np.sqrt(10 / 64), np.sqrt(10 / 64)])
    w.thing = 2
    np.testing.assert_allclose(w.target[:2], [45 / 16 - 2, 45 / 16 - 2])
    w.thing = 99  # the last there is
    np.testing.assert_allclose(w.target[:2], [45 / 16 - 2, 45 / 16 - 2])
    assert w.answered.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("name", "value"),
    [("scene", "a beach"), ("grid", 0), ("grid", 17), ("thing", -1), ("moved", [[0, 0, 0, 5]]),
     ("moved", [[0, 0, 5]]), ("moved", [[0, 0, 1, 1]] * 13), ("moved", [[0, 0, np.nan, 5]]),
     ("moved", "there"), ("scenes", {})],
)  # fmt: skip
def test_refuses_what_it_cannot_show(name, value):
    w = GridExplorer()
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(w, name, value)
    assert w.state == GridExplorer().state


def test_plain_form_and_weight():
    w = GridExplorer(grid=4)
    plain = w.plain()
    assert f"{w.answered.sum()} of {len(w.boxes)} things can be found" in plain
    assert plain.count("lost") == (~w.answered).sum() and len(w.static_html()) < 50_000
    assert "thing" in GridExplorer(moved=THREE).plain()


# --- On a page -----------------------------------------------------------------------------------

READ = """
(places) => JSON.stringify(places.map((place) => ({
  found: [...place.querySelectorAll("[data-found]")].map((row) => row.dataset.found === "true"),
  at: [...place.querySelectorAll("[data-at]")].map((row) => row.dataset.at.split(",").map(Number)),
  kept: Number(place.querySelector("[data-kept]").dataset.kept),
  shares: [...place.querySelectorAll("[data-share]")].map((p) => Number(p.dataset.share)),
  target: [...place.querySelectorAll("[data-target]")].map((part) => Number(part.dataset.target)),
  cells: [...place.querySelectorAll(".cb-grid-cell")].length,
})))
"""


def shown(page):
    return json.loads(page.locator(".convbook-widget").evaluate_all(READ))


def draw(rng):
    """Draw the arguments of an explorer."""
    more = {}
    if rng.integers(2):
        corner = rng.integers(-6, 60, (int(rng.integers(1, 13)), 2))
        boxes = np.concatenate([corner, corner + rng.integers(1, 30, corner.shape)], axis=1)
        more = {"moved": boxes.tolist()}
    return more | {
        "scene": SCENES[rng.integers(len(SCENES))],
        "grid": int(rng.integers(1, 17)),
        "thing": int(rng.integers(0, 14)),
    }


def agree(page, w):
    assert page["found"] == w.answered.tolist()
    assert page["at"] == w.cells.tolist()
    assert page["kept"] == page["cells"] == w.answered.sum()
    np.testing.assert_allclose(page["shares"], w.shares, atol=1e-12)
    np.testing.assert_allclose(page["target"], w.target, atol=1e-9)


def test_shows_what_the_package_computes(tmp_path, open_page):
    rng = np.random.default_rng(3)
    widgets = [GridExplorer(**draw(rng)) for _ in range(40)]
    seen = open_widgets(tmp_path, open_page, widgets)
    for w, page in zip(widgets, shown(seen.page), strict=True):
        agree(page, w)
    assert seen.errors == []


def test_things_are_moved_and_put_back(tmp_path, open_page):
    w = GridExplorer(scene="a street", grid=4)
    seen = open_widgets(tmp_path, open_page, [GridExplorer(scene="a street", grid=4)])
    page = seen.page
    back = page.get_by_role("button", name="Put all things where they are")
    assert back.is_disabled()
    board = page.locator(".cb-board").bounding_box()
    pixel, box = board["width"] / 64, w.boxes[2]
    x = board["x"] + (box[1] + box[3]) / 2 * pixel
    y = board["y"] + (box[0] + 0.9 * (box[2] - box[0])) * pixel
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 12 * pixel, y - 3 * pixel, steps=3)
    page.mouse.up()
    moved = w.boxes.tolist()
    moved[2] = np.add(box, [-3, -12, -3, -12]).tolist()
    w.moved, w.thing = moved, 2
    agree(shown(page)[0], w)
    page.locator(".cb-board").focus()
    page.keyboard.press("Shift+ArrowRight")  # the next thing
    page.keyboard.press("ArrowDown")
    moved[3] = np.add(moved[3], [1, 0, 1, 0]).tolist()
    w.moved, w.thing = moved, 3
    agree(shown(page)[0], w)
    back.click()
    w.moved = []
    agree(shown(page)[0], w)
    page.locator("select").select_option("a queue")
    agree(shown(page)[0], GridExplorer(scene="a queue", grid=4))
    page.get_by_role("slider", name="grid").fill("9")
    agree(shown(page)[0], GridExplorer(scene="a queue", grid=9))
    assert seen.errors == []


def test_touch_on_a_narrow_screen(tmp_path, open_page):
    page = open_widgets(
        tmp_path, open_page, [GridExplorer(scene="a street")], viewport=NARROW, has_touch=True
    ).page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    w = GridExplorer(scene="a street", thing=2)
    board, box = page.locator(".cb-board").bounding_box(), w.boxes[2]
    pixel = board["width"] / 64
    page.touchscreen.tap(
        board["x"] + (box[1] + box[3]) / 2 * pixel, board["y"] + (box[0] + box[2]) / 2 * pixel
    )
    np.testing.assert_allclose(shown(page)[0]["target"], w.target, atol=1e-9)
