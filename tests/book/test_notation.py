"""One meaning for each symbol: the tables of book/notation.md, and the formulas of all pages."""

import re
from collections import Counter

import pytest

from helpers.pages import listed_in_toc
from helpers.prose import CHAPTERS, formulas, tables, texts

(NOTATION,) = texts("book/notation")

# What is no symbol of the book: mathematics that everybody writes so, and TeX itself.
KNOWN = set(
    r"""
    \approx \begin \bigl \bigr \blacksquare \bmod \cdot \dots \end \exp \frac \ge \hline \hspace
    \iff \in \infty \le \ldots \left \leftarrow \ln \log \max \min \mathbf \mathrel \mathrm \mathsf
    \neq \operatorname \partial \pm \qquad \quad \right \sqrt \substack \sum \text \tfrac \times \to
    \underbrace \circledast \lfloor \rfloor \lvert \rvert \lVert \rVert \big \Big
""".split()
)
TEXT = re.compile(
    r"\\(?:text|mathrm|operatorname|hspace)\*? ?\{[^}]*\}|\\(?:begin|end)\{\w+\}"
    r"(?:\{[^}]*\})?|\\mathsf T|\\\\\[[^]]*\]|_\\text\{\w+\}"
)
SYMBOL = re.compile(
    r"\\(?:hat|tilde|bar) ?\{? ?\w\}?|\\[A-Za-z]+|(?:OC|FH|FW|OH|OW|FT|OT)|"
    r"[A-Za-z]"
)


def symbols(formula):
    r"""Return the symbols of a formula, without commas of indices: ``\hat X``, ``OH``, ``n``."""
    found = SYMBOL.findall(TEXT.sub(" ", formula))
    return [re.sub(r"[{} ]+", " ", symbol).strip() for symbol in found]


def defined():
    """Return what the first columns of the tables of symbols and of indices define, in order."""
    rows = [
        row for table in tables(NOTATION) if table[0][0] in ("symbol", "index") for row in table[1:]
    ]
    assert len(rows) > 40, "the tables of symbols were not found"
    return [
        symbol.strip().strip("$").strip()
        for row in rows
        for symbol in row[0].strip("$").replace(r"$, $", r",\;").split(r",\;")
    ]


def test_each_symbol_is_defined_once():
    twice = [symbol for symbol, times in Counter(defined()).items() if times > 1]
    assert twice == []


@pytest.mark.parametrize("symbol", ["T", "L", "t", "h", r"\eta", "k", r"\delta", "E", "q", r"\Phi"])
def test_symbols_that_pages_have_used_for_two_things(symbol):
    assert defined().count(symbol) + defined().count(f"${symbol}$") == 1


# Second meanings that symbols of the table once had, as a page would write them.
CLASHES = [
    r"matrix \$T",
    r"time \$T",
    r"T\^\{\\mathsf T\}",  # T: length of the third axis
    r"\$M\$,? (?:is )?(?:the )?number",
    r"\(N, M\)",  # M: a matrix that moves points
    r"\\pm h\b",
    r"2h\b",
    r"\+ h\)",
    r"\$h\$ shrinks",  # h: a row
    r"k \\times k",
    r"k\^2",
    r"window \$k\$",  # k: a class
    r"x_\{t,",
    r"f_t\b",
    r"o_t\b",
    r"\\beta_\d\^t",
    r"\$t\$ is the (?!target)",  # t: the target
    r"\$W\$,? (?:the |as the )?weights",
    r"\bW\^\{?\\mathsf",
    r"= Wx",  # W: the width
    r"small number \$\\eta",
    r"\$a\(1 - a\)",
]


@pytest.mark.parametrize("name", listed_in_toc())
def test_no_second_meaning_comes_back(name):
    if name != "book/notation":
        found = [clash for clash in CLASHES for text in texts(name) if re.search(clash, text)]
        assert found == []


def test_the_loss_is_called_so():
    (row,) = (row for table in tables(NOTATION) for row in table if row[0] == "$E$")
    assert row[1].startswith("loss")
    for name in listed_in_toc():
        for text in texts(name):
            assert not re.search(r"\berror,? \$E\$|\bthe error (?:is|of the network)\b", text), name


@pytest.mark.parametrize("name", [name for name in listed_in_toc() if name in CHAPTERS])
def test_formulas_use_symbols_of_the_table(name):
    known = {symbol for row in defined() for symbol in symbols(row)} | KNOWN
    # d stands before any array, and ' behind what has moved or belongs to the other of two.
    known |= {"d"}
    unknown = {
        symbol: formula
        for text in texts(name)
        for formula in formulas(text)
        for symbol in symbols(formula)
        if symbol not in known
    }
    assert unknown == {}


# Names in upright letters are left out above: most are words, such as softmax.
UPRIGHT = re.compile(r"\\mathrm\{([A-Z])\}(\^\*)?|\\operatorname\{(mean)\}")


@pytest.mark.parametrize("name", [name for name in listed_in_toc() if name in CHAPTERS])
def test_upright_names_are_in_the_table(name):
    known = {match.groups() for row in defined() for match in UPRIGHT.finditer(row)}
    used = {
        match.groups()
        for text in texts(name)
        for formula in formulas(text)
        for match in UPRIGHT.finditer(formula)
    }
    assert used <= known


@pytest.mark.parametrize(
    "function", [r"\mathrm{G}(X)", r"\mathrm{D}(X, t)", r"\mathrm{G}(\mathbf z)"]
)
def test_functions_are_in_the_table_with_all_that_they_are_given(function):
    assert function in " ".join(defined())
