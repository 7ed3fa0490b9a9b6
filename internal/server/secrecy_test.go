package server_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/prometheus/common/expfmt"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
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

// What a customer says is in no log line, error, metric or row that can be read, through every
// call of the portal and whatever is wrong with it; and no answer gives it back.
func TestSecrecy_Portal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const pin, account, street, words, note = "739201", "5550-CANARY-77", "77 Flamingo Terrace", "pelican words", "cassowary note"
	canaries := []string{pin, account, "5550CANARY77", "Flamingo", words, note, "MATCHING-C"}
	var told []string
	keepTold := func(response fmt.Stringer, err error) {
		if err != nil {
			told = append(told, err.Error())
			told = append(told, refusedDetails(err)...)
			return
		}
		told = append(told, response.String())
	}
	ctx := as(t.Context(), b.a.backend())
	submit := func(a mobile.Activation, changes ...func(*dialtonev1.UsPortingInfo)) {
		request := given(a, append([]func(*dialtonev1.UsPortingInfo){func(us *dialtonev1.UsPortingInfo) {
			us.Pin, us.AccountNumber, us.AddressLine = pin, account, street
		}}, changes...)...)
		keepTold(b.portals.SubmitPortingInfo(ctx, request))
		keepTold(b.portals.SubmitPortingInfo(ctx, request))
		request.Revision++
		keepTold(b.portals.SubmitPortingInfo(ctx, request))
		request.RequestId = pin
		keepTold(b.portals.SubmitPortingInfo(ctx, request))
	}

	a := b.askedFirst(t, b.a, 1)
	for _, spoil := range []func(*dialtonev1.UsPortingInfo){
		func(us *dialtonev1.UsPortingInfo) { us.Pin += "\n" + pin },
		func(us *dialtonev1.UsPortingInfo) { us.Pin = strings.Repeat(pin, 11) },
		func(us *dialtonev1.UsPortingInfo) { us.AccountNumber = strings.Repeat(account, 9) },
		func(us *dialtonev1.UsPortingInfo) { us.AccountZip, us.Region, us.PinMakeDate = pin, account, pin },
		func(us *dialtonev1.UsPortingInfo) { us.AddressLine += "\u202e" },
		func(us *dialtonev1.UsPortingInfo) { us.FirstName, us.LastName = strings.Repeat(street, 9), "\x00"+pin },
	} {
		submit(a, spoil)
	}
	submit(a)
	b.sent(t, a)
	a = b.said(t, a, store.PortWord{Word: mobile.WordRefused, Reason: mobile.PortPINInvalid}, true)
	submit(a) // unchanged
	submit(b.launched(t, b.a))
	keepTold(b.page(t, b.a, a), nil)
	keepTold(b.portals.ChangeNumber(ctx, changed(a, account, pin)))
	keepTold(b.portals.ChangeDevice(ctx, &dialtonev1.ChangeDeviceRequest{RequestId: account, ActivationId: string(a.ID), Revision: 2, Imei: pin}))
	keepTold(b.portals.ConfirmDonorAction(ctx, &dialtonev1.ConfirmDonorActionRequest{RequestId: pin, ActivationId: account}))
	keepTold(b.portals.KeepNewNumber(ctx, &dialtonev1.KeepNewNumberRequest{RequestId: pin, ActivationId: account}))
	keepTold(b.portals.StopPort(ctx, stop(a, 0)))
	line, _ := b.succeeded(t, b.a, 2)
	link := newLink(line)
	link.Reason = words
	made, err := b.portals.CreatePortalLink(as(t.Context(), b.a.operator()), link)
	must(t, err)
	token := strings.TrimPrefix(made.GetUrl(), portalStart)
	canaries = append(canaries, token)
	keepTold(b.portals.RequestPortalLink(ctx, dead(token)))
	keepTold(b.portals.RequestPortalLink(ctx, dead(strings.Repeat(token, 3))))
	_, err = b.portals.GetInstallCode(as(t.Context(), token), &dialtonev1.GetInstallCodeRequest{}) // the one that does answer it
	must(t, err)
	keepTold(b.portals.ReportInstallation(ctx, report(line, noService, note)))
	keepTold(b.portals.ReportInstallation(ctx, report(line, noService, strings.Repeat(note, 99))))
	workflow, err := b.workflows.GetWorkflow(as(t.Context(), b.a.operator()), &dialtonev1.GetWorkflowRequest{
		Lookup: &dialtonev1.GetWorkflowRequest_ActivationId{ActivationId: string(a.ID)},
	})
	keepTold(workflow, err)
	// And when the record breaks under it.
	fresh := b.askedFirst(t, b.a, 3)
	_, err = b.Connect(t).Exec(t.Context(), `ALTER TABLE submissions ADD CHECK (false) NOT VALID`)
	must(t, err)
	submit(fresh)

	if len(told) < 40 || !strings.Contains(b.logs.String(), "broken") {
		t.Errorf("only %d answers to look at", len(told))
	}
	for where, text := range map[string]string{
		"the log": b.logs.String(), "an answer": strings.Join(told, "\n"), "the metrics": b.measured(t), "the record": b.rows(t),
	} {
		for _, canary := range canaries {
			plain, inHex := strings.ToLower(canary), hex.EncodeToString([]byte(canary))
			if lower := strings.ToLower(text); strings.Contains(lower, plain) || strings.Contains(lower, inHex) {
				t.Errorf("%s tells %q", where, canary)
			}
		}
	}
}

// rows are all rows of all tables as text, in which bytes stand in hex.
func (b *bundle) rows(t *testing.T) string {
	t.Helper()
	connection := b.Connect(t)
	tables := ask[[]string](t, b, `SELECT array_agg(table_name::text) FROM information_schema.tables WHERE table_schema = 'public'`)
	var text strings.Builder
	for _, table := range tables {
		var rows string
		must(t, connection.QueryRow(t.Context(), `SELECT coalesce(string_agg(x::text, E'\n'), '') FROM `+table+` x`).Scan(&rows))
		text.WriteString(rows)
	}
	return text.String()
}
