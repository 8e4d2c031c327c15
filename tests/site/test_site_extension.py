"""What the Sphinx extension does to a site, each part by itself."""

import re

from convbook.site import assets, icons, mathml

FONT = "fa-solid-900"
STYLE = (
    f'@font-face{{src:url(../vendor/{FONT}.woff2) format("woff2"),'
    f'url(../vendor/{FONT}.ttf) format("truetype")}}'
    '.fa-sun:before{content:"\\f185"}.fa-moon:before,.fa-night:before{content:"\\f186"}.note:before{content:"\\f0c9"}'
)


def test_icons_in_use_are_found():
    page = '<i class="fas fa-moon"></i>'
    assert icons.characters_in_use([page], [STYLE]) == {0xF186, 0xF0C9}
    laid_out = 'div.exercise p::after {\n  content: "\\f303";\n}'
    assert icons.characters_in_use([page], [laid_out]) == {0xF303}


def test_icon_fonts_are_cut_and_the_script_goes(site):
    fonts = list((site / "_static").rglob("fa-*.woff"))
    assert fonts and all(font.stat().st_size < 10_000 for font in fonts)
    assert not list(site.rglob("fontawesome.js")) and not list(site.rglob("*.map"))
    assert not any(
        "fontawesome.js" in page.read_text(encoding="utf-8") for page in site.rglob("*.html")
    )
    for style in (site / "_static").rglob("*.css"):
        assert ".woff2" not in style.read_text(encoding="utf-8")


def test_font_address_is_replaced():
    assert icons.FONT_URL.sub(r'/\1.woff) format("woff")', STYLE).startswith(
        f'@font-face{{src:url(../vendor/{FONT}.woff) format("woff")}}'
    )


def test_a_page_loads_its_own_explorers_and_no_others(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        has_explorer = 'class="convbook-widget"' in text
        assert (f"_static/{assets.SCRIPTS}/" in text) == has_explorer, page.name
    script = (site / "_static" / assets.SCRIPTS / "book-3-4_pooling_layer.js").read_text("utf-8")
    assert 'modules["pool_gradient.js"]' in script and 'modules["gan_lab.js"]' not in script


def test_an_earlier_builds_scripts_are_made_anew(tmp_path):
    name = assets.write_page_script(tmp_path, "book/a", ["pooling.js"])
    whole = (tmp_path / name).read_text(encoding="utf-8")
    (tmp_path / name).write_text("// pooling.js\nold();", encoding="utf-8")
    assets.renew_page_scripts(tmp_path)
    assert (tmp_path / name).read_text(encoding="utf-8") == whole


def test_licences_stand_on_every_page(site):
    for page in (site / "book").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "CC BY 4.0" in text and "MIT" in text, page.name


def test_formulas_have_a_form_for_browsers_without_scripts():
    body = (
        '<p>A <span class="math notranslate nohighlight">\\(x &lt; 2\\)</span>,</p>\n'
        '<div class="math notranslate nohighlight">\n\\[\\frac{1}{N}\\]</div><code>\\(no\\)</code>'
    )
    both = mathml.with_mathml(body)
    assert both.count("<noscript><math") == 2
    assert "<mo>&#x0003C;</mo>" in both or "<mo>&lt;</mo>" in both
    assert "<mfrac>" in both and 'display="block"' in both
    assert re.sub(r"<noscript>.*?</noscript>", "", both) == body
