"""Keeps the world in a file: a sandbox that is started again knows what it knew."""

import json
import sqlite3
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Final

from comptoir_sandbox.keys import Answer, Keys
from comptoir_sandbox.world import World

_TABLES: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS objects (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL,
    body TEXT NOT NULL, note TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), shift INTEGER NOT NULL);
"""
_PUT: Final = """
INSERT INTO objects (id, body, note) VALUES (?, ?, ?)
ON CONFLICT (id) DO UPDATE SET body = excluded.body, note = excluded.note"""


class Keeper:
    """One file, of one process. Whatever was not kept when it dies is lost: it is a sandbox."""

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else sqlite3.connect(path, check_same_thread=False)
        if self._file is not None:
            self._file.executescript(_TABLES)

    def load(self, world: World, keys: Keys) -> None:
        """Put everything that was kept into an empty world."""
        if self._file is None:
            return
        for _, id_, body, note in self._file.execute("SELECT * FROM objects ORDER BY position"):
            found = json.loads(body)
            world.objects[id_] = found
            world.kinds.setdefault(found["object"], {})[id_] = None
            if note != "{}":
                world.notes[id_] = json.loads(note)
        for key, answer in self._file.execute("SELECT key, answer FROM answers"):
            said = json.loads(answer)
            keys.answers[key] = Answer(**said | {"body": b64decode(said["body"])})
        for (shift,) in self._file.execute("SELECT shift FROM clock"):
            world.shift = shift
        _wake_up(world)

    def keep(self, world: World) -> None:
        """Keep what has changed."""
        dirty, world.dirty = world.dirty, {}
        if self._file is None:
            return
        rows = [
            (id_, json.dumps(world.objects[id_]), json.dumps(world.notes.get(id_, {})))
            for id_ in dirty
            if id_ in world.objects
        ]
        with self._file:
            self._file.executemany(_PUT, rows)
            self._file.execute("INSERT OR REPLACE INTO clock VALUES (1, ?)", (world.shift,))

    def keep_answer(self, key: str, answer: Answer) -> None:
        """Keep the answer to a key."""
        if self._file is None:
            return
        said = {
            "mark": answer.mark, "status": answer.status, "request": answer.request,
            "body": b64encode(answer.body).decode(), "at": answer.at,
        }  # fmt: skip
        with self._file:
            self._file.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, json.dumps(said))
            )

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _wake_up(world: World) -> None:
    """Look again at everything that may be due, and post what was not delivered."""
    for found in world.objects.values():
        if found["object"] in {"payment_intent", "refund", "checkout.session", "subscription"}:
            at = world.notes.get(found["id"], {}).get("settles_at", found.get("expires_at", 0))
            world.later(at, found["id"])
        if found["object"] == "event" and world.notes.get(found["id"], {}).get("undelivered"):
            world.posted.append(found["id"])
