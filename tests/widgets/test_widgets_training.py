"""Snapshots of a training, and the two explorers that show what a network has learned."""

import html
import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect
from traitlets import TraitError

from convbook import functional as F
from convbook.layers import (
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
)
from convbook.training import fit
from convbook.training.metrics import confusion_matrix
from convbook.training.snapshots import Snapshots
from convbook.widgets import ConfusionExplorer, TrainingExplorer
from convbook.widgets.packed import packed, unpacked
from helpers.figures import CONFUSION, TRAINING, confusion_arrays, training_arrays
from helpers.pages import NARROW, WIDE, number, settle, write_widget_page

# --- Packed arrays -------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [2, 63, 255, 256, 65535])
@pytest.mark.parametrize("signed", [False, True])
def test_packed_arrays_are_off_by_half_a_step_at_most(levels, signed):
    rng = np.random.default_rng(levels)
    array = rng.normal(size=(5, 3, 4)) if signed else rng.random((5, 3, 4))
    array[2, 1] = 0
    stored = packed(array, levels)
    again = unpacked(json.loads(json.dumps(stored)))
    assert np.abs(again - array).max() <= stored["step"] / 2 * (1 + 1e-9)
    assert (again[2, 1] == 0).all()
    steps = levels // 2 if signed else levels
    assert np.abs(array).max() == pytest.approx(stored["step"] * steps)


def test_packing_nothing_but_zeros():
    assert (unpacked(packed(np.zeros((2, 3)))) == 0).all()


# --- Snapshots -----------------------------------------------------------------------------------


def small_network(seed=0):
    rng = np.random.default_rng(seed)
    return Sequential(Conv2d(1, 3, 3, rng=rng), BatchNorm2d(3), ReLU(), MaxPool2d(2),
                      Conv2d(3, 6, 2, rng=rng), ReLU(), Dropout(0.5, rng=rng), Flatten(),
                      Linear(24, 8, rng=rng), ReLU(), Linear(8, 4, rng=rng))  # fmt: skip


def some_data(n=40, seed=1):
    rng = np.random.default_rng(seed)
    return rng.random((n, 1, 8, 8), dtype=np.float32), rng.integers(0, 4, n)


def test_snapshots_follow_a_training():
    x, y = some_data()
    model = small_network()
    snapshots = Snapshots(model, x[:3], y[:3])
    first = model.state()
    history = fit(model, x, y, epochs=3, batch_size=10, validation=(x, y), after_epoch=snapshots)
    arrays = snapshots.arrays()
    assert len(snapshots) == 4 and arrays["epochs"].tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(arrays["filters"][0], first["0.f"])
    np.testing.assert_array_equal(arrays["filters"][-1], model.params["0.f"])
    assert {name: a.shape for name, a in arrays["maps"].items()} == {
        "ReLU 1": (4, 3, 3, 6, 6), "ReLU 2": (4, 3, 6, 2, 2)}  # fmt: skip
    model.eval()
    maps = Sequential(*model[:6])(x[:3])
    np.testing.assert_allclose(arrays["maps"]["ReLU 2"][-1], maps, rtol=1e-5)
    np.testing.assert_allclose(arrays["probabilities"][-1], F.softmax(model(x[:3])), rtol=1e-5)
    np.testing.assert_array_equal(arrays["images"], x[:3])
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert arrays["history"][name] == history[name]
    assert "seconds" not in arrays["history"]
    assert repr(snapshots) == "Snapshots(4 of 3 images)"
    widget = TrainingExplorer(**arrays, step=3)
    np.testing.assert_allclose(widget.output, arrays["probabilities"][3, 0])


def test_snapshots_leave_the_training_as_it_is():
    x, y = some_data()
    plain, watched = small_network(), small_network()
    fit(plain, x, y, epochs=2, batch_size=10)
    fit(watched, x, y, epochs=2, batch_size=10, after_epoch=Snapshots(watched, x[:2], y[:2]))
    for name, array in plain.state().items():
        np.testing.assert_array_equal(array, watched.state()[name])


