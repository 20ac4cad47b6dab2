"""What RFC 5280 and its companions ask of certificates and revocation lists, as a table of small rules.

For machines without zlint, and for what zlint does not look at.  Everything is read with der.py, with
no help of a TLS library.  A rule answers True, False, or None when it has nothing to say.
"""
import collections
import datetime
import functools
import re

import der
from der import oid

CN, C, EMAIL = oid("2.5.4.3"), oid("2.5.4.6"), oid("1.2.840.113549.1.9.1")
SKI, KEY_USAGE, SAN, BASIC = (oid(f"2.5.29.{n}") for n in (14, 15, 17, 19))
CRL_NUMBER, REASON, IDP, NAMES, CRLDP, AKI, EKU = (oid(f"2.5.29.{n}")
                                                   for n in (20, 21, 28, 30, 31, 35, 37))
SERVER_AUTH, CLIENT_AUTH = oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2")
RSA, EC, ED25519 = oid("1.2.840.113549.1.1.1"), oid("1.2.840.10045.2.1"), oid("1.3.101.112")
SHA_RSA = {oid(f"1.2.840.113549.1.1.{n}") for n in (11, 12, 13)}
SHA_ECDSA = {oid(f"1.2.840.10045.4.3.{n}") for n in (2, 3, 4)}
CURVES = {oid("1.2.840.10045.3.1.7"): 32, oid("1.3.132.0.34"): 48}
# Upper bounds of RFC 5280 A.1, in characters.
BOUNDS = {CN: 64, C: 2, oid("2.5.4.7"): 128, oid("2.5.4.8"): 128, oid("2.5.4.10"): 64,
          oid("2.5.4.11"): 64}
DIGITAL_SIGNATURE, KEY_CERT_SIGN, CRL_SIGN = 0x80, 0x04, 0x02

Rule = collections.namedtuple("Rule", "name source check")
CERT_RULES, CRL_RULES = [], []
Extension = collections.namedtuple("Extension", "oid critical fields value")


# ---- what is looked at ----------------------------------------------------------------------------

def extensions_of(node):
    found = []
    for fields in node.value if node else ():
        critical = len(fields) == 3 and fields[1].value != b"\0"
        found.append(Extension(fields[0].value, critical, fields, der.parse(fields[-1].value)))
    return found


class Signed:
    """What a certificate and a CRL have in common."""

    def __init__(self, data):
        self.der = data
        self.tree = der.parse(data)
        self.tbs, self.algorithm, self.signature = self.tree.value

    def extension(self, which):
        found = [ext for ext in self.extensions if ext.oid == which]
        return found[0] if found else None

    def value(self, which):
        found = self.extension(which)
        return found.value if found else None


class Certificate(Signed):
    def __init__(self, data):
        super().__init__(data)
        fields = list(self.tbs.value)
        self.version = fields.pop(0)[0].value if fields[0].tag == der.context(0) else b"\0"
        (self.serial, self.inner, self.issuer, self.validity, self.subject, self.key,
         *self.rest) = fields
        wrapped = [field for field in self.rest if field.tag == der.context(3)]
        self.extensions = extensions_of(wrapped[0][0] if wrapped else None)
        self.key_type = self.key[0][0].value
        basic = self.value(BASIC)
        self.is_ca = bool(basic and len(basic) and basic[0].value == b"\xff")
        self.is_self_issued = der.encode(self.issuer) == der.encode(self.subject)

    @functools.cached_property
    def uses(self):
        value = self.value(EKU)
        return {node.value for node in value.value} if value else set()

    def usage_bits(self):
        value = self.value(KEY_USAGE)
        return value.value[1] if value else 0


class Crl(Signed):
    def __init__(self, data):
        super().__init__(data)
        fields = list(self.tbs.value)
        self.version = fields.pop(0).value if fields[0].tag == der.INTEGER else b"\0"
        self.inner, self.issuer, self.this_update = fields[:3]
        rest = fields[3:]
        is_time = rest and rest[0].tag in (der.UTC, der.GENERALIZED)
        self.next_update = rest.pop(0) if is_time else None
        self.entries = rest.pop(0) if rest and rest[0].tag == der.SEQUENCE else None
        self.extensions = extensions_of(rest[0][0] if rest else None)


def rule(table, name, source):
    def keep(check):
        table.append(Rule(name, source, check))
        return check
    return keep


