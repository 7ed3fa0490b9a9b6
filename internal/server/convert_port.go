package server

import (
	"slices"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// port shows the bringing in of a number: what the customer gave for it is not in it.
func (s show) port(p *mobile.Port) *dialtonev1.Port {
	if p == nil {
		return nil
	}
	shown := &dialtonev1.Port{
		PhoneNumber:      p.Number,
		Donor:            string(p.Donor),
		DonorName:        donorName(p.Donor),
		State:            portState(p.State),
		Since:            instant(p.Since),
		Reason:           string(p.Reason),
		ReasonMessage:    mobile.ReasonText(string(p.Reason)),
		WaitingOn:        party(portWaitsFor(*p)),
		NumberType:       numberType(p.NumberType),
		SubmitTime:       instant(p.Submitted),
		DueTime:          instant(p.Due),
		CompleteTime:     instant(p.Completed),
		RefusalCount:     int32(p.Refusals),           //nolint:gosec // A handful.
		AttemptsLeft:     int32(portAttemptsLeft(*p)), //nolint:gosec // A handful.
		CarrierReference: p.Reference,
		InfoPresent:      p.InfoPresent,
		Prompt:           s.portPrompt(p.Prompt),
		Refusals:         s.portRefusals(p.Refused),
	}
	if p.InfoPresent {
		shown.PinExpireTime = instant(p.PINExpires)
	}
	return shown
}

// portWaitsFor is who must act on a port. An open question goes before all else: an operator
// may have it asked for a reason that calls for something else.
func portWaitsFor(p mobile.Port) mobile.Party {
	switch p.State {
	case mobile.PortAwaitingInfo:
		switch {
		case p.Prompt.Open():
			return mobile.PartyCustomer
		case p.Reason != "":
			return refusedWaitsFor(p)
		}
		return mobile.PartyDialtone
	case mobile.PortSubmitted, mobile.PortCancelling:
		return mobile.PartyCarrier
	case mobile.PortDelayed, mobile.PortConfirmed:
		return mobile.PartyDonor
	case mobile.PortRefused:
		if p.Prompt.Open() {
			return mobile.PartyCustomer
		}
		return refusedWaitsFor(p)
	case mobile.PortCompleted, mobile.PortCancelled, mobile.PortExpired:
	}
	return mobile.PartyNobody
}

// refusedWaitsFor is who must act after a no that the customer is not asked about: where the
// customer would be, an answer is being taken up, or the question is about to be asked.
func refusedWaitsFor(p mobile.Port) mobile.Party {
	switch {
	case p.Reason.WaitsFor() != mobile.PartyCustomer:
		return p.Reason.WaitsFor()
	case portAttemptsLeft(p) == 0:
		return mobile.PartyOperator
	}
	return mobile.PartyDialtone
}

// portAttemptsLeft is how many more times the customer may correct.
func portAttemptsLeft(p mobile.Port) int { return p.AttemptsLeft() }

// portPrompt shows staff what the customer is asked now; what was answered is asked no more.
func (show) portPrompt(p *mobile.Prompt) *dialtonev1.PortPrompt {
	if !p.Open() {
		return nil
	}
	return &dialtonev1.PortPrompt{
		Revision:         p.Revision,
		Kind:             promptKind(p.Kind),
		OpenTime:         instant(p.Opened),
		Deadline:         instant(p.Deadline),
		ReminderCount:    int32(p.Reminders), //nolint:gosec // A handful.
		NextReminderTime: instant(p.NextReminder),
	}
}

func (show) portRefusals(refused []mobile.PortRefusal) []*dialtonev1.PortRefusal {
	var shown []*dialtonev1.PortRefusal
	for _, r := range refused {
		shown = append(shown, &dialtonev1.PortRefusal{
			Time:             instant(r.Time),
			Reason:           string(r.Reason),
			CarrierCode:      r.Code,
			CarrierMessage:   r.Message,
			CarrierReference: r.Reference,
		})
	}
	return shown
}

// donorName is what people call a donor; a code that the table has lost is its own name.
func donorName(code mobile.DonorCode) string {
	if donor, known := mobile.DonorByCode(code); known {
		return donor.Name
	}
	return string(code)
}

// portingFields shows a form, with the fields as paths of SubmitPortingInfoRequest.
func (show) portingFields(form []mobile.QuestionField) []*dialtonev1.PortingField {
	var shown []*dialtonev1.PortingField
	for _, field := range form {
		shown = append(shown, &dialtonev1.PortingField{
			Field:       "us." + string(field.Field),
			Label:       field.Label,
			Hint:        field.Hint,
			Refused:     field.Refused,
			Held:        field.Held,
			MaskedValue: field.Masked,
			Secret:      field.Secret,
		})
	}
	return shown
}

// preflight shows what the carrier said of a launch beforehand, as the card of whoever sits
// opposite the customer.
func (s show) preflight(a advice) *dialtonev1.Preflight {
	shown := &dialtonev1.Preflight{Device: s.check(a.device)}
	if a.PortNumber == "" {
		return shown
	}
	shown.Portability = s.portability(a)
	shown.NumberType = numberType(a.number.NumberType)
	shown.EarliestTime = instant(a.number.Earliest)
	seen, known := mobile.FindDonor(a.number.Donor)
	if known {
		shown.Donor, shown.DonorName = string(seen.Code), seen.Name
		if seen.Code != a.donor.Code {
			shown.Hints = append(shown.Hints, seenElsewhere(seen, a.donor))
		}
	}
	facts := mobile.PortFacts{
		Donor: a.donor, Number: a.PortNumber, NumberType: a.number.NumberType, Required: a.number.Required,
	}
	switch shown.GetPortability().GetVerdict() {
	case dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_OK:
		question := mobile.NewPortQuestion(facts)
		shown.RequiredFields = s.portingFields(question.Form)
		shown.Hints = append(shown.Hints, question.DonorHint)
	case dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_NO:
		facts.Reason = shown.GetPortability().GetReason()
		question := mobile.NewPortQuestion(facts)
		shown.Hints = append(shown.Hints, question.Message, question.DonorHint)
	case dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_UNKNOWN, dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_UNSPECIFIED:
		// What is asked depends on the carrier's answer; what is true of the donor does not.
		shown.Hints = append(shown.Hints, mobile.NewPortQuestion(facts).DonorHint)
	}
	shown.Hints = slices.DeleteFunc(shown.Hints, func(hint string) bool { return hint == "" })
	return shown
}

// seenElsewhere tells that the carrier sees a number at another company than was named. That
// alone is no mistake.
func seenElsewhere(seen, named mobile.Donor) string {
	if named.Code == mobile.DonorOther {
		return "The carrier sees this number at " + seen.Name + ". If that is whom the customer pays, name it instead of other: " +
			"the customer is then told how things are done there."
	}
	return "The carrier sees this number at " + seen.Name + ", not at " + named.Name + ". Ask whose name is on the bill: a brand may run " +
		"on another company's network, and then the brand is right."
}

func (s show) portability(a advice) *dialtonev1.PreflightCheck {
	if a.unsaid != nil || a.number.Portable {
		return s.check(a.unsaid)
	}
	return &dialtonev1.PreflightCheck{
		Verdict: dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_NO,
		Reason:  string(a.number.Reason),
		Message: mobile.ReasonText(string(a.number.Reason)),
	}
}

// check shows the answer to a call of the carrier. Only a refusal is a no.
func (show) check(err error) *dialtonev1.PreflightCheck {
	refusal := fault.Of(err)
	switch {
	case err == nil:
		return &dialtonev1.PreflightCheck{Verdict: dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_OK}
	case refusal != nil && mobile.VerdictOf(err) == mobile.VerdictRefused:
		return &dialtonev1.PreflightCheck{
			Verdict: dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_NO, Reason: refusal.Reason, Message: refusal.Public,
		}
	}
	return &dialtonev1.PreflightCheck{
		Verdict: dialtonev1.PreflightVerdict_PREFLIGHT_VERDICT_UNKNOWN,
		Reason:  "PARTNER_UNREACHABLE",
		Message: "The carrier did not say in time. The activation asks it again by itself.",
	}
}
