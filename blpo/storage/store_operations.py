"""Operations of the response store on an open connection, each inside one transaction, and rows as responses."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from blpo.storage import store_statements as sql
from blpo.storage.database import Connection
from state.errors import StoreError
from state.response import Response, Traffic

_T = TypeVar("_T")


def response_of(row: tuple[Any, ...]) -> Response:
    """Return the response in a row of `ANSWER`."""
    text, refused, finish_reason, input_tokens, output_tokens, version, scores_json = row
    try:
        scores = tuple((str(label), float(score)) for label, score in json.loads(scores_json))
    except (ValueError, TypeError, RecursionError):
        raise StoreError(
            "the response store holds damaged scores of an answer; restore the store from a backup"
        ) from None
    return Response(text, bool(refused), finish_reason, input_tokens, output_tokens, version, scores)


def with_hits(hits: Counter[str], run: Callable[[Connection], _T], db: Connection) -> _T:
    """Add the counts of `hits` by role, and run an operation in the same transaction."""
    for role, count in hits.items():
        if not db.execute(sql.ADD_HITS, (count, role)).rowcount:
            db.execute(sql.FIRST_HITS, (count, role))
    return run(db)


def adopt(file: Path, db: Connection) -> None:
    """Copy answers, texts and servers of another store's file; existing rows stay."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source:
        for table in ("responses", "texts", "servers"):
            rows = source.execute(f"SELECT * FROM {table}")
            places = ", ".join("?" * len(rows.description))
            for row in rows:
                db.execute(f"INSERT INTO {table} VALUES ({places}) ON CONFLICT DO NOTHING", row)


def put_server(server: tuple[str, str], structured_output: str, db: Connection) -> None:
    """Replace the support of structured output of a server, given by model and address."""
    db.execute(sql.DELETE_SERVER, server)
    db.execute(sql.PUT_SERVER, (*server, structured_output))


def finish(
    call_id: int, response: Response, usd: float | None, attempts: int, traffic: Traffic, db: Connection
) -> None:
    """Keep the answer to a call, and the counts of the call."""
    tokens = (response.input_tokens, response.output_tokens)
    content = (response.text, int(response.refused), response.finish_reason)
    db.execute(sql.KEEP_ANSWER, (*content, *tokens, response.model_version, json.dumps(response.scores), call_id))
    counts = (attempts, traffic.bytes_sent, traffic.bytes_received, *tokens, response.cached_tokens)
    db.execute(sql.FINISH_CALL, (*counts, usd, call_id))
