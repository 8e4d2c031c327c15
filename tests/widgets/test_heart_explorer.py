"""The beating heart: the page's U-Net, noise, contours and volumes are what Python computes."""

import json
import re

import numpy as np
import pytest
import traitlets

from convbook.images import phantom
from convbook.layers import Conv2d, MaxPool2d, ReLU, Sequential, Skip
from convbook.models.unet import unet
from convbook.training.metrics import dice
from convbook.widgets import HeartExplorer
from convbook.widgets.heart_film import PHASES, SLICES, draw_film, normal_numbers
from convbook.widgets.stored_unet import for_page, rounded, run, steps_of
from helpers.figures import small_unet
from helpers.pages import open_widgets, settle, write_widget_page

VIEW = ".cb-heart-view"


@pytest.fixture(scope="module")
def models():
    return small_unet(rng=3), small_unet(rng=4, skips=False)


# --- The network on its way ----------------------------------------------------------------------


@pytest.mark.parametrize("skips", (True, False))
def test_folding_the_normalisation_changes_nothing(skips):
    model = small_unet(rng=1, skips=skips).eval()
    x = np.random.default_rng(0).standard_normal((3, 1, 16, 24)).astype(np.float32)
    np.testing.assert_allclose(run(steps_of(model), x), model(x), rtol=1e-4, atol=1e-4)


def test_rounded_weights_lie_half_a_step_apart_at_most():
    steps = steps_of(small_unet())
    for bits in (4, 6, 8):
        for exact, coarse in zip(steps, rounded(steps, bits), strict=True):
            if "weights" not in exact:
                continue
            assert np.abs(coarse["codes"]).max() == 2 ** (bits - 1) - 1
            channel = (-1, 1, 1, 1) if exact["kind"] == "conv" else (1, -1, 1, 1)
            half = coarse["sizes"].reshape(channel) / 2
            assert (np.abs(exact["weights"] - coarse["weights"]) <= 1.001 * half).all()


def test_the_chapters_network_fits_into_a_page():
    both = [
        for_page(rounded(steps_of(unet(1, 3, base=6, rng=0, skips=skips)), 6))
        for skips in (True, False)
    ]
    assert sum(len(json.dumps(stored)) for stored in both) < 150_000


@pytest.mark.slow
def test_more_bits_mean_a_smaller_error(models):
    errors = [HeartExplorer(*models, bits=bits).error() for bits in (3, 5, 8)]
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda m: HeartExplorer(unet(1, 2, 2, 1)), ValueError, r"model must turn x .*\('N', 2"),
        (lambda m: HeartExplorer(m, unet(1, 1, 2, 1)), ValueError, "without must turn x of shape"),
        (
            lambda m: HeartExplorer(Sequential(Conv2d(1, 3, 5, padding=2))),
            ValueError,
            "model may be made of Conv2d of 3 × 3 and 1 × 1.*got Conv2d",
        ),
        (
            lambda m: HeartExplorer(Sequential(Skip(MaxPool2d(3, stride=1, padding=1)))),
            ValueError,
            "model may be made of",
        ),
        (lambda m: HeartExplorer(m, bits=9), ValueError, "bits must be from 2 to 8, got 9"),
        (lambda m: HeartExplorer(m, skips=False), ValueError, "skips can be False only if"),
        (lambda m: HeartExplorer(m, noise=2), traitlets.TraitError, "noise must be a number"),
        (lambda m: HeartExplorer(m, phase=12), traitlets.TraitError, "phase must be a whole"),
    ],
)
def test_what_does_not_fit_is_named(models, make, error, said):
    with pytest.raises(error, match=said):
        make(models[0])


def test_a_body_may_begin_with_relu(tmp_path, open_page):
    """What is kept must not be changed by the step that follows."""
    model = Sequential(
        Conv2d(1, 2, 3, padding=1, rng=0), Skip(Sequential(ReLU(), Conv2d(2, 2, 1, rng=1))),
        Conv2d(4, 3, 1, rng=2),
    )  # fmt: skip
    widget = HeartExplorer(model)
    visit = open_widgets(tmp_path, open_page, [widget])
    assert_picture(visit.page.locator(VIEW), widget)


# --- Noise and film ------------------------------------------------------------------------------


def mulberry32(seed):
    """The generator as its author wrote it, one number after the other."""
    state = seed
    while True:
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = ((state ^ state >> 15) * (state | 1)) & 0xFFFFFFFF
        t ^= (t + ((t ^ t >> 7) * (t | 61) & 0xFFFFFFFF)) & 0xFFFFFFFF
        yield ((t ^ t >> 14) & 0xFFFFFFFF) / 2**32


