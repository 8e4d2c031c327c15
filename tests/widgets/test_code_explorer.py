"""CodeExplorer: encoder, decoder and scores on the page are the package's, and it is used."""

import json
from functools import partial

import numpy as np
import pytest
import traitlets

from convbook.images.digit import draw, prepare
from convbook.layers import (
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    Linear,
    ReLU,
    Reshape,
    Sequential,
    Sigmoid,
)
from convbook.models.autoencoder import convolutional_autoencoder, dense_autoencoder
from convbook.training.anomalies import restoration_errors
from convbook.widgets import CodeExplorer, bundle
from convbook.widgets.packed import unpacked
from convbook.widgets.stored_network import stored
from helpers.figures import CODE, code_arguments
from helpers.pages import NARROW, open_widgets

HOUSE = [
    {"width": 20, "points": [[70, 240], [70, 130], [140, 60], [210, 130], [210, 240], [70, 240]]}
]


def inputs(widget):
    return np.array(widget.pixels, np.float32)[None, None] / np.float32(255)


# --- In Python -----------------------------------------------------------------------------------


def test_code_error_and_share_are_those_of_the_rounded_network():
    w = CodeExplorer(**CODE)
    x = inputs(w)
    code = w.encoder(x)
    np.testing.assert_allclose(w.encoded, code[0])
    np.testing.assert_allclose(w.code, code[0], atol=1e-4)
    assert w.error == pytest.approx(np.mean((w.decoder(code) - x) ** 2), rel=1e-5)
    errors = restoration_errors(
        Sequential(w.encoder, w.decoder),
        np.rint(255 * CODE["images"][:, None]).astype(np.float32) / np.float32(255),
    )
    np.testing.assert_allclose(unpacked(w.data["errors"]), errors, atol=1e-5)
    assert w.share == pytest.approx((errors < w.error).mean(), abs=1 / len(errors))
    assert w.false_alarms == pytest.approx(0.05, abs=0.03)
    w.limit = 0.0
    assert w.false_alarms == 1


def test_the_weights_are_small_and_rounding_costs_little():
    w = CodeExplorer(**CODE)
    assert len(json.dumps(w.layers)) < 80_000
    assert len(w.static_html()) < 100_000
    assert w.rounding(CODE["images"]) < 0.02
    assert CodeExplorer(**CODE, bits=5).rounding(CODE["images"]) > w.rounding(CODE["images"])


def test_the_model_is_left_alone():
    before = {name: array.copy() for name, array in CODE["model"].params.items()}
    CodeExplorer(**CODE, bits=3)
    for name, array in CODE["model"].params.items():
        np.testing.assert_array_equal(array, before[name])


def test_a_drawing_is_prepared_and_an_empty_pad_has_no_code():
    w = CodeExplorer(**CODE, strokes=HOUSE)
    np.testing.assert_array_equal(w.pixels, prepare(draw(HOUSE)))
    w = CodeExplorer(**CODE, pixels=np.zeros((28, 28), int))
    assert w.encoded is None and w.error is None and w.share is None
    assert "empty pad" in w.plain()
    assert w.code == [0, 0] and w.restored.shape == (28, 28)


def test_the_plain_form_tells_the_same():
    w = CodeExplorer(**CODE)
    assert "The picture is a test digit, a 0." in w.plain()
    assert f"Its error is {w.error:.4f}" in w.plain()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": Flatten()}, "Sequential"),
        ({"model": Sequential(Flatten())}, r"Sequential\(encoder, decoder\)"),
        ({"model": dense_autoencoder(3, rng=0)}, "the encoder must make .*2"),
        ({"model": Sequential(Sequential(Flatten(), Linear(784, 2)), Linear(2, 4))}, "the decoder"),
        ({"model": Sequential(BatchNorm2d(1), Flatten())}, "got BatchNorm2d"),
        ({"labels": np.zeros(3, int)}, "as many labels"),
        ({"labels": np.full(40, 10)}, "from 0 to 9"),
        ({"images": np.zeros((0, 28, 28)), "labels": []}, "up to 2000"),
        ({"bits": 17}, "bits must be"),
    ],
)
def test_refuses_what_it_cannot_show(changes, said):
    with pytest.raises((TypeError, ValueError), match=said):
        CodeExplorer(**(CODE | changes))


