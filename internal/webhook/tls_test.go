package webhook_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/internal/webhook"
)

// authority vouches for certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string
}

// newAuthority makes one and leaves its certificate in a file.
func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	certificate, err := x509.ParseCertificate(der)
	must(t, err)
	a := authority{certificate: certificate, key: key, file: filepath.Join(t.TempDir(), "ca.pem")}
	writePEM(t, a.file, "CERTIFICATE", der)
	return a
}

// issue makes a certificate for 127.0.0.1 and leaves it and its key in files.
func (a authority) issue(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.certificate, &private.PublicKey, a.key)
	must(t, err)
	folder := t.TempDir()
	cert, key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	writePEM(t, cert, "CERTIFICATE", der)
	bytes, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	writePEM(t, key, "PRIVATE KEY", bytes)
	return cert, key
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

// The SM-DP+ is known by its certificate; the other partners need none.
func TestTLS(t *testing.T) {
	t.Parallel()
	ours, smdp, other := newAuthority(t, "ours"), newAuthority(t, "smdp"), newAuthority(t, "other")
	cert, key := ours.issue(t)
	d := storetest.Make(t, storetest.Config{})
	config, err := webhook.TLS(cert, key, smdp.file)
	must(t, err)
	b := openOn(t, d, d.DB, func(handler http.Handler) (string, func()) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		server := webhook.Server(handler)
		server.TLSConfig, server.ErrorLog = config, slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		var serving sync.WaitGroup
		serving.Go(func() { _ = server.ServeTLS(listener, "", "") })
		return "https://" + listener.Addr().String(), func() { _ = server.Close(); serving.Wait() }
	})
	a := storetest.Launched(t, d.DB)
	b.held(t, a, iccid)

	smdpCert, smdpKey := smdp.issue(t)
	otherCert, otherKey := other.issue(t)
	for name, c := range map[string]struct {
		cert, key string
		call      call
		want      int // 0 for no answer
	}{
		"the SM-DP+":            {smdpCert, smdpKey, progressCall(iccid, 3, "Executed-Success"), http.StatusNoContent},
		"without a certificate": {"", "", progressCall(iccid, 4, "Executed-Success"), http.StatusUnauthorized},
		"another's certificate": {otherCert, otherKey, progressCall(iccid, 4, "Executed-Success"), 0},
		"the carrier":           {"", "", carrierCall("evt-1", a.ID), http.StatusAccepted},
	} {
		t.Run(name, func(t *testing.T) {
			roots := x509.NewCertPool()
			roots.AddCert(ours.certificate)
			settings := &tls.Config{RootCAs: roots}
			if c.cert != "" {
				pair, err := tls.LoadX509KeyPair(c.cert, c.key)
				must(t, err)
				settings.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
			}
			if got := b.postTLS(t, settings, c.call); got != c.want {
				t.Errorf("%d, want %d", got, c.want)
			}
		})
	}
	if got := storetest.Read(t, d.DB, a).Profile.InstallState; got != mobile.InstallDownloaded {
		t.Errorf("the profile is %s", got)
	}
}

// Without TLS only a proxy on this host is believed, and no header makes anybody one.
func TestProgress_FromElsewhere(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]int{
		"127.0.0.1:5000": http.StatusNoContent, "[::1]:5000": http.StatusNoContent, "127.8.8.8:1": http.StatusNoContent,
		"10.0.0.7:5000": http.StatusUnauthorized, "[2001:db8::1]:5000": http.StatusUnauthorized, "pipe": http.StatusUnauthorized,
	} {
		d := storetest.Make(t, storetest.Config{})
		b := openOn(t, d, d.DB, func(handler http.Handler) (string, func()) {
			return plainly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.RemoteAddr = from
				r.Header.Set("X-Forwarded-For", "127.0.0.1")
				r.Header.Set("X-Real-IP", "127.0.0.1")
				handler.ServeHTTP(w, r)
			}))
		})

		if status, _, _ := b.post(t, progressCall(iccid, 3, "Executed-Success")); status != want {
			t.Errorf("from %s: %d, want %d", from, status, want)
		}
	}
}

func TestTLS_Faults(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t, "ours")
	cert, key := ours.issue(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	must(t, os.WriteFile(empty, []byte("nothing"), 0o600))
	for name, files := range map[string][3]string{
		"no certificate": {"/no/such", key, ""},
		"no key":         {cert, "/no/such", ""},
		"no authorities": {cert, key, "/no/such"},
		"an empty file":  {cert, key, empty},
		"mixed up":       {key, cert, ""},
	} {
		if _, err := webhook.TLS(files[0], files[1], files[2]); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
