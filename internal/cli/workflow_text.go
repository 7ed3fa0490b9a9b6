package cli

import (
	"fmt"
	"strings"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// workflow is one activation in full: where it stands first, what can be done last, where
// the eye falls in a terminal.
func (p *page) workflow(w *dialtonev1.Workflow) {
	p.linef("%s%s", p.paint(strings.ToUpper(word(w.GetState())), stateTone(w.GetState())), p.sinceWhen(w))
	p.linef("")
	p.facts(
		fact{name: "Why", value: join(": ", w.GetReason(), w.GetReasonMessage())},
		fact{name: "Next", value: w.GetNext()},
		p.deadlineFact("By", w),
		fact{name: "Who acts", value: partyAndChoices(w)},
		fact{name: "Severity", value: word(w.GetSeverity()), tone: severityTone(w.GetSeverity())},
		fact{name: "Stop", value: p.cancel(w.GetCancel())},
	)
	p.linef("")
	p.facts(
		fact{name: "Activation", value: fmt.Sprintf("%s, revision %d", w.GetActivationId(), w.GetRevision())},
		fact{name: "Journey", value: journey(w)},
		fact{name: "Subscription", value: join(", account ", w.GetSubscriptionId(), w.GetAccountId())},
		fact{name: "Number", value: w.GetPhoneNumber()},
		fact{name: "Customer", value: customer(w.GetLaunch())},
		fact{name: "Phone", value: phone(w.GetLaunch())},
		fact{name: "Launched", value: join(" by ", p.when(w.GetCreateTime()), by(w.GetLaunch().GetPrincipal(), w.GetLaunch().GetActor()))},
		fact{name: "Live since", value: p.when(w.GetActivateTime())},
	)
	p.steps(w.GetSteps())
	p.portSection(w.GetPort())
	p.profile(w.GetProfile())
	p.line(w.GetLine())
	p.notices(w.GetNotices())
	p.notes(w.GetNotes())
	p.items(w)
	p.choices(w)
	p.linef("")
	p.facts(fact{name: "Temporal", value: w.GetTemporalUrl()}, fact{name: "Workflow id", value: w.GetWorkflowId()})
}

// sinceWhen says how long it has been so, or how long the whole took.
func (p *page) sinceWhen(w *dialtonev1.Workflow) string {
	if w.GetEndTime() != nil {
		return fmt.Sprintf("  %s, after %s", p.when(w.GetEndTime()), between(w.GetCreateTime(), w.GetEndTime()))
	}
	if w.GetSince() == nil {
		return ""
	}
	return fmt.Sprintf("  for %s, since %s", p.age(w.GetSince()), exact(w.GetSince()))
}

func (p *page) deadlineFact(name string, w *dialtonev1.Workflow) fact {
	f := fact{name: name, value: p.due(w.GetDeadline())}
	if p.overdue(w.GetDeadline()) {
		f.tone = red
	}
	return f
}

// party says who must act.
func party(w *dialtonev1.Workflow) string {
	if w.GetWaitingOn() == dialtonev1.Party_PARTY_UNSPECIFIED && w.GetEndTime() != nil {
		return "nobody: it has ended"
	}
	return who(w.GetWaitingOn(), w.GetPort().GetDonorName())
}

// who names a party; a donor by its name.
func who(party dialtonev1.Party, donor string) string {
	switch party {
	case dialtonev1.Party_PARTY_UNSPECIFIED:
		return ""
	case dialtonev1.Party_PARTY_DIALTONE:
		return "nobody: Dialtone goes on by itself"
	case dialtonev1.Party_PARTY_DONOR:
		return join(", ", "the donor", donor)
	case dialtonev1.Party_PARTY_OPERATOR:
		return "an operator"
	default:
		return "the " + word(party)
	}
}

// partyAndChoices also says where to look.
func partyAndChoices(w *dialtonev1.Workflow) string {
	who := party(w)
	if w.GetWaitingOn() == dialtonev1.Party_PARTY_OPERATOR && len(w.GetChoices()) > 0 {
		who += ": what you can do is listed below"
	}
	return who
}

func journey(w *dialtonev1.Workflow) string {
	switch w.GetType() {
	case dialtonev1.WorkflowType_WORKFLOW_TYPE_MOBILE_ACTIVATION:
		return "Mobile Activation, new line"
	case dialtonev1.WorkflowType_WORKFLOW_TYPE_MOBILE_PORT_IN:
		return join(" from ", "Mobile Activation, bringing a number", donor(w.GetPort()))
	default:
		return word(w.GetType())
	}
}

func customer(l *dialtonev1.Launch) string {
	name, email := l.GetMaskedName(), l.GetMaskedEmail()
	if l.GetNameOverridden() {
		name += " (not the account's)"
	}
	if l.GetEmailOverridden() {
		email += " (not the account's)"
	}
	return join(", ", name, email)
}

func phone(l *dialtonev1.Launch) string {
	if l.GetImei() == "" {
		return ""
	}
	return join(", used in ", "IMEI "+l.GetImei(), l.GetZipCode())
}

// by names a person or system: "BILLING billing-prod".
func by(principal dialtonev1.Principal, actor string) string {
	return join(" ", code(principal), actor)
}

func (p *page) cancel(c *dialtonev1.Cancel) string {
	if c == nil {
		return ""
	}
	text := fmt.Sprintf("asked for %s by %s: %s", p.when(c.GetTime()), by(c.GetPrincipal(), c.GetActor()), c.GetReason())
	if c.GetTooLate() {
		text += ". TOO LATE: the number had moved, nothing was taken down"
	}
	return text
}

// steps lists all that were planned, each that is not simply done with its story below.
func (p *page) steps(all []*dialtonev1.Step) {
	if len(all) == 0 {
		return
	}
	p.title("Steps")
	var rows []row
	for _, s := range all {
		tries := ""
		if s.GetAttempts() > 0 {
			tries = counted(s.GetAttempts(), "try", "tries")
		}
		r := row{cells: []cell{
			{text: word(s.GetState()), tone: stepTone(s.GetState())},
			{text: s.GetName()},
			{text: tries},
			{text: p.stepTime(s)},
		}}
		r.notes = p.stepNotes(s)
		if s.GetState() == dialtonev1.StepState_STEP_STATE_DONE {
			r.cells = append(r.cells, cell{text: s.GetDetail(), tone: dim})
		}
		rows = append(rows, r)
	}
	p.table("  ", rows)
}

// stepTime is how long a step took, or has been going on.
func (p *page) stepTime(s *dialtonev1.Step) string {
	switch {
	case s.GetStartTime() == nil:
		return ""
	case s.GetEndTime() != nil:
		return "took " + between(s.GetStartTime(), s.GetEndTime())
	}
	return "for " + p.age(s.GetStartTime())
}

func (p *page) stepNotes(s *dialtonev1.Step) []string {
	var all []string
	if s.GetState() != dialtonev1.StepState_STEP_STATE_DONE {
		if why := join(": ", s.GetReason(), s.GetDetail()); why != "" {
			all = append(all, why)
		}
	}
	if s.GetNextTryTime() != nil {
		all = append(all, "next try "+p.when(s.GetNextTryTime()))
	}
	switch {
	case s.GetEndTime() != nil || s.GetDeadline() == nil:
	case s.GetWaitingOn() == dialtonev1.Party_PARTY_CUSTOMER:
		all = append(all, "lapses "+p.due(s.GetDeadline()))
	case p.overdue(s.GetDeadline()):
		all = append(all, "an operator was asked "+p.when(s.GetDeadline()))
	default:
		all = append(all, "an operator is asked "+p.when(s.GetDeadline()))
	}
	return all
}

func (p *page) profile(profile *dialtonev1.Profile) {
	if profile == nil {
		return
	}
	p.title("eSIM")
	replaced := ""
	if profile.GetGeneration() > 0 {
		replaced = "replacement number " + fmt.Sprint(profile.GetGeneration())
	}
	p.indented(
		fact{name: "Profile", value: join(", ", "ICCID ending in "+profile.GetIccidLast4(), word(profile.GetState()), replaced)},
		fact{name: "On the phone", value: join(", ", word(profile.GetInstallState()), p.when(profile.GetInstallTime()), profile.GetInstallDetail())},
	)
}

func (p *page) line(line *dialtonev1.Line) {
	if line == nil {
		return
	}
	p.title("Line at the carrier")
	p.indented(
		fact{name: "Our reference", value: line.GetExternalId()},
		fact{name: "Theirs", value: line.GetCarrierReference()},
		fact{name: "Live since", value: p.when(line.GetLiveTime())},
		fact{name: "Taken down", value: p.when(line.GetEndTime())},
	)
}

// indented writes facts of a section.
func (p *page) indented(all ...fact) {
	section := &page{now: p.now, color: p.color}
	section.facts(all...)
	for text := range strings.Lines(section.String()) {
		p.out.WriteString("  " + text)
	}
}
