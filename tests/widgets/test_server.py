"""The server's extension: switched on by the installation, without delay where the page listens, no gateway touched."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from fr_explore_widgets import server

KEY = "kernel_websocket_connection_class"

# a real server with a real kernel; what is asked is its side of the page's websocket
SCRIPT = """
import asyncio, gc, json, logging, socket
from jupyter_server.serverapp import ServerApp
from tornado.websocket import websocket_connect
from fr_explore_widgets.server import PromptConnection

async def main():
    app = ServerApp(log_level=logging.ERROR)
    app.initialize(argv=["--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root", "--IdentityProvider.token=t"])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app.http_server.listen(port, "127.0.0.1")
    kernel = await app.kernel_manager.start_kernel()
    page = await websocket_connect(f"ws://127.0.0.1:{port}/api/kernels/{kernel}/channels?token=t")
    await asyncio.wait_for(page.read_message(), 60)
    sides = [one.websocket_handler.ws_connection.stream.socket for one in gc.get_objects()
             if isinstance(one, PromptConnection)]
    print(json.dumps([side.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for side in sides]), flush=True)
    page.close()
    await app.kernel_manager.shutdown_all(now=True)

asyncio.run(main())
"""


def test_a_real_server_sends_without_delay(tmp_path):
    homes = {f"JUPYTER_{what}_DIR": str(tmp_path / what) for what in ("CONFIG", "DATA", "RUNTIME")}
    environment = {**os.environ, **homes, "IPYTHONDIR": str(tmp_path / "ipython")}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    answers = [line for line in done.stdout.splitlines() if line.startswith("[")]
    assert answers, done.stdout + done.stderr
    assert json.loads(answers[-1]) == [1]


def test_a_connection_of_another_kind_stays():
    class Gateway(ZMQChannelsWebsocketConnection):
        pass

    for before, after in ((ZMQChannelsWebsocketConnection, server.PromptConnection), (Gateway, Gateway)):
        app = SimpleNamespace(web_app=SimpleNamespace(settings={KEY: before}))
        server._load_jupyter_server_extension(app)
        assert app.web_app.settings[KEY] is after


def test_the_server_loads_neither_torch_nor_widgets_for_it():
    code = "import sys, fr_explore_widgets.server; print(sorted({'torch', 'anywidget'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