def both(name, source):
    def keep(check):
        for table in (CERT_RULES, CRL_RULES):
            table.append(Rule(name, source, check))
        return check
    return keep


cert_rule, crl_rule = functools.partial(rule, CERT_RULES), functools.partial(rule, CRL_RULES)


def findings(item):
    """Names of the rules that this certificate or CRL breaks."""
    rules = CERT_RULES if isinstance(item, Certificate) else CRL_RULES
    return [rule.name for rule in rules if rule.check(item) is False]


# ---- rules for both -------------------------------------------------------------------------------

@both("the encoding is DER", "X.690 10, 11")
def _(item):
    booleans = all(node.value in (b"\0", b"\xff") for node in der.walk(item.tree)
                   if node.tag == der.BOOLEAN)
    integers = all(len(node.value) and not (len(node) > 1 and (
        (node[0] == 0 and node[1] < 0x80) or (node[0] == 0xff and node[1] >= 0x80)))
        for node in der.walk(item.tree) if node.tag == der.INTEGER)
    sets = all(sorted(map(der.encode, node.value)) == list(map(der.encode, node.value))
               for node in der.walk(item.tree) if node.tag == der.SET)
    return booleans and integers and sets and der.encode(item.tree) == item.der


@both("both fields name the same signature algorithm", "RFC 5280 4.1.1.2, 5.1.1.2")
def _(item):
    return der.encode(item.inner) == der.encode(item.algorithm)


@both("the signature algorithm is a good one, its parameters as they must be",
      "RFC 4055 5, RFC 5758 3.2, RFC 8410 3")
def _(item):
    name, *parameters = item.algorithm.value
    if name.value in SHA_RSA:
        return [(node.tag, node.value) for node in parameters] == [(der.NULL, b"")]
    return name.value in SHA_ECDSA | {ED25519} and not parameters


@both("the signature has no unused bits", "RFC 5280 4.1.1.3")
def _(item):
    return item.signature.tag == der.BITS and item.signature[0] == 0


@both("the issuer has a name", "RFC 5280 4.1.2.4")
def _(item):
    return len(item.issuer) > 0


@both("attributes of names are within their bounds, as UTF8String or PrintableString",
      "RFC 5280 4.1.2.4, A.1")
def _(item):
    names = [item.issuer, *([item.subject] if isinstance(item, Certificate) else [])]
    for attribute in (pair for name in names for part in name.value for pair in part.value):
        kind, text = attribute.value
        limit = BOUNDS.get(kind.value)
        if kind.value == C:
            good = text.tag == der.PRINTABLE and re.fullmatch(b"[A-Z]{2}", text.value)
        else:
            good = text.tag in (der.UTF8, der.PRINTABLE) and 0 < len(text.value.decode()) <= limit
        if not good:
            return False
    return True


def time_of(node):
    """None for what RFC 5280 4.1.2.5 does not allow."""
    text = node.value.decode("ascii", "replace")
    if node.tag == der.UTC and re.fullmatch(r"\d{12}Z", text):
        text = ("19" if text >= "50" else "20") + text
    elif node.tag != der.GENERALIZED or not re.fullmatch(r"20[5-9]\d{11}Z|2[1-9]\d{12}Z", text):
        return None
    return datetime.datetime.strptime(text, "%Y%m%d%H%M%SZ")


@both("times are UTCTime to 2049 and GeneralizedTime from then on, with seconds, in Zulu",
      "RFC 5280 4.1.2.5, 5.1.2.4")
def _(item):
    times = (item.validity.value if isinstance(item, Certificate)
             else [item.this_update, item.next_update or item.this_update])
    return all(time_of(node) is not None for node in times)


@both("no extension is there twice", "RFC 5280 4.2")
def _(item):
    names = [ext.oid for ext in item.extensions]
    return len(names) == len(set(names))


@both("critical is written only when it is true", "X.690 11.5")
def _(item):
    return all(len(ext.fields) == 2 or ext.fields[1].value == b"\xff" for ext in item.extensions)


@both("nothing critical is there that nobody knows", "RFC 5280 4.2")
def _(item):
    return all(ext.oid in (BASIC, KEY_USAGE, NAMES, SAN, IDP)
               for ext in item.extensions if ext.critical)


