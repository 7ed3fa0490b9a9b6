package server

import (
	"strings"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

// event shows an entry of the feed. What changed goes by the first word of its type; a type
// that is newer than this code comes without.
func (s show) event(e mobile.Event) *dialtonev1.Event {
	shown := &dialtonev1.Event{
		EventId:        e.ID,
		Sequence:       e.Sequence,
		Type:           string(e.Type),
		ActivationId:   string(e.Activation),
		SubscriptionId: string(e.Subscription),
		AccountId:      e.Data.AccountID,
		CreateTime:     instant(e.Created),
	}
	family, _, _ := strings.Cut(string(e.Type), ".")
	switch family {
	case "subscription":
		shown.Change = &dialtonev1.Event_Subscription{Subscription: s.subscriptionChange(e.Data)}
	case "workflow":
		shown.Change = &dialtonev1.Event_Workflow{Workflow: s.workflowChange(e.Data)}
	case "port":
		shown.Change = &dialtonev1.Event_Port{Port: s.portChange(e.Data)}
	case "profile":
		shown.Change = &dialtonev1.Event_Profile{Profile: s.profileChange(e.Data)}
	case "item":
		shown.Change = &dialtonev1.Event_Item{Item: s.itemChange(e.Data)}
	case "notice":
		shown.Change = &dialtonev1.Event_Notice{Notice: s.noticeChange(e.Data)}
	}
	return shown
}

func (show) subscriptionChange(d mobile.EventData) *dialtonev1.SubscriptionChange {
	return &dialtonev1.SubscriptionChange{
		Status:         subscriptionStatus(d.Status),
		PreviousStatus: subscriptionStatus(d.PreviousStatus),
		Plan:           d.Plan,
		PhoneNumber:    d.PhoneNumber,
		ActivateTime:   instantOf(d.LiveTime),
	}
}

func (show) workflowChange(d mobile.EventData) *dialtonev1.WorkflowChange {
	change := &dialtonev1.WorkflowChange{
		WorkflowType:  workflowType(d.WorkflowType),
		State:         workflowState(d.State),
		PreviousState: workflowState(d.PreviousState),
		Reason:        d.Reason,
		Revision:      d.Revision,
		Deadline:      instantOf(d.Deadline),
	}
	if d.State != "" {
		change.WaitingOn = party(d.State.WaitsFor())
	}
	return change
}

func (show) portChange(d mobile.EventData) *dialtonev1.PortChange {
	return &dialtonev1.PortChange{
		State:          portState(d.PortState),
		PreviousState:  portState(d.PreviousPortState),
		Reason:         d.Reason,
		PhoneNumber:    d.PhoneNumber,
		Donor:          string(d.Donor),
		DueTime:        instantOf(d.DueTime),
		PromptKind:     promptKind(d.PromptKind),
		PromptRevision: d.PromptRevision,
		Deadline:       instantOf(d.Deadline),
	}
}

func (show) profileChange(d mobile.EventData) *dialtonev1.ProfileChange {
	return &dialtonev1.ProfileChange{
		IccidLast4:           d.ICCIDLast4,
		State:                profileState(d.ProfileState),
		InstallState:         installState(d.InstallState),
		PreviousInstallState: installState(d.PreviousInstallState),
	}
}

func (show) itemChange(d mobile.EventData) *dialtonev1.ItemChange {
	return &dialtonev1.ItemChange{ItemId: d.ItemID, Kind: string(d.ItemKind), Severity: severity(d.Severity)}
}

func (show) noticeChange(d mobile.EventData) *dialtonev1.NoticeChange {
	return &dialtonev1.NoticeChange{
		NoticeId: d.NoticeID,
		Kind:     noticeKind(d.Notice),
		Delivery: noticeDelivery(d.NoticeState),
		Reason:   d.Reason,
	}
}
