package server_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/common/expfmt"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// measured gives the metrics as they are scraped.
func (b *bundle) measured(t *testing.T) string {
	t.Helper()
	families, err := b.metrics.Gather()
	must(t, err)
	var text bytes.Buffer
	for _, family := range families {
		_, err := expfmt.MetricFamilyToText(&text, family)
		must(t, err)
	}
	return text.String()
}

// What is the customer's or secret appears in no log line, error or metric, whether calls
// succeed, are refused or break.
func TestSecrecy(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const name, email, words = "Zebulon Quagmire", "zebulon.quagmire@canary.example", "pelican words"
	ctx := as(t.Context(), b.a.billing())
	var errs []string
	note := func(err error) {
		if err != nil {
			errs = append(errs, err.Error())
			errs = append(errs, refusedDetails(err)...)
		}
	}

	create := newSubscription()
	create.CustomerName, create.CustomerEmail = name, email
	made, err := b.subscriptions.CreateSubscription(ctx, create)
	must(t, err)
	id := mobile.SubscriptionID(made.GetSubscription().GetSubscriptionId())
	create.Plan = storetest.FibrePlanName
	_, err = b.subscriptions.CreateSubscription(ctx, create)
	note(err)
	request := launch(id)
	request.GetMobileActivation().NameOverride, request.GetMobileActivation().EmailOverride = name, email
	launched, err := b.workflows.LaunchWorkflow(ctx, request)
	must(t, err)
	request.GetMobileActivation().EmailOverride = email + "," + email
	request.GetMobileActivation().NameOverride = name + "\n"
	_, err = b.workflows.LaunchWorkflow(ctx, request)
	note(err)
	cancel := cancelWorkflow(mobile.ActivationID(launched.GetWorkflow().GetActivationId()))
	cancel.Reason = words
	_, err = b.workflows.CancelWorkflow(as(t.Context(), b.a.operator()), cancel)
	must(t, err)
	secret, err := b.admins.CreateToken(as(t.Context(), b.admin), newToken(dialtonev1.Principal_PRINCIPAL_BILLING, string(b.a.ID)))
	must(t, err)
	_, err = b.subscriptions.ListSubscriptions(as(t.Context(), strings.ToUpper(secret.GetSecret())), &dialtonev1.ListSubscriptionsRequest{})
	note(err)
	// And when the record breaks under it.
	_, err = b.Connect(t).Exec(t.Context(), `ALTER TABLE subscriptions ADD CHECK (false) NOT VALID`)
	must(t, err)
	create.RequestId = uuid.NewString()
	_, err = b.subscriptions.CreateSubscription(ctx, create)
	note(err)

	if len(errs) < 4 {
		t.Errorf("only %d refusals to look at", len(errs))
	}
	for where, text := range map[string]string{
		"the log": b.logs.String(), "an error": strings.Join(errs, "\n"), "the metrics": b.measured(t),
	} {
		for _, canary := range []string{"Zebulon", "Quagmire", "quagmire", words, secret.GetSecret(), b.a.billing(), b.admin} {
			if strings.Contains(text, canary) {
				t.Errorf("%s tells %q", where, canary)
			}
		}
	}
	if masked := launched.GetWorkflow().GetLaunch(); strings.Contains(masked.String(), "Zebulon") || strings.Contains(masked.String(), "quagmire@") {
		t.Errorf("a workflow tells %v", masked)
	}
}
