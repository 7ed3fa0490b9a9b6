package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/dialtone/dialtone/internal/fault"
)

// errNotTheSMDP refuses a notification whose sender has not shown who it is.
var errNotTheSMDP = fault.New(fault.Unauthenticated, "SMDP_NOT_AUTHENTICATED",
	"Download notifications are taken from the SM-DP+ only: with its client certificate, or from a proxy on this host that has checked it.")

// fromSMDP tells whether the caller has shown that it is the SM-DP+. ES2+ has no signature:
// what speaks is the client certificate (SGP.22 §5.3, mutual TLS). It is checked here when
// this listener speaks TLS, and otherwise by a proxy on this very host (or in this very
// pod), which is why a plain call is taken from a loopback address only. Such a proxy must
// ask for the certificate on ProgressPath. Headers that a proxy adds prove nothing, because
// anybody can write them.
func fromSMDP(r *http.Request) bool {
	if r.TLS != nil {
		return len(r.TLS.VerifiedChains) > 0
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && net.ParseIP(host).IsLoopback()
}

// TLS makes the settings with which the door speaks TLS itself, from PEM files: its own
// certificate and key, and the authorities that vouch for the SM-DP+ and nobody else. A
// client certificate is asked for and not demanded, since the other partners have none;
// without one of those authorities, or with clientCA empty, ProgressPath takes no calls.
// The certificate is read anew for each connection, so that it can be renewed in place.
func TLS(cert, key, clientCA string) (*tls.Config, error) {
	load := func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		return &pair, err
	}
	if _, err := load(nil); err != nil {
		return nil, fmt.Errorf("certificate of the webhooks: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: load}
	if clientCA == "" {
		return config, nil
	}
	pem, err := os.ReadFile(clientCA)
	if err != nil {
		return nil, fmt.Errorf("authorities of the SM-DP+: %w", err)
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.VerifyClientCertIfGiven
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("authorities of the SM-DP+: " + clientCA + " holds no PEM certificate")
	}
	return config, nil
}
