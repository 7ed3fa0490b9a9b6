package server_test

import (
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

const (
	lockTakenOff    = dialtonev1.DonorAction_DONOR_ACTION_LOCK_TAKEN_OFF
	lineReactivated = dialtonev1.DonorAction_DONOR_ACTION_LINE_REACTIVATED
)

func done(a mobile.Activation, action dialtonev1.DonorAction) *dialtonev1.ConfirmDonorActionRequest {
	return &dialtonev1.ConfirmDonorActionRequest{
		RequestId: uuid.NewString(), ActivationId: string(a.ID), Revision: a.Port.Prompt.Revision, Action: action,
	}
}

func TestConfirmDonorAction(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.refusedFor(t, b.a, 1, mobile.PortNumberLocked)
	ctx := as(t.Context(), b.link(t, a))
	request := done(a, lockTakenOff)

	first, err := b.portals.ConfirmDonorAction(ctx, request)
	must(t, err)
	again, err := b.portals.ConfirmDonorAction(ctx, request)
	must(t, err)
	other, err := b.portals.ConfirmDonorAction(ctx, done(a, lockTakenOff))
	must(t, err)

	if first.GetVerdict() != isAccepted || first.GetMessage() == "" || again.GetVerdict() != isAccepted || other.GetVerdict() != isDuplicate {
		t.Errorf("%v, %v, %v", first, again, other)
	}
	// The same details go out again.
	if got := b.heldFor(t, a); got.PIN != "0042" || got.AccountNumber != "007-31415926" {
		t.Error("something else is held")
	}
	request.Action = lineReactivated
	_, err = b.portals.ConfirmDonorAction(ctx, request)
	wantRefusal(t, err, refusal{Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED"})
}

func TestConfirmDonorAction_Refusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	locked, first := b.refusedFor(t, b.a, 1, mobile.PortNumberLocked), b.askedFirst(t, b.a, 2)
	line := b.launched(t, b.a)
	line.Port = &mobile.Port{Prompt: &mobile.Prompt{Revision: 1}}
	notOffered := refusal{Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE"}

	for name, c := range map[string]struct {
		request *dialtonev1.ConfirmDonorActionRequest
		want    refusal
	}{
		"without its refusal": {done(first, lockTakenOff), notOffered},
		"of a new line":       {done(line, lockTakenOff), notOffered},
		"another action":      {done(locked, lineReactivated), invalid(map[string]string{"action": "ACTION_NOT_ASKED"})},
		"none":                {done(locked, 0), invalid(map[string]string{"action": "FIELD_REQUIRED"})},
		"no such":             {done(locked, 77), invalid(map[string]string{"action": "FIELD_MALFORMED"})},
		"empty": {&dialtonev1.ConfirmDonorActionRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "activation_id": "FIELD_REQUIRED", "revision": "FIELD_REQUIRED", "action": "FIELD_REQUIRED",
		})},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.portals.ConfirmDonorAction(as(t.Context(), b.a.backend()), c.request)
			wantRefusal(t, err, c.want)
		})
	}
	if n := ask[int](t, b, `SELECT count(*) FROM requests WHERE method = 'ConfirmDonorAction'`); n != 0 {
		t.Errorf("%d refusals were remembered", n)
	}
}
