"""The directive that puts an explorer on a page which is no notebook."""

import json

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from convbook import widgets


class WidgetDirective(SphinxDirective):
    """``convbook-widget``: the class name as argument, keyword arguments as JSON in the body."""

    required_arguments = 1
    has_content = True

    def run(self):
        name = self.arguments[0]
        if name not in widgets.__all__:
            raise self.error(f"No explorer {name!r}; there are {', '.join(widgets.__all__)}.")
        try:
            keywords = json.loads("\n".join(self.content) or "{}")
            widget = getattr(widgets, name)(**keywords)
        except Exception as error:
            raise self.error(f"{name}: {error}") from error
        return [nodes.raw("", widget.static_html(), format="html")]
