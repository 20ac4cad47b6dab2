"""Certificates, keys and revocation lists as a test wants them, however wrong: made by openssl, not by
us.  Dates are days from now."""
import datetime
import itertools
import subprocess

NOW = datetime.datetime.now(datetime.timezone.utc)
_numbers = itertools.count(1)

# of RFC 2409, too short by now
DH_1024 = """\
-----BEGIN DH PARAMETERS-----
MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJR
Sgh5jjQE3e+VGbPNOkMbMCsKbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL
/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf//////////AgEC
-----END DH PARAMETERS-----
"""


def openssl(*args, **kwargs):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, **kwargs)
    assert done.returncode == 0, f"openssl {args}\n{done.stderr}"
    return done.stdout


def _stamp(days):
    return (NOW + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


class Signer:
    """A CA's certificate and key, in files."""

    def __init__(self, cert, key):
        self.cert, self.key = cert, key

    @property
    def pem(self):
        return self.cert.read_text()


class Pki:
    """Makes things in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def _new(self, ending):
        return self.folder / f"{next(_numbers)}{ending}"

    def key(self, kind="ec"):
        """ "ec", "rsa:1024", "p192" """
        path = self._new(".key")
        how = {"ec": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
               "p192": ["EC", "-pkeyopt", "ec_paramgen_curve:P-192"]}.get(
            kind, ["RSA", "-pkeyopt", f"rsa_keygen_bits:{kind.partition(':')[2]}"])
        openssl("genpkey", "-algorithm", *how, "-out", path)
        return path

    def _config(self, signer, database, extensions, digest):
        path = self._new(".cnf")
        path.write_text(f"""\
[ca]
default_ca = here
[here]
database = {database}
new_certs_dir = {self.folder}
rand_serial = yes
unique_subject = no
default_md = {digest}
policy = any
certificate = {signer.cert if signer else ''}
private_key = {signer.key if signer else ''}
[any]
organizationName = optional
commonName = optional
[extensions]
{extensions}
""")
        return path

    def cert(self, subject, signer=None, key=None, start=-1, end=90, names="DNS:localhost,IP:127.0.0.1",
             uses="serverAuth", ca=False, digest="sha256"):
        """A Signer with what it became; signed by itself without `signer`."""
        key = key or self.key()
        request, cert = self._new(".csr"), self._new(".crt")
        database = self._new(".txt")
        database.touch()
        lines = [f"basicConstraints = critical,CA:{'TRUE' if ca else 'FALSE'}",
                 "subjectKeyIdentifier = hash"]
        if ca:
            lines.append("keyUsage = critical,keyCertSign,cRLSign")
        if uses and not ca:
            lines.append(f"extendedKeyUsage = {uses}")
        if names and not ca:
            lines.append(f"subjectAltName = {names}")
        config = self._config(signer, database, "\n".join(lines), digest)
        openssl("req", "-new", "-key", key, "-subj", subject, "-out", request)
        who = [] if signer else ["-selfsign", "-keyfile", key]
        openssl("ca", "-batch", "-config", config, "-in", request, "-out", cert, "-notext",
                "-extensions", "extensions", "-startdate", _stamp(start), "-enddate", _stamp(end), *who)
        return Signer(cert, key)

    def crl(self, signer, revoked=(), start=-1, end=30):
        """PEM of a list, with these certificates on it."""
        database, path = self._new(".txt"), self._new(".crl")
        database.touch()
        config = self._config(signer, database, "", "sha256")
        for cert in revoked:
            openssl("ca", "-config", config, "-revoke", cert)
        openssl("ca", "-config", config, "-gencrl", "-out", path, "-crl_lastupdate", _stamp(start),
                "-crl_nextupdate", _stamp(end))
        return path.read_text()
