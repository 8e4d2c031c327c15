"""PoolingExplorer and Im2colExplorer, the Python side; the drawing is tested in the browser."""

import html
import json
import re
from html.parser import HTMLParser
from itertools import product

import numpy as np
import pytest
from traitlets import TraitError

from convbook.functional import avg_pool2d, conv2d, im2col, max_pool2d
from convbook.widgets import Im2colExplorer, PoolingExplorer

POOLS = {"max": max_pool2d, "average": avg_pool2d}


def drawn(rng, shape):
    """Whole numbers or, every other time, numbers with a fraction."""
    numbers = rng.integers(-9, 10, shape)
    return numbers / 4 if rng.integers(2) else numbers


class Balance(HTMLParser):
    """Counts the open tags; an error in the nesting fails the test."""

    def __init__(self):
        super().__init__()
        self.open, self.cells = [], 0

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.cells += tag == "td"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def static_state(text):
    """The state that a static form carries."""
    return json.loads(html.unescape(re.search(r'data-state="([^"]*)"', text)[1]))


# --- Pooling -------------------------------------------------------------------------------------


def test_pooling_starts_with_the_courses_example():
    output = PoolingExplorer().output
    assert output.shape == (2, 2, 2)
    assert output[0].tolist() == [[6, 8], [16, 14]]


@pytest.mark.parametrize("kind, size, stride", list(product(POOLS, (1, 2, 3, 4), (1, 2, 3, 4))))
def test_pooling_output_is_the_packages(kind, size, stride):
    rng = np.random.default_rng(size * 10 + stride)
    for c, h, w in [(1, 4, 4), (2, 5, 7), (3, 8, 6)]:
        x = drawn(rng, (c, h, w))
        widget = PoolingExplorer(x=x, kind=kind, kernel_size=size, stride=stride)
        np.testing.assert_array_equal(widget.output, POOLS[kind](x[None], size, stride)[0])


def test_pooling_takes_a_matrix_as_one_channel():
    widget = PoolingExplorer(x=[[1, 2], [3, 4]])
    assert widget.x == [[[1, 2], [3, 4]]]
    assert widget.output.tolist() == [[[4]]]
    assert PoolingExplorer(x=np.ones((3, 2))).x == [[[1, 1], [1, 1], [1, 1]]]


def test_pooling_follows_its_settings():
    widget = PoolingExplorer()
    widget.kind, widget.stride = "average", 1
    assert widget.output[0].tolist() == [[3.5, 4.5, 5.5], [10.5, 10.5, 10.5], [13.5, 12.5, 11.5]]


def test_pooling_window_that_does_not_fit():
    widget = PoolingExplorer(x=[[1, 2], [3, 4]], kernel_size=3)
    with pytest.raises(ValueError, match="kernel_size must not be larger"):
        widget.output
    assert "kernel_size must not be larger" in widget.plain()


@pytest.mark.parametrize(
    "name, value",
    [
        ("x", [1, 2, 3]),
        ("x", [[1, 2], [3]]),
        ("x", np.zeros((4, 2, 2))),
        ("x", np.zeros((1, 9, 2))),
        ("x", [[float("nan")]]),
        ("x", "numbers"),
        ("kind", "median"),
        ("kernel_size", 0),
        ("kernel_size", 5),
        ("kernel_size", (2, 2)),
        ("stride", 1.5),
        ("stride", True),
        ("channel", 3),
        ("row", -1),
    ],
)
def test_pooling_refuses(name, value):
    widget = PoolingExplorer()
    before = widget.state
    with pytest.raises(TraitError, match=name):
        setattr(widget, name, value)
    with pytest.raises(TraitError, match=name):
        PoolingExplorer(**{name: value})
    assert widget.state == before


# --- im2col --------------------------------------------------------------------------------------


SETTINGS = list(product((1, 2, 3, (2, 3), (4, 1)), (1, 2, 3), (0, 1, 2)))