def test_snapshots_keep_the_mode_of_every_layer():
    x, y = some_data(2)
    model = small_network()
    model[1].eval()  # frozen, as in transfer learning
    Snapshots(model, x, y)
    assert [layer.training for layer in model] == [i != 1 for i in range(len(model))]


def test_snapshots_of_chosen_layers_epochs_and_channels():
    x, y = some_data()
    model = small_network()
    snapshots = Snapshots(model, x[:1], y[:1], layers={"pooled": 3}, epochs=(1, 3), channels=2)
    with pytest.raises(ValueError, match="no snapshot was kept"):
        snapshots.arrays()
    fit(model, x, y, epochs=3, after_epoch=snapshots, batch_size=20)
    arrays = snapshots.arrays()
    assert arrays["epochs"].tolist() == [1, 3]
    assert arrays["maps"]["pooled"].shape == (2, 1, 2, 3, 3)
    assert len(arrays["history"]["loss"]) == 3
    TrainingExplorer(**arrays)
    assert list(Snapshots(model, x[:1], y[:1], layers=[0, 4]).layers) == ["layer 0", "layer 4"]


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"model": Conv2d(1, 2, 3)}, TypeError, "model must be a Sequential, got Conv2d"),
        ({"model": Sequential(Flatten(), Linear(64, 4))}, ValueError, "model must have a Conv2d"),
        ({"images": np.zeros((1, 8, 8))}, ValueError, r"images must have 4 axes"),
        ({"labels": [1, 2]}, ValueError, r"labels must have shape \(3,\), got \(2,\)"),
        ({"layers": [11]}, ValueError, "positions from 0 to 10, got 11"),
        ({"layers": [8]}, ValueError, r"layer 8, Linear\(24, 8\).*output has shape \(3, 8\)"),
        ({"layers": []}, ValueError, "at least one layer"),
        ({"layers": ["ReLU"]}, TypeError, "layers must be an integer"),
        ({"epochs": [0, -1]}, ValueError, "epochs must be an integer of at least 0"),
        ({"channels": 0}, ValueError, "channels must be an integer of at least 1"),
    ],
)
def test_snapshots_refuse(changes, error, words):
    x, y = some_data(3)
    with pytest.raises(error, match=words):
        Snapshots(**{"model": small_network(), "images": x, "labels": y} | changes)


# --- TrainingExplorer in Python ------------------------------------------------------------------


def test_training_state_is_small():
    rng = np.random.default_rng(0)
    # The worst case: noise cannot be deflated, and half of it is zero, as after a ReLU.
    maps = {"ReLU 1": np.maximum(0, rng.normal(size=(9, 2, 8, 12, 12))),
            "ReLU 2": np.maximum(0, rng.normal(size=(9, 2, 16, 8, 8)))}  # fmt: skip
    p = rng.random((9, 2, 10))
    widget = TrainingExplorer(rng.normal(size=(9, 8, 5, 5)), np.zeros((2, 1, 28, 28)), [0, 1], maps,
                              p / p.sum(axis=2, keepdims=True))  # fmt: skip
    assert len(json.dumps(widget.state)) < 60_000


def test_training_state_keeps_the_numbers():
    data = TrainingExplorer(**TRAINING).data
    for name in ("filters", "probabilities"):
        np.testing.assert_allclose(unpacked(data[name]), TRAINING[name], atol=1e-4)
    for stored, (name, values) in zip(data["maps"], TRAINING["maps"].items(), strict=True):
        assert stored["name"] == name
        assert np.abs(unpacked(stored["values"]) - values).max() <= np.abs(values).max() / 61
    assert list(data["curves"]) == ["loss", "accuracy", "val_loss"]
    assert data["curves"]["val_loss"][0] == 2.5 and data["curves"]["loss"][0] is None


