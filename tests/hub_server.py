"""A hub on this machine: as much of its HTTP interface as fetching and pushing a model take."""

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REPOSITORY = re.compile(r"^/api/models/([^/]+/[^/]+)/(revision|preupload|commit)/([^/?]+)")
FILE = re.compile(r"^/([^/]+/[^/]+)/resolve/([^/]+)/(.+)$")


class Hub:
    """Repositories of models, each a history of commits.

    `repositories` is `{OWNER/NAME: {commit or branch: {path: bytes}}}`, `requests` what was asked.
    """

    def __init__(self):
        self.repositories, self.requests, self.private = {}, [], {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def add(self, repository, files, branch="main"):
        """Commit files, which come beside those already there; return the commit."""
        history = self.repositories.setdefault(repository, {})
        files = {**history.get(branch, {}), **files}
        parts = (part for name in sorted(files) for part in (name.encode(), files[name]))
        commit = hashlib.sha1(b"\0".join(parts)).hexdigest()  # as git does
        history[commit] = history[branch] = files
        return commit

    def commit_of(self, repository, revision):
        history = self.repositories[repository]
        files = history[revision]
        return next(name for name, one in history.items() if one == files and len(name) == 40)

    def handler(self):
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                hub.requests.append(f"{self.command} {self.path}")
                try:
                    self.answer_question()
                except KeyError:
                    self.reply(404, b"{}", {"X-Error-Code": "RepoNotFound"})

            do_HEAD = do_GET

            def answer_question(self):
                if match := REPOSITORY.match(self.path):
                    repository, _, revision = match.groups()
                    files = hub.repositories[repository][revision]
                    commit = hub.commit_of(repository, revision)
                    siblings = [{"rfilename": name} for name in files]
                    about = {"id": repository, "sha": commit, "siblings": siblings}
                    return self.reply(200, json.dumps(about).encode())
                repository, revision, name = FILE.match(self.path).groups()
                content = hub.repositories[repository][revision][name]
                tag = hashlib.sha256(content).hexdigest()
                commit = hub.commit_of(repository, revision)
                return self.reply(200, content, {"ETag": f'"{tag}"', "X-Repo-Commit": commit})

            def do_POST(self):
                hub.requests.append(f"{self.command} {self.path}")
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.reply(200, json.dumps(self.answer_order(body)).encode())

            def answer_order(self, body):
                if self.path == "/api/repos/create":
                    order = json.loads(body)
                    name = f"{order.get('organization') or 'owner'}/{order['name']}"
                    hub.private[name] = order.get("private") or order.get("visibility")
                    hub.repositories.setdefault(name, {})
                    return {"url": f"{hub.address}/{name}"}
                if not (match := REPOSITORY.match(self.path)):
                    return {"errors": [], "warnings": []}  # of the lines at the head of the card
                repository, kind, branch = match.groups()
                if kind == "preupload":
                    names = [file["path"] for file in json.loads(body)["files"]]
                    regular = {"uploadMode": "regular", "shouldIgnore": False}
                    return {"files": [{"path": name, **regular} for name in names]}
                lines = [json.loads(line) for line in body.splitlines()]
                values = [line["value"] for line in lines if line["key"] == "file"]
                files = {value["path"]: base64.b64decode(value["content"]) for value in values}
                commit = hub.add(repository, files, branch)
                where = f"{hub.address}/{repository}/commit/{commit}"
                return {"success": True, "commitOid": commit, "commitUrl": where}

            def reply(self, status, content, headers=()):
                self.send_response(status)
                for name, value in dict(headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

        return Handler
