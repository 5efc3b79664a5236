"""LangSmith's endpoints for traces on loopback: keeps runs, attachments and feedback as the real service does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PROJECT_ID = "5f0c4a3e-7d40-4c1b-9d58-2f6d3a1b7c11"


@dataclass
class LangsmithServer:
    """Content of the service; `failures` requests are answered by 500 first."""

    url: str = ""
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    attachments: dict[str, bytes] = field(default_factory=dict)
    feedback: dict[str, dict[str, Any]] = field(default_factory=dict)
    repeated: int = 0
    """Feedback and runs that were created a second time."""
    keys: set[str] = field(default_factory=set)
    requests: int = 0
    failures: int = 0

    def scores(self, name: str) -> dict[str, float]:
        """Return the values of a metric by the name of the run."""
        return {
            self.runs[each["run_id"]]["name"]: each["score"] for each in self.feedback.values() if each["key"] == name
        }

    def take(self, path: str, kind: str, body: bytes) -> tuple[int, Any]:
        """Return status and answer of a request."""
        if path.startswith("/sessions"):
            name = json.loads(body)["name"]
            identity = {"id": PROJECT_ID, "tenant_id": PROJECT_ID, "reference_dataset_id": None}
            return 200, {**identity, "name": name, "start_time": "2026-01-01T00:00:00Z"}
        if path == "/feedback":
            return self._feedback(json.loads(body))
        if path == "/runs/multipart":
            self._parts(kind, body)
            return 202, {}
        return 404, {"detail": path}

    def _feedback(self, feedback: dict[str, Any]) -> tuple[int, Any]:
        if feedback["id"] in self.feedback:
            self.repeated += 1
            return 409, {"detail": "there already"}
        self.feedback[feedback["id"]] = feedback
        return 200, feedback

    def _parts(self, kind: str, body: bytes) -> None:
        message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body, policy=HTTP)
        for part in message.iter_parts():
            name = str(part.get_param("name", header="content-disposition"))
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            operation, run, *fields = name.split(".")
            if operation == "attachment":
                self.attachments[fields[0]] = content
            elif fields:
                self.runs[run][fields[0]] = json.loads(content)
            elif operation == "post" and run in self.runs:
                self.repeated += 1
            else:
                self.runs[run] = {**self.runs.get(run, {}), **json.loads(content)}


@contextmanager
def langsmith_server() -> Iterator[LangsmithServer]:
    """Serve on a free port of loopback until the end of the block."""
    service = LangsmithServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, {"version": "0.1.0", "instance_flags": {}})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.keys.add(self.headers["x-api-key"] or "")
            service.requests += 1
            if service.failures:
                service.failures -= 1
                self._answer(500, {"detail": "broken"})
            else:
                self._answer(*service.take(self.path, self.headers["Content-Type"] or "", body))

        def _answer(self, status: int, content: Any) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield service
        finally:
            server.shutdown()
