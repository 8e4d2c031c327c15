"""AnchorExplorer: overlaps, codes, kinds of anchors and suppression are the package's."""

import json
import zlib

import numpy as np
import pytest
import traitlets

from convbook.detection import anchor_boxes, encode_boxes, iou, match_anchors, nms
from convbook.images.scenes import street_scene
from convbook.widgets import AnchorExplorer
from convbook.widgets.anchors import SHAPES, STRIDES
from convbook.widgets.street import default_scenes, png_url
from helpers.pages import NARROW, open_widgets, settle

SCENES = list(default_scenes())


# --- In Python -----------------------------------------------------------------------------------


def test_scenes_have_things_and_boxes_on_them():
    w = AnchorExplorer()
    assert list(w.scenes) == SCENES and w.scene == SCENES[0]
    for scene in w.scenes.values():
        boxes = np.array(scene["boxes"])
        assert len(boxes) == len(scene["names"]) >= 3 and (boxes[:, 2:] > boxes[:, :2]).all()
        assert boxes.min() >= 0 and boxes.max() <= 64 == scene["height"] == scene["width"]


def test_scenes_of_ones_own():
    own = {"wide": street_scene(1, (48, 96)), "small": street_scene(2, 32)}
    w = AnchorExplorer(own)
    assert w.scene == "wide" and w.scenes["wide"]["width"] == 128
    np.testing.assert_allclose(w.truth, own["wide"].boxes * 64 / 48, atol=0.01)
    assert len(w.anchors) == 8 * 16 * len(SHAPES)
    w.scene = "small"
    np.testing.assert_allclose(w.truth, 2 * own["small"].boxes, atol=0.01)
    with pytest.raises(TypeError, match="scenes must be a dict"):
        AnchorExplorer([street_scene(1)])
    with pytest.raises(ValueError, match="at least one"):
        AnchorExplorer({})
    with pytest.raises(ValueError, match="at least one thing"):
        AnchorExplorer({"a": street_scene(1)._replace(boxes=np.zeros((0, 4)))})


def test_a_picture_is_a_png_of_the_scene():
    Image = pytest.importorskip("PIL.Image")
    import base64
    import io

    image = street_scene(3, (20, 30)).image
    data = base64.b64decode(png_url(image).partition(",")[2])
    read = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(read.transpose(2, 0, 1), np.rint(image * 255))
    assert zlib.crc32(b"IEND") == int.from_bytes(data[-4:], "big")


def test_values_are_the_packages():
    w = AnchorExplorer(box=(20, 4, 50, 20), stride=4, positive=0.5, negative=0.2, threshold=0.3)
    np.testing.assert_allclose(w.overlaps, iou(np.array(w.box, float), w.truth))
    thing = w.truth[[w.overlaps.argmax()]]
    np.testing.assert_allclose(w.code, encode_boxes(thing, np.array([w.box], float))[0])
    anchors = anchor_boxes(16, 4, list(SHAPES.values()))
    np.testing.assert_array_equal(w.anchors, anchors)
    kinds, _ = match_anchors(anchors.astype(float), w.truth, 0.5, 0.2)
    np.testing.assert_array_equal(w.kinds, kinds)
    boxes, scores = ([guess[key] for guess in w.guesses] for key in ("box", "score"))
    assert w.kept.tolist() == nms(boxes, scores, 0.3).tolist()
    assert (np.diff(scores) <= 0).all()
    fewer = len(w.kept)
    w.by_class = True
    assert len(w.kept) > fewer
    w.shapes = []
    assert w.kinds.shape == (0,)


@pytest.mark.parametrize(
    ("name", "value"),
    [("scene", "a beach"), ("view", "all"), ("box", (0, 0, 0, 4)), ("box", (0, 0, 5)),
     ("box", (0, 0, float("nan"), 3)), ("box", "here"), ("box", (0, 0, 999, 9)), ("stride", 5),
     ("shapes", ["round"]), ("positive", 1.2), ("threshold", -1), ("row", -1), ("step", 1000),
     ("scenes", {})],
)  # fmt: skip
def test_refuses_what_it_cannot_show(name, value):
    w = AnchorExplorer()
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(w, name, value)
    assert w.state == AnchorExplorer().state


def test_plain_form_and_weight():
    w = AnchorExplorer()
    plain = w.plain()
    assert f"{w.overlaps[0]:.3f}" in plain and '<img alt="a street"' in plain
    assert f"{len(w.kept)} are kept" in plain
    assert len(w.static_html()) < 60_000


