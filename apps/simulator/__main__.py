"""`python -m apps.simulator --port 0`: the simulator without Django, for tests and fault runs."""

import argparse

from apps.simulator import options, server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m apps.simulator", description="The providers' wire protocols.")
    options.add_arguments(parser)
    server.run(options.from_namespace(vars(parser.parse_args())))


if __name__ == "__main__":
    main()
