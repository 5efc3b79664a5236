"""A web page of another origin on this machine. The page tries to read and to change the pages of `blpo view`."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

PAGE = """<!doctype html><title>foreign</title><pre></pre>
<form method="post" action="TARGET/runs/first/stop"><button>win a prize</button></form>
<script>
const tried = {};
const refused = async (name, work) => { try { tried[name] = await work(); } catch { tried[name] = "refused"; } };
const loaded = (tag, url) => new Promise((done) => {
  const each = document.createElement(tag);
  each.onload = () => done("loaded");
  each.onerror = () => done("refused");
  each.src = url;
  document.body.append(each);
});
(async () => {
  await refused("read", async () => (await fetch("TARGET/", {credentials: "include"})).text());
  await refused("read without cors", async () => {
    const reply = await fetch("TARGET/", {credentials: "include", mode: "no-cors"});
    return (await reply.text()).length;
  });
  const post = {method: "POST", credentials: "include"};
  await refused("write", async () => (await fetch("TARGET/runs/first/stop", post)).status);
  tried.image = await loaded("img", "TARGET/experiments/evals-small/figure.svg");
  tried.script = await loaded("script", "TARGET/static/view.js");
  const frame = document.createElement("iframe");
  frame.src = "TARGET/";
  const shown = new Promise((done) => { frame.onload = done; });
  document.body.append(frame);
  await shown;
  try { tried.frame = frame.contentDocument ? "readable" : "empty"; } catch { tried.frame = "empty"; }
  document.querySelector("pre").textContent = JSON.stringify(tried);
  document.title = "done";
})();
</script>"""


@contextmanager
def other_origin(target: str) -> Iterator[str]:
    """Serve the page against the pages at `target`, and return its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.replace("TARGET", target).encode())

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
