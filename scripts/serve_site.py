"""Serve the built site, and build it again whenever something that it is made of changes.

    python scripts/serve_site.py [--port 8000]

After a change of a page only this page is made anew, after any other change all of them.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from serving import serve

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
BOOK = ROOT / "book"
SOURCES = [ROOT / "_config.yml", ROOT / "_toc.yml", BOOK, ROOT / "src" / "convbook"]
PAGES = (".ipynb", ".md")


def build(files):
    """Build what these files belong to; return whether that went without a warning."""
    pages_only = all(path.is_relative_to(BOOK) and path.suffix in PAGES for path in files)
    command = [Path(sys.executable).parent / "jupyter-book", "build", ROOT, "-W", "--keep-going"]
    command += ["-q"] if pages_only else ["-q", "--all"]
    return subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8000)
    serve(SITE, parser.parse_args().port, SOURCES, build)


if __name__ == "__main__":
    main()
