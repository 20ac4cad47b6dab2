"""pgseal ca issue client --batch: what it issues is what the single command issues, and wherever it is
killed, nothing that it gave out is missing in the ledger and the same command does the rest."""
import calendar
import random
import re
import signal
import ssl
import subprocess
import time

import pytest

FILES = {"postgresql.crt", "postgresql.key", "root.crt", "root.crl"}
ODD_ROLES = ["app", "App User", "o'brien", 'say "hi"', "josé", "a,b+c=d/e\\f", " led", "trail ", "#x",
             "数据库", "\u202eevil\u202c", "a\tb", "ñ" * 31 + "x"]
ROUNDS = 20


def openssl(*args):
    return subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=True,
                          stdin=subprocess.DEVNULL).stdout


def batch_of(ca, roles, *args):
    return ["ca", "issue", "client", "--batch", roles, "--ca", ca, "--format", "json", *args]


@pytest.fixture(params=["sqlite", "postgresql"])
def ca(request, database, folder, pgseal):
    """A CA whose ledger is in a file, and one whose ledger is in PostgreSQL."""
    path = folder / "ca"
    store = ["--store", database()[1]] if request.param == "postgresql" else []
    pgseal("ca", "init", "--ca", path, "--no-passphrase", *store, ok=True)
    return path


def recorded(ca, pgseal):
    """The serials of the ledger's clients; none may be there twice."""
    entries = pgseal("ca", "list", "--ca", ca, "--kind", "client", "--format", "json",
                     ok=True).json["certificates"]
    serials = {entry["serial"] for entry in entries}
    assert len(serials) == len(entries)
    return serials


def given_out(*outs):
    """Folder -> serial of those that have their name: each is whole, and no serial is there twice."""
    found = {}
    for out in outs:
        for kit in (p for p in out.glob("*") if p.name[0] != "."):
            assert {p.name for p in kit.iterdir()} == FILES, kit
            found[kit] = serial_in(kit / "postgresql.crt")
    assert len(set(found.values())) == len(found)
    return found


def serial_in(path):
    """From the bytes: openssl takes too long for thousands.  The serial is the first number of 16 bytes
    behind the version (RFC 5280 4.1)."""
    pem = path.read_text()
    der = ssl.PEM_cert_to_DER_cert(pem[:pem.index("-----END") + len("-----END CERTIFICATE-----\n")])
    assert der[8:13] == bytes.fromhex("a003020102") and der[13:15] == bytes.fromhex("0210")
    return der[15:31].hex()


def fits(kit):
    """Key and certificate are of one pair."""
    return (openssl("pkey", "-pubout", "-in", kit / "postgresql.key")
            == openssl("x509", "-pubkey", "-noout", "-in", kit / "postgresql.crt"))


# ---- what is issued -----------------------------------------------------------------------------

def without_what_must_differ(text):
    """openssl's text but for serial, dates, key and its identifier, partition, and signature."""
    text = re.sub(r"(Serial Number:).*?(Signature Algorithm)", r"\1\2", text, flags=re.S)
    text = re.sub(r"(Not Before|Not After ?): .*", r"\1", text)
    text = re.sub(r"(pub|Modulus):.*?(ASN1 OID|Exponent|X509v3)", r"\1\2", text, flags=re.S)
    text = re.sub(r"(Subject Key Identifier:).*?(X509v3)", r"\1\2", text, flags=re.S)
    text = re.sub(r"/[0-9]+\.crl", "/N.crl", text)
    return re.sub(r"Signature Value:.*", "", text, flags=re.S)


def shape(path):
    """Depth and type of every element of the DER, in order."""
    return re.findall(r"d=(\d+).*?(?:prim|cons): (\w+)", openssl("asn1parse", "-in", path))


def lifetime(path):
    begin, end = (openssl("x509", "-noout", f"-{which}date", "-dateopt", "iso_8601", "-in", path)
                  for which in ("start", "end"))
    stamp = [calendar.timegm(time.strptime(line.partition("=")[2].strip(), "%Y-%m-%d %H:%M:%SZ"))
             for line in (begin, end)]
    return stamp[1] - stamp[0]


@pytest.mark.parametrize("key_type", ["ec:p256", "ec:p384", "rsa:2048", "ed25519"])
@pytest.mark.parametrize("shards", [1, 4])
def test_a_batch_issues_what_the_single_command_issues(folder, pgseal, shards, key_type):
    path = folder / "ca"
    pgseal("ca", "init", "--ca", path, "--no-passphrase", "--dn-o", "Café, S.A.",
           "--crl-shards", shards, ok=True)
    roles = ODD_ROLES if key_type == "ec:p256" else ODD_ROLES[:3]
    (folder / "roles").write_text("".join(f"{role}\n" for role in roles))
    options = ["--key-type", key_type, "--days", "30"]
    assert pgseal(*batch_of(path, folder / "roles", "--out", folder / "out", *options),
                  ok=True).json["issued"] == len(roles)
    in_batch = {openssl("x509", "-noout", "-subject", "-nameopt", "RFC2253", "-in", crt): crt
                for crt in (folder / "out").glob("*/postgresql.crt")}
    assert len(in_batch) == len(roles)
    for number, role in enumerate(roles):
        alone = folder / f"alone{number}/postgresql.crt"
        pgseal("ca", "issue", "client", "--ca", path, "--out", alone.parent, *options, "--", role,
               ok=True)
        made = in_batch[openssl("x509", "-noout", "-subject", "-nameopt", "RFC2253", "-in", alone)]
        texts = [without_what_must_differ(openssl("x509", "-noout", "-text", "-in", crt))
                 for crt in (alone, made)]
        assert texts[0] == texts[1] and "TLS Web Client Authentication" in texts[0]
        assert shape(made) == shape(alone)
        assert lifetime(made) == lifetime(alone)
        assert fits(made.parent)
        chains = [path.read_text().partition("-----END CERTIFICATE-----")[2] for path in (alone, made)]
        assert chains[0] == chains[1]
    assert pgseal("ca", "verify", "--ca", path).status == 0


