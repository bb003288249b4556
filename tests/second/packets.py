# SPDX-License-Identifier: MIT
"""Session secrets, packets, cookies, ids and codes of STT, written from spec/02-wire.md and
spec/03-handshake.md alone.

    python3 tests/second/packets.py            writes its files in spec/vectors (about a minute)
    python3 tests/second/packets.py --check    says whether they are what this would write
"""

import json
import pathlib
import re
import sys

import primitives as prim


def u8(n):
    return n.to_bytes(1, "big")


def u16(n):
    return n.to_bytes(2, "big")


def u32(n):
    return n.to_bytes(4, "big")


def u64(n):
    return n.to_bytes(8, "big")


def lp(x):
    return u16(len(x)) + x


def joined(label, parts):
    return b"".join(lp(x) for x in (label.encode(), *parts))


def H(n, label, *parts):
    return prim.blake2b(joined(label, parts), n)


def KH(n, key, label, *parts):
    return prim.blake2b(joined(label, parts), n, key)


def MAC(key, m):
    return prim.siphash(key, m, 16)


# -- key schedule ------------------------------------------------------------------------------------

def aes_mask(key, sample):
    return prim.aes_encrypt(key, sample)[:5]


def chacha_mask(key, sample):
    counter = int.from_bytes(sample[:4], "little")
    return prim.chacha20_block(key, counter, sample[4:])[:5]


class Suite:
    def __init__(self, id, name, key_bytes, nonce_bytes, seal, mask):
        self.id, self.name, self.key_bytes, self.nonce_bytes = id, name, key_bytes, nonce_bytes
        self.seal, self.mask = seal, mask


SUITES = [
    Suite(1, "aegis-128x2", 16, 16, lambda *a: prim.aegis_seal(2, *a), aes_mask),
    Suite(2, "aegis-128l", 16, 16, lambda *a: prim.aegis_seal(1, *a), aes_mask),
    Suite(3, "aes-256-gcm", 32, 12, prim.aes_gcm_seal, aes_mask),
    Suite(4, "chacha20-poly1305", 32, 12, prim.chacha20poly1305_seal, chacha_mask),
]


class Session:
    """All secrets of a session; `epochs` holds a pair of secrets each, one per direction."""

    def __init__(self, suite, k1, k2, h):
        self.suite, self.name = suite, suite.name.encode()
        self.epochs, self.h = [(k1, k2)], [h]

    def context(self, d, e):
        return self.name, u8(d), u64(e)

    def key(self, d, e):
        return KH(self.suite.key_bytes, self.epochs[e][d], "stt1 key", *self.context(d, e))

    def iv(self, d, e):
        return KH(16, self.epochs[e][d], "stt1 iv", *self.context(d, e))[:self.suite.nonce_bytes]

    def mask_key(self, d):
        return KH(self.suite.key_bytes, self.epochs[0][d], "stt1 mask", *self.context(d, 0))

    def exporter(self, e):
        both = self.epochs[e][0] + self.epochs[e][1]
        return KH(32, both, "stt1 exporter", self.name, u64(e), self.h[e])

    def update(self):
        e = len(self.epochs)
        self.epochs.append(tuple(KH(32, self.epochs[-1][d], "stt1 update", *self.context(d, e))
                                 for d in (0, 1)))
        self.h.append(self.h[-1])

    def rekey(self, k1, k2, h):
        self.epochs.append((k1, k2))
        self.h.append(h)

    def packet(self, d, e, number, session_id, frames, reserved=0):
        header = u8(reserved << 1 | e & 1) + session_id + u32(number % 2**32)
        width = self.suite.nonce_bytes
        nonce = prim.xor(self.iv(d, e), u64(number).rjust(width, b"\0"))
        body = self.suite.seal(self.key(d, e), nonce, header, frames)
        mask = self.suite.mask(self.mask_key(d), body[:16])
        return (u8(header[0] ^ mask[0] & 0x7F) + session_id +
                prim.xor(header[9:], mask[1:]) + body)


# -- mac1, mac2, cookies, refusals -------------------------------------------------------------------

