"""Wheels for the browser: of convbook, of its data, and of small packages installed anyway.

A wheel is a zip file with a list of what is in it. They are made here, byte for byte the same each
time, so that building the live site needs no network and no packaging tools.
"""

import base64
import hashlib
import io
import zipfile
from importlib import metadata
from pathlib import Path

PACKAGE = Path(__file__).parents[2]  # convbook
DATA = "datasets/data"
# Which files of `datasets/data` make a wheel of their own, fetched by pages that use them.
DATA_WHEELS = {"convbook-mnist": "mnist*", "convbook-cifar10": "cifar10*"}
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can tell


def wheel(name, version, files):
    """Return the bytes of a pure wheel.

    Parameters
    ----------
    name, version : str
    files : dict, path inside the wheel -> bytes
    """
    folder = f"{name.replace('-', '_')}-{version}.dist-info"
    files = dict(sorted(files.items()))
    files[f"{folder}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    )
    files[f"{folder}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: convbook\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = [f"{path},sha256={digest(data)},{len(data)}" for path, data in files.items()]
    files[f"{folder}/RECORD"] = "\n".join([*record, f"{folder}/RECORD,,", ""]).encode()
    return archive(files)


def digest(data):
    """Return the SHA-256 as a wheel's RECORD writes it."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def archive(files):
    """Return a zip file, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path, data in files.items():
            packed.writestr(zipfile.ZipInfo(path, LONG_AGO), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def own_wheels():
    """Return convbook's wheels, name -> (version, bytes): the package without `site`, its data."""
    version = metadata.version("convbook")
    files = {
        f"convbook/{path.relative_to(PACKAGE).as_posix()}": path.read_bytes()
        for path in sorted(PACKAGE.rglob("*"))
        if belongs(path)
    }
    made = {}
    for name, pattern in DATA_WHEELS.items():
        taken = {
            f"convbook/{DATA}/{path.name}": path.read_bytes()
            for path in sorted((PACKAGE / DATA).glob(pattern))
        }
        files = {path: data for path, data in files.items() if path not in taken}
        made[name] = (version, wheel(name, version, taken))
    return {"convbook": (version, wheel("convbook", version, files)), **made}


def belongs(path):
    """Whether a file of the package is of use in a browser: the site's builder is not."""
    inside = path.relative_to(PACKAGE)
    return path.is_file() and inside.parts[0] != "site" and "__pycache__" not in inside.parts


def installed_wheel(name):
    """Return (version, bytes) of a wheel of an installed package of pure Python.

    Programs and what Jupyter reads, which lie outside the package's own folder, are left out.
    """
    distribution = metadata.distribution(name)
    files = {}
    for path in distribution.files:
        kept = path.parts[0] == name or "licenses" in path.parts or path.name.startswith("LICEN")
        if kept and path.suffix not in (".pyc", ".so", ".pyd"):
            files[path.as_posix()] = path.locate().read_bytes()
    return distribution.version, wheel(name, distribution.version, files)
