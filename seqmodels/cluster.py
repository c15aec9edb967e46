"""A Ray cluster: joined where it is asked for, and not imported before. Ray is an extra (requirements-cluster.txt).

    for number, result in each(function, items): ...

What is handed over is found by its name on the other machine: the package, the data and the runs folder are the same files there.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, TypeVar

from seqmodels.environment import PREFIX

ADDRESS = "RAY_ADDRESS"  # Ray's own variable
LIVES = 4  # machines that work is given to, one after the other, where each is lost
_PATIENCE = 5.0  # seconds until something has to listen there
_LONGEST = 60.0  # seconds until it has to take us in
_AUTO = "auto"  # the cluster that runs on this machine

Item = TypeVar("Item")
Result = TypeVar("Result")


class LostError(ValueError):
    """The cluster has lost the work, again and again or as a whole."""


def check_installed() -> None:
    """ValueError where Ray is not installed."""
    if find_spec("ray") is None:
        raise ValueError(
            "Ray is not installed here: pip install -r requirements-cluster.txt, here and on each machine of the cluster"
        )


def join() -> Any:
    """The module of Ray, connected to the cluster that RAY_ADDRESS names, else to this machine's. ValueError if none answers."""
    check_installed()
    import ray

    if not ray.is_initialized():
        address = os.environ.get(ADDRESS) or _AUTO
        try:
            _knock(address)
            _within(_LONGEST, lambda: ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False))
        except (OSError, RuntimeError, ValueError) as error:
            where = "on this machine" if address == _AUTO else f"at {address}"
            advice = f"start one with `ray start --head`, or give its address as {ADDRESS}"
            raise ValueError(f"no Ray cluster answers {where} ({_first_line(error)}): {advice}") from None
    return ray


def submit(function: Callable[..., Any], *arguments: Any) -> Any:
    """Have a function called on the cluster, on one core and with our variables as they are here; what it gives, `result` takes.

    If its machine or process is lost, it is called anew on another.
    """
    remote = join().remote(_there).options(num_cpus=1, max_retries=LIVES - 1, name=function.__name__)
    return remote.remote(function, arguments, {name: value for name, value in os.environ.items() if name.startswith(PREFIX)})


def result(submitted: Any) -> Any:
    """What the function has returned. A ValueError or OSError of its own is raised again, LostError if it could not be called."""
    ray = join()
    try:
        return ray.get(submitted)
    except ray.exceptions.RayTaskError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, ValueError | OSError):
            raise cause from None
        raise ValueError(f"on the cluster: {_first_line(cause or error)}") from None
    except ray.exceptions.RayError as error:
        raise LostError(
            f"the cluster has lost it ({_first_line(error)}): see that its machines are up, then start it again"
        ) from None


def each(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[int, Result]]:
    """The number of each item and what the function makes of it, on the cluster, as soon as it is there."""
    ray = join()
    numbers = {submit(function, item): number for number, item in enumerate(items)}
    try:
        while numbers:
            [done], _ = ray.wait(list(numbers), num_returns=1)
            yield numbers.pop(done), result(done)
    finally:
        for left in numbers:
            ray.cancel(left, force=True)


def _there(function: Callable[..., Any], arguments: tuple[Any, ...], variables: Mapping[str, str]) -> Any:
    """On the cluster: the process may have done other work before."""
    for name in [name for name in os.environ if name.startswith(PREFIX) and name not in variables]:
        del os.environ[name]
    os.environ.update(variables)
    return function(*arguments)


def _knock(address: str) -> None:
    """OSError where nobody listens: Ray itself would ask for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


def _within(seconds: float, call: Callable[[], object]) -> None:
    """TimeoutError where a call takes longer: Ray asks for ever where the cluster knows this machine by another address."""
    failures: list[Exception] = []

    def attempt() -> None:
        try:
            call()
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"it has not taken this machine in for {seconds:g} seconds: is it one of the cluster's?")
    if failures:
        raise failures[0]


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200].rstrip(".") if lines else type(error).__name__