# --- On a page -----------------------------------------------------------------------------------

READ = """
(places) => JSON.stringify(places.map((place) => ({
  overlaps: [...place.querySelectorAll(".cb-chance")].map((row) => Number(row.dataset.value)),
  result: Number(place.querySelector(".cb-result")?.dataset.value),
  code: [...place.querySelectorAll("[data-code]")].map((part) => Number(part.dataset.code)),
  counts: [...place.querySelectorAll(".cb-anc-counts b")].map((part) => Number(part.textContent)),
  cell: [...place.querySelectorAll("[data-kind]")]
    .map((row) => [Number(row.dataset.kind), Number(row.dataset.overlap)]),
  positive: place.querySelectorAll("rect.cb-positive").length,
  kept: [...place.querySelectorAll(".kept[data-guess]")].map((row) => Number(row.dataset.guess)),
  gone: place.querySelectorAll(".gone[data-guess]").length,
  text: place.innerText,
})))
"""


def draw(rng, view):
    """Draw the arguments of an explorer."""
    corner = rng.integers(0, 50, 2)
    box = [*corner, *(corner + rng.integers(3, 40, 2))]
    low, high = np.sort(rng.integers(0, 21, 2)) / 20
    return {
        "view": view,
        "scene": SCENES[rng.integers(len(SCENES))],
        "box": [int(v) for v in box],
        "stride": STRIDES[rng.integers(3)],
        "shapes": [name for name in SHAPES if rng.random() < 0.7],
        "positive": float(high),
        "negative": float(low),
        "row": int(rng.integers(0, 18)),
        "col": int(rng.integers(0, 18)),
        "threshold": float(rng.integers(0, 21) / 20),
        "by_class": bool(rng.integers(2)),
        "step": int(rng.integers(0, 20)),
    }


def shown(page):
    return json.loads(page.locator(".convbook-widget").evaluate_all(READ))


@pytest.mark.parametrize("view", ["box", "anchors", "nms"])
def test_shows_what_the_package_computes(view, tmp_path, open_page):
    rng = np.random.default_rng(5)
    widgets = [AnchorExplorer(**draw(rng, view)) for _ in range(30)]
    seen = open_widgets(tmp_path, open_page, widgets)
    assert seen.errors == []
    for w, page in zip(widgets, shown(seen.page), strict=True):
        if view == "box":
            np.testing.assert_allclose(page["overlaps"], w.overlaps, atol=1e-12)
            assert page["result"] == pytest.approx(w.overlaps.max(), abs=1e-12)
            np.testing.assert_allclose(page["code"], w.code, atol=1e-9)
        elif view == "anchors":
            counts = [int((w.kinds == kind).sum()) for kind in (1, 0, -1)]
            assert page["counts"] == counts, w.state
            rows, cols = 64 // w.stride, 64 // w.stride
            k = len(w.shapes)
            first = (min(w.row, rows - 1) * cols + min(w.col, cols - 1)) * k
            overlaps = iou(w.anchors, w.truth).max(axis=1)[first : first + k]
            expected = list(zip(w.kinds[first : first + k], overlaps))
            np.testing.assert_allclose(
                np.reshape(page["cell"], (-1, 2)), np.reshape(expected, (-1, 2))
            )
        else:
            assert page["kept"] == w.kept[: w.step].tolist()
            if w.step >= len(w.kept):
                assert page["gone"] == len(w.guesses) - len(w.kept)


def box_of(page):
    """Return the box that is drawn, as (y0, x0, y1, x1)."""
    box = page.locator("rect.cb-movable")
    y, x, high, wide = (float(box.get_attribute(name)) for name in ("y", "x", "height", "width"))
    return [y, x, y + high, x + wide]


def drag(page, locator, dx, dy):
    """Draw with the mouse, by so many pixels of the picture."""
    place, board = locator.bounding_box(), page.locator(".cb-board").bounding_box()
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx * board["width"] / 128, y + dy * board["width"] / 128)
    page.mouse.move(x + dx * board["width"] / 64, y + dy * board["width"] / 64)
    page.mouse.up()