@pytest.mark.parametrize("size, stride, padding", SETTINGS)
def test_im2col_output_is_the_packages(size, stride, padding):
    rng = np.random.default_rng(stride * 10 + padding)
    for h, w in [(4, 4), (6, 5)]:
        x = drawn(rng, (h, w))
        widget = Im2colExplorer(x=x, kernel_size=size, stride=stride, padding=padding)
        np.testing.assert_array_equal(widget.output, im2col(x[None, None], size, stride, padding))
        f = np.asarray(widget.f)[None, None]
        y = conv2d(x[None, None], f, None, stride, padding)[0, 0]
        np.testing.assert_allclose((widget.output @ f.ravel()).reshape(y.shape), y)


def test_im2col_starts_with_the_courses_example():
    widget = Im2colExplorer()
    assert widget.output.shape == (4, 9)
    assert (widget.output @ np.ravel(widget.f)).tolist() == [4, 8, 20, 24]


def test_im2col_filter_follows_the_kernel_size():
    widget = Im2colExplorer()
    widget.kernel_size = 2
    assert widget.f == [[1, 1], [2, 0]]
    widget.kernel_size = (4, 1)
    assert widget.f == [[1], [2], [1], [1]]
    widget.f = [[5, 6]]
    assert widget.f == [[5], [1], [1], [1]]
    assert Im2colExplorer(f=[[1, 2], [3, 4]], kernel_size=2).f == [[1, 2], [3, 4]]
    assert Im2colExplorer(kernel_size=[1, 2], f=[[1.5]]).f == [[1.5, 1]]


def test_im2col_defaults_are_not_shared():
    one = Im2colExplorer()
    one.kernel_size.append(3)
    assert Im2colExplorer().kernel_size == [3, 3]


def test_im2col_filter_that_does_not_fit():
    widget = Im2colExplorer(x=[[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="kernel_size must not be larger"):
        widget.output
    assert "kernel_size must not be larger" in widget.plain()


@pytest.mark.parametrize(
    "name, value",
    [
        ("x", [1, 2, 3]),
        ("x", np.zeros((7, 2))),
        ("f", np.zeros((5, 5))),
        ("f", [[1], [2, 3]]),
        ("kernel_size", 0),
        ("kernel_size", 5),
        ("kernel_size", (2, 3, 1)),
        ("kernel_size", (2, True)),
        ("kernel_size", [[1, 2], [3]]),
        ("kernel_size", "33"),
        ("kernel_size", None),
        ("stride", 0),
        ("padding", 3),
        ("padding", -1),
        ("method", "rows"),
        ("step", -1),
        ("step", 0.5),
    ],
)
def test_im2col_refuses(name, value):
    widget = Im2colExplorer()
    before = widget.state
    with pytest.raises(TraitError, match=name):
        setattr(widget, name, value)
    with pytest.raises(TraitError, match=name):
        Im2colExplorer(**{name: value})
    assert widget.state == before


# --- The static form -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "explorer, settings, cells",
    [
        (PoolingExplorer, {}, 2 * 16 + 2 * 4),
        (PoolingExplorer, {"kind": "average", "stride": 1, "x": [[1, 2], [3, 4.5]]}, 4 + 1),
        (Im2colExplorer, {}, 16 + 9 + 4 * 9 + 9 + 4),
        (Im2colExplorer, {"kernel_size": (1, 2), "method": "filter"}, 16 + 2 + 12 * 2 + 2 + 12),
    ],
)
def test_static_form(explorer, settings, cells):
    widget = explorer(**settings)
    text = widget.static_html()
    assert text == explorer(**settings).static_html()
    assert repr(widget) == f"{explorer.__name__}()"
    parser = Balance()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    assert parser.cells == cells
    state = static_state(text)
    assert state == widget.state
    assert list(state) == sorted(state)
    np.testing.assert_array_equal(explorer(**state).output, widget.output)
