#!/bin/bash
# The job of `pgseal secure` as a careful DBA does it by script: openssl, sed, psql.
#
#   by_hand.sh DATADIR PORT SOCKETDIR OWNER WORKDIR
#
# Run as OWNER or as root.  Root and intermediate CA, server and client certificate, CRLs of both CAs,
# settings, pg_hba.conf, reload, and the checks that a DBA makes afterwards.  No way back, no
# attacker: those have no command to type.
set -euo pipefail
data=$1 port=$2 socket=$3 owner=$4 work=$5
tls=$work/tls
umask 077
mkdir -p "$work/ca" "$tls" "$work/app"
cd "$work/ca"

# ---- certificates ----

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

for ca in root issuing; do
    : >"$ca.index"
    echo 1000 >"$ca.number"
    cat >"$ca.cnf" <<END
[ca]
default_ca = it
[it]
database = $work/ca/$ca.index
new_certs_dir = $work/ca
certificate = $work/ca/$ca.crt
private_key = $work/ca/$ca.key
rand_serial = yes
crlnumber = $work/ca/$ca.number
default_md = sha256
default_days = 397
default_crl_days = 30
policy = any
copy_extensions = copy
[any]
commonName = supplied
[ca_cert]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
[client]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
END
done
sign() {
    openssl ca -batch -notext -config "$1.cnf" -extensions "$2" -days "$3" -in "$4.csr" \
        -out "$4.crt" 2>/dev/null
}

key root.key
openssl req -x509 -new -key root.key -days 3650 -subj "/CN=Root" -config root.cnf \
    -extensions ca_cert -out root.crt
for name in issuing localhost app; do
    key $name.key
    openssl req -new -key $name.key -subj "/CN=$name" -out $name.csr
done
sign root ca_cert 1825 issuing
sign issuing server 397 localhost
sign issuing client 397 app
openssl ca -gencrl -config root.cnf -out root.crl 2>/dev/null
openssl ca -gencrl -config issuing.cnf -out issuing.crl 2>/dev/null
openssl verify -CAfile root.crt -untrusted issuing.crt localhost.crt app.crt >/dev/null

cat localhost.crt issuing.crt >"$tls/server.crt"
cp localhost.key "$tls/server.key"
cat root.crt issuing.crt >"$tls/clients.crt"
cat root.crl issuing.crl >"$tls/clients.crl"
cat app.crt issuing.crt >"$work/app/postgresql.crt"
cp app.key "$work/app/postgresql.key"
cp root.crt "$work/app/root.crt"
cp "$tls/clients.crl" "$work/app/root.crl"
if ((EUID == 0)); then
    chown -R "$owner:" "$tls"
    chmod 0711 "$work"
fi

# ---- settings and rules ----

cat >>"$data/postgresql.conf" <<END
ssl = on
ssl_cert_file = '$tls/server.crt'
ssl_key_file = '$tls/server.key'
ssl_ca_file = '$tls/clients.crt'
ssl_crl_file = '$tls/clients.crl'
ssl_min_protocol_version = 'TLSv1.2'
END
sed -i -e 's/^host\([[:space:]]\)/hostssl\1/' \
    -e '0,/^hostssl/s//hostssl all app 127.0.0.1\/32 cert\nhostssl/' "$data/pg_hba.conf"
((EUID != 0)) || chown "$owner:" "$data/pg_hba.conf"

# ---- reload and checks ----

cd /
as=()
((EUID != 0)) || as=(setpriv "--reuid=$owner" "--regid=$owner" --clear-groups)
admin() { "${as[@]}" psql -XAtq "host=$socket port=$port user=$owner dbname=postgres" -c "$1"; }
outside() {
    psql -XAtqw "host=localhost hostaddr=127.0.0.1 port=$port dbname=postgres gssencmode=disable $1" \
        -c "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()" 2>&1
}

loaded=$(admin "SELECT pg_conf_load_time()")
admin "SELECT pg_reload_conf()" >/dev/null
while [[ $(admin "SELECT pg_conf_load_time()") == "$loaded" ]]; do sleep 0.05; done
[[ $(admin "SHOW ssl") == on ]]
[[ $(admin "SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL") == 0 ]]
[[ $(admin "SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL") == 0 ]]

# says WHAT PARAMETERS: the answer from outside, in or out, contains this.
says() { [[ $(outside "$2" || true) == *"$1"* ]]; }
app="user=app sslrootcert=$work/app/root.crt sslcert=$work/app/postgresql.crt sslkey=$work/app/postgresql.key"
says "TLSv1.3" "sslmode=verify-full $app"
says "no pg_hba.conf entry" "sslmode=disable user=app"
says "valid client certificate" "sslmode=require user=app"
