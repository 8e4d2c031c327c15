"""The package can be imported where much is missing, as in a browser's Python."""

import subprocess
import sys
from textwrap import dedent

import pytest

from helpers import ROOT

# What a browser's Python lacks, or what takes longer to load than the package itself.
LATER = (
    "IPython",
    "PIL",
    "anywidget",
    "cupy",
    "ipywidgets",
    "joblib",
    "keras",
    "matplotlib",
    "pooch",
    "psygnal",
    "requests",
    "tensorflow",
    "torch",
    "tqdm",
    "urllib3",
)
# Made for one framework each, for Jupyter, for a browser's page, and for building the site.
APART = (
    "convbook.frameworks.cifar_keras",
    "convbook.frameworks.cifar_torch",
    "convbook.in_page",
    "convbook.site",
    "convbook.widgets.jupyter",
)


def modules():
    """Return the names of all modules of the package that a reader may import."""
    source = ROOT / "src"
    names = sorted(
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for path in (source / "convbook").rglob("*.py")
    )
    return [name for name in names if not name.startswith(APART)]


def run(code):
    """Run code in a fresh Python; return what it prints."""
    result = subprocess.run([sys.executable, "-c", dedent(code)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
def test_every_module_is_imported_where_the_rest_is_missing():
    found = run(f"""
        import importlib, sys
        for name in {LATER}:
            sys.modules[name] = None  # an import of it raises ImportError
        for name in {modules()}:
            importlib.import_module(name)
        print("done")
    """)
    assert found == "done\n"


def test_the_mathematics_needs_numpy_alone():
    found = run(f"""
        import sys
        import convbook.functional, convbook.layers, convbook.training, convbook.datasets
        print(sorted(set(sys.modules) & {set(LATER)}))
    """)
    assert found == "[]\n"


def test_without_anywidget_an_explorer_keeps_its_state_and_its_plain_form():
    found = run("""
        import sys
        sys.modules["anywidget"] = None
        from convbook.widgets import ConvolutionExplorer

        first, second = ConvolutionExplorer(stride=2), ConvolutionExplorer()
        heard = []
        first.observe(heard.append, "padding")
        first.padding = 1
        assert [change["new"] for change in heard] == [1]
        data, _ = first._repr_mimebundle_()
        assert set(data) == {"text/html", "text/plain"} and repr(first) == "ConvolutionExplorer()"
        assert 'data-module="convolution.js"' in data["text/html"]
        assert first.state["stride"] == 2 and set(first.state) == set(second.state)
        assert first.model_id != second.model_id
        try:
            first.stride = 0
        except Exception as error:
            print(error)
    """)
    assert "stride" in found and "got 0" in found
