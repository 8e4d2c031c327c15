"""Fetch Python for the browser, before a live site is built: ``python -m convbook.site.live``."""

import sys

from . import runtime


def main():
    """Fetch and check the runtime; return the exit status."""
    try:
        core, packages = runtime.collect(runtime.pinned())
    except runtime.RuntimeMissing as error:
        print(error, file=sys.stderr)
        return 1
    sizes = [
        path.stat().st_size for path in [*core.values(), *(path for _, path in packages.values())]
    ]
    print(f"Pyodide {runtime.pinned().version}: {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
