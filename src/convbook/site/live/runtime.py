"""The files of Pyodide that the live site needs, from a folder or the release, all checked."""

import hashlib
import json
import os
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "CONVBOOK_PYODIDE"
PINNED = Path(__file__).with_name("runtime.toml")
LOCK = "pyodide-lock.json"


class RuntimeMissing(Exception):
    """The runtime cannot be had; the message is one sentence for who builds the site."""


@dataclass(frozen=True)
class Runtime:
    """What stands in runtime.toml.

    Attributes
    ----------
    version, python, address : str
    wheels, left_out, installed : list of str
        Names of packages: taken from the release; asked for by these and not taken; taken from the
        Python that builds the site.
    sha256 : dict of str
        File name -> checksum of the core files and of the lock.
    """

    version: str
    python: str
    address: str
    wheels: list
    left_out: list
    installed: list
    sha256: dict


def pinned():
    """Return the runtime that this version of the book is made for."""
    return Runtime(**tomllib.loads(PINNED.read_text(encoding="utf-8")))


def collect(runtime, folder=None, cache=None):
    """Return the paths of all files of the runtime, each with the checksum that is pinned.

    Parameters
    ----------
    runtime : Runtime
    folder : path, optional
        Holds the release's files; without it, the folder that the environment variable
        CONVBOOK_PYODIDE names; without that, the release itself, whose files are kept in `cache`.
    cache : path, optional
        The user's cache folder if not given.

    Returns
    -------
    core : dict, file name -> pathlib.Path
    packages : dict, package name -> (entry of the lock, pathlib.Path)

    Raises
    ------
    RuntimeMissing
        If a file is not there, is not the right one, or cannot be downloaded.
    """
    folder = folder or os.environ.get(VARIABLE)
    if folder:
        folder = Path(folder).expanduser()
        if not folder.is_dir():
            raise RuntimeMissing(
                f"{VARIABLE} must name an existing folder with the files of Pyodide "
                f"{runtime.version}, got {str(folder)!r}."
            )
        get = Folder(folder)
    else:
        get = Release(runtime, Path(cache) if cache else cache_folder(runtime))
    core = {name: get(name, checksum) for name, checksum in runtime.sha256.items()}
    lock = json.loads(core[LOCK].read_text(encoding="utf-8"))
    entries = needed(lock["packages"], runtime)
    packages = {
        name: (entry, get(entry["file_name"], entry["sha256"])) for name, entry in entries.items()
    }
    return core, packages


def needed(entries, runtime):
    """Return the lock's entries of the runtime's wheels and of all that they depend on."""
    chosen, waiting = {}, list(runtime.wheels)
    while waiting:
        name = waiting.pop(0)
        if name in chosen or name in runtime.left_out:
            continue
        if name not in entries:
            raise RuntimeMissing(
                f"Pyodide {runtime.version} has no package {name!r}, which {PINNED.name} asks for."
            )
        chosen[name] = entries[name]
        waiting += entries[name]["depends"]
    return chosen


def checksum_of(path):
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Folder:
    """Finds the runtime's files in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name, checksum):
        path = self.folder / name
        if not path.is_file():
            raise RuntimeMissing(
                f"There is no {name} in {str(self.folder)!r}, which {VARIABLE} names."
            )
        if checksum_of(path) != checksum:
            raise RuntimeMissing(
                f"{path} is not the file it should be: its SHA-256 must be {checksum}."
            )
        return path


class Release:
    """Downloads the runtime's files, and keeps each once its checksum is right."""

    def __init__(self, runtime, cache):
        self.runtime, self.cache = runtime, cache

    def __call__(self, name, checksum):
        path = self.cache / name
        if path.is_file() and checksum_of(path) == checksum:
            return path
        import pooch
        import requests
        import urllib3

        pooch.get_logger().setLevel("WARNING")  # the progress bar tells it already
        try:
            return Path(
                pooch.retrieve(
                    self.runtime.address + name,
                    checksum,
                    name,
                    self.cache,
                    progressbar=progress_bar(name),
                )
            )
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
        ) as error:
            raise RuntimeMissing(
                f"Python for the browser could not be had ({name}: {reason(error)}): connect to "
                f"the network, or set {VARIABLE} to a folder with the files of Pyodide "
                f"{self.runtime.version}."
            ) from error


def reason(error):
    """Return in a few words why a download failed."""
    if getattr(error, "response", None) is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, ValueError):
        return "what came has another SHA-256 than the release"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "no connection"


def progress_bar(name):
    """Return the bar that pooch moves on."""
    from convbook.progress import progress_bar

    return progress_bar(0, desc=name, unit="B", unit_scale=True, file=sys.stderr)


def cache_folder(runtime):
    """Return the folder in which downloaded files stay."""
    import pooch

    return Path(pooch.os_cache("convbook")) / f"pyodide-{runtime.version}"
