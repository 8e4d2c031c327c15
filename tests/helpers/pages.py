"""The pages of the site, and what the browser tests do with each of them."""

import json

import yaml

from convbook.site import assets
from helpers import ROOT

THEMES = ("light", "dark")
NARROW = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 900}
TELEPHONE = {"viewport": NARROW, "is_mobile": True, "has_touch": True}  # options of a page


def listed_in_toc():
    """Return the names of the pages that ``_toc.yml`` lists, such as ``book/index``, in order."""

    def names(node):
        if isinstance(node, dict):
            for key, value in node.items():
                yield from [value] if key in ("root", "file") else names(value)
        elif isinstance(node, list):
            for item in node:
                yield from names(item)

    return list(names(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))))


WRITTEN = [f"{name}.html" for name in listed_in_toc()]
CHAPTERS = [f"{name}.html" for name in listed_in_toc() if (ROOT / f"{name}.ipynb").exists()]
PAGES = [*WRITTEN, "genindex.html", "search.html"]  # the theme adds an index and a search


def choose_theme(page, theme):
    """Make the pages that are opened next light or dark, as the button in their header does."""
    page.add_init_script(
        f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')"
    )


def settle(page):
    """Wait until every explorer lives and the mathematics is set."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('.convbook-widget')].every((e) => e.dataset.ready)"
    )
    page.evaluate(
        "async () => { await window.MathJax?.startup?.promise; await document.fonts.ready; }"
    )


def open_widgets(folder, open_page, widgets, **options):
    """Put widgets on a page in this folder, open it, and return the Visit once they are there."""
    write_widget_page(folder, widgets)
    visit = open_page(**({"viewport": WIDE} | options))
    visit.page.goto((folder / "widgets.html").as_uri())
    settle(visit.page)
    return visit


def write_widget_page(folder, widgets, name="widgets.html"):
    """Write a page that holds widgets and nothing else, with the site's script and style."""
    places = "\n".join(widget.static_html() for widget in widgets)
    script = assets.write_page_script(folder, name, assets.figures_in(places))
    (folder / assets.STYLE).write_text(assets.widget_style(), encoding="utf-8")
    (folder / name).write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Widgets</title>\n'
        '<meta name="viewport" content="width=device-width">\n'
        f'<link rel="icon" href="data:,"><link rel="stylesheet" href="{assets.STYLE}">\n'
        f'<script defer src="{script}"></script>\n{places}\n</html>\n',
        encoding="utf-8",
    )


# --- Reading an explorer -------------------------------------------------------------------------

# The matrices that a widget shows, by their labels for screen readers, and its lines of text.
READ = """
(place) => {
  const cell = (td) => ({
    value: td.dataset.value === undefined ? null : Number(td.dataset.value),
    text: td.querySelector("input")?.value ?? td.textContent,
    marks: [...td.classList],
    note: td.dataset.note ?? "",
  });
  const visible = (element) => element.checkVisibility({ visibilityProperty: true });
  const matrices = {};
  for (const figure of [...place.querySelectorAll("figure:has(table)")].filter(visible)) {
    matrices[figure.querySelector("table").getAttribute("aria-label")] = {
      shape: figure.querySelector(".cb-shape").textContent,
      cells: [...figure.querySelectorAll("tr")].map((row) => [...row.cells].map(cell)),
    };
  }
  const caption = (element) =>
    [element.querySelector("b")?.textContent, element.querySelector(".cb-shape").textContent];
  const text = (selector) => place.querySelector(selector)?.textContent ?? "";
  return {
    matrices,
    shapes: Object.fromEntries([...place.querySelectorAll("figcaption")].map(caption)),
    counts: [...place.querySelectorAll(".cb-counts b")].map((count) => count.textContent),
    message: text(".cb-message"),
    sum: text(".cb-sum"),
    result: text(".cb-result"),
    formula: [...place.querySelectorAll(".cb-formula:not(.cb-counts) > div")]
      .map((line) => line.textContent),
    legend: text(".cb-legend"),
  };
}
"""


def read(widget):
    """Return what one widget on a page shows; `widget` is a locator of its outermost element."""
    return json.loads(widget.evaluate(f"(place) => JSON.stringify(({READ})(place))"))


def read_all(page):
    """Return what each widget on a page shows, in order."""
    widgets = "[...document.querySelectorAll('.convbook-widget')]"
    return json.loads(page.evaluate(f"() => JSON.stringify({widgets}.map({READ}))"))


def values(matrix):
    """Return the exact numbers in the cells of a matrix that was read, None where one is empty."""
    return [[cell["value"] for cell in row] for row in matrix["cells"]]


def marked(matrix, mark):
    """Return which cells of a matrix that was read have a mark, as a matrix of booleans."""
    return [[mark in cell["marks"] for cell in row] for row in matrix["cells"]]


def number(text):
    """Return the number that a text such as −2.5 or 1,000 stands for."""
    return float(text.replace("−", "-").replace(",", ""))
