package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/carrier/carriertest"
	"github.com/dialtone/dialtone/internal/partnertest"
)

// ofPort looks at what a port adds to a new line, too.
func (e *evidence) ofPort() []proof {
	return []proof{
		{"the workflow has SUCCEEDED", e.succeeded},
		{"the line is live at the carrier with the number that was brought", e.line},
		{"the carrier got one order and one correction", e.orders},
		{"the subscription is ACTIVE with that number", e.subscription},
		{"the feed tells of each turn of the port, and says " + activated, e.turns},
		{"the customer was asked twice, by one mail each", e.questions},
		{"the mail brings a QR code that installs the eSIM", e.mail},
		{"the mail came before the number moved, and says to keep the old SIM in", e.inTime},
	}
}

// orders reads the journal of the pretend carrier.
func (e *evidence) orders(ctx context.Context) (string, error) {
	var entries []partnertest.Entry
	if err := getJSON(ctx, e.sandbox.settings.carrierURL()+"/_pretend/journal", "", &entries); err != nil {
		return "", err
	}
	count := make(map[string]int)
	for _, entry := range entries {
		if strings.HasPrefix(entry.Key, e.workflow.GetActivationId()+"/") {
			count[entry.Act]++
		}
	}
	if count[carriertest.ActSubmitPort] != 1 || count[carriertest.ActSupplementPort] != 1 {
		return "", fmt.Errorf("it got %v", count)
	}
	return "its reference is " + e.workflow.GetPort().GetCarrierReference(), nil
}

// turns reads the feed until it has told all.
func (e *evidence) turns(ctx context.Context) (string, error) {
	var states []string
	isActive := false
	err := e.eachEvent(ctx, func(event *dialtonev1.Event) bool {
		if port := event.GetPort(); port != nil {
			states = append(states, strings.TrimPrefix(port.GetState().String(), "PORT_STATE_"))
		}
		isActive = isActive || event.GetType() == activated
		return isActive && slices.Contains(states, "COMPLETED")
	}, "port.state_changed", activated)
	if err != nil {
		return "", fmt.Errorf("it has said %s, and then: %w", strings.Join(states, ", "), err)
	}
	if want := []string{"SUBMITTED", "REFUSED", "SUBMITTED", "CONFIRMED", "COMPLETED"}; !slices.Equal(states, want) {
		return "", fmt.Errorf("it says %s", strings.Join(states, ", "))
	}
	return strings.ToLower(strings.Join(states, ", ")), nil
}

func (e *evidence) questions(ctx context.Context) (string, error) {
	if !e.sandbox.settings.pretends("SENDGRID_URL") {
		return "not looked at: a real SendGrid has the mails", nil
	}
	for _, subject := range []string{detailsSubject, actionSubject} {
		mails, err := e.sandbox.mailsOf(ctx, e.workflow.GetActivationId(), subject)
		if err != nil {
			return "", err
		}
		if len(mails) != 1 {
			return "", fmt.Errorf("the inbox has %d of %q", len(mails), subject)
		}
	}
	return detailsSubject + "; " + actionSubject, nil
}

// inTime compares the mail with the carrier's word: from that moment on the old line is dead.
func (e *evidence) inTime(ctx context.Context) (string, error) {
	if !e.sandbox.settings.pretends("SENDGRID_URL") {
		return "not looked at: a real SendGrid has the mail", nil
	}
	mail, err := e.findMail(ctx)
	if err != nil {
		return "", err
	}
	moved := e.workflow.GetPort().GetCompleteTime()
	switch before := moved.AsTime().Sub(mail.At); {
	case moved == nil:
		return "", errors.New("nobody has said when the number moved")
	case before <= 0:
		return "", fmt.Errorf("it came %s after the number moved", -before)
	case !strings.Contains(strings.Join(strings.Fields(mail.Text), " "), "keep your old SIM in the phone"):
		return "", errors.New("it does not say to keep the old SIM in")
	default:
		return fmt.Sprintf("%.1f s before", before.Seconds()), nil
	}
}
