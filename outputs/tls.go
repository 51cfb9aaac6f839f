// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// maxPEM bounds what is read of one certificate file.
const maxPEM = 4 << 20

// loadPool reads a file of certificates.
func loadPool(path string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	b, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return pool, nil
}

func readPEM(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPEM {
		return nil, fmt.Errorf("%s is no file of certificates", path)
	}
	return os.ReadFile(path)
}

// loadDir reads the certificates in a directory. Files that hold none, such as keys, are no error; a directory without any is. The
// system's certificates are taken where the directory is not there.
func loadDir(dir string) (*x509.CertPool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return x509.SystemCertPool()
	}
	if err != nil {
		return nil, err
	}
	pool, found := x509.NewCertPool(), false
	for _, e := range entries {
		if b, err := readPEM(filepath.Join(dir, e.Name())); err == nil {
			found = pool.AppendCertsFromPEM(b) || found
		}
	}
	if !found {
		return nil, fmt.Errorf("%s holds no certificate", dir)
	}
	return pool, nil
}

// loadPair reads a certificate and its key, which nobody else may be able to replace.
func loadPair(cert, key string) (tls.Certificate, error) {
	info, err := os.Stat(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	if info.Mode().Perm()&0o002 != 0 {
		return tls.Certificate{}, fmt.Errorf("%s can be written by everybody", key)
	}
	return tls.LoadX509KeyPair(cert, key)
}
