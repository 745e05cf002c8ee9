"""fastcgi.py - a FastCGI client for tests: one request over a socket, without nginx between.

Speaks just enough of the FastCGI 1.0 specification to ask php-fpm for a page, plain or on a kept
connection, and to be rude on purpose.
"""
import socket
import struct

BEGIN_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7
KEEP_CONN = 1


def record(kind, body, request_id=1, padding=0):
    """One record: header, body, padding."""
    return struct.pack(">BBHHBx", 1, kind, request_id, len(body), padding) + body + b"\0" * padding


def name_value(name, value):
    """One pair of a PARAMS stream."""
    def length(n):
        return bytes([n]) if n < 128 else struct.pack(">I", n | 0x80000000)
    name, value = name.encode(), value if isinstance(value, bytes) else str(value).encode()
    return length(len(name)) + length(len(value)) + name + value


def request_bytes(params, body=b"", keep=False, chunk=65000):
    """The whole request; PARAMS and STDIN are split into records of at most `chunk` bytes."""
    pairs = b"".join(name_value(k, v) for k, v in params.items())
    out = record(BEGIN_REQUEST, struct.pack(">HB5x", 1, KEEP_CONN if keep else 0))
    for kind, data in ((PARAMS, pairs), (STDIN, body)):
        for at in range(0, len(data), chunk):
            out += record(kind, data[at:at + chunk])
        out += record(kind, b"")
    return out


def params_for(script, uri, method="GET", **more):
    """The usual parameters of a GET."""
    params = {"SCRIPT_FILENAME": script, "SCRIPT_NAME": "/index.php", "DOCUMENT_URI": "/index.php",
              "REQUEST_METHOD": method, "REQUEST_URI": uri, "QUERY_STRING": uri.partition("?")[2],
              "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "SERVER_PORT": "80",
              "HTTP_HOST": "shop.test", "CONTENT_LENGTH": "", "CONTENT_TYPE": ""}
    params.update(more)
    return params


class Connection:
    """A connection to php-fpm; kept open between requests when `keep`."""

    def __init__(self, path, timeout=30, keep=False):
        self.path, self.timeout, self.keep, self.sock = path, timeout, keep, None

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def close(self):
        if self.sock:
            self.sock.close()
            self.sock = None

    def read_exactly(self, n):
        data = b""
        while len(data) < n:
            piece = self.sock.recv(n - len(data))
            if not piece:
                raise ConnectionResetError("php-fpm closed the connection")
            data += piece
        return data

    def request(self, params, body=b""):
        """(stdout, stderr) of one request."""
        if not self.sock:
            self.connect()
        self.sock.sendall(request_bytes(params, body, self.keep))
        out = {STDOUT: b"", STDERR: b""}
        try:
            while True:
                _, kind, _, length, padding = struct.unpack(">BBHHBx", self.read_exactly(8))
                data = self.read_exactly(length + padding)[:length]
                if kind == END_REQUEST:
                    return out[STDOUT], out[STDERR]
                if kind in out:
                    out[kind] += data
        finally:
            if not self.keep:
                self.close()


def get(path, script, uri, **more):
    """One plain GET; returns the response's bytes."""
    return Connection(path).request(params_for(script, uri, **more))[0]
