"""An extension of the Jupyter server that sends kernels' messages without delay. `pip install` enables it.

The server uses Nagle's algorithm for its websockets. During a drag, a picture follows a small message (the kernel is
busy) and waits until the browser has acknowledged that message, which can take 40 ms. On one machine, where a picture
is smaller than a packet, half of the pictures arrived 20 ms late (`benchmarks/slider_latency.py`).
Without the extension, in a server without this package, everything works, with that delay.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

__all__ = ["PromptConnection"]

_CLASS = "kernel_websocket_connection_class"  # a setting of the server's web application


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The server's connection between a page and a kernel, without Nagle's algorithm."""

    def connect(self) -> Any:
        """Connect; the websocket is already open."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "fr_explore_widgets.server"}]


def _load_jupyter_server_extension(app: Any) -> None:
    settings = app.web_app.settings
    if settings.get(_CLASS) is ZMQChannelsWebsocketConnection:  # keep the class of a gateway or of another extension
        settings[_CLASS] = PromptConnection
