"""The names this desk answers to, and what follows from them: whose pages may read the live stream, and where it is."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

_PORTS = {"http": 80, "https": 443}


def is_our_origin(origin: str) -> bool:
    """Whether this is the origin of a page of ours: any name in ALLOWED_HOSTS, with the scheme and port of SITE_URL."""
    if origin == settings.SITE_URL:
        return True
    try:
        theirs, ours = urlsplit(origin), urlsplit(settings.SITE_URL)
        same_port = (theirs.port or _PORTS.get(theirs.scheme)) == (ours.port or _PORTS.get(ours.scheme))
    except ValueError:
        return False
    name = f"[{theirs.hostname}]" if ":" in (theirs.hostname or "") else theirs.hostname or ""
    names = [host for host in settings.ALLOWED_HOSTS if host != "*"]  # "*" names nobody who may read with a cookie
    return theirs.scheme == ours.scheme and same_port and bool(name) and validate_host(name, names)


def live_url_for(host: str) -> str:
    """LIVE_URL as a page sees it that was opened under this `Host`.

    The stream of a page opened as localhost is at localhost, where its cookie goes, if LIVE_URL is SITE_URL's own host.
    """
    live, site = urlsplit(settings.LIVE_URL), urlsplit(settings.SITE_URL)
    name, _ = split_domain_port(host)
    if not live.hostname or live.hostname != site.hostname or not name or not live.port:
        return settings.LIVE_URL
    return f"{live.scheme}://{name}:{live.port}{live.path}"
