"""Install packages into the environment of this Python, whatever the caller's pip is told.

    .venv/bin/python scripts/install.py -r requirements.txt

Where packages come from is the caller's business: indexes, certificates, proxies and caches are
taken over from pip's configuration files and from PIP_* variables. Where they go is not: `user`,
`target`, `prefix`, constraints and all the rest are left behind, also for the pips that pip starts
by itself to build a package.
"""

import configparser
import os
import re
import subprocess
import sys

TAKEN_OVER = {
    "cache-dir", "cert", "client-cert", "default-timeout", "extra-index-url", "find-links",
    "index-url", "keyring-provider", "no-cache-dir", "no-index", "proxy", "retries", "timeout",
    "trusted-host", "use-feature",
}  # fmt: skip
KINDS = ("global", "user", "site", "env")  # of configuration files; a later one wins
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def configuration_files(variables):
    """Return the paths of pip's configuration files, the most important one last."""
    if variables.get("PIP_CONFIG_FILE") == os.devnull:  # the caller's word for none at all
        return []
    # `config debug` is the one report that a `user = true` in one of the files does not cut short.
    report = subprocess.run(
        [*PIP, "config", "debug"], env=variables, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    found, kind = {name: [] for name in KINDS}, None
    for line in report.splitlines():
        if heading := re.fullmatch(r"(\w+):", line):
            kind = heading[1]
        elif (existing := re.fullmatch(r"  (.+), exists: True", line)) and kind in found:
            found[kind].append(existing[1])
    return [path for paths in found.values() for path in paths]


def environment(variables):
    """Return environment variables in which pip installs into its own environment, and only there.

    Parameters
    ----------
    variables : mapping
        The caller's environment variables.
    """
    settings = {"global": {}, "install": {}}
    for path in configuration_files(variables):
        parser = configparser.RawConfigParser()
        parser.read(path)
        for section, values in settings.items():
            if parser.has_section(section):
                values.update(parser[section])
    kept = {
        variable_of(key): value
        for key, value in (settings["global"] | settings["install"]).items()
        if key in TAKEN_OVER
    }
    for name, value in variables.items():
        if not name.startswith("PIP_") or name in map(variable_of, TAKEN_OVER):
            kept[name] = value
    return kept | {"PIP_CONFIG_FILE": os.devnull}  # read no file again


def variable_of(key):
    """Return the name of the variable that stands for a key of pip's configuration."""
    return f"PIP_{key.upper().replace('-', '_')}"


def main(arguments):
    command = [*PIP, "-qq", "install", *arguments]
    return subprocess.run(command, env=environment(os.environ)).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
