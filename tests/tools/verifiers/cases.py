"""What the judges are asked: CAs of many kinds made by make_pki, and for each a list of cases that must
be accepted or refused.
"""
import base64
import dataclasses
import datetime
import fcntl
import ipaddress
import pathlib
import re
import subprocess
import time

DAY = 86400
HOSTS = ["db1.example.net", "*.example.org", "xn--bcher-kva.example", "10.0.0.1", "fd00::1"]
RIGHT_HOSTS = ["db1.example.net", "DB1.Example.NET", "a.example.org", "xn--bcher-kva.example",
               "10.0.0.1", "fd00::1"]
WRONG_HOSTS = ["db2.example.net", "db1.example.net.evil.test", "a.b.example.org", "example.org",
               "net", "10.0.0.2", "fd00::2"]
ROLES = {"app": "app", "blank": "App User", "quotes": "o'brien \"x\"", "accents": "josé ñandú",
         "longest": "ñ" * 31 + "x", "shell": "$(reboot);`id`", "comma": "a,b+c=d/e\\f", "star": "*",
         "cjk": "数据库", "rtl": "\u202eevil\u202c"}
# What a world is made of: key type of the CA, partitions of its CRLs, key types of the leaves.
WORLDS = {"p256": ("ec:p256", 0, ["ec:p256", "ec:p384", "rsa:2048"]),
          "p384": ("ec:p384", 0, ["ec:p384"]),
          "rsa2048": ("rsa:2048", 0, ["rsa:2048", "ec:p256"]),
          "rsa3072": ("rsa:3072", 0, ["rsa:3072"]),
          "ed25519": ("ed25519", 0, ["ed25519", "ec:p256"]),
          "shards": ("ec:p256", 8, ["ec:p256"]),
          "replaced": ("ec:p256", 0, ["ec:p256"]),
          "revoked-server-ca": ("ec:p256", 0, ["ec:p256"]),
          "revoked-client-ca": ("ec:p256", 0, ["ec:p256"])}


@dataclasses.dataclass(frozen=True)
class Case:
    what: str
    accept: bool
    chain: pathlib.Path
    root: pathlib.Path
    crls: pathlib.Path
    use: str
    issuers: pathlib.Path       # the intermediates of the world
    at: int
    host: str = None
    role: str = None            # what its CN must be read as
    needs: frozenset = frozenset()

    @property
    def moment(self):
        return datetime.datetime.fromtimestamp(self.at, datetime.timezone.utc)

    @property
    def host_is_address(self):
        try:
            return bool(ipaddress.ip_address(self.host))
        except ValueError:
            return False


def blocks(path):
    return re.findall(r"-----BEGIN .*?-----END [^\n]*\n", path.read_text(), re.S)


def openssl(*args, **kwargs):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True,
                          stdin=subprocess.DEVNULL, **kwargs)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


# ---- the worlds -------------------------------------------------------------------------------

def plan(world, now):
    """The lines for make_pki."""
    _, _, leaf_keys = WORLDS[world]
    lines = []

    def leaf(name, use, key=leaf_keys[0], role="app", begin=0, end=0):
        lines.append("\t".join([name, use, key, role, ",".join(HOSTS), str(begin), str(end)]))

    for use in ("server", "client"):
        for key in leaf_keys:
            leaf(f"good-{use}-{key.replace(':', '')}", use, key)
        leaf(f"revoked-{use}", use)
        leaf(f"expired-{use}", use, begin=now - 30 * DAY, end=now - DAY)
        leaf(f"future-{use}", use, begin=now + 10 * DAY, end=now + 30 * DAY)
    for key in leaf_keys:
        leaf(f"good-client-{key.replace(':', '')}-batch", "batch", key)
    leaf("revoked-batch", "batch")
    for name, role in ROLES.items():
        leaf(f"role-{name}", "client", role=role)
        leaf(f"role-{name}-batch", "batch", role=role)
    if world == "replaced":
        lines += ["replace root", "replace server", "replace client"]
        for use in ("server", "client"):
            leaf(f"new-{use}", use)
            leaf(f"revoked-new-{use}", use)
    if world.startswith("revoked-"):
        lines.append(f"revoke {world.split('-')[1]}")
    return "\n".join(lines) + "\n"


def flipped(block, position):
    """A PEM block with one bit changed; `position` is a function of its DER."""
    begin, *body, end = block.splitlines()
    der = bytearray(base64.b64decode("".join(body)))
    der[position(der)] ^= 1
    return f"{begin}\n{base64.encodebytes(der).decode()}{end}\n"


def signed_part(der):
    """Where the bytes that are signed begin and end; both headers have two bytes of length."""
    assert der[1] == der[5] == 0x82
    return 8, 8 + int.from_bytes(der[6:8], "big")


