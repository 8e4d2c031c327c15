"""Cells that a browser's Python cannot run, or not soon: their tags, and what readers are told."""

# By tag. cannot: the cell has no Run, and this is why. warning: it has one, with this beside it.
# slow: tests let it train for a few steps only. prints_otherwise: what it prints is not the book's.
MARKS = {
    "needs-pytorch": {
        "cannot": "This cell needs PyTorch, which no browser runs. In Jupyter it does its part in "
        "PyTorch; what it prints there is shown below.",
    },
    "needs-keras": {
        "cannot": "This cell needs Keras, which no browser runs. In Jupyter it does its part in "
        "Keras; what it prints there is shown below.",
    },
    "needs-frameworks": {
        "warning": "In a browser, without PyTorch and Keras, this cell does the package’s part "
        "alone; the book’s output has all three.",
        "prints_otherwise": True,
    },
    "needs-processes": {
        "cannot": "This cell starts other processes or threads, which a browser’s Python does not "
        "have. In Jupyter it does; what it prints there is shown below.",
    },
    "takes-minutes": {
        "warning": "In a browser this cell takes long, from a quarter of a minute to several "
        "minutes, and can be stopped; what it gives in the end is shown below.",
        "slow": True,
    },
}
