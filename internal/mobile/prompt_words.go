package mobile

import "slices"

// message is the sentence of a question, with its words still in braces.
func (f PortFacts) message(kind PromptKind, action DonorAction) string {
	reason := PortReason(f.Reason)
	if reason.Known() && kind == reason.Prompt() && action == reason.Action() {
		return reason.row().customer
	}
	switch kind {
	case PromptProvideInfo:
		return "To bring your number over, we need a few details of your account at {donor}. Please do not cancel anything there: your old line must stay on until the number has moved."
	case PromptCorrectInfo:
		return "{Donor} has not agreed to move your number yet. Please compare each of your details with what stands {on record}, and correct what differs."
	case PromptCorrectDevice:
		return deviceMessage(f.Reason)
	case PromptActAtDonor:
		return actionMessage(action)
	case PromptDecide:
		if reason == PortSameNetwork {
			return reason.row().customer
		}
		return "We could not bring your number over from {donor}. Your old line keeps working as it is. You can bring another number, take a new one, or stop here."
	case PromptNone:
	}
	return ""
}

// actionMessage asks for something at the donor that no reason has named.
func actionMessage(action DonorAction) string {
	switch action {
	case ActionLockTakenOff:
		return portReasonRows[PortNumberLocked].customer
	case ActionLineReactivated:
		return portReasonRows[PortNumberInactive].customer
	case ActionTransferApproved:
	}
	return "{Donor} waits for you to approve the move. Please look for its text message, call or notice in its app and approve it, then tell us here that you have done it."
}

// deviceMessage says to the customer why a phone cannot be used; ReasonText says it to staff.
func deviceMessage(reason string) string {
	const another = " Please give us the IMEI of another phone: dial *#06# on it to see the 15 digits."
	switch reason {
	case ErrDeviceBlocked.Reason:
		return "This phone is on a list of phones that were lost, stolen or not paid for, so our network does not let it in." + another
	case ErrDeviceNotESIMCapable.Reason:
		return "This phone cannot hold an eSIM." + another
	case ErrDeviceNotSupported.Reason:
		return "This phone does not work on our network." + another
	case ErrDeviceUnknown.Reason:
		return "Our network does not know a phone with this IMEI. Please check the number: dial *#06# on the phone to see the 15 digits."
	}
	return "This phone cannot be used on our network." + another
}

// donorHint is what this donor's customers must know for the question, and what is not at a
// field of the form already, but for a refused code: its mail tells at once how to get another.
func (w donorWords) donorHint(q PortQuestion) string {
	switch q.Kind {
	case PromptProvideInfo:
		hint := []string{w.row.Remark, w.lockWarning()}
		if lasts := w.lasts(); lasts != "" && slices.Contains(q.Fields, FieldPIN) {
			hint = append(hint, w.fill("The {pin} is good for "+lasts+", so get it last."))
		}
		return sentences(hint...)
	case PromptCorrectInfo:
		switch {
		case slices.Equal(q.Refused, []PortingField{FieldAccountNumber}):
			return w.accountHint()
		case PortReason(q.Reason).IsPIN():
			return w.pinHint()
		}
		return ""
	case PromptActAtDonor:
		if q.Action == ActionLockTakenOff {
			return w.lockHint()
		}
	case PromptNone, PromptCorrectDevice, PromptDecide:
	}
	return ""
}

// label is what to call a field.
func (w donorWords) label(field PortingField) string {
	switch field {
	case FieldNumberInService:
		return "Is this number still in service with " + w.donor + "?"
	case FieldFirstName:
		return "First name of the account holder"
	case FieldLastName:
		return "Last name of the account holder"
	case FieldAddressLine:
		return "Street and number"
	case FieldCity:
		return "City"
	case FieldRegion:
		return "State"
	case FieldAccountZIP:
		return "ZIP code of your account"
	case FieldAccountNumber:
		return "Account number"
	case FieldAcceptsLineLosses:
		return "I know that internet, alarm or fax on this line will stop"
	case FieldPIN:
		return capital(w.row.PIN.Name)
	case FieldPINMakeDate:
		return "Day on which you got the " + w.row.PIN.Name
	}
	return string(field)
}

// hint says how to find a field at this donor.
func (w donorWords) hint(field PortingField, t NumberType) string {
	switch field {
	case FieldNumberInService:
		return "Can you make a call from it?"
	case FieldFirstName, FieldLastName:
		return w.fill("As it stands {on record}.")
	case FieldAddressLine, FieldCity:
		if t == NumberLandline || t == NumberVoIP {
			return w.fill("Of the place where the phone is, as it stands {on record}.")
		}
		return w.fill("As it stands {on record}.")
	case FieldRegion:
		return "Two letters, as in CA."
	case FieldAccountZIP:
		return w.fill("As it stands {on record}; it may not be that of the place where you live now.")
	case FieldAccountNumber:
		return w.accountHint()
	case FieldAcceptsLineLosses:
		return "Whatever else runs over the old line ends when the number moves. If you need it, arrange for it first."
	case FieldPIN:
		return w.pinHint()
	case FieldPINMakeDate:
		return w.fill("The {pin} is good for " + w.lasts() + "; we tell you if you need a new one.")
	}
	return ""
}
