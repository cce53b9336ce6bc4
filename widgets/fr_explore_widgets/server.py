"""An extension of the Jupyter server: messages of kernels go to the page at once. `pip install` switches it on.

The server leaves Nagle's algorithm on for its websockets. A picture of a drag follows a small message (the kernel is
busy), and waits until the browser has acknowledged that one, which it may put off for 40 ms: on one machine, where a
picture is less than a full packet, half of all pictures came 20 ms late (`benchmarks/slider_latency.py`).
Without the extension, in a server that does not have this package, everything works, later.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

__all__ = ["PromptConnection"]

_CLASS = "kernel_websocket_connection_class"  # a setting of the server's web application


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The server's own connection of a page to a kernel, without the wait for fuller packets."""

    def connect(self) -> Any:
        """Connect; the websocket is open by then."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "fr_explore_widgets.server"}]


def _load_jupyter_server_extension(app: Any) -> None:
    settings = app.web_app.settings
    if settings.get(_CLASS) is ZMQChannelsWebsocketConnection:  # a gateway's, or somebody's own, stays
        settings[_CLASS] = PromptConnection