def test_training_output_follows_its_settings():
    widget = TrainingExplorer(**TRAINING, step=1)
    widget.image = 2
    np.testing.assert_array_equal(widget.output, TRAINING["probabilities"][1, 2])


def test_training_plain_form_tells_the_numbers():
    text = TrainingExplorer(**TRAINING, classes=["a", "b", "<c>", "d", "e"], step=2).plain()
    assert f"{TRAINING['history']['loss'][1]:.3f}" in text and "2.500" in text
    assert "&lt;c&gt;" in text and "<c>" not in text
    assert text.count("<b>Filter") == 4 and "after epoch 2" in text


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"filters": np.zeros((4, 2, 2, 3, 3))}, ValueError, "filters must be .* 1 or 3 channels"),
        ({"filters": np.zeros((3, 2, 3, 3))}, ValueError, r"probabilities must have shape \(3, 3,"),
        ({"filters": np.zeros((4, 3, 3))}, ValueError, "filters must have 5 axes"),
        ({"filters": np.full((4, 2, 3, 3), np.nan)}, ValueError, "filters must hold finite"),
        ({"images": np.zeros((3, 28, 28))}, ValueError, "images must have 4 axes"),
        ({"images": np.full((3, 1, 7, 6), 2)}, ValueError, "images must be .* from 0 to 1"),
        ({"images": np.zeros((9, 1, 7, 6))}, ValueError, "images must be up to 8"),
        ({"labels": [0, 1]}, ValueError, "labels must be 3 whole numbers"),
        ({"labels": [0, 1, 5]}, ValueError, "labels must be from 0 to 4"),
        ({"labels": [0, 1, 1.5]}, ValueError, "labels must be 3 whole numbers"),
        ({"maps": {}}, ValueError, "maps must be of 1 to 6 layers, got 0"),
        ({"maps": {"a": np.zeros((4, 2, 1, 3, 3))}}, ValueError, r"maps\['a'\] must have shape"),
        ({"probabilities": np.full((4, 3, 5), 2.0)}, ValueError, "probabilities must be numbers"),
        ({"probabilities": np.zeros((4, 3, 11))}, ValueError, "probabilities must be of 2 to 10"),
        ({"epochs": [0, 1, 1, 2]}, ValueError, "epochs must rise"),
        ({"epochs": [0, 1, 2]}, ValueError, "epochs must be 4 whole numbers"),
        ({"history": {"loss": [1, 2]}}, ValueError, r"history\['loss'\] must hold .* 3 epochs"),
        ({"classes": ["a", "b"]}, ValueError, "classes must be 5 names, got 2: a, b"),
        ({"step": 4}, TraitError, "step must be from 0 to 3; got 4"),
        ({"image": 3}, TraitError, "image must be from 0 to 2; got 3"),
        ({"layer": 2}, TraitError, "layer must be from 0 to 1; got 2"),
        ({"step": -1}, TraitError, "step must be a whole number"),
    ],
)
def test_training_refuses(changes, error, words):
    with pytest.raises(error, match=words):
        TrainingExplorer(**TRAINING | changes)


def test_training_keeps_its_state_when_it_refuses():
    widget = TrainingExplorer(**TRAINING)
    with pytest.raises(TraitError, match="step must be from 0 to 3"):
        widget.step = 4
    assert widget.step == 0


# --- ConfusionExplorer in Python -----------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_confusion_output_is_the_packages(seed):
    arrays = confusion_arrays(seed, k=seed + 2)
    expected = confusion_matrix(arrays["labels"], arrays["predictions"], seed + 2)
    widget = ConfusionExplorer(**arrays)
    np.testing.assert_array_equal(widget.output, expected)
    mistakes = expected - np.diag(np.diag(expected))
    assert mistakes[widget.row, widget.col] == mistakes.max()


