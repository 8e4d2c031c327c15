"""Formulas for browsers that run no script: MathML behind each, which other readers don't see."""

import html
import re
from functools import cache

from latex2mathml.converter import convert

# As Sphinx writes a formula for MathJax; its text holds TeX between \( and \), or \[ and \].
FORMULA = re.compile(
    r'<(span|div) class="math notranslate nohighlight"[^>]*>'
    r"\s*\\[(\[](.*?)\\[)\]]\s*</\1>",
    re.DOTALL,
)
HIDE_TEX = "<noscript><style>.math.notranslate { display: none }</style></noscript>"


@cache
def mathml(tex, display):
    """Return a formula as MathML, ``display`` being "inline" or "block"."""
    return convert(tex, display=display)


def with_mathml(body):
    """Return the HTML of a page with each formula as MathML behind it, for where no script runs."""

    def both(found):
        display = "inline" if found[1] == "span" else "block"
        return f"{found[0]}<noscript>{mathml(html.unescape(found[2]).strip(), display)}</noscript>"

    return FORMULA.sub(both, body)
