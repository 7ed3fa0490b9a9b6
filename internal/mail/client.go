package mail

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/sendgrid/rest"
	"github.com/sendgrid/sendgrid-go"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/wire"
)

const sendPath = "/v3/mail/send"

// Config is what a Client needs.
type Config struct {
	// URL is SendGrid's base address: https://api.sendgrid.com, or https://api.eu.sendgrid.com
	// for accounts in the EU. http is allowed to a loopback address only.
	URL string
	// APIKey needs the permission "Mail Send" and no other.
	APIKey string
	// Timeout bounds a send from the look-up of the host to the last byte of the reply; 0 is
	// wire.TimeoutDefault. It must be shorter than the timeout of the activity that sends.
	Timeout time.Duration
	// Now is the clock that Retry-After dates are held against; nil is time.Now.
	Now func() time.Time
}

// Format hides the API key from every verb.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{URL:%s APIKey:*** Timeout:%s}", c.URL, c.Timeout)
}

// Client hands messages to SendGrid. It may be used by many goroutines.
type Client struct {
	wire *wire.Client
	host string
	key  string
	now  func() time.Time
}

// New refuses an address that wire.ParseURL refuses, and an empty API key. It opens no
// connection.
func New(config Config) (*Client, error) {
	base, err := wire.ParseURL(config.URL)
	if err != nil {
		return nil, fmt.Errorf("read SendGrid's address: %w", err)
	}
	if config.APIKey == "" {
		return nil, fmt.Errorf("read SendGrid's API key: it is empty")
	}
	now := config.Now
	if now == nil {
		now = time.Now
	}
	return &Client{
		wire: wire.New(wire.Config{Timeout: config.Timeout}),
		host: base.String(), key: config.APIKey, now: now,
	}, nil
}

// Send hands the bytes of a Message over, once and unchanged, and returns SendGrid's id of
// it (X-Message-Id), which is empty where SendGrid accepted without naming one. Every error
// is a *mobile.PartnerError judged by the table in verdict.go. Send never tries again by
// itself: sendgrid-go's own retry would hide from the caller what an attempt has done.
func (c *Client) Send(ctx context.Context, message []byte) (string, error) {
	request := sendgrid.GetRequest(c.key, sendPath, c.host)
	request.Method = rest.Post
	request.Body = message
	call, err := rest.BuildRequestObject(request)
	if err != nil {
		return "", &mobile.PartnerError{Partner: mobile.PartnerSendGrid, Verdict: mobile.VerdictNotNow, Code: "request not built", Err: err}
	}
	reply, err := c.wire.Call(ctx, call)
	if err != nil {
		return "", judgeSilence(wire.ErrorOf(err))
	}
	if reply.Status == http.StatusAccepted {
		return messageID(reply.Header), nil
	}
	return "", judgeReply(reply, c.now())
}
