package server

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

func at(minute int) time.Time { return time.Date(2031, 3, 14, 12, minute, 0, 0, time.UTC) }

func TestShowWorkflow_AtTheEnd(t *testing.T) {
	t.Parallel()
	s := show{temporalUI: "https://temporal.example/", namespace: "dial tone"}
	a := mobile.Activation{
		ID: "act", Tenant: "t", Subscription: "s", Type: mobile.TypeNewLine, WorkflowID: "activation/t/s/act", RunID: "run",
		State: mobile.StateSucceeded, Reason: "PARTNER_BUSY", Live: at(3), Ended: at(5), LineReference: "line-7", PhoneNumber: "+12125550123",
		EmailOverride: "grace@example.com",
		Profile: &mobile.Profile{
			ICCID: "89014103211118510720", State: mobile.ProfileReleased, InstallState: mobile.InstallDownloaded, InstallMoved: at(6),
			InstallDetail: "8.1/4.8", Updated: at(7),
		},
		Notices: []mobile.Notice{
			{ID: "n1", Kind: mobile.NoticeActivation, State: mobile.NoticeBounced, MaskedAddress: "m", Reason: "MAILBOX_FULL", Prepared: at(1), Sent: at(2), Settled: at(4)},
			{ID: "n2", Kind: mobile.NoticeActivation, Generation: 1, State: mobile.NoticePrepared, Prepared: at(5)},
		},
		Items: []mobile.Item{
			{ID: "i1", Kind: mobile.ItemStepStuck, Severity: mobile.SeverityRoutine, Opened: at(1)},
			{ID: "i2", Kind: mobile.ItemNumberAtRisk, Severity: mobile.SeverityAtRisk, Opened: at(2), Detail: "Billing asked."},
		},
	}

	w := s.workflow(a, mobile.Subscription{CustomerName: "Ada Okafor", CustomerEmail: "ada@example.com"})

	if want := "https://temporal.example/namespaces/dial%20tone/workflows/activation%2Ft%2Fs%2Fact/run/history"; w.GetTemporalUrl() != want {
		t.Errorf("the link is %s", w.GetTemporalUrl())
	}
	if (show{}).temporalURL(a) != "" {
		t.Error("there is a link without a UI")
	}
	if len(w.GetChoices()) != 3 || w.GetReasonMessage() == "" || w.GetWaitingOn() != 0 || w.GetSeverity() != dialtonev1.Severity_SEVERITY_AT_RISK {
		t.Errorf("%v", w)
	}
	want := &dialtonev1.Workflow{
		Profile: &dialtonev1.Profile{
			IccidLast4: "0720", State: dialtonev1.ProfileState_PROFILE_STATE_RELEASED,
			InstallState: dialtonev1.InstallState_INSTALL_STATE_DOWNLOADED, InstallTime: instant(at(6)), InstallDetail: "8.1/4.8",
		},
		Line: &dialtonev1.Line{ExternalId: "act", CarrierReference: "line-7", LiveTime: instant(at(3))},
		Notices: []*dialtonev1.Notice{
			{
				NoticeId: "n1", Kind: dialtonev1.NoticeKind_NOTICE_KIND_MOBILE_ACTIVATION, Time: instant(at(2)), MaskedAddress: "m",
				Delivery: dialtonev1.NoticeDelivery_NOTICE_DELIVERY_BOUNCED, DeliveryTime: instant(at(4)), Reason: "MAILBOX_FULL",
			},
			{
				NoticeId: "n2", Kind: dialtonev1.NoticeKind_NOTICE_KIND_MOBILE_ACTIVATION, Generation: 1, Time: instant(at(5)),
				Delivery: dialtonev1.NoticeDelivery_NOTICE_DELIVERY_PREPARED, DeliveryTime: instant(at(5)),
			},
		},
		Launch: &dialtonev1.Launch{
			MaskedName: mobile.MaskName("Ada Okafor"), MaskedEmail: mobile.MaskEmail("grace@example.com"), EmailOverridden: true,
		},
	}
	got := &dialtonev1.Workflow{Profile: w.GetProfile(), Line: w.GetLine(), Notices: w.GetNotices(), Launch: w.GetLaunch()}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if items := w.GetItems(); items[0].GetItemId() != "i2" || items[1].GetItemId() != "i1" {
		t.Errorf("the worst is not first: %v", items)
	}
}

