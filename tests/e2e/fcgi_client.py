"""fcgi_client.py - speak FastCGI to a php-fpm socket, politely or not.

    status, headers, body = fcgi_client.get(path, "/var/www/a.php", "/a?x=1")

or build records by hand with begin(), params(), record() and send them as you like.
"""
import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7


def record(kind, content=b"", request=1, padding=0):
    return struct.pack(">BBHHBx", 1, kind, request, len(content), padding) + content + b"\0" * padding


def begin(keep=False, request=1):
    return record(BEGIN, struct.pack(">HB5x", 1, 1 if keep else 0), request)


def _length(n):
    return struct.pack(">B", n) if n < 128 else struct.pack(">I", n | 0x80000000)


def pairs(values):
    out = b""
    for name, value in values.items():
        name, value = name.encode(), value if isinstance(value, bytes) else str(value).encode()
        out += _length(len(name)) + _length(len(value)) + name + value
    return out


def stream(kind, data, chunk=65528, padding=0):
    """`data` as records of at most `chunk` bytes, and the empty record that closes it."""
    out = b"".join(record(kind, data[i:i + chunk], padding=padding)
                   for i in range(0, len(data), chunk))
    return out + record(kind)


def environment(script, uri, method="GET", body=b"", extra=None):
    path, _, query = uri.partition("?")
    values = {
        "SCRIPT_FILENAME": script, "SCRIPT_NAME": path, "REQUEST_URI": uri, "DOCUMENT_URI": path,
        "QUERY_STRING": query, "REQUEST_METHOD": method, "CONTENT_TYPE": "application/octet-stream",
        "CONTENT_LENGTH": str(len(body)) if body else "", "SERVER_PROTOCOL": "HTTP/1.1",
        "GATEWAY_INTERFACE": "CGI/1.1", "HTTP_HOST": "shop.test", "SERVER_PORT": "8080",
        "REMOTE_ADDR": "127.0.0.1", "SERVER_NAME": "shop.test", "HTTP_USER_AGENT": "fact-test",
    }
    values.update(extra or {})
    return values


def request(script, uri, method="GET", body=b"", keep=False, extra=None, chunk=65528, padding=0):
    return (begin(keep) +
            stream(PARAMS, pairs(environment(script, uri, method, body, extra)), chunk, padding) +
            stream(STDIN, body))


def connect(path, timeout=20):
    conn = socket.socket(socket.AF_UNIX)
    conn.settimeout(timeout)
    conn.connect(path)
    return conn


def _exactly(conn, n):
    data = b""
    while len(data) < n:
        part = conn.recv(n - len(data))
        if not part:
            raise ConnectionError(f"php-fpm closed after {len(data)} of {n} bytes")
        data += part
    return data


def read_response(conn):
    """(stdout, stderr) up to END_REQUEST; ConnectionError when the worker died."""
    out, err = b"", b""
    while True:
        _, kind, _, length, padding = struct.unpack(">BBHHBx", _exactly(conn, 8))
        content = _exactly(conn, length + padding)[:length]
        if kind == STDOUT:
            out += content
        elif kind == STDERR:
            err += content
        elif kind == END:
            return out, err


def parse(out):
    head, _, body = out.partition(b"\r\n\r\n")
    status = 200
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"status:"):
            status = int(line.split()[1])
    return status, head, body


def get(path, script, uri, method="GET", body=b"", extra=None, chunk=65528, padding=0):
    with connect(path) as conn:
        conn.sendall(request(script, uri, method, body, False, extra, chunk, padding))
        out, _ = read_response(conn)
    return parse(out)
