"""AnswerGrid and ChannelExplorer: in Python, as static pages, and in the browser."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from traitlets import TraitError

from convbook.functional import conv2d
from convbook.site.assets import figures_in, widget_script
from convbook.widgets import AnswerGrid, ChannelExplorer
from convbook.widgets.answer import fnv1a


class Parsed(HTMLParser):
    """The state and the tags of a widget's static form."""

    VOID = ("br", "img", "hr")

    def __init__(self, source):
        super().__init__()
        self.open, self.cells, self.state, self.module = [], 0, None, None
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "data-state" in attributes:
            self.state = json.loads(attributes["data-state"])
            self.module = attributes["data-module"]
        self.cells += tag == "td"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parse(source):
    parsed = Parsed(source)
    assert not parsed.open
    return parsed


def numbers_in(state):
    """Every number in a nested state."""
    if isinstance(state, dict):
        state = list(state.values())
    if isinstance(state, list):
        return [number for part in state for number in numbers_in(part)]
    return [state] if isinstance(state, (int, float)) else []


# --- AnswerGrid ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", "811c9dc5"), ("a", "e40c292c"), ("foobar", "bf9cf968")],  # the authors' test vectors
)
def test_fnv1a(text, expected):
    assert fnv1a(text) == expected


def test_hashes_are_the_documented_ones():
    widget = AnswerGrid([[4, -8]], label="Y", question="How much?")
    salt = fnv1a("Y:How much?")
    assert widget.salt == salt
    assert widget.accepted == [[[fnv1a(f"{salt}:0:0:40000")], [fnv1a(f"{salt}:0:1:-80000")]]]


@pytest.mark.parametrize(
    ("answer", "value", "right"),
    [
        (4, 4, True),
        (4, 4.0, True),
        (4, 4.01, False),
        (4, -4, False),
        (0, -0.0, True),
        (7 / 3, 7 / 3, True),
        (7 / 3, 2.33, True),
        (7 / 3, 2.333, True),
        (7 / 3, 2.3333, True),
        (7 / 3, 2.3, False),
        (7 / 3, 2.34, False),
        (-2 / 3, -0.67, True),
        (-2 / 3, -0.66, False),
        (0.125, 0.12, True),  # a tie: either way of rounding is right
        (0.125, 0.13, True),
        (-0.125, -0.13, True),
        (np.float32(0.1), 0.1, True),
        (123456789, 123456789, True),
    ],
)
def test_what_counts_as_right(answer, value, right):
    widget = AnswerGrid(answer)
    assert not widget.correct
    widget.values = value
    assert widget.correct.shape == ()
    assert widget.correct == right


def test_each_cell_is_judged_for_itself():
    widget = AnswerGrid([[4, 8], [20, 24]])
    assert widget.values == [[None, None], [None, None]]
    widget.values = [[4, None], [24, 24]]
    np.testing.assert_array_equal(widget.correct, [[True, False], [False, True]])
    widget.values = None
    assert widget.values == [[None, None], [None, None]]
    widget.values = widget.answer
    assert widget.correct.all()


def test_a_row():
    widget = AnswerGrid([1, 2.5, 3], values=[1, 2.5, None])
    np.testing.assert_array_equal(widget.correct, [True, True, False])


def test_the_answer_is_a_copy():
    widget = AnswerGrid([1, 2])
    widget.answer[0] = 7
    np.testing.assert_array_equal(widget.answer, [1, 2])


def test_it_takes_what_the_package_computes():
    x, f = np.arange(1, 17).reshape(1, 1, 4, 4), np.ones((1, 1, 3, 3), int)
    widget = AnswerGrid(conv2d(x, f)[0, 0])
    widget.values = [[54, 63], [90, 99]]
    assert widget.correct.all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"answer": "many"}, "answer must be a number"),
        ({"answer": np.zeros((2, 2, 2))}, r"got shape \(2, 2, 2\)"),
        ({"answer": np.zeros((13, 1))}, "1 to 12"),
        ({"answer": []}, "1 to 12"),
        ({"answer": [1, np.nan]}, "finite"),
        ({"answer": 1e9}, "finite numbers below 1e"),
        ({"answer": [1, 2], "hints": {"Why?": [1, 2, 3]}}, r"hints must have .* shape \(2,\)"),
        ({"answer": [1, 2], "values": [1]}, r"values must be .* shape \(2,\)"),
        ({"answer": [1, 2], "values": [1, "x"]}, "values must be"),
        ({"answer": [1, 2], "values": [1, np.inf]}, "values must be"),
        ({"answer": [[1, 2]], "values": [[1], [2, 3]]}, "values must be"),
        ({"answer": 1, "label": 3}, "label"),
    ],
)
def test_bad_arguments_of_an_answer_grid(arguments, message):
    with pytest.raises(TraitError, match=message):
        AnswerGrid(**arguments)


