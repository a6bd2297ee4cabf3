"""Runs a WASI program: a core module (preview 1) or a component (preview 2).

    python run.py PROGRAM [ARGUMENT..]

It needs wasmtime 47 from PyPI: later ones give a program that is started from
Python no sockets. The program gets this process's standard streams, the
network, the current directory, /tmp, and the variables named MIO_TEST_*.
"""

import os
import sys

import wasmtime
from wasmtime import _ffi as ffi

CORE_MODULE = b"\0asm\x01\0\0\0"


def settings(arguments):
    wasi = wasmtime.WasiConfig()
    wasi.argv = arguments
    for stream in ("stdin", "stdout", "stderr"):
        getattr(wasi, "inherit_" + stream)()
    wasi.env = [pair for pair in os.environ.items() if pair[0].startswith("MIO_TEST_")]
    for directory in (".", "/tmp"):
        wasi.preopen_dir(directory, directory)
    # The wheel has no method for these.
    ffi.wasi_config_inherit_network(wasi.ptr())
    ffi.wasi_config_allow_ip_name_lookup(wasi.ptr(), True)
    return wasi


def run_module(store, program):
    linker = wasmtime.Linker(store.engine)
    linker.define_wasi()
    module = wasmtime.Module(store.engine, program)
    linker.instantiate(store, module).exports(store)["_start"](store)
    return 0


def run_component(store, program):
    from wasmtime import component

    linker = component.Linker(store.engine)
    linker.add_wasip2()
    loaded = component.Component(store.engine, program)
    instance = linker.instantiate(store, loaded)
    # The name ends in the version of the interface.
    for name in loaded.type.exports(store.engine):
        if name.startswith("wasi:cli/run@"):
            interface = instance.get_export_index(store, name)
            index = instance.get_export_index(store, "run", interface)
            result = instance.get_func(store, index)(store)
            return 1 if getattr(result, "tag", None) == "err" else 0
    sys.exit("the component exports no wasi:cli/run")


def main(path, arguments):
    with open(path, "rb") as file:
        program = file.read()
    engine_settings = wasmtime.Config()
    # Compiled code is kept, so that a test binary is compiled once.
    engine_settings.cache = True
    store = wasmtime.Store(wasmtime.Engine(engine_settings))
    store.set_wasi(settings(arguments))
    run = run_module if program.startswith(CORE_MODULE) else run_component
    try:
        return run(store, program)
    except wasmtime.ExitTrap as exit:
        return exit.code
    except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
        code = getattr(error, "code", None)
        if isinstance(code, int):
            return code
        print("the program was stopped:", error, file=sys.stderr)
        return 134


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[1:]))
