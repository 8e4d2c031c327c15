"""What the tests of the explorers share: settings at random, and many figures shown at once."""

import numpy as np

from convbook import functional as F
from helpers.pages import number, read_all, settle, values, write_widget_page

FITTING, TOO_LARGE = 200, 25
PER_PAGE = 75


def numbers(rng, *shape):
    """Draw numbers: small whole ones, ones with two decimals, or any."""
    kind = rng.integers(3)
    if kind == 0:
        return rng.integers(-9, 10, shape)
    return np.round(rng.normal(0, 5, shape), 2) if kind == 1 else rng.normal(0, 20, shape)


def drawn(draw, fits):
    """Draw settings until there are enough whose window fits, and enough whose does not."""
    rng = np.random.default_rng(20)
    wanted = {True: FITTING, False: TOO_LARGE}
    settings = []
    while sum(wanted.values()):
        setting = draw(rng)
        kind = fits(setting)
        if wanted[kind]:
            wanted[kind] -= 1
            settings.append(setting)
    return settings


def assert_same(matrix, expected):
    """A matrix on the page holds the expected numbers, exactly if they are whole."""
    expected = np.asarray(expected, dtype=float)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(values(matrix), expected, rtol=1e-12, atol=1e-12 * scale)
    if (expected == np.round(expected)).all():
        np.testing.assert_array_equal(values(matrix), expected)
    assert matrix["shape"].startswith(" × ".join(map(str, expected.shape)))
    printed = [[number(cell["text"]) for cell in row] for row in matrix["cells"]]
    np.testing.assert_allclose(printed, expected, rtol=0, atol=0.005 + 1e-9 * scale)


def assert_partly_same(matrix, expected, filled):
    """A matrix on the page holds the expected numbers where it is filled, and nothing elsewhere."""
    shown = np.array(values(matrix), dtype=float)  # None becomes NaN
    np.testing.assert_allclose(shown, np.where(filled, expected, np.nan), rtol=1e-12, atol=1e-11)


def reached(shape, kernel, stride, dilation):
    """Return which cells of a padded input are read, found by moving each cell's mark alone."""
    cells = np.eye(shape[0] * shape[1]).reshape(-1, 1, *shape)  # a picture for each cell
    try:
        marks = F.conv2d(cells, np.ones((1, 1, *kernel)), stride=stride, dilation=dilation)
    except ValueError:
        return np.zeros(shape, bool)
    return marks.any((1, 2, 3)).reshape(shape)


def show_on_pages(folder, serve, open_page, widgets):
    """Put widgets on pages of their own and return what each of them shows."""
    address = serve(folder)
    seen = open_page(viewport={"width": 2400, "height": 900})  # all channels side by side
    shown = []
    for start in range(0, len(widgets), PER_PAGE):
        write_widget_page(folder, widgets[start : start + PER_PAGE], f"{start}.html")
        seen.page.goto(f"{address}/{start}.html")
        settle(seen.page)
        shown += read_all(seen.page)
    assert seen.errors == []
    assert len(shown) == len(widgets)
    return shown
