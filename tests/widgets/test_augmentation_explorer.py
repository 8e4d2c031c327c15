"""AugmentationExplorer: its pictures are the package's, in Python and on a page."""

import base64
import json

import numpy as np
import pytest
import traitlets

from convbook.images import affine
from convbook.images.augment import Brightness, Cutout
from convbook.widgets import AugmentationExplorer
from convbook.widgets.augmentation import DRAWN, PICTURES, picture_array
from helpers.pages import NARROW, open_widgets, read, settle, values, write_widget_page

MODES = affine.MODES


# --- In Python -----------------------------------------------------------------------------------


def test_output_is_the_packages():
    w = AugmentationExplorer(
        zoom=1.3, rotate=-25, shear_x=0.2, shear_y=-0.1, shift_x=10, shift_y=-5, flip_h=True,
        brightness=1.2, mode="reflect",
    )  # fmt: skip
    matrix = (
        affine.shift(16, -8)
        @ affine.rotation(-25)
        @ affine.shear(0.2, -0.1)
        @ affine.zoom(1.3)
        @ affine.flip(True)
    )
    np.testing.assert_allclose(w.matrix, matrix)
    expected = affine.transform(picture_array("cat")[None], matrix, "reflect")
    expected = Brightness((1.2, 1.2))(expected, np.random.default_rng(0))
    np.testing.assert_allclose(w.output[None], expected, atol=1e-6)


def test_nothing_changed():
    for name in PICTURES:
        w = AugmentationExplorer(picture=name)
        np.testing.assert_array_equal(w.output, picture_array(name))
        assert w.output.dtype == np.float32 and 0 <= w.output.min() and w.output.max() <= 1
    assert AugmentationExplorer(picture="six").output.shape == (1, 28, 28)
    assert AugmentationExplorer().output.shape == (3, 160, 160)


def test_cutout_is_a_square_that_may_reach_over_the_edge():
    w = AugmentationExplorer(picture="cat", cutout=25, cutout_x=50, cutout_y=0)
    covered = (w.output == 0).all(axis=0)
    assert covered[:20, 60:100].all()
    assert not (covered & (picture_array("cat") > 0).any(axis=0))[20:].any()
    size = Cutout(40)(np.ones((1, 1, 160, 160), np.float32), np.random.default_rng(0))
    assert (size == 0).sum() <= 1600


@pytest.mark.parametrize(
    ("name", "value"),
    [("picture", "dog"), ("zoom", 0), ("zoom", float("nan")), ("rotate", 181), ("shear_x", 1),
     ("shift_x", "far"), ("brightness", -1), ("cutout", 101), ("mode", "wrap"),
     ("drawn", ["magic"]), ("seed", 0), ("flip_h", 3), ("row", 160), ("pictures", {})],
)  # fmt: skip
def test_refuses_what_it_cannot_show(name, value):
    w = AugmentationExplorer()
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(w, name, value)
    assert w.state == AugmentationExplorer().state


def test_plain_form_and_weight():
    w = AugmentationExplorer(rotate=30)
    plain = w.plain()
    assert plain.count("<img alt=") == 2 and "0.866" in plain
    assert len(w.static_html()) < 60_000


# --- On a page -----------------------------------------------------------------------------------

CANVASES = """
(places) => JSON.stringify(places.map((place) => [
  ...place.querySelectorAll(".cb-easel canvas, .cb-aug-thumb canvas"),
].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let text = "";
  for (let i = 0; i < data.length; i += 4096) {
    text += String.fromCharCode(...data.subarray(i, i + 4096));
  }
  return {
    shape: [canvas.height, canvas.width, 4], pixels: btoa(text),
    settings: JSON.parse(canvas.parentElement.dataset.settings ?? "null"),
  };
})))
"""
PAINTED = """
() => [...document.querySelectorAll(".convbook-widget canvas")].every((c) => c.dataset.painted)
"""