def test_confusion_pictures_are_those_of_their_cells():
    arrays = confusion_arrays(n=400)
    widget = ConfusionExplorer(**arrays, examples=6)
    data, p = widget.data, arrays["probabilities"]
    for row, col in np.ndindex(5, 5):
        found = [data["numbers"][k] for k in data["cells"].get(f"{row},{col}", [])]
        inside = (arrays["labels"] == row) & (arrays["predictions"] == col)
        assert inside[found].all()
        assert len(found) == min(inside.sum(), 3 if row == col else 6)
        sureness = p[found, col]
        order = np.argsort(sureness if row == col else -sureness, kind="stable")
        assert (np.diff(order) == 1).all()
        rest = p[np.setdiff1d(np.flatnonzero(inside), found), col]
        if rest.size:
            assert (rest.min() >= sureness.max()) if row == col else (rest.max() <= sureness.min())


def test_confusion_pictures_are_limited():
    arrays = confusion_arrays(n=400)
    cells = ConfusionExplorer(**arrays, pictures=60).data["cells"]
    assert sum(map(len, cells.values())) == 60
    mistakes = {tuple(map(int, name.split(","))): len(found) for name, found in cells.items()}
    counts = ConfusionExplorer(**arrays).output
    commonest = max((c for c in mistakes if c[0] != c[1]), key=lambda cell: counts[cell])
    assert mistakes[commonest] == min(12, counts[commonest])
    assert min(mistakes.values()) >= 1


def test_confusion_needs_no_probabilities():
    widget = ConfusionExplorer([0, 1, 1], [0, 0, 0], np.zeros((3, 1, 4, 4), np.uint8))
    assert widget.output.tolist() == [[1, 0], [2, 0]] and widget.data["permille"] is None
    assert (widget.row, widget.col) == (1, 0)
    with_names = ConfusionExplorer([0], [0], np.zeros((1, 3, 4, 4)), classes=["cat", "dog", "frog"])
    assert with_names.output.shape == (3, 3) and (with_names.row, with_names.col) == (0, 0)


def test_confusion_plain_form():
    widget = ConfusionExplorer(**CONFUSION, classes=["a", "b", "c", "d", "<e>"])
    text = widget.plain()
    cells = re.findall(r"<td>(\d+)</td>", text)
    assert cells == [str(v) for v in widget.output.ravel()]
    assert "&lt;e&gt;" in text and f"{np.trace(widget.output)} of 120 are right" in text
    assert "–" in ConfusionExplorer([0], [0], np.zeros((1, 1, 4, 4)), classes="ab").plain()


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"labels": [0, 1]}, ValueError, r"labels must have shape \(120,\), got \(2,\)"),
        ({"labels": np.zeros(120)}, TypeError, "labels must be integers"),
        ({"predictions": np.full(120, 5)}, ValueError, "predictions must be from 0 to 4"),
        ({"images": np.zeros((120, 16, 16))}, ValueError, "images must have 4 axes"),
        ({"images": np.full((120, 1, 4, 4), 1.5)}, ValueError, "images must have .* floats from 0"),
        ({"images": np.zeros((120, 2, 4, 4))}, ValueError, "images must have 1 or 3 channels"),
        ({"images": np.zeros((120, 1, 65, 4))}, ValueError, "images must have .* 64 × 64"),
        ({"images": np.full((120, 1, 4, 4), np.nan)}, ValueError, "images must have"),
        ({"probabilities": np.zeros((120, 4))}, ValueError, "labels must be from 0 to 3"),
        ({"probabilities": np.zeros((3, 5))}, ValueError, "probabilities must be 120 rows"),
        ({"probabilities": np.full((120, 5), 3)}, ValueError, "probabilities must be 120 rows"),
        ({"classes": list("abcd")}, ValueError, r"probabilities must have shape \(120, 4\)"),
        ({"classes": "abcdefghijk", "probabilities": None}, ValueError, "classes must be 2 to 10"),
        ({"row": 5, "col": 0}, ValueError, "row must be from 0 to 4, got 5"),
        ({"row": 0, "col": 1.0}, TypeError, "col must be an integer"),
        ({"examples": 0}, ValueError, "examples must be an integer of at least 1"),
        ({"pictures": True}, TypeError, "pictures must be an integer"),
    ],
)
def test_confusion_refuses(changes, error, words):
    with pytest.raises(error, match=words):
        ConfusionExplorer(**CONFUSION | changes)