ZEROS = bytes(32)


def mac1_key(seed, version, mode, message, material):
    return KH(16, seed or ZEROS, "stt1 mac1", u8(version), u8(mode), u8(message), material)


def cookie_key(seed, version, mode, material):
    return KH(32, seed or ZEROS, "stt1 cookie", u8(version), u8(mode), material)


def cookie(secret, now_ns, address, port):
    period = now_ns // (120 * 10**9)
    return MAC(KH(16, secret, "stt1 cookie secret", u64(period)), address + u16(port))


def refuse(ck, header, reason):
    key = KH(32, ck[:32], "stt1 refused")
    return key, prim.chacha20poly1305_seal(key, bytes(12), header, u8(reason))


# -- session ids -------------------------------------------------------------------------------------

def balanced_id(key, random, index):
    return random + prim.xor(u16(index), prim.siphash(key, random)[:2])


def worker(k0, k1, id, workers):
    a, b = int.from_bytes(id[:4], "big"), int.from_bytes(id[4:], "big")
    h = (a ^ k0) * 0x9E3779B1 % 2**32
    h ^= h >> 15
    h = (h ^ b ^ k1) * 0x85EBCA77 % 2**32
    h ^= h >> 13
    h = h * 0xC2B2AE3D % 2**32
    h ^= h >> 16
    return h % workers


# -- codes -------------------------------------------------------------------------------------------

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def code_text(slot, secret):
    chars = "".join(BASE32[secret >> 5 * i & 31] for i in range(7, -1, -1))
    return f"{slot}-{chars[:4]}-{chars[4:]}", f"{slot}-{chars}"


def stretch(passphrase):
    """The normalised passphrase and its PRS; white space is that of ASCII."""
    normal = re.sub(rb"[ \t-\r]+", b" ", passphrase).strip(b" ")
    normal.decode("utf-8")
    assert 8 <= len(normal) <= 256
    return normal, prim.argon2id(normal, H(16, "stt1 passphrase"), 3, 64 * 1024, 1, 32)


# -- vectors -----------------------------------------------------------------------------------------

def seq(first, n):
    """n bytes that count up from `first`."""
    return bytes((first + i) % 256 for i in range(n))


def kdf_vectors():
    lists = [[], [b""], [b"", b""], [seq(1, 1)], [seq(1, 32), seq(40, 8)], [u8(1), u64(2**40 + 3)],
             [seq(0, 1000)], [seq(i, i) for i in range(6)]]
    plain = [{"n": n, "label": "stt1 test", "parts": parts, "out": H(n, "stt1 test", *parts)}
             for n in (16, 32, 64) for parts in lists]
    keyed = [{"n": n, "key": seq(0x80, k), "label": "stt1 test", "parts": parts,
              "out": KH(n, seq(0x80, k), "stt1 test", *parts)}
             for n in (16, 32, 64) for k in (32, 64) for parts in lists]
    return {"H": plain, "KH": keyed}


def vector_session(suite):
    """Epochs 0 to 2 by key update, 3 by REKEY, 4 by key update."""
    s = Session(suite, seq(0x10, 32), seq(0x40, 32), seq(0x70, 64))
    s.update()
    s.update()
    s.rekey(seq(0xA0, 32), seq(0xC0, 32), seq(0xE0, 64))
    s.update()
    return s


def key_schedule_vectors():
    def epoch(s, e):
        return {"epoch": e, "begun_by": ["split", "update", "update", "rekey", "update"][e],
                "h": s.h[e], "secret": s.epochs[e], "key": [s.key(d, e) for d in (0, 1)],
                "iv": [s.iv(d, e) for d in (0, 1)], "exporter": s.exporter(e)}

    def schedule(suite):
        s = vector_session(suite)
        return {"suite": suite.name, "mask": [s.mask_key(d) for d in (0, 1)],
                "epochs": [epoch(s, e) for e in range(5)]}

    return {"schedules": [schedule(suite) for suite in SUITES]}