def draw(rng, index):
    """Draw the arguments of an explorer, over nearly all that it allows."""
    some = lambda low, high: float(rng.uniform(low, high)) if rng.random() < 0.7 else None  # noqa: E731
    case = {
        "zoom": some(0.4, 3), "rotate": some(-180, 180), "shear_x": some(-0.5, 0.5),
        "shear_y": some(-0.5, 0.5), "shift_x": some(-60, 60), "shift_y": some(-60, 60),
        "brightness": some(0, 3), "cutout": some(0, 100), "cutout_x": some(0, 100),
        "cutout_y": some(0, 100), "flip_h": bool(rng.integers(2)), "flip_v": bool(rng.integers(2)),
    }  # fmt: skip
    return {name: value for name, value in case.items() if value is not None} | {
        "picture": list(PICTURES)[index % 3],
        "mode": MODES[index // 3 % 3],
        "drawn": list(DRAWN),
        "seed": int(rng.integers(1, 10_000)),
        "row": int(rng.integers(28)),
        "col": int(rng.integers(28)),
    }


def shown_pixels(canvas):
    pixels = np.frombuffer(base64.b64decode(canvas["pixels"]), np.uint8).reshape(canvas["shape"])
    assert (pixels[..., 3] == 255).all()
    return pixels[..., :3].transpose(2, 0, 1).astype(float)


def assert_shown(canvas, widget):
    """What a canvas shows differs from the package's picture by rounding alone."""
    difference = np.abs(shown_pixels(canvas) - 255 * widget.output.astype(float))
    assert difference.max() <= 1.5, (widget.state["picture"], widget.mode, difference.max())


@pytest.fixture
def put(tmp_path, open_page):
    """A function that puts explorers on a page and returns the page and their locator."""

    def start(*widgets, **options):
        write_widget_page(tmp_path, widgets)
        visit = open_page(**options)
        visit.page.goto((tmp_path / "widgets.html").as_uri())
        settle(visit.page)
        visit.page.wait_for_function(PAINTED)
        assert visit.errors == []
        return visit.page, visit.page.locator(".convbook-widget")

    return start


def canvases(page):
    """Return the canvases of all explorers: the picture, the result, and the random ones."""
    return json.loads(page.locator(".convbook-widget").evaluate_all(CANVASES))


def test_shows_what_the_package_computes(put):
    rng = np.random.default_rng(20)
    cases = [draw(rng, index) for index in range(36)]
    widgets = [AugmentationExplorer(**case) for case in cases]
    page, places = put(*widgets)
    drawn = 0
    for w, place, (before, result, *random) in zip(
        widgets, places.all(), canvases(page), strict=True
    ):
        assert_shown(before, AugmentationExplorer(picture=w.picture))
        assert_shown(result, w)
        shown = read(place)["matrices"]
        np.testing.assert_allclose(values(shown["Matrix M"]), w.matrix, atol=1e-12)
        for name, factor in w.factors.items():
            np.testing.assert_allclose(values(shown[f"Matrix of {name}"]), factor, atol=1e-12)
        assert_source(place.locator(".cb-aug-sum").inner_text(), w)
        if drawn < 108:
            assert len(random) == 12
            for canvas in random:
                assert_shown(
                    canvas,
                    AugmentationExplorer(picture=w.picture, mode=w.mode, **canvas["settings"]),
                )
                drawn += 1
    assert drawn == 108


def assert_source(text, w):
    """The sum that is written out gives the result's pixel, apart from brightness and cutout."""
    left, _, right = text.partition("=")
    assert left.strip() == f"y[{w.row}, {w.col}]"
    x, total = picture_array(w.picture), 0
    for term in filter(None, right.replace("−", "-").split(" + ")):
        weight, _, pixel = term.partition("·")
        if pixel.strip() != "0":
            row, col = map(int, pixel.strip()[2:-1].split(","))
            total = total + float(weight) * x[:, row, col]
    moved = affine.transform(x[None], w.matrix, w.mode)[0, :, w.row, w.col]
    np.testing.assert_allclose(total, moved, atol=4e-3)  # weights of three decimals


def slider(place, name):
    return place.get_by_role("slider", name=name, exact=True)


def test_sliders_and_buttons(put):
    page, place = put(AugmentationExplorer(drawn=[]))
    slider(place, "rotate").fill("30")
    slider(place, "zoom").fill("1.5")
    place.get_by_role("button", name="Swap left and right").click()
    assert (
        place.get_by_role("button", name="Swap left and right").get_attribute("aria-pressed")
        == "true"
    )
    expected = AugmentationExplorer(rotate=30, zoom=1.5, flip_h=True)
    assert_shown(canvases(page)[0][1], expected)
    label = place.locator(".cb-easel canvas").nth(1).get_attribute("aria-label")
    assert label == "a cat: left and right swapped, zoom × 1.5, rotate 30°"
    place.locator("select").nth(1).select_option("edge")
    expected.mode = "edge"
    assert_shown(canvases(page)[0][1], expected)
    assert slider(place, "cutout →").is_disabled()
    slider(place, "cutout").fill("30")
    slider(place, "cutout →").fill("80")
    expected.cutout, expected.cutout_x = 30, 80
    assert_shown(canvases(page)[0][1], expected)
    place.get_by_role("button", name="Undo all changes of the picture").click()
    assert_shown(canvases(page)[0][1], AugmentationExplorer())
    place.get_by_role("button", name="Back to the start").click()
    assert place.locator("select").nth(1).input_value() == "zero"


def test_random_pictures_come_again_with_their_seed(put):
    page, place = put(AugmentationExplorer(seed=7))

    def settings(known=None, same=False):
        """The settings of the pictures, once they are, or are not, those that are known."""
        page.wait_for_function(
            """([known, same]) => same === (JSON.stringify(known) === JSON.stringify(
              [...document.querySelectorAll(".cb-aug-thumb canvas")].map(
                (canvas) => JSON.parse(canvas.parentElement.dataset.settings))))""",
            arg=[known, same],
        )
        return [canvas["settings"] for canvas in canvases(page)[0][2:]]

    first = settings()
    assert len({json.dumps(s) for s in first}) == 12
    assert all(
        -15 <= s["rotate"] <= 15 and 0.8 <= s["zoom"] <= 1.25 and not s["flip_v"] for s in first
    )
    place.get_by_role("button", name="Draw 12 other random pictures").click()
    page.wait_for_function(
        "() => document.querySelector('.cb-aug-random').innerText.includes('seed 8')"
    )
    assert settings(first) != first
    place.get_by_role("button", name="Back to the start").click()
    assert settings(first, same=True) == first
    place.locator("input[data-key='flip_v']").check()
    flipped = settings(first)
    assert any(s["flip_v"] for s in flipped)
    assert [s | {"flip_v": False} for s in flipped] == first  # a switch changes its own kind only
    assert "do not belong" in place.inner_text()
    place.locator(".cb-aug-thumb").nth(4).click()
    assert_shown(canvases(page)[0][1], AugmentationExplorer(**flipped[4]))


QUESTIONS = [
    ({}, "Yes", "still a cat"), ({"flip_h": True}, "Yes", "mirror image"),
    ({"flip_v": True}, "No", "upside down"), ({"rotate": 180}, "No", "upside down"),
    ({"rotate": 60}, "Hardly", "tilted"), ({"brightness": 0.05}, "There", "hardly anything"),
    ({"picture": "stars", "flip_v": True}, "Yes", "no direction"),
    ({"picture": "six"}, "Yes", "written this 6"), ({"picture": "six", "rotate": 180}, "No", "9"),
    ({"picture": "six", "flip_h": True, "flip_v": True}, "No", "as a 9"),
    ({"picture": "six", "flip_h": True}, "No", "mirrored"),
    ({"shift_x": 50, "shift_y": -50}, "Hardly", "25 % is left"),
    ({"picture": "stars", "shift_x": 60}, "Hardly", "40 % is left"),
    ({"shift_x": 20}, "Yes", "cat"),
    ({"brightness": 2}, "Doubtful", "white"), ({"brightness": 1.3}, "Yes", "cat"),
    ({"picture": "stars", "brightness": 2.5}, "Doubtful", "white"),
    ({"brightness": 0.3}, "Doubtful", "dark"),
    ({"picture": "six", "brightness": 2}, "Yes", "written"),
    ({"picture": "six", "rotate": 45}, "Doubtful", "slanted"),
    ({"rotate": 45}, "Hardly", "tilted"),
    ({"picture": "six", "rotate": 10}, "Yes", "written"), ({"rotate": 10}, "Yes", "cat"),
    ({"picture": "six", "rotate": -90}, "Hardly", "on its side"),
    ({"picture": "six", "zoom": 3}, "Doubtful", "digits"), ({"zoom": 0.4}, "Doubtful", "cats"),
    ({"rotate": 15, "shear_x": 0.2}, "Yes", "still a cat"),
]  # fmt: skip


@pytest.fixture(scope="module")
def questions(tmp_path_factory, open_for_all):
    """The answers of an explorer for each of the settings, all on one page, and their classes."""
    widgets = [AugmentationExplorer(**settings) for settings, *_ in QUESTIONS]
    visit = open_widgets(tmp_path_factory.mktemp("questions"), open_for_all, widgets)
    said = visit.page.locator(".cb-aug-question").evaluate_all(
        "(all) => all.map((one) => [one.innerText, one.className])"
    )
    assert visit.errors == []
    visit.page.close()
    return said


@pytest.mark.parametrize("index", range(len(QUESTIONS)), ids=lambda i: "-".join(QUESTIONS[i][1:]))
def test_the_question_is_answered(questions, index):
    _, begin, say = QUESTIONS[index]
    said, classes = questions[index]
    asked, _, answer = said.partition("? ")
    assert asked == "Is it still from the same distribution"
    assert answer.startswith(begin) and say in answer
    assert ("bad" in classes) == (begin != "Yes")


def test_keyboard(put):
    page, place = put(AugmentationExplorer(picture="six", row=10, col=10))
    page.keyboard.press("Tab")
    place.locator(".cb-easel[tabindex]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert "y[11, 12] = 1 · x[11, 12]" in place.inner_text()
    place.locator(".cb-aug-thumb").first.focus()
    page.keyboard.press("Enter")
    assert "unchanged" not in place.locator(".cb-easel canvas").nth(1).get_attribute("aria-label")


def test_touch_on_a_narrow_screen(put):
    page, place = put(
        AugmentationExplorer(picture="six", grid=True), viewport=NARROW, has_touch=True
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = place.locator(".cb-easel canvas").nth(1).bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 0.02, box["y"] + box["height"] * 0.98)
    assert "y[27, 0] =" in place.inner_text()
    place.get_by_role("button", name="Turn it upside down").tap()
    assert "reads as a 9" in place.inner_text()
    place.locator(".cb-aug-thumb").nth(3).tap()
    assert_shown(
        canvases(page)[0][1],
        AugmentationExplorer(picture="six", **canvases(page)[0][5]["settings"]),
    )
    for target in place.locator("button, select, .cb-check").all():
        size = target.bounding_box()
        assert min(size["width"], size["height"]) >= 24


def test_every_picture_can_be_chosen(put):
    page, place = put(AugmentationExplorer(rotate=10))
    for name in ("stars", "six", "cat"):
        place.locator("select").nth(0).select_option(name)
        page.wait_for_timeout(100)
        _, result, *random = canvases(page)[0]
        assert_shown(result, AugmentationExplorer(picture=name, rotate=10))
        for canvas in random[:2]:
            assert_shown(canvas, AugmentationExplorer(picture=name, **canvas["settings"]))
