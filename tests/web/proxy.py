"""A reverse proxy that shows a server below a path, as nginx and Traefik are told to."""

from __future__ import annotations

import http.client
import http.server
import threading
import urllib.parse


class Proxy:
    """Takes the prefix away and tells it; passes the caller's `Host` on."""

    def __init__(self, target: str, prefix: str, *, strips: bool = True) -> None:
        self.prefix = prefix
        self.outside: list[str] = []
        place = urllib.parse.urlsplit(target)
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self) -> None:
                if not self.path.startswith(prefix):
                    proxy.outside.append(self.path)
                    self.send_error(404)
                    return
                size = int(self.headers.get("Content-Length") or 0)
                heads = {k: v for k, v in self.headers.items() if k.lower() != "connection"}
                path = self.path
                if strips:
                    heads["X-Forwarded-Prefix"] = prefix
                    path = path[len(prefix) :] or "/"
                there = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
                try:
                    there.request(self.command, path, self.rfile.read(size) or None, heads)
                    answer = there.getresponse()
                    if "event-stream" in (answer.getheader("Content-Type") or ""):
                        self.send_error(503)
                        return
                    body = answer.read()
                finally:
                    there.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}{prefix}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)
