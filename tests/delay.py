"""A proxy on loopback that delays, slows down and counts the bytes of both directions: a distant Jupyter server."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Proxy:
    """`delay` in seconds each way and `rate` in bytes per second and direction may change while it runs.

    All connections share the rate, as on one line. `sent` counts the bytes that went to the browser.
    """

    def __init__(self, port: int) -> None:
        self.delay, self.rate, self.sent, self.url = 0.0, math.inf, 0, ""
        self._port = port
        self._busy = {True: 0.0, False: 0.0}  # until when the line to the browser, and back, is taken

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, to_browser: bool) -> None:
        """Each piece leaves `delay` after it has passed the line, so that the delay does not limit the rate."""
        loop, queue = asyncio.get_running_loop(), asyncio.Queue()

        async def read() -> None:
            while data := await source.read(65536 if self.rate == math.inf else 4096):
                self._busy[to_browser] = max(loop.time(), self._busy[to_browser]) + len(data) / self.rate
                queue.put_nowait((self._busy[to_browser] + self.delay, data))
                await asyncio.sleep(self._busy[to_browser] - loop.time() - 0.1)  # others get their turn
            queue.put_nowait((0.0, b""))

        reading = asyncio.ensure_future(read())
        try:
            while True:
                due, data = await queue.get()
                if not data:
                    break
                await asyncio.sleep(max(0.0, due - loop.time()))
                self.sent += len(data) * to_browser
                target.write(data)
                await target.drain()
        except OSError:
            pass  # one side has gone
        finally:
            reading.cancel()
            target.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._pump(reader, back, False), self._pump(there, writer, True), return_exceptions=True)

    async def serve(self, ready: threading.Event) -> None:
        """Listen until `stop`."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await self._stop.wait()
        server.close()

    def stop(self) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self._stop.set)


@contextmanager
def delayed(url: str) -> Iterator[Proxy]:
    """A proxy in front of the server at `url`."""
    proxy, ready = Proxy(int(url.rpartition(":")[2])), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(proxy.serve(ready)), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join(5)
