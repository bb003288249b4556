# SPDX-License-Identifier: MIT
"""Identities and their texts (spec 03, "Identities"), written a second time, to make vectors.

    python3 tests/second/identity.py            writes spec/vectors/identity.json and text.json
    python3 tests/second/identity.py --check    says whether they are what this would write

Ed25519 follows RFC 8032; base32 is Python's own. Nothing in here knows libsodium or the C code.
"""

import base64
import hashlib
import json
import pathlib
import struct
import sys

from primitives import blake2b, x25519

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


# -- Ed25519 (RFC 8032, section 6): points are (X, Y, Z, T) ------------------------------------------

IDENTITY = (0, 1, 1, 0)


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(s, p):
    q = IDENTITY
    while s:
        if s & 1:
            q = add(q, p)
        p = add(p, p)
        s >>= 1
    return q


def equal(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def affine(p):
    inverse = pow(p[2], P - 2, P)
    return p[0] * inverse % P, p[1] * inverse % P


def point(y, sign):
    """The point with this y and this lowest bit of x, or None."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_M1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y % P, 1, x * y % P)


BASE = point(4 * pow(5, P - 2, P) % P, 0)


def compress(p):
    x, y = affine(p)
    return (y | (x & 1) << 255).to_bytes(32, "little")


def raw(y, sign=0):
    """An encoding that may be none."""
    return (y | sign << 255).to_bytes(32, "little")


def decompress(data):
    n = int.from_bytes(data, "little")
    y = n & ((1 << 255) - 1)
    return point(y, n >> 255) if y < P else None


def expand(secret):
    h = hashlib.sha512(secret).digest()
    a = int.from_bytes(h[:32], "little") & ~7 & ((1 << 254) - 1) | 1 << 254
    return a, h[32:]


def public_of(secret):
    return compress(multiply(expand(secret)[0], BASE))


def hash_to_scalar(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


def sign(secret, message):
    a, prefix = expand(secret)
    r = hash_to_scalar(prefix, message)
    point_r = compress(multiply(r, BASE))
    s = (r + hash_to_scalar(point_r, public_of(secret), message) * a) % L
    return point_r + s.to_bytes(32, "little")


# -- the spec's own --------------------------------------------------------------------------------

def lp(data):
    return struct.pack(">H", len(data)) + data


def labelled(label, *parts):
    return b"".join(lp(part) for part in (label.encode(), *parts))


def image(peer_id):
    """The X25519 public key, or None where the conversion refuses."""
    p = decompress(peer_id)
    if p is None or equal(multiply(8, p), IDENTITY) or not equal(multiply(L, p), IDENTITY):
        return None
    y = affine(p)[1]
    return ((1 + y) * pow(1 - y, P - 2, P) % P).to_bytes(32, "little")


PREFIXES = {"peer_id": "stt1", "ticket": "sttticket1", "seed": "sttseed1",
            "secret_ticket": "sttsecret1", "identity": "sttkey1"}
SECRETS = ("seed", "secret_ticket", "identity")


def base32(data):
    return base64.b32encode(data).decode().lower().rstrip("=")


def check_of(prefix, body):
    return blake2b(labelled("stt1 text", prefix.encode(), body), 16)[:3]


def encode(kind, body):
    prefix = PREFIXES[kind]
    return prefix + base32(body + check_of(prefix, body))


def address(host, port):
    if "." in host:
        return b"\4" + bytes(int(n) for n in host.split(".")) + struct.pack(">H", port)
    groups = [int(n, 16) for n in host.split(":")]
    return b"\6" + struct.pack(">8H", *groups) + struct.pack(">H", port)


# -- vectors ---------------------------------------------------------------------------------------

SECRET = bytes(range(32))
PEER = public_of(SECRET)
SEED = bytes(range(0x40, 0x60))
V4 = address("192.0.2.1", 4433)
V6 = address("2001:db8:0:0:0:0:0:1", 443)


def torsion(order):
    """A point of order 1, 2, 4 or 8."""
    y = 2
    while True:
        p = point(y, 0)
        y += 1
        if p is None:
            continue
        p = multiply(L, p)
        if equal(multiply(4, p), IDENTITY):
            continue
        return multiply(8 // order, p)


def bad_peer_ids():
    peer = decompress(PEER)
    not_on_curve = next(y for y in range(2, 99) if point(y, 0) is None)
    yield "y is not on the curve", raw(not_on_curve)
    for order in (1, 2, 4, 8):
        yield f"order {order}", compress(torsion(order))
    yield "order 1, with a sign", raw(1, 1)
    yield "order 2, with a sign", raw(P - 1, 1)
    for order in (2, 4, 8):
        yield f"order {order} times that of the main subgroup", compress(add(peer, torsion(order)))
    yield "y = 2^255 - 19, which is 0", raw(P)
    yield "y = 2^255 - 1, which is 18", raw(P + 18)


def unreduced_peer_ids():
    """The points with a second encoding: none of them would be a peer id with its first one."""
    for y in range(19):
        for sign in (0, 1):
            assert image(raw(y, sign)) is None
            yield f"y = 2^255 - 19 + {y}, sign {sign}", raw(P + y, sign)


def identity_vectors():
    hash_ = bytes(range(0x80, 0xC0))
    secrets = [SECRET, bytes(32), b"\xff" * 32, hashlib.sha256(b"stt1 vector").digest()]
    identities = []
    for secret in secrets:
        peer_id = public_of(secret)
        clamped = expand(secret)[0].to_bytes(32, "little")
        static_public = image(peer_id)
        assert static_public == x25519(clamped, (9).to_bytes(32, "little"))
        identities.append({"secret": secret.hex(), "peer_id": peer_id.hex(),
                           "static_secret": clamped.hex(), "static_public": static_public.hex()})
    signatures = []
    for label, parts in (("stt1 identity", (b"\0", hash_)), ("stt1 identity", (b"\1", hash_)),
                         ("stt1 record", (b"", b"a value", bytes(100)))):
        signatures.append({"secret": SECRET.hex(), "label": label,
                           "parts": [part.hex() for part in parts],
                           "signature": sign(SECRET, labelled(label, *parts)).hex()})
    refused = [*bad_peer_ids(), *unreduced_peer_ids()]
    assert all(image(peer_id) is None for _, peer_id in refused)
    return {"about": "spec 03, Identities; made by tests/second/identity.py",
            "identities": identities, "signatures": signatures,
            "refused_peer_ids": [{"why": why, "peer_id": peer_id.hex()}
                                 for why, peer_id in refused]}


def bodies():
    other = public_of(hashlib.sha256(b"stt1 vector").digest())
    eight_v4 = b"".join(address(f"192.0.2.{n}", 1000 + n) for n in range(8))
    eight_v6 = b"".join(address(f"2001:db8:0:0:0:0:0:{n:x}", 65535 - n) for n in range(8))
    yield "peer_id", PEER
    yield "peer_id", other
    yield "seed", SEED
    yield "seed", bytes(31) + b"\1"
    yield "identity", SECRET
    yield "identity", b"\xff" * 32
    for places in (b"\0", b"\1" + V4, b"\1" + V6, b"\2" + V6 + V4, b"\x08" + eight_v4,
                   b"\x08" + eight_v6):
        yield "ticket", PEER + places
        yield "secret_ticket", PEER + SEED + places


def bad_bodies():
    yield "seed", "an all-zero seed", bytes(32)
    yield "secret_ticket", "an all-zero seed", PEER + bytes(32) + b"\0"
    for kind, size in (("peer_id", 32), ("seed", 32), ("identity", 32)):
        body = {"peer_id": PEER, "seed": SEED, "identity": SECRET}[kind]
        yield kind, "a byte too few", body[:size - 1]
        yield kind, "a byte too many", body + b"\0"
        yield kind, "no body", b""
    for kind, who in (("ticket", PEER), ("secret_ticket", PEER + SEED)):
        yield kind, "no count", who
        yield kind, "an address too few", who + b"\2" + V4
        yield kind, "an address too many", who + b"\1" + V4 + V4
        yield kind, "a byte too few", who + b"\1" + V6[:-1]
        yield kind, "a byte too many", who + b"\1" + V6 + b"\0"
        yield kind, "nine addresses", who + b"\x09" + 9 * V4
        yield kind, "family 0", who + b"\1\0" + V4[1:]
        yield kind, "family 5", who + b"\1\5" + V4[1:]
        yield kind, "port 0", who + b"\1" + V4[:-2] + bytes(2)
    for why, peer_id in bad_peer_ids():
        yield "peer_id", why, peer_id
    yield "ticket", "a peer id of order 4", compress(torsion(4)) + b"\0"
    yield "secret_ticket", "a peer id of order 4", compress(torsion(4)) + SEED + b"\0"


def with_spare_bits(text):
    """The same with the last spare bit set; None where there is none."""
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    if len(text[text.index("1") + 1:]) * 5 % 8 == 0:
        return None
    return text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]


def bad_texts():
    """(kind that is wanted, why, text, error)"""
    peer, seed = encode("peer_id", PEER), encode("seed", SEED)
    ticket = encode("ticket", PEER + b"\1" + V4)
    key = encode("identity", SECRET)
    yield "peer_id", "empty", "", "format"
    yield "peer_id", "a prefix and nothing else", "stt1", "format"
    yield "peer_id", "no prefix", peer[4:], "format"
    yield "peer_id", "white space before", " " + peer, "format"
    yield "peer_id", "white space behind", peer + " ", "format"
    yield "peer_id", "a line end behind", peer + "\n", "format"
    yield "peer_id", "padding", peer + "=", "format"
    yield "peer_id", "a character behind", peer + "a", "format"
    yield "peer_id", "the prefix in upper case", "STT1" + peer[4:], "format"
    yield "peer_id", "the rest in upper case", "stt1" + peer[4:].upper(), "format"
    yield "peer_id", "half the prefix in upper case", "STt1" + peer[4:].upper(), "format"
    for c in "0189-_=@[`{/:\x7f\xe9":
        yield "peer_id", f"character U+{ord(c):04X}", peer[:20] + c + peer[21:], "format"
    yield "peer_id", "another kind's check", "stt1" + seed[len("sttseed1"):], "format"
    yield "peer_id", "a ticket", ticket, "format"
    yield "ticket", "a peer id", peer, "format"
    yield "identity", "a seed", seed, "format"
    yield "seed", "a secret ticket", encode("secret_ticket", PEER + SEED + b"\0"), "format"
    yield "seed", "a peer id", peer, "format"
    yield "secret_ticket", "a ticket", ticket, "format"
    for kind in ("peer_id", "ticket"):
        for secret in (seed, key, encode("secret_ticket", PEER + SEED + b"\0")):
            yield kind, "a secret", secret, "secret"
            yield kind, "a secret in upper case", secret.upper(), "secret"
            yield kind, "a damaged secret", secret[:-9], "secret"
            yield kind, "a secret in mixed case", secret.capitalize(), "secret"
            yield kind, "a secret behind something else", peer + " " + secret, "secret"
    for kind, body in bodies():
        text = encode(kind, body)
        spare = with_spare_bits(text)
        if spare:
            yield kind, "spare bits that are not zero", spare, "format"
    yield "seed", "a long text", seed + "a" * 4000, "format"
    for kind, text in (("peer_id", peer), ("ticket", ticket), ("seed", seed), ("identity", key)):
        start = len(PREFIXES[kind])
        for at in (start, start + 26, len(text) - 4):
            other = "b" if text[at] == "a" else "a"
            yield kind, f"character {at} changed", text[:at] + other + text[at + 1:], "format"
    for kind, why, body in bad_bodies():
        yield kind, why, encode(kind, body), "format"


def text_vectors():
    accepted = []
    for kind, body in bodies():
        text = encode(kind, body)
        accepted.append({"kind": kind, "body": body.hex(), "text": text,
                         "also": text.upper()})
    refused = [{"kind": kind, "why": why, "text": text, "error": error}
               for kind, why, text, error in bad_texts()]
    return {"about": "spec 03, Text forms; made by tests/second/identity.py",
            "accepted": accepted, "refused": refused}


def self_check():
    """RFC 8032, section 7.1, tests 1 and 2; RFC 4648, section 10."""
    for secret, public, message, signature in (
            ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
             "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
             "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
             "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
            ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
             "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
             "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
             "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")):
        secret = bytes.fromhex(secret)
        assert public_of(secret).hex() == public
        assert sign(secret, bytes.fromhex(message)).hex() == signature
    assert base32(b"foobar") == "mzxw6ytboi"


def main():
    self_check()
    folder = pathlib.Path(__file__).resolve().parents[2] / "spec" / "vectors"
    for name, vectors in (("identity.json", identity_vectors()), ("text.json", text_vectors())):
        content = json.dumps(vectors, indent=1) + "\n"
        path = folder / name
        if "--check" not in sys.argv[1:]:
            path.write_text(content, encoding="ascii")
        elif path.read_text(encoding="ascii") != content:
            raise SystemExit(f"{path}: not what identity.py writes")


if __name__ == "__main__":
    main()
