package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/dialtone/dialtone/internal/secret"
)

// state is what a second start needs. It is written whenever it grows.
type state struct {
	path string

	// ID is also in the marker table of each database: only together do they make sense,
	// since the keys that sealed what is there are here.
	ID     string         `json:"id"`
	Ports  map[string]int `json:"ports"`
	Keyset string         `json:"keyset"`
	// DatabasePassword is of the role that server and worker connect as.
	DatabasePassword string `json:"database_password"`

	CarrierAPIKey        string `json:"carrier_api_key"`
	CarrierWebhookSecret string `json:"carrier_webhook_secret"`
	SendGridAPIKey       string `json:"sendgrid_api_key"`
	// SendGridSigningKey is base64 of PKCS#8, SendGridVerificationKey of its public half.
	SendGridSigningKey      string `json:"sendgrid_signing_key"`
	SendGridVerificationKey string `json:"sendgrid_verification_key"`

	AdminToken string `json:"admin_token,omitempty"`
	// Tenants are those that were made, by id.
	Tenants map[string]tenantTokens `json:"tenants"`
}

// tenantTokens are the secrets of one tenant's callers.
type tenantTokens struct {
	Billing       string `json:"billing,omitempty"`
	Operator      string `json:"operator,omitempty"`
	PortalBackend string `json:"portal_backend,omitempty"`
}

// loadState reads what the last start kept, or draws everything anew.
func loadState(path string) (*state, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newState(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read what the last sandbox kept: %w", err)
	}
	s := &state{path: path}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w): --fresh begins anew", path, err)
	}
	if s.Tenants == nil {
		s.Tenants = make(map[string]tenantTokens)
	}
	return s, nil
}

func newState(path string) (*state, error) {
	keyset, err := secret.NewKeyset()
	if err != nil {
		return nil, fmt.Errorf("make the sandbox's keys: %w", err)
	}
	private, public, err := newSigningKey()
	if err != nil {
		return nil, fmt.Errorf("make the pretend SendGrid's key: %w", err)
	}
	s := &state{
		path: path, ID: rand.Text(), Keyset: keyset, DatabasePassword: rand.Text(),
		CarrierAPIKey: rand.Text(), CarrierWebhookSecret: rand.Text() + rand.Text(), SendGridAPIKey: "SG." + rand.Text(),
		SendGridSigningKey: private, SendGridVerificationKey: public,
		Tenants: make(map[string]tenantTokens),
	}
	return s, s.save()
}

func newSigningKey() (private, public string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	privateDER, privateErr := x509.MarshalPKCS8PrivateKey(key)
	publicDER, publicErr := x509.MarshalPKIXPublicKey(key.Public())
	return base64.StdEncoding.EncodeToString(privateDER), base64.StdEncoding.EncodeToString(publicDER),
		errors.Join(privateErr, publicErr)
}

// save replaces the file as a whole.
func (s *state) save() error { return writeSecretly(s.path, s) }

// writeSecretly writes JSON that only its owner may read, all or nothing.
func writeSecretly(path string, content any) error {
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	fresh := path + ".new"
	if err := os.WriteFile(fresh, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
