package esim

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/wire"
)

const (
	basePath = "/gsma/rsp2/es2plus"
	// adminProtocol names the version of SGP.22 that is spoken (§6.2 there).
	adminProtocol = "gsma/rsp/v2.2.0"
)

// Config says which SM-DP+ is used, and as whom. Faults in it are found by New.
type Config struct {
	// URL is the base address of ES2+: https, or http to a loopback address. The path
	// /gsma/rsp2/es2plus is added unless it is there.
	URL string
	// RequesterID is our functionRequesterIdentifier, agreed with the SM-DP+'s operator.
	RequesterID string
	// ClientCert and ClientKey are PEM files for mutual TLS; both or neither. They are read
	// again for each handshake, so that a renewed certificate needs no restart.
	ClientCert, ClientKey string
	// CA is a PEM file with the roots to trust instead of the system's; may be empty.
	CA string
	// SMDPAddress is the host name that activation codes carry. No other ever reaches a
	// customer.
	SMDPAddress string
	// Timeout bounds a call; 0 is wire.TimeoutDefault.
	Timeout time.Duration
	// Now is the clock against which a Retry-After date is read; nil is time.Now.
	Now func() time.Time
}

// Client orders profiles. It may be used by many goroutines.
type Client struct {
	url         string
	requesterID string
	address     string
	wire        *wire.Client
	now         func() time.Time
}

// New checks the configuration, all of it, and reads the certificates once to be sure of
// them. It opens no connection. Its errors name settings and files, never their contents.
func New(config Config) (*Client, error) {
	var faults []error
	base, err := wire.ParseURL(config.URL)
	if err != nil {
		faults = append(faults, fmt.Errorf("SM-DP+ URL: %w", err))
	}
	if config.RequesterID == "" {
		faults = append(faults, errors.New("SM-DP+ requester id: it is missing"))
	}
	if _, err := mobile.NewActivationCode(config.SMDPAddress, "A"); err != nil {
		faults = append(faults, errors.New("SM-DP+ address: not a host name such as smdp.example.com"))
	}
	secure, err := tlsConfig(config)
	if err != nil {
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	now := config.Now
	if now == nil {
		now = time.Now
	}
	return &Client{
		url:         strings.TrimSuffix(base.String(), basePath) + basePath,
		requesterID: config.RequesterID,
		address:     config.SMDPAddress,
		wire:        wire.New(wire.Config{Timeout: config.Timeout, TLS: secure}),
		now:         now,
	}, nil
}

// call makes one call and gives back a reply that means yes, or a *mobile.PartnerError.
func (c *Client) call(ctx context.Context, act act, body any) (reply, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return reply{}, unsent("request not encodable", err)
	}
	url := c.url + "/" + act.function()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return reply{}, unsent("request not valid", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("X-Admin-Protocol", adminProtocol)
	request.Header.Set("User-Agent", "dialtone")

	answer, err := c.wire.Call(ctx, request)
	if err != nil {
		return reply{}, judgeSilence(wire.ErrorOf(err))
	}
	judged, refusal := judge(act, answer)
	if refusal != nil {
		refusal.RetryAfter = cmp.Or(wire.RetryAfter(answer.Header, c.now()), refusal.RetryAfter)
		return reply{}, refusal
	}
	return judged, nil
}

func (c *Client) header(callID string) requestHeader {
	return requestHeader{RequesterID: c.requesterID, CallID: callID}
}
