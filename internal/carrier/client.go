package carrier

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/wire"
)

// Config is what the Client needs.
type Config struct {
	// URL is the base address of the API, https unless it is a loopback address.
	URL string
	// APIKey is sent as a bearer token.
	APIKey string
	// WebhookSecrets are the secrets that events may be signed with: one, or two while
	// they are being changed. With none VerifyEvent refuses every event.
	WebhookSecrets []string
	// Timeout bounds a whole call; 0 means wire.TimeoutDefault.
	Timeout time.Duration
}

// Format hides the secrets from every verb.
func (Config) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[carrier config]")) }

// Client is the adapter to the API of api/carrier/v1/openapi.yaml. It is a Carrier and safe
// for concurrent use.
type Client struct {
	Verifier

	base   *url.URL
	apiKey string
	http   *wire.Client
	now    func() time.Time
}

var _ Carrier = (*Client)(nil)

// apiKeyForm is what may stand in a bearer token (RFC 6750 §2.1).
var apiKeyForm = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// New returns a client. It refuses a config that cannot work and opens no connection.
func New(config Config) (*Client, error) {
	base, err := wire.ParseURL(config.URL)
	if err != nil {
		return nil, fmt.Errorf("carrier URL: %w", err)
	}
	if !apiKeyForm.MatchString(config.APIKey) {
		return nil, errors.New("carrier API key: empty, or with characters that no bearer token may have")
	}
	verifier := &Verifier{}
	if len(config.WebhookSecrets) > 0 {
		if verifier, err = NewVerifier(config.WebhookSecrets...); err != nil {
			return nil, err
		}
	}
	return &Client{
		Verifier: *verifier, base: base, apiKey: config.APIKey,
		http: wire.New(wire.Config{Timeout: config.Timeout}), now: time.Now,
	}, nil
}

// Format hides the secrets from every verb.
func (*Client) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[carrier client]")) }

// CheckDevice implements Carrier.
func (c *Client) CheckDevice(ctx context.Context, check DeviceCheck) error {
	answer := c.call(ctx, request{
		call: checkDevice, method: http.MethodPost, path: "/v1/device-checks",
		body: deviceCheckJSON{IMEI: check.IMEI, ZIPCode: check.ZIPCode},
	})
	var result deviceResultJSON
	if err := answer.read(&result, http.StatusOK); err != nil {
		return err
	}
	if !result.Eligible {
		return answer.unreadable("reply does not say eligible")
	}
	return nil
}

// ActivateLine implements Carrier.
func (c *Client) ActivateLine(ctx context.Context, key string, order LineOrder) (Line, error) {
	answer := c.call(ctx, request{
		call: activateLine, method: http.MethodPost, path: "/v1/lines", key: key, externalID: order.ExternalID,
		body: lineOrderJSON{
			ExternalID: order.ExternalID, ICCID: order.ICCID, IMEI: order.IMEI,
			ZIPCode: order.ZIPCode, Plan: order.Plan, CustomerName: order.CustomerName,
		},
	})
	if answer.code == codeLineExists {
		return answer.existing(order.ExternalID, order.ICCID)
	}
	line, err := answer.line(order.ExternalID, http.StatusCreated, http.StatusAccepted)
	if err == nil && line.ICCID != unpadded(order.ICCID) {
		return Line{}, answer.unreadable("reply names another ICCID")
	}
	return line, err
}

// ReadLine implements Carrier.
func (c *Client) ReadLine(ctx context.Context, externalID string) (Line, error) {
	answer := c.call(ctx, request{
		call: readLine, method: http.MethodGet, path: "/v1/lines/" + url.PathEscape(externalID), externalID: externalID,
	})
	return answer.line(externalID, http.StatusOK)
}

// Settle implements Carrier: the API takes an Idempotency-Key on every write.
func (c *Client) Settle() mobile.Settle { return mobile.SettleKeyed }

// ChangeSIM implements Carrier.
func (c *Client) ChangeSIM(ctx context.Context, key string, change SIMChange) (Line, error) {
	answer := c.call(ctx, request{
		call: changeSIM, method: http.MethodPut, path: "/v1/lines/" + url.PathEscape(change.ExternalID) + "/sim",
		key: key, externalID: change.ExternalID,
		body: simChangeJSON{ICCID: change.ICCID, IMEI: change.IMEI},
	})
	if answer.code == codeLineExists {
		return answer.existing(change.ExternalID, change.ICCID)
	}
	line, err := answer.line(change.ExternalID, http.StatusOK)
	if err == nil && line.ICCID != unpadded(change.ICCID) {
		return Line{}, answer.unreadable("reply names another ICCID")
	}
	return line, err
}

// DeactivateLine implements Carrier.
func (c *Client) DeactivateLine(ctx context.Context, key, externalID string) error {
	answer := c.call(ctx, request{
		call: deactivateLine, method: http.MethodPost, path: "/v1/lines/" + url.PathEscape(externalID) + "/deactivate",
		key: key, externalID: externalID,
	})
	line, err := answer.line(externalID, http.StatusOK)
	switch {
	case errors.Is(err, ErrLineNotFound), answer.code == codeLineEnded:
		return nil
	case err != nil:
		return err
	case line.State != StateDeactivated && line.State != StateFailed:
		return answer.unreadable("reply does not say that the line has ended")
	default:
		return nil
	}
}

// request is one call before it is made.
type request struct {
	call         call
	method, path string
	// key is for a call that writes.
	key string
	// externalID is of the line or the port that the call is about, if it is about one.
	externalID string
	body       any
}

var (
	// externalIDForm also keeps an id from being more than one segment of a path.
	externalIDForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$`)
	keyForm        = regexp.MustCompile(`^[A-Za-z0-9._~:/-]{1,255}$`)
)

// call makes the one attempt and judges what came of it.
func (c *Client) call(ctx context.Context, r request) answer {
	if r.call.writes() && !keyForm.MatchString(r.key) {
		return unsent("idempotency key not allowed", nil)
	}
	if !r.call.asks() && !externalIDForm.MatchString(r.externalID) {
		return unsent("external id not allowed", nil)
	}
	built, err := c.build(ctx, r)
	if err != nil {
		return unsent("request cannot be built", err)
	}
	reply, err := c.http.Call(ctx, built)
	if err != nil {
		return judgeFailure(r.call, wire.ErrorOf(err))
	}
	return judge(r.call, reply, c.now())
}

func (c *Client) build(ctx context.Context, r request) (*http.Request, error) {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return nil, err
		}
	}
	built, err := http.NewRequestWithContext(ctx, r.method, c.base.String()+r.path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	built.Header.Set("Authorization", "Bearer "+c.apiKey)
	built.Header.Set("Accept", "application/json")
	built.Header.Set("User-Agent", "dialtone")
	if r.body != nil {
		built.Header.Set("Content-Type", "application/json")
	}
	if r.call.writes() {
		built.Header.Set("Idempotency-Key", r.key)
	}
	return built, nil
}

// unsent is the answer to a call that was not made.
func unsent(code string, err error) answer {
	return answer{err: &mobile.PartnerError{
		Partner: mobile.PartnerCarrier, Verdict: mobile.VerdictNotNow, Code: code, Err: err,
	}}
}