def test_confusion_refuses_a_cell_that_is_not_there():
    widget = ConfusionExplorer(**CONFUSION, row=1, col=2)
    with pytest.raises(TraitError, match="row must be from 0 to 4; got 5"):
        widget.row = 5
    assert (widget.row, widget.col) == (1, 2)


# --- In the browser ------------------------------------------------------------------------------


@pytest.fixture
def show(tmp_path, open_page):
    """A function that puts widgets on a page, and returns the page and the widgets' places."""

    def go(*widgets, change=None, **options):
        write_widget_page(tmp_path, widgets)
        path = tmp_path / "widgets.html"
        if change:
            path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
        seen = open_page(**{"viewport": WIDE} | options)
        seen.page.goto(path.as_uri())
        settle(seen.page)
        assert seen.errors == [] and seen.outside == []
        return seen.page, seen.page.locator(".convbook-widget").all()

    return go


PIXELS = """
(all) => JSON.stringify(all.map((canvas) => [canvas.height, canvas.width,
  [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]]))
"""


def pixels(canvases):
    """Return what is painted on each canvas, (H, W, 4)."""
    found = json.loads(canvases.evaluate_all(PIXELS))
    return [np.array(values).reshape(height, width, 4) for height, width, values in found]


def assert_painted(tiles, values, full):
    """Each canvas shows its matrix: blue or black above zero, orange below; the deeper the more."""
    for painted, matrix in zip(pixels(tiles.locator("canvas")), values, strict=True):
        np.testing.assert_allclose(painted[..., 3], 255 * np.abs(matrix) / full, atol=5)
        strong = painted[..., 3] > 40
        red_over_blue = painted[..., 0].astype(int) - painted[..., 2]
        assert (red_over_blue[strong & (matrix < 0)] > 0).all()
        assert (red_over_blue[strong & (matrix > 0)] <= 0).all()


def filters_of(widget):
    return widget.get_by_role("group", name="Filters")


def maps_of(widget):
    return widget.get_by_role("group", name="Maps")


def chances(widget):
    """The probabilities behind the bars."""
    rows = widget.locator(".cb-chance").all()
    return [float(row.get_attribute("data-value")) for row in rows]


def test_training_slider_changes_every_picture(show):
    arrays = training_arrays(1, epochs=[0, 1, 4, 9])
    page, [widget] = show(TrainingExplorer(**arrays))
    slider = widget.get_by_role("slider", name="snapshot")
    slider.focus()
    largest = {name: np.abs(maps).max() for name, maps in arrays["maps"].items()}
    f = arrays["filters"][:, :, 0]
    names = ["before training", "after epoch 1", "after epoch 4", "after epoch 9"]
    for step, when in enumerate(names):
        assert slider.get_attribute("aria-valuetext") == when
        assert_painted(filters_of(widget), f[step], np.abs(f).max())
        assert_painted(maps_of(widget), arrays["maps"]["ReLU"][step, 0], largest["ReLU"])
        np.testing.assert_allclose(chances(widget), arrays["probabilities"][step, 0], atol=1e-4)
        best, truth = arrays["probabilities"][step, 0].argmax(), arrays["labels"][0]
        said = widget.locator(".cb-judged").inner_text()
        assert f"reads {best}" in said and ("right" in said) == (best == truth)
        page.keyboard.press("ArrowRight")
    widget.get_by_role("button", name="Back to the start").click()
    assert slider.get_attribute("aria-valuetext") == "before training"


