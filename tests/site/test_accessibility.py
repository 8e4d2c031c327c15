"""axe-core finds nothing serious on any page, and nothing moves for readers who want no motion."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from helpers.figures import ALL, make
from helpers.pages import NARROW, PAGES, THEMES, WIDE, choose_theme, settle, write_widget_page

FILLED = {"AnswerGrid": {"values": [[1, 3], [None, None]]}}
EXPLORERS = [make(cls, **FILLED.get(cls.__name__, {})) for cls in ALL]

# Folded hints and solutions are looked at, too; transitions would leave colours half-way.
UNFOLD = """
() => {
  document.head.append(Object.assign(document.createElement("style"), {
    textContent: "* { transition: none !important; animation: none !important }",
  }));
  const folds = document.querySelectorAll(".toggle-button, details:not([open]) > summary");
  for (const fold of folds) fold.click();
}
"""
# A while after that, the theme gives the boxes that can be scrolled a tab stop.
CAN_BE_SCROLLED = """
() => [...document.querySelectorAll("pre")].every((box) =>
  box.scrollWidth <= box.clientWidth || box.tabIndex === 0 || !box.checkVisibility())
"""

# Words of a program that are of one kind look alike: one of each keeps its colour and is looked at.
# With thousands of them the contrast of a chapter would take three times as long.
ONE_OF_EACH_KIND = """
() => {
  const seen = new Set();
  for (const word of document.querySelectorAll(".highlight span")) {
    const kind = `${word.className} ${word.closest(".cell_output") ? "output" : "input"}`;
    if (seen.has(kind)) word.replaceWith(...word.childNodes);
    seen.add(kind);
  }
}
"""
RUN = "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"

# The elements of explorers with a transition or an animation that takes time.
MOVING = """
() => [...document.querySelectorAll(".convbook-widget *")].filter((element) => {
  const style = getComputedStyle(element);
  return [style.transitionDuration, style.animationDuration].some((times) => /[1-9]/.test(times));
}).map((element) => `${element.localName}.${element.className}`)
"""


def violations(page):
    """Return what axe-core finds serious or critical on a page, one line for each element."""
    page.evaluate(UNFOLD)
    page.wait_for_function(CAN_BE_SCROLLED)
    page.evaluate(ONE_OF_EACH_KIND)
    page.evaluate(AXE_SCRIPT)
    return [
        f"{found['id']} ({found['impact']}): {' '.join(map(str, node['target']))} | "
        f"{' '.join(node['failureSummary'].split())}"
        for found in page.evaluate(RUN)
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PAGES)
def test_page(name, theme, site_url, open_page):
    page = open_page(viewport=WIDE).page
    choose_theme(page, theme)
    page.goto(f"{site_url}/{name}")
    settle(page)
    assert violations(page) == []


def test_explorers_on_a_telephone(tmp_path, open_page):
    write_widget_page(tmp_path, EXPLORERS)
    page = open_page(viewport=NARROW, is_mobile=True).page
    page.goto((tmp_path / "widgets.html").as_uri())
    settle(page)
    assert violations(page) == []


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_motion(wish, tmp_path, open_page):
    """Cells change their colours smoothly, but not for readers who asked for no motion."""
    write_widget_page(tmp_path, EXPLORERS)
    page = open_page(viewport=WIDE, reduced_motion=wish).page
    page.goto((tmp_path / "widgets.html").as_uri())
    settle(page)
    moving = page.evaluate(MOVING)
    assert moving == [] if wish == "reduce" else any(name.startswith("td") for name in moving)


def test_the_check_would_notice(visit, tmp_path):
    path = tmp_path / "page.html"
    text = '<!doctype html><html lang="en"><title>A</title><p style="color:#ccc">Pale</p><button>'
    path.write_text(text)
    found = "\n".join(violations(visit(path.as_uri()).page))
    assert "color-contrast" in found and "button-name" in found