@pytest.mark.parametrize(
    ("name", "value"),
    [("code", [1, float("nan")]), ("code", [1]), ("code", "ab"), ("pixels", np.zeros((3, 3))),
     ("pen", 3), ("background", "map"), ("limit", "much")],
)  # fmt: skip
def test_refuses_other_values(name, value):
    w = CodeExplorer(**CODE)
    before = w.state
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(w, name, value)
    assert w.state == before


# --- On a page -----------------------------------------------------------------------------------

SHOWN = """
() => JSON.stringify([...document.querySelectorAll(".convbook-widget")].map((place) => {
  const number = (name) => Number(place.querySelector(name)?.dataset.value);
  const ink = (name) => {
    const canvas = place.querySelector(name);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return Array.from(data).filter((_, i) => i % 4 === 3).map((alpha) => alpha / 255);
  };
  return {
    code: [number(".cb-first"), number(".cb-second")],
    error: number(".cb-error"), share: number(".cb-share"), false: number(".cb-false"),
    drawn: ink(".cb-decoded canvas"), squeezed: ink(".cb-codestep:nth-child(2) canvas"),
    verdict: place.querySelector(".cb-strange").textContent,
  };
}))
"""


@pytest.fixture
def show(tmp_path, open_page):
    """A function that puts widgets on a page and opens it."""
    return partial(open_widgets, tmp_path, open_page)


def seen_on(visit):
    return json.loads(visit.page.evaluate(SHOWN))


def assert_shows(seen, w):
    """One widget on a page shows what Python computes."""
    np.testing.assert_allclose(seen["code"], w.code, atol=1e-4)
    np.testing.assert_allclose(seen["drawn"], w.restored.ravel(), atol=0.006)
    assert seen["false"] == pytest.approx(w.false_alarms, abs=1e-6)
    if w.error is None:
        assert seen["verdict"] == "Draw something, or choose below."
        return
    assert seen["error"] == pytest.approx(w.error, rel=1e-3)
    assert seen["share"] == pytest.approx(w.share, abs=1 / len(CODE["labels"]))
    restored = w.decoder(w.encoder(inputs(w))).ravel()
    np.testing.assert_allclose(seen["squeezed"], restored, atol=0.006)
    assert seen["verdict"].startswith("Strange" if w.error > w.limit else "Nothing strange")


def test_the_page_shows_what_python_computes(show):
    rng = np.random.default_rng(0)
    widgets = []
    for k in range(24):
        arguments = code_arguments(seed=k % 3)
        if k % 4 == 3:
            arguments["model"] = dense_autoencoder(2, hidden=12, rng=k)
        chosen = int(rng.integers(40))
        widgets.append(CodeExplorer(
            **arguments, bits=int(rng.integers(5, 13)), code=rng.normal(0, 1, 2).round(3).tolist(),
            pixels=np.zeros((28, 28), int) if k == 5 else arguments["images"][chosen],
            limit=float(rng.random() * 0.1), background=str(rng.choice(["digits", "places"])),
        ))  # fmt: skip
    visit = show(widgets)
    for seen, w in zip(seen_on(visit), widgets, strict=True):
        assert_shows(seen, w)
    assert visit.errors == []


def test_the_map_is_walked_by_pointer_and_keys(show):
    visit = show([CodeExplorer(**CODE)])
    page, w = visit.page, CodeExplorer(**CODE)
    low, high = np.array(w.data["corners"])
    field = page.locator(".cb-map")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.25 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.4 * box["height"], steps=4)
    page.mouse.up()
    (seen,) = seen_on(visit)
    expected = low + np.array([0.75, 0.6]) * (high - low)
    np.testing.assert_allclose(seen["code"], expected, atol=0.01 * (high - low).max())
    w.code = seen["code"]
    assert_shows(seen, w)

    field.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    (moved,) = seen_on(visit)
    steps = (np.array(moved["code"]) - seen["code"]) / (high - low) * 50
    np.testing.assert_allclose(steps, [1, -5], atol=0.01)
    for _ in range(30):
        page.keyboard.press("Shift+ArrowLeft")
    assert seen_on(visit)[0]["code"][0] == pytest.approx(low[0], abs=1e-3)