def test_training_image_and_layer(show):
    arrays = training_arrays(2)
    page, [widget] = show(TrainingExplorer(**arrays, step=2))
    widget.get_by_role("button", name="Image 1").click()
    widget.get_by_role("combobox", name="after").select_option("convolution")
    maps = arrays["maps"]["convolution"]
    assert_painted(maps_of(widget), maps[2, 1], np.abs(maps).max())
    np.testing.assert_allclose(chances(widget), arrays["probabilities"][2, 1], atol=1e-4)
    assert widget.get_by_role("button", name="Image 1").get_attribute("aria-pressed") == "true"
    assert "10 × 3 × 3" in widget.inner_text()


def test_training_numbers_are_read_with_mouse_and_keyboard(show):
    arrays = training_arrays(3)
    page, [widget] = show(TrainingExplorer(**arrays))
    f, said = arrays["filters"][:, :, 0], widget.locator(".cb-spot").first

    def assert_said(step, tile, row, col):
        assert said.inner_text().startswith(f"Filter {tile}, row {row}, column {col}: ")
        expected = f[step, tile, row, col]
        assert float(said.get_attribute("data-value")) == pytest.approx(expected, abs=1e-4)
        written = said.inner_text().rpartition("= ")[2]
        assert number(written) == pytest.approx(expected, abs=6e-4)

    canvas = filters_of(widget).locator("canvas").nth(1)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 3.5 / 4, box["y"] + box["height"] * 1.5 / 3)
    assert_said(0, 1, 1, 3)
    widget.get_by_role("button", name="One step forward").click()  # the same number, one epoch on
    assert_said(1, 1, 1, 3)
    canvas.focus()
    page.keyboard.press("ArrowDown")
    assert_said(1, 1, 2, 3)
    page.keyboard.press("ArrowRight")  # over the edge, into the next filter
    assert_said(1, 2, 2, 0)
    beside = filters_of(widget).locator("canvas").nth(2)
    expect(beside).to_be_focused()
    for key in ("ArrowUp", "ArrowUp", "ArrowUp"):  # there is none above
        page.keyboard.press(key)
    assert_said(1, 2, 0, 0)
    assert filters_of(widget).locator("canvas[tabindex='0']").count() == 1
    label = filters_of(widget).locator("canvas[tabindex='0']").get_attribute("aria-label")
    assert label.startswith("Filter 2 after epoch 1: F = ")


def test_training_numbers_are_read_with_a_finger(show):
    arrays = training_arrays(4)
    _, [widget] = show(TrainingExplorer(**arrays), viewport=NARROW, has_touch=True)
    canvas = maps_of(widget).locator("canvas").nth(4)
    box = canvas.bounding_box()
    canvas.tap(position={"x": box["width"] * 2.5 / 4, "y": box["height"] * 5.5 / 6})
    said = widget.locator(".cb-spot").nth(1)
    expected = arrays["maps"]["ReLU"][0, 0, 4, 5, 2]
    assert said.inner_text().startswith("Map 4, row 5, column 2: ")
    step = arrays["maps"]["ReLU"].max() / 63
    assert float(said.get_attribute("data-value")) == pytest.approx(expected, abs=step)


def test_training_plays_to_the_end_and_stops(show):
    page, [widget] = show(TrainingExplorer(**TRAINING, step=2), reduced_motion="reduce")
    play = widget.get_by_role("button", name="Play")
    play.focus()
    page.keyboard.press("Enter")
    slider = widget.get_by_role("slider", name="snapshot")
    assert slider.input_value() == "3"
    widget.locator(".cb-play[aria-pressed='false']").wait_for()
    assert slider.input_value() == "3"
    play.click()  # and from the start again
    assert slider.input_value() == "0"
    assert play.inner_text().endswith("Pause")
    play.click()
    assert play.get_attribute("aria-pressed") == "false"


