"""The playground: the page computes what the package does, from the drawing to the answer."""

import base64
import json
import math

import numpy as np
import pytest
import traitlets

from convbook import functional as F
from convbook.datasets import mnist
from convbook.images.digit import (
    PAD,
    centre_by_mass,
    crop,
    draw,
    fit_to_box,
    place,
    prepare,
    resize,
)
from convbook.layers import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
)
from convbook.models.digits import digit_cnn
from convbook.training import fit
from convbook.widgets import DigitPlayground, bundle
from convbook.widgets.stored_network import dequantise, quantise
from helpers.figures import small_model
from helpers.pages import NARROW, THEMES, choose_theme, open_widgets

SLOWEST = 30  # milliseconds for one reading


@pytest.fixture(scope="module")
def digits():
    return mnist()


@pytest.fixture(scope="module")
def model(digits):
    """The chapter's network after a short training."""
    network = digit_cnn(rng=0)
    fit(network, digits.x_train[:2000], digits.y_train[:2000], epochs=3, seed=0)
    return network


@pytest.fixture(scope="module")
def playground(model):
    return DigitPlayground(model)


def empty(network, **settings):
    """A playground without examples and with an empty pad."""
    return DigitPlayground(network, examples=([], []), **settings)


def bytes_of(x):
    """Pictures of floats from 0 to 1 as bytes, (N, 28, 28)."""
    return np.rint(255 * np.asarray(x)).astype(np.uint8).reshape(-1, 28, 28)


# --- From a drawing to a picture -----------------------------------------------------------------


def random_strokes(rng):
    """Some lines anywhere on the pad, as a reader might draw them."""
    strokes = []
    for _ in range(rng.integers(1, 4)):
        steps = rng.normal(0, 15, (rng.integers(1, 12), 2))
        walk = rng.uniform(0, PAD, 2) + np.cumsum(steps, axis=0)
        strokes.append({
            "points": np.clip(walk, 0, PAD).round(1).tolist(),
            "width": int(rng.integers(6, 41)),
        })  # fmt: skip
    return strokes


