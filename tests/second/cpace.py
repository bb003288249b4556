# SPDX-License-Identifier: MIT
"""ristretto255 (RFC 9496) and CPace over it with SHA-512 (draft-irtf-cfrg-cpace).

Points are those of Ed25519 in `identity.py`, (X, Y, Z, T). Slow, not constant in time, and nothing
in here knows libsodium or the C code. Run as a program, it checks itself against the published
vectors, those of CPace from spec/vectors.
"""

import hashlib
import pathlib
import re

from identity import BASE, D, IDENTITY, L, P, SQRT_M1, add, multiply

# -- ristretto255 (RFC 9496, section 4) ------------------------------------------------------------


def is_negative(x):
    return x % P & 1


def absolute(x):
    return -x % P if is_negative(x) else x % P


def sqrt_ratio(u, v):
    """(was u/v a square, the root of u/v or of SQRT_M1 * u/v that is not negative)"""
    r = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    check = v * r * r % P
    u %= P
    was_square = check in (u, -u % P)
    if check in (-u % P, -u * SQRT_M1 % P):
        r = r * SQRT_M1
    return was_square, absolute(r)


INVSQRT_A_MINUS_D = sqrt_ratio(1, -1 - D)[1]
# The root of a*d - 1 that RFC 9496 names; sqrt_ratio gives the other one.
SQRT_AD_MINUS_ONE = -sqrt_ratio(-D - 1, 1)[1] % P
ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) ** 2 % P


def decode(data):
    """The point, or None."""
    s = int.from_bytes(data, "little")
    if len(data) != 32 or s >= P or is_negative(s):
        return None
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    was_square, root = sqrt_ratio(1, v * u2 * u2)
    x = absolute(2 * s * root * u2)
    y = u1 * root * root * u2 * v % P
    t = x * y % P
    if not was_square or is_negative(t) or y == 0:
        return None
    return (x, y, 1, t)


def encode(point):
    x0, y0, z0, t0 = point
    u1, u2 = (z0 + y0) * (z0 - y0) % P, x0 * y0 % P
    root = sqrt_ratio(1, u1 * u2 * u2)[1]
    d1, d2 = root * u1 % P, root * u2 % P
    z_inverse = d1 * d2 * t0 % P
    x, y, d = x0, y0, d2
    if is_negative(t0 * z_inverse):
        x, y, d = y0 * SQRT_M1 % P, x0 * SQRT_M1 % P, d1 * INVSQRT_A_MINUS_D % P
    if is_negative(x * z_inverse):
        y = -y
    return absolute(d * (z0 - y)).to_bytes(32, "little")


def elligator(t):
    """MAP of RFC 9496, section 4.3.4."""
    r = SQRT_M1 * t * t % P
    u = (r + 1) * ONE_MINUS_D_SQ % P
    v = (-1 - r * D) * (r + D) % P
    was_square, s = sqrt_ratio(u, v)
    c = -1
    if not was_square:
        s, c = -absolute(s * t), r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1 = 2 * s * v, n * SQRT_AD_MINUS_ONE
    w2, w3 = 1 - s * s, 1 + s * s
    return (w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def from_hash(data):
    """The one-way map of 64 bytes."""
    halves = (int.from_bytes(data[i:i + 32], "little") & ((1 << 255) - 1) for i in (0, 32))
    first, second = (elligator(t) for t in halves)
    return add(first, second)


# -- CPace -----------------------------------------------------------------------------------------

DSI = b"CPaceRistretto255"
HASH_BLOCK_BYTES = 128


def leb128(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def lv_cat(*parts):
    return b"".join(leb128(len(part)) + part for part in parts)


def generator(prs, ci, sid):
    pad = bytes(max(0, HASH_BLOCK_BYTES - 1 - len(lv_cat(prs)) - len(lv_cat(DSI))))
    return from_hash(hashlib.sha512(lv_cat(DSI, prs, pad, ci, sid)).digest())


def reduced(seed):
    """64 random bytes to a scalar."""
    return int.from_bytes(seed, "little") % L


def share(scalar, g):
    return encode(multiply(scalar, g))


def shared_point(scalar, other):
    """scalar_mult_vfy: the encoded point, or None for an invalid share and for the identity."""
    point = decode(other)
    k = encode(multiply(scalar, point)) if point else bytes(32)
    return k if k != encode(IDENTITY) else None


def isk(sid, k, ya, ada, yb, adb):
    """ISK of the initiator-responder form."""
    return hashlib.sha512(lv_cat(DSI + b"_ISK", sid, k) + lv_cat(ya, ada, yb, adb)).digest()


# -- published vectors -----------------------------------------------------------------------------


def published(folder):
    """The C arrays of the CPace draft's vectors."""
    text = (folder / "cpace-ristretto255.txt").read_text(encoding="utf-8")
    arrays = re.findall(r"const unsigned char tc_(\w+)\[\] = \{([^}]*)\}", text)
    return {name: bytes(int(n, 16) for n in re.findall("0x[0-9a-f]{2}", body))
            for name, body in arrays}


def check(folder):
    def same(name, got, want):
        if got != want:
            raise SystemExit(f"{name}: {got.hex()} is not {want.hex()}")

    # RFC 9496, A.1 and A.3
    multiples = ["00" * 32, "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
                 "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919"]
    for n, want in enumerate(multiples):
        same(f"{n} times the base point", encode(multiply(n, BASE)), bytes.fromhex(want))
    espresso = b"Ristretto is traditionally a short shot of espresso coffee"
    same("the one-way map", encode(from_hash(hashlib.sha512(espresso).digest())),
         bytes.fromhex("3066f82a1a747d45120d1740f14358531a8f04bbffe6a819f86dfe50f44a0a46"))
    for bad in ("01" + "00" * 31, "00" + "ff" * 31, "f3" + "ff" * 30 + "7f",
                "ed" + "ff" * 30 + "7f",
                "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"):
        if decode(bytes.fromhex(bad)):
            raise SystemExit(f"{bad} was taken for an encoding")

    v = published(folder)
    g = generator(v["PRS"], v["CI"], v["sid"])
    same("CPace generator", encode(g), v["g"])
    ya, yb = (int.from_bytes(v[name], "little") for name in ("ya", "yb"))
    same("CPace Ya", share(ya, g), v["Ya"])
    same("CPace Yb", share(yb, g), v["Yb"])
    same("CPace K", shared_point(ya, v["Yb"]), v["K"])
    same("CPace K", shared_point(yb, v["Ya"]), v["K"])
    same("CPace ISK", isk(v["sid"], v["K"], v["Ya"], v["ADa"], v["Yb"], v["ADb"]), v["ISK_IR"])


if __name__ == "__main__":
    check(pathlib.Path(__file__).resolve().parents[2] / "spec" / "vectors")
    print("cpace: all published vectors match")
