"""A mail server that wants TLS and a password, and writes what it is told as JSON, one mail a line.

Mails to the addresses of REFUSED, and to `unknown@`, it refuses. Needs Debian's python3-aiosmtpd.
"""

import email
import email.policy
import json
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

port, certificate, key, path = sys.argv[1:]

REFUSED = {
    "small": "552 5.2.3 the mail is too large",
    "content": "554 5.6.0 what is in it is not taken",
    "full": "552 5.2.2 the mailbox is full",
    "relay": "554 5.7.1 relay access denied",
    "plain": "554 transaction failed",
}


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("unknown@"):
            return "550 5.1.1 there is no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        for address in envelope.rcpt_tos:
            if refusal := REFUSED.get(address.partition("@")[0]):
                return refusal
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        told = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": [[name, str(value)] for name, value in mail.items()],
            "defects": [str(defect) for part in mail.walk() for defect in part.defects],
            "parts": [[part.get_content_type(), part.get_content()]
                      for part in mail.walk() if not part.is_multipart()],
        }
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and data == LoginPassword(b"backwatch", b"correct horse")
    return AuthResult(success=right, handled=False)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
Controller(
    Handler(), hostname="127.0.0.1", port=int(port), tls_context=context, require_starttls=True,
    auth_required=True, authenticator=authenticate,
).start()
threading.Event().wait()
