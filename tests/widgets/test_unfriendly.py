"""Figures that meet unusual numbers, a step back, colours of the reader's own, or haste."""

import pytest

from convbook.widgets import (
    AnswerGrid,
    ConvGradientExplorer,
    ConvolutionExplorer,
    Im2colExplorer,
    PoolGradientExplorer,
    PoolingExplorer,
    SignalExplorer,
    UnpoolExplorer,
    bundle,
)
from helpers.figures import ALL, make
from helpers.pages import TELEPHONE, open_widgets, settle, write_widget_page

# --- One reader of numbers -----------------------------------------------------------------------

READ = "(texts) => texts.map((text) => readNumber(text))"
NUMBERS = {
    "3": 3, "−3": -3, "-3": -3, "+2.5": 2.5, ".5": 0.5, "5.": 5, "0": 0, "−0,5": -0.5,
    "2,5": 2.5, "0,125": 0.125, "2.333": 2.333, "1234,5": 1234.5, "12,34": 12.34,
    "9,920": 9920, "−9,920": -9920, "1,234.5": 1234.5, "1.234,5": 1234.5, "123,456": 123456,
    "9 920": 9920, "9\u202f920": 9920, "9'920": 9920, "9’920,5": 9920.5,
    "1/3": 1 / 3, "-7/2": -3.5, "7/−2": -3.5, "1 / 4": 0.25, "2,5/5": 0.5, "1e3": 1000,
    "1E-2": 0.01, "12345": 12345, "0.1e1": 1,
}  # fmt: skip
NO_NUMBERS = ["x", "1x", "1//3", "1/2/3", "1/0", "1,2,3", "1.2.3", "12 34", "1,23.4", "--1", "1e",
              "1/", "e5", "1,,2", "Infinity", "NaN", "0x10", "1_000", "2 5"]  # fmt: skip
TOO_LARGE = ["1e6", "12345678", "1,234,567", "99999999999999999999", "-1e300/1"]


@pytest.fixture(scope="module")
def in_page(open_for_all):
    """A function that evaluates JavaScript beside the reader of numbers."""
    page = open_for_all().page
    page.add_script_tag(
        content=bundle.script("kit/numbers.js")
        + 'const { readNumber } = modules["kit/numbers.js"];'
    )
    return page.evaluate


def test_every_way_to_write_a_number(in_page):
    results = in_page(READ, list(NUMBERS))
    read = [result["value"] for result in results]
    assert dict(zip(NUMBERS, read, strict=True)) == pytest.approx(NUMBERS)
    # Where separators were read, what they were taken for is said.
    said = {text for text, result in zip(NUMBERS, results, strict=True) if result["said"]}
    assert said == {text for text in NUMBERS if set(text) & set(",'’\u202f") or text == "9 920"}
    assert in_page(READ, ["9,920"])[0]["said"] == "“9,920” is read as 9920."


def test_what_is_no_number_is_said(in_page):
    for text, result in zip(NO_NUMBERS, in_page(READ, NO_NUMBERS), strict=True):
        assert result["value"] != result["value"], text  # NaN
        assert "is no number I can read" in result["said"]
    for text, result in zip(TOO_LARGE, in_page(READ, TOO_LARGE), strict=True):
        assert result["value"] != result["value"], text
        assert "is too large: numbers here stay below 1,000,000" in result["said"]
    assert in_page(READ, [" "])[0]["value"] is None


EDITED = [
    (ConvolutionExplorer, "X row 0, column 0"),
    (ConvGradientExplorer, "dY row 0, column 0"),
    (Im2colExplorer, "F row 0, column 0"),
    (PoolGradientExplorer, "X row 0, column 0"),
    (PoolingExplorer, "X[0] row 0, column 0"),
    (SignalExplorer, "F row 0, column 0"),
    (UnpoolExplorer, "X row 0, column 0"),
]


