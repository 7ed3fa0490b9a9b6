package server

import (
	"fmt"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/mobile"
)

// choices are what an operator may do now, likeliest first: what open items ask, then what
// can be done in any case. What is not offered here is refused when it is ordered.
func (s show) choices(a mobile.Activation) []*dialtonev1.Choice {
	var choices []*dialtonev1.Choice
	open := a.OpenItems()
	for _, item := range open {
		choices = append(choices, itemChoices(a, item, len(open) > 1)...)
	}
	if resendable(a) == nil {
		choices = append(choices, command(a, dialtonev1.Command_COMMAND_RESEND_ACTIVATION_EMAIL,
			"Send the Mobile Activation e-mail again", "resend-email", true))
	}
	if replaceable(a) == nil {
		choices = append(choices, also(command(a, dialtonev1.Command_COMMAND_REPLACE_PROFILE,
			"Give the customer another eSIM on the same line", "replace-profile", true), "--authentication HOW"))
	}
	if correctable(a) == nil {
		choices = append(choices, also(command(a, dialtonev1.Command_COMMAND_CORRECT_CONTACT,
			"Correct the customer's name or address", "correct", false), "--email ADDRESS --authentication HOW"))
	}
	if a.Port != nil && !a.State.Final() {
		choices = append(choices, &dialtonev1.Choice{
			Command: dialtonev1.Command_COMMAND_CREATE_PORTAL_LINK, Text: "Make a link to the portal, to hand to the customer",
			Cli: fmt.Sprintf("dialtone port link %s --reason WHY", a.ID),
		})
	}
	if a.Cancellable() {
		choices = append(choices, command(a, dialtonev1.Command_COMMAND_CANCEL_WORKFLOW,
			"Cancel it: what was taken is given back, and the subscription stays pending", "cancel", true))
	}
	if !a.State.Final() {
		choices = append(choices, command(a, dialtonev1.Command_COMMAND_REVIVE_WORKFLOW,
			"Look after its run in the engine, should it be lost", "revive", false))
	}
	return choices
}

func command(a mobile.Activation, c dialtonev1.Command, text, word string, irreversible bool) *dialtonev1.Choice {
	return &dialtonev1.Choice{
		Command: c, Text: text, Cli: fmt.Sprintf("dialtone workflow %s %s --reason WHY", word, a.ID), Irreversible: irreversible,
	}
}

// also adds what the command line cannot do without.
func also(choice *dialtonev1.Choice, flags string) *dialtonev1.Choice {
	choice.Cli += " " + flags
	return choice
}

// itemChoices are the resolutions that an item offers. Where several items are open, the line
// for a shell names the item.
func itemChoices(a mobile.Activation, item mobile.Item, several bool) []*dialtonev1.Choice {
	question := item.Question(a.GoesForward())
	offers := question.Offers()
	choices := make([]*dialtonev1.Choice, 0, len(offers))
	for _, offer := range offers {
		line := fmt.Sprintf("dialtone workflow resolve %s --as %s", a.ID, offer.Word())
		if several {
			line += " --item " + item.ID
		}
		if offer == mobile.ResolutionDone && question.NeedsReference() {
			line += " --reference ICCID"
		}
		choices = append(choices, &dialtonev1.Choice{
			Command: dialtonev1.Command_COMMAND_RESOLVE_ACTION, Text: question.Means(offer), Cli: line + " --reason WHY",
			Resolution: resolution(offer), ItemId: item.ID, Irreversible: offer.Irreversible(),
		})
	}
	return choices
}
