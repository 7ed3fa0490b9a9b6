package esim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
)

func TestNew(t *testing.T) {
	t.Parallel()
	good := Config{URL: "https://smdp.example.com", RequesterID: "us", SMDPAddress: testAddress}
	junk := filepath.Join(t.TempDir(), "junk.pem")
	writeFile(t, junk, []byte("junk"))

	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"Good", func(*Config) {}, ""},
		{"NoURL", func(c *Config) { c.URL = "" }, "SM-DP+ URL: not a URL"},
		{"PlainHTTP", func(c *Config) { c.URL = "http://smdp.example.com" }, "SM-DP+ URL: not https"},
		{"NoRequester", func(c *Config) { c.RequesterID = "" }, "SM-DP+ requester id: it is missing"},
		{"NoAddress", func(c *Config) { c.SMDPAddress = "" }, "SM-DP+ address: not a host name"},
		{"AddressWithScheme", func(c *Config) { c.SMDPAddress = "https://smdp.example.com" }, "SM-DP+ address: not a host name"},
		{"CertificateAlone", func(c *Config) { c.ClientCert = junk }, "certificate and key are needed together"},
		{"KeyAlone", func(c *Config) { c.ClientKey = junk }, "certificate and key are needed together"},
		{"CertificateUnreadable", func(c *Config) { c.ClientCert, c.ClientKey = junk, junk }, "SM-DP+ client certificate: tls:"},
		{"CertificateMissing", func(c *Config) { c.ClientCert, c.ClientKey = "/no/cert", "/no/key" }, "SM-DP+ client certificate: open /no/cert"},
		{"CAMissing", func(c *Config) { c.CA = "/no/ca" }, "SM-DP+ CA: open /no/ca"},
		{"CAEmpty", func(c *Config) { c.CA = junk }, "holds no PEM certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := good
			c.change(&config)

			_, err := New(config)

			if c.want == "" && err != nil {
				t.Errorf("got %v, want it accepted", err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}

	t.Run("NamesAllFaultsAtOnce", func(t *testing.T) {
		t.Parallel()
		_, err := New(Config{ClientKey: "key"})

		if err == nil || strings.Count(err.Error(), "\n") != 3 {
			t.Errorf("got %v, want four faults", err)
		}
	})

	t.Run("TakesTheURLWithOrWithoutThePath", func(t *testing.T) {
		t.Parallel()
		for _, url := range []string{
			"https://smdp.example.com", "https://smdp.example.com/", "https://smdp.example.com/gsma/rsp2/es2plus",
		} {
			config := good
			config.URL = url
			client, err := New(config)
			if err != nil || client.url != "https://smdp.example.com/gsma/rsp2/es2plus" {
				t.Errorf("%s: %+v, %v", url, client, err)
			}
		}
	})
}

// TestMutualTLS has a CA of its own, which signs both sides.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	stranger := newAuthority(t)
	server := httptest.NewUnstartedServer(answering(200, success+`,"iccid":"8901000000000000019"}`))
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t, "127.0.0.1")},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    ca.pool(),
	}
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	t.Cleanup(server.Close)
	order := func(t *testing.T, config Config) error {
		config.URL = server.URL
		_, err := newClient(t, config).DownloadOrder(t.Context(), DownloadOrder{ProfileType: "consumer-5g"})
		return err
	}

	t.Run("Accepted", func(t *testing.T) {
		t.Parallel()
		cert, key := ca.files(t)

		if err := order(t, Config{CA: ca.file(t), ClientCert: cert, ClientKey: key}); err != nil {
			t.Error(err)
		}
	})

	t.Run("RefusedWithoutCertificate", func(t *testing.T) {
		t.Parallel()
		wantPartnerError(t, order(t, Config{CA: ca.file(t)}), mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "TLS failed"})
	})

	t.Run("RefusedWithAStrangersCertificate", func(t *testing.T) {
		t.Parallel()
		cert, key := stranger.files(t)

		wantPartnerError(t, order(t, Config{CA: ca.file(t), ClientCert: cert, ClientKey: key}),
			mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "TLS failed"})
	})

	t.Run("ServerNotTrusted", func(t *testing.T) {
		t.Parallel()
		cert, key := ca.files(t)

		wantPartnerError(t, order(t, Config{CA: stranger.file(t), ClientCert: cert, ClientKey: key}),
			mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "TLS failed"})
	})

	t.Run("TakesARenewedCertificateWithoutRestart", func(t *testing.T) {
		t.Parallel()
		cert, key := stranger.files(t)
		client := newClient(t, Config{URL: server.URL, CA: ca.file(t), ClientCert: cert, ClientKey: key})
		renewedCert, renewedKey := ca.files(t)
		for from, to := range map[string]string{renewedCert: cert, renewedKey: key} {
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		}

		if _, err := client.DownloadOrder(t.Context(), DownloadOrder{ProfileType: "consumer-5g"}); err != nil {
			t.Error(err)
		}
	})
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	t.Cleanup(server.Close)

	_, err := newClient(t, Config{URL: server.URL}).DownloadOrder(t.Context(), DownloadOrder{ProfileType: "consumer-5g"})

	wantPartnerError(t, err, mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "TLS failed"})
}

// newClient fills in what a test does not care for.
func newClient(t *testing.T, config Config) *Client {
	t.Helper()
	config.RequesterID = "1.3.6.1.4.1.99999"
	config.SMDPAddress = testAddress
	config.Now = func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// authority is a CA for one test.
type authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.certificate = a.sign(t, template, template, &a.key.PublicKey)
	return a
}

func (a *authority) sign(t *testing.T, template, parent *x509.Certificate, public *ecdsa.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// issue makes a certificate for both sides of TLS.
func (a *authority) issue(t *testing.T, ip string) tls.Certificate {
	t.Helper()
	key := newKey(t)
	leaf := a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.ParseIP(ip)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.certificate, &key.PublicKey)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// file writes the CA's certificate.
func (a *authority) file(t *testing.T) string {
	t.Helper()
	return writePEM(t, "ca.pem", "CERTIFICATE", a.certificate.Raw)
}

// files issues a client certificate and writes it and its key.
func (a *authority) files(t *testing.T) (cert, key string) {
	t.Helper()
	pair := a.issue(t, "127.0.0.1")
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "cert.pem", "CERTIFICATE", pair.Certificate[0]), writePEM(t, "key.pem", "PRIVATE KEY", der)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	writeFile(t, path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	return path
}

func writeFile(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// quiet keeps what a server says of refused handshakes out of the test's output.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
