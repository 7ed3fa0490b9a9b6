package server_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func correctContact(id mobile.ActivationID) *dialtonev1.CorrectContactRequest {
	return &dialtonev1.CorrectContactRequest{RequestId: uuid.NewString(), ActivationId: string(id), Reason: "A typing error"}
}

func TestCorrectContact(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.operator())
	a := b.launched(t, b.a)
	events := ask[int](t, b, `SELECT count(*) FROM events`)

	request := correctContact(a.ID)
	request.Name, request.Revision = "Grace Hopper", a.Revision
	response, err := b.workflows.CorrectContact(ctx, request)
	must(t, err)
	w := response.GetWorkflow()
	if !w.GetLaunch().GetNameOverridden() || w.GetLaunch().GetMaskedName() != "G••• H•••" || w.GetLaunch().GetEmailOverridden() ||
		w.GetRevision() != a.Revision+1 || !w.GetUpdateTime().AsTime().After(a.Updated) {
		t.Errorf("%v", w)
	}
	again, err := b.workflows.CorrectContact(ctx, request)
	must(t, err)
	if !proto.Equal(again, response) {
		t.Errorf("a repeat answers %v", again)
	}

	// An address, and the name stays.
	second := correctContact(a.ID)
	second.Email, second.Authentication = "grace@example.org", "Named the last bill"
	_, err = b.workflows.CorrectContact(ctx, second)
	must(t, err)

	got := storetest.Read(t, b.DB, a)
	if got.NameOverride != "Grace Hopper" || got.EmailOverride != "grace@example.org" {
		t.Errorf("it uses %q and %q", got.NameOverride, got.EmailOverride)
	}
	if n := ask[int](t, b, `SELECT count(*) FROM events`); n != events {
		t.Errorf("the feed tells %d events more", n-events)
	}
	if ask[int](t, b, `SELECT position('Grace'::bytea IN name_override_sealed) FROM activations`) != 0 {
		t.Error("the name is not sealed")
	}
	for _, personal := range []string{"Grace", "grace@example.org"} {
		if strings.Contains(b.logs.String(), personal) {
			t.Errorf("the log tells %q", personal)
		}
	}
}

// A contact is corrected as long as something may use it: while it runs, and for a line that
// is live.
func TestCorrectContact_When(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for state, applies := range map[mobile.State]bool{
		mobile.StateAccepted: true, mobile.StateSucceeded: true, mobile.StateCancelled: false, mobile.StateRejected: false,
		mobile.StateFailed: false,
	} {
		a := b.launched(t, b.a)
		if state == mobile.StateSucceeded {
			b.move(t, b.a, a.ID, mobile.StateRunning)
			b.live(t, a)
		}
		if state != mobile.StateAccepted {
			b.move(t, b.a, a.ID, state)
		}
		request := correctContact(a.ID)
		request.Name = "Grace Hopper"

		_, err := b.workflows.CorrectContact(as(t.Context(), b.a.operator()), request)

		t.Run(string(state), func(t *testing.T) {
			if applies {
				must(t, err)
				return
			}
			wantRefusal(t, err, refusal{
				Code: codes.FailedPrecondition, Reason: "NOT_APPLICABLE",
				Meta: map[string]string{"activation_id": string(a.ID), "state": string(state)},
			})
		})
	}
	live := b.launched(t, b.a)
	b.move(t, b.a, live.ID, mobile.StateRunning)
	b.live(t, live)
	b.move(t, b.a, live.ID, mobile.StateFailed)
	request := correctContact(live.ID)
	request.Name = "Grace Hopper"
	_, err := b.workflows.CorrectContact(as(t.Context(), b.a.operator()), request)
	must(t, err)
}

func TestCorrectContact_Refusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a, others := b.launched(t, b.a), b.launched(t, b.b)
	with := func(id mobile.ActivationID, change func(*dialtonev1.CorrectContactRequest)) *dialtonev1.CorrectContactRequest {
		request := correctContact(id)
		change(request)
		return request
	}

	for name, c := range map[string]struct {
		request *dialtonev1.CorrectContactRequest
		want    refusal
	}{
		"another's": {
			with(others.ID, func(r *dialtonev1.CorrectContactRequest) { r.Name = "Eve" }),
			refusal{Code: codes.NotFound, Reason: "WORKFLOW_NOT_FOUND"},
		},
		"stale": {
			with(a.ID, func(r *dialtonev1.CorrectContactRequest) { r.Name, r.Revision = "Eve", a.Revision+1 }),
			refusal{Code: codes.FailedPrecondition, Reason: "STALE_REVISION"},
		},
		"nothing": {correctContact(a.ID), invalid(map[string]string{"name": "FIELD_REQUIRED"})},
		"an address from nobody": {
			with(a.ID, func(r *dialtonev1.CorrectContactRequest) { r.Email = "eve@example.com" }),
			invalid(map[string]string{"authentication": "FIELD_REQUIRED"}),
		},
		"empty": {&dialtonev1.CorrectContactRequest{}, invalid(map[string]string{
			"request_id": "FIELD_REQUIRED", "activation_id": "FIELD_REQUIRED", "reason": "FIELD_REQUIRED", "name": "FIELD_REQUIRED",
		})},
		"malformed": {
			with(a.ID, func(r *dialtonev1.CorrectContactRequest) {
				r.Name, r.Email, r.Authentication, r.Actor = "Eve\r\n", "eve", strings.Repeat("x", 501), "Ann"
			}),
			invalid(map[string]string{
				"name": "FIELD_CONTROL_CHARACTER", "email": "EMAIL_NOT_VALID", "authentication": "FIELD_TOO_LONG", "actor": "FIELD_NOT_ALLOWED",
			}),
		},
	} {
		_, err := b.workflows.CorrectContact(as(t.Context(), b.a.operator()), c.request)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, c.want) })
	}
	if n := ask[int](t, b, `SELECT count(*) FROM requests`); n != 0 {
		t.Errorf("%d refusals were remembered", n)
	}
}