def test_noise_in_the_code_makes_other_digits(show):
    visit = show([CodeExplorer(**CODE)])
    w, codes = CodeExplorer(**CODE), set()
    for _ in range(6):
        visit.page.get_by_text("Another digit").click()
        (seen,) = seen_on(visit)
        w.code = seen["code"]
        assert_shows(seen, w)
        codes.add(tuple(seen["code"]))
    assert len(codes) == 6


def test_a_drawing_is_encoded_restored_and_judged(show):
    visit = show([CodeExplorer(**CODE)])
    page = visit.page
    page.get_by_role("button", name="Drawing: a house").click()
    w = CodeExplorer(**CODE, strokes=HOUSE)
    assert_shows(seen_on(visit)[0], w)
    page.get_by_role("slider", name="threshold").fill("0.001")
    w.limit = 0.001
    assert_shows(seen_on(visit)[0], w)
    page.get_by_role("button", name="Test digit: a 7").click()
    w = CodeExplorer(**CODE, pixels=CODE["images"][7], limit=0.001)
    assert_shows(seen_on(visit)[0], w)

    page.get_by_role("button", name="Clear the pad").click()
    assert seen_on(visit)[0]["verdict"] == "Draw something, or choose below."
    pad = page.locator(".cb-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 200, steps=6)
    page.mouse.up()
    page.wait_for_function("() => !document.querySelector('.cb-strange').textContent"
                           ".startsWith('Draw')")  # fmt: skip
    page.get_by_role("button", name="Back to the start").click()
    assert_shows(seen_on(visit)[0], CodeExplorer(**CODE))
    assert visit.errors == []


def test_on_a_telephone_nothing_sticks_out(show):
    visit = show([CodeExplorer(**CODE)], viewport=NARROW, is_mobile=True, has_touch=True)
    page = visit.page
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    field = page.locator(".cb-map")
    field.scroll_into_view_if_needed()
    before = seen_on(visit)[0]["code"]
    field.tap(position={"x": 20, "y": 30})
    assert seen_on(visit)[0]["code"] != before
    page.get_by_text("where digits lie", exact=True).tap()
    assert page.locator(".cb-places").is_visible()


# --- The layers of the page's network ------------------------------------------------------------


def networks():
    """Yield decoders of many shapes."""
    rng = np.random.default_rng(3)
    for _ in range(12):
        c, o = map(int, rng.integers(1, 4, 2))
        stride = tuple(map(int, rng.integers(1, 4, 2)))
        kernel = tuple(int(rng.integers(max(1, s - 1), s + 3)) for s in stride)
        padding = int(rng.integers(0, min(kernel)))
        extra = tuple(int(rng.integers(0, s)) for s in stride)
        yield Sequential(
            Linear(4, c * 12, rng=rng), ReLU(), Reshape(c, 3, 4),
            ConvTranspose2d(c, o, kernel, stride=stride, padding=padding,
                            output_padding=extra, bias=bool(rng.integers(2)), rng=rng),
            ReLU(), Conv2d(o, 2, 1, rng=rng), Sigmoid(),
        )  # fmt: skip


def test_decoders_of_many_shapes(visit, tmp_path):
    (tmp_path / "blank.html").write_text('<!doctype html><html lang="en"><title>Kit</title></html>')
    page = visit((tmp_path / "blank.html").as_uri()).page
    page.evaluate(
        """async (source) => {
          const { default: modules } = await import(URL.createObjectURL(
            new Blob([source], { type: "text/javascript" })));
          window.kit = modules["kit/network.js"];
        }""",
        bundle.script("kit/network.js") + "export default modules;",
    )
    for network in networks():
        x = np.random.default_rng(4).normal(size=(1, 4)).astype(np.float32)
        _, rounded, described, y = stored(network, x, 9)
        shown = page.evaluate(
            """([layers, x]) => Array.from(kit.runLayers(kit.readLayers(layers, [4]),
              Float32Array.from(x)).at(-1))""",
            [json.loads(json.dumps(described)), x[0].tolist()],
        )
        np.testing.assert_allclose(shown, rounded(x).ravel(), atol=1e-5)
        np.testing.assert_allclose(rounded(x), y, atol=1e-6)


def test_the_chapters_network_is_small_enough():
    model = convolutional_autoencoder(2, rng=0)
    assert sum(a.size for a in model.params.values()) < 45_000