def test_bad_values_leave_the_old_ones():
    widget = AnswerGrid([1, 2], values=[1, None])
    with pytest.raises(TraitError):
        widget.values = [1, 2, 3]
    assert widget.values == [1, None]


ANSWERS = [[-31.25, 8711], [0.6667, 2024]]
MISTAKES = {"Round down <first>.": [[5511.5, 6622], [7733, 8844]]}


def test_the_static_form_holds_no_answers():
    widget = AnswerGrid(ANSWERS, question='How "much" is 1 < 2?', hints=MISTAKES)
    source = widget.static_html()
    parsed = parse(source)
    assert parsed.module == "answer.js"
    assert parsed.cells == 4
    assert set(parsed.state) == {"accepted", "label", "mistakes", "question", "salt", "values"}
    assert numbers_in(parsed.state) == []
    assert parsed.state["question"] == 'How "much" is 1 < 2?'
    assert parsed.state["mistakes"][0]["hint"] == "Round down <first>."
    hashes = re.findall(r"\b[0-9a-f]{8}\b", source)
    readable = re.sub(r"\b[0-9a-f]{8}\b", "", source)
    assert len(hashes) >= 9
    for number in np.ravel(ANSWERS + MISTAKES["Round down <first>."]):
        assert f"{abs(number):g}" not in readable


def test_the_static_form_is_the_same_every_time():
    first, second = (AnswerGrid(ANSWERS, hints=MISTAKES) for _ in range(2))
    assert first.static_html() == second.static_html()
    assert repr(first) == "AnswerGrid()"
    assert first._repr_mimebundle_()[0]["text/html"] == first.static_html()


def test_the_static_form_shows_what_is_filled_in():
    assert "<td>17</td>" in AnswerGrid([[17, 4]], values=[[17, None]]).static_html()


# --- AnswerGrid in the browser -------------------------------------------------------------------


def show(open_page, *widgets):
    """A page that holds the widgets and nothing else."""
    visit = open_page()
    places = "".join(widget.static_html() for widget in widgets)
    visit.page.set_content(places)
    visit.page.add_script_tag(content=widget_script(*figures_in(places)))
    visit.page.wait_for_function(
        "[...document.querySelectorAll('[data-module]')].every((place) => place.dataset.ready)"
    )
    return visit


def test_the_page_judges_as_python_does(open_page):
    rng = np.random.default_rng(3)
    answer = np.round(rng.normal(scale=10, size=(8, 8)), rng.integers(0, 6))
    answer[::2] = rng.integers(-50, 50, (4, 8))
    tried = np.round(answer, rng.integers(1, 5))
    tried[:, ::3] += rng.choice([0, 0.01, 1], (8, 3))
    widget = AnswerGrid(answer, label="Ŷ", question="Größer?", values=tried)
    visit = show(open_page, widget)
    classes = visit.page.locator("td").evaluate_all("(all) => all.map((cell) => cell.className)")
    right = ["right" in name.split() for name in classes]
    assert right == list(widget.correct.ravel())
    assert 0 < sum(right) < 64
    assert not visit.errors


def test_filling_in_a_grid(open_page):
    hints = {"Forgot the bias?": [[3, 7], [19, 23]]}
    page = show(open_page, AnswerGrid([[4, 8], [20, 7 / 3]], hints=hints)).page
    feedback = page.locator("[aria-live]")
    page.get_by_label("Y row 0, column 0").click()
    page.keyboard.type("4")
    assert feedback.inner_text() == "1 of 4 right"
    page.keyboard.press("Enter")
    page.keyboard.type("7")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("7/3")
    assert "Row 0, column 1: Forgot the bias?" in feedback.inner_text()
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("−5")
    page.keyboard.press("ArrowUp")
    assert "Look again at row 1, column 0." in feedback.inner_text()
    signs = page.locator("td").evaluate_all("(cells) => cells.map((cell) => cell.dataset.note)")
    assert signs == ["✓", "✗", "✗", "✓"]
    page.get_by_label("Y row 0, column 1").fill("8,0")
    page.get_by_label("Y row 1, column 0").fill("40/2")
    assert feedback.inner_text() == "✓ All right.\n“8,0” is read as 8."
    page.get_by_role("button", name="Back to the start").click()
    values = page.locator("input").evaluate_all("(all) => all.map((input) => input.value)")
    assert values == [""] * 4