def test_training_curves(show):
    arrays = training_arrays(5)
    page, [widget] = show(TrainingExplorer(**arrays, step=2))
    loss, accuracy = widget.locator(".cb-panel").all()
    expected = [*arrays["history"]["loss"], 2.5, *arrays["history"]["val_loss"]]
    drawn = [float(v.get_attribute("data-value")) for v in loss.locator("[data-epoch]").all()]
    np.testing.assert_allclose(drawn, expected, rtol=1e-4)
    shown = {key.get_attribute("data-curve"): key.locator(".cb-figure").inner_text()
             for key in loss.locator(".cb-key").all()}  # fmt: skip
    assert shown == {"loss": f"{arrays['history']['loss'][1]:.3f}",
                     "val_loss": f"{arrays['history']['val_loss'][1]:.3f}"}  # fmt: skip
    assert accuracy.locator(".cb-key").count() == 1
    point = loss.locator("circle[data-epoch='3']").bounding_box()
    page.mouse.click(point["x"] + 2, point["y"] + 2)
    assert widget.get_by_role("slider", name="snapshot").input_value() == "3"
    # Without curves nothing is drawn.
    page, [widget] = show(TrainingExplorer(**arrays | {"history": None}))
    assert widget.locator(".cb-panel").count() == 0


def test_training_in_colour(show):
    arrays = training_arrays(6, c=3)
    page, [widget] = show(TrainingExplorer(**arrays))
    [painted] = pixels(filters_of(widget).locator("canvas").nth(2))
    f = arrays["filters"][0, 2].transpose(1, 2, 0)
    largest = np.abs(arrays["filters"]).max()
    np.testing.assert_allclose(painted[..., :3], 127.5 * (1 + f / largest), atol=1)
    [image] = pixels(widget.get_by_role("button", name="Image 2").locator("canvas"))
    np.testing.assert_allclose(image[..., :3], 255 * arrays["images"][2].transpose(1, 2, 0), atol=1)
    filters_of(widget).locator("canvas").first.focus()
    assert re.search(r"red .*, green .*, blue ", widget.locator(".cb-spot").first.inner_text())


def test_training_takes_a_state_from_elsewhere(show):
    def change(text):
        return text.replace(html.escape('"step": 0'), html.escape('"step": 30'))

    _, [widget] = show(TrainingExplorer(**TRAINING), change=change)
    np.testing.assert_allclose(chances(widget), TRAINING["probabilities"][3, 0], atol=1e-4)


def cell(widget, row, col):
    return widget.locator(f"tbody tr:nth-child({row + 1}) td:nth-child({col + 2})")


def assert_open(widget, arrays, row, col, atol):
    """The pictures shown are images of the open cell."""
    shown = widget.locator(".cb-shown")
    numbers = [int(n) for n in shown.evaluate_all("(all) => all.map((e) => e.dataset.number)")]
    inside = (arrays["labels"] == row) & (arrays["predictions"] == col)
    assert bool(numbers) == inside.any()
    assert inside[numbers].all()
    for index, painted in zip(numbers, pixels(shown.locator("canvas")), strict=True):
        image = np.broadcast_to(arrays["images"][index].transpose(1, 2, 0), painted[..., :3].shape)
        np.testing.assert_allclose(middles(painted[..., :3]), 255 * middles(image), atol=atol)


def middles(image):
    """Return the means of the middles of the four squares that an image here is made of."""
    return image.reshape(2, 8, 2, 8, 3)[:, 2:6, :, 2:6].mean(axis=(1, 3))


@pytest.mark.parametrize(("channels", "atol"), [(1, 1), (3, 25)])
def test_confusion_cells_show_their_pictures(show, channels, atol):
    arrays = confusion_arrays(7, n=60, c=channels)
    widget = ConfusionExplorer(**arrays)
    page, [place] = show(widget)
    for row, col in np.ndindex(5, 5):
        td = cell(place, row, col)
        assert int(td.get_attribute("data-value")) == widget.output[row, col]
        td.click()
        assert td.get_attribute("aria-selected") == "true"
        said = place.locator(".cb-opened").inner_text()
        assert f": {widget.output[row, col]} of {widget.output[row].sum()}" in said
        assert_open(place, arrays, row, col, atol)


