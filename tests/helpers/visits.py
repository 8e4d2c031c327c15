"""A page in the browser, what it did since it was opened, and the wall around this machine."""

import re
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

LOCAL_HOSTS = ("localhost", "127.0.0.1")
LOCAL_SCHEMES = ("about", "blob", "data", "file")


@dataclass
class Visit:
    """A page in the browser and what it did since it was opened.

    Attributes
    ----------
    page : playwright.sync_api.Page
    outside : list of str
        The addresses outside this machine that it asked for; it got none of them.
    errors : list of str
        The errors on its console, and the exceptions that nothing caught.
    """

    page: object
    outside: list = field(default_factory=list)
    errors: list = field(default_factory=list)


def new_visit(browser, **options):
    """Open a blank page in a fresh profile; return its Visit. The caller closes the context."""
    context = browser.new_context(**options)
    visit = Visit(context.new_page())
    watch(context, visit)
    context.on("weberror", lambda error: visit.errors.append(str(error.error)))
    return visit


def visit_in(context):
    """Open a blank page in a profile that others use, too; return its Visit."""
    visit = Visit(context.new_page())
    watch(visit.page, visit)
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    return visit


def watch(place, visit):
    """Note what a page, or every page of a profile, writes on its console and asks for outside."""
    place.route(lambda address: not is_local(address), partial(refuse, visit))
    place.route_web_socket(re.compile("."), lambda socket: forward_local_socket(visit, socket))
    place.on("console", partial(note_error, visit))


def is_local(address):
    """Whether an address lies on this machine."""
    parts = urlsplit(address)
    return parts.scheme in LOCAL_SCHEMES or parts.hostname in LOCAL_HOSTS


def refuse(visit, route):
    """Note a request that would leave this machine, and stop it."""
    visit.outside.append(route.request.url)
    route.abort()


def forward_local_socket(visit, socket):
    """Connect a web socket to a server on this machine, and to no other."""
    if is_local(socket.url):
        socket.connect_to_server()
    else:
        visit.outside.append(socket.url)
        socket.close()


def note_error(visit, message):
    """Note an error that the page wrote on its console."""
    if message.type == "error":
        visit.errors.append(f"{message.text} ({message.location.get('url', '')})")