class TestDigitImage:
    @pytest.mark.slow
    def test_mnist_digits_are_left_as_they_are(self, digits):
        """What was prepared like this once stays the same: so this is how it was done."""
        unscaled = 0
        for picture in bytes_of(np.concatenate([digits.x_train, digits.x_test])):
            part, _, _ = crop(picture)
            np.testing.assert_array_equal(centre_by_mass(part), picture)
            if max(part.shape) == 20:
                np.testing.assert_array_equal(fit_to_box(picture), part)
            else:
                unscaled += 1
        assert unscaled <= 10  # digits with a side so faint that it was rounded to zero

    def test_the_longer_side_has_20_pixels(self):
        drawing = np.zeros((280, 280))
        drawing[40:240, 100:150] = 1
        assert fit_to_box(drawing).shape == (20, 5)
        assert fit_to_box(drawing.T).shape == (5, 20)
        thin = np.zeros((280, 280))
        thin[:, 7] = 1
        assert fit_to_box(thin).shape == (20, 1)

    def test_resizing_keeps_the_average(self):
        rng = np.random.default_rng(0)
        image = rng.random((37, 23))
        for shape in [(20, 13), (37, 23), (1, 1), (50, 60)]:
            assert resize(image, shape).shape == shape
            assert resize(image, shape).mean() == pytest.approx(image.mean())
        blocks = image[:36, :22].reshape(18, 2, 11, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(resize(image[:36, :22], (18, 11)), blocks)

    def test_the_centre_of_mass_goes_to_the_middle(self):
        rng = np.random.default_rng(1)
        for _ in range(50):
            image = rng.random((rng.integers(1, 15), rng.integers(1, 15)))
            placed = centre_by_mass(image)
            for axis in (0, 1):
                mass = placed.sum(axis=1 - axis)
                assert abs(mass @ np.arange(28) / mass.sum() - 14) <= 0.5 + 1e-9

    def test_nothing_sticks_out(self):
        image = np.zeros((20, 20))
        image[:, 19], image[0, 0] = 1, 0.01
        assert centre_by_mass(image).sum() == pytest.approx(image.sum())
        assert place(image, -5, 30)[0, 27] == 1

    def test_a_pen_draws_a_round_line(self):
        dot = draw([{"points": [[140, 140]], "width": 20}])
        assert dot.sum() == pytest.approx(math.pi * 100, rel=0.01)
        line = draw([{"points": [[40, 140], [240, 140]], "width": 20}])
        assert line.sum() == pytest.approx(200 * 20 + math.pi * 100, rel=0.01)
        assert line.max() == 1

    def test_steps_can_be_left_out(self):
        strokes = [{"points": [[30, 30], [60, 90]], "width": 10}]
        drawing = draw(strokes)
        np.testing.assert_array_equal(
            prepare(drawing, scale=False, centre=False),
            np.floor(255 * drawing.reshape(28, 10, 28, 10).mean(axis=(1, 3)) + 0.5),
        )
        pictures = [prepare(drawing, s, c) for s in (True, False) for c in (True, False)]
        assert len({picture.tobytes() for picture in pictures}) == 4
        assert not prepare(np.zeros((280, 280))).any()

    def test_errors_name_the_image(self):
        for function in (crop, fit_to_box, centre_by_mass):
            with pytest.raises(ValueError, match="image must have some ink"):
                function(np.zeros((28, 28)))
            with pytest.raises(ValueError, match="image must have 2 axes"):
                function(np.zeros(28))
        with pytest.raises(ValueError, match="not be larger than 28 × 28"):
            place(np.ones((29, 3)), 0, 0)


# --- In Python -----------------------------------------------------------------------------------


class TestPython:
    def test_output_is_that_of_the_rounded_network(self, playground):
        x = np.array(playground.pixels, np.float32)[None, None] / np.float32(255)
        np.testing.assert_array_equal(playground.output, F.softmax(playground.network(x))[0])
        assert playground.output.argmax() == playground.examples[0]["label"]

    def test_the_model_is_left_alone(self, model, digits):
        before = {name: array.copy() for name, array in model.params.items()}
        w = empty(model, bits=4)
        w.pixels = digits.x_test[0]
        assert w.output is not None
        for name, array in model.params.items():
            np.testing.assert_array_equal(array, before[name])
            assert array is not w.network.params[name]

    @pytest.mark.slow
    def test_rounding_costs_little(self, playground, model, digits, record_property):
        sizes = {bits: len(json.dumps(empty(model, bits=bits).layers)) for bits in (8, 10, 12)}
        errors = {bits: empty(model, bits=bits).error(digits.x_test) for bits in sizes}
        text = ", ".join(f"{b} bits {e:.4f} ({sizes[b] / 1000:.0f} kB)" for b, e in errors.items())
        record_property("figure", f"Playground, largest change of a probability: {text}")
        assert playground.error(digits.x_test) < 0.01
        assert len(json.dumps(playground.layers)) < 80_000
        assert errors[8] > errors[10] > errors[12]

    def test_error_is_measured_against_the_model(self, model, digits):
        w = empty(model, bits=6)
        x = digits.x_test[:200]
        expected = np.abs(F.softmax(model.eval()(x)) - F.softmax(w.network(x))).max()
        assert w.error(x) == pytest.approx(expected, rel=1e-4)
        assert w.error(bytes_of(x)) == pytest.approx(expected, rel=1e-3)

    @pytest.mark.parametrize("bits", [2, 3, 8, 12, 16])
    def test_quantise(self, bits):
        weights = np.random.default_rng(bits).normal(0, 0.1, (5, 3, 2, 2)).astype(np.float32)
        weights[2] = 0
        codes, steps = quantise(weights, bits)
        assert np.abs(codes).max() == 2 ** (bits - 1) - 1
        difference = np.abs(dequantise(codes, steps) - weights)
        assert (difference <= steps[:, None, None, None] * 0.5001).all()

    def test_default_examples(self, playground, digits):
        labels = [example["label"] for example in playground.examples]
        wrong = [example["label"] != example["read"] for example in playground.examples]
        assert labels[:10] == list(range(10))
        assert not any(wrong[:10]) and wrong[10]
        shown = {base64.b64decode(example["pixels"]) for example in playground.examples}
        assert shown <= {picture.tobytes() for picture in bytes_of(digits.x_test)}

    def test_says_the_same_each_time(self, model, playground):
        assert DigitPlayground(model).static_html() == playground.static_html()
        assert repr(playground) == "DigitPlayground()"
        assert "The network reads a 0. The picture is a test digit, a 0." in playground.plain()
        assert "<table" in playground.plain()

    def test_an_empty_pad_has_no_output(self):
        w = empty(small_model())
        assert w.output is None
        assert "<p>An empty pad" in w.plain()

    def test_dropout_and_containers(self):
        layers = list(small_model())
        w = empty(small_model())
        nested = Sequential(Sequential(*layers[:3], Dropout(0.5)), Dropout(0.2), *layers[3:])
        assert empty(nested.train()).layers == w.layers

    def test_pixels(self, digits):
        w = empty(small_model())
        w.pixels = digits.x_test[0]
        given = w.output
        w.pixels = bytes_of(digits.x_test[0])[0].tolist()
        np.testing.assert_array_equal(w.output, given)
        for wrong in (np.zeros((27, 28)), np.full((28, 28), 256), np.full((28, 28), np.nan), "5"):
            with pytest.raises(traitlets.TraitError, match="pixels must be 28 × 28"):
                w.pixels = wrong
        np.testing.assert_array_equal(w.output, given)

    def test_strokes_are_prepared(self):
        strokes = random_strokes(np.random.default_rng(3))
        w = empty(small_model(), strokes=strokes, centre=False)
        np.testing.assert_array_equal(w.pixels, prepare(draw(strokes), centre=False))

    @pytest.mark.parametrize(
        ("network", "message"),
        [
            (lambda: Flatten(), "Sequential, got Flatten"),
            (lambda: Sequential(Conv2d(1, 2, 3), BatchNorm2d(2)), "got BatchNorm2d"),
            (lambda: Sequential(Conv2d(1, 2, 3), Conv2d(2, 2, 3, groups=2)), "groups = 1"),
            (lambda: Sequential(Flatten(), Linear(784, 9)), "scores of shape"),
            (lambda: Sequential(Conv2d(3, 2, 3)), "C = 3"),
        ],
    )
    def test_other_models_are_refused(self, network, message):
        with pytest.raises((TypeError, ValueError), match=message):
            empty(network())

    def test_other_arguments_are_refused(self):
        for bits in (1, 17):
            with pytest.raises(ValueError, match="bits must be"):
                empty(small_model(), bits=bits)
        with pytest.raises(ValueError, match="up to 30 pictures"):
            DigitPlayground(small_model(), examples=(np.zeros((31, 28, 28)), range(31)))
        with pytest.raises(ValueError, match="as many labels"):
            DigitPlayground(small_model(), examples=(np.zeros((2, 28, 28)), [1]))
        with pytest.raises(traitlets.TraitError, match="examples must be 28 × 28"):
            DigitPlayground(small_model(), examples=(np.zeros((1, 8, 8)), [1]))


# --- The page's network is the package's ---------------------------------------------------------

# A figure on a blank page, with the model's values at hand: set(values) waits until all is drawn.
FIGURE = """
async ([source, state]) => {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { default: modules } = await import(address);
  const { default: widget } = modules["digit_playground.js"];
  const listeners = {};
  const model = {
    get: (name) => state[name],
    set(name, value) {
      if (JSON.stringify(state[name]) === JSON.stringify(value)) return;
      state[name] = value;
      for (const listener of listeners[`change:${name}`] ?? []) listener();
    },
    on: (event, listener) => (listeners[event] ??= []).push(listener),
    off() {},
    save_changes() {},
  };
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  await widget.render({ model, el });
  window.figure = {
    model, el, state,
    async set(values) {
      for (const [name, value] of Object.entries(values)) model.set(name, value);
      for (let k = 0; k < 4; k++) await null;
    },
    number: (selector) => Number(el.querySelector(selector).dataset.value),
    probabilities: () =>
      [...el.querySelectorAll(".cb-bar")].map((bar) => Number(bar.dataset.value)),
    field: () => ["rows", "cols"].map((axis) =>
      el.querySelector(".cb-inspector .cb-part").dataset[axis].split(" ")
        .filter(Boolean).map(Number)),
    ms: () => Number(el.querySelector(".cb-legend").dataset.ms),
  };
}
"""


@pytest.fixture
def figure(visit, tmp_path):
    """A function that shows a widget on a blank page; what it returns evaluates there."""
    (tmp_path / "blank.html").write_text('<!doctype html><html lang="en"><title>Digits</title>')
    seen = visit((tmp_path / "blank.html").as_uri())

    def start(widget):
        state = json.loads(json.dumps(widget.state))
        seen.page.evaluate(
            FIGURE, [bundle.script("digit_playground.js") + "export default modules;", state]
        )
        return lambda script, given=None: seen.page.evaluate(script, given)

    yield start
    assert seen.errors == []


READ_ALL = """
async (text) => {
  const bytes = atob(text);
  const results = [];
  for (let start = 0; start < bytes.length; start += 28 * 28) {
    const at = (row, col) => bytes.charCodeAt(start + 28 * row + col);
    const side = Array.from({ length: 28 }, (_, k) => k);
    await figure.set({ pixels: side.map((row) => side.map((col) => at(row, col))) });
    results.push([figure.probabilities(), figure.ms()]);
  }
  return results;
}
"""


def packed(pictures):
    """Pictures of bytes as one text: as lists of numbers they are long on their way to a page."""
    return base64.b64encode(pictures.tobytes()).decode()


def test_500_digits(figure, model, digits, record_property):
    """The page reads test digits as the model does that was trained, before any rounding."""
    pictures = bytes_of(digits.x_test[:500])
    results = figure(empty(model))(READ_ALL, packed(pictures))
    read = np.array([probabilities for probabilities, _ in results])
    expected = F.softmax(model.eval()(digits.x_test[:500]))
    difference = np.abs(read - expected).max()
    same = (read.argmax(axis=1) == expected.argmax(axis=1)).mean()
    milliseconds = np.array([ms for _, ms in results])
    record_property(
        "figure",
        f"Playground: {100 * same:.1f} % of 500 digits read as in Python, probabilities within "
        f"{difference:.5f}, {np.median(milliseconds):.1f} ms per reading",
    )
    assert same >= 0.995
    assert difference < 0.01
    assert np.median(milliseconds) < SLOWEST
    # Apart from the rounding of the weights, which Python knows, there is nothing between them.
    np.testing.assert_allclose(read, empty(model).probabilities(pictures), atol=1e-5)


def networks():
    """Yield networks of many shapes, with everything that the layers allow."""
    rng = np.random.default_rng(5)
    yield small_model(rng)
    yield Sequential(
        Conv2d(1, 3, 3, padding=1, rng=rng), ReLU(), AvgPool2d(3, stride=2, padding=1),
        Conv2d(3, 4, (3, 5), stride=(2, 1), padding=((2, 0), (1, 2)), dilation=(1, 2), rng=rng),
        MaxPool2d((2, 3), stride=2, padding=(1, 0)), Dropout(0.3), Flatten(),
        Linear(64, 30, bias=False, rng=rng), ReLU(), Linear(30, 10, rng=rng),
    )  # fmt: skip
    yield Sequential(
        Conv2d(1, 5, 5, stride=3, padding=4, dilation=2, bias=False, rng=rng),
        AvgPool2d(2, stride=3), ReLU(), Conv2d(5, 33, 3, padding=2, rng=rng), MaxPool2d(5),
        Flatten(), Linear(33, 10, rng=rng),
    )  # fmt: skip
    yield Sequential(Flatten(), Linear(784, 40, rng=rng), ReLU(), Linear(40, 10, rng=rng))


@pytest.mark.parametrize("network", list(networks()), ids=len)
@pytest.mark.parametrize("bits", [5, 16])
def test_other_networks(figure, digits, network, bits):
    pictures = bytes_of(digits.x_test[:20])
    w = empty(network, bits=bits)
    results = figure(w)(READ_ALL, packed(pictures))
    read = np.array([probabilities for probabilities, _ in results])
    np.testing.assert_allclose(read, w.probabilities(pictures), atol=1e-5)


EXPLAIN = """
async (units) => {
  const results = [];
  for (const unit of units) {
    await figure.set({ unit });
    results.push([figure.number(".cb-result"), ...figure.field()]);
  }
  return results;
}
"""


@pytest.mark.parametrize("network", list(networks()), ids=len)
def test_receptive_fields(figure, digits, network):
    """A number depends on a pixel if it is not a number any more once the pixel is none."""
    picture = bytes_of(digits.x_test[7])[0]
    w = empty(network, bits=16, pixels=picture)
    x = np.tile(picture[None, None].astype(np.float32) / np.float32(255), (785, 1, 1, 1))
    x.reshape(785, -1)[np.arange(784), np.arange(784)] = np.nan  # the last is whole
    rng = np.random.default_rng(6)
    units, expected = [], []
    with np.errstate(invalid="ignore"):
        for k, layer in enumerate(w.network, start=1):
            x = layer(x)
            for _ in range(12):
                unit = [int(rng.integers(n)) for n in x.shape[1:]]
                values = x[:, *unit]
                depends = np.isnan(values[:784]).reshape(28, 28)
                units.append([k, *unit, 0, 0][:4])
                expected.append([
                    float(values[784]), np.flatnonzero(depends.any(axis=1)).tolist(),
                    np.flatnonzero(depends.any(axis=0)).tolist(), int(depends.sum()),
                ])  # fmt: skip
    for shown, (value, rows, cols, count) in zip(figure(w)(EXPLAIN, units), expected, strict=True):
        assert shown[0] == pytest.approx(value, abs=1e-4)
        assert shown[1:] == [rows, cols]
        assert len(rows) * len(cols) == count


PREPARE = """
async (cases) => {
  const results = [];
  for (const [strokes, scale, centre] of cases) {
    await figure.set({ strokes, scale, centre });
    results.push(figure.model.get("pixels"));
  }
  return results;
}
"""


def test_preparation(figure):
    """The page prepares drawings as `convbook.images.digit` does."""
    rng = np.random.default_rng(8)
    cases = [
        (random_strokes(rng), scale, centre)
        for scale in (True, False) for centre in (True, False) for _ in range(10)
    ]  # fmt: skip
    results = figure(empty(small_model()))(PREPARE, cases)
    for pixels, (strokes, *steps) in zip(results, cases, strict=True):
        expected = prepare(draw(strokes), *steps).astype(int)
        # A byte lies between two when a sum of another order ends in another last bit.
        assert np.abs(np.array(pixels) - expected).max() <= 1


def test_python_and_the_page_agree_about_who_draws(figure, digits):
    """Pixels that Python sets take the place of strokes; a switch prepares the strokes again."""
    run = figure(empty(small_model()))
    strokes = random_strokes(np.random.default_rng(9))
    run("(strokes) => figure.set({ strokes })", strokes)
    centred = run("() => figure.model.get('pixels')")
    run("() => figure.set({ centre: false })")
    np.testing.assert_allclose(centred, prepare(draw(strokes)), atol=1)
    np.testing.assert_allclose(
        run("() => figure.model.get('pixels')"), prepare(draw(strokes), centre=False), atol=1
    )
    assert run("() => figure.model.get('strokes')") == strokes
    # Jupyter sends back what it was sent: equal, but not the same object.
    run("() => { figure.state.strokes = structuredClone(figure.state.strokes); }")
    run("(pixels) => figure.set({ pixels })", bytes_of(digits.x_test[0])[0].tolist())
    assert run("() => figure.model.get('strokes')") == []
    np.testing.assert_array_equal(
        run("() => figure.model.get('pixels')"), bytes_of(digits.x_test[0])[0]
    )


# --- In use --------------------------------------------------------------------------------------

NEXT_PICTURE = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
ONE = [(0.52, 0.15), (0.5, 0.5), (0.48, 0.85)]
ZERO = [
    (0.5 + 0.22 * math.sin(turn), 0.5 - 0.33 * math.cos(turn))
    for turn in np.linspace(0, 2 * math.pi, 25)
]


@pytest.fixture
def put(tmp_path, open_page):
    """A function that puts a playground on a page and returns the page and the widget's locator."""
    opened = []

    def start(widget, **options):
        seen = open_widgets(tmp_path, open_page, [widget], **options)
        opened.append(seen)
        return seen.page, seen.page.locator(".convbook-widget")

    yield start
    assert [seen.errors for seen in opened] == [[] for _ in opened]


def on_pad(place, point):
    box = place.locator(".cb-pad").bounding_box()
    return box["x"] + point[0] * box["width"], box["y"] + point[1] * box["height"]


def draw_by_mouse(page, place, points):
    place.locator(".cb-pad").scroll_into_view_if_needed()
    page.mouse.move(*on_pad(place, points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*on_pad(place, point), steps=4)
    page.mouse.up()
    page.evaluate(NEXT_PICTURE)


def verdict(place):
    return place.locator(".cb-verdict").inner_text()


def probabilities(place):
    """The probabilities on the page, None where there is none."""
    texts = place.locator(".cb-bar").evaluate_all("bars => bars.map((bar) => bar.dataset.value)")
    return [None if text is None else float(text) for text in texts]


def press(place, name):
    place.get_by_role("button", name=name, exact=True).click()


def test_drawing_by_mouse(put, playground):
    page, place = put(playground)
    draw_by_mouse(page, place, ONE)  # the example that was there goes away
    assert verdict(place).startswith("It reads a 1")
    assert sum(probabilities(place)) == pytest.approx(1)
    assert place.locator(".cb-pad path").count() == 1
    press(place, "Clear the pad")
    assert verdict(place) == "Nothing to read yet."
    assert probabilities(place) == [None] * 10
    assert place.get_by_text("Draw a digit here").is_visible()
    draw_by_mouse(page, place, ZERO)
    assert verdict(place).startswith("It reads a 0")
    zero = probabilities(place)
    draw_by_mouse(page, place, ONE)
    assert probabilities(place) != zero
    press(place, "Undo the last stroke")
    assert probabilities(place) == zero
    press(place, "Back to the start")
    assert "The test set says a 0: right." in place.inner_text()


def test_it_reads_while_the_pen_is_down(put, playground):
    page, place = put(playground)
    place.locator(".cb-pad").scroll_into_view_if_needed()
    page.mouse.move(*on_pad(place, ZERO[0]))
    page.mouse.down()
    seen = set()
    for point in ZERO[1:]:
        page.mouse.move(*on_pad(place, point))
        page.evaluate(NEXT_PICTURE)
        seen.add(tuple(probabilities(place)))
    page.mouse.up()
    assert len(seen) > 10


def test_drawing_by_touch_does_not_scroll(put, playground):
    page, place = put(playground, viewport=NARROW, has_touch=True, is_mobile=True)
    page.evaluate("() => { document.body.style.paddingBottom = '3000px'; }")
    pad = place.locator(".cb-pad")
    assert pad.evaluate("(pad) => getComputedStyle(pad).touchAction") == "none"
    before = page.evaluate("scrollY")
    touch = page.context.new_cdp_session(page)

    def send(kind, *points):
        touch.send("Input.dispatchTouchEvent", {
            "type": kind, "touchPoints": [dict(zip("xy", on_pad(place, p))) for p in points],
        })  # fmt: skip

    send("touchStart", ONE[0])
    for part in np.linspace(0, 1, 12)[1:]:
        send("touchMove", (ONE[0][0] + part * (ONE[2][0] - ONE[0][0]), 0.15 + 0.7 * part))
        page.evaluate(NEXT_PICTURE)
    send("touchEnd")
    place.get_by_text("It reads a 1").wait_for()
    assert page.evaluate("scrollY") == before
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    buttons = place.get_by_role("button").evaluate_all(
        "all => all.map((b) => [b.offsetWidth, b.offsetHeight])"
    )
    assert min(min(size) for size in buttons) >= 24


def test_drawing_by_keyboard(put, playground):
    page, place = put(playground)
    pad = place.locator(".cb-pad")
    press(place, "Clear the pad")
    pad.focus()
    page.keyboard.press("ArrowDown")
    assert probabilities(place) == [None] * 10  # the pen is still up
    page.keyboard.press(" ")
    for _ in range(16):
        page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    page.keyboard.press("ArrowRight")
    place.get_by_text("It reads a 1").wait_for()
    assert place.locator(".cb-pad path").count() == 1
    page.keyboard.press("Backspace")
    assert probabilities(place) == [None] * 10
    assert pad.get_attribute("data-lm-suppress-shortcuts") == "true"
    assert page.evaluate("scrollY") == 0


def test_examples(put, playground):
    _, place = put(playground)
    thumbs = place.locator(".cb-thumb:has(canvas)")
    assert thumbs.count() == len(playground.examples)
    for k, example in enumerate(playground.examples):
        thumbs.nth(k).click()
        pixels = np.frombuffer(base64.b64decode(example["pixels"]), np.uint8).reshape(1, 28, 28)
        np.testing.assert_allclose(
            probabilities(place), playground.probabilities(pixels)[0], atol=1e-5
        )
        right = example["read"] == example["label"]
        assert (": wrong." in place.locator(".cb-truth").inner_text()) == (not right)
        assert thumbs.nth(k).get_attribute("aria-pressed") == "true"
        assert "they leave it as it is" in place.locator(".cb-remark").inner_text()


def test_why_home_made_demos_fail(put, playground):
    """Drawings of another size and place are read once they are prepared, and not before."""
    _, place = put(playground)
    wrong = 0
    for name in ("a small 3 in a corner", "a 7 at the side", "a 0 at the bottom"):
        digit = next(letter for letter in name if letter.isdigit())
        press(place, f"Drawing: {name}")
        assert verdict(place).startswith(f"It reads a {digit}")
        place.get_by_label("scale to").uncheck()
        place.get_by_label("centre of mass").uncheck()
        wrong += not verdict(place).startswith(f"It reads a {digit}")
        assert "The network has never seen such digits" in place.inner_text()
        place.get_by_label("scale to").check()
        place.get_by_label("centre of mass").check()
    assert wrong >= 2


def test_choosing_a_pixel(put, playground):
    page, place = put(playground)
    second = place.get_by_role("application", name="Conv2d(8, 16, 5), 16 × 8 × 8")
    inspector = place.get_by_role("group", name="One number explained")
    view = second.locator("[data-map='5']")
    view.scroll_into_view_if_needed()
    size = view.bounding_box()["width"]
    view.hover(position={"x": size * 3.5 / 8, "y": size * 2.5 / 8})
    x = np.array(playground.pixels, np.float32)[None, None] / np.float32(255)
    for layer in list(playground.network)[:4]:
        x = layer(x)
    value = float(inspector.locator(".cb-result").get_attribute("data-value"))
    assert value == pytest.approx(x[0, 5, 2, 3], abs=1e-5)
    text = inspector.inner_text()
    assert "channel 5, row 2, column 3" in text
    assert "14 × 14 of the 28 × 28 pixels: rows 4–17, columns 6–19" in text
    assert "200 products" in text
    # The window in the layer before is framed in all of its channels.
    before = place.get_by_role("application", name="MaxPool2d(2), 8 × 12 × 12")
    frames = before.locator(".cb-part.next")
    assert frames.count() == 8
    styles = frames.evaluate_all(
        "all => all.map(({ style }) => [style.top, style.left, style.width])"
    )
    percent = [[float(value.rstrip("%")) for value in style] for style in styles]
    np.testing.assert_allclose(percent, [[200 / 12, 300 / 12, 500 / 12]] * 8, atol=0.01)
    # With the keyboard, on to the next row, and over the edge into the next picture.
    second.focus()
    page.keyboard.press("ArrowDown")
    assert "channel 5, row 3, column 3" in inspector.inner_text()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert "channel 6, row 3, column 0" in inspector.inner_text()
    # A number of the last layer depends on everything.
    last = place.get_by_role("application", name="Linear(64, 10), 10")
    last.locator("[data-map]").click(position={"x": 3, "y": 3})
    assert "number 0" in inspector.inner_text()
    assert "It depends on all pixels." in inspector.inner_text()


def test_tapping_a_pixel(put, playground):
    _, place = put(playground, viewport=NARROW, has_touch=True, is_mobile=True)
    maps = place.get_by_role("application", name="ReLU(), 8 × 24 × 24")
    maps.evaluate("(maps) => maps.scrollIntoView({ block: 'start' })")
    maps.locator("[data-map='2']").tap(position={"x": 20, "y": 20})
    inspector = place.get_by_role("group", name="One number explained")
    assert "ReLU(), channel 2" in inspector.inner_text()


def test_the_reading_is_announced_once_it_rests(put, playground):
    page, place = put(playground)
    spoken = place.locator(".cb-spoken")
    assert spoken.get_attribute("aria-live") == "polite"
    page.evaluate("""() => {
      window.changes = 0;
      new MutationObserver(() => { changes += 1; })
        .observe(document.querySelector(".cb-spoken"), { childList: true });
    }""")
    spoken.filter(has_text="It reads a 0").wait_for(state="attached")  # the example on the pad
    page.evaluate("() => { changes = 0; }")
    draw_by_mouse(page, place, ONE)
    place.locator(".cb-spoken", has_text="It reads a 1").wait_for(state="attached")
    assert page.evaluate("changes") == 1


@pytest.mark.parametrize("theme", THEMES)
def test_the_page_does_not_jump(put, playground, theme):
    page, place = put(playground, viewport=NARROW, color_scheme=theme)
    choose_theme(page, theme)

    def top():
        return place.locator(".cb-preparation").evaluate(
            "(element) => element.getBoundingClientRect().top + scrollY"
        )

    height = top()
    for button in ("Clear the pad", "Drawing: a 7 at the side", "Test digit: a 2"):
        press(place, button)
        assert abs(top() - height) < 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
