"""Serve a built site on this machine: ``python -m convbook.site.serve``.

Python's own ``http.server`` would do as well, with one difference: this one sends the two headers
with which a browser lets a page interrupt Python. The README has them for other web servers.
"""

import argparse
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# A page with these shares memory with its worker, and with nothing of other sites.
ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}


class Handler(SimpleHTTPRequestHandler):
    """Serves files with the headers of an isolated page."""

    def end_headers(self):
        for name, value in ISOLATED.items():
            self.send_header(name, value)
        super().end_headers()


def main(arguments=None):
    """Serve a folder until Ctrl-C; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m convbook.site.serve", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "folder", nargs="?", default="_build/html", help="the site (default: _build/html)"
    )
    parser.add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args(arguments)
    if not Path(chosen.folder, "index.html").is_file():
        parser.error(f"there is no site in {chosen.folder!r}: build it with make book or make live")
    with ThreadingHTTPServer(
        ("127.0.0.1", chosen.port), partial(Handler, directory=chosen.folder)
    ) as server:
        print(f"Serving {chosen.folder} at http://localhost:{server.server_port} (Ctrl-C ends it).")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
