"""Show one widget on a page of its own, and make the page anew whenever the widget's code changes.

    python scripts/show_widget.py ConvolutionExplorer [--port 8000]

A widget that needs data gets what the tests give it (tests/helpers/figures.py).
"""

import argparse
import subprocess
import sys
from pathlib import Path

from serving import serve

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [ROOT / "src" / "convbook", ROOT / "tests" / "helpers"]


def write(name):
    """Write the page and what it needs; return the folder."""
    sys.path.insert(0, str(ROOT / "tests"))
    from helpers.figures import ALL, make
    from helpers.pages import write_widget_page

    kinds = {cls.__name__: cls for cls in ALL}
    if name not in kinds:
        asked = f"There is no widget {name!r}. " if name else ""
        sys.exit(f"{asked}Choose one, make widget W=…\n  " + "\n  ".join(sorted(kinds)))
    folder = ROOT / "_build" / "widget" / name
    folder.mkdir(parents=True, exist_ok=True)
    write_widget_page(folder, [make(kinds[name])], "index.html")
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--write", action="store_true", help="write the page and end")
    arguments = parser.parse_args()
    folder = write(arguments.name)
    if arguments.write:
        print((folder / "index.html").as_uri())
        return
    # The code that has changed is read by a Python of its own.
    command = [sys.executable, __file__, arguments.name, "--write"]

    def build(files):
        return subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0

    serve(folder, arguments.port, SOURCES, build)


if __name__ == "__main__":
    main()
