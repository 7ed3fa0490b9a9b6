package server

import (
	"cmp"

	"github.com/dialtone/dialtone/internal/mobile"
)

// The words in which a customer is told where things stand. What is asked is worded by
// mobile.NewPortQuestion.

// sentence says where an activation is, and what it means for the customer.
func (c customer) sentence() string {
	switch c.State {
	case mobile.StateSucceeded, mobile.StateCancelled, mobile.StateExpired, mobile.StateRejected, mobile.StateFailed:
		return c.ending()
	case mobile.StateUndoing:
		return "We are stopping your activation. There is nothing that you need to do."
	case mobile.StateWaitingForOperator:
		return joinWords("We are on it. There is nothing that you need to do.", c.why())
	case mobile.StateWaitingForCustomer:
		if c.asked() != nil {
			return "We need your help to go on: please answer what is asked here."
		}
	case mobile.StateAccepted, mobile.StateRunning, mobile.StateWaitingForCarrier:
	}
	if c.Port != nil && (!c.Port.State.Closed() || c.Port.State == mobile.PortCompleted) {
		return c.underWay()
	}
	if !c.Live.IsZero() {
		return "Your line is on. Now it goes into your phone."
	}
	return "We are getting your line ready. There is nothing that you need to do."
}

// why explains a port that does not go on, where that is nothing to ask the customer about.
func (c customer) why() string {
	if c.Port == nil || c.Port.Reason == "" || c.Port.Reason.Prompt() != mobile.PromptNone {
		return ""
	}
	return mobile.NewPortQuestion(mobile.PortFacts{
		Kind: mobile.PromptNone, Reason: string(c.Port.Reason), Donor: c.donor(), Number: c.Port.Number, NumberType: c.Port.NumberType,
	}).Message
}

// underWay says how far a port is.
func (c customer) underWay() string {
	switch c.Port.State {
	case mobile.PortAwaitingInfo:
		return "We are getting ready to bring your number. Please keep your old line on."
	case mobile.PortSubmitted:
		return "We have asked your old provider for your number and wait for its answer. Please keep your old line on."
	case mobile.PortDelayed:
		return cmp.Or(c.why(), "Your old provider needs more time to answer. Please keep your old line on.")
	case mobile.PortConfirmed:
		return "Your old provider lets your number go. Install the eSIM now, and keep your old SIM in until the number has moved."
	case mobile.PortRefused:
		return cmp.Or(c.why(), "Your old provider has not agreed to move your number yet. We are on it; please keep your old line on.")
	case mobile.PortCancelling:
		return "We are calling off the move of your number. Until your old provider has confirmed that, it may still move."
	case mobile.PortCompleted:
		return "Your number has moved. We are making sure that your line works."
	case mobile.PortCancelled, mobile.PortExpired:
	}
	return ""
}

// ending says how an activation has ended, and what it means for the number.
func (c customer) ending() string {
	moved := c.Port != nil && c.Port.State == mobile.PortCompleted
	var how string
	switch c.State {
	case mobile.StateSucceeded:
		if moved {
			return "Your number has moved, and your line is on."
		}
		return "Your line is on."
	case mobile.StateCancelled:
		how = "Your activation was stopped."
	case mobile.StateExpired:
		how = "We did not hear from you in time, so that your activation has ended."
	case mobile.StateRejected:
		how = "Your activation could not go on. Please call us if you want to try again."
	case mobile.StateFailed:
		how = "Your activation did not work out. Please call us."
	case mobile.StateAccepted, mobile.StateRunning, mobile.StateWaitingForCustomer, mobile.StateWaitingForCarrier,
		mobile.StateWaitingForOperator, mobile.StateUndoing:
	}
	switch {
	case moved:
		return how + " Your number has moved to us all the same: please call us, and we settle with you how to go on."
	case c.Port != nil:
		return how + " Your number stays where it is, and your old line keeps working."
	}
	return how
}

// verdictWords says to the customer what became of an act.
// atDonor tells that an order is with the donor, so that only the carrier's word ends it.
func verdictWords(act mobile.CustomerAct, verdict mobile.SubmissionVerdict, atDonor bool) string {
	switch verdict {
	case mobile.VerdictAccepted:
		return acceptedWords(act, atDonor)
	case mobile.VerdictDuplicate:
		return "You have told us this already. There is nothing more to do."
	case mobile.VerdictUnchanged:
		return "These are the details that your old provider has refused. Please compare what is marked with your last bill and give " +
			"other values: sending the same again may make it lock your number."
	case mobile.VerdictStale:
		return "What we ask has changed meanwhile. Please look at what is asked now."
	case mobile.VerdictTooLate:
		if act == mobile.ActStopPort || act == mobile.ActKeepNewNumber {
			return "It is too late to call the move off here: your old provider has agreed to it, or your activation has ended. If you do not want it, call us now."
		}
		return "It is too late for this: your number is moving already, or your activation has ended or is being stopped."
	}
	return ""
}

func acceptedWords(act mobile.CustomerAct, atDonor bool) string {
	const until = " We take the order back. Until your old provider has confirmed that, your number may still move: please keep your old line on, and we write to you."
	switch act {
	case mobile.ActSubmitPortingInfo:
		return "Thank you. We go on with these details and write to you when there is news. Please keep your old line on."
	case mobile.ActConfirmDonorAction:
		return "Thank you. We ask your old provider once more and write to you when there is news."
	case mobile.ActChangeNumber:
		return "Thank you. We find out whether this number can come, and then ask you for the details that it needs."
	case mobile.ActChangeDevice:
		return "Thank you. We check this phone and go on."
	case mobile.ActKeepNewNumber:
		if atDonor {
			return "Your line is to come with a new number." + until
		}
		return "Your line comes with a new number. Your old number stays where it is, and your old line keeps working."
	case mobile.ActStopPort:
		if atDonor {
			return "We stop here." + until
		}
		return "We stop here. Nothing is activated, your old number stays where it is, and your old line keeps working."
	}
	return ""
}
