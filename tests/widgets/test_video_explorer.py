"""VideoExplorer: what the page suppresses, links, counts and pastes is what the package does."""

import json
from itertools import pairwise

import numpy as np
import pytest
import traitlets

from convbook.widgets import VideoExplorer
from convbook.widgets.film import film_for_page, found_in, truth_in
from convbook.widgets.video import default_film
from helpers.pages import NARROW, open_widgets, settle

FILM = default_film()


def random_film(rng, frames=14, things=4, size=(36, 48), cells=14):
    """Draw a film of grey pictures in which boxes move about, are doubled, missed and confused."""
    height, width = size
    start, speed = rng.uniform(0, 1, (things, 2)) * size, rng.normal(0, 1.5, (things, 2))
    sides, labels = rng.uniform(6, 16, (things, 2)), rng.integers(0, 3, things)
    found, truth = [], []
    for frame in range(frames):
        middle = start + speed * frame
        boxes = np.concatenate([middle - sides / 2, middle + sides / 2], axis=1)
        boxes = np.clip(np.round(boxes), 0, [height, width, height, width])
        there = (boxes[:, 2:] - boxes[:, :2] > 3).all(axis=1)
        truth.append((boxes[there], labels[there], np.flatnonzero(there)))
        owner = rng.permutation(np.repeat(np.flatnonzero(there), 3))
        guess = np.clip(boxes[owner] + rng.normal(0, 1, (len(owner), 4)), 0, 48)
        guess[:, 2:] = np.maximum(guess[:, 2:], guess[:, :2] + 2)
        called = np.where(rng.random(len(owner)) < 0.8, labels[owner], rng.integers(0, 3))
        scores = np.sort(rng.random(len(owner)))[::-1]
        found.append((guess, scores, called, rng.normal(0, 3, (len(owner), cells, cells))))
    frames = np.full((frames, 3, *size), 0.5)
    return film_for_page(frames, found, truth, ("car", "bus", "dog"))


def settings(rng, count):
    return {
        "frame": int(rng.integers(0, count)),
        "least": float(rng.integers(1, 19) / 20),
        "threshold": float(rng.integers(0, 21) / 20),
        "across": bool(rng.integers(2)),
        "masks": bool(rng.integers(2)),
        "trails": bool(rng.integers(2)),
        "truth": bool(rng.integers(2)),
        "line": float(rng.integers(0, 21) / 20),
        "chosen": int(rng.integers(-1, 6)),
    }


# --- In Python -----------------------------------------------------------------------------------


def test_a_film_is_read_as_it_was_written():
    rng = np.random.default_rng(0)
    found = [
        (
            np.array([[1, 2, 30, 40], [5, 5, 9, 60.0]])[:n],
            np.array([0.9, 0.4])[:n],
            np.array([2, 0])[:n],
            rng.normal(0, 2, (n, 14, 14)),
        )
        for n in (2, 0, 1)
    ]
    truth = [(np.array([[1, 2, 30, 40]]), np.array([2]), np.array([7]))] * 3
    film = json.loads(json.dumps(film_for_page(np.zeros((3, 3, 64, 64)), found, truth)))
    for ours, theirs in zip(found_in(film), found):
        np.testing.assert_allclose(ours[0], theirs[0], atol=0.15)
        np.testing.assert_allclose(ours[1], theirs[1], atol=0.002)
        np.testing.assert_array_equal(ours[2], theirs[2])
        np.testing.assert_allclose(ours[3], np.clip(theirs[3], -4, 4), atol=0.26)
    assert truth_in(film)[2][2].tolist() == [7]
    assert truth_in(film_for_page(np.zeros((3, 3, 64, 64)), found)) is None
    with pytest.raises(ValueError, match="found must have an entry for each of 2 frames"):
        film_for_page(np.zeros((2, 3, 64, 64)), found)
    with pytest.raises(ValueError, match="truth must have an entry"):
        film_for_page(np.zeros((3, 3, 64, 64)), found, truth[:1])


