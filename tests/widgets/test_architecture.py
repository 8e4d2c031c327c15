"""ArchitectureExplorer: all networks at several sizes are the package's; folding; refusals."""

import json
from functools import cache

import numpy as np
import pytest
import traitlets

from convbook import layers as L
from convbook.layers import Summary
from convbook.layers.summary import Row
from convbook.models.autoencoder import digit_autoencoder
from convbook.models.cifar import cifar_cnn
from convbook.models.evolution import FULL, SMALL
from convbook.widgets import ArchitectureExplorer, bundle
from convbook.widgets.architecture import FILE, described, first_opened, parts_of, stored
from helpers.pages import NARROW, THEMES, WIDE, open_widgets, settle, write_widget_page
from helpers.undrawn import blank

# --- What travels --------------------------------------------------------------------------------


@cache
def small(name):
    return SMALL[name][0](rng=0)


def assert_stored(name, model, shape):
    found = json.loads(json.dumps(described(model, shape)))
    assert stored()[name] == found, "run `python scripts/describe_networks.py`"


@pytest.mark.parametrize("name", SMALL)
def test_the_stored_small_networks_are_the_packages(name):
    assert_stored(name, small(name), SMALL[name][1])


def test_all_networks_are_stored_and_weigh_little():
    assert list(stored()) == [*FULL, *SMALL]
    assert FILE.stat().st_size < 250_000
    assert len(ArchitectureExplorer().static_html()) < 40_000


# --- Arithmetic in the page ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def in_page(open_for_all):
    """A function that evaluates JavaScript beside the arithmetic of layers."""
    page = open_for_all().page
    page.add_script_tag(
        content=bundle.script("kit/layers.js")
        + 'const { evaluate, leaves, firstRefusal } = modules["kit/layers.js"];'
    )
    return page.evaluate


READ = """
([network, size, rebuild]) => {
  const root = evaluate(network, size, rebuild);
  const read = ({ path, field, shape, parameters, multiplications }) =>
    [path, field, shape, parameters, multiplications];
  const blocks = (node) => node.parts.length ? [node, ...node.parts.flatMap(blocks)] : [];
  const refused = firstRefusal(root);
  return {
    leaves: leaves(root).map(read), blocks: blocks(root).map(read),
    refused: refused ? [refused.path, refused.refusal] : null,
  };
}
"""


def blocks(part):
    if isinstance(part, Row):
        return []
    return [part, *(block for inner in part.parts for block in blocks(inner))]


def as_read(part):
    """A row or block of a summary as the page has it."""
    field = part.receptive_field
    if field is not None:
        field = -1 if field[0] == float("inf") else field[0] if field[0] == field[1] else [*field]
    shapes = part.output_shape
    several = shapes and isinstance(shapes[0], tuple)
    shape = [list(s) for s in shapes] if several else list(shapes)
    return [part.name, field or 0, shape, part.parameters, part.multiplications]


def assert_same_as_summary(in_page, network, model, size):
    """The page's layers are the summary's, or both refuse the same layer."""
    c, h, w = network["input"]
    shape = (c, size, max(1, round(w * size / h)))
    shown = in_page(READ, [network, size, False])
    try:
        summary = Summary(model, shape)
    except ValueError as error:
        assert shown["refused"], f"{size}: {error}"
        return shown["refused"]
    assert shown["refused"] is None
    assert shown["leaves"] == [as_read(row) for row in summary.rows]
    assert shown["blocks"] == [as_read(block) for block in blocks(summary.tree)]
    return None


@pytest.mark.parametrize("name", SMALL)
def test_small_networks_at_many_sizes(name, in_page):
    refused = [
        size
        for size in (32, 1, 2, 3, 7, 16, 20, 31, 33, 47, 64)
        if assert_same_as_summary(in_page, stored()[name], small(name), size)
    ]
    fixed = name in ("small LeNet", "small AlexNet", "small VGG", "small VGG, normalised")
    assert 32 not in refused and (64 in refused) == fixed


