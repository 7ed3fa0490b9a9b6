package esim

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// tlsConfig is nil when nothing is configured, which means the system's roots and no
// client certificate.
func tlsConfig(config Config) (*tls.Config, error) {
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case (config.ClientCert == "") != (config.ClientKey == ""):
		return nil, errors.New("SM-DP+ client certificate: certificate and key are needed together, and one of them is missing")
	case config.ClientCert != "":
		load := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(config.ClientCert, config.ClientKey)
			return &pair, err
		}
		if _, err := load(nil); err != nil {
			return nil, fmt.Errorf("SM-DP+ client certificate: %w", err)
		}
		secure.GetClientCertificate = load
	}
	if config.CA != "" {
		pem, err := os.ReadFile(config.CA)
		if err != nil {
			return nil, fmt.Errorf("SM-DP+ CA: %w", err)
		}
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("SM-DP+ CA: %s holds no PEM certificate", config.CA)
		}
	}
	return secure, nil
}
