"""What axe-core finds on a page, in the time that a suite of tests has for it."""

from axe_playwright_python.base import AXE_SCRIPT

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

# A formula is dozens of boxes of MathJax's, all of one colour and none of them to be operated: a
# third of a chapter's elements. A letter in the formula's own colour and size stands for them.
SHORTEN_FORMULAS = """
() => {
  for (const formula of document.querySelectorAll("mjx-container")) formula.replaceChildren("x");
}
"""

# Whether a text can be read depends on its colour, size and weight and on all that is painted
# behind it. A chapter has thousands of texts and controls and some hundred kinds: of each kind
# the first is looked at, in explorers the first of each sort of explorer. Drawings, and what is
# placed on top of something else, are looked at one by one.
MARK_ONE_OF_EACH_KIND = """
() => {
  const painted = new Map();
  const behind = (element) => {
    if (element === null) return "";
    if (!painted.has(element)) {
      const { backgroundColor, backgroundImage, opacity, filter, mixBlendMode } =
        getComputedStyle(element);
      const own = [backgroundColor, backgroundImage, opacity, filter, mixBlendMode].join();
      const nothing = own === "rgba(0, 0, 0, 0),none,1,none,normal";
      painted.set(element, (nothing ? "" : `${own} / `) + behind(element.parentElement));
    }
    return painted.get(element);
  };
  const kind = (element) => {
    const { color, fontSize, fontWeight, textDecorationLine, textShadow } =
      getComputedStyle(element);
    const link = element.closest("a");
    return [color, fontSize, fontWeight, textDecorationLine, textShadow,
      link && getComputedStyle(link.parentElement).color, behind(element)].join(" | ");
  };
  const onTop = (element, explorer) => {
    if (element.closest("svg")) return true;
    for (let e = element; e !== explorer; e = e.parentElement) {
      if (["absolute", "fixed", "sticky"].includes(getComputedStyle(e).position)) return true;
    }
    return false;
  };
  const kinds = new Map();
  const firstOfItsKind = (element) => {
    const explorer = element.closest(".convbook-widget");
    if (explorer && onTop(element, explorer)) return true;
    const sort = explorer?.dataset.module;
    if (!kinds.has(sort)) kinds.set(sort, new Set());
    const before = kinds.get(sort).size;
    return kinds.get(sort).add(kind(element)).size > before;
  };
  const elements = new Set(document.querySelectorAll("input, select, textarea, button"));
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    if (texts.currentNode.data.trim()) elements.add(texts.currentNode.parentElement);
  }
  for (const element of elements) {
    const first = element.checkVisibility() && firstOfItsKind(element);
    element.toggleAttribute("data-first-of-its-kind", first);
  }
}
"""
COLOURS = ["color-contrast", "link-in-text-block"]
RUN = """
async ([colours, onlyColours]) => {
  const links = { "link-in-text-block": "a[href]" };
  const selector = (id) => `${links[id] ?? ""}[data-first-of-its-kind]`;
  axe.configure({ rules: colours.map((id) => ({ id, selector: selector(id) })) });
  const runOnly = onlyColours ? { runOnly: { type: "rule", values: colours } } : {};
  return (await axe.run(document, { resultTypes: ["violations"], ...runOnly })).violations;
}
"""


def violations(page, only_colours=False):
    """Return what axe-core finds serious or critical on a page, one line for each element."""
    page.evaluate(UNFOLD)
    page.wait_for_function(CAN_BE_SCROLLED)
    page.evaluate(SHORTEN_FORMULAS)
    page.evaluate(AXE_SCRIPT)
    return found_now(page, only_colours)


def violations_when_dark(page):
    """Turn a page that `violations` has looked at dark, and return what is wrong with its colours.

    Only they differ then, and what else axe-core looks at stays as it was.
    """
    page.evaluate(
        "() => Object.assign(document.documentElement.dataset, {mode: 'dark', theme: 'dark'})"
    )
    return found_now(page, only_colours=True)


def found_now(page, only_colours):
    page.evaluate(MARK_ONE_OF_EACH_KIND)
    return [
        f"{found['id']} ({found['impact']}): {' '.join(map(str, node['target']))} | "
        f"{' '.join(node['failureSummary'].split())}"
        for found in page.evaluate(RUN, [COLOURS, only_colours])
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]
