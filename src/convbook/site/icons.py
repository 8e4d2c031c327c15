"""Icons at a thousandth of their weight.

The theme draws its icons with a script of 1.4 MB. Its style sheet can draw them from icon fonts as
well, of which a site uses some twenty of 1,400 characters. So the script goes, and the fonts are
cut down to the characters in use.
"""

import re

from fontTools import subset
from fontTools.ttLib import TTFont

SCRIPT_TAG = re.compile(r"<script[^>]*/fontawesome\.js[^>]*></script>")
RULE = re.compile(r'([^{}]+)\{[^{}]*content:\s*"\\(f[0-9a-f]{3})"')
NAME = re.compile(r"\.(fa-[a-z0-9-]+)")
FONT_URL = re.compile(
    r'/(fa-[a-z]+-\d+)\.woff2\) format\("woff2"\),url\([^)]*\.ttf\) format\("truetype"\)'
)


def characters_in_use(pages, styles):
    """Return the code points of the icons that pages or style sheets show.

    Parameters
    ----------
    pages, styles : iterable of str
        Texts of the HTML pages and of the style sheets.
    """
    used = {name for page in pages for name in re.findall(r"\bfa-[a-z0-9-]+", page)}
    codes = set()
    for style in styles:
        for selectors, code in RULE.findall(style):
            names = NAME.findall(selectors)
            if not names or used.intersection(
                names
            ):  # rules without a name draw the theme's own marks
                codes.add(int(code, 16))
    return codes


def cut_font(source, codes):
    """Write beside the TrueType font ``source`` a ``.woff`` with the characters ``codes`` alone."""
    font = TTFont(source)
    cutter = subset.Subsetter(
        subset.Options(flavor="woff", layout_features=[], recalc_timestamp=False)
    )
    cutter.populate(unicodes=codes)
    cutter.subset(font)
    font.flavor = "woff"
    font.save(source.with_suffix(".woff"))


def use_cut_fonts(outdir):
    """Take the icon script out of a built site and put cut-down icon fonts in its place.

    Parameters
    ----------
    outdir : pathlib.Path
        The folder of the built site.
    """
    static = outdir / "_static"
    pages = {path: path.read_text(encoding="utf-8") for path in outdir.rglob("*.html")}
    styles = {path: path.read_text(encoding="utf-8") for path in static.rglob("*.css")}
    codes = characters_in_use(pages.values(), styles.values())
    for path, text in pages.items():
        if SCRIPT_TAG.search(text):
            path.write_text(SCRIPT_TAG.sub("", text), encoding="utf-8")
    for path, text in styles.items():
        if FONT_URL.search(text):
            path.write_text(FONT_URL.sub(r'/\1.woff) format("woff")', text), encoding="utf-8")
    for font in static.glob("vendor/fontawesome/webfonts/*.ttf"):
        cut_font(font, codes)
        font.unlink()
        font.with_suffix(".woff2").unlink(missing_ok=True)
    for path in {*static.glob("scripts/fontawesome.js*"), *static.rglob("*.map")}:
        path.unlink()
