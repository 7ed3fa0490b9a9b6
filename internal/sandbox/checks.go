package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// feedPatience is how long an event may take to get its number.
const feedPatience = 15 * time.Second

// answerMax bounds what is read of a partner's answer.
const answerMax = 32 << 20

// proof is one place to look at after an activation has ended. Its check says what it saw.
type proof struct {
	of    string
	check func(context.Context) (string, error)
}

// check looks at all the places, also after one that does not show what it should.
func (s *Sandbox) check(ctx context.Context, proofs []proof) error {
	s.settings.config.tell("")
	var failed []error
	for _, p := range proofs {
		saw, err := p.check(ctx)
		if err != nil {
			s.settings.config.tell("  FAILED  %s: %v", p.of, err)
			failed = append(failed, fmt.Errorf("%s: %w", p.of, err))
			continue
		}
		s.settings.config.tell("  ok      %s: %s", p.of, saw)
	}
	return errors.Join(failed...)
}

// evidence is what the checks share.
type evidence struct {
	sandbox    *Sandbox
	connection grpc.ClientConnInterface
	workflow   *dialtonev1.Workflow
	// ported is the number that was brought along; empty for a new line.
	ported string
	// iccid is what the carrier has on the line.
	iccid string
}

func (e *evidence) ofNewLine() []proof {
	return []proof{
		{"the workflow has SUCCEEDED", e.succeeded},
		{"the line is live at the carrier", e.line},
		{"the subscription is ACTIVE", e.subscription},
		{"the feed says subscription.activated", e.feed},
		{"the mail brings a QR code that installs the eSIM", e.mail},
	}
}

func (e *evidence) succeeded(context.Context) (string, error) {
	w := e.workflow
	if w.GetState() != dialtonev1.WorkflowState_WORKFLOW_STATE_SUCCEEDED {
		return "", fmt.Errorf("it is %s, %s", lower(w.GetState().String(), "WORKFLOW_STATE_"), w.GetReason())
	}
	return fmt.Sprintf("after %.1f s", w.GetEndTime().AsTime().Sub(w.GetCreateTime().AsTime()).Seconds()), nil
}

// line asks the carrier, at its own door.
func (e *evidence) line(ctx context.Context) (string, error) {
	var line struct{ State, Number, ICCID string }
	s := e.sandbox.settings
	key := s.state.CarrierAPIKey
	if !s.pretends("CARRIER_URL") {
		key = s.config.variable("CARRIER_API_KEY")
	}
	reference := e.workflow.GetLine().GetExternalId()
	if err := getJSON(ctx, s.carrierURL()+"/v1/lines/"+url.PathEscape(reference), key, &line); err != nil {
		return "", err
	}
	e.iccid = line.ICCID
	switch {
	case line.State != "ACTIVE":
		return "", fmt.Errorf("it is %s", line.State)
	case line.Number == "" || line.Number != e.workflow.GetPhoneNumber():
		return "", fmt.Errorf("its number is %q there and %q here", line.Number, e.workflow.GetPhoneNumber())
	case e.ported != "" && line.Number != e.ported:
		return "", fmt.Errorf("its number is %q, and %q was to come", line.Number, e.ported)
	case !strings.HasSuffix(strings.TrimSuffix(line.ICCID, "F"), e.workflow.GetProfile().GetIccidLast4()):
		return "", errors.New("it has another eSIM there than here")
	}
	return line.Number, nil
}

func (e *evidence) subscription(ctx context.Context) (string, error) {
	found, err := dialtonev1.NewSubscriptionServiceClient(e.connection).GetSubscription(ctx, &dialtonev1.GetSubscriptionRequest{
		SubscriptionId: e.workflow.GetSubscriptionId(),
	})
	switch s := found.GetSubscription(); {
	case err != nil:
		return "", err
	case s.GetStatus() != dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_ACTIVE:
		return "", fmt.Errorf("it is %s", lower(s.GetStatus().String(), "SUBSCRIPTION_STATUS_"))
	case s.GetPhoneNumber() != e.workflow.GetPhoneNumber() || s.GetActivateTime() == nil:
		return "", errors.New("it has not the line's number, or no time to bill from")
	default:
		return "billed from " + s.GetActivateTime().AsTime().Local().Format(time.TimeOnly), nil
	}
}

// feed waits for the event to get its number, which comes after the commit.
func (e *evidence) feed(ctx context.Context) (string, error) {
	said := ""
	err := e.eachEvent(ctx, func(event *dialtonev1.Event) bool {
		said = fmt.Sprintf("event number %d", event.GetSequence())
		return true
	}, activated)
	return said, err
}

// activated is the type of the event that billing begins with.
const activated = "subscription.activated"

// eachEvent reads the feed of the subscription from its beginning, until enough says so.
func (e *evidence) eachEvent(ctx context.Context, enough func(*dialtonev1.Event) bool, types ...string) error {
	ctx, cancel := context.WithTimeout(ctx, feedPatience)
	defer cancel()
	stream, err := dialtonev1.NewEventServiceClient(e.connection).WatchEvents(ctx, &dialtonev1.WatchEventsRequest{
		Types: types, SubscriptionId: e.workflow.GetSubscriptionId(),
	})
	if err != nil {
		return err
	}
	for {
		message, err := stream.Recv()
		if err != nil {
			return err
		}
		if event := message.GetEvent(); event != nil && enough(event) {
			return nil
		}
	}
}

// getJSON reads an answer of a partner.
func getJSON(ctx context.Context, address, key string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s answers %s", request.URL.Path, response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, answerMax)).Decode(into); err != nil {
		return fmt.Errorf("read the answer to GET %s: %w", request.URL.Path, err)
	}
	return nil
}