def test_values_follow_the_thresholds():
    w = VideoExplorer(least=0.85)
    counts = [len(frame.ids) for frame in w.seen]
    w.least = 0.3
    assert sum(len(frame.ids) for frame in w.seen) >= sum(counts)
    w.threshold, w.across = 1.0, False  # nothing is suppressed
    assert sum(len(frame.ids) for frame in w.seen) == sum(w.film["counts"])
    w = VideoExplorer()
    assert w.switches == [] and len(w.tracks) >= 3
    right, left = w.crossed
    w.line = 0.0
    assert w.crossed == (0, 0) and right + left >= 0
    assert w.pasted(0).shape == (len(w.seen[0].ids), 64, 64)


@pytest.mark.parametrize(
    ("name", "value"),
    [("frame", -1), ("frame", 1.5), ("least", 0), ("least", 1.2), ("threshold", -0.1),
     ("across", 2), ("line", 3), ("chosen", -2), ("film", {})],
)  # fmt: skip
def test_refuses_what_it_cannot_show(name, value):
    w = VideoExplorer(FILM)
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(w, name, value)
    assert w.state == VideoExplorer(FILM).state


@pytest.mark.parametrize("film", ["a film", {}, {"url": ""}])
def test_refuses_what_is_no_film(film):
    with pytest.raises(TypeError, match="film must be a dict"):
        VideoExplorer(film)


def test_plain_form_and_weight():
    w = VideoExplorer(FILM, frame=3)
    plain = w.plain()
    assert "Frame 3 of 0 to 11" in plain and f"{len(w.tracks)} tracks" in plain
    assert plain.count("data:image/jpeg") == 1 and len(plain) < 8_000  # that frame alone
    assert len(w.static_html()) < 80_000


# --- On a page -----------------------------------------------------------------------------------

READ = """
(places) => JSON.stringify(places.map((place) => {
  const view = place.querySelector(".cb-board").dataset;
  const number = (key) => Number(place.querySelector(`[data-${key}]`)?.dataset[key] ?? NaN);
  return {
    frame: Number(view.frame),
    boxes: JSON.parse(view.boxes), ids: JSON.parse(view.ids), pixels: JSON.parse(view.pixels),
    tracks: number("tracks"), right: number("right"), left: number("left"),
    switches: number("switches"),
    strokes: place.querySelectorAll(".cb-video-strip rect").length - 1,
    events: [...place.querySelectorAll("[data-switch]")].map((b) => Number(b.dataset.switch)),
    inside: number("inside"),
    text: place.innerText,
  };
}))
"""


def shown(page):
    return json.loads(page.locator(".convbook-widget").evaluate_all(READ))


def so_far(w):
    """Return what a page says of an explorer at its frame: tracks, right, left, switches."""
    first = [track.path[0][0] for track in w.tracks]
    x, right, left = w.line * w.film["width"], 0, 0
    for track in w.tracks:
        sides = [(frame, (box[1] + box[3]) / 2 >= x) for frame, box in track.path]
        for (_, a), (frame, b) in pairwise(sides) if len(sides) >= 3 else ():
            if frame <= w.frame and a != b:
                right, left = right + b, left + a
    return [
        sum(frame <= w.frame for frame in first),
        right,
        left,
        sum(frame <= w.frame for frame, *_ in w.switches),
    ]


def test_shows_what_the_package_computes(tmp_path, open_page):
    rng = np.random.default_rng(3)
    widgets = [
        VideoExplorer(film, **settings(rng, 14))
        for film in (random_film(rng) for _ in range(12))
        for _ in range(2)
    ]
    widgets.append(VideoExplorer(FILM, frame=7))
    seen = open_widgets(tmp_path, open_page, widgets)
    assert seen.errors == []
    some = 0
    for w, page in zip(widgets, shown(seen.page), strict=True):
        now = w.seen[w.frame]
        assert page["ids"] == now.ids.tolist(), w.state["least"]
        np.testing.assert_allclose(np.reshape(page["boxes"], (-1, 4)), now.boxes, atol=1e-9)
        assert [page[k] for k in ("tracks", "right", "left", "switches")] == so_far(w)
        assert page["strokes"] == sum(len(track.path) for track in w.tracks)
        assert page["events"] == [frame for frame, *_ in w.switches]
        # A pixel whose score is 0 but for rounding may be on either side.
        counts = w.pasted(w.frame).sum(axis=(1, 2))
        assert np.abs(np.subtract(page["pixels"], counts)).max(initial=0) <= 3
        if w.chosen in now.ids:
            mask = now.masks[now.ids.tolist().index(w.chosen)]
            assert page["inside"] == (mask > 0).sum()
            some += 1
    assert some > 2


