"""What a teacher plans with: minutes, the course's sections, the core path, the chapters' cards."""

import json
import re
import runpy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from convbook.site import lessons
from helpers import ROOT
from helpers.prose import CHAPTERS

COURSE = {
    f"{chapter}.{section}"
    for chapter, count in ((1, 6), (2, 6), (3, 4), (4, 3), (5, 10), (6, 5))
    for section in range(1, count + 1)
}
FRAME = {"What you will be able to do", "Before you start", "Summary", "Where to read on"}
# Never on the shortest way: the cache, the strides in memory, timings.
OPTIONAL = {
    "book/3-1_convolution": [
        "How the time grows",
        "Faster still: what the package does",
        "Dilation",
    ],
    "book/3-2_pooling": ["The fast way"],
    "book/3-4_pooling_layer": ["The fast way"],
    "book/3-5-1_cnn": ["And with plain loops?"],
    "book/3-5-2_cnn_gpu": ["A model of the time", "Fewer bits"],
}
INDEX = (ROOT / "book" / "index.md").read_text(encoding="utf-8")


def notebook(name):
    return nbformat.read(ROOT / f"{name}.ipynb", as_version=4)


def test_the_estimate_counts_words_code_figures_and_exercises():
    live = new_output("display_data", data={"text/html": '<div class="convbook-widget"></div>'})
    cells = [
        new_markdown_cell('# Title\n\n<span class="lesson">0 · course 1.1</span>'),
        new_markdown_cell("## Before you start\n\n" + 500 * "word "),
        new_markdown_cell(
            '## One\n\n<span class="lesson core">0 minutes · core · course 1.1</span>'
            "\n\n" + 1200 * "word "
        ),
        new_code_cell("x = 1\n" * 80),
        new_markdown_cell(
            '### Deeper\n\n<span class="lesson optional">0 minutes · optional</span>'
        ),
        new_code_cell("Explorer()", outputs=5 * [live]),
        new_markdown_cell('## Exercises\n\n<span class="lesson core">0 minutes · core</span>'),
        new_markdown_cell("```{exercise-start} 1\n```"),
        new_markdown_cell("```{solution-start} 1\n```"),
        new_code_cell("y = 2\n" * 800),
        new_markdown_cell("```{solution-end}\n```"),
        new_markdown_cell("## Summary\n\n" + 500 * "word "),
    ]
    one, deeper, exercises = lessons.sections(new_notebook(cells=cells))
    assert (one.title, one.kind) == ("One", "core")
    assert one.minutes == pytest.approx(1200 / 120 + 80 / 8, abs=0.2)
    assert (deeper.kind, deeper.rounded) == ("optional", 10)
    assert (exercises.kind, exercises.rounded) == ("exercises", 10)
    written = lessons.with_minutes(new_notebook(cells=cells)).cells
    assert "Core 20, optional 10, exercises 10 minutes · course 1.1" in written[0].source
    assert '<span class="lesson core">20 minutes · core · course 1.1</span>' in written[2].source


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_section_says_minutes_course_and_whether_it_is_core(name):
    book = notebook(name)
    lined = {section.title: section for section in lessons.sections(book)}
    headings = {
        title.strip()
        for cell in book.cells
        if cell.cell_type == "markdown"
        for title in re.findall(r"^## (.+)$", lessons.FENCE.sub("", cell.source), re.M)
    }
    if name != "book/speed":  # which is optional as a whole, and says so under its title
        assert headings - FRAME <= set(lined), headings - FRAME - set(lined)
    text = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    named = re.findall(r'class="lesson.*?course ([\d.]+)', text)
    assert set(named) <= COURSE and (named or name == "book/speed")
    kinds = {section.kind for section in lined.values()}
    assert kinds >= ({"optional"} if name == "book/speed" else {"core", "optional", "exercises"})
    for title in OPTIONAL.get(name, []):
        assert lined[title].kind == "optional"


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_minutes_are_those_of_the_estimate(name):
    book = notebook(name)
    found = lessons.sections(book)
    for section in found:  # a sentence more or less need not move them
        assert abs(section.said - section.minutes) <= max(7.5, 0.3 * section.minutes), section
    (line,) = lessons.TOTAL.findall(book.cells[0].source)
    sums = {}
    for section in found:
        sums[section.kind] = sums.get(section.kind, 0) + section.said
    assert {kind.lower(): int(n) for kind, n in re.findall(r"(\w+) (\d+)", line[0])} == sums


def test_the_plan_on_the_first_page_has_the_chapters_minutes():
    rows = re.findall(
        r"^\| \[(.*?)\]\((\S+)\.ipynb\) \| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$",
        INDEX,
        re.MULTILINE,
    )
    assert [f"book/{file}" for _, file, *_ in rows] == CHAPTERS
    for title, file, _, *minutes in rows:
        book = notebook(f"book/{file}")
        assert book.cells[0].source.startswith(f"# {title}\n")
        said = re.findall(r"(\d+)", lessons.TOTAL.search(book.cells[0].source)[1])
        assert [m for m in minutes if m != "–"] == said


def test_every_chapter_but_the_one_on_speed_has_its_number():
    for name in CHAPTERS:
        number = name.removeprefix("book/").partition("_")[0]
        title = notebook(name).cells[0].source.splitlines()[0]
        assert title.startswith(f"# {number} ") or name == "book/speed", title


def test_the_cards_show_every_chapter_with_its_picture():
    drawn = runpy.run_path(str(ROOT / "scripts" / "draw_cards.py"))
    cards = re.findall(
        r"grid-item-card\} (.*?)\n:link: (\S+)\n:link-type: doc\n"
        r":img-top: images/cards/(\S+)\.svg\n:img-alt: (\S.*)\n",
        INDEX,
    )
    assert [f"book/{link}" for _, link, *_ in cards] == CHAPTERS
    assert [picture for *_, picture, _ in cards] == list(drawn["CARDS"])
    for title, link, picture, _ in cards:
        stored = (ROOT / "book" / "images" / "cards" / f"{picture}.svg").read_text(encoding="utf-8")
        assert stored == drawn["svg"](picture), "run `python scripts/draw_cards.py`"
        assert "<script" not in stored and "http://www.w3.org/2000/svg" in stored
        assert notebook(f"book/{link}").cells[0].source.startswith(f"# {title}\n")


def test_no_page_gives_an_address_that_is_none():
    texts = [INDEX, *(json.dumps(notebook(name)) for name in CHAPTERS)]
    assert not any(re.search(r"git clone\s+<|<address of", text) for text in texts)


def test_the_course_is_cited_with_place_and_kind():
    entries = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    course = re.search(r"@misc\{takenawa-course,.*?^\}", entries, re.DOTALL | re.MULTILINE)[0]
    for field in ("author", "title", "howpublished", "note", "year"):
        assert re.search(rf"^ *{field} *= *\{{", course, re.MULTILINE), field
    assert "Tokyo University of" in course
