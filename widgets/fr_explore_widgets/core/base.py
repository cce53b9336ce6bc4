"""The base class of all widgets: front end, requests from the browser, errors, and closing unseen widgets.

A widget derives from `LabWidget`, names its folder in `files`, answers requests in `_handle`, keeps what it shows in
`state` (plain JSON with a version, see `check_version`), and implements the hooks of `export.py`: `_tables`, `_words`,
`_picture`, `_offline`. A widget that works in the background derives from `job_queue.BackgroundWidget`.

Requests and answers
- The browser sets the `request` trait {client, seq, action, ...}. Traits coalesce, custom messages do not: a burst of
  slider events costs few requests. An answer carries `reply_tag(request)`, so that the page knows it is answered.
- Handlers run on a subshell's thread and on the main thread, also while a cell runs. Each widget has one lock.
- ipykernel 7.4 sends a browser's message to the shell that last used the comm. After a cell used it, that is the main
  shell, and the slider would wait for every running cell. `open` makes the comm use the shell that the browser named.
  (Resetting ipykernel's choice after each message is too late for a message that arrives while one is sent.)
- An exception in a handler would be lost (no output, no log). It goes to the `error` trait, which the widget shows.
- Images travel as raw RGB bytes in the `frame` trait: encoding would take longer than sending.
- The action "restore" with a `state` is answered here for every widget. The page sends it after a kernel restart.
- Photographs wait for a page: until a view says that it is `here`, the traits in `_face_traits` are sent empty. A
  notebook that is executed without a page, as by `nbconvert --execute`, keeps what was sent, so no photograph.

Closing unseen widgets, so that running a cell many times leaves nothing behind
- ipywidgets keeps every widget, in the kernel and in the page, until it is closed. When the page reports that its last
  view is gone (its output was cleared, but its notebook is open), and no other page has a view, the comm is closed.
  The page forgets the model, and only the user's own variables keep the Python object.
- A widget without a comm remains usable from Python. When it is displayed again, it reopens its comm under the same
  model id.
- A widget inside a box (`HBox([w])`) is never closed this way: the box could not reopen it.
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
import numpy as np
import traitlets
from IPython.display import display
from ipywidgets.widgets.widget import _instances

from . import bundle
from .bookmark import read_bookmark
from .export import Exports
from .picture import compose, small_png
from .snapshot import LIMIT, StaticOutput

__all__ = ["LabWidget", "WidgetError", "check_version", "reply_tag"]

ROLL_CALL_SECONDS = 2.0


class WidgetError(Exception):
    """An error that the user can fix: `what` happened and what `todo`; the cause says why."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what} {todo}")
        self.what, self.todo = what, todo


