"""A small HTTP server on loopback that misbehaves on request, for tests of downloads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server does; tests change this while it runs.

    Parameters
    ----------
    content : the file.
    cuts : for each request in turn, the number of bytes after which the connection is cut; later requests are not cut.
    ranges : whether the server supports requests for a part of the file.
    failures : for each request in turn, an HTTP status to send instead of the file.
    released : the server sends half of an answer, then waits for this event; by default it is set.
    asked : the Range header of each request so far, or None.
    """

    content: bytes
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    failures: list[int] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    asked: list[str | None] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self.released.set()


@contextlib.contextmanager
def serve(site: Site) -> Iterator[Site]:
    """Serve `site.content` at `site.url`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.headers.get("Range"))
            if site.failures:
                self.send_error(site.failures.pop(0))
                return
            start = int(site.asked[-1].removeprefix("bytes=").rstrip("-")) if site.asked[-1] and site.ranges else 0
            body = site.content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(site.content) - 1}/{len(site.content)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            body = body[: site.cuts.pop(0)] if site.cuts else body
            # the client may close the connection first
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body[: len(body) // 2])
                site.released.wait()
                self.wfile.write(body[len(body) // 2 :])

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}/weights.pt"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
