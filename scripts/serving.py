"""Serve a folder on this machine, and make it anew whenever one of its sources changes.

The pages in the browser load themselves again after that. Plain Python: the sources' times are
looked at twice a second, and the pages ask once a second whether there is something new.
"""

import sys
import threading
import time
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOOK_EVERY = 0.5  # seconds
VERSION = "/.version"
RELOAD = b"""
<script>
  (() => {
    let known;
    setInterval(async () => {
      const answer = await fetch("/.version", { cache: "no-store" }).catch(() => undefined);
      const version = answer?.ok ? await answer.text() : known;
      if (known !== undefined && version !== known) location.reload();
      known = version;
    }, 1000);
  })();
</script>
"""


def state(sources):
    """Return when each file of the sources was changed.

    Parameters
    ----------
    sources : iterable of Path
        Files, and folders with all that is in them but hidden files and Python's caches.
    """
    times = {}
    for source in sources:
        for path in [source, *source.rglob("*")] if source.is_dir() else [source]:
            inside = path.relative_to(source).parts
            if any(part.startswith(".") or part == "__pycache__" for part in inside):
                continue
            try:
                if path.is_file():
                    times[path] = path.stat().st_mtime_ns
            except FileNotFoundError:  # an editor has just put another in its place
                continue
    return times


def changed(before, after):
    """Return the files that are new, gone or other."""
    return sorted(
        path for path in {*before, *after} if before.get(path) != after.get(path)
    )  # fmt: skip


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; its pages reload themselves when the server's version changes."""

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if self.path == VERSION:
            self.answer(str(self.server.version).encode(), "text/plain")
        elif path.is_dir() and self.path.endswith("/") and (path / "index.html").is_file():
            self.answer((path / "index.html").read_bytes() + RELOAD, "text/html; charset=utf-8")
        elif path.suffix == ".html" and path.is_file():
            self.answer(path.read_bytes() + RELOAD, "text/html; charset=utf-8")
        else:
            super().do_GET()

    def answer(self, content, kind):
        """Send these bytes."""
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *arguments):
        """Say nothing: a line for each file of a page would hide what the build says."""


def start(folder, port):
    """Serve a folder on localhost in the background; return the server.

    Raises
    ------
    SystemExit
        If the port is taken; with a sentence.
    """
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(folder)))
    except OSError:
        sys.exit(f"Port {port} is taken. Choose another one: PORT={port + 1}")
    server.version = 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def serve(folder, port, sources, build):
    """Serve a folder until Ctrl+C, and call `build` with the files that changed.

    Parameters
    ----------
    folder : path
        What is served.
    port : int
        Where, on localhost.
    sources : iterable of Path
        What is watched.
    build : callable
        Is given the list of files that changed; returns whether it went well.
    """
    known = state(sources)
    server = start(folder, port)
    print(f"Open http://localhost:{server.server_port}/ (Ctrl+C ends it).", flush=True)
    try:
        while True:
            time.sleep(LOOK_EVERY)
            now = state(sources)
            if files := changed(known, now):
                print(f"{', '.join(path.name for path in files[:3])} changed.", flush=True)
                known, begun = now, time.monotonic()
                if build(files):
                    server.version += 1
                    print(f"Made anew in {time.monotonic() - begun:.1f} s.", flush=True)
                else:
                    print("Not made anew: see above. Waiting for the next change.", flush=True)
    except KeyboardInterrupt:
        print()
    finally:
        server.shutdown()
        server.server_close()
