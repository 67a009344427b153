"""Recomputes the AWS signature of every request with botocore and answers 200 or 403. Prints its port, ends with standard input."""
import hashlib
import http.server
import os
import sys
import threading

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ACCESS, SECRET, REGION = sys.argv[1:4]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def verdict(self, body):
        header = self.headers.get("Authorization", "")
        parts = dict(part.strip().split("=", 1) for part in header.partition(" ")[2].split(","))
        signed = parts["SignedHeaders"].split(";")
        for needed in [name.lower() for name in self.headers if name.lower().startswith("x-amz-")] + ["host"]:
            if needed not in signed:
                return "%s is not signed" % needed
        request = AWSRequest(
            method=self.command,
            url="http://%s%s" % (self.headers["Host"], self.path),
            headers={name: self.headers[name] for name in signed},
            data=body,
        )
        if hashlib.sha256(body).hexdigest() != self.headers["X-Amz-Content-Sha256"]:
            return "the body has another digest"
        request.context["timestamp"] = self.headers["X-Amz-Date"]
        auth = S3SigV4Auth(Credentials(ACCESS, SECRET), "s3", REGION)
        canonical = auth.canonical_request(request)
        wanted = auth.signature(auth.string_to_sign(request, canonical), request)
        return None if wanted == parts["Signature"] else "signature differs for\n" + canonical

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        problem = self.verdict(body)
        # What every answer is asked for: the objects of a list, the name of an upload in parts, its end.
        listing = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
        parts = "<UploadId>a+b/c=</UploadId><CompleteMultipartUploadResult/>"
        text = (problem or (parts if self.command == "POST" else listing)).encode()
        self.send_response(403 if problem else 200)
        self.send_header("ETag", '"abc"')
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
os._exit(0)
