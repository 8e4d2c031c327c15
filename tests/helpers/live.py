"""What the tests of the live site do with a page: run cells, type into them, read them."""

import json
import re
import time

from convbook.site.live.marks import MARKS
from helpers import ROOT
from helpers.pages import CHAPTERS

SECONDS = 120_000  # milliseconds to wait for Python's start, on a busy machine
LONGEST = 500_000  # milliseconds for a chapter, on a busy machine
SLOW = {f"tag_{tag}" for tag, mark in MARKS.items() if mark.get("slow")}
OTHERWISE = {f"tag_{tag}" for tag, mark in MARKS.items() if mark.get("prints_otherwise")}
NOT_COMPARED = {"tag_nbval-ignore-output", *OTHERWISE, *SLOW}


def tags(name):
    """Return the tags of each code cell of a chapter, such as ``book/3-1_convolution.html``."""
    path = (ROOT / name).with_suffix(".ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [c["metadata"].get("tags", []) for c in cells if c["cell_type"] == "code"]


# The chapters in which a cell trains for minutes.
TRAINING = [
    name for name in CHAPTERS if any(SLOW & {f"tag_{tag}" for tag in each} for each in tags(name))
]


def cell(page, number):
    """Return the locator of a cell, by its number on the page."""
    return page.locator("div.cell:has(.cell_input)").nth(number - 1)


def said(page, number):
    """Return what stands beside a cell's buttons."""
    return cell(page, number).locator(".cbl-said").inner_text()


def shown(page, number):
    """Return the text of what a cell shows now, a hint left out."""
    outputs = cell(page, number).locator(":scope > .cell_output:visible")
    return outputs.first.inner_text().strip() if outputs.count() else ""


def state(page):
    """Return what Python is doing, in the page's own words."""
    return page.locator(".cbl-state [role=status]").inner_text()


def wait_until_said(page, number, pattern, timeout=SECONDS):
    """Wait until a cell says something that matches the pattern; return it."""
    page.wait_for_function(
        "([number, pattern]) => "
        "new RegExp(pattern).test(convbookLive.cells[number - 1].status.textContent)",
        arg=[number, pattern],
        timeout=timeout,
    )
    return said(page, number)


def wait_until_kept(page, code):
    """Wait until the browser keeps, for some cell of the page, code with these words in it."""
    page.wait_for_function(
        "(code) => Object.values(convbookLive.storage.entries)"
        ".some((entry) => entry.code.includes(code))",
        arg=code,
    )


def run(page, number, pattern="^took", timeout=SECONDS):
    """Press a cell's Run and wait until it has ended; return what it shows."""
    cell(page, number).get_by_role("button", name="Run", exact=True).click()
    wait_until_said(page, number, pattern, timeout)
    return shown(page, number)


def write(page, number, code):
    """Open a cell and put code in the place of what is there."""
    edit = cell(page, number).get_by_role("button", name="Edit", exact=True)
    if edit.is_visible():
        edit.click()
    editor = cell(page, number).locator(".cm-content")
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(code)


def evaluate(page, number, code, pattern="^took", timeout=SECONDS):
    """Write code into a cell and run it; return what it shows."""
    write(page, number, code)
    return run(page, number, pattern, timeout)


# Run before a cell: whether trainings make two epochs of two steps, loops such as
# `range(0, 1000, 50)` two turns, and predictions are those of the first inputs; whether asserts
# are left out.
PREPARE = """
def prepare(few_steps, without_asserts):
    import builtins, functools, itertools, sys
    from convbook.in_page import session
    from convbook.training import loop, use

    if not hasattr(loop, "whole_epoch"):
        loop.whole_epoch, use.whole_scores = loop.run_epoch, use.all_scores

    def short_epoch(step, batches, *others, **more):
        def first():
            return itertools.islice(batches() if callable(batches) else batches, 2)
        return loop.whole_epoch(step, first, *others, **more)

    def first_scores(model, x, batch_size):
        import numpy as np
        some = use.whole_scores(model, x[:8], batch_size)
        return np.resize(some, (len(x), *some.shape[1:]))

    def first_found(model, images, *others, **more):
        some = rcnn.whole_detect(model, images[:4], *others, **more)
        return [some[i % len(some)] for i in builtins.range(len(images))]

    def short_range(*ends):
        return whole_range(*ends)[: 2 if len(ends) == 3 else None]

    loop.run_epoch = short_epoch if few_steps else loop.whole_epoch
    # Not the name `range` here, which is what the cell before was given. Each epoch validates.
    whole_range = builtins.range
    loop.range = (lambda *ends: whole_range(*ends)[:2]) if few_steps else whole_range
    use.all_scores = first_scores if few_steps else use.whole_scores
    if rcnn := sys.modules.get("convbook.models.rcnn"):
        rcnn.whole_detect = getattr(rcnn, "whole_detect", rcnn.RCNN.detect)
        rcnn.RCNN.detect = first_found if few_steps else rcnn.whole_detect
    sys.modules["__main__"].range = short_range if few_steps else whole_range
    session.compile = functools.partial(compile, optimize=1 if without_asserts else -1)

prepare({few_steps}, {without_asserts})
del prepare
"""
QUEUE = """
(jobs) => {
  const silent = { number: 0, started() {}, show() {}, ended() {} }, asked = new Set();
  for (const { number, before } of jobs) {
    const cell = convbookLive.cells[number - 1];
    for (const { pattern, packages } of convbookLive.python.settings.needs) {
      if (new RegExp(pattern).test(cell.code)) for (const name of packages) asked.add(name);
    }
    const show = `__import__("afresh").show_data(${JSON.stringify([...asked])})`;
    convbookLive.python.run({ ...silent, code: `${show};${before}` });
    cell.run({});
  }
}
"""
SOURCE = (ROOT / "tests" / "helpers" / "afresh.py").read_text(encoding="utf-8")
AFRESH = f"""
import sys, types
if "afresh" not in sys.modules:
    sys.modules["afresh"] = types.ModuleType("afresh")
    exec({SOURCE!r}, vars(sys.modules["afresh"]))
sys.modules["afresh"].as_after_a_start()
"""
LEND = """
() => {
  const { python } = convbookLive, { worker } = opener.convbookLive.python;
  Object.assign(python, { worker, waiting: new Map(), asked: Date.now(), starts: 1 });
  worker.onmessage = ({ data }) => python.hear(worker, data);
  python.tell("ready");
}
"""
RUN_QUIETLY = """
(code) => new Promise((done) => {
  const shown = [];
  const show = (each) => shown.push(each);
  const ended = (result) => done(result.ended ? "" : JSON.stringify(shown));
  convbookLive.python.run({ number: 0, code, started() {}, show, ended });
})
"""


def lend_python(page):
    """Start a page's Python, or give it that of the page that opened it, as after a start."""
    if page.evaluate("Boolean(opener)"):
        page.evaluate(LEND)
    told = page.evaluate(RUN_QUIETLY, AFRESH)
    assert told == "", told


def is_idle(page):
    """Whether a page's Python has been started and waits for a cell."""
    return page.evaluate("!convbookLive.python.current && Boolean(convbookLive.python.worker)")


def run_all(page, cells, timeout):
    """Put cells into the queue, as `read_cells` gives them, and wait until all have been run.

    In a cell that would take long, trainings take a few steps only. It and what comes after it then
    have networks that have learned nothing: asserts are left out in it, and after it where nbval
    compares no output.
    """
    jobs, cut = [], False
    for each in cells:
        slow = bool(SLOW & set(each["tags"]))
        cut = cut or slow
        options = {
            "few_steps": slow,
            "without_asserts": slow or (cut and "tag_nbval-ignore-output" in each["tags"]),
        }
        jobs.append({"number": each["number"], "before": PREPARE.format(**options)})
    page.evaluate(QUEUE, jobs)
    page.wait_for_function(
        "() => convbookLive.cells.every((cell) => !cell.waiting)", timeout=timeout, polling=200
    )
    page.evaluate(RUN_QUIETLY, PREPARE.format(few_steps=False, without_asserts=False))


READ = """
() => convbookLive.cells.map((cell) => {
  const text = (place, which) => place
    ? [...place.querySelectorAll(which)].map((pre) => pre.textContent).join("") : "";
  const count = (place, which) => place ? place.querySelectorAll(which).length : 0;
  const printed = ".stream:not(.stderr) pre, .text_plain pre";
  return {
    number: cell.number, tags: [...cell.place.classList].filter((name) => name.startsWith("tag_")),
    runs: cell.runs, said: cell.status.textContent, ran: Boolean(cell.ownOutput),
    printed: text(cell.ownOutput, printed), stored: text(cell.stored, printed),
    warnings: text(cell.ownOutput, ".stderr pre"), error: text(cell.ownOutput, ".traceback pre"),
    pictures: count(cell.ownOutput, "img"), storedPictures: count(cell.stored, "img, svg"),
    widgets: count(cell.ownOutput, ".convbook-widget[data-ready]"),
    storedWidgets: count(cell.stored, ".convbook-widget"),
  };
})
"""


def read_cells(page):
    """Return what every cell of the page printed and showed, and what the book's had."""
    return page.evaluate(READ)


def sanitised(text, rules):
    """Return text as nbval compares it: times, addresses and such replaced by a word."""
    for pattern, word in rules:
        text = re.sub(pattern, word, text)
    return text.strip()


def sanitizing_rules(path):
    """Return the pairs (pattern, word) of nbval's file of rules."""
    import configparser

    rules = configparser.RawConfigParser()
    rules.read(path)
    return [(rules.get(name, "regex"), rules.get(name, "replace")) for name in rules.sections()]


RULES = sanitizing_rules(ROOT / "tests" / "nbval_sanitize.cfg")
NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]\d+)?|-?\.\d+")