# --- ChannelExplorer -----------------------------------------------------------------------------


def test_counts_of_the_default():
    widget = ChannelExplorer()
    assert widget.output_shape == (1, 4, 6, 6)
    assert widget.parameters == 4 * 3 * 3 * 3 + 4
    assert widget.multiplications == 4 * 6 * 6 * 27
    assert widget.dense_parameters == 192 * 144 + 144
    assert widget.dense_multiplications == 192 * 144


SETTINGS = [
    {"n": 2, "c": 1, "h": 7, "w": 5, "oc": 8, "fh": 1, "fw": 5, "stride": 3, "padding": 0},
    {"n": 4, "c": 6, "h": 16, "w": 3, "oc": 1, "fh": 5, "fw": 2, "stride": 2, "padding": 1},
    {"n": 1, "c": 2, "h": 4, "w": 9, "oc": 3, "fh": 3, "fw": 3, "stride": 1, "padding": 2},
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_output_shape_is_that_of_conv2d(setting):
    widget = ChannelExplorer(**setting)
    x = np.zeros([setting[key] for key in ("n", "c", "h", "w")])
    f = np.zeros([setting[key] for key in ("oc", "c", "fh", "fw")])
    y = conv2d(x, f, stride=setting["stride"], padding=setting["padding"])
    assert widget.output_shape == y.shape
    assert widget.parameters == f.size + setting["oc"]
    assert widget.multiplications == y.size * f[0].size


def test_a_filter_that_does_not_fit():
    widget = ChannelExplorer(h=3, fh=5)
    with pytest.raises(ValueError, match="kernel_size"):
        widget.output_shape
    assert "kernel_size" in widget.static_html()
    widget.padding = 1
    assert widget.output_shape == (1, 4, 1, 8)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("n", (0, 5)),
        ("c", (0, 7)),
        ("h", (2, 17)),
        ("w", (2, 17)),
        ("oc", (0, 9)),
        ("fh", (0, 6)),
        ("fw", (0, 6)),
        ("stride", (0, 4)),
        ("padding", (-1, 3)),
        ("channel", (-1, 8)),
        ("n", (1.5, True)),
        ("h", ("8", None)),
    ],
)
def test_bad_values_of_a_channel_explorer(name, values):
    widget = ChannelExplorer()
    for value in values:
        with pytest.raises(TraitError, match=f"{name} must be a whole number"):
            setattr(widget, name, value)


def test_static_form_of_a_channel_explorer():
    widget = ChannelExplorer(n=2, channel=1)
    parsed = parse(widget.static_html())
    assert parsed.module == "channel.js"
    assert parsed.state == {
        "n": 2,
        "c": 3,
        "h": 8,
        "w": 8,
        "oc": 4,
        "fh": 3,
        "fw": 3,
        "stride": 1,
        "padding": 0,
        "channel": 1,
    }
    assert widget.static_html() == ChannelExplorer(n=2, channel=1).static_html()


def test_the_page_counts_as_python_does(open_page):
    widgets = [ChannelExplorer(**setting) for setting in SETTINGS]
    visit = show(open_page, *widgets, ChannelExplorer(h=3, fh=5))
    page = visit.page
    for widget, place in zip(widgets, page.locator("section.cb").all(), strict=False):
        counts = place.locator(".cb-counts b").all_inner_texts()
        assert [int(text.replace(",", "")) for text in counts] == [
            widget.parameters,
            widget.multiplications,
            widget.dense_parameters,
            widget.dense_multiplications,
        ]
        shape = place.locator("figure").nth(2).locator(".cb-shape").inner_text()
        assert shape.endswith(f"= {widget.output_shape}")
    assert "does not fit" in page.locator("section.cb").last.inner_text()
    assert not visit.errors


def test_picking_a_filter_with_the_keyboard(open_page):
    page = show(open_page, ChannelExplorer()).page
    page.get_by_role("radio", name="Filter 0").focus()
    page.keyboard.press("ArrowRight")
    assert "Filter 1 has C·FH·FW = 3·3·3 = 27 weights" in page.locator(".cb-sentence").inner_text()
    checked = page.get_by_role("radio", checked=True).evaluate_all(
        "(all) => all.map((one) => one.getAttribute('aria-label'))"
    )
    assert checked == ["Filter 1: 3 sheets of 3 by 3 weights", "Sheet 1 of Y: 6 by 6 cells"]
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == checked[0]
