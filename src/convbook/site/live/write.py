"""Writes what the live site has beside its pages: the runtime, the wheels, the scripts."""

import base64
import gzip
import hashlib
import json
import shutil
from pathlib import Path

from convbook.widgets import bundle

from . import lock, runtime, wheels
from .fonts import font_list
from .marks import MARKS

HERE = Path(__file__).parent
SCRIPT, STYLE, EDITOR = "convbook-live.js", "convbook-live.css", "convbook-editor.js"
FOLDER = (
    "convbook-live"  # in the site's _static; within it a folder named by a checksum of its contents
)
PACKED = (".js", ".wasm", ".json")  # the wheels are zip files already

# Packages behind words of a cell's code: its imports, and what convbook's functions import later.
NEEDS = {
    r"\bnumpy\b": ["numpy"],
    r"\bmatplotlib\b|\bplt\b|\.plot\(": ["matplotlib"],
    r"\bPIL\b|\bconvbook\.(widgets|datasets|images|exercises)\b|\bcifar": ["pillow"],
    r"mnist|digit": ["convbook-mnist"],
    r"cifar": ["convbook-cifar10"],
}


def write(static, pages, folder=None):
    """Write the live site's files, complete or not at all.

    Parameters
    ----------
    static : pathlib.Path
        The ``_static`` folder of the site.
    pages : pathlib.Path
        The folder ``book`` of the source, whose ``data`` the cells read.
    folder : path, optional
        The runtime's files; see `runtime.collect`.

    Raises
    ------
    runtime.RuntimeMissing
        Before anything is written.
    """
    pinned = runtime.pinned()
    core, taken = runtime.collect(pinned, folder)
    files, packages = contents(pinned, core, taken, pages)
    packed = {
        name: gzip.compress(data, 9, mtime=0) if name.endswith(PACKED) else data
        for name, data in files.items()
    }
    sums = hashlib.sha256()
    for name, data in sorted(packed.items()):
        sums.update(name.encode() + data)
    place = sums.hexdigest()[:12]
    script = page_script(
        {
            "folder": f"{FOLDER}/{place}",
            "version": pinned.version,
            "files": {
                name: {"size": len(data), "packed": name.endswith(PACKED)}
                for name, data in packed.items()
            },
            "packages": packages,
            "needs": [{"pattern": pattern, "packages": names} for pattern, names in NEEDS.items()],
            "marks": MARKS,
        }
    )
    shutil.rmtree(static / FOLDER, ignore_errors=True)
    target = static / FOLDER / place
    (target / "scripts").mkdir(parents=True)
    for name, data in packed.items():
        (target / (name + ".packed" if name.endswith(PACKED) else name)).write_bytes(data)
        (target / "scripts" / f"{name}.js").write_text(as_script(name, data), encoding="ascii")
    (static / SCRIPT).write_text(script, encoding="utf-8")
    shutil.copy2(HERE / "live.css", static / STYLE)
    shutil.copy2(HERE / EDITOR, static / EDITOR)


def contents(pinned, core, taken, pages):
    """Return the files of the runtime, name -> bytes, and what the page knows of the packages."""
    files = {name: path.read_bytes() for name, path in core.items()}
    files |= {entry["file_name"]: path.read_bytes() for entry, path in taken.values()}
    made = {}
    for name, (version, data) in own_and_installed(pinned).items():
        file_name = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        files[file_name] = data
        depends = ["numpy", *pinned.installed] if name == "convbook" else []
        imports = [] if name in wheels.DATA_WHEELS else [name]
        made[name] = lock.entry(name, version, file_name, data, imports, depends)
    official = json.loads(files[runtime.LOCK])
    trimmed = lock.trimmed(official, {name: entry for name, (entry, _) in taken.items()}, made)
    files[runtime.LOCK] = json.dumps(trimmed, sort_keys=True).encode()
    files["pages.zip"] = wheels.archive(
        {f"data/{path.name}": path.read_bytes() for path in sorted((pages / "data").glob("*.json"))}
    )
    matplotlib = files[taken["matplotlib"][0]["file_name"]]
    listed = font_list(matplotlib).encode()
    files["fonts.zip"] = wheels.archive({"matplotlib/fontlist.json": listed})
    packages = {
        name: {
            "file": entry["file_name"],
            "depends": entry["depends"],
            "named": name in (*pinned.wheels, *wheels.DATA_WHEELS),
        }
        for name, entry in trimmed["packages"].items()
    }
    return files, packages


def own_and_installed(pinned):
    """Return the wheels made here, name -> (version, bytes)."""
    return wheels.own_wheels() | {name: wheels.installed_wheel(name) for name in pinned.installed}


def as_script(name, data):
    """Return a file as a script, for pages that are opened as files and may load nothing else."""
    text = base64.b64encode(data).decode()
    return f'(globalThis.convbookPacks ??= {{}})[{json.dumps(name)}] = "{text}";\n'


def page_script(settings):
    """Return the script of the live pages."""
    folder = HERE / "page"

    def source(name):
        return (folder / name).read_text(encoding="utf-8")

    names = bundle.with_imports("main.js", source=source)
    return (
        '(() => {\n"use strict";\nconst modules = {};\n'
        f"const settings = {json.dumps(settings, sort_keys=True)};\n"
        f"const workerSource = {json.dumps(source('worker.js'))};\n"
        f"{''.join(bundle.as_function(name, source(name)) for name in names)}}})();\n"
    )
