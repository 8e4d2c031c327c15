"""The explorers on the chapters' pages, used as readers use them: by mouse, keyboard and touch."""

import json
from contextlib import contextmanager

import numpy as np
import pytest

from convbook.widgets import (
    AnswerGrid,
    ChannelExplorer,
    ConvolutionExplorer,
    Im2colExplorer,
    PoolingExplorer,
)
from helpers.pages import TELEPHONE, WIDE, marked, number, read, settle, values, write_widget_page

CONVOLUTION = "book/3-1_convolution.html"
POOLING = "book/3-2_pooling.html"
MOUSE = {"viewport": WIDE}


class Figure:
    """An explorer on a page, and the same explorer in Python."""

    def __init__(self, page, cls, index=0):
        self.page = page
        self.place = page.locator(f'.convbook-widget[data-module="{cls.module}"]').nth(index)
        self.place.scroll_into_view_if_needed()
        self.state = json.loads(self.place.get_attribute("data-state"))
        if cls is not AnswerGrid:  # its answers stay in Python
            self.twin = cls(**self.state)

    def slider(self, name):
        return self.place.get_by_role("slider", name=name)

    def button(self, name):
        return self.place.get_by_role("button", name=name)

    def cell(self, name):
        """The cell of a matrix by its name for screen readers, such as "X row 0, column 1"."""
        return self.place.get_by_role("textbox", name=name)

    def output_cell(self, row, col, label="Output Y"):
        grid = self.place.get_by_role("grid", name=label)
        return grid.get_by_role("row").nth(row).get_by_role("gridcell").nth(col)

    def output(self, label="Output Y"):
        return np.array(values(read(self.place)["matrices"][label]))

    def picked(self, label="Output Y"):
        return np.argwhere(marked(read(self.place)["matrices"][label], "picked")).tolist()

    def assert_sum(self, row, col):
        """The sum that is written out belongs to this cell of the output."""
        shown = read(self.place)
        assert f"{row},{col} =" in shown["sum"]
        assert number(shown["result"]) == pytest.approx(self.twin.output[row, col], abs=0.005)

    def assert_same(self):
        np.testing.assert_allclose(self.output(), self.twin.output, rtol=1e-12)

    @contextmanager
    def changes(self):
        """What is done inside changes the output, and to what Python computes."""
        before = self.output().tolist()
        yield
        self.assert_same()
        assert self.output().tolist() != before


@pytest.fixture
def figure(site_url, open_page):
    """A function that opens a page and returns one of its explorers; no error may come up."""
    visits = []

    def start(name, cls, options=MOUSE, index=0):
        visits.append(open_page(**options))
        page = visits[-1].page
        page.goto(f"{site_url}/{name}")
        settle(page)
        return Figure(page, cls, index)

    yield start
    for visit in visits:
        assert (visit.errors, visit.outside) == ([], [])


def middle(locator):
    """Return the middle of an element in the window."""
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag_to_the_end(page, slider):
    """Drag a slider's thumb from its left end to its right end."""
    box = slider.bounding_box()
    page.mouse.move(box["x"] + 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(*middle(slider), steps=3)
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2, steps=3)
    page.mouse.up()


# --- ConvolutionExplorer -------------------------------------------------------------------------


def test_by_mouse(figure):
    fig = figure(CONVOLUTION, ConvolutionExplorer)
    page, twin = fig.page, fig.twin
    fig.assert_same()
    with fig.changes():
        drag_to_the_end(page, fig.slider("padding"))
        twin.padding = 3
    with fig.changes():
        drag_to_the_end(page, fig.slider("stride"))
        twin.stride = 4
    fig.button("Back to the start").click()
    twin.padding, twin.stride = fig.state["padding"], fig.state["stride"]
    fig.assert_same()

    with fig.changes():
        fig.cell("X row 1, column 2").click()
        page.keyboard.type("-7.5")
        twin.x = with_cell(twin.x, 1, 2, -7.5)
    with fig.changes():
        fig.cell("F row 0, column 1").click()
        page.keyboard.type("12")
        twin.f = with_cell(twin.f, 0, 1, 12)
    rows, cols = twin.output.shape
    for row, col in [(rows - 1, cols - 1), (0, cols - 1)]:
        fig.output_cell(row, col).hover()
        assert fig.picked() == [[row, col]]
        fig.assert_sum(row, col)

    with fig.changes():
        fig.button("W: one more").first.click()
        twin.x = [[*row, 0] for row in twin.x]
    with fig.changes():
        fig.button("FH: one less").click()
        twin.f = twin.f[:-1]