def packet_vectors():
    # direction, epoch, number, parts, reserved bits
    cases = [
        (0, 0, 0, [b"\x01"], 0),
        (1, 0, 0, [b"\x01"], 0),
        (0, 0, 1, [seq(0, 15)], 0),
        (0, 0, 2, [seq(1, 16)], 0),
        (1, 0, 255, [seq(2, 3), seq(9, 40)], 0),
        (1, 1, 65536, [seq(0, 31), b"", seq(31, 33), seq(64, 1)], 0),
        (0, 1, 2**32 - 1, [seq(5, 100)], 0),
        (0, 2, 2**32, [seq(5, 100)], 0),
        (1, 2, 2**32 + 2**31 - 1, [seq(3, 7), seq(10, 249)], 0),
        (0, 3, 2**40 + 77, [seq(8, 64)], 0),
        (1, 4, 2**62 - 1, [seq(0, 1423)], 0),
        (0, 0, 3, [], 0),
        (0, 0, 4, [b"\x01"], 0x01),
        (1, 1, 65537, [b"\x01"], 0x3F),
    ]

    def packets(suite):
        s = vector_session(suite)
        for i, (d, e, number, parts, reserved) in enumerate(cases):
            id = seq(0xD0 + i, 8)
            yield {"direction": d, "epoch": e, "number": str(number), "session_id": id,
                   "parts": parts, "violation": not parts or reserved != 0,
                   "datagram": s.packet(d, e, number, id, b"".join(parts), reserved)}

    return {"k1": seq(0x10, 32), "k2": seq(0x40, 32),
            "rekey": {"epoch": 3, "k1": seq(0xA0, 32), "k2": seq(0xC0, 32)},
            "suites": [{"suite": suite.name, "packets": list(packets(suite))} for suite in SUITES]}


def cookie_vectors():
    seed, public, secret = seq(0x21, 32), seq(0x61, 32), seq(0x91, 32)
    message = b"\x91\x01" + seq(0, 1166)
    v4 = bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 7])
    v6 = bytes.fromhex("20010db8000000000000000000000042")
    nonce = seq(0x33, 24)

    def answered(name, mode, seed, material, address, port, now_ns):
        mac1 = MAC(mac1_key(seed, 1, mode, 1, material), message)
        c = cookie(secret, now_ns, address, port)
        key = cookie_key(seed, 1, mode, material)
        keys = [mac1_key(seed, 1, mode, n, material) for n in (1, 2, 3)]
        return {"name": name, "version": 1, "mode": mode, "seed": seed, "material": material,
                "mac1_keys": keys, "mac1": mac1, "address": address, "port": port,
                "now_ns": str(now_ns), "cookie": c, "cookie_key": key,
                "sealed_cookie": prim.xchacha20poly1305_seal(key, nonce, mac1, c),
                "mac2": MAC(c, message + mac1)}

    return {
        "message": message, "cookie_secret": secret, "nonce": nonce,
        "cases": [
            answered("K with a seed", 1, seed, public, v4, 4000, 0),
            answered("K without a seed", 1, None, public, v6, 65535, 120 * 10**9 - 1),
            answered("S", 2, seed, b"", v6, 1, 120 * 10**9),
            answered("W", 3, None, b"", v4, 443, 10**18),
            answered("Q", 4, None, b"", v6, 9999, 2**63),
        ],
    }


def id_vectors():
    key = seq(0x50, 16)
    balanced = [{"random": r, "index": i, "id": balanced_id(key, r, i)}
                for r in (bytes(6), seq(1, 6), b"\xff" * 6) for i in (0, 1, 258, 65535)]
    k0, k1 = 0x01234567, 0x89ABCDEF
    ids = [seq(i * 31, 8) for i in range(8)] + [b"\xff" * 8, bytes(7) + b"\x01"]
    return {"balancer_key": key, "balanced": balanced,
            "hash_key": [k0, k1],
            "workers": [{"id": id, "workers": n, "worker": worker(k0, k1, id, n)}
                        for id in ids for n in (1, 2, 3, 16, 1000)]}


