"""Which cells must run before another, found from their names."""

from convbook.in_page.needs import names, needed

CHAPTER = [
    "import numpy as np\nfrom convbook.exercises import check, hint",
    "def double(x):\n    return factor * x",
    "factor = 2",
    "X = np.ones(3)\nfor k in range(2):\n    X += k",
    "def answer(x):\n    return double(x) + np.sum(x)",
    'check("3-1.2", answer)',
]


def test_names_that_are_read_and_bound():
    read, bound = names(
        "import a.b, c as d\nwith e as f:\n    g = [h for i in j]\nclass k(l): m = n"
    )
    assert bound == {"a", "d", "f", "g", "k"}
    assert read == {"e", "h", "j", "l", "n"}
    # What a function calls its own is not global, whatever it is called outside.
    assert names("def f(x, y=z):\n    w = x + v\n    return w")[0] == {"z", "v"}
    assert names("def broken(:") == (set(), set())


def test_a_check_needs_the_answer_and_what_that_needs():
    assert needed(CHAPTER, known=()) == [0, 1, 2, 4]  # `factor`, too, though it stands below
    assert needed(CHAPTER[:1], known=()) == [] and needed(["print(sum)"], known=()) == []


def test_what_is_known_is_not_made_again():
    known = {"np", "check", "hint", "answer", "double"}
    assert needed(CHAPTER, known) == []
    assert needed(CHAPTER, known, stale=[4]) == [4]
    assert needed(CHAPTER, known - {"double"}, stale=[4]) == [1, 2, 4]


def test_the_last_cell_above_counts():
    codes = ["b = 1", "a = 1", "a = b", "a"]
    assert needed(codes, known=()) == [0, 2]
    assert needed(["a = 1", "", "a"], known=()) == [0]
