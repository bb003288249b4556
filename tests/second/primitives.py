# SPDX-License-Identifier: MIT
"""The primitives that STT is built on, from their own specifications.

Slow, not constant in time, and meant to be read: nothing in here knows libsodium or the C code, so
that vectors made with it test both. Python's standard library only. Run as a program, it checks
itself against published vectors.
"""

import hashlib
import struct

MASK32 = (1 << 32) - 1
MASK64 = (1 << 64) - 1


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def rotl32(x, n):
    return (x << n | x >> (32 - n)) & MASK32


def rotl64(x, n):
    return (x << n | x >> (64 - n)) & MASK64


def padded(data, block):
    return data + bytes(-len(data) % block)


def blake2b(data, n=64, key=b""):
    return hashlib.blake2b(data, digest_size=n, key=key).digest()


# -- SipHash-2-4 -------------------------------------------------------------------------------------

def siphash(key, message, n=8):
    """SipHash-2-4 with 8 or 16 bytes of output."""
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D,
         k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    if n == 16:
        v[1] ^= 0xEE

    def rounds(count):
        for _ in range(count):
            v[0] = (v[0] + v[1]) & MASK64
            v[1] = rotl64(v[1], 13) ^ v[0]
            v[0] = rotl64(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK64
            v[3] = rotl64(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK64
            v[3] = rotl64(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK64
            v[1] = rotl64(v[1], 17) ^ v[2]
            v[2] = rotl64(v[2], 32)

    def result():
        rounds(4)
        return struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])

    rest = len(message) % 8
    last = message[len(message) - rest:] + bytes(7 - rest) + bytes([len(message) & 0xFF])
    for (m,) in struct.iter_unpack("<Q", message[:len(message) - rest] + last):
        v[3] ^= m
        rounds(2)
        v[0] ^= m
    v[2] ^= 0xEE if n == 16 else 0xFF
    out = result()
    if n == 16:
        v[1] ^= 0xDD
        out += result()
    return out


# -- ChaCha20, Poly1305 (RFC 8439), XChaCha20 (draft-irtf-cfrg-xchacha) ------------------------------

def chacha20_rounds(state):
    s = list(state)

    def quarter(a, b, c, d):
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & MASK32
            s[z] = rotl32(s[z] ^ s[x], n)

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return s


def chacha20_state(key, sixteen):
    return struct.unpack("<16I", b"expand 32-byte k" + key + sixteen)


def chacha20_block(key, counter, nonce):
    state = chacha20_state(key, struct.pack("<I", counter) + nonce)
    mixed = chacha20_rounds(state)
    return struct.pack("<16I", *((a + b) & MASK32 for a, b in zip(mixed, state)))


def chacha20(key, counter, nonce, data):
    out = b""
    for i in range(0, len(data), 64):
        block = chacha20_block(key, counter + i // 64, nonce)
        out += xor(data[i:i + 64], block[:len(data[i:i + 64])])
    return out


def hchacha20(key, nonce):
    s = chacha20_rounds(chacha20_state(key, nonce))
    return struct.pack("<8I", *s[:4], *s[12:])


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    sum_ = 0
    for i in range(0, len(message), 16):
        block = message[i:i + 16] + b"\1"
        sum_ = (sum_ + int.from_bytes(block, "little")) * r % ((1 << 130) - 5)
    sum_ += int.from_bytes(key[16:], "little")
    return (sum_ & ((1 << 128) - 1)).to_bytes(16, "little")


def chacha20poly1305_seal(key, nonce, ad, plain):
    cipher = chacha20(key, 1, nonce, plain)
    lengths = struct.pack("<QQ", len(ad), len(cipher))
    one_time_key = chacha20_block(key, 0, nonce)[:32]
    return cipher + poly1305(one_time_key, padded(ad, 16) + padded(cipher, 16) + lengths)


def xchacha20poly1305_seal(key, nonce, ad, plain):
    return chacha20poly1305_seal(hchacha20(key, nonce[:16]), bytes(4) + nonce[16:], ad, plain)


# -- AES (FIPS 197) and AES-GCM (SP 800-38D) ---------------------------------------------------------

def gf8_multiply(a, b):
    """In GF(2^8) modulo x^8 + x^4 + x^3 + x + 1."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def make_sbox():
    box = []
    for x in range(256):
        inverse = next((y for y in range(256) if gf8_multiply(x, y) == 1), 0)
        turned = (inverse << n | inverse >> (8 - n) for n in range(5))
        s = 0x63
        for t in turned:
            s ^= t & 0xFF
        box.append(s)
    return bytes(box)


SBOX = make_sbox()
TIMES2 = bytes(gf8_multiply(x, 2) for x in range(256))


def sub_and_shift(block):
    return bytes(SBOX[block[(i + 4 * (i % 4)) % 16]] for i in range(16))


def mix_columns(block):
    out = bytearray()
    for c in range(0, 16, 4):
        column = block[c:c + 4]
        for i in range(4):
            a, b, c2, d = (column[(i + k) % 4] for k in range(4))
            out.append(TIMES2[a] ^ TIMES2[b] ^ b ^ c2 ^ d)
    return bytes(out)


def aes_round(block, round_key):
    return xor(mix_columns(sub_and_shift(block)), round_key)


def aes_expand(key):
    words = [key[i:i + 4] for i in range(0, len(key), 4)]
    n, constant = len(words), 1
    for i in range(n, 4 * (n + 7)):
        word = words[-1]
        if i % n == 0:
            word = bytes(SBOX[word[(k + 1) % 4]] for k in range(4))
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = gf8_multiply(constant, 2)
        elif n > 6 and i % n == 4:
            word = bytes(SBOX[b] for b in word)
        words.append(xor(words[-n], word))
    return [b"".join(words[i:i + 4]) for i in range(0, len(words), 4)]


def aes_encrypt(key, block):
    first, *middle, last = aes_expand(key)
    block = xor(block, first)
    for round_key in middle:
        block = aes_round(block, round_key)
    return xor(sub_and_shift(block), last)


def ghash(h, data):
    h = int.from_bytes(h, "big")
    y = 0
    for i in range(0, len(data), 16):
        y ^= int.from_bytes(data[i:i + 16], "big")
        product, v = 0, h
        for bit in range(127, -1, -1):
            if y >> bit & 1:
                product ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        y = product
    return y.to_bytes(16, "big")


def aes_gcm_seal(key, nonce, ad, plain):
    """With the usual nonce of 12 bytes."""
    def stream(counter):
        return aes_encrypt(key, nonce + struct.pack(">I", counter))

    cipher = b""
    for i in range(0, len(plain), 16):
        block = plain[i:i + 16]
        cipher += xor(block, stream(2 + i // 16)[:len(block)])
    lengths = struct.pack(">QQ", 8 * len(ad), 8 * len(cipher))
    hashed = ghash(aes_encrypt(key, bytes(16)), padded(ad, 16) + padded(cipher, 16) + lengths)
    return cipher + xor(hashed, stream(1))


# -- AEGIS-128L and AEGIS-128X2 (draft-irtf-cfrg-aegis-aead) -----------------------------------------

AEGIS_C0 = bytes.fromhex("000101020305080d1522375990e97962")
AEGIS_C1 = bytes.fromhex("db3d18556dc22ff12011314273b528dd")


class AegisLane:
    """One AEGIS-128L state; AEGIS-128X2 is two of them side by side."""

    def __init__(self, key, nonce, context):
        k = xor(key, nonce)
        self.s = [k, AEGIS_C1, AEGIS_C0, AEGIS_C1, k,
                  xor(key, AEGIS_C0), xor(key, AEGIS_C1), xor(key, AEGIS_C0)]
        for _ in range(10):
            self.s[3] = xor(self.s[3], context)
            self.s[7] = xor(self.s[7], context)
            self.update(nonce, key)

    def update(self, m0, m1):
        s = self.s
        self.s = [aes_round(s[7], xor(s[0], m0)), aes_round(s[0], s[1]),
                  aes_round(s[1], s[2]), aes_round(s[2], s[3]),
                  aes_round(s[3], xor(s[4], m1)), aes_round(s[4], s[5]),
                  aes_round(s[5], s[6]), aes_round(s[6], s[7])]

    def stream(self):
        s = self.s
        return (xor(xor(s[6], s[1]), bytes(a & b for a, b in zip(s[2], s[3]))),
                xor(xor(s[2], s[5]), bytes(a & b for a, b in zip(s[6], s[7]))))

    def tag(self, lengths):
        t = xor(self.s[2], lengths)
        for _ in range(7):
            self.update(t, t)
        tag = bytes(16)
        for block in self.s[:7]:
            tag = xor(tag, block)
        return tag


def aegis_seal(lanes, key, nonce, ad, plain):
    """AEGIS-128L with one lane, AEGIS-128X2 with two; the tag has 16 bytes."""
    states = [AegisLane(key, nonce, bytes([i, lanes - 1]) + bytes(14)) for i in range(lanes)]

    def halves(block):
        """(m0, m1) of each lane: first the m0 of all lanes, then the m1 of all."""
        parts = [block[i:i + 16] for i in range(0, 32 * lanes, 16)]
        return zip(parts[:lanes], parts[lanes:])

    rate = 32 * lanes
    data = padded(ad, rate)
    for i in range(0, len(data), rate):
        for state, (m0, m1) in zip(states, halves(data[i:i + rate])):
            state.update(m0, m1)
    cipher = b""
    data = padded(plain, rate)
    for i in range(0, len(data), rate):
        streams = [state.stream() for state in states]
        stream = b"".join(z0 for z0, _ in streams) + b"".join(z1 for _, z1 in streams)
        cipher += xor(data[i:i + rate], stream)
        for state, (m0, m1) in zip(states, halves(data[i:i + rate])):
            state.update(m0, m1)
    tag = bytes(16)
    for state in states:
        tag = xor(tag, state.tag(struct.pack("<QQ", 8 * len(ad), 8 * len(plain))))
    return cipher[:len(plain)] + tag


# -- X25519 (RFC 7748) -------------------------------------------------------------------------------

def x25519(scalar, u):
    p = (1 << 255) - 19
    k = int.from_bytes(scalar, "little") & ~7 & ((1 << 255) - 1) | 1 << 254
    x1 = (int.from_bytes(u, "little") & ((1 << 255) - 1)) % p
    x2, z2, x3, z3 = 1, 0, x1, 1
    for bit in range(254, -1, -1):
        one = k >> bit & 1
        if one:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % p, b * b % p, d * a % p, c * b % p
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % p, x1 * (da - cb) ** 2 % p
        x2, z2 = aa * bb % p, e * (aa + 121665 * e) % p
        if one:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return (x2 * pow(z2, p - 2, p) % p).to_bytes(32, "little")


# -- Argon2id (RFC 9106) -----------------------------------------------------------------------------

def argon2_hash(data, n):
    """H' of RFC 9106, section 3.3."""
    data = struct.pack("<I", n) + data
    if n <= 64:
        return blake2b(data, n)
    out, v = b"", blake2b(data)
    while n - len(out) > 64:
        out += v[:32]
        v = blake2b(v, min(64, n - len(out)))
    return out + v


def argon2_mix(x, y):
    """G of RFC 9106, section 3.5, on lists of 128 words."""
    r = [a ^ b for a, b in zip(x, y)]
    z = list(r)

    def mix(a, b, c, d):
        va, vb, vc, vd = z[a], z[b], z[c], z[d]
        va = (va + vb + 2 * (va & MASK32) * (vb & MASK32)) & MASK64
        vd ^= va
        vd = (vd >> 32 | vd << 32) & MASK64
        vc = (vc + vd + 2 * (vc & MASK32) * (vd & MASK32)) & MASK64
        vb ^= vc
        vb = (vb >> 24 | vb << 40) & MASK64
        va = (va + vb + 2 * (va & MASK32) * (vb & MASK32)) & MASK64
        vd ^= va
        vd = (vd >> 16 | vd << 48) & MASK64
        vc = (vc + vd + 2 * (vc & MASK32) * (vd & MASK32)) & MASK64
        vb ^= vc
        vb = (vb >> 63 | vb << 1) & MASK64
        z[a], z[b], z[c], z[d] = va, vb, vc, vd

    def permute(v):
        for i in range(4):
            mix(v[i], v[4 + i], v[8 + i], v[12 + i])
        for i in range(4):
            mix(v[i], v[4 + (i + 1) % 4], v[8 + (i + 2) % 4], v[12 + (i + 3) % 4])

    for row in range(8):
        permute(range(16 * row, 16 * row + 16))
    for column in range(8):
        permute([16 * i + 2 * column + k for i in range(8) for k in range(2)])
    return [a ^ b for a, b in zip(r, z)]


def argon2id(password, salt, passes, kibibytes, lanes=1, n=32, secret=b"", ad=b""):
    def lp32(x):
        return struct.pack("<I", len(x)) + x

    h0 = blake2b(struct.pack("<6I", lanes, n, kibibytes, passes, 0x13, 2) +
                 lp32(password) + lp32(salt) + lp32(secret) + lp32(ad))
    segment = kibibytes // (4 * lanes)
    length = 4 * segment
    memory = [[None] * length for _ in range(lanes)]
    for lane in range(lanes):
        for i in range(2):
            memory[lane][i] = list(struct.unpack(
                "<128Q", argon2_hash(h0 + struct.pack("<II", i, lane), 1024)))

    def addresses(turn, lane, quarter):
        """Where data-independent addressing looks: pairs of 32-bit words."""
        for counter in range(1, (segment + 127) // 128 + 1):
            z = [turn, lane, quarter, lanes * length, passes, 2, counter] + [0] * 121
            for word in argon2_mix([0] * 128, argon2_mix([0] * 128, z)):
                yield word

    def reference(turn, lane, quarter, i, word):
        """The lane and column of the block to mix in, RFC 9106, section 3.4.2."""
        j1, j2 = word & MASK32, word >> 32
        other = lane if turn == 0 and quarter == 0 else j2 % lanes
        area = quarter * segment if turn == 0 else 3 * segment
        if other == lane:
            area += i - 1
        elif i == 0:
            area -= 1
        back = area * (j1 * j1 >> 32) >> 32
        start = 0 if turn == 0 else (quarter + 1) * segment
        return other, (start + area - 1 - back) % length

    for turn in range(passes):
        for quarter in range(4):
            for lane in range(lanes):
                independent = turn == 0 and quarter < 2
                words = addresses(turn, lane, quarter) if independent else None
                for i in range(segment):
                    word = next(words) if independent else None
                    column = quarter * segment + i
                    if turn == 0 and column < 2:
                        continue
                    previous = memory[lane][column - 1]
                    word = word if independent else previous[0]
                    other, place = reference(turn, lane, quarter, i, word)
                    new = argon2_mix(previous, memory[other][place])
                    if turn > 0:
                        new = [a ^ b for a, b in zip(new, memory[lane][column])]
                    memory[lane][column] = new
    last = [0] * 128
    for lane in range(lanes):
        last = [a ^ b for a, b in zip(last, memory[lane][-1])]
    return argon2_hash(struct.pack("<128Q", *last), n)


# -- published vectors -------------------------------------------------------------------------------

def check():
    def same(name, got, want):
        if got != bytes.fromhex(want):
            raise SystemExit(f"{name}: {got.hex()} is not {want}")

    count = bytes(range(256))
    same("SipHash-2-4", siphash(count[:16], count[:15]), "e545be4961ca29a1")
    same("SipHash-2-4-128", siphash(count[:16], b"", 16), "a3817f04ba25a8e66df67214c7550293")
    same("SipHash-2-4-128", siphash(count[:16], b"\0", 16), "da87c1d86b99af44347659119b22fc45")
    same("AES-128", aes_encrypt(count[:16], bytes.fromhex("00112233445566778899aabbccddeeff")),
         "69c4e0d86a7b0430d8cdb78070b4c55a")
    same("AES-256", aes_encrypt(count[:32], bytes.fromhex("00112233445566778899aabbccddeeff")),
         "8ea2b7ca516745bfeafc49904b496089")
    same("AES-256-GCM", aes_gcm_seal(bytes(32), bytes(12), b"", b""),
         "530f8afbc74536b9a963b4f1c4cb738b")
    same("AES-256-GCM", aes_gcm_seal(bytes(32), bytes(12), b"", bytes(16)),
         "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")
    same("AEGIS-128L", aegis_seal(1, b"\x10\x01" + bytes(14), b"\x10\x00\x02" + bytes(13), b"",
                                  bytes(16)),
         "c1c0e58bd913006feba00f4b3cc3594eabe0ece80c24868a226a35d16bdae37a")
    same("AEGIS-128X2", aegis_seal(2, count[:16], count[16:32], b"", b""),
         "63117dc57756e402819a82e13eca8379")
    sunscreen = (b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip "
                 b"for the future, sunscreen would be it.")
    sealed = chacha20poly1305_seal(count[0x80:0xA0], b"\x07\0\0\0" + count[0x40:0x48],
                                   bytes.fromhex("50515253c0c1c2c3c4c5c6c7"), sunscreen)
    same("ChaCha20-Poly1305", sealed[-16:], "1ae10b594f09e26a7e902ecbd0600691")
    same("HChaCha20", hchacha20(count[:32], bytes.fromhex("000000090000004a0000000031415927")),
         "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc")
    sealed = xchacha20poly1305_seal(count[0x80:0xA0], count[0x40:0x58],
                                    bytes.fromhex("50515253c0c1c2c3c4c5c6c7"), sunscreen)
    same("XChaCha20-Poly1305", sealed[-16:], "c0875924c1c7987947deafd8780acf49")
    same("X25519", x25519(
        bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
        bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")),
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")
    same("Argon2id", argon2id(b"\1" * 32, b"\2" * 16, 3, 32, 4, 32, b"\3" * 8, b"\4" * 12),
         "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659")


if __name__ == "__main__":
    check()
    print("primitives: all published vectors match")