def code_vectors():
    made = [code_text(slot, secret) + (slot, secret) for slot, secret in
            ((1, 0), (9, 1), (10, 2**40 - 1), (417, 0x0123456789), (9999, 0xFEDCBA9876),
             (1000, 0x5555555555), (100, 0xAAAAAAAAAA))]
    text, prs = "417-k7qd-x2mz", "417-k7qdx2mz"
    read = [text, "417-K7QD-X2MZ", "417-k7QD-x2Mz", "417-k7qdx2mz", "417 k7qd x2mz",
            "  417-k7qd-x2mz \n", "417--k7qd--x2mz", "417 - k7qd - x2mz", "0417-k7qd-x2mz",
            "417-k-7-q-d-x-2-m-z", "417 k 7 q d x 2 m z", "4 1 7-k7qd-x2mz", "00000417-k7qdx2mz"]
    refused = ["", "-", "417", "417-", "417k7qdx2mz", "417-k7qd-x2m", "417-k7qd-x2mzz", "0-k7qd-x2mz",
               "10000-k7qd-x2mz", "-417-k7qd-x2mz", "417-k7qd-x2mz-", "417-k7qd-x2m1", "417-k7qd-x2m8",
               "417-k7qd-x2m0", "417-k7qd_x2mz", "4a7-k7qd-x2mz", "k7qd-x2mz", "417-k7qd-x2m\u00e4",
               "4-17-k7qd-x2mz", "41 7 k7qd x2mz", "99999999999999999999-k7qd-x2mz", "+17-k7qd-x2mz"]
    normal, stretched = stretch("  correct\t horse \r\n b\u00e4ttery ".encode())
    bad = [b"", b" " * 20, b"1234567", b" 1234567 ", b"x" * 257, b"1234567\xff", b"1234567\xc3",
           b"1234567\xc0\x80", b"1234567\xed\xa0\x80", b"1234567\xf4\x90\x80\x80", b"\x80 12345678"]
    good = [b"12345678", b"x" * 256, b"  x" * 86 + b"   ", "\u00e4\u20ac\U0001f600".encode(),
            "\U0010ffff\ud7ff\ue000".encode()]
    isk, sid = seq(0x11, 64), seq(0x99, 64)
    ck, header = seq(0x45, 64), b"\xd3\x01" + seq(0x77, 8)
    return {
        "made": [{"text": t, "prs": p.encode(), "slot": slot, "secret": secret.to_bytes(5, "big")}
                 for t, p, slot, secret in made],
        "read": [{"text": t.encode(), "slot": 417, "prs": prs.encode()} for t in read],
        "not_read": [t.encode() for t in refused],
        "stretched": [{"passphrase": "  correct\t horse \r\n b\u00e4ttery ".encode(),
                       "normalised": normal, "prs": stretched}],
        "passphrases": [{"passphrase": g, "normalised": re.sub(rb" +", b" ", g).strip()}
                        for g in good],
        "not_passphrases": bad,
        "psk": {"isk": isk, "sid": sid, "psk": KH(32, isk, "stt1 cpace", sid)},
        "refused": [dict(zip(("ck", "header", "reason", "key", "sealed"),
                             (ck[:32], header, reason, *refuse(ck, header, reason))))
                    for reason in (1, 2)],
    }


FILES = {
    "kdf.json": kdf_vectors,
    "key-schedule.json": key_schedule_vectors,
    "protected-packets.json": packet_vectors,
    "cookie.json": cookie_vectors,
    "session-id.json": id_vectors,
    "code.json": code_vectors,
}


def main(arguments):
    prim.check()
    folder = pathlib.Path(__file__).resolve().parents[2] / "spec" / "vectors"
    stale = []
    for name, make in FILES.items():
        about = "made by tests/second/packets.py from the text of the specification"
        text = json.dumps({"about": about, **make()}, indent=1, default=bytes.hex) + "\n"
        if "--check" not in arguments:
            (folder / name).write_text(text)
        elif (folder / name).read_text() != text:
            stale.append(name)
    if stale:
        sys.exit("not what the specification gives: " + ", ".join(stale))


if __name__ == "__main__":
    main(sys.argv[1:])