def test_the_noise_is_drawn_one_after_the_other_and_normal():
    numbers = mulberry32(7)
    expected = []
    for _ in range(50):
        radius, angle = np.sqrt(-2 * np.log(1 - next(numbers))), 2 * np.pi * next(numbers)
        expected += [radius * np.cos(angle), radius * np.sin(angle)]
    np.testing.assert_allclose(normal_numbers(7, 100), expected)
    many = normal_numbers(1, 99_999)
    assert len(many) == 99_999 and abs(many.mean()) < 0.02 and abs(many.std() - 1) < 0.02


@pytest.mark.slow
def test_the_film_is_a_heart_of_a_plausible_volume():
    for seed in range(4):
        person = phantom.patient(seed)
        pictures, classes, distance = draw_film(person)
        assert pictures.shape == classes.shape == (SLICES, PHASES, 64, 64)
        volumes = (classes == 1).sum(axis=(0, 2, 3)) * distance * (2 * phantom.SPACING) ** 2 / 1000
        assert 20 < volumes[0] < 350 and volumes.argmax() in (0, 8, 9, 10, 11)
        assert 1 - volumes.min() / volumes[0] == pytest.approx(person.ejection_fraction, abs=0.08)


# --- The page ------------------------------------------------------------------------------------


def assert_picture(view, widget):
    """The picture on the page is marked as Python marks it."""
    assert_marked(view.evaluate("(e) => ({ ...e.dataset })"), widget)


def assert_marked(data, widget):
    """The data of a picture are those of Python's."""
    here = widget.slice, widget.phase
    p = widget.probabilities[here]
    sample = np.array(json.loads(data["sample"]))
    np.testing.assert_allclose(sample, p.ravel()[::67], atol=2e-4)
    found, truth = p >= widget.threshold, widget.truth[here]
    unsure = (np.abs(p - widget.threshold) < 2e-4).sum()
    assert abs(int(data["found"]) - found.sum()) <= unsure
    assert abs(int(data["real"]) - truth.sum()) <= 1
    expected = dice(found[None], truth[None])[0]
    assert float(data["dice"]) == pytest.approx(expected, abs=0.01 + 0.01 * unsure)


def settings_at_random(rng):
    return {
        "patient": int(rng.integers(6)),
        "bits": int(rng.integers(4, 9)),
        "phase": int(rng.integers(PHASES)),
        "slice": int(rng.integers(SLICES)),
        "shown": str(rng.choice(["cavity", "muscle"])),
        "threshold": round(float(rng.uniform(0.1, 0.9)), 2),
        "skips": bool(rng.integers(2)),
        "noise": float(rng.choice([0, round(float(rng.uniform(0, 0.5)), 2)])),
        "contrast": round(float(rng.uniform(0.1, 3)), 2),
        "rotate": float(rng.choice([0, 90, 180, round(float(rng.uniform(-180, 180)), 1)])),
        "seed": int(rng.integers(1, 9999)),
    }


@pytest.mark.slow
def test_the_page_marks_what_python_marks(tmp_path, open_page):
    """Twenty-four settings, twelve on each page."""
    rng = np.random.default_rng(11)
    for start in (0, 12):
        widgets = [
            HeartExplorer(small_unet(i), small_unet(i + 50, skips=False), **settings_at_random(rng))
            for i in range(start, start + 12)
        ]
        visit = open_widgets(tmp_path, open_page, widgets)
        seen = visit.page.locator(VIEW).evaluate_all("(all) => all.map((e) => ({ ...e.dataset }))")
        assert visit.errors == []
        visit.page.close()  # or it computes the other pictures of twelve beats
        for data, widget in zip(seen, widgets, strict=True):
            assert_marked(data, widget)


@pytest.fixture
def shown(tmp_path, open_page, models):
    """A figure on a page, and the page when the whole beat is known."""

    def show(**settings):
        widget = HeartExplorer(*models, **settings)
        visit = open_widgets(tmp_path, open_page, [widget])
        complete(visit.page)
        return widget, visit.page

    return show


def complete(page):
    page.wait_for_function(
        "document.querySelector('.cb-heart-view').dataset.complete === 'true'", timeout=60_000
    )


def points(page, which):
    values = page.locator(f"[data-curve={which}]").evaluate_all(
        "all => all.map(e => [e.dataset.phase, e.dataset.value].map(Number))"
    )
    return np.array([value for _, value in sorted(values)])


