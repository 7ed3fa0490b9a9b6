package server

import (
	"net/url"
	"slices"
	"strings"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

// show turns records into messages.
type show struct {
	// temporalUI is the address of the Temporal UI; empty when there is none.
	temporalUI string
	namespace  string
}

// workflow shows an activation in full. sub is the subscription that it is for.
func (s show) workflow(a mobile.Activation, sub mobile.Subscription) *dialtonev1.Workflow {
	w := &dialtonev1.Workflow{
		ActivationId:   string(a.ID),
		WorkflowId:     a.WorkflowID,
		RunId:          a.RunID,
		Type:           workflowType(a.Type),
		Revision:       a.Revision,
		SubscriptionId: string(a.Subscription),
		AccountId:      a.AccountID,
		State:          workflowState(a.State),
		Since:          instant(a.Since),
		Next:           a.Next,
		Deadline:       instant(a.Deadline),
		Reason:         a.Reason,
		ReasonMessage:  mobile.ReasonText(a.Reason),
		WaitingOn:      party(a.State.WaitsFor()),
		CurrentStep:    string(a.CurrentStep()),
		Choices:        s.choices(a),
		PhoneNumber:    a.PhoneNumber,
		Port:           s.port(a.Port),
		Profile:        s.profile(a.Profile),
		CreateTime:     instant(a.Created),
		UpdateTime:     instant(a.Updated),
		EndTime:        instant(a.Ended),
		ActivateTime:   instant(a.Live),
		TemporalUrl:    s.temporalURL(a),
		Line:           s.line(a),
		Cancel:         s.cancel(a),
		Launch:         s.launch(a, sub),
		TenantId:       string(a.Tenant),
	}
	for _, step := range a.Steps {
		w.Steps = append(w.Steps, s.step(step, a.State.WaitsFor()))
	}
	for _, notice := range a.Notices {
		w.Notices = append(w.Notices, s.notice(notice))
	}
	s.beside(w, a)
	w.Items = s.items(a.Items)
	if open := a.OpenItems(); len(open) > 0 {
		w.Severity = w.GetItems()[0].GetSeverity()
	}
	return w
}

// beside shows what is being done for an activation beside its own run: after the end, that is
// what comes next, and who must act.
func (show) beside(w *dialtonev1.Workflow, a mobile.Activation) {
	if !a.State.Final() || len(a.FollowUps) == 0 {
		return
	}
	w.Next, w.WaitingOn = a.FollowUps[0].Step().Title()+", which is under way", dialtonev1.Party_PARTY_DIALTONE
	if slices.ContainsFunc(a.OpenItems(), func(i mobile.Item) bool { return i.FollowUp != "" }) {
		w.WaitingOn = dialtonev1.Party_PARTY_OPERATOR
	}
}

// basic takes from a workflow what the basic view leaves out.
func basic(w *dialtonev1.Workflow) {
	w.Steps, w.Choices, w.Notices, w.Notes, w.Items = nil, nil, nil, nil, nil
	if w.GetPort() != nil {
		w.Port.Refusals = nil
	}
}

func (show) step(step mobile.Step, whole mobile.Party) *dialtonev1.Step {
	return &dialtonev1.Step{
		Name:        string(step.Name),
		Title:       step.Name.Title(),
		State:       stepState(step.State),
		StartTime:   instant(step.Started),
		EndTime:     instant(step.Ended),
		Attempts:    step.Attempts,
		Detail:      step.Detail,
		Reason:      step.Reason,
		NextTryTime: instant(step.NextTry),
		WaitingOn:   party(step.WaitsFor(whole)),
	}
}

func (show) profile(p *mobile.Profile) *dialtonev1.Profile {
	if p == nil {
		return nil
	}
	shown := &dialtonev1.Profile{
		IccidLast4:   p.ICCID.Last4(),
		State:        profileState(p.State),
		InstallState: installState(p.InstallState),
	}
	shown.Generation = int32(p.Generation) //nolint:gosec // A handful.
	shown.InstallTime, shown.InstallDetail = instant(p.InstallMoved), p.InstallDetail
	return shown
}

func (show) notice(n mobile.Notice) *dialtonev1.Notice {
	at := n.Sent
	if at.IsZero() {
		at = n.Prepared
	}
	moved := n.Settled
	if moved.IsZero() {
		moved = at
	}
	return &dialtonev1.Notice{
		NoticeId:      n.ID,
		Kind:          noticeKind(n.Kind),
		Time:          instant(at),
		MaskedAddress: n.MaskedAddress,
		Delivery:      noticeDelivery(n.State),
		DeliveryTime:  instant(moved),
		Reason:        n.Reason,
		Generation:    int32(n.Generation), //nolint:gosec // A handful.
	}
}

func joinWords(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " ")
}

// line is unset until the carrier knows one. Our reference there is the activation's id.
func (show) line(a mobile.Activation) *dialtonev1.Line {
	if a.LineReference == "" && a.Live.IsZero() {
		return nil
	}
	return &dialtonev1.Line{
		ExternalId: string(a.ID), CarrierReference: a.LineReference, LiveTime: instant(a.Live),
	}
}

// cancel is an accepted wish to stop. A number that has moved all the same stays where it is.
func (show) cancel(a mobile.Activation) *dialtonev1.Cancel {
	if a.CancelRequested.IsZero() {
		return nil
	}
	return &dialtonev1.Cancel{
		Time: instant(a.CancelRequested), Principal: principal(a.Cancelled.Principal),
		Actor: a.Cancelled.Actor, Reason: a.CancelReason, TooLate: a.Port != nil && a.Port.State == mobile.PortCompleted,
	}
}

func (show) launch(a mobile.Activation, sub mobile.Subscription) *dialtonev1.Launch {
	name, email := a.NameOverride, a.EmailOverride
	if name == "" {
		name = sub.CustomerName
	}
	if email == "" {
		email = sub.CustomerEmail
	}
	return &dialtonev1.Launch{
		RequestId:       a.Launched.RequestID,
		Principal:       principal(a.Launched.Principal),
		Actor:           a.Launched.Actor,
		Imei:            string(a.IMEI),
		ZipCode:         string(a.ZIP),
		MaskedName:      mobile.MaskName(name),
		MaskedEmail:     mobile.MaskEmail(email),
		NameOverridden:  a.NameOverride != "",
		EmailOverridden: a.EmailOverride != "",
	}
}

// temporalURL is where the Temporal UI shows the run; before there is one, the workflow.
func (s show) temporalURL(a mobile.Activation) string {
	if s.temporalUI == "" {
		return ""
	}
	address := strings.TrimSuffix(s.temporalUI, "/") + "/namespaces/" + url.PathEscape(s.namespace) +
		"/workflows/" + url.PathEscape(a.WorkflowID)
	if a.RunID == "" {
		return address
	}
	return address + "/" + url.PathEscape(a.RunID) + "/history"
}