# ---- kill -9 ------------------------------------------------------------------------------------

@pytest.mark.takes(30)
def test_killed_at_random_moments_with_two_at_work(ca, folder, program, pgseal, record_property):
    outs = [folder / "one", folder / "two"]
    files = [folder / "roles1", folder / "roles2"]
    for number, path in enumerate(files):
        path.write_text("".join(f"role{number}_{n}\n" for n in range(6000)))
    begin = time.monotonic()
    (folder / "first").write_text("".join(f"first{n}\n" for n in range(1100)))
    pgseal(*batch_of(ca, folder / "first", "--out", folder / "zero"), ok=True)
    most = min(1.5 * (time.monotonic() - begin), 5)     # making files may take long here
    seen = 0
    for seed in range(ROUNDS):
        running = [subprocess.Popen([program, *map(str, batch_of(ca, path, "--out", out))],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                   for path, out in zip(files, outs, strict=True)]
        time.sleep(random.Random(seed).uniform(0.02, most))
        for process in running:
            process.kill()
            err = process.communicate()[1]
            assert process.returncode in (-signal.SIGKILL, 0), err
        found = given_out(*outs)
        assert len(found) >= seen, "what was given out stays"
        seen = len(found)
        most *= 1 if seen else 1.5          # two at work on a busy machine: later, then
        assert set(found.values()) <= recorded(ca, pgseal)
    assert seen > 0
    for path, out in zip(files, outs, strict=True):
        # the rest would take long: a few of those that are missing are enough
        missing = [role for role in path.read_text().split() if not (out / role).exists()][:300]
        (folder / "rest").write_text("".join(f"{role}\n" for role in missing))
        assert pgseal(*batch_of(ca, folder / "rest", "--out", out), ok=True).json["issued"] == len(missing)
    found = given_out(*outs)
    assert set(found.values()) <= recorded(ca, pgseal)
    assert all(fits(kit) for kit in random.Random(1).sample(sorted(found), 20))
    assert pgseal("ca", "verify", "--ca", ca).status == 0
    record_property("says", f"batches killed {2 * ROUNDS} times: {len(found)} certificates given out, "
                            "all of them recorded, no serial twice")


@pytest.mark.takes(25)
def test_killed_at_each_step_it_goes_on(ca, folder, killat, pgseal, record_property):
    """Before and after each call that changes a file: of the ledger, and of the roles' folders."""
    roles = folder / "roles"
    roles.write_text("".join(f"role{n}\n" for n in range(3)))
    log = folder / "calls"
    done = killat(batch_of(ca, roles, "--out", folder / "counted"), [ca, folder / "counted"], log=log)
    assert done.status == 0, done
    calls = [line.split("\t")[1] for line in log.read_text().splitlines()]
    killed = 0
    for n in range(1, len(calls) + 1):
        for after in (0, 1):
            out = folder / f"out{n}.{after}"
            died = killat(batch_of(ca, roles, "--out", out), [ca, out], at=n, after=after)
            killed += died.status == -signal.SIGKILL
            before = given_out(out)
            assert set(before.values()) <= recorded(ca, pgseal), (n, after, calls[n - 1])
            rest = pgseal(*batch_of(ca, roles, "--out", out), ok=True).json
            assert (rest["issued"], rest["skipped"]) == (3 - len(before), len(before))
            found = given_out(out)
            assert len(found) == 3 and not list(out.glob(".*")), (n, after, calls[n - 1])
            assert {kit: found[kit] for kit in before} == before
            assert set(found.values()) <= recorded(ca, pgseal)
    assert killed > len(calls)
    assert pgseal("ca", "verify", "--ca", ca).status == 0
    record_property("says", f"a batch killed {killed} times, before and after each of {len(calls)} calls")


def test_a_disk_that_is_full_gives_out_nothing_that_is_not_recorded(folder, killat, pgseal,
                                                                    record_property):
    path, roles, log = folder / "ca", folder / "roles", folder / "calls"
    pgseal("ca", "init", "--ca", path, "--no-passphrase", ok=True)
    roles.write_text("a\nb\n")
    assert killat(batch_of(path, roles, "--out", folder / "counted"), [path, folder / "counted"],
                  log=log).status == 0
    calls = log.read_text().splitlines()
    refused = 0
    for n in range(1, len(calls) + 1):
        out = folder / f"out{n}"
        done = killat(batch_of(path, roles, "--out", out), [path, out], fail=f"{n}+:ENOSPC")
        assert done.status in (0, 3), done
        refused += done.status == 3
        assert set(given_out(out).values()) <= recorded(path, pgseal)
        assert done.status == 0 or done.err.startswith("pgseal: error: could not"), done
    assert refused > len(calls) // 2
    record_property("says", f"disk full from each of {len(calls)} calls on: {refused} times refused")
