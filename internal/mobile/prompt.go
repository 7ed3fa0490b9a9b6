package mobile

import (
	"cmp"
	"slices"
)

// PortFacts is what is known of a port when the customer is asked something about it.
type PortFacts struct {
	// Reason is a PortReason, or a device's such as DEVICE_BLOCKED; empty for the first
	// question.
	Reason string
	// Kind and Action are an operator's choice of what to ask instead of what the reason
	// calls for; empty: what it calls for.
	Kind   PromptKind
	Action DonorAction
	// Donor is its row of the donor table.
	Donor Donor
	// Number is the ported one, E.164; NumberType what it is at the donor.
	Number     string
	NumberType NumberType
	// Required are the fields that the carrier says this donor wants.
	Required []PortingField
	// Held are the fields that were given already, each with its mask: PortingInfo.Masks.
	Held map[PortingField]string
}

// PortQuestion is what the customer is asked, with the words for it.
type PortQuestion struct {
	Kind   PromptKind
	Reason string
	// Fields are what to ask for, in the order of a form, and Refused those of them that the
	// reason is about: they are marked, and another value is expected.
	Fields  []PortingField
	Refused []PortingField
	// Action is what is to be done at the donor; for ACT_AT_DONOR.
	Action DonorAction
	// Message says what is wrong and what to do; DonorHint what this donor's customers must
	// know for it, and may be empty.
	Message   string
	DonorHint string
	// Form is Fields with their words.
	Form []QuestionField
}

// QuestionField is one field of the form.
type QuestionField struct {
	Field PortingField
	// Label is what to call it: "Number Transfer PIN". Hint says how to find it at this
	// donor; may be empty.
	Label string
	Hint  string
	// Refused marks it; Held says that a value is there, and Masked how it looks.
	Refused bool
	Held    bool
	Masked  string
	// Secret asks for a password input.
	Secret bool
}

// NewPortQuestion decides what is asked, and words it. It is a pure function: the same facts
// are the same question, so that the words can be made anew whenever they are shown.
func NewPortQuestion(facts PortFacts) PortQuestion {
	q := PortQuestion{Kind: facts.kind(), Reason: facts.Reason}
	words := wordsFor(facts)
	switch q.Kind {
	case PromptProvideInfo:
		q.Fields = facts.firstFields()
	case PromptCorrectInfo:
		q.Fields, q.Refused = facts.correctedFields()
	case PromptActAtDonor:
		q.Action = cmp.Or(facts.Action, PortReason(facts.Reason).Action())
	case PromptNone, PromptCorrectDevice, PromptDecide:
	}
	q.Message = words.fill(facts.message(q.Kind, q.Action))
	q.DonorHint = words.donorHint(q)
	for _, field := range q.Fields {
		mask, held := facts.Held[field]
		q.Form = append(q.Form, QuestionField{
			Field: field, Label: words.label(field), Hint: words.hint(field, facts.NumberType),
			Refused: slices.Contains(q.Refused, field), Held: held, Masked: mask, Secret: field == FieldPIN,
		})
	}
	return q
}

// kind is the operator's choice, or what the reason calls for.
func (f PortFacts) kind() PromptKind {
	switch {
	case f.Kind != "":
		return f.Kind
	case f.Reason == "":
		return PromptProvideInfo
	case PortReason(f.Reason).Known():
		return PortReason(f.Reason).Prompt()
	}
	return PromptCorrectDevice
}

// firstFields are those of the first question: what this donor wants, and what we want to
// know ourselves before anything is sent: that the number is in service, since no other can
// be moved; that the customer knows what else ends with a landline; and how old a PIN is that
// lapses.
func (f PortFacts) firstFields() []PortingField {
	return f.inFormOrder(func(field PortingField) bool {
		switch field {
		case FieldNumberInService:
			return true
		case FieldAcceptsLineLosses:
			return f.requires(field) || f.NumberType == NumberLandline || f.NumberType == NumberVoIP
		case FieldPINMakeDate:
			return f.requires(FieldPIN) && f.lapses()
		case FieldFirstName, FieldLastName, FieldAddressLine, FieldCity, FieldRegion, FieldAccountZIP, FieldAccountNumber, FieldPIN:
		}
		return f.requires(field)
	})
}

// correctedFields are those of a correction: what the reason is about, which is refused, and
// with it what else the first question asked for: held, so that it may stay as it is. What
// the customer has confirmed is not asked again, and the PIN's day only with a new PIN.
func (f PortFacts) correctedFields() (fields, refused []PortingField) {
	named := PortReason(f.Reason).Fields()
	isRefused := func(field PortingField) bool {
		switch field {
		case FieldPIN:
			return slices.Contains(named, field) && (PortReason(f.Reason).IsPIN() || f.requires(field) || f.holds(field))
		case FieldPINMakeDate:
			return slices.Contains(named, field) && f.lapses()
		case FieldNumberInService, FieldFirstName, FieldLastName, FieldAddressLine, FieldCity, FieldRegion, FieldAccountZIP,
			FieldAccountNumber, FieldAcceptsLineLosses:
		}
		return slices.Contains(named, field)
	}
	first := f.firstFields()
	fields = f.inFormOrder(func(field PortingField) bool {
		switch field {
		case FieldNumberInService, FieldAcceptsLineLosses:
			return slices.Contains(first, field) && !f.holds(field)
		case FieldPINMakeDate:
			return f.lapses() && (isRefused(FieldPIN) || f.requires(FieldPIN) && !f.holds(FieldPIN))
		case FieldFirstName, FieldLastName, FieldAddressLine, FieldCity, FieldRegion, FieldAccountZIP, FieldAccountNumber, FieldPIN:
		}
		return isRefused(field) || slices.Contains(first, field)
	})
	return fields, f.inFormOrder(isRefused)
}

func (f PortFacts) requires(field PortingField) bool { return slices.Contains(f.Required, field) }

func (f PortFacts) holds(field PortingField) bool {
	_, held := f.Held[field]
	return held
}

// lapses tells whether the PIN of this donor, for this kind of line, is good for a known time
// only.
func (f PortFacts) lapses() bool { return f.Donor.PIN.Hours > 0 && f.Donor.serves(f.NumberType) }

// inFormOrder picks fields in the order of a form.
func (f PortFacts) inFormOrder(asked func(PortingField) bool) []PortingField {
	var fields []PortingField
	for _, field := range PortingFields() {
		if asked(field) {
			fields = append(fields, field)
		}
	}
	return fields
}

// CustomerActs are what the customer may do now, in the order to offer it: what the question
// asks, another number, a new number, an end. Once the donor has agreed nothing is left to
// choose. GetInstallCode and ReportInstallation do not hang on a port and are offered beside
// these.
func CustomerActs(kind PromptKind, state PortState) []CustomerAct {
	if !state.Stoppable() {
		return nil
	}
	switch kind {
	case PromptProvideInfo, PromptCorrectInfo:
		return []CustomerAct{ActSubmitPortingInfo, ActChangeNumber, ActKeepNewNumber, ActStopPort}
	case PromptActAtDonor:
		return []CustomerAct{ActConfirmDonorAction, ActChangeNumber, ActKeepNewNumber, ActStopPort}
	case PromptDecide:
		return []CustomerAct{ActChangeNumber, ActKeepNewNumber, ActStopPort}
	case PromptCorrectDevice:
		return []CustomerAct{ActChangeDevice, ActStopPort}
	case PromptNone:
	}
	return []CustomerAct{ActKeepNewNumber, ActStopPort}
}