def test_by_keyboard(figure):
    fig = figure(CONVOLUTION, ConvolutionExplorer)
    page, twin = fig.page, fig.twin
    press = page.keyboard.press

    def focused():
        return page.evaluate("document.activeElement.getAttribute('aria-label')")

    with fig.changes():
        fig.slider("stride").focus()
        press("ArrowRight")
        twin.stride += 1
    with fig.changes():
        press("Tab")  # the next slider
        press("ArrowRight")
        twin.padding += 1
    press("Tab")
    press("Tab")
    with fig.changes():
        press("ArrowLeft")
        twin.bias -= 1
    # On to the input, also where its first cells are padding; then through it with the arrow keys.
    press("Tab")
    assert focused() == "X row 1, column 1"
    press("ArrowRight")
    press("ArrowDown")
    assert focused() == "X row 2, column 2"
    with fig.changes():
        page.keyboard.type("40")
        twin.x = with_cell(twin.x, 1, 1, 40)
    fig.cell("F row 0, column 0").focus()
    press("ArrowDown")
    with fig.changes():
        page.keyboard.type("-3")
        twin.f = with_cell(twin.f, 1, 0, -3)

    fig.output_cell(0, 0).focus()
    fig.assert_sum(0, 0)
    press("ArrowDown")
    press("ArrowRight")
    assert fig.picked() == [[1, 1]]
    fig.assert_sum(1, 1)
    press("ArrowLeft")
    fig.assert_sum(1, 0)

    fig.button("Back to the start").focus()
    press("Enter")
    fig.twin = ConvolutionExplorer(**fig.state)
    fig.assert_same()
    assert fig.picked() == [[0, 0]]


def test_by_touch(figure):
    fig = figure(CONVOLUTION, ConvolutionExplorer, TELEPHONE)
    page, twin = fig.page, fig.twin

    def tap_at_the_end(slider):
        box = slider.bounding_box()
        slider.tap(position={"x": box["width"] - 3, "y": box["height"] / 2})

    with fig.changes():
        tap_at_the_end(fig.slider("padding"))
        twin.padding = 3
    with fig.changes():
        tap_at_the_end(fig.slider("stride"))
        twin.stride = 4
    with fig.changes():
        fig.cell("X row 4, column 4").tap()  # at the padding's 3 rows and columns, and one more
        page.keyboard.type("9")
        twin.x = with_cell(twin.x, 1, 1, 9)
    with fig.changes():
        fig.cell("F row 0, column 0").tap()
        page.keyboard.type("5")
        twin.f = with_cell(twin.f, 0, 0, 5)
    row, col = np.array(twin.output.shape) - 1
    fig.output_cell(row, col).tap()
    assert fig.picked() == [[row, col]]
    fig.assert_sum(row, col)
    fig.button("Back to the start").tap()
    fig.twin = ConvolutionExplorer(**fig.state)
    fig.assert_same()


def test_step_and_play(figure):
    fig = figure(CONVOLUTION, ConvolutionExplorer)
    rows, cols = fig.twin.output.shape
    fig.button("One step forward").click()
    assert fig.picked() == [list(divmod(1, cols))]
    fig.button("One step back").click()
    fig.button("One step back").click()  # from the first cell to the last
    assert fig.picked() == [[rows - 1, cols - 1]]
    fig.assert_sum(rows - 1, cols - 1)

    play = fig.button("Play all steps")
    play.click()
    assert play.get_attribute("aria-pressed") == "true"
    third = fig.output_cell(*divmod(2, cols))
    fig.page.wait_for_function("(cell) => cell.matches('.picked')", arg=third.element_handle())
    play.click()
    assert play.get_attribute("aria-pressed") == "false"
    stopped = fig.picked()
    fig.page.wait_for_timeout(1100)  # a step takes 900
    assert fig.picked() == stopped


