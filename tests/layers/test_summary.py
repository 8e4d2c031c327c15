"""The summary as a tree: blocks with what is inside them, which add up."""

import numpy as np
import pytest

from convbook import functional
from convbook.layers import Conv2d, MaxPool2d, ReLU, Residual, Sequential, Summary
from convbook.layers.summary import Block, Row
from convbook.models.densenet import small_densenet
from convbook.models.evolution import SMALL
from convbook.models.googlenet import small_googlenet
from convbook.models.mobilenet import small_mobilenet
from convbook.models.resnet import small_resnet
from convbook.models.vgg import small_vgg


def blocks(part):
    """Yield a block and all blocks inside it."""
    if isinstance(part, Block):
        yield part
        for inner in part.parts:
            yield from blocks(inner)


@pytest.mark.parametrize(
    "make",
    [
        small_vgg,
        small_googlenet,
        small_densenet,
        small_mobilenet,
        lambda rng: small_resnet(rng=rng),
    ],
)
def test_blocks_add_up(make):
    model = make(rng=0)
    summary = Summary(model, (3, 32, 32))
    assert summary.tree.rows == summary.rows
    assert (
        summary.tree.parameters == summary.parameters == sum(a.size for a in model.params.values())
    )
    names = [block.name for block in blocks(summary.tree)]
    assert len(names) == len(set(names)) and names[0] == ""
    for block in blocks(summary.tree):
        assert block.parameters == sum(row.parameters for row in block.rows)
        assert block.multiplications == sum(row.multiplications for row in block.rows)
        last = block.parts[-1]
        if block.layer == "Sequential":
            assert block.output_shape == last.output_shape
            assert block.receptive_field == last.receptive_field


def test_a_wide_table_is_narrowed():
    """A page shows 77 columns: a shape is written closer, a long layer goes on in a second line."""
    model = Sequential(
        Conv2d(16, 128, (3, 5), stride=(2, 1), padding=(1, 2), bias=False, rng=0), ReLU()
    )
    assert str(Summary(model, (16, 64, 64))).splitlines() == [
        "   layer                                      output   para-   multipli-",
        "                                                      meters     cations",
        "────────────────────────────────────────────────────────────────────────",
        "   input                                    16×64×64",
        "0  Conv2d(16, 128, (3, 5), stride=(2, 1),  128×32×64  30,720  62,914,560",
        "     padding=(1, 2), bias=False)",
        "1  ReLU()                                  128×32×64       0           0",
        "────────────────────────────────────────────────────────────────────────",
        "   total                                              30,720  62,914,560",
    ]
    narrow = str(Summary(Sequential(Conv2d(16, 8, 3, rng=0)), (16, 64, 64)))
    assert "8 × 62 × 62" in narrow and "multiplications" in narrow


@pytest.mark.parametrize("name", SMALL)
def test_the_tables_of_the_books_networks_fit_a_page(name):
    model, shape = SMALL[name]
    lines = str(Summary(model(rng=0), shape)).splitlines()
    assert max(map(len, lines)) <= 77


def test_a_tree_by_hand():
    body = Sequential(Conv2d(2, 3, 3, padding=1, rng=0), ReLU(), Conv2d(3, 2, 1, rng=0))
    summary = Summary(Sequential(Residual(body), MaxPool2d(2)), (2, 8, 6))
    whole = summary.tree
    assert (whole.name, whole.layer, whole.output_shape) == ("", "Sequential", (2, 4, 3))
    residual, pool = whole.parts
    assert (residual.layer, residual.output_shape) == ("Residual", (2, 8, 6))
    assert [part.name for part in residual.parts] == ["0.body", "0.shortcut"]
    assert residual.parameters == 57 + 8 and residual.multiplications == 48 * (54 + 6)
    assert isinstance(pool, Row) and pool.receptive_field == (4, 4)
    assert pool.rows == [pool]
    assert summary.outline().splitlines()[3:-2] == [
        "0  Residual of 4 layers  2 × 8 × 6          65            2,880  3 × 3",
        "1  MaxPool2d(2)          2 × 4 × 3           0                0  4 × 4",
    ]
    assert [line.split()[:2] for line in summary.outline(2).splitlines()[4:7]] == [
        ["0", "Residual"],
        ["0.body", "Sequential"],
        ["0.shortcut", "Layer()"],
    ]
    assert "Sequential of 5 layers" in summary.outline(0)
    assert "5 × 5" not in str(summary)


def test_a_single_layer_is_a_row():
    summary = Summary(Conv2d(1, 2, 3, rng=0), (1, 5, 5))
    assert isinstance(summary.tree, Row) and summary.tree.receptive_field == (3, 3)
    assert "3 × 3" in summary.outline()


def test_the_model_stays_as_it_was():
    model = small_resnet(8, rng=0)
    x = np.random.default_rng(0).standard_normal((4, 3, 16, 16), np.float32)
    y = model(x)
    before = model.state()
    Summary(model, (3, 16, 16))
    assert all(np.array_equal(before[name], a) for name, a in model.state().items())
    assert all("forward" not in vars(layer) for layer in model.walk())
    assert model.training
    model.backward(np.ones_like(y))  # it still remembers its own pass


def test_no_image_is_convolved_for_a_table(monkeypatch):
    convolved, conv2d = [], functional.conv2d
    monkeypatch.setattr(
        functional, "conv2d", lambda x, *o: convolved.append(len(x)) or conv2d(x, *o)
    )
    model = small_resnet(8, rng=0)
    assert Summary(model, (3, 32, 32)).rows[-1].output_shape == (10,)
    assert convolved and not any(convolved)
    with pytest.raises(ValueError, match=r"x must have C = 3, got 2, shape \(1, 2, 9, 9\)"):
        Summary(model, (2, 9, 9))
