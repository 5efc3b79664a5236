"""Object storage on loopback: as much of S3's protocol as pyarrow uses, with objects in memory."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape


@dataclass
class ObjectStorage:
    """Objects by `bucket/key`."""

    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    address: str = ""

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment variables for a client."""
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
        return {**keys, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.address}

    def listing(self, bucket: str, prefix: str, delimiter: str) -> str:
        """Return the reply to ListObjectsV2."""
        keys = [name.removeprefix(f"{bucket}/") for name in sorted(self.objects) if name.startswith(f"{bucket}/")]
        folders, entries = dict[str, None](), []
        for key in (key for key in keys if key.startswith(prefix)):
            rest = key.removeprefix(prefix)
            if delimiter and delimiter in rest:
                folders[prefix + rest.partition(delimiter)[0] + delimiter] = None
            else:
                size = len(self.objects[f"{bucket}/{key}"])
                date = "<LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                entries.append(f"<Contents><Key>{escape(key)}</Key>{date}<Size>{size}</Size></Contents>")
        entries += [f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in folders]
        count = f"<KeyCount>{len(entries)}</KeyCount><IsTruncated>false</IsTruncated>"
        return f"<ListBucketResult><Name>{bucket}</Name>{count}{''.join(entries)}</ListBucketResult>"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    storage: ObjectStorage

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""

    def _name(self) -> tuple[str, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        return parts.path.strip("/"), parse_qs(parts.query, keep_blank_values=True)

    def _send(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        name, _ = self._name()
        content = self.storage.objects.get(name)
        if content is None and "/" in name:
            self._send(404)
        else:
            self._send(200, b"", {"Content-Length": str(len(content or b"")), "ETag": '"1"'})

    def do_GET(self) -> None:
        name, query = self._name()
        if "list-type" in query:
            prefix, delimiter = (query.get(word, [""])[0] for word in ("prefix", "delimiter"))
            self._send(200, self.storage.listing(name, prefix, delimiter).encode())
        elif (content := self.storage.objects.get(name)) is None:
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")
        elif match := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            first, last = int(match[1]), min(int(match[2]), len(content) - 1)
            place = f"bytes {first}-{last}/{len(content)}"
            self._send(206, content[first : last + 1], {"Content-Range": place, "ETag": '"1"'})
        else:
            self._send(200, content, {"ETag": '"1"'})

    def do_PUT(self) -> None:
        name, query = self._name()
        body = self._body()
        if "uploadId" in query:
            self.storage.uploads[query["uploadId"][0]][int(query["partNumber"][0])] = body
        else:
            self.storage.objects[name] = body
        self._send(200, b"", {"ETag": '"1"'})

    def do_POST(self) -> None:
        name, query = self._name()
        self._body()
        if "uploads" in query:
            upload = str(len(self.storage.uploads))
            self.storage.uploads[upload] = {}
            text = f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
        else:
            parts = self.storage.uploads[query["uploadId"][0]]
            self.storage.objects[name] = b"".join(parts[number] for number in sorted(parts))
            text = '<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>'
        self._send(200, text.encode())

    def do_DELETE(self) -> None:
        self._send(204)

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            content = b""
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        return _unframed(content) if "aws-chunked" in self.headers.get("Content-Encoding", "") else content


def _unframed(content: bytes) -> bytes:
    """Return the content of a body in chunks with checksums."""
    whole = b""
    while content:
        head, _, content = content.partition(b"\r\n")
        size = int(head.partition(b";")[0], 16)
        if not size:
            return whole
        whole, content = whole + content[:size], content[size + 2 :]
    return whole


@contextmanager
def object_storage() -> Iterator[ObjectStorage]:
    """Serve an empty storage until the end of the block, with its environment variables set."""
    storage = ObjectStorage()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"storage": storage}))
    server.daemon_threads = True
    storage.address = f"http://127.0.0.1:{server.server_address[1]}"
    before = dict(os.environ)
    Thread(target=server.serve_forever, daemon=True).start()
    os.environ.update(storage.environment)
    try:
        yield storage
    finally:
        os.environ.clear()
        os.environ.update(before)
        server.shutdown()
        server.server_close()