def test_cells_read_numbers_whole_or_keep_what_they_had(tmp_path, open_page):
    page = open_widgets(tmp_path, open_page, [cls() for cls, _ in EDITED]).page
    for cls, name in EDITED:
        place = page.locator(f".convbook-widget[data-module='{cls.module}']")
        cell = place.get_by_label(name, exact=True)
        told = place.locator(".cb-misread:visible")
        value = cell.evaluate_handle("(input) => input.closest('td')")

        def holds(td=value):
            return float(td.evaluate("(td) => td.dataset.value"))

        first = holds()
        cell.click()
        cell.press_sequentially("1/3")
        assert holds() == pytest.approx(1 / 3)
        cell.press("Escape")
        assert holds() == first and told.count() == 0
        for text in ("1e6", "12345678", "1//3"):
            cell.fill("")
            cell.press_sequentially(text)
            assert cell.get_attribute("aria-invalid") == "true", text
            assert text in told.inner_text() and "The cell keeps" in told.inner_text()
            assert holds() == first
            cell.blur()
            assert cell.input_value().replace("−", "-") == f"{first:g}"
            assert cell.get_attribute("aria-invalid") is None and told.count() == 1
            cell.focus()
        cell.fill("")
        cell.press_sequentially("2,500")
        assert holds() == 2500 and "read as 2500" in told.inner_text()
        cell.blur()


def test_grids_read_numbers_by_the_same_rule(tmp_path, open_page):
    page = open_widgets(tmp_path, open_page, [AnswerGrid([9920, 0.5])]).page
    place = page.locator(".convbook-widget")
    first, second = place.locator("input").all()
    first.fill("9,920")
    second.fill("x")
    second.press("Enter")
    assert first.get_attribute("aria-label").endswith("right")
    assert "“9,920” is read as 9920." in place.inner_text()
    assert "“x” is no number I can read" in place.inner_text()
    assert second.get_attribute("aria-invalid") == "true"
    second.focus()
    second.fill("1/2")
    second.press("Escape")
    assert second.input_value() == "x"


def test_three_digits_fit_into_each_cell(tmp_path, open_page):
    for options in ({}, TELEPHONE):
        page = open_widgets(tmp_path, open_page, [cls() for cls, _ in EDITED], **options).page
        cut = page.evaluate(
            """() => [...document.querySelectorAll("td input:enabled")]
              .filter((input) => input.checkVisibility()).filter((input) => {
                input.value = "255";
                return input.scrollWidth > input.clientWidth;
              }).map((input) => `${input.getAttribute("aria-label")} ${input.clientWidth}`)"""
        )
        assert cut == []


def test_telephones_do_not_zoom_into_fields(tmp_path, open_page):
    page = open_widgets(tmp_path, open_page, [make(cls) for cls in ALL], **TELEPHONE).page
    small = page.evaluate(
        """() => [...document.querySelectorAll("input[type=text], select")]
          .filter((field) => parseFloat(getComputedStyle(field).fontSize) < 16)
          .map((field) => field.outerHTML)"""
    )
    assert small == []


# --- In haste ------------------------------------------------------------------------------------

HASTE = """
async ([seed, turns]) => {
  let state = seed;
  const random = (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * n);
  };
  const fire = (element, type) => element.dispatchEvent(new Event(type, { bubbles: true }));
  const place = document.querySelector(".convbook-widget");
  for (let turn = 0; turn < turns; turn++) {
    const things = [...place.querySelectorAll("input, select, button, td")];
    // Several acts before the page can draw itself anew.
    for (let act = 0; act < 6; act++) {
      const thing = things[random(things.length)];
      if (thing.matches("input[type=range]")) {
        thing.value = Number(thing.min) + random(1 + thing.max - thing.min);
        fire(thing, "input");
      } else if (thing.matches("select")) {
        thing.selectedIndex = random(thing.options.length);
        fire(thing, "change");
      } else if (thing.matches("input[type=text]")) {
        thing.value = String(random(19) - 9);
        fire(thing, "input");
      } else if (!/Play/.test(thing.textContent)) thing.click();
    }
    await null;
  }
}
"""


@pytest.mark.parametrize("cls", [cls for cls, _ in EDITED], ids=lambda cls: cls.__name__)
def test_acts_that_follow_each_other_faster_than_the_drawing(cls, tmp_path, open_page):
    seen = open_widgets(tmp_path, open_page, [cls()])
    for seed in range(3):
        seen.page.evaluate(HASTE, [seed, 60])
    assert seen.errors == []


def test_a_cell_is_the_one_that_is_seen(tmp_path, open_page):
    """The padding grows, and a cell that is not drawn anew yet is typed in."""
    seen = open_widgets(tmp_path, open_page, [ConvGradientExplorer(padding=0)])
    seen.page.evaluate(
        """() => {
          const fire = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));
          const cell = document.querySelector("[aria-label='X row 0, column 0']");
          const slider = [...document.querySelectorAll("input[type=range]")].at(-1);
          slider.value = 2;
          fire(slider);
          cell.value = "7";
          fire(cell);
        }"""
    )
    assert seen.errors == []


# --- A step back, and once more ------------------------------------------------------------------


