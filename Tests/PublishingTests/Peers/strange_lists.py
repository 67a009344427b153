"""Answers lists of objects as no service should; the prefix says how. Prints its port, ends with standard input."""
import http.server
import os
import sys
import threading
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one piece: there are many answers.
    wbufsize = -1

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        number = int(query.get("continuation-token", "0"))
        following = {"endless": number + 1, "circle": (number + 1) % 3 + 1, "thin": number + 1 if number < 5 else None}[query["prefix"]]
        keys = "<Contents><Key>thin/last</Key></Contents>" if following is None else ""
        end = "" if following is None else "<NextContinuationToken>%d</NextContinuationToken>" % following
        cut = "false" if following is None else "true"
        text = ("<ListBucketResult><IsTruncated>%s</IsTruncated>%s%s</ListBucketResult>" % (cut, keys, end)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
os._exit(0)