@both("the key of the issuer is named, by its identifier, not critical", "RFC 5280 4.2.1.1, 5.2.1")
def _(item):
    ext = item.extension(AKI)
    if ext is None:
        return isinstance(item, Certificate) and item.is_self_issued
    first = ext.value[0]
    return not ext.critical and first.tag == der.context(0, False) and len(first) > 0


# ---- certificates ---------------------------------------------------------------------------------

@cert_rule("it is of version 3", "RFC 5280 4.1.2.1")
def _(cert):
    return cert.version == b"\x02"


@cert_rule("the serial number is positive, at most 20 octets, at least 64 bits",
           "RFC 5280 4.1.2.2; CA/Browser Forum BR 7.1")
def _(cert):
    number = int.from_bytes(cert.serial.value, "big", signed=True)
    return number > 0 and len(cert.serial) <= 20 and number.bit_length() >= 64


@cert_rule("it ends after it begins", "RFC 5280 4.1.2.5")
def _(cert):
    begin, end = map(time_of, cert.validity.value)
    return begin is None or end is None or begin < end


@cert_rule("there are no unique identifiers", "RFC 5280 4.1.2.8")
def _(cert):
    return all(field.tag == der.context(3) for field in cert.rest)


@cert_rule("a CA has a name", "RFC 5280 4.1.2.6")
def _(cert):
    return not cert.is_ca or len(cert.subject) > 0


@cert_rule("its own key is named, not critical", "RFC 5280 4.2.1.2")
def _(cert):
    ext = cert.extension(SKI)
    return ext is not None and not ext.critical and len(ext.value) >= 8


@cert_rule("keyUsage is there, critical, with no bits after the last one that is set",
           "RFC 5280 4.2.1.3, X.690 11.2.2")
def _(cert):
    ext = cert.extension(KEY_USAGE)
    if not ext or not ext.critical or len(ext.value) != 2:
        return False
    unused, bits = ext.value.value
    return bits != 0 and bits & ((1 << unused + 1) - 1) == 1 << unused


@cert_rule("a CA may sign certificates and CRLs, and a leaf neither", "RFC 5280 4.2.1.3, 4.2.1.9")
def _(cert):
    signing = cert.usage_bits() & (KEY_CERT_SIGN | CRL_SIGN)
    return signing == (KEY_CERT_SIGN | CRL_SIGN if cert.is_ca else 0)


@cert_rule("a leaf's key signs, and encrypts no other key", "RFC 8813 3, RFC 8446 4.4.2.2")
def _(cert):
    return cert.is_ca or cert.usage_bits() == DIGITAL_SIGNATURE


@cert_rule("basicConstraints are critical, and say FALSE by leaving it out", "RFC 5280 4.2.1.9")
def _(cert):
    ext = cert.extension(BASIC)
    return ext is not None and ext.critical and (cert.is_ca or len(ext.value) == 0)


@cert_rule("a path length is that of a CA, and not negative", "RFC 5280 4.2.1.9")
def _(cert):
    basic = cert.value(BASIC)
    lengths = [node for node in basic.value if node.tag == der.INTEGER] if basic else []
    return all(cert.is_ca and node[0] < 0x80 for node in lengths)


@cert_rule("a leaf is for servers or for clients, not for both", "pgseal: one purpose for each issuer")
def _(cert):
    return cert.is_ca or cert.uses in ({SERVER_AUTH}, {CLIENT_AUTH})


@cert_rule("an extended key usage is not critical", "RFC 5280 4.2.1.12")
def _(cert):
    ext = cert.extension(EKU)
    return None if ext is None else not ext.critical and len(ext.value) > 0


@cert_rule("a server has names, in a SAN", "RFC 6125 6.4.4")
def _(cert):
    if cert.is_ca or SERVER_AUTH not in cert.uses:
        return None
    value = cert.value(SAN)
    return value is not None and len(value) > 0


@cert_rule("a SAN is critical exactly if there is no subject", "RFC 5280 4.2.1.6")
def _(cert):
    ext = cert.extension(SAN)
    return None if ext is None else ext.critical == (len(cert.subject) == 0)


@cert_rule("host names are of letters, digits and hyphens; addresses of 4 or 16 octets",
           "RFC 5280 4.2.1.6, RFC 1123 2.1")
def _(cert):
    label = rb"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    name = rb"(\*\.)?%b(\.%b)*" % (label, label)
    san = cert.value(SAN)
    for entry in san.value if san else ():
        good = (re.fullmatch(name, entry.value) and len(entry) < 254 if entry.tag == 0x82
                else entry.tag == 0x87 and len(entry) in (4, 16))
        if not good:
            return False
    return True