def reply_tag(request: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an answer that identifies the request of the page."""
    return {"client": str(request.get("client", "")), "seq": int(request.get("seq", 0))}


def check_version(state: Mapping[str, Any], version: int) -> None:
    """Raise ValueError if `state` has another version than the one that this release reads."""
    if state.get("version", version) != version:
        raise ValueError(
            f"state has version {state['version']!r}, this release reads version {version}: "
            "give a value that w.state returned."
        )


class Plain(traitlets.Dict):
    """A dict as JSON holds it: NumPy's numbers and texts, such as the identities of an array, become Python's."""

    def validate(self, obj: Any, value: Any) -> Any:
        return super().validate(obj, _plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def _browsers_choice(data: Any, subshell: str | None) -> str | None:
    return subshell


class LabWidget(Exports, anywidget.AnyWidget):
    """Base class of the widgets. A subclass sets `files` and implements `_handle`."""

    files: ClassVar[str] = ""
    # False for a widget whose picture must never be saved in a notebook; then only its words are saved
    keeps_picture: ClassVar[bool] = True
    # traits that show faces
    _face_traits: ClassVar[tuple[str, ...]] = ("frame",)
    _private = False  # whether the faces are photographs of people

    # no echo of a request to the browsers: it would double the messages of a drag
    request = traitlets.Dict().tag(sync=True, echo_update=False)
    error = traitlets.Dict().tag(sync=True)
    frame = traitlets.Bytes().tag(sync=True)
    # the browser increments `ping` to learn whether the kernel still answers
    ping = traitlets.Int().tag(sync=True, echo_update=False)
    pong = traitlets.Int().tag(sync=True)
    state = Plain().tag(sync=True)
    # `token` identifies the widget in a page; `unseen`: a page's last view is gone; `here`: a view's answer to `roll`;
    # a view that opens answers, too, if photographs wait
    token = traitlets.Unicode().tag(sync=True)
    unseen = traitlets.Int().tag(sync=True, echo_update=False)
    roll = traitlets.Int().tag(sync=True)
    here = traitlets.Int().tag(sync=True, echo_update=False)

    _esm = bundle.LOADER
    _code = traitlets.Bytes().tag(sync=True)
    _code_id = traitlets.Unicode().tag(sync=True)
    # the front end with a model of its own, for a saved page without a kernel, see `keep_live`
    _page = traitlets.Bytes().tag(sync=True)
    _page_id = traitlets.Unicode().tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        self._lock = threading.RLock()
        self._seen: dict[str, int] = {}
        self.calls = 0  # how many requests were handled; a burst of slider events needs few
        self.asked_at = -math.inf  # time.monotonic() of the last request
        self.traceback = ""  # of the last error shown in the widget
        self._displayed = False
        token = secrets.token_hex(6)
        self._static = StaticOutput(token, self._kept)
        code, code_id = bundle.packed(self.files) if self.files else (b"", "")
        super().__init__(token=token, roll=int(self._private), _code=code, _code_id=code_id, **kwargs)

    @property
    def bookmark(self) -> str:
        """`state` as text, to keep in a cell or an e-mail; assign it, or a page's link, to return to that state."""
        return json.dumps(self.state)

    @bookmark.setter
    def bookmark(self, text: str) -> None:
        self.state = read_bookmark(text)

    # --- display and closing ------------------------------------------------------------------------------------------

    @property
    def shown(self) -> bool:
        """Whether a page may show the widget: it was displayed, is in a box, or a page sent a request."""
        return self._displayed or self.asked_at > -math.inf or self._in_a_box()

    def _ipython_display_(self) -> None:
        self._displayed = True
        self._static.show()
        # anywidget's own bundle: in Colab its metadata names the manager that can show it
        data, metadata = anywidget.AnyWidget._repr_mimebundle_(self) or ({}, {})
        data["text/plain"] = f"{self._heading()}: run the cell for the live widget."
        display(data, metadata=metadata, raw=True)

    def _kept(self) -> tuple[bytes, str]:
        """The PNG and the words that a saved notebook shows."""
        with self._lock:
            words = self._words()
            try:
                rows = self._picture(kept=True) if self.keeps_picture else None
                return (small_png(compose(self._heading(), rows), LIMIT) if rows else b""), words
            except Exception as problem:  # an error in the picture must not keep the widget from being displayed
                self.traceback = "".join(traceback.format_exception(problem))
                return b"", words

    @property
    def model_id(self) -> str:
        """The model's id, which a box asks for to show this widget; opens the comm."""
        self.open()
        return super().model_id

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> Any:
        """The traits as a page gets them, always with defaults: one is anywidget's module."""
        state = super().get_state(key, drop_defaults=False)
        return state | dict.fromkeys(state.keys() & self._face_traits, b"") if self._waits else state

    @property
    def _waits(self) -> bool:
        return self._private and not self.here

    @traitlets.observe("here")
    def _on_here(self, change: Mapping[str, Any]) -> None:
        if self._private and not change["old"]:
            with self._lock:
                self._show_pictures()

    def _show_pictures(self) -> None:
        """Send the photographs that waited for a page."""
        self.send_state(self._face_traits)

    @property
    def resting(self) -> bool:
        """Whether no page shows the widget, so that only the user's own references keep it."""
        return self.comm is None

    def open(self) -> None:
        """Open the comm to the browsers unless it is open."""
        if layout := self._trait_values.get("layout"):  # opened and closed together with the widget
            layout.open()
        super().open()
        vars(self.comm or self)["_reply_subshell_for"] = _browsers_choice

    def close(self) -> None:
        """Remove the widget from every page."""
        super().close()
        if layout := self._trait_values.get("layout"):  # ipywidgets creates one for every widget and never closes it
            layout.close()

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
            LabWidget.close(self)  # not the subclass's: its work in the background continues
            # ipywidgets' close makes displaying it again impossible
            vars(self).pop("_repr_mimebundle_", None)

    def _in_a_box(self) -> bool:
        others = [other for other in list(_instances.values()) if other is not self]
        return any(self in getattr(other, "children", ()) for other in others)

    @traitlets.observe("state")
    def _renew_static(self, change: Mapping[str, Any]) -> None:
        self._static.later()

    # --- requests -----------------------------------------------------------------------------------------------------

    @traitlets.observe("ping")
    def _on_ping(self, change: Mapping[str, Any]) -> None:
        self.pong = change["new"]

    def _handle(self, request: Mapping[str, Any]) -> None:
        raise NotImplementedError(f"{type(self).__name__} must answer requests in _handle.")

    @traitlets.observe("request")
    def _on_request(self, change: Mapping[str, Any]) -> None:
        self.asked_at = time.monotonic()
        self._static.postpone()
        request = change["new"]
        tag = reply_tag(request)
        with self._lock:
            if tag["seq"] <= self._seen.get(tag["client"], 0):
                return  # a newer request of this browser was answered while this one waited for the lock
            self._seen[tag["client"]] = tag["seq"]
            self.calls += 1
            try:
                if request.get("action") == "restore":
                    self._restore(request["state"])
                else:
                    self._handle(request)
            except Exception as problem:
                self._show_error(problem, **tag)
            else:
                if self.error:
                    self.error = {}

    def _restore(self, state: Mapping[str, Any]) -> None:
        try:
            self.state = dict(state)
        except Exception as problem:
            raise WidgetError("The earlier state does not fit this widget.", "Continue from here.") from problem

    def _show_error(self, problem: Exception, client: str = "", seq: int = 0) -> None:
        """Show a problem in the widget; `client` and `seq` of the request that it answers, if any."""
        self.traceback = "".join(traceback.format_exception(problem))
        known = problem if isinstance(problem, WidgetError) else None
        cause = problem.__cause__ if known else problem
        self.error = {
            "client": client,
            "seq": seq,
            "what": known.what if known else "The kernel could not answer.",
            "why": f"{type(cause).__name__}: {cause}" if cause else "",
            "todo": known.todo if known else "Try another change; the widget's .traceback shows where it happened.",
        }