func TestShowEvent(t *testing.T) {
	t.Parallel()
	live, deadline := at(1), at(9)
	event := func(kind string, data mobile.EventData) mobile.Event {
		data.AccountID = "acct"
		return mobile.Event{ID: "e", Sequence: 7, Type: mobile.EventType(kind), Activation: "a", Subscription: "s", Data: data, Created: at(0)}
	}
	for _, test := range []struct {
		event mobile.Event
		want  *dialtonev1.Event
	}{
		{
			event("subscription.activated", mobile.EventData{Status: mobile.SubscriptionActive, PreviousStatus: mobile.SubscriptionPending, PhoneNumber: "+1", LiveTime: &live}),
			&dialtonev1.Event{Change: &dialtonev1.Event_Subscription{Subscription: &dialtonev1.SubscriptionChange{
				Status: 2, PreviousStatus: 1, PhoneNumber: "+1", ActivateTime: instant(live),
			}}},
		},
		{
			event("workflow.state_changed", mobile.EventData{WorkflowType: mobile.TypePortIn, State: mobile.StateWaitingForOperator, PreviousState: mobile.StateRunning, Reason: "R", Revision: 3, Deadline: &deadline}),
			&dialtonev1.Event{Change: &dialtonev1.Event_Workflow{Workflow: &dialtonev1.WorkflowChange{
				WorkflowType: 2, State: 5, PreviousState: 2, Reason: "R", Revision: 3, WaitingOn: 5, Deadline: instant(deadline),
			}}},
		},
		{
			event("profile.installed", mobile.EventData{ICCIDLast4: "0720", ProfileState: mobile.ProfileReleased, InstallState: mobile.InstallInstalled, PreviousInstallState: mobile.InstallDownloaded}),
			&dialtonev1.Event{Change: &dialtonev1.Event_Profile{Profile: &dialtonev1.ProfileChange{
				IccidLast4: "0720", State: 3, InstallState: 3, PreviousInstallState: 2,
			}}},
		},
		{
			event("notice.bounced", mobile.EventData{NoticeID: "n", Notice: mobile.NoticeActivation, NoticeState: mobile.NoticeBounced, Reason: "DROPPED"}),
			&dialtonev1.Event{Change: &dialtonev1.Event_Notice{Notice: &dialtonev1.NoticeChange{NoticeId: "n", Kind: 4, Delivery: 4, Reason: "DROPPED"}}},
		},
		{
			event("port.state_changed", mobile.EventData{PortState: mobile.PortConfirmed, PreviousPortState: mobile.PortSubmitted, PhoneNumber: "+1", Donor: "att", DueTime: &deadline}),
			&dialtonev1.Event{Change: &dialtonev1.Event_Port{Port: &dialtonev1.PortChange{
				State: 4, PreviousState: 2, PhoneNumber: "+1", Donor: "att", DueTime: instant(deadline),
			}}},
		},
		{
			event("port.prompt_opened", mobile.EventData{PortState: mobile.PortRefused, PreviousPortState: mobile.PortRefused, Reason: "PIN_INVALID", PhoneNumber: "+1", Donor: "att", PromptKind: mobile.PromptCorrectInfo, PromptRevision: 2, Deadline: &deadline}),
			&dialtonev1.Event{Change: &dialtonev1.Event_Port{Port: &dialtonev1.PortChange{
				State: 6, PreviousState: 6, Reason: "PIN_INVALID", PhoneNumber: "+1", Donor: "att", PromptKind: 3, PromptRevision: 2, Deadline: instant(deadline),
			}}},
		},
		{
			event("workflow.cancel_too_late", mobile.EventData{WorkflowType: mobile.TypePortIn, State: mobile.StateCancelled, Revision: 9}),
			&dialtonev1.Event{Change: &dialtonev1.Event_Workflow{Workflow: &dialtonev1.WorkflowChange{WorkflowType: 2, State: 8, Revision: 9}}},
		},
		{event("weather.changed", mobile.EventData{}), &dialtonev1.Event{}},
	} {
		want := test.want
		want.EventId, want.Sequence, want.Type, want.ActivationId = "e", 7, string(test.event.Type), "a"
		want.SubscriptionId, want.AccountId, want.CreateTime = "s", "acct", instant(at(0))
		if diff := cmp.Diff(want, (show{}).event(test.event), protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.event.Type, diff)
		}
	}
}