def test_confusion_totals(show):
    widget = ConfusionExplorer(**confusion_arrays(8))
    counts = widget.output
    _, [place] = show(widget)
    totals = [float(td.get_attribute("data-value")) for td in place.locator("td.cb-total").all()]
    right = np.diag(counts)
    recall, precision = right / counts.sum(axis=1), right / counts.sum(axis=0)
    np.testing.assert_allclose(totals, [*recall, *precision, right.sum() / counts.sum()])
    assert f"{right.sum()} of 120 are right; {120 - right.sum()} mistakes" in place.inner_text()


def test_confusion_keyboard(show):
    arrays = confusion_arrays(9)
    page, [place] = show(ConfusionExplorer(**arrays, row=1, col=2))
    cell(place, 1, 2).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert_open(place, arrays, 2, 3, 1)
    assert place.locator("td[tabindex='0']").count() == 1
    for key in ["ArrowLeft"] * 6:
        page.keyboard.press(key)
    assert_open(place, arrays, 2, 0, 1)


def test_confusion_only_errors(show):
    arrays = confusion_arrays(10)
    page, [place] = show(ConfusionExplorer(**arrays, row=2, col=2))
    assert_open(place, arrays, 2, 2, 1)
    widget = ConfusionExplorer(**arrays)
    place.get_by_label("only errors").check()
    assert all(cell(place, i, i).inner_text() == "" for i in range(5))
    assert_open(place, arrays, widget.row, widget.col, 1)
    cell(place, 2, 1).click()
    page.keyboard.press("ArrowRight")  # over the diagonal
    assert_open(place, arrays, 2, 3, 1)
    cell(place, 3, 3).click()
    assert_open(place, arrays, 2, 3, 1)
    place.get_by_role("button", name="Back to the start").click()
    assert_open(place, arrays, 2, 2, 1)


def test_confusion_probabilities_of_a_picture(show):
    arrays = confusion_arrays(11, n=200)
    page, [place] = show(ConfusionExplorer(**arrays))
    pictures = place.locator(".cb-shown")
    for i in range(min(3, pictures.count())):
        pictures.nth(i).click()
        index = int(pictures.nth(i).get_attribute("data-number"))
        assert pictures.nth(i).get_attribute("aria-pressed") == "true"
        expect(pictures.nth(i)).to_be_focused()
        np.testing.assert_allclose(chances(place), arrays["probabilities"][index], atol=6e-4)
        assert f"Image {index}: " in place.locator(".cb-judged").inner_text()
    plain = {name: arrays[name] for name in ("labels", "predictions", "images")}
    page, [place] = show(ConfusionExplorer(**plain))
    assert place.locator(".cb-chance").count() == 0
    assert_open(place, arrays, ConfusionExplorer(**plain).row, ConfusionExplorer(**plain).col, 1)


@pytest.mark.parametrize("width", [390, 1280])
def test_both_fit_the_page(show, width):
    names = "airplane automobile bird cat deer dog frog horse ship truck".split()
    widgets = [
        TrainingExplorer(**training_arrays(k=10), classes=names),
        ConfusionExplorer(**confusion_arrays(k=10), classes=names),
    ]
    page, places = show(*widgets, viewport=NARROW | {"width": width}, has_touch=width < 500)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    inside = "(box) => [box.scrollWidth, box.clientWidth]"
    wide, room = places[1].locator(".cb-scroll").evaluate(inside)
    assert wide <= room
    for target in [*places[1].locator("td[tabindex]").all(), *places[0].locator("button").all()]:
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 24
