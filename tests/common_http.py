"""What tests send, without a network."""

import threading
from io import BytesIO

from requests import Response
from requests.adapters import BaseAdapter
from werkzeug.test import EnvironBuilder, run_wsgi_app

from odoo import http


class Direct(BaseAdapter):
    """Hands requests to Odoo's application, as a server does that has read them.

    Sessions, rights and errors are those of any request. For what a server makes of
    strange bytes, let it read them.
    """

    def send(self, request, **_options):
        answer = []
        # As a server does: a request knows nothing of who waits for it.
        thread = threading.Thread(
            target=lambda: answer.append(self._answer(request)),
            name="odoo.service.http.request.direct",
        )
        thread.start()
        thread.join()
        [response] = answer
        return response

    def close(self):
        """Override: there is nothing to close."""

    def _answer(self, request):
        body = request.body or b""
        environ = EnvironBuilder(
            path=request.url,
            method=request.method,
            headers=list(request.headers.items()),
            input_stream=BytesIO(body.encode() if isinstance(body, str) else body),
            environ_overrides={"REMOTE_ADDR": "127.0.0.1"},
        ).get_environ()
        content, status, headers = run_wsgi_app(http.root, environ, buffered=True)
        response = Response()
        response.status_code = int(status.partition(" ")[0])
        response.headers.update(headers)
        response.url = request.url
        response.request = request
        response._content = b"".join(content)
        return response
