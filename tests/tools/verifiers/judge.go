// Judges certificates as Go does: chain, purpose, dates and host name by crypto/x509.  It leaves
// revocation to the program: here every certificate below the root needs a CRL of its issuer, with a
// good signature and in force, that does not list it.
//
// A line in:   NUMBER  CHAIN  ROOT  CRLS|-  server|client  HOST|-  SECONDS     (tabs between)
// A line out:  NUMBER  accept|refuse  CN in hex  REASON
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

var purpose = map[string]x509.ExtKeyUsage{
	"server": x509.ExtKeyUsageServerAuth,
	"client": x509.ExtKeyUsageClientAuth,
}

// Calls each with the DER of every block of the file.
func eachBlock(path string, each func(der []byte) error) error {
	rest, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil
		}
		if err := each(block.Bytes); err != nil {
			return err
		}
	}
}

func certificates(path string) (all []*x509.Certificate, err error) {
	err = eachBlock(path, func(der []byte) error {
		one, err := x509.ParseCertificate(der)
		all = append(all, one)
		return err
	})
	if err == nil && len(all) == 0 {
		err = errors.New("no certificate")
	}
	return all, err
}

func lists(path string) (all []*x509.RevocationList, err error) {
	err = eachBlock(path, func(der []byte) error {
		one, err := x509.ParseRevocationList(der)
		all = append(all, one)
		return err
	})
	return all, err
}

func inForce(crl *x509.RevocationList, issuer *x509.Certificate, at time.Time) bool {
	return string(crl.RawIssuer) == string(issuer.RawSubject) && crl.CheckSignatureFrom(issuer) == nil &&
		!at.Before(crl.ThisUpdate) && at.Before(crl.NextUpdate)
}

func notRevoked(cert, issuer *x509.Certificate, crls []*x509.RevocationList, at time.Time) error {
	known := false
	for _, crl := range crls {
		if !inForce(crl, issuer, at) {
			continue
		}
		known = true
		for _, entry := range crl.RevokedCertificates {
			if entry.SerialNumber.Cmp(cert.SerialNumber) == 0 {
				return errors.New("revoked: " + cert.Subject.String())
			}
		}
	}
	if !known {
		return errors.New("no CRL in force of " + issuer.Subject.String())
	}
	return nil
}

func validate(chain []*x509.Certificate, field []string) error {
	seconds, err := strconv.ParseInt(field[6], 10, 64)
	if err != nil {
		return err
	}
	roots, err := certificates(field[2])
	if err != nil {
		return err
	}
	how := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
		CurrentTime: time.Unix(seconds, 0), KeyUsages: []x509.ExtKeyUsage{purpose[field[4]]}}
	for _, root := range roots {
		how.Roots.AddCert(root)
	}
	for _, one := range chain[1:] {
		how.Intermediates.AddCert(one)
	}
	if field[5] != "-" {
		how.DNSName = field[5]
	}
	paths, err := chain[0].Verify(how)
	if err != nil || field[3] == "-" {
		return err
	}
	crls, err := lists(field[3])
	if err != nil {
		return err
	}
	path := paths[0]
	for i := 0; i+1 < len(path); i++ {
		if err := notRevoked(path[i], path[i+1], crls, how.CurrentTime); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		field := strings.Split(in.Text(), "\t")
		name := ""
		chain, err := certificates(field[1])
		if err == nil {
			name = hex.EncodeToString([]byte(chain[0].Subject.CommonName))
			err = validate(chain, field)
		}
		if err != nil {
			fmt.Printf("%s\trefuse\t%s\t%s\n", field[0], name, err)
		} else {
			fmt.Printf("%s\taccept\t%s\t\n", field[0], name)
		}
	}
}
