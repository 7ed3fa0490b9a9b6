package server

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

func TestShowPort(t *testing.T) {
	t.Parallel()
	p := &mobile.Port{
		Number: "+12125550123", Donor: "att", State: mobile.PortRefused, Since: at(4), Reason: mobile.PortPINInvalid,
		Code: "6B", Message: "Transfer PIN incorrect.", NumberType: mobile.NumberWireless, Submitted: at(3), Refusals: 3, PINRefusals: 2,
		Reference: "P-2", InfoPresent: true, PINExpires: at(50),
		Prompt: &mobile.Prompt{Revision: 3, Kind: mobile.PromptCorrectInfo, Opened: at(4), Deadline: at(58), Reminders: 1, NextReminder: at(9)},
		Refused: []mobile.PortRefusal{
			{Time: at(2), Reason: mobile.PortZIPInvalid, Code: "8D", Message: "ZIP", Reference: "P-1"},
			{Time: at(4), Reason: mobile.PortPINInvalid, Code: "6B", Message: "<b>PIN</b>", Reference: "P-2"},
		},
	}
	want := &dialtonev1.Port{
		PhoneNumber: "+12125550123", Donor: "att", DonorName: "AT&T", State: 6, Since: instant(at(4)), Reason: "PIN_INVALID",
		ReasonMessage: mobile.PortPINInvalid.ForOperators(), WaitingOn: dialtonev1.Party_PARTY_CUSTOMER, NumberType: 1,
		SubmitTime: instant(at(3)), RefusalCount: 3, AttemptsLeft: 1, CarrierReference: "P-2", InfoPresent: true,
		PinExpireTime: instant(at(50)),
		Prompt: &dialtonev1.PortPrompt{
			Revision: 3, Kind: 3, OpenTime: instant(at(4)), Deadline: instant(at(58)), ReminderCount: 1, NextReminderTime: instant(at(9)),
		},
		Refusals: []*dialtonev1.PortRefusal{
			{Time: instant(at(2)), Reason: "ZIP_INVALID", CarrierCode: "8D", CarrierMessage: "ZIP", CarrierReference: "P-1"},
			{Time: instant(at(4)), Reason: "PIN_INVALID", CarrierCode: "6B", CarrierMessage: "<b>PIN</b>", CarrierReference: "P-2"},
		},
	}
	a := mobile.Activation{Type: mobile.TypePortIn, State: mobile.StateWaitingForCustomer, Port: p}

	w := show{}.workflow(a, mobile.Subscription{})

	if diff := cmp.Diff(want, w.GetPort(), protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	basic(w)
	if w.GetPort() == nil || w.GetPort().GetRefusals() != nil || w.GetPort().GetPrompt() == nil {
		t.Errorf("the basic view: %v", w.GetPort())
	}
	p.Prompt.Answered, p.InfoPresent = at(10), false
	if got := (show{}).port(p); got.GetPrompt() != nil || got.GetPinExpireTime() != nil {
		t.Errorf("what was answered, and erased: %v", got)
	}
}

func TestShowCancel_TooLate(t *testing.T) {
	t.Parallel()
	a := mobile.Activation{State: mobile.StateCancelled, CancelRequested: at(1), Port: &mobile.Port{State: mobile.PortCancelling}}
	if (show{}).cancel(a).GetTooLate() {
		t.Error("the number may still stay where it is")
	}
	a.Port.State = mobile.PortCompleted
	if !(show{}).cancel(a).GetTooLate() {
		t.Error("the number has moved")
	}
}

func TestPortWaitsFor(t *testing.T) {
	t.Parallel()
	asked := &mobile.Prompt{Kind: mobile.PromptCorrectInfo}
	answered := &mobile.Prompt{Kind: mobile.PromptCorrectInfo, Answered: time.Unix(1, 0)}
	for name, test := range map[string]struct {
		port mobile.Port
		want mobile.Party
	}{
		"not asked yet":            {mobile.Port{State: mobile.PortAwaitingInfo}, mobile.PartyDialtone},
		"asked":                    {mobile.Port{State: mobile.PortAwaitingInfo, Prompt: asked}, mobile.PartyCustomer},
		"answered":                 {mobile.Port{State: mobile.PortAwaitingInfo, Prompt: answered}, mobile.PartyDialtone},
		"on the network":           {mobile.Port{State: mobile.PortAwaitingInfo, Reason: mobile.PortSameNetwork}, mobile.PartyOperator},
		"submitted":                {mobile.Port{State: mobile.PortSubmitted, Prompt: answered}, mobile.PartyCarrier},
		"delayed":                  {mobile.Port{State: mobile.PortDelayed}, mobile.PartyDonor},
		"confirmed":                {mobile.Port{State: mobile.PortConfirmed}, mobile.PartyDonor},
		"being withdrawn":          {mobile.Port{State: mobile.PortCancelling}, mobile.PartyCarrier},
		"refused, and asked":       {mobile.Port{State: mobile.PortRefused, Reason: mobile.PortPINInvalid, Prompt: asked}, mobile.PartyCustomer},
		"refused, and answered":    {mobile.Port{State: mobile.PortRefused, Reason: mobile.PortPINInvalid, Prompt: answered}, mobile.PartyDialtone},
		"refused too often":        {mobile.Port{State: mobile.PortRefused, Reason: mobile.PortZIPInvalid, Refusals: 5, Prompt: answered}, mobile.PartyOperator},
		"refused for the PIN":      {mobile.Port{State: mobile.PortRefused, Reason: mobile.PortPINInvalid, Refusals: 3, PINRefusals: 3}, mobile.PartyOperator},
		"refused, nobody knows":    {mobile.Port{State: mobile.PortRefused, Reason: mobile.PortOther}, mobile.PartyOperator},
		"an operator has it asked": {mobile.Port{State: mobile.PortRefused, Reason: mobile.PortOther, Prompt: asked}, mobile.PartyCustomer},
		"another date":             {mobile.Port{State: mobile.PortRefused, Reason: mobile.PortSchedule}, mobile.PartyDialtone},
		"moved":                    {mobile.Port{State: mobile.PortCompleted, Prompt: answered}, mobile.PartyNobody},
		"withdrawn":                {mobile.Port{State: mobile.PortCancelled}, mobile.PartyNobody},
		"over":                     {mobile.Port{State: mobile.PortExpired}, mobile.PartyNobody},
	} {
		if got := portWaitsFor(test.port); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestPortAttemptsLeft(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		port mobile.Port
		want int
	}{
		{mobile.Port{}, 5},
		{mobile.Port{Refusals: 2, Reason: mobile.PortZIPInvalid}, 3},
		{mobile.Port{Refusals: 2, PINRefusals: 2, Reason: mobile.PortPINInvalid}, 1},
		{mobile.Port{Refusals: 4, PINRefusals: 1, Reason: mobile.PortPINExpired}, 1}, // five in all
		{mobile.Port{Refusals: 2, PINRefusals: 2, Reason: mobile.PortZIPInvalid}, 3},
		{mobile.Port{Refusals: 9, PINRefusals: 9, Reason: mobile.PortPINInvalid}, 0},
	} {
		if got := portAttemptsLeft(test.port); got != test.want {
			t.Errorf("%+v: %d left, want %d", test.port, got, test.want)
		}
	}
}
