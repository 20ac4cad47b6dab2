"""Whatever the CA issues obeys RFC 5280, rule by rule, and each rule finds what breaks it.

The rules are in tests/tools/verifiers/lints.py; what is looked at is what the verifiers are given (see
test_verifiers.py) and what the program itself makes.
"""
import base64
import copy
import re

import pytest

from test_verifiers import everything, worlds       # noqa: F401  (and the way to the verifiers)

import der
import lints


def items(path):
    """The certificates and CRLs of a PEM file."""
    for kind, body in re.findall("-----BEGIN (.*?)-----(.*?)-----END", path.read_text(), re.S):
        if kind == "CERTIFICATE":
            yield lints.Certificate(base64.b64decode(body))
        elif kind == "X509 CRL":
            yield lints.Crl(base64.b64decode(body))


def judge(paths, record_property, whose):
    found, count = [], {lints.Certificate: 0, lints.Crl: 0}
    for path in paths:
        for item in items(path):
            count[type(item)] += 1
            found += [f"{path}: {name}" for name in lints.findings(item)]
    rules = len({rule.name for rule in lints.CERT_RULES + lints.CRL_RULES})
    record_property("says", f"{whose}: {rules} rules over {count[lints.Certificate]} certificates and "
                            f"{count[lints.Crl]} revocation lists: {len(found)} findings")
    assert not found, "\n".join(found)
    return count


@worlds
def test_nothing_that_verifiers_are_to_accept_breaks_a_rule(everything, record_property):
    paths = {path for case in everything if case.accept
             for path in (case.chain, case.issuers, case.root, case.crls) if path}
    count = judge(sorted(paths), record_property, "the verifiers' CAs")
    assert count[lints.Certificate] > 200 and count[lints.Crl] > 30


def test_nothing_that_the_program_makes_breaks_a_rule(folder, pgseal, record_property):
    shapes = {"plain": [], "parts": ["--crl-shards", 4], "narrow": ["--permit-dns", "example.net"],
              "named": ["--dn-o", "Añorga SL", "--dn-c", "ES", "--dn-l", "San Sebastián"],
              "rsa": ["--key-type", "rsa:2048"], "edwards": ["--key-type", "ed25519"]}
    for name, args in shapes.items():
        ca, out = folder / name, folder / f"{name}-out"
        pgseal("ca", "init", "--ca", ca, "--no-passphrase", *args, ok=True)
        for kind in ("ec:p384", "rsa:2048", "ed25519"):
            pgseal("ca", "issue", "server", "--host", "db1.example.net", "--host", "*.example.net",
                   "--key-type", kind, "--ca", ca, "--out", out / f"s{kind[:2]}", ok=True)
            pgseal("ca", "issue", "client", "josé", "--key-type", kind, "--ca", ca,
                   "--out", out / f"c{kind[:2]}", ok=True)
        pgseal("ca", "rekey", "--ca", ca, "--role", "josé", "--out", out / "rekeyed", ok=True)
        pgseal("ca", "revoke", "--ca", ca, "--role", "josé", "--reason", "keyCompromise", ok=True)
        for authority in ("client-ca", "root"):
            pgseal("ca", "rollover", authority, "--ca", ca, ok=True)
    root, site = folder / "offline", folder / "site"
    pgseal("ca", "init", "--root-only", "--ca", root, "--no-passphrase", ok=True)
    pgseal("ca", "init", "--offline-root", "--ca", site, "--no-passphrase", ok=True)
    for kind in ("server-ca", "client-ca"):
        pgseal("ca", "sign", site / f"{kind}.csr", "--kind", kind, "--ca", root, "--out",
               folder / f"{kind}.crt", ok=True)
    paths = [path for ending in ("crt", "crl") for path in sorted(folder.rglob(f"*.{ending}"))]
    judge(paths, record_property, "the program's CAs")


# ---- each rule, broken -----------------------------------------------------------------------------

def change(which, edit):
    """A fault in the value of an extension."""
    def fault(item):
        ext = item.extension(which)
        edit(ext.value)
        ext.fields[-1].value = der.encode(ext.value)
    return fault


def put(what, value, tag=None):
    """A field gets another value; `what` picks it."""
    def fault(item):
        node = what(item)
        node.value = value(node.value) if callable(value) else value
        node.tag = tag or node.tag
    return fault


