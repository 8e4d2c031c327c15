"""The Sphinx extension that makes a static site of the workbook, on which every figure is alive.

It writes the modules of each page's explorers into a script, serves the mathematics fonts from the
site itself, keeps only the icons that are used, adds the ``convbook-widget`` directive, and leaves
out the solutions in the student edition.
"""

import os
from pathlib import Path

from . import assets, edition, icons, live, mathml
from .directive import WidgetDirective


def read_environment(app, config):
    """Let the environment choose the edition and the repository, with one configuration."""
    config.convbook_edition = os.environ.get("CONVBOOK_EDITION") or config.convbook_edition
    if config.convbook_edition not in ("instructor", "student"):
        raise ValueError(
            f"convbook_edition must be 'instructor' or 'student'; got {config.convbook_edition!r}."
        )
    repository = os.environ.get("CONVBOOK_REPOSITORY_URL")
    if repository:
        config.html_theme_options |= {
            "repository_url": repository,
            "use_repository_button": True,
            "use_issues_button": True,
            "launch_buttons": {
                "binderhub_url": "https://mybinder.org",
                "colab_url": "https://colab.research.google.com",
                "notebook_interface": "jupyterlab",
            },
        }


def write_assets(app):
    """Write scripts, styles and fonts before the pages, whose links carry their checksums."""
    if app.builder.format == "html":
        assets.write(Path(app.outdir) / "_static")


def drop_solutions(app, docname, source):
    """Leave the solutions out of a page of the student edition."""
    if app.config.convbook_edition == "student":
        source[0] = edition.strip_solutions(source[0], docname)


def add_page_assets(app, pagename, templatename, context, doctree):
    """Load a page's explorers, and nothing on a page that has none."""
    figures = assets.figures_in(context.get("body", ""))
    if figures:
        script = assets.write_page_script(Path(app.outdir) / "_static", pagename, figures)
        app.add_css_file(assets.STYLE)
        # In front of MathJax, at 500.
        app.add_js_file(script, priority=400, loading_method="defer")


def add_head_script(app, pagename, templatename, context, doctree):
    """Let no page stop where there is no storage."""
    context["metatags"] = assets.head_script() + context.get("metatags", "")


def add_mathml(app, pagename, templatename, context, doctree):
    """Let formulas be read without a script."""
    body = mathml.with_mathml(context.get("body", ""))
    if body != context.get("body", ""):
        context["body"] = body
        context["metatags"] = context.get("metatags", "") + mathml.HIDE_TEX


def correct_references(app, pagename, templatename, context, doctree):
    """Don't call the references a list: entries with links back may not be in one."""
    context["body"] = context.get("body", "").replace(
        '<div role="list" class="citation-list">', '<div class="citation-list">'
    )


def finish(app, exception):
    """Trim what the theme copied, and the notebooks offered for download."""
    if exception or app.builder.format != "html":
        return
    icons.use_cut_fonts(Path(app.outdir))
    if app.config.convbook_edition == "student":
        edition.strip_tree(Path(app.outdir) / "_sources")


def setup(app):
    """Connect the extension with Sphinx, which calls this by its name."""
    app.add_config_value("convbook_edition", "instructor", "env")
    app.add_directive("convbook-widget", WidgetDirective)
    app.add_css_file(assets.SITE_STYLE)
    app.add_js_file(assets.SITE_SCRIPT, loading_method="defer")
    app.connect("config-inited", read_environment)
    app.connect("builder-inited", write_assets)
    app.connect("source-read", drop_solutions)
    app.connect("html-page-context", add_page_assets)
    app.connect("html-page-context", add_head_script)
    app.connect("html-page-context", add_mathml)
    app.connect("html-page-context", correct_references)
    app.connect("build-finished", finish)
    live.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
