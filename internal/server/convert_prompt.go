package server

import (
	"slices"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

// prompt shows what the customer is asked. What was given is in it masked, or not at all.
func (c customer) prompt() *dialtonev1.PortingPrompt {
	shown := &dialtonev1.PortingPrompt{
		Kind: dialtonev1.PromptKind_PROMPT_KIND_NONE, Message: c.sentence(), Known: c.known(), Acts: c.offers(),
	}
	if c.Port != nil && c.Port.Prompt != nil {
		shown.Revision = c.Port.Prompt.Revision
	}
	prompt := c.asked()
	if prompt == nil {
		return shown
	}
	question := c.question(*prompt)
	shown.Kind = promptKind(prompt.Kind)
	shown.RequiredFields = show{}.portingFields(asks(*prompt, question.Form))
	shown.Reason = prompt.Reason
	shown.Message = question.Message
	shown.DonorHint = question.DonorHint
	shown.Deadline = instant(prompt.Deadline)
	shown.AttemptsLeft = attemptsLeft(*c.Port, *prompt)
	shown.DonorAction = donorAction(prompt.Action)
	return shown
}

// question words the question. What it asks for was decided when it was opened.
func (c customer) question(prompt mobile.Prompt) mobile.PortQuestion {
	return mobile.NewPortQuestion(mobile.PortFacts{
		Reason: prompt.Reason, Kind: prompt.Kind, Action: prompt.Action, Donor: c.donor(), Number: c.Port.Number,
		NumberType: c.Port.NumberType, Required: prompt.Fields, Held: c.hearing.Held,
	})
}

// asks picks from a form what the question was opened with.
func asks(prompt mobile.Prompt, form []mobile.QuestionField) []mobile.QuestionField {
	var asked []mobile.QuestionField
	for _, field := range form {
		if slices.Contains(prompt.Fields, field.Field) {
			field.Refused = slices.Contains(prompt.Refused, field.Field)
			asked = append(asked, field)
		}
	}
	return asked
}

// attemptsLeft is how many more times a question can be answered before staff take over.
func attemptsLeft(port mobile.Port, prompt mobile.Prompt) int32 {
	if reason := mobile.PortReason(prompt.Reason); reason.IsPIN() {
		port.Reason = reason // found by us, so that the port does not say it
	}
	return int32(portAttemptsLeft(port)) //nolint:gosec // A handful.
}

// known is what we know and do not ask.
func (c customer) known() []*dialtonev1.KnownValue {
	var all []*dialtonev1.KnownValue
	add := func(field, label, value string) {
		if value != "" {
			all = append(all, &dialtonev1.KnownValue{Field: field, Label: label, MaskedValue: value})
		}
	}
	if c.Port != nil {
		add("port_phone_number", "Number to bring", mobile.NationalNumber(c.Port.Number))
		add("port_carrier", "Your old provider", donorName(c.Port.Donor))
	}
	add("imei", "Your phone's IMEI", "•••"+c.IMEI.Last4())
	name, email := c.contact()
	add("name", "Name", mobile.MaskName(name))
	add("email", "E-mail", mobile.MaskEmail(email))
	return all
}

// offers are what the customer may do now, in the order to offer it.
func (c customer) offers() []dialtonev1.PortalAct {
	var all []dialtonev1.PortalAct
	for _, act := range c.acts() {
		all = append(all, portalAct(act))
	}
	if showable(c.Activation) == nil {
		all = append(all, dialtonev1.PortalAct_PORTAL_ACT_GET_INSTALL_CODE)
	}
	if c.hasCode() {
		all = append(all, dialtonev1.PortalAct_PORTAL_ACT_REPORT_INSTALLATION)
	}
	return all
}

// view shows where the activation is, in what a customer may know.
func (c customer) view(tenant mobile.Tenant) *dialtonev1.CustomerView {
	view := &dialtonev1.CustomerView{
		State:            workflowState(c.State),
		Message:          c.sentence(),
		PhoneNumber:      c.PhoneNumber,
		InstallCodeReady: showable(c.Activation) == nil,
		ProviderName:     tenant.DisplayName,
		SupportPhone:     tenant.SupportPhone,
		SupportHours:     tenant.SupportHours,
	}
	if c.Profile != nil {
		view.InstallState = installState(c.Profile.InstallState)
	}
	if c.Port != nil {
		view.PortState = portState(c.Port.State)
		view.DueTime = instant(c.Port.Due)
		// Until the line is live, the old one is the only one, also when the port was given up.
		view.KeepOldSim = c.Port.State != mobile.PortCompleted && c.Live.IsZero()
	}
	return view
}

func donorAction(a mobile.DonorAction) dialtonev1.DonorAction {
	return enum[dialtonev1.DonorAction](dialtonev1.DonorAction_value, "DONOR_ACTION_", a)
}

func portalAct(a mobile.CustomerAct) dialtonev1.PortalAct {
	return enum[dialtonev1.PortalAct](dialtonev1.PortalAct_value, "PORTAL_ACT_", a)
}

func submissionVerdict(v mobile.SubmissionVerdict) dialtonev1.SubmissionVerdict {
	return enum[dialtonev1.SubmissionVerdict](dialtonev1.SubmissionVerdict_value, "SUBMISSION_VERDICT_", v)
}
