"""Find an original file in a folder, in the cache, or on the network.

A downloaded file enters the cache whole and with the right SHA-256 checksum, or not at all. What
downloads (pooch, requests) is imported by the functions that do: the samples need neither.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..progress import progress_bar

VARIABLE = "CONVBOOK_DATA"
TIMEOUT = (10, 30)  # seconds to wait for a connection, and for the next bytes
CHUNK = 1 << 16
NO_CONNECTION = "no connection"
# What names the certificates that servers are checked with, and the proxies, in this order.
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


class NoCertificates(Exception):
    """What servers' certificates are checked with could not be read."""


@dataclass(frozen=True)
class File:
    """A file as it was published.

    Attributes
    ----------
    name, unpacked : str
        The file's name, and that of the file it unpacks to; of an archive, of the folder.
    size : int
        Its length in bytes.
    sha256 : str
        Its checksum.
    """

    name: str
    unpacked: str
    size: int
    sha256: str


def find(file, mirrors, folder=None):
    """Return the path of a file, downloaded if need be.

    Parameters
    ----------
    file : File
    mirrors : sequence of str
        Addresses that the file lies under, tried in turn.
    folder : path or str, optional
        A local folder that holds the file, or the address of a mirror to use instead of `mirrors`;
        without it, what the environment variable CONVBOOK_DATA says.

    Raises
    ------
    FileNotFoundError
        If the folder or the file in it does not exist, or something else has its name.
    ConnectionError
        If there is no connection to any mirror.
    OSError
        If no mirror gives the file as it should be, or it cannot be written.
    """
    name = "folder" if folder is not None else VARIABLE
    place = os.environ.get(VARIABLE) if folder is None else os.fspath(folder)
    if not place:
        return download(file, mirrors)
    if "://" not in place:
        return _in_folder(file, Path(place).expanduser(), name)
    if not place.startswith(("http://", "https://")):
        raise ValueError(
            f"{name} must be a folder or an address that begins with http:// or "
            f"https://, got {place!r}"
        )
    return download(file, [place])


def _in_folder(file, folder, name):
    """Return the path of a local file, packed or not."""
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{name} must be an existing folder or the address of a mirror, got {str(folder)!r}"
        )
    packed, unpacked = folder / file.name, folder / file.unpacked
    archive = file.name.endswith(".tar.gz")
    if packed.is_file():
        return packed
    if unpacked.is_dir() if archive else unpacked.is_file():
        return unpacked
    for path, wanted in ((packed, "a file"), (unpacked, "a folder" if archive else "a file")):
        if path.exists():
            found = "a folder" if path.is_dir() else "a file"
            raise FileNotFoundError(
                f"{str(path)!r} must be {wanted}, and is {found}. Put the "
                f"original file there, or take the embedded sample "
                f"(full=False)."
            )
    raise FileNotFoundError(
        f"there is no {file.name} (nor {file.unpacked}) in the folder "
        f"{str(folder)!r}, which {name} names. Put it there, or take the "
        f"embedded sample (full=False)."
    )


def cache_folder():
    """Return the folder that downloaded files are kept in."""
    import pooch

    return Path(pooch.os_cache("convbook"))


def download(file, mirrors):
    """Return the path of a file in the cache; download it from the first mirror that has it."""
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")  # the progress bar tells it already
    try:
        return _from_mirrors(file, mirrors, cache_folder())
    finally:
        logger.setLevel(level)


def _from_mirrors(file, mirrors, cache):
    import pooch
    import requests
    import urllib3

    reasons = {}
    if (cache / file.name).is_dir():
        raise OSError(
            f"{str(cache / file.name)!r} must be a file, and is a folder. Remove it; "
            f"then the file is fetched."
        )
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{file.name}"
        transfer = Transfer(file)
        try:
            # Writes to a temporary file and renames it once its checksum is right.
            return Path(pooch.retrieve(url, file.sha256, file.name, cache, downloader=transfer))
        except requests.HTTPError as error:
            answer = error.response
            reasons[url] = f"the server answered {answer.status_code} {answer.reason}"
        except NoCertificates as error:
            raise OSError(
                f"{file.name} was not fetched: the certificates to check servers with "
                f"cannot be read ({error}). {_set(CERTIFICATES)} must name an existing "
                f"file or folder of certificates; the embedded sample, which you get "
                f"without full=True, needs none."
            ) from None
        except requests.exceptions.ProxyError:
            proxy = _set(PROXIES) or "the system's settings"
            reasons[url] = f"no way through the proxy, which {proxy} names"
        except requests.exceptions.SSLError:
            own = _set(CERTIFICATES)
            reasons[url] = "no secure connection, the server's certificate was refused" + (
                f" by the certificates that {own} names" if own else ""
            )
        except (requests.ConnectionError, requests.Timeout):
            reasons[url] = NO_CONNECTION
        except requests.RequestException as error:
            reasons[url] = str(error)
        except urllib3.exceptions.HTTPError:
            reasons[url] = (
                f"the connection broke off: expected {file.size:,} bytes, found {transfer.size:,}"
            )
        except ValueError:  # the checksum
            reasons[url] = (
                f"not the right file: expected {file.size:,} bytes with SHA-256 "
                f"{file.sha256}, found {transfer.size:,} bytes with "
                f"{transfer.checksum.hexdigest()}"
            )
        except OSError as error:
            raise OSError(
                f"{file.name} cannot be kept in {str(cache)!r}: {error}. Make room or "
                f"set the permissions, or give a folder that has the file "
                f"(folder= or {VARIABLE})."
            ) from None
    if set(reasons.values()) == {NO_CONNECTION}:
        hosts = dict.fromkeys(urlsplit(url).netloc for url in reasons)
        raise ConnectionError(
            f"There is no connection to fetch {file.name} with (tried "
            f"{' and '.join(hosts)}); the embedded sample, which you get "
            f"without full=True, needs none."
        )
    tried = "".join(f"\n  {url}: {reason}" for url, reason in reasons.items())
    raise OSError(
        f"{file.name} could not be downloaded, and nothing of it was kept:{tried}\n"
        f"Try again later, name another mirror or a folder that has the file (folder= or "
        f"{VARIABLE}), or take the embedded sample (full=False)."
    )


def _set(variables):
    """Return the first of these environment variables that is set; its value may be a secret."""
    both = [*variables, *map(str.lower, variables)]
    return next((name for name in both if os.environ.get(name)), "")


class Transfer:
    """Fetches a file as it lies on the server; shows a progress bar, remembers what came.

    Some servers label a `.gz` file as a compressed transfer; unpacked on the way it would not be
    the file any more. Therefore nothing is decoded here.
    """

    def __init__(self, file):
        self.file = file
        self.size = 0
        self.checksum = hashlib.sha256()

    def __call__(self, url, output_file, _):
        """Write what is at `url` to the path `output_file`; this is how pooch calls it."""
        with self._answer(url) as response, open(output_file, "wb") as output:
            response.raise_for_status()
            with progress_bar(
                self.file.size, desc=self.file.name, unit="B", unit_scale=True
            ) as bar:
                for chunk in response.raw.stream(CHUNK, decode_content=False):
                    output.write(chunk)
                    self.checksum.update(chunk)
                    self.size += len(chunk)
                    bar.update(len(chunk))

    def _answer(self, url):
        """Return the server's answer, whose content is still to come."""
        import requests

        try:
            return requests.get(
                url, stream=True, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"}
            )
        except requests.RequestException:
            raise
        except OSError as error:  # before anything was sent, and nothing to do with the disk
            raise NoCertificates(str(error)) from None
