"""axe-core finds nothing serious in explorers, and nothing moves for readers who want no motion.

The pages are looked at in test_site.py, where they are opened.
"""

import pytest

from helpers.accessibility import violations
from helpers.figures import ALL, make
from helpers.pages import NARROW, WIDE, settle, write_widget_page

FILLED = {"AnswerGrid": {"values": [[1, 3], [None, None]]}}

# The elements of explorers with a transition or an animation that takes time.
MOVING = """
() => [...document.querySelectorAll(".convbook-widget *")].filter((element) => {
  const style = getComputedStyle(element);
  return [style.transitionDuration, style.animationDuration].some((times) => /[1-9]/.test(times));
}).map((element) => `${element.localName}.${element.className}`)
"""


@pytest.fixture(scope="module")
def explorers():
    return [make(cls, **FILLED.get(cls.__name__, {})) for cls in ALL]


def test_explorers_on_a_telephone(explorers, tmp_path, open_page):
    write_widget_page(tmp_path, explorers)
    page = open_page(viewport=NARROW, is_mobile=True).page
    page.goto((tmp_path / "widgets.html").as_uri())
    settle(page)
    assert violations(page) == []


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_motion(wish, explorers, tmp_path, open_page):
    """Cells change their colours smoothly, but not for readers who asked for no motion."""
    write_widget_page(tmp_path, explorers)
    page = open_page(viewport=WIDE, reduced_motion=wish).page
    page.goto((tmp_path / "widgets.html").as_uri())
    settle(page)
    moving = page.evaluate(MOVING)
    assert moving == [] if wish == "reduce" else any(name.startswith("td") for name in moving)


def test_the_check_would_notice(visit, tmp_path):
    path = tmp_path / "page.html"
    text = (
        '<!doctype html><html lang="en"><title>A</title><main><h1>A</h1>'
        "<p>Black on white<p>Once more<button></button>"
        '<p style="color:#ccc">Pale<div style="background:#222"><p class="dark">Black on dark</div>'
        '<p>With <a href="#" style="color:#222; text-decoration:none">a link</a> in it'
        '<p>With <a href="#">another link</a><input aria-label="field" value=5 style="color:#ddd">'
    )
    path.write_text(text)
    page = visit(path.as_uri()).page
    found = violations(page)
    seen = [line.partition(" ")[0] for line in found]
    assert sorted(seen) == ["button-name", *["color-contrast"] * 3, "link-in-text-block"]
    assert any(".dark" in line for line in found)
    assert sorted(line.partition(" ")[0] for line in violations(page, only_colours=True)) == (
        [*["color-contrast"] * 3, "link-in-text-block"]
    )