def test_volumes_and_ejection_fraction(shown):
    widget, page = shown(noise=0.1, threshold=0.3)
    truth, found = widget.volumes
    assert points(page, "truth").shape == (PHASES,)
    pixel = widget.film["millilitres"]
    unsure = (np.abs(widget.probabilities - 0.3) < 2e-4).sum(axis=(0, 2, 3))
    np.testing.assert_allclose(points(page, "truth"), truth, atol=1e-9)
    assert (np.abs(points(page, "found") - found) <= pixel * (unsure + 1e-6)).all()
    fraction = page.locator("[data-fraction]").get_attribute("data-fraction")
    assert float(fraction) == pytest.approx(1 - found.min() / found[0], abs=0.01)
    said = page.locator(".cb-heart-verdict").inner_text()
    assert re.search(
        rf"truly {round(100 * (1 - truth.min() / truth[0]))} %: off by .* points", said
    )


def slide(page, name, value):
    """Move a slider, as a reader does."""
    page.locator("label.cb-control", has_text=name).locator("input").evaluate(
        "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', { bubbles: true })); }", value
    )


def test_controls_change_what_is_computed(shown):
    widget, page = shown()
    view = page.locator(VIEW)
    assert_picture(view, widget)
    for name, value in (
        ("slice", 3), ("threshold", 0.7), ("noise", 0.2), ("contrast", 0.5), ("rotate", -35),
    ):  # fmt: skip
        slide(page, name, value)
        setattr(widget, name, value)
        assert_picture(view, widget)
    page.get_by_role("button", name="Mark the muscle").click()
    widget.shown = "muscle"
    assert_picture(view, widget)
    page.get_by_label("skips").uncheck()
    widget.skips = False
    assert_picture(view, widget)
    page.get_by_label("probability as a veil").uncheck()
    assert page.locator(".cb-heart-veil").is_hidden()
    complete(page)
    np.testing.assert_allclose(
        points(page, "truth"), widget.volumes[0], atol=widget.film["millilitres"] * 4.1
    )
    assert "muscle keeps its volume" in page.locator(".cb-heart-verdict").inner_text()


def test_the_beat_plays_and_arrows_lead_through_it(shown):
    _, page = shown()
    now = "document.querySelector('[data-now]').dataset.phase"
    page.get_by_role("button", name="Play all steps").click()
    page.wait_for_function(f"{now} === '5'")
    page.get_by_role("button", name="Play all steps").click()
    stopped = int(page.evaluate(now))
    plot = page.locator(".cb-heart-plot svg[tabindex]")
    plot.focus()
    plot.press("ArrowRight")
    assert int(page.evaluate(now)) == (stopped + 1) % PHASES
    plot.press("ArrowLeft")
    assert int(page.evaluate(now)) == stopped
    box = plot.bounding_box()
    page.mouse.click(box["x"] + 35, box["y"] + 60)
    assert page.evaluate(now) == "0"


def shoelace(path):
    """The area that the lines of a path enclose, holes counted against it."""
    area = 0.0
    for line in filter(None, path.split("M")):
        assert line.endswith("Z")
        points = np.array([place.split() for place in line[:-1].split("L")], float)
        x, y = points.T
        area += (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2
    return abs(area)


def test_contours_enclose_what_is_marked(shown):
    widget, page = shown(noise=0.0, shown="muscle", rotate=20, slice=0)
    path = page.locator(".cb-heart-lines .truth:not(.halo)").get_attribute("d")
    pixels = widget.truth[0, 0].sum()
    assert shoelace(path) == pytest.approx(pixels, rel=0.08)
    assert path.count("M") >= 2  # the ring has an outside and an inside
    for threshold in (0.05, 0.5, 0.95):
        slide(page, "threshold", threshold)
        path = page.locator(".cb-heart-lines .found:not(.halo)").get_attribute("d")
        found = (widget.probabilities[0, 0] >= threshold).sum()
        assert bool(path) == bool(found)
        assert path.count("M") == path.count("Z")


def test_without_a_second_network_skips_stay_on(tmp_path, open_page, models):
    visit = open_widgets(tmp_path, open_page, [HeartExplorer(models[0])])
    assert visit.page.get_by_label("skips").is_disabled()
    assert visit.page.get_by_label("skips").is_checked()


def test_where_no_script_runs_there_are_tables(models):
    text = HeartExplorer(*models).plain()
    assert text.count("<table>") == 2 and "Volume of the cavity over a beat" in text


def test_two_figures_on_a_page_keep_apart(tmp_path, open_page, models, serve):
    write_widget_page(tmp_path, [HeartExplorer(*models, phase=i) for i in (0, 5)])
    visit = open_page()
    visit.page.goto(f"{serve(tmp_path)}/widgets.html")
    settle(visit.page)
    phases = visit.page.locator("[data-curve=truth][data-now]").evaluate_all(
        "all => all.map(e => e.dataset.phase)"
    )
    assert phases in (["0", "5"], [])
    assert visit.errors == []
