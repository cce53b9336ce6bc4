"""What every widget of the family shares: its front end, the transport of requests, errors, exports, rest.

A widget derives from `LabWidget`, names its `files`, answers requests in `_handle`, keeps what it shows in `state`
(plain JSON with a version), and fills in the hooks of `export.py`: `_tables`, `_words`, `_picture`, `_offline`.

The transport, and why it is so
- The browser sets the `request` trait {client, seq, action, ...}; traits coalesce, messages to `send` do not.
- Handlers run on a subshell's thread and on the main one, also while a cell runs: one lock per widget.
- ipykernel 7.4 sends a browser's message to the shell that last spoke on the comm; after a cell spoke, that is the
  main one, and the slider would wait for every cell that runs. `open` gives the comm a route of its own, the browser's
  choice: the subshell. (To forget ipykernel's after each message is too late for what arrives while one is sent.)
- An exception in a handler would vanish (no output, no log): it goes to the `error` trait, which the widget shows.
- Pictures travel as raw RGB bytes in the `frame` trait: to encode one would cost more than to send it.
- The action "restore" with a `state` is answered here, for every widget: the page asks it after a restarted kernel.

Rest, so that running a cell many times leaves nothing behind
- ipywidgets keeps every widget, here and in the page, until it is closed. When the page says that the last view is
  gone (its output was cleared, not its notebook closed), and no other page has one, the comm is closed: the page
  forgets the model, and the object here is held by nobody but the user.
- A widget at rest goes on as a Python object; displayed again, it opens its comm again, under the same model id.
- One that was put into a box (`HBox([w])`) never rests: the box could not wake it.
"""

from __future__ import annotations

import json
import math
import secrets
import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any, ClassVar

import anywidget
import traitlets
from IPython.display import display
from ipywidgets.widgets.widget import _instances

from . import bundle
from .export import Exports
from .picture import compose, small_png
from .snapshot import LIMIT, StaticOutput

__all__ = ["LabWidget", "WidgetError"]


class WidgetError(Exception):
    """Something that a person can mend: `what` happened, and what `todo`; the cause says why."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what} {todo}")
        self.what, self.todo = what, todo


ROLL_CALL_SECONDS = 2.0


def _as_sent(data: Any, subshell: str | None) -> str | None:
    """Where ipykernel takes a browser's message: to the shell that the browser named."""
    return subshell


class LabWidget(Exports, anywidget.AnyWidget):
    """Base of the widgets: a subclass names its files in `files` and answers in `_handle`."""

    files: ClassVar[str] = ""
    # False for a widget whose picture must never be kept in a notebook: then its words are kept alone
    keeps_picture: ClassVar[bool] = True

    # no echo of a request back to the browsers: it would double the messages of a drag
    request = traitlets.Dict().tag(sync=True, echo_update=False)
    error = traitlets.Dict().tag(sync=True)
    frame = traitlets.Bytes().tag(sync=True)
    # the browser counts `ping` up to learn whether this kernel is still there
    ping = traitlets.Int().tag(sync=True, echo_update=False)
    pong = traitlets.Int().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    # who is who in the page; `unseen`: a page's last view is gone; `roll` asks every view, `here` is their answer
    token = traitlets.Unicode().tag(sync=True)
    unseen = traitlets.Int().tag(sync=True, echo_update=False)
    roll = traitlets.Int().tag(sync=True)
    here = traitlets.Int().tag(sync=True, echo_update=False)

    _esm = bundle.LOADER
    _code = traitlets.Bytes().tag(sync=True)
    _code_id = traitlets.Unicode().tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        self._lock = threading.RLock()
        self._seen: dict[str, int] = {}
        self.calls = 0  # how many requests were carried out; a burst of slider events needs few
        self.asked_at = -math.inf  # time.monotonic() of the last request
        self.traceback = ""  # of the last error shown in the widget
        token = secrets.token_hex(6)
        self._static = StaticOutput(token, self._kept)
        code, code_id = bundle.packed(self.files) if self.files else (b"", "")
        super().__init__(token=token, _code=code, _code_id=code_id, **kwargs)

    @property
    def bookmark(self) -> str:
        """`state` as text, to be kept in a cell or a mail; set it to come back to that state."""
        return json.dumps(self.state)

    @bookmark.setter
    def bookmark(self, text: str) -> None:
        self.state = json.loads(text)

    # --- in the notebook, and at rest ---------------------------------------------------------------------------------

    def _ipython_display_(self) -> None:
        self._static.show()
        # anywidget's own bundle: in Colab its metadata names the manager that can show it
        data, metadata = anywidget.AnyWidget._repr_mimebundle_(self) or ({}, {})
        data["text/plain"] = f"{self._heading()}: run the cell for the live widget."
        display(data, metadata=metadata, raw=True)

    def _kept(self) -> tuple[bytes, str]:
        with self._lock:
            words = self._words()
            try:
                rows = self._picture(kept=True) if self.keeps_picture else None
                return (small_png(compose(self._heading(), rows), LIMIT) if rows else b""), words
            except Exception as problem:  # a picture that fails must not keep the widget from showing
                self.traceback = "".join(traceback.format_exception(problem))
                return b"", words

    @property
    def model_id(self) -> str:
        """The model's id, as a box asks for to hold this widget; one at rest wakes."""
        self.open()
        return super().model_id

    @property
    def resting(self) -> bool:
        """Whether no page shows the widget, so that nothing but the user's own reference keeps it."""
        return self.comm is None

    def open(self) -> None:
        """Open the comm to the browsers, if it is not."""
        if box := self._trait_values.get("layout"):  # it rests with the widget
            box.open()
        super().open()
        vars(self.comm or self)["_reply_subshell_for"] = _as_sent

    def close(self) -> None:
        """Take the widget off every page."""
        super().close()
        if box := self._trait_values.get("layout"):  # ipywidgets makes one for every widget, and leaves it behind
            box.close()

    @traitlets.observe("unseen")
    def _on_unseen(self, change: Mapping[str, Any]) -> None:
        self.roll += 1
        timer = threading.Timer(ROLL_CALL_SECONDS, self._rest, [self.roll])
        timer.daemon = True
        timer.start()

    def _rest(self, roll: int) -> None:
        with self._lock:
            if self.here >= roll or roll != self.roll or self.resting or self._in_a_box():
                return
            self._static.forget()
            LabWidget.close(self)  # not a subclass's: what the widget holds stays
            # ipywidgets takes it for closed for good
            vars(self).pop("_repr_mimebundle_", None)

    def _in_a_box(self) -> bool:
        return any(self in getattr(other, "children", ()) for other in list(_instances.values()))

    @traitlets.observe("state")
    def _renew_static(self, change: Mapping[str, Any]) -> None:
        self._static.later()

    # --- the transport ------------------------------------------------------------------------------------------------

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
                if request.get("action") == "restore":
                    self._restore(request["state"])
                else:
                    self._handle(request)
            except Exception as problem:
                self._show_error(problem, client, seq)
            else:
                if self.error:
                    self.error = {}

    def _restore(self, state: Mapping[str, Any]) -> None:
        try:
            self.state = dict(state)
        except Exception as problem:
            raise WidgetError("The earlier state does not fit this widget.", "Go on from here.") from problem

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