@pytest.mark.slow
@pytest.mark.parametrize("name", FULL)
def test_networks_of_full_size_are_the_packages_at_several_sizes(name, in_page):
    make, shape = FULL[name]
    network, model = stored()[name], make(rng=blank())
    assert_stored(name, model, shape)
    fixed = name.startswith(("LeNet", "AlexNet", "VGG"))
    for size in (network["input"][1], 32, 65, 97):
        refused = assert_same_as_summary(in_page, network, model, size)
        assert bool(refused) == (fixed and size != network["input"][1])


U_LIKE = L.Sequential(
    L.Conv2d(1, 4, 3, padding=1, rng=0),
    L.Skip(
        L.Sequential(
            L.MaxPool2d(2),
            L.Conv2d(4, 8, 3, padding=1, dilation=1, rng=0),
            L.ConvTranspose2d(8, 4, 2, stride=2, rng=0),
        )
    ),
    L.Conv2d(8, 1, 1, rng=0),
)
POOL = L.MaxPool2d(3, 2, ((0, 1), (1, 0)))
OTHERS = {
    "U-Net": (U_LIKE, (1, 16, 16)),
    "autoencoder": (digit_autoencoder(rng=0), (1, 28, 28)),
    "network of chapter 3-6": (cifar_cnn(0), (3, 32, 32)),
    "enlarging": (
        L.Sequential(
            L.ConvTranspose2d(2, 4, (3, 4), 2, 1, 1, groups=2, rng=0),
            L.InstanceNorm2d(4),
            L.Upsample((2, 3), "bilinear"),
            L.Upsample(2),
            L.AvgPool2d((2, 3)),
            L.Conv2d(4, 4, (1, 3), (2, 1), ((0, 2), (1, 1)), (1, 2), groups=4, rng=0),
            L.Tanh(),
        ),
        (2, 5, 7),
    ),
    "unpooling": (
        L.Sequential(L.Conv2d(1, 2, 3, rng=0), POOL, L.ReLU(), L.MaxUnpool2d(POOL)),
        (1, 11, 9),
    ),
    "shapes": (
        L.Sequential(
            L.Frozen(L.Conv2d(1, 3, 2, bias=False, rng=0)),
            L.Residual(L.Sequential(L.Conv2d(3, 5, 3, 2, 1, rng=0), L.Dropout()), L.Shrink(2, 5)),
            L.Branches(L.Layer(), L.LeakyReLU(), L.Sigmoid()),
            L.Add(),
            L.Flatten(),
            L.Reshape(5, -1),
            L.Flatten(),
        ),
        (1, 6, 6),
    ),
    "heads": (
        L.Sequential(
            L.Conv2d(1, 3, 3, rng=0),
            L.SharedBody(L.GlobalAvgPool2d(), L.Linear(3, 2, rng=0), L.Linear(3, 4, rng=0)),
        ),
        (1, 6, 8),
    ),
    "one layer": (L.Conv2d(1, 2, 3, rng=0), (1, 6, 6)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_models_at_many_sizes(name, in_page):
    model, shape = OTHERS[name]
    network = json.loads(json.dumps(described(model, shape)))
    assert network["fixed"] == ""
    for size in (shape[1], 1, 2, 3, 4, 5, 8, 9, 13, 20, 27, 32):
        refused = assert_same_as_summary(in_page, network, model, size)
        assert size != shape[1] or not refused


def test_drawn_chains_at_many_sizes(in_page):
    rng = np.random.default_rng(7)

    def window():
        size = [int(n) for n in rng.integers(1, 5, 2)]
        padding = tuple(tuple(int(k) for k in rng.integers(0, n // 2 + 1, 2)) for n in size)
        return tuple(size), tuple(int(n) for n in rng.integers(1, 3, 2)), padding

    for _ in range(25):
        chain, channels = [], 3
        for _ in range(4):
            size, stride, padding = window()
            kind = rng.integers(5)
            if kind == 0:
                chain.append(L.MaxPool2d(size, stride, padding))
            elif kind == 1:
                chain.append(L.ConvTranspose2d(channels, 4, size, stride, rng=0))
            elif kind == 2:
                chain.append(L.BatchNorm2d(channels))
            else:
                out, bias = int(rng.integers(1, 3)) * channels, bool(rng.integers(2))
                chain.append(
                    L.Conv2d(channels, out, size, stride, padding, int(rng.integers(1, 3)),
                             groups=channels if kind == 3 else 1, bias=bias, rng=0)
                )  # fmt: skip
            channels = getattr(chain[-1], "out_channels", channels)
        model = L.Sequential(*chain)
        network = json.loads(json.dumps(described(model, (3, 40, 36))))
        for size in (40, 12, 6):
            assert_same_as_summary(in_page, network, model, size)


def test_a_network_that_takes_numbers_and_no_picture(in_page, tmp_path, open_page):
    model = L.Sequential(
        L.Linear(5, 24, rng=0), L.Reshape(6, 2, 2), L.ConvTranspose2d(6, 1, 4, 2, 1, rng=0)
    )
    network = json.loads(json.dumps(described(model, (5,))))
    shown = in_page(READ, [network, 1, False])
    assert shown["leaves"] == [as_read(row) for row in Summary(model, (5,)).rows]
    visit = open_widgets(tmp_path, open_page, [ArchitectureExplorer(model, (5,))])
    place = visit.page.locator(".convbook-widget")
    assert not place.get_by_role("slider", name="picture").first.is_visible()
    assert "1×4×4" in place.inner_text() and visit.errors == []


def test_what_breaks_is_said(in_page):
    network = stored()["VGG-16"]
    path, why = in_page(READ, [network, 192, False])["refused"]
    assert path == "2" and "25,088 numbers" in why and "512 × 6 × 6 = 18,432" in why
    path, why = in_page(READ, [network, 16, False])["refused"]
    assert path == "0.4.6" and why == "The window of 2 × 2 does not fit into 1 × 1."
    odd = json.loads(json.dumps(described(*OTHERS["U-Net"])))
    path, why = in_page(READ, [odd, 15, False])["refused"]
    assert path == "1.join" and "4 × 15 × 15 and 4 × 14 × 14" in why


def test_fully_connected_layers_made_anew(in_page):
    shown = in_page(READ, [stored()["small VGG"], 64, True])
    assert shown["refused"] is None
    by_path = {path: (shape, parameters) for path, _, shape, parameters, _ in shown["leaves"]}
    assert by_path["2"] == ([128], (48 * 8 * 8 + 1) * 128)
    assert by_path["5"] == ([10], 1290)


class Own(L.Container):
    """A container whose forward is its own."""

    def __init__(self):
        super().__init__({"a": L.Conv2d(1, 2, 3, rng=0), "b": L.Conv2d(1, 2, 3, rng=0)})

    def forward(self, x):
        return self.children["a"](x) * self.children["b"](x)


class Mirror(L.Layer):
    """A layer of a reader's own."""

    def forward(self, x):
        return self._output(x[..., ::-1])


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (L.Sequential(Own(), L.ReLU()), "Own runs its layers in a way of its own"),
        (L.Sequential(L.Conv2d(1, 2, 3, rng=0), Mirror()), "Mirror is a layer of its own"),
    ],
)
def test_what_the_page_cannot_compute_is_as_recorded(model, why, in_page):
    network = json.loads(json.dumps(described(model, (1, 8, 8))))
    assert network["fixed"] == why
    summary = Summary(model, (1, 8, 8))
    assert in_page(READ, [network, 99, False])["leaves"] == [as_read(r) for r in summary.rows]


class TwoInputs(L.Layer):
    """A layer that cannot be shown: its second input is not known."""

    def forward(self, x, y):
        return self._output(x + y)


# --- In Python -----------------------------------------------------------------------------------


def test_the_arguments():
    w = ArchitectureExplorer("small VGG", beside="small ResNet-20")
    assert (w.size, w.beside_size) == (32, 32) and w.opened[0] == ""
    assert ArchitectureExplorer("VGG-16", 192).size == 192
    own = ArchitectureExplorer(*OTHERS["U-Net"])
    assert own.network == "your network" and own.size == 16 and "VGG-16" in own.networks["names"]
    several = ArchitectureExplorer("U-Net", networks=OTHERS, beside="autoencoder", known=False)
    assert several.networks["names"] == list(OTHERS) and several.beside_size == 28
    assert repr(several) == "ArchitectureExplorer()"


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (("VGG-15",), ValueError, "network must be a model or one of LeNet-5, .* got 'VGG-15'"),
        (("VGG-16", None, "no"), ValueError, "beside must be"),
        ((cifar_cnn(0),), TypeError, "input_shape must be given"),
        ((cifar_cnn(0), (3, 32)), ValueError, r"input_shape must be \(C, H, W\) or \(L,\)"),
        ((L.Add(), (3, 4, 4), "", {"x": (TwoInputs(), (2,))}), TypeError, "must take one input"),
        ((cifar_cnn(0), (3, 32, 0)), ValueError, "input_shape must be"),
        ((cifar_cnn(0), (3, 30, 30)), ValueError, "in_features"),
        (("VGG-16", 0), ValueError, "input_shape must be"),
        (("VGG-16", None, "", {"x": ("model", (1, 2, 2))}), TypeError, "must be a Layer"),
    ],
)
def test_refuses_what_it_cannot_show(arguments, kind, message):
    with pytest.raises(kind, match=message):
        ArchitectureExplorer(*arguments)


@pytest.mark.parametrize(
    ("name", "value"), [("network", "x"), ("beside", "x"), ("size", 0), ("beside_size", 2000)]
)
def test_refuses_wrong_traits(name, value):
    w = ArchitectureExplorer()
    with pytest.raises(traitlets.TraitError, match=name):
        setattr(w, name, value)


def test_the_plain_form_has_the_blocks_and_the_totals():
    plain = ArchitectureExplorer("VGG-16", beside="small MobileNet").plain()
    assert "138,357,544" in plain and "37,162" in plain and "512 × 7 × 7" in plain


def test_what_is_open_at_first():
    opened = first_opened(stored()["VGG-16"]["tree"])
    assert opened == ["", "0"]
    assert first_opened(stored()["DenseNet-121"]["tree"])[0] == ""
    assert first_opened(described(*OTHERS["one layer"])["tree"]) == []
    assert parts_of(described(*OTHERS["one layer"])["tree"]) == []


# --- By hand -------------------------------------------------------------------------------------

ITEMS = """
(place) => [...place.querySelectorAll(".cb-net")].map((panel) =>
  [...panel.querySelectorAll("[role=treeitem]")].filter((item) => item.checkVisibility())
    .map((item) => [item.dataset.path, item.dataset.shape, Number(item.dataset.parameters)]))
"""


def paths(place, panel=0):
    return [path for path, *_ in place.evaluate(ITEMS)[panel]]


def test_two_networks_on_the_page(tmp_path, open_page):
    visit = open_widgets(
        tmp_path, open_page, [ArchitectureExplorer("small VGG", beside="small MobileNet")]
    )
    place = visit.page.locator(".convbook-widget")
    first, second = place.evaluate(ITEMS)
    summary = Summary(small("small VGG"), (3, 32, 32))
    rows = {row.name: row for row in summary.rows}
    assert [path for path, *_ in first] == [
        "0", "0.0", "0.1", "0.2", "1", "2", "3", "4", "5"
    ]  # fmt: skip
    for path, shape, parameters in first:
        if path in rows:
            assert shape.split(" × ") == [str(n) for n in rows[path].output_shape]
            assert parameters == rows[path].parameters
    assert sum(p for path, _, p in second if "." not in path) == 37_162
    said = place.locator(".cb-remark").inner_text()
    assert "small VGG has 3.8 times as many parameters" in said
    # Slabs are to one scale: width as channels, height as rows.
    slabs = place.locator(".cb-slabs rect").evaluate_all(
        "(all) => all.map((r) => ['rows', 'channels'].map((k) => Number(r.dataset[k]))"
        ".concat(['height', 'width'].map((k) => Number(r.getAttribute(k)))))"
    )
    for rows_, channels, height, width in slabs:
        assert height == pytest.approx(max(2, 96 * rows_ / 32), abs=0.02)
        assert (width - 1.5) / channels == pytest.approx(
            (slabs[1][3] - 1.5) / slabs[1][1], rel=0.02
        )
    assert (visit.errors, visit.outside) == ([], [])


@pytest.mark.parametrize("theme", THEMES)
def test_ways_that_part_and_meet_have_a_colour_of_their_own(theme, tmp_path, open_page):
    """A skip is no "other" layer, folded or unfolded; nor is what joins its ways."""
    networks = {name: OTHERS[name] for name in ("U-Net", "shapes")}
    write_widget_page(
        tmp_path, [ArchitectureExplorer("U-Net", None, "shapes", networks, known=False)]
    )
    visit = open_page(viewport=WIDE)
    visit.page.goto((tmp_path / "widgets.html").as_uri())
    settle(visit.page)
    visit.page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    place = visit.page.locator(".convbook-widget")
    skip = place.locator('[data-path="1"]').first
    for _ in range(2):  # unfolded at first, then folded
        assert "join" in skip.get_attribute("class") and "Skip" in skip.inner_text()
        skip.click()
    assert "join" in place.locator('[data-path="1.join"]').get_attribute("class")
    kinds = {
        name: place.locator(f'.cb-net:last-child [data-path="{path}"]').get_attribute("class")
        for name, path in (("residual", "1"), ("branches", "2"), ("add", "3"), ("flatten", "4"))
    }
    assert {name: "join" in text.split() for name, text in kinds.items()} == {
        "residual": True, "branches": True, "add": True, "flatten": False
    }  # fmt: skip
    legend = place.locator(".cb-key").evaluate_all(
        "(keys) => keys.map((key) => "
        "[key.textContent, getComputedStyle(key.querySelector('rect')).stroke])"
    )
    assert [text for text, _ in legend][3].startswith("ways that part and meet: skip")
    assert len({colour for _, colour in legend}) == 5
    assert visit.errors == []


def test_two_large_networks_fit_beside_each_other(tmp_path, open_page):
    """No number is cut off, and 11.4 G beside 11.5 G is not "1 times as few"."""
    write_widget_page(tmp_path, [ArchitectureExplorer("Wide ResNet-50-2", beside="ResNet-152")])
    visit = open_page(viewport={"width": 700, "height": 900})
    visit.page.goto((tmp_path / "widgets.html").as_uri())
    settle(visit.page)
    place = visit.page.locator(".convbook-widget")
    cut_off = place.locator(".cb-netrow").evaluate_all(
        "(rows) => rows.filter((row) => row.scrollWidth > row.clientWidth)"
        ".map((row) => row.innerText)"
    )
    assert cut_off == []
    said = place.locator(".cb-remark").inner_text()
    assert "1.1 times as many parameters and takes about as many multiplications" in said
    assert visit.errors == []


def test_keys_fold_and_walk(tmp_path, open_page):
    visit = open_widgets(tmp_path, open_page, [ArchitectureExplorer("small VGG")])
    page, place = visit.page, visit.page.locator(".convbook-widget")
    current = place.locator('[role=treeitem][tabindex="0"]')
    assert current.count() == 1
    current.focus()
    before = page.evaluate("scrollY")
    page.keyboard.press("ArrowDown")
    assert current.get_attribute("data-path") == "0.0"
    page.keyboard.press("ArrowRight")
    assert paths(place)[1:7] == ["0.0", "0.0.0", "0.0.1", "0.0.2", "0.0.3", "0.0.4"]
    page.keyboard.press("ArrowRight")
    assert current.get_attribute("data-path") == "0.0.0"
    assert "12 filters of 3 · 3 · 3 weights" in place.locator(".cb-told").first.inner_text()
    page.keyboard.press("ArrowLeft")  # to the block
    page.keyboard.press("ArrowLeft")  # which folds
    assert current.get_attribute("data-path") == "0.0" and "0.0.0" not in paths(place)
    assert current.get_attribute("aria-expanded") == "false"
    page.keyboard.press("End")
    assert current.get_attribute("data-path") == "5"
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    assert paths(place) == ["0", "1", "2", "3", "4", "5"]
    # In one step: a locator finds its element first, and a drawing may come in between.
    page.wait_for_function("() => document.activeElement.dataset.path === '0'")
    assert page.evaluate("scrollY") == before
    place.get_by_role("button", name="Unfold one level more").click()
    assert paths(place)[:4] == ["0", "0.0", "0.1", "0.2"]
    place.get_by_role("button", name="Back to the start").click()
    assert paths(place) == ["0", "0.0", "0.1", "0.2", "1", "2", "3", "4", "5"]
    assert (visit.errors, visit.outside) == ([], [])


def test_another_size_breaks_what_is_fully_connected(tmp_path, open_page):
    visit = open_widgets(tmp_path, open_page, [ArchitectureExplorer("small VGG")])
    place = visit.page.locator(".convbook-widget")
    message = place.locator(".cb-message").first
    anew = place.get_by_role("button", name="Make fully connected layers anew")
    assert message.inner_text() == "" and not anew.is_visible()
    slider = place.get_by_role("slider", name="picture").first
    slider.fill("48")
    assert "48 × 6 × 6 = 1,728" in message.inner_text()
    assert place.locator(".cb-netrow.refused").get_attribute("data-path") == "2"
    anew.click()
    assert message.inner_text() == "" and anew.get_attribute("aria-pressed") == "true"
    place.get_by_role("combobox", name="network").first.select_option("small ResNet-20")
    slider.fill("50")
    assert message.inner_text() == ""
    place.get_by_role("combobox", name="beside it").select_option("VGG-16")
    assert len(place.evaluate(ITEMS)[1]) == 14
    assert (visit.errors, visit.outside) == ([], [])


def test_a_recorded_model_has_no_slider(tmp_path, open_page):
    model = L.Sequential(L.Conv2d(1, 2, 3, rng=0), Mirror())
    visit = open_widgets(tmp_path, open_page, [ArchitectureExplorer(model, (1, 8, 8))])
    place = visit.page.locator(".convbook-widget")
    assert not place.get_by_role("slider", name="picture").first.is_visible()
    assert "Mirror is a layer of its own" in place.inner_text()
    assert visit.errors == []


def test_a_finger_on_a_telephone(tmp_path, open_page):
    write_widget_page(tmp_path, [ArchitectureExplorer("VGG-16", beside="MobileNet")])
    visit = open_page(viewport=NARROW, is_mobile=True, has_touch=True)
    visit.page.goto((tmp_path / "widgets.html").as_uri())
    settle(visit.page)
    place = visit.page.locator(".convbook-widget")
    place.locator('[data-path="0.1"]').tap()
    assert "0.1.0" in paths(place)
    place.locator('[data-path="0.1.0"]').tap()
    assert "128 filters of 3 · 3 · 64" in place.locator(".cb-told").first.inner_text()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert visit.errors == []
