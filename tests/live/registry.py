"""The models' registry on loopback, for a server that has no network: `python registry.py PORT MODELS_FOLDER CERTIFICATE`.

    ollama serve --HTTPS_PROXY--> CONNECT registry.ollama.ai:443 -> TLS with our certificate -> manifests, and for weights
                                                                    a redirect to STORAGE, which is this server too

MODELS_FOLDER has the layout of OLLAMA_MODELS. Port closed means no network. Knows the four requests of a pull, no more.
"""

from __future__ import annotations

import datetime
import re
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "registry.ollama.ai"
STORAGE = "storage.test"


def write_certificate(path: Path) -> None:
    """A key and a certificate for the two names, valid for a day; the same file is what the client trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST), x509.DNSName(STORAGE)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))


class Registry(BaseHTTPRequestHandler):
    """A proxy that ends every tunnel here and answers as the registry."""

    protocol_version = "HTTP/1.1"
    models_folder: Path
    context: ssl.SSLContext

    def do_CONNECT(self) -> None:
        """The tunnel: from here on this connection speaks TLS."""
        self.send_response(200)
        self.end_headers()
        tunnel = self.context.wrap_socket(self.connection, server_side=True)
        self.connection, self.rfile, self.wfile = tunnel, tunnel.makefile("rb"), tunnel.makefile("wb")
        self.close_connection = False

    def do_HEAD(self) -> None:
        """How large a blob is."""
        self._send(with_body=False)

    def do_GET(self) -> None:
        """A manifest; the place of a blob; there, a range of it."""
        if "/blobs/" in self.path and self.headers["Host"] == HOST:
            self.send_response(307)
            self.send_header("Location", f"https://{STORAGE}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(with_body=True)

    def _send(self, *, with_body: bool) -> None:
        file = self._file()
        if file is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        size = file.stat().st_size
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        last = int(wanted[2]) if wanted and wanted[2] else size - 1
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(last - first + 1))
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        if with_body:
            with file.open("rb") as content:
                content.seek(first)
                self.wfile.write(content.read(last - first + 1))
        self.wfile.flush()

    def _file(self) -> Path | None:
        if found := re.fullmatch(r"/v2/library/([\w.-]+)/manifests/([\w.-]+)", self.path):
            file = self.models_folder / "manifests" / HOST / "library" / found[1] / found[2]
        elif found := re.fullmatch(r"/v2/library/[\w.-]+/blobs/sha256:([0-9a-f]{64})", self.path):
            file = self.models_folder / "blobs" / f"sha256-{found[1]}"
        else:
            return None
        return file if file.is_file() else None


def main(port: int, models_folder: Path, certificate: Path) -> None:
    """Serves until killed."""
    Registry.models_folder = models_folder
    Registry.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    Registry.context.load_cert_chain(certificate)
    ThreadingHTTPServer(("127.0.0.1", port), Registry).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
