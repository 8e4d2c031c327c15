"""The student edition holds no trace of a solution, and everything else."""

import base64
import hashlib
import html
import json
import re
import zlib

import pytest
import snowballstemmer

from convbook.site import edition
from convbook.site.live.write import FOLDER
from helpers import ROOT

START = "```{solution-start} a-label\n:class: dropdown\n```\n"
END = "```{solution-end}\n```\n"


def notebook_text(*cells):
    """The text of a notebook; each cell is its source, code if it starts with ``>>> ``."""
    made = []
    for position, cell in enumerate(cells):
        source, tags = cell if isinstance(cell, tuple) else (cell, [])
        code = source.startswith(">>> ")
        made.append(
            {
                "cell_type": "code" if code else "markdown",
                "id": f"c{position}",
                "metadata": {"tags": tags} if tags else {},
                "source": source.removeprefix(">>> ").splitlines(keepends=True),
            }
            | ({"execution_count": 1, "outputs": []} if code else {})
        )
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def sources(text):
    """The sources of the cells of a notebook's text."""
    return ["".join(cell["source"]) for cell in json.loads(text)["cells"]]


# --- Pure functions ------------------------------------------------------------------------------


def test_cells_between_gates_go_with_their_gates():
    text = notebook_text("Question", START, "Because", "", ">>> answer = 4", END, ">>> after = 1")
    assert sources(edition.strip_solutions(text)) == ["Question", "after = 1"]


def test_text_around_gates_stays():
    text = notebook_text("Before\n\n" + START + "It is", ">>> 4", "four\n" + END + "\nAfter")
    assert sources(edition.strip_solutions(text)) == ["Before", "After"]


def test_gates_within_one_cell():
    text = notebook_text(f"Before\n{START}secret\n{END}Between\n{START}secret\n{END}After")
    assert sources(edition.strip_solutions(text)) == ["Before\nBetween\nAfter"]


def test_a_cell_of_only_a_solution_goes():
    text = notebook_text("Question", f"{START}secret\n{END}", "Next")
    assert sources(edition.strip_solutions(text)) == ["Question", "Next"]


def test_tagged_cells_go():
    text = notebook_text(("secret", ["solution"]), (">>> 4", ["x", "solution"]), (">>> 5", ["x"]))
    assert sources(edition.strip_solutions(text)) == ["5"]


def test_text_without_solutions_is_returned_as_it_is():
    for text in (notebook_text("A", ">>> 1"), "# A page\n\n```{note}\nx\n```\n", "", "{not json"):
        assert edition.strip_solutions(text) is text or edition.strip_solutions(text) == text


@pytest.mark.parametrize("fence", ["```", "````", "~~~", ":::"])
def test_markdown_pages(fence):
    page = (
        f"# Page\n\nBefore\n{fence}{{solution-start}} x\n{fence}\nsecret\n\n```python\n4\n```\n"
        f"{fence}{{solution-end}}\n{fence}\nAfter\n"
    )
    assert edition.strip_solutions(page) == "# Page\n\nBefore\nAfter\n"


def test_a_solution_in_one_directive():
    page = "Before\n````{solution} x\nsecret\n```python\n4\n```\nsecret\n````\nAfter\n"
    assert edition.strip_solutions(page) == "Before\nAfter\n"


@pytest.mark.parametrize(
    "cells, message",
    [
        (["Q", START, ">>> 4"], "page: the solution that starts in cell 2 never ends"),
        (["Q", END], "page, cell 2: a solution ends that never started"),
        ([START, "a", START], "page, cell 3: a solution starts inside the one .* in cell 1"),
        (["```{solution} x\n4\n"], "page, cell 1: a solution's directive is not closed"),
    ],
)
def test_gates_that_do_not_pair_are_named(cells, message):
    with pytest.raises(edition.GateError, match=message):
        edition.strip_solutions(notebook_text(*cells))
    if len(cells) == 1:
        with pytest.raises(edition.GateError, match="intro.*not closed"):
            edition.strip_solutions(cells[0], "intro")


def test_strip_tree(tmp_path):
    (tmp_path / "book").mkdir()
    chapter = tmp_path / "book" / "chapter.ipynb"
    page = tmp_path / "page.md.txt"
    image = tmp_path / "image.png"
    plain = tmp_path / "plain.md"
    chapter.write_text(notebook_text("Q", START, ">>> 4", END), encoding="utf-8")
    page.write_text(f"é\n{START}secret\n{END}", encoding="utf-8")
    image.write_bytes(b"\x89PNG")
    plain.write_text("No gates here.\n", encoding="utf-8")
    assert edition.strip_tree(tmp_path) == [chapter, page]
    assert sources(chapter.read_text(encoding="utf-8")) == ["Q"]
    assert page.read_text(encoding="utf-8") == "é\n"
    assert image.read_bytes() == b"\x89PNG"


# --- The built sites -----------------------------------------------------------------------------
#
# What follows finds the solutions on its own, not with the functions under test.


# Words that the explorers put on a page, whether or not a solution has them too.
WIDGETS = [
    path
    for path in (ROOT / "src/convbook/widgets").rglob("*.*")
    if path.suffix in (".py", ".js", ".css", ".md")
]
# A line of a directive that no page shows, such as ":class: dropdown".
OPTION = re.compile(r"\s*:[\w-]+:|.*\{solution-")