def test_the_box_is_dragged_and_sized(tmp_path, open_page):
    seen = open_widgets(tmp_path, open_page, [AnchorExplorer(box=(20, 20, 40, 40))])
    page = seen.page
    drag(page, page.locator("rect.cb-movable"), -10, 6)
    assert box_of(page) == [26, 10, 46, 30]
    np.testing.assert_allclose(
        shown(page)[0]["overlaps"], AnchorExplorer(box=box_of(page)).overlaps, atol=1e-12
    )
    drag(page, page.locator("circle.cb-grip").last, 5, -4)
    assert box_of(page) == [26, 10, 42, 35]
    drag(page, page.locator("circle.cb-grip").first, -3, 2)
    assert box_of(page) == [28, 7, 42, 35]
    drag(page, page.locator("circle.cb-grip").first, 60, 60)  # not beyond the other corner
    assert box_of(page) == [40, 33, 42, 35]
    drag(page, page.locator("circle.cb-grip").last, 300, 300)  # nor out of the picture
    assert box_of(page) == [40, 33, 64, 64]
    drag(page, page.locator("rect.cb-movable"), 300, -300)
    assert box_of(page) == [-12, 48, 12, 79]  # its centre stays inside
    page.get_by_role("button", name="Back to the start").click()
    assert box_of(page) == [20, 20, 40, 40]
    assert seen.errors == []


def test_keys(tmp_path, open_page):
    page = open_widgets(tmp_path, open_page, [AnchorExplorer(box=(20, 20, 40, 40))]).page
    page.locator(".cb-board").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Shift+ArrowDown", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    assert box_of(page) == [21, 22, 42, 41]
    page.get_by_role("button", name="Which anchors are on a thing").click()
    page.locator(".cb-board").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert "row 5, column 2" in page.locator(".convbook-widget").inner_text()
    page.get_by_role("button", name="Non-maximum suppression, step by step").click()
    page.locator(".cb-board").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert "Step 2 of" in page.locator(".convbook-widget").inner_text()


def test_steps_and_settings(tmp_path, open_page):
    page = open_widgets(tmp_path, open_page, [AnchorExplorer(view="nms")]).page
    w = AnchorExplorer(view="nms")
    for _ in range(len(w.kept) + 3):  # the last step is the last
        page.get_by_role("button", name="One step forward").click()
        if f"Step {len(w.kept)} of" in page.locator(".cb-anc-counts").inner_text():
            break
    assert shown(page)[0]["kept"] == w.kept.tolist()
    page.get_by_role("slider", name="threshold").fill("0.2")
    assert "Step 0 of" in page.locator(".cb-anc-counts").inner_text()
    page.get_by_role("button", name="All anchors").or_(
        page.get_by_role("button", name="Which anchors are on a thing")
    ).click()
    assert not page.get_by_role("button", name="One step forward").is_visible()
    for name in SHAPES:
        page.locator(f"input[data-key='{name}']").uncheck()
    assert "nothing to learn from" in page.locator(".cb-remark").inner_text()
    page.locator("select").nth(0).select_option("a queue")
    assert shown(page)[0]["counts"] == [0, 0, 0]


def test_touch_on_a_narrow_screen(tmp_path, open_page):
    page = open_widgets(
        tmp_path, open_page, [AnchorExplorer(view="anchors")], viewport=NARROW, has_touch=True
    ).page
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = page.locator(".cb-board").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 0.95, box["y"] + box["height"] * 0.05)
    assert "row 0, column 7" in page.locator(".convbook-widget").inner_text()
    page.get_by_role("button", name="A box to drag").tap()
    for grip in page.locator("circle.cb-grip").all():
        size = grip.bounding_box()
        assert min(size["width"], size["height"]) >= 24


def test_the_picture_fills_the_board_whatever_frame_a_theme_gives_to_pictures(tmp_path, open_page):
    """The site's theme pads pictures in the dark, and boxes would lie beside their things."""
    page = open_widgets(tmp_path, open_page, [AnchorExplorer()]).page
    framed = "padding: 8px; background: #fff; border-radius: 4px; filter: sepia(1)"
    page.add_style_tag(content=f"html[lang] :not(.a):not(.b) img:not(.c) {{{framed}}}")
    found = page.locator(".cb-board img").evaluate(
        "(e) => { const s = getComputedStyle(e);"
        " return [s.padding, s.backgroundColor, s.borderRadius, s.filter]; }"
    )
    assert found == ["0px", "rgba(0, 0, 0, 0)", "0px", "none"]