def within(tenths):
    def position(der):
        begin, end = signed_part(der)
        return begin + (end - begin) * tenths // 10
    return position


TAMPERINGS = {**{f"byte at {n} tenths": within(n) for n in range(1, 10)},
              "signature": lambda der: len(der) - 5,
              "purpose": lambda der: der.index(bytes.fromhex("2b060105050703")) + 7}


def make_rogue(path):
    """A client signs a certificate for another role with its own key."""
    key = next(path.glob("good-client-*.key"))
    (path / "rogue.cnf").write_text("basicConstraints = critical, CA:FALSE\n"
                                    "keyUsage = critical, digitalSignature\n"
                                    "extendedKeyUsage = clientAuth\n")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", path / "rogue.key", "-out", path / "rogue.csr", "-subj", "/CN=postgres")
    openssl("x509", "-req", "-in", path / "rogue.csr", "-CA", key.with_suffix(".crt"), "-CAkey", key,
            "-out", path / "rogue.leaf", "-days", "30", "-set_serial", "77", "-extfile",
            path / "rogue.cnf")
    (path / "rogue.crt").write_text((path / "rogue.leaf").read_text()
                                    + key.with_suffix(".crt").read_text())


def make_impostor(path):
    """A root of the same name with another key."""
    name = openssl("x509", "-in", path / "root.crt", "-noout", "-subject", "-nameopt",
                   "multiline,utf8").decode()
    common_name = re.search(r"commonName\s*= (.*)", name)[1]
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "3650", "-keyout", path / "impostor.key", "-out", path / "impostor.crt",
            "-subj", f"/CN={common_name}", "-utf8")


