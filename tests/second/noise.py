# SPDX-License-Identifier: MIT
"""The Noise Protocol Framework (revision 34), as far as STT plays it.

Patterns IK, XX and KK with at most one psk; X25519, ChaChaPoly and BLAKE2b. Nothing in here knows
libsodium or the C code. Run as a program, it checks itself against the published vectors.
"""

import hashlib
import hmac
import json
import pathlib

import primitives as prim

BASE_POINT = (9).to_bytes(32, "little")


class Refused(Exception):
    """The datagram is dropped in silence."""


def require(condition, why):
    if not condition:
        raise Refused(why)


def nonce_of(n):
    return bytes(4) + n.to_bytes(8, "little")


def chacha20poly1305_open(key, nonce, ad, sealed):
    require(len(sealed) >= 16, "no tag")
    plain = prim.chacha20(key, 1, nonce, sealed[:-16])
    require(prim.chacha20poly1305_seal(key, nonce, ad, plain) == sealed, "the tag is wrong")
    return plain


def hkdf(ck, material, count):
    def hash_(key, data):
        return hmac.new(key, data, hashlib.blake2b).digest()

    secret, out = hash_(ck, material), [b""]
    for i in range(count):
        out.append(hash_(secret, out[-1] + bytes([i + 1])))
    return out[1:]


def dh(secret, public):
    shared = prim.x25519(secret, public)
    require(shared != bytes(32), "the DH does not contribute")
    return shared


PREMESSAGES = {"IK": ([], ["s"]), "XX": ([], []), "KK": (["s"], ["s"])}
TOKENS = {
    "IK": [["e", "es", "s", "ss"], ["e", "ee", "se"]],
    "XX": [["e"], ["e", "ee", "s", "es"], ["s", "se"]],
    "KK": [["e", "es", "ss"], ["e", "ee", "se"]],
}


class Noise:
    """A handshake state. The psk of a late token may be set while the handshake runs."""

    def __init__(self, pattern, initiator, prologue, s, e, rs=None, psk=None):
        base, _, psk_place = pattern.partition("psk")
        self.tokens = [list(tokens) for tokens in TOKENS[base]]
        if psk_place == "0":
            self.tokens[0].insert(0, "psk")
        elif psk_place:
            self.tokens[int(psk_place) - 1].append("psk")
        self.name = f"Noise_{pattern}_25519_ChaChaPoly_BLAKE2b".encode()
        self.initiator, self.psk, self.has_psk = initiator, psk, bool(psk_place)
        self.s, self.e, self.rs, self.re = s, e, rs, None
        self.e_public = self.public(e)
        self.ck = self.h = self.name.ljust(64, b"\0")
        self.k, self.n = None, 0
        self.h_after_e, self.ck_before_psk = [], None
        self.mix_hash(prologue)
        for keys, own in zip(PREMESSAGES[base], (initiator, not initiator)):
            for _ in keys:
                self.mix_hash(self.public(s) if own else rs)

    @staticmethod
    def public(secret):
        return prim.x25519(secret, BASE_POINT)

    def mix_hash(self, data):
        self.h = prim.blake2b(self.h + data)

    def mix_key(self, material):
        self.ck, k = hkdf(self.ck, material, 2)
        self.k, self.n = k[:32], 0

    def mix_psk(self):
        self.ck_before_psk = self.ck
        self.ck, to_hash, k = hkdf(self.ck, self.psk, 3)
        self.mix_hash(to_hash)
        self.k, self.n = k[:32], 0

    def mix_ephemeral(self, public):
        self.mix_hash(public)
        if self.has_psk:
            self.mix_key(public)
        self.h_after_e.append(self.h)

    def dh(self, token):
        """The first letter of a token is the initiator's key, the second the responder's."""
        mine, theirs = token if self.initiator else reversed(token)
        return dh(self.s if mine == "s" else self.e, self.rs if theirs == "s" else self.re)

    def seal(self, plain):
        sealed = plain
        if self.k:
            sealed = prim.chacha20poly1305_seal(self.k, nonce_of(self.n), self.h, plain)
            self.n += 1
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed):
        plain = sealed
        if self.k:
            plain = chacha20poly1305_open(self.k, nonce_of(self.n), self.h, sealed)
            self.n += 1
        self.mix_hash(sealed)
        return plain

    def write_tokens(self):
        out = b""
        for token in self.tokens.pop(0):
            if token == "e":
                out += self.e_public
                self.mix_ephemeral(self.e_public)
            elif token == "s":
                out += self.seal(self.public(self.s))
            elif token == "psk":
                self.mix_psk()
            else:
                self.mix_key(self.dh(token))
        return out

    def read_tokens(self, message):
        """What follows the tokens: the sealed payload."""
        for token in self.tokens.pop(0):
            if token == "e":
                require(len(message) >= 32, "no ephemeral key")
                self.re, message = message[:32], message[32:]
                require(self.re != self.e_public, "the own ephemeral key")
                self.mix_ephemeral(self.re)
            elif token == "s":
                size = 48 if self.k else 32
                require(len(message) >= size, "no static key")
                self.rs, message = self.open(message[:size]), message[size:]
                require(self.rs != self.public(self.s), "the own static key")
            elif token == "psk":
                self.mix_psk()
            else:
                self.mix_key(self.dh(token))
        return message

    def split(self):
        return tuple(k[:32] for k in hkdf(self.ck, b"", 2))


class LowOrder(Noise):
    """Sends an ephemeral key of low order, and takes 0 for what everybody's DH with it is."""

    def dh(self, token):
        mine = token[0 if self.initiator else 1]
        return bytes(32) if mine == "e" else super().dh(token)


# -- published vectors -----------------------------------------------------------------------------


def check(folder):
    """Plays those of the vectors in the folder that are within this file's reach."""
    played = 0
    for v in json.loads((folder / "noise.json").read_text())["vectors"]:
        pattern = v["protocol_name"].split("_")[1]
        if pattern.partition("psk")[0] not in TOKENS or "+" in pattern:
            continue
        sides = []
        for me, initiator in (("init", True), ("resp", False)):
            def input_(name, who=me):
                return bytes.fromhex(v.get(f"{who}_{name}") or "") or None
            psk = bytes.fromhex(v.get(f"{me}_psks", [""])[0]) if v.get(f"{me}_psks") else None
            side_ = Noise(pattern, initiator, input_("prologue") or b"", input_("static"),
                          input_("ephemeral"), input_("remote_static"), psk)
            sides.append(side_)
        turns = len(sides[0].tokens)
        for i, m in enumerate(v["messages"][:turns]):
            writer, reader = sides if i % 2 == 0 else sides[::-1]
            message = writer.write_tokens()
            message += writer.seal(bytes.fromhex(m["payload"]))
            assert message.hex() == m["ciphertext"], v["protocol_name"]
            assert reader.open(reader.read_tokens(message)).hex() == m["payload"]
        assert v.get("handshake_hash") in (None, sides[0].h.hex()), v["protocol_name"]
        k1 = sides[0].split()[turns % 2]
        m = v["messages"][turns]
        assert prim.chacha20poly1305_seal(k1, nonce_of(0), b"",
                                          bytes.fromhex(m["payload"])).hex() == m["ciphertext"]
        played += 1
    assert played >= 8


if __name__ == "__main__":
    check(pathlib.Path(__file__).resolve().parents[2] / "spec" / "vectors")
    print("noise: all published vectors match")