def test_answers_stay_and_figures_agree_with_their_controls(tmp_path, serve, open_page):
    widgets = [AnswerGrid([[1, 2], [3, 4]]), ConvolutionExplorer(), AnswerGrid(5, label="Z")]
    write_widget_page(tmp_path, widgets)
    (tmp_path / "other.html").write_text('<!doctype html><html lang="en"><title>Other</title>')
    address = serve(tmp_path)
    page = open_page().page

    def fields():
        return [field.input_value() for field in page.locator(".cb-form input").all()]

    page.goto(f"{address}/widgets.html")
    settle(page)
    page.get_by_label("Y row 0, column 1").fill("4/2")
    page.get_by_label("Y row 1, column 0").fill("x")
    page.get_by_label("Z", exact=True).fill("5")
    page.get_by_role("slider", name="stride").fill("2")
    for move in (page.reload, lambda: (page.goto(f"{address}/other.html"), page.go_back())):
        move()
        settle(page)
        assert fields() == ["", "4/2", "x", "", "5"]
        assert page.locator("td.right").count() == 2
        stride = int(page.get_by_role("slider", name="stride").input_value())
        expected = ConvolutionExplorer(stride=stride).output.tolist()
        shown = page.evaluate(
            """() => [...document.querySelectorAll("[aria-label='Output Y'] tr")]
              .map((row) => [...row.cells].map((cell) => Number(cell.dataset.value)))"""
        )
        assert shown == expected
    page.get_by_role("button", name="Back to the start").first.click()
    page.reload()
    settle(page)
    assert fields() == ["", "", "", "", "5"]


# --- Colours of the reader's own -----------------------------------------------------------------

LOOKS = """
(selectors) => selectors.map((selector) => {
  const style = getComputedStyle(document.querySelector(selector));
  return ["backgroundColor", "borderTopWidth", "borderTopStyle", "borderTopColor", "outlineStyle"]
    .map((name) => style[name]).join(" ");
})
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_leave_nothing_to_colour_alone(scheme, tmp_path, open_page):
    options = {"forced_colors": "active", "color_scheme": scheme, "reduced_motion": "reduce"}
    page = open_widgets(tmp_path, open_page, [make(cls) for cls in ALL], **options).page

    def differ(*selectors):
        looks = page.evaluate(LOOKS, list(selectors))
        assert len(set(looks)) == len(looks), (selectors, looks)

    conv = "[data-module='convolution.js']"
    differ(
        f"{conv} [aria-label^='Input'] td:not(.window)", f"{conv} [aria-label^='Input'] td.window"
    )
    differ(
        f"{conv} [aria-label^='Output'] td:not(.picked)", f"{conv} [aria-label^='Output'] td.picked"
    )
    pool = "[data-module='pool_gradient.js'] [aria-label='Input X']"
    differ(f"{pool} td:not(.window)", f"{pool} td.window:not(.best)", f"{pool} td.best")
    confusion = "[data-module='confusion.js'] .cb-confusion"
    differ(f"{confusion} td.picked", f"{confusion} td:not(.picked):not(.cb-total)")
    for module, bar, ground in (
        ("digit_playground.js", ".cb-fill", ".cb-track"),
        ("training_explorer.js", ".cb-level", ".cb-rail"),
        ("one_shot.js", ".cb-level", ".cb-rail"),
    ):
        place = f"[data-module='{module}']"
        colours = page.evaluate(LOOKS, [f"{place} {bar}", f"{place} {ground}"])
        assert colours[0].split(" ", 1)[0] != colours[1].split(" ", 1)[0], colours
    differ(".cb-button[aria-pressed='true']", ".cb-button[aria-pressed='false']")


# --- Height --------------------------------------------------------------------------------------


def test_a_figure_shrinks_again(tmp_path, open_page):
    """It keeps its height from step to step, but not that of other numbers and sizes."""
    page = open_widgets(tmp_path, open_page, [ConvolutionExplorer()]).page
    place = page.locator(".convbook-widget")

    def height():
        return place.bounding_box()["height"]

    def pick(text, condition):
        """Choose an example, and wait until the figure is higher or lower."""
        place.locator("select").select_option(label=text)
        page.wait_for_function(
            f"""(before) => {{
              const place = document.querySelector(".convbook-widget");
              const {{ height }} = place.getBoundingClientRect();
              return {condition};
            }}""",
            arg=before,
        )

    before = height()
    pick("Picture: vertical edges (Sobel)", "height > before + 20")
    pick("Course: X ⊛ F", "Math.abs(height - before) <= 1")
