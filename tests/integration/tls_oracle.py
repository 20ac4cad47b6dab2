"""What others find of a server's TLS: OpenSSL's own client, one suite, one group, one version at a time, and
sslscan.  Nothing here is ours but the names of the suites."""
import concurrent.futures
import contextlib
import functools
import pathlib
import re
import socket
import ssl
import subprocess
import warnings
import xml.etree.ElementTree

import pg

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
VERSIONS = {"TLSv1": ssl.TLSVersion.TLSv1, "TLSv1.1": ssl.TLSVersion.TLSv1_1, "TLSv1.2": ssl.TLSVersion.TLSv1_2,
            "TLSv1.3": ssl.TLSVersion.TLSv1_3}
SUITES13 = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256",
            "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"]
GROUPS13 = ["X25519", "P-256", "P-384", "P-521", "X448", "ffdhe2048", "ffdhe3072"]
GROUPS12 = ["X25519", "P-256", "P-384", "P-521", "X448", "P-224", "secp256k1", "brainpoolP256r1"]
GROUP_NAMES = {0x100: "ffdhe2048", 0x101: "ffdhe3072", 0x102: "ffdhe4096", 0x103: "ffdhe6144", 0x104: "ffdhe8192",
               0x15: "secp224r1", 0x16: "secp256k1", 0x17: "secp256r1", 0x18: "secp384r1", 0x19: "secp521r1", 0x1D: "x25519",
               0x1E: "x448"}
IANA = {"P-224": "secp224r1", "P-256": "secp256r1", "P-384": "secp384r1", "P-521": "secp521r1"}


def iana_group(name):
    return IANA.get(name, name if name.startswith(("ffdhe", "secp", "brainpool")) else name.lower())


@functools.cache
def codes():
    """Name of a suite, IANA's or OpenSSL's -> number."""
    table = (pathlib.Path(__file__).resolve().parents[2] / "src/tls/suites.c").read_text()
    found = {}
    for code, iana, _, openssl in re.findall(r'\{ (0x[0-9A-Fa-f]{4}), "(\w+)",\s*("([^"]+)"|NULL) \}', table):
        found[iana] = int(code, 16)
        if openssl:
            found[openssl] = int(code, 16)
    assert len(found) > 400
    return found


def numbers(names):
    return {codes()[name] for name in names}


@functools.cache
def known_to_openssl():
    """The suites that the client can offer at all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    names = [one["name"] for one in context.get_ciphers() if not re.search("PSK|SRP", one["name"])]
    return [name for name in names if name not in SUITES13]


def agree(target, version, ciphers="ALL:COMPLEMENTOFALL", group=None):
    """The suite of one handshake of OpenSSL's library; None: the server, or the library, would not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)         # of old versions: they are what is asked for
        context.minimum_version = VERSIONS[version]
        context.maximum_version = VERSIONS[version]
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    if group:
        context.set_ecdh_curve(group)
    host, port = target.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=pg.PATIENCE) as link, contextlib.suppress(ssl.SSLError, OSError):
        link.sendall(SSL_REQUEST)
        assert link.recv(1) == b"S"
        with context.wrap_socket(link) as inner:
            return inner.cipher()[0]
    return None


def each(function, items):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(function, items))


def versions(target, group=None):
    return {version for version in VERSIONS if agree(target, version, group=group)}


def suites(target, version, group=None):
    """Each one asked for alone."""
    if version == "TLSv1.3":
        return {one for one in SUITES13 if s_client(target, "-tls1_3", "-ciphersuites", one)["suite"]}
    found = each(lambda suite: agree(target, version, suite, group), known_to_openssl())
    return {suite for suite in found if suite}


def order(target, version, group=None):
    """What the server takes of all, then of the rest, and so on."""
    found = []
    while True:
        if version == "TLSv1.3":
            left = [one for one in SUITES13 if one not in found]
            taken = left and s_client(target, "-tls1_3", "-ciphersuites", ":".join(left))["suite"]
        else:
            taken = agree(target, version, ":".join(["ALL:COMPLEMENTOFALL", *(f"!{one}" for one in found)]), group)
        if not taken:
            return found
        found.append(taken)


def prefers(target, version, accepted, group=None):
    """Does the server's order count?  None: with one suite nobody can tell."""
    if len(accepted) < 2:
        return None
    names = sorted(accepted)
    if version == "TLSv1.3":
        picks = [s_client(target, "-tls1_3", "-ciphersuites", ":".join(way))["suite"] for way in (names, names[::-1])]
    else:
        picks = [agree(target, version, ":".join(way), group) for way in (names, names[::-1])]
    return picks[0] == picks[1]


def s_client(target, *args):
    """`openssl s_client`, and what it says it agreed on; suite is None when it did not."""
    done = subprocess.run(["openssl", "s_client", "-starttls", "postgres", "-connect", target, "-showcerts", *args],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    suite = re.search(r"^New, .*, Cipher is (\S+)$", done.stdout, re.M)
    key = re.search(r"^Server Temp Key: (?:ECDH, )?([^,\n]+)", done.stdout, re.M)
    code = re.search(r"Verify return code: (\d+)", done.stdout)
    names = re.search(r"^Acceptable client certificate CA names\n((?:[^-\n].*\n)*?)(?:Client|Requested|---)", done.stdout, re.M)
    return {"suite": suite[1] if suite and suite[1] != "(NONE)" else None, "key": key and key[1],
            "chain": re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", done.stdout, re.S),
            "verify": int(code[1]) if code else None, "authorities": names[1].splitlines() if names else [],
            "text": done.stdout + done.stderr}


def groups13(target):
    taken = each(lambda group: s_client(target, "-tls1_3", "-groups", group)["suite"], GROUPS13)
    return {iana_group(group) for group, suite in zip(GROUPS13, taken) if suite}


def groups12(target, key_curve=None):
    """ECDHE alone; the curve of an EC key must be in the list too (RFC 8422 5.1)."""
    def ask(group):
        both = group if key_curve in (None, group) else f"{group}:{key_curve}"
        answer = s_client(target, "-no_tls1_3", "-groups", both, "-cipher", "ECDHE:AECDH:@SECLEVEL=0")
        return answer["suite"] and (answer["key"] or "")
    found = {group: ask(group) for group in GROUPS12}
    names = {"prime256v1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp224r1": "P-224"}
    return {iana_group(group) for group, key in found.items() if key and names.get(key, key) == group}


def sslscan(target, *args):
    """Versions, suites by version as numbers, and groups by version, as sslscan finds them."""
    done = subprocess.run(["sslscan", "--starttls-psql", "--no-colour", "--no-heartbleed", "--no-renegotiation",
                           "--no-fallback", "--no-compression", "--xml=-", *args, target], capture_output=True, text=True)
    # the subject and issuer of a certificate may hold anything; what is wanted stands before
    tree = xml.etree.ElementTree.fromstring(done.stdout)
    found = {"versions": set(), "suites": {}, "groups": {}}
    for one in tree.iter("protocol"):
        if one.get("enabled") == "1":
            found["versions"].add(("SSLv" if one.get("type") == "ssl" else "TLSv") + one.get("version"))
    for one in tree.iter("cipher"):
        found["suites"].setdefault(one.get("sslversion"), set()).add(int(one.get("id"), 16))
    for one in tree.iter("group"):
        found["groups"].setdefault(one.get("sslversion"), set()).add(int(one.get("id"), 16))
    return found
