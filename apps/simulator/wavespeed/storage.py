"""Uploads and predictions, kept in memory, and on disk too when the simulator has a data directory."""

import json
from pathlib import Path
from typing import Any

LIVES = 7 * 24 * 3600  # seconds predictions, outputs and uploads are kept


class Storage:
    def __init__(self, directory: Path | None) -> None:
        self._directory = directory / "wavespeed" if directory else None
        self._uploads: dict[str, tuple[float, bytes]] = {}
        if self._directory:
            (self._directory / "uploads").mkdir(parents=True, exist_ok=True)

    def keep_upload(self, name: str, data: bytes, now: float) -> None:
        self._uploads[name] = (now, data)
        if self._directory:
            (self._directory / "uploads" / name).write_bytes(data)

    def upload(self, name: str, now: float) -> bytes | None:
        """None when there is none, or it is older than seven days. `name` comes from an address, so it is no path."""
        at, data = self._uploads.get(name) or self._upload_on_disk(name) or (0.0, b"")
        return data if now - at < LIVES else None

    def keep_prediction(self, record: dict[str, Any]) -> None:
        if self._directory:
            with self._predictions.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")

    def load_predictions(self, now: float) -> list[dict[str, Any]]:
        """Those of the last seven days, oldest first; the others leave the disk. A line cut by a kill is dropped."""
        if self._directory is None or not self._predictions.exists():
            return []
        records = [_parsed(line) for line in self._predictions.read_text(encoding="utf-8").splitlines()]
        kept = [record for record in records if record and now - record["created_at"] < LIVES]
        self._predictions.write_text("".join(json.dumps(record) + "\n" for record in kept), encoding="utf-8")
        return kept

    def clear(self) -> None:
        self._uploads.clear()
        if self._directory:
            self._predictions.unlink(missing_ok=True)
            for file in (self._directory / "uploads").iterdir():
                file.unlink()

    @property
    def _predictions(self) -> Path:
        assert self._directory, "only asked for when there is a data directory"
        return self._directory / "predictions.jsonl"

    def _upload_on_disk(self, name: str) -> tuple[float, bytes] | None:
        file = self._directory / "uploads" / Path(name).name if self._directory else None
        return (file.stat().st_mtime, file.read_bytes()) if file and file.is_file() else None


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except ValueError:
        return None
