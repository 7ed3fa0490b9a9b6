package server_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// newSubscription is a good request for a pending one.
func newSubscription() *dialtonev1.CreateSubscriptionRequest {
	return &dialtonev1.CreateSubscriptionRequest{
		RequestId: uuid.NewString(), AccountId: "acct-1", CustomerName: "Ada Okafor", CustomerEmail: "ada@example.com",
		Plan: storetest.PlanName, PendingUntilActivated: true,
	}
}

func TestCreateSubscription(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.billing())
	request := newSubscription()
	request.SubscriptionId = "sub-1"

	response, err := b.subscriptions.CreateSubscription(ctx, request)
	must(t, err)
	sub := response.GetSubscription()
	if sub.GetStatus() != dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_PENDING ||
		sub.GetPlanKind() != dialtonev1.PlanKind_PLAN_KIND_MOBILE || sub.GetSubscriptionId() != "sub-1" ||
		sub.GetCustomerName() != "Ada Okafor" || sub.GetCustomerEmail() != "ada@example.com" || sub.GetCreateTime() == nil {
		t.Errorf("%v", sub)
	}

	// A repeat is the same; another content is refused; another request finds the id taken.
	again, err := b.subscriptions.CreateSubscription(ctx, request)
	must(t, err)
	if again.GetSubscription().GetCreateTime().AsTime() != sub.GetCreateTime().AsTime() {
		t.Errorf("a repeat made another: %v", again)
	}
	other := proto.CloneOf(request)
	other.CustomerName = "Grace Hopper"
	_, err = b.subscriptions.CreateSubscription(ctx, other)
	wantRefusal(t, err, refusal{Code: codes.InvalidArgument, Reason: "REQUEST_ID_REUSED"})
	other.RequestId = uuid.NewString()
	exists := refusal{Code: codes.AlreadyExists, Reason: "SUBSCRIPTION_EXISTS", Meta: map[string]string{"subscription_id": "sub-1"}}
	_, err = b.subscriptions.CreateSubscription(ctx, other)
	wantRefusal(t, err, exists)
	other.ValidateOnly = true
	_, err = b.subscriptions.CreateSubscription(ctx, other)
	wantRefusal(t, err, exists)
	// Ids are unique within a tenant only.
	_, err = b.subscriptions.CreateSubscription(as(t.Context(), b.b.billing()), request)
	must(t, err)
}

func TestCreateSubscription_Ours(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := as(t.Context(), b.a.billing())
	request := newSubscription()
	request.PendingUntilActivated, request.Plan = false, "bundle-of-everything"

	first, err := b.subscriptions.CreateSubscription(ctx, request)
	must(t, err)
	second, err := b.subscriptions.CreateSubscription(ctx, request)
	must(t, err)

	sub := first.GetSubscription()
	if sub.GetSubscriptionId() == "" || sub.GetSubscriptionId() != second.GetSubscription().GetSubscriptionId() {
		t.Errorf("made %q, and at the repeat %q", sub.GetSubscriptionId(), second.GetSubscription().GetSubscriptionId())
	}
	if sub.GetStatus() != dialtonev1.SubscriptionStatus_SUBSCRIPTION_STATUS_ACTIVE || sub.GetPlanKind() != dialtonev1.PlanKind_PLAN_KIND_UNSPECIFIED {
		t.Errorf("%v", sub)
	}
}

func TestCreateSubscription_BadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.counts(t)
	for name, test := range map[string]struct {
		change func(*dialtonev1.CreateSubscriptionRequest)
		want   map[string]string
	}{
		"everything missing": {
			func(r *dialtonev1.CreateSubscriptionRequest) { proto.Reset(r) },
			map[string]string{
				"request_id": "FIELD_REQUIRED", "account_id": "FIELD_REQUIRED", "customer_name": "FIELD_REQUIRED",
				"customer_email": "FIELD_REQUIRED", "plan": "FIELD_REQUIRED",
			},
		},
		"everything malformed": {
			func(r *dialtonev1.CreateSubscriptionRequest) {
				r.RequestId, r.SubscriptionId, r.AccountId, r.Plan = "x", "a/b", "a b", "10 GB"
				r.CustomerName, r.CustomerEmail = "Ada\nOkafor", "ada@example.com,bob@example.com"
			},
			map[string]string{
				"request_id": "FIELD_MALFORMED", "subscription_id": "FIELD_MALFORMED", "account_id": "FIELD_MALFORMED",
				"plan": "FIELD_MALFORMED", "customer_name": "FIELD_CONTROL_CHARACTER", "customer_email": "EMAIL_NOT_ONE",
			},
		},
		"too long": {
			func(r *dialtonev1.CreateSubscriptionRequest) {
				r.SubscriptionId, r.CustomerName = strings.Repeat("a", 65), strings.Repeat("a", 101)
			},
			map[string]string{"subscription_id": "FIELD_MALFORMED", "customer_name": "FIELD_TOO_LONG"},
		},
	} {
		for _, validateOnly := range []bool{false, true} {
			request := newSubscription()
			test.change(request)
			request.ValidateOnly = validateOnly
			_, err := b.subscriptions.CreateSubscription(as(t.Context(), b.a.billing()), request)
			t.Run(name, func(t *testing.T) { wantRefusal(t, err, invalid(test.want)) })
		}
	}
	trial := newSubscription()
	trial.ValidateOnly, trial.SubscriptionId = true, "sub-1"
	response, err := b.subscriptions.CreateSubscription(as(t.Context(), b.a.billing()), trial)
	must(t, err)
	if sub := response.GetSubscription(); sub.GetSubscriptionId() != "" || sub.GetCreateTime() != nil || sub.GetPlanKind() != dialtonev1.PlanKind_PLAN_KIND_MOBILE {
		t.Errorf("a trial answers %v", sub)
	}
	if diff := cmp.Diff(before, b.counts(t)); diff != "" {
		t.Errorf("something was made (-before +after):\n%s", diff)
	}
}

// Names and addresses are billing's: others see enough to recognise them.
func TestGetSubscription_Masked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sub := b.pending(t, b.a)
	request := &dialtonev1.GetSubscriptionRequest{SubscriptionId: string(sub.ID)}

	full, err := b.subscriptions.GetSubscription(as(t.Context(), b.a.billing()), request)
	must(t, err)
	masked, err := b.subscriptions.GetSubscription(as(t.Context(), b.a.operator()), request)
	must(t, err)

	if got := full.GetSubscription(); got.GetCustomerName() != storetest.CustomerName || got.GetCustomerEmail() != storetest.CustomerEmail {
		t.Errorf("billing sees %v", got)
	}
	if got := masked.GetSubscription(); got.GetCustomerName() != mobile.MaskName(storetest.CustomerName) || got.GetCustomerEmail() != mobile.MaskEmail(storetest.CustomerEmail) {
		t.Errorf("an operator sees %v", got)
	}
	_, err = b.subscriptions.GetSubscription(as(t.Context(), b.a.billing()), &dialtonev1.GetSubscriptionRequest{SubscriptionId: "absent"})
	wantRefusal(t, err, refusal{Code: codes.NotFound, Reason: "SUBSCRIPTION_NOT_FOUND"})
	_, err = b.subscriptions.GetSubscription(as(t.Context(), b.a.billing()), &dialtonev1.GetSubscriptionRequest{SubscriptionId: "a\nb"})
	wantRefusal(t, err, invalid(map[string]string{"subscription_id": "FIELD_MALFORMED"}))
}
