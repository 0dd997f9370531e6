"""A kind that does nothing: for benchmarks of the engine and for `manage.py verify`."""

from apps.jobs.handlers import Done, Handler, Run


class NoopHandler(Handler):
    def run(self, run: Run) -> Done:
        return Done()