@cert_rule("a CN of a server is one of its names", "CA/Browser Forum BR 7.1.4.3")
def _(cert):
    if cert.is_ca or SERVER_AUTH not in cert.uses or not len(cert.subject):
        return None
    names = [pair[1].value for part in cert.subject.value for pair in part.value
             if pair[0].value == CN]
    san = cert.value(SAN)
    hosts = [entry.value.lower() for entry in san.value if entry.tag == 0x82] if san else []
    addresses = [entry for entry in san.value if entry.tag == 0x87] if san else []
    return all(name.lower() in hosts or (addresses and re.fullmatch(rb"[0-9a-fA-F.:]+", name))
               for name in names)


@cert_rule("a distribution point has a URI and is not critical", "RFC 5280 4.2.1.13")
def _(cert):
    ext = cert.extension(CRLDP)
    if ext is None:
        return None
    points = [der.encode(point) for point in ext.value.value]
    return not ext.critical and bool(points) and all(b"http://" in point for point in points)


@cert_rule("name constraints are critical, and of a CA", "RFC 5280 4.2.1.10")
def _(cert):
    ext = cert.extension(NAMES)
    return None if ext is None else ext.critical and cert.is_ca and len(ext.value) > 0


@cert_rule("an EC key is a point of a named curve, all of it", "RFC 5480 2.1.1, 2.2")
def _(cert):
    if cert.key_type != EC:
        return None
    curve, point = cert.key[0][1], cert.key[1].value
    size = CURVES.get(curve.value) if curve.tag == der.OID else None
    return size is not None and len(point) == 2 + 2 * size and point[:2] == b"\0\x04"


@cert_rule("an RSA key has 2048 bits or more, and an odd exponent above 65536", "BR 6.1.5, 6.1.6")
def _(cert):
    if cert.key_type != RSA:
        return None
    modulus, exponent = (int.from_bytes(node.value, "big", signed=True)
                         for node in der.parse(cert.key[1].value[1:]).value)
    return modulus.bit_length() >= 2048 and modulus & 1 and exponent > 65536 and exponent & 1 == 1


@cert_rule("a key is of a kind that is known, with its parameters", "RFC 3279 2.3.1, RFC 8410 3")
def _(cert):
    parameters = [node.tag for node in cert.key[0].value[1:]]
    return parameters == {RSA: [der.NULL], EC: [der.OID], ED25519: []}.get(cert.key_type)


# ---- revocation lists -----------------------------------------------------------------------------

@crl_rule("it is of version 2", "RFC 5280 5.1.2.1")
def _(crl):
    return crl.version == b"\x01"


@crl_rule("it says when the next one comes, which is later", "RFC 5280 5.1.2.5")
def _(crl):
    if crl.next_update is None:
        return False
    begin, end = time_of(crl.this_update), time_of(crl.next_update)
    return begin is None or end is None or begin < end


@crl_rule("a list without entries has no empty one", "RFC 5280 5.1.2.6")
def _(crl):
    return crl.entries is None or len(crl.entries) > 0


@crl_rule("it has a number of at most 20 octets, not critical", "RFC 5280 5.2.3")
def _(crl):
    ext = crl.extension(CRL_NUMBER)
    return ext is not None and not ext.critical and len(ext.value) <= 20 and ext.value[0] < 0x80


@crl_rule("the scope of a part is critical", "RFC 5280 5.2.5")
def _(crl):
    ext = crl.extension(IDP)
    return None if ext is None else ext.critical and len(ext.value) > 0


@crl_rule("serial numbers are positive, each once, in their order", "RFC 5280 5.1.2.6; pgseal: sorted")
def _(crl):
    numbers = [int.from_bytes(entry[0].value, "big", signed=True)
               for entry in (crl.entries.value if crl.entries else ())]
    return all(n > 0 for n in numbers) and numbers == sorted(set(numbers))


@crl_rule("a reason is one of a list that is whole, and never \"unspecified\"", "RFC 5280 5.3.1")
def _(crl):
    for entry in crl.entries.value if crl.entries else ():
        for ext in extensions_of(entry[2] if len(entry) > 2 else None):
            if ext.oid != REASON or ext.critical or ext.value.value[0] not in (1, 2, 3, 4, 5, 6, 9, 10):
                return False
    return True
