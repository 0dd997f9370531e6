"""The process: one port, every provider below its prefix, gone at once when asked to stop."""

import asyncio
import os
import signal
import sys

from aiohttp import web

from apps.simulator.control import Control
from apps.simulator.options import Options
from apps.simulator.providers import build_all
from apps.simulator.simulation import Simulation
from apps.simulator.wire import Provider, endpoint

LARGEST_BODY = 512 * 1024 * 1024  # bytes; the providers' own limits are far below


def build_app(simulation: Simulation, providers: list[Provider]) -> web.Application:
    app = web.Application(client_max_size=LARGEST_BODY)

    def reset() -> None:
        simulation.reset()
        for provider in providers:
            provider.reset()

    app.add_routes(Control(simulation, reset=reset).routes())
    for provider in providers:
        for method, path, handler in provider.routes():
            app.router.add_route(method, path, endpoint(simulation, provider, handler))
    return app


async def start(simulation: Simulation) -> str:
    """Binds, tells the simulation its address and returns it."""
    options = simulation.options
    providers = build_all(simulation)
    runner = web.AppRunner(build_app(simulation, providers), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, options.host, options.port, backlog=1024).start()
    port = runner.addresses[0][1]
    address = f"http://{options.host}:{port}"
    simulation.url = options.public_url or address
    for provider in providers:
        provider.resume()
    return address


async def serve_until_stopped(options: Options) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    address = await start(Simulation(options))
    sys.stdout.write(f"simulator ready {address}\n")
    sys.stdout.flush()
    await stopped.wait()


def run(options: Options) -> None:
    asyncio.run(_serve_and_exit(options))


async def _serve_and_exit(options: Options) -> None:
    await serve_until_stopped(options)
    # Nothing here is worth waiting for: open requests, drawing threads and sleeping webhooks all end with the process.
    os._exit(0)