def make_world(tool, path, world, now):
    key_type, shards, _ = WORLDS[world]
    path.mkdir()
    done = subprocess.run([tool, path, key_type, str(shards)], input=plan(world, now),
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    everything = "".join(p.read_text() for p in sorted((path / "ca").glob("*.crl")))
    for use in ("server", "client"):
        good = next(path.glob(f"good-{use}-*.crt"))
        # a client looks at a server's certificate with the client's CRLs, and the other way round
        given = path / f"{'client' if use == 'server' else 'server'}.crls"
        (path / f"for-{use}.crls").write_text(given.read_text() if given.exists() else everything)
        above = {block: None for chain in (good, path / f"new-{use}.crt") if chain.exists()
                 for block in blocks(chain)[1:]}
        (path / f"{use}-ca.crt").write_text("".join(above))
        (path / f"bare-{use}.crt").write_text(blocks(good)[0])
        for number, position in enumerate(TAMPERINGS.values()):
            leaf, *rest = blocks(good)
            (path / f"tampered-{number}-{use}.crt").write_text(
                flipped(leaf, position) + "".join(rest))
        root_crl = (path / "ca/root.crl").read_text()
        ca_crls = path / f"ca/{use}-ca.crl"
        (path / f"only-root-{use}.crls").write_text(root_crl)
        (path / f"only-ca-{use}.crls").write_text(ca_crls.read_text())
        (path / f"tampered-{use}.crls").write_text(
            root_crl + "".join(flipped(crl, TAMPERINGS["signature"]) for crl in blocks(ca_crls)))
    make_rogue(path)
    make_impostor(path)


def make_worlds(tool, path):
    """All of them, once for all test processes; the time they were made at."""
    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            part = path.with_suffix(".part")
            part.mkdir()
            now = int(time.time())
            for world in WORLDS:
                make_world(tool, part / world, world, now)
            (part / "now").write_text(str(now))
            part.rename(path)
    return int((path / "now").read_text())


# ---- the cases --------------------------------------------------------------------------------

class World:
    """The cases of one world for one use."""

    def __init__(self, path, name, use, now):
        self.path, self.name, self.use, self.now = path / name, name, use, now
        self.other = {"server": "client", "client": "server"}[use]

    def case(self, what, accept, chain, needs=(), root=None, crls="", use=None, host=None, days=0,
             role=None):
        """`crls`: "" for those that are given out, None for no check of revocation."""
        if crls == "":
            crls = self.path / f"for-{self.use}.crls"
        needs = {*needs, *(["host"] if host else []), *(["time"] if days else [])}
        key = chain if chain.startswith("good-") else WORLDS[self.name][2][0]
        if self.use == "server" and "rsa" in key:
            needs.add("rsa-server")
        needs |= {word for word in ("ed25519", "shards") if word == self.name}
        return Case(f"{self.name}, {self.use}: {what}", accept, self.path / f"{chain}.crt",
                    root or self.path / "root.crt", crls, use or self.use,
                    self.path / f"{self.use}-ca.crt", self.now + 3600 + days * DAY, host, role,
                    frozenset(needs))

    def accepted(self):
        for chain in sorted(self.path.glob(f"good-{self.use}-*.crt")):
            yield self.case(chain.stem, True, chain.stem)
            yield self.case(f"{chain.stem}, no CRL asked for", True, chain.stem, crls=None)
            yield self.case(f"{chain.stem} in 30 days", True, chain.stem, days=30)
        good = f"good-{self.use}-" + WORLDS[self.name][2][0].replace(":", "")
        yield self.case("future, in 20 days", True, f"future-{self.use}", days=20)
        if self.use == "server":
            for host in RIGHT_HOSTS:
                yield self.case(f"called {host}", True, good, host=host)
        else:
            for name, role in ROLES.items():
                yield self.case(f"role {name}", True, f"role-{name}", role=role)
                yield self.case(f"role {name}, of a batch", True, f"role-{name}-batch", role=role)

    def refused(self, foreign):
        good = f"good-{self.use}-" + WORLDS[self.name][2][0].replace(":", "")
        yield self.case(f"as {self.other}", False, good, ["use"], use=self.other)
        yield self.case(f"as {self.other}, no CRL", False, good, ["use"], use=self.other, crls=None)
        yield self.case("revoked", False, f"revoked-{self.use}", ["crl"])
        yield self.case("expired", False, f"expired-{self.use}")
        yield self.case("not yet valid", False, f"future-{self.use}")
        yield self.case("two days before", False, good, crls=None, days=-2)
        yield self.case("in eleven years", False, good, crls=None, days=4016)
        yield self.case("foreign root", False, good, root=foreign / "root.crt", crls=None)
        yield self.case("root of the same name", False, good, root=self.path / "impostor.crt",
                        crls=None)
        yield self.case("no intermediate", False, f"bare-{self.use}", crls=None)
        yield self.case("CRLs out of date", False, good, ["no-crl"], days=360)
        for what in ("only-root", "only-ca", "tampered"):
            yield self.case(f"CRLs: {what}", False, good, ["no-crl"],
                            crls=self.path / f"{what}-{self.use}.crls")
        yield self.case("CRLs of another CA", False, good, ["no-crl"],
                        crls=foreign / f"for-{self.use}.crls")
        for number, what in enumerate(TAMPERINGS):
            yield self.case(f"tampered: {what}", False, f"tampered-{number}-{self.use}", crls=None)
        if self.use == "client":
            yield self.case("signed by a client", False, "rogue", crls=None)
            yield self.case("revoked, of a batch", False, "revoked-batch", ["crl"])
        else:
            for host in WRONG_HOSTS:
                yield self.case(f"called {host}", False, good, host=host)

    def revoked_ca(self):
        """Good by itself, but its intermediate was revoked by the root; the other one's are good."""
        revoked = self.use in self.name
        good = f"good-{self.use}-ecp256"
        yield self.case("intermediate", not revoked, good, ["crl"] if revoked else [])


    def replaced(self):
        """Root and intermediates have successors.  Who trusts the old root alone accepts both, by the
        new root's certificate from the old one; who trusts the new one alone accepts the new."""
        old, new = (self.path / f"ca/{name}.crt" for name in ("root", "root-2"))
        good = f"good-{self.use}-ecp256"
        for crls in ("", None):
            told = "no CRL" if crls is None else "CRLs"
            yield self.case(f"old, both roots, {told}", True, good, crls=crls)
            yield self.case(f"old, old root, {told}", True, good, root=old, crls=crls)
            yield self.case(f"new, both roots, {told}", True, f"new-{self.use}", crls=crls)
            yield self.case(f"new, old root, {told}", True, f"new-{self.use}", root=old, crls=crls)
            yield self.case(f"new, new root, {told}", True, f"new-{self.use}", root=new, crls=crls)
        yield self.case("old, new root", False, good, root=new, crls=None)
        for what in ("revoked", "revoked-new"):
            yield self.case(f"{what}, both roots", False, f"{what}-{self.use}", ["crl"])
            yield self.case(f"{what}, old root", False, f"{what}-{self.use}", ["crl"], root=old)


def all_cases(path, now):
    plain = [name for name in WORLDS if name != "replaced" and not name.startswith("revoked-")]
    for name in WORLDS:
        for use in ("server", "client"):
            world = World(path, name, use, now)
            if name in plain:
                yield from world.accepted()
                yield from world.refused(path / plain[plain.index(name) - 1])
            elif name == "replaced":
                yield from world.replaced()
            else:
                yield from world.revoked_ca()
