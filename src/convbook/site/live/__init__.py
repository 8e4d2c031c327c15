"""The live site: every code cell of a page runs in the reader's browser, without a server.

``python -m convbook.site.live`` fetches and checks the runtime; a build with ``CONVBOOK_LIVE=1``
then writes it beside the pages.
"""

import os
import shutil
from pathlib import Path

from sphinx.errors import ConfigError

from ..serve import ISOLATED
from . import runtime
from .marks import MARKS
from .write import EDITOR, FOLDER, SCRIPT, STYLE, write

CODE = '<div class="cell_input'

LIVE_NOTE = (
    "The code on this page runs here: press <b>Run</b>, or click into the code and change it. "
    "Python is loaded with the first Run."
)
SOME_CANNOT = " A cell that no browser runs says so."
PLAIN_NOTE = (
    "To run and change this code: open the page’s notebook in Jupyter (<code>make lab</code>), or "
    "build the site with <code>make live</code>, which gives every cell a Run button."
)


def read_environment(app, config):
    """Let the environment choose whether the site is live."""
    config.convbook_live = bool(os.environ.get("CONVBOOK_LIVE")) or config.convbook_live


def write_files(app):
    """Write the runtime and the scripts before the pages; remove them where they are not wanted."""
    if app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    if app.config.convbook_live:
        try:
            write(static, Path(app.srcdir) / "book")
        except runtime.RuntimeMissing as error:
            raise ConfigError(str(error)) from None
        # Netlify, Cloudflare Pages and others read the headers that they shall send from this file.
        lines = ["/*", *(f"  {name}: {value}" for name, value in ISOLATED.items())]
        Path(app.outdir, "_headers").write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        Path(app.outdir, "_headers").unlink(missing_ok=True)
        shutil.rmtree(static / FOLDER, ignore_errors=True)
        for name in (SCRIPT, STYLE, EDITOR):
            (static / name).unlink(missing_ok=True)


def add_to_page(app, pagename, templatename, context, doctree):
    """Say under the title of a page with code how it is run; on a live page, load what runs it."""
    body = context.get("body", "")
    if CODE not in body:
        return
    if app.config.convbook_live:
        app.add_css_file(STYLE)
        app.add_js_file(SCRIPT, priority=450, loading_method="defer")
    note = LIVE_NOTE if app.config.convbook_live else PLAIN_NOTE
    if app.config.convbook_live and any(
        f"tag_{tag}" in body for tag, mark in MARKS.items() if "cannot" in mark
    ):
        note += SOME_CANNOT
    context["body"] = body.replace("</h1>", f'</h1>\n<p class="convbook-how-to-run">{note}</p>', 1)


def setup(app):
    """Connect the live site with Sphinx."""
    app.add_config_value("convbook_live", False, "env")
    app.connect("config-inited", read_environment)
    app.connect("builder-inited", write_files, priority=600)  # the site's own assets come first
    app.connect("html-page-context", add_to_page)