def drop(which):
    def fault(item):
        ext = item.extension(which)
        wrapped = item.tbs.value[-1].value[0]
        wrapped.value = [node for node in wrapped.value if node is not ext.fields]
    return fault


def critical(which, is_so):
    def fault(item):
        fields = item.extension(which).fields
        fields.value = [fields[0], *([der.Node(der.BOOLEAN, b"\xff")] if is_so else []), fields[-1]]
    return fault


def repeat(item):
    wrapped = item.tbs.value[-1].value[0]
    wrapped.value.append(copy.deepcopy(wrapped.value[0]))


def unknown(item):
    fields = item.extensions[0].fields
    fields.value = [der.Node(der.OID, der.oid("1.2.3.4")), der.Node(der.BOOLEAN, b"\xff"), fields[-1]]


def false_is_written(item):
    fields = item.extension(lints.SKI if hasattr(item, "serial") else lints.CRL_NUMBER).fields
    fields.value.insert(1, der.Node(der.BOOLEAN, b"\0"))


def unique_identifier(item):
    item.tbs.value.insert(-1, der.Node(0x81, b"\0\1"))


def no_version(item):
    item.tbs.value.pop(0)


def other_algorithm(item):
    item.algorithm.value = [der.Node(der.OID, der.oid("1.2.840.10045.4.3.4"))]


def sha1(item):
    for field in (item.inner, item.algorithm):
        field.value = [der.Node(der.OID, der.oid("1.2.840.113549.1.1.5")), der.Node(der.NULL, b"")]


def swap(values):
    values[0].value, values[1].value = values[1].value, values[0].value


def entry_reason(code):
    def fault(crl):
        fields = [entry for entry in crl.entries.value if len(entry) > 2][0]
        fields[2][0].value[-1].value = bytes([10, 1, code])
    return fault


def end_of_validity(item):
    item.validity.value = item.validity.value[::-1]


def common_name(item):
    return item.subject[0][0][1]


def signed_by_nobody(item):
    item.issuer.value = []


def small_key(item):
    key = der.parse(item.key[1].value[1:])
    key[0].value = b"\0\xff" * 64 + b"\1"
    item.key[1].value = b"\0" + der.encode(key)


