// What K3s does with authorities, restated from its sources, since it takes Go's own verifier to say what that accepts:
//
//	hash FILE      the hash of a secure token: hashCA of pkg/clientaccess/token.go
//	rotate OLD NEW what `k3s certificate rotate-ca` finds wrong with the authorities of the folder NEW when those of OLD are
//	               in use: validateBootstrap of pkg/server/cert.go
//	config FILE    the flags that the configuration FILE and its drop-ins become: readConfigFile of pkg/configfilearg/parser.go
package main

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v2"
)

func main() {
	switch os.Args[1] {
	case "hash":
		fmt.Print(hash(read(os.Args[2])))
	case "rotate":
		for _, problem := range rotate(os.Args[2], os.Args[3]) {
			fmt.Println(problem)
		}
	case "config":
		for _, flag := range config(os.Args[2]) {
			fmt.Println(flag)
		}
	}
}

func config(file string) []string {
	files, err := filepath.Glob(file + ".d/*.yaml")
	must(err)
	if _, err := os.Stat(file); err == nil {
		files = append([]string{file}, files...)
	}
	var order []string
	values := map[string][]any{}
	for _, name := range files {
		data := yaml.MapSlice{}
		must(yaml.Unmarshal(read(name), &data))
		for _, item := range data {
			key, adds := strings.CutSuffix(item.Key.(string), "+")
			list, isList := item.Value.([]any)
			if !isList {
				list = []any{item.Value}
			}
			if !slices.Contains(order, key) {
				order = append(order, key)
			}
			if adds {
				list = append(values[key], list...)
			}
			values[key] = list
		}
	}
	var flags []string
	for _, key := range order {
		for _, value := range values[key] {
			flags = append(flags, fmt.Sprintf("--%s=%v", key, value))
		}
	}
	return flags
}

func hash(text []byte) string {
	certificates := parse(text)
	if len(certificates) > 1 {
		roots, intermediates := pools(certificates[1:])
		chains, err := certificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates})
		if err == nil {
			text = chains[0][len(chains[0])-1].Raw
		}
	}
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:])
}

func rotate(before, after string) []string {
	var problems []string
	for _, name := range []string{"server", "client", "request-header", "etcd/server", "etcd/peer"} {
		certificate, key := filepath.Join(after, name+"-ca.crt"), filepath.Join(after, name+"-ca.key")
		if err := verify(parse(read(filepath.Join(before, name+"-ca.crt"))), parse(read(certificate))); err != nil {
			problems = append(problems, name+": "+err.Error())
		}
		if _, err := tls.LoadX509KeyPair(certificate, key); err != nil {
			problems = append(problems, name+": key of another certificate")
		}
	}
	old, now := keys(filepath.Join(before, "service.key")), keys(filepath.Join(after, "service.key"))
	for _, key := range now {
		if key.Equal(old[0]) {
			return problems
		}
	}
	return append(problems, "service.key: the key that signed is not among the new ones")
}

func verify(before, after []*x509.Certificate) error {
	if len(after) == 1 {
		return fmt.Errorf("one certificate alone")
	}
	roots, intermediates := pools(before)
	for _, certificate := range after[1:] {
		if len(certificate.AuthorityKeyId) > 0 {
			intermediates.AddCert(certificate)
		}
	}
	if _, err := after[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates}); err != nil {
		return fmt.Errorf("not verified by the authorities in use")
	}
	return nil
}

func pools(certificates []*x509.Certificate) (*x509.CertPool, *x509.CertPool) {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	for _, certificate := range certificates {
		signer := certificate.AuthorityKeyId
		if len(signer) == 0 || bytes.Equal(signer, certificate.SubjectKeyId) {
			roots.AddCert(certificate)
		} else {
			intermediates.AddCert(certificate)
		}
	}
	return roots, intermediates
}

func parse(text []byte) []*x509.Certificate {
	var certificates []*x509.Certificate
	for _, block := range blocks(text) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		must(err)
		certificates = append(certificates, certificate)
	}
	return certificates
}

func keys(file string) []*rsa.PublicKey {
	var public []*rsa.PublicKey
	for _, block := range blocks(read(file)) {
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		must(err)
		public = append(public, &key.PublicKey)
	}
	return public
}

func blocks(text []byte) []*pem.Block {
	var found []*pem.Block
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		found = append(found, block)
	}
	return found
}

func read(file string) []byte {
	text, err := os.ReadFile(file)
	must(err)
	return text
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