def test_steps_clicks_and_keys(tmp_path, open_page):
    seen = open_widgets(tmp_path, open_page, [VideoExplorer(FILM)])
    page, w = seen.page, VideoExplorer(FILM)
    assert page.locator("img").count() == 0  # the film is no picture of the board
    page.get_by_role("button", name="One step forward").click()
    assert shown(page)[0]["frame"] == 1
    page.locator(".cb-board").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert shown(page)[0]["frame"] == 2
    page.get_by_role("slider", name="frame").fill("5")
    name = int(w.seen[5].ids[0])
    page.locator(f".cb-video-thing[data-id='{name}']").click()
    assert "seen in" in page.locator(".cb-video-words").inner_text()
    assert page.locator("rect.cb-video-box.chosen").count() == 1
    y0, x0, y1, x1 = w.seen[5].boxes[-1]
    board = page.locator(".cb-board").bounding_box()
    page.mouse.click(
        board["x"] + (x0 + x1) / 2 * board["width"] / 64,
        board["y"] + (y0 + y1) / 2 * board["height"] / 64,
    )
    assert page.locator("rect.cb-video-box.chosen").count() == 1
    page.mouse.click(board["x"] + 2, board["y"] + 2)  # the sky
    assert page.locator("rect.cb-video-box.chosen").count() == 0
    strip = page.locator(".cb-video-strip").bounding_box()
    page.mouse.click(strip["x"] + strip["width"] * 0.99, strip["y"] + 3)
    assert shown(page)[0]["frame"] == 11
    page.get_by_role("slider", name="score from").fill("1")
    assert "Nothing is found in this frame." in page.locator(".convbook-widget").inner_text()
    page.get_by_role("button", name="Back to the start").click()
    assert shown(page)[0]["frame"] == 0
    page.get_by_role("checkbox", name="truth").check()
    assert page.locator("rect.cb-video-truth").count() == len(truth_in(FILM)[0][0])
    assert seen.errors == []


def test_masks_are_drawn_in_the_colours_of_their_tracks(tmp_path, open_page):
    page = open_widgets(tmp_path, open_page, [VideoExplorer(FILM, frame=4)]).page
    count = """() => { const c = document.querySelector(".cb-video-veil");
      const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
      let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }"""
    inside = VideoExplorer(FILM, frame=4).pasted(4).any(axis=0).sum()
    assert page.evaluate(count) == pytest.approx(inside, abs=5)
    page.get_by_role("checkbox", name="masks").uncheck()
    assert page.evaluate(count) == 0


def test_it_plays_and_stops(tmp_path, open_page):
    page = open_widgets(tmp_path, open_page, [VideoExplorer(FILM)]).page
    page.get_by_role("button", name="Play all steps").click()
    page.wait_for_function("() => Number(document.querySelector('.cb-board').dataset.frame) >= 3")
    page.get_by_role("button", name="Play all steps").click()
    stopped = shown(page)[0]["frame"]
    page.wait_for_timeout(400)
    assert shown(page)[0]["frame"] == stopped


def test_touch_on_a_narrow_screen(tmp_path, open_page):
    page = open_widgets(
        tmp_path, open_page, [VideoExplorer(FILM)], viewport=NARROW, has_touch=True
    ).page
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".cb-video-thing").first.tap()
    assert page.locator("rect.cb-video-box.chosen").count() == 1
    strip = page.locator(".cb-video-strip").bounding_box()
    page.touchscreen.tap(strip["x"] + strip["width"] * 0.5, strip["y"] + 3)
    assert shown(page)[0]["frame"] == 6
