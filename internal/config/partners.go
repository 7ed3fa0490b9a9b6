package config

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"errors"

	"github.com/sethvargo/go-envconfig"

	"github.com/dialtone/dialtone/internal/secret"
)

// Partners is what cmd/partners, the pretend partners, needs. Nobody deploys them, so
// deploy/env.example does not have its variables.
type Partners struct {
	// Dir holds the journals; it is made when it is not there.
	Dir string `env:"PARTNERS_DIR, required" want:"a folder for the journals of the pretend partners"`

	CarrierListen  string `env:"PARTNERS_CARRIER_LISTEN, default=127.0.0.1:0" want:"a listen address, as in 127.0.0.1:0"`
	ES2PlusListen  string `env:"PARTNERS_ES2PLUS_LISTEN, default=127.0.0.1:0" want:"a listen address, as in 127.0.0.1:0"`
	SendGridListen string `env:"PARTNERS_SENDGRID_LISTEN, default=127.0.0.1:0" want:"a listen address, as in 127.0.0.1:0"`

	// CarrierAPIKey and SendGridAPIKey are what the partners ask for; empty lets any in.
	CarrierAPIKey  secret.String `env:"CARRIER_API_KEY" want:"the key that callers of the carrier must have, or nothing to let any in"`
	SendGridAPIKey secret.String `env:"SENDGRID_API_KEY" want:"the key that callers of SendGrid must have, or nothing to let any in"`
	// SMDPAddress is what the SM-DP+ says it is reached at; empty says nothing.
	SMDPAddress string `env:"ES2PLUS_SMDP_ADDRESS" want:"the host name of the SM-DP+ for phones, as in smdp.example.com"`

	// WebhookURL is where the partners bring their events; empty brings none.
	WebhookURL string `env:"WEBHOOK_URL" want:"the base address of the front's HTTP door, as in http://127.0.0.1:7401"`
	// CarrierWebhookSecret and SendGridWebhookPrivateKey sign the events.
	CarrierWebhookSecret      secret.String `env:"CARRIER_WEBHOOK_SECRET" want:"the secret with which the carrier signs its events"`
	SendGridWebhookPrivateKey secret.String `env:"SENDGRID_WEBHOOK_PRIVATE_KEY" want:"the key with which SendGrid signs its events: base64 of an ECDSA P-256 private key in PKCS#8"`

	// ExitWithParent ends the process when its standard input closes.
	ExitWithParent bool `env:"EXIT_WITH_PARENT, default=false" want:"true or false"`
}

// LoadPartners reads the settings of cmd/partners. Its error is a Faults.
func LoadPartners(ctx context.Context, lookuper envconfig.Lookuper) (Partners, error) {
	return load[Partners](ctx, lookuper)
}

// SigningKey is the key of SendGridWebhookPrivateKey, or nil when that is not set.
func (p Partners) SigningKey() *ecdsa.PrivateKey {
	key, _ := parseSigningKey(p.SendGridWebhookPrivateKey.Reveal())
	return key
}

func (p Partners) check(r *report) {
	r.unless(isListenAddress(p.CarrierListen), "PARTNERS_CARRIER_LISTEN")
	r.unless(isListenAddress(p.ES2PlusListen), "PARTNERS_ES2PLUS_LISTEN")
	r.unless(isListenAddress(p.SendGridListen), "PARTNERS_SENDGRID_LISTEN")
	r.unless(isHostName(p.SMDPAddress), "ES2PLUS_SMDP_ADDRESS")
	r.unless(isWebURL(p.WebhookURL), "WEBHOOK_URL")
	_, err := parseSigningKey(p.SendGridWebhookPrivateKey.Reveal())
	r.unless(err == nil, "SENDGRID_WEBHOOK_PRIVATE_KEY")
	if p.WebhookURL == "" {
		return
	}
	for _, needed := range []struct {
		name  string
		value secret.String
	}{
		{"CARRIER_WEBHOOK_SECRET", p.CarrierWebhookSecret},
		{"SENDGRID_WEBHOOK_PRIVATE_KEY", p.SendGridWebhookPrivateKey},
	} {
		if needed.value.Empty() {
			r.fault(needed.name, "is not set, but WEBHOOK_URL is")
		}
	}
}

var errNotP256 = errors.New("not an ECDSA P-256 key")

func parseSigningKey(text string) (*ecdsa.PrivateKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errNotP256
	}
	return key, nil
}