def same(ours, stored):
    """Whether two outputs agree: every word, and the numbers as far as two machines agree.

    A browser's Python has another NumPy, which adds float32 numbers in another order, and another
    Pillow, which unpacks a photograph's JPEG a little otherwise: numbers with a decimal point may
    differ by three in the last digit that is printed, or by 2 %.
    """
    ours, stored = (text.replace("int32", "int64") for text in (ours, stored))  # 32 bits there
    ours, stored = sanitised(ours, RULES), sanitised(stored, RULES)
    if NUMBER.sub("#", ours).split() != NUMBER.sub("#", stored).split():
        return False
    return all(close(a, b) for a, b in zip(NUMBER.findall(ours), NUMBER.findall(stored)))


def close(a, b):
    """Whether two printed numbers agree."""
    last = 10.0 ** -len(b.partition("e")[0].partition(".")[2])
    if "e" in b:
        last *= 10.0 ** int(b.partition("e")[2])
    return abs(float(a) - float(b)) <= max(3.01 * last, 0.02 * abs(float(b)))


def run_and_compare(opened, name, record_property):
    """Run a chapter's cells, and compare what they print with what the book says."""
    page = opened.page
    cells = read_cells(page)
    running = [each for each in cells if each["runs"]]
    numbers = [each["number"] for each in running]
    began = time.monotonic()
    run_all(page, running, LONGEST)
    seconds = time.monotonic() - began
    ran = [each for each in read_cells(page) if each["number"] in numbers]
    failed = [
        (each["number"], each["error"] or each["said"])
        for each in ran
        if not each["said"].startswith("took")
    ]
    assert failed == [], failed
    compared = [each for each in ran if not NOT_COMPARED & set(each["tags"])]
    different = [
        (each["number"], each["printed"], each["stored"])
        for each in compared
        if not same(each["printed"], each["stored"])
    ]
    assert different == [], different
    for each in compared:
        assert each["widgets"] == each["storedWidgets"], f"cell {each['number']}"
    warned = [(each["number"], each["warnings"]) for each in ran if each["warnings"]]
    assert warned == [], warned
    slowest = sorted(ran, key=lambda each: -seconds_said(each["said"]))[:3]
    record_property(
        "figure",
        f"{name}: {len(numbers)} of {len(cells)} cells run in the browser in {seconds:.0f} s; "
        + ", ".join(f"cell {each['number']} {each['said']}" for each in slowest),
    )


def seconds_said(text):
    """Return the seconds in what stands beside a cell, such as "took 2.5 s"."""
    found = re.search(r"([\d.]+) s\b", text)
    return float(found[1]) if found else 0.0
