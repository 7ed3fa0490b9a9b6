package main

import (
	"crypto/tls"
	"fmt"

	"github.com/dialtone/dialtone/internal/carrier"
	"github.com/dialtone/dialtone/internal/config"
	"github.com/dialtone/dialtone/internal/mail"
	"github.com/dialtone/dialtone/internal/webhook"
)

// webhookConfig has what verifies the partners' events.
func webhookConfig(settings config.Server) (webhook.Config, error) {
	verifier, err := carrier.NewVerifier(settings.CarrierWebhook.Secret.Reveal())
	if err != nil {
		return webhook.Config{}, fmt.Errorf("CARRIER_WEBHOOK_SECRET: %w", err)
	}
	key, err := mail.ParseWebhookKey(settings.SendGridWebhook.Key)
	if err != nil {
		return webhook.Config{}, fmt.Errorf("SENDGRID_WEBHOOK_KEY: %w", err)
	}
	return webhook.Config{Carrier: verifier, SendGrid: key}, nil
}

// readTLS gives nil without a certificate. The files are read again for each handshake, so
// that a renewed certificate needs no restart, and once now, so that a wrong one stops it.
func readTLS(settings config.GRPC) (*tls.Config, error) {
	if settings.TLSCert == "" {
		return nil, nil
	}
	read := func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		certificate, err := tls.LoadX509KeyPair(settings.TLSCert, settings.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("read GRPC_TLS_CERT and GRPC_TLS_KEY: %w", err)
		}
		return &certificate, nil
	}
	if _, err := read(nil); err != nil {
		return nil, err
	}
	return &tls.Config{GetCertificate: read, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}}, nil
}
