package activities_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/temporal"

	"github.com/dialtone/dialtone/activities"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// face is what the engine records of an error.
type face struct {
	Type         string
	NonRetryable bool
	Wait         time.Duration
	Text         string
}

func TestOutward(t *testing.T) {
	t.Parallel()
	secret := errors.New("dial db-primary-3: Ada Okafor <ada@example.com>")
	for name, c := range map[string]struct {
		err  error
		want face
	}{
		"ANamedRefusalEndsTheAct": {
			mobile.ErrZIPNotServed, face{"ZIP_NOT_SERVED", true, 0, mobile.ErrZIPNotServed.Public},
		},
		"WrappingDoesNotChangeIt": {
			fmt.Errorf("check the device: %w", mobile.ErrZIPNotServed.Because(secret)),
			face{"ZIP_NOT_SERVED", true, 0, mobile.ErrZIPNotServed.Public},
		},
		"APartnersRefusalKeepsItsCode": {
			&mobile.PartnerError{Partner: mobile.PartnerCarrier, Verdict: mobile.VerdictRefused, Reason: mobile.ErrDeviceBlocked, Code: "HTTP 422 DEVICE_BLOCKED", Err: secret},
			face{"DEVICE_BLOCKED", true, 0, mobile.ErrDeviceBlocked.Public + " (carrier: refused (HTTP 422 DEVICE_BLOCKED))"},
		},
		"NotNowIsTriedAgainWhenThePartnerWishes": {
			&mobile.PartnerError{Partner: mobile.PartnerSendGrid, Verdict: mobile.VerdictNotNow, Code: "HTTP 429", RetryAfter: 7 * time.Second, Err: secret},
			face{"PARTNER_UNAVAILABLE", false, 7 * time.Second, "SendGrid cannot do it now. Nothing has happened there; it is tried again by itself. (sendgrid: not_now (HTTP 429))"},
		},
		"UnknownIsTriedAgain": {
			&mobile.PartnerError{Partner: mobile.PartnerCarrier, Verdict: mobile.VerdictUnknown, Code: "connection reset", Err: secret},
			face{"PARTNER_NO_ANSWER", false, 0, "The carrier gave no clear answer. It is asked again by itself, in a way that does nothing twice. (carrier: unknown (connection reset))"},
		},
		"AnOutcomeThatOnlyAPersonCanFindIsNot": {
			activities.ErrOutcomeUnknown.Because(secret),
			face{"OUTCOME_UNKNOWN", true, 0, activities.ErrOutcomeUnknown.Public},
		},
		"AnUnavailableFaultIsTriedAgain": {
			fault.New(fault.Unavailable, "TRY_AGAIN", "later").After(time.Second).Because(secret),
			face{"TRY_AGAIN", false, time.Second, "later"},
		},
		"APlainErrorSaysNothing": {
			secret, face{"INTERNAL", false, 0, "Dialtone failed; its log has the cause."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			app, ok := errors.AsType[*temporal.ApplicationError](activities.Outward(c.err))

			if !ok {
				t.Fatal("not an application error")
			}
			got := face{app.Type(), app.NonRetryable(), app.NextRetryDelay(), app.Message()}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if app.Unwrap() != nil {
				t.Error("the cause crossed the frontier")
			}
		})
	}
}

func TestOutward_SaysThatItWasCalledOff(t *testing.T) {
	t.Parallel()

	if err := activities.Outward(fmt.Errorf("settle at db-primary-3: %w", context.Canceled)); !temporal.IsCanceledError(err) || strings.Contains(err.Error(), "db-primary") {
		t.Errorf("got %v", err)
	}
	if err := activities.Outward(nil); err != nil {
		t.Errorf("nothing became %v", err)
	}
}
