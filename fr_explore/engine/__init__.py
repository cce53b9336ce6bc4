"""The engine: C compiled once to WebAssembly, which computes the same bits in Python and in a browser.

`README.md` describes the interface of `renderer.wasm` for both hosts; `host.py` is the one in Python. `instance.py`
compiles the modules, `runner.py` runs packed networks.
"""