class Book:
    """What the stored notebooks say inside and outside solutions, line by line."""

    def __init__(self, folder):
        self.secret, self.open = [], []
        self.secret_images, self.open_images = set(), set()
        for path in sorted(folder.rglob("[!.]*.ipynb")):
            self.read_notebook(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted([*folder.rglob("[!.]*.md"), *folder.rglob("*.bib"), *WIDGETS]):
            self.read_lines(path.read_text(encoding="utf-8"), inside=False)

    def read_notebook(self, notebook):
        inside = False
        for cell in notebook["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                inside = self.read_lines(source, inside)
                continue
            secret = inside or "solution" in cell["metadata"].get("tags", [])
            (self.secret if secret else self.open).extend(source.splitlines())
            for output in cell.get("outputs", []):
                self.read_output(output, secret)

    def read_lines(self, text, inside):
        for line in text.splitlines():
            if "{solution-start}" in line:
                inside = True
            (self.secret if inside else self.open).append(line)
            if "{solution-end}" in line:
                inside = False
        return inside

    def read_output(self, output, secret):
        lines, images = (
            (self.secret, self.secret_images) if secret else (self.open, self.open_images)
        )
        lines.extend("".join(output.get("text", "")).splitlines())
        data = output.get("data", {})
        for mime in ("text/plain", "text/markdown", "text/html"):
            lines.extend(without_tags("".join(data.get(mime, ""))).splitlines())
        if "image/png" in data:
            picture = base64.b64decode("".join(data["image/png"]))
            images.add(hashlib.sha256(picture).hexdigest())

    def distinctive_lines(self):
        """Lines of solutions, squeezed, that are long enough and stand nowhere else."""
        elsewhere = squeeze("\n".join(self.open))
        lines = {squeeze(line) for line in self.secret if not OPTION.match(line)}
        return {line for line in lines if len(line) >= 16 and line not in elsewhere}

    def distinctive_terms(self):
        """Words of solutions, as the site's search has them, that stand nowhere else."""
        return terms("\n".join(self.secret)) - terms("\n".join(self.open), shortest=1)


def terms(text, shortest=4):
    """The stems under which the site's search files the words of a text, numbers left out."""
    stem = snowballstemmer.stemmer("porter").stemWord
    return {stem(word) for word in re.findall(r"[^\W\d]+", text.lower()) if len(word) >= shortest}


def searched_terms(site):
    """The terms in a site's search index."""
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").rstrip().removesuffix(")"))
    return set(index["terms"]) | set(index["titleterms"])


def squeeze(text):
    """A text without anything but letters and digits: no markup or escape can hide a line."""
    return re.sub(r"[\W_]+", "", text)


def without_tags(text):
    """What a browser shows of a piece of HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", text))


def readings(path):
    """The texts that a reader or a program may find in a file."""
    data = path.read_bytes()
    if path.name == "objects.inv":
        data = zlib.decompress(data.split(b"\n", 4)[4])
    text = data.decode("utf-8", errors="replace")
    yield text
    if path.suffix == ".html":
        yield without_tags(text)
    if path.suffix == ".ipynb":
        text = "\n".join(strings(json.loads(text)))
        yield text
        yield without_tags(text)


def strings(value):
    """All texts within a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def found_in_site(site, lines):
    """Return the lines that occur in a site, each with a file that has it.

    Python itself and its packages, on a live site, are the same files in every edition.
    """
    found = {}
    for path in sorted(site.rglob("*")):
        if path.is_file() and FOLDER not in path.relative_to(site).parts:
            for text in map(squeeze, readings(path)):
                found |= {line: path.relative_to(site) for line in lines if line in text}
    return found


@pytest.fixture(scope="module")
def book():
    return Book(ROOT / "book")


def test_the_book_has_solutions_to_look_for(book):
    assert len(book.distinctive_lines()) >= 20


def test_student_site_has_no_line_of_a_solution(book, student_site):
    assert found_in_site(student_site, book.distinctive_lines()) == {}


def test_instructor_site_has_the_solutions(book, site):
    lines = book.distinctive_lines()
    downloads = found_in_site(site / "_sources", lines)
    assert set(downloads) == lines
    pages = "".join(squeeze(text) for page in site.rglob("*.html") for text in readings(page))
    shown = {line for line in lines if line in pages}
    # Links and directives in a line read differently on the page; most lines have none.
    assert len(shown) >= len(lines) / 2


def test_search_of_the_student_site_finds_no_solution(book, site, student_site):
    secret = book.distinctive_terms()
    assert secret & searched_terms(site)
    assert secret & searched_terms(student_site) == set()


def test_student_site_has_no_gate_and_no_label_of_a_solution(student_site):
    for path in sorted(student_site.rglob("*")):
        if path.suffix in (".html", ".ipynb", ".md", ".inv"):
            for text in readings(path):
                assert "{solution" not in text, path
                assert 'class="solution' not in text, path


def test_student_site_has_no_picture_of_a_solution(book, student_site):
    pictures = {hashlib.sha256(p.read_bytes()).hexdigest() for p in student_site.rglob("*.png")}
    assert not pictures & (book.secret_images - book.open_images)


@pytest.mark.built
@pytest.mark.parametrize("name", ["site", "student_site"])
def test_no_state_of_the_build_is_in_the_site(request, name):
    files = request.getfixturevalue(name).rglob("*")
    assert [path for path in files if path.suffix in (".pickle", ".doctree")] == []
