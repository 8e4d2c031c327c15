"""The lock: the list by which Pyodide finds packages, cut down to what the pages use."""

import hashlib


def entry(name, version, file_name, data, imports=(), depends=()):
    """Return the lock's entry of a wheel that was made here."""
    return {
        "name": name,
        "version": version,
        "file_name": file_name,
        "install_dir": "site",
        "sha256": hashlib.sha256(data).hexdigest(),
        "package_type": "package",
        "imports": list(imports),
        "depends": list(depends),
        "unvendored_tests": False,
    }


def trimmed(lock, taken, made):
    """Return the official lock with the packages taken from it and with those made here.

    Parameters
    ----------
    lock : dict
        The official one.
    taken, made : dict, name -> entry
    """
    packages = {**taken, **made}
    return {
        "info": lock["info"],
        "packages": {
            name: {**each, "depends": [other for other in each["depends"] if other in packages]}
            for name, each in sorted(packages.items())
        },
    }