def test_examples_and_a_filter_that_does_not_fit(figure):
    fig = figure(CONVOLUTION, ConvolutionExplorer)
    examples = fig.place.get_by_role("combobox", name="Example")
    for value in examples.locator("option").evaluate_all("(all) => all.map((o) => o.value)")[1:]:
        examples.select_option(value)
        shown = read(fig.place)["matrices"]
        padding = int(fig.slider("padding").input_value())
        x = np.array(values(shown["Input X with its padding"]))
        fig.twin = ConvolutionExplorer(
            x=x[padding : len(x) - padding, padding : len(x[0]) - padding],
            f=values(shown["Filter F"]), padding=padding,
            stride=int(fig.slider("stride").input_value()),
        )  # fmt: skip
        fig.assert_same()
        assert examples.input_value() == value
    fig.button("Back to the start").click()
    fig.slider("dilation").focus()
    fig.page.keyboard.press("ArrowRight")
    assert "does not fit" in read(fig.place)["message"]
    fig.page.keyboard.press("ArrowLeft")
    fig.twin = ConvolutionExplorer(**fig.state)
    fig.assert_same()


def with_cell(matrix, row, col, value):
    """Return a copy of nested lists with one number changed."""
    changed = np.array(matrix, dtype=float)
    changed[row, col] = value
    return changed


# --- The other explorers -------------------------------------------------------------------------


def test_pooling(figure):
    fig = figure(POOLING, PoolingExplorer)
    twin = fig.twin
    label = "Output Y, channel 0"

    def assert_same():
        np.testing.assert_allclose(fig.output(label), twin.output[0], rtol=1e-12)

    assert_same()
    fig.button("Average pooling").click()
    twin.kind = "average"
    assert_same()
    fig.slider("stride").focus()
    fig.page.keyboard.press("ArrowLeft")
    twin.stride -= 1
    assert_same()
    drag_to_the_end(fig.page, fig.slider("window"))
    twin.kernel_size = 4
    assert_same()
    fig.slider("window").focus()
    fig.page.keyboard.press("Home")
    fig.page.keyboard.press("ArrowRight")
    twin.kernel_size = 2
    fig.cell("X[0] row 0, column 1").click()
    fig.page.keyboard.type("33")
    twin.x = [with_cell(twin.x[0], 0, 1, 33), *twin.x[1:]]
    assert_same()
    fig.output_cell(0, 0, label).focus()
    fig.page.keyboard.press("ArrowRight")
    assert fig.picked(label) == [[0, 1]]
    assert number(read(fig.place)["result"]) == pytest.approx(twin.output[0, 0, 1], abs=0.005)
    fig.button("Max pooling").click()
    twin.kind = "max"
    assert_same()


def test_pooling_channels_one_at_a_time(tmp_path, visit):
    x = np.random.default_rng(8).integers(-9, 10, (2, 8, 8))  # too large for two of them
    write_widget_page(tmp_path, [PoolingExplorer(x=x)])
    page = visit((tmp_path / "widgets.html").as_uri(), **TELEPHONE).page
    settle(page)
    fig = Figure(page, PoolingExplorer)
    for channel in (1, 0):
        fig.button(f"Show channel {channel}").tap()
        matrices = read(fig.place)["matrices"]
        assert set(matrices) == {f"Input X, channel {channel}", f"Output Y, channel {channel}"}
        expected = fig.twin.output[channel]
        np.testing.assert_allclose(fig.output(f"Output Y, channel {channel}"), expected)


def test_im2col(figure):
    fig = figure(CONVOLUTION, Im2colExplorer)
    twin = fig.twin
    f = np.array(twin.f)

    def turns_to_the_end():
        slider = fig.slider("turn of the loop")
        slider.focus()
        fig.page.keyboard.press("End")
        return int(slider.input_value())

    fig.button("Loop over the output").click()
    assert turns_to_the_end() == len(twin.output)
    np.testing.assert_array_equal(fig.output("Columns"), twin.output)
    fig.button("Loop over the filter").click()
    fig.button("One step forward").click()
    filled = [row.count(None) for row in values(read(fig.place)["matrices"]["Columns"])]
    assert filled == [f.size - 2] * len(twin.output)
    assert turns_to_the_end() == f.size
    np.testing.assert_array_equal(fig.output("Columns"), twin.output)
    product = twin.output @ f.reshape(-1)
    np.testing.assert_array_equal(fig.output().reshape(-1), product)
    fig.slider("stride").focus()
    fig.page.keyboard.press("ArrowRight")
    twin.stride += 1
    turns_to_the_end()
    np.testing.assert_array_equal(fig.output("Columns"), twin.output)


