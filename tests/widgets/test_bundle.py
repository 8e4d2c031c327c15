"""From the files of the figures to one script and one style."""

import re

import pytest

from convbook.widgets import bundle

MODULES = sorted(
    path.relative_to(bundle.FOLDER).as_posix()
    for path in bundle.FOLDER.rglob("*.js")
    if path.name != "loader.js"
)


def test_script_holds_every_module_and_nothing_from_elsewhere():
    script = bundle.script(*bundle.figures())
    assert re.findall(r'^modules\["([^"]+)"\] = ', script, re.MULTILINE) == bundle.with_imports(
        *bundle.figures()
    )
    assert sorted(bundle.with_imports(*bundle.figures())) == MODULES
    assert not re.search(r"https?://(?!www\.w3\.org)", script)


def test_style_holds_every_sheet():
    on_disk = {path.relative_to(bundle.FOLDER).as_posix() for path in bundle.FOLDER.rglob("*.css")}
    assert set(bundle.sheets(bundle.with_imports(*bundle.figures()))) == on_disk


@pytest.mark.parametrize("name", MODULES)
def test_what_is_imported_is_exported_there_and_used(name):
    text = bundle.source(name)
    code = bundle.COMMENT.sub("", bundle.IMPORT.sub("", text))
    for names, target in bundle.IMPORT.findall(text):
        exported = [
            found
            for _, found in bundle.EXPORT.findall(bundle.source(bundle.path_from(name, target)))
        ]
        for imported in names.strip("{ }\n,").split(","):
            assert imported.strip() in exported
            assert re.search(rf"\b{imported.strip()}\b", code), f"{imported} is not used"


@pytest.mark.parametrize("figure", bundle.figures())
def test_a_figure_carries_only_what_it_imports(figure):
    carried = bundle.with_imports(figure)
    assert carried[-1] == figure and len(set(carried)) == len(carried)
    assert not set(carried[:-1]) & set(bundle.figures())
    assert "kit/frame.css" in bundle.sheets(carried)


@pytest.mark.parametrize("figure", bundle.figures())
def test_a_figure_brings_the_sheets_for_all_that_it_draws(figure):
    """In a notebook it may be alone with the sheets that it imports."""

    def styled(*figures):
        return set(re.findall(r"\.(cb-[\w-]+)", bundle.style(*figures)))

    drawn = set(re.findall(r"\bcb-[\w-]+", bundle.script(figure)))
    assert drawn & styled(*bundle.figures()) <= styled(figure)


def test_modules_follow_those_that_they_import():
    sources = {
        "a.js": 'import { b } from "./kit/b.js";',
        "kit/b.js": 'import {\n  c,\n} from "../c.js";\nimport "./b.css";\n'
        "// A comment.\nexport const b = c;",
        "c.js": "export const c = 1;",
    }
    assert bundle.with_imports("a.js", source=sources.get) == ["c.js", "kit/b.js", "a.js"]
    function = bundle.as_function("kit/b.js", sources["kit/b.js"])
    assert 'const {\n  c,\n} = modules["c.js"];\nconst b = c;' in function


def test_a_circle_is_named():
    sources = {"a.js": 'import { b } from "./b.js";', "b.js": 'import { a } from "./a.js";'}
    with pytest.raises(ValueError, match="a.js imports b.js imports a.js"):
        bundle.with_imports("a.js", source=sources.get)


@pytest.mark.parametrize(
    "line",
    ['import x from "./x.js";', 'import "x.css";', "export { x };", "export * from './x.js';"],
)
def test_a_module_in_another_form_is_named(line):
    message = re.escape(f"figure.js: cannot take this into a script: {line}")
    with pytest.raises(ValueError, match=message):
        bundle.as_function("figure.js", f"const a = 1;\n{line}\n")


def test_comments_stay_behind_and_nothing_else():
    text = "/* A sheet. */\n.a { b: c; }\n  // one\n/**\n * Two * of / them.\n */\n"
    text += "const x = 1; // three\n"
    assert bundle.COMMENT.sub("", text) == ".a { b: c; }\nconst x = 1; // three\n"
