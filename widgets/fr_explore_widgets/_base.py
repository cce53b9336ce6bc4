"""What every widget of the family shares: its front end, the transport of requests, and how it shows an error.

The transport, and why it is so
- The browser sets the `request` trait {client, seq, action, ...}; traits coalesce, messages to `send` do not.
- Handlers run on a subshell's thread and on the main one, also while a cell runs: one lock per widget.
- ipykernel 7.4 sends a browser's message to the shell that last spoke on the comm; after a cell spoke, that is the
  main one, and the slider would wait for every cell that runs. `_send` forgets that route, so the browser's own
  choice, the subshell, holds.
- An exception in a handler would vanish (no output, no log): it goes to the `error` trait, which the widget shows.
- Pictures travel as raw RGB bytes in the `frame` trait: to encode one would cost more than to send it.
"""

from __future__ import annotations

import math
import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any, ClassVar

import anywidget
import traitlets

from . import _assets

__all__ = ["LabWidget", "WidgetError"]


class WidgetError(Exception):
    """Something that a person can mend: `what` happened, and what `todo`; the cause says why."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what} {todo}")
        self.what, self.todo = what, todo


class LabWidget(anywidget.AnyWidget):
    """Base of the widgets: a subclass names its files in `files` and answers in `_handle`."""

    files: ClassVar[str] = ""

    # no echo of a request back to the browsers: it would double the messages of a drag
    request = traitlets.Dict().tag(sync=True, echo_update=False)
    error = traitlets.Dict().tag(sync=True)
    frame = traitlets.Bytes().tag(sync=True)
    # the browser counts `ping` up to learn whether this kernel is still there
    ping = traitlets.Int().tag(sync=True, echo_update=False)
    pong = traitlets.Int().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # only a class that names its files: traitlets makes another subclass for every instance
        if "files" in cls.__dict__:
            cls._esm = _assets.script(cls.files)
            cls._css = _assets.style(cls.files)
        super().__init_subclass__(**kwargs)

    def __init__(self, **kwargs: Any) -> None:
        self._lock = threading.RLock()
        self._seen: dict[str, int] = {}
        self.calls = 0  # how many requests were carried out; a burst of slider events needs few
        self.asked_at = -math.inf  # time.monotonic() of the last request
        self.traceback = ""  # of the last error shown in the widget
        super().__init__(**kwargs)

    def open(self) -> None:
        """Open the comm to the browsers."""
        super().open()
        self._forget_route()

    def _send(self, msg: Any, buffers: Any = None) -> None:
        super()._send(msg, buffers)
        self._forget_route()

    def _forget_route(self) -> None:
        vars(self.comm or self).pop("_reply_subshell_id", None)

    @traitlets.observe("ping")
    def _on_ping(self, change: Mapping[str, Any]) -> None:
        self.pong = change["new"]

    def _handle(self, request: Mapping[str, Any]) -> None:
        raise NotImplementedError(f"{type(self).__name__} must say in _handle how it answers a request.")

    @traitlets.observe("request")
    def _on_request(self, change: Mapping[str, Any]) -> None:
        self.asked_at = time.monotonic()
        request = change["new"]
        client, seq = str(request.get("client", "")), int(request.get("seq", 0))
        with self._lock:
            if seq <= self._seen.get(client, 0):
                return  # a newer one of this browser was answered while this one waited for the lock
            self._seen[client] = seq
            self.calls += 1
            try:
                self._handle(request)
            except Exception as problem:
                self._show_error(problem, client, seq)
            else:
                if self.error:
                    self.error = {}

    def _show_error(self, problem: Exception, client: str, seq: int) -> None:
        self.traceback = "".join(traceback.format_exception(problem))
        known = problem if isinstance(problem, WidgetError) else None
        cause = problem.__cause__ if known else problem
        self.error = {
            "client": client,
            "seq": seq,
            "what": known.what if known else "The kernel could not answer.",
            "why": f"{type(cause).__name__}: {cause}" if cause else "",
            "todo": known.todo if known else "Try another change; the widget's .traceback says where it happened.",
        }