def test_channels(figure):
    fig = figure(CONVOLUTION, ChannelExplorer)
    twin = fig.twin
    keys = {"filters": "oc", "channels": "c", "stride": "stride", "padding": "padding"}
    for name, key in keys.items():
        fig.place.locator(f'input[title^="{name}"]').focus()
        fig.page.keyboard.press("ArrowRight")
        setattr(twin, key, getattr(twin, key) + 1)
        shown = read(fig.place)
        assert shown["shapes"]["Y"].endswith(f"= {twin.output_shape}")
        assert [number(count) for count in shown["counts"][:2]] == [
            twin.parameters,
            twin.multiplications,
        ]
    fig.place.get_by_role("radio", name="Filter 1").click()
    assert "makes sheet 1 of Y" in fig.place.locator(".cb-sentence").text_content()
    fig.page.keyboard.press("ArrowRight")
    assert "makes sheet 2 of Y" in fig.place.locator(".cb-sentence").text_content()


# --- AnswerGrid ----------------------------------------------------------------------------------


@pytest.fixture
def grid(tmp_path, visit):
    """A function that shows one AnswerGrid and returns it as a Figure."""

    def start(widget, **options):
        write_widget_page(tmp_path, [widget])
        page = visit((tmp_path / "widgets.html").as_uri(), **options).page
        settle(page)
        return Figure(page, AnswerGrid)

    return start


HINT = "Did you forget the bias?"


def answers(fig):
    """Return how the cells are marked, and the lines below them."""
    (matrix,) = read(fig.place)["matrices"].values()
    kinds = {"right", "wrong", "unclear"}
    marks = ["".join(kinds.intersection(cell["marks"])) for row in matrix["cells"] for cell in row]
    summary = fig.place.locator(".cb-summary").text_content()
    return marks, summary, fig.place.locator(".cb-hints li").all_inner_texts()


def test_answers_are_checked_cell_by_cell(grid):
    fig = grid(AnswerGrid([[4, 8], [20, 7 / 3]], hints={HINT: [[3, 7], [19, 4 / 3]]}))
    page = fig.page
    fig.cell("Y row 0, column 0").click()
    page.keyboard.type("4")  # right as soon as it stands there
    assert answers(fig)[:2] == (["right", "", "", ""], "1 of 4 right")
    page.keyboard.press("Tab")
    page.keyboard.type("7")  # wrong only when it is finished: it could become 78
    assert answers(fig)[0] == ["right", "", "", ""]
    page.keyboard.press("Enter")
    marks, _, hints = answers(fig)
    assert marks == ["right", "wrong", "", ""]
    assert f"Row 0, column 1: {HINT}" in hints
    page.keyboard.type("99")
    page.keyboard.press("ArrowUp")
    marks, _, hints = answers(fig)
    assert marks == ["right", "wrong", "wrong", ""]
    assert "Look again at row 1, column 0." in hints
    fig.cell("Y row 1, column 1").fill("two")
    page.keyboard.press("Enter")
    assert answers(fig)[0][3] == "unclear"

    for row, column, text in [(0, 1, "8"), (1, 0, "20,0"), (1, 1, "7/3")]:
        fig.cell(f"Y row {row}, column {column}").fill(text)
    assert answers(fig) == (["right"] * 4, "✓ All right.", ["“20,0” is read as 20."])
    fig.button("Back to the start").click()
    assert answers(fig)[0] == [""] * 4
    assert fig.cell("Y row 0, column 0").input_value() == ""


def test_a_wrong_number_is_called_wrong_after_a_pause(grid):
    fig = grid(AnswerGrid(12, label="y", hints={HINT: 11}), **TELEPHONE)
    fig.cell("y").tap()
    fig.page.keyboard.type("11")
    assert answers(fig)[0] == [""]
    fig.place.locator("td.wrong").wait_for(timeout=3000)
    assert answers(fig)[2] == [HINT]
    fig.cell("y").fill("12")
    assert answers(fig)[:2] == (["right"], "✓ All right.")


def test_a_page_gives_no_answer_away(tmp_path):
    widget = AnswerGrid([123456, 654321], hints={HINT: [111222, 222111]})
    write_widget_page(tmp_path, [widget])
    page = (tmp_path / "widgets.html").read_text(encoding="utf-8").partition("convbook-widget")[2]
    assert not any(str(n) in page for n in (123456, 654321, 111222, 222111))