# rule -> the kind of what is broken, and how
FAULTS = {
    "the encoding is DER": ("client", put(lambda c: c.serial, lambda v: b"\0\0" + v)),
    "both fields name the same signature algorithm": ("client", other_algorithm),
    "the signature algorithm is a good one, its parameters as they must be": ("client", sha1),
    "the signature has no unused bits": ("client", put(lambda c: c.signature, lambda v: b"\1" + v[1:])),
    "the issuer has a name": ("client", signed_by_nobody),
    "attributes of names are within their bounds, as UTF8String or PrintableString":
        ("client", put(common_name, b"x" * 65)),
    "times are UTCTime to 2049 and GeneralizedTime from then on, with seconds, in Zulu":
        ("client", put(lambda c: c.validity[1], b"20271121000000Z", der.GENERALIZED)),
    "no extension is there twice": ("client", repeat),
    "critical is written only when it is true": ("client", false_is_written),
    "nothing critical is there that nobody knows": ("client", unknown),
    "the key of the issuer is named, by its identifier, not critical": ("client", drop(lints.AKI)),
    "it is of version 3": ("client", put(lambda c: c.tbs[0][0], b"\1")),
    "the serial number is positive, at most 20 octets, at least 64 bits":
        ("client", put(lambda c: c.serial, b"\x7f")),
    "it ends after it begins": ("client", end_of_validity),
    "there are no unique identifiers": ("client", unique_identifier),
    "a CA has a name": ("ca", put(lambda c: c.subject, [])),
    "its own key is named, not critical": ("client", drop(lints.SKI)),
    "keyUsage is there, critical, with no bits after the last one that is set":
        ("client", change(lints.KEY_USAGE, lambda v: setattr(v, "value", b"\0\x80"))),
    "a CA may sign certificates and CRLs, and a leaf neither":
        ("ca", change(lints.KEY_USAGE, lambda v: setattr(v, "value", b"\2\4"))),
    "a leaf's key signs, and encrypts no other key":
        ("server", change(lints.KEY_USAGE, lambda v: setattr(v, "value", b"\5\xa0"))),
    "basicConstraints are critical, and say FALSE by leaving it out":
        ("client", change(lints.BASIC, lambda v: v.value.append(der.Node(der.BOOLEAN, b"\0")))),
    "a path length is that of a CA, and not negative":
        ("client", change(lints.BASIC, lambda v: v.value.append(der.Node(der.INTEGER, b"\0")))),
    "a leaf is for servers or for clients, not for both":
        ("client", change(lints.EKU, lambda v: v.value.append(der.Node(der.OID, lints.SERVER_AUTH)))),
    "an extended key usage is not critical": ("client", critical(lints.EKU, True)),
    "a server has names, in a SAN": ("server", drop(lints.SAN)),
    "a SAN is critical exactly if there is no subject": ("server", critical(lints.SAN, True)),
    "host names are of letters, digits and hyphens; addresses of 4 or 16 octets":
        ("server", change(lints.SAN, lambda v: setattr(v[0], "value", b"a_b.example.net"))),
    "a CN of a server is one of its names": ("server", put(common_name, b"evil.example.com")),
    "a distribution point has a URI and is not critical": ("part", critical(lints.CRLDP, True)),
    "name constraints are critical, and of a CA": ("narrow", critical(lints.NAMES, False)),
    "an EC key is a point of a named curve, all of it":
        ("client", put(lambda c: c.key[1], lambda v: v[:34])),
    "an RSA key has 2048 bits or more, and an odd exponent above 65536": ("server", small_key),
    "a key is of a kind that is known, with its parameters":
        ("server", put(lambda c: c.key[0], lambda v: v[:1])),
    "it is of version 2": ("crl", no_version),
    "it says when the next one comes, which is later":
        ("crl", put(lambda c: c.next_update, b"260101000000Z")),
    "a list without entries has no empty one": ("crl", put(lambda c: c.entries, [])),
    "it has a number of at most 20 octets, not critical": ("crl", drop(lints.CRL_NUMBER)),
    "the scope of a part is critical": ("part-crl", critical(lints.IDP, False)),
    "serial numbers are positive, each once, in their order":
        ("crl", lambda crl: swap([entry[0] for entry in crl.entries.value])),
    "a reason is one of a list that is whole, and never \"unspecified\"": ("crl", entry_reason(0)),
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory, pgseal):
    """One of each kind; the server's key is RSA, as there are rules for it and for EC keys."""
    folder = tmp_path_factory.mktemp("samples")
    for name, args in {"plain": [], "parts": ["--crl-shards", 2],
                       "narrow": ["--permit-dns", "example.net"]}.items():
        ca, out = folder / name, folder / f"{name}-out"
        pgseal("ca", "init", "--ca", ca, "--no-passphrase", *args, ok=True)
        for role in ("app", "web", "ops"):
            pgseal("ca", "issue", "client", role, "--ca", ca, "--out", out / role, ok=True)
            pgseal("ca", "revoke", "--role", role, "--ca", ca, "--reason", "keyCompromise", ok=True)
        pgseal("ca", "issue", "server", "--host", "db1.example.net", "--key-type", "rsa:2048",
               "--ca", ca, "--out", out / "server", ok=True)

    def first(path):
        return next(items(folder / path))
    crls = {"crl": first("plain/client-ca.crl"), "part-crl": first("parts/client-ca.crl")}
    return {"client": first("plain-out/app/postgresql.crt"), "ca": first("plain/client-ca.crt"),
            "server": first("plain-out/server/server.crt"), **crls,
            "part": first("parts-out/app/postgresql.crt"), "narrow": first("narrow/server-ca.crt")}


def test_every_rule_is_there_once_and_has_a_fault():
    for table in (lints.CERT_RULES, lints.CRL_RULES):
        assert len({rule.name for rule in table}) == len(table)
    assert set(FAULTS) == {rule.name for rule in lints.CERT_RULES + lints.CRL_RULES}


@pytest.mark.parametrize("name", FAULTS)
def test_a_rule_finds_its_fault(samples, name):
    kind, fault = FAULTS[name]
    broken = type(samples[kind])(samples[kind].der)
    assert lints.findings(broken) == []
    fault(broken)
    assert name in lints.findings(type(broken)(der.encode(broken.tree)))


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x80\0\0", b"\x30\x81\x01\0", b"\x30\x03\x02\x01",
                                  b"\x30\x00\x00", b"\x1f\x81\x00"], ids=bytes.hex)
def test_what_is_not_der_is_refused(data):
    with pytest.raises((der.NotDer, IndexError)):
        der.parse(data)
